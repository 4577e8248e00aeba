"""The reorganisation of images in networks of the YOLO family."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import known, tensor_of, whole
from tewb.topi.utils import ravel_index, unravel_index


def reorg(data: Tensor, stride: int) -> Any:
    """NCHW with H and W smaller by `stride`, and more channels.

    The image is read as one of c / stride**2 channels with larger sides, whose blocks become the channels; so Darknet has
    it, with channels, height and width in place of each other.
    """
    x = tensor_of("reorg", data, 4)
    s = whole("reorg", "stride", stride)
    n, c, h, w = x.shape
    channels = known(c)
    if s < 1 or (channels is not None and channels % (s * s)):
        raise ShapeError(
            f"reorg: {c!r} channels are no multiple of {s} * {s}",
            hint="the channels are divided by the square of the stride",
            span=here(),
        )
    for size, name in ((h, "height"), (w, "width")):
        if (known(size) or 0) % s:
            raise ShapeError(
                f"reorg: the {name} {size!r} is no multiple of {s}",
                hint="a stride that divides it",
                span=here(),
            )
    fewer = te.indexdiv(c, te.const(s * s))
    shape = (n, c * (s * s), te.indexdiv(h, te.const(s)), te.indexdiv(w, te.const(s)))

    # Seen by its flat index, element (b, k, j, i) of the input is that of an image of fewer channels and larger sides.
    def element(b: Any, k: Any, j: Any, i: Any) -> Any:
        flat = ravel_index((k, j, i), shape[1:])
        k_in, j_in, i_in = unravel_index(flat, (c, h, w))
        channel, offset = te.indexmod(k_in, fewer), te.indexdiv(k_in, fewer)
        row = j_in * s + te.indexdiv(offset, te.const(s))
        column = i_in * s + te.indexmod(offset, te.const(s))
        place = ravel_index((channel, row, column), (fewer, h * s, w * s))
        return x(b, *unravel_index(place, (c, h, w)))

    return te.compute(shape, element, name="reorg", tag=tag.INJECTIVE)
