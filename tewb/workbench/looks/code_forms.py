"""The forms of a program, from tensor expressions to assembly, with one identity for each loop in all of them.

A line knows the journal steps that shaped it and the stages and loops that it is about, and the same of the loops
around it. LLVM IR and assembly know them by their debug locations, which name lines of the low-level IR. Whatever
shares a step or a loop can be lit together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from tewb.base import ExternError, TewbError, comment, fresh_identifier, lazy, one_of, python_lines
from tewb.codegen import CompiledModule, Linked, LLVMPass, compile_module, llvm_history
from tewb.ir import (
    AttrStmt,
    BufferStore,
    For,
    IRModule,
    Line,
    Node,
    Origin,
    PrimFunc,
    bodies,
    script_lines,
)
from tewb.lowering import BUILD, LOWER, SCHEDULE_OPS, Trace, lower_schedule, run
from tewb.schedule import PRIMITIVES, Schedule, Step, steps_of
from tewb.tensor import GraphSource
from tewb.workbench.looks.code_line import CodeLine, Numbers
from tewb.workbench.looks.code_part import CodePart
from tewb.workbench.looks.diff import Diff, diff

_LLVM_PASS = re.compile(r"LLVM \d+: ")
_MOST_NESTS = 2000  # whose lines are kept
TE, IR, LLVM, ASSEMBLY = "te", "ir", "llvm", "assembly"

Remark = Callable[[Node | None], str]


def _built(f: PrimFunc) -> Trace:
    """`f` after each pass that code generation needs."""
    trace: Trace = []
    run(f, BUILD, trace)
    return trace


class CodeForm:
    """One form of the program: its name, and what was done to get it from the form `before`. The lines are
    made when they are asked for; those of LLVM IR and assembly need a build, which may raise TewbError."""

    def __init__(
        self,
        name: str,
        doc: str,
        kind: str,
        make: Callable[[], Sequence[CodePart]],
        before: CodeForm | None = None,
        same: bool = False,
    ) -> None:
        self.name, self.doc, self.kind, self.before = name, doc, kind, before
        self._make, self.same = make, same  # known, without looking at lines, to be the form before

    @lazy
    def parts(self) -> Sequence[CodePart]:
        """The lines of this form, in parts: loop nests that are as they were are the same objects."""
        return self._make()

    @lazy
    def lines(self) -> list[CodeLine]:
        """The lines of this form."""
        return [line for part in self.parts for line in part.lines]

    @lazy
    def unchanged(self) -> bool:
        """Whether this form reads as the one before it. Most passes return the very function then."""
        if self.same or self.before is None or self.kind != IR:
            return self.same
        was, now = self.before.lines, self.lines
        return len(was) == len(now) and all(str(a) == str(b) for a, b in zip(was, now, strict=True))

    def __repr__(self) -> str:
        return f"CodeForm({self.name})"


class LoopNumbers:
    """Numbers for the stages and loops of a program: `number("C", "i.outer")`, `number("C")`."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str | None, str | None], int] = {}

    def number(self, stage: str | None, axis: str | None = None) -> int:
        """The number of a stage, or of one of its loops; always the same."""
        return self._numbers.setdefault((stage, axis), len(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)


@dataclass(frozen=True, slots=True)
class _Block:
    """The inside of a line with a body: what its loops are about, and the origin of what has none itself. `inner` is the
    innermost loop, with its stage. `known` are lines in it by their origin and whether they are loops: unrolled loops have many
    alike."""

    depth: int
    steps: Numbers
    loops: Numbers
    origin: Origin | None
    inner: tuple[str | None, str | None] = (None, None)
    known: dict[tuple[int, bool], CodeLine] = field(default_factory=dict)


class CodeForms:
    """The forms of a schedule as it is now, and what differs from other states of it.

    `remark` says what a line of IR deserves besides its text.
    """

    def __init__(
        self,
        schedule: Schedule,
        args: Sequence[Any],
        name: str = "main",
        remark: Remark = lambda n: "",
        loop_numbers: LoopNumbers | None = None,
        lowered: Callable[[], Trace] | None = None,
    ) -> None:
        self.schedule, self.args, self.name, self.remark = schedule, args, name, remark
        self._lowered = lowered or self._lower
        self.loop_numbers = LoopNumbers() if loop_numbers is None else loop_numbers
        self.pinned: tuple[Step, ...] | None = None
        self._seen = -1
        self._forms: list[CodeForm] = []
        self._llvm_of = -1
        self._llvm_known: tuple[list[CodeForm], list[tuple[str, CodeLine | None]]] = ([], [])
        self._build: Callable[[], CompiledModule] = self._no_build
        self._others: list[CodeForms] = []  # states that were compared with, latest last
        self._nests: dict[int, tuple[Line, CodePart]] = {}  # by the id of their first line

    # ---- forms

    @property
    def forms(self) -> list[CodeForm]:
        """TE, the loops, the function after each pass, LLVM IR, optimised LLVM IR, assembly. When lowering
        fails the list ends with the last form that could be made."""
        if self._seen != self.schedule.version:
            self._seen, self._forms = self.schedule.version, list(self._chain())
        return self._forms

    def form(self, name: str) -> CodeForm:
        """The form of that name, those of LLVM's passes included. Raises TewbError when there is none."""
        forms = {f.name: f for f in self.forms}
        if isinstance(name, str) and name not in forms and _LLVM_PASS.match(name):
            forms |= {f.name: f for f in self.llvm_passes}
        return forms[one_of("form", name, forms, TewbError)]

    @property
    def compiled(self) -> Callable[[], CompiledModule]:
        """A function that compiles the schedule as it is now, once. It raises TewbError where there is no machine code."""
        return self._build if self.forms[-1].kind == ASSEMBLY else self._no_build

    @property
    def llvm_passes(self) -> list[CodeForm]:
        """The text after each pass of LLVM that changed something. Raises TewbError where it cannot be told."""
        return self._llvm()[0]

    @property
    def llvm_remarks(self) -> list[tuple[str, CodeLine | None]]:
        """What LLVM says it did and could not do, each with the line of IR that it speaks of. Raises TewbError."""
        return self._llvm()[1]

    def _llvm(self) -> tuple[list[CodeForm], list[tuple[str, CodeLine | None]]]:
        """LLVM's half of the way, asked once for each state of the schedule."""
        forms = self.forms
        if self._llvm_of != self.schedule.version:
            if forms[-1].kind != ASSEMBLY:
                raise TewbError("there is no machine code: the schedule cannot be lowered as it is")
            compiled = self._build()
            history = llvm_history(compiled.llvm_ir, 2, compiled.target)
            ir = self._ir_lines(compiled.module)
            before: CodeForm | None = None
            passes = []
            for i, p in enumerate(history.passes, 1):
                doc = f"after {p.name} on {p.on}"
                make = _one_part(partial(self._machine_lines, self._build, partial(_lines_after, p), LLVM))
                before = CodeForm(f"LLVM {i}: {p.name}", doc, LLVM, make, before)
                passes.append(before)
            said = [
                (r.text, ir[r.line - 1] if r.line is not None and r.line <= len(ir) else None)
                for r in history.remarks
            ]
            self._llvm_of, self._llvm_known = self.schedule.version, (passes, said)
        return self._llvm_known

    def _chain(self) -> Iterable[CodeForm]:
        yield CodeForm("TE", "the tensors as they are defined", TE, _one_part(self._te_lines))
        trace = self._lowered()
        docs = {p.name: p.doc for p in LOWER} | {SCHEDULE_OPS: "the loops as they are scheduled"}
        before: CodeForm | None = None
        last: PrimFunc | None = None
        for name, f in trace:
            before = CodeForm(name, docs[name], IR, partial(self._ir_parts, f), before, same=f is last)
            last = f
            yield before
        if last is None or trace[-1][0] != LOWER[-1].name:
            return  # the session says what is wrong; what could be made is shown
        yield from self._bodies(last)
        flat = cache(partial(_built, last))
        for i, p in enumerate(BUILD):
            before = CodeForm(p.name, p.doc, IR, partial(self._low_parts, flat, i), before)
            yield before
        self._build = build = cache(partial(self._compile, flat))
        for name, doc, kind, take in _MACHINE:
            yield CodeForm(name, doc, kind, _one_part(partial(self._machine_lines, build, take, kind)))

    def _bodies(self, f: PrimFunc) -> Iterable[CodeForm]:
        """One form for each body of a function that has several, of which a call takes one."""
        every = bodies(f)
        for i, body in enumerate(every if len(every) > 1 else [], 1):
            name, doc = f"body {i} of {len(every)}", f"one body, which runs when {body.when}"
            yield CodeForm(name, doc, IR, partial(self._ir_parts, body.function))

    def _lower(self) -> Trace:
        trace: Trace = []
        with suppress(TewbError):
            lower_schedule(self.schedule, self.args, self.name, trace=trace)
        return trace

    def _low_parts(self, flat: Callable[[], Trace], number: int) -> list[CodePart]:
        return self._ir_parts(flat()[number][1])

    def _compile(self, flat: Callable[[], Trace]) -> CompiledModule:
        return compile_module(IRModule({self.name: flat()[-1][1]}))

    def _no_build(self) -> CompiledModule:
        raise TewbError("there is no machine code yet")

    def _te_lines(self) -> list[CodeLine]:
        """The definitions. A line belongs to its stage and to those that were made from it; all their steps
        are around it."""
        taken: set[str] = {"te"}
        graph = GraphSource(lambda wanted: _fresh(wanted, taken))
        lines: list[CodeLine] = []
        for stage in Schedule(self.schedule.outputs).stages:
            start = len(graph.lines)
            try:
                graph.define(stage.op)
            except ExternError as e:
                graph.tensors.update({t: _fresh(t.name, taken) for t in stage.op.outputs})
                graph.lines.append(comment(e.message))
            family = self._made_from(stage.name)
            steps = tuple(i for i, step in enumerate(self.schedule.journal) if step.stage in family)
            for text in python_lines("\n".join(graph.lines[start:])):
                axis = re.search(r'= te\.reduce_axis\(.*name="([^"]*)"\)$', text)
                loops = tuple(self.loop_numbers.number(s, axis[1] if axis else None) for s in family)
                lines.append(CodeLine(0, text, stage=stage.name, loops=loops, steps_around=steps))
        return lines

    def _made_from(self, stage: str) -> list[str]:
        """A stage and those that primitives made from it."""
        family = [stage]
        for step in self.schedule.journal:
            if PRIMITIVES[step.primitive].results == "stage" and step.stage in family:
                family += [self.schedule[r].name for r in step.results if self.schedule.find(r) is not None]
        return family

    def _ir_lines(self, f: PrimFunc | IRModule) -> list[CodeLine]:
        return [line for part in self._ir_parts(f) for line in part.lines]

    def _ir_parts(self, f: PrimFunc | IRModule) -> list[CodePart]:
        """The text of a function, each line with what its node and the blocks around it came from. A loop nest is a part:
        nothing around it has steps or loops."""
        lines = script_lines(f)
        parts: list[CodePart] = []
        start = at = 0  # of the lines that are in no part yet
        while at < len(lines):
            if lines[at].depth == 1 and isinstance(lines[at].node, For):
                nest = self._nest(lines, at)
                parts += [CodePart(self._linked(lines[start:at])), nest] if at > start else [nest]
                start = at = at + len(nest.lines)
            else:
                at += 1
        return [*parts, CodePart(self._linked(lines[start:]))] if at > start else parts

    def _nest(self, lines: Sequence[Line], start: int) -> CodePart:
        """The loop nest that begins at `start`. One that is printed as before has the very lines that it had."""
        first = lines[start]
        known = self._nests.get(id(first))
        if known is None:
            end = next((i for i in range(start + 1, len(lines)) if lines[i].depth <= 1), len(lines))
            for old in list(self._nests)[: len(self._nests) - _MOST_NESTS]:
                del self._nests[old]
            known = self._nests[id(first)] = first, CodePart(self._linked(lines[start:end]))
        return known[1]

    def _linked(self, lines: Iterable[Line]) -> list[CodeLine]:
        """Lines of IR with their places in the program. They begin where no loop is open."""
        linked: list[CodeLine] = []
        blocks = [_Block(-1, (), (), None)]
        for line in lines:
            while blocks[-1].depth >= line.depth:
                blocks.pop()
            around, n = blocks[-1], line.node
            origin = None if n is None else getattr(n, "origin", None) or around.origin
            own = isinstance(n, For)
            like = around.known.get((id(origin), own))
            if like is None:
                like = around.known[id(origin), own] = self._marked(CodeLine(0, ""), n, origin, around)
            marked = like.saying(line.depth, line.text, self.remark(n))
            linked.append(marked)
            if isinstance(n, BufferStore):
                continue  # nothing stands inside of it
            blocks.append(
                _Block(
                    line.depth,
                    (*around.steps, *(marked.steps if own else ())),
                    (*around.loops, *(marked.loops if own else ())),
                    origin if isinstance(n, AttrStmt) else None,
                    (marked.stage, marked.axis) if own else around.inner,
                )
            )
        return linked

    def _marked(self, line: CodeLine, n: Node | None, origin: Origin | None, around: _Block) -> CodeLine:
        """`line` with its place in the program."""
        if origin is None:
            return replace(line, steps_around=_unique(around.steps), loops_around=_unique(around.loops))
        own = self.loop_numbers.number(origin.stage, origin.axis if isinstance(n, For) else None)
        inner = around.inner[1] if around.inner[0] == origin.stage else None  # a statement is in a loop
        loops = _unique([own, *(self.loop_numbers.number(stage, axis) for stage, axis in origin.gone)])
        return replace(
            line,
            stage=origin.stage,
            axis=origin.axis or inner,
            step=origin.step,
            steps=origin.steps,
            loops=loops,
            steps_around=_unique(i for i in around.steps if i not in origin.steps),
            loops_around=_unique(i for i in around.loops if i not in loops),
        )

    # ---- machine code

    def _machine_lines(
        self, build: Callable[[], CompiledModule], take: Callable[[CompiledModule], Linked], kind: str
    ) -> list[CodeLine]:
        """LLVM IR or assembly. Each line takes its place in the program from the line of IR that it computes.
        What is not the kernel's own comes last; each service of the runtime is one line."""
        compiled = build()
        ir = self._ir_lines(compiled.module)
        own: list[CodeLine] = []
        rest: list[CodeLine] = []
        for name, rows in _functions(take(compiled), kind):
            if name.startswith("tewb."):
                rest.append(CodeLine(0, f"{name}: a service of the runtime, {len(rows)} lines"))
            elif not name:
                rest += [CodeLine(0, text) for text, _ in rows]
            else:
                own += [_machine_line(text, line, ir) for text, line in rows]
        return own + rest

    # ---- differences

    def pin(self) -> None:
        """Remember the schedule as it is now, to compare later ones with it."""
        self.pinned = self.schedule.journal

    def diff(self, form: str, against: str | Iterable[Step] = "before") -> Diff:
        """What changed in a form. `against` is "before" (the last step of the journal), "pinned", "pass" (the
        form before this one), or a journal. Raises TewbError when there is nothing to compare with."""
        now = self.form(form)
        numbered = now.kind in (LLVM, ASSEMBLY)
        if isinstance(against, str) and against == "pass":
            if now.before is None:
                raise TewbError(
                    f"{form} has no form of its kind before it", hint='compare it with "before" or "pinned"'
                )
            return Diff(form, now.kind, now.before.name, tuple(diff(now.before.lines, now.lines, numbered)))
        journal, said = self._state(against)
        other = self._other(journal)
        common = _common(journal, self.schedule.journal)
        past = [_only(line, common) for line in other.form(form).lines]
        return Diff(form, now.kind, said, tuple(diff(past, now.lines, numbered)))

    def _state(self, against: str | Iterable[Step]) -> tuple[tuple[Step, ...], str]:
        """The journal that `against` means, and its name."""
        now = self.schedule.journal
        if not isinstance(against, str):
            steps = steps_of(against, 'against="before", "pinned" or "pass", or the steps of a journal')
            return steps, f"a schedule of {len(steps)} steps"
        if against == "before":
            if not now:
                raise TewbError(
                    "there is no step yet to compare with the state before it",
                    hint='apply one, or compare with "pass"',
                )
            return now[:-1], f"the schedule before {now[-1]}"
        if against == "pinned":
            if self.pinned is None:
                raise TewbError("no schedule is pinned", hint="pin one, change it, and compare")
            return self.pinned, f"the pinned schedule of {len(self.pinned)} steps"
        raise TewbError(f"{against} is nothing to compare with", hint='"before", "pinned" or "pass"')

    def _other(self, journal: tuple[Step, ...]) -> CodeForms:
        """The forms of another state, made on a copy of the schedule."""
        known = next((s for s in self._others if s.schedule.journal == journal), None)
        if known is None:
            copy = self.schedule.untouched(self.schedule.result_cache)
            copy.restore(journal)
            known = CodeForms(copy, self.args, self.name, self.remark, self.loop_numbers)
            self._others = [*self._others[-2:], known]
        return known


def _one_part(make: Callable[[], list[CodeLine]]) -> Callable[[], list[CodePart]]:
    return lambda: [CodePart(make())]


def _lines_after(p: LLVMPass, compiled: CompiledModule) -> Linked:
    return p.lines()


_MACHINE: tuple[tuple[str, str, str, Callable[[CompiledModule], Linked]], ...] = (
    ("LLVM IR", "LLVM IR as tewb writes it", LLVM, lambda c: c.llvm_lines()),
    ("optimised LLVM IR", "after LLVM's optimisation", LLVM, lambda c: c.llvm_lines(optimized=True)),
    ("assembly", "the instructions of this machine", ASSEMBLY, CompiledModule.assembly_lines),
)


def _fresh(wanted: str, taken: set[str]) -> str:
    name = fresh_identifier(wanted, taken)
    taken.add(name)
    return name


def _unique(numbers: Iterable[int]) -> Numbers:
    return tuple(dict.fromkeys(numbers))


def _functions(lines: Linked, kind: str) -> Iterable[tuple[str, Linked]]:
    """The lines of each function with its name; what stands outside of functions has the name ""."""
    start = re.compile(r'define .*?@"?([\w.$-]+)' if kind == LLVM else r"([^\s.][^\s]*):$")
    name, rows = "", Linked()
    for row in lines:
        began = start.match(row[0])
        if began:
            yield name, rows
            name, rows = began[1], Linked()
        rows.append(row)
        if kind == LLVM and row[0] == "}":
            yield name, rows
            name, rows = "", Linked()
    yield name, rows


def _machine_line(text: str, source: int | None, ir: Sequence[CodeLine]) -> CodeLine:
    """A line of machine code, about what the line `source` of the low-level IR is about."""
    depth, shown = int(text[:1] in " \t"), _tidy(text)
    if source is None or source > len(ir):
        return CodeLine(depth, shown)
    return replace(ir[source - 1], depth=depth, text=shown, remark="", source=source)


def _tidy(text: str) -> str:
    """An instruction with its operands in a column."""
    word, tab, rest = text.strip().partition("\t")
    return f"{word:<11} {rest}" if tab else word


def _common(a: Sequence[Step], b: Sequence[Step]) -> int:
    """How many first steps two journals share."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _only(line: CodeLine, steps: int) -> CodeLine:
    """A line of another schedule, with the steps that are the same here."""
    if all(i < steps for i in (*line.steps, *line.steps_around)):
        return line
    step = line.step if line.step is not None and line.step < steps else None
    own, around = (tuple(i for i in each if i < steps) for each in (line.steps, line.steps_around))
    return replace(line, step=step, steps=own, steps_around=around)
