"""The words of the hybrid language, and what they mean when the function runs as plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tewb.base import DType, HybridError
from tewb.ir import ForKind, intrinsics, ops

LOOPS: dict[str, ForKind] = {
    "range": ForKind.SERIAL,
    "serial": ForKind.SERIAL,
    "parallel": ForKind.PARALLEL,
    "vectorize": ForKind.VECTORIZED,
    "unroll": ForKind.UNROLLED,
}

CASTS = (
    "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
)  # fmt: skip

_NUMPY: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "log2": np.log2, "log10": np.log10, "sqrt": np.sqrt, "tanh": np.tanh,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc,
    "round": np.rint, "atan": np.arctan, "isnan": np.isnan,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "rsqrt": lambda x: 1 / np.sqrt(x),
}  # fmt: skip

# A word of one or more values: how it is compiled, and how it runs on numpy.
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    name: (getattr(intrinsics, name), function) for name, function in _NUMPY.items()
}
FUNCTIONS["power"] = (ops.power, np.power)
FUNCTIONS["likely"] = (ops.likely, lambda x: x)
FUNCTIONS["abs"] = (ops.absolute, abs)


def _array(shape: Any, dtype: str = "float32", scope: str = "global") -> Any:
    return np.zeros(shape, DType(dtype))


def _loop(*bounds: Any) -> range:
    return range(*[int(b) for b in bounds])


def eager_names() -> dict[str, Any]:
    """The globals that an eager run adds."""
    words: dict[str, Any] = {"output_tensor": _array, "allocate": _array, "const_range": _loop}
    words.update({name: _loop for name in LOOPS})
    words.update({name: np.dtype(name).type for name in CASTS})
    words.update({name: eager for name, (_, eager) in FUNCTIONS.items() if name not in ("abs", "round")})
    return words


def check_dtype(dtype: Any) -> DType:
    """A dtype given by name. Raises HybridError for another thing."""
    try:
        return DType(str(dtype))
    except TypeError as e:
        raise HybridError(str(e)) from None
