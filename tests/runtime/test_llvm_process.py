"""LLVM's long work in a process of its own: it gives the same code, and can be ended."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import CodegenError, PassContext, Stopped, TewbError, stopped_by
from tewb.runtime import jit, llvm_process
from tewb.runtime.llvm_process import takes_long
from tewb.schedule import Schedule
from tewb.tensor import Tensor

pytestmark = pytest.mark.skipif(not llvm_process.can_start(), reason="no process can be started here")


def program(n: int) -> tuple[Schedule, list[Tensor]]:
    A = te.placeholder((n,), name="A")
    C = te.compute((n,), lambda i: te.if_then_else(i > 1, A[i - 2], 0.0) * 2.0 + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[C].unroll("i")
    return s, [A, C]


def build(n: int, **options: object) -> tewb.runtime.Kernel:
    s, args = program(n)
    with PassContext(config={"tewb.object_cache": False, **options}):
        return tewb.build(s, args)


def children() -> str:
    asked = ["ps", "-o", "stat=,args=", "--ppid", str(os.getpid())]
    return "\n".join(
        x
        for x in subprocess.run(asked, capture_output=True, text=True).stdout.split("\n")
        if "llvm_work" in x
    )


@pytest.mark.slow
def test_long_work_gives_the_code_that_short_work_does(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = build(1500)
    assert takes_long(kernel.get_source("ll0"))
    a, c = np.arange(1500, dtype="float32"), np.zeros(1500, "float32")
    kernel(a, c)
    np.testing.assert_array_equal(c[2:], a[:-2] * 2 + 1)
    monkeypatch.setattr(jit, "takes_long", lambda text: False)
    assert build(1500).get_source("ll") == kernel.get_source("ll")
    assert build(1500).get_source("asm") == kernel.get_source("asm")


@pytest.mark.slow
def test_a_process_is_asked_for_long_work_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        jit, "do_in_another_process", lambda work, native, limit: asked.append(len(work.text))
    )
    build(8)
    assert not asked
    build(1500)  # nothing came back: it is done here
    assert len(asked) == 1


@pytest.mark.slow
def test_where_no_python_can_be_started_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    a, c = np.ones(1500, "float32"), np.zeros(1500, "float32")
    build(1500)(a, c)
    assert c[-1] == 3.0


def test_work_beyond_its_limit_is_stopped_and_named() -> None:
    A = te.placeholder((50, 600), name="A")
    C = te.compute((50, 600), lambda i, j: te.if_then_else(j > 1, A[i, j - 2], 0.0) * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].unroll("j")
    with (
        PassContext(config={"tewb.object_cache": False, "tewb.build_timeout": 0.01}),
        pytest.raises(CodegenError, match="for 0.01 s.*an iteration of loop i makes 600 stores") as e,
    ):
        tewb.build(s, [A, C])
    assert "tewb.build_timeout" in str(e.value)
    assert not children()


@pytest.mark.parametrize("limit", [0, -1.0, "ten", True])
def test_a_limit_is_a_number_of_seconds(limit: object) -> None:
    with pytest.raises(TewbError, match="no number of seconds"):
        build(1500, **{"tewb.build_timeout": limit})


def test_a_stop_ends_a_build() -> None:
    with stopped_by(lambda: True), pytest.raises(Stopped):
        build(2500)
    assert not children()


def test_a_text_that_llvm_does_not_take_is_an_error_with_its_line() -> None:
    text = "define void @f() {\n  ret i32 nonsense\n}\n" + "; a long comment\n" * 20_000
    with pytest.raises(CodegenError, match="ret i32 nonsense"):
        _ = jit.Translated(text).optimized_ir


def test_llvm_that_ends_its_process_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "falls.py"
    script.write_text(
        "import os, sys\nsys.stderr.write('LLVM ERROR: broken')\nsys.stderr.flush()\nos.abort()\n"
    )
    monkeypatch.setattr(llvm_process, "_SCRIPT", script)
    with pytest.raises(CodegenError, match="LLVM gave up.*signal 6.*LLVM ERROR: broken"):
        build(1500)


@pytest.mark.slow
def test_an_interrupt_ends_a_build_at_once_and_the_next_one_works() -> None:
    text = """
        import os, signal, threading, time
        import numpy as np
        import tewb
        from tewb import te

        def build(n):
            A = te.placeholder((n,), name="A")
            C = te.compute((n,), lambda i: te.if_then_else(i > 1, A[i - 2], 0.0) * 2.0 + 1.0, name="C")
            s = te.create_schedule(C.op)
            s[C].unroll("i")
            return tewb.build(s, [A, C])

        began = threading.Event()
        real = tewb.runtime.jit.do_in_another_process

        def noticed(*args):
            began.set()
            return real(*args)

        tewb.runtime.jit.do_in_another_process = noticed

        def interrupt():
            began.wait()
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt, daemon=True).start()
        try:
            build(2500)
            print("finished")
        except KeyboardInterrupt:
            print("interrupted")
        a, c = np.ones(700, "float32"), np.zeros(700, "float32")
        build(700)(a, c)
        print(c[-1])
    """
    code = "import tewb.runtime.jit\n" + textwrap.dedent(text)
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TEWB_CACHE_DIR": "/nonexistent"},
    )
    assert found.stdout.split() == ["interrupted", "3.0"], found.stderr
