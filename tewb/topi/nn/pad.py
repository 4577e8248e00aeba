"""Padding around a tensor, and zeros between its elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.ir import Expr, ops
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import known, one_of, tensor_of

PAD = f"{tag.INJECTIVE},pad"


def pad(
    data: Tensor,
    pad_before: Sequence[Any],
    pad_after: Sequence[Any] | None = None,
    pad_value: Any = 0.0,
    name: str = "PadInput",
    attrs: Mapping[str, object] | None = None,
) -> Any:
    """`data` with so many elements of `pad_value` in front of and behind each dimension."""
    x, before, after = _amounts("pad", data, pad_before, pad_after)
    value = te.cast(pad_value, x.dtype) if isinstance(pad_value, Expr) else te.const(pad_value, x.dtype)
    padded = [d for d in range(x.ndim) if (known(before[d]), known(after[d])) != (0, 0)]

    def element(*i: Any) -> Any:
        inside: list[Any] = []
        for d in padded:
            inside += [i[d] >= before[d], i[d] < x.shape[d] + before[d]]
        read = x(*[j - before[d] if d in padded else j for d, j in enumerate(i)])
        return te.if_then_else(te.all(*inside), read, value) if inside else read

    return te.compute(_shape(x, before, after), element, name=name, tag=PAD, attrs=attrs)


def mirror_pad(
    data: Tensor,
    pad_before: Sequence[Any],
    pad_after: Sequence[Any] | None = None,
    mode: str = "SYMMETRIC",
    name: str = "MirrorPadInput",
) -> Any:
    """Padding that is a mirror image of `data`, with its edge ("SYMMETRIC") or without ("REFLECT")."""
    edge = 0 if one_of("mirror_pad", "mode", mode, ("SYMMETRIC", "REFLECT")) == "REFLECT" else 1

    def mirrored(i: Any, n: Any) -> Any:
        upper = te.select(i >= n, 2 * (n - 1) - i + edge, i)
        return te.select(i < 0, -i - edge, upper)

    return _moved("mirror_pad", data, pad_before, pad_after, mirrored, name, 1 - edge)


def reflect_pad(
    data: Tensor,
    pad_before: Sequence[Any],
    pad_after: Sequence[Any] | None = None,
    name: str = "ReflectPadInput",
) -> Any:
    """Padding that is a mirror image of `data` without its edge."""
    return mirror_pad(data, pad_before, pad_after, "REFLECT", name)


def replicate_pad(
    data: Tensor,
    pad_before: Sequence[Any],
    pad_after: Sequence[Any] | None = None,
    name: str = "ReplicatePadInput",
) -> Any:
    """Padding with the nearest element."""

    def nearest(i: Any, n: Any) -> Any:
        return te.max(te.min(i, n - 1), te.const(0))

    return _moved("replicate_pad", data, pad_before, pad_after, nearest, name, None)


def circular_pad(
    data: Tensor,
    pad_before: Sequence[Any],
    pad_after: Sequence[Any] | None = None,
    name: str = "CircularPadInput",
) -> Any:
    """Padding that goes around to the other end."""
    return _moved("circular_pad", data, pad_before, pad_after, te.floormod, name, None)


def _moved(
    what: str,
    data: Any,
    pad_before: Any,
    pad_after: Any,
    inside: Callable[[Any, Any], Any],
    name: str,
    less: int | None,
) -> Any:
    """Padding with elements of `data`: `inside` brings an index into a dimension. A mirror (`less` is not None) cannot
    show more than the size less that."""
    x, before, after = _amounts(what, data, pad_before, pad_after)
    for d, n in enumerate(x.shape):
        most, size = max(known(before[d]) or 0, known(after[d]) or 0), known(n)
        if less is not None and size is not None and most > size - less:
            raise ShapeError(
                f"{what}: dimension {d} of {x.name} has {size} elements, and its mirror image no {most}",
                hint=f"at most {size - less}",
                span=here(),
            )

    def element(*i: Any) -> Any:
        source = []
        for d, j in enumerate(i):
            same = known(before[d]) == 0 and known(after[d]) == 0
            source.append(j if same else inside(j - before[d], x.shape[d]))
        return x(*source)

    return te.compute(_shape(x, before, after), element, name=name, tag=PAD)


def _amounts(what: str, data: Any, pad_before: Any, pad_after: Any) -> tuple[Tensor, list[Any], list[Any]]:
    x = tensor_of(what, data)
    before = list(pad_before)
    after = before if pad_after is None or len(pad_after) == 0 else list(pad_after)
    for amounts in (before, after):
        if len(amounts) != x.ndim:
            raise ShapeError(
                f"{what}: {len(amounts)} amounts for the {x.ndim} dimensions of {x.name}",
                hint="one for each dimension, 0 for none",
                span=here(),
            )
    return x, before, after


def _shape(x: Tensor, before: Sequence[Any], after: Sequence[Any]) -> list[Any]:
    return [n + b + a for n, b, a in zip(x.shape, before, after, strict=True)]


def dilate(
    data: Tensor, strides: Sequence[Any], dilation_value: Any = 0.0, name: str = "DilatedInput"
) -> Any:
    """The elements of `data` apart by `strides`, with `dilation_value` between them."""
    x = tensor_of("dilate", data)
    if len(strides) != x.ndim:
        raise ShapeError(
            f"dilate: {len(strides)} strides for the {x.ndim} dimensions of {x.name}",
            hint="one for each dimension, 1 for none",
            span=here(),
        )
    if isinstance(dilation_value, str):  # old programs have the name in this place
        dilation_value, name = 0.0, dilation_value
    between = te.const(dilation_value, x.dtype)
    apart = [d for d in range(x.ndim) if known(strides[d]) != 1]

    def element(*i: Any) -> Any:
        on_one = [ops.equal(te.indexmod(i[d], te.const(0) + strides[d]), 0) for d in apart]
        read = x(*[te.indexdiv(j, te.const(0) + strides[d]) if d in apart else j for d, j in enumerate(i)])
        return te.if_then_else(te.all(*on_one), read, between) if apart else read

    shape = [(n - 1) * s + 1 for n, s in zip(x.shape, strides, strict=True)]
    return te.compute(shape, element, name=name, tag=f"{tag.INJECTIVE},dilate")
