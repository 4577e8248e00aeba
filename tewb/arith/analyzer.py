"""The Analyzer: what is known about integers, and the answers that follow from it.

Bounds follow interval analysis over canonical linear sums; proofs try, in turn, the bounds of a
difference, its min and max branches, the symbolic bounds of its variables, and assumed facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tewb.arith.keys import Keys
from tewb.arith.linear import Linear, Linearizer, Term
from tewb.arith.simplifier import Simplifier
from tewb.base import INT64
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    And,
    Broadcast,
    BufferLoad,
    Call,
    Cast,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Let,
    Max,
    Min,
    Mod,
    Not,
    Or,
    ProducerLoad,
    Ramp,
    Select,
    Var,
    const,
    convert,
    ops,
)

Bound = int | None
Bounds = tuple[Bound, Bound]
UNKNOWN: Bounds = (None, None)


class Analyzer:
    """Knows ranges of variables and assumed conditions; simplifies, bounds and proves.

    `rules_used` holds the names of the rewrite rules that fired. 32 and 64 bit index arithmetic is taken
    not to overflow.
    """

    def __init__(self) -> None:
        self.keys = Keys()
        self.ranges: dict[Var, Bounds] = {}
        self.symbolic: dict[Var, tuple[Expr | None, Expr | None]] = {}
        self.facts: list[Linear] = []  # each is known to be <= 0
        self.known_true: set[object] = set()
        self._bounds: dict[int, tuple[Expr, Bounds]] = {}
        self._simplifier = Simplifier(self)
        self.linear = Linearizer(self.keys, self._simplifier.simplify)

    # ---- facts

    def bind(self, var: Var, lo: Expr | int | None, hi: Expr | int | None) -> None:
        """`var` is at least `lo` and at most `hi` (None: not known)."""
        low, high = (None if x is None else _end(x) for x in (lo, hi))
        if var in self.ranges:
            self._forget()
        lo_bound = self.const_bounds(low)[0] if low is not None else None
        hi_bound = self.const_bounds(high)[1] if high is not None else None
        self.ranges[var] = (lo_bound, hi_bound)
        ends = [None if x is None or isinstance(x, IntImm) else x for x in (low, high)]
        if ends[0] is None and ends[1] is None:
            self.symbolic.pop(var, None)
        else:
            self.symbolic[var] = (ends[0], ends[1])

    def bind_extent(self, var: Var, start: Expr | int, extent: Expr | int) -> None:
        """`var` runs over `extent` integers from `start` on."""
        lo, n = convert(start), convert(extent)
        self.bind(var, lo, self.simplify(ops.sub(ops.add(lo, n), 1)))

    @contextmanager
    def assume(self, cond: Expr) -> Iterator[None]:
        """Take `cond` to hold inside the block."""
        saved = (self.ranges, self.facts, self.known_true, self._bounds, self._simplifier.memo)
        self.ranges, self.facts, self.known_true = dict(self.ranges), list(self.facts), set(self.known_true)
        self._bounds, self._simplifier.memo = {}, {}
        self._learn(cond)
        self._forget()
        try:
            yield
        finally:
            self.ranges, self.facts, self.known_true, self._bounds, self._simplifier.memo = saved

    def _forget(self) -> None:
        self._bounds, self._simplifier.memo = {}, {}

    def _learn(self, cond: Expr) -> None:
        match cond:
            case And(a, b):
                self._learn(a)
                self._learn(b)
                return
            case Call("likely", (a,)):
                self._learn(a)
                return
            case Not(Or(a, b)):
                self._learn(ops.logical_not(a))
                self._learn(ops.logical_not(b))
                return
            case Not(a):
                opposite = negated(a)
                if opposite is not None:
                    self._learn(opposite)
                return
        if cond.dtype.lanes > 1:
            return
        self.known_true.add(self.keys(cond))
        for below in _as_nonpositive(cond):
            fact = self.linear.of(below)
            self.facts.append(fact)
            self._tighten(fact)

    def _tighten(self, fact: Linear) -> None:
        """A fact about one variable, c*v + k <= 0, narrows its range."""
        if len(fact.terms) != 1:
            return
        (t,) = fact.terms.values()
        if len(t.atoms) != 1 or not isinstance(t.atoms[0], Var):
            return
        v = t.atoms[0]
        lo, hi = self.ranges.get(v, UNKNOWN)
        if t.coeff > 0:
            limit = -fact.const // t.coeff
            hi = limit if hi is None else min(hi, limit)
        else:
            limit = -(-fact.const // -t.coeff)
            lo = limit if lo is None else max(lo, limit)
        self.ranges[v] = (lo, hi)

    # ---- simplification

    @property
    def rules_used(self) -> set[str]:
        return self._simplifier.used

    def simplify(self, e: Expr) -> Expr:
        """An equal expression in canonical form; `e` itself when it is that already."""
        return self._simplifier.simplify(e)

    # ---- bounds

    def const_bounds(self, e: Expr) -> Bounds:
        """Constants that an integer expression never passes, from below and from above (None: not known)."""
        if isinstance(e, IntImm):
            return e.value, e.value
        if isinstance(e, Var):
            return self.ranges.get(e, UNKNOWN)
        known = self._bounds.get(id(e))
        if known is None:
            known = self._bounds[id(e)] = (e, self._find_bounds(e))
        return known[1]

    def _find_bounds(self, e: Expr) -> Bounds:
        if not e.dtype.is_int or e.dtype.lanes > 1:
            return self._lane_bounds(e)
        if e.dtype.kind != "int" or e.dtype.bits < 32:
            return e.dtype.min_value(), e.dtype.max_value()
        return self.linear_bounds(self.linear.of(e))

    def _lane_bounds(self, e: Expr) -> Bounds:
        match e:
            case Broadcast(value):
                return self.const_bounds(value)
            case Ramp(base, stride, lanes):
                last = ops.add(base, ops.mul(stride, lanes - 1))
                a, b = self.const_bounds(base), self.const_bounds(last)
                return hull(a, b)
        return UNKNOWN

    def linear_bounds(self, s: Linear) -> Bounds:
        """Bounds of a linear sum, from the bounds of its terms."""
        lo: Bound = s.const
        hi: Bound = s.const
        for t in _rounded(s).terms.values():
            low, high = self._product_bounds(t)
            if t.coeff < 0:
                low, high = high, low
            lo = None if lo is None or low is None else lo + t.coeff * low
            hi = None if hi is None or high is None else hi + t.coeff * high
        for fact in self.facts:
            rest = s.copy().add(fact, -1)
            if rest.is_const:  # s = fact + c <= c
                hi = rest.const if hi is None else min(hi, rest.const)
            rest = s.copy().add(fact)
            if rest.is_const:  # s = c - fact >= c
                lo = rest.const if lo is None else max(lo, rest.const)
        return lo, hi

    def _product_bounds(self, t: Term) -> Bounds:
        bounds = self._atom_bounds(t.atoms[0])
        for a in t.atoms[1:]:
            bounds = _times(bounds, self._atom_bounds(a))
        return bounds

    def _atom_bounds(self, e: Expr) -> Bounds:
        if isinstance(e, Var):
            return self.ranges.get(e, UNKNOWN)
        match e:
            case FloorDiv(a, b) | Div(a, b):
                return _quotient(self.const_bounds(a), self.const_bounds(b))
            case FloorMod(a, b) | Mod(a, b):
                return self._remainder(e, self.const_bounds(a), self.const_bounds(b))
            case Min(a, b):
                (p, q), (r, s) = self.const_bounds(a), self.const_bounds(b)
                low = None if p is None or r is None else min(p, r)
                return low, min((x for x in (q, s) if x is not None), default=None)
            case Max(a, b):
                (p, q), (r, s) = self.const_bounds(a), self.const_bounds(b)
                high = None if q is None or s is None else max(q, s)
                return max((x for x in (p, r) if x is not None), default=None), high
            case Select(_, a, b) | Call("if_then_else", (_, a, b)):
                return hull(self.const_bounds(a), self.const_bounds(b))
            case Cast(a) if a.dtype.is_int and e.dtype.is_int:
                lo, hi = self.const_bounds(a)
                least, most = e.dtype.min_value(), e.dtype.max_value()
                fits = lo is not None and hi is not None and least <= lo and hi <= most
                widens = e.dtype.bits >= a.dtype.bits and a.dtype.kind == e.dtype.kind
                return (lo, hi) if fits or widens else UNKNOWN
            case Cast(a) if a.dtype.is_bool:
                return 0, 1
            case Let(_, _, body):
                return self.const_bounds(body)
            case BufferLoad() | ProducerLoad() if e.dtype.bits < 32:
                return e.dtype.min_value(), e.dtype.max_value()
        return UNKNOWN

    def _remainder(self, e: Expr, a: Bounds, b: Bounds) -> Bounds:
        if b[0] is None or b[0] <= 0:
            return UNKNOWN
        high = None if b[1] is None else b[1] - 1
        if isinstance(e, FloorMod):
            if a[0] is not None and a[0] >= 0 and a[1] is not None:
                high = a[1] if high is None else min(high, a[1])
            return 0, high
        low = 0 if a[0] is not None and a[0] >= 0 else (None if high is None else -high)
        return low, high

    # ---- proofs

    def can_prove(self, cond: Expr) -> bool:
        """Whether `cond` certainly holds for all values that the facts allow."""
        match cond:
            case IntImm(value):
                return value == 1
            case Broadcast(value):
                return self.can_prove(value)
            case And(a, b):
                return self.can_prove(a) and self.can_prove(b)
            case Or(a, b):
                return self.can_prove(a) or self.can_prove(b)
            case Call("likely", (a,)):
                return self.can_prove(a)
            case Not(a):
                opposite = negated(a)
                return opposite is not None and self.can_prove(opposite)
        if self.known_true and self.keys(cond) in self.known_true:
            return True
        wanted = _as_nonpositive(cond)
        if wanted:
            return all(self._nonpositive(w, 3) for w in wanted) or self._ordered_quotients(cond)
        if isinstance(cond, NE) and cond.a.dtype.is_int:
            lo, hi = self.const_bounds(ops.sub(cond.a, cond.b))
            return (lo is not None and lo > 0) or (hi is not None and hi < 0)
        return False

    def _ordered_quotients(self, cond: Expr) -> bool:
        """a // c <= b // c when a <= b, for c > 0."""
        match cond:
            case LE(FloorDiv(a, IntImm(c)), FloorDiv(b, IntImm(d))) if c == d > 0:
                return self.can_prove(ops.less_equal(a, b))
            case GE(FloorDiv(a, IntImm(c)), FloorDiv(b, IntImm(d))) if c == d > 0:
                return self.can_prove(ops.greater_equal(a, b))
        return False

    def _nonpositive(self, e: Expr, depth: int) -> bool:
        """Whether e <= 0."""
        if e.dtype.kind != "int" or e.dtype.bits < 32:
            return False
        return self._linear_nonpositive(self.linear.of(e), depth)

    def _linear_nonpositive(self, s: Linear, depth: int) -> bool:
        hi = self.linear_bounds(s)[1]
        if hi is not None:
            return hi <= 0 or (depth > 0 and self._by_branches(s, depth))
        return depth > 0 and (self._by_branches(s, depth) or self._by_symbolic_bounds(s, depth))

    def _by_branches(self, s: Linear, depth: int) -> bool:
        """A sum with a min or max is small when the branches that matter are."""
        for key, t in s.terms.items():
            if len(t.atoms) != 1 or not isinstance(t.atoms[0], Min | Max):
                continue
            atom = t.atoms[0]
            proofs = []
            for branch in (atom.a, atom.b):
                other = s.copy()
                del other.terms[key]
                other.add(self.linear.of(branch), t.coeff)
                proofs.append(self._linear_nonpositive(other, depth - 1))
            either = isinstance(atom, Min) == (t.coeff > 0)  # the smaller one: any branch will do
            return any(proofs) if either else all(proofs)
        return False

    def _by_symbolic_bounds(self, s: Linear, depth: int) -> bool:
        """Put the bound of a variable, which is an expression, in its place."""
        for v in reversed(self.symbolic):
            t = s.terms.get((id(v),))
            if t is None:
                continue
            lo, hi = self.symbolic[v]
            bound = hi if t.coeff > 0 else lo
            if bound is None:
                continue
            other = s.copy()
            del other.terms[(id(v),)]
            other.add(self.linear.of(bound), t.coeff)
            if self._linear_nonpositive(self.linear._join(other), depth - 1 if depth < 2 else depth):
                return True
        return False


