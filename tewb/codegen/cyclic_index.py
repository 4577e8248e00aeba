"""Indices that begin again while their loop goes on."""

from __future__ import annotations

from tewb.ir import BufferLoad, BufferStore, Call, Cast, FloorMod, For, IntImm, Mod, Node, uses, walk


def has_cyclic_index(loop: For) -> bool:
    """Whether something is read or written at a remainder of the loop's counter by a power of two.

    LLVM 22 takes `i % 4` for a counter that never starts again, and vectorizes A[i * 4 + i % 4] as A[i * 5]. (Where
    the schedule says vectorize, there is nothing left for LLVM to do.)
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
