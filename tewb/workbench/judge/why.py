"""Explanations: why a loop runs so often, why memory is so large, why a step is refused, why an expression
became what it is. Each is a chain of plain sentences, read from the same analyses that made the decision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tewb.arith import Analyzer, explain_simplify
from tewb.arith.intset import Interval
from tewb.base import ScheduleError, TewbError, readable
from tewb.ir import (
    AxisKind,
    BufferStore,
    Expr,
    For,
    IfThenElse,
    IterVar,
    ProducerLoad,
    Range,
    Stmt,
    Var,
    const_int,
    free_vars,
    ops,
    script,
    structural_equal,
    substitute,
    uses,
    walk,
)
from tewb.lowering import body_in_view
from tewb.schedule import (
    PRIMITIVES,
    ROUND_UP,
    SHIFT,
    At,
    Extents,
    Fuse,
    Split,
    Stage,
    Step,
    With,
    divides,
    element_at,
    enclosing,
    first_of,
    index_up,
    loop_marks,
    loop_of,
    needed_guards,
    rounded_axes,
    shapes_in_memory,
    steps_in,
    window_of,
)
from tewb.schedule.bounds import Bounds, infer_bounds, readings
from tewb.tensor import ComputeOp, ExternOp, ScanOp
from tewb.workbench.judge.ledger import argument_stages, cache_hint, caches, ledger
from tewb.workbench.judge.palette import Trials
from tewb.workbench.session_view import ProgramView


@readable
@dataclass(frozen=True, slots=True)
class Explanation:
    """A question, the sentences that lead to its answer, and the answer."""

    question: str
    steps: tuple[str, ...]
    answer: str

    def __str__(self) -> str:
        lines = [self.question, *(f"  {i}. {step}" for i, step in enumerate(self.steps, 1))]
        return "\n".join([*lines, f"  So: {self.answer}"])


def explain(program: ProgramView, what: str, about: object, loop: IterVar | str | None = None) -> Explanation:
    """Why something is as it is.

        explain("bound", "X", "i")          why the loop i of X runs as often as it does
        explain("allocation", "X")          why X takes the memory that it takes
        explain("guard", "X")               which conditions stand around the iterations of X, and why
        explain("illegal", step)            why a step is refused
        explain("simplification", "X")      which rules made the indices and guards of X simple

    Raises TewbError for another question, ScheduleError for a stage or loop that is not there.
    """
    if not isinstance(what, str) or what not in _QUESTIONS:
        raise TewbError(f"explain: {what!r} is not a question", hint=f"there are {', '.join(_QUESTIONS)}")
    if what == "illegal":
        return illegal(program, about)
    stage = program.schedule[about]
    if stage.is_placeholder:
        raise ScheduleError(
            f"{stage.name} is an input: nothing of it is computed", hint="ask about its readers"
        )
    if what in ("guard", "simplification") and program.problem is not None:
        raise program.problem  # both are about loops, and there are none
    if what == "bound":
        return bound(program, stage, loop)
    return _OF_STAGE[what](program, stage)


_QUESTIONS = ("bound", "allocation", "guard", "illegal", "simplification")


# ---------------------------------------------------------------- texts


def text(e: Expr, names: Mapping[Var, Expr] | None = None) -> str:
    """An expression without the prefix of the IR's functions, its loops named as in `names`."""
    return script(substitute(e, names) if names else e).replace("T.", "").replace("bool(True)", "True")


def loop_names(bounds: Bounds) -> dict[Var, Expr]:
    """Every loop variable with its stage in its name: `Y.i.outer`."""
    return {
        v: Var(f"{s.name}.{s.axis_name(iv)}", v.dtype)
        for s, own in bounds.stages.items()
        for iv, v in own.vars.items()
    }


def _between(x: Interval | None, bounds: Bounds, names: Mapping[Var, Expr]) -> str:
    if x is None:
        return "unknown until it runs"
    lo, hi = (text(bounds.analyzer.simplify(e), names) for e in (x.lo, x.hi))
    return lo if lo == hi else f"{lo} .. {hi}"


def _range_text(r: Range, names: Mapping[Var, Expr]) -> str:
    return f"{text(r.extent, names)} from {text(r.min, names)} on"


def _names(loops: Sequence[tuple[Stage, IterVar]]) -> str:
    return ", ".join(f"{s.name}.{s.axis_name(iv)}" for s, iv in loops)


