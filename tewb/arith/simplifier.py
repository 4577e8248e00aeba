"""Simplification: sums in canonical linear form, and rules for everything else.

A rule takes a node whose parts are simple already and returns something smaller, or None. A rule that would be wrong
where arithmetic wraps asks whether its operands do (`is_exact`), and whether the sums that it makes would (`fits`);
one that divides asks whether the divisor may be 0.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import TYPE_CHECKING, Any

from tewb.arith.linear import Linear, in_range
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    And,
    Binary,
    Broadcast,
    BufferLoad,
    Call,
    Cast,
    Compare,
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
    ProducerLoad,
    Ramp,
    Select,
    Sub,
    Var,
    const,
    const_int,
    ops,
)
from tewb.ir.intrinsics import STACK

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer

_MOST_TIMES = 8

_BUILD: dict[type, Callable[[Any, Any], Expr]] = {
    Add: ops.add,
    Sub: ops.sub,
    Mul: ops.mul,
    FloorDiv: ops.floordiv,
    FloorMod: ops.floormod,
    Div: lambda a, b: ops.div(a, b) if a.dtype.is_float else ops.truncdiv(a, b),
    Mod: lambda a, b: Mod(a, b, a.dtype) if a.dtype.is_float else ops.truncmod(a, b),
    Min: ops.minimum,
    Max: ops.maximum,
    EQ: ops.equal,
    NE: ops.not_equal,
    LT: ops.less,
    LE: ops.less_equal,
    GT: ops.greater,
    GE: ops.greater_equal,
}


class Simplifier:
    """Simplifies with the facts of an Analyzer. `memo` holds what was simplified under the present facts, as indices
    and as values."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self.memo: tuple[dict[int, tuple[Expr, Expr]], dict[int, tuple[Expr, Expr]]] = ({}, {})
        self.used: set[str] = set()
        self._choices = 0  # around, in the expression that is simplified
        self._times: dict[Expr, int] = {}  # how often each was simplified under other conditions
        self.trusting = True  # whether `likely` marks a guard of ours, which is about indices

    def simplify(self, e: Expr) -> Expr:
        if isinstance(e, Var | IntImm | FloatImm):
            return e
        known = self.memo[self.analyzer.wraps].get(id(e))
        if known is not None and known[0] is e:
            return known[1]
        if self._choices and self._is_settled(e):
            return e
        made = self._simplify(e)
        if made is not e and self.analyzer.keys(made) == self.analyzer.keys(e):
            made = e
        memo = self.memo[self.analyzer.wraps]
        memo[id(e)] = (e, made)
        memo[id(made)] = (made, made)
        return made

    def _simplify(self, e: Expr) -> Expr:
        if e.dtype.lanes > 1:
            return self.vector(e)
        if isinstance(e, Add | Sub | Mul) and self.is_index_type(e):
            s = self.analyzer.linear.of(e)
            if not self.analyzer.wraps and not in_range(s, e.dtype):
                return e.map_children(self.simplify)  # modulo 2**bits it is another index
            return self.analyzer.linear.expr(s, e.dtype)
        rule = _RULES.get(e.__class__)
        return rule(self, e) if rule is not None else e.map_children(self.simplify)

    # ---- what kind of integers these are

    def is_index_type(self, e: Expr) -> bool:
        return e.dtype.kind == "int" and e.dtype.bits >= 32

    def are_exact(self, a: Expr, b: Expr) -> bool:
        """Whether both are integers that are ordered and divided as all integers are."""
        exact = self.analyzer.is_exact
        return self.is_index_type(a) and exact(a) and exact(b)

    def stays(self, s: Linear, e: Expr) -> bool:
        """Whether a sum that is made of the parts of `e` is one that does not wrap either; of an index, as far as is
        known."""
        if self.analyzer.may_wrap(e):
            return self.analyzer.fits(s, e.dtype)
        lo, hi = self.analyzer.linear_bounds(s)
        return (
            in_range(s, e.dtype)
            and (lo is None or lo >= e.dtype.min_value())
            and (hi is None or hi <= e.dtype.max_value())
        )

    def index(self, e: Expr) -> Expr:
        """`e`, whose children are indices, sizes and addresses, with simpler ones."""
        analyzer = self.analyzer
        before, analyzer.wraps = analyzer.wraps, False
        try:
            return e.map_children(self.simplify)
        finally:
            analyzer.wraps = before

    def forget(self) -> None:
        """There are new facts: what was simplified may become simpler."""
        self.memo = ({}, {})
        if not self._choices:
            self._times = {}

    def _is_settled(self, e: Expr) -> bool:
        """Whether `e`, which is shared by choices inside of each other, has been simplified often enough: under n
        conditions a part may be seen in 2**n ways, and it is right as it is."""
        times = self._times[e] = self._times.get(e, 0) + 1
        return times > _MOST_TIMES

    def fired(self, name: str, e: Expr) -> Expr:
        self.used.add(name)
        return e

    def parts(self, e: Any) -> tuple[Expr, Expr]:
        return self.simplify(e.a), self.simplify(e.b)

    def rebuilt(self, e: Any, a: Expr, b: Expr) -> Expr:
        """The operation of `e` on simpler parts, with constants folded."""
        if isinstance(b, IntImm) and b.value == 0 and isinstance(e, FloorDiv | FloorMod | Div | Mod):
            return b  # x // 0 and x % 0 are 0
        if (
            a is e.a
            and b is e.b
            and not (isinstance(a, IntImm | FloatImm) or isinstance(b, IntImm | FloatImm))
        ):
            return e  # type: ignore[no-any-return]
        return _BUILD[e.__class__](a, b)

    def binary(self, e: Any) -> Expr:
        return self.rebuilt(e, *self.parts(e))

    # ---- division

    def floordiv(self, e: FloorDiv) -> Expr:
        a, b = self.parts(e)
        if not self.are_exact(a, b):
            return self.rebuilt(e, a, b)
        if isinstance(b, IntImm) and b.value > 0:
            return self._div_by(a, b.value)
        if const_int(b) is None:
            return self._div_by_symbol(a, b, e)
        return self.rebuilt(e, a, b)

    def _div_by(self, a: Expr, c: int) -> Expr:
        """(x*c + r) // c  ->  x + r // c, and r // c is a constant when r stays within one quotient

        Of `a` that does not wrap."""
        linear = self.analyzer.linear
        dtype = a.dtype
        if c == 1:
            return a
        s = linear.of(a)
        outside, rest = Linear(), Linear(s.const)
        for key, t in s.terms.items():
            (outside if t.coeff % c == 0 else rest).add_term(
                key, t.atoms, t.coeff // c if t.coeff % c == 0 else t.coeff
            )
        lo, hi = self.analyzer.linear_bounds(rest)
        if lo is not None and hi is not None and lo // c == hi // c:
            outside.const += lo // c
            self.used.add("quotient_of_a_bounded_rest")
            return linear.expr(outside, dtype)
        outside.const += rest.const // c
        rest.const %= c
        if not self.stays(rest, a):
            return ops.floordiv(a, const(c, dtype))
        common = gcd(c, *[t.coeff for t in rest.terms.values()])
        if common > 1:  # (x*g + k) // (d*g)  ->  (x + k // g) // d
            rest = _divided(rest, common)
            c //= common
            self.used.add("common_factor_of_a_quotient")
            inner = self._div_by(linear.expr(rest, dtype), c)
        else:
            inner = self._quotient(linear.expr(rest, dtype), c)
        if not outside.terms and outside.const == 0:
            return inner
        return linear.expr(outside.add(linear.of(inner)), dtype)

    def _quotient(self, x: Expr, c: int) -> Expr:
        """(x // a) // b  ->  x // (a*b)"""
        match x:
            case FloorDiv(y, IntImm(a)) if 0 < a <= x.dtype.max_value() // c and self.analyzer.is_exact(y):
                return self.fired("quotient_of_a_quotient", self._div_by(y, a * c))
        return ops.floordiv(x, const(c, x.dtype))

    def _div_by_symbol(self, a: Expr, n: Expr, e: FloorDiv) -> Expr:
        """(x*n + y) // n  ->  x + y // n    when n is not 0, and y // n is 0 when 0 <= y < n"""
        outside, rest = self._multiples(a, n)
        linear = self.analyzer.linear
        y = linear.expr(rest, a.dtype)
        whole = not outside.terms and outside.const == 0
        if not self.stays(rest, a):
            return self.rebuilt(e, a, n)
        if self._below(y, n):
            self.used.add("quotient_by_a_symbol")
            return linear.expr(outside, a.dtype)
        if whole or not self.analyzer.is_never_zero(n):
            return self.rebuilt(e, a, n)
        return linear.expr(outside.add(linear.of(ops.floordiv(y, n))), a.dtype)

    def _below(self, y: Expr, n: Expr) -> bool:
        prove = self.analyzer.can_prove
        return prove(ops.greater_equal(y, 0)) and prove(ops.less(y, n))

    def _multiples(self, a: Expr, n: Expr) -> tuple[Linear, Linear]:
        """a = n * first + second, with every term that has the factor n in the first."""
        wanted = self.analyzer.keys(n)
        s = self.analyzer.linear.of(a)
        first, second = Linear(), Linear(s.const)
        for key, t in s.terms.items():
            found = next((i for i, x in enumerate(t.atoms) if self.analyzer.keys(x) == wanted), None)
            if found is None:
                second.add_term(key, t.atoms, t.coeff)
                continue
            atoms = t.atoms[:found] + t.atoms[found + 1 :]
            if atoms:
                first.add_term(tuple(self.analyzer.keys(x) for x in atoms), atoms, t.coeff)
            else:
                first.const += t.coeff
        return first, second

    def floormod(self, e: FloorMod) -> Expr:
        a, b = self.parts(e)
        if not self.are_exact(a, b):
            return self.rebuilt(e, a, b)
        if isinstance(b, IntImm) and b.value > 0:
            return self._mod_by(a, b.value)
        if const_int(b) is None:
            _, rest = self._multiples(a, b)
            if not self.stays(rest, a):
                return self.rebuilt(e, a, b)
            y = self.analyzer.linear.expr(rest, a.dtype)
            if self._below(y, b):
                return self.fired("remainder_by_a_symbol", y)
            return ops.floormod(y, b)
        return self.rebuilt(e, a, b)

    def _mod_by(self, a: Expr, c: int) -> Expr:
        """(x*c + r) % c  ->  r % c, and r % c is r - const when r stays within one quotient

        Of `a` that does not wrap."""
        linear = self.analyzer.linear
        dtype = a.dtype
        if c == 1:
            return const(0, dtype)
        s = linear.of(a)
        rest = Linear(s.const % c)
        for key, t in s.terms.items():
            coeff = t.coeff
            if coeff % c == 0:
                continue
            match t.atoms:
                case (FloorMod(x, IntImm(m)),) if (
                    m > 0 and (m * coeff) % c == 0 and self.analyzer.is_exact(x)
                ):
                    rest.add(linear.of(x), coeff)  # (x % m)*k % c  ->  x*k % c when c divides m*k
                case _:
                    # Other coefficients stay, so that (x // c)*c + x % c still finds its x.
                    rest.add_term(key, t.atoms, t.coeff)
        rest.const %= c
        lo, hi = self.analyzer.linear_bounds(rest)
        if lo is not None and hi is not None and lo // c == hi // c:
            rest.const -= (lo // c) * c
            self.used.add("remainder_of_a_bounded_rest")
            return linear.expr(rest, dtype)
        if not self.stays(rest, a):
            return ops.floormod(a, const(c, dtype))
        common = gcd(c, rest.const, *[t.coeff for t in rest.terms.values()])
        if 1 < common < c:  # (x*g) % (d*g)  ->  (x % d) * g
            inner = self._mod_by(linear.expr(_divided(rest, common), dtype), c // common)
            return self.fired("common_factor_of_a_remainder", ops.mul(inner, const(common, dtype)))
        return ops.floormod(linear.expr(rest, dtype), const(c, dtype))

    def truncating(self, e: Any) -> Expr:
        """Truncating division is floor division where nothing is negative."""
        a, b = self.parts(e)
        if self.is_index_type(a):
            low, divisor = self.analyzer.const_bounds(a)[0], self.analyzer.const_bounds(b)[0]
            if low is not None and low >= 0 and divisor is not None and divisor > 0:
                same = ops.floordiv(a, b) if isinstance(e, Div) else ops.floormod(a, b)
                return self.fired("truncation_of_no_negative", self.simplify(same))
        return self.rebuilt(e, a, b)

    # ---- min, max, comparison

    def extreme(self, e: Any) -> Expr:
        """min(a, b) is a where a <= b is certain; max likewise"""
        a, b = self.parts(e)
        if not self.are_exact(a, b):
            return self.rebuilt(e, a, b)
        lo, hi = self.analyzer.linear_bounds(self.analyzer.linear.of(Sub(a, b, a.dtype)))
        smaller = a if hi is not None and hi <= 0 else b if lo is not None and lo >= 0 else None
        if smaller is not None:
            larger = b if smaller is a else a
            return self.fired("order_of_min_and_max", smaller if isinstance(e, Min) else larger)
        return self.rebuilt(e, a, b)

    def compare(self, e: Any) -> Expr:
        a, b = self.parts(e)
        if self.analyzer.known_true and self.analyzer.keys(e) in self.analyzer.known_true:
            return ops.const(True)
        if not self.are_exact(a, b):
            return self.rebuilt(e, a, b)
        s = self.analyzer.linear.of(Sub(a, b, a.dtype))
        verdict = _decide(type(e), *self.analyzer.linear_bounds(s))
        if verdict is not None:
            return self.fired("comparison_by_bounds", ops.const(verdict))
        if isinstance(b, IntImm) and not isinstance(a, Var):
            return self._against_constant(type(e), s, b, e, a)
        return self.rebuilt(e, a, b)

    def _against_constant(self, kind: type, s: Linear, b: IntImm, e: Any, a: Expr) -> Expr:
        """x*c + k < d  ->  x < (d - k) / c, rounded the way that keeps the meaning"""
        limit = -s.const
        common = gcd(*[t.coeff for t in s.terms.values()])
        left = Linear(0, dict(s.terms))
        if kind in (EQ, NE):
            if limit % common:
                return ops.const(kind is NE)
            limit //= common
        elif kind in (LT, GE):
            limit = -(-limit // common)
        else:  # LE, GT
            limit //= common
        left = _divided(left, common)
        if not (a.dtype.min_value() <= limit <= a.dtype.max_value() and self.stays(left, a)):
            return self.rebuilt(e, a, b)
        return _BUILD[kind](self.analyzer.linear.expr(left, a.dtype), const(limit, a.dtype))

    # ---- logic and choice

    def and_(self, e: And) -> Expr:
        a = self.simplify(e.a)
        if ops.is_const(a):
            return self.simplify(e.b) if ops.is_const(a, 1) else a
        b = self.simplify(e.b)
        return e if a is e.a and b is e.b else ops.logical_and(a, b)

    def or_(self, e: Or) -> Expr:
        a = self.simplify(e.a)
        if ops.is_const(a):
            return a if ops.is_const(a, 1) else self.simplify(e.b)
        b = self.simplify(e.b)
        return e if a is e.a and b is e.b else ops.logical_or(a, b)

    def not_(self, e: Not) -> Expr:
        a = self.simplify(e.a)
        return e if a is e.a else ops.logical_not(a)

    def choice(self, cond: Expr) -> Expr:
        """A condition that chooses, which compares values also where an index is chosen, and where a user calls it
        likely."""
        before, self.trusting = self.trusting, False
        try:
            return self.analyzer.simplify_value(cond)
        finally:
            self.trusting = before

    def guard(self, cond: Expr) -> Expr:
        """What is said to be likely."""
        return self.analyzer.simplify_index(cond) if self.trusting else self.simplify(cond)

    def select(self, e: Select) -> Expr:
        cond, then, other = self.choice(e.cond), self.simplify(e.then), self.simplify(e.other)
        if ops.is_const(cond):
            return self.fired("decided_choice", then if ops.is_const(cond, 1) else other)
        same = cond is e.cond and then is e.then and other is e.other
        return e if same else Select(cond, then, other, e.dtype)

    def call(self, e: Call) -> Expr:
        if e.op in STACK:
            return self.index(e)
        if e.op == "likely":
            cond = self.guard(e.args[0])
            return e if cond is e.args[0] else ops.likely(cond)
        if e.op == "if_then_else":
            return self._if_then_else(e)
        return e.map_children(self.simplify)

    def _if_then_else(self, e: Call) -> Expr:
        cond = self.choice(e.args[0])
        if ops.is_const(cond):
            return self.fired("decided_choice", self.simplify(e.args[1 if ops.is_const(cond, 1) else 2]))
        self._choices += 1
        try:
            with self.analyzer.assume(unlikely(cond), wraps=True):
                then = self.simplify(e.args[1])
            with self.analyzer.assume(ops.logical_not(unlikely(cond)), wraps=True):
                other = self.simplify(e.args[2])
        finally:
            self._choices -= 1
        args = (cond, then, other)
        return e if all(x is y for x, y in zip(args, e.args, strict=True)) else Call(e.op, args, e.dtype)

    def cast(self, e: Cast) -> Expr:
        value = self.simplify(e.value)
        return e if value is e.value else ops.cast(value, e.dtype)

    def let(self, e: Let) -> Expr:
        value = self.simplify(e.value)
        self.analyzer.bind_value(e.var, value)
        body = self.simplify(e.body)
        return e if value is e.value and body is e.body else Let(e.var, value, body, e.dtype)

    # ---- vectors

    def vector(self, e: Expr) -> Expr:
        match e:
            case Ramp(base, stride, lanes):
                b, s = self.simplify(base), self.simplify(stride)
                return e if b is base and s is stride else ops.ramp(b, s, lanes)
            case Broadcast(value, lanes):
                v = self.simplify(value)
                return e if v is value else ops.broadcast(v, lanes)
            case Binary() | Compare():
                return self._vector_pair(e)
            case BufferLoad() | ProducerLoad():
                return self.index(e)
            case Cast(value) if isinstance(value, Broadcast):
                return ops.broadcast(self.simplify(ops.cast(value.value, e.dtype.element)), e.dtype.lanes)
            case Call("likely", (a,)):
                cond = self.guard(a)
                return (
                    cond
                    if isinstance(cond, Broadcast)
                    else (e if cond is a else Call("likely", (cond,), e.dtype))
                )
            case Call("if_then_else" | "select", (cond, then, other)) | Select(cond, then, other):
                return self._vector_choice(e, cond, then, other)
        return e.map_children(self.simplify)

    def _vector_choice(self, e: Expr, cond: Expr, then: Expr, other: Expr) -> Expr:
        c = self.choice(cond)
        if isinstance(c, Broadcast) and ops.is_const(c.value):
            return self.fired("decided_choice", self.simplify(then if ops.is_const(c.value, 1) else other))
        parts = {id(cond): c, id(then): self.simplify(then), id(other): self.simplify(other)}
        return e.map_children(lambda n: parts[id(n)])

    def _vector_pair(self, e: Any) -> Expr:
        a, b = self.parts(e)
        lanes = e.dtype.lanes
        if isinstance(a, Broadcast) and isinstance(b, Broadcast) and e.__class__ in _BUILD:
            if _zero_divisor(e, b):
                return b
            return ops.broadcast(self.simplify(_BUILD[e.__class__](a.value, b.value)), lanes)
        data = self.analyzer.reads_data
        made = self._ramp_pair(e, a, b) if self.is_index_type(a) and not (data(a) or data(b)) else None
        if made is not None:
            return self.simplify(made)
        return e if a is e.a and b is e.b else type(e)(a, b, e.dtype)  # type: ignore[no-any-return]

    def _ramp_pair(self, e: Any, a: Expr, b: Expr) -> Expr | None:
        """Sums, multiples, quotients, remainders and comparisons of a ramp."""
        match e, a, b:
            case Add(), Ramp(x, s, n), Broadcast(y):
                return ops.ramp(ops.add(x, y), s, n)
            case Add(), Broadcast(y), Ramp(x, s, n):
                return ops.ramp(ops.add(y, x), s, n)
            case Add(), Ramp(x, s, n), Ramp(y, t, _):
                return ops.ramp(ops.add(x, y), ops.add(s, t), n)
            case Sub(), Ramp(x, s, n), Broadcast(y):
                return ops.ramp(ops.sub(x, y), s, n)
            case Mul(), Ramp(x, s, n), Broadcast(y):
                return ops.ramp(ops.mul(x, y), ops.mul(s, y), n)
            case Mul(), Broadcast(y), Ramp(x, s, n):
                return ops.ramp(ops.mul(y, x), ops.mul(y, s), n)
        if not self.are_exact(a, b):
            return None
        match e, a, b:
            case FloorDiv(), Ramp(x, s, n), Broadcast(IntImm(c)) if c > 0:
                return self._ramp_quotient(x, s, n, c)
            case FloorMod(), Ramp(x, s, n), Broadcast(IntImm(c)) if c > 0:
                return self._ramp_remainder(x, s, n, c)
        if isinstance(e, Compare):
            verdict = _decide(type(e), *self._lanes_difference(a, b))
            return None if verdict is None else ops.broadcast(ops.const(verdict), a.dtype.lanes)
        return None

    def _lanes_difference(self, a: Expr, b: Expr) -> tuple[int | None, int | None]:
        """Bounds of a - b in all lanes: those of the first and of the last."""
        bounds, lane = [], self.analyzer.lane
        for number in (0, a.dtype.lanes - 1):
            x, y = lane(a, number), lane(b, number)
            if x is None or y is None:
                return None, None
            bounds.append(self.analyzer.linear_bounds(x.add(y, -1)))
        (p, q), (r, s) = bounds
        return None if p is None or r is None else min(p, r), None if q is None or s is None else max(q, s)

    def _one_quotient(self, x: Expr, s: Expr, n: int, c: int) -> Expr | None:
        """The quotient by c that all lanes share, if they share one."""
        first = self._div_by(x, c)
        end = self.simplify(ops.add(x, ops.mul(s, const(n - 1, s.dtype))))
        if not self.analyzer.is_exact(end):
            return None
        last = self._div_by(end, c)
        return first if self.analyzer.keys(first) == self.analyzer.keys(last) else None

    def _ramp_quotient(self, x: Expr, s: Expr, n: int, c: int) -> Expr | None:
        step = const_int(s)
        if step is not None and step % c == 0:
            return ops.ramp(ops.floordiv(x, c), const(step // c, s.dtype), n)
        shared = self._one_quotient(x, s, n, c)
        return None if shared is None else ops.broadcast(shared, n)

    def _ramp_remainder(self, x: Expr, s: Expr, n: int, c: int) -> Expr | None:
        step = const_int(s)
        if step is not None and step % c == 0:
            return ops.broadcast(ops.floormod(x, c), n)
        shared = self._one_quotient(x, s, n, c)
        return None if shared is None else ops.ramp(ops.sub(x, ops.mul(shared, c)), s, n)


def unlikely(cond: Expr) -> Expr:
    """A condition without its marks: as a user compares values."""
    match cond:
        case Call("likely", (a,)):
            return a
        case And(a, b):
            return ops.logical_and(unlikely(a), unlikely(b))
    return cond


def _zero_divisor(e: Any, b: Broadcast) -> bool:
    return isinstance(e, FloorDiv | FloorMod | Div | Mod) and ops.is_const(b.value, 0)


def _divided(s: Linear, by: int) -> Linear:
    made = Linear(s.const // by)
    for key, t in s.terms.items():
        made.add_term(key, t.atoms, t.coeff // by)
    return made


def _decide(kind: type, lo: int | None, hi: int | None) -> bool | None:
    """What comparing a - b with 0 gives when lo <= a - b <= hi; None when that does not say."""
    if kind in (GT, GE, NE):
        opposite = _decide({GT: LE, GE: LT, NE: EQ}[kind], lo, hi)
        return None if opposite is None else not opposite
    if kind is EQ:
        if lo is not None and lo == hi:
            return lo == 0
        apart = (lo is not None and lo > 0) or (hi is not None and hi < 0)
        return False if apart else None
    most = -1 if kind is LT else 0
    if hi is not None and hi <= most:
        return True
    return False if lo is not None and lo > most else None


_RULES: dict[type, Callable[[Simplifier, Any], Expr]] = {
    Add: Simplifier.binary,
    Sub: Simplifier.binary,
    Mul: Simplifier.binary,
    FloorDiv: Simplifier.floordiv,
    FloorMod: Simplifier.floormod,
    Div: Simplifier.truncating,
    Mod: Simplifier.truncating,
    Min: Simplifier.extreme,
    Max: Simplifier.extreme,
    EQ: Simplifier.compare,
    NE: Simplifier.compare,
    LT: Simplifier.compare,
    LE: Simplifier.compare,
    GT: Simplifier.compare,
    GE: Simplifier.compare,
    And: Simplifier.and_,
    Or: Simplifier.or_,
    Not: Simplifier.not_,
    Select: Simplifier.select,
    Call: Simplifier.call,
    Cast: Simplifier.cast,
    Let: Simplifier.let,
    BufferLoad: Simplifier.index,
    ProducerLoad: Simplifier.index,
}
