"""Statements as LLVM text: stores, loops, branches and memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb.base import HANDLE, CodegenError
from tewb.codegen.accesses import is_long_walk
from tewb.codegen.debug_locations import DebugInfo
from tewb.codegen.expressions import ExpressionWriter
from tewb.codegen.function import STACK_LIMIT, Function
from tewb.codegen.interleave import MOST_STORES, interleaved, shuffle
from tewb.codegen.llvm_vectorizer import is_misread, may_mislead
from tewb.codegen.loop_timers import Timers
from tewb.codegen.loop_work import (
    PART,
    has_many_accesses,
    has_wide_iterations,
    hidden,
    in_chunks,
    is_coarse,
    operations,
)
from tewb.codegen.outline import outline_parallel, outline_section
from tewb.codegen.packed_calls import call_packed
from tewb.codegen.single_lane import lane_of
from tewb.codegen.split_functions import Sections
from tewb.codegen.types import memory_type, value_type
from tewb.ir import (
    ALLOCATED,
    TIMER,
    Allocate,
    AssertStmt,
    AttrStmt,
    BufferLoad,
    BufferStore,
    Call,
    Evaluate,
    Expr,
    ExternRegion,
    For,
    ForKind,
    IfThenElse,
    LetStmt,
    Node,
    Ramp,
    Seq,
    Stmt,
    Var,
    While,
    const_int,
    everywhere,
    is_contiguous,
    is_maskable_store,
    seq,
    uses,
    walk_statements,
)
from tewb.runtime.abi import (
    ASSERTION,
    CANCELLED,
    READ,
    WRITTEN,
)

UNROLLED_NEVER = '!"llvm.loop.unroll.disable"'
VECTORIZED_NEVER = '!"llvm.loop.vectorize.enable", i1 false'
TILE = 4 << 10  # bytes of a buffer that may end in registers: larger buffers leave half of the stack to these


class Statements:
    """Writes statements into `f`. `shared` are the buffers that Python sees; `info` knows debug locations."""

    def __init__(
        self, f: Function, values: dict[Var, str], debug: bool, shared: set[Var], info: DebugInfo, scope: str
    ) -> None:
        self.f, self.values, self.debug, self.shared, self.info = f, values, debug, shared, info
        self.locate = info.locator(scope)
        self.expressions = ExpressionWriter(f, values, debug)
        self.emit_expr, self.accesses = self.expressions.emit, self.expressions.accesses
        self.timers = Timers(f)
        self.depth = 0  # of loops around
        self.kept: dict[
            int, int
        ] = {}  # allocations whose memory iterations leave to the next, by id: their places
        self.sections = Sections()
        self.work: dict[Node, int | None] = {}  # the operations of statements, as far as they were asked for
        self.is_plain = everywhere(lambda n: not may_mislead(n))

    def inside(self, f: Function, values: dict[Var, str], scope: str) -> Statements:
        """The writer of another function `f` of the same kernel, in which `values` are known."""
        f.stack_bytes = self.f.stack_bytes
        inner = Statements(f, values, self.debug, self.shared, self.info, scope)
        inner.expressions.data |= self.expressions.data
        inner.work, inner.is_plain = self.work, self.is_plain
        return inner

    def emit_all(self, s: Stmt) -> None:
        """Write `s` as the whole of a function, and its end."""
        self.emit(s)
        self.timers.hand_over(self.values)
        self.f.do("ret i32 0")

    def emit(self, s: Stmt) -> None:
        rule = _STMTS.get(s.__class__)
        if rule is None:
            raise CodegenError(f"no machine code for the statement {type(s).__name__}")
        before = self.f.location
        self.f.location = self.locate(s) or before
        self.expressions.begin()
        rule(self, s)
        self.expressions.begin()
        self.f.location = before

    # ---- stores

    def store(self, s: BufferStore) -> None:
        (index,) = s.indices
        if self.debug:
            self.accesses.check(s, index)
        value = self.emit_expr(s.value)
        d = s.buffer.dtype
        if index.dtype.lanes == 1:
            self.accesses.write(self.accesses.element_address(s, index), value, s.value.dtype, s.nontemporal)
        elif is_contiguous(index):
            assert isinstance(index, Ramp)
            self.accesses.write_row(s, index, value)
        elif is_long_walk(index):
            self.accesses.scatter(s, index, value, s.value.dtype)
        else:
            t, scalar = value_type(s.value.dtype), value_type(d)
            for lane, address in enumerate(self.accesses.element_addresses(s, index)):
                one = self.f.ins(f"extractelement {t} {value}, i64 {lane}")
                assert scalar
                self.accesses.write(address, one, d)

    # ---- control

    def seq(self, s: Seq) -> None:
        for group, is_section in self.sections.of(s):
            if is_section and not self.expressions.checked:
                outline_section(self, Seq(tuple(group)))
            else:
                self.in_turn(group)

    def in_turn(self, stmts: Sequence[Stmt]) -> None:
        at = 0
        while at < len(stmts):
            together = [] if self.debug else interleaved(stmts[at : at + MOST_STORES])
            if together:
                self.store_together(together)
            else:
                self.emit(stmts[at])
            at += len(together) or 1

    def return_if_failed(self, code: str) -> None:
        """Return from the function if the called function failed."""
        good, bad = self.f.label(), self.f.label()
        self.f.branch(self.f.ins(f"icmp eq i32 {code}, 0"), good, bad, likely=True)
        self.f.start(bad)
        self.f.fail()
        self.f.start(good)

    def store_together(self, stores: list[BufferStore]) -> None:
        """Stores that fill one another's gaps, as one."""
        first = stores[0]
        (index,) = first.indices
        assert isinstance(index, Ramp)
        before = self.f.location
        self.f.location = self.locate(first) or before
        self.expressions.begin()
        value = shuffle(self.f, [self.emit_expr(s.value) for s in stores], first.value.dtype)
        address = self.accesses.element_address(first, index.base)
        d = first.value.dtype
        self.accesses.write(address, value, d.with_lanes(d.lanes * len(stores)))
        self.f.location = before

    def loop(self, s: For) -> None:
        if s.kind is ForKind.PARALLEL:
            outline_parallel(self, s)
            return
        if s.kind is not ForKind.SERIAL:
            raise CodegenError(f"the loop {s.var.name} is {s.kind.value}: lowering should have replaced it")
        if self.is_endless(s):
            self.loop(in_chunks(s))
            return
        f, t = self.f, value_type(s.var.dtype)
        first = self.emit_expr(s.min)
        count = self.emit_expr(s.extent)
        end = f.ins(f"add nsw {t} {first}, {count}")
        body, done = f.label(), f.label()
        if const_int(s.extent) is None:
            f.branch(f.ins(f"icmp slt {t} {first}, {end}"), body, done)
        elif const_int(s.extent) == 0:
            return
        else:
            f.jump(body)
        before = f.block
        f.start(body)
        i = f.name()
        at = len(f.lines)
        f.lines.append("")  # the phi, whose other value comes at the end of the body
        self.values[s.var] = i
        self.poll(s)
        self.depth += 1
        self.emit(s.body)
        self.depth -= 1
        following = f.ins(f"add nsw {t} {i}, 1")
        compared = f.ins(hidden(following, t)) if has_many_accesses(s.body) else following
        again = f.ins(f"icmp slt {t} {compared}, {end}")
        f.lines[at] = (
            f"  {i} = phi {t} [ {first}, %{before} ], [ {following}, %{f.block} ]{f.location_suffix()}"
        )
        wishes = [UNROLLED_NEVER] if has_wide_iterations(s) else []
        f.branch(again, body, done, wishes=wishes + [VECTORIZED_NEVER] * self.is_misread(s))
        f.start(done)

    def is_misread(self, s: For) -> bool:
        return not self.is_plain(s.body) and is_misread(s)

    def poll(self, s: For) -> None:
        """Poll the cancel flag once in each iteration of a loop whose iterations are long and whose body has no loop
        that polls it."""
        if is_coarse(s.body, self.work) and not self.polls(s.body):
            self.stop_if_cancelled()

    def polls(self, s: Stmt) -> bool:
        """Whether a statement has a loop of long iterations, which poll the cancel flag."""
        if isinstance(s, For) and is_coarse(s.body, self.work):
            return True
        return any(self.polls(c) for c in s.children() if isinstance(c, Stmt))

    def is_endless(self, s: For) -> bool:
        """Whether a loop of short iterations may run for so long that a user wants to interrupt it: it has very many,
        or it is an outermost loop whose number of iterations is not known and not bounded by memory."""
        if is_coarse(s.body, self.work) or self.polls(s.body):
            return False
        work = operations(s, self.work)
        if work is not None:
            return work > 4 * PART
        stores = [n for n in walk_statements(s.body) if isinstance(n, BufferStore)]
        return self.depth == 0 and any(not uses(n.indices[0], [s.var]) for n in stores)

    def stop_if_cancelled(self) -> None:
        flag = self.f.ins("load atomic i32, ptr %ctx monotonic, align 8")
        go_on = self.f.ins(f"icmp eq i32 {flag}, 0")
        self.f.require(go_on, CANCELLED, "the kernel was interrupted")

    def while_(self, s: While) -> None:
        f = self.f
        head, body, done = f.label(), f.label(), f.label()
        f.jump(head)
        f.start(head)
        self.stop_if_cancelled()
        f.branch(self.emit_expr(s.cond), body, done)
        f.start(body)
        self.emit(s.body)
        f.jump(head)
        f.start(done)

    def branch(self, s: IfThenElse) -> None:
        if s.cond.dtype.lanes > 1:
            self.in_lanes(s)
            return
        f = self.f
        yes, done = f.label(), f.label()
        no = done if s.other is None else f.label()
        f.branch(self.emit_expr(s.cond), yes, no)
        f.start(yes)
        self.emit(s.then)
        f.jump(done)
        if s.other is not None:
            f.start(no)
            self.emit(s.other)
            f.jump(done)
        f.start(done)

    def in_lanes(self, s: IfThenElse) -> None:
        """Stores in the lanes where a vector condition holds: masked, as all that lowering guards by lanes can be, or
        lane by lane in other programs, and in debug builds, which check every access."""
        stores = s.then.stmts if isinstance(s.then, Seq) else (s.then,)
        if self.debug or s.other is not None or not all(is_maskable_store(b) for b in stores):
            self.lane_by_lane(s, stores)
            return
        f, mask, done = self.f, self.emit_expr(s.cond), None
        if any(self.accesses.may_miss(b) for b in stores):
            some, done = f.label(), f.label()
            f.branch(self.accesses.any_lane(mask, s.cond.dtype.lanes), some, done)
            f.start(some)
        self.accesses.mask = mask
        for b in stores:
            self.emit(b)
        self.accesses.mask = None
        if done is not None:
            f.jump(done)
            f.start(done)

    def lane_by_lane(self, s: IfThenElse, stores: Sequence[Stmt]) -> None:
        for lane in range(s.cond.dtype.lanes):
            lane_stores = []
            for b in stores:
                if not isinstance(b, BufferStore) or s.other is not None:
                    raise CodegenError(f"a condition of {s.cond.dtype.lanes} lanes guards stores only")
                lane_stores.append(
                    BufferStore(b.buffer, lane_of(b.value, lane), (lane_of(b.indices[0], lane),), b.origin)
                )
            self.branch(IfThenElse(lane_of(s.cond, lane), seq(*lane_stores), None, s.origin))

    def let(self, s: LetStmt) -> None:
        self.expressions.bind(s.var, s.value)
        self.emit(s.body)

    def attr(self, s: AttrStmt) -> None:
        if s.key == TIMER and isinstance(s.value, BufferLoad):
            self.timers.around(s.body, s.value, self.emit)
            return
        calls = self.expressions
        region, checked = calls.region, calls.checked
        if isinstance(s.node, ExternRegion):
            calls.region, calls.checked = s.node, []
        elif s.key in ("extern_reads", "extern_writes"):
            calls.checked = [*checked, (READ if s.key == "extern_reads" else WRITTEN, s)]
        self.emit(s.body)
        calls.region, calls.checked = region, checked

    def assertion(self, s: AssertStmt) -> None:
        holds, lanes = self.emit_expr(s.cond), s.cond.dtype.lanes
        self.f.require(self.accesses.all_lanes(holds, lanes) if lanes > 1 else holds, ASSERTION, s.message)
        self.emit(s.body)

    def evaluate(self, s: Evaluate) -> None:
        if isinstance(s.value, Call) and s.value.op == "tvm_call_packed":
            call_packed(self.expressions, s.value)
        elif isinstance(s.value, Call) and s.value.dtype is HANDLE:
            raise CodegenError(f"{s.value.op} is no statement")
        else:
            self.emit_expr(s.value)

    # ---- memory

    def allocate(self, s: Allocate) -> None:
        """On the stack when small and private, else from the heap around the body."""
        b = s.buffer
        self.f.module.alignments[b.data] = ALLOCATED
        (size,) = b.shape
        count = const_int(size)
        if count is not None and b.scope == "register":
            self.registers(s, count)
            return
        if count is not None and b.data not in self.shared:
            total = count * b.dtype.nbytes
            taken = self.f.stack_bytes + self.f.called_bytes
            if taken + total <= (STACK_LIMIT if total <= TILE else STACK_LIMIT // 2):
                self.f.stack_bytes += total
                self.values[b.data] = self.f.stack(memory_type(b.dtype), max(count, 1))
                self.accesses.add_stack_buffer(b.data, count)
                self.emit(s.body)
                return
        self.heap(s, size)

    def registers(self, s: Allocate, count: int) -> None:
        """A slot of the stack that the optimiser replaces by registers. The copies of an unrolled tile share it."""
        kind = memory_type(s.buffer.dtype), count
        free = self.f.free_slots.setdefault(kind, [])
        slot = free.pop() if free else self.f.stack(*kind)
        self.values[s.buffer.data] = slot
        self.emit(s.body)
        free.append(slot)

    def heap(self, s: Allocate, size: Expr) -> None:
        f, b = self.f, s.buffer
        elements = self.expressions.index(size)
        wanted = f.ins(f"mul i64 {elements}, {b.dtype.nbytes}")
        f.module.intermediates.append(b.name)
        if f.module.traced:
            note = f.module.declare("tewb_rt_trace_allocation", "void @tewb_rt_trace_allocation(i64)")
            f.do(f"call void {note}(i64 {wanted})")
        if id(s) in self.kept:
            self.values[b.data] = self.left_by_the_last(s, wanted)
            self.emit(s.body)
            return
        p = self.values[b.data] = self.taken(s, wanted)
        f.owned.append(p)
        self.emit(s.body)
        f.owned.pop()
        f.do(f"call void @tewb.free(ptr %ctx, ptr {p})")

    def taken(self, s: Allocate, wanted: str) -> str:
        """Memory of `wanted` bytes from the heap."""
        f, shared = self.f, int(s.buffer.data in self.shared)
        message = f.module.message(f"the intermediate {s.buffer.name}")
        p = f.ins(
            f"call align {ALLOCATED} ptr @tewb.alloc(ptr %ctx, i64 {wanted}, i64 {message}, i64 {shared})"
        )
        good, bad = f.label(), f.label()
        f.branch(f.ins(f"icmp ne ptr {p}, null"), good, bad, likely=True)
        f.start(bad)
        f.fail()
        f.start(good)
        return p

    def left_by_the_last(self, s: Allocate, wanted: str) -> str:
        """The memory that the iteration before has used, on this thread; the first one takes it. Who called frees it."""
        f = self.f
        place = f.ins(f"getelementptr ptr, ptr %kept, i64 {self.kept[id(s)]}")
        left = f.ins(f"load ptr, ptr {place}, align 8")
        first, there, before = f.label(), f.label(), f.block
        f.branch(f.ins(f"icmp ne ptr {left}, null"), there, first, likely=True)
        f.start(first)
        p = self.taken(s, wanted)
        f.do(f"store ptr {p}, ptr {place}, align 8")
        after = f.block
        f.jump(there)
        f.start(there)
        return f.ins(f"phi ptr [ {left}, %{before} ], [ {p}, %{after} ]")


Rule = Callable[[Statements, Any], None]
_STMTS: Mapping[type, Rule] = {
    BufferStore: Statements.store,
    Seq: Statements.seq,
    For: Statements.loop,
    While: Statements.while_,
    IfThenElse: Statements.branch,
    LetStmt: Statements.let,
    AttrStmt: Statements.attr,
    AssertStmt: Statements.assertion,
    Evaluate: Statements.evaluate,
    Allocate: Statements.allocate,
}
