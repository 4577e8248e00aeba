"""A schedule as Python code: the journal written as calls of primitives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tewb.base import fresh_identifier, literal
from tewb.ir import Var
from tewb.schedule.declare import PRIMITIVES, Param, Primitive
from tewb.schedule.journal import Step
from tewb.schedule.methods import StagePrimitives
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

    def copy(self) -> Names:
        """The same identifiers, to go on with."""
        copied = Names(self.stages, self.taken, self.variables)
        copied.axes = dict(self.axes)
        return copied

    def fresh(self, wanted: str) -> str:
        """`wanted` as an identifier that nothing else has."""
        name = fresh_identifier(wanted, self.taken, WORDS)
        self.taken.add(name)
        return name

    def stage(self, name: str) -> str:
        if name not in self.stages:
            self.stages[name] = self.fresh(name)
        return self.stages[name]

    def axis(self, stage: str, axis: str) -> str:
        key = (stage, axis)
        if key not in self.axes:
            self.axes[key] = self.fresh(axis)
        return self.axes[key]


def schedule_code(
    schedule: Schedule,
    stages: Mapping[str, str],
    taken: set[str],
    variables: Mapping[Var, str] | None = None,
) -> list[str]:
    """The lines that apply the journal of `schedule` to a schedule named `s`.

    `stages` gives the identifier of the tensor of each stage of the program, `variables` those of its variables; `taken`
    are other identifiers in use.
    """
    shown = variables or {}
    sizes = schedule.size_variables() if schedule.part_sizes else {}
    of_sizes = {name: shown[v] for name, v in sizes.items() if v in shown}
    return JournalWriter(schedule.untouched(), Names(stages, taken, of_sizes)).lines(schedule.journal)


class JournalWriter:
    """Writes journals of a program as the lines that apply them, one after another: what a journal begins with like the
    longest one before it was written with that. `untouched` is a schedule without steps, `names` what is known there."""

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


def step_code(step: Step, names: Names) -> str:
    """One step as a line of Python."""
    p = PRIMITIVES[step.primitive]
    call = _call(p, step, names) if p.code is None else p.code(step, names)
    if not step.results:
        return call
    if p.results == "stage":
        stages = ", ".join(dict.fromkeys(names.stage(r) for r in step.results))
        several = ", *_" if len(step.results) > 1 else ""
        return f"{stages}{several} = {call}"
    return f"{', '.join(names.axis(step.stage, r) for r in step.results)} = {call}"


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
            case "scope" | "word" | "thread" | "condition" | "intrin":
                text = literal(value)
            case "size" if isinstance(value, str):
                said = re.sub(r"[^\W\d]\w*", lambda m: names.variables.get(m[0], m[0]), value)
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
    lines = []
    for stage, axis in pairs:
        if (stage, axis) not in names.axes:
            lines += _root_axes(replay[stage], axis, names)
    return lines


def _root_axes(stage: Stage, axis: str, names: Names) -> list[str]:
    iv = stage.find_axis(axis)
    for group, kind in ((stage.op.axis, "axis"), (stage.op.reduce_axis, "reduce_axis")):
        if any(x is iv for x in group):
            mine = [names.axis(stage.name, stage.axis_name(x)) for x in group]
            target = f"({mine[0]},)" if len(mine) == 1 else ", ".join(mine)
            return [f"{target} = s[{names.stage(stage.name)}].op.{kind}"]
    return []
