"""Storage alignment: gaps between the rows of an intermediate, so that their strides are what was asked."""

from __future__ import annotations

from collections.abc import Sequence

from tewb.arith import Analyzer
from tewb.ir import Expr, IterVar, const, ops
from tewb.schedule.primitive import Refusal, Values
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, PlaceholderOp

MOST = 1 << 20  # elements; more would be a tensor of gaps


def storage_align(stage: Stage, v: Values) -> Refusal | None:
    """Why the stride of dimension `axis` cannot be chosen."""
    factor, offset = v["factor"], v["offset"]
    if isinstance(stage.op, PlaceholderOp):
        return Refusal(
            f"{stage.name} is an input: the caller's array has the strides that it has",
            f"s.cache_read({stage.name}, ...), and align the copy",
        )
    if stage.is_output:
        return Refusal(
            f"{stage.name} is an output: the caller's array has the strides that it has",
            f"s.cache_write({stage.name}, ...), and align what it returns",
        )
    if not isinstance(stage.op, ComputeOp):
        return Refusal(
            f"{stage.name} is not a compute: its code chooses how it writes",
            "align a copy: s.cache_read(...)",
        )
    if stage.is_inlined:
        return Refusal(f"{stage.name} is computed inline and has no memory", "call compute_root first")
    if v["axis"] is None:
        return Refusal(f"{stage.name} is one element, which has no strides")
    if not 1 <= factor <= MOST:
        return Refusal(f"factor={factor} must be from 1 to {MOST}")
    if not 0 <= offset < factor:
        return Refusal(
            f"no stride is {offset} more than a multiple of {factor}", f"offset goes from 0 to {factor - 1}"
        )
    return None


def aligned_strides(stage: Stage, shape: Sequence[Expr]) -> tuple[Expr, ...]:
    """The strides of a box of `stage`, in elements: the smallest that are as asked; () when nothing was.

    Of a dimension with `factor` and `offset` the stride is offset more than a multiple of factor.
    """
    if not stage.alignments:
        return ()
    analyzer = Analyzer()
    strides: list[Expr] = []
    dims: list[IterVar] = list(stage.op.axis)
    step: Expr = const(1, shape[-1].dtype) if shape else const(1)
    for iv, n in zip(reversed(dims), reversed(shape), strict=True):
        if iv in stage.alignments:
            factor, offset = stage.alignments[iv]
            gap = ops.floormod(ops.sub(offset, step), const(factor, step.dtype))
            step = analyzer.simplify(ops.add(step, gap))
        strides.insert(0, step)
        step = analyzer.simplify(ops.mul(step, n))
    return tuple(strides)


def elements_spanned(shape: Sequence[Expr], strides: Sequence[Expr]) -> Expr:
    """The number of elements from the first of a box that is not empty to its last, with the gaps between."""
    last: Expr = const(1)
    for n, step in zip(shape, strides, strict=True):
        last = ops.add(last, ops.mul(ops.sub(n, 1), step))
    return last
