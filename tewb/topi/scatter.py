"""Elements that are put, or added, at places that tensors of indices name: externs of loops, in the order of the updates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tewb import te, tir
from tewb.base import DTypeError, ShapeError, here
from tewb.ir import Expr
from tewb.tensor import Tensor
from tewb.topi.checks import axis_of, check_same_size, integers_of, known, one_of, tensor_of, whole
from tewb.topi.loops import check_inside, nested_loops

REDUCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "update": lambda _, new: new,
    "add": lambda old, new: old + new,
    "mul": lambda old, new: old * new,
    "min": te.min,
    "max": te.max,
}


def scatter_elements(
    data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0, reduction: str = "update"
) -> Any:
    """`data` with out[i, indices[i, j], k] replaced by (or "add", "mul", "min", "max": joined with) updates[i, j, k], here along
    axis 1; "mean" is the mean of the element and all its updates. Negative indices count from the end, and of several
    updates of one element the last counts."""
    what = "scatter_elements"
    one_of(what, "reduction", reduction, [*REDUCTIONS, "mean"])
    x, at, new = _operands(what, data, indices, updates)
    d = axis_of(what, axis, x.ndim)
    if at.ndim != x.ndim:
        raise ShapeError(
            f"{what}: {x.name} has {x.ndim} dimensions and {at.name} has {at.ndim}",
            hint="the indices have the dimensions of the data; scatter_nd takes coordinates",
            span=here(),
        )
    for have, want in zip(at.shape, new.shape, strict=True):
        check_same_size(what, have, want, "a size of the indices and of the updates")
    for n in range(x.ndim):
        most, count = known(x.shape[n]), known(at.shape[n])
        if n != d and most is not None and count is not None and count > most:
            raise ShapeError(
                f"{what}: axis {n} has {count} indices, and {x.name} has {most} elements along it",
                hint="only along the axis there may be more updates than elements",
                span=here(),
            )
    if reduction == "mean":
        return _mean_of_updates(x, at, new, d)

    def place(i: Sequence[Any], chosen: Sequence[Any]) -> list[Any]:
        return [*i[:d], chosen[0], *i[d + 1 :]]

    return _scattered(what, x, at, new, at.shape, [d], lambda at_, i: [at_[i]], place, REDUCTIONS[reduction])


def scatter(data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0) -> Any:
    """`data` with out[i, indices[i, j], k] = updates[i, j, k], here along axis 1."""
    return scatter_elements(data, indices, updates, axis)


def scatter_add(data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0) -> Any:
    """`data` with updates[i, j, k] added to out[i, indices[i, j], k], here along axis 1."""
    return scatter_elements(data, indices, updates, axis, "add")


def scatter_nd(data: Tensor, indices: Tensor, updates: Tensor, mode: str = "update") -> Any:
    """`data` with out[indices[0, y...], indices[1, y...], ..., x...] replaced by, or joined with, updates[y..., x...]: the first
    dimension of the indices counts the coordinates. Modes are those of scatter_elements."""
    what = "scatter_nd"
    one_of(what, "mode", mode, REDUCTIONS)
    x, at, new = _operands(what, data, indices, updates)
    depth = whole(what, "the first size of the indices", at.shape[0]) if at.ndim else 0
    if not 1 <= depth <= x.ndim:
        raise ShapeError(
            f"{what}: {depth} coordinates for the {x.ndim} dimensions of {x.name}",
            hint="the first dimension of the indices counts the dimensions that they choose from",
            span=here(),
        )
    width = at.ndim - 1
    wanted = [*at.shape[1:], *x.shape[depth:]]
    if new.ndim != len(wanted):
        raise ShapeError(
            f"{what}: {new.name} has {new.ndim} dimensions, not {len(wanted)}",
            hint="those of the indices after the first, then those of the data that have no coordinate",
            span=here(),
        )
    for n, m in zip(wanted, new.shape, strict=True):
        check_same_size(what, n, m, "a size of the updates and of what they replace")

    def coordinates(at_: Any, i: Sequence[Any]) -> list[Any]:
        return [at_[(te.const(n), *i[:width])] for n in range(depth)]

    def place(i: Sequence[Any], chosen: Sequence[Any]) -> list[Any]:
        return [*chosen, *i[width:]]

    return _scattered(what, x, at, new, wanted, range(depth), coordinates, place, REDUCTIONS[mode])


def index_put(data: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Any:
    """`data` with data[indices[0], indices[1], ...] = values, or with `accumulate` the values added; the index tensors are
    vectors of one size."""
    from tewb.topi.shapes import stack

    several = list(indices) if isinstance(indices, list | tuple) else [indices]
    vectors = [integers_of("index_put", t) for t in several]
    return scatter_nd(data, stack(vectors), values, "add" if accumulate else "update")


def _operands(what: str, data: Any, indices: Any, updates: Any) -> tuple[Tensor, Tensor, Tensor]:
    x, at, new = tensor_of(what, data), integers_of(what, indices), tensor_of(what, updates)
    if x.dtype is not new.dtype:
        raise DTypeError(
            f"{what}: {x.name} is {x.dtype} and {new.name} is {new.dtype}",
            hint=f'topi.cast({new.name}, "{x.dtype}")',
            span=here(),
        )
    return x, at, new


def _scattered(
    what: str,
    x: Tensor,
    at: Tensor,
    new: Tensor,
    shape: Sequence[Any],
    dims: Sequence[int],
    coordinates: Callable[[Any, Sequence[Any]], list[Any]],
    place: Callable[[Sequence[Any], Sequence[Any]], list[Any]],
    join: Callable[[Any, Any], Any],
) -> Any:
    """A copy of `x` into which all updates went, one after the other."""

    def loops(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        source, at_, updates, out = (ib.buffer_ptr(b) for b in (*ins, *outs))
        with nested_loops(ib, x.shape) as i:
            out[i] = source[i]
        with nested_loops(ib, shape, "u") as i:
            chosen = [
                _inside(ib, what, x, d, index) for d, index in zip(dims, coordinates(at_, i), strict=True)
            ]
            p = tuple(place(i, chosen))
            out[p] = join(out[p], updates[i])
        return ib.get()

    return te.extern(x.shape, [x, at, new], loops, name=what, dtype=x.dtype, tag=f"{what}_generic")


def _inside(ib: Any, what: str, x: Tensor, d: int, index: Expr) -> Any:
    """An index of dimension `d`, from the end when it is negative; the kernel raises where it is outside."""
    wide = "int64" if index.dtype.bits == 64 else "int32"
    given = ib.let("index", te.cast(index, wide))
    size = te.cast(x.shape[d], wide)
    zero = te.const(0, wide)
    i = ib.let("at", te.select(given < zero, given + size, given))
    check_inside(ib, te.all(i >= zero, i < size), f"{what}: an index is outside of dimension {d} of {x.name}")
    return i


def _mean_of_updates(x: Tensor, at: Tensor, new: Tensor, d: int) -> Any:
    """The sums of elements and updates over how many they are."""
    from tewb.topi.creation import ones_like

    total = scatter_elements(x, at, new, d, "add")
    count = scatter_elements(ones_like(x), at, ones_like(new), d, "add")
    divide = te.div if x.dtype.is_float else te.floordiv
    return te.compute(x.shape, lambda *i: divide(total(*i), count(*i)), name="scatter_mean", tag="elemwise")
