"""storage_align: gaps between the rows of an intermediate, so that their strides are what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tewb.arith import Analyzer
from tewb.ir import Expr, IterVar, const, ops
from tewb.schedule.declare import Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.journal import Step
from tewb.schedule.questions import for_now
from tewb.schedule.scans import shares_memory
from tewb.schedule.stage import Mark, Stage
from tewb.tensor import ComputeOp, PlaceholderOp

MOST = 1 << 20  # elements; more would be a tensor of gaps


def _dimensions(stage: Stage) -> list[str]:
    return [stage.axis_name(iv) for iv in stage.op.axis]


@primitive(
    Param("axis", "dimension", "an axis of the tensor", choices=_dimensions),
    Param("factor", "int", "elements that the stride is a multiple of"),
    Param("offset", "int", "elements that it is more than that", 0),
)
def storage_align(stage: Stage, axis: IterVar | str, factor: int, offset: int = 0) -> None:
    """Keep this stage with gaps, so that the stride of dimension `axis` is `offset` more than a multiple of
    `factor` elements. Rows a power of two apart compete for the same lines of a cache.

    B = allocate((32, 1024))    -- storage_align(i, 32, 16) -->    B = allocate((32, 1024), strides=(1040, 1))
    """
    stage.do("storage_align", axis=axis, factor=factor, offset=offset)


@storage_align.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    """Why the stride of dimension `axis` cannot be chosen."""
    factor, offset = v["factor"], v["offset"]
    if isinstance(stage.op, PlaceholderOp):
        return Refusal(
            f"{stage.name} is an input: the caller's array has the strides that it has",
            f"s.cache_read({stage.name}, ...), and align the copy",
            instead=(Step("cache_read", stage.name, {"scope": "global"}),),
        )
    if stage.is_output:
        return Refusal(
            f"{stage.name} is an output: the caller's array has the strides that it has",
            f"s.cache_write({stage.name}, ...), and align what it returns",
            instead=(Step("cache_write", stage.name, {"scope": "global"}),),
        )
    if not isinstance(stage.op, ComputeOp):
        return Refusal(
            f"{stage.name} is not a compute: its code chooses how it writes",
            "align a copy: s.cache_read(...)",
        )
    refused = shares_memory(stage, "align")
    if refused:
        return refused
    if v["axis"] is None:
        return Refusal(f"{stage.name} is one element, which has no strides")
    if not 1 <= factor <= MOST:
        return Refusal(f"factor={factor} must be from 1 to {MOST}")
    if not 0 <= offset < factor:
        return Refusal(
            f"no stride is {offset} more than a multiple of {factor}", f"offset goes from 0 to {factor - 1}"
        )
    return for_now(_has_memory(stage))


@storage_align.invariant
def _has_memory(stage: Stage) -> Refusal | None:
    if not stage.is_inlined:
        return None
    return Refusal(f"{stage.name} is computed inline and has no memory", "call compute_root first")


@storage_align.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    known = next((m for m in stage.marks_of("storage_align") if m.values[0] is v["axis"]), None)
    stage.marks = tuple([m for m in stage.marks if m is not known])
    stage.mark("storage_align", None, v["axis"], v["factor"], v["offset"])
    stage.place(step)
    return []


@storage_align.stage_property
def alignments(stage: Stage) -> dict[IterVar, tuple[int, int]]:
    """The (factor, offset) that strides of dimensions were asked to have."""
    return {m.values[0]: m.values[1:] for m in stage.marks_of("storage_align")}


@storage_align.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    dimension, factor, offset = mark.values
    return f"stride of {stage.axis_name(dimension)} {offset} (mod {factor})"


@storage_align.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    """Rows an odd number of vectors apart."""
    names = _dimensions(at.stage)
    row = names[-2] if len(names) > 1 else next(iter(names), at.loop)
    yield {"axis": row, "factor": 2 * at.lanes, "offset": at.lanes}


def aligned_strides(stage: Stage, shape: Sequence[Expr]) -> tuple[Expr, ...]:
    """The strides of a box of `stage`, in elements: the smallest that are as asked; () when nothing was.

    Of a dimension with `factor` and `offset` the stride is offset more than a multiple of factor.
    """
    asked = alignments(stage)
    if not asked:
        return ()
    analyzer = Analyzer()
    strides: list[Expr] = []
    dims: list[IterVar] = list(stage.op.axis)
    step: Expr = const(1, shape[-1].dtype) if shape else const(1)
    for iv, n in zip(reversed(dims), reversed(shape), strict=True):
        if iv in asked:
            factor, offset = asked[iv]
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
