"""The program of a session as Python: what defines its tensors, then what schedules them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import ExternError, literal
from tewb.ir import Var, free_vars
from tewb.schedule import JournalWriter, Names, Recipe, Schedule, schedule_code
from tewb.tensor import GraphSource, Tensor
from tewb.tensor.hybrid import HybridOp
from tewb.workbench.journal.recipe_source import source_of, stands_alone, with_those_inside


@dataclass(frozen=True, slots=True)
class Definitions:
    """The lines that define the tensors of a program.

    `tensors`, `variables` and `args` are identifiers, `stages` those of the first output of each stage, and `taken` all
    identifiers in use.
    """

    lines: list[str]
    tensors: dict[Tensor, str]
    stages: dict[str, str]
    args: list[str]
    taken: set[str]
    variables: dict[Var, str]


def define(schedule: Schedule, args: Sequence[Any]) -> Definitions:
    """How the tensors of `schedule` are defined. Raises ExternError when code of the user's own defines one."""
    names = Names({}, {"args", "module"})
    graph = GraphSource(names.fresh)
    first = Schedule(schedule.outputs)
    # The text of a hybrid function defines its name.
    names.taken |= {op.function_name for op in (st.op for st in first.stages) if isinstance(op, HybridOp)}
    for stage in first.stages:
        graph.define(stage.op)
    for a in args:
        if isinstance(a, Tensor) and a not in graph.tensors:
            graph.define(a.op)  # nothing reads it, and the kernel takes it all the same
    graph.declare([a for a in args if not isinstance(a, Tensor)])
    graph.declare([v for p in schedule.part_sizes.values() for v in free_vars(p.given)])
    stages = {st.name: graph.tensors[st.op.output(0)] for st in first.stages}
    shown = [graph.tensors[a] if isinstance(a, Tensor) else graph.vars[a] for a in args]
    return Definitions(graph.lines, graph.tensors, stages, shown, names.taken, graph.vars)


def known_names(schedule: Schedule, args: Sequence[Any]) -> Definitions:
    """As `define`; where there is no source, only the identifiers, and no lines."""
    try:
        return define(schedule, args)
    except ExternError:
        names = Names({}, {"args", "module"})
        first = Schedule(schedule.outputs)
        given = [st.op for st in first.stages] + [a.op for a in args if isinstance(a, Tensor)]
        tensors = {t: names.fresh(t.name) for op in dict.fromkeys(given) for t in op.outputs}
        stages = {st.name: tensors[st.op.output(0)] for st in first.stages}
        variables = {v: names.fresh(v.name) for v in schedule.size_variables().values()}
        return Definitions([], tensors, stages, [], names.taken, variables)


def program_code(schedule: Schedule, args: Sequence[Any], name: str) -> str:
    """A program that defines the same tensors and schedules them the same way.

    It ends with `s`, `args` and `module`. Raises ExternError when an operation has no source.
    """
    d = define(schedule, args)
    outputs = ", ".join(f"{d.tensors[op.output(0)]}.op" for op in schedule.outputs)
    several = len(schedule.outputs) > 1
    lines = ["import tewb", "from tewb import te", "", *d.lines, ""]
    lines += [f"s = te.create_schedule({f'[{outputs}]' if several else outputs})"]
    called: list[Recipe] = []
    calls = schedule_code(schedule, d.stages, d.taken, d.variables, stands_alone, called)
    lines += [*_definitions(with_those_inside(called)), *calls]
    lines += ["", f"args = [{', '.join(d.args)}]", f"module = tewb.lower(s, args, name={literal(name)})", ""]
    return "\n".join(lines)


def cell_code(schedule: Schedule, args: Sequence[Any]) -> str:
    """The lines for a cell of their own: they schedule the program anew, whatever became of its schedule."""
    d = known_names(schedule, args)
    outputs = ", ".join(f"{d.stages[op.name]}.op" for op in schedule.outputs)
    several = len(schedule.outputs) > 1
    begin = f"s = te.create_schedule({f'[{outputs}]' if several else outputs})"
    return "\n".join(["from tewb import te", "", begin, schedule_text(schedule, args)])


def schedule_writer(schedule: Schedule, args: Sequence[Any]) -> JournalWriter:
    """Writes the journals of a program, as long as none of them splits by sizes that are known in kernels only: those have
    names of their own."""
    d = known_names(schedule, args)
    return JournalWriter(schedule.untouched(), Names(d.stages, d.taken))


def schedule_text(schedule: Schedule, args: Sequence[Any]) -> str:
    """The lines of the program that schedule it, on a schedule named `s`: what can be edited. The recipes that were written
    in the workbench are defined before they are called."""
    d = known_names(schedule, args)
    called: list[Recipe] = []
    calls = schedule_code(schedule, d.stages, d.taken, d.variables, called=called)
    defined = _definitions([r for r in with_those_inside(called) if r.source is not None])
    head = ["import tewb", *defined] if defined else []
    return "".join(f"{line}\n" for line in (*head, *calls))


def _definitions(called: Sequence[Recipe]) -> list[str]:
    """The lines that define recipes."""
    return [line for r in called for line in ("", *(source_of(r) or "").splitlines(), "")]
