"""Statements: loops, branches, memory, calls of packed functions, and parallel loops as functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb.base import HANDLE, INT64, CodegenError, DType, llvm_name
from tewb.codegen.accesses import is_long_walk
from tewb.codegen.conversion import convert
from tewb.codegen.debug_locations import DebugInfo
from tewb.codegen.expressions import Expressions
from tewb.codegen.function import Function
from tewb.codegen.interleave import MOST_STORES, interleaved, shuffle
from tewb.codegen.llvm_vectorizer import is_misread
from tewb.codegen.single_lane import lane_of
from tewb.codegen.split_functions import Sections
from tewb.codegen.types import memory_type, value_type
from tewb.ir import (
    ALLOCATED,
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
    IntImm,
    Let,
    LetStmt,
    Node,
    Ramp,
    Seq,
    Stmt,
    StringImm,
    Var,
    While,
    const,
    const_int,
    free_vars,
    has_nontemporal,
    is_contiguous,
    is_maskable_store,
    ops,
    replace,
    seq,
    structural_equal,
    uses,
    walk,
)
from tewb.runtime.abi import (
    ARRAY,
    ASSERTION,
    CALLBACK,
    CANCELLED,
    DTYPES,
    FLOAT,
    INTEGER,
    READ,
    UNANSWERED,
    WRITTEN,
    PackedCall,
)
from tewb.runtime.abi import HANDLE as HANDLE_SLOT

UNROLLED_NEVER = '!"llvm.loop.unroll.disable"'
VECTORIZED_NEVER = '!"llvm.loop.vectorize.enable", i1 false'
STACK_LIMIT = 64 << 10  # bytes of a function's stack that buffers may take; threads have small stacks
TILE = 4 << 10  # bytes up to which a buffer may end in registers: larger ones leave these half of the stack
COARSE = 20_000  # operations between two looks at the cancel flag
WIDE = 256  # bytes of the vectors that make an iteration long
PART = 1 << 27  # operations between two looks in a loop of short iterations: less than a tenth of a second
LONG = 500  # accesses of an iteration: to compare all of their pairs takes 0.1 s
FEW = 16  # iterations of a loop that may well disappear
CHUNK = 10 * COARSE  # operations that a thread takes at once from a parallel loop


class Statements:
    """Writes statements into `f`. `shared` are the buffers that Python sees; `info` knows debug locations."""

    def __init__(
        self, f: Function, values: dict[Var, str], debug: bool, shared: set[Var], info: DebugInfo, scope: str
    ) -> None:
        self.f, self.values, self.debug, self.shared, self.info = f, values, debug, shared, info
        self.locate = info.locator(scope)
        self.expressions = Expressions(f, values, debug)
        self.emit_expr, self.accesses = self.expressions.emit, self.expressions.accesses
        self.region = ExternRegion("")  # the extern_scope around, and its checked arrays
        self.checked: list[tuple[int, AttrStmt]] = []
        self.depth = 0  # of loops around
        self.sections = Sections()

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
            self.accesses.write(self.accesses.place(s, index), value, s.value.dtype, s.nontemporal)
        elif is_contiguous(index):
            assert isinstance(index, Ramp)
            self.accesses.write_row(s, index, value)
        elif is_long_walk(index):
            self.accesses.scatter(s, index, value, s.value.dtype)
        else:
            t, scalar = value_type(s.value.dtype), value_type(d)
            for lane, place in enumerate(self.accesses.places(s, index)):
                one = self.f.ins(f"extractelement {t} {value}, i64 {lane}")
                assert scalar
                self.accesses.write(place, one, d)

    # ---- control

    def seq(self, s: Seq) -> None:
        for group, is_section in self.sections.of(s):
            if is_section and not self.checked:
                self.section(Seq(tuple(group)))
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

    def section(self, s: Seq) -> None:
        """A part of a long sequence, as a function that is called here."""
        f = self.f
        captured = [v for v in captured_by(s) if v in self.values]
        name = f"{f.symbol}.part{len(f.module.functions)}"
        f.module.functions.append("")  # keeps the number taken while the body is written
        place = len(f.module.functions) - 1
        scope = self.info.scope(name)
        body = Function(
            f.module,
            f"define internal i32 {llvm_name(name)}({self.parameters(captured)}) noinline #0 !dbg {scope}",
            name,
        )
        body.location = self.info.start(scope)
        values: dict[Var, str] = {v: f"%p{n}" for n, v in enumerate(captured)}
        inner = Statements(body, values, self.debug, self.shared, self.info, scope)
        inner.expressions.data |= self.expressions.data
        inner.depth, inner.region = self.depth, self.region
        inner.emit(s)
        body.do("ret i32 0")
        f.module.functions[place] = body.text()
        arguments = [f"{value_type(v.dtype)} {self.values[v]}" for v in captured]
        code = f.ins(f"call i32 {llvm_name(name)}({', '.join(['ptr %ctx', *arguments])})")
        self.go_on_if_good(code)

    def parameters(self, captured: Sequence[Var], *own: str) -> str:
        """The parameters of a function that uses variables and buffers from outside; the buffers are known to be
        apart."""
        pointer = self.f.module.pointer
        params = [
            f"{pointer(v) if v.dtype is HANDLE else value_type(v.dtype)} %p{n}"
            for n, v in enumerate(captured)
        ]
        return ", ".join(["ptr %ctx", *own, *params])

    def go_on_if_good(self, code: str) -> None:
        """Return where a function of ours said that something failed."""
        good, bad = self.f.label(), self.f.label()
        self.f.branch(self.f.ins(f"icmp eq i32 {code}, 0"), good, bad, likely=True)
        self.f.start(bad)
        self.f.fail()
        self.f.start(good)

    def store_together(self, stores: list[BufferStore]) -> None:
        """Stores that fill each other's gaps, as one."""
        first = stores[0]
        (index,) = first.indices
        assert isinstance(index, Ramp)
        before = self.f.location
        self.f.location = self.locate(first) or before
        self.expressions.begin()
        value = shuffle(self.f, [self.emit_expr(s.value) for s in stores], first.value.dtype)
        place = self.accesses.place(first, index.base)
        d = first.value.dtype
        self.accesses.write(place, value, d.with_lanes(d.lanes * len(stores)))
        self.f.location = before

    def loop(self, s: For) -> None:
        if s.kind is ForKind.PARALLEL:
            self.parallel(s)
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
        compared = f.ins(hidden(following, t)) if is_long(s.body) else following
        again = f.ins(f"icmp slt {t} {compared}, {end}")
        f.lines[at] = f"  {i} = phi {t} [ {first}, %{before} ], [ {following}, %{f.block} ]{f._at()}"
        wishes = [UNROLLED_NEVER] if is_wide(s) else []
        f.branch(again, body, done, wishes=wishes + [VECTORIZED_NEVER] * is_misread(s))
        f.start(done)

    def poll(self, s: For) -> None:
        """Look at the cancel flag once in an iteration of a loop whose iterations are long, and whose body
        has no loop that does so itself."""
        if not is_coarse(s.body) or any(isinstance(n, For) and is_coarse(n.body) for n in walk(s.body)):
            return
        self.stop_if_cancelled()

    def is_endless(self, s: For) -> bool:
        """Whether a loop of short iterations may run for so long that somebody wants to end it: it has very many, or,
        around everything else, nobody knows how many and memory is no bound for them."""
        if is_coarse(s.body) or any(isinstance(n, For) and is_coarse(n.body) for n in walk(s.body)):
            return False
        work = operations(s)
        if work is not None:
            return work > 4 * PART
        stores = [n for n in walk(s.body) if isinstance(n, BufferStore)]
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
        """Stores in the lanes where a vector condition holds: masked, which all are that lowering guards so, or
        lane by lane in programs that others wrote, and in debug builds, which check every access."""
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
            parts = []
            for b in stores:
                if not isinstance(b, BufferStore) or s.other is not None:
                    raise CodegenError(f"a condition of {s.cond.dtype.lanes} lanes guards stores only")
                parts.append(
                    BufferStore(b.buffer, lane_of(b.value, lane), (lane_of(b.indices[0], lane),), b.origin)
                )
            self.branch(IfThenElse(lane_of(s.cond, lane), seq(*parts), None, s.origin))

    def let(self, s: LetStmt) -> None:
        self.expressions.bind(s.var, s.value)
        self.emit(s.body)

    def attr(self, s: AttrStmt) -> None:
        region, checked = self.region, self.checked
        if isinstance(s.node, ExternRegion):
            self.region, self.checked = s.node, []
        elif s.key in ("extern_reads", "extern_writes"):
            self.checked = [*checked, (READ if s.key == "extern_reads" else WRITTEN, s)]
        self.emit(s.body)
        self.region, self.checked = region, checked

    def assertion(self, s: AssertStmt) -> None:
        holds, lanes = self.emit_expr(s.cond), s.cond.dtype.lanes
        self.f.require(self.accesses.all_lanes(holds, lanes) if lanes > 1 else holds, ASSERTION, s.message)
        self.emit(s.body)

    def evaluate(self, s: Evaluate) -> None:
        if isinstance(s.value, Call) and s.value.op == "tvm_call_packed":
            self.packed(s.value)
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
            if self.f.stack_bytes + total <= (STACK_LIMIT if total <= TILE else STACK_LIMIT // 2):
                self.f.stack_bytes += total
                self.values[b.data] = self.f.stack(memory_type(b.dtype), max(count, 1))
                self.accesses.has(b.data, count)
                self.emit(s.body)
                return
        self.heap(s, size)

    def registers(self, s: Allocate, count: int) -> None:
        """A slot of the stack that the optimiser takes apart. The copies of a tile that was unrolled take turns."""
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
        message = f.module.message(f"the intermediate {b.name}")
        f.module.intermediates.append(b.name)
        shared = 1 if b.data in self.shared else 0
        p = f.ins(
            f"call align {ALLOCATED} ptr @tewb.alloc(ptr %ctx, i64 {wanted}, i64 {message}, i64 {shared})"
        )
        good, bad = f.label(), f.label()
        f.branch(f.ins(f"icmp ne ptr {p}, null"), good, bad, likely=True)
        f.start(bad)
        f.fail()
        f.start(good)
        self.values[b.data] = p
        f.owned.append(p)
        self.emit(s.body)
        f.owned.pop()
        f.do(f"call void @tewb.free(ptr %ctx, ptr {p})")

    # ---- packed functions

    def packed(self, e: Call) -> None:
        """Write the arguments as records and call the runtime."""
        f = self.f
        name = e.args[0]
        assert isinstance(name, StringImm)
        f.fence()
        slots: list[str] = []
        for a in e.args[1:]:
            slots += self.record(a)
        memory = f.stack("i64", 1 + len(slots))
        for i, value in enumerate([str(UNANSWERED), *slots]):
            at = f.ins(f"getelementptr i64, ptr {memory}, i64 {i}")
            f.do(f"store i64 {value}, ptr {at}")
        number = f.module.packed_number(PackedCall(name.value, self.region.name, self.region.effect))
        handle = f.ins("load i64, ptr " + f.ins(f"getelementptr i64, ptr %ctx, i64 {HANDLE_SLOT}"))
        service = "tewb_rt_call_checked" if self.checked else "tewb_rt_call_packed"
        f.module.declare(service, f"void @{service}(i64, i32, ptr, i32)")
        f.do(f"call void @{service}(i64 {handle}, i32 {number}, ptr {memory}, i32 {len(e.args) - 1})")
        fine = f.ins("icmp eq i64 " + f.ins(f"load i64, ptr {memory}") + ", 0")
        self.f.require(fine, CALLBACK, f"packed function {name.value}")

    def record(self, a: Expr) -> list[str]:
        match a:
            case Call("tvm_stack_make_array", (data, shape, strides, _, carrier, offset)):
                return self.array_record(data, shape, strides, carrier.dtype, offset)
        value = self.emit_expr(a)
        if a.dtype.is_float:
            wide = convert(self.f, value, a.dtype, DType("float64"))
            return [str(FLOAT), str(DTYPES.index(a.dtype)), "0", self.f.ins(f"bitcast double {wide} to i64")]
        if a.dtype.kind not in ("int", "uint", "bool"):
            raise CodegenError(f"{a!r} cannot be passed to a packed function")
        return [
            str(INTEGER),
            str(DTYPES.index(a.dtype)),
            "0",
            convert(self.f, value, a.dtype, INT64),
        ]

    def array_record(self, data: Expr, shape: Expr, strides: Expr, dtype: DType, offset: Expr) -> list[str]:
        f = self.f
        sizes = [self.expressions.index(n) for n in shape.children()]
        if isinstance(strides, IntImm):
            steps = ["1"] * len(sizes)
            for d in range(len(sizes) - 2, -1, -1):
                steps[d] = f.ins(f"mul i64 {steps[d + 1]}, {sizes[d + 1]}")
        else:
            steps = [self.expressions.index(n) for n in strides.children()]
        base = self.emit_expr(data)
        at = self.expressions.index(offset)
        place = f.ins(f"getelementptr {memory_type(dtype)}, ptr {base}, i64 {at}")
        address = f.ins(f"ptrtoint ptr {place} to i64")
        kind, origin = self.role(data, offset)
        return [str(kind), str(DTYPES.index(dtype)), str(len(sizes)), address, *sizes, *steps, *origin]

    def role(self, data: Expr, offset: Expr) -> tuple[int, list[str]]:
        """Whether an array of a checked extern is read or written, with its origin and extents."""
        mine = [(kind, s) for kind, s in self.checked if s.node is data]
        same = [(kind, s) for kind, s in mine if structural_equal(s.value.args[0], offset)]  # type: ignore[attr-defined]
        for kind, s in same or mine:
            return kind, [self.expressions.index(e) for e in s.value.args[1:]]  # type: ignore[attr-defined]
        return ARRAY, []

    # ---- parallel loops

    def parallel(self, s: For) -> None:
        """The body becomes a function of a range of iterations; what it uses travels in a record.

        Iterations that are long are handed out one by one. Where it is not known how long they are, the
        pool decides by their number alone.
        """
        f = self.f
        captured = [v for v in captured_by(s) if v in self.values]
        name = f"{f.symbol}.par{len(f.module.functions)}"
        f.module.functions.append("")  # keeps the number taken while the body is written
        place = len(f.module.functions) - 1
        first = self.expressions.index(s.min)
        record = f.stack("i64", len(captured) + 1)
        for i, v in enumerate(captured):
            at = f.ins(f"getelementptr i64, ptr {record}, i64 {i}")
            f.do(f"store {value_type(v.dtype)} {self.values[v]}, ptr {at}, align 8")
        at = f.ins(f"getelementptr i64, ptr {record}, i64 {len(captured)}")
        f.do(f"store i64 {first}, ptr {at}")
        count = self.expressions.index(s.extent)
        f.module.has_parallel = True
        work = operations(s.body)
        most = (1 << 62) if work is None else max(CHUNK // max(work, 1), 1)
        f.fence()
        f.module.declare("tewb_rt_parallel", "i32 @tewb_rt_parallel(ptr, ptr, ptr, i64, i64)")
        code = f.ins(
            f"call i32 @tewb_rt_parallel(ptr %ctx, ptr {llvm_name(name)}, ptr {record}, i64 {count}, i64 {most})"
        )
        self.go_on_if_good(code)
        f.module.functions[place] = self.outlined(name, s, captured)

    def outlined(self, name: str, s: For, captured: list[Var]) -> str:
        """Two functions: one that unpacks the record and loops over a range, and the body, whose buffers are
        known to be apart."""
        scope = self.info.scope(name)
        t = value_type(s.var.dtype)
        params = self.parameters(captured, f"{t} %i")
        body = Function(
            self.f.module,
            f"define internal i32 {llvm_name(name + '.body')}({params}) #0 !dbg {scope}",
            name,
        )
        body.location = self.info.start(scope)
        values: dict[Var, str] = {v: f"%p{n}" for n, v in enumerate(captured)}
        values[s.var] = "%i"
        inner = Statements(body, values, self.debug, self.shared, self.info, scope)
        inner.expressions.data |= self.expressions.data
        inner.depth = 1
        if is_coarse(s.body):
            inner.stop_if_cancelled()
        inner.emit(s.body)
        body.do("ret i32 0")

        outer = self.info.scope(f"{name}.entry")
        wrapper = [
            f"define internal i32 {llvm_name(name)}(ptr %ctx, ptr %data, i64 %lo, i64 %hi) !dbg {outer} {{"
        ]
        arguments = []
        for n, v in enumerate(captured):
            kind = value_type(v.dtype)
            wrapper.append(f"  %a{n} = getelementptr i64, ptr %data, i64 {n}")
            load = (
                self.f.module.pointer_from(f"%a{n}", v)
                if v.dtype is HANDLE
                else f"load {kind}, ptr %a{n}, align 8"
            )
            wrapper.append(f"  %v{n} = {load}")
            arguments.append(f"{kind} %v{n}")
        wrapper += [
            f"  %pfirst = getelementptr i64, ptr %data, i64 {len(captured)}",
            "  %first = load i64, ptr %pfirst",
            "  br label %head",
            "head:",  # no range is empty
            "  %n = phi i64 [ %lo, %0 ], [ %n1, %next ]",
            "  %at = add nsw i64 %first, %n",
            "  %i = add i64 %at, 0" if t == "i64" else f"  %i = trunc i64 %at to {t}",
            f"  %r = call i32 {llvm_name(name + '.body')}({', '.join(['ptr %ctx', f'{t} %i', *arguments])}), "
            f"!dbg {self.info.start(outer)}",
            "  %good = icmp eq i32 %r, 0",
            "  br i1 %good, label %next, label %bad",
            "next:",
            "  %n1 = add nsw i64 %n, 1",
            *([f"  %n2 = {hidden('%n1', 'i64')}"] if is_long(s.body) else []),
            f"  %more = icmp slt i64 {'%n2' if is_long(s.body) else '%n1'}, %hi",
            "  br i1 %more, label %head, label %done",
            "bad:",
            "  br label %done",
            "done:",
            "  %said = phi i32 [ 0, %next ], [ %r, %bad ]",
        ]
        if has_nontemporal(s.body):
            wrapper += [f"  {line}, !dbg {self.info.start(outer)}" for line in self.f.module.fence()]
        wrapper += ["  ret i32 %said", "}"]
        return body.text() + "\n\n" + "\n".join(wrapper)


def captured_by(s: Stmt) -> list[Var]:
    """The variables and the buffers' data that a statement, or the body of a loop, uses from outside."""
    own: set[Var] = {s.var} if isinstance(s, For) else set()
    body = s.body if isinstance(s, For) else s
    used: dict[Var, None] = {}
    for n in walk(body):
        if isinstance(n, BufferLoad | BufferStore):
            used[n.buffer.data] = None
            # Debug builds compare the index with the ends of the memory.
            ends = (*n.buffer.shape, n.buffer.elem_offset)
            used.update({v: None for e in ends for v in free_vars(e)})
        if isinstance(n, Allocate):
            own.add(n.buffer.data)
            used.update({v: None for e in n.buffer.shape for v in free_vars(e)})
        if isinstance(n, For | LetStmt | Let):
            own.add(n.var)  # a copy of this loop, written before, may have had a value for it
    used.update({v: None for v in free_vars(body)})
    return [v for v in used if v not in own]


def operations(s: Node) -> int | None:
    """An estimate of the operations that a statement takes, or None when a loop's extent is not constant."""
    match s:
        case For():
            count, body = const_int(s.extent), operations(s.body)
            return None if count is None or body is None else count * body
        case While():
            return None
        case Seq(stmts):
            parts = [operations(p) for p in stmts]
            return None if None in parts else sum(p for p in parts if p is not None)
        case IfThenElse(_, then, Stmt() as other):
            sides = operations(then), operations(other)
            return None if None in sides else 1 + max(n for n in sides if n is not None)
        case Evaluate(Call("prefetch")):
            return 1
        case Evaluate():
            return 1000
        case BufferStore():
            # About four lanes go through in a cycle; a call takes as long as many additions.
            weights = (
                n.dtype.lanes * (40 if isinstance(n, Call) else 1)
                for n in walk(s.value)
                if isinstance(n, Expr)
            )
            return sum(weights) // 4 + 1
    parts = [operations(c) for c in s.children() if isinstance(c, Stmt)]
    return None if None in parts else 1 + sum(p for p in parts if p is not None)


def is_wide(loop: For) -> bool:
    """Whether an iteration is so many vector instructions that to unroll the loop would win nothing. It would
    take long: a loop that packs a panel became 16 times itself, a third of the time to build a matmul."""
    count = const_int(loop.extent)
    if count is not None and count <= FEW:
        return False
    stores = [n for n in walk(loop.body) if isinstance(n, For | While | BufferStore)]
    if not all(isinstance(n, BufferStore) and n.value.dtype.lanes > 1 for n in stores):
        return False
    return sum(_vector_bytes(n.value) for n in stores if isinstance(n, BufferStore)) >= WIDE


def _vector_bytes(e: Expr) -> int:
    """The bytes of all vectors that are loaded or computed for a value, not for its indices."""
    found: dict[Expr, None] = {e: None}
    pending = [e]
    while pending:
        top = pending.pop()
        new = [] if isinstance(top, BufferLoad) else [c for c in top.children() if c not in found]
        found.update(dict.fromkeys(new))
        pending += new
    return sum([n.dtype.nbytes for n in found if n.dtype.lanes > 1])


def in_chunks(s: For) -> For:
    """A loop as a loop of loops, the outer one of which looks at the cancel flag.

    for i in n: S    ->    for i.part in n//1000 + 1: for i in i.part*1000 ... min(i.part*1000 + 1000, n): S

    The last part may be empty. Of an n below 0 there is none, however small it is: n - 1 might wrap.
    """
    d = s.var.dtype
    chunk = const(1 << (PART // (operations(s.body) or 1)).bit_length() - 1, d)
    part = Var(f"{s.var.name}.part", d)
    done = ops.mul(part, chunk)
    inner = replace(s, min=ops.add(s.min, done), extent=ops.minimum(chunk, ops.sub(s.extent, done)))
    count = ops.add(ops.floordiv(s.extent, chunk), 1)
    return replace(s, var=part, min=const(0, d), extent=count, body=inner)


def hidden(x: str, t: str) -> str:
    """An empty instruction that gives `x`, and that LLVM does not look into. Of a loop whose count it does not know
    it compares no accesses with each other: for all pairs of 2,000 that took it 45 s."""
    return f'call {t} asm "", "=r,0"({t} {x}) memory(none)'


def is_long(body: Stmt) -> bool:
    """Whether a body was written out to so many accesses that LLVM would win nothing by vectorizing its loop."""
    accesses = 0
    for n in walk(body):
        if isinstance(n, For | While):
            return False
        accesses += isinstance(n, BufferLoad | BufferStore)
    return accesses > LONG


def is_coarse(body: Stmt) -> bool:
    """Whether one iteration takes so long that a look at the cancel flag costs nothing."""
    work = operations(body)
    return work is None or work >= COARSE


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