# ---------------------------------------------------------------- regions


def region_steps(stage: Stage, bounds: Bounds, kept: bool) -> list[str]:
    """From the readers of a stage to the box of it that is computed at its place."""
    if stage.is_output or not stage.op.tiled:
        return [_all_of_it(stage)]
    steps = [_place(stage)]
    per_reader = _reads(stage, bounds)
    steps += per_reader
    names = loop_names(bounds)
    if len(per_reader) > 1:
        steps.append("the union of these boxes is what must be there")
    own = bounds.stages[stage]
    for iv, n in zip(stage.op.axis, stage.op.output(0).shape, strict=False):
        if iv in own.ranges:
            steps.append(_dimension(stage, iv, own.ranges[iv], n, names))
    window = window_of(stage, bounds)
    if window is not None:
        steps += [f"{stage.name} is kept around loops that it is computed in", *window.facts()]
    if kept:
        steps.append(f"{stage.name} is an argument of the kernel, so all of it lives in the caller's memory")
    return steps


def _all_of_it(stage: Stage) -> str:
    shape = ", ".join(text(n) for n in stage.op.output(0).shape)
    if stage.is_output:
        return f"{stage.name} is an output, so all of ({shape}) is computed"
    why = "its access is not declared by regions, so a call makes everything"
    if isinstance(stage.op, ScanOp):
        why = "its steps mix elements" if stage.attached else "it is computed at the root, all steps of it"
    elif not isinstance(stage.op, ExternOp):
        why = "no loop of it makes one part alone"
    return f"{stage.name} can only be computed as a whole ({shape}): {why}"


def _place(stage: Stage) -> str:
    if isinstance(stage.attach, With):
        loops = ", ".join(stage.shared_loops)
        return f"{stage.name} is computed with {stage.attach.stage.name}, whose loops {loops} are its own too"
    if stage.is_after and stage.attached is not None:
        at = stage.attached
        return (
            f"{stage.name} is computed after what is in loop {at.stage.name}.{at.stage.axis_name(at.axis)}: in each iteration the "
            f"elements that need no more of {at.stage.name} than is made by then"
        )
    if not isinstance(stage.attach, At):
        return f"{stage.name} is computed at the root, before everything that reads it, so every loop of its readers runs"
    around = list(reversed(enclosing(stage)))
    still = f"{_names(around)} {'stands' if len(around) == 1 else 'stand'} still"
    parent = f"{stage.attach.stage.name}.{stage.attach.stage.axis_name(stage.attach.axis)}"
    return (
        f"{stage.name} is computed inside of loop {parent}: "
        f"while it is computed, {still}, and all other loops of its readers run"
    )


def _reads(stage: Stage, bounds: Bounds) -> list[str]:
    fixed, names = set(enclosing(stage)), loop_names(bounds)
    loads: dict[Stage, Iterator[str]] = {}
    said: dict[str, None] = {}
    for reader, box in readings(stage, bounds):
        if reader not in loads:
            loads[reader] = iter(_accesses(stage, reader, bounds))
        access = next(loads[reader], f"all of {stage.name}")
        running = [(reader, iv) for iv in reader.leaf_iter_vars if (reader, iv) not in fixed]
        running += [x for x in enclosing(reader) if x not in fixed]
        while_ = f", while {_names(running)} run" if running else ""
        ranges = ", ".join(_between(x, bounds, names) for x in box)
        said[f"{reader.name} reads {access}{while_}: that is [{ranges}]"] = None
    return list(said) or [f"nothing reads {stage.name}"]


def _accesses(stage: Stage, reader: Stage, bounds: Bounds) -> list[str]:
    """What a reader reads, in its own words, in the order in which bound inference looks at it."""
    op = bounds.operations[reader]
    if isinstance(op, ComputeOp):
        return [
            f"{stage.name}[{', '.join(text(i) for i in n.indices)}]"
            for e in op.body
            for n in walk(e)
            if isinstance(n, ProducerLoad) and stage.schedule.stage_of(n.producer) is stage
        ]
    if isinstance(op, ExternOp):
        return [f"{stage.name} as its access {op.access.name} says"]
    if isinstance(op, ScanOp):
        outputs = [*op.init, *op.update]
        what = "the first steps" if any(t in stage.op.outputs for t in op.init) else "its own step"
        return [f"{what} of {t.name}" for t in outputs if t in stage.op.outputs]
    return []


