"""ExpressionWriter: every node of the IR as LLVM instructions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tewb import ir
from tewb.base import BOOL, HANDLE, INT64, CodegenError, DType, llvm_string, native, why_no_symbol
from tewb.codegen.accesses import Accesses
from tewb.codegen.conversion import convert, from_memory_type, to_memory_type
from tewb.codegen.division import divided, divided_safely, shifted
from tewb.codegen.dot_products import dot_product
from tewb.codegen.expanded_calls import EXPANSIONS
from tewb.codegen.function import Function
from tewb.codegen.intrinsics import INTRINSICS
from tewb.codegen.llvm_intrinsics import call_llvm
from tewb.codegen.narrow_floats import is_narrow, widened, widened_call
from tewb.codegen.packed_calls import packed_value
from tewb.codegen.shuffles import concatenated, picked
from tewb.codegen.single_lane import lane_of
from tewb.codegen.types import (
    float_constant,
    int_constant,
    memory_type,
    splat_constant,
    suffix,
    value_type,
)
from tewb.ir import LEAVES, const_int, everywhere, is_same_expression, keeps_lanes, script, walk

MOST_LINES = 300_000  # instructions of a statement

_PREDICATES = {
    ir.EQ: ("eq", "eq", "oeq"),
    ir.NE: ("ne", "ne", "une"),
    ir.LT: ("slt", "ult", "olt"),
    ir.LE: ("sle", "ule", "ole"),
    ir.GT: ("sgt", "ugt", "ogt"),
    ir.GE: ("sge", "uge", "oge"),
}


class ExpressionWriter:
    """Writes expressions into `f`. `values` holds the SSA name of every variable and of every buffer's data."""

    def __init__(self, f: Function, values: dict[ir.Var, str], debug: bool) -> None:
        self.f, self.values, self.debug = f, values, debug
        self.index_depth = 0
        self.wrapping: set[int] = set()  # the operations of the current index that may wrap, by id
        self.data: set[ir.Var] = set()  # variables that hold loaded data
        self.accesses = Accesses(f, values, self.index, self.wide, debug)
        # The values of this statement that are valid where instructions are written now, each with whether it was
        # computed as an index that does not wrap, and the order in which they were computed.
        self.computed: dict[tuple[ir.Expr, bool], str] = {}
        self.computed_keys: list[tuple[ir.Expr, bool]] = []
        self.first_line = 0
        self.region = ir.ExternRegion("")  # the extern_scope around, and its checked arrays
        self.checked: list[tuple[int, ir.AttrStmt]] = []
        self.is_cheap, self.is_maskable = everywhere(_is_cheap), everywhere(keeps_lanes)

    def begin(self) -> None:
        """Begin a statement: values that the previous one computed may have changed."""
        self.computed.clear()
        self.computed_keys.clear()
        self.first_line = len(self.f.lines)

    def emit(self, e: ir.Expr) -> str:
        """The SSA name or literal of the value of `e`, computed once for each statement."""
        rule = _EXPRS.get(e.__class__)
        if rule is None:
            raise CodegenError(f"no machine code for {type(e).__name__}: {script(e)}")
        if e.__class__ in LEAVES:
            return rule(self, e)
        key = (e, self.index_depth > 0 and id(e) not in self.wrapping)
        value = self.computed.get(key)
        if value is None:
            value = rule(self, e)
            if e.dtype is not HANDLE:
                self.computed[key] = value
                self.computed_keys.append(key)
            if len(self.f.lines) - self.first_line > MOST_LINES:
                raise CodegenError(
                    f"a statement becomes more than {MOST_LINES} instructions: {script(e)}",
                    hint="an expression that several conditions guard is computed under each of them: choose with "
                    "te.select where both sides are safe, or compute it as a stage of its own",
                )
        return value

    def forget(self, count: int) -> None:
        """Leave a block that may not have run: only the first `count` of the computed values are still valid."""
        while len(self.computed_keys) > count:
            self.computed.pop(self.computed_keys.pop(), None)

    def typed(self, e: ir.Expr) -> str:
        """The value of `e` with its type before it."""
        return f"{value_type(e.dtype)} {self.emit(e)}"

    # ---- leaves

    def var(self, e: ir.Var) -> str:
        if e not in self.values:
            raise CodegenError(f"the variable {e.name} has no value")
        return self.values[e]

    def int_imm(self, e: ir.IntImm) -> str:
        return int_constant(e.value, e.dtype)

    def float_imm(self, e: ir.FloatImm) -> str:
        return float_constant(e.value, e.dtype)

    def string(self, e: ir.StringImm) -> str:
        return self.f.module.string(e.value)

    # ---- arithmetic

    def arithmetic(self, e: Any) -> str:
        if is_narrow(e.dtype):
            return self.emit(widened(e))
        a, b = self.emit(e.a), self.emit(e.b)
        name = {ir.Add: "add", ir.Sub: "sub", ir.Mul: "mul"}[type(e)]
        t = value_type(e.dtype)
        if e.dtype.is_float:
            flags = "" if _is_of_remainder(e) else " contract"
            return self.f.ins(f"f{name}{flags} {t} {a}, {b}")
        # Index arithmetic does not overflow, which loop optimisations want to know; data wraps.
        exact = self.index_depth and e.dtype.kind == "int" and id(e) not in self.wrapping
        flags = " nsw" if exact else ""
        return self.f.ins(f"{name}{flags} {t} {a}, {b}")

    def div(self, e: ir.Div) -> str:
        if is_narrow(e.dtype):
            return self.emit(widened(e))
        if e.dtype.is_float:
            return self.f.ins(f"fdiv {value_type(e.dtype)} {self.emit(e.a)}, {self.emit(e.b)}")
        return self.divide(e.a, e.b, floor=False, remainder=False)

    def mod(self, e: ir.Mod) -> str:
        if is_narrow(e.dtype):
            return self.emit(widened(e))
        if e.dtype.is_float:
            return INTRINSICS["fmod"](self.f, e.dtype, [self.emit(e.a), self.emit(e.b)])
        return self.divide(e.a, e.b, floor=False, remainder=True)

    def floordiv(self, e: ir.FloorDiv) -> str:
        return self.divide(e.a, e.b, floor=True, remainder=False)

    def floormod(self, e: ir.FloorMod) -> str:
        return self.divide(e.a, e.b, floor=True, remainder=True)

    def divide(self, a: ir.Expr, b: ir.Expr, floor: bool, remainder: bool) -> str:
        """Integer division that never traps: x / 0 is 0 as in numpy, and the smallest / -1 wraps."""
        d = a.dtype
        x = self.emit(a)
        divisor = const_int(b.value if isinstance(b, ir.Broadcast) else b)
        if (
            divisor is not None
            and divisor > 0
            and divisor & (divisor - 1) == 0
            and (floor or d.kind == "uint")
        ):
            return shifted(self.f, x, d, divisor, remainder)
        y = self.emit(b)
        if divisor is None or divisor in (0, -1):
            return divided_safely(self.f, x, y, d, floor, remainder)
        return divided(self.f, x, y, d, floor, remainder)

    def extreme(self, e: Any) -> str:
        """min and max: NaN wins, as in numpy, and either of 0.0 and -0.0, which takes half the instructions."""
        d = e.dtype
        if is_narrow(d):
            return self.emit(widened(e))
        smaller = isinstance(e, ir.Min)
        if d.is_float:
            op = "minimum" if smaller else "maximum"
        else:
            op = ("u" if d.kind in ("uint", "bool") else "s") + ("min" if smaller else "max")
        t = value_type(d)
        name = f"llvm.{op}.{suffix(d)}"
        self.f.module.declare(name, f"{t} @{name}({t}, {t})")
        flags = "nsz " if d.is_float else ""
        return self.f.ins(f"call {flags}{t} @{name}({self.typed(e.a)}, {self.typed(e.b)})")

    def compare(self, e: Any) -> str:
        d = e.a.dtype
        if is_narrow(d):
            return self.emit(widened(e))
        signed, unsigned, floating = _PREDICATES[type(e)]
        a, b = self.emit(e.a), self.emit(e.b)
        if d.is_float:
            return self.f.ins(f"fcmp {floating} {value_type(d)} {a}, {b}")
        return self.f.ins(f"icmp {signed if d.kind == 'int' else unsigned} {value_type(d)} {a}, {b}")

    # ---- logic and choice

    def and_(self, e: ir.And) -> str:
        return self._logic(e, "and", "false")

    def or_(self, e: ir.Or) -> str:
        return self._logic(e, "or", "true")

    def _logic(self, e: Any, op: str, decided: str) -> str:
        t = value_type(e.dtype)
        if self.is_cheap(e.b) or reads_again(e.a, e.b):
            return self.f.ins(f"{op} {t} {self.emit(e.a)}, {self.emit(e.b)}")
        if e.dtype.lanes > 1:
            decided_lanes = ir.Broadcast(ir.IntImm(int(op == "or"), BOOL), e.dtype.lanes, e.dtype)
            then, other = (e.b, decided_lanes) if op == "and" else (decided_lanes, e.b)
            return self._choose_lanes(ir.Call("if_then_else", (e.a, then, other), e.dtype), e.a, then, other)
        f = self.f
        a = self.emit(e.a)
        first, more, done = f.block, f.label(), f.label()
        f.branch(a, more if op == "and" else done, done if op == "and" else more)
        f.start(more)
        count = len(self.computed_keys)
        b = self.emit(e.b)
        self.forget(count)
        last = f.block
        f.jump(done)
        f.start(done)
        return f.ins(f"phi i1 [ {decided}, %{first} ], [ {b}, %{last} ]")

    def not_(self, e: ir.Not) -> str:
        t = value_type(e.dtype)
        ones = "true" if e.dtype.lanes == 1 else splat_constant("true", e.dtype)
        return self.f.ins(f"xor {t} {self.emit(e.a)}, {ones}")

    def select(self, e: ir.Select) -> str:
        cond = self.typed(e.cond)
        return self.f.ins(f"select {cond}, {self.typed(e.then)}, {self.typed(e.other)}")

    def if_then_else(self, e: ir.Call) -> str:
        """Only the side that is taken is evaluated."""
        cond, then, other = e.args
        if cond.dtype.lanes > 1:
            return self._choose_lanes(e, cond, then, other)
        if self.is_cheap(then) and self.is_cheap(other):
            c = self.emit(cond)
            return self.f.ins(f"select i1 {c}, {self.typed(then)}, {self.typed(other)}")
        f = self.f
        c = self.emit(cond)
        self.emit_common(then, other)
        yes, no, done = f.label(), f.label(), f.label()
        f.branch(c, yes, no)
        f.start(yes)
        count = len(self.computed_keys)
        a = self.emit(then)
        self.forget(count)
        from_yes = f.block
        f.jump(done)
        f.start(no)
        b = self.emit(other)
        self.forget(count)
        from_no = f.block
        f.jump(done)
        f.start(done)
        return f.ins(f"phi {value_type(e.dtype)} [ {a}, %{from_yes} ], [ {b}, %{from_no} ]")

    def emit_common(self, then: ir.Expr, other: ir.Expr) -> None:
        """Compute what both sides of a choice need, whichever is taken."""
        needed = set(_certain(other))
        for e in _certain(then):
            if e in needed:
                self.emit(e)

    def _choose_lanes(self, e: ir.Call, cond: ir.Expr, then: ir.Expr, other: ir.Expr) -> str:
        """A choice that differs from lane to lane: by select where both sides are safe, or are safe when only
        the lanes that are taken are loaded; else lane by lane."""
        if self.is_cheap(then) and self.is_cheap(other):
            return self.f.ins(f"select {self.typed(cond)}, {self.typed(then)}, {self.typed(other)}")
        if not self.debug and self.is_maskable(then) and self.is_maskable(other):
            taken = self.emit(cond)
            self.emit_common(then, other)
            rest = self.f.ins(f"xor {value_type(cond.dtype)} {taken}, {splat_constant('true', cond.dtype)}")
            sides = self._in_lanes(then, taken), self._in_lanes(other, rest)
            return self.f.ins(f"select {value_type(cond.dtype)} {taken}, {', '.join(sides)}")
        f, t = self.f, value_type(e.dtype)
        scalar = value_type(e.dtype.element)
        c = self.typed(cond)
        result = "poison"
        for lane in range(e.dtype.lanes):
            bit = f.ins(f"extractelement {c}, i64 {lane}")
            one = ir.Call(
                "if_then_else",
                (_ComputedValue(bit), lane_of(then, lane), lane_of(other, lane)),
                e.dtype.element,
            )
            value = self.if_then_else(one)
            result = f.ins(f"insertelement {t} {result}, {scalar} {value}, i64 {lane}")
        return result

    def _in_lanes(self, e: ir.Expr, mask: str) -> str:
        """The value of `e`, with its type, in the lanes of a mask that are also in the mask around. It is undefined
        in the others."""
        f, t, around = self.f, value_type(e.dtype), self.accesses.mask
        if around is not None:
            mask = f.ins(f"and <{e.dtype.lanes} x i1> {around}, {mask}")
        self.accesses.mask = mask
        count = len(self.computed_keys)
        if not self.accesses.may_miss(e):
            value = self.emit(e)
        else:
            some, done = f.label(), f.label()
            f.branch(self.accesses.any_lane(mask, e.dtype.lanes), some, done)
            before = f.block
            f.start(some)
            value = self.emit(e)
            inside = f.block
            f.jump(done)
            f.start(done)
            value = f.ins(f"phi {t} [ {value}, %{inside} ], [ poison, %{before} ]")
        self.accesses.mask = around
        self.forget(count)
        return f"{t} {value}"

    def computed_value(self, e: _ComputedValue) -> str:
        return e.ssa

    def let(self, e: ir.Let) -> str:
        self.bind(e.var, e.value)
        return self.emit(e.body)

    def bind(self, v: ir.Var, value: ir.Expr) -> None:
        """Give `v` the value of an expression."""
        self.values[v] = self.emit(value)
        if self.reads_data(value):
            self.data.add(v)

    # ---- conversion

    def cast(self, e: ir.Cast) -> str:
        return convert(self.f, self.emit(e.value), e.value.dtype, e.dtype)

    # ---- vectors

    def ramp(self, e: ir.Ramp) -> str:
        f, t = self.f, value_type(e.dtype)
        scalar = value_type(e.dtype.element)
        base = f.splat(self.emit(e.base), e.dtype)
        steps = "<" + ", ".join(f"{scalar} {i}" for i in range(e.lanes)) + ">"
        stride = const_int(e.stride)
        if stride is not None:
            steps = "<" + ", ".join(f"{scalar} {i * stride}" for i in range(e.lanes)) + ">"
        else:
            steps = f.ins(f"mul {t} {f.splat(self.emit(e.stride), e.dtype)}, {steps}")
        return f.ins(f"add {t} {base}, {steps}")

    def broadcast(self, e: ir.Broadcast) -> str:
        if isinstance(e.value, ir.IntImm | ir.FloatImm):
            return splat_constant(self.emit(e.value), e.dtype)
        return self.f.splat(self.emit(e.value), e.dtype)

    def shuffle(self, e: ir.Shuffle) -> str:
        """Vectors are concatenated until two are left, from which one instruction takes the lanes."""
        vectors = [(self.as_vector(v), v.dtype.lanes) for v in e.vectors]
        while len(vectors) > 2:
            pairs = [vectors[i : i + 2] for i in range(0, len(vectors), 2)]
            vectors = [concatenated(self.f, p, e.dtype) for p in pairs]
        value = picked(self.f, vectors, e.indices, e.dtype)
        return (
            value
            if e.dtype.lanes > 1
            else self.f.ins(f"extractelement <1 x {value_type(e.dtype)}> {value}, i64 0")
        )

    def as_vector(self, e: ir.Expr) -> str:
        """The value of `e`; a scalar as a vector of one lane."""
        value = self.emit(e)
        if e.dtype.lanes > 1:
            return value
        t = value_type(e.dtype)
        return self.f.ins(f"insertelement <1 x {t}> poison, {t} {value}, i64 0")

    # ---- indices

    def wide(self, e: ir.Expr) -> str:
        """Any integer as an i64, or as a vector of them."""
        return convert(self.f, self.emit(e), e.dtype, INT64.with_lanes(e.dtype.lanes))

    def index(self, e: ir.Expr) -> str:
        """An index inside of its array as an i64, or as a vector of them."""
        if isinstance(e, ir.IntImm | ir.Var):
            return self.wide(e)
        before = self.wrapping
        self.wrapping = wrapping(e, self.reads_data)
        self.index_depth += 1
        x = self.wide(e)
        self.index_depth -= 1
        self.wrapping = before
        return x

    def reads_data(self, e: ir.Expr) -> bool:
        """Whether loaded data is part of `e`."""
        return any(
            isinstance(n, ir.BufferLoad | ir.Call) or (n.__class__ is ir.Var and n in self.data)
            for n in walk(e)
        )

    # ---- calls

    def call(self, e: ir.Call) -> str:
        match e.op:
            case "if_then_else":
                return self.if_then_else(e)
            case "likely":
                return self.emit(e.args[0])
            case "reinterpret":
                return self.f.ins(f"bitcast {self.typed(e.args[0])} to {value_type(e.dtype)}")
            case "call_extern" | "call_pure_extern":
                return self.call_extern(e)
            case "call_llvm_intrin" | "call_llvm_pure_intrin":
                return call_llvm(self, e)
            case "tvm_call_packed":
                return packed_value(self, e)
            case "by_reference":
                return self.by_reference(e)
            case "address_of":
                return self.address_of(e)
            case "is_aligned":
                return self.is_aligned(e)
            case "dot4" | "dot2":
                return dot_product(self.f, [(self.emit(a), a.dtype) for a in e.args])
            case "prefetch":
                return self.prefetch(e)
        expand = EXPANSIONS.get(e.op)
        if expand is not None:
            return self.emit(expand(e))
        rule = INTRINSICS.get(e.op)
        if rule is None:
            raise CodegenError(f"there is no function {e.op}: {script(e)}")
        if is_narrow(e.args[0].dtype):
            return self.emit(widened_call(e))
        return rule(self.f, e.args[0].dtype, [self.emit(a) for a in e.args])

    def call_extern(self, e: ir.Call) -> str:
        """A C function by its symbol. A truth value is a byte in C: 0 or 1 as an argument, and true as a result when
        it is not 0, and an int4 is a byte. The caller extends narrow integers, which C compilers rely on."""
        name = e.args[0]
        assert isinstance(name, ir.StringImm)
        result = "void" if e.dtype.kind == "void" else memory_type(e.dtype)
        types = [_c_argument(a.dtype) for a in e.args[1:]]
        kinds = ", ".join(types)
        values = ", ".join(f"{t} {self.c_value(a)}" for t, a in zip(types, e.args[1:], strict=True))
        if any(
            a.dtype is HANDLE for a in e.args[1:]
        ):  # it may read memory, on other threads too, and write it
            self.f.fence()
            self.computed.clear()
        reason = why_no_symbol(name.value) or self.f.taken(name.value)
        if reason:
            raise CodegenError(f"call_extern: {reason}")
        symbol = f"@{llvm_string(name.value)}"
        self.f.module.declare(name.value, f"{result} {symbol}({kinds})")
        function = native(name.value)
        if function is not None:
            self.f.module.natives.setdefault(name.value, function)
        text = f"call {result} {symbol}({values})"
        if result == "void":
            self.f.do(text)
            return ""
        return from_memory_type(self.f, self.f.ins(text), e.dtype)

    def c_value(self, e: ir.Expr) -> str:
        """A value as a C function takes it: a truth value as a bit, what else has less than 8 bits as a byte."""
        value = self.emit(e)
        return value if e.dtype.is_bool else to_memory_type(self.f, value, e.dtype)

    def by_reference(self, e: ir.Call) -> str:
        """A number in a stack slot of its own, for C functions that take pointers to numbers."""
        (value,) = e.args
        slot = self.f.stack(memory_type(value.dtype), 1)
        self.accesses.write(slot, self.emit(value), value.dtype)
        return slot

    def address_of(self, e: ir.Call) -> str:
        (element,) = e.args
        assert isinstance(element, ir.BufferLoad)
        at = self.index(element.indices[0])
        base = self.emit(element.buffer.data)
        return self.f.ins(f"getelementptr {memory_type(element.dtype)}, ptr {base}, i64 {at}")

    def is_aligned(self, e: ir.Call) -> str:
        address = self.f.ins(f"ptrtoint ptr {self.emit(e.args[0])} to i64")
        multiple = const_int(e.args[1])
        assert multiple is not None
        return self.f.ins(f"icmp eq i64 {self.f.ins(f'and i64 {address}, {multiple - 1}')}, 0")

    def prefetch(self, e: ir.Call) -> str:
        """A request for the cache line of an element that will be read soon. The element may be past the end: its
        index may overflow and its address may be outside of the array, but it is not read."""
        element = e.args[0]
        element = element.args[0] if isinstance(element, ir.Call) else element  # of its address
        assert isinstance(element, ir.BufferLoad)
        index = element.indices[0]
        at = convert(self.f, self.emit(index), index.dtype, INT64)
        address = self.f.ins(
            f"getelementptr {memory_type(element.buffer.dtype)}, ptr {self.emit(element.buffer.data)}, i64 {at}"
        )
        self.f.module.declare("llvm.prefetch.p0", "void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        self.f.do(f"call void @llvm.prefetch.p0(ptr {address}, i32 0, i32 3, i32 1)")
        return ""


def _c_argument(d: DType) -> str:
    """The type of an argument of a C function, and how it fills its register."""
    held = "i1" if d.is_bool else memory_type(d)
    if d.lanes > 1 or d.bits > 16 or d.kind not in ("int", "uint", "bool"):
        return held
    return f"{held} {'signext' if d.kind == 'int' else 'zeroext'}"


class _ComputedValue(ir.Expr):
    """A value that has been computed already."""

    __slots__ = ("dtype", "ssa")
    ssa: str

    def __init__(self, ssa: str) -> None:
        object.__setattr__(self, "ssa", ssa)
        object.__setattr__(self, "dtype", DType("bool"))


def wrapping(e: ir.Expr, reads_data: Callable[[ir.Expr], bool]) -> set[int]:
    """The ids of the sums and products in an index that may wrap: those with data in them, and those that are
    compared, since a comparison is of values.

    An index that is used was checked to be inside of its array. A last addition to data, to reach the row, say, can
    therefore not have wrapped; a product of data, or a sum that is still divided or clamped, can.
    """
    ids: set[int] = set()
    if not any(isinstance(n, ir.Select) for n in walk(e)) and not reads_data(e):
        return ids
    for c in (n for n in walk(e) if isinstance(n, ir.Compare)):
        ids.update(id(x) for x in walk(c) if isinstance(x, ir.Add | ir.Sub | ir.Mul))

    def outside(n: ir.Expr) -> None:
        if not isinstance(n, ir.Add | ir.Sub):
            inside(n)
            return
        if reads_data(n.a) and reads_data(n.b):
            ids.add(id(n))
        outside(n.a)
        outside(n.b)

    def inside(n: ir.Expr) -> None:
        ids.update(id(x) for x in walk(n) if isinstance(x, ir.Add | ir.Sub | ir.Mul) and reads_data(x))

    outside(e)
    return ids


def _is_of_remainder(e: Any) -> bool:
    """Whether `e` is floor(a / b) * b, of the remainder a - floor(a / b) * b. It is rounded by itself: fused with the
    subtraction, a % b would be one number where it is computed and another where constants are folded."""
    match e:
        case ir.Mul(ir.Call("floor", (ir.Div(_, divisor),)), b):
            return divisor is b or is_same_expression(divisor, b)
    return False


def _is_cheap(n: ir.Node) -> bool:
    """Whether a node may be evaluated unconditionally: no access, no call, no division except by a positive number."""
    if isinstance(n, ir.Div | ir.Mod | ir.FloorDiv | ir.FloorMod):
        return isinstance(n.b, ir.IntImm) and n.b.value > 0
    return not isinstance(n, ir.BufferLoad | ir.Call | ir.Let)


_NEAR = 256  # nodes that are searched for what both sides of a choice have in common


def _certain(e: ir.Expr) -> list[ir.Expr]:
    """`e` and the parts of it that are evaluated whenever it is: the nearest first, from the root down."""
    certain: dict[ir.Expr, None] = {e: None}
    pending = deque([e])
    while pending and len(certain) < _NEAR:
        match pending.popleft():
            case ir.Call("if_then_else", (cond, _, _)):
                evaluated: tuple[ir.Expr, ...] = (cond,)
            case ir.And(a) | ir.Or(a):
                evaluated = (a,)
            case ir.Let(_, value):
                evaluated = (value,)
            case x:
                evaluated = x.children()
        new = [p for p in evaluated if p.__class__ not in LEAVES and p not in certain]
        certain.update(dict.fromkeys(new))
        pending.extend(new)
    return list(certain)


def reads_again(a: ir.Expr, b: ir.Expr) -> bool:
    """Whether `b` reads only what the comparison `a` has read, so that it may be evaluated after it
    unconditionally."""
    if not isinstance(a, ir.Compare) or not all(_is_unconditional(n) for e in (a, b) for n in walk(e)):
        return False
    read = [n for n in walk(a) if isinstance(n, ir.BufferLoad)]
    return all(any(is_same_expression(n, m) for m in read) for n in walk(b) if isinstance(n, ir.BufferLoad))


def _is_unconditional(n: ir.Node) -> bool:
    divides = isinstance(n, ir.Div | ir.Mod | ir.FloorDiv | ir.FloorMod) and not (
        isinstance(n.b, ir.IntImm) and n.b.value > 0
    )
    return not isinstance(n, ir.Call | ir.Let | ir.And | ir.Or) and not divides


Rule = Callable[[ExpressionWriter, Any], str]
_EXPRS: dict[type, Rule] = {
    ir.Var: ExpressionWriter.var,
    ir.IntImm: ExpressionWriter.int_imm,
    ir.FloatImm: ExpressionWriter.float_imm,
    ir.StringImm: ExpressionWriter.string,
    ir.Add: ExpressionWriter.arithmetic,
    ir.Sub: ExpressionWriter.arithmetic,
    ir.Mul: ExpressionWriter.arithmetic,
    ir.Div: ExpressionWriter.div,
    ir.Mod: ExpressionWriter.mod,
    ir.FloorDiv: ExpressionWriter.floordiv,
    ir.FloorMod: ExpressionWriter.floormod,
    ir.Min: ExpressionWriter.extreme,
    ir.Max: ExpressionWriter.extreme,
    **{kind: ExpressionWriter.compare for kind in _PREDICATES},
    ir.And: ExpressionWriter.and_,
    ir.Or: ExpressionWriter.or_,
    ir.Not: ExpressionWriter.not_,
    ir.Select: ExpressionWriter.select,
    ir.Let: ExpressionWriter.let,
    ir.Cast: ExpressionWriter.cast,
    ir.Ramp: ExpressionWriter.ramp,
    ir.Shuffle: ExpressionWriter.shuffle,
    ir.Broadcast: ExpressionWriter.broadcast,
    ir.BufferLoad: lambda self, e: self.accesses.load(e),
    ir.Call: ExpressionWriter.call,
    _ComputedValue: ExpressionWriter.computed_value,
}
