"""Pools: the largest element or the mean of each window, of any number of spatial dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import known, one_of, tensor_of
from tewb.topi.layouts import Layout, spatial
from tewb.topi.nn.convolution import pad_spatial
from tewb.topi.nn.windows import padding_of, positive, window_count
from tewb.topi.reduction import reduce_axes
from tewb.topi.utils import prod

KINDS = ("max", "avg")


def pool1d(
    data: Tensor,
    kernel: Any,
    stride: Any,
    dilation: Any = 1,
    padding: Any = 0,
    pool_type: Any = None,
    ceil_mode: Any = False,
    layout: Any = "NCW",
    count_include_pad: bool = True,
) -> Any:
    """The "max" or "avg" of windows along W of any layout. A mean counts the padding, unless count_include_pad=False.
    Programs before v0.8 have no dilation, and what follows it one place further in front."""
    if isinstance(padding, str) and padding in KINDS:
        dilation, padding, pool_type, ceil_mode, layout, count_include_pad = _without_dilation(
            "NCW", dilation, padding, pool_type, ceil_mode, layout
        )
    return _pool(
        "pool1d",
        data,
        kernel,
        stride,
        dilation,
        padding,
        pool_type,
        ceil_mode,
        layout,
        count_include_pad,
        "W",
    )


def pool2d(
    data: Tensor,
    kernel: Any,
    stride: Any,
    dilation: Any,
    padding: Any,
    pool_type: str,
    ceil_mode: bool = False,
    layout: str = "NCHW",
    count_include_pad: bool = True,
) -> Any:
    """The "max" or "avg" of windows over H and W of any layout, such as NHWC or NCHW16c. `padding` is top, left, bottom,
    right."""
    return _pool(
        "pool2d",
        data,
        kernel,
        stride,
        dilation,
        padding,
        pool_type,
        ceil_mode,
        layout,
        count_include_pad,
        "HW",
    )


def pool(
    data: Tensor,
    kernel: Any,
    stride: Any,
    padding: Any,
    pool_type: str,
    ceil_mode: bool = False,
    layout: str = "NCHW",
    count_include_pad: bool = True,
) -> Any:
    """pool2d without dilation, as programs before v0.8 called it."""
    return pool2d(data, kernel, stride, 1, padding, pool_type, ceil_mode, layout, count_include_pad)


def pool3d(
    data: Tensor,
    kernel: Any,
    stride: Any,
    dilation: Any = 1,
    padding: Any = 0,
    pool_type: Any = None,
    ceil_mode: Any = False,
    layout: Any = "NCDHW",
    count_include_pad: bool = True,
) -> Any:
    """The "max" or "avg" of windows over D, H and W of any layout.
    Programs before v0.8 have no dilation, and what follows it one place further in front."""
    if isinstance(padding, str) and padding in KINDS:
        dilation, padding, pool_type, ceil_mode, layout, count_include_pad = _without_dilation(
            "NCDHW", dilation, padding, pool_type, ceil_mode, layout
        )
    return _pool(
        "pool3d",
        data,
        kernel,
        stride,
        dilation,
        padding,
        pool_type,
        ceil_mode,
        layout,
        count_include_pad,
        "DHW",
    )


def _without_dilation(
    usual: str, padding: Any, kind: Any, ceil_mode: Any, layout: Any, include_pad: Any
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """The arguments in today's order, of a call that has no dilation."""
    # What was not given is the default of the next place.
    ceiled = ceil_mode if isinstance(ceil_mode, bool | int) else False
    word = layout if isinstance(layout, str) else usual
    counted = include_pad if isinstance(include_pad, bool | int) else True
    return 1, padding, kind, ceiled, word, counted


def _pool(
    what: str,
    data: Any,
    kernel: Any,
    stride: Any,
    dilation: Any,
    padding: Any,
    pool_type: str,
    ceil_mode: bool,
    layout: str,
    count_include_pad: bool,
    letters: str,
) -> Any:
    x = tensor_of(what, data)
    kind = one_of(what, "pool_type", pool_type, KINDS)
    word = spatial(layout, what, letters)
    size = word.sizes(x.shape, what)
    window = positive(what, "kernel", kernel, len(letters))
    step, apart = (
        positive(what, "stride", stride, len(letters)),
        positive(what, "dilation", dilation, len(letters)),
    )
    front, behind = padding_of(what, padding, window, apart)
    # Rounded up, the last window may begin before the end and pass it by up to a stride.
    extra = [b + s - 1 for b, s in zip(behind, step, strict=True)] if ceil_mode else list(behind)
    shape = dict(size)
    for n, c in enumerate(letters):
        shape[c] = window_count(what, size[c], window[n], step[n], apart[n], front[n] + extra[n])
    nothing = te.min_value(x.dtype) if kind == "max" else te.const(0, x.dtype)
    padded = pad_spatial(x, word, letters, front, extra, nothing)
    over = dict(zip(letters, reduce_axes(window, range(len(window))), strict=True))

    def read(*indices: Any) -> Any:
        at: dict[str, Any] = dict(zip(word.letters, indices, strict=True))
        for n, c in enumerate(letters):
            at[c] = at[c] * step[n] + over[c].var * apart[n]
        return padded(*word.at(at))

    axes = list(over.values())
    if kind == "max":
        return te.compute(
            word.at(shape), lambda *i: te.max(read(*i), axis=axes), name="pool_max", tag="pool_max"
        )
    total = te.compute(
        word.at(shape), lambda *i: te.sum(read(*i), axis=axes), name="pool_sum", tag="pool_sum"
    )

    def mean(*indices: Any) -> Any:
        if count_include_pad and not ceil_mode:
            return _divided(total(*indices), prod(window))
        at = dict(zip(word.letters, indices, strict=True))
        counts = [
            _elements(at[c], size[c], window[n], step[n], apart[n], front[n], behind[n], count_include_pad)
            for n, c in enumerate(letters)
        ]
        return _divided(total(*indices), prod(counts))

    return te.compute(word.at(shape), mean, name="pool_avg", tag=tag.ELEMWISE)


