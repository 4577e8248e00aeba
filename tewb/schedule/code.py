"""A schedule as Python code: the journal written as calls of primitives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb.base import comment, fresh_identifier, literal
from tewb.ir import Var
from tewb.schedule.declare import PRIMITIVES, REQUIRED, Param, Primitive
from tewb.schedule.journal import RecipeCall, Step, runs_of
from tewb.schedule.methods import StagePrimitives
from tewb.schedule.recipes import RECIPES, Recipe
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import Stage
from tewb.tensor.hybrid import WORDS


class Names:
    """Python identifiers for the stages, variables and axes of a schedule. `taken` are names that mean something else."""

    def __init__(
        self, stages: Mapping[str, str], taken: set[str], variables: Mapping[str, str] | None = None
    ) -> None:
        self.stages, self.variables = dict(stages), dict(variables or {})
        self.taken = {*taken, *self.stages.values(), "s"}
        self.axes: dict[tuple[str, str], str] = {}
        self.called: list[Recipe] = []

    def copy(self) -> Names:
        """The same identifiers, to go on with."""
        copied = Names(self.stages, self.taken, self.variables)
        copied.axes, copied.called = dict(self.axes), list(self.called)
        return copied

    def fresh(self, wanted: str) -> str:
        """`wanted` as an identifier that nothing else has."""
        name = wanted if self._may_stay(wanted) else fresh_identifier(wanted, self.taken, WORDS)
        self.taken.add(name)
        return name

    def _may_stay(self, name: str) -> bool:
        """Whether a name is free that has a meaning in printed IR, and none in schedules."""
        return name in ("I", "T") and name not in self.taken

    def stage(self, name: str) -> str:
        if name not in self.stages:
            self.stages[name] = self.fresh(name)
        return self.stages[name]

    def axis(self, stage: str, axis: str) -> str:
        key = (stage, axis)
        if key not in self.axes:
            self.axes[key] = self.fresh(axis)
        return self.axes[key]

    def means_another(self, recipe: str) -> bool:
        """Whether the name of a recipe means something else here."""
        return recipe in self.taken and all(r.name != recipe for r in self.called)

    def recipe_called(self, recipe: Recipe, steps: Sequence[Step]) -> None:
        """A recipe made these steps, and has the handles: what they make is called by its name in the schedule, in quotes."""
        self.called.append(recipe)
        self.taken.add(recipe.name)
        for step in steps:
            for result in step.results:
                if PRIMITIVES[step.primitive].results == "stage":
                    self.stages.setdefault(result, literal(result))
                else:
                    self.axes[step.stage, result] = literal(result)

    def new_stage(self, name: str) -> str:
        """The identifier of a stage that a step makes."""
        if not self.stages.get(name, "s").isidentifier():
            del self.stages[name]
        return self.stage(name)

    def new_axis(self, stage: str, axis: str) -> str:
        """The identifier of a loop that a step makes."""
        if not self.axes.get((stage, axis), "s").isidentifier():
            del self.axes[stage, axis]
        return self.axis(stage, axis)

    def sizes(self, text: str) -> str:
        """A size with the identifiers of its variables."""
        return re.sub(r"[^\W\d]\w*", lambda m: self.variables.get(m[0], m[0]), text)


Allowed = Callable[[Recipe], bool]


def schedule_code(
    schedule: Schedule,
    stages: Mapping[str, str],
    taken: set[str],
    variables: Mapping[Var, str] | None = None,
    allowed: Allowed = lambda recipe: True,
    called: list[Recipe] | None = None,
) -> list[str]:
    """The lines that apply the journal of `schedule` to a schedule named `s`.

    `stages` gives the identifier of the tensor of each stage of the program, `variables` those of its variables; `taken`
    are other identifiers in use. What a recipe made is a call of it, where it is one that is known and `allowed`, and
    still makes these steps; otherwise it is the steps. The recipes that are called are added to `called`.
    """
    shown = variables or {}
    sizes = schedule.size_variables() if schedule.part_sizes or schedule.bodies else {}
    of_sizes = {name: shown[v] for name, v in sizes.items() if v in shown}
    names = Names(stages, taken, of_sizes)
    lines = written_lines(schedule.untouched(), schedule.journal, names, allowed)
    if called is not None:
        called += names.called
    return lines


class JournalWriter:
    """Writes journals of a program as the lines that apply them, one after another: what a journal begins with like the
    longest one before it was written with that. `untouched` is a schedule without steps, `names` what is known there.
    Calls of recipes are not written: only steps."""

    def __init__(self, untouched: Schedule, names: Names) -> None:
        self._replay = untouched
        self._steps: list[Step] = []
        self._lines: list[list[str]] = []  # of each step
        self._names = [names]  # before each step, and after the last

    def lines(self, journal: Sequence[Step]) -> list[str]:
        """The lines of all steps of a journal."""
        pairs = zip(self._steps, journal, strict=False)
        same = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(self._steps), len(journal)))
        if same < len(journal):
            self._forget(same)
            for step in journal[same:]:
                self._write(step)
        return [line for lines in self._lines[: len(journal)] for line in lines]

    def _forget(self, start: int) -> None:
        if start < len(self._steps):
            del self._steps[start:], self._lines[start:], self._names[start + 1 :]
            self._replay.restore(self._steps)

    def _write(self, step: Step) -> None:
        names = self._names[-1].copy()
        lines = [*_unpack_axes(self._replay, step, names), step_code(step, names)]
        self._replay.apply(step, at_once=False)
        self._steps.append(step)
        self._lines.append(lines)
        self._names.append(names)


def written_lines(
    replay: Schedule,
    journal: Sequence[Step],
    names: Names,
    allowed: Allowed = lambda recipe: True,
    depth: int = 0,
    shown: Sequence[Step] | None = None,
) -> list[str]:
    """The lines of some steps, which are done on `replay` meanwhile; `depth` calls are around all of them. `shown` are
    the steps as they are written, if not as they are."""
    shown = journal if shown is None else shown
    runs = {run.first: run for run in runs_of(journal, depth) if run.depth == depth}
    lines: list[str] = []
    at = 0
    while at < len(journal):
        end = at + 1 if at not in runs else runs[at].end
        if at in runs:
            lines += _run_lines(replay, journal[at:end], names, allowed, depth, shown[at:end])
        else:
            lines += [*_unpack_axes(replay, journal[at], names), step_code(shown[at], names)]
            replay.apply(journal[at], at_once=False)
        at = end
    return lines


def _run_lines(
    replay: Schedule, steps: Sequence[Step], names: Names, allowed: Allowed, depth: int, shown: Sequence[Step]
) -> list[str]:
    """The call of a recipe, or its steps under a comment."""
    call = steps[0].calls[depth]
    recipe = RECIPES.get(call.recipe)
    if recipe is not None and allowed(recipe) and not names.means_another(recipe.name):
        loops = _loops_in(call.args)
        lines = [line for stage, axis in loops for line in _axis_lines(replay, stage, axis, names)]
        lines.append(recipe_code(shown[0].calls[depth], recipe, names))
        if recipe.makes(replay, call, tuple(steps)):
            names.recipe_called(recipe, steps)
            return lines
    inside = written_lines(replay, steps, names, allowed, depth + 1, shown)
    return [comment(str(call)), *inside]


def recipe_code(call: RecipeCall, recipe: Recipe, names: Names) -> str:
    """A call of a recipe as Python, without the arguments that are as they are when nothing is said."""
    shown, by_name = ["s"], False
    for p in recipe.params:
        value = call.args.get(p.name)
        plain = p.default is None or isinstance(p.default, bool | int | float | str)
        if p.name not in call.args or (plain and value == p.default):
            by_name = True
            continue
        text = value_code(value, names)
        shown.append(f"{p.name}={text}" if by_name or p.default is not REQUIRED else text)
    return f"{recipe.name}({', '.join(shown)})"


def value_code(value: Any, names: Names) -> str:
    """What was given to a recipe, as Python."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_code(v, names) for v in value)}]"
    if isinstance(value, str):
        return literal(value)
    if not isinstance(value, Mapping):
        return repr(value)
    if "size" in value:
        return names.sizes(str(value["size"]))
    if "loop" in value:
        return names.axis(str(value["stage"]), str(value["loop"]))
    said = names.stage(str(next(iter(value.values()))))
    if "stage" in value:
        return f"s[{said}]"
    if "operation" in value:
        return f"{said}.op" if said.isidentifier() else f"s[{said}].op"
    output = value.get("output", 0)
    if output:
        return f"s[{said}].op.output({output})"
    return said


