"""Threads become loops, split where the threads wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import LowerError, here
from tewb.ir import (
    NOOP,
    Allocate,
    AssertStmt,
    AttrStmt,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    DeclBuffer,
    Evaluate,
    Expr,
    For,
    ForKind,
    IfThenElse,
    LetStmt,
    Origin,
    Seq,
    Stmt,
    Var,
    While,
    const,
    const_int,
    is_barrier,
    is_virtual,
    launched,
    memory_kind,
    ops,
    replace,
    rewriter,
    script,
    seq,
    substitute,
    walk,
)
from tewb.lowering.bind_buffers import compact_strides
from tewb.schedule.threads import REDUCES, Thread, is_shared_by

_STACK_ARRAY = "tvm_stack_make_array"  # (data, shape, strides, ndim, dtype, offset)


def loop_over_threads(body: Stmt) -> Stmt:
    """Run the threads of every launch one after the other.

        threadIdx.x = T.launch_thread("threadIdx.x", 64)        S = T.allocate((64,))
        S = T.allocate((64,), scope="shared")                   R = T.allocate((64, 4))
        R = T.allocate((4,), scope="local")                     for threadIdx.x in 64: S[threadIdx.x] = ...
        S[threadIdx.x] = ...                             ->     for threadIdx.x in 64: R[threadIdx.x, 0] = S[...]
        T.evaluate(T.tvm_storage_sync("shared"))
        R[0] = S[...]

    Between two places where threads wait, each statement runs for all threads before the next one does: the loops over
    the threads are split there (loop fission, as the "work-item loops" of OpenCL on processors). What a thread keeps
    over such a place gets a dimension for the threads. A statement that is the same for all threads runs once. Loops
    and conditions around places where threads wait are the same for all threads; a condition that is not moves inside.

    Raises LowerError where threads would not all come to the place where they wait. Afterwards nothing launches threads.
    """
    looped: Stmt = _Threads().rewrite(body)
    return looped


@dataclass(frozen=True, slots=True, eq=False)
class _Dimension:
    """The threads of one kind that run a statement."""

    key: object
    var: Var
    extent: Expr
    thread: Thread
    origin: Origin | None

    def loop(self, body: Stmt) -> Stmt:
        return For(self.var, const(0, self.var.dtype), self.extent, ForKind.SERIAL, body, self.origin)

    def once(self, body: Stmt) -> Stmt:
        """`body`, which is the same for all threads: it runs if there are any."""
        n = const_int(self.extent)
        if n is not None:
            return body if n > 0 else NOOP
        return IfThenElse(ops.greater(self.extent, const(0, self.extent.dtype)), body, None, self.origin)


Dimensions = tuple[_Dimension, ...]


class _Threads:
    """Turns launches into loops."""

    def __init__(self) -> None:
        self.rewrite: Callable[[Any], Any] = rewriter(
            {AttrStmt: self.attribute, Evaluate: lambda n: NOOP if is_barrier(n) else n, Seq: self.sequence}
        )
        self.around: dict[object, _Dimension] = {}  # what is launched around
        self._splits: dict[int, tuple[Stmt, bool]] = {}

    def sequence(self, n: Seq) -> Stmt:
        rewritten: Seq = n.map_children(self.rewrite)
        return n if rewritten is n else seq(*rewritten.stmts)

    def attribute(self, n: AttrStmt) -> Stmt:
        axis = launched(n)
        if axis is None:
            rewritten: AttrStmt = n.map_children(self.rewrite)
            return rewritten.body if n.key == REDUCES else rewritten
        return self.launch(n, ())

    def launch(self, n: AttrStmt, threads: Dimensions) -> Stmt:
        """What a launch runs, inside of the launches of `threads`."""
        axis = launched(n)
        assert axis is not None
        key = axis.var if is_virtual(axis.thread_tag) else axis.thread_tag
        thread = Thread(axis.thread_tag, None, axis.name)
        known = self.around.get(key)
        if known is not None:
            return self.again(n, known, threads)
        self.around[key] = new = _Dimension(key, axis.var, n.value, thread, n.origin)
        if thread.is_block:
            body = new.loop(self.run(n.body, threads))
        else:
            body = self.run(n.body, (*threads, new))
        del self.around[key]
        return body

    def again(self, n: AttrStmt, known: _Dimension, threads: Dimensions) -> Stmt:
        """A launch of threads that are launched around it already: it means the same ones."""
        sizes = const_int(n.value), const_int(known.extent)
        if sizes[0] != sizes[1] or (sizes[0] is None and n.value is not known.extent):
            raise LowerError(
                f"{known.thread.tag} has two sizes in one launch: {script(n.value)} inside of {script(known.extent)}",
                hint="launch as many inside as outside",
                span=here(),
            )
        body = n.body if n.var is known.var else substitute(n.body, {n.var: known.var})
        return self.run(body, threads)

    def run(self, s: Stmt, threads: Dimensions) -> Stmt:
        """`s`, run by these threads."""
        if not threads:
            plain: Stmt = self.rewrite(s)
            return plain
        if not self.splits(s):
            return self.for_each(threads, s)
        rule = _RULES.get(type(s))
        if rule is None:
            return NOOP if is_barrier(s) else self.for_each(threads, s)
        return rule(self, s, threads)

    def for_each(self, threads: Dimensions, s: Stmt) -> Stmt:
        """`s`, in which no thread waits, in loops over the threads for which it is not the same."""
        looped: Stmt = self.rewrite(s)
        used = _variables(s) | _variables(looped)
        if looped is not NOOP:
            for d in reversed(threads):
                looped = d.loop(looped) if d.var in used else d.once(looped)
        return looped

    def splits(self, s: Stmt) -> bool:
        """Whether loops over the threads may not stand around all of `s`: they wait in it, or it has memory that they
        share."""
        entry = self._splits.get(id(s))
        if entry is None:
            found = is_barrier(s) or (isinstance(s, Allocate) and _is_shared(s.buffer))
            found = found or any([self.splits(c) for c in s.children() if isinstance(c, Stmt)])
            entry = self._splits[id(s)] = (s, found)
        return entry[1]

    # ---- statements in which threads wait

    def in_sequence(self, s: Seq, threads: Dimensions) -> Stmt:
        done: list[Stmt] = []
        together: list[Stmt] = []  # what a thread does before the next one begins
        for part in s.stmts:
            if not self.splits(part):
                together.append(part)
                continue
            done += [self.run(seq(*together), threads)] if together else []
            together = []
            done.append(self.run(part, threads))
        done += [self.run(seq(*together), threads)] if together else []
        return seq(*done)

    def in_loop(self, s: For, threads: Dimensions) -> Stmt:
        self.check_same(threads, "a loop", s.min, s.extent)
        return replace(s, body=self.run(s.body, threads))

    def in_while(self, s: While, threads: Dimensions) -> Stmt:
        self.check_same(threads, "a loop", s.cond)
        return replace(s, body=self.run(s.body, threads))

    def in_branch(self, s: IfThenElse, threads: Dimensions) -> Stmt:
        if not _depends(threads, s.cond):
            other = None if s.other is None else self.run(s.other, threads)
            return replace(s, then=self.run(s.then, threads), other=other)
        self.check_fixed(s.cond, "a condition")
        then = self.inward(s.then, lambda part: replace(s, then=part, other=None), ())
        if s.other is None:
            return self.run(then, threads)
        negated = ops.logical_not(s.cond)
        other = self.inward(s.other, lambda part: IfThenElse(negated, part, None, s.origin), ())
        return seq(self.run(then, threads), self.run(other, threads))

    def in_let(self, s: LetStmt, threads: Dimensions) -> Stmt:
        if not _depends(threads, s.value):
            return replace(s, body=self.run(s.body, threads))
        self.check_fixed(s.value, f"the value of {s.var.name}")
        return self.run(self.inward(s.body, lambda part: replace(s, body=part), (s.var,)), threads)

    def in_assertion(self, s: AssertStmt, threads: Dimensions) -> Stmt:
        check = replace(s, body=NOOP)
        return seq(self.for_each(threads, check), self.run(s.body, threads))

    def in_attribute(self, s: AttrStmt, threads: Dimensions) -> Stmt:
        if launched(s) is not None:
            return self.launch(s, threads)
        body = self.run(s.body, threads)
        return body if s.key == REDUCES else replace(s, body=body)

    def in_view(self, s: DeclBuffer, threads: Dimensions) -> Stmt:
        return self.run(self.inward(s.body, lambda part: replace(s, body=part), ()), threads)

    def in_memory(self, s: Allocate, threads: Dimensions) -> Stmt:
        """Memory that lives where threads wait: shared, or one for each thread."""
        own = tuple(d for d in threads if not is_shared_by(s.buffer.scope, d.thread))
        self.check_same(threads, f"the memory of {s.buffer.name}", *s.buffer.shape, *s.buffer.strides)
        if not own:
            return replace(s, body=self.run(s.body, threads))
        buffer, body = _one_for_each(s, own)
        return replace(s, buffer=buffer, body=self.run(body, threads))

    # ---- what is not the same for all threads

    def inward(self, s: Stmt, around: Callable[[Stmt], Stmt], bound: Sequence[Var]) -> Stmt:
        """`s` with `around` put around each part in which no thread waits; it binds `bound`."""
        if not self.splits(s):
            return s if s is NOOP else around(s)
        if is_barrier(s):
            return s
        own = [c for c in s.children() if isinstance(c, Expr)]
        if any(x in bound for e in own for x in walk(e) if isinstance(x, Var)):
            raise _not_the_same(f"what {bound[0].name} tells", bound[0].name)
        if isinstance(s, Seq):
            parts: list[Stmt] = []
            together: list[Stmt] = []
            for part in s.stmts:
                if self.splits(part):
                    parts += [around(seq(*together))] if together else []
                    together = []
                    parts.append(self.inward(part, around, bound))
                else:
                    together.append(part)
            parts += [around(seq(*together))] if together else []
            return seq(*parts)
        return s.map_children(lambda c: self.inward(c, around, bound) if isinstance(c, Stmt) else c)

    def check_same(self, threads: Dimensions, what: str, *exprs: Expr) -> None:
        for e in exprs:
            differing = _depends(threads, e)
            if differing:
                raise _not_the_same(what, differing[0].var.name)

    def check_fixed(self, e: Expr, what: str) -> None:
        if any(isinstance(n, BufferLoad) for n in walk(e)):
            raise LowerError(
                f"threads wait for each other inside of {what} that reads memory: {script(e)}",
                hint="wait outside of it",
                span=here(),
            )


_RULES: dict[type, Callable[[_Threads, Any, Dimensions], Stmt]] = {
    Seq: _Threads.in_sequence,
    For: _Threads.in_loop,
    While: _Threads.in_while,
    IfThenElse: _Threads.in_branch,
    LetStmt: _Threads.in_let,
    AssertStmt: _Threads.in_assertion,
    AttrStmt: _Threads.in_attribute,
    DeclBuffer: _Threads.in_view,
    Allocate: _Threads.in_memory,
}


def _not_the_same(what: str, name: str) -> LowerError:
    return LowerError(
        f"threads wait for each other inside of {what} that depends on {name}: not all of them come there",
        hint="let all threads run it, and guard what they store",
        span=here(),
    )


def _is_shared(b: Buffer) -> bool:
    return memory_kind(b.scope) in ("shared", "warp")


def _variables(s: Stmt) -> set[Var]:
    """The variables that a statement uses, in the layouts of its buffers too."""
    used: set[Var] = set()
    for n in walk(s):
        if isinstance(n, Var):
            used.add(n)
        buffer = getattr(n, "buffer", None)
        for e in () if buffer is None else (*buffer.shape, *buffer.strides, buffer.elem_offset):
            used |= {v for v in walk(e) if isinstance(v, Var)}
    return used


def _depends(threads: Dimensions, e: Expr) -> list[_Dimension]:
    """The threads that an expression differs for."""
    used = {v for v in walk(e) if isinstance(v, Var)}
    return [d for d in threads if d.var in used]


def _one_for_each(s: Allocate, threads: Dimensions) -> tuple[Buffer, Stmt]:
    """The memory of all threads for a buffer that each has one of, and what is done in it."""
    wide, first = _memory_of_all(s.buffer, threads)
    return wide, _at_place(s.body, s.buffer, wide, tuple([d.var for d in threads]), first)


def _memory_of_all(b: Buffer, threads: Dimensions) -> tuple[Buffer, Expr]:
    """The buffer of all threads for one that each has: a dimension more for each of `threads`; and how many elements lie before
    those of a thread."""
    strides = compact_strides(b)
    each: Expr = const(1)
    for n in b.shape:
        each = ops.mul(each, n)
    if b.strides and b.shape:
        each = ops.mul(strides[0], b.shape[0])
    steps: list[Expr] = []
    for d in reversed(threads):
        steps.insert(0, each)
        each = ops.mul(each, d.extent)
    before: Expr = const(0)
    for d, step in zip(threads, steps, strict=True):
        before = ops.add(before, ops.mul(d.var, step))
    wide = b.with_(
        shape=(*(d.extent for d in threads), *b.shape),
        strides=(*steps, *strides) if b.strides else (),
        scope="local" if b.scope == "register" else b.scope,
    )
    return wide, before


def _at_place(s: Stmt, b: Buffer, wide: Buffer, place: tuple[Var, ...], first: Expr) -> Stmt:
    """`s` with buffer `b`, and views of its memory, at `place` of `wide`, `first` elements after its beginning."""
    views: dict[Buffer, Buffer] = {}

    def view(other: Buffer) -> Buffer:
        if other not in views:
            views[other] = other.with_(elem_offset=ops.add(other.elem_offset, first), scope=wide.scope)
        return views[other]

    def load(n: BufferLoad) -> Expr:
        indices = tuple(rewrite(i) for i in n.indices)
        if n.buffer is b:
            return replace(n, buffer=wide, indices=(*place, *indices))
        if n.buffer.data is b.data:
            return replace(n, buffer=view(n.buffer), indices=indices)
        same = all(x is y for x, y in zip(indices, n.indices, strict=True))
        return n if same else replace(n, indices=indices)

    def store(n: BufferStore) -> Stmt:
        value, indices = rewrite(n.value), tuple(rewrite(i) for i in n.indices)
        if n.buffer is b:
            return replace(n, buffer=wide, value=value, indices=(*place, *indices))
        buffer = view(n.buffer) if n.buffer.data is b.data else n.buffer
        return replace(n, buffer=buffer, value=value, indices=indices)

    def declared(n: DeclBuffer) -> Stmt:
        buffer = view(n.buffer) if n.buffer.data is b.data else n.buffer
        return replace(n, buffer=buffer, body=rewrite(n.body))

    def call(n: Call) -> Expr:
        args = tuple(rewrite(a) for a in n.args)
        if n.op == _STACK_ARRAY and args[0] is b.data:
            args = (*args[:5], ops.add(args[5], first))
        same = all(x is y for x, y in zip(args, n.args, strict=True))
        return n if same else replace(n, args=args)

    rewrite: Callable[[Any], Any] = rewriter(
        {BufferLoad: load, BufferStore: store, DeclBuffer: declared, Call: call}
    )
    result: Stmt = rewrite(s)
    return result
