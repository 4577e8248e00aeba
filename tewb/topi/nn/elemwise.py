"""Activations, scales, shifts and other small operators of networks."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import axis_of, check_same_size, known, tensor_of
from tewb.topi.math import elementwise
from tewb.topi.utils import is_empty_shape, prod, unravel_index


def relu(x: Tensor) -> Any:
    """max(x, 0)."""
    return elementwise("relu", lambda e: te.max(e, te.const(0, e.dtype)), tensor_of("relu", x))


def leaky_relu(x: Tensor, alpha: float) -> Any:
    """x above 0, alpha * x below."""

    def leaky(e: Any) -> Any:
        return te.select(e > te.const(0, e.dtype), e, e * te.const(alpha, e.dtype))

    return elementwise("leaky_relu", leaky, tensor_of("leaky_relu", x))


def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x is above the threshold."""

    def plus(e: Any) -> Any:
        scaled = e * te.const(beta, e.dtype)
        soft = te.log1p(te.exp(scaled)) * te.const(1.0 / beta, e.dtype)
        return te.select(scaled > te.const(threshold, e.dtype), e, soft)

    return elementwise("softplus", plus, tensor_of("softplus", x))


def prelu(x: Tensor, slope: Tensor, axis: int = 1) -> Any:
    """x above 0, slope[c] * x below, for each channel c along `axis`."""
    t, s = tensor_of("prelu", x), tensor_of("prelu", slope, 1)
    d = axis_of("prelu", axis, t.ndim)
    one_for_all = known(s.shape[0]) == 1
    if not one_for_all:
        check_same_size("prelu", s.shape[0], t.shape[d], "the number of slopes and the channels")

    def element(*i: Any) -> Any:
        value = t(*i)
        factor = s(te.const(0) if one_for_all else i[d])
        return te.select(value > te.const(0, t.dtype), value, value * factor)

    return te.compute(t.shape, element, name="T_prelu", tag=tag.BROADCAST)


def bias_add(data: Tensor, bias: Tensor, axis: int = 1) -> Any:
    """data + bias[c] for each channel c along `axis`."""
    x, b = tensor_of("bias_add", data), tensor_of("bias_add", bias, 1)
    d = axis_of("bias_add", axis, x.ndim)
    check_same_size("bias_add", b.shape[0], x.shape[d], "the number of biases and the channels")
    return te.compute(x.shape, lambda *i: x(*i) + b(i[d]), name="T_bias_add", tag=tag.BROADCAST)


def scale_shift_nchw(Input: Tensor, Scale: Tensor, Shift: Tensor) -> Any:
    """Input * Scale[c] + Shift[c] in NCHW."""
    return _scale_shift("scale_shift_nchw", Input, Scale, Shift, 4, [1])


def scale_shift_nhwc(Input: Tensor, Scale: Tensor, Shift: Tensor) -> Any:
    """Input * Scale[c] + Shift[c] in NHWC."""
    return _scale_shift("scale_shift_nhwc", Input, Scale, Shift, 4, [3])


def scale_shift_nchwc(Input: Tensor, Scale: Tensor, Shift: Tensor) -> Any:
    """Input * Scale[c, block] + Shift[c, block] in NCHWc."""
    return _scale_shift("scale_shift_nchwc", Input, Scale, Shift, 5, [1, 4])


def _scale_shift(what: str, data: Any, scale: Any, shift: Any, rank: int, axes: list[int]) -> Any:
    x = tensor_of(what, data, rank)
    a, b = (tensor_of(what, t, len(axes)) for t in (scale, shift))
    for t in (a, b):
        for d, n in zip(axes, t.shape, strict=True):
            check_same_size(what, n, x.shape[d], f"the size of {t.name} and the channels")

    def element(*i: Any) -> Any:
        channel = [i[d] for d in axes]
        return x(*i) * a(*channel) + b(*channel)

    return te.compute(x.shape, element, name="ScaleShift", tag=tag.BROADCAST)


def flatten(data: Tensor) -> Any:
    """Two dimensions: the first, and all others as one."""
    x = tensor_of("flatten", data)
    if not x.ndim:
        raise ShapeError(f"flatten: {x.name} has no dimensions", hint="topi.reshape(A, (1, 1))", span=here())

    if is_empty_shape(x.shape):
        empty = (x.shape[0], prod(x.shape[1:]))
        return te.compute(empty, lambda *_: te.const(0, x.dtype), name="T_flatten", tag=tag.INJECTIVE)

    def element(i: Any, j: Any) -> Any:
        return x(i, *unravel_index(j, x.shape[1:]))

    return te.compute((x.shape[0], prod(x.shape[1:])), element, name="T_flatten", tag=tag.INJECTIVE)
