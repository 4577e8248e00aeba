"""What a schedule primitive is: a declared object with parameters, legality, effect and documentation.

Menus, errors, forms, the journal and the fuzzer all read these declarations, so a new primitive appears
everywhere by itself. The primitives themselves are in `primitives.py`.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tewb.base import ScheduleError, Span, TewbError, brief, here
from tewb.ir import IterVar
from tewb.schedule.journal import Step

if TYPE_CHECKING:
    from tewb.schedule.stage import Stage

REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter: its kind says what it takes, `choices` what a form offers for a stage.

    Kinds: axis (a loop of the stage), axes (several), dimension (an axis of its tensor), int, stage, place (a loop of the stage given as
    `parent`), stages (several), scope, word.
    """

    name: str
    kind: str
    doc: str
    default: object = REQUIRED
    choices: Callable[[Stage], list[str]] | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a primitive cannot be applied, and what would help."""

    reason: str
    hint: str | None = None

    def error(self, call: Call, span: Span | None) -> ScheduleError:
        return ScheduleError(
            f"{call.primitive.name} on stage {call.stage.name}: {self.reason}",
            loops=call.stage.loops(),
            hint=self.hint,
            span=span,
        )


Values = dict[str, Any]
Results = list[Any]


@dataclass(frozen=True, slots=True)
class Primitive:
    """A primitive. `legal` answers with a refusal or None; `effect` changes the stage and returns what it made.

    `results` is axis, stage or none: what kind of thing it makes.
    """

    name: str
    params: tuple[Param, ...]
    doc: str
    legal: Callable[[Stage, Values], Refusal | None]
    effect: Callable[[Stage, Values, int], Results]
    results: str = "none"


PRIMITIVES: dict[str, Primitive] = {}


@dataclass(frozen=True, slots=True)
class Call:
    """A primitive with its arguments looked up in a schedule."""

    primitive: Primitive
    stage: Stage
    values: Values
    problem: Refusal | None

    @staticmethod
    def resolve(
        primitive: Primitive, stage: Stage, arguments: Mapping[str, object], span: Span | None
    ) -> Call:
        """Look up what `arguments` name. What cannot be found becomes the refusal."""
        unknown = set(arguments) - {p.name for p in primitive.params}
        if unknown:
            names = [p.name for p in primitive.params]
            raise ScheduleError(
                f"{primitive.name} has no parameter {min(map(str, unknown))}",
                hint=f"it has {', '.join(names)}" if names else "it has none",
                span=span,
            )
        values: Values = {}
        problem: Refusal | None = None
        for p in primitive.params:
            given = arguments.get(p.name, p.default)
            if given is None:
                given = p.default
            if given is REQUIRED:
                problem = problem or Refusal(f"{p.name} is missing: {p.doc}", _usage(primitive))
                continue
            found = _LOOKUP[p.kind](stage, given, values) if given is not None else None
            if isinstance(found, Refusal):
                problem = problem or found
            else:
                values[p.name] = found
        return Call(primitive, stage, values, problem)

    def refusal(self) -> Refusal | None:
        """Why this call cannot be done now, or None."""
        return self.problem or self.primitive.legal(self.stage, self.values)

    def step(self, span: Span | None) -> Step:
        """This call in names."""
        args = {p.name: self._named(p, self.values.get(p.name)) for p in self.primitive.params}
        args = {k: v for k, v in args.items() if v is not None}
        return Step(self.primitive.name, self.stage.name, args, span=span)

    def _named(self, p: Param, value: Any) -> Any:
        if value is None:
            return None
        match p.kind:
            case "axis" | "dimension":
                return self.stage.axis_name(value)
            case "axes":
                return [self.stage.axis_name(iv) for iv in value]
            case "place":
                return self.values["parent"].axis_name(value)
            case "stage":
                return value.name
            case "stages":
                return [s.name for s in value]
        return value

    def perform(self, number: int) -> tuple[Any, tuple[str, ...]]:
        """Apply this call as step `number`; returns what it made and the names of that."""
        made = self.primitive.effect(self.stage, self.values, number)
        if self.primitive.results == "axis":
            names = tuple(self.stage.axis_name(iv) for iv in made)
        else:
            names = tuple(self.stage.schedule[t].name for t in made)
        result = None if not made else made[0] if len(made) == 1 else tuple(made)
        return result, names


def _usage(primitive: Primitive) -> str:
    """How a primitive is called: `split(axis, factor=)`."""
    given = [p.name if p.default is REQUIRED else f"{p.name}=" for p in primitive.params]
    return f"{primitive.name}({', '.join(given)})"


# ---------------------------------------------------------------- looking up arguments


def _axis(stage: Stage, what: object, values: Values) -> IterVar | Refusal:
    iv = stage.find_axis(what)
    if iv is None and isinstance(what, IterVar):
        return _not_of(stage, what)
    if iv is None:
        name = str(what)
        names = [stage.axis_name(x) for x in stage.leaf_iter_vars]
        close = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(names)}" if names else None
        return Refusal(f"it has no axis {brief(name)}", hint)
    if iv not in stage.leaf_iter_vars:
        name = stage.axis_name(iv)
        became = stage.replaced_by(iv) or "used up"
        loops = became.split(" into ")[-1].replace(" and ", " or ")
        return Refusal(f"axis {name} was already {became}", f"use {loops} instead")
    return iv


def loop_of(stage: Stage, what: object) -> IterVar:
    """A loop of `stage`, by its handle or its name. Raises ScheduleError for what is none."""
    found = _axis(stage, what, {})
    if isinstance(found, Refusal):
        name = what.name if isinstance(what, IterVar) else brief(str(what))
        why = f": {found.reason}" if stage.find_axis(what) is not None or isinstance(what, IterVar) else ""
        hint = found.hint or "choose one of its loops"
        raise ScheduleError(
            f"stage {stage.name} has no loop {name}{why}", loops=stage.loops(), hint=hint, span=here()
        )
    return found


def _not_of(stage: Stage, iv: IterVar) -> Refusal:
    """Why a loop of another stage, or of another schedule, is none of this stage, whatever its name."""
    owner = stage.schedule.owner_of(iv)
    hint = None
    if stage.find_axis(iv.name) is not None:
        hint = f'{stage.name} has a loop {iv.name} of its own: take that handle, or the name "{iv.name}"'
    if owner is None:
        return Refusal(f"this {iv.name} is a loop of no stage here: was it made by another schedule?", hint)
    if owner is stage:
        return Refusal(f"it has no loop {iv.name} any more", hint)
    return Refusal(f"this {iv.name} is a loop of {owner.name}, not of {stage.name}", hint)


def _dimension(stage: Stage, what: object, values: Values) -> IterVar | Refusal | None:
    """An axis of the tensor; None when it has none at all, which legality explains better."""
    iv = stage.find_axis(what)
    own = [stage.axis_name(x) for x in stage.op.axis]
    if own and iv is None and isinstance(what, IterVar) and stage.schedule.owner_of(what) is not stage:
        return _not_of(stage, what)
    if own and (iv is None or not any(x is iv for x in stage.op.axis)):
        name = what.name if isinstance(what, IterVar) else str(what)
        return Refusal(f"{name} is not an axis of the tensor {stage.name}", f"it has {', '.join(own)}")
    return iv if own else None


def _axes(stage: Stage, what: object, values: Values) -> list[IterVar] | Refusal:
    found = []
    for one in what if isinstance(what, list | tuple) else [what]:
        iv = _axis(stage, one, values)
        if isinstance(iv, Refusal):
            return iv
        found.append(iv)
    return found


def _int(stage: Stage, what: object, values: Values) -> int | Refusal:
    try:
        number = operator.index(what)  # type: ignore[arg-type]
    except TypeError:
        return Refusal(f"{what!r} is not a whole number", "a number, such as 8")
    return (
        Refusal(f"{what!r} is not a whole number", "a number, such as 8")
        if isinstance(what, bool)
        else number
    )


def _stage(stage: Stage, what: object, values: Values) -> Any:
    try:
        return stage.schedule[what]
    except TewbError as e:
        return Refusal(e.args[0], e.args[2])


def _stages(stage: Stage, what: object, values: Values) -> Any:
    found = [_stage(stage, one, values) for one in (what if isinstance(what, list | tuple) else [what])]
    return next((x for x in found if isinstance(x, Refusal)), found)


def _place(stage: Stage, what: object, values: Values) -> Any:
    parent = values.get("parent")
    if parent is None:
        return Refusal("the stage to compute it in is missing", "compute_at(s[C], axis) names both")
    iv = _axis(parent, what, values)
    return Refusal(f"in stage {parent.name}, {iv.reason}", iv.hint) if isinstance(iv, Refusal) else iv


def _scope(stage: Stage, what: object, values: Values) -> str | Refusal:
    scopes = ("global", "local", "shared", "warp")
    return (
        what
        if isinstance(what, str) and what in scopes
        else Refusal(f"{what!r} is not a memory scope", f"scopes are {', '.join(scopes)}")
    )


def _word(stage: Stage, what: object, values: Values) -> str | Refusal:
    return what if isinstance(what, str) else Refusal(f"{what!r} is not a word", "give it as text")


_LOOKUP: dict[str, Callable[[Any, Any, Values], Any]] = {
    "axis": _axis,
    "axes": _axes,
    "dimension": _dimension,
    "int": _int,
    "stage": _stage,
    "stages": _stages,
    "place": _place,
    "scope": _scope,
    "word": _word,
}
