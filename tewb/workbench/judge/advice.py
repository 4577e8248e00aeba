"""Advice: what makes a schedule slow or large, found in its loops, its ledger and its machine code.

Each piece names the stage and the loop, says what was found in numbers, and carries the steps that answer
it where there are some: the first is legal now, each other after those before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

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
    uses,
    walk,
    walk_statements,
)
from tewb.lowering import body_in_view, with_thread_loops
from tewb.schedule import ROUND_UP, SHIFT, At, Schedule, Split, Stage, Step, divides, loop_marks
from tewb.schedule.bounds import infer_bounds
from tewb.tensor import ExternOp, Tensor
from tewb.workbench.judge.estimate import Machine
from tewb.workbench.judge.factors import dividing, fitting
from tewb.workbench.judge.gains import Gains
from tewb.workbench.judge.ledger import Entry, account, argument_stages, caches, ledger, size_of
from tewb.workbench.judge.nests import Nest, axis_of, is_unit, nests, stride, strides_along
from tewb.workbench.judge.palette import Trials, guards_left, lanes_of
from tewb.workbench.judge.tails import split_without_guard
from tewb.workbench.session_view import ProgramView
from tewb.workbench.speed.verdict import has_many_spills, is_narrow, main_loop, wider
from tewb.workbench.speed.why_fast import Program, Speed, question

CACHE_LINE = 64  # bytes
MOST_TIMES = 2.0  # more computations of one element than this are worth a word

KINDS = (
    "unvectorized", "strided", "layout", "false sharing", "over-allocation", "recompute", "stores", "guard", "tail",
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


def advice(program: Program, assembly: bool = True, machine: Machine | None = None) -> list[Advice]:
    """All findings about the schedule as it is now, in the order of KINDS. With `assembly`, the kernel is
    built (and not run), and what Speed says of its machine code counts: steps are left out that are predicted to make it
    slower, on this machine or another. Raises what keeps the schedule from being lowered."""
    seen = _Seen(program)
    findings: list[Advice] = []
    for rule in (_inner_loops, _layouts, _sharing, _memory, _stores, _guards, _tails):
        findings += rule(seen)
    if assembly:
        gains = Gains(program, machine)
        speed = gains.speed or (_speed(program) if machine is None else None)
        if speed is not None:
            findings += _machine_code(seen, speed, findings)
            findings = [_with_what_llvm_did(a, speed) for a in findings]
        findings = [_unless_slower(a, gains) for a in findings]
    once = {(a.kind, a.stage, a.loop): a for a in reversed(findings)}
    return sorted(once.values(), key=lambda a: KINDS.index(a.kind))


def _speed(program: Program) -> Speed | None:
    """What Speed says of the program; None where its machine code cannot be read."""
    try:
        return question(program).answer()
    except TewbError:
        return None


def _unless_slower(a: Advice, gains: Gains) -> Advice:
    """A finding, without its steps where they are predicted to make the program slower."""
    gain = gains.of(a.steps) if a.steps and a.kind != "layout" else None  # which only begins a body
    if gain is None or not gain.is_loss:
        return a
    steps = ", then ".join(map(str, a.steps))
    return replace(a, message=f"{a.message}; {steps} is predicted to be slower", steps=())


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
        self.function = with_thread_loops(body_in_view(self.schedule, program.function))
        self.trials = Trials(program)
        self.nests = list(nests(self.schedule, body_in_view(self.schedule, program.passes[0][1]).body, ()))
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
    steps = vector_steps(seen, stage, loop, n)
    rest = None if n is None else n % lanes_of(stage)
    if len(steps) > 1 and rest != 0:
        message += (
            f" (of its iterations the last {rest or 'ones, of which a vector is not full,'} are then guarded)"
        )
    return Advice("unvectorized", stage.name, loop, message, steps)


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
    access = next((a for a, x in along.items() if x == 1 and strides[a] not in (0, 1)), None)
    if steps and access is not None:
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
    sizes = [const_int(n.extent) for n in nest.loops[-2:]]
    rows = lanes if sizes[0] is None else fitting(sizes[0], lanes, most=lanes)
    tile = Step("tile", stage.name, {"x": x, "y": y, "x_factor": rows, "y_factor": lanes})
    after = seen.trials.after(tile)
    tiled = after.journal[-1].results if isinstance(after, Schedule) else ()
    turned = Step("transpose", stage.name, {"rows": tiled[2], "lanes": tiled[3]}) if tiled else tile
    return seen.legal(tile, turned) or seen.legal(tile)


def _layouts(seen: _Seen) -> Iterator[Advice]:
    """Arrays whose neighbours lie along another dimension than the last, read by loops that steps ordered."""
    schedule = seen.schedule
    if schedule.within is not None:
        return  # its loops are for calls that the condition names
    ordered = {schedule.journal[n].stage for n in schedule.own_steps()}
    tensors = [t for t in seen.program.args if isinstance(t, Tensor) and schedule[t].is_placeholder]
    for t, array in zip(tensors, getattr(seen.program, "inputs", None) or (), strict=False):
        d = _neighbours(np.asarray(array))
        readers = [s for s in schedule[t].readers() if s.name in ordered and not s.is_inlined]
        condition = f"stride({schedule[t].name}, {d}) == 1"
        if d is None or not readers or any(condition in known for known in schedule.bodies):
            continue
        message = (
            f"the array for {t.name} has its neighbours along dimension {d}, and steps ordered the loops for "
            f"neighbours along the last one: calls with {condition} can have loops of their own (specialize)"
        )
        steps = seen.legal(Step("specialize", readers[0].name, {"condition": condition}))
        yield Advice("layout", readers[0].name, None, message, steps)


def _neighbours(a: Any) -> int | None:
    """The dimension along which neighbours in memory lie; None if it is the last one, or there is none."""
    if a.ndim < 2 or a.strides[-1] == a.itemsize or a.shape[-1] <= 1:
        return None
    return next((d for d in range(a.ndim - 1) if a.strides[d] == a.itemsize and a.shape[d] > 1), None)


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
        if needed is not None and held > needed and isinstance(stage.op, ExternOp) and stage.stored is None:
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
    """Guards that are still inside of the innermost loop, asked in every iteration; not those of a last part alone, beside
    which the loop runs without them."""
    without = {
        n.origin
        for n in walk(seen.function.body)
        if isinstance(n, For) and n.origin is not None and not any(_asks(c, n) for c in walk(n.body))
    }

    def visit(s: Stmt, inner: For | None) -> Iterator[Advice]:
        # A vector as condition is the mask of a tail, which costs no branch.
        scalar = isinstance(s, IfThenElse) and s.cond.dtype.lanes == 1
        if isinstance(s, IfThenElse) and scalar and inner is not None and uses(s.cond, [inner.var]):
            origin: Origin | None = s.origin
            innermost = (
                not any(isinstance(n, For) for n in walk_statements(s.then)) and inner.origin not in without
            )
            if innermost and origin is not None and origin.stage is not None and _is_likely(s.cond):
                loop = inner.origin.axis if inner.origin is not None else inner.var.name
                cond = script(s.cond).replace("T.", "")
                message = (
                    f"{cond} is asked in every iteration: a constant size or a factor that divides avoids it"
                )
                other = split_without_guard(
                    seen.program, origin.stage, guards_left(seen.function, origin.stage)
                )
                if other is not None:
                    message += f", and so does {other}"
                yield Advice("guard", origin.stage, loop, message)
        if isinstance(s, For):
            inner = s
        for c in s.children():
            if isinstance(c, Stmt):
                yield from visit(c, inner)

    yield from visit(seen.function.body, None)


def _asks(s: Node, loop: For) -> bool:
    """Whether a statement is a guard on the iterations of a loop."""
    return isinstance(s, IfThenElse) and _is_likely(s.cond) and uses(s.cond, [loop.var])


def _is_likely(e: Expr) -> bool:
    return any(isinstance(n, Call) and n.op == "likely" for n in walk(e))


def _tails(seen: _Seen) -> Iterator[Advice]:
    """Splits that leave a shorter last part, where another factor near would not."""
    for stage, own in seen.bounds.stages.items():
        for r in stage.relations:
            if not isinstance(r, Split) or r.tail in (SHIFT, ROUND_UP) or divides(r, own.extents):
                continue
            n, size = const_int(own.extents[r.parent]), const_int(own.extents[r.inner])
            if n is None or size is None or size < 1:
                continue
            better = _better_factors(stage, r, n, size)
            if better:
                name = stage.axis_name(r.parent)
                message = (
                    f"{name} has {n} iterations and is split into parts of {size}: the last has {n % size}"
                )
                hint = f"{', '.join(map(str, better))} would divide"
                yield Advice("tail", stage.name, name, f"{message}; {hint}")


def _better_factors(stage: Stage, r: Split, n: int, size: int) -> list[int]:
    """The factors that would divide and serve as well: registers must hold what is written out, and vectors be whole."""
    marks = {mark.split()[0] for mark in loop_marks(stage, r.inner)}
    if "dot" in marks:
        return []  # an instruction has so many
    if "vectorize" in marks:
        whole = 1 << size.bit_length() - 1  # lanes of a vector, or of a part of one
        return dividing(n, size, min(lanes_of(stage), whole), most=size)
    return dividing(n, size, most=size if marks & {"unroll", "transpose"} else None)


# ---------------------------------------------------------------- rules on machine code


def _machine_code(seen: _Seen, speed: Speed, findings: Sequence[Advice]) -> Iterator[Advice]:
    """What the inner loops of each stage say in the machine code, as Speed says it: registers that do not suffice, and vectors
    that LLVM made, or did not make, where they could be wider."""
    widest = 8 * speed.vector_bytes
    for name in dict.fromkeys(x.place.stage for x in speed.loops if x.place is not None and x.place.stage):
        x = main_loop(speed.loops, name)
        assert x is not None
        if has_many_spills(x):
            where = "in all" if x.is_once else "of its inner loop"
            message = (
                f"{x.spills} of the {len(x.body)} instructions {where} save registers on the stack or load them back: "
                "unroll or tile less"
            )
            yield Advice("spills", name, None, message)
        if any(n.kind is ForKind.VECTORIZED for nest in seen.nests if nest.stage == name for n in nest.loops):
            continue  # it has the vectors that it was given
        scalar = wider(x, widest)
        if scalar or is_narrow(x, widest):
            said = "one number at a time" if scalar else f"vectors of {x.bits // 8} bytes"
            message = f"the arithmetic of {x.name} is on {said}; this machine has vectors of {speed.vector_bytes} bytes"
            yield Advice("vector width", name, None, message, _widening(name, findings))


def _widening(stage: str, findings: Sequence[Advice]) -> tuple[Step, ...]:
    """The steps of another finding after which the stage has vectors."""
    return next(
        (a.steps for a in findings if a.stage == stage and a.kind in ("unvectorized", "strided") and a.steps),
        (),
    )


def _with_what_llvm_did(a: Advice, speed: Speed) -> Advice:
    x = main_loop(speed.loops, a.stage)
    if a.kind != "unvectorized" or x is None or x.lanes <= 1:
        return a
    return replace(a, message=f"{a.message} (LLVM made vectors of {x.bits // 8} bytes here by itself)")
