"""The words of the hybrid language, and what they mean when the function runs as plain Python."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import numpy as np

from tewb.base import DType
from tewb.ir import ForKind, intrinsics, ops
from tewb.tensor.hybrid.typed_numbers import cast_array, matched, typed

LOOPS: dict[str, ForKind] = {
    "range": ForKind.SERIAL,
    "serial": ForKind.SERIAL,
    "parallel": ForKind.PARALLEL,
    "vectorize": ForKind.VECTORIZED,
    "unroll": ForKind.UNROLLED,
    "bind": ForKind.SERIAL,  # bind(tag, n): by threads, which are loops here
}

DECLARATIONS = ("output_tensor", "allocate")

CASTS = (
    "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool",
)  # fmt: skip

_NUMPY: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "exp2": np.exp2, "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
    "sqrt": np.sqrt, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin,
    "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "floor": np.floor, "ceil": np.ceil,
    "trunc": np.trunc, "round": np.rint, "nearbyint": np.rint, "isnan": np.isnan, "isinf": np.isinf,
    "isfinite": np.isfinite, "fmod": np.fmod, "atan2": np.arctan2, "hypot": np.hypot, "copysign": np.copysign,
    "popcount": lambda x: _popcount(x), "exp10": lambda x: np.power(np.asarray(x).dtype.type(10), x),
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "nextafter": np.nextafter,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "rsqrt": lambda x: 1 / np.sqrt(x),
    "erf": lambda x: np.vectorize(math.erf)(x).astype(np.asarray(x).dtype)[()],
}  # fmt: skip


def _popcount(x: Any) -> Any:
    """Bits of the pattern. (numpy counts those of the absolute value.)"""
    numbers = np.asarray(x)
    bits = numbers.view(f"u{numbers.dtype.itemsize}")
    return np.bitwise_count(bits).astype(numbers.dtype)[()]


def _rounded(f: Callable[..., Any]) -> Callable[..., Any]:
    """Rounding leaves an integer as it is."""
    return lambda x: x if np.asarray(x).dtype.kind in "iu" else f(x)


def _truncdiv(a: Any, b: Any) -> Any:
    q = a // b
    rounded: Any = np.where((q < 0) & (q * b != a), q + 1, q)
    return rounded[()]


def _select(c: Any, a: Any, b: Any) -> Any:
    chosen: Any = np.where(c, *map(typed, matched(a, b)))
    return chosen[()]


for _name in intrinsics.ROUNDING:
    _NUMPY[_name] = _rounded(_NUMPY[_name])


def _of_typed(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` of values in their common dtype."""
    return lambda *values: f(*map(typed, matched(*values)))


# A word of one or more values: how it is compiled, and how it runs on numpy.
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    name: (getattr(intrinsics, name), _of_typed(function)) for name, function in _NUMPY.items()
}
FUNCTIONS["power"] = (ops.power, _of_typed(np.power))
FUNCTIONS["fma"] = (intrinsics.fma, _of_typed(lambda a, b, c: a * b + c))
FUNCTIONS["likely"] = (ops.likely, lambda x: x)
FUNCTIONS["abs"] = (ops.absolute, _of_typed(abs))
FUNCTIONS["select"] = (ops.select, _select)
FUNCTIONS["ceil_div"] = (lambda a, b: -ops.floordiv(ops.neg(a), b), lambda a, b: -(-a // b))
FUNCTIONS["truncdiv"] = (ops.truncdiv, _of_typed(_truncdiv))
FUNCTIONS["truncmod"] = (ops.truncmod, _of_typed(lambda a, b: a - b * _truncdiv(a, b)))

WORDS = frozenset((*LOOPS, "const_range", *DECLARATIONS, *CASTS, *FUNCTIONS, "min", "max"))


def _array(shape: Any, dtype: Any = "float32", scope: str = "global") -> Any:
    return np.zeros(shape, DType(getattr(dtype, "__name__", str(dtype))))


def _known(*bounds: Any) -> range:
    return range(*[int(b) for b in bounds])


class _CountedRange:
    """What a loop counts: in int32, which wraps, as in a kernel."""

    def __init__(self, *bounds: Any) -> None:
        self.numbers = _known(*bounds)

    def __iter__(self) -> Iterator[Any]:
        return map(np.int32, self.numbers)


class _Caster:
    """The word of a dtype: it converts, and it names the dtype of an array."""

    def __init__(self, dtype: str) -> None:
        self.__name__ = dtype

    def __call__(self, x: Any) -> Any:
        return cast_array(x, self.__name__)


def extreme(name: str, *values: Any) -> Any:
    """min or max: of numbers as in Python, of elements as the compiled code, which keeps NaN."""
    if not any(isinstance(v, np.generic | np.ndarray) for v in values):
        return getattr(builtins, name)(*values)
    smaller_or_larger = np.minimum if name == "min" else np.maximum
    return reduce(lambda a, b: smaller_or_larger(*matched(a, b, count_booleans=True)), values)


def eager_names() -> dict[str, Any]:
    """The globals that an eager run adds."""
    words: dict[str, Any] = {name: _array for name in DECLARATIONS}
    words.update({name: _CountedRange for name in LOOPS}, const_range=_known)
    words["bind"] = lambda tag, n: _CountedRange(n)
    words.update({name: _Caster(name) for name in CASTS})
    words.update({name: eager for name, (_, eager) in FUNCTIONS.items()})
    words["min"], words["max"] = (lambda *v: extreme("min", *v)), (lambda *v: extreme("max", *v))
    return words
