"""Injective transforms: elements change their places, and some are repeated or left out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from tewb import te
from tewb.base import DTypeError, ShapeError, TewbError, here
from tewb.ir import ops
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import axes_of, axis_of, check_same_size, known, shape_text, tensor_of, whole
from tewb.topi.layouts import Layout
from tewb.topi.utils import is_empty_shape, prod, ravel_index, unravel_index


def expand_dims(a: Tensor, axis: int, num_newaxis: int = 1) -> Any:
    """`num_newaxis` new axes of size 1 in front of `axis`; a negative `axis` counts from the end of the new shape."""
    x = tensor_of("expand_dims", a)
    added = whole("expand_dims", "num_newaxis", num_newaxis)
    d = axis_of("expand_dims", axis, x.ndim + 1)
    shape = [*x.shape[:d], *[1] * added, *x.shape[d:]]
    return te.compute(shape, lambda *i: x(*i[:d], *i[d + added :]), name="T_expand_dims", tag=tag.BROADCAST)


def expand_like(a: Tensor, shape_like: Tensor, axis: int | Sequence[int]) -> Any:
    """`a` in the shape of `shape_like`, repeated along the axes that it does not have."""
    x, like = tensor_of("expand_like", a), tensor_of("expand_like", shape_like)
    axes = axes_of("expand_like", axis, like.ndim)
    scalar = x.ndim == 1 and len(axes) == like.ndim
    if x.ndim + len(axes) != like.ndim and not scalar:
        raise ShapeError(
            f"expand_like: {x.ndim} dimensions and {len(axes)} new ones are not the {like.ndim} of {like.name}",
            hint="axis lists the dimensions that are new",
            span=here(),
        )

    def element(*i: Any) -> Any:
        return x(0) if scalar else x(*[j for d, j in enumerate(i) if d not in axes])

    return te.compute(like.shape, element, name="T_expand_like", tag=tag.BROADCAST)


def squeeze(a: Tensor, axis: int | Sequence[int] | None = None) -> Any:
    """Without the given axes, which must be of size 1; without any, all of size 1 go."""
    x = tensor_of("squeeze", a)
    if axis is None:
        axes = tuple(d for d, n in enumerate(x.shape) if known(n) == 1)
    else:
        axes = axes_of("squeeze", axis, x.ndim)
    for d in axes:
        check_same_size("squeeze", x.shape[d], 1, f"the size of axis {d} of {x.name} and 1")
    shape = [n for d, n in enumerate(x.shape) if d not in axes]

    def element(*indices: Any) -> Any:
        kept = iter(indices)
        return x(*[te.const(0) if d in axes else next(kept) for d in range(x.ndim)])

    return te.compute(shape, element, name="T_squeeze", tag=tag.INJECTIVE)


def transpose(a: Tensor, axes: Sequence[int] | None = None) -> Any:
    """The axes in another order: axis n of the result is `axes[n]` of the tensor. Without axes, in reverse."""
    x = tensor_of("transpose", a)
    order = list(reversed(range(x.ndim))) if axes is None else [axis_of("transpose", d, x.ndim) for d in axes]
    if sorted(order) != list(range(x.ndim)):
        raise ShapeError(
            f"transpose: {order} is no order of the {x.ndim} axes of {x.name}",
            hint="each axis stands once",
            span=here(),
        )

    def element(*indices: Any) -> Any:
        place = dict(zip(order, indices, strict=True))
        return x(*[place[d] for d in range(x.ndim)])

    return te.compute([x.shape[d] for d in order], element, name="T_transpose", tag=tag.INJECTIVE)


def flip(a: Tensor, axis: int = 0) -> Any:
    """The elements along `axis` in reverse."""
    x = tensor_of("flip", a)
    d = axis_of("flip", axis, x.ndim)

    def element(*i: Any) -> Any:
        return x(*i[:d], x.shape[d] - 1 - i[d], *i[d + 1 :])

    return te.compute(x.shape, element, name="T_reverse_sequence", tag=tag.INJECTIVE)


def reshape(a: Tensor, newshape: Any) -> Any:
    """The same elements, row by row, in another shape. One size may be -1: it follows from the others."""
    x = tensor_of("reshape", a)
    wanted = list(newshape) if hasattr(newshape, "__iter__") else [newshape]
    shape = _completed(x, wanted)
    have, want = known(prod(x.shape)), known(prod(shape))
    if have is not None and want is not None and have != want:
        raise ShapeError(
            f"reshape: {x.name} of shape {shape_text(x.shape)} has {have} elements, and {shape_text(shape)} has {want}",
            hint="one size may be -1, which follows from the others",
            span=here(),
        )

    if is_empty_shape(shape):
        return te.compute(shape, lambda *_: te.const(0, x.dtype), name="T_reshape", tag=tag.INJECTIVE)

    def element(*i: Any) -> Any:
        return x(*unravel_index(ravel_index(i, shape), x.shape))

    return te.compute(shape, element, name="T_reshape", tag=tag.INJECTIVE)


def _completed(x: Tensor, shape: list[Any]) -> list[Any]:
    """The shape with the size that is -1 worked out."""
    unknown = [d for d, n in enumerate(shape) if known(n) == -1]
    if len(unknown) > 1:
        raise ShapeError("reshape: only one size may be -1", hint="give the others", span=here())
    if unknown:
        rest = prod([n for n in shape if known(n) != -1])
        total = prod(x.shape)
        if known(rest) == 0 or (known(total) or 0) % (known(rest) or 1):
            raise ShapeError(
                f"reshape: the {total!r} elements of {x.name} do not fill {shape_text(shape)}",
                hint="the other sizes must divide their number",
                span=here(),
            )
        shape[unknown[0]] = te.indexdiv(total, rest)
    return shape


def concatenate(a_tuple: Sequence[Tensor], axis: int = 0) -> Any:
    """The tensors one after the other along an axis that they have."""
    tensors = _tensors("concatenate", a_tuple)
    first = tensors[0]
    d = axis_of("concatenate", axis, first.ndim)
    for t in tensors[1:]:
        if t.ndim != first.ndim:
            raise ShapeError(
                f"concatenate: {first.name} has {first.ndim} dimensions and {t.name} has {t.ndim}",
                hint="topi.expand_dims adds one; topi.stack makes a new axis",
                span=here(),
            )
        for n in range(first.ndim):
            if n != d:
                check_same_size("concatenate", first.shape[n], t.shape[n], f"the sizes of axis {n}")
    ends = list(accumulate(t.shape[d] for t in tensors))

    def element(*i: Any) -> Any:
        begins = [te.const(0), *ends]
        reads = [t(*i[:d], i[d] - b, *i[d + 1 :]) for t, b in zip(tensors, begins, strict=False)]
        chosen = reads[-1]
        for read, end in zip(reversed(reads[:-1]), reversed(ends[:-1]), strict=True):
            chosen = te.if_then_else(i[d] < end, read, chosen)
        return chosen

    shape = [*first.shape[:d], ends[-1], *first.shape[d + 1 :]]
    return te.compute(shape, element, name="T_concat", tag=tag.INJECTIVE)


def stack(a: Sequence[Tensor], axis: int = 0) -> Any:
    """The tensors, which have one shape, along a new axis."""
    tensors = _tensors("stack", a)
    first = tensors[0]
    d = axis_of("stack", axis, first.ndim + 1)
    for t in tensors[1:]:
        if t.ndim != first.ndim:
            raise ShapeError(
                f"stack: {first.name} has {first.ndim} dimensions and {t.name} has {t.ndim}",
                hint="they have one shape",
                span=here(),
            )
        for n in range(first.ndim):
            check_same_size("stack", first.shape[n], t.shape[n], f"the sizes of axis {n}")

    def element(*i: Any) -> Any:
        chosen = tensors[-1](*i[:d], *i[d + 1 :])
        for n, t in reversed(list(enumerate(tensors[:-1]))):
            chosen = te.if_then_else(ops.equal(i[d], n), t(*i[:d], *i[d + 1 :]), chosen)
        return chosen

    shape = [*first.shape[:d], len(tensors), *first.shape[d:]]
    return te.compute(shape, element, name="T_stack", tag=tag.INJECTIVE)


def _tensors(what: str, given: Any) -> list[Tensor]:
    """The tensors of a list, which have one dtype."""
    tensors = [tensor_of(what, t) for t in (given if isinstance(given, Sequence) else [given])]
    if not tensors:
        raise TewbError(f"{what} takes at least one tensor", hint=f"{what}([A, B])", span=here())
    for t in tensors[1:]:
        if t.dtype is not tensors[0].dtype:
            raise DTypeError(
                f"{what}: {tensors[0].name} is {tensors[0].dtype} and {t.name} is {t.dtype}",
                hint=f'topi.cast({t.name}, "{tensors[0].dtype}")',
                span=here(),
            )
    return tensors


def split(ary: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0) -> Any:
    """Parts along `axis`: so many equal ones, or cut at the given indices."""
    x = tensor_of("split", ary)
    d = axis_of("split", axis, x.ndim)
    cuts = _cuts(x, d, indices_or_sections)
    ends = [*cuts, x.shape[d]]
    begins = [0, *cuts]

    def part(begin: Any, end: Any) -> Any:
        shape = [*x.shape[:d], end - begin, *x.shape[d + 1 :]]
        return te.compute(
            shape, lambda *i: x(*i[:d], i[d] + begin, *i[d + 1 :]), name="T_split", tag=tag.INJECTIVE
        )

    return [part(begin, end) for begin, end in zip(begins, ends, strict=True)]


def _cuts(x: Tensor, d: int, indices_or_sections: Any) -> list[Any]:
    size = x.shape[d]
    if not hasattr(indices_or_sections, "__iter__"):
        sections = whole("split", "sections", indices_or_sections)
        total = known(size)
        if sections < 1 or (total is not None and total % sections):
            raise ShapeError(
                f"split: axis {d} of {x.name}, of {size!r}, does not have {sections} equal parts",
                hint="a list of indices cuts anywhere: topi.split(A, [2, 5])",
                span=here(),
            )
        return [te.indexdiv(size, sections) * n for n in range(1, sections)]
    cuts = list(indices_or_sections)
    numbers = [0, *map(known, cuts), known(size)]
    for before, after in pairwise(numbers):
        if before is not None and after is not None and before > after:
            raise ShapeError(
                f"split: the indices {cuts} do not go up to the size {size!r} of axis {d}",
                hint="each is where a part begins",
                span=here(),
            )
    return cuts


def repeat(a: Tensor, repeats: int, axis: int) -> Any:
    """Each element along `axis`, `repeats` times in a row."""
    x = tensor_of("repeat", a)
    d = axis_of("repeat", axis, x.ndim)
    times = whole("repeat", "repeats", repeats)
    if times < 1:
        raise ShapeError(f"repeat: {times} times is not at all", hint="repeats is 1 or more", span=here())
    shape = [*x.shape[:d], x.shape[d] * times, *x.shape[d + 1 :]]

    def element(*i: Any) -> Any:
        return x(*i[:d], te.indexdiv(i[d], times), *i[d + 1 :])

    return te.compute(shape, element, name="T_repeat", tag=tag.BROADCAST)


def tile(a: Tensor, reps: Any) -> Any:
    """The whole tensor repeated along each axis, as often as `reps` says; missing axes are added in front."""
    x = tensor_of("tile", a)
    times = list(reps) if hasattr(reps, "__iter__") else [reps]
    rank = max(len(times), x.ndim)
    times = [1] * (rank - len(times)) + times
    own = [1] * (rank - x.ndim) + list(x.shape)
    shape = [n * t for n, t in zip(own, times, strict=True)]

    if is_empty_shape(shape):
        return te.compute(shape, lambda *_: te.const(0, x.dtype), name="T_tile", tag=tag.BROADCAST)

    def element(*i: Any) -> Any:
        last = zip(i[rank - x.ndim :], x.shape, strict=True)
        return x(*[te.indexmod(j, n) for j, n in last])

    return te.compute(shape, element, name="T_tile", tag=tag.BROADCAST)


def layout_transform(array: Tensor, src_layout: str, dst_layout: str, schedule_rule: str = "None") -> Any:
    """The tensor in another layout, such as NCHW to NCHW16c. Where a block is larger than what is left of its dimension,
    its end is filled with 0."""
    x = tensor_of("layout_transform", array)
    source, target = Layout(str(src_layout)), Layout(str(dst_layout))
    for layout in (source, target):
        if len(layout.blocks) < sum(c.islower() for c in layout.letters):
            raise TewbError(
                f"layout_transform: {layout.word} does not say how large its blocks are",
                hint="NCHW16c does",
                span=here(),
            )
    whole_sizes = source.primal_sizes(x.shape, "layout_transform")
    wanted = {c for c in target.letters if c.isupper()}
    if wanted != set(whole_sizes):
        raise ShapeError(
            f"layout_transform: {src_layout} and {dst_layout} do not have the same dimensions",
            hint="the upper-case letters of both are the same",
            span=here(),
        )

    def size(c: str) -> Any:
        block = target.blocks.get(c.lower(), 1)
        return block if c.islower() else te.indexdiv(whole_sizes[c] + (block - 1), te.const(block))

    def element(*i: Any) -> Any:
        index = target.primal_index(i)
        value = x(*source.from_primal(index))
        inside = [
            index[c] < n
            for c, n in whole_sizes.items()
            if c.lower() in target.blocks and (known(n) is None or (known(n) or 0) % target.blocks[c.lower()])
        ]
        return te.if_then_else(te.all(*inside), value, te.const(0, x.dtype)) if inside else value

    return te.compute([size(c) for c in target.letters], element, name="T_layout_trans", tag=tag.INJECTIVE)
