"""Blocks of an image that become channels or images of the batch, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb import te
from tewb.base import ShapeError, TewbError, here
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import known, one_of, tensor_of, whole
from tewb.topi.layouts import Layout, spatial
from tewb.topi.nn.pad import pad
from tewb.topi.utils import prod, ravel_index


def space_to_depth(data: Tensor, block_size: int, layout: str = "NCHW") -> Any:
    """Each block of the image becomes channels: first all of its upper left elements, then the next."""
    what = "space_to_depth"
    x, word, size, block = _image(what, data, block_size, layout)
    for c in "HW":
        _check_divides(what, size[c], block, f"the size along {c}")
    shape = dict(size, C=size["C"] * block * block, H=_over(size["H"], block), W=_over(size["W"], block))

    def element(*indices: Any) -> Any:
        i = dict(zip(word.letters, indices, strict=True))
        place, channel = te.indexdiv(i["C"], size["C"]), te.indexmod(i["C"], size["C"])
        row, column = te.indexdiv(place, te.const(block)), te.indexmod(place, te.const(block))
        at = dict(i, C=channel, H=i["H"] * block + row, W=i["W"] * block + column)
        return x(*word.at(at))

    return te.compute(word.at(shape), element, name="space_to_depth", tag=tag.INJECTIVE)


def depth_to_space(data: Tensor, block_size: int, layout: str = "NCHW", mode: str = "DCR") -> Any:
    """Channels become blocks of the image. With mode="DCR" the place in a block is the outer part of a channel's number,
    with "CRD" the inner one."""
    what = "depth_to_space"
    x, word, size, block = _image(what, data, block_size, layout)
    order = one_of(what, "mode", mode, ("DCR", "CRD"))
    _check_divides(what, size["C"], block * block, "the number of channels")
    channels = _over(size["C"], block * block)
    shape = dict(size, C=channels, H=size["H"] * block, W=size["W"] * block)

    def element(*indices: Any) -> Any:
        i = dict(zip(word.letters, indices, strict=True))
        row, column = te.indexmod(i["H"], te.const(block)), te.indexmod(i["W"], te.const(block))
        place = row * block + column
        channel = place * channels + i["C"] if order == "DCR" else i["C"] * (block * block) + place
        at = dict(i, C=channel, H=_over(i["H"], block), W=_over(i["W"], block))
        return x(*word.at(at))

    return te.compute(word.at(shape), element, name="depth_to_space", tag=tag.INJECTIVE)


def pixel_shuffle(data: Tensor, upscale_factor: int, name: str = "PixelShuffle") -> Any:
    """depth_to_space with mode="CRD" on the last three dimensions."""
    x = tensor_of("pixel_shuffle", data)
    if x.ndim < 3:
        raise ShapeError(
            f"pixel_shuffle: {x.name} has {x.ndim} dimensions",
            hint="the last three are channels, height and width",
            span=here(),
        )
    block = whole("pixel_shuffle", "upscale_factor", upscale_factor)
    if block < 1:
        raise ShapeError(f"pixel_shuffle: a factor of {block}", hint="1 or more", span=here())
    channels, height, width = x.shape[-3:]
    _check_divides("pixel_shuffle", channels, block * block, "the number of channels")

    def element(*i: Any) -> Any:
        row, column = te.indexmod(i[-2], te.const(block)), te.indexmod(i[-1], te.const(block))
        channel = i[-3] * (block * block) + row * block + column
        return x(*i[:-3], channel, _over(i[-2], block), _over(i[-1], block))

    shape = (*x.shape[:-3], _over(channels, block * block), height * block, width * block)
    return te.compute(shape, element, name=name, tag=tag.INJECTIVE)


def _image(what: str, data: Any, block_size: Any, layout: str) -> tuple[Tensor, Layout, dict[str, Any], int]:
    x = tensor_of(what, data, 4)
    block = whole(what, "block_size", block_size)
    if block < 1:
        raise ShapeError(f"{what}: a block of {block}", hint="1 or more", span=here())
    word = spatial(layout, what, "CHW")
    return x, word, word.sizes(x.shape, what), block


def _over(n: Any, divisor: Any) -> Any:
    return te.indexdiv(n, te.const(divisor) if isinstance(divisor, int) else divisor)


def _check_divides(what: str, n: Any, divisor: Any, meaning: str) -> None:
    size, factor = known(n), known(divisor)
    if size is not None and factor and size % factor:
        raise ShapeError(
            f"{what}: {meaning}, {size}, is no multiple of {factor}",
            hint="topi.nn.pad makes it one",
            span=here(),
        )


def space_to_batch_nd(
    data: Tensor,
    block_shape: Sequence[Any],
    pad_before: Sequence[Any],
    pad_after: Sequence[Any],
    pad_value: float = 0.0,
) -> Any:
    """The dimensions after the first, padded, in blocks: each place in a block becomes a part of the batch."""
    what = "space_to_batch_nd"
    x = tensor_of(what, data)
    blocks = _spatial_numbers(what, x, block_shape, pad_before, pad_after)
    rest = [0] * (x.ndim - 1 - len(blocks))
    if any(known(n) != 0 for n in (*pad_before, *pad_after)):
        x = pad(x, [0, *pad_before, *rest], [0, *pad_after, *rest], pad_value, name="padded")
    for d, b in enumerate(blocks, 1):
        _check_divides(what, x.shape[d], b, f"the padded size of dimension {d}")
    batch = x.shape[0]
    shape = [batch * prod(blocks), *(_over(n, b) for n, b in zip(x.shape[1:], blocks, strict=False))]

    def element(*i: Any) -> Any:
        image, place = te.indexmod(i[0], batch), te.indexdiv(i[0], batch)
        inside: list[Any] = []
        for b in reversed(blocks):
            inside.insert(0, te.indexmod(place, te.const(0) + b))
            place = te.indexdiv(place, te.const(0) + b)
        spatial_places = [j * b + p for j, b, p in zip(i[1:], blocks, inside, strict=False)]
        return x(image, *spatial_places, *i[1 + len(blocks) :])

    return te.compute(
        [*shape, *x.shape[1 + len(blocks) :]], element, name="space_to_batch_nd", tag=tag.INJECTIVE
    )


def batch_to_space_nd(
    data: Tensor, block_shape: Sequence[Any], crop_begin_list: Sequence[Any], crop_end_list: Sequence[Any]
) -> Any:
    """What space_to_batch_nd did, back: parts of the batch become places in blocks; then the edges are cut off."""
    what = "batch_to_space_nd"
    x = tensor_of(what, data)
    blocks = _spatial_numbers(what, x, block_shape, crop_begin_list, crop_end_list)
    _check_divides(what, x.shape[0], prod(blocks), "the size of the batch")
    batch = te.indexdiv(x.shape[0], te.const(0) + prod(blocks))
    cropped = [
        n * b - first - last
        for n, b, first, last in zip(x.shape[1:], blocks, crop_begin_list, crop_end_list, strict=False)
    ]
    for d, n in enumerate(cropped, 1):
        if (known(n) or 0) < 0:
            raise ShapeError(
                f"{what}: more is cut off dimension {d} than there is", hint="smaller crops", span=here()
            )

    def element(*i: Any) -> Any:
        full = [j + first for j, first in zip(i[1:], crop_begin_list, strict=False)]
        inside = [te.indexmod(j, te.const(0) + b) for j, b in zip(full, blocks, strict=True)]
        image = ravel_index(inside, blocks) * batch + i[0]
        block = [_over(j, b) for j, b in zip(full, blocks, strict=True)]
        return x(image, *block, *i[1 + len(blocks) :])

    shape = [batch, *cropped, *x.shape[1 + len(blocks) :]]
    return te.compute(shape, element, name="batch_to_space_nd", tag=tag.INJECTIVE)


def _spatial_numbers(what: str, x: Tensor, blocks: Any, before: Any, after: Any) -> list[Any]:
    numbers = list(blocks)
    if not len(numbers) == len(before) == len(after) or len(numbers) > x.ndim - 1:
        raise TewbError(
            f"{what}: {len(numbers)} blocks, {len(before)} and {len(after)} edges for the {x.ndim - 1} dimensions of "
            f"{x.name} after the first",
            hint="one of each for every spatial dimension",
            span=here(),
        )
    return numbers
