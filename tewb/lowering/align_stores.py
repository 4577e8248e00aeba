"""Alignment: non-temporal stores where addresses allow them, ordinary ones elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tewb.arith import slope
from tewb.ir import (
    ALLOCATED,
    NOOP,
    Add,
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Cast,
    Expr,
    For,
    IfThenElse,
    IntImm,
    Mul,
    PrimFunc,
    Ramp,
    Seq,
    Stmt,
    Sub,
    Var,
    const,
    const_int,
    has_nontemporal,
    intrinsics,
    is_same_expression,
    ops,
    replace,
    rewriter,
    seq,
    uses,
    walk,
    walk_statements,
)

PIECE = 16  # bytes: what one non-temporal store of a vector takes at least, and where it must begin
LINE = 64  # bytes of a cache line: knowing more of an address is of no use


def align_stores(f: PrimFunc) -> PrimFunc:
    """Test at run time where non-temporal vector stores are aligned, and use ordinary stores elsewhere.

        for i in 99:                                   if is_aligned(address_of(B[0]), 16):
            B[i*8 : i*8 + 8] = T.nontemporal(x)   ->       for i in 99: B[i*8 : i*8 + 8] = T.nontemporal(x, align=16)
                                                       else:
                                                           for i in 99: B[i*8 : i*8 + 8] = x

    Terms that move the address by multiples of 16 bytes are left out of the tested index. The branch is placed
    around every loop that the test does not depend on, as long as these loops do nothing else: rows of 1001 floats
    are tested one by one, and only the loops of such stores are duplicated. Where the alignment is known (memory
    of the kernel's own, an argument that declares its alignment) there is no test.

    numpy's arrays begin at multiples of 16 bytes and seldom at one of 64: pieces of 16 bytes fill a line as well
    (relu(a*b + c) on 16M floats: 2.0 of numpy with ordinary stores, 2.29 in pieces of 16 bytes, 2.37 in whole lines),
    as long as the stores of a loop follow one another. Vectors that do not, as in tiles one vector wide, must be
    whole lines: multiples of 64 bytes are asked for (a transpose of 4096 x 4096 floats in such tiles: 13 ms with ordinary
    stores, 25 ms with parts of lines, 11 ms with whole ones). Then all stores to that memory ask for them, those at its
    edges too: lines that are written in both ways are the slowest of all (a depthwise convolution: 0.6 and 3.3 ms).

    Stores of single elements, of lanes that lie apart, and of vectors that are not whole pieces become ordinary.
    Afterwards each non-temporal store is at a multiple of the bytes that it says. Needs flat storage.
    """
    if not has_nontemporal(f.body):
        return f
    apart = {s.buffer.data for n in walk_statements(f.body) if isinstance(n, For) for s in stores_apart(n)}
    aligner = _Aligner({p.data: p.alignment for p in f.params if isinstance(p, Buffer)}, apart)
    body = aligner.rewrite(f.body)
    return f.with_body(body)


class _Aligner:
    def __init__(self, alignments: dict[Var, int], apart: set[Var]) -> None:
        self.alignments = alignments  # the alignment of memory in bytes; 0 means that of an element
        self.holding: list[Expr] = []  # the alignment tests that hold here
        self.branches: set[Stmt] = set()  # the branches that this pass made
        self.apart = apart  # memory with stores that are not followed by their neighbours
        rules: dict[type, Any] = {
            BufferStore: self.store,
            Allocate: self.allocate,
            For: self.loop,
            IfThenElse: self.branch,
            Seq: self.seq,
        }
        self.rewrite: Callable[[Stmt], Stmt] = rewriter(rules)

    def store(self, s: BufferStore) -> Stmt:
        if not s.nontemporal:
            return s
        (index,) = s.indices
        size = s.value.dtype.lanes * s.buffer.dtype.nbytes
        ordinary = replace(s, nontemporal=0)
        wanted = LINE if s.buffer.data in self.apart else PIECE
        if not is_of_neighbours(s) or size % wanted:
            return ordinary
        assert isinstance(index, Ramp)
        rest = without_multiples(index.base, wanted // s.buffer.dtype.nbytes)
        base = self.alignments.get(s.buffer.data, 0)
        if base >= wanted and isinstance(rest, IntImm):
            at = multiple(index.base, LINE) * s.buffer.dtype.nbytes
            aligned = math.gcd(base, at, size, LINE)
            return ordinary if rest.value else replace(s, nontemporal=aligned)
        question = intrinsics.is_aligned(BufferLoad(s.buffer, (rest,), s.buffer.dtype), wanted)
        aligned_store = replace(s, nontemporal=wanted)
        if any(is_same_expression(question, q) for q in self.holding):
            return aligned_store
        return self.new_branch(question, aligned_store, ordinary)

    def new_branch(self, question: Expr, then: Stmt, other: Stmt) -> Stmt:
        branch = IfThenElse(question, then, other, getattr(then, "origin", None))
        self.branches.add(branch)
        return branch

    def allocate(self, s: Allocate) -> Stmt:
        self.alignments[s.buffer.data] = ALLOCATED
        return s.map_children(self.rewrite)

    def loop(self, s: For) -> Stmt:
        body = self.rewrite(s.body)
        if body in self.branches and isinstance(body, IfThenElse) and not uses(body.cond, [s.var]):
            return self.new_branch(body.cond, replace(s, body=body.then), replace(s, body=body.other))
        return s if body is s.body else replace(s, body=body)

    def branch(self, s: IfThenElse) -> Stmt:
        if isinstance(s.cond, Call) and s.cond.op == "is_aligned":
            return self.answered(s)
        if s.cond.dtype.lanes > 1 and isinstance(
            s.then, Seq
        ):  # the lanes of a mask do not ask about addresses
            return self.seq(Seq(tuple([replace(s, then=p) for p in s.then.stmts])))
        then = self.rewrite(s.then)
        other = None if s.other is None else self.rewrite(s.other)
        if then in self.branches and other is None and isinstance(then, IfThenElse):
            assert then.other is not None
            return self.new_branch(then.cond, replace(s, then=then.then), replace(s, then=then.other))
        return s if then is s.then and other is s.other else replace(s, then=then, other=other)

    def answered(self, s: IfThenElse) -> Stmt:
        """A branch on an alignment test that the function has already."""
        self.holding.append(s.cond)
        then = self.rewrite(s.then)
        self.holding.pop()
        other = None if s.other is None else self.rewrite(s.other)
        return s if then is s.then and other is s.other else replace(s, then=then, other=other)

    def seq(self, s: Seq) -> Stmt:
        """Neighbours with one question share its branch."""
        rewritten = [self.rewrite(p) for p in s.stmts]
        if all(a is b for a, b in zip(rewritten, s.stmts, strict=True)):
            return s
        joined: list[Stmt] = []
        for p in rewritten:
            last = joined[-1] if joined else NOOP
            if p in self.branches and last in self.branches and is_same_expression(last.cond, p.cond):  # type: ignore[attr-defined]
                joined[-1] = self.new_branch(last.cond, seq(last.then, p.then), seq(last.other, p.other))  # type: ignore[attr-defined]
            else:
                joined.append(p)
        return seq(*joined)


def stores_apart(loop: For) -> set[BufferStore]:
    """The non-temporal stores of neighbours in a loop whose next iteration does not continue where this one ends. Memory that
    loops inside of it store to is judged there."""
    inside = list(walk(loop.body))
    stores = [n for n in inside if isinstance(n, BufferStore) and n.nontemporal]
    if not stores:
        return set()
    further = {
        s.buffer.data
        for n in inside
        if isinstance(n, For)
        for s in walk(n.body)
        if isinstance(s, BufferStore) and s.nontemporal
    }
    stores = [s for s in stores if s.buffer.data not in further]
    lanes = {s.buffer.data: 0 for s in stores}
    for s in stores:
        lanes[s.buffer.data] += s.value.dtype.lanes
    stores = [s for s in stores if is_of_neighbours(s)]
    return {s for s in stores if slope(_first_element(s.indices[0]), loop.var) != lanes[s.buffer.data]}


def is_of_neighbours(s: BufferStore) -> bool:
    """Whether a store is of a vector whose lanes lie side by side."""
    (index,) = s.indices
    return isinstance(index, Ramp) and const_int(index.stride) == 1


def _first_element(index: Expr) -> Expr:
    return index.base if isinstance(index, Ramp) else index


def multiple(e: Expr, most: int) -> int:
    """The largest power of two, at most `most`, that divides `e` for certain."""
    match e:
        case IntImm(value):
            return math.gcd(value, most)
        case Add(a, b) | Sub(a, b):
            return math.gcd(multiple(a, most), multiple(b, most))
        case Mul(a, b):
            return math.gcd(multiple(a, most) * multiple(b, most), most)
        case Cast(value, dtype) if dtype.kind == "int" and dtype.bits >= 32:
            return multiple(value, most)
    return 1


def without_multiples(e: Expr, n: int) -> Expr:
    """An index that differs from `e` by a multiple of `n`, a power of two: the terms that are multiples are dropped.

    i*64 + j*1001 + 5    ->    j*1001 + 1      for 4

    Indices do not overflow, so a cast to a wider integer changes nothing.
    """
    if multiple(e, n) == n:
        return const(0, e.dtype)
    match e:
        case IntImm(value):
            return const(value % n, e.dtype)
        case Add(a, b) | Sub(a, b):
            combine = ops.add if isinstance(e, Add) else ops.sub
            rest = combine(without_multiples(a, n), without_multiples(b, n))
            return const(rest.value % n, rest.dtype) if isinstance(rest, IntImm) else rest
        case Mul(a, IntImm(c)):
            return ops.mul(without_multiples(a, n // math.gcd(c, n)), c)
        case Cast(value, dtype) if dtype.kind == "int" and dtype.bits >= 32:
            return ops.cast(without_multiples(value, n), dtype)
    return e
