"""Advice: what makes a schedule slow or large, found in its loops, its ledger and its machine code.

Each piece names the stage and the loop, says what was found in numbers, and carries the steps that answer
it where there are some: the first is legal now, each other after those before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tewb.base import TewbError, digits, readable
from tewb.ir import (
    AxisKind,
    Call,
    Expr,
    For,
    ForKind,
    IfThenElse,
    Node,
    Origin,
    Stmt,
    const_int,
    script,
    script_lines,
    uses,
    walk,
)
from tewb.lowering import with_thread_loops
from tewb.runtime import Target
from tewb.schedule import SHIFT, At, Schedule, Split, Stage, Step, divides
from tewb.schedule.bounds import infer_bounds
from tewb.workbench.judge.ledger import Entry, account, argument_stages, caches, ledger, size_of
from tewb.workbench.judge.nests import Nest, axis_of, is_unit, nests, stride, strides_along
from tewb.workbench.judge.palette import Trials, lanes_of
from tewb.workbench.session_view import ProgramView

CACHE_LINE = 64  # bytes
FEW_SPILLS = 8  # vector moves that a function may make around its loops
MOST_TIMES = 2.0  # more computations of one element than this are worth a word

KINDS = (
    "unvectorized", "strided", "false sharing", "over-allocation", "recompute", "stores", "guard", "tail",
    "spills", "vector width",
)  # fmt: skip


@readable
@dataclass(frozen=True, slots=True)
class Advice:
    """A finding: its kind (one of KINDS), where it is, what was found, and the steps that answer it."""

    kind: str
    stage: str
    loop: str | None
    message: str
    steps: tuple[Step, ...] = ()

    @property
    def step(self) -> Step | None:
        """The step to begin with, legal now; None where no primitive answers."""
        return self.steps[0] if self.steps else None

    def to_json(self) -> dict[str, Any]:
        """This finding as a JSON object."""
        return {
            "kind": self.kind,
            "stage": self.stage,
            "loop": self.loop,
            "message": self.message,
            "steps": [s.to_json() for s in self.steps],
        }

    def __str__(self) -> str:
        where = f"{self.stage}.{self.loop}" if self.loop else self.stage
        answer = f"\n    try {', then '.join(map(str, self.steps))}" if self.steps else ""
        return f"{self.kind}, {where}: {self.message}{answer}"


def advice(program: ProgramView, assembly: bool = True) -> list[Advice]:
    """All findings about the schedule as it is now, in the order of KINDS. With `assembly`, the kernel is
    built (and not run) to look at its machine code. Raises what keeps the schedule from being lowered."""
    seen = _Seen(program)
    findings: list[Advice] = []
    for rule in (_inner_loops, _sharing, _memory, _stores, _guards, _tails):
        findings += rule(seen)
    if assembly:
        code = _assembly(seen)
        findings += _machine_code(code, findings)
        findings = [_with_what_llvm_did(a, code) for a in findings]
    once = {(a.kind, a.stage, a.loop): a for a in reversed(findings)}
    return sorted(once.values(), key=lambda a: KINDS.index(a.kind))


def as_text(findings: Sequence[Advice]) -> str:
    """Advice for a terminal."""
    return "\n".join(map(str, findings)) or "nothing to advise"


def as_json(findings: Sequence[Advice]) -> str:
    """Advice as a JSON list."""
    return json.dumps([a.to_json() for a in findings])


class _Seen:
    """What the rules look at: the loops as scheduled, every store in them, and trials of steps."""

    def __init__(self, program: ProgramView) -> None:
        self.program, self.schedule = program, program.schedule
        self.function = with_thread_loops(program.function)
        self.trials = Trials(program)
        self.nests = list(nests(self.schedule, program.passes[0][1].body, ()))
        self.bounds = infer_bounds(self.schedule, argument_stages(self.schedule, program.args))

    def legal(self, *steps: Step) -> tuple[Step, ...]:
        """`steps` if each is legal after those before it, or none."""
        fine = all(self.trials.refusal(*steps[: i + 1]) is None for i in range(len(steps)))
        return steps if fine else ()


# ---------------------------------------------------------------- rules on loops


def _inner_loops(seen: _Seen) -> Iterator[Advice]:
    """Innermost loops that walk along memory one by one, and those that jump."""
    for nest in seen.nests:
        stage, inner = seen.schedule[nest.stage], nest.inner
        own = stage.find_axis(axis_of(inner))
        if own is None:
            continue
        if any(n.kind is ForKind.VECTORIZED for n in nest.loops[:-1]):
            continue
        strides = strides_along(nest, inner.var)
        if is_unit(strides.values()):
            if inner.kind is ForKind.SERIAL and own.kind is AxisKind.DATA:
                yield _unvectorized(seen, stage, inner)
        elif inner.kind in (ForKind.SERIAL, ForKind.VECTORIZED):
            rule = _untransposed if _in_small_tile(stage, nest) else _strided
            yield from rule(seen, stage, nest, strides)


def _unvectorized(seen: _Seen, stage: Stage, inner: For) -> Advice:
    loop, n = axis_of(inner), const_int(inner.extent)
    message = f"neighbours in {loop} are neighbours in memory, and it is not vectorized"
    return Advice("unvectorized", stage.name, loop, message, vector_steps(seen, stage, loop, n))


def vector_steps(seen: _Seen, stage: Stage, loop: str, extent: int | None) -> tuple[Step, ...]:
    """Steps that vectorize a loop: all of it when it is short, or the inner part of a split."""
    lanes = lanes_of(stage)
    if extent is not None and (extent <= lanes or (extent <= 8 * lanes and extent % lanes == 0)):
        whole = seen.legal(Step("vectorize", stage.name, {"axis": loop}))
        if whole:
            return whole
    split = Step("split", stage.name, {"axis": loop, "factor": lanes})
    if not seen.legal(split):
        return ()
    after = seen.trials.after(split)
    journal = getattr(after, "journal", ())
    return (
        seen.legal(split, Step("vectorize", stage.name, {"axis": journal[-1].results[1]})) if journal else ()
    )


def _in_small_tile(stage: Stage, nest: Nest) -> bool:
    """Whether the two innermost loops stay within a tile of a few vectors, which lines of the cache hold."""
    sizes = [const_int(n.extent) for n in nest.loops[-2:]]
    return len(sizes) == 2 and all(n is not None and n <= 2 * lanes_of(stage) for n in sizes)


def _strided(seen: _Seen, stage: Stage, nest: Nest, strides: dict[str, int | None]) -> Iterator[Advice]:
    worst = max((abs(x) for x in strides.values() if x is not None), default=0)
    if worst <= 1:
        return
    loop, item = axis_of(nest.inner), nest.store.buffer.dtype.nbytes
    access = next(a for a, x in strides.items() if x is not None and abs(x) == worst)
    message = (
        f"from one iteration of {loop} to the next, {access} moves by {worst} elements, {worst * item} bytes"
    )
    yield Advice("strided", stage.name, loop, message, _unit_steps(seen, stage, nest))


def _untransposed(seen: _Seen, stage: Stage, nest: Nest, strides: dict[str, int | None]) -> Iterator[Advice]:
    """A tile that the cache holds, the elements of which are still taken one by one."""
    rows, lanes = (axis_of(n) for n in nest.loops[-2:])
    steps = seen.legal(Step("transpose", stage.name, {"rows": rows, "lanes": lanes}))
    along = strides_along(nest, nest.loops[-2].var)
    if steps:
        access = next(a for a, x in along.items() if x == 1 and strides[a] not in (0, 1))
        message = f"{access} has its neighbours along {rows}, so along {lanes} its lanes are taken one by one"
        yield Advice("strided", stage.name, lanes, message, steps)


def _unit_steps(seen: _Seen, stage: Stage, nest: Nest) -> tuple[Step, ...]:
    """A loop that walks along memory becomes the innermost; if none does, the two innermost become a tile, which is
    transposed in registers where that can be done."""
    names = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
    for n in reversed(nest.loops[:-1]):
        if axis_of(n) in names and is_unit(strides_along(nest, n.var).values()):
            inside = names[names.index(axis_of(n)) + 1 :]
            steps = seen.legal(Step("reorder", stage.name, {"axes": [*inside, axis_of(n)]}))
            if steps:
                return steps
    if len(nest.loops) < 2:
        return ()
    lanes = lanes_of(stage)
    x, y = (axis_of(n) for n in nest.loops[-2:])
    tile = Step("tile", stage.name, {"x": x, "y": y, "x_factor": lanes, "y_factor": lanes})
    after = seen.trials.after(tile)
    tiled = after.journal[-1].results if isinstance(after, Schedule) else ()
    turned = Step("transpose", stage.name, {"rows": tiled[2], "lanes": tiled[3]}) if tiled else tile
    return seen.legal(tile, turned) or seen.legal(tile)


def _sharing(seen: _Seen) -> Iterator[Advice]:
    """Parallel loops whose neighbouring iterations write into one line of the cache."""
    for nest in seen.nests:
        # Parallel loops inside of this one run serially.
        n = next((n for n in nest.around if n.kind is ForKind.PARALLEL), None)
        if n is None or n not in nest.loops:
            continue
        moved = stride(nest.store.buffer, nest.store.indices, n.var)
        apart = None if moved is None else abs(moved) * nest.store.buffer.dtype.nbytes
        if apart is not None and 0 < apart < CACHE_LINE:
            message = (
                f"iterations of parallel loop {axis_of(n)} write {apart} bytes apart, and threads that write into one "
                f"cache line of {CACHE_LINE} bytes wait for each other: make another loop parallel, or the outer "
                f"part of a split by {-(-CACHE_LINE // apart)} or more"
            )
            yield Advice("false sharing", nest.stage, axis_of(n), message, _outer_parallel(seen, nest, n))


def _outer_parallel(seen: _Seen, nest: Nest, shared: For) -> tuple[Step, ...]:
    """Another loop of the stage that keeps threads further apart, made parallel around this one."""
    for n in nest.loops:
        if n is shared or n.kind is not ForKind.SERIAL:
            continue
        moved = stride(nest.store.buffer, nest.store.indices, n.var)
        if moved is None or abs(moved) * nest.store.buffer.dtype.nbytes < CACHE_LINE:
            continue
        parallel = Step("parallel", nest.stage, {"axis": axis_of(n)})
        if nest.loops.index(n) < nest.loops.index(shared):
            steps = seen.legal(parallel)
        else:
            steps = seen.legal(Step("reorder", nest.stage, {"axes": [axis_of(n), axis_of(shared)]}), parallel)
        if steps:
            return steps
    return ()


# ---------------------------------------------------------------- rules on memory


def _memory(seen: _Seen) -> Iterator[Advice]:
    """Stages that hold more than is needed, or that compute elements again and again."""
    for e in ledger(seen.program):
        stage = seen.schedule[e.stage]
        if e.recompute is not None and e.recompute > MOST_TIMES:
            message = f"each element is computed {digits(e.recompute)} times on average"
            yield Advice("recompute", e.stage, None, message, _less_often(seen, stage, e))
        held, needed = e.allocated.bytes, e.needed.bytes
        if held is None or held == 0:
            continue
        if needed is not None and held > needed and stage.stored is None:
            message = f"it holds {held:,} bytes where its readers touch {needed:,}: {_why_whole(stage)}"
            yield Advice("over-allocation", e.stage, None, message)
        elif not isinstance(stage.attach, At) and held > _nearest_cache():
            steps = _smaller(seen, stage, e)
            if steps:
                message = f"its {held:,} bytes go through memory and the caches before they are read"
                yield Advice("over-allocation", e.stage, None, message, steps)


def _why_whole(stage: Stage) -> str:
    return f"declare the access of extern {stage.name} (te.access.elementwise, stencil, rows), or compute it further out"


def _nearest_cache() -> int:
    known = caches()
    return known[0].bytes if known else 32 << 10


def _places(seen: _Seen, stage: Stage) -> list[Step]:
    """The steps that compute a stage elsewhere."""
    names = [p for p in seen.program.choices(stage.name, "compute_at", "parent")]
    return [
        Step("compute_at", stage.name, {"parent": p, "axis": loop})
        for p in names
        for loop in seen.program.choices(stage.name, "compute_at", "axis", parent=p)
    ]


def _kept_around(seen: _Seen, stage: Stage) -> list[Step]:
    """The steps that keep a stage around the loops that it is computed in."""
    if stage.attached is None:
        return []
    names = [p for p in seen.program.choices(stage.name, "store_at", "parent")]
    return [Step("store_root", stage.name)] + [
        Step("store_at", stage.name, {"parent": p, "axis": loop})
        for p in names
        for loop in seen.program.choices(stage.name, "store_at", "axis", parent=p)
    ]


def _less_often(seen: _Seen, stage: Stage, e: Entry) -> tuple[Step, ...]:
    """The place with the least memory where elements are computed at most twice."""
    elsewhere = [*_kept_around(seen, stage), *_places(seen, stage), Step("compute_root", stage.name)]
    best = _best(seen, elsewhere, stage, MOST_TIMES)
    return () if best is None else (best[1],)


def _smaller(seen: _Seen, stage: Stage, e: Entry) -> tuple[Step, ...]:
    """The place where the stage holds less, and hardly computes anything again."""
    best = _best(seen, [*_places(seen, stage), Step("compute_inline", stage.name)], stage, 1.25)
    return (best[1],) if best is not None and best[0] < (e.allocated.bytes or 0) else ()


def _best(seen: _Seen, steps: Sequence[Step], stage: Stage, times: float) -> tuple[int, Step] | None:
    """The legal step after which the stage holds least, and computes elements at most `times` times."""
    best: tuple[int, Step] | None = None
    for step in steps:
        after = seen.trials.after(step) if seen.legal(step) else None
        if not isinstance(after, Schedule):
            continue
        e = account(after, seen.program.args, stage.name)
        held = e.allocated.bytes
        fine = e.recompute is not None and e.recompute <= times
        if fine and held is not None and (best is None or held < best[0]):
            best = held, step
    return best


def _stores(seen: _Seen) -> Iterator[Advice]:
    """Results that no cache holds and nobody reads again, stored through the caches in vectors of neighbours."""
    known = caches()
    if not known:
        return
    for nest in seen.nests:
        stage, b = seen.schedule[nest.stage], nest.store.buffer
        size = size_of(b.shape, b.dtype.nbytes).bytes
        vectors = [n for n in nest.loops if n.kind is ForKind.VECTORIZED]
        if size is None or size <= known[-1].bytes or stage.readers() or not vectors:
            continue
        if stride(nest.store.buffer, nest.store.indices, vectors[-1].var) != 1:
            continue
        steps = seen.legal(Step("nontemporal", stage.name))
        if steps:
            message = (
                f"its {size:,} bytes are more than the last cache holds ({known[-1].bytes:,}) and nothing reads them again; "
                "each store reads the line it writes first: non-temporal ones do not"
            )
            yield Advice("stores", stage.name, None, message, steps)


# ---------------------------------------------------------------- guards and tails


def _guards(seen: _Seen) -> Iterator[Advice]:
    """Guards that are still inside of the innermost loop, asked in every iteration."""

    def visit(s: Stmt, inner: For | None) -> Iterator[Advice]:
        # A vector as condition is the mask of a tail, which costs no branch.
        scalar = isinstance(s, IfThenElse) and s.cond.dtype.lanes == 1
        if isinstance(s, IfThenElse) and scalar and inner is not None and uses(s.cond, [inner.var]):
            origin: Origin | None = s.origin
            innermost = not any(isinstance(n, For) for n in walk(s.then))
            if innermost and origin is not None and origin.stage is not None and _is_likely(s.cond):
                loop = inner.origin.axis if inner.origin is not None else inner.var.name
                cond = script(s.cond).replace("T.", "")
                message = (
                    f"{cond} is asked in every iteration: a constant size or a factor that divides avoids it"
                )
                yield Advice("guard", origin.stage, loop, message)
        if isinstance(s, For):
            inner = s
        for c in s.children():
            if isinstance(c, Stmt):
                yield from visit(c, inner)

    yield from visit(seen.function.body, None)


def _is_likely(e: Expr) -> bool:
    return any(isinstance(n, Call) and n.op == "likely" for n in walk(e))


def _tails(seen: _Seen) -> Iterator[Advice]:
    """Splits that leave a shorter last part."""
    for stage, own in seen.bounds.stages.items():
        for r in stage.relations:
            if not isinstance(r, Split) or r.tail == SHIFT or divides(r, own.extents):
                continue
            n, size = const_int(own.extents[r.parent]), const_int(own.extents[r.inner])
            if n is None or size is None or size < 1:
                continue
            better = [d for d in range(max(size // 2, 2), 2 * size + 1) if n % d == 0]
            hint = f"; {', '.join(map(str, better))} would divide" if better else ""
            name = stage.axis_name(r.parent)
            message = (
                f"{name} has {n} iterations and is split into parts of {size}: the last has {n % size}{hint}"
            )
            yield Advice("tail", stage.name, name, message)


# ---------------------------------------------------------------- rules on machine code

_ARITHMETIC = re.compile(r"\s*v?(?:add|sub|mul|div|max|min|sqrt|fn?m(?:add|sub)\d+)(ps|pd|ss|sd)\s+(.*)")
_SPILL = re.compile(r"\s*v?mov\w+\s+(?:%[xyz]mm\d+, *-?\d*\(%rsp\)|-?\d*\(%rsp\), *%[xyz]mm\d+)")
_BYTES = {"x": 16, "y": 32, "z": 64}


def _assembly(seen: _Seen) -> dict[str, list[str]]:
    """The lines of assembly of every stage; nothing where they cannot be read."""
    if Target.host().arch != "x86_64":
        return {}
    try:
        return _by_stage(seen.program.build().code)
    except TewbError:
        return {}


def _machine_code(code: dict[str, list[str]], findings: Sequence[Advice]) -> list[Advice]:
    """What the assembly says of each stage: registers that did not suffice, and vectors narrower than could be."""
    remarks: list[Advice] = []
    for name, lines in code.items():
        spills = sum(1 for line in lines if _SPILL.match(line))
        if spills > FEW_SPILLS:
            message = f"{spills} vector moves to and from the stack: the registers do not suffice; unroll or tile less"
            remarks.append(Advice("spills", name, None, message))
        width = vector_width(lines)
        if width is not None and width < Target.host().vector_bytes:
            answers = (
                a.steps
                for a in findings
                if a.stage == name and a.kind in ("unvectorized", "strided") and a.steps
            )
            said = "one number at a time" if width <= 8 else f"vectors of {width} bytes"
            message = (
                f"its arithmetic is on {said}; this machine has vectors of {Target.host().vector_bytes} bytes"
            )
            remarks.append(Advice("vector width", name, None, message, next(answers, ())))
    return remarks


def _with_what_llvm_did(a: Advice, code: dict[str, list[str]]) -> Advice:
    width = vector_width(code.get(a.stage, []))
    if a.kind != "unvectorized" or width is None or width <= 8:
        return a
    return replace(a, message=f"{a.message} (LLVM made vectors of {width} bytes here by itself)")


def vector_width(lines: Iterable[str]) -> int | None:
    """The bytes of the widest operands of floating point arithmetic; None when there is none."""
    widest: int | None = None
    for line in lines:
        m = _ARITHMETIC.match(line)
        if m is None:
            continue
        if m[1] in ("ss", "sd"):
            width = 4 if m[1] == "ss" else 8
        else:
            width = max((_BYTES[r] for r in re.findall(r"%([xyz])mm", m[2])), default=16)
        widest = max(widest or 0, width)
    return widest


def _by_stage(code: Any) -> dict[str, list[str]]:
    """The lines of assembly that compute each stage."""
    stages = [_stage_of(line.node) for line in script_lines(code.module)]
    of_stage: dict[str, list[str]] = {}
    for line, number in code.assembly_lines():
        stage = stages[number - 1] if number is not None and 0 < number <= len(stages) else None
        if stage is not None:
            of_stage.setdefault(stage, []).append(line)
    return of_stage


def _stage_of(n: Node | None) -> str | None:
    origin = getattr(n, "origin", None)
    return origin.stage if isinstance(origin, Origin) else None