def _elements(
    i: Any, size: Any, window: Any, step: Any, apart: Any, front: Any, behind: Any, include_pad: bool
) -> Any:
    """How many elements a window has along a dimension: with the padding, or those of the tensor only; 1 of none."""
    first = i * step - front
    last = te.min(first + (window - 1) * apart, size + (behind if include_pad else 0) - 1)
    if not include_pad:  # the first of its elements that is not in front of the tensor
        missing = te.max(
            te.floordiv(te.const(apart) - 1 - first if isinstance(apart, int) else apart - 1 - first, apart),
            te.const(0),
        )
        first = first + missing * apart
    return te.max(te.floordiv(last - first, te.const(0) + apart) + 1, te.const(1))


def _divided(total: Any, count: Any) -> Any:
    """The mean; of integers rounded toward zero."""
    number = te.cast(count, total.dtype)
    return total / number if total.dtype.is_float else te.truncdiv(total, number)


def global_pool(data: Tensor, pool_type: str, layout: str = "NCHW") -> Any:
    """The largest element or the mean over all of H and W, which become 1."""
    return adaptive(
        "global_pool", data, (1,) * len(_spatial_letters(layout)), pool_type, layout, _spatial_letters(layout)
    )


def _spatial_letters(layout: str) -> str:
    return "".join(c for c in "DHW" if c in Layout(layout).letters)


def adaptive_pool(data: Tensor, output_size: Any, pool_type: str, layout: str = "NCHW") -> Any:
    """Windows over H and W, chosen so that they cover the input and the output has `output_size`."""
    return adaptive("adaptive_pool", data, output_size, pool_type, layout, "HW")


def adaptive_pool1d(data: Tensor, output_size: Any, pool_type: str, layout: str = "NCW") -> Any:
    """Windows along W, chosen so that they cover the input and the output has `output_size`."""
    return adaptive("adaptive_pool1d", data, output_size, pool_type, layout, "W")


def adaptive_pool3d(data: Tensor, output_size: Any, pool_type: str, layout: str = "NCDHW") -> Any:
    """Windows over D, H and W, chosen so that they cover the input and the output has `output_size`."""
    return adaptive("adaptive_pool3d", data, output_size, pool_type, layout, "DHW")


def adaptive(what: str, data: Any, output_size: Any, pool_type: str, layout: str, letters: str) -> Any:
    """Output i of n has the elements from floor(i * size / n) up to ceil((i + 1) * size / n)."""
    x = tensor_of(what, data)
    kind = one_of(what, "pool_type", pool_type, KINDS)
    word = spatial(layout, what, letters)
    size = word.sizes(x.shape, what)
    wanted = dict(zip(letters, positive(what, "output_size", output_size, len(letters)), strict=True))
    for c in letters:
        if known(size[c]) == 0:
            raise ShapeError(
                f"{what}: dimension {c} of {x.name} has no elements", hint="1 or more", span=here()
            )
    shape = word.at({**size, **wanted})

    def window(i: Any, c: str) -> tuple[Any, Any]:
        """The beginning of a window and its number of elements."""
        n, out = size[c], te.const(0) + wanted[c]
        if known(out) == 1:
            return te.const(0), n
        begin = te.indexdiv(i * n, out)
        return begin, te.indexdiv((i + 1) * n + out - 1, out) - begin

    def reduced(reducer: Any) -> Any:
        def element(*indices: Any) -> Any:
            at: dict[str, Any] = dict(zip(word.letters, indices, strict=True))
            axes = []
            for c in letters:
                begin, count = window(at[c], c)
                axes.append(te.reduce_axis((0, count), name=f"r{c.lower()}"))
                at[c] = begin + axes[-1].var
            return reducer(x(*word.at(at)), axis=axes)

        return element

    if kind == "max":
        return te.compute(shape, reduced(te.max), name="adaptive_pool_max", tag="adaptive_pool_max")
    total = te.compute(shape, reduced(te.sum), name="adaptive_pool_sum", tag="adaptive_pool_sum")

    def mean(*indices: Any) -> Any:
        at = dict(zip(word.letters, indices, strict=True))
        return _divided(total(*indices), prod([window(at[c], c)[1] for c in letters]))

    return te.compute(shape, mean, name="adaptive_pool_avg", tag=tag.ELEMWISE)


