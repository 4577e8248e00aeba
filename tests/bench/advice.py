"""How far advice leads that is followed blindly: from programs without a schedule, the first proposal is tried again and
again, and kept when it is faster. Beside numpy, and beside the schedules by hand of the other files.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import tewb
from tests.bench import blur, convolution, int8_matmul, matmul, rows, transpose
from tests.bench.harness import shown
from tests.bench.workload import Program, Workload
from tewb import te
from tewb.workbench.judge.estimate import Machine
from tewb.workbench.measure.trials import in_turn, numpy_threads

TRIES = 20
SECONDS = 60.0


def bytes_product(n: int = 1024) -> Program:
    """The product of int8_matmul.py without the packing that it does by hand."""
    A, B = te.placeholder((n, n), "uint8", name="A"), te.placeholder((n, n), "int8", name="B")
    r = te.reduce_axis((0, n), name="k")
    C = te.compute(
        (n, n),
        lambda i, j: te.sum(A[i, r].astype("int32") * B[r, j].astype("int32"), axis=r),
        name="C",
    )
    return te.create_schedule(C.op), [A, B, C]


def unscheduled(w: Workload) -> Program:
    """The program of a row of the table, without its steps."""
    s, args = w.program(1)
    return s.untouched(), args


CASES: list[tuple[Workload, Callable[[Workload], Program]]] = [
    (matmul.workload(512, 512, 512), unscheduled),
    *[(w, unscheduled) for w in convolution.WORKLOADS],
    (blur.WORKLOADS[0], unscheduled),
    *[(w, unscheduled) for w in rows.WORKLOADS],
    (transpose.WORKLOADS[0], unscheduled),
    (int8_matmul.WORKLOADS[0], lambda w: bytes_product()),
]


def one_thread() -> Machine:
    """This machine, with one thread."""
    here = Machine.here()
    return replace(here, threads=1, peaks_of_all=here.peaks)


def follow(session: tewb.Session, machine: Machine) -> int:
    """Try what is advised until nothing is, or the time is over. Returns how many trials that took."""
    until = time.monotonic() + SECONDS
    for tried in range(TRIES):
        found = session.advise(machine).next
        if not found or time.monotonic() > until:
            return tried
        session.try_steps(found[0].steps, found[0].others)
    return TRIES


def run(w: Workload, program: Callable[[Workload], Program], machine: Machine) -> str:
    """The row of a program."""
    s, args = program(w)
    given = w.given(np.random.default_rng(0))
    session = tewb.Session(s, args, reference=w.numpy, inputs=given)
    naive = session.build()
    began = time.monotonic()
    tried = follow(session, machine)
    took = time.monotonic() - began
    advised, (hand, hand_args) = session.build(), w.program(1)
    by_hand = tewb.build(hand, hand_args)
    outputs = [np.empty([int(n) for n in t.shape], str(t.dtype)) for t in args[len(given) :]]
    calls: list[Callable[[], Any]] = [
        lambda: naive(*given, *outputs),
        lambda: advised(*given, *outputs),
        lambda: by_hand(*given, *outputs),
        lambda: w.numpy(*given),
    ]
    times = [t.warm.median for t in in_turn(calls, 7, cold=False)]
    w.check(advised(*given, *outputs) or outputs[0], w.numpy(*given))
    before, after, hand_time, numpy = times
    cells = [shown(numpy), shown(before), shown(after), f"{before / after:.1f}", f"{numpy / after:.2f}"]
    return (
        f"{w.name:<36}"
        + "".join(f"{c:>10}" for c in cells)
        + (f"{hand_time / after:>10.2f}{tried:>7}{took:>8.0f} s   {session.to_string()}")
    )


def main() -> None:
    print("\nAdvice, followed blindly on one thread: times, how many times as fast as without a schedule, as")
    print("numpy, and as the schedule by hand; trials and the time they took")
    names = ("numpy", "naive", "advised", "gain", "x numpy", "x hand", "trials", "took")
    print(f"{'':<36}" + "".join(f"{n:>10}" for n in names[:6]) + f"{names[6]:>7}{names[7]:>8}")
    machine = one_thread()
    for w, program in CASES:
        with numpy_threads(1):
            print(run(w, program, machine), flush=True)


if __name__ == "__main__":
    main()
