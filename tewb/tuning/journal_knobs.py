"""Knobs in a journal: which values of its steps a search may turn, and the candidates that it tries for them.

A knob is named by step and parameter: "2.factor" is the factor of step 2 (from 1), "3.axes" the order of the loops of a
reorder, "4.axis" the loop that a stage is computed at, "5.done" whether step 5 is done at all.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tewb.base import ArgumentError, TewbError, brief, here
from tewb.ir import const_int
from tewb.schedule import PRIMITIVES, Schedule, Step
from tewb.tuning.knobs import factors

DONE = "done"
PARTS = {("rfactor", "parallel")}  # counts of parts, which are factors as well
WORDS = {"tail"}  # parameters that are one of some words
ALL_ORDERS = 4  # loops of which all orders are candidates; of more, neighbours are exchanged
MOST = 500  # candidates of one knob
LARGEST = 1 << 31  # of factors
SYMBOLIC = 1024  # iterations, where a loop has as many as a size

Kind = Literal["factor", "order", "choice", "flag"]


@dataclass(frozen=True, slots=True)
class Turnable:
    """A value of a journal that can become a knob: `param` of step number `step`, and what it is now."""

    step: int
    param: str
    kind: Kind
    value: Any

    @property
    def name(self) -> str:
        """As a space names it: "2.factor"."""
        return f"{self.step}.{self.param}"


def turnable(journal: Sequence[Step]) -> list[Turnable]:
    """All that can become a knob, in the order of the journal."""
    return [t for number, step in enumerate(journal, 1) for t in _of_step(number, step)]


def _of_step(number: int, step: Step) -> Iterator[Turnable]:
    known = PRIMITIVES[step.primitive]
    for p in known.params:
        value = step.args.get(p.name)
        if p.name in sizes_in(step):
            yield Turnable(number, p.name, "factor", value)
        elif p.kind == "axes" and step.primitive == "reorder" and isinstance(value, list | tuple):
            if len(value) > 1:
                yield Turnable(number, p.name, "order", tuple(value))
        elif isinstance(value, str) and (p.kind == "place" or p.name in WORDS):
            yield Turnable(number, p.name, "choice", value)
    if known.loop_kind is not None or step.primitive == "compute_inline":
        yield Turnable(number, DONE, "flag", True)


def sizes_in(step: Step) -> list[str]:
    """The parameters of a step that are factors, and have a number."""
    params = PRIMITIVES[step.primitive].params
    named = [p.name for p in params if p.kind == "size" or (step.primitive, p.name) in PARTS]
    return [name for name in named if type(step.args.get(name)) is int]


def extent_for(schedule: Schedule, step: Step, param: str) -> int:
    """How long the loop is that a factor splits, before the step; a power of two where it is not known."""
    axis = step.args.get("axis") or step.args.get(param.removesuffix("_factor"))
    stage = schedule[step.stage]
    iv = stage.find_axis(axis)
    extent = None if iv is None else const_int(schedule.extents(stage)[iv])
    return extent or SYMBOLIC


# ---------------------------------------------------------------- candidates


def candidates(schedule: Schedule, journal: Sequence[Step], t: Turnable) -> tuple[Any, ...]:
    """What is tried for a value if nobody says otherwise, without what the journal as it is refuses. `schedule` is one of the
    program; it is not changed."""
    step = journal[t.step - 1]
    match t.kind:
        case "flag":
            return True, False
        case "order" if len(t.value) <= ALL_ORDERS:
            return tuple(itertools.permutations(t.value))
        case "order":
            swaps = [
                (*t.value[:i], b, a, *t.value[i + 2 :])
                for i, (a, b) in enumerate(itertools.pairwise(t.value))
            ]
            return t.value, *swaps
    if t.kind == "factor":
        extent = extent_for(_before(schedule, journal, t), step, t.param)
        return with_value(factors(max(extent, t.value)), t)
    return with_value([v for v in choices(schedule, journal, t) if _is_taken(schedule, journal, t, v)], t)


def choices(schedule: Schedule, journal: Sequence[Step], t: Turnable) -> list[str]:
    """The names that a choice can have: the loops of its parent before the step, or the words of its parameter."""
    step, before = journal[t.step - 1], _before(schedule, journal, t)
    param = next(p for p in PRIMITIVES[step.primitive].params if p.name == t.param)
    if param.kind == "place":
        parent = before[step.args["parent"]]
        return [parent.axis_name(iv) for iv in parent.leaf_iter_vars]
    return param.choices(before[step.stage]) if param.choices else []


def _before(schedule: Schedule, journal: Sequence[Step], t: Turnable) -> Schedule:
    """The schedule before the step of a value."""
    before = schedule.untouched()
    for done in journal[: t.step - 1]:
        before.apply(done)
    return before


def _is_taken(schedule: Schedule, journal: Sequence[Step], t: Turnable, value: str) -> bool:
    """Whether all steps can be done with another value. (Whether loops can be made of them takes longer to say.)"""
    turned = replace(journal[t.step - 1], args={**journal[t.step - 1].args, t.param: value})
    made = _before(schedule, journal, t)
    try:
        for step in (turned, *journal[t.step :]):
            made.apply(step)
    except TewbError:
        return False
    return True


def check_choices(schedule: Schedule, journal: Sequence[Step], t: Turnable, values: Sequence[Any]) -> None:
    """Raise ArgumentError for a name among the candidates of a choice that it cannot have."""
    known = choices(schedule, journal, t) if t.kind == "choice" else []
    for v in values:
        if known and v not in known:
            step = journal[t.step - 1]
            what = f"loop of stage {step.args['parent']} before step {t.step}" if "parent" in step.args else f"{t.param} of {step.primitive}"  # fmt: skip
            raise ArgumentError(
                f"knob {t.name}: {brief(v)} is no {what}", hint=f"there are {', '.join(known)}", span=here()
            )


def with_value(values: Sequence[Any], t: Turnable) -> tuple[Any, ...]:
    """Each value once, and what stands in the journal among them: a search begins there. Factors are in their order."""
    distinct = dict.fromkeys((*values, t.value))
    return tuple(sorted(distinct) if t.kind == "factor" else distinct)


def given_values(t: Turnable, given: Sequence[Any] | str) -> tuple[Any, ...]:
    """The candidates that a person wrote ("4, 8, 16"; orders as "i, k, j; k, i, j") or a program gave as a list. Raises
    ArgumentError for what the value cannot be."""
    values = (
        _read(t, given) if isinstance(given, str) else [tuple(v) if isinstance(v, list) else v for v in given]
    )
    for v in values:
        _check(t, v)
    if not values or len(set(values)) > MOST:
        raise ArgumentError(
            f"knob {t.name} has {len(set(values)) or 'no'} values",
            hint=f"give at least one, and no more than {MOST} of them: {values_text(t, (t.value,))}", span=here(),
        )  # fmt: skip
    return with_value(values, t)


def values_text(t: Turnable, values: Sequence[Any]) -> str:
    """Candidates as a person writes them."""
    if t.kind == "order":
        return "; ".join(", ".join(v) for v in values)
    return ", ".join(("yes" if v else "no") if t.kind == "flag" else str(v) for v in values)


def _read(t: Turnable, text: str) -> list[Any]:
    if t.kind == "order":
        return [tuple(w.strip() for w in one.split(",")) for one in text.split(";") if one.strip()]
    words = [w.strip() for w in text.split(",") if w.strip()]
    match t.kind:
        case "factor":
            return [int(w) if w.isascii() and w.isdigit() and len(w) < 12 else w for w in words]
        case "flag":
            return [{"yes": True, "no": False}.get(w, w) for w in words]
    return words


def _check(t: Turnable, value: Any) -> None:
    match t.kind:
        case "factor":
            is_right = type(value) is int and 0 < value <= LARGEST
            wanted = f"a number from 1 to {LARGEST}"
        case "flag":
            is_right, wanted = type(value) is bool, "yes or no"
        case "order":
            is_right = isinstance(value, tuple) and Counter(map(str, value)) == Counter(t.value)
            wanted = f"an order of {', '.join(t.value)}"
        case _:
            is_right, wanted = isinstance(value, str) and bool(value), "a name"
    if not is_right:
        raise ArgumentError(
            f"knob {t.name}: {brief(repr(value))} is not {wanted}", hint=f"such as {values_text(t, (t.value,))}", span=here()
        )  # fmt: skip


# ---------------------------------------------------------------- what a knob is remembered by


def places(journal: Sequence[Step]) -> list[str]:
    """What each step is known by while the journal changes: what it does to what, whatever values can be turned in it. Of
    steps that are alike, the first, the second, ..."""
    found: Counter[str] = Counter()
    keys = []
    for step in journal:
        own = repr((step.primitive, step.stage, sorted(without_values(step).items(), key=str)))
        found[own] += 1
        keys.append(f"{own} {found[own]}")
    return keys


def without_values(step: Step) -> Mapping[str, Any]:
    """The arguments of a step that are no values to turn."""
    turned = {t.param for t in _of_step(1, step)}
    return {k: v for k, v in step.args.items() if k not in turned}
