"""vectorize, unroll and parallel: how the iterations of a loop run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tewb.ir import AxisKind, ForKind, IterVar
from tewb.schedule.declare import AXIS, Arguments, Param, Refusal, Repair, Selection, Values, primitive
from tewb.schedule.journal import Step
from tewb.schedule.primitives.store_at import not_kept_around
from tewb.schedule.questions import (
    agrees_with_marks,
    attached_at,
    constant_extent,
    for_now,
    has_loops,
    in_given_order,
    independent,
    markable,
    no_calls,
    not_inline,
    nothing_inside,
    one_vector_loop,
    settled,
    unmarked,
)
from tewb.schedule.relation import Split, divides, mixed_loops
from tewb.schedule.shared_loops import is_run_by
from tewb.schedule.stage import At, Mark, Stage
from tewb.tensor import ExternOp
from tewb.tensor.hybrid import HybridOp

MAX_PARTIAL = 1024  # partial results of a reduction
MAX_VECTORIZED = 1 << 31  # of a loop of elements, which is cut into vectors
MAX_UNROLL = 4096
MAX_GRAIN = 1 << 62


@primitive(AXIS, loop_kind=ForKind.VECTORIZED)
def vectorize(stage: Stage, var: IterVar | str) -> None:
    """Run all iterations of a loop at once, as the lanes of vectors. Its extent must be constant.

    for i in 8: A[i] = B[i]    ->    A[0:8] = B[0:8]

    The terms of a reduction are combined in another order, so that float sums change within rounding:
    every lane combines its own terms, and in the end the lanes are joined by halves.

        for k.outer:                            C.lanes[0:8] = 0
            for k.inner in 8:                   for k.outer: C.lanes[0:8] += B[k.outer*8 : k.outer*8 + 8]
                C += B[k.outer*8 + k.inner]  -> C.lanes[0:4] += C.lanes[4:8]
                                                C.lanes[0:2] += C.lanes[2:4];  C = C.lanes[0] + C.lanes[1]

    More lanes than a vector has make several accumulators: 64 floats are 4 vectors of 512 bits. A reducer that
    takes the first of equals is not commutative, and may take another one then.

    More than 64 lanes are cut into vectors of 64, or of 16 where elements do not lie side by side; more than
    four such vectors are a loop, as the lowered program shows:

    for i in 528: A[i] = B[i]    ->    for i.vector in 8: A[i.vector*64 : i.vector*64 + 64] = B[...]
                                       A[512:528] = B[512:528]
    """
    stage.do("vectorize", axis=var)


@vectorize.legal
def _vectorize_refusal(stage: Stage, v: Values) -> Refusal | None:
    iv = v["axis"]
    most = MAX_PARTIAL if iv.kind is AxisKind.REDUCE else MAX_VECTORIZED
    return settled(
        has_loops(stage)
        or markable(stage, iv)
        or no_calls(stage, iv)
        or _lanes(stage, iv)
        or agrees_with_marks(stage, "vectorize", iv)
        or constant_extent(stage, iv, most, "vectorize"),
        not_inline(stage)
        or unmarked(stage, iv)
        or for_now(nothing_inside(stage, iv))
        or one_vector_loop(stage, iv),
    )


def _lanes(stage: Stage, iv: IterVar) -> Refusal | None:
    """Iterations that become lanes are independent of each other, or terms of a reduction, which may be combined
    in any order: then each lane has a partial result."""
    if iv.kind is not AxisKind.REDUCE:
        return independent(stage, iv, "vectorize")
    mixed = next((x for x in stage.leaf_iter_vars if x in mixed_loops(stage.relations)), None)
    if mixed is None:
        return None
    return Refusal(
        f"loop {stage.axis_name(mixed)} is over data and reduce axes at once, and each lane adds up for one element",
        "vectorize a data axis, or leave them apart",
    )


@vectorize.invariant
def _stays_innermost(stage: Stage) -> Refusal | None:
    if isinstance(stage.op, HybridOp):  # its loops may stand side by side
        return None
    loops = [m.axis for m in stage.marks_of("vectorize") if m.axis is not None]
    inside = next((refused for iv in loops if (refused := nothing_inside(stage, iv))), None)
    return inside or (one_vector_loop(stage, loops[-1]) if loops else None)


@vectorize.repairs
def _vectors(at: Selection, args: Arguments) -> Iterator[Repair]:
    """The inner part of the loop, of as many iterations as a vector has lanes, or the outer one."""
    yield from split_first(at, args, (at.lanes, 1))


def split_first(
    at: Selection, args: Arguments, factors: Iterable[int], outer_first: bool = False
) -> Iterator[Repair]:
    """A split of the loop, after which one of the new loops may take the mark: the inner one is tried first, or the
    outer one."""

    def loops(results: Sequence[str]) -> Iterator[Arguments]:
        yield from ({**args, "axis": loop} for loop in (results if outer_first else reversed(results)))

    for factor in factors:
        yield Repair(Step("split", at.stage.name, {"axis": args["axis"], "factor": factor}), loops)


@primitive(AXIS, loop_kind=ForKind.UNROLLED)
def unroll(stage: Stage, var: IterVar | str) -> None:
    """Write the iterations of a loop one after the other. Its extent must be constant. The unrolled loops of a
    program may become 60,000 nodes of IR in all: more are refused when it is lowered.

    for i in 2: body(i)    ->    body(0); body(1)
    """
    stage.do("unroll", axis=var)


@unroll.legal
def _unroll_refusal(stage: Stage, v: Values) -> Refusal | None:
    iv = v["axis"]
    return settled(
        has_loops(stage) or markable(stage, iv) or constant_extent(stage, iv, MAX_UNROLL, "unroll"),
        not_inline(stage) or unmarked(stage, iv),
    )


@unroll.repairs
def _copies(at: Selection, args: Arguments) -> Iterator[Repair]:
    yield from split_first(at, args, (at.lanes, 1))


@primitive(
    AXIS,
    Param("grain", "int", "iterations that a thread takes at least", None, code="grain={}"),
    loop_kind=ForKind.PARALLEL,
)
def parallel(stage: Stage, var: IterVar | str, grain: int | None = None) -> None:
    """Run the iterations of a loop on the threads of the pool.

    for i in n: body(i)    ->    for i in parallel(n): body(i)

    Threads take iterations when they are free: many at first and fewer toward the end, of about 0.1 ms at most, so that
    uneven iterations are shared evenly too. A loop that does little, of a few microseconds, runs on the thread that comes
    to it. `grain` says instead how many iterations a thread takes at least: a loop of no more runs on one thread. Inside of
    another parallel loop, threads that are idle help.
    """
    stage.do("parallel", axis=var, grain=grain)


@parallel.legal
def _parallel_refusal(stage: Stage, v: Values) -> Refusal | None:
    iv, grain = v["axis"], v.get("grain")
    if grain is not None and not 1 <= grain < MAX_GRAIN:
        return Refusal(f"grain={grain} is no number of iterations that a thread could take", "grain=8")
    return settled(
        has_loops(stage)
        or markable(stage, iv)
        or independent(stage, iv, "parallelise")
        or in_given_order(stage, "parallelise")
        or _tiles_overlap(stage, iv),
        not_inline(stage) or unmarked(stage, iv) or for_now(_one_ahead(stage, iv)),
    )


def _one_ahead(stage: Stage, iv: IterVar) -> Refusal | None:
    """What is double buffered at a loop is made by the iteration before, and so is most of a rolling buffer."""
    rolling = next((s for s in stage.schedule.stages if s.is_rolling and isinstance(s.attach, At)
                    and is_run_by(s.attach.stage, s.attach.axis, stage, iv)), None)  # fmt: skip
    if rolling is not None:
        return Refusal(
            f"{rolling.name} is a rolling buffer along {stage.axis_name(iv)}: iterations must come in order",
            "leave out rolling_buffer, or choose another loop",
        )
    refused = not_kept_around(stage, iv)
    if refused is not None:
        return refused
    double = next((s for s in attached_at(stage, iv) if s.is_double), None)
    if double is None:
        return None
    return Refusal(
        f"{double.name} is double buffered at {stage.axis_name(iv)}: iterations must come in order",
        "leave out double_buffer, or choose another loop",
    )


def _tiles_overlap(stage: Stage, iv: IterVar) -> Refusal | None:
    """With `tail="shift"` the last tile makes elements of the one before again: not at the same time."""
    if not (isinstance(stage.op, ExternOp) and stage.op.tail == "shift"):
        return None
    extents = stage.schedule.extents(stage)
    if all(divides(r, extents) for r in stage.relations if isinstance(r, Split)):
        return None
    return Refusal(
        f'extern {stage.name} has tail="shift", and its last tile would write what another iteration of '
        f"{stage.axis_name(iv)} writes",
        "choose a factor that divides, or tail='clip'",
    )


@parallel.repairs
def _tasks(at: Selection, args: Arguments) -> Iterator[Repair]:
    yield from split_first(at, args, (at.lanes, 1), outer_first=True)


@parallel.stage_property
def grains(stage: Stage) -> dict[IterVar, int]:
    """Of its parallel loops: how many iterations a thread takes at least, where a step said so."""
    marks = stage.marks_of("parallel")
    return {m.axis: m.values[0] for m in marks if m.axis is not None and m.values and m.values[0] is not None}


@parallel.mark_text
def _shared_by(stage: Stage, mark: Mark) -> str:
    grain = next(iter(mark.values), None)
    return "parallel" if grain is None else f"parallel by {grain}"
