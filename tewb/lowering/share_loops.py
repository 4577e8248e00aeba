"""Two loop nests as one: their outer loops are shared, first with first, and what stands beside and in these comes in turn.

    for i in n:                                   for i in max(n, m):
        a0                                            if i < n: a0
        for k in p: if g: a1                          if i < m: b0
    for i in m:                           ->          for k in max(p, q):
        b0                                                if i < n and k < p and g: a1
        for k in q: b1                                    if i < m and k < q: b1

The two nests do not depend on each other, so that any order of their iterations is right. What holds around the rest of a
nest, as a guard, moves inwards to all parts of it, and stands around both where both have it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tewb.arith import Analyzer
from tewb.base import DType
from tewb.ir import (
    Allocate,
    AssertStmt,
    AttrStmt,
    BufferLoad,
    BufferStore,
    Expr,
    For,
    IfThenElse,
    Origin,
    Seq,
    Stmt,
    Var,
    const,
    const_int,
    ops,
    replace,
    seq,
    structural_equal,
    substitute,
    walk,
    walk_statements,
)
from tewb.lowering.describe_externs import SCOPE


class CannotShare(Exception):
    """Why the loops of two nests cannot be one."""


@dataclass(frozen=True, slots=True)
class _Beside:
    """A statement beside a shared loop, inside of so many of the conditions and regions that stand around that."""

    stmt: Stmt
    conditions: int
    regions: int


@dataclass(slots=True)
class _Side:
    """One of two nests on the way to its next shared loop: what stands around all of that (conditions, and regions of foreign
    code), memory and checks, what comes before the loop and after it."""

    conditions: list[Expr]
    regions: list[AttrStmt]
    memory: list[Allocate] = field(default_factory=list)
    checks: list[AssertStmt] = field(default_factory=list)
    before: list[_Beside] = field(default_factory=list)
    after: list[_Beside] = field(default_factory=list)

    def beside(self, s: Stmt) -> _Beside:
        return _Beside(s, len(self.conditions), len(self.regions))

    def placed(self, x: _Beside) -> Stmt:
        """A part of this nest in what stands around it."""
        body = x.stmt
        for region in reversed(self.regions[: x.regions]):
            body = replace(region, body=body)
        return _under(self.conditions[: x.conditions], body)


def share_loops(
    a: Stmt,
    b: Stmt,
    pairs: Sequence[tuple[Var, Var]],
    analyzer: Analyzer,
    wider: dict[Var, Var] | None = None,
) -> Stmt:
    """The nests `a` and `b` as one, in which the loops over `pairs` of variables are shared, outermost first. `wider` has the
    variables of loops of `a` that are counted in a wider dtype, or run further, since they are shared. Raises CannotShare where
    something stands around a loop that cannot move."""
    return _merged(_Side([], []), a, _Side([], []), b, list(pairs), analyzer, {} if wider is None else wider)


def _merged(
    one: _Side,
    a: Stmt,
    two: _Side,
    b: Stmt,
    pairs: list[tuple[Var, Var]],
    analyzer: Analyzer,
    wider: dict[Var, Var],
) -> Stmt:
    if not pairs:
        return _side_by_side(one, a, two, b)
    (own, w), *inner = pairs
    v = wider.get(own, own)
    first, second = _to_loop(a, v, one), _to_loop(b, w, two)
    _check_in_reach(one, two, b)
    if not _counts(v, second.extent, analyzer):
        first = _widened(first, w.dtype)
        v = wider[own] = first.var
    n, m = first.extent, ops.cast(second.extent, v.dtype)
    extent, shorter = _longer(n, m, analyzer)
    if shorter[0]:  # it runs further than is known of its variable
        first = _with_variable(first, Var(v.name, v.dtype))
        v = wider[own] = first.var
        analyzer.bind_extent(v, const(0, v.dtype), extent)
    body = substitute(second.body, {w: ops.cast(v, w.dtype)})

    def loop() -> Stmt:
        sides = [_Side([*s.conditions], [*s.regions]) for s in (one, two)]
        for side, end, is_shorter in zip(sides, (n, m), shorter, strict=True):
            if is_shorter:
                side.conditions.append(ops.likely(ops.less(v, end)))
        merged = _merged(sides[0], first.body, sides[1], body, inner, analyzer, wider)
        before = [s.placed(x) for s in (one, two) for x in s.before]
        after = [s.placed(x) for s in (one, two) for x in s.after]
        return seq(*before, replace(first, extent=extent, body=merged), *after)

    return _both(one, two, lambda: _in_memory(one, two, loop()))


def _side_by_side(one: _Side, a: Stmt, two: _Side, b: Stmt) -> Stmt:
    """What is in the last shared loop, the second nest after the first, in the memory of the first where it reads that."""
    read = {n.buffer for n in walk(b) if isinstance(n, BufferLoad)}
    shared = {n.buffer for n in walk_statements(a) if isinstance(n, Allocate)} & read
    if shared:
        b = _inside_conditions(b, two)
    while shared - {x.buffer for x in one.memory}:
        match a:
            case Allocate(_, body):
                one.memory.append(a)
                a = body
            case IfThenElse(cond, then, None):
                one.conditions.append(cond)
                a = then
            case Seq(stmts):
                one.before += [one.beside(x) for x in stmts[:-1]]
                a = stmts[-1]
            case _:
                raise CannotShare(
                    f"{', '.join(sorted(x.name for x in shared))} is made further in than it is read"
                )
    _check_in_reach(one, two, b)
    ends = [(one, x) for x in (*one.before, one.beside(a))] + [(two, two.beside(b))]
    return _both(one, two, lambda: _in_memory(one, two, seq(*[side.placed(x) for side, x in ends])))


def _inside_conditions(s: Stmt, side: _Side) -> Stmt:
    """What is in the conditions that a statement begins with, which are added to those of its nest."""
    while isinstance(s, IfThenElse) and s.other is None:
        side.conditions.append(s.cond)
        s = s.then
    return s


def _in_memory(one: _Side, two: _Side, nest: Stmt) -> Stmt:
    """A shared nest in the memory and the checks of both sides."""
    for side in (two, one):
        for check in reversed(side.checks):
            nest = replace(check, body=nest)
        for memory in reversed(side.memory):
            nest = replace(memory, body=nest)
    return nest


def _both(one: _Side, two: _Side, make: Callable[[], Stmt]) -> Stmt:
    """What `make` makes, in the conditions that all of both nests have in common and need not ask again."""
    common = [*one.conditions]
    beside = [x for s in (one, two) for x in (*s.before, *s.after)]
    if not common or not _same(one, two) or any(x.conditions < len(common) for x in beside):
        return make()
    one.conditions, two.conditions = [], []
    return _under(common, make())


def _same(one: _Side, two: _Side) -> bool:
    """Whether two nests are under the same conditions."""
    pairs = zip(one.conditions, two.conditions, strict=False)
    return len(one.conditions) == len(two.conditions) and all(structural_equal(x, y) for x, y in pairs)


def _under(conditions: Sequence[Expr], body: Stmt) -> Stmt:
    return IfThenElse(ops.all_of(*conditions), body, None, _origin(body)) if conditions else body


def _origin(s: Stmt) -> Origin | None:
    return next((n.origin for n in walk_statements(s) if isinstance(n, BufferStore | For)), None)


def _counts(v: Var, n: Expr, analyzer: Analyzer) -> bool:
    """Whether `v` can have all values below `n`."""
    if v.dtype.bits >= n.dtype.bits:
        return True
    return analyzer.can_prove(ops.less_equal(n, const(v.dtype.max_value(), n.dtype)))


def _widened(loop: For, dtype: DType) -> For:
    """A loop that is counted in a wider dtype."""
    wide = _with_variable(loop, Var(loop.var.name, dtype))
    return replace(wide, min=const(0, dtype), extent=ops.cast(loop.extent, dtype))


def _with_variable(loop: For, v: Var) -> For:
    """A loop over another variable."""
    return replace(loop, var=v, body=substitute(loop.body, {loop.var: ops.cast(v, loop.var.dtype)}))


def _longer(n: Expr, m: Expr, analyzer: Analyzer) -> tuple[Expr, tuple[bool, bool]]:
    """The larger of two extents, and which of them may be less than that."""
    if structural_equal(n, m) or analyzer.can_prove(ops.equal(n, m)):
        return n, (False, False)
    if analyzer.can_prove(ops.greater_equal(n, m)):
        return n, (False, True)
    if analyzer.can_prove(ops.less_equal(n, m)):
        return m, (True, False)
    return ops.maximum(n, m), (True, True)


def _to_loop(s: Stmt, v: Var, side: _Side) -> For:
    """The loop over `v` in a statement. What is around it goes into `side`."""
    while not (isinstance(s, For) and s.var is v):
        match s:
            case Allocate(_, body):
                side.memory.append(s)
                s = body
            case AssertStmt(cond, _, body):
                _no_loads(cond)
                when = ops.all_of(*side.conditions) if side.conditions else None
                side.checks.append(
                    s if when is None else replace(s, cond=ops.logical_or(ops.logical_not(when), cond))
                )
                s = body
            case AttrStmt(_, _, _, body) if s.key == SCOPE:
                side.regions.append(s)
                s = body
            case IfThenElse(cond, then, None):
                _no_loads(cond)
                side.conditions.append(cond)
                s = then
            case Seq(stmts):
                at = next((n for n, x in enumerate(stmts) if _has_loop(x, v)), None)
                if at is None or any(_has_loop(x, v) for x in stmts[at + 1 :]):
                    raise CannotShare(f"there is no one loop {v.name} around all of it")
                # What comes before and after stands in the conditions so far.
                side.before += [side.beside(x) for x in stmts[:at]]
                side.after[:0] = [side.beside(x) for x in stmts[at + 1 :]]
                s = stmts[at]
            case _:
                raise CannotShare(f"there is no one loop {v.name} around all of it")
    if const_int(s.min) != 0:
        raise CannotShare(f"loop {v.name} does not begin at 0")
    _no_loads(s.extent)
    return s


def _has_loop(s: Stmt, v: Var) -> bool:
    return any(isinstance(n, For) and n.var is v for n in walk_statements(s))


def _no_loads(e: Expr) -> None:
    if any(isinstance(n, BufferLoad) for n in walk(e)):
        raise CannotShare("how often a loop of it runs is read from memory")


def _check_in_reach(one: _Side, two: _Side, b: Stmt) -> None:
    """Raise CannotShare where the second nest reads what the first one makes under conditions that are not its own."""
    made = {x.buffer for x in one.memory}
    if not made or not any(isinstance(n, BufferLoad) and n.buffer in made for n in walk(b)):
        return
    if not _same(one, two):
        names = ", ".join(sorted(x.name for x in made))
        raise CannotShare(f"{names} is made in the shared loops under other conditions than it is read under")
