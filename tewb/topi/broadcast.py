"""Operators on two tensors, or a tensor and a number, by numpy's rules of broadcasting: sizes are equal, or one is 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.ir import convert, ops
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import known, same_size, shape_text, tensor_of


def broadcast_shapes(what: str, shapes: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    """The shape that all of the shapes are stretched to. Raises ShapeError when they do not go together."""
    rank = max(map(len, shapes), default=0)
    stretched: list[Any] = [1] * rank
    for shape in shapes:
        for d, size in enumerate(shape, rank - len(shape)):
            if known(stretched[d]) == 1:
                stretched[d] = size
            elif known(size) != 1 and not same_size(stretched[d], size):
                listed = " and ".join(shape_text(s) for s in shapes)
                raise ShapeError(
                    f"{what}: the shapes {listed} do not go together",
                    hint="counted from the last dimension, sizes are equal, or one of them is 1",
                    span=here(),
                )
    return tuple(stretched)


def element_of(x: Any, indices: Sequence[Any]) -> Any:
    """The element of `x` that an index of the stretched shape means; a number is every element of itself."""
    if not isinstance(x, Tensor):
        return x
    own = indices[len(indices) - x.ndim :]
    return x(*[te.const(0) if known(n) == 1 else i for n, i in zip(x.shape, own, strict=True)])


def broadcast_with(name: str, f: Callable[..., Any], *operands: Any) -> Any:
    """`f` on the elements of operands that are brought to one shape; on numbers only, `f` of the numbers."""
    shapes = [x.shape for x in operands if isinstance(x, Tensor)]
    if not shapes:
        return f(*operands)
    shape = broadcast_shapes(name, shapes)

    def element(*indices: Any) -> Any:
        return f(*[element_of(x, indices) for x in operands])

    return te.compute(shape, element, name=f"T_{name}", tag=tag.BROADCAST)


def _binary(name: str, f: Callable[[Any, Any], Any], doc: str) -> Callable[[Any, Any], Any]:
    def operator(lhs: Any, rhs: Any) -> Any:
        return broadcast_with(name, f, lhs, rhs)

    operator.__name__ = operator.__qualname__ = name
    operator.__doc__ = f"{doc}, broadcast."
    return operator


def broadcast_to(data: Tensor, shape: Any) -> Any:
    """`data` stretched to `shape`: its sizes of 1 are repeated, and dimensions are added in front."""
    x = tensor_of("broadcast_to", data)
    wanted = tuple(shape)
    stretched = broadcast_shapes("broadcast_to", [x.shape, wanted])
    if len(stretched) != len(wanted) or not all(map(same_size, stretched, wanted)):
        raise ShapeError(
            f"broadcast_to: {x.name} of shape {shape_text(x.shape)} does not become {shape_text(wanted)}",
            hint="a size stays, or it is 1 and grows",
            span=here(),
        )
    return te.compute(wanted, lambda *i: element_of(x, i), name="T_broadcast_to", tag=tag.BROADCAST)


def _mod(a: Any, b: Any) -> Any:
    x, y = ops.match(a, b)
    return te.fmod(x, y) if x.dtype.is_float else te.truncmod(x, y)


def _log_add_exp(a: Any, b: Any) -> Any:
    x, y = ops.match(a, b)
    high = te.max(x, y)
    sum_of_both = high + te.log(te.exp(x - high) + te.exp(y - high))
    # Of two equal infinities the difference is no number, and either of them is the answer.
    return te.select(te.isinf(high), high, sum_of_both)


add = _binary("add", lambda a, b: convert(a) + b, "lhs + rhs")
subtract = _binary("subtract", lambda a, b: convert(a) - b, "lhs - rhs")
multiply = _binary("multiply", lambda a, b: convert(a) * b, "lhs * rhs")
divide = _binary("divide", te.div, "lhs / rhs; integers round toward zero")
floor_divide = _binary("floor_divide", te.floordiv, "lhs / rhs, rounded down")
trunc_divide = _binary("trunc_divide", te.truncdiv, "lhs / rhs on integers, rounded toward zero")
mod = _binary("mod", _mod, "Remainder with the sign of lhs")
floor_mod = _binary("floor_mod", te.floormod, "Remainder with the sign of rhs")
trunc_mod = _binary("trunc_mod", te.truncmod, "Remainder of integers with the sign of lhs")
maximum = _binary("maximum", te.max, "The larger of lhs and rhs")
minimum = _binary("minimum", te.min, "The smaller of lhs and rhs")
power = _binary("power", te.power, "lhs to the power of rhs")
log_add_exp = _binary("log_add_exp", _log_add_exp, "log(exp(lhs) + exp(rhs)), without overflow")
atan2 = _binary("atan2", te.atan2, "The angle of the point (rhs, lhs)")

left_shift = _binary("left_shift", ops.shift_left, "lhs << rhs")
right_shift = _binary("right_shift", ops.shift_right, "lhs >> rhs, which keeps the sign")
bitwise_and = _binary("bitwise_and", ops.bitwise_and, "lhs & rhs")
bitwise_or = _binary("bitwise_or", ops.bitwise_or, "lhs | rhs")
bitwise_xor = _binary("bitwise_xor", ops.bitwise_xor, "lhs ^ rhs")

greater = _binary("greater", ops.greater, "lhs > rhs as bool")
less = _binary("less", ops.less, "lhs < rhs as bool")
equal = _binary("equal", ops.equal, "lhs == rhs as bool")
not_equal = _binary("not_equal", ops.not_equal, "lhs != rhs as bool")
greater_equal = _binary("greater_equal", ops.greater_equal, "lhs >= rhs as bool")
less_equal = _binary("less_equal", ops.less_equal, "lhs <= rhs as bool")

logical_and = _binary("logical_and", te.all, "lhs and rhs, both bool")
logical_or = _binary("logical_or", te.any, "lhs or rhs, both bool")


def _differs(a: Any, b: Any) -> Any:
    return te.any(te.all(a, ops.logical_not(b)), te.all(ops.logical_not(a), b))


logical_xor = _binary("logical_xor", _differs, "Whether one of lhs and rhs holds, and not both")


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where condition holds (is not 0), else y; the three are broadcast."""

    def choose(c: Any, a: Any, b: Any) -> Any:
        e = convert(c)
        return te.select(e if e.dtype.is_bool else ops.not_equal(e, te.const(0, e.dtype)), a, b)

    return broadcast_with("where", choose, condition, x, y)
