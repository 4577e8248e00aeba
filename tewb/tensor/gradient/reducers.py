"""The derivative of a reduction by what it combines.

sum       each combined value counts once
max, min, argmax     the value that was chosen counts, the first of equal ones: a tensor says which one it was
others    the derivatives are combined along with the values, by the chain rule: for f(x, y)
          df(x, y) = f_x(x, y) * dx + f_y(x, y) * dy
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tewb.base import TewbError, here
from tewb.ir import (
    Add,
    AxisKind,
    CommReducer,
    Expr,
    IterVar,
    Max,
    Min,
    Range,
    Reduce,
    Select,
    Var,
    const,
    ops,
    substitute,
)
from tewb.tensor.compute import ComputeOp
from tewb.tensor.gradient.partials import Share, partials, product
from tewb.tensor.tensor import Tensor

# The share that a combined value has in an element of the result: a function of the element's indices and of the values of
# the reduce axes.
ShareAt = Callable[[Sequence[Expr], Sequence[Expr]], Share]


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Component `component` of what is combined, or of what it starts from, and its share in the result."""

    component: int
    share: ShareAt
    is_start: bool = False


def combined(op: ComputeOp, index: int) -> list[Combined]:
    """What output `index` of a reduction depends on. Raises TewbError where the derivative cannot be written."""
    r = op.body[index]
    assert isinstance(r, Reduce)
    if _is_sum(r.combiner, index):
        parts = [Combined(index, lambda i, k: Share())]
        return parts + ([Combined(index, lambda i, k: Share(), True)] if r.init else [])
    condition = _choice(r.combiner, index)
    if condition is not None:
        return _of_choice(op, r, index, condition)
    return _of_any(op, r, index)


def _is_sum(c: CommReducer, index: int) -> bool:
    match c.result[index]:
        case Add(a, b):
            return {a, b} == {c.lhs[index], c.rhs[index]}
    return False


def _choice(c: CommReducer, index: int) -> Expr | None:
    """The condition under which component `index` of the combination is that of the left side, when it is otherwise that
    of the right one."""
    x, y = c.lhs[index], c.rhs[index]
    match c.result[index]:
        case Max(a, b) if {a, b} == {x, y}:
            return ops.greater_equal(x, y)
        case Min(a, b) if {a, b} == {x, y}:
            return ops.less_equal(x, y)
        case Select(condition, a, b) if a is x and b is y:
            return condition
        case Select(condition, a, b) if a is y and b is x:
            return ops.logical_not(condition)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """The axes of a reduction once more, and their values in an expression."""

    axis: tuple[IterVar, ...]
    reduce_axis: tuple[IterVar, ...]
    values: dict[Var, Expr]

    def of(self, e: Expr) -> Expr:
        return substitute(e, self.values)


def copied(op: ComputeOp) -> Copy:
    """New axes for another reduction over what `op` combines."""
    values: dict[Var, Expr] = {}

    def axis(iv: IterVar, kind: AxisKind) -> IterVar:
        dom = op.domain(iv)
        assert dom is not None
        own = Range(substitute(dom.min, values), substitute(dom.extent, values))
        new = IterVar(own, Var(iv.var.name, iv.var.dtype), kind)
        values[iv.var] = new.var
        return new

    data = tuple(axis(iv, AxisKind.DATA) for iv in op.axis)
    return Copy(data, tuple(axis(iv, AxisKind.REDUCE) for iv in op.reduce_axis), values)


def _of_choice(op: ComputeOp, r: Reduce, index: int, condition: Expr) -> list[Combined]:
    """A tensor for each reduce axis says at which iteration the value was that was chosen: -1 for the start."""
    places = _chosen_places(op, r, condition)

    def chosen(i: Sequence[Expr], k: Sequence[Expr]) -> Share:
        return Share(tuple(ops.equal(p(*i), at) for p, at in zip(places, k, strict=True)))

    def start(i: Sequence[Expr], k: Sequence[Expr]) -> Share:
        return Share((ops.equal(places[0](*i), const(-1, places[0].dtype)),))

    parts = [Combined(index, chosen)]
    return parts + ([Combined(index, start, True)] if r.init else [])


def _chosen_places(op: ComputeOp, r: Reduce, condition: Expr) -> tuple[Tensor, ...]:
    """The iterations whose values were chosen, as tensors of a position in each reduce axis."""
    copy = copied(op)
    own = [iv.var for iv in copy.reduce_axis]
    lhs = [Var(f"{v.name}.x", v.dtype) for v in own]
    rhs = [Var(f"{v.name}.y", v.dtype) for v in own]
    c = r.combiner
    places = tuple(ops.select(condition, a, b) for a, b in zip(lhs, rhs, strict=True))
    combiner = CommReducer(
        (*lhs, *c.lhs), (*rhs, *c.rhs), (*places, *c.result),
        (*(const(-1, v.dtype) for v in own), *c.identity), f"{c.name}_place",
    )  # fmt: skip
    init = (*(const(-1, v.dtype) for v in own), *(copy.of(e) for e in r.init)) if r.init else ()
    source = (*own, *(copy.of(e) for e in r.source))
    return _reduction(f"{op.name}.place", copy, combiner, source, copy.of(r.condition), init)[: len(own)]


