"""Storage rewriting: memory that is not needed at the same time is shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import HANDLE
from tewb.ir import (
    Allocate,
    AttrStmt,
    Buffer,
    BufferLoad,
    Expr,
    For,
    ForKind,
    LetStmt,
    Stmt,
    Var,
    While,
    const,
    const_int,
    replace,
    rewriter,
    walk,
)

REGISTERS = 2048  # bytes of local memory that machine code may keep in registers, if nothing else lives there


def rewrite_storage(body: Stmt) -> Stmt:
    """Let allocations that are never alive together share memory.

        with T.allocate(B, C, D):               with T.allocate(B, C):
            B = f(A)                                B = f(A)
            C = g(B)                    ->          C = g(B)
            D = h(C)                                D = h(C), where B was
            E = k(D)                                E = k(D)

    An allocation is alive from its first use to its last. What was allocated outside of a loop and is used
    in it is alive through all of the loop, since the next iteration may read what this one wrote. An
    `extern_scope` keeps everything in it alive through all of it: its code may touch buffers in any order.
    The body of a parallel loop shares only within itself, as its iterations run at the same time.

    Requires accesses of one index (`flatten_storage`). Sizes that share are constant; of different dtypes
    the later one must fit. The shared memory stands around all that live in it; where that would take more
    bytes at once than before, nothing changes.
    """
    lifetimes = _Lifetimes()
    lifetimes.stmt(body)
    shared = [slot for slot in _slots(list(lifetimes.allocations.values())) if len(slot) > 1]
    if not shared:
        return body
    rewritten = _SlotRewriter(shared).stmt(body)
    before, after = peak_bytes(body), peak_bytes(rewritten)
    return body if before is not None and after is not None and after > before else rewritten


def peak_bytes(s: Stmt) -> int | None:
    """The most bytes that the allocations of `s` take at once, in one iteration of its parallel loops; None
    when a size is symbolic."""
    inner = [peak_bytes(c) for c in s.children() if isinstance(c, Stmt)]
    own = _bytes(s.buffer) if isinstance(s, Allocate) and s.buffer.scope != "register" else 0
    if own is None or None in inner:
        return None
    return own + max((n for n in inner if n is not None), default=0)


def _bytes(b: Buffer) -> int | None:
    total = b.dtype.nbytes
    for n in b.shape:
        size = const_int(n)
        if size is None:
            return None
        total *= size
    return total


# ---------------------------------------------------------------- lifetimes


@dataclass(slots=True, eq=False)
class _Allocation:
    """An allocation: the numbers of the statements around it (its own is the last), the parallel loop that
    it belongs to, and the numbers of its first and its last use."""

    buffer: Buffer
    around: tuple[int, ...]
    parallel: int
    first: int = -1
    last: int = -1

    @property
    def place(self) -> int:
        return self.around[-1]


class _Lifetimes:
    """Numbers the statements in the order of the text, and finds out when each allocation is alive.

    The same node may occur several times, so statements are identified by number.
    """

    def __init__(self) -> None:
        self.allocations: dict[int, _Allocation] = {}
        self.open: dict[Var, _Allocation] = {}  # by data: the allocations around
        self.around: list[int] = []
        self.count = self.parallel = 0

    def stmt(self, s: Stmt) -> None:
        me, outer = self.count, self.parallel
        self.count += 1
        self.around.append(me)
        for c in s.children():
            if isinstance(c, Expr):
                self.uses(c)
        if isinstance(s, Allocate):
            self.allocations[me] = self.open[s.buffer.data] = _Allocation(
                s.buffer, tuple(self.around), self.parallel
            )
        elif isinstance(buffer := getattr(s, "buffer", None), Buffer):
            self.use(buffer.data)
        if isinstance(s, For) and s.kind is ForKind.PARALLEL:
            self.parallel = me
        for c in s.children():
            if isinstance(c, Stmt):
                self.stmt(c)
        self.close(s, me)
        self.around.pop()
        self.parallel = outer

    def uses(self, e: Expr) -> None:
        for n in walk(e):
            if isinstance(n, Var):
                self.use(n)
            elif isinstance(n, BufferLoad):
                self.use(n.buffer.data)

    def use(self, data: Var) -> None:
        memory = self.open.get(data)
        if memory is not None:
            now = self.around[-1]
            memory.first, memory.last = now if memory.first < 0 else memory.first, now

    def close(self, s: Stmt, me: int) -> None:
        """End `s`: what it used from outside may have to stay alive through all of it."""
        end = self.count - 1
        if isinstance(s, Allocate):
            del self.open[s.buffer.data]
        elif _holds(s):
            for memory in self.open.values():
                if memory.last >= me:
                    memory.first, memory.last = min(memory.first, me), end
        if _is_extern(s):
            for memory in self.allocations.values():
                if memory.place > me:
                    memory.first, memory.last = me, end


def _holds(s: Stmt) -> bool:
    """Whether memory used anywhere in `s` is alive through all of it: loops, externs, and names for pointers."""
    return isinstance(s, For | While) or _is_extern(s) or (isinstance(s, LetStmt) and s.value.dtype is HANDLE)


def _is_extern(s: Stmt) -> bool:
    return isinstance(s, AttrStmt) and s.key == "extern_scope"


# ---------------------------------------------------------------- groups that share memory


def _slots(memories: Sequence[_Allocation]) -> list[list[_Allocation]]:
    """The allocations in groups that share memory: in the order of their first use, each with the group that
    it fits best."""
    slots: list[list[_Allocation]] = []
    for m in sorted(memories, key=lambda m: m.first):
        size = _bytes(m.buffer)
        if m.first < 0 or size is None or _in_registers(m.buffer, size):
            continue
        free = [slot for slot in slots if _fits(m, size, slot)]
        if free:
            best = min(
                free, key=lambda s: (s[0].buffer.dtype is not m.buffer.dtype, abs(_slot_bytes(s) - size))
            )
            best.append(m)
        else:
            slots.append([m])
    return slots


def _in_registers(b: Buffer, size: int) -> bool:
    return b.scope == "register" or (b.scope == "local" and size <= REGISTERS)


def _fits(m: _Allocation, size: int, slot: list[_Allocation]) -> bool:
    own = slot[0]
    return (
        m.parallel == own.parallel
        and m.buffer.scope == own.buffer.scope
        and (m.buffer.dtype is own.buffer.dtype or size <= _slot_bytes(slot))
        and all(m.last < other.first or other.last < m.first for other in slot)
    )


def _slot_bytes(slot: list[_Allocation]) -> int:
    return max(_bytes(m.buffer) or 0 for m in slot)


# ---------------------------------------------------------------- the new statements


class _SlotRewriter:
    """Rewrites a body whose statements have the numbers that `_Lifetimes` gave them."""

    def __init__(self, slots: list[list[_Allocation]]) -> None:
        self.count = 0
        self.memory: dict[int, list[Buffer]] = {}  # by number: the buffers allocated around that statement
        self.moved: dict[int, Buffer] = {}  # by number of an allocation: where it lives now
        self.data: dict[Var, Buffer] = {}  # the same by data, for the allocations around
        for slot in slots:
            buffer = self.shared(slot)
            place = _around_all(slot)
            self.memory.setdefault(place, []).append(buffer)
            self.moved.update({m.place: buffer for m in slot})
        self.expr: Any = rewriter({Var: self.var, BufferLoad: self.load})
        self.views: dict[tuple[Buffer, Buffer], Buffer] = {}

    def shared(self, slot: list[_Allocation]) -> Buffer:
        """The memory of a slot: that of its first allocation, large enough for all."""
        first = slot[0].buffer
        elements = const(-(-_slot_bytes(slot) // first.dtype.nbytes), first.shape[0].dtype)
        return first.with_(data=Var(first.data.name, HANDLE), shape=(elements,))

    def view(self, b: Buffer) -> Buffer:
        """`b` where it lives now."""
        home = self.data.get(b.data)
        if home is None:
            return b
        if (home.name, home.dtype, _bytes(home)) == (b.name, b.dtype, _bytes(b)):
            return home
        return self.views.setdefault((b, home), b.with_(data=home.data))

    def var(self, v: Var) -> Expr:
        home = self.data.get(v)
        return v if home is None else home.data

    def load(self, n: BufferLoad) -> Expr:
        return BufferLoad(self.view(n.buffer), tuple(self.expr(i) for i in n.indices), n.dtype)

    def child(self, n: Any) -> Any:
        return self.stmt(n) if isinstance(n, Stmt) else self.expr(n)

    def stmt(self, s: Stmt) -> Stmt:
        me = self.count
        self.count += 1
        home = self.moved.get(me)
        if isinstance(s, Allocate) and home is not None:
            self.data[s.buffer.data] = home
            rewritten = self.stmt(s.body)
            del self.data[s.buffer.data]
        else:
            rewritten = s.map_children(self.child)
            buffer = getattr(rewritten, "buffer", None)
            if isinstance(buffer, Buffer) and (view := self.view(buffer)) is not buffer:
                rewritten = replace(rewritten, buffer=view)
        for buffer in reversed(self.memory.get(me, [])):
            rewritten = Allocate(buffer, rewritten, getattr(s, "origin", None))
        return rewritten


def _around_all(slot: list[_Allocation]) -> int:
    """The number of the innermost statement that contains every allocation of a slot."""
    common = slot[0].around
    for m in slot[1:]:
        common = tuple(a for a, b in zip(common, m.around, strict=False) if a == b)
    return common[-1]
