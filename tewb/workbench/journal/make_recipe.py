"""A recipe made of steps that were done: its text, as a function of stages, loops, and the values that shall vary.

C:tile(i,j,8,32); C:vectorize(j.inner)    ->    def tiled(s, C, x_factor=8, y_factor=32):
                                                    i, j = s[C].op.axis
                                                    i_outer, ... = s[C].tile(i, j, x_factor, y_factor)
                                                    s[C].vectorize(j_inner)
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tewb.base import ScheduleError, here, literal
from tewb.schedule import (
    PRIMITIVES,
    RECIPES,
    Names,
    RecipeCall,
    Schedule,
    Step,
    runs_of,
    step_code,
    written_lines,
)
from tewb.tensor.hybrid import WORDS

_VARIES = {"int": True, "size": True, "value": False, "scope": False, "word": False}
_PLACE = "recipe_parameter_{}_of_steps"
_PLACES = re.compile(r"""["']?recipe_parameter_(\d+)_of_steps["']?""")


@dataclass(frozen=True, slots=True)
class Varying:
    """A value in some steps that may become a parameter: of the parameter `of` of the step, or of the call of a recipe, at
    index `at`. `name` is what it would be called, `chosen` whether it usually varies; `is_size` is the text of sizes that a
    kernel is called with. `key` is "step.parameter", with the number of the step in the journal."""

    at: int
    of: str
    key: str
    text: str
    value: int | float | str
    name: str
    chosen: bool
    is_size: bool


@dataclass(frozen=True, slots=True)
class RecipeText:
    """A recipe as text, and its arguments for the steps that it was made of."""

    source: str
    args: dict[str, Any]


def varying_values(start: Schedule, steps: Sequence[Step], first: int, depth: int = 0) -> list[Varying]:
    """The values in `steps`, which follow on `start`, that may become parameters; `first` is the number of the first, and
    `depth` calls of recipes are around them."""
    return _RecipeSteps(start, steps, first, depth).values


def make_recipe(
    start: Schedule,
    steps: Sequence[Step],
    first: int,
    name: str,
    chosen: Mapping[str, str] | None,
    depth: int = 0,
) -> RecipeText:
    """The recipe `name` of `steps`, which are done on `start`; `first` is the number of the first one, and `depth` calls are
    around them. `chosen` gives names to the values that become parameters, by their keys; None takes those that usually
    vary. Raises ScheduleError."""
    parts = _RecipeSteps(start, steps, first, depth)
    if chosen is None:
        chosen = {v.key: v.name for v in parts.values if v.chosen}
    varying = _parameters(chosen, parts, name)
    order = list(varying)
    places = {v.key: _PLACE.format(order.index(chosen[v.key])) for v in parts.values if v.key in chosen}
    lines = written_lines(start, steps, parts.names, depth=parts.depth, shown=parts.shown(places))
    body = [_PLACES.sub(lambda m: order[int(m[1])], line) for line in lines]
    head = ["s", *parts.stages.values(), *parts.loops.values()]
    head += [said for said, v in varying.items() if v.is_size]
    head += [f"{said}={_written(v.value)}" for said, v in varying.items() if not v.is_size]
    source = "\n".join(["@tewb.recipe", f"def {name}({', '.join(head)}):", *(f"    {b}" for b in body), ""])
    args: dict[str, Any] = {said: {"tensor": stage} for stage, said in parts.stages.items()}
    args |= {said: {"loop": loop, "stage": stage} for (stage, loop), said in parts.loops.items()}
    args |= {said: {"size": v.value} if v.is_size else v.value for said, v in varying.items()}
    return RecipeText(source, args)


def _written(value: float | str) -> str:
    return literal(value) if isinstance(value, str) else repr(value)


def _parameters(chosen: Mapping[str, str], parts: _RecipeSteps, name: str) -> dict[str, Varying]:
    """The parameters by their names, each with a value that it stands for. Raises ScheduleError for names that cannot be."""
    span, offered = here(), {v.key: v for v in parts.values}
    taken = {*parts.stages.values(), *parts.loops.values(), "s", name}
    found: dict[str, Varying] = {}
    for key, said in chosen.items():
        if key not in offered:
            keys = ", ".join(offered) or "none"
            raise ScheduleError(f"{key} is no value of these steps", hint=f"there are {keys}", span=span)
        check_name(said, "a parameter")
        if said in taken:
            raise ScheduleError(
                f"{said} has another meaning in the recipe", hint="choose another name", span=span
            )
        value = offered[key].value
        if found.setdefault(said, offered[key]).value != value:
            both = f"{found[said].value} and {value}"
            raise ScheduleError(f"{said} would be {both}", hint="values of one name are equal", span=span)
    return found


def check_name(said: object, what: str) -> None:
    """Raise ScheduleError for what cannot be a name in Python, or means something else there."""
    words = {*WORDS, *PRIMITIVES, *keyword.kwlist, "te", "tewb"}
    if what == "a recipe":  # a call of it would hide the function of Python
        words |= set(dir(builtins))
    if not isinstance(said, str) or not said.isidentifier() or said in words:
        raise ScheduleError(
            f"{said!r} cannot be the name of {what}", hint="a word of letters, such as tiled", span=here()
        )


class _RecipeSteps:
    """What steps need of the schedule `start` that they are done on: the stages that are there, and loops that are no axes
    of them, with the identifiers that the recipe has for them; and the values that may vary."""

    def __init__(self, start: Schedule, steps: Sequence[Step], first: int, depth: int) -> None:
        self.start, self.steps, self.first, self.depth = start, steps, first, depth
        self.names = Names({}, {"te", "tewb", *start.size_variables(), *PRIMITIVES})
        self.inner = {
            r.first: r
            for r in runs_of(steps, self.depth)
            if r.depth == self.depth and r.call.recipe in RECIPES
        }
        self.names.taken |= {r.call.recipe for r in self.inner.values()}
        self.stages: dict[str, str] = {}
        self.loops: dict[tuple[str, str], str] = {}
        for step in steps:
            for stage, loop in _named(step):
                self._need(stage, loop)
        self.names.taken -= {r.call.recipe for r in self.inner.values()}
        self.values = list(self._values())

    def _need(self, stage: str, loop: str | None) -> None:
        known = self.start.find(stage)
        if known is None:
            return  # one of the steps makes it
        if stage not in self.stages:
            self.stages[stage] = self.names.stage(stage)
        iv = None if loop is None else known.find_axis(loop)
        is_axis = any(iv is x for x in (*known.op.axis, *known.op.reduce_axis))
        if iv is not None and loop is not None and not is_axis:
            self.loops[stage, loop] = self.names.axis(stage, loop)

    def _values(self) -> Iterator[Varying]:
        names = Names({}, {*self.names.taken, *(r.call.recipe for r in self.inner.values())})
        at = 0
        while at < len(self.steps):
            run = self.inner.get(at)
            said = self.steps[at] if run is None else run.call
            for of, value, varies in _of_step(self.steps[at]) if run is None else _of_call(run.call):
                is_size = isinstance(value, Mapping)
                plain = value["size"] if isinstance(value, Mapping) else value
                key = f"{self.first + at}.{of}"
                yield Varying(at, of, key, str(said), plain, names.fresh(of), varies, is_size)
            at = at + 1 if run is None else run.end

    def shown(self, places: Mapping[str, str]) -> list[Step]:
        """The steps with marks in the places of the values that have these keys."""
        shown = list(self.steps)
        for v in self.values:
            if v.key not in places:
                continue
            step, place = shown[v.at], {v.of: places[v.key]}
            if v.at not in self.inner:
                shown[v.at] = replace(step, args={**step.args, **place})
                continue
            call = step.calls[self.depth]
            marked = RecipeCall(call.recipe, {**call.args, **place})
            calls = (*step.calls[: self.depth], marked, *step.calls[self.depth + 1 :])
            shown[v.at] = replace(step, calls=calls)
        return shown


def _of_step(step: Step) -> Iterator[tuple[str, Any, bool]]:
    """The values of a step that may vary, and whether they usually do."""
    for p in PRIMITIVES[step.primitive].params:
        value = step.args.get(p.name)
        if (
            p.kind not in _VARIES
            or not isinstance(value, int | str)
            or (p.kind == "int" and value == p.default)
        ):
            continue
        mark = _PLACE.format(0)
        if mark not in step_code(replace(step, args={**step.args, p.name: mark}), Names({}, set())):
            continue  # it is written in another way
        is_size = p.kind == "size" and isinstance(value, str)
        yield p.name, {"size": value} if is_size else value, _VARIES[p.kind] or isinstance(value, int)


def _of_call(call: RecipeCall) -> Iterator[tuple[str, Any, bool]]:
    """The values that were given to a recipe and may vary."""
    for name, value in call.args.items():
        if isinstance(value, int | float | str) or (isinstance(value, Mapping) and "size" in value):
            yield name, value, not isinstance(value, str | bool)


def _named(step: Step) -> Iterator[tuple[str, str | None]]:
    """The stages and loops that a step names."""
    yield step.stage, None
    for p in PRIMITIVES[step.primitive].params:
        value = step.args.get(p.name)
        if value is None:
            continue
        several = value if isinstance(value, list | tuple) else [value]
        match p.kind:
            case "axis" | "axes" | "dimension":
                yield from ((step.stage, x) for x in several)
            case "place":
                yield step.args["parent"], value
            case "stage" | "stages":
                yield from ((x, None) for x in several)
