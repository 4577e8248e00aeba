"""`import` of classic modules."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest

import tewb
from tewb.compat import install, uninstall
from tewb.compat.finder import FaceFinder, TvmFinder


def test_finders_leave_other_modules_alone() -> None:
    for name in ("numpy.nothing", "tewbs", "tvmlike"):
        assert FaceFinder().find_spec(name) is None and TvmFinder().find_spec(name) is None
    assert FaceFinder().find_spec("tewb.no_such_module") is None
    assert TvmFinder().find_spec("tvm.no_such_module") is None


def test_a_module_under_another_name_is_the_same_module() -> None:
    import tewb.ndarray as ndarray  # type: ignore[import-not-found]

    assert ndarray is tewb.nd and sys.modules["tewb.ndarray"] is tewb.nd
    assert tewb.nd.__spec__ is not None and tewb.nd.__spec__.name == "tewb.nd"


def test_an_error_inside_of_a_module_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    install()
    try:

        def fails(name: str) -> Any:
            raise ModuleNotFoundError("No module named 'scipy'", name="scipy")

        monkeypatch.setattr("tewb.compat.face.imported", fails)
        with pytest.raises(ModuleNotFoundError, match="scipy"):
            importlib.import_module("tvm.contrib.cblas")
    finally:
        uninstall()


def test_threads_that_import_at_once_do_not_wait_for_each_other() -> None:
    """A finder that imports holds the lock of all imports, and waits for a module whose thread waits for that lock."""
    program = """if True:
        import faulthandler, sys, threading
        faulthandler.dump_traceback_later(60, exit=True)
        sys.setswitchinterval(1e-6)
        import tewb.compat
        tewb.compat.install()
        together, done = threading.Barrier(4), []
        def import_(text):
            together.wait()
            exec(text, {})
            done.append(text)
        texts = "from tvm import topi", "import tvm.topi.testing", "from tvm.contrib import cblas", "import tvm.relay"
        every = [threading.Thread(target=import_, args=(text,)) for text in texts]
        for t in every: t.start()
        for t in every: t.join()
        try:
            import tvm.nothing
        except ModuleNotFoundError as e:
            print(len(done), e)
    """
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("4 No module named 'tvm.nothing'\n", "")


def test_what_the_registry_does_not_know_is_not_there_for_threads_either() -> None:
    program = """if True:
        import sys, threading, tewb, importlib
        def import_():
            try:
                importlib.import_module("tewb.no_such_module")
            except ModuleNotFoundError as e:
                print(e, e.name, "tewb.no_such_module" in sys.modules)
        t = threading.Thread(target=import_)
        t.start()
        t.join()
    """
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stdout == "No module named 'tewb.no_such_module' tewb.no_such_module False\n", ran.stderr
