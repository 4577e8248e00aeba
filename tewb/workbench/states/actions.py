"""What can be done to a stage and a loop: the palette, and the forms of its primitives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tewb.base import TewbError
from tewb.schedule import PRIMITIVES, RECIPES, REQUIRED, Param, Recipe, Stage, Step, given_text
from tewb.workbench.judge.palette import Action, each_action, every_candidate, in_order, names_threads
from tewb.workbench.judge.palette import Preview as PalettePreview
from tewb.workbench.session import Session


@dataclass(frozen=True, slots=True)
class Preview:
    """What a step leads to: the loops of the stages that change, and the figures that change, in words."""

    loops: tuple[str, ...]
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A step that may be legal now. A refused one says why (`reason`, `hint`); `steps` are what a press does: the step
    itself, or for a refused one the steps that end in what was wanted. They are empty when nothing helps."""

    text: str
    primitive: str
    legal: bool
    is_place: bool
    steps: tuple[dict[str, Any], ...]
    steps_text: str
    reason: str
    hint: str
    preview: Preview | None


@dataclass(frozen=True, slots=True)
class Actions:
    """The palette of a stage and one of its loops."""

    stage: str
    loop: str | None
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class FormField:
    """A parameter of a primitive or a recipe: what it takes (`kind`, as `tewb.schedule.Param` names kinds), what may be
    chosen, and what it is when nothing is said: `unsaid`, where that is another choice. `places` are the loops of each stage that
    may be chosen as parent; what is `rare` few people want."""

    name: str
    kind: str
    doc: str
    required: bool
    value: str
    choices: tuple[str, ...]
    places: dict[str, tuple[str, ...]]
    rare: bool
    unsaid: str


@dataclass(frozen=True, slots=True)
class PrimitiveForm:
    """A primitive, or a recipe, as a form for a stage: what it does, and its parameters."""

    name: str
    stage: str
    doc: str
    fields: tuple[FormField, ...]


def actions_state(session: Session, stage: str, loop: str | None = None) -> Iterator[Actions | None]:
    """The palette; empty for a stage that is not there or has nothing to choose. None comes while it is worked out. Threads of
    another machine are offered where the schedule names some; the forms and `steps` have them always."""
    known = session.schedule.find(stage)
    if known is None:
        yield Actions(stage, loop, ())
        return
    names = [known.axis_name(iv) for iv in known.leaf_iter_vars]
    chosen = loop if loop in names else None
    found: list[Action] = []
    for action in each_action(session, stage, chosen):
        if not action.is_for_threads or names_threads(session.schedule):
            found.append(action)
        yield None
    yield Actions(stage, chosen, tuple(map(_choice, in_order(found))))


def steps_state(session: Session, stage: str = "") -> Iterator[tuple[Choice, ...] | None]:
    """All legal steps on all stages and loops, those on `stage` first; of a stage those about threads of another machine come
    last. None comes while they are worked out."""
    stages = [s for s in session.schedule.stages if s.leaf_iter_vars and not s.is_placeholder]
    found: dict[str, Action] = {}
    stages.sort(key=lambda s: s.name != stage)
    for s in stages:
        for step in every_candidate(s):
            if str(step) not in found and session.why_not(step) is None:
                found[str(step)] = Action(step, True)
            yield None
    names = [s.name for s in stages]
    ordered = sorted(found.values(), key=lambda a: (names.index(a.step.stage), a.is_for_threads))
    yield tuple(map(_choice, ordered))


def _choice(a: Action) -> Choice:
    steps: tuple[Step, ...] = (a.step,) if a.legal else ()
    if a.fix is not None and a.then is not None:
        steps = (a.fix, a.then)
    return Choice(
        str(a.step),
        a.step.primitive,
        a.legal,
        a.is_place,
        tuple([s.to_json() for s in steps]),
        ", then ".join(map(str, steps)),
        a.reason or "",
        a.hint or "",
        _preview(a.preview),
    )


def _preview(p: PalettePreview | None) -> Preview | None:
    return None if p is None else Preview(p.loops, p.changes)


def forms_of(session: Session, stage: str) -> tuple[PrimitiveForm, ...]:
    """The form of every primitive that a stage takes, in the order of menus, and then of every recipe."""
    known = session.schedule.find(stage)
    if known is None:
        return ()
    forms = [_form(session, stage, p.name) for p in session.primitives(stage)]
    recipes = [] if known.is_placeholder else [_recipe_form(r, known) for r in RECIPES.values()]
    return tuple([*forms, *recipes])


def _recipe_form(recipe: Recipe, stage: Stage) -> PrimitiveForm:
    """A recipe as a primitive of the stage, which is the first that it takes."""
    own = recipe.own_stage
    fields = [f for f in fields_of(recipe, stage, {}) if own is None or f.name != own.name]
    return PrimitiveForm(recipe.name, stage.name, recipe.doc, tuple(fields))


def fields_of(recipe: Recipe, stage: Stage, given: Mapping[str, Any]) -> tuple[FormField, ...]:
    """The parameters of a recipe for a stage, with what it was given, or what it takes when nothing is said."""
    fields: list[FormField] = []
    for p in recipe.params:
        required = p.default is REQUIRED
        choices = tuple(p.choices(stage)) if p.choices else ()
        value = "" if required or p.default is None else str(p.default)
        if p.name in given:
            value = given_text(given[p.name])
        fields.append(FormField(p.name, p.kind, p.doc, required, value, choices, {}, rare=False, unsaid=""))
    return tuple(fields)


def _form(session: Session, stage: str, primitive: str) -> PrimitiveForm:
    p = PRIMITIVES[primitive]
    first = next((param for param in p.params if param.kind in ("int", "size", "value")), None)
    return PrimitiveForm(
        primitive,
        stage,
        p.doc,
        tuple([_field(session, stage, primitive, param, param is first) for param in p.params]),
    )


def _field(session: Session, stage: str, primitive: str, p: Param, first: bool) -> FormField:
    choices = tuple(c for c in _choices(session, stage, primitive, p) if c != p.unsaid)
    places: dict[str, tuple[str, ...]] = {}
    if p.kind == "stage":
        places = {
            s: tuple(session.choices(stage, primitive, "axis", parent=s))
            for s in choices
            if _has_place(primitive)
        }
    required = p.default is REQUIRED
    value = choices[0] if choices else ""
    if p.kind in ("int", "size", "value"):
        value = str(p.default) if isinstance(p.default, int) else "16" if first or required else ""
    elif not required:
        value = "" if p.default is None else str(p.default)
    return FormField(p.name, p.kind, p.doc, required, value, choices, places, p.rare, p.unsaid or "")


def _has_place(primitive: str) -> bool:
    return any(q.kind == "place" for q in PRIMITIVES[primitive].params)


def _choices(session: Session, stage: str, primitive: str, p: Param) -> tuple[str, ...]:
    try:
        return tuple(session.choices(stage, primitive, p.name))
    except TewbError:
        return ()
