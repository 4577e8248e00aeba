"""The loops of one stage, with guards and inner stages in their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tewb.ir import (
    Buffer,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IterVar,
    Range,
    Stmt,
    Var,
    const,
    ops,
    seq,
    substitute,
    walk,
)
from tewb.lowering.double_buffer import Ahead, double_buffered
from tewb.lowering.pragmas import heed_pragmas
from tewb.lowering.prefetch_lines import prefetch_lines
from tewb.lowering.rolling_buffer import Window, check_guards, rolled
from tewb.schedule import Stage, inside
from tewb.schedule.bounds import StageBounds, region_read

if TYPE_CHECKING:
    from tewb.lowering.nest import Nests


class StageLoops:
    """The loops of one stage, with guards and inner stages in their places."""

    def __init__(self, nests: Nests, stage: Stage, leaves: Sequence[IterVar]) -> None:
        self.nests, self.stage, self.leaves = nests, stage, leaves
        self.own: StageBounds = nests.bounds.stages[stage]
        self.analyzer = nests.bounds.analyzer
        self.origin = stage.origin()

    def loops(self, first: int, last: int, guards: list[tuple[IterVar, Expr]], body: Stmt) -> Stmt:
        """The loops at positions first..last-1 around `body`, with guards and inner stages in their places."""
        for position in range(last - 1, first - 1, -1):
            iv = self.leaves[position]
            attached = self.nests.at.get((self.stage, iv), [])
            here = [s for s in attached if not s.is_double]
            body = self.before_loop(position + 1, body)
            if here:
                inner = body
                body = self.nests.realize(here, lambda inner=inner: inner)  # type: ignore[misc]
            body = self.guarded([g for _, g in guards if self.depth(g) == position], body)
            pragmas = {key: n for (own, key), n in self.stage.pragmas.items() if own is iv}
            body = heed_pragmas(body, pragmas, self.stage.origin(iv)) if pragmas else body
            body = seq(*self.prefetched(iv), body)
            loop = body = self.loop(iv, self.own.vars[iv], body)
            rolling = [s for s in here if s.is_rolling]
            if rolling:
                body = rolled(
                    loop, self.windows(rolling, [g for _, g in guards if self.depth(g) <= position])
                )
            if len(here) < len(attached):
                body = double_buffered(loop, [self.ahead(s) for s in attached if s.is_double])
        if first == 0:
            body = self.guarded([g for _, g in guards if self.depth(g) < 0], body)
        return body

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
            for t in p.source.op.outputs:
                box = region_read(self.stage, t, iv, self.nests.bounds)
                if box is None:
                    continue
                buffer, mins = self.nests.buffer(t)
                later = [substitute(r.min, {v: ops.add(v, p.offset)}) for r in box]
                there = [Range(ops.sub(low, m), r.extent) for low, r, m in zip(later, box, mins, strict=True)]
                requests.append(prefetch_lines(buffer, there, simplify, self.stage.origin(iv)))
        return requests

    def windows(self, rolling: Sequence[Stage], guards: Sequence[Expr]) -> list[tuple[Buffer, Window]]:
        """The memory of each output of the stages, with its window. `guards` are around them."""
        windows = [self.nests.window(s) for s in rolling]
        for w in windows:
            check_guards(w, guards, self.analyzer)
        return [(self.nests.buffer(t)[0], w) for w in windows for t in w.stage.op.outputs]

    def ahead(self, stage: Stage) -> Ahead:
        """The computation of `stage`, which runs one iteration ahead."""
        buffers = [self.nests.buffer(t)[0] for t in stage.op.outputs]
        return Ahead(self.nests.produce(stage), buffers, stage.origin())

    def loop(self, iv: IterVar, v: Var, body: Stmt, extent: Expr | None = None) -> For:
        """A loop of `v` that runs as the loop of `iv` does, with `extent` iterations, or as many as that."""
        kind = self.stage.loop_kind(iv) or ForKind.SERIAL
        count = self.own.extents[iv] if extent is None else extent
        return For(v, const(0, v.dtype), count, kind, body, self.stage.origin(iv))

    def guarded(self, guards: list[Expr], body: Stmt) -> Stmt:
        if not guards:
            return body
        return IfThenElse(ops.all_of(*[ops.likely(g) for g in guards]), body, None, self.origin)

    def depth(self, e: Expr) -> int:
        """The position of the innermost loop that `e` depends on; -1 for none."""
        mine = {v: i for i, v in enumerate(self.own.vars[iv] for iv in self.leaves)}
        return max((mine[n] for n in walk(e) if isinstance(n, Var) and n in mine), default=-1)
