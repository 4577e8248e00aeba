"""The derivatives of math functions: the factors of their arguments, in terms of the call and its arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from tewb.ir import Call, Expr, FloatImm, const, intrinsics, ops

# None where an argument does not matter: the function is constant, but for steps.
Factors = Callable[..., tuple[Expr | None, ...]]


def _number(value: float, like: Expr) -> Expr:
    return const(value, like.dtype)


def _over(e: Expr) -> Expr:
    return ops.div(_number(1.0, e), e)


def _one_plus(e: Expr) -> Expr:
    return ops.add(_number(1.0, e), e)


def _one_less(e: Expr) -> Expr:
    return ops.sub(_number(1.0, e), e)


def _square(e: Expr) -> Expr:
    return ops.mul(e, e)


def _steps(*args: Expr) -> tuple[Expr | None, ...]:
    return (None,) * len(args[1:])


def _power(e: Expr, x: Expr, y: Expr) -> tuple[Expr, Expr]:
    return ops.mul(y, _raised(x, ops.sub(y, _number(1.0, y)))), ops.mul(e, intrinsics.log(x))


def _raised(x: Expr, y: Expr) -> Expr:
    if isinstance(y, FloatImm) and y.value == int(y.value) and 0 <= y.value <= 8:
        return ops.power(x, int(y.value))
    return intrinsics.pow(x, y)


def _signs(x: Expr) -> Expr:
    return ops.select(ops.greater_equal(x, _number(0.0, x)), _number(1.0, x), _number(-1.0, x))


def _like_sign(e: Expr, x: Expr, y: Expr) -> tuple[Expr, None]:
    """Of copysign(x, y), which is x or -x."""
    one = _number(1.0, x)
    return ops.mul(intrinsics.copysign(one, x), intrinsics.copysign(one, y)), None


_LOG2, _LOG10 = math.log(2), math.log(10)

# The factor of each argument of a call `e`. These take `e` and the arguments.
FACTORS: Mapping[str, Factors] = {
    "exp": lambda e, x: (e,),
    "exp2": lambda e, x: (ops.mul(e, _number(_LOG2, x)),),
    "exp10": lambda e, x: (ops.mul(e, _number(_LOG10, x)),),
    "log": lambda e, x: (_over(x),),
    "log2": lambda e, x: (_over(ops.mul(x, _number(_LOG2, x))),),
    "log10": lambda e, x: (_over(ops.mul(x, _number(_LOG10, x))),),
    "log1p": lambda e, x: (_over(_one_plus(x)),),
    "sqrt": lambda e, x: (_over(ops.mul(e, _number(2.0, x))),),
    "rsqrt": lambda e, x: (ops.div(ops.mul(e, _number(-0.5, x)), x),),
    "tanh": lambda e, x: (_one_less(_square(e)),),
    "sigmoid": lambda e, x: (ops.mul(e, _one_less(e)),),
    "sin": lambda e, x: (intrinsics.cos(x),),
    "cos": lambda e, x: (ops.neg(intrinsics.sin(x)),),
    "tan": lambda e, x: (_one_plus(_square(e)),),
    "sinh": lambda e, x: (intrinsics.cosh(x),),
    "cosh": lambda e, x: (intrinsics.sinh(x),),
    "asin": lambda e, x: (intrinsics.rsqrt(_one_less(_square(x))),),
    "acos": lambda e, x: (ops.neg(intrinsics.rsqrt(_one_less(_square(x)))),),
    "atan": lambda e, x: (_over(_one_plus(_square(x))),),
    "asinh": lambda e, x: (intrinsics.rsqrt(_one_plus(_square(x))),),
    "acosh": lambda e, x: (_over(ops.mul(intrinsics.sqrt(ops.sub(x, 1.0)), intrinsics.sqrt(_one_plus(x)))),),
    "atanh": lambda e, x: (_over(_one_less(_square(x))),),
    "erf": lambda e, x: (ops.mul(_number(2 / math.sqrt(math.pi), x), intrinsics.exp(ops.neg(_square(x)))),),
    "abs": lambda e, x: (_signs(x),),
    "fma": lambda e, a, b, c: (b, a, _number(1.0, c)),
    "likely": lambda e, x: (_number(1.0, x),),
    "pow": _power,
    "fmod": lambda e, x, y: (_number(1.0, x), ops.neg(intrinsics.trunc(ops.div(x, y)))),
    "atan2": lambda e, y, x: (
        ops.div(x, ops.add(_square(x), _square(y))),
        ops.div(ops.neg(y), ops.add(_square(x), _square(y))),
    ),
    "hypot": lambda e, x, y: (ops.div(x, e), ops.div(y, e)),
    "copysign": _like_sign,
    "ldexp": lambda e, x, n: (intrinsics.ldexp(_number(1.0, x), n), None),
    "nextafter": lambda e, x, y: (_number(1.0, x), None),
    "floor": _steps,
    "ceil": _steps,
    "trunc": _steps,
    "round": _steps,
    "nearbyint": _steps,
}


def factors(call: Call) -> tuple[Expr | None, ...] | None:
    """The factor of each argument of a call: its derivative by that argument, None for zero. None in all for functions
    whose derivative is not known."""
    of = FACTORS.get(call.op)
    return None if of is None else of(call, *call.args)
