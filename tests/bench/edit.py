"""What a user waits for: a schedule edit to new IR text, a build, a kernel from the cache, the import of tewb."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tewb
from tests.bench.graphs import network, stencils, tutorial_gemm
from tests.bench.harness import shown
from tests.bench.matmul import scheduled
from tewb.base import PassContext
from tewb.codegen import translate
from tewb.driver import build_ir
from tewb.ir import IRModule
from tewb.lowering import BUILD, run
from tewb.runtime import Target, jit, llvm_work

ROOT = Path(__file__).resolve().parents[2]
Step = Mapping[str, Any]


def step(primitive: str, stage: str, **args: Any) -> Step:
    return {"primitive": primitive, "stage": stage, "args": args}


# A program, and two edits of it: one stage alone, and one that moves to another place.
PROGRAMS: dict[str, tuple[Callable[[], Any], Step, Step]] = {
    "matmul": (
        lambda: scheduled(1024, 1024, 1024, rows=4),
        step("split", "C.local", axis="k", factor=8),
        step("compute_at", "B.global", parent="C", axis="i.outer"),
    ),
    "GEMM of the tutorial": (
        tutorial_gemm,
        step("split", "packedB", axis="x", factor=8),
        step("compute_at", "C.global", parent="C", axis="x.inner"),
    ),
    "20 stages of stencils": (
        stencils,
        step("split", "out2", axis="j.outer", factor=8),
        step("compute_at", "x2", parent="y2", axis="i.outer"),
    ),
    "20 stages of a network": (
        network,
        step("split", "conv1", axis="i", factor=4),
        step("compute_at", "pad1", parent="conv1", axis="c.outer"),
    ),
}


def median(f: Callable[[], Any], before: Callable[[], Any] = lambda: None, repeat: int = 9) -> float:
    """Seconds of this thread that `f` takes, after `before` each time: others on the machine do not count."""
    times = []
    for _ in range(repeat):
        before()
        start = time.thread_time()
        f()
        times.append(time.thread_time() - start)
    return statistics.median(times)


def row(name: str, seconds: float, note: str = "") -> None:
    print(f"{name:<54} {shown(seconds):>10}{'   ' + note if note else ''}")


def edits(name: str) -> None:
    """Text of a program from nothing, after an edit of one stage, after one that moves a stage, after undo."""
    program, alone, move = PROGRAMS[name]
    cold = []
    for _ in range(5):
        s, args = program()
        session = tewb.Session(s, args)
        cold.append(median(lambda session=session: session.ir, repeat=1))  # type: ignore[misc]
    row(f"{name}: text from nothing", statistics.median(cold), f"{len(session.ir.splitlines())} lines")
    for what, change in (("an edit of a stage", alone), ("a stage moves", move)):
        times = []
        for _ in range(5):  # each in a session that has not seen the edit
            s, args = program()
            session = tewb.Session(s, args)
            text = session.ir
            start = time.thread_time()
            session.apply(change)
            after = session.ir
            times.append(time.thread_time() - start)
            assert after != text
        row(f"{name}: {what}, to text", statistics.median(times))
    row(f"{name}: undo, to text", median(lambda: (session.undo(), session.ir), session.redo))


def builds(name: str) -> None:
    """A build from lowered IR to a kernel, whole and by parts, and a second one of the same program."""
    s, args = PROGRAMS[name][0]()
    host = Target.host()
    module = tewb.lower(s, args)
    flat = IRModule({n: run(f, BUILD) for n, f in module.functions.items()})
    text = jit.Compiled(translate(flat, False, host).text).llvm_ir

    def cold() -> None:
        with PassContext(config={"tewb.object_cache": False}):
            build_ir(module)

    row(f"{name}: build, cold", median(cold, repeat=5), "aim 25 ms for the matmul")
    row("    passes", median(lambda: [run(f, BUILD) for f in module.functions.values()]))
    row("    LLVM text", median(lambda: translate(flat, False, host)), f"{len(text.splitlines())} lines")
    row("    parse", median(lambda: jit.optimized(text, None, 0)))
    made = [(jit.optimized(text, None, 0), host.machine()) for _ in range(5)]
    parsed, emitted = iter(made), iter(made)

    def optimize() -> None:
        parsed_module, machine = next(parsed)
        jit.optimize(parsed_module, machine, 2)

    def emit() -> bytes:
        parsed_module, machine = next(emitted)
        return bytes(machine.emit_object(parsed_module))

    row("    optimise", median(optimize, repeat=5))
    row("    machine code", median(emit, repeat=4))
    code = jit.ObjectCode(emit(), llvm_work.symbols_of(made[0][0]))
    kernel = build_ir(module)  # makes known what code calls
    row("    load", median(lambda: jit.Library(code.code, code.symbols).address("main")))
    row(f"{name}: build again", median(lambda: build_ir(module)), "aim 0.4 ms for the machine code")
    del kernel


_RELOAD = """
import time, sys
from tests.bench.edit import PROGRAMS
import tewb
from tewb.driver import build_ir
s, args = PROGRAMS[sys.argv[1]][0]()
module = tewb.lower(s, args)
start = time.thread_time(); build_ir(module); first = time.thread_time() - start
start = time.thread_time(); build_ir(module)
print(first, time.thread_time() - start)
"""

_IMPORT = """
import time, numpy, llvmlite.binding
start = time.thread_time(); import tewb; print(time.thread_time() - start)
"""


def fresh(code: str, *args: str, **environment: str) -> list[float]:
    """What a program prints in a process of its own, which keeps its bytecode as Python does by itself."""
    around = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code, *args]
    made = subprocess.run(
        command,
        env={**around, "PYTHONPATH": str(ROOT), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return [float(x) for x in made.stdout.split()]


def processes() -> None:
    """What a new process does: import tewb, and take a kernel from the cache."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [fresh(_RELOAD, "matmul", TEWB_CACHE_DIR=folder) for _ in range(6)][1:]
    row("matmul: build in a new process, in the cache", statistics.median(r[0] for r in runs))
    row("    once more", statistics.median(r[1] for r in runs))
    fresh(_IMPORT)
    times = [fresh(_IMPORT)[0] for _ in range(5)]
    row("import tewb, beside numpy and llvmlite", statistics.median(times), "aim 150 ms")


def main() -> None:
    print("\nthe edit loop (aims: matmul 10 ms, 20 stages 100 ms)")
    for name in PROGRAMS:
        edits(name)
    print()
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("TEWB_CACHE_DIR")
        os.environ["TEWB_CACHE_DIR"] = folder
        try:
            for name in list(PROGRAMS)[:2]:
                builds(name)
        finally:
            if before is None:
                del os.environ["TEWB_CACHE_DIR"]
            else:
                os.environ["TEWB_CACHE_DIR"] = before
    processes()
