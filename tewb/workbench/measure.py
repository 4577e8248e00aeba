"""Measuring: the kernel and numpy in turn, and the check without which no time is shown."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tewb.base import ArgumentError
from tewb.ir import Expr, Var, const_int, script, walk
from tewb.ir import Reduce as ReduceNode
from tewb.runtime import Timing, calls_for, sample
from tewb.tensor import ComputeOp, Tensor
from tewb.testing import evaluate, random_array, tolerance

if TYPE_CHECKING:
    from tewb.workbench.session import Session


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a measurement found. Times are None when the result was wrong.

    `ratio` is numpy's median over the kernel's: above 1 the kernel is faster.
    """

    ok: bool
    message: str
    kernel: Timing | None = None
    numpy: Timing | None = None
    reference: str = "numpy"
    threads: str = ""

    @property
    def ratio(self) -> float | None:
        if self.kernel is None or self.numpy is None:
            return None
        return self.numpy.median / self.kernel.median

    def __str__(self) -> str:
        if not self.ok:
            return f"✗ {self.message}"
        return f"✓ {self.message}; tewb {self.kernel}, {self.reference} {self.numpy}, ratio {self.ratio:.2f}"


def measure(session: Session, repeat: int, stop: Callable[[], bool] | None) -> Measurement:
    """Check the kernel of a session against its reference, then time both in turn."""
    kernel = session.build()
    inputs, outputs, expected = prepare(session)
    ordered = in_order(session.args, inputs, outputs, session.sizes)
    kernel(*ordered)
    for t, got in outputs.items():
        wrong = difference(t, got, expected[t])
        if wrong:
            return Measurement(False, f"{t.name} differs from numpy: {wrong}")
    run_reference, name = reference_call(session, inputs)
    with one_thread(not kernel.signature.has_parallel) as threads:
        times = _interleave(lambda: kernel(*ordered), run_reference, repeat, stop)
    message = "result equals numpy's" + (" (stopped early)" if len(times[0]) < repeat else "")
    return Measurement(True, message, Timing(times[0]), Timing(times[1]), name, threads)


def _interleave(
    f: Callable[[], Any], g: Callable[[], Any], repeat: int, stop: Callable[[], bool] | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Samples of `f` and `g` in turn, so that a busy moment of the machine hits both."""
    counts = calls_for(f, 0.02), calls_for(g, 0.02)
    first: list[float] = []
    second: list[float] = []
    for _ in range(repeat):
        first.append(sample(f, counts[0]))
        second.append(sample(g, counts[1]))
        if stop is not None and stop():
            break
    return tuple(first), tuple(second)


@contextlib.contextmanager
def one_thread(wanted: bool) -> Iterator[str]:
    """Hold numpy's BLAS to one thread while a serial kernel is compared with it, where threadpoolctl can."""
    try:
        import threadpoolctl  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        yield "numpy with its own threads (threadpoolctl is not installed)"
        return
    if not wanted:
        yield "all threads"
        return
    with threadpoolctl.threadpool_limits(1):
        yield "one thread each"


# ---------------------------------------------------------------- arrays


def prepare(session: Session) -> tuple[dict[Tensor, Any], dict[Tensor, Any], dict[Tensor, Any]]:
    """Arrays for the inputs, empty ones for the outputs, and what the outputs should be."""
    tensors = [a for a in session.args if isinstance(a, Tensor)]
    given = [t for t in tensors if session.schedule[t].is_placeholder]
    made = [t for t in tensors if not session.schedule[t].is_placeholder]
    rng = np.random.default_rng(0)
    if session.inputs is not None:
        if len(session.inputs) != len(given):
            raise ArgumentError(
                f"{len(session.inputs)} inputs for {len(given)}: {', '.join(t.name for t in given)}"
            )
        inputs = {t: np.asarray(a) for t, a in zip(given, session.inputs, strict=True)}
    else:
        inputs = {t: random_array(shape_of(t, session.sizes), t.dtype, rng) for t in given}
    if session.reference is not None:
        result = session.reference(*inputs.values())
        results = list(result) if isinstance(result, tuple | list) else [result]
        if len(results) != len(made):
            raise ArgumentError(f"the reference gives {len(results)} arrays for {len(made)} outputs")
    else:
        scalars = {a: session.sizes.get(a.name, 1) for a in session.args if isinstance(a, Var)}
        results = evaluate(made, inputs, scalars)
    expected = {t: np.asarray(r) for t, r in zip(made, results, strict=True)}
    outputs = {t: np.zeros(shape_of(t, session.sizes), t.dtype) for t in made}
    return inputs, outputs, expected


def shape_of(t: Tensor, sizes: dict[str, int]) -> tuple[int, ...]:
    """The shape of a tensor with its symbolic sizes filled in (128 where none is given)."""
    return tuple(_size(n, sizes) for n in t.shape)


def _size(n: Expr, sizes: dict[str, int]) -> int:
    known = const_int(n)
    if known is not None:
        return known
    names = {v.name: sizes.get(v.name, 128) for v in walk(n) if isinstance(v, Var)}
    return int(eval(script(n), {"__builtins__": {}}, names))


def in_order(
    args: Sequence[Any], inputs: dict[Tensor, Any], outputs: dict[Tensor, Any], sizes: dict[str, int]
) -> list[Any]:
    """The arrays and scalars in the order of the kernel's parameters."""
    arrays = {**inputs, **outputs}
    return [arrays[a] if isinstance(a, Tensor) else sizes.get(a.name, 1) for a in args]


def reference_call(session: Session, inputs: dict[Tensor, Any]) -> tuple[Callable[[], Any], str]:
    """What is timed against the kernel: the user's numpy program, or the definition."""
    reference = session.reference
    if reference is not None:
        values = list(inputs.values())
        return lambda: reference(*values), "numpy"
    made = [a for a in session.args if isinstance(a, Tensor) and not session.schedule[a].is_placeholder]
    scalars = {a: session.sizes.get(a.name, 1) for a in session.args if isinstance(a, Var)}
    return lambda: evaluate(made, inputs, scalars), "numpy, by the definition"


# ---------------------------------------------------------------- the check


def difference(t: Tensor, got: Any, want: Any) -> str | None:
    """Where an output first differs from the reference beyond what its dtype allows; None when it does not."""
    if got.shape != want.shape:
        return f"its shape is {got.shape} and the reference's {want.shape}"
    rtol, atol = tolerance(t.dtype, _terms(t))
    scale = float(np.max(np.abs(want), initial=0.0)) if t.dtype.startswith("float") and want.size else 0.0
    close = np.isclose(got, want, rtol=rtol, atol=atol * max(scale, 1.0), equal_nan=True)
    if close.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~close)[0])
    return f"first at {at}: {got[at]} instead of {want[at]} ({int((~close).sum())} of {got.size} elements)"


def _terms(t: Tensor) -> int:
    """How many terms the longest sum below `t` has."""
    most, seen, pending = 1, set(), [t.op]
    while pending:
        op = pending.pop()
        if op in seen:
            continue
        seen.add(op)
        if isinstance(op, ComputeOp) and isinstance(op.body[0], ReduceNode):
            sizes = [const_int(iv.dom.extent) or 1024 for iv in op.reduce_axis if iv.dom is not None]
            most = max(most, int(np.prod(sizes)))
        pending.extend(i.op for i in op.inputs)
    return most
