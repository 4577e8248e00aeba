"""Loops that LLVM 22 vectorizes wrongly by itself. For these its vectorizer is switched off; loops that the schedule
vectorizes do not need it."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import (
    And,
    BufferLoad,
    BufferStore,
    Call,
    Cast,
    Div,
    FloorDiv,
    FloorMod,
    For,
    IfThenElse,
    IntImm,
    Mod,
    Node,
    Or,
    const_int,
    uses,
    walk,
)


def is_misread(loop: For) -> bool:
    """Whether LLVM may vectorize this loop wrongly."""
    return has_cyclic_index(loop) or has_conditional_division(loop)


def may_mislead(n: Node) -> bool:
    """Whether a node is of a kind for which a loop around it may be vectorized wrongly."""
    return _starts_again(n) or _is_open_division(n)


def has_cyclic_index(loop: For) -> bool:
    """Whether something is read or written at a remainder of the loop's counter by a power of two.

    LLVM takes `i % 4` for a counter that never starts again, and vectorizes A[i * 4 + i % 4] as A[i * 5].
    """
    accesses = [n for n in walk(loop.body) if isinstance(n, BufferLoad | BufferStore)]
    indices = {n for a in accesses for e in a.indices for n in walk(e)}
    return any(_starts_again(n) and uses(n, [loop.var]) for n in indices)


def _starts_again(n: Node) -> bool:
    """Whether an integer has the lowest bits of another one."""
    match n:
        case FloorMod(_, IntImm(c)) | Mod(_, IntImm(c)):
            return c > 0 and c & (c - 1) == 0
        case Call("bitwise_and"):
            return True
        case Cast(value):
            return n.dtype.is_int and value.dtype.is_int and n.dtype.bits < value.dtype.bits
    return False


def has_conditional_division(loop: For) -> bool:
    """Whether some iterations divide integers by a divisor that is not constant, with the same quotient in all of them.

    LLVM divides once for all lanes, and only if the first lane is one that divides: where it is not, the other lanes
    have no quotient. (`i == j or A[2*j % n] > 0`, over i.)
    """
    return any(
        _is_open_division(n) and not uses(n, [loop.var])
        for condition in _conditional(loop.body)
        for n in walk(condition)
    )


def _is_open_division(n: Node) -> bool:
    """Whether integers are divided by what is no constant."""
    return isinstance(n, Div | Mod | FloorDiv | FloorMod) and n.dtype.is_int and const_int(n.b) is None


def _conditional(n: Node) -> Iterator[Node]:
    """The parts of `n` that are not evaluated in every iteration."""
    for x in walk(n):
        match x:
            case And(_, b) | Or(_, b):
                yield b
            case Call("if_then_else", (_, then, other)):
                yield from (then, other)
            case IfThenElse(_, then, other):
                yield from (then,) if other is None else (then, other)
