"""`import` of classic modules."""

from __future__ import annotations

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
            TvmFinder().find_spec("tvm.contrib.cblas")
    finally:
        uninstall()