def _loops_in(value: Any) -> list[tuple[str, str]]:
    """The loops in what was given to a recipe: their stages and names."""
    if isinstance(value, Mapping) and "loop" in value:
        return [(str(value["stage"]), str(value["loop"]))]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [found for one in inner for found in _loops_in(one)]


def step_code(step: Step, names: Names) -> str:
    """One step as a line of Python."""
    p = PRIMITIVES[step.primitive]
    call = _call(p, step, names) if p.code is None else p.code(step, names)
    if not step.results:
        return call
    if p.results == "stage":
        stages = ", ".join(dict.fromkeys(names.new_stage(r) for r in step.results))
        several = ", *_" if len(step.results) > 1 else ""
        return f"{stages}{several} = {call}"
    return f"{', '.join(names.new_axis(step.stage, r) for r in step.results)} = {call}"


def _call(p: Primitive, step: Step, names: Names) -> str:
    """The call of a primitive: `s[C].split(i, factor=8)`, or `s.rfactor(C, k)` where it belongs to the schedule."""
    stage, arguments = names.stage(step.stage), _arguments(p, step, names)
    if p.owner is StagePrimitives:
        return f"s[{stage}].{p.name}({', '.join(arguments)})"
    return f"s.{p.name}({', '.join([stage, *arguments])})"


