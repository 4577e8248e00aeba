"""A schedule as Python code: the journal written as calls of primitives."""

from __future__ import annotations

from collections.abc import Mapping

from tewb.base import fresh_identifier, literal
from tewb.schedule.journal import Step
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import Stage
from tewb.tensor.hybrid import WORDS


class Names:
    """Python identifiers for the stages and axes of a schedule. `taken` are names that mean something else."""

    def __init__(self, stages: Mapping[str, str], taken: set[str]) -> None:
        self.stages = dict(stages)
        self.taken = {*taken, *self.stages.values(), "s"}
        self.axes: dict[tuple[str, str], str] = {}

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


def schedule_code(schedule: Schedule, stages: Mapping[str, str], taken: set[str]) -> list[str]:
    """The lines that apply the journal of `schedule` to a schedule named `s`.

    `stages` gives the identifier of the tensor of each stage of the program; `taken` are other identifiers
    in use.
    """
    names = Names(stages, taken)
    replay = Schedule(schedule.outputs)
    lines: list[str] = []
    for step in schedule.journal:
        lines += _unpack_axes(replay, step, names)
        lines.append(step_code(step, names))
        replay.apply(step)
    return lines


def step_code(step: Step, names: Names) -> str:
    """One step as a line of Python."""
    stage = names.stage(step.stage)
    args = step.args
    match step.primitive:
        case "cache_read":
            readers = ", ".join(names.stage(r) for r in args["readers"])
            tensor = stage if not args.get("output") else f"{stage}.op.output({args['output']})"
            call = f"s.cache_read({tensor}, {literal(args['scope'])}, [{readers}])"
            return f"{names.stage(step.results[0])} = {call}"
        case "cache_write":
            made = ", ".join(dict.fromkeys(names.stage(r) for r in step.results))
            several = ", *_" if len(step.results) > 1 else ""
            return f"{made}{several} = s.cache_write({stage}, {literal(args['scope'])})"
        case "rfactor":
            made = ", ".join(dict.fromkeys(names.stage(r) for r in step.results))
            several = ", *_" if len(step.results) > 1 else ""
            return f"{made}{several} = s.rfactor({stage}, {', '.join(_arguments(step, names))})"
    call = f"s[{stage}].{step.primitive}({', '.join(_arguments(step, names))})"
    if not step.results:
        return call
    return f"{', '.join(names.axis(step.stage, r) for r in step.results)} = {call}"


def _arguments(step: Step, names: Names) -> list[str]:
    shown = []
    for key, value in step.args.items():
        match key:
            case "axis" if step.primitive == "compute_at":
                shown.append(names.axis(step.args["parent"], value))
            case "axis" | "x" | "y" | "rows" | "lanes":
                shown.append(names.axis(step.stage, value))
            case "axes":
                shown += [names.axis(step.stage, a) for a in value]
            case "tensor":
                shown.append(names.stage(value))
            case "parent":
                shown.append(f"s[{names.stage(value)}]")
            case "x_factor" | "y_factor" | "value":
                shown.append(repr(value))
            case "scope" | "key":
                shown.append(literal(value))
            case _:
                shown.append(f"{key}={value!r}")
    return shown


def _unpack_axes(replay: Schedule, step: Step, names: Names) -> list[str]:
    """The lines that name the root axes which `step` is the first to use."""
    args = step.args
    single = () if step.primitive == "compute_at" else ("axis", "x", "y", "rows", "lanes")
    pairs = [(step.stage, args[k]) for k in single if k in args]
    pairs += [(step.stage, a) for a in args.get("axes", ())]
    if step.primitive == "compute_at":
        pairs.append((args["parent"], args["axis"]))
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
