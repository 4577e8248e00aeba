"""Other makers of fast kernels, one file each: what a competent user of theirs writes for a row of the table.

A file states `DISTRIBUTION`, the installed package whose version is shown, and `KERNELS`: the beginnings of names
of rows, each with a maker. `maker(*given)` compiles, and returns a function without arguments that computes the
row and returns its result; it gives the peer an output that is allocated once, where the peer takes one. A maker that raises
Skip says why there is no kernel. The longest beginning that fits is taken, so "conv2d NCHW16c" may differ from
"conv2d".

They are not among tewb's requirements. `pip install numba halide apache-tvm torch jax numexpr llvmlite` into an environment
of their own serves `python -m tests.bench --peers-python that/bin/python`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

Kernel = Callable[[], Any]
Maker = Callable[..., Kernel]

THREADS = int(os.environ.get("TEWB_NUM_THREADS") or 1)
"""How many threads a kernel may use; the worker's environment limits the peer itself, too."""

# One thread is timed by what the processor gives its process: work of others on a busy machine does not count.
# Threads that wait for each other are timed by the wall.
clock = time.process_time if THREADS == 1 else time.perf_counter


class Skip(Exception):
    """There is no kernel for this row, for the reason given."""


def find(kernels: dict[str, Maker], row: str) -> Maker | None:
    """The maker for a row of this name."""
    fits = [start for start in kernels if row.startswith(start)]
    return kernels[max(fits, key=len)] if fits else None


def fastest(*makers: Maker, seconds: float = 0.2) -> Maker:
    """The fastest of several ways; one that cannot be made here is passed over, unless all fail."""

    def maker(*given: Any) -> Kernel:
        found: list[tuple[float, int, Kernel]] = []
        failures = []
        for number, make in enumerate(makers):
            try:
                kernel = make(*given)
                kernel()
            except Exception as e:
                failures.append(e)
            else:
                found.append((_time(kernel, seconds), number, kernel))
        if not found:
            raise failures[0]
        return min(found)[2]

    return maker


def _time(kernel: Kernel, seconds: float) -> float:
    """The shortest of the runs that fit into `seconds`."""
    best, end = float("inf"), clock() + seconds
    while (start := clock()) < end:
        kernel()
        best = min(best, clock() - start)
    return best
