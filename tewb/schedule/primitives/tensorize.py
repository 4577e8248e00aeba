"""tensorize: the loops inside of a loop are done by an intrinsic."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import IterVar
from tewb.schedule.declare import AXIS, Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.questions import attached_at, has_loops, unmarked
from tewb.schedule.stage import Mark, Stage
from tewb.tensor import INTRINSICS, ComputeOp, TensorIntrin, intrinsic_of

_LANES = ("vectorize", "transpose")  # marks of loops whose iterations become lanes
_STORES = (
    "nontemporal",
    "double_buffer",
    "rolling_buffer",
    "set_store_predicate",
)  # marks of stages whose elements are stored otherwise


def _names(stage: Stage) -> list[str]:
    return list(INTRINSICS)


def _tails(stage: Stage) -> list[str]:
    return ["loops"]


@primitive(
    AXIS,
    Param("intrin", "intrin", "a tensor intrinsic, or its name", choices=_names),
    Param(
        "tail",
        "word",
        "what does iterations that are fewer than the intrinsic's",
        None,
        _tails,
        code="tail={}",
    ),
)
def tensorize(
    stage: Stage, var: IterVar | str, tensor_intrin: TensorIntrin | str, tail: str | None = None
) -> None:
    """Do a loop, and all loops inside of it, by a tensor intrinsic (see `te.decl_tensor_intrin`).

        for i.outer:                                    for i.outer:
            for i.inner in 4:                               gemv(A[i.outer*4 : i.outer*4 + 4, 0:8], B[0:8],
                for k in 8:                       ->             C[i.outer*4 : i.outer*4 + 4])
                    C[i] += A[i, k] * B[k]

    What the loops compute must be what the intrinsic computes. That is found out when the program is lowered: then it
    is known where the stage stands and what is inlined in it. Reduce loops outside need an intrinsic with
    a reset and an update.

    Where a factor does not divide, the last iterations would pass the end, and are refused. With `tail="loops"` they stay
    loops:

        for i.outer in 3:                               for i.outer in 2: gemv(...)
            for i.inner in 4:                     ->    for i.inner in 2:
                if i.outer*4 + i.inner < 10: ...            for k in 8: C[i.inner + 8] += ...
    """
    stage.do("tensorize", axis=var, intrin=tensor_intrin, tail=tail)


@tensorize.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    """What no later step can mend; whether it computes the same is asked when the program is lowered."""
    refused = has_loops(stage)
    if refused:
        return refused
    if not isinstance(stage.op, ComputeOp):
        return Refusal(
            f"{stage.name} is not a compute, and an intrinsic does the loops of one", "tensorize a te.compute"
        )
    if v.get("tail") not in (None, *_tails(stage)):
        return Refusal(
            f"there is no tail {v['tail']!r}",
            'tail="loops" leaves the last iterations, which are fewer, to loops',
        )
    other = tensorized(stage)
    if other is not None:
        name = stage.axis_name(other[0])
        return Refusal(f"loop {name} is tensorized already, by {other[1].name}", "undo it first")
    return unmarked(stage, v["axis"]) or not_plain(stage, v["axis"])


def tensorized(stage: Stage) -> tuple[IterVar, TensorIntrin] | None:
    """The loop of `stage` that an intrinsic does, and the intrinsic."""
    for m in stage.marks_of("tensorize"):
        if m.axis is not None:
            return m.axis, intrinsic_of(m.values[0])
    return None


def tail_in_loops(stage: Stage) -> bool:
    """Whether loops do what is left where the intrinsic does not divide."""
    return any("loops" in m.values[1:] for m in stage.marks_of("tensorize"))


def not_plain(stage: Stage, iv: IterVar) -> Refusal | None:
    """The loops from `iv` on are gone when an intrinsic does them: nothing is said of them, or computed in them. Those
    around them run one iteration after the other, or on threads."""
    at = stage.leaf_iter_vars.index(iv)
    for outer in stage.leaf_iter_vars[:at]:
        lanes = next((m.primitive for m in stage.marks_on(outer) if m.primitive in _LANES), None)
        if lanes is not None:
            return Refusal(
                f"loop {stage.axis_name(outer)} is marked {lanes}, and the code of an intrinsic cannot become lanes",
                f"leave out {lanes}",
            )
    for word in _STORES:
        if stage.marks_of(word):
            return Refusal(
                f"{stage.name} is marked {word}, which the code of an intrinsic does not know of",
                f"leave out {word}, or tensorize a copy: s.cache_write({stage.name}, ...)",
            )
    for inner in stage.leaf_iter_vars[at:]:
        name = stage.axis_name(inner)
        words = [m.primitive for m in stage.marks_on(inner) if m.primitive != "tensorize"]
        if words:
            return Refusal(
                f"loop {name} is marked {words[0]}, and the intrinsic does it in its own way",
                f"leave out {words[0]}, or tensorize a loop inside of {name}",
            )
        for s in attached_at(stage, inner):
            return Refusal(
                f"{s.name} is computed at loop {name}, which the intrinsic does",
                f"compute {s.name} further out",
            )
    return None


@tensorize.invariant
def _stays_plain(stage: Stage) -> Refusal | None:
    own = tensorized(stage)
    return None if own is None else not_plain(stage, own[0])


@tensorize.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    tail = v.get("tail")
    stage.mark("tensorize", v["axis"], v["intrin"], *([tail] if tail else []))
    stage.made_by[v["axis"]] = step
    stage.shape(v["axis"], step)
    return []


@tensorize.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    return f"tensorize {mark.values[0]}" + (", tail in loops" if len(mark.values) > 1 else "")


@tensorize.mark_phrase
def _phrase(stage: Stage, mark: Mark) -> str:
    return f"is tensorized by {mark.values[0]}"


@tensorize.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    """The intrinsics that were declared, the latest first."""
    names = _names(at.stage)
    yield from ({"axis": at.loop, "intrin": name} for name in reversed(names[-8:]))
    if not names:
        yield {"axis": at.loop, "intrin": None}
