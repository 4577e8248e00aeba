"""Limits of sizes: the kernel's arithmetic on symbols must not overflow its dtype, which is checked at each call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tewb.base import INT64
from tewb.codegen.size_text import size_text
from tewb.ir import (
    Add,
    Allocate,
    Buffer,
    Call,
    Cast,
    Expr,
    FloorDiv,
    For,
    IntImm,
    Max,
    Min,
    Mul,
    PrimFunc,
    Sub,
    Var,
    const_int,
    ops,
    substitute,
    uses,
    walk,
    walk_statements,
)
from tewb.runtime.abi import Limit


def size_limits(f: PrimFunc, names: Mapping[Var, str]) -> tuple[Limit, ...]:
    """The limits of sizes at a call, for each sum and product of symbols in the extents of loops, the shapes of buffers
    and the guards of `f`:

        for i in (n + 15)//16:    ->    n + 15 <= 2**31 - 1

    The bytes of a buffer are counted in 64 bits, of which the last is a sign. Sizes of arrays are not negative and fit,
    so their differences do too; numbers that are arguments may be anything.
    """
    limits: dict[str, Limit] = {}
    numbers = _numbers(f)
    for what, size in _size_expressions(f):
        for e in walk(size):
            if not isinstance(e, Add | Sub | Mul) or not _may_pass(e, numbers):
                continue
            for at in (e,) if size_text(e, names) is not None or not uses(e, numbers) else _at_ends(e, f):
                text = size_text(at, names)
                if text is not None:
                    limits.setdefault(text, Limit(text, e.dtype.bits, what))
    for n in walk(f.body):
        if isinstance(n, Allocate):
            size = ops.mul(ops.cast(n.buffer.shape[0], INT64), n.buffer.dtype.nbytes)
            text = None if const_int(size) is not None else size_text(size, names)
            if text is not None:
                limits.setdefault(text, Limit(text, 63, f"{n.buffer.name} (bytes)"))
    return tuple(limits.values())


def _numbers(f: PrimFunc) -> frozenset[Var]:
    """The arguments that are numbers, and not sizes of arrays as well."""
    sizes = {e for p in f.params if isinstance(p, Buffer) for e in p.shape if isinstance(e, Var)}
    return frozenset(p for p in f.params if isinstance(p, Var) and p not in sizes)


def _may_pass(e: Add | Sub | Mul, numbers: frozenset[Var]) -> bool:
    """Whether a sum, difference or product of operands that fit their dtype may exceed it."""
    if e.dtype.kind != "int" or (e.dtype.bits >= 64 and _has_room(e)):
        return False
    is_less = isinstance(e, Sub) or _is_less(e)
    return not is_less or (not isinstance(e, Mul) and uses(e, numbers))


def _has_room(e: Expr) -> bool:
    """Whether an expression certainly fits its 64 bits: a product of two numbers of 32, with something added."""
    return e.dtype.max_value() >= _largest_magnitude(e)


def _largest_magnitude(e: Expr) -> int:
    """A bound of the magnitude of `e`."""
    match e:
        case IntImm(value):
            return abs(value)
        case Cast(value) if value.dtype.is_int:
            return _largest_magnitude(value)
        case Add(a, b) | Sub(a, b):
            return _largest_magnitude(a) + _largest_magnitude(b)
        case Mul(a, b):
            return _largest_magnitude(a) * _largest_magnitude(b)
        case Min(a, b) | Max(a, b):
            return max(_largest_magnitude(a), _largest_magnitude(b))
        case FloorDiv(a, IntImm(c)) if c > 0:
            return _largest_magnitude(a)
    return e.dtype.max_value()


def _at_ends(e: Expr, f: PrimFunc) -> Iterator[Expr]:
    """`e` in the first and in the last iterations of the loops whose numbers are known."""
    loops = [n for n in walk_statements(f.body) if isinstance(n, For) and (const_int(n.extent) or 0) > 0]
    yield substitute(e, {n.var: n.min for n in loops})
    yield substitute(e, {n.var: ops.sub(ops.add(n.min, n.extent), 1) for n in loops})


def _is_less(e: Expr) -> bool:
    """Whether `e` is at most one of its operands: a sum with a negative number, or x // c * d with d <= c."""
    match e:
        case Mul(FloorDiv(_, IntImm(c)), IntImm(d)):
            return 0 < d <= c
        case Add(a, b):
            return any((const_int(x) or 0) < 0 for x in (a, b))
    return False


def _size_expressions(f: PrimFunc) -> Iterator[tuple[str, Expr]]:
    """The expressions that are sizes, each with the name of what it is the size of."""
    for p in f.params:
        if isinstance(p, Buffer):
            for e in (*p.shape, *p.strides):
                yield p.name, e
    # A choice compares values, which wrap, even where it is marked likely; the guards of lowering have the sizes of the
    # loops around them.
    choices = [n.args[0] for n in walk(f.body) if isinstance(n, Call) and n.op == "if_then_else"]
    compared = {x for c in choices for x in walk(c)}
    for n in walk(f.body):
        match n:
            case For():
                yield f"loop {n.var.name}", n.extent
                yield f"loop {n.var.name}", n.min
            case Allocate():
                for e in n.buffer.shape:
                    yield n.buffer.name, e
            case Call("likely", (cond,)) if n not in compared:
                yield "a guard", cond