def _dimension(stage: Stage, iv: IterVar, r: Range, declared: Expr, names: Mapping[Var, Expr]) -> str:
    name = stage.axis_name(iv)
    steps = steps_in(r)
    if steps is not None:
        apart = " and ".join(str(step) for _, step in reversed(steps) if step > 1)
        return (
            f"along {name} that is never more than {text(r.extent)} in steps of {apart}, and nothing between them is read, "
            f"so only these are computed and kept, from {text(r.min, names)} on"
        )
    if const_int(r.min) == 0 and structural_equal(r.extent, declared):
        return f"along {name} that is all {text(declared)} of the declared size"
    if const_int(r.extent) is not None:
        return (
            f"along {name} that is never more than {text(r.extent)}, less than the declared {text(declared)}, "
            f"so {_range_text(r, names)} are computed"
        )
    return f"along {name} {_range_text(r, names)} are computed; no constant could be proved"


# ---------------------------------------------------------------- loops


def bound(program: ProgramView, stage: Stage, loop: IterVar | str | None) -> Explanation:
    """Why a loop runs as often as it does."""
    if stage.is_inlined:
        raise ScheduleError(f"{stage.name} is computed inline and has no loops", hint="ask about its readers")
    wanted = loop_of(stage, loop)
    name = stage.axis_name(wanted)
    kept = argument_stages(program.schedule, program.args)
    bounds = infer_bounds(program.schedule, kept)
    own = bounds.stages[stage]
    roots, relations = _ancestry(stage, wanted)
    steps = [s for iv in roots for s in _root_steps(stage, iv)]
    if any(iv.kind is not AxisKind.REDUCE for iv in roots):
        steps += region_steps(stage, bounds, stage in kept)
    steps += [_relation(stage, r, own.extents) for r in relations]
    around = [g for g in guards(stage, bounds) if uses(g.condition, [own.vars[wanted]])]
    steps += [_guard(stage, g, bounds) for g in around]
    n = text(own.extents[wanted])
    times = "iteration" if n == "1" else "iterations"
    runs = _runs(stage, wanted, bounds)
    often = "" if runs is None else f" each time it is entered, and its body runs {runs:,} times in one call"
    return Explanation(
        f"Why does loop {stage.name}.{name} have {n} {times}?", tuple(steps), f"{name} has {n} {times}{often}"
    )


def _runs(stage: Stage, loop: IterVar, bounds: Bounds) -> int | None:
    """How often the body of a loop runs in a call, all loops around it counted; None where sizes are symbolic."""
    leaves = stage.leaf_iter_vars
    if loop not in leaves:
        return None
    around = [*enclosing(stage), *((stage, iv) for iv in leaves[: leaves.index(loop) + 1])]
    counts = [const_int(bounds.stages[s].extents[iv]) for s, iv in around]
    return None if None in counts else math.prod(n for n in counts if n is not None)


def _root_steps(stage: Stage, iv: IterVar) -> list[str]:
    domain = stage.op.domain(iv)
    if iv.kind is AxisKind.REDUCE and domain is not None:
        return [
            f"{stage.axis_name(iv)} is a reduce axis of {text(domain.extent)} terms: every element needs all of them"
        ]
    return []


def _ancestry(stage: Stage, loop: IterVar) -> tuple[list[IterVar], list[Split | Fuse]]:
    """The axes that a loop came from, and the relations that made it, first to last."""
    wanted: list[IterVar] = [loop]
    relations: list[Split | Fuse] = []
    for r in reversed(stage.relations):
        match r:
            case Split(parent, outer, inner) if any(x is outer or x is inner for x in wanted):
                wanted = [x for x in wanted if x is not outer and x is not inner] + [parent]
                relations.insert(0, r)
            case Fuse(outer, inner, fused) if any(x is fused for x in wanted):
                wanted = [x for x in wanted if x is not fused] + [outer, inner]
                relations.insert(0, r)
    return wanted, relations


