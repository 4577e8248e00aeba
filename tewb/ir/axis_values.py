"""Values for the axes of a compute, in the expressions of its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tewb.base import BOOL
from tewb.ir import ops
from tewb.ir.buffers import ProducerLoad
from tewb.ir.expressions import And, Binary, Call, Cast, Compare, Expr, Not, Or, Select, Var
from tewb.ir.walk import rewriter, walk

# In a wider dtype these give the same, or a value that did not wrap.
_OF_BITS: dict[str, Callable[[Expr, Expr], Expr]] = {
    "bitwise_and": ops.bitwise_and,
    "bitwise_or": ops.bitwise_or,
    "bitwise_xor": ops.bitwise_xor,
    "shift_left": ops.shift_left,
    "shift_right": ops.shift_right,
}

Load = Callable[[ProducerLoad, tuple[Expr, ...]], Expr]
ConstBounds = Callable[[Expr], tuple[int | None, int | None]]


class AxisValues:
    """Replaces axes by `values`, and each element of a tensor by what `load` returns for it at its new indices. A
    value may be wider than its axis, when the loops that it comes from count further.

        i is f // m, f is int64    ->    i*2 is int32(f // m)*2, and A[i*2] is A[f // m*2]

    Where a value is computed an axis keeps its dtype, because the dtype of the result depends on it. Index arithmetic
    does not overflow, so it continues in the wider dtype, where it is as simple as the loops. So do comparisons, if
    by `bounds` all values that are compared fit the narrow dtype.
    """

    def __init__(self, values: Mapping[Var, Expr], load: Load, bounds: ConstBounds | None = None) -> None:
        self.values, self.load, self.bounds = values, load, bounds
        self.indices: dict[Expr, Expr] = {}  # rewritten so far
        self.narrow = {v: ops.cast(e, v.dtype) for v, e in values.items()}
        self.are_wide = any(e.dtype is not v.dtype for v, e in values.items())
        rules: dict[type, Any] = {Var: self._variable, ProducerLoad: self._element}
        if self.are_wide and bounds is not None:
            rules |= dict.fromkeys(Compare.__subclasses__(), self._comparison)
        self.value: Callable[[Any], Any] = rewriter(rules)

    def __call__(self, e: Expr) -> Expr:
        """`e` where its value is computed."""
        value: Expr = self.value(e)
        return value

    def index(self, e: Expr) -> Expr:
        """`e` where it is an index; it may become wider."""
        if not self.are_wide:
            return self(e)
        if e not in self.indices:
            self.indices[e] = self._index(e)
        return self.indices[e]

    def _index(self, e: Expr) -> Expr:
        if isinstance(e, Var):
            return self.values.get(e, e)
        if isinstance(e, Binary | Compare):
            return self._pair(e)
        match e:
            case Cast(x, dtype) if x.dtype.kind == dtype.kind == "int" and dtype.bits >= x.dtype.bits:
                return ops.cast(self.index(x), dtype)
            case And() | Or() | Not():
                return e.map_children(self.index)
            case Call("likely", (cond,)):
                return ops.likely(self.index(cond))
            case Select(cond, then, other):
                return ops.select(self.index(cond), self.index(then), self.index(other))
            case Call(name, (a, b)) if name in _OF_BITS:
                return _OF_BITS[name](*ops.match(self.index(a), self.index(b)))
            case Call("if_then_else", (cond, then, other)):
                return ops.if_then_else(self.index(cond), self.index(then), self.index(other))
        return self(e)

    def _pair(self, e: Any) -> Expr:
        a, b = self.index(e.a), self.index(e.b)
        if a is e.a and b is e.b:
            same: Expr = e
            return same
        x, y = ops.match(a, b)
        rebuilt: Expr = type(e)(x, y, x.dtype if isinstance(e, Binary) else BOOL)
        return rebuilt

    def _comparison(self, e: Any) -> Expr:
        as_value: Expr = e.map_children(self.value)
        if not e.a.dtype.is_int or any(isinstance(n, Call | ProducerLoad) for n in walk(e)):
            return as_value
        as_index, dtype = self._pair(e), e.a.dtype
        for side in (as_index.a, as_index.b):  # type: ignore[attr-defined]
            low, high = self.bounds(side) if self.bounds is not None else (None, None)
            if (low is not None and low < dtype.min_value()) or (
                high is not None and high > dtype.max_value()
            ):
                return as_value
        return as_index

    def _variable(self, v: Var) -> Expr:
        return self.narrow.get(v, v)

    def _element(self, n: ProducerLoad) -> Expr:
        return self.load(n, tuple([self.index(i) for i in n.indices]))


def at_axes(values: Mapping[Var, Expr]) -> AxisValues:
    """Replaces axes by `values`; the same tensors are read."""
    return AxisValues(values, lambda n, indices: ProducerLoad(n.producer, indices, n.dtype))
