"""Operators on each element by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from tewb import te
from tewb.base import DType, DTypeError, TewbError, here
from tewb.ir import call_intrin, convert, ops
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.broadcast import broadcast_shapes
from tewb.topi.checks import tensor_of


def elementwise(name: str, f: Callable[[Any], Any], x: Any) -> Any:
    """`f` on each element of `x`; on a number, `f` of it."""
    if not isinstance(x, Tensor):
        return f(convert(x))
    return te.compute(x.shape, lambda *i: f(x(*i)), name=f"T_{name}", tag=tag.ELEMWISE)


def _unary(name: str, f: Callable[[Any], Any], doc: str) -> Callable[[Any], Any]:
    def operator(x: Any) -> Any:
        return elementwise(name, f, x)

    operator.__name__ = operator.__qualname__ = name
    operator.__doc__ = f"{doc}, element by element."
    return operator


def _c(value: float, x: Any) -> Any:
    """A constant of the dtype of `x`."""
    return te.const(value, x.dtype)


def _check_float(name: str, x: Any) -> Any:
    if not x.dtype.is_float:
        raise DTypeError(f"{name} takes floats, not {x.dtype}", hint='topi.cast(x, "float32")', span=here())
    return x


def _of_floats(f: Callable[[Any], Any], of_integers: bool) -> Callable[[Any], Any]:
    """A question of floats, which has one answer for all integers."""
    return lambda x: f(x) if x.dtype.is_float else te.const(of_integers, "bool")


def _asinh(x: Any) -> Any:
    """asinh a = log1p(a + a*a / (1 + sqrt(a*a + 1))) for a >= 0, which keeps small values exact; it is odd."""
    a = te.abs(_check_float("asinh", x))
    # Above 1e9 a*a + 1 is a*a, which may overflow; there asinh a = log(2) + log(a).
    large = te.log(a) + _c(math.log(2), x)
    small = te.log1p(a + a * (a / (_c(1, x) + te.sqrt(a * a + _c(1, x)))))
    return te.copysign(te.select(a > _c(1e9, x), large, small), x)


def _acosh(x: Any) -> Any:
    """log1p(t + sqrt(2t + t*t)) with t = x - 1."""
    t = _check_float("acosh", x) - _c(1, x)
    large = te.log(x) + _c(math.log(2), x)
    return te.select(x > _c(1e9, x), large, te.log1p(t + te.sqrt(_c(2, x) * t + t * t)))


def _atanh(x: Any) -> Any:
    """log1p(2x / (1 - x)) / 2, on |x|, since it is odd."""
    a = te.abs(_check_float("atanh", x))
    half = _c(0.5, x) * te.log1p(_c(2, x) * a / (_c(1, x) - a))
    return te.copysign(half, x)


def _sign(x: Any) -> Any:
    """1 or -1; zero and what is no number stay as they are."""
    if x.dtype.kind in ("uint", "bool"):
        return te.select(ops.not_equal(x, _c(0, x)), _c(1, x), _c(0, x))
    negative = te.select(x < _c(0, x), _c(-1, x), x)
    return te.select(x > _c(0, x), _c(1, x), negative)


def _negative(x: Any) -> Any:
    return -x


def _log2_of_power(x: Any) -> Any:
    """The least n with 2**n >= x, for integers."""
    if not x.dtype.is_int:
        return te.ceil(te.log2(x))
    exponent = _c(0, x)
    for n in range(x.dtype.bits - (1 if x.dtype.kind == "int" else 0)):
        exponent = te.select(x > _c(1 << n, x), _c(n + 1, x), exponent)
    return exponent


identity = _unary("identity", lambda x: x, "x itself")
negative = _unary("negative", _negative, "-x")
abs = _unary("abs", te.abs, "The absolute value")
sign = _unary("sign", _sign, "-1, 0 or 1")
exp = _unary("exp", te.exp, "e to the power of x")
log = _unary("log", te.log, "The natural logarithm")
log2 = _unary("log2", te.log2, "The logarithm of base 2")
log10 = _unary("log10", te.log10, "The logarithm of base 10")
ceil_log2 = _unary("ceil_log2", _log2_of_power, "The logarithm of base 2, rounded up")
sqrt = _unary("sqrt", te.sqrt, "The square root")
rsqrt = _unary("rsqrt", te.rsqrt, "1 / sqrt(x)")
sin = _unary("sin", te.sin, "The sine")
cos = _unary("cos", te.cos, "The cosine")
tan = _unary("tan", te.tan, "The tangent")
asin = _unary("asin", te.asin, "The inverse sine")
acos = _unary("acos", te.acos, "The inverse cosine")
atan = _unary("atan", te.atan, "The inverse tangent")
sinh = _unary("sinh", te.sinh, "The hyperbolic sine")
cosh = _unary("cosh", te.cosh, "The hyperbolic cosine")
tanh = _unary("tanh", te.tanh, "The hyperbolic tangent")
asinh = _unary("asinh", _asinh, "The inverse hyperbolic sine")
acosh = _unary("acosh", _acosh, "The inverse hyperbolic cosine")
atanh = _unary("atanh", _atanh, "The inverse hyperbolic tangent")
erf = _unary("erf", te.erf, "The error function")
sigmoid = _unary("sigmoid", te.sigmoid, "1 / (1 + exp(-x))")
floor = _unary("floor", te.floor, "The integer below")
ceil = _unary("ceil", te.ceil, "The integer above")
trunc = _unary("trunc", te.trunc, "The integer toward zero")
round = _unary("round", te.round, "The nearest integer, halves to the even one")
isnan = _unary("isnan", _of_floats(te.isnan, False), "Whether x is no number, as bool")
isfinite = _unary("isfinite", _of_floats(te.isfinite, True), "Whether x is finite, as bool")
isinf = _unary("isinf", _of_floats(te.isinf, False), "Whether x is infinite, as bool")
bitwise_not = _unary("bitwise_not", ops.bitwise_not, "~x")
logical_not = _unary("logical_not", ops.logical_not, "not x, of bool")

# exp, tanh and erf are polynomials in the kernel anyway, so the fast ones are the same.
fast_exp = _unary("fast_exp", te.exp, "e to the power of x (the same as exp, which is fast)")
fast_tanh = _unary("fast_tanh", te.tanh, "The hyperbolic tangent (the same as tanh, which is fast)")
fast_erf = _unary("fast_erf", te.erf, "The error function (the same as erf, which is fast)")


def cast(x: Any, dtype: str, span: Any = None) -> Any:
    """Each element converted to `dtype`."""
    d = DType(dtype)
    return elementwise("cast", lambda e: te.cast(e, d), x)


def reinterpret(x: Tensor, dtype: str) -> Any:
    """The bits of each element read as another dtype of the same width."""
    t, d = tensor_of("reinterpret", x), DType(dtype)
    if t.dtype.bits != d.bits:
        raise DTypeError(
            f"reinterpret: {t.dtype} has {t.dtype.bits} bits and {d} has {d.bits}",
            hint="topi.cast converts values",
            span=here(),
        )
    return elementwise("reinterpret", lambda e: call_intrin(d, "reinterpret", e), t)


def clip(x: Tensor, a_min: float, a_max: float) -> Any:
    """x between a_min and a_max, in its own dtype."""
    t = tensor_of("clip", x)
    low, high = _bounds(t.dtype, a_min, a_max)
    return elementwise("clip", lambda e: te.max(te.min(e, high), low), t)


def _bounds(dtype: DType, a_min: Any, a_max: Any) -> tuple[Any, Any]:
    """The bounds as constants; for integers the nearest that the dtype holds."""
    if dtype.is_float:
        return te.const(a_min, dtype), te.const(a_max, dtype)
    least, most = dtype.min_value(), dtype.max_value()
    low = least if a_min < least else math.ceil(a_min)
    high = most if a_max > most else math.floor(a_max)
    return te.const(min(low, most), dtype), te.const(max(high, least), dtype)


def fixed_point_multiply(x: Tensor, multiplier: int, shift: int) -> Any:
    """x * multiplier * 2**(shift - 31) for int32, rounded to the nearest, halves up."""
    t = tensor_of("fixed_point_multiply", x)
    if t.dtype != "int32":
        raise DTypeError(
            f"fixed_point_multiply takes int32, not {t.dtype}",
            hint='topi.cast(x, "int32")',
            span=here(),
        )
    if not -31 <= shift <= 30:
        raise TewbError(
            f"fixed_point_multiply: shift {shift} is not from -31 to 30",
            hint="the result has to be an int32",
            span=here(),
        )

    def wide(value: int) -> Any:
        return te.const(value, "int64")

    def scaled(e: Any) -> Any:
        product = te.cast(e, "int64") * wide(multiplier)
        right = 31 - shift
        return te.cast((product + wide(1 << (right - 1))) >> wide(right), "int32")

    return elementwise("fixed_point_multiply", scaled, t)


def elemwise_sum(xs: Iterable[Tensor]) -> Any:
    """The sum of tensors of one shape."""
    tensors = [tensor_of("elemwise_sum", x) for x in xs]
    if not tensors:
        raise TewbError("elemwise_sum takes at least one tensor", hint="elemwise_sum([A, B])", span=here())
    shape = broadcast_shapes("elemwise_sum", [t.shape for t in tensors])

    def total(*indices: Any) -> Any:
        first, *others = (t(*indices) for t in tensors)
        return sum(others, first)

    return te.compute(shape, total, name="T_elemwise_sum", tag=tag.ELEMWISE)