def _relation(stage: Stage, r: Split | Fuse, extents: Extents) -> str:
    def shown(iv: IterVar) -> str:
        return f"{stage.axis_name(iv)}({text(extents[iv])})"

    if isinstance(r, Fuse):
        return f"{shown(r.outer)} and {shown(r.inner)} are fused: their product is {shown(r.fused)}"
    size, part = (r.factor, r.inner) if r.factor is not None else (r.nparts, r.outer)
    given = f"factor {r.factor}" if r.factor is not None else f"{r.nparts} parts"
    clamped = size is not None and const_int(extents[part]) != const_int(size)
    more = f", which is more than there is: clamped to {text(extents[part])}" if clamped else ""
    whole = "" if divides(r, extents) else "; that is rounded up, so the last part may not be full"
    if whole and r.tail == SHIFT:
        whole = "; that is rounded up, and the last part is moved inwards"
    if whole and r.tail == ROUND_UP:
        whole = "; that is rounded up, and the last part is whole: memory is padded for it"
    return f"{shown(r.parent)} is split with {given}{more}: {shown(r.outer)} of {shown(r.inner)}{whole}"


# ---------------------------------------------------------------- guards


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition around the iterations of a stage: from the `split` of its axis, or (None) at the edge."""

    axis: IterVar
    condition: Expr
    split: Split | None


def guards(stage: Stage, bounds: Bounds) -> list[Guard]:
    """The conditions around the iterations of a compute or an extern that could not be proved."""
    if not isinstance(stage.op, ComputeOp | ExternOp):
        return []
    own, prove = bounds.stages[stage], bounds.analyzer.can_prove
    values: dict[IterVar, Expr] = dict(own.vars)
    conditions = []
    all_guards = index_up(stage.relations, values, own.extents, bounds.analyzer)
    for axis, condition in needed_guards(stage.relations, all_guards):
        splits = (r for r in stage.relations if isinstance(r, Split) and r.parent is axis)
        conditions.append(Guard(axis, condition, next(splits)))
    rounded = rounded_axes(stage.relations)
    for iv, r in own.ranges.items() if isinstance(stage.op, ComputeOp) else ():
        whole = iv.kind is AxisKind.REDUCE or iv.dom is None or iv in rounded
        if iv.dom is not None and not whole and not structural_equal(r.extent, iv.dom.extent):
            value = element_at(r, values[iv])
            conditions.append(Guard(iv, ops.greater_equal(value, iv.dom.min), None))
            conditions.append(Guard(iv, ops.less(value, ops.add(iv.dom.min, iv.dom.extent)), None))
    return [g for g in conditions if not prove(g.condition)]


def _guard(stage: Stage, g: Guard, bounds: Bounds) -> str:
    names, extents, axis = loop_names(bounds), bounds.stages[stage].extents, stage.axis_name(g.axis)
    kept_out = f"are kept out by {text(g.condition, names)}"
    if g.split is not None:
        cut = f"{axis}({text(extents[g.axis])}) is cut into parts of {text(extents[g.split.inner])}"
        return f"{cut}, which need not divide it: iterations past its end {kept_out}"
    return (
        f"the box that is computed along {axis} has one size everywhere and may pass the edge of "
        f"{stage.name}: elements outside {kept_out}"
    )


def guarded(program: ProgramView, stage: Stage) -> Explanation:
    """Which guards stand around a stage, where they come from and what became of them."""
    question = f"Which guards stand around {stage.name}?"
    if stage.is_inlined:
        return Explanation(question, (), "none: it is computed inline")
    bounds = infer_bounds(program.schedule, argument_stages(program.schedule, program.args))
    steps = [_guard(stage, g, bounds) for g in guards(stage, bounds)]
    first, last = (
        _conditions(body_in_view(program.schedule, f).body, stage)
        for f in (program.passes[0][1], program.function)
    )
    if not first:
        return Explanation(question, tuple(steps), "none are left: every iteration is a real one")
    if last:
        return Explanation(question, tuple(steps), "in the lowered IR there is " + " and ".join(sorted(last)))
    steps.append("partition_loops splits the loops where the guards begin to matter, or cuts them short")
    return Explanation(question, tuple(steps), "none are left inside of the loops")


def _conditions(body: Stmt, stage: Stage) -> set[str]:
    return {
        text(n.cond)
        for n in walk(body)
        if isinstance(n, IfThenElse) and n.origin is not None and n.origin.stage == stage.name
    }


# ---------------------------------------------------------------- memory


def allocation(program: ProgramView, stage: Stage) -> Explanation:
    """Why a stage takes the memory that it takes."""
    entry = next(e for e in ledger(program) if e.stage == stage.name)
    question = f"Why does {stage.name} take {entry.allocated} bytes?"
    if stage.is_inlined:
        said = f"{stage.name} is computed inline: its expression stands where it was read"
        return Explanation(question, (said,), "it takes no memory")
    kept = argument_stages(program.schedule, program.args)
    bounds = infer_bounds(program.schedule, kept)
    steps = region_steps(stage, bounds, stage in kept)
    if stage in kept:
        return Explanation(question, tuple(steps), "it takes none of the kernel's memory")
    for t, sizes in zip(stage.op.outputs, shapes_in_memory(stage, bounds), strict=True):
        shape = " * ".join(text(n) for n in sizes) or "1"
        steps.append(f"{t.name} holds {shape} elements of {t.dtype.nbytes} bytes ({t.dtype})")
    steps.append(f"it lives for {entry.lifetime}, in {stage.scope} memory")
    known = entry.allocated.bytes, entry.needed.bytes
    if None not in known and known[0] != known[1]:
        steps.append(f"its readers touch {entry.needed} bytes there; {_held_more(stage)}")
    hint = cache_hint(entry.allocated.bytes, caches())
    fits = f", which fits in {hint}" if hint not in (None, "memory") else ""
    return Explanation(question, tuple(steps), f"{entry.allocated} bytes of {entry.declared} declared{fits}")


def _held_more(stage: Stage) -> str:
    if stage.stored or stage.is_rolling:
        return "the rest is kept for the next iterations, or makes a number of places that is cheap to count round"
    if isinstance(stage.op, ExternOp) and not stage.op.access.tiled:
        return "declare its access, as te.access.elementwise, and it will hold that only"
    return "the rest is held because the stage cannot be cut there"


# ---------------------------------------------------------------- refusals


def illegal(program: ProgramView, about: object) -> Explanation:
    """Why a step is refused, and what would help."""
    if not isinstance(about, Step | Mapping):
        raise TewbError(
            f"explain: {about!r} is not a step", hint='explain("illegal", Step("split", "C", {...}))'
        )
    step = about if isinstance(about, Step) else Step.from_json(about)
    trials = Trials(program)
    refusal = trials.refusal(step)
    question = f"Why is {step} refused?"
    if refusal is None:
        return Explanation(question, (), "it is not: it is legal now")
    stage = program.schedule.find(step.stage)
    steps = [] if stage is None else _facts(program, stage, step)
    steps.append(refusal.reason)
    if refusal.hint:
        steps.append(f"what helps: {refusal.hint}")
    fix = None if stage is None or step.primitive not in PRIMITIVES else trials.fix(step)
    if fix is None:
        return Explanation(question, tuple(steps), "it cannot be done now")
    return Explanation(question, tuple(steps), f"it cannot be done now; {fix[0]} and then {fix[1]} can")


def _facts(program: ProgramView, stage: Stage, step: Step) -> list[str]:
    """What the schedule says about the stage and the loops that a step names."""
    facts = [f"the loops of {stage.name} are now {stage.loops()}"]
    loops = ("axis", "x", "y", "rows", "lanes", "axes")
    named = [v for key, v in step.args.items() if key in loops and "parent" not in step.args]
    owner = stage
    if "parent" in step.args:
        parent = program.schedule.find(step.args["parent"])
        named, owner = ([step.args.get("axis")], parent) if parent is not None else ([], stage)
        if parent is not None:
            facts.append(f"the loops of {parent.name} are now {parent.loops()}")
        readers = [r.name for r in stage.readers()]
        facts.append(
            f"{stage.name} is read by {', '.join(readers)}" if readers else f"nothing reads {stage.name}"
        )
    for value in named:
        for name in value if isinstance(value, list | tuple) else [value]:
            iv = owner.find_axis(name)
            if iv is not None:
                facts += _about_axis(program, owner, iv)
    if stage.place_step is not None:
        facts.append(
            f"{stage.name} stands where step {stage.place_step + 1} put it, {_step(program, stage.place_step)}"
        )
    return facts


def _about_axis(program: ProgramView, stage: Stage, iv: IterVar) -> list[str]:
    name, maker = stage.axis_name(iv), stage.made_by.get(iv)
    facts = [f"{name} is a {iv.kind.value} axis"] if iv.kind is not AxisKind.DATA else []
    became = stage.replaced_by(iv)
    if became:
        facts.append(f"{name} was {became}")
    marks = loop_marks(stage, iv)
    if marks:
        facts.append(f"{name} is marked {', '.join(marks)}")
    if maker is not None:
        facts.append(f"{name} came from step {maker + 1}, {_step(program, maker)}")
    return facts


def _step(program: ProgramView, number: int) -> str:
    journal = program.journal
    return str(journal[number]) if number < len(journal) else "taken back since"


# ---------------------------------------------------------------- simplification


def simplification(program: ProgramView, stage: Stage) -> Explanation:
    """Which rules made the indices and guards of a stage simple: first what its splits and fusions wrote, then
    what the first pass found in its loops."""
    question = f"Which rules made {stage.name} simple?"
    program.function  # noqa: B018  (raises what keeps the loops from being made)
    if stage.is_inlined:
        return Explanation(question, (), f"{stage.name} is computed inline: ask about its readers")
    bounds = infer_bounds(program.schedule, argument_stages(program.schedule, program.args))
    chain = _Chain(loop_names(bounds))
    chain.analyzer.ranges = dict(bounds.analyzer.ranges)
    chain.analyzer.symbolic = dict(bounds.analyzer.symbolic)
    for what, e in _written(stage, bounds):
        chain.expression(e, what)
    chain.statement(body_in_view(program.schedule, program.passes[0][1]).body, stage)
    count = len(chain.steps)
    said = (
        "no expression was changed"
        if count == 0
        else f"{count} expression{'s were' * (count > 1) or ' was'} changed"
    )
    return Explanation(question, tuple(chain.steps), said)


def _written(stage: Stage, bounds: Bounds) -> Iterator[tuple[str, Expr]]:
    """The value of every axis, and every guard, as the relations of a stage write them."""
    own = bounds.stages[stage]
    values: dict[IterVar, Expr] = dict(own.vars)
    for r in reversed(stage.relations):
        match r:
            case Split(parent, outer, inner):
                values[parent] = ops.add(first_of(values[outer], r, own.extents), values[inner])
                guard = ops.less(values[parent], own.extents[parent])
                yield f"the guard of {stage.axis_name(parent)}", guard
            case Fuse(outer, inner, fused):
                values[outer] = ops.floordiv(values[fused], own.extents[inner])
                values[inner] = ops.floormod(values[fused], own.extents[inner])
    for iv, part in own.ranges.items():
        if iv in values:
            yield f"axis {stage.axis_name(iv)}", element_at(part, values[iv])


class _Chain:
    """Simplifies expressions, and writes down which rule changed what."""

    def __init__(self, names: Mapping[Var, Expr]) -> None:
        self.names, self.analyzer = names, Analyzer()
        self.steps: dict[str, None] = {}

    def expression(self, e: Expr, what: str, is_value: bool = False) -> None:
        for rule, before, after in explain_simplify(e, self.analyzer, is_value):
            self.step(what, before, after, f"{rule.name}, {rule.formula}{self.known(before)}")

    def step(self, what: str, before: Expr, after: Expr, why: str) -> None:
        self.steps[f"{what}: {self.said(before)} becomes {self.said(after)} by {why}"] = None

    def said(self, e: Expr) -> str:
        return text(e, self.names)

    def known(self, e: Expr) -> str:
        """The ranges of the variables of an expression."""
        ranges = {self.said(v): self.analyzer.ranges.get(v, (None, None)) for v in free_vars(e)}
        known = [
            f"{v} in {lo} .. {hi}" for v, (lo, hi) in ranges.items() if lo is not None and hi is not None
        ]
        return f" ({', '.join(known)})" if known else ""

    def statement(self, s: Stmt, stage: Stage) -> None:
        """The indices and conditions of a stage in the loops as scheduled."""
        mine = getattr(getattr(s, "origin", None), "stage", None) == stage.name
        if isinstance(s, For):
            self.analyzer.bind_extent(s.var, s.min, s.extent)
        if mine and isinstance(s, BufferStore | IfThenElse | For):
            kind = {BufferStore: "a store", IfThenElse: "a guard"}.get(type(s), "an extent")
            for c in s.children():
                if isinstance(c, Expr):
                    value = c is s.value if isinstance(s, BufferStore) else isinstance(s, IfThenElse)
                    self.expression(c, kind, value)
        for c in s.children():
            if isinstance(c, Stmt):
                self.statement(c, stage)


_OF_STAGE: dict[str, Callable[[ProgramView, Stage], Explanation]] = {
    "allocation": allocation,
    "guard": guarded,
    "simplification": simplification,
}
