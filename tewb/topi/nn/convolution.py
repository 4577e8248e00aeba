"""A direct convolution of any number of spatial dimensions, groups and layouts: what conv1d, conv2d and conv3d name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tewb import te
from tewb.base import DType, ShapeError, here
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, known, tensor_of, whole
from tewb.topi.layouts import Layout
from tewb.topi.nn.pad import pad
from tewb.topi.nn.windows import padding_of, positive, window_count

# The names of the loops over the result, as classic programs print them.
LOOPS = {"N": "nn", "C": "ff", "D": "zz", "H": "yy", "W": "xx"}


def convolution(
    what: str,
    data: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    data_layout: str,
    kernel_layout: str,
    out_dtype: str | None,
    name: str,
    tag: str,
) -> Any:
    """Sums of products over input channels and windows, in `out_dtype`.

    `data_layout` has N, C and the spatial letters; `kernel_layout` O, I and the same. With groups, the output channels of a
    group see the input channels of theirs.
    """
    x, w, letters, source, weights = _operands(what, data, kernel, data_layout, kernel_layout)
    sizes, kernel_sizes = source.sizes(x.shape, what), weights.sizes(w.shape, what)
    group_count = whole(what, "groups", groups)
    inputs, outputs = _channels_of_a_group(what, sizes["C"], kernel_sizes, group_count)
    window = [kernel_sizes[c] for c in letters]
    step = positive(what, "stride", stride, len(letters))
    apart = positive(what, "dilation", dilation, len(letters))
    front, behind = padding_of(what, padding, window, apart)
    padded = pad_spatial(x, source, letters, front, behind)

    shape = dict(sizes, C=kernel_sizes["O"])
    for n, c in enumerate(letters):
        shape[c] = window_count(what, sizes[c], window[n], step[n], apart[n], front[n] + behind[n])
    dtype = DType(out_dtype) if out_dtype else x.dtype
    over = {c: te.reduce_axis((0, k), name=f"r{LOOPS[c][0]}") for c, k in zip(letters, window, strict=True)}
    rc = te.reduce_axis((0, inputs), name="rc")

    def element(*indices: Any) -> Any:
        i = dict(zip(source.letters, indices, strict=True))
        at = {"N": i["N"], "C": rc.var}
        if group_count > 1:
            at["C"] = te.indexdiv(i["C"], outputs) * inputs + rc.var
        for n, c in enumerate(letters):
            at[c] = i[c] * step[n] + over[c].var * apart[n]
        read = padded(*source.at(at))
        weight = w(*weights.at({"O": i["C"], "I": rc, **over}))
        return te.sum(te.cast(read, dtype) * te.cast(weight, dtype), axis=[rc, *over.values()])

    return te.compute(
        source.at(shape), _named(element, [LOOPS[c] for c in source.letters]), name=name, tag=tag
    )


def _named(f: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    """A function of any number of indices, whose loops get these names."""

    def element(*indices: Any) -> Any:
        return f(*indices)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    element.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])  # type: ignore[attr-defined]
    return element


def _operands(
    what: str, data: Any, kernel: Any, data_layout: str, kernel_layout: str
) -> tuple[Tensor, Tensor, str, Layout, Layout]:
    source, weights = Layout(data_layout), Layout(kernel_layout)
    x = tensor_of(what, data, len(source.letters))
    w = tensor_of(what, kernel, len(weights.letters))
    letters = "".join(c for c in source.letters if c not in "NC")
    return x, w, letters, source, weights


def _channels_of_a_group(
    what: str, channels: Any, kernel_sizes: dict[str, Any], groups: int
) -> tuple[Any, Any]:
    """How many input and output channels a group has."""
    for n, name in ((channels, "input"), (kernel_sizes["O"], "output")):
        count = known(n)
        if groups < 1 or (count is not None and count % groups):
            raise ShapeError(
                f"{what}: {n!r} {name} channels do not make {groups} groups",
                hint="groups divides both the input and the output channels",
                span=here(),
            )
    inputs = channels if groups == 1 else te.indexdiv(channels, te.const(groups))
    check_same_size(
        what, kernel_sizes["I"], inputs, "the input channels of the kernel and of a group of the data"
    )
    return kernel_sizes["I"], te.indexdiv(kernel_sizes["O"], te.const(groups))


def pad_spatial(
    x: Tensor,
    layout: Layout,
    letters: str,
    front: Sequence[Any],
    behind: Sequence[Any],
    value: Any = 0,
    name: str = "pad_temp",
) -> Any:
    """The tensor with padding in its spatial dimensions; itself when there is none."""
    if all(known(n) == 0 for n in (*front, *behind)):
        return x
    before, after = dict(zip(letters, front, strict=True)), dict(zip(letters, behind, strict=True))
    in_front, at_the_end = ([side.get(c, 0) for c in layout.letters] for side in (before, after))
    return pad(x, in_front, at_the_end, pad_value=value, name=name)