def pool_grad(
    grads: Tensor,
    data: Tensor,
    kernel: Any,
    stride: Any,
    padding: Any,
    pool_type: str,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    layout: str = "NCHW",
) -> Any:
    """The gradient of pool2d to its input `data`, from that of its output. Of equal elements of a window the first takes
    the gradient of its largest."""
    what = "pool_grad"
    g, x = tensor_of(what, grads), tensor_of(what, data)
    kind = one_of(what, "pool_type", pool_type, KINDS)
    word = spatial(layout, what, "HW")
    size, windows = word.sizes(x.shape, what), word.sizes(g.shape, what)
    window, step = positive(what, "kernel", kernel, 2), positive(what, "stride", stride, 2)
    front, behind = padding_of(what, padding, window, (1, 1))
    extra = [s - 1 if ceil_mode else 0 for s in step]
    for n, c in enumerate("HW"):
        count = window_count(what, size[c], window[n], step[n], 1, front[n] + behind[n] + extra[n])
        if known(count) != known(windows[c]):
            raise ShapeError(
                f"{what}: {g.name} has {windows[c]!r} windows along {c}, and the pool of {x.name} has {count!r}",
                hint="the gradient has the shape of the pool's output",
                span=here(),
            )
    chosen = _places_of_largest(x, word, windows, window, step, front) if kind == "max" else None
    # An element is in at most so many windows along a dimension: those that begin up to a window in front of it.
    over = reduce_axes(
        [te.indexdiv(te.const(k) + s - 1, te.const(s)) for k, s in zip(window, step, strict=True)], (0, 1)
    )
    zero = te.const(0, x.dtype)

    def element(*indices: Any) -> Any:
        at: dict[str, Any] = dict(zip(word.letters, indices, strict=True))
        inside: list[Any] = []
        counts: list[Any] = []
        place = dict(at)
        for n, c in enumerate("HW"):
            w = te.indexdiv(at[c] + front[n], te.const(step[n])) - over[n].var
            inside += [w >= 0, w < windows[c], w * step[n] + window[n] > at[c] + front[n]]
            counts.append(
                _elements(w, size[c], window[n], step[n], 1, front[n], behind[n], count_include_pad)
            )
            place[c] = te.max(te.min(w, windows[c] - 1), te.const(0))
        gradient = g(*word.at(place))
        if chosen is None:
            share = gradient / te.cast(prod(counts), x.dtype)
        else:
            own = at["H"] * size["W"] + at["W"]
            share = te.select(chosen(*word.at(place)) == own, gradient, zero)
        return te.sum(te.if_then_else(te.all(*inside), share, zero), axis=over)

    return te.compute(
        x.shape,
        element,
        name=f"T_pool_grad_{kind}",
        tag="pool_grad_max" if kind == "max" else "pool_grad_avg",
    )


def _places_of_largest(
    x: Tensor,
    word: Layout,
    windows: dict[str, Any],
    window: Sequence[Any],
    step: Sequence[Any],
    front: Sequence[Any],
) -> Any:
    """For each window, the place of its largest element in the plane of H and W."""
    size = word.sizes(x.shape, "pool_grad")

    def combine(a: Any, b: Any) -> Any:
        first = te.any(a[1] > b[1], te.all(a[1] == b[1], a[0] <= b[0]))
        return te.select(first, a[0], b[0]), te.select(first, a[1], b[1])

    largest = te.comm_reducer(
        combine, lambda t0, t1: (te.max_value(t0), te.min_value(t1)), name="maxpool_grad_argmax"
    )
    over = reduce_axes(window, (0, 1))

    def element(*indices: Any) -> Any:
        at: dict[str, Any] = dict(zip(word.letters, indices, strict=True))
        inside: list[Any] = []
        for n, c in enumerate("HW"):
            at[c] = at[c] * step[n] + over[n].var - front[n]
            inside += [at[c] >= 0, at[c] < size[c]]
        value = te.if_then_else(te.all(*inside), x(*word.at(at)), te.min_value(x.dtype))
        place = te.select(te.all(*inside), at["H"] * size["W"] + at["W"], te.max_value("int32"))
        return largest((place, value), axis=over)

    places, _ = te.compute(
        word.at({**size, **windows}), element, name="maxpool_grad_argmax", tag=tag.COMM_REDUCE_IDX
    )
    return places
