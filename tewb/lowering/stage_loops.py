"""The loops of one stage, with guards and inner stages in their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tewb.base import LowerError
from tewb.ir import (
    AssertStmt,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IterVar,
    Origin,
    Range,
    Stmt,
    Var,
    const,
    const_int,
    launch,
    ops,
    seq,
    substitute,
    uses,
    walk,
)
from tewb.lowering.double_buffer import Ahead, double_buffered
from tewb.lowering.grains import state_grain
from tewb.lowering.pragmas import heed_pragmas
from tewb.lowering.prefetch_lines import prefetch_lines
from tewb.schedule import Split, Stage, StageBounds, clamped, divides, inside, refused_again, shifted_loops
from tewb.schedule.bounds import region_read
from tewb.schedule.threads import bound, is_exchanged, launched_around, threads_around

if TYPE_CHECKING:
    from tewb.lowering.nest import Nests


class StageLoops:
    """The loops of one stage, with guards and inner stages in their places."""

    def __init__(self, nests: Nests, stage: Stage, leaves: Sequence[IterVar]) -> None:
        self.nests, self.stage, self.leaves = nests, stage, leaves
        self.own: StageBounds = nests.bounds.stages[stage]
        self.analyzer = nests.bounds.analyzer
        self.origin = stage.origin()
        self.launch = nests.launch_of(stage)
        self.masks: list[Expr] = []  # guards that all iterations have: no loop is cut at them
        self.threads = bound(stage) if self.launch is not None else {}

    def loops(self, first: int, last: int, guards: list[tuple[IterVar, Expr]], body: Stmt) -> Stmt:
        """The loops at positions first..last-1 around `body`, with guards and inner stages in their places."""
        deepest = self.deepest_exchange(first, last)
        at = [(self.depth(g), g) for _, g in guards]
        inmost = [g for depth, g in at if depth <= deepest and self.differs(g)]
        at = [(depth, g) for depth, g in at if not any(g is x for x in inmost)]
        for position in range(last - 1, first - 1, -1):
            iv = self.leaves[position]
            attached = self.nests.at.get((self.stage, iv), [])
            # Threads that share a stage wait for each other in the iteration in which they read it, and a thread runs
            # one iteration of a bound loop: then nothing is computed ahead.
            here = [s for s in attached if not s.is_double or is_exchanged(s) or iv in self.threads]
            body = self.before_loop(position + 1, body)
            if position == deepest:
                body = self.guarded(inmost, body)
            body = seq(body, *[self.nests.produce(s) for s in self.nests.after.get((self.stage, iv), ())])
            if here:
                inner = body
                body = self.nests.realize(here, lambda inner=inner: inner)  # type: ignore[misc]
            body = self.nests.with_memory((self.stage, iv), body)
            body = self.guarded([g for depth, g in at if depth == position], body)
            pragmas = {key: n for (own, key), n in self.stage.pragmas.items() if own is iv}
            body = heed_pragmas(body, pragmas, self.pragma_origins(iv)) if pragmas else body
            body = seq(*self.prefetched(iv), body)
            loop = body = self.loop(iv, self.own.vars[iv], body)
            for rolling in (s for s in here if s.is_rolling):
                body = self.nests.allocated(rolling, body)
            if len(here) < len(attached):
                body = double_buffered(loop, [self.ahead(s) for s in attached if s.is_double])  # type: ignore[arg-type]
        if first == 0:
            body = self.guarded([g for depth, g in at if depth < 0], body)
        return body

    def pragma_origins(self, iv: IterVar) -> dict[str, Origin]:
        """Where the pragmas of a loop were given: the lines of their steps."""
        origin, journal = self.stage.origin(iv), self.stage.schedule.journal
        steps = [(n, journal[n]) for n in origin.steps if n < len(journal)]
        return {
            str(step.args["key"]): replace(origin, step=n, span=step.span)
            for n, step in steps
            if step.primitive == "pragma"
        }

    def deepest_exchange(self, first: int, last: int) -> int:
        """The innermost position in a range at which a stage is computed for which threads wait; -1 for none. A guard
        that not all threads pass stands inside of it: all of them come to where they wait."""
        if self.launch is None:
            return -1
        at = [p for p in range(first, last) if self.nests.waits_at(self.stage, self.leaves[p])]
        return max(at, default=-1)

    def differs(self, e: Expr) -> bool:
        """Whether a condition may hold for some threads only."""
        return self.launch is not None and uses(e, self.launch.variables())

    def idle_guards(self, variables: Mapping[IterVar, Expr]) -> list[tuple[IterVar, Expr]]:
        """The guards of loops that have fewer iterations than there are threads."""
        if self.launch is None:
            return []
        loops = [iv for iv in self.leaves if (self.stage, iv) in self.launch.idle]
        return [(iv, ops.less(variables[iv], self.own.extents[iv])) for iv in loops]

    def before_loop(self, position: int, body: Stmt) -> Stmt:
        """`body`, which begins with loop `position`, inside of the definitions and checks that belong there."""
        return body

    def prefetched(self, iv: IterVar) -> list[Stmt]:
        """Requests for what later iterations of `iv` will read."""
        requests: list[Stmt] = []
        for p in (p for p in self.stage.prefetches if p.axis is iv):
            if inside(p.source, self.stage, iv):
                continue  # it is computed in this iteration, and not in memory before
            v, simplify = self.own.vars[iv], self.analyzer.simplify
            # By the tensors that this stage reads: they stay those of before where a cache_write made others.
            read = self.nests.bounds.operations[self.stage].inputs
            for t in (t for t in read if self.stage.schedule.stage_of(t) is p.source):
                box = region_read(self.stage, t, iv, self.nests.bounds)
                if box is None:
                    continue
                buffer, mins = self.nests.buffer(t)
                later = [substitute(r.min, {v: ops.add(v, p.offset)}) for r in box]
                if buffer in self.nests.rings:
                    continue  # what is kept of it goes round, and is near
                there = [Range(ops.sub(low, m), r.extent) for low, r, m in zip(later, box, mins, strict=True)]
                requests.append(prefetch_lines(buffer, there, simplify, self.stage.origin(iv)))
        return requests

    def ahead(self, stage: Stage) -> Ahead:
        """The computation of `stage`, which runs one iteration ahead."""
        buffers = [self.nests.buffer(t)[0] for t in stage.op.outputs]
        return Ahead(self.nests.produce(stage), buffers, stage.origin())

    def loop(self, iv: IterVar, v: Var, body: Stmt, extent: Expr | None = None) -> Stmt:
        """A loop of `v` that runs as the loop of `iv` does, with `extent` iterations, or as many as that. Of threads
        that are launched around it already, each runs its own iteration."""
        if iv in self.threads and self.launch is not None:
            return self.launched(iv, v, body)
        kind = self.stage.loop_kind(iv) or ForKind.SERIAL
        count = self.own.extents[iv] if extent is None else extent
        body = state_grain(self.stage, iv, body)
        return For(v, const(0, v.dtype), count, kind, body, self.stage.origin(iv))

    def launched(self, iv: IterVar, v: Var, body: Stmt) -> Stmt:
        """`body` in each of the threads that the loop of `iv` is bound to."""
        started, key = self.launch, self.threads[iv].key
        assert started is not None
        if v is not self.own.vars[iv]:
            started.stand_for(v, self.stage, iv)
        if key in threads_around(self.stage) or any(t.key == key for t in launched_around(self.stage)):
            return body
        return launch(started.axes[key], started.sizes[key], body, self.stage.origin(iv))

    def said_to_divide(self, body: Stmt) -> Stmt:
        """`body` behind a check that the splits divide that do without guards. Raises LowerError for one that does not."""
        for r in self.stage.relations:
            if isinstance(r, Split) and r.disable_predication:
                n, size = self.own.extents[r.parent], r.size
                rest = ops.floormod(n, clamped(size, n))
                name = f"{self.stage.axis_name(r.parent)} of stage {self.stage.name}"
                if divides(r, self.own.extents) or self.analyzer.can_prove(ops.equal(rest, 0)):
                    continue
                if const_int(n) is not None and isinstance(r.size, int):
                    raise LowerError(
                        f"split with disable_predication: {name} has {const_int(n)} iterations, which {r.size_text()} does not "
                        "divide",
                        hint="leave disable_predication out, or choose a size that divides",
                        span=self.origin.span,
                    )
                said = f"{name} was split with disable_predication, and {r.size_text()} does not divide its iterations"
                body = AssertStmt(ops.equal(rest, 0), said, body, self.origin)
        return body

    @contextmanager
    def where_long_enough(self) -> Iterator[None]:
        """Inside of the block, loops whose last part is moved inwards have as many iterations as a part: see `long_enough`."""
        with ExitStack() as around:
            for r in shifted_loops(self.stage, self.own.extents):
                if r.factor is not None:
                    around.enter_context(self.analyzer.assume(self.is_long(r)))
            yield

    def long_enough(self, body: Stmt) -> Stmt:
        """`body` where loops whose last part is moved inwards have as many iterations as a part, and the loops for others beside
        it; where there are none, behind a check. Raises LowerError where iterations may not run twice."""
        shifted = shifted_loops(self.stage, self.own.extents)
        refused = refused_again(self.stage, [r.outer for r in shifted]) if shifted else None
        if refused:
            raise LowerError(
                f"split on stage {self.stage.name}: {refused.reason}",
                hint=refused.hint,
                span=self.origin.span,
            )
        unsure = [r for r in shifted if r.factor is not None and not self.analyzer.can_prove(self.is_long(r))]
        short = self.when_short() if unsure else None
        if short is not None:
            return IfThenElse(ops.all_of(*[self.is_long(r) for r in unsure]), body, short, self.origin)
        for r in unsure:
            name = f"{self.stage.axis_name(r.parent)} of stage {self.stage.name}"
            said = f'{name} was split with tail="shift", and has fewer iterations than {r.size_text()}'
            is_empty = ops.equal(self.own.extents[r.parent], 0)
            body = AssertStmt(ops.logical_or(self.is_long(r), is_empty), said, body, self.origin)
        return body

    def is_long(self, r: Split) -> Expr:
        """Whether a split loop has as many iterations as a part of it."""
        n, size = self.own.extents[r.parent], self.own.extents[r.inner]
        return ops.greater_equal(ops.cast(n, size.dtype), size)

    def when_short(self) -> Stmt | None:
        """The loops for calls in which a loop has fewer iterations than a part of it; None if such calls are refused."""
        return None

    def guarded(self, guards: list[Expr], body: Stmt) -> Stmt:
        if not guards:
            return body
        masks = {id(g) for g in self.masks}
        conditions = [g if id(g) in masks else ops.likely(g) for g in guards]
        return IfThenElse(ops.all_of(*conditions), body, None, self.origin)

    def depth(self, e: Expr) -> int:
        """The position of the innermost loop that `e` depends on; -1 for none."""
        mine = {v: i for i, v in enumerate(self.own.vars[iv] for iv in self.leaves)}
        return max((mine[n] for n in walk(e) if isinstance(n, Var) and n in mine), default=-1)
