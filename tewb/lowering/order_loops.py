"""Loop orders: nests whose loops no step ordered run in the order that suits the strides of a call.

    for i in n:                              if A.t == 1 and C.t == 1:            (rows of neighbours, as it was)
        for j in m: C[i, j] = A[i, j]            for i: for j: C[i, j] = A[i, j]
                                       ->    elif |A.s| + |C.s| < |A.t| + |C.t|:  (columns lie closer than rows)
                                                 for j: for i: C[i, j] = A[i, j]
                                             else:
                                                 for i: for j: C[i, j] = A[i, j]

Where a sum keeps its order and its terms are no neighbours, eight elements are summed at once: each addition waits for the one
before it, and not for those of other elements.

    for i in n:                              for i.outer in n // 8:
        B[i] = 0                       ->        for i.inner in 8 (unrolled): sums[i.inner] = 0
        for k in m: B[i] += A[i, k]              for k in m: for i.inner in 8: sums[i.inner] += A[i.outer*8 + i.inner, k]
                                                 for i.inner in 8 (unrolled): B[i.outer*8 + i.inner] = sums[i.inner]

A nest is data-parallel loops around stores, or around the initial value and the updates of reductions. Each element has
the same operations in the same order as before: only which element is next differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from itertools import pairwise
from math import prod

from tewb.arith import row_major, slope
from tewb.base import INT64
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Evaluate,
    Expr,
    For,
    ForKind,
    IfThenElse,
    PrimFunc,
    Seq,
    Stmt,
    Var,
    const,
    const_int,
    free_vars,
    is_same_expression,
    ops,
    replace,
    rewriter,
    seq,
    substitute,
    uses,
    walk,
    walk_statements,
)
from tewb.lowering.known_nests import Rewrite
from tewb.lowering.rows_together import rows_together
from tewb.lowering.specialise_strides import all_one, unit_strides

FEWEST = 1024  # iterations of a nest for which there are several orders
_MOST_NODES = 300  # of a nest that is written several times
_MOST_ORDERS = 3  # besides the one that it has
_BLOCK = 16  # rows and columns: a cache line of float32
_AT_ONCE = 8  # elements that are summed: an addition takes four cycles, and two can be begun in each
_AHEAD = 256  # steps of a sum: what is added so much later is on its way from memory
_LARGE = 2**24  # bytes: more than the caches of a processor hold
_MOST_SUMMED = 60  # nodes of what is added to them
_FARTHER = 8  # times as far apart as neighbours are elements for which blocks are worth their loops


def order_loops(f: PrimFunc) -> Rewrite:
    """What writes a nest in several orders, of which each call takes one.

    Nests stay as they are where their strides are constant, where steps ordered their loops, and where other statements
    stand between these. Afterwards the first side of such a choice is the nest as it was.
    """
    units = unit_strides(f)
    symbolic = {v for p in f.params if isinstance(p, Buffer) for n in p.strides for v in free_vars(n)}

    def ordered(s: Stmt) -> Stmt:
        nest = _nest(s) if symbolic else None
        if nest is None:
            return _with_rows_together(s, symbolic, units)
        orders = _orders(nest, symbolic)
        if not orders:
            return s
        chosen: Stmt = nest.as_it_was(s)
        for condition, order in reversed(orders):
            chosen = IfThenElse(condition, order, chosen, s.origin)  # type: ignore[attr-defined]
        own = {e for b in nest.buffers() for e in b.strides[-1:]}
        rows = [v for v in units if v in own]
        return IfThenElse(all_one(rows), s, chosen, s.origin) if rows else chosen  # type: ignore[attr-defined]

    return ordered


def _with_rows_together(s: Stmt, symbolic: set[Var], units: Sequence[Var]) -> Stmt:
    """A loop over rows with stages in it, once more for columns of neighbours."""
    if not (isinstance(s, For) and symbolic and s.kind in (ForKind.SERIAL, ForKind.PARALLEL)):
        return s
    if const_int(s.min) != 0 or sum(1 for _ in walk(s)) > _MOST_NODES:
        return s
    accesses = [n for n in walk(s) if isinstance(n, BufferLoad | BufferStore)]
    moved = [
        (a.buffer, d, slope(i, s.var)) for a in accesses if a.buffer.strides for d, i in enumerate(a.indices)
    ]
    ones = list(dict.fromkeys(v for b, d, step in moved if step and isinstance(v := b.strides[d], Var)))
    turned = any(step == 1 and d < len(b.shape) - 1 and isinstance(b.strides[d], Var) for b, d, step in moved)
    if not turned or any(step not in (0, 1) for _, _, step in moved) or not {*ones} <= symbolic:
        return s
    together = rows_together(s)
    if together is None:
        return s
    columns: Stmt = substitute(together, {v: const(1, v.dtype) for v in ones})
    chosen = IfThenElse(all_one(ones), columns, s, s.origin)
    own = {e for a in accesses for e in a.buffer.strides[-1:]}
    rows = [v for v in units if v in own]
    return IfThenElse(all_one(rows), s, chosen, s.origin) if rows else chosen


# ---------------------------------------------------------------- nests


@dataclass(frozen=True, slots=True)
class _Nest:
    """Data-parallel `loops` around `stores`, under `guards`. Of a reduction, `init` is stored before the loops `steps` around its
    update, which is under the guards `of_terms` as well."""

    loops: tuple[For, ...]
    axes: tuple[int, ...]  # the dimension of the stores that each loop runs along
    guards: tuple[Expr, ...]
    init: BufferStore | None
    steps: tuple[For, ...]
    of_terms: tuple[Expr, ...]
    stores: tuple[BufferStore, ...]

    def along(self, axis: int) -> list[For]:
        """The loops of an axis, outermost first."""
        return [n for n, own in zip(self.loops, self.axes, strict=True) if own == axis]

    def accesses(self) -> list[BufferLoad | BufferStore]:
        """The accesses of an iteration, the first to each place of a buffer."""
        nodes = [n for part in (*self.stores, *self.guards, *self.of_terms) for n in walk(part)]
        return [n for n in nodes if isinstance(n, BufferLoad | BufferStore)]

    def buffers(self) -> list[Buffer]:
        return list(dict.fromkeys(a.buffer for a in self.accesses()))

    @property
    def is_parallel(self) -> bool:
        return self.loops[0].kind is ForKind.PARALLEL

    @property
    def lanes(self) -> int | None:
        """The lanes of the vectorized loop; None without one."""
        last = self.loops[-1]
        return const_int(last.extent) if last.kind is ForKind.VECTORIZED else None

    def as_it_was(self, s: Stmt) -> Stmt:
        """The nest `s` for elements that are no neighbours. Vectors of cheap values, each lane loaded and stored by itself,
        would take longer than the values one by one. Those of accesses that move to neighbours in any call stay."""
        if self.steps and not self.lanes and self.is_slow_sum():
            return self.at_once()
        is_scalar = self.lanes and not self.steps and _is_cheap(self.stores) and _ones(self, self.loops[-1])
        return self.ordered(self.loops) if is_scalar else s

    def is_slow_sum(self) -> bool:
        """Whether the terms of a sum of floats take less time than to add them one after the other."""
        (store,) = self.stores
        n = const_int(self.loops[-1].extent)
        is_small = sum(1 for _ in walk(store.value)) <= _MOST_SUMMED and _is_cheap(self.stores)
        return store.buffer.dtype.is_float and is_small and (n is None or n > 1)

    def at_once(self) -> Stmt:
        """The nest of a reduction with several elements of the last axis at once."""
        nest, _ = self.in_lanes(self.loops[-1], _AT_ONCE)
        *outside, last = nest.loops
        last = replace(last, kind=ForKind.UNROLLED)
        (store,), init = nest.stores, nest.init
        assert init is not None
        own, place = store.buffer, (last.var,)
        sums = Buffer(f"{own.name}.sums", own.dtype, (last.extent,), scope="register", origin=own.origin)

        def of_sums(n: BufferLoad) -> Expr:
            return replace(n, buffer=sums, indices=place) if n.buffer is own else n

        value = rewriter({BufferLoad: of_sums})(store.value)
        summed = replace_fields(
            nest,
            init=replace(init, buffer=sums, indices=place),
            stores=(replace(store, buffer=sums, indices=place, value=value),),
        )
        done = replace(store, value=BufferLoad(sums, place, own.dtype))
        summing = _asking_ahead(summed, summed.reduced((), [last]))
        body = seq(summing, _around([last], nest.guards, done))
        return _around(outside, (), Allocate(sums, body, store.origin))

    def in_parts(self, loop: For, size: int) -> tuple[_Nest, list[For]]:
        """The nest with a loop in parts of `size` iterations, and these loops: it, if it is no longer, or its two parts. The
        last part is shorter where they do not divide."""
        n, dtype = const_int(loop.extent), loop.var.dtype
        if n is not None and n <= size:
            return self, [loop]
        outer, inner = (Var(f"{loop.var.name}.{part}", dtype) for part in ("outer", "inner"))
        first = ops.mul(outer, const(size, dtype))
        count = ops.floordiv(ops.add(loop.extent, size - 1), const(size, dtype))
        left: Expr = const(size, dtype)
        if n is None or n % size:
            left = ops.minimum(left, ops.sub(loop.extent, first))
        parts = [replace(loop, var=outer, extent=count), replace(loop, var=inner, extent=left)]
        at = self.loops.index(loop)
        values: dict[Var, Expr] = {loop.var: ops.add(first, inner)}
        return _Nest(
            (*self.loops[:at], *parts, *self.loops[at + 1 :]),
            (*self.axes[:at], self.axes[at], *self.axes[at:]),
            tuple([substitute(g, values) for g in self.guards]),
            self.init and substitute(self.init, values),
            self.steps,
            tuple([substitute(g, values) for g in self.of_terms]),
            tuple([substitute(x, values) for x in self.stores]),
        ), parts

    def in_lanes(self, loop: For, lanes: int) -> tuple[_Nest, list[For]]:
        """`in_parts` that are all of constant length, with a guard where they do not divide."""
        nest, parts = self.in_parts(loop, lanes)
        if const_int(parts[-1].extent) is not None:
            return nest, parts
        outer, inner = parts
        whole = replace(inner, extent=const(lanes, inner.var.dtype))
        index = ops.add(ops.mul(outer.var, whole.extent), inner.var)
        guard = ops.likely(ops.less(index, loop.extent))
        loops = tuple([whole if n is inner else n for n in nest.loops])
        return replace_fields(nest, loops=loops, guards=(guard, *nest.guards)), [outer, whole]

    def ordered(self, loops: Sequence[For], last: ForKind = ForKind.SERIAL) -> Stmt:
        """The nest with its data loops in this order, the last one of a kind. Those of a reduction's last axis run inside
        of its steps."""
        rest = [replace(n, kind=ForKind.SERIAL) for n in loops]
        rest[-1] = replace(rest[-1], kind=last)
        if self.is_parallel:
            rest[0] = replace(rest[0], kind=ForKind.PARALLEL)
        if self.init is None:
            return _around(rest, self.guards, seq(*self.stores))
        axis = self.axes[self.loops.index(loops[-1])]
        count = len(loops) - len(self.along(axis))
        return self.reduced(rest[:count], rest[count:])

    def reduced(self, outside: Sequence[For], inside: Sequence[For]) -> Stmt:
        """The nest of a reduction with the loops `inside` inside of its steps."""
        assert self.init is not None
        bound = [n.var for n in (*inside, *self.steps)]
        inner = [g for g in self.guards if uses(g, bound)]
        body = seq(
            _around(inside, inner, self.init),
            _around([*self.steps, *inside], [*inner, *self.of_terms], seq(*self.stores)),
        )
        return _around(outside, [g for g in self.guards if not uses(g, bound)], body)


def _asking_ahead(nest: _Nest, s: Stmt) -> Stmt:
    """`s`, the sums of the lanes of `nest`, which asks for the memory of later steps in time: lanes each read a row of their
    own, and processors see ahead in few rows by themselves. Each step asks for one of the rows.

    for k in m:                      for k in m:
        for i.inner in 8:        ->      prefetch(A[i.outer*8 + k % 8, k + 256])
            sums += A[i, k]              for i.inner in 8: sums += A[i, k]
    """
    k, lane = nest.steps[-1].var, nest.loops[-1].var
    loads = [n for n in walk(nest.stores[0].value) if isinstance(n, BufferLoad)]
    rows = dict.fromkeys(n for n in loads if _is_row_of_much(n, nest))
    turn = ops.cast(ops.floormod(k, const(_AT_ONCE, k.dtype)), lane.dtype)
    later = {k: ops.add(k, const(_AHEAD, k.dtype)), lane: turn}

    def asking(n: For) -> Stmt:
        if n.var is not k:
            return n.map_children(rewrite)
        requests = [Evaluate(Call("prefetch", (substitute(x, later),), x.dtype), n.origin) for x in rows]
        return replace(n, body=seq(*requests, n.body))

    rewrite = rewriter({For: asking})
    return rewrite(s) if rows else s


def _is_row_of_much(n: BufferLoad, nest: _Nest) -> bool:
    """Whether `n` reads a long row in each lane, element by element, and all that it reads comes from memory and not from a
    cache; it may, where sizes are not known."""
    if any(isinstance(x, BufferLoad | Call) for i in n.indices for x in walk(i)):
        return False
    k, lane = nest.steps[-1], nest.loops[-1]
    moves = [(slope(i, k.var), slope(i, lane.var)) for i in n.indices]
    if any(None in m for m in moves) or not any(m[0] for m in moves) or not any(m[1] for m in moves):
        return False
    count = prod(const_int(x.extent) or _LARGE for x in (*nest.loops, *nest.steps) if uses(n, [x.var]))
    return (const_int(k.extent) or _LARGE) > _AHEAD and count * n.dtype.nbytes >= _LARGE


def _around(loops: Sequence[For], guards: Iterable[Expr], body: Stmt) -> Stmt:
    """`loops` around `body`, with each guard as far outside as it can stand."""
    left = list(guards)
    for n in reversed(loops):
        here = [g for g in left if uses(g, [n.var])]
        left = [g for g in left if not uses(g, [n.var])]
        body = replace(n, body=_guarded(here, body))
    return _guarded(left, body)


def _guarded(guards: Sequence[Expr], body: Stmt) -> Stmt:
    if not guards:
        return body
    first = next(n for n in walk_statements(body) if isinstance(n, BufferStore))
    return IfThenElse(ops.all_of(*guards), body, None, first.origin)


def _nest(s: Stmt) -> _Nest | None:
    """`s` as a nest whose loops stand in the order of the dimensions that they run along; None if it is none."""
    loops, guards, body = _chain(s)
    init, steps, of_terms = None, list[For](), list[Expr]()
    if isinstance(body, Seq) and len(body) == 2 and isinstance(body[0], BufferStore):
        init = body[0] if isinstance(body[1], For | IfThenElse) else None
    if init is not None:
        steps, of_terms, body = _chain(body[1])  # type: ignore[index]
    stores = body.stmts if isinstance(body, Seq) else (body,)
    if not loops or not all(isinstance(x, BufferStore) and not x.nontemporal for x in stores):
        return None
    axes = _axes(loops, stores if init is None else (*stores, init))  # type: ignore[arg-type]
    if axes is None or not _is_free(loops, steps, init, stores):  # type: ignore[arg-type]
        return None
    if sum(1 for _ in walk(s)) > _MOST_NODES or _is_short((*loops, *steps)):
        return None
    return _Nest(tuple(loops), axes, tuple(guards), init, tuple(steps), tuple(of_terms), stores)  # type: ignore[arg-type]


def _is_short(loops: Sequence[For]) -> bool:
    """Whether a nest is done before an order of its loops matters."""
    counts = [const_int(n.extent) for n in loops]
    return None not in counts and prod(n or 0 for n in counts) < FEWEST


def _chain(s: Stmt) -> tuple[list[For], list[Expr], Stmt]:
    """The loops around a statement, the guards among them, and the statement."""
    loops, guards = list[For](), list[Expr]()
    while True:
        match s:
            case For():
                loops.append(s)
                s = s.body
            case IfThenElse(cond, then, None):
                guards.append(cond)
                s = then
            case _:
                return loops, guards, s


def _is_free(
    loops: Sequence[For], steps: Sequence[For], init: BufferStore | None, stores: Sequence[BufferStore]
) -> bool:
    """Whether the kinds of loops and what is read let the iterations of `loops` run in any order: what is written is read
    by the update of a reduction only, which reads its own element."""
    kinds = [n.kind for n in loops]
    if any(k is not ForKind.SERIAL for k in kinds[1:-1]) or any(n.kind is not ForKind.SERIAL for n in steps):
        return False
    if kinds[0] not in (ForKind.SERIAL, ForKind.PARALLEL) and len(loops) > 1:
        return False
    if kinds[-1] not in (ForKind.SERIAL, ForKind.VECTORIZED) and len(loops) > 1:
        return False
    if any(const_int(n.min) != 0 for n in (*loops, *steps)):
        return False
    inner = {n.var for n in (*loops, *steps)}
    if any(uses(n.extent, inner) for n in (*loops, *steps)):
        return False
    written = {x.buffer.data for x in stores}
    reads = [n for x in stores for n in walk(x) if isinstance(n, BufferLoad) and n.buffer.data in written]
    if init is None:
        return not reads
    own = stores[0]
    if len(stores) != 1 or any(isinstance(n, BufferLoad) for n in walk(init.value)):
        return False
    return init.buffer is own.buffer and all(
        r.buffer is own.buffer and _same(r.indices, own.indices) and _same(own.indices, init.indices)
        for r in reads
    )


def _same(a: Sequence[Expr], b: Sequence[Expr]) -> bool:
    return all(is_same_expression(x, y) for x, y in zip(a, b, strict=True))


def _axes(loops: Sequence[For], stores: Sequence[BufferStore]) -> tuple[int, ...] | None:
    """The dimension that each loop runs along, if each element is of one iteration and the loops stand in the order of
    dimensions, else None."""
    found: list[tuple[int, int]] = []
    for n in loops:
        own = [[(d, slope(i, n.var)) for d, i in enumerate(x.indices)] for x in stores]
        moved = [(d, step) for d, step in own[0] if step != 0]
        if any(other != own[0] for other in own) or len(moved) != 1 or not moved[0][1] or moved[0][1] < 0:
            return None
        found.append((moved[0][0], moved[0][1]))
    for ((d, step), (e, inner)), n in zip(pairwise(found), loops[1:], strict=True):
        count = const_int(n.extent)
        if e < d or (e == d and (count is None or inner * count > step)):
            return None
    return tuple(d for d, _ in found)


def _is_cheap(stores: Sequence[BufferStore]) -> bool:
    """Whether the values take no function that vectors compute faster."""
    return not any(isinstance(n, Call) for x in stores for n in walk(x.value))


# ---------------------------------------------------------------- orders


def _orders(nest: _Nest, symbolic: set[Var]) -> list[tuple[Expr, Stmt]]:
    """The other orders of a nest, each with when it is better than those behind it."""
    axes = list(dict.fromkeys(nest.axes))
    if nest.is_parallel and nest.init is not None and len(axes) == 1:
        return []  # the steps of a reduction run one after the other, outside of its only axis
    now = nest.steps[-1] if nest.steps else nest.along(axes[-1])[-1]
    others = axes if nest.steps else axes[:-1]
    moves = {a: _distance(nest, nest.along(a)[-1]) for a in axes}
    last = _distance(nest, now) if nest.steps else moves[axes[-1]]
    if last is None or any(moves[a] is None for a in axes):
        return []
    known: dict[int, Expr] = {a: d for a, d in moves.items() if d is not None}
    found: list[tuple[Expr, Stmt]] = []
    if len(others) > 1 and not nest.steps:
        falling = [ops.less_equal(known[a], known[b]) for a, b in pairwise(axes)]
        found.append((_all((*falling, ops.less(known[axes[0]], last))), _inside(nest, axes[::-1])))
    elif others and not nest.steps and _is_cheap(nest.stores):
        found.append((_is_mixed(nest, known[axes[0]], last), _in_blocks(nest, axes)))
    for a in others:
        nearest = [ops.less_equal(known[a], known[b]) for b in others if b != a]
        found.append(
            (_all((ops.less(known[a], last), *nearest)), _inside(nest, [*(b for b in axes if b != a), a]))
        )
    varies = [(c, s) for c, s in found if uses(c, symbolic)]
    return varies[:_MOST_ORDERS]


def _all(conditions: Iterable[Expr]) -> Expr:
    return ops.all_of(*conditions)


def _distance(nest: _Nest, loop: For) -> Expr | None:
    """How many elements the accesses of an iteration are from those of the next one of `loop`, all together; None where
    that varies."""
    moves = _moves(nest, loop)
    return None if moves is None else _sum(moves)


def _moves(nest: _Nest, loop: For) -> list[Expr] | None:
    """How many elements each access of an iteration is from that of the next one of `loop`."""
    found: dict[tuple[Buffer, tuple[int | None, ...]], Expr] = {}
    for a in nest.accesses():
        steps = tuple(slope(i, loop.var) for i in a.indices)
        if None in steps:
            return None
        found.setdefault((a.buffer, steps), _moved(a.buffer, steps))
    return list(found.values())


def _sum(numbers: Iterable[Expr]) -> Expr:
    total: Expr = const(0, INT64)
    for n in numbers:
        total = ops.add(total, n)
    return total


def _moved(b: Buffer, steps: Sequence[int | None]) -> Expr:
    strides = b.strides or row_major(b.shape)
    by: Expr = const(0, INT64)
    for n, step in zip(steps, strides, strict=True):
        if n:
            by = ops.add(by, ops.mul(ops.cast(step, INT64), n))
    return ops.absolute(by)


def _is_mixed(nest: _Nest, first: Expr, last: Expr) -> Expr:
    """Whether some accesses have their neighbours along the first axis, and some along the last one, so that in each order
    some are far apart."""
    nearer = [const(0, INT64)]
    for b in nest.buffers():
        own = [a for a in nest.accesses() if a.buffer is b]
        moves = [
            _moved(b, [slope(i, nest.along(axis)[-1].var) for i in own[0].indices]) for axis in nest.axes
        ]
        nearer.append(ops.minimum(moves[0], moves[-1]))
    return ops.less(ops.mul(_sum(nearer), _FARTHER), ops.minimum(first, last))


def _in_blocks(nest: _Nest, axes: Sequence[int]) -> Stmt:
    """The nest in square blocks, of which the cache holds the lines of all accesses."""
    outside, inside = list[For](), list[For]()
    for a in axes:
        *around, loop = nest.along(a)
        nest, parts = nest.in_parts(loop, _BLOCK)
        outside += [*around, *parts[:-1]]
        inside += parts[-1:]
    return nest.ordered([*outside, *inside])


def _inside(nest: _Nest, axes: Sequence[int]) -> Stmt:
    """The nest with the loops of `axes` in this order, once more where the last one moves to neighbours. In place of a
    vectorized loop the last one is vectorized."""
    loops = [n for a in axes for n in nest.along(a)]
    ones = _ones(nest, loops[-1])
    plain = vectors = nest.ordered(loops)
    if nest.lanes:
        in_lanes, parts = nest.in_lanes(loops[-1], nest.lanes)
        vectors = in_lanes.ordered([*loops[:-1], *parts], ForKind.VECTORIZED)
        plain = plain if _is_cheap(nest.stores) else vectors
    if not ones:
        return vectors
    unit: Stmt = substitute(vectors, {v: const(1, v.dtype) for v in ones})
    return IfThenElse(all_one(ones), unit, plain, nest.stores[0].origin)


def _ones(nest: _Nest, loop: For) -> list[Var]:
    """The strides that are to be 1 for a loop to move to neighbours."""
    found: dict[Var, None] = {}
    for a in nest.accesses():
        for i, step in zip(a.indices, a.buffer.strides, strict=False):
            if slope(i, loop.var) and isinstance(step, Var):
                found[step] = None
    return list(found)