# ---------------------------------------------------------------- helpers


def _end(x: Expr | int) -> Expr:
    """The end of a range; a number may be larger than any dtype has it."""
    return IntImm(x, INT64) if isinstance(x, int) else convert(x)


def negated(cond: Expr) -> Expr | None:
    """The opposite of a comparison, or None for another condition."""
    match cond:
        case LT(a, b):
            return ops.greater_equal(a, b)
        case LE(a, b):
            return ops.greater(a, b)
        case GT(a, b):
            return ops.less_equal(a, b)
        case GE(a, b):
            return ops.less(a, b)
        case EQ(a, b):
            return ops.not_equal(a, b)
        case NE(a, b):
            return ops.equal(a, b)
        case Not(a):
            return a
        case Call("likely", (a,)):
            return negated(a)
    return None


def _as_nonpositive(cond: Expr) -> list[Expr]:
    """Expressions that are all <= 0 exactly when the integer comparison `cond` holds; [] for others."""
    if not isinstance(cond, LT | LE | GT | GE | EQ):
        return []
    a, b = cond.a, cond.b
    if not a.dtype.is_int or a.dtype.lanes > 1 or a.dtype.kind != "int" or a.dtype.bits < 32:
        return []
    match cond:
        case LT():
            return [ops.add(ops.sub(a, b), 1)]
        case LE():
            return [ops.sub(a, b)]
        case GT():
            return [ops.add(ops.sub(b, a), 1)]
        case GE():
            return [ops.sub(b, a)]
    return [ops.sub(a, b), ops.sub(b, a)]


