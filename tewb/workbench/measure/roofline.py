"""The roofline: what this machine can do at most, and how near a schedule comes.

    GFLOP/s <= min(peak, bandwidth * intensity)        intensity: operations per byte

After Williams, Waterman and Patterson, "Roofline: an insightful visual performance model" (2009). The
intensity counts each argument's bytes once, so it belongs to the program and not to the schedule: a schedule
moves the point up and down.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from tewb.base import digits, readable
from tewb.runtime import Compiled, Target
from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.workbench.measure.measurement import Measurement, per_second
from tewb.workbench.measure.trials import Timings, last_cache_bytes


@readable
@dataclass(frozen=True, slots=True)
class Peaks:
    """What the machine reaches on `threads` threads: `gflops` of multiply-adds on `dtype`, and `gbytes` per
    second from memory (a triad, which reads two arrays and writes one)."""

    gflops: float
    gbytes: float
    dtype: str = "float32"
    threads: int = 1

    def __str__(self) -> str:
        on = "one thread" if self.threads == 1 else f"{self.threads} threads"
        return f"peaks of {on}: {digits(self.gflops)} GFLOP/s of {self.dtype}, {digits(self.gbytes)} GB/s"

    @property
    def ridge(self) -> float:
        """The intensity (operations per byte) from which on memory is no limit."""
        return self.gflops / self.gbytes

    def roof(self, intensity: float) -> float:
        """The most GFLOP/s that a program of this intensity reaches when its data comes from memory."""
        return min(self.gflops, self.gbytes * intensity)


@readable
@dataclass(frozen=True, slots=True)
class Point:
    """A measurement in the plot. `label` says which."""

    label: str
    intensity: float
    gflops: float

    def __str__(self) -> str:
        return f"{self.label}: {digits(self.gflops)} GFLOP/s at {digits(self.intensity)} operations per byte"


@readable
@dataclass(frozen=True, slots=True)
class Roofline:
    """The roof, and the points of a history, oldest first. `numpy` and `cold` are those of the newest point.

    Without points, `note` says why.
    """

    peaks: Peaks
    points: tuple[Point, ...] = ()
    numpy: Point | None = None
    cold: Point | None = None
    note: str = ""

    def __str__(self) -> str:
        p, share = self.newest, self.share
        if p is None or share is None:
            return f"{self.peaks}; no points: {self.note}"
        return f"{p}: {digits(100 * share)} % of what can be reached there; {self.peaks}"

    @property
    def newest(self) -> Point | None:
        return self.points[-1] if self.points else None

    @property
    def share(self) -> float | None:
        """How much of the roof above it the newest point reaches: 1 is the roof."""
        p = self.newest
        return None if p is None else p.gflops / self.peaks.roof(p.intensity)


class Measured(Protocol):
    """A session, as far as the roofline reads it: its program and the measurements that it keeps."""

    @property
    def schedule(self) -> Schedule: ...
    @property
    def timings(self) -> Timings: ...


def roofline(
    session: Measured, measurements: Iterable[Measurement] | None = None, peaks: Peaks | None = None
) -> Roofline:
    """The roofline of a session's measurements (those that it keeps, if none are given).

    Wrong results have no point. `peaks` are those of this machine, measured at the first call, for the dtype
    of the first output and the number of threads of the widest measurement.
    """
    kept = list(session.timings.values() if measurements is None else measurements)
    top = peaks or machine_peaks(
        peak_dtype(session.schedule.outputs[0].output(0)), max((m.workers for m in kept), default=1)
    )
    points = tuple(p for m in kept if (p := _point(m, m.gflops, _label(m))) is not None)
    if not points:
        opaque = any(m.ok and not m.operations for m in kept)
        return Roofline(top, note="its operations cannot be counted" if opaque else "nothing measured yet")
    last = next(m for m in reversed(kept) if _point(m, m.gflops, "") is not None)
    return Roofline(
        top,
        points,
        _point(last, per_second(last.operations, last.numpy), last.reference),
        _point(last, per_second(last.operations, last.cold), f"{_label(last)}, cold"),
    )


def _point(m: Measurement, gflops: float | None, label: str) -> Point | None:
    if not gflops or not m.operations or not m.bytes:
        return None
    return Point(label, m.operations / m.bytes, gflops)


def _label(m: Measurement) -> str:
    return f"step {len(m.journal)}, {m.journal[-1]}" if m.journal else "no steps"


def peak_dtype(t: Tensor) -> str:
    """The dtype of the peaks that a program which makes `t` is compared with."""
    return "float64" if str(t.dtype) in ("float64", "int64", "uint64") else "float32"


# ---------------------------------------------------------------- the machine


@lru_cache(maxsize=8)
def machine_peaks(dtype: str = "float32", threads: int = 1) -> Peaks:
    """The peaks of this machine, measured once (about 0.2 s): the best of several short runs."""
    code = Compiled(_kernels(dtype))
    return Peaks(_peak_gflops(code, dtype, threads), _peak_gbytes(code, dtype, threads), dtype, threads)


_ACCUMULATORS = 12  # enough to hide the latency of two multiply-adds per cycle; fits 16 registers
_FMA = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
_TRIAD = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


def _lanes(dtype: str) -> int:
    """How many elements a vector register of this machine holds."""
    return Target.host().vector_bytes // int(np.dtype(dtype).itemsize)


def _peak_gflops(code: Compiled, dtype: str, threads: int) -> float:
    run = _FMA(code.address("fma_peak"))
    lanes, rounds = _lanes(dtype), 50_000  # about 1 ms: short, as the pieces of the triad are
    numbers = [np.array([0.999] * lanes + [0.001] * lanes, dtype) for _ in range(threads)]
    seconds = _best([lambda a=a: run(a.ctypes.data, rounds) for a in numbers], 48)  # type: ignore[misc]
    return threads * rounds * _ACCUMULATORS * lanes * 2 / seconds / 1e9


_PIECE = (
    2**23
)  # bytes that are moved while the clock runs: short, so that some piece has the processor for itself
_MOST = 2**27  # bytes of an array


def _peak_gbytes(code: Compiled, dtype: str, threads: int) -> float:
    run = _TRIAD(code.address("triad"))
    size = int(np.dtype(dtype).itemsize)
    n = min(max(last_cache_bytes(), 2**24), _MOST) // size
    arrays = [np.ones(n, dtype) for _ in range(3)]
    part = min(n // threads, _PIECE // size)
    at = [a.ctypes.data for a in arrays]
    places = itertools.count()

    def piece() -> None:
        start = next(places) * part % (n - part + 1) * size  # what no cache has had lately
        run(*(p + start for p in at), part)

    return 3 * part * threads * size / _best([piece] * threads, max(4 * n // (part * threads), 8)) / 1e9


def _best(work: Sequence[Callable[[], None]], times: int) -> float:
    """The fewest seconds in which all of `work` was done side by side (compiled code lets go of the lock)."""
    if len(work) == 1:
        return min(_seconds(work[0]) for _ in range(times))
    barrier = threading.Barrier(len(work))
    turns: list[list[tuple[float, float]]] = [[] for _ in work]

    def run(f: Callable[[], None], spans: list[tuple[float, float]]) -> None:
        for _ in range(times):
            barrier.wait()
            start = time.perf_counter()
            f()
            spans.append((start, time.perf_counter()))

    runners = [threading.Thread(target=run, args=pair) for pair in zip(work, turns, strict=True)]
    for r in runners:
        r.start()
    for r in runners:
        r.join()
    spans = [list(turn) for turn in zip(*turns, strict=True)]
    return float(min(max(b for _, b in turn) - min(a for a, _ in turn) for turn in spans))


def _seconds(f: Callable[[], None]) -> float:
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def _kernels(dtype: str) -> str:
    """LLVM IR of the two kernels: independent multiply-adds in registers, and a[i] = b[i] + s * c[i]."""
    scalar = {"float32": "float", "float64": "double"}[dtype]
    vector = f"<{_lanes(dtype)} x {scalar}>"
    accumulators = range(_ACCUMULATORS)
    phis = "\n".join(f"  %x{i} = phi {vector} [ %s{i}, %entry ], [ %y{i}, %loop ]" for i in accumulators)
    # Every accumulator starts at a number of its own: equal ones would be computed once.
    starts = "\n".join(
        f"  %s{i} = fadd {vector} %a, <{', '.join([f'{scalar} {i}.0'] * _lanes(dtype))}>"
        for i in accumulators
    )
    steps = "\n".join(
        f"  %m{i} = fmul contract {vector} %x{i}, %a\n  %y{i} = fadd contract {vector} %m{i}, %b"
        for i in accumulators
    )
    sums = "\n".join(
        f"  %z{i} = fadd {vector} %{f'z{i - 1}' if i > 1 else 'y0'}, %y{i}" for i in accumulators if i
    )
    return f"""
define void @fma_peak(ptr %p, i64 %n) {{
entry:
  %q = getelementptr {vector}, ptr %p, i64 1
  %a = load {vector}, ptr %p, align 4
  %b = load {vector}, ptr %q, align 4
{starts}
  br label %loop
loop:
  %k = phi i64 [ 0, %entry ], [ %next, %loop ]
{phis}
{steps}
  %next = add i64 %k, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
{sums}
  store {vector} %z{_ACCUMULATORS - 1}, ptr %q, align 4
  ret void
}}

define void @triad(ptr noalias %a, ptr noalias %b, ptr noalias %c, i64 %n) {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %pa = getelementptr {scalar}, ptr %a, i64 %i
  %pb = getelementptr {scalar}, ptr %b, i64 %i
  %pc = getelementptr {scalar}, ptr %c, i64 %i
  %x = load {scalar}, ptr %pb
  %y = load {scalar}, ptr %pc
  %m = fmul contract {scalar} %y, 3.0
  %s = fadd contract {scalar} %x, %m
  store {scalar} %s, ptr %pa
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""
