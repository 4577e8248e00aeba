"""What the workbench works out at a request: the palette as a schedule grows, and the forms of a program."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import tewb
from tests.bench.harness import heading, shown
from tewb import te
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.states.code import code_state
from tewb.workbench.states.schema import as_json

LOOPS, ASSEMBLY = "schedule_ops", "assembly"

STEPS = (
    Step("tile", "C", {"x": "i", "y": "j", "x_factor": 32, "y_factor": 64}),
    Step("split", "C", {"axis": "k", "factor": 4}),
    Step("reorder", "C", {"axes": ["k.outer", "i.inner", "k.inner", "j.inner"]}),
    Step("vectorize", "C", {"axis": "j.inner"}),
    Step("parallel", "C", {"axis": "i.outer"}),
)


def main() -> None:
    heading("the workbench at a request, each once", "")
    palettes()
    forms()


def timed(name: str, f: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    made = f()
    print(f"{name:<44} {shown(time.perf_counter() - start):>10}")
    return made


def palettes() -> None:
    """The palette before each step of a matrix product."""
    s = demo_session("matmul")
    for step in STEPS:
        loop = s.stages[-1].loops[0].name
        timed(f"palette before {step.primitive}", lambda loop=loop: s.palette("C", loop))
        s.apply(step)


def forms() -> None:
    """The forms of a matrix product with register tiles, and the states that are sent for them."""
    s, args = product()
    session = tewb.Session(s, args)
    timed("forms", session.forms)
    timed("state of the loops' code", lambda: as_json(code_state(session, LOOPS)))
    timed("build", lambda: session.code_forms.form("LLVM IR").lines)
    timed("assembly", lambda: session.code_forms.form(ASSEMBLY).lines)
    state = timed("state of the assembly", lambda: as_json(code_state(session, ASSEMBLY)))
    timed("diff of the loops", lambda: session.diff(LOOPS))
    print(f"{'characters of the assembly as JSON':<44} {len(json.dumps(state)):>10,}")


def product(n: int = 1024, rows: int = 4) -> tuple[Any, list[Any]]:
    A, B = te.placeholder((n, n), name="A"), te.placeholder((n, n), name="B")
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((n, n), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    s = te.create_schedule(C.op)
    _, _, i, j = s[C].tile(*C.op.axis, rows, 32)
    ko, ki = s[C].split(k, 4)
    s[C].reorder(ko, i, ki, j)
    s[C].unroll(i)
    s[C].vectorize(j)
    return s, [A, B, C]


if __name__ == "__main__":
    main()