def _arguments(p: Primitive, step: Step, names: Names) -> list[str]:
    shown = []
    for param in p.params:
        value = step.args.get(param.name)
        if value is None:
            continue
        match param.kind:
            case "axis" | "dimension" | "place":
                text = names.axis(_owner(param, step), value)
            case "axes":
                text = ", ".join(names.axis(step.stage, a) for a in value)
            case "stage":
                text = names.stage(value)
            case "stages":
                text = f"[{', '.join(map(names.stage, value))}]"
            case "threads":
                text = f"[{', '.join(map(literal, value))}]"
            case "scope" | "word" | "thread" | "condition" | "call condition" | "intrin":
                text = literal(value)
            case "size" if isinstance(value, str):
                said = names.sizes(value)
                text = said if param.code else f"{param.name}={said}"
            case _:
                text = repr(value) if param.code else f"{param.name}={value!r}"
        shown.append(param.code.format(text) if param.code else text)
    return [text for text in shown if text]


def _owner(param: Param, step: Step) -> str:
    """The stage that an axis is one of."""
    return str(step.args["parent"] if param.kind == "place" else step.stage)


def _unpack_axes(replay: Schedule, step: Step, names: Names) -> list[str]:
    """The lines that name the root axes which `step` is the first to use."""
    pairs: list[tuple[str, str]] = []
    for param in PRIMITIVES[step.primitive].params:
        value = step.args.get(param.name)
        if value is not None and param.kind in ("axis", "dimension", "place"):
            pairs.append((_owner(param, step), value))
        elif value is not None and param.kind == "axes":
            pairs += [(step.stage, a) for a in value]
    return [line for stage, axis in pairs for line in _axis_lines(replay, stage, axis, names)]


def _axis_lines(replay: Schedule, stage: str, axis: str, names: Names) -> list[str]:
    """The line that names an axis, if nothing has named it before."""
    known = (stage, axis) in names.axes or replay.find(stage) is None
    return [] if known else _root_axes(replay[stage], axis, names)


def _root_axes(stage: Stage, axis: str, names: Names) -> list[str]:
    iv = stage.find_axis(axis)
    for group, kind in ((stage.op.axis, "axis"), (stage.op.reduce_axis, "reduce_axis")):
        if any(x is iv for x in group):
            mine = [names.axis(stage.name, stage.axis_name(x)) for x in group]
            target = f"({mine[0]},)" if len(mine) == 1 else ", ".join(mine)
            return [f"{target} = s[{names.stage(stage.name)}].op.{kind}"]
    return []
