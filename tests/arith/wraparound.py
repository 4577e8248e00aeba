"""Random integer expressions of every dtype, and what they are, exactly: as values, which wrap, and as indices."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tewb.arith import Analyzer, truncated_quotient
from tewb.base import BOOL, DType, DTypeError
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
    Buffer,
    BufferLoad,
    Call,
    Cast,
    Compare,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Ramp,
    Select,
    Sub,
    Var,
    const,
    ops,
    walk,
)

DTYPES = tuple(DType(d) for d in ("int32", "int64", "int8", "int16", "uint8", "uint16", "uint32", "uint64"))
COMPARISONS = (LT, LE, GT, GE, EQ, NE)
ARITHMETIC = (Add, Sub, Mul, Add, Sub, Mul, FloorDiv, FloorMod, FloorDiv, FloorMod, Div, Mod, Min, Max)
BITS = ("bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "shift_right")

NUMPY: dict[Any, Any] = {
    Add: np.add, Sub: np.subtract, Mul: np.multiply, FloorDiv: np.floor_divide, FloorMod: np.mod,
    Div: truncated_quotient, Mod: np.fmod, Min: np.minimum, Max: np.maximum, EQ: np.equal, NE: np.not_equal,
    LT: np.less, LE: np.less_equal, GT: np.greater, GE: np.greater_equal, And: np.logical_and, Or: np.logical_or,
    "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor,
    "shift_left": np.left_shift, "shift_right": np.right_shift, "abs": np.abs, "bitwise_not": np.invert,
}  # fmt: skip
SMART: dict[Any, Any] = {
    Add: ops.add, Sub: ops.sub, Mul: ops.mul, FloorDiv: ops.floordiv, FloorMod: ops.floormod, Div: ops.truncdiv,
    Mod: ops.truncmod, Min: ops.minimum, Max: ops.maximum, EQ: ops.equal, NE: ops.not_equal, LT: ops.less,
    LE: ops.less_equal, GT: ops.greater, GE: ops.greater_equal, And: ops.logical_and, Or: ops.logical_or,
    **{op: getattr(ops, op) for op in BITS}, "abs": ops.absolute, "bitwise_not": ops.bitwise_not,
}  # fmt: skip
LANES = 4


@dataclass
class Case:
    """Variables with ranges, elements of memory, and many values for all of them."""

    rng: random.Random
    samples: int = 24
    ranges: dict[Var, tuple[int | None, int | None]] = field(default_factory=dict)
    values: dict[Any, Any] = field(default_factory=dict)
    vectors: bool = False

    def analyzer(self) -> Analyzer:
        made = Analyzer()
        for v, (lo, hi) in self.ranges.items():
            made.bind(v, *(None if x is None else const(x, v.dtype) for x in (lo, hi)))
        return made

    # ---- leaves

    def number(self, d: DType, lo: int | None = None, hi: int | None = None) -> int:
        """An integer of every magnitude in a range, its ends and what lies about 0 more often."""
        low = d.min_value() if lo is None else lo
        high = d.max_value() if hi is None else hi
        rng = self.rng
        near = rng.choice(
            (low, high, 0, 1, -1, 2, 3, 8, 1 << rng.randrange(d.bits), -(1 << rng.randrange(d.bits)))
        )
        found = rng.choice((near + rng.randint(-2, 2), near, rng.randint(low, high), rng.randint(-9, 40)))
        return min(max(found, low), high)

    def variable(self, d: DType) -> Var:
        old = [v for v in self.ranges if v.dtype is d]
        if old and self.rng.random() < 0.6:
            return self.rng.choice(old)
        v = Var(f"{d[0]}{d.bits}_{len(self.ranges)}", d)
        ends = sorted((self.number(d), self.number(d)))
        lo, hi = (None if self.rng.random() < 0.15 else x for x in ends)
        self.ranges[v] = (lo, hi)
        self.values[v] = self.column([self.number(d, lo, hi) for _ in range(self.samples)], d)
        return v

    def load(self, d: DType) -> Expr:
        b = Buffer(f"data{len(self.values)}", d, (const(1),))
        self.values[b] = self.column([self.number(d) for _ in range(self.samples)], d)
        return BufferLoad(b, (const(0),), d)

    def column(self, numbers: list[int], d: DType) -> Any:
        return np.array(numbers, d).reshape(-1, 1)

    def leaf(self, d: DType) -> Expr:
        kind = self.rng.random()
        if kind < 0.5:
            return self.variable(d)
        return const(self.number(d), d) if kind < 0.9 else self.load(d)

    # ---- expressions

    def integer(self, d: DType, depth: int) -> Expr:
        rng = self.rng
        if depth == 0 or rng.random() < 0.1:
            return self.leaf(d)
        kind = rng.random()
        if kind < 0.7:
            op = rng.choice(ARITHMETIC)
            a = self.integer(d, depth - 1)
            again = rng.random() < 0.2  # x // x, x - x, (x*c) // x
            b = rng.choice([n for n in walk(a) if isinstance(n, Expr) and n.dtype is d]) if again else None
            return op(a, b if b is not None else self.integer(d, depth - 1), d)
        if kind < 0.8:
            return Select(
                self.condition(depth - 1), self.integer(d, depth - 1), self.integer(d, depth - 1), d
            )
        if kind < 0.88:
            return Cast(self.integer(rng.choice(DTYPES), depth - 1), d)
        if kind < 0.94:
            return Call(rng.choice(BITS), (self.integer(d, depth - 1), self.integer(d, depth - 1)), d)
        if kind < 0.97 and d.kind == "int":
            return Call("abs", (self.integer(d, depth - 1),), d)
        return Cast(self.condition(depth - 1), d)

    def condition(self, depth: int) -> Expr:
        rng, kind = self.rng, self.rng.random()
        if depth > 0 and kind < 0.2:
            return rng.choice((And, Or))(self.condition(depth - 1), self.condition(depth - 1), BOOL)
        if depth > 0 and kind < 0.3:
            return Not(self.condition(depth - 1), BOOL)
        d = rng.choice(DTYPES[:2] if rng.random() < 0.6 else DTYPES)
        a = self.integer(d, depth)
        b = Add(a, const(self.number(d), d), d) if rng.random() < 0.15 else self.integer(d, depth)
        return rng.choice(COMPARISONS)(a, b, BOOL)

    def vector(self, d: DType, depth: int) -> Expr:
        """Ramps, repeated scalars and what is made of them, lane by lane."""
        rng, v = self.rng, d.with_lanes(LANES)
        if depth == 0:
            if rng.random() < 0.5:
                return Broadcast(self.integer(d, rng.randrange(2)), LANES, v)
            stride = const(self.number(d), d) if rng.random() < 0.8 else self.leaf(d)
            return Ramp(self.integer(d, rng.randrange(2)), stride, LANES, v)
        if rng.random() < 0.25:
            pair = self.vector(d, depth - 1), self.vector(d, depth - 1)
            cond = rng.choice(COMPARISONS)(*pair, BOOL.with_lanes(LANES))
            return Select(cond, self.vector(d, depth - 1), self.vector(d, depth - 1), v)
        return rng.choice(ARITHMETIC)(self.vector(d, depth - 1), self.vector(d, depth - 1), v)


def value(e: Expr, values: dict[Any, Any]) -> Any:
    """What `e` is for all samples at once (a row for each, a column for each lane): numpy wraps as values do."""
    with np.errstate(all="ignore"):
        return _value(e, values)


def _value(e: Expr, values: dict[Any, Any]) -> Any:
    f = NUMPY.get(type(e))
    if f is not None:
        return np.asarray(f(_value(e.a, values), _value(e.b, values))).astype(e.dtype.element)
    match e:
        case Var():
            return values[e]
        case BufferLoad(b, _):
            return values[b]
        case IntImm(x, d):
            return np.array([[x]], d)
        case Not(a):
            return np.logical_not(_value(a, values))
        case Select(c, a, b) | Call("if_then_else", (c, a, b)):
            return np.where(_value(c, values), _value(a, values), _value(b, values))
        case Cast(a, d):
            return _value(a, values).astype(d.element)
        case Call("likely", (a,)) | Broadcast(a):
            return _value(a, values)
        case Ramp(base, stride, lanes, d):
            steps = np.arange(lanes).astype(d.element)
            return (_value(base, values) + _value(stride, values) * steps).astype(d.element)
        case Call(op, args):
            return NUMPY[op](*[_value(a, values) for a in args]).astype(e.dtype.element)
    raise AssertionError(e)


def overflows(e: Expr, values: dict[Any, Any]) -> Any:
    """For which samples something in `e` wraps that an index may not: a sum or a product of no data."""
    found = np.zeros((len(next(iter(values.values()), [0])), 1), bool)
    with np.errstate(all="ignore"):
        for n in walk(e):
            if not isinstance(n, Add | Sub | Mul | Ramp) or any(
                isinstance(x, BufferLoad | Call) for x in walk(n)
            ):
                continue
            if isinstance(n, Ramp):
                parts = [n.base, n.stride]
                x, y = (_value(p, values).astype(object) for p in parts)
                wide = x + y * np.arange(n.lanes).astype(object)
            else:
                x, y = (_value(p, values).astype(object) for p in (n.a, n.b))
                wide = {Add: x + y, Sub: x - y, Mul: x * y}[type(n)]
            wrapped = _value(n, values).astype(object)
            found = found | (wide != wrapped).any(axis=1, keepdims=True)
    return found


def smart(e: Expr) -> Expr:
    """`e` made once more by the smart constructors."""
    made = e.map_children(smart)
    build = SMART.get(made.op if isinstance(made, Call) else type(made))
    if build is None:
        return ops.cast(made.value, made.dtype) if isinstance(made, Cast) else made
    args = made.args if isinstance(made, Call) else (made.a, made.b)
    try:
        return build(*args)
    except (
        DTypeError
    ):  # a division by the constant 0, a shift by more than there is, refused as a user's mistake
        return made


def is_comparison(e: Expr) -> bool:
    return isinstance(e, Compare)
