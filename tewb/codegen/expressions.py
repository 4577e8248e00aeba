"""Expressions: every node of the IR as LLVM instructions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

from tewb.base import HANDLE, INT64, CodegenError, DType, native
from tewb.codegen.dot_products import dot_product
from tewb.codegen.function import Function
from tewb.codegen.intrinsics import INTRINSICS
from tewb.codegen.types import (
    float_constant,
    int_constant,
    memory_type,
    splat_constant,
    suffix,
    value_type,
)
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    And,
    Broadcast,
    BufferLoad,
    BufferStore,
    Call,
    Cast,
    Div,
    Expr,
    FloatImm,
    FloorDiv,
    FloorMod,
    IntImm,
    Let,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Ramp,
    Select,
    Shuffle,
    Stmt,
    StringImm,
    Sub,
    Var,
    const_int,
    intrinsics,
    is_contiguous,
    is_maskable,
    ops,
    script,
    walk,
)

_PREDICATES = {
    EQ: ("eq", "eq", "oeq"),
    NE: ("ne", "ne", "une"),
    LT: ("slt", "ult", "olt"),
    LE: ("sle", "ule", "ole"),
    GT: ("sgt", "ugt", "ogt"),
    GE: ("sge", "uge", "oge"),
}


_GROUP = 16  # lanes of a long vector with a symbolic stride that are written out one by one


class Expressions:
    """Writes expressions into `f`. `values` holds the SSA name of every variable and of every buffer's data."""

    def __init__(self, f: Function, values: dict[Var, str], debug: bool) -> None:
        self.f, self.values, self.debug = f, values, debug
        self.index_depth = 0
        self.mask: str | None = (
            None  # the lanes that may be accessed: those of a side of a choice, or of a guard
        )
        self.own: dict[Var, int] = {}  # the elements of buffers on the stack

    def emit(self, e: Expr) -> str:
        """The SSA name or literal of the value of `e`."""
        rule = _EXPRS.get(e.__class__)
        if rule is None:
            raise CodegenError(f"no machine code for {type(e).__name__}: {script(e)}")
        return rule(self, e)

    def typed(self, e: Expr) -> str:
        """The value of `e` with its type before it."""
        return f"{value_type(e.dtype)} {self.emit(e)}"

    # ---- leaves

    def var(self, e: Var) -> str:
        if e not in self.values:
            raise CodegenError(f"the variable {e.name} has no value")
        return self.values[e]

    def int_imm(self, e: IntImm) -> str:
        return int_constant(e.value, e.dtype)

    def float_imm(self, e: FloatImm) -> str:
        return float_constant(e.value, e.dtype)

    def string(self, e: StringImm) -> str:
        return self.f.module.string(e.value)

    # ---- arithmetic

    def arithmetic(self, e: Any) -> str:
        a, b = self.emit(e.a), self.emit(e.b)
        name = {Add: "add", Sub: "sub", Mul: "mul"}[type(e)]
        t = value_type(e.dtype)
        if e.dtype.is_float:
            return self.f.ins(f"f{name} contract {t} {a}, {b}")
        # Index arithmetic does not overflow, which loop optimisations want to know; data wraps.
        flags = " nsw" if self.index_depth and e.dtype.kind == "int" else ""
        return self.f.ins(f"{name}{flags} {t} {a}, {b}")

    def div(self, e: Div) -> str:
        if e.dtype.is_float:
            return self.f.ins(f"fdiv {value_type(e.dtype)} {self.emit(e.a)}, {self.emit(e.b)}")
        return self.divide(e.a, e.b, floor=False, remainder=False)

    def mod(self, e: Mod) -> str:
        if e.dtype.is_float:
            return INTRINSICS["fmod"](self.f, e.dtype, [self.emit(e.a), self.emit(e.b)])
        return self.divide(e.a, e.b, floor=False, remainder=True)

    def floordiv(self, e: FloorDiv) -> str:
        return self.divide(e.a, e.b, floor=True, remainder=False)

    def floormod(self, e: FloorMod) -> str:
        return self.divide(e.a, e.b, floor=True, remainder=True)

    def divide(self, a: Expr, b: Expr, floor: bool, remainder: bool) -> str:
        """Integer division that never traps: x / 0 is 0 as in numpy, and the smallest / -1 wraps."""
        d = a.dtype
        t = value_type(d)
        x = self.emit(a)
        divisor = const_int(b.value if isinstance(b, Broadcast) else b)
        if (
            divisor is not None
            and divisor > 0
            and divisor & (divisor - 1) == 0
            and (floor or d.kind == "uint")
        ):
            return self._shift(x, d, divisor, remainder)
        y = self.emit(b)
        if divisor is None or divisor in (0, -1):
            return self._divide_unknown(x, y, d, floor, remainder)
        return self._divide_known(x, y, d, t, floor, remainder)

    def _shift(self, x: str, d: DType, divisor: int, remainder: bool) -> str:
        """By a power of two, rounding down: a shift or a mask."""
        t = value_type(d)
        if remainder:
            return self.f.ins(f"and {t} {x}, {self.constant(divisor - 1, d)}")
        op = "lshr" if d.kind == "uint" else "ashr"
        return self.f.ins(f"{op} {t} {x}, {self.constant(divisor.bit_length() - 1, d)}")

    def constant(self, value: int, d: DType) -> str:
        literal = int_constant(value, d.element)
        return literal if d.lanes == 1 else splat_constant(literal, d)

    def _divide_known(self, x: str, y: str, d: DType, t: str, floor: bool, remainder: bool) -> str:
        """By something that is neither 0 nor -1."""
        f = self.f
        letter = "u" if d.kind == "uint" else "s"
        if letter == "u" or not floor:
            return f.ins(f"{letter}{'rem' if remainder else 'div'} {t} {x}, {y}")
        r = f.ins(f"srem {t} {x}, {y}")
        zero = self.constant(0, d)
        # The remainder has the sign of x; where that is not the sign of y, floor is one lower.
        nonzero = f.ins(f"icmp ne {t} {r}, {zero}")
        signs = f.ins(f"xor {t} {r}, {y}")
        differ = f.ins(f"icmp slt {t} {signs}, {zero}")
        b1 = value_type(DType("bool").with_lanes(d.lanes))
        lower = f.ins(f"and {b1} {nonzero}, {differ}")
        if remainder:
            moved = f.ins(f"add {t} {r}, {y}")
            return f.ins(f"select {b1} {lower}, {t} {moved}, {t} {r}")
        q = f.ins(f"sdiv {t} {x}, {y}")
        moved = f.ins(f"sub {t} {q}, {self.constant(1, d)}")
        return f.ins(f"select {b1} {lower}, {t} {moved}, {t} {q}")

    def _divide_unknown(self, x: str, y: str, d: DType, floor: bool, remainder: bool) -> str:
        f, t = self.f, value_type(d)
        b1 = value_type(DType("bool").with_lanes(d.lanes))
        zero, one = self.constant(0, d), self.constant(1, d)
        is_zero = f.ins(f"icmp eq {t} {y}, {zero}")
        safe = f.ins(f"select {b1} {is_zero}, {t} {one}, {t} {y}")
        if d.kind == "uint":
            result = self._divide_known(x, safe, d, t, floor, remainder)
        else:
            minus = f.ins(f"icmp eq {t} {y}, {self.constant(-1, d)}")
            safe = f.ins(f"select {b1} {minus}, {t} {one}, {t} {safe}")
            result = self._divide_known(x, safe, d, t, floor, remainder)
            negated = zero if remainder else f.ins(f"sub {t} {zero}, {x}")
            result = f.ins(f"select {b1} {minus}, {t} {negated}, {t} {result}")
        return f.ins(f"select {b1} {is_zero}, {t} {zero}, {t} {result}")

    def extreme(self, e: Any) -> str:
        """min and max: NaN wins, as in numpy, and of 0.0 and -0.0 either, which is half of the instructions."""
        d = e.dtype
        smaller = isinstance(e, Min)
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
        signed, unsigned, floating = _PREDICATES[type(e)]
        a, b = self.emit(e.a), self.emit(e.b)
        if d.is_float:
            return self.f.ins(f"fcmp {floating} {value_type(d)} {a}, {b}")
        return self.f.ins(f"icmp {signed if d.kind == 'int' else unsigned} {value_type(d)} {a}, {b}")

    # ---- logic and choice

    def and_(self, e: And) -> str:
        return self._logic(e, "and", "false")

    def or_(self, e: Or) -> str:
        return self._logic(e, "or", "true")

    def _logic(self, e: Any, op: str, decided: str) -> str:
        t = value_type(e.dtype)
        if e.dtype.lanes > 1 or is_cheap(e.b):
            return self.f.ins(f"{op} {t} {self.emit(e.a)}, {self.emit(e.b)}")
        f = self.f
        a = self.emit(e.a)
        first, more, done = f.block, f.label(), f.label()
        f.branch(a, more if op == "and" else done, done if op == "and" else more)
        f.start(more)
        b = self.emit(e.b)
        last = f.block
        f.jump(done)
        f.start(done)
        return f.ins(f"phi i1 [ {decided}, %{first} ], [ {b}, %{last} ]")

    def not_(self, e: Not) -> str:
        t = value_type(e.dtype)
        ones = "true" if e.dtype.lanes == 1 else splat_constant("true", e.dtype)
        return self.f.ins(f"xor {t} {self.emit(e.a)}, {ones}")

    def select(self, e: Select) -> str:
        cond = self.typed(e.cond)
        return self.f.ins(f"select {cond}, {self.typed(e.then)}, {self.typed(e.other)}")

    def if_then_else(self, e: Call) -> str:
        """Only the side that is taken is evaluated."""
        cond, then, other = e.args
        if cond.dtype.lanes > 1:
            return self._choose_lanes(e, cond, then, other)
        if is_cheap(then) and is_cheap(other):
            c = self.emit(cond)
            return self.f.ins(f"select i1 {c}, {self.typed(then)}, {self.typed(other)}")
        f = self.f
        c = self.emit(cond)
        yes, no, done = f.label(), f.label(), f.label()
        f.branch(c, yes, no)
        f.start(yes)
        a = self.emit(then)
        from_yes = f.block
        f.jump(done)
        f.start(no)
        b = self.emit(other)
        from_no = f.block
        f.jump(done)
        f.start(done)
        return f.ins(f"phi {value_type(e.dtype)} [ {a}, %{from_yes} ], [ {b}, %{from_no} ]")

    def _choose_lanes(self, e: Call, cond: Expr, then: Expr, other: Expr) -> str:
        """A choice that differs from lane to lane: by select where both sides are safe, or are so when only
        the lanes that are taken are loaded; else lane by lane."""
        if is_cheap(then) and is_cheap(other):
            return self.f.ins(f"select {self.typed(cond)}, {self.typed(then)}, {self.typed(other)}")
        if not self.debug and self.mask is None and is_maskable(then) and is_maskable(other):
            taken = self.emit(cond)
            rest = self.f.ins(f"xor {value_type(cond.dtype)} {taken}, {splat_constant('true', cond.dtype)}")
            sides = self._in_lanes(then, taken), self._in_lanes(other, rest)
            return self.f.ins(f"select {value_type(cond.dtype)} {taken}, {', '.join(sides)}")
        f, t = self.f, value_type(e.dtype)
        scalar = value_type(e.dtype.element)
        c = self.typed(cond)
        result = "poison"
        for lane in range(e.dtype.lanes):
            bit = f.ins(f"extractelement {c}, i64 {lane}")
            one = Call(
                "if_then_else", (_Known(bit), lane_of(then, lane), lane_of(other, lane)), e.dtype.element
            )
            value = self.if_then_else(one)
            result = f.ins(f"insertelement {t} {result}, {scalar} {value}, i64 {lane}")
        return result

    def _in_lanes(self, e: Expr, mask: str) -> str:
        """The value of `e`, with its type, in the lanes of a mask. In the others it is anything."""
        f, t = self.f, value_type(e.dtype)
        self.mask = mask
        if not self.may_miss(e):
            value = self.emit(e)
        else:
            some, done = f.label(), f.label()
            f.branch(self.any_lane(mask, e.dtype.lanes), some, done)
            before = f.block
            f.start(some)
            value = self.emit(e)
            inside = f.block
            f.jump(done)
            f.start(done)
            value = f.ins(f"phi {t} [ {value}, %{inside} ], [ poison, %{before} ]")
        self.mask = None
        return f"{t} {value}"

    def may_miss(self, n: Expr | Stmt) -> bool:
        """Whether vectors go with a single element that may only be there when some lane wants it."""
        for load in loads_of(n):
            at = const_int(load.indices[0])
            if load.dtype.lanes == 1 and (at is None or not 0 <= at < self.own.get(load.buffer.data, 0)):
                return True
        return False

    def any_lane(self, mask: str, lanes: int) -> str:
        """Whether any lane of a mask is set."""
        name = f"llvm.vector.reduce.or.v{lanes}i1"
        self.f.module.declare(name, f"i1 @{name}(<{lanes} x i1>)")
        return self.f.ins(f"call i1 @{name}(<{lanes} x i1> {mask})")

    def known(self, e: _Known) -> str:
        return e.ssa

    def let(self, e: Let) -> str:
        self.values[e.var] = self.emit(e.value)
        return self.emit(e.body)

    # ---- conversion

    def cast(self, e: Cast) -> str:
        return self.convert(self.emit(e.value), e.value.dtype, e.dtype)

    def convert(self, x: str, source: DType, target: DType) -> str:
        """`x` as `target`: floats round toward zero and stop at the ends of an integer's range (NaN is 0)."""
        if source is target:
            return x
        f, s, t = self.f, value_type(source), value_type(target)
        if target.is_bool:
            zero = (
                "zeroinitializer"
                if source.lanes > 1
                else (float_constant(0.0, source) if source.is_float else "0")
            )
            return f.ins(f"fcmp une {s} {x}, {zero}" if source.is_float else f"icmp ne {s} {x}, {zero}")
        if source.is_bool:
            return f.ins(f"{'uitofp' if target.is_float else 'zext'} {s} {x} to {t}")
        if source.is_float and target.is_float:
            return f.ins(f"{'fptrunc' if target.bits < source.bits else 'fpext'} {s} {x} to {t}")
        if target.is_float:
            return f.ins(f"{'sitofp' if source.kind == 'int' else 'uitofp'} {s} {x} to {t}")
        if source.is_float:
            name = f"llvm.fpto{'si' if target.kind == 'int' else 'ui'}.sat.{suffix(target)}.{suffix(source)}"
            f.module.declare(name, f"{t} @{name}({s})")
            return f.ins(f"call {t} @{name}({s} {x})")
        if target.bits == source.bits:
            return x
        if target.bits < source.bits:
            return f.ins(f"trunc {s} {x} to {t}")
        return f.ins(f"{'sext' if source.kind == 'int' else 'zext'} {s} {x} to {t}")

    # ---- vectors

    def ramp(self, e: Ramp) -> str:
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

    def broadcast(self, e: Broadcast) -> str:
        if isinstance(e.value, IntImm | FloatImm):
            return splat_constant(self.emit(e.value), e.dtype)
        return self.f.splat(self.emit(e.value), e.dtype)

    def shuffle(self, e: Shuffle) -> str:
        """The vectors are put together until two are left, of which one instruction takes the lanes."""
        parts = [(self.as_vector(v), v.dtype.lanes) for v in e.vectors]
        while len(parts) > 2:
            pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
            parts = [self.joined(p, e.dtype) for p in pairs]
        value = self.lanes(parts, e.indices, e.dtype)
        return (
            value
            if e.dtype.lanes > 1
            else self.f.ins(f"extractelement <1 x {value_type(e.dtype)}> {value}, i64 0")
        )

    def as_vector(self, e: Expr) -> str:
        """The value of `e`; a scalar as a vector of one lane."""
        value = self.emit(e)
        if e.dtype.lanes > 1:
            return value
        t = value_type(e.dtype)
        return self.f.ins(f"insertelement <1 x {t}> poison, {t} {value}, i64 0")

    def joined(self, parts: Sequence[tuple[str, int]], d: DType) -> tuple[str, int]:
        """One vector, or two put one after the other, with the number of lanes."""
        count = sum(lanes for _, lanes in parts)
        return parts[0] if len(parts) == 1 else (self.lanes(parts, range(count), d), count)

    def lanes(self, parts: Sequence[tuple[str, int]], indices: Sequence[int], d: DType) -> str:
        """Lanes of one or two vectors."""
        t = value_type(d.element)
        (a, n), (b, m) = parts if len(parts) == 2 else (*parts, ("poison", parts[0][1]))
        if n != m:  # the instruction takes vectors of one length: the shorter is filled up
            a, b = (self._filled(x, k, max(n, m), t) for x, k in ((a, n), (b, m)))
            indices = [i if i < n else i - n + max(n, m) for i in indices]
        whole = f"<{max(n, m)} x {t}>"
        mask = f"<{len(indices)} x i32> <{', '.join(f'i32 {i}' for i in indices)}>"
        return self.f.ins(f"shufflevector {whole} {a}, {whole} {b}, {mask}")

    def _filled(self, x: str, n: int, lanes: int, t: str) -> str:
        mask = ", ".join(f"i32 {i if i < n else 'poison'}" for i in range(lanes))
        return (
            x
            if n == lanes
            else self.f.ins(f"shufflevector <{n} x {t}> {x}, <{n} x {t}> poison, <{lanes} x i32> <{mask}>")
        )

    # ---- memory

    def index(self, e: Expr) -> str:
        """A scalar index as an i64."""
        self.index_depth += 1
        x = self.emit(e)
        self.index_depth -= 1
        return self.convert(x, e.dtype, INT64)

    def place(self, e: Any, index: Expr) -> str:
        """The address of element `index` of a buffer."""
        at = self.index(index)
        base = self.values.get(e.buffer.data)
        if base is None:
            raise CodegenError(f"the buffer {e.buffer.name} has no memory here")
        return self.f.ins(f"getelementptr inbounds {memory_type(e.buffer.dtype)}, ptr {base}, i64 {at}")

    def load(self, e: BufferLoad) -> str:
        (index,) = e.indices
        if self.debug:
            self.check(e, index)
        if index.dtype.lanes == 1:
            return self._read(self.place(e, index), e.buffer.dtype.with_lanes(e.dtype.lanes))
        if is_contiguous(index):
            assert isinstance(index, Ramp)
            return self._read(self.place(e, index.base), e.dtype, self._is_inside(e, index))
        if isinstance(index, Broadcast):
            return self.f.splat(self._read(self.place(e, index.value), e.buffer.dtype), e.dtype)
        if is_long_walk(index) and index.lanes % _GROUP == 0:
            return self.gather(e, index)
        result = "poison"
        t, scalar = value_type(e.dtype), value_type(e.buffer.dtype)
        for lane, place in enumerate(self.places(e, index)):
            one = self._read(place, e.buffer.dtype)
            result = self.f.ins(f"insertelement {t} {result}, {scalar} {one}, i64 {lane}")
        return result

    def places(self, e: Any, index: Expr) -> list[str]:
        """The addresses of the elements of a vector index."""
        if isinstance(index, Ramp):
            return self.steps(e, index)
        self.index_depth += 1
        wide = self.convert(self.emit(index), index.dtype, INT64.with_lanes(index.dtype.lanes))
        self.index_depth -= 1
        vector = value_type(INT64.with_lanes(index.dtype.lanes))
        base, element = self.values[e.buffer.data], memory_type(e.buffer.dtype)
        found = []
        for lane in range(index.dtype.lanes):
            at = self.f.ins(f"extractelement {vector} {wide}, i64 {lane}")
            found.append(self.f.ins(f"getelementptr inbounds {element}, ptr {base}, i64 {at}"))
        return found

    def gather(self, e: BufferLoad, index: Ramp) -> str:
        """The elements of a long ramp, brought together on the stack by a loop over groups of lanes: what
        whole vectors wrote, whole vectors read without waiting."""
        f, element, scalar = self.f, memory_type(e.buffer.dtype), value_type(e.buffer.dtype)
        group = e.buffer.dtype.with_lanes(_GROUP)
        first, stride = self.place(e, index.base), self.index(index.stride)
        slot = f.stack(element, index.lanes)
        for number in f.each(index.lanes // _GROUP):
            lane = f.ins(f"mul nsw i64 {number}, {_GROUP}")
            at = f.ins(f"mul nsw i64 {stride}, {lane}")
            place = f.ins(f"getelementptr inbounds {element}, ptr {first}, i64 {at}")
            part = "poison"
            for k in range(_GROUP):
                part = f.ins(
                    f"insertelement {value_type(group)} {part}, {scalar} {self._read(place, e.buffer.dtype)}, i64 {k}"
                )
                place = f.ins(f"getelementptr inbounds {element}, ptr {place}, i64 {stride}")
            self.write(f.ins(f"getelementptr inbounds {element}, ptr {slot}, i64 {lane}"), part, group)
        return self._read(slot, e.dtype)

    def scatter(self, s: Any, index: Ramp, value: str, d: DType) -> None:
        """Store the lanes of `value` at the elements of a long ramp, from the stack by a loop."""
        f, element = self.f, memory_type(s.buffer.dtype)
        first, stride = self.place(s, index.base), self.index(index.stride)
        slot = f.stack(element, index.lanes)
        self.write(slot, value, d)
        for lane in f.each(index.lanes):
            at = f.ins(f"mul nsw i64 {stride}, {lane}")
            place = f.ins(f"getelementptr inbounds {element}, ptr {first}, i64 {at}")
            x = f.ins(
                f"load {element}, ptr " + f.ins(f"getelementptr inbounds {element}, ptr {slot}, i64 {lane}")
            )
            f.do(f"store {element} {x}, ptr {place}")

    def write(self, place: str, value: str, d: DType, nontemporal: int = 0) -> None:
        """Store a value of dtype `d`; past the caches if `nontemporal`, at a multiple of so many bytes."""
        t = memory_type(d)
        if d.is_bool:
            value = self.f.ins(f"zext {value_type(d)} {value} to {t}")
        hint = f", !nontemporal {self.f.module.nontemporal()}" if nontemporal else ""
        self.f.do(f"store {t} {value}, ptr {place}, align {max(d.element.nbytes, nontemporal)}{hint}")

    def steps(self, e: Any, index: Ramp) -> list[str]:
        """The addresses of the elements of a ramp, from that of the first: long expressions are there once."""
        f, element = self.f, memory_type(e.buffer.dtype)
        first = self.place(e, index.base)
        constant = const_int(index.stride)
        stride = "" if constant is not None else self.index(index.stride)
        found = [first]
        for lane in range(1, index.lanes):
            at = f.ins(f"mul nsw i64 {stride}, {lane}") if constant is None else str(constant * lane)
            found.append(f.ins(f"getelementptr inbounds {element}, ptr {first}, i64 {at}"))
        return found

    def write_row(self, s: BufferStore, index: Ramp, value: str) -> None:
        """Store a vector at neighbours; under a mask only those lanes. A buffer on the stack that is written
        as a whole, old values where lanes are masked, can still live in registers."""
        place, d, mask = self.place(s, index.base), s.value.dtype, self.mask
        if mask is None:
            self.write(place, value, d, s.nontemporal)
            return
        t, b1 = memory_type(d), f"<{d.lanes} x i1>"
        if self._is_inside(s, index):
            v = value_type(d)
            old = self._read(place, d, whole=True)
            self.write(place, self.f.ins(f"select {b1} {mask}, {v} {value}, {v} {old}"), d)
            return
        if d.is_bool:
            value = self.f.ins(f"zext {value_type(d)} {value} to {t}")
        name = f"llvm.masked.store.v{d.lanes}{_bits_of(d)}.p0"
        self.f.module.declare(name, f"void @{name}({t}, ptr, i32, {b1})")
        self.f.do(f"call void @{name}({t} {value}, ptr {place}, i32 {d.element.nbytes}, {b1} {mask})")

    def _is_inside(self, e: BufferLoad | BufferStore, index: Ramp) -> bool:
        """Whether all lanes are certainly elements of a buffer on the stack."""
        first, size = const_int(index.base), self.own.get(e.buffer.data, 0)
        return first is not None and first >= 0 and first + index.lanes <= size

    def _read(self, place: str, d: DType, whole: bool = False) -> str:
        t = memory_type(d)
        if self.mask is None or whole or d.lanes == 1:
            x = self.f.ins(f"load {t}, ptr {place}, align {d.element.nbytes}")
        else:
            x = self._read_masked(place, d)
        if not d.is_bool:
            return x
        zero = "zeroinitializer" if d.lanes > 1 else "0"
        return self.f.ins(f"icmp ne {t} {x}, {zero}")

    def _read_masked(self, place: str, d: DType) -> str:
        """The lanes of the mask, zero elsewhere."""
        t, b1 = memory_type(d), f"<{d.lanes} x i1>"
        name = f"llvm.masked.load.v{d.lanes}{_bits_of(d)}.p0"
        self.f.module.declare(name, f"{t} @{name}(ptr, i32, {b1}, {t})")
        align = f"i32 {d.element.nbytes}"
        return self.f.ins(f"call {t} @{name}(ptr {place}, {align}, {b1} {self.mask}, {t} zeroinitializer)")

    def check(self, e: Any, index: Expr) -> None:
        """In debug mode: fail unless the index is inside of the buffer."""
        size, low = e.buffer.shape[0], e.buffer.elem_offset
        ends = (
            [lane_of(index, 0), lane_of(index, index.dtype.lanes - 1)] if index.dtype.lanes > 1 else [index]
        )
        if index.dtype.lanes > 1 and not isinstance(index, Ramp | Broadcast):
            ends = [lane_of(index, lane) for lane in range(index.dtype.lanes)]
        bound = self.index(size)
        for end in ends:
            at = self.index(end if const_int(low) == 0 else ops.sub(ops.cast(end, INT64), low))
            inside = self.f.ins(f"icmp ult i64 {at}, {bound}")
            self.require(inside, 3, f"an access to {e.buffer.name}", at, bound)

    def require(self, cond: str, kind: int, message: str, a: str = "0", b: str = "0") -> None:
        """Fail with `message` unless `cond`."""
        f = self.f
        good, bad = f.label(), f.label()
        f.branch(cond, good, bad, likely=True)
        f.start(bad)
        number = f.module.message(message)
        f.do(f"call void @tewb.fail(ptr %ctx, i64 {kind}, i64 {number}, i64 {a}, i64 {b})")
        f.fail()
        f.start(good)

    # ---- calls

    def call(self, e: Call) -> str:
        match e.op:
            case "if_then_else":
                return self.if_then_else(e)
            case "likely":
                return self.emit(e.args[0])
            case "reinterpret":
                return self.f.ins(f"bitcast {self.typed(e.args[0])} to {value_type(e.dtype)}")
            case "call_extern":
                return self.call_extern(e)
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
        rule = INTRINSICS.get(e.op)
        if rule is None:
            raise CodegenError(f"there is no function {e.op}: {script(e)}")
        return rule(self.f, e.args[0].dtype, [self.emit(a) for a in e.args])

    def call_extern(self, e: Call) -> str:
        """A C function by its symbol."""
        name = e.args[0]
        assert isinstance(name, StringImm)
        result = "void" if e.dtype.kind == "void" else value_type(e.dtype)
        kinds = ", ".join(value_type(a.dtype) for a in e.args[1:])
        values = ", ".join(self.typed(a) for a in e.args[1:])
        if any(a.dtype is HANDLE for a in e.args[1:]):  # it may read memory, on other threads too
            self.f.fence()
        self.f.module.declare(name.value, f'{result} @"{name.value}"({kinds})')
        known = native(name.value)
        if known is not None:
            self.f.module.natives.setdefault(name.value, known)
        text = f'call {result} @"{name.value}"({values})'
        if result == "void":
            self.f.do(text)
            return ""
        return self.f.ins(text)

    def by_reference(self, e: Call) -> str:
        """A number in a stack slot of its own, for C functions that take pointers to numbers."""
        (value,) = e.args
        slot = self.f.stack(memory_type(value.dtype), 1)
        self.f.do(f"store {self.typed(value)}, ptr {slot}")
        return slot

    def address_of(self, e: Call) -> str:
        (element,) = e.args
        assert isinstance(element, BufferLoad)
        place = self.index(element.indices[0])
        base = self.emit(element.buffer.data)
        return self.f.ins(f"getelementptr {memory_type(element.dtype)}, ptr {base}, i64 {place}")

    def is_aligned(self, e: Call) -> str:
        address = self.f.ins(f"ptrtoint ptr {self.emit(e.args[0])} to i64")
        multiple = const_int(e.args[1])
        assert multiple is not None
        return self.f.ins(f"icmp eq i64 {self.f.ins(f'and i64 {address}, {multiple - 1}')}, 0")

    def prefetch(self, e: Call) -> str:
        """A request for the line of an element, to be read soon and again. The element may be past the end:
        its index may overflow, and its address is outside of the array, but it is not read."""
        (element,) = e.args
        assert isinstance(element, BufferLoad)
        index = element.indices[0]
        at = self.convert(self.emit(index), index.dtype, INT64)
        place = self.f.ins(
            f"getelementptr {memory_type(element.buffer.dtype)}, ptr {self.emit(element.buffer.data)}, i64 {at}"
        )
        self.f.module.declare("llvm.prefetch.p0", "void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        self.f.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 3, i32 1)")
        return ""


class _Known(Expr):
    """A value that has been computed already."""

    __slots__ = ("dtype", "ssa")
    ssa: str

    def __init__(self, ssa: str) -> None:
        object.__setattr__(self, "ssa", ssa)
        object.__setattr__(self, "dtype", DType("bool"))


def is_long_walk(index: Expr) -> TypeGuard[Ramp]:
    """Whether a vector index is a ramp of symbolic stride with so many lanes that one by one they would
    take long to compile."""
    return isinstance(index, Ramp) and index.lanes > _GROUP and const_int(index.stride) is None


def is_cheap(e: Expr) -> bool:
    """Whether `e` may be evaluated though nobody asked: no access, no call, no division but by a positive number."""
    divisions = (Div, Mod, FloorDiv, FloorMod)
    return not any(
        isinstance(n, BufferLoad | Call | Let)
        or (isinstance(n, divisions) and not (isinstance(n.b, IntImm) and n.b.value > 0))
        for n in walk(e)
    )


def loads_of(n: Expr | Stmt) -> list[BufferLoad]:
    return [x for x in walk(n) if isinstance(x, BufferLoad)]


def _bits_of(d: DType) -> str:
    """An element as names of LLVM's functions on memory have it."""
    return f"{'f' if d.is_float else 'i'}{8 if d.is_bool else d.bits}"


def lane_of(e: Expr, lane: int) -> Expr:
    """One lane of a vector expression, as a scalar expression."""
    if e.dtype.lanes == 1:
        return e
    match e:
        case Ramp(base, stride, _):
            return ops.add(base, ops.mul(stride, lane))
        case Broadcast(value):
            return value
        case BufferLoad(buffer, (index,)):
            return BufferLoad(buffer, (lane_of(index, lane),), buffer.dtype)
        case Call(op, args, dtype) if op not in intrinsics.DOTS:
            return Call(op, tuple(lane_of(a, lane) for a in args), dtype.element)
        case Cast(value, dtype):
            return Cast(lane_of(value, lane), dtype.element)
        case Select(cond, then, other, dtype):
            return Select(lane_of(cond, lane), lane_of(then, lane), lane_of(other, lane), dtype.element)
        case Shuffle(vectors, indices):
            found = indices[lane]
            for v in vectors:
                if found < v.dtype.lanes:
                    return lane_of(v, found)
                found -= v.dtype.lanes
        case Not(a):
            return Not(lane_of(a, lane), e.dtype.element)
        case Var() | Call():
            raise CodegenError(f"the vector {script(e)} cannot be taken apart")
    a, b = lane_of(e.a, lane), lane_of(e.b, lane)  # type: ignore[attr-defined]
    return type(e)(a, b, e.dtype.element)  # type: ignore[call-arg]


Rule = Callable[[Expressions, Any], str]
_EXPRS: dict[type, Rule] = {
    Var: Expressions.var,
    IntImm: Expressions.int_imm,
    FloatImm: Expressions.float_imm,
    StringImm: Expressions.string,
    Add: Expressions.arithmetic,
    Sub: Expressions.arithmetic,
    Mul: Expressions.arithmetic,
    Div: Expressions.div,
    Mod: Expressions.mod,
    FloorDiv: Expressions.floordiv,
    FloorMod: Expressions.floormod,
    Min: Expressions.extreme,
    Max: Expressions.extreme,
    **{kind: Expressions.compare for kind in _PREDICATES},
    And: Expressions.and_,
    Or: Expressions.or_,
    Not: Expressions.not_,
    Select: Expressions.select,
    Let: Expressions.let,
    Cast: Expressions.cast,
    Ramp: Expressions.ramp,
    Shuffle: Expressions.shuffle,
    Broadcast: Expressions.broadcast,
    BufferLoad: Expressions.load,
    Call: Expressions.call,
    _Known: Expressions.known,
}
