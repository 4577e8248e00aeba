"""Softmax along an axis: exp(x - max) over its sum, which no large value makes overflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.tensor import Tensor
from tewb.topi.checks import axis_of, tensor_of


def softmax(x: Tensor, axis: int = -1) -> Any:
    """exp(x) divided by its sum along `axis`."""
    return _softmax(x, axis, "T_softmax", "softmax_output")


def fast_softmax(x: Tensor, axis: int = -1) -> Any:
    """The same as softmax, whose exp is a polynomial in the kernel anyway."""
    return _softmax(x, axis, "T_fast_softmax", "fast_softmax_output")


def _softmax(x: Tensor, axis: int, name: str, tag: str) -> Any:
    t = _checked(name.removeprefix("T_"), x)
    d = axis_of(name.removeprefix("T_"), axis, t.ndim)
    rest = [n for e, n in enumerate(t.shape) if e != d]
    highest = _reduced(te.max, t, d, f"{name}_maxelem")
    attrs = {"axis": d}
    e = te.compute(
        t.shape, lambda *i: te.exp(t(*i) - highest(*without(i, d))), name=f"{name}_exp", attrs=attrs
    )
    total = _reduced(te.sum, e, d, f"{name}_expsum")
    # One division for each sum, and a product for each element.
    scale = te.compute(rest, lambda *i: te.const(1, t.dtype) / total(*i), name=f"{name}_scale")
    return te.compute(
        t.shape, lambda *i: e(*i) * scale(*without(i, d)), name=f"{name}_norm", tag=tag, attrs=attrs
    )


def log_softmax(x: Tensor, axis: int = -1) -> Any:
    """The logarithm of softmax: x - max - log(sum of exp(x - max))."""
    t = _checked("log_softmax", x)
    d = axis_of("log_softmax", axis, t.ndim)
    highest = _reduced(te.max, t, d, "T_softmax_maxelem")
    k = te.reduce_axis((0, t.shape[d]), name="k")

    def terms(*i: Any) -> Any:
        return te.sum(te.exp(t(*i[:d], k, *i[d:]) - highest(*i)), axis=k)

    total = te.compute(highest.shape, terms, name="T_softmax_expsum")
    offset = te.compute(
        highest.shape, lambda *i: highest(*i) + te.log(total(*i)), name="T_log_softmax_offset"
    )
    return te.compute(
        t.shape,
        lambda *i: t(*i) - offset(*without(i, d)),
        name="T_log_softmax_norm",
        tag="log_softmax_output",
        attrs={"axis": d},
    )


def _checked(what: str, x: Any) -> Tensor:
    t = tensor_of(what, x)
    if not t.ndim:
        raise ShapeError(f"{what}: {t.name} has no dimensions", hint="it goes along an axis", span=here())
    return t


def _reduced(reducer: Any, t: Tensor, d: int, name: str) -> Any:
    k = te.reduce_axis((0, t.shape[d]), name="k")
    shape = [n for e, n in enumerate(t.shape) if e != d]
    return te.compute(shape, lambda *i: reducer(t(*i[:d], k, *i[d:]), axis=k), name=name)


def without(indices: Sequence[Any], d: int) -> tuple[Any, ...]:
    """The indices, without that of dimension `d`."""
    return (*indices[:d], *indices[d + 1 :])
