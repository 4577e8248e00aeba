"""Softmax, normalisation and losses on numpy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def softmax_python(a_np: Any, axis: int = 1) -> Any:
    """exp(a) over its sum along `axis`."""
    e = np.exp(a_np - a_np.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax_python(a_np: Any, axis: int = 1) -> Any:
    """The logarithm of softmax."""
    shifted = a_np - a_np.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def _along(vector: Any, axis: int, rank: int) -> Any:
    """A vector as an array whose dimension `axis` it is."""
    return vector.reshape([-1 if d == axis % rank else 1 for d in range(rank)])


def _normalised(data: Any, axes: Any, epsilon: float) -> Any:
    mean = data.mean(axes, keepdims=True)
    return (data - mean) / np.sqrt(((data - mean) ** 2).mean(axes, keepdims=True) + epsilon)


def batch_norm(
    x: Any,
    gamma: Any,
    beta: Any,
    moving_mean: Any,
    moving_var: Any,
    axis: int,
    epsilon: float,
    center: bool,
    scale: bool,
    training: bool,
    momentum: float,
) -> list[Any]:
    """The normalised array, the moving mean and the moving variance."""
    others = tuple(d for d in range(x.ndim) if d != axis % x.ndim)
    mean, var = (x.mean(others), x.var(others)) if training else (moving_mean, moving_var)
    result = (x - _along(mean, axis, x.ndim)) / np.sqrt(_along(var, axis, x.ndim) + epsilon)
    result = result * _along(gamma, axis, x.ndim) if scale else result
    result = result + _along(beta, axis, x.ndim) if center else result
    if training:
        moving_mean = moving_mean * (1 - momentum) + mean * momentum
        moving_var = moving_var * (1 - momentum) + var * momentum
    return [result.astype(x.dtype), moving_mean, moving_var]


def layer_norm_python(data: Any, gamma: Any, beta: Any, axis: Any, epsilon: float = 1e-5) -> Any:
    """Normalised over the axes, which are the last ones, then scaled and shifted."""
    axes = (axis,) if np.ndim(axis) == 0 else tuple(axis)
    result = _normalised(data, axes, epsilon)
    result = result if gamma is None else result * gamma
    return result if beta is None else result + beta


def instance_norm_python(
    data: Any, gamma: Any, beta: Any, channel_axis: int, axis: Any, epsilon: float = 1e-5
) -> Any:
    """Normalised over the axes, then scaled and shifted for each channel."""
    result = _normalised(data, tuple(axis), epsilon)
    return result * _along(gamma, channel_axis, data.ndim) + _along(beta, channel_axis, data.ndim)


def group_norm_python(
    data: Any,
    gamma: Any,
    beta: Any,
    num_groups: int,
    channel_axis: int,
    axes: Any,
    epsilon: float = 1e-5,
) -> Any:
    """Normalised over the axes and the channels of a group, then scaled and shifted for each channel."""
    others = tuple(d % data.ndim for d in axes)
    of_groups = np.split(data, num_groups, axis=channel_axis)
    result = np.concatenate(
        [_normalised(p, tuple({channel_axis, *others}), epsilon) for p in of_groups], channel_axis
    )
    return result * _along(gamma, channel_axis, data.ndim) + _along(beta, channel_axis, data.ndim)


def rms_norm_python(data: Any, weight: Any, axis: Any, epsilon: float = 1e-5) -> Any:
    """Divided by the root of the mean square over the axes, which are the last ones, then scaled."""
    axes = (axis,) if np.ndim(axis) == 0 else tuple(axis)
    return data / np.sqrt((data**2).mean(axes, keepdims=True) + epsilon) * weight


def lrn_python(a_np: Any, size: int, axis: int, bias: float, alpha: float, beta: float) -> Any:
    """Divided by a power of the sum of squares of neighbours along `axis`."""
    moved = np.moveaxis(a_np, axis, 0)
    wide = np.pad(moved**2, [(size // 2, size // 2)] + [(0, 0)] * (a_np.ndim - 1))
    squares = sum(wide[n : n + len(moved)] for n in range(size))
    return np.moveaxis(moved / (bias + alpha / size * squares) ** beta, 0, axis)


def l2_normalize_python(a_np: Any, eps: float, axis: Any = None) -> Any:
    """Divided by the length over the axes."""
    axes = None if axis is None else (axis,) if np.ndim(axis) == 0 else tuple(axis)
    return a_np / np.sqrt(np.maximum((a_np**2).sum(axes, keepdims=True), eps))


def nll_loss(
    predictions: Any, targets: Any, weights: Any, reduction: str = "mean", ignore_index: int = -100
) -> Any:
    """The negative log likelihood of the targets, weighted by their classes."""
    valid = targets != ignore_index
    safe = np.where(valid, targets, 0)
    chosen = np.take_along_axis(predictions, np.expand_dims(safe, 1), 1).squeeze(1)
    weight = np.where(valid, weights[safe], 0)
    losses = -chosen * weight
    if reduction == "none":
        return losses
    return losses.sum() / weight.sum() if reduction == "mean" else losses.sum()
