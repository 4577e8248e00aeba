"""The arrays that all trials of a search share: inputs, and what the outputs are to be, in files that every process reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tewb.base import ArgumentError, brief, in_kernels_memory, memory_dtype, rounded, to_memory
from tewb.tensor import PlaceholderOp, Tensor
from tewb.testing import tolerance
from tewb.tuning.task import Parameter, keep_array
from tewb.workbench.measure.measure import in_order, prepare, sizes_now, terms_of
from tewb.workbench.session import Session


def kept_arrays(session: Session, folder: Path) -> tuple[Parameter, ...]:
    """The parameters of a kernel for its trials. The inputs are the session's, or random; the outputs are those of its
    reference, or of the definition. A reference may compute in other dtypes than the kernel. Raises ArgumentError for inputs
    of other dtypes, and for what a reference gives that is no output of the kernel."""
    sizes = sizes_now(session)
    inputs, outputs, expected = prepare(session, sizes)
    inputs = {t: _taken(t, a) for t, a in inputs.items()}
    expected = {t: _as_in_memory(t, a, outputs[t].shape) for t, a in expected.items()}
    values = in_order(session.args, inputs, outputs, sizes)
    return tuple(
        [
            _kept(folder, i, a, value, expected)
            for i, (a, value) in enumerate(zip(session.args, values, strict=True))
        ]
    )


def _kept(folder: Path, i: int, a: Any, value: Any, expected: dict[Tensor, Any]) -> Parameter:
    if not isinstance(a, Tensor):
        return Parameter("scalar", str(a), value=value)
    if isinstance(a.op, PlaceholderOp):
        return Parameter("input", a.name, *keep_array(folder, str(i), value), str(a.dtype))
    rtol, atol = tolerance(a.dtype, terms_of(a))
    wanted = expected[a]
    return Parameter(
        "output", a.name, *keep_array(folder, str(i), wanted), str(a.dtype), rtol, atol * _largest(wanted)
    )


def _taken(t: Tensor, a: np.ndarray[Any, Any]) -> Any:
    """An input as kernels take it. Raises ArgumentError for one that they do not."""
    held = in_kernels_memory(a, t.dtype)
    if held.dtype != memory_dtype(t.dtype):
        raise ArgumentError(
            f"the input for {t.name} has dtype {a.dtype}, not {t.dtype}",
            hint=f"{t.name.lower()}.astype({str(t.dtype)!r})",
        )
    return held


def _as_in_memory(t: Tensor, a: np.ndarray[Any, Any], shape: tuple[int, ...]) -> Any:
    """What an output is to be, as kernels have it: numpy programs often give wider numbers. Raises ArgumentError for what
    cannot be that."""
    if a.shape != shape or a.dtype.kind not in "biufcV":
        raise ArgumentError(
            f"the reference gives {_in_words(a)} for {t.name}, which is an array of shape {shape}",
            hint="it takes the inputs as arrays, and returns the outputs",
        )
    held = in_kernels_memory(a, t.dtype)
    if held.dtype == memory_dtype(t.dtype):
        return held
    with np.errstate(all="ignore"):
        numbers = rounded(a.real, t.dtype)
        is_kept = (a.dtype.kind != "c") & ((numbers == a) if t.dtype.is_int else True)
    if not np.all(is_kept):
        raise ArgumentError(
            f"the reference gives {a.dtype} for {t.name}, with numbers that {t.dtype} does not hold",
            hint=f"it computes in {t.dtype}, as the kernel does",
        )
    return to_memory(a.real, t.dtype)


def _in_words(a: np.ndarray[Any, Any]) -> str:
    """An array that is no output, or what was given instead of one."""
    is_number = a.dtype.kind in "biufcV"
    return f"an array of shape {a.shape}" if is_number else brief(repr(a.item() if a.ndim == 0 else a))


def _largest(a: Any) -> float:
    """The largest finite magnitude, at least 1: what an absolute tolerance is a part of."""
    finite = a[np.isfinite(a)] if a.dtype.kind == "f" else a[:0]
    return max(float(np.max(np.abs(finite), initial=0.0)), 1.0)
