"""The parts of a lowered program: stages, loops, tasks of parallel loops and calls, each inside of another.

What a statement is a part of follows from its provenance. So a loop that was cut into main part and tail, unrolled,
or dropped because it had one iteration, is still one part: all statements that came from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count, groupby

from tewb.arith import evaluate_number, unlikely
from tewb.base import any_depth
from tewb.ir import (
    LT,
    Allocate,
    And,
    AssertStmt,
    AttrStmt,
    DeclBuffer,
    Expr,
    ExternRegion,
    For,
    ForKind,
    IfThenElse,
    IntImm,
    LetStmt,
    PrimFunc,
    Seq,
    Stmt,
    Var,
    While,
    const_int,
    replace,
    seq,
    walk_statements,
)

Key = tuple[str, str | None]  # a stage, and one of its loops; None is the stage itself
Sizes = Callable[[Var], float]
Rewrite = Callable[["LoopPart", Stmt], Stmt]

UNKNOWN = 8.0  # iterations of a loop of which nobody can say how many it has
_AROUND = Allocate | AssertStmt | AttrStmt | DeclBuffer | IfThenElse | LetStmt | Seq | While


class Share(IntEnum):
    """How much of the part around it a part is: all, all but the control of a loop, or some of it."""

    ALL = 0
    BODY = 1
    SOME = 2


@dataclass(eq=False, slots=True)
class LoopPart:
    """A part of a program.

    `kind` is "kernel" (all of it), "stage", "loop", "parallel" (a loop whose iterations are shared by threads), "tasks" (its
    iterations) or "call" (of an extern). `parent` is the part around it. It has so many `statements`, and begins about
    `entries` times in one call of the kernel; `share` is the least that a piece of it is of the parent. It `runs` where
    there is a loop or a call in it.
    """

    kind: str
    stage: str = ""
    loop: str | None = None
    parent: LoopPart | None = None
    entries: float = 0.0
    statements: int = 0
    share: Share = Share.ALL
    runs: bool = False
    inside: dict[tuple[str, Key], LoopPart] = field(default_factory=dict)

    def share_of_parent(self) -> Share:
        """How much of its parent it is, wherever that stands."""
        if self.parent is None or self.statements != self.parent.statements:
            return Share.SOME
        return min(self.share, Share.BODY)

    def all(self) -> list[LoopPart]:
        """This part and those inside of it, outer ones first."""
        return [self, *[p for c in self.inside.values() for p in c.all()]]

    def open(self) -> set[Key]:
        """The stages and loops that it is inside of, its own included."""
        around = set() if self.parent is None else self.parent.open()
        return around if self.kind == "kernel" else around | {(self.stage, self.loop)}


def loop_parts(f: PrimFunc, scheduled: PrimFunc, sizes: Sizes) -> LoopPart:
    """All of `f` as a part, with the parts in it. `scheduled` is the function before any pass, which says what stood
    inside of what; `sizes` gives variables their values."""
    kernel = LoopPart("kernel")
    _Walker(_nesting(scheduled), _counted, sizes).whole(f.body, kernel)
    return kernel


def with_parts(f: PrimFunc, scheduled: PrimFunc, kernel: LoopPart, rewrite: Rewrite) -> Stmt:
    """The body of `f`, of whose parts `kernel` is the outermost, with each piece of each part as `rewrite` makes it,
    inner ones first."""
    return _Walker(_nesting(scheduled), lambda part, s, share, times: rewrite(part, s)).whole(f.body, kernel)


def _counted(part: LoopPart, s: Stmt, share: Share, times: float) -> Stmt:
    """The piece `s` of a part, which is counted."""
    part.entries += times
    part.share = max(part.share, share)
    for n in walk_statements(s):
        part.statements += not isinstance(n, _AROUND | For)
        part.runs = part.runs or isinstance(n, For) or _is_call(n)
    return s


@any_depth
def _nesting(scheduled: PrimFunc) -> dict[Key, int]:
    """Numbers of stages and loops that grow from the outside in. The last nest of a stage, which adds to what the ones
    before have set to 0, says it for its loops."""
    numbers: dict[Key, int] = {}
    next_number = count()

    def visit(s: Stmt) -> None:
        origin = (
            s.origin if isinstance(s, For | AttrStmt) else None
        )  # threads are attributes before they are loops
        if origin is not None and origin.stage is not None and origin.axis is not None:
            numbers.setdefault((origin.stage, None), next(next_number))
            numbers[origin.stage, origin.axis] = next(next_number)
        for c in s.children():
            if isinstance(c, Stmt):
                visit(c)

    visit(scheduled.body)
    return numbers


class _Walker:
    """Goes through a body, finds the parts, and rewrites their pieces: `rewrite(part, piece, share, times)`."""

    def __init__(
        self,
        order: Mapping[Key, int],
        rewrite: Callable[[LoopPart, Stmt, Share, float], Stmt],
        sizes: Sizes = lambda v: UNKNOWN,
    ) -> None:
        self.order, self.rewrite, self.sizes = order, rewrite, sizes
        self.known: dict[Stmt, tuple[Key, ...]] = {}

    @any_depth
    def whole(self, body: Stmt, kernel: LoopPart) -> Stmt:
        """A body of a function, rewritten."""
        return self.rewrite(kernel, self.inside(body, kernel, Share.ALL, 1.0, {}), Share.ALL, 1.0)

    def inside(
        self, s: Stmt, part: LoopPart, share: Share, times: float, middle: Mapping[Var, float]
    ) -> Stmt:
        """`s`, which is `share` of `part`, with the parts in it rewritten. It runs `times` times in one call."""
        stmts = s.stmts if isinstance(s, Seq) else (s,)
        is_open = part.open()
        groups = [(key, list(g)) for key, g in groupby(stmts, lambda c: self.next_key(c, is_open))]
        own = share if len(groups) == 1 else Share.SOME
        rewritten: list[Stmt] = []
        for key, group in groups:
            if key is None:
                each = own if len(group) == 1 else Share.SOME
                rewritten += [self.below(c, part, each, times, middle) for c in group]
            else:
                kind = "stage" if key[1] is None else "loop"
                rewritten.append(self.piece(kind, key, seq(*group), part, own, times, middle))
        if len(rewritten) == len(stmts) and all(a is b for a, b in zip(rewritten, stmts, strict=True)):
            return s
        return seq(*rewritten)

    def piece(
        self, kind: str, key: Key, s: Stmt, around: LoopPart, share: Share, times: float, middle: Mapping[Var, float]
    ) -> Stmt:  # fmt: skip
        """A piece of a part, rewritten."""
        part = around.inside.setdefault((kind, key), LoopPart(kind, *key, around))
        body = s if kind == "call" else self.inside(s, part, Share.ALL, times, middle)
        return self.rewrite(part, body, share, times)

    def below(self, s: Stmt, part: LoopPart, share: Share, times: float, middle: Mapping[Var, float]) -> Stmt:
        """A statement that belongs to `part` itself, with the parts in it rewritten."""
        if isinstance(s, For):
            trips = self.trips(s, middle)
            first = self.value(s.min, middle) or 0.0
            runs, within = times * trips, {**middle, s.var: first + max(trips - 1, 0.0) / 2}
            if s.kind is ForKind.PARALLEL and part.kind != "parallel":
                return self.piece("parallel", (part.stage, part.loop), s, part, share, times, middle)
            if s.kind is ForKind.PARALLEL:
                key = part.stage, part.loop
                body = self.piece("tasks", key, s.body, part, Share.BODY, runs, within)
            else:
                body = self.inside(s.body, part, _body_of(share), runs, within)
            return s if body is s.body else replace(s, body=body)
        if _is_call(s) and not any(isinstance(n, For) for n in walk_statements(s)):
            return self.piece("call", (part.stage, part.loop), s, part, share, times, middle)
        if not isinstance(s, _AROUND):
            return s
        if isinstance(s, IfThenElse) and s.other is not None:
            return self.either(s, part, times, middle)
        inner = _body_of(share)
        runs = times * self.often(s.cond, middle) if isinstance(s, IfThenElse) else times

        def child(c: object) -> object:
            return self.inside(c, part, inner, runs, middle) if isinstance(c, Stmt) else c

        return s.map_children(child)

    def either(self, s: IfThenElse, part: LoopPart, times: float, middle: Mapping[Var, float]) -> Stmt:
        """One statement or the other: the first iterations of a loop and those after them, or the one that runs in the middle of
        the loops around; both, if that is not known."""
        assert s.other is not None
        match unlikely(s.cond):
            case LT(Var() as v, IntImm(n)) if v in middle:
                trips = 2 * middle[v] + 1
                first = min(max(n / trips, 0.0), 1.0) if trips else 1.0
                shares = first, 1.0 - first
                middles = {**middle, v: (n - 1) / 2}, {**middle, v: (n + trips - 1) / 2}
            case _:
                holds = self.value(s.cond, middle)
                shares = float(holds != 0), float(holds in (None, 0))
                middles = dict(middle), dict(middle)
        then = self.inside(s.then, part, Share.SOME, shares[0] * times, middles[0])
        other = self.inside(s.other, part, Share.SOME, shares[1] * times, middles[1])
        return s if then is s.then and other is s.other else replace(s, then=then, other=other)

    # ---- what a statement is a part of

    def next_key(self, s: Stmt, is_open: set[Key]) -> Key | None:
        """The outermost stage or loop that all of `s` is a part of, among those that are not `is_open`."""
        return next((key for key in self.keys(s) if key not in is_open), None)

    def keys(self, s: Stmt) -> tuple[Key, ...]:
        """The stages and loops that all of a statement is a part of, outermost first."""
        if s not in self.known:
            is_around = isinstance(s, _AROUND) and not _is_call(s)
            self.known[s] = self.common_keys(s) if is_around else self.own_keys(s)
        return self.known[s]

    def common_keys(self, s: Stmt) -> tuple[Key, ...]:
        """Those that all statements inside of `s` have: memory, guards and the like belong to what they are around."""
        all_keys = [self.keys(c) for c in s.children() if isinstance(c, Stmt)]
        shortest = min(all_keys, key=len, default=())
        same = [n for n, key in enumerate(shortest) if any(keys[n] != key for keys in all_keys)]
        return shortest[: same[0]] if same else shortest

    def own_keys(self, s: Stmt) -> tuple[Key, ...]:
        """Those that the provenance of a statement tells: the loops that were around it, its stage, a loop itself."""
        origin = getattr(s, "origin", None)
        if origin is None or origin.stage is None:
            return ()
        around: set[Key] = {(origin.stage, None)}
        for stage, loop in origin.gone:
            if stage is not None:
                around |= {(stage, None), (stage, loop)}
        own = {(origin.stage, origin.axis)} if isinstance(s, For) else set()
        outer = sorted(around - own, key=lambda key: self.order.get(key, len(self.order) * 2))
        return (*outer, *own)

    # ---- how often

    def trips(self, s: For, middle: Mapping[Var, float]) -> float:
        known = const_int(s.extent)
        if known is not None:
            return float(known)
        value = self.value(s.extent, middle)
        return UNKNOWN if value is None else max(value, 0.0)

    def often(self, guard: Expr, middle: Mapping[Var, float]) -> float:
        """In which share of the iterations around it a guard holds: i.outer*4 + i.inner < 10 in 10 of 12. 1 where that is not known."""
        cond = unlikely(guard)
        if isinstance(cond, And):
            return self.often(cond.a, middle) * self.often(cond.b, middle)
        if not isinstance(cond, LT):
            return 1.0
        first, last = (self.value(cond.a, {v: end * x for v, x in middle.items()}) for end in (0, 2))
        size = self.value(cond.b, middle)
        if first is None or last is None or size is None or last < first:
            return 1.0
        return min(max((size - first) / (last - first + 1), 0.0), 1.0)

    def value(self, e: Expr, middle: Mapping[Var, float]) -> float | None:
        value = evaluate_number(e, lambda v: middle[v] if v in middle else self.sizes(v))
        return None if value is None else float(value)


def _body_of(share: Share) -> Share:
    return max(share, Share.BODY)


def _is_call(n: object) -> bool:
    return isinstance(n, AttrStmt) and isinstance(n.node, ExternRegion)