def _rounded(s: Linear) -> Linear:
    """(n // c)*c*k - n*k is -(n % c)*k: written so, it is bounded when n is not."""
    for key, t in s.terms.items():
        match t.atoms:
            case (FloorDiv(Var() as n, IntImm(c)),) if c > 0 and t.coeff % c == 0:
                other = s.terms.get((id(n),))
                if other is not None and other.coeff == -t.coeff // c:
                    made = s.copy()
                    del made.terms[key]
                    del made.terms[(id(n),)]
                    atom = FloorMod(n, const(c, n.dtype), n.dtype)
                    made.add_term((("rounded", id(n), c),), (atom,), other.coeff)
                    return made
    return s


def hull(a: Bounds, b: Bounds) -> Bounds:
    """Bounds of a value that is one of two."""
    lo = None if a[0] is None or b[0] is None else min(a[0], b[0])
    hi = None if a[1] is None or b[1] is None else max(a[1], b[1])
    return lo, hi


def _times(a: Bounds, b: Bounds) -> Bounds:
    if a[0] is not None and b[0] is not None and a[0] >= 0 and b[0] >= 0:
        return a[0] * b[0], None if a[1] is None or b[1] is None else a[1] * b[1]
    if None in (*a, *b):
        return UNKNOWN
    products = [x * y for x in a for y in b if x is not None and y is not None]
    return min(products), max(products)


def _quotient(a: Bounds, b: Bounds) -> Bounds:
    """Bounds of a // b (and of the truncating quotient, which lies between) for positive b."""
    if b[0] is None or b[0] <= 0 or (b[1] is not None and b[1] < b[0]):  # no value at all: a dead branch
        return UNKNOWN
    ends = [b[0]] if b[1] is None else [b[0], b[1]]
    lo = None if a[0] is None else min(a[0] // d for d in ends)
    hi = None if a[1] is None else max(a[1] // d for d in ends)
    if lo is not None and b[1] is None:
        lo = min(lo, 0) if lo >= 0 else lo
    if hi is not None and b[1] is None and hi < 0:
        hi = -1
    if hi is not None and hi < 0:
        hi = 0  # a truncating quotient rounds up to 0
    return lo, hi
