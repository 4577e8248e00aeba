"""How good what `tewb.autoschedule` finds is: beside the schedules by hand of the other files.

`python -m tests.bench tune` gives each program 60 s, `TEWB_TUNE_SECONDS=15 python -m tests.bench tune` 15 s; a second argument
of `python -m tests.bench.tune 15 matmul blur` names programs. Kernels have one thread, or TEWB_TUNE_THREADS. A ratio of 1 is as
fast as by hand.

Below each row are Halide's autoschedulers, in processes of their own (`peers/searches/`). TEWB_PEERS_PYTHON is the Python that
has them; a last line says which are missing.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tewb
from tests.bench import (
    attention,
    batched,
    blur,
    convolution,
    int8_matmul,
    jacobi,
    matmul,
    memory,
    rows,
    transpose,
)
from tests.bench.advice import bytes_product, unscheduled
from tests.bench.contest import Failed, Worker
from tests.bench.harness import shown
from tests.bench.workload import Program, Workload

ROUNDS = 9
THREADS = int(os.environ.get("TEWB_TUNE_THREADS", "1"))
CASES: list[tuple[Workload, Callable[[Workload], Program]]] = [
    (matmul.workload(512, 512, 512), unscheduled),
    (matmul.workload(1024, 1024, 1024), unscheduled),
    *[(w, unscheduled) for w in convolution.WORKLOADS],
    (blur.WORKLOADS[0], unscheduled),
    (jacobi.WORKLOADS[0], unscheduled),
    *[(w, unscheduled) for w in rows.WORKLOADS[:2]],
    (attention.WORKLOADS[0], unscheduled),
    (transpose.WORKLOADS[0], unscheduled),
    (batched.WORKLOADS[0], unscheduled),
    (int8_matmul.WORKLOADS[0], lambda w: bytes_product()),
]


def worked(call: Callable[[], Any]) -> float:
    """Seconds of a call, in about 10 ms of calls. On one thread they are those of the processor: other work on the machine is
    not in them."""
    clock = time.process_time if THREADS == 1 else time.perf_counter
    began, count = clock(), 0
    while not count or clock() - began < 0.01:
        call()
        count += 1
    return (clock() - began) / count


def times(calls: Sequence[Callable[[], Any]]) -> list[float]:
    """The least time of each, taken in turn."""
    rounds = [[worked(call) for call in calls] for _ in range(ROUNDS)]
    return [min(taken) for taken in zip(*rounds, strict=True)]


def run(w: Workload, program: Callable[[Workload], Program], seconds: float) -> tuple[float, float, str]:
    """The ratios of what was found, and of what the model alone says, to the schedule by hand; and the row."""
    s, args = program(w)
    given = [memory.copy(a) for a in w.given(np.random.default_rng(0))]
    began = time.process_time()
    quick = tewb.autoschedule((s, args), model_only=True, threads=THREADS)
    took = time.process_time() - began
    found = tewb.autoschedule((s, args), seconds, threads=THREADS, inputs=given, reference=w.numpy)
    kernels = [found.build(), quick.build(), tewb.build(*w.program(THREADS))]
    outputs = [memory.empty(tuple(int(n) for n in t.shape), str(t.dtype)) for t in args[len(given) :]]
    best, model, hand = times([lambda k=k: k(*given, *outputs) for k in kernels])  # type: ignore[misc]
    for k in kernels[:2]:
        k(*given, *outputs)
        w.check(outputs[0] if len(outputs) == 1 else tuple(outputs), w.numpy(*given))
    cells = [shown(hand), shown(best), shown(model), f"{hand / best:.2f}", f"{hand / model:.2f}"]
    row = f"{w.name:<42}" + "".join(f"{c:>10}" for c in cells) + f"{len(found.trials):>8}{took:>8.1f} s"
    return hand / best, hand / model, row


OTHERS = ("mullapudi2016", "li2018", "adams2019")
LIMIT = 10.0  # seconds that another search may take to begin with, and three times those of ours


def others(w: Workload, seconds: float, missing: dict[str, str]) -> dict[str, tuple[float, float]]:
    """The times of what others' searches find for a row, and the schedule by hand beside each."""
    found = {}
    for name in OTHERS:
        if name in missing:
            continue
        try:
            found[name] = _against(name, w, 3 * seconds + LIMIT * 6)
        except Failed as e:
            if "No module" in str(e):
                missing[name] = str(e)
            else:
                print(f"  {name:<40}{e}")
    return found


def _against(name: str, w: Workload, limit: float) -> tuple[float, float]:
    """The least times of another's kernel and of ours by hand, in turn."""
    python = os.environ.get("TEWB_PEERS_PYTHON", sys.executable)
    other = Worker(f"tests.bench.peers.searches.{name}", python, THREADS, limit)
    kernel = tewb.build(*w.program(THREADS))
    given = [memory.copy(a) for a in w.given(np.random.default_rng(0))]
    args = w.program(1)[1]
    outputs = [memory.empty(tuple(int(n) for n in t.shape), str(t.dtype)) for t in args[len(given) :]]
    try:
        module = next(m.__name__ for m in MODULES if w.name in [x.name for x in m.WORKLOADS])
        prepared = other.ask("prepare", module=module, row=w.name, least=0.02)
        if "absent" in prepared:
            raise Failed(prepared["absent"])
        pairs = [
            (other.ask("sample")["seconds"], worked(lambda: kernel(*given, *outputs))) for _ in range(ROUNDS)
        ]
    finally:
        other.close()
    mine, by_hand = zip(*pairs, strict=True)
    return min(mine), min(by_hand)


MODULES: tuple[Any, ...] = (
    matmul, convolution, blur, jacobi, rows, attention, transpose, batched, int8_matmul,
)  # fmt: skip


def table(seconds: float, names: Sequence[str]) -> None:
    print(
        f"\nautoschedule in {seconds:g} s on {THREADS} thread{'s' * (THREADS > 1)}, and by the model alone, beside the schedule by hand"
    )
    heads = ("by hand", "found", "model", "x hand", "x hand")
    print(f"{'':<42}" + "".join(f"{h:>10}" for h in heads) + f"{'trials':>8}{'model took':>12}")
    ratios = []
    missing: dict[str, str] = {}
    for w, program in CASES:
        if not names or any(name in w.name for name in names):
            best, model, row = run(w, program, seconds)
            ratios.append((best, model))
            print(row, flush=True)
            for name, (time_, by_hand) in others(w, seconds, missing).items():
                print(
                    f"  {name:<40}{shown(by_hand):>10}{shown(time_):>10}{'':10}{by_hand / time_:>10.2f}",
                    flush=True,
                )
    if ratios:
        best, model = (statistics.median(r) for r in zip(*ratios, strict=True))
        print(f"{'median':<72}{best:>10.2f}{model:>10.2f}")
    if missing:
        why = "; ".join(f"{name} ({reason})" for name, reason in missing.items())
        print(f"not here: {why}. TEWB_PEERS_PYTHON=... with halide, numpy and llvmlite has them")


def main() -> None:
    table(float(os.environ.get("TEWB_TUNE_SECONDS", "60")), ())


if __name__ == "__main__":
    table(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, sys.argv[2:])
