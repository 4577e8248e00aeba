"""nontemporal: results that are stored to memory past the caches."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import Reduce
from tewb.schedule.declare import Arguments, Refusal, Repair, Selection, Values, primitive
from tewb.schedule.journal import Step
from tewb.schedule.questions import at_once, has_loops, not_inline
from tewb.schedule.stage import At, Mark, Stage
from tewb.tensor import ComputeOp


@primitive()
def nontemporal(stage: Stage) -> None:
    """Store the results of this stage to memory past the caches, in whole vectors.

        for i.outer:                                       for i.outer:
            B[i.outer*16 : i.outer*16 + 16] = x    ->          B[...] = T.nontemporal(x)

    An ordinary store first reads the line of memory that it changes, and keeps it in the caches in place of
    something else. A non-temporal one (the term of processors' manuals, LLVM and OpenMP, also called a streaming
    store) does neither: worth it for results larger than the last cache that nothing reads soon. The stage
    stands at the root and holds no reduction; one that other stages of the kernel read is allowed, and pays when
    it is as large as that.

    Vectorize the loop along the rows as well: these are stores of vectors of neighbours. Single elements and
    lanes that lie apart are stored as usual, since non-temporal stores of less than 16 bytes took half again as long
    as ordinary ones (relu(a*b + c) on 16M floats). So are vectors that begin between multiples of 16 bytes: the
    kernel asks for that when it runs, outside of the loops where it can.
    """
    stage.do("nontemporal")


@nontemporal.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    if stage.is_nontemporal:
        return Refusal("its stores are non-temporal already")
    return has_loops(stage) or _stores_results(stage) or at_once(not_inline(stage)) or _to_memory(stage)


def _stores_results(stage: Stage) -> Refusal | None:
    """Every store must be of a result that its own loops do not read again."""
    if not isinstance(stage.op, ComputeOp):
        return Refusal(
            f"{stage.name} is not a compute: what it stores, and whether it reads that again, only its own code knows",
            "copy its result with a te.compute, and let the copy be stored so",
        )
    if any(isinstance(e, Reduce) for e in stage.op.body):
        return Refusal(
            f"{stage.name} is a reduction: every step reads the sum so far back from where it is stored",
            f's.cache_write({stage.name}, "local") first, so that {stage.name} only stores results',
        )
    return None


def _to_memory(stage: Stage) -> Refusal | None:
    if isinstance(stage.attach, At):
        place = f"loop {stage.attach.stage.axis_name(stage.attach.axis)} of {stage.attach.stage.name}"
        return Refusal(
            f"it is computed at {place}, which reads it soon, from the caches", "call compute_root first"
        )
    if stage.scope != "global":
        return Refusal(
            f"it is kept in {stage.scope} memory, near to what reads it", 'set_scope("global") first'
        )
    return None


def not_nontemporal(stage: Stage, verb: str) -> Refusal | None:
    """Results that go past the caches belong to a stage at the root, in global memory, with stores of its own."""
    if not stage.is_nontemporal:
        return None
    return Refusal(
        "its stores are non-temporal, which is for results at the root that are not read soon",
        f"take nontemporal back to {verb}",
    )


@nontemporal.stage_property
def is_nontemporal(stage: Stage) -> bool:
    """Whether its results go to memory past the caches."""
    return bool(stage.marks_of("nontemporal"))


@nontemporal.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    return "non-temporal stores"


@nontemporal.repairs
def _copy_results(at: Selection, args: Arguments) -> Iterator[Repair]:
    """A stage that only stores results: another one computes them."""
    yield Repair(Step("cache_write", at.stage.name, {"scope": "local"}))
