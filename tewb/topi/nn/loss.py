"""Losses."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.ir import ops
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import check_same_size, integers_of, one_of, tensor_of
from tewb.topi.reduction import sum as sum_over


def nll_loss(predictions: Tensor, targets: Tensor, weights: Tensor, reduction: str, ignore_index: int) -> Any:
    """The negative log likelihood: -predictions[n, t, ...] * weights[t] for the class t = targets[n, ...], and 0 where it is
    `ignore_index`. `reduction` is "none", "sum", or "mean", which divides by the sum of the weights."""
    what = "nll_loss"
    p, t, w = tensor_of(what, predictions), integers_of(what, targets), tensor_of(what, weights, 1)
    word = one_of(what, "reduction", reduction, ("none", "sum", "mean"))
    if p.ndim != t.ndim + 1 or not t.ndim:
        raise ShapeError(
            f"{what}: {p.name} has {p.ndim} dimensions and {t.name} has {t.ndim}",
            hint="predictions are (n, classes, ...) and targets (n, ...)",
            span=here(),
        )
    check_same_size(what, w.shape[0], p.shape[1], "the numbers of weights and of classes")
    for d, n in enumerate(t.shape):
        check_same_size(what, n, p.shape[d + (d > 0)], "a size of targets and of predictions")
    zero = te.const(0, p.dtype)

    def chosen(i: Any, value: Any) -> Any:
        """`value` of the class of a target, unless that is ignored."""
        c = t(*i)
        place = te.cast(c, "int64") if c.dtype.bits == 64 else te.cast(c, "int32")
        return te.if_then_else(ops.not_equal(c, te.const(ignore_index, c.dtype)), value(place), zero)

    def loss(*i: Any) -> Any:
        return chosen(i, lambda c: -p(i[0], c, *i[1:]) * w(c))

    losses = te.compute(t.shape, loss, name="T_nll_loss", tag=tag.INJECTIVE)
    if word == "none":
        return losses
    total = sum_over(losses)
    if word == "sum":
        return total
    weight = te.compute(t.shape, lambda *i: chosen(i, w), name="T_nll_weight", tag=tag.INJECTIVE)
    whole = sum_over(weight)
    return te.compute((), lambda: total() / whole(), name="T_nll_mean", tag=tag.INJECTIVE)