def _reduction(
    name: str,
    copy: Copy,
    combiner: CommReducer,
    source: Sequence[Expr],
    condition: Expr,
    init: Sequence[Expr],
    before: Sequence[IterVar] = (),
) -> tuple[Tensor, ...]:
    """The tensors of a reduction."""
    reductions = tuple(
        Reduce(combiner, tuple(source), copy.reduce_axis, condition, n, tuple(init), e.dtype)
        for n, e in enumerate(source)
    )
    return ComputeOp(name, (*copy.axis, *before), reductions).outputs


def _of_any(op: ComputeOp, r: Reduce, index: int) -> list[Combined]:
    """Of any combination: its derivative by every iteration, as a tensor over the iterations too."""
    if op.domains:
        raise TewbError(
            f"gradient: {op.name} combines by {r.combiner.name} over ranges that depend on others, whose derivatives "
            "have no shape",
            hint="te.sum, te.max and te.min over such ranges have derivatives; or take the whole range, with where=",
            span=here(),
        )
    floats = [n for n, v in enumerate(r.combiner.lhs) if v.dtype.is_float]
    parts = [Combined(n, _read(_by_iteration(op, r, index, n, floats), op)) for n in floats]
    if r.init:
        parts += [Combined(n, _of_start(_by_start(op, r, index, n, floats)), True) for n in floats]
    return parts


def _of_start(t: Tensor) -> ShareAt:
    return lambda i, k: Share((), t(*i))


def _read(t: Tensor, op: ComputeOp) -> ShareAt:
    def share(i: Sequence[Expr], k: Sequence[Expr]) -> Share:
        first = [iv.dom.min for iv in op.reduce_axis if iv.dom is not None]
        return Share((), t(*i, *(ops.sub(at, low) for at, low in zip(k, first, strict=True))))

    return share


def _by_iteration(op: ComputeOp, r: Reduce, index: int, by: int, floats: Sequence[int]) -> Tensor:
    """The derivative of component `index` by component `by` of the value at each iteration, counted from 0."""
    copy = copied(op)
    at, equal = [], []
    for iv in copy.reduce_axis:
        assert iv.dom is not None
        n = iv.dom.extent
        at.append(IterVar(Range(const(0, n.dtype), n), Var(f"{iv.name}.at", n.dtype), AxisKind.DATA))
        equal.append(ops.equal(iv.var, ops.add(at[-1].var, iv.dom.min)))
    return _derivative(op, r, index, floats, copy, {by: ops.all_of(*equal)}, {}, at)


def _by_start(op: ComputeOp, r: Reduce, index: int, by: int, floats: Sequence[int]) -> Tensor:
    """The derivative of component `index` by component `by` of the start."""
    return _derivative(op, r, index, floats, copied(op), {}, {by: const(True, "bool")}, [])


def _derivative(
    op: ComputeOp,
    r: Reduce,
    index: int,
    floats: Sequence[int],
    copy: Copy,
    seeds: dict[int, Expr],
    start: dict[int, Expr],
    at: Sequence[IterVar],
) -> Tensor:
    """The derivative of component `index` when those of the combined values are 1 where the condition of `seeds` holds,
    and those of the start where that of `start` does."""

    def ones(where: dict[int, Expr]) -> list[Expr]:
        dtypes = [(n, r.combiner.lhs[n].dtype) for n in floats]
        return [
            ops.select(where[n], const(1.0, d), const(0.0, d)) if n in where else const(0.0, d)
            for n, d in dtypes
        ]

    source = [*ones(seeds), *(copy.of(e) for e in r.source)]
    init = [*ones(start), *(copy.of(e) for e in r.init)] if r.init else []
    combiner = _with_derivatives(r.combiner, floats)
    outputs = _reduction(f"{op.name}.by", copy, combiner, source, copy.of(r.condition), init, at)
    return outputs[floats.index(index)]


def _with_derivatives(c: CommReducer, floats: Sequence[int]) -> CommReducer:
    """The combination of derivatives and values. The derivatives come first."""
    dx = [Var(f"d{c.lhs[n].name}", c.lhs[n].dtype) for n in floats]
    dy = [Var(f"d{c.rhs[n].name}", c.rhs[n].dtype) for n in floats]
    by = {c.lhs[n]: d for n, d in zip(floats, dx, strict=True)}
    by |= {c.rhs[n]: d for n, d in zip(floats, dy, strict=True)}
    derivatives = []
    for n in floats:
        result: Expr | None = None
        for leaf, share in partials(c.result[n], lambda v: v in by):
            added = Share(share.conditions, product(share.factor, by[leaf]))  # type: ignore[index]
            value = added.value(c.lhs[n].dtype)
            if added.conditions:
                value = ops.select(ops.all_of(*added.conditions), value, const(0.0, value.dtype))
            result = value if result is None else ops.add(result, value)
        derivatives.append(const(0.0, c.lhs[n].dtype) if result is None else ops.cast(result, c.lhs[n].dtype))
    zero = tuple(const(0.0, v.dtype) for v in dx)
    return CommReducer(
        (*dx, *c.lhs), (*dy, *c.rhs), (*derivatives, *c.result), (*zero, *c.identity), f"{c.name}_derivative"
    )
