"""Normalisation: over a batch, a layer, an instance, groups of channels, or neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb import te
from tewb.base import DType, DTypeError, ShapeError, TewbError, here
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import axes_of, axis_of, check_same_size, known, tensor_of, whole
from tewb.topi.reduction import read_at, reduce_axes
from tewb.topi.shapes import reshape
from tewb.topi.utils import prod


def batch_norm(
    data: Tensor,
    gamma: Tensor,
    beta: Tensor,
    moving_mean: Tensor,
    moving_var: Tensor,
    axis: int | None = None,
    epsilon: float | None = None,
    center: bool | None = None,
    scale: bool | None = None,
    training: bool | None = None,
    momentum: float | None = None,
) -> Any:
    """(data - mean) / sqrt(var + epsilon) * gamma + beta for each channel along `axis`; and the moving mean and variance.

    Those two are used as they are; with `training` the mean and variance of the data are used, and the moving ones go
    towards them by `momentum`.
    """
    x = _floats("batch_norm", data)
    d = axis_of("batch_norm", 1 if axis is None else axis, x.ndim)
    vectors = [tensor_of("batch_norm", t, 1) for t in (gamma, beta, moving_mean, moving_var)]
    for t in vectors:
        check_same_size("batch_norm", t.shape[0], x.shape[d], f"the size of {t.name} and the channels")
    weight, offset, mean, var = vectors
    rate = 0.1 if momentum is None else momentum
    if not 0 <= rate <= 1:
        raise TewbError(f"batch_norm: momentum {rate} is not from 0 to 1", hint="momentum=0.1", span=here())
    if training:
        others = [e for e in range(x.ndim) if e != d]
        mean, var = _moments(x, others)
    eps = te.const(1e-5 if epsilon is None else epsilon, x.dtype)
    inverse = te.compute(var.shape, lambda c: te.const(1, x.dtype) / te.sqrt(var(c) + eps), name="rsqrt_var")

    def element(*i: Any) -> Any:
        value = (x(*i) - mean(i[d])) * inverse(i[d])
        value = value * weight(i[d]) if scale is not False else value
        return value + offset(i[d]) if center is not False else value

    out = te.compute(x.shape, element, name="T_batch_norm", tag=tag.BROADCAST)
    return [
        out,
        *(
            _moved(old, new, rate if training else 0.0)
            for old, new in zip(vectors[2:], (mean, var), strict=True)
        ),
    ]


def _moved(old: Tensor, new: Tensor, rate: float) -> Any:
    """`old`, gone towards `new` by a rate; a tensor of its own also when that is 0."""
    keep, take = te.const(1 - rate, old.dtype), te.const(rate, old.dtype)

    def element(c: Any) -> Any:
        return old(c) * keep + new(c) * take if rate else old(c)

    return te.compute(old.shape, element, name=f"{old.name}_moved", tag=tag.ELEMWISE)


def _floats(what: str, x: Any) -> Tensor:
    t = tensor_of(what, x)
    if not t.dtype.is_float:
        raise DTypeError(
            f"{what} takes floats, and {t.name} is {t.dtype}", hint='topi.cast(x, "float32")', span=here()
        )
    return t


def _moments(x: Tensor, axes: Sequence[int]) -> tuple[Any, Any]:
    """The mean and the variance over the axes, the second from differences to the first, which loses no digits."""
    shape = [n for d, n in enumerate(x.shape) if d not in axes]
    count = te.cast(prod([x.shape[d] for d in axes]), x.dtype)
    inverse = te.const(1, x.dtype) / count

    def total(value: Any, name: str) -> Any:
        over = reduce_axes(x.shape, axes)

        def element(*i: Any) -> Any:
            return te.sum(value(i, read_at(i, axes, over, x.ndim, False)), axis=over)

        return te.compute(shape, element, name=name, tag=tag.COMM_REDUCE)

    sums = total(lambda _, at: x(*at), "T_sum")
    mean = te.compute(shape, lambda *i: sums(*i) * inverse, name="T_mean")
    squares = total(lambda i, at: (x(*at) - mean(*i)) * (x(*at) - mean(*i)), "T_squares")
    return mean, te.compute(shape, lambda *i: squares(*i) * inverse, name="T_var")


def _normalised(what: str, x: Tensor, axes: Sequence[int], epsilon: float, affine: Any, name: str) -> Any:
    """(x - mean) / sqrt(var + epsilon) over the axes, then `affine(value, indices)`."""
    if not axes:
        raise ShapeError(f"{what}: no axis to normalise over", hint="axis=[-1]", span=here())
    mean, var = _moments(x, axes)
    eps = te.const(epsilon, x.dtype)
    # rsqrt is rounded twice; 1 / sqrt once more exact, and there are few of them.
    scale = te.compute(
        var.shape, lambda *i: te.const(1, x.dtype) / te.sqrt(var(*i) + eps), name="T_rsqrt_var"
    )

    def element(*i: Any) -> Any:
        rest = [j for d, j in enumerate(i) if d not in axes]
        return affine((x(*i) - mean(*rest)) * scale(*rest), i)

    return te.compute(x.shape, element, name=name, tag=tag.INJECTIVE, attrs={"norm_axes": tuple(axes)})


def _weights_for(what: str, x: Tensor, t: Any, axes: Sequence[int]) -> Tensor:
    """A tensor of weights whose dimensions are the given axes of `x`."""
    w = tensor_of(what, t, len(axes))
    for d, n in zip(axes, w.shape, strict=True):
        check_same_size(what, n, x.shape[d], f"the size of {w.name} and of axis {d}")
    return w


def _affine(what: str, x: Tensor, gamma: Any, beta: Any, axes: Sequence[int]) -> Any:
    """value * gamma[...] + beta[...], with the indices of `axes`; without a tensor, without it."""
    weights = None if gamma is None else _weights_for(what, x, gamma, axes)
    offsets = None if beta is None else _weights_for(what, x, beta, axes)

    def affine(value: Any, i: Sequence[Any]) -> Any:
        at = [i[d] for d in axes]
        value = value if weights is None else value * weights(*at)
        return value if offsets is None else value + offsets(*at)

    return affine


def layer_norm(
    data: Tensor, gamma: Tensor | None, beta: Tensor | None, axis: Any, epsilon: float = 1e-5
) -> Any:
    """(data - mean) / sqrt(var + epsilon) * gamma + beta with the mean and variance over the axes, which are the dimensions
    of gamma and beta."""
    x = _floats("layer_norm", data)
    axes = axes_of("layer_norm", axis, x.ndim)
    return _normalised(
        "layer_norm", x, axes, epsilon, _affine("layer_norm", x, gamma, beta, axes), "T_layer_norm"
    )


def instance_norm(
    data: Tensor,
    gamma: Tensor | None,
    beta: Tensor | None,
    channel_axis: int,
    axis: Any,
    epsilon: float = 1e-5,
) -> Any:
    """As layer_norm, with gamma and beta for each channel along `channel_axis`."""
    x = _floats("instance_norm", data)
    axes = axes_of("instance_norm", axis, x.ndim)
    channel = axis_of("instance_norm", channel_axis, x.ndim)
    affine = _affine("instance_norm", x, gamma, beta, [channel])
    return _normalised("instance_norm", x, axes, epsilon, affine, "T_instance_norm")


def group_norm(
    data: Tensor,
    gamma: Tensor | None,
    beta: Tensor | None,
    num_groups: int,
    channel_axis: int,
    axes: Sequence[int],
    epsilon: float = 1e-5,
) -> Any:
    """As layer_norm over `axes` and, within each of the groups, over the channels; gamma and beta are for each channel."""
    x = _floats("group_norm", data)
    c = axis_of("group_norm", channel_axis, x.ndim)
    groups = whole("group_norm", "num_groups", num_groups)
    channels = known(x.shape[c])
    if groups < 1 or (channels is not None and channels % groups):
        raise ShapeError(
            f"group_norm: {x.shape[c]!r} channels do not make {groups} equal groups",
            hint="num_groups divides the channels",
            span=here(),
        )
    each = te.indexdiv(x.shape[c], te.const(groups))
    over = [d for d in axes_of("group_norm", axes, x.ndim) if d != c]
    grouped = reshape(x, [*x.shape[:c], groups, each, *x.shape[c + 1 :]])
    inside = sorted([c + 1, *(d if d < c else d + 1 for d in over)])
    weights = None if gamma is None else _weights_for("group_norm", x, gamma, [c])
    offsets = None if beta is None else _weights_for("group_norm", x, beta, [c])

    def affine(value: Any, i: Sequence[Any]) -> Any:
        channel = i[c] * each + i[c + 1]
        value = value if weights is None else value * weights(channel)
        return value if offsets is None else value + offsets(channel)

    return reshape(_normalised("group_norm", grouped, inside, epsilon, affine, "T_group_norm"), x.shape)


def rms_norm(data: Tensor, weight: Tensor, axis: Any, epsilon: float = 1e-5) -> Any:
    """data / sqrt(mean of data**2 over the axes + epsilon) * weight."""
    x = _floats("rms_norm", data)
    axes = axes_of("rms_norm", axis, x.ndim)
    w = _weights_for("rms_norm", x, weight, axes)
    over = reduce_axes(x.shape, axes)
    count = te.cast(prod([x.shape[d] for d in axes]), x.dtype)
    eps = te.const(epsilon, x.dtype)
    rest = [n for d, n in enumerate(x.shape) if d not in axes]

    def square(*i: Any) -> Any:
        value = x(*read_at(i, axes, over, x.ndim, False))
        return te.sum(value * value, axis=over)

    squares = te.compute(rest, square, name="T_squares", tag=tag.COMM_REDUCE)
    scale = te.compute(
        rest, lambda *i: te.const(1, x.dtype) / te.sqrt(squares(*i) / count + eps), name="T_rsqrt_mean"
    )

    def element(*i: Any) -> Any:
        outside = [j for d, j in enumerate(i) if d not in axes]
        return x(*i) * scale(*outside) * w(*[i[d] for d in axes])

    return te.compute(x.shape, element, name="T_rms_norm", tag=tag.INJECTIVE, attrs={"norm_axes": axes})


def lrn(
    data: Tensor, size: int, axis: int = 1, alpha: float = 0.0001, beta: float = 0.75, bias: float = 2
) -> Any:
    """data / (bias + alpha / size * sum of squares of the `size` neighbours along `axis`)**beta."""
    x = _floats("lrn", data)
    d = axis_of("lrn", axis, x.ndim)
    width = whole("lrn", "size", size)
    if width < 1 or width % 2 == 0:
        raise ShapeError(f"lrn: {width} neighbours have no middle", hint="size is odd", span=here())
    k = te.reduce_axis((0, width), name="rxk")
    zero = te.const(0, x.dtype)

    def square(*i: Any) -> Any:
        j = i[d] + k.var - width // 2
        value = x(*i[:d], j, *i[d + 1 :])
        return te.sum(te.if_then_else(te.all(j >= 0, j < x.shape[d]), value * value, zero), axis=k)

    squares = te.compute(x.shape, square, name="sqr_sum")
    factor, start, power = (te.const(c, x.dtype) for c in (alpha / width, bias, beta))

    def element(*i: Any) -> Any:
        return x(*i) / te.power(start + factor * squares(*i), power)

    return te.compute(x.shape, element, name="T_lrn", tag=tag.INJECTIVE)


def l2_normalize(data: Tensor, eps: float, axis: Any = None) -> Any:
    """data / sqrt(max(sum of squares over the axes, eps))."""
    x = _floats("l2_normalize", data)
    axes = axes_of("l2_normalize", axis, x.ndim)
    over = reduce_axes(x.shape, axes)
    rest = [n for d, n in enumerate(x.shape) if d not in axes]

    def square(*i: Any) -> Any:
        value = x(*read_at(i, axes, over, x.ndim, False))
        return te.sum(value * value, axis=over)

    squares = te.compute(rest, square, name="l2_sqr_sum", tag=tag.COMM_REDUCE)
    least = te.const(eps, DType(x.dtype))
    length = te.compute(rest, lambda *i: te.sqrt(te.max(squares(*i), least)), name="l2_length")

    def element(*i: Any) -> Any:
        return x(*i) / length(*[j for d, j in enumerate(i) if d not in axes])

    return te.compute(x.shape, element, name="T_l2_normalize", tag="l2_normalize", attrs={"norm_axes": axes})
