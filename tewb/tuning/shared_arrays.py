"""The arrays that all trials of a search share: inputs, and what the outputs are to be, in files that every process reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tewb.tensor import PlaceholderOp, Tensor
from tewb.testing import tolerance
from tewb.tuning.task import Parameter, keep_array
from tewb.workbench.measure.measure import in_order, prepare, sizes_now, terms_of
from tewb.workbench.session import Session


def kept_arrays(session: Session, folder: Path) -> tuple[Parameter, ...]:
    """The parameters of a kernel for its trials. The inputs are the session's, or random; the outputs are those of its
    reference, or of the definition."""
    sizes = sizes_now(session)
    inputs, outputs, expected = prepare(session, sizes)
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
    wanted = np.asarray(expected[a])
    return Parameter(
        "output", a.name, *keep_array(folder, str(i), wanted), str(a.dtype), rtol, atol * _largest(wanted)
    )


def _largest(a: Any) -> float:
    """The largest finite magnitude, at least 1: what an absolute tolerance is a part of."""
    finite = a[np.isfinite(a)] if a.dtype.kind == "f" else a[:0]
    return max(float(np.max(np.abs(finite), initial=0.0)), 1.0)
