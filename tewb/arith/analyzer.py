"""The Analyzer: what is known about integers, and the answers that follow from it.

Bounds follow interval analysis over canonical linear sums; proofs try, in turn, the bounds of a
difference, its min and max branches, the symbolic bounds of its variables, and assumed facts.

Indices are not values. Where an index is computed nothing overflows, and it is an integer like any other; a value
that is stored or compared wraps in its dtype, as in numpy. A canonical sum is right for both, since it equals the
value modulo 2**bits. What orders, divides or bounds it must know that it does not wrap: see `is_exact`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tewb.arith.comparisons import as_nonpositive, negated
from tewb.arith.const_ranges import UNKNOWN, Bound, Bounds, hull, quotient, times
from tewb.arith.keys import Keys
from tewb.arith.linear import Linear, Linearizer, Monomial, Term
from tewb.arith.simplifier import Change, Simplifier
from tewb.base import INT64, DType
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
    Mul,
    Not,
    Or,
    ProducerLoad,
    Ramp,
    Reduce,
    Select,
    Sub,
    Var,
    conjuncts,
    const,
    const_int,
    convert,
    disjuncts,
    ops,
    substitute,
    uses,
    walk,
)

_DATA = (BufferLoad, ProducerLoad, Reduce, Call)

_Terms = frozenset[tuple[Monomial, int]]


class Analyzer:
    """Knows ranges of variables and assumed conditions; simplifies, bounds and proves.

    `rules_used` holds the names of the rewrite rules that fired. Expressions are indices, in which 32 and 64 bit
    arithmetic is taken not to overflow unless elements of arrays are part of it; those that `simplify_value` is
    given are values, which wrap.
    """

    def __init__(self) -> None:
        self.wraps = False  # whether what is looked at is a value
        self.loops: list[Expr] = []  # extents of the loops around, which are at least 1 inside
        self._asked_loops = False  # whether something was concluded from them
        self.keys = Keys()
        self.ranges: dict[Var, Bounds] = {}
        self.symbolic: dict[Var, tuple[Expr | None, Expr | None]] = {}
        self.facts: dict[_Terms, Linear] = {}  # by its terms, a sum that is known to be <= 0
        # The terms of facts, by these without one variable too.
        self._close: dict[_Terms, dict[_Terms, None]] = {}
        self.known_true: set[object] = set()
        # Of indices and of values.
        self._bounds: tuple[dict[int, tuple[Expr, Bounds]], dict[int, tuple[Expr, Bounds]]] = ({}, {})
        self._data: dict[int, tuple[Expr, bool]] = {}
        self._data_variables: set[Var] = set()
        self._reaching: set[Var] = set()  # variables of which it is being asked how far they go
        self._simplifier = Simplifier(self)
        self.linear = Linearizer(self.keys, self._simplifier.simplify, self.is_never_zero, self.is_exact)

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
        if any(x is not None and self.reads_data(x) for x in ends):
            self._data_variables.add(var)
            ends = [x if x is not None and self.is_exact(x) else None for x in ends]
        if ends[0] is None and ends[1] is None:
            self.symbolic.pop(var, None)
        else:
            self.symbolic[var] = (ends[0], ends[1])

    def bind_extent(self, var: Var, start: Expr | int, extent: Expr | int) -> None:
        """`var` runs over `extent` integers from `start` on."""
        lo, n = convert(start), convert(extent)
        last = self.simplify(ops.sub(ops.add(lo, n), 1))
        self.bind(var, lo, last)
        if var in self._data_variables and self.is_exact(lo) and self.is_exact(n):
            self.symbolic[var] = (lo, last)  # inside of the loop n is at least 1, and n - 1 does not wrap

    def bind_value(self, var: Var, value: Expr) -> None:
        """`var` is what `value` is, which wraps."""
        if not value.dtype.is_int or value.dtype.lanes > 1:
            return
        if self.reads_data(value):
            self._data_variables.add(var)
        with self.values():
            self.bind(var, *self.const_bounds(value))

    @contextmanager
    def inside_loop(self, extent: Expr) -> Iterator[None]:
        """The block is about an iteration of a loop of so many, so there is one."""
        self.loops.append(extent)
        try:
            yield
        finally:
            self.loops.pop()
            if self._asked_loops:
                self._asked_loops = bool(self.loops)
                self._forget()

    @contextmanager
    def values(self, wraps: bool = True) -> Iterator[None]:
        """Take expressions for values in the block, or again for indices."""
        before, self.wraps = self.wraps, wraps
        try:
            yield
        finally:
            self.wraps = before

    @contextmanager
    def assume(self, cond: Expr, wraps: bool = False) -> Iterator[None]:
        """Take `cond` to hold inside the block. It compares indices, or with `wraps` values; guards that are marked
        `likely` are about indices in any case."""
        saved = (self.ranges, self.facts, self.known_true, self._bounds, self._simplifier.memo)
        self.ranges, self.facts, self.known_true = dict(self.ranges), dict(self.facts), set(self.known_true)
        self._forget()
        before, self.wraps = self.wraps, wraps
        self._learn(cond)
        self.wraps = before
        self._forget()
        try:
            yield
        finally:
            self.ranges, self.facts, self.known_true, self._bounds, self._simplifier.memo = saved

    def _forget(self) -> None:
        self._bounds = ({}, {})
        self._simplifier.forget()

    def _learn(self, cond: Expr) -> bool:
        """Remember that `cond` holds, and what follows for integers where neither of its sides wraps. Returns whether
        all that can follow was found."""
        match cond:
            case And():
                return self._learn_all(conjuncts(cond))
            case Call("likely", (a,)):
                return self._learn_of_indices(a)
            case Not(Or() as either):
                return self._learn_all([ops.logical_not(c) for c in disjuncts(either)])
            case Not(Call("likely", (a,))):
                return self._learn_of_indices(ops.logical_not(a))
            case Not(a):
                opposite = negated(a)
                return opposite is None or self._learn(opposite)
        if cond.dtype.lanes > 1:
            return True
        self.known_true.add(self.keys(cond))
        wanted = [self.linear.of(below) for below in as_nonpositive(cond)]
        if wanted and not (self.is_exact(cond.a) and self.is_exact(cond.b)):  # type: ignore[attr-defined]
            end = self._within_one_turn(cond)
            if end is None:
                return False
            wanted.append(end)
        for fact in wanted:
            terms = _terms(fact)
            known = self.facts.get(terms)
            if known is None or known.const < fact.const:
                self.facts[terms] = fact
                for fewer in _with_one_less(fact):
                    self._close.setdefault(fewer, {})[terms] = None
            self._tighten(fact)
        return True

    def _learn_all(self, terms: list[Expr]) -> bool:
        """Remember that all of `terms` hold. What one says may be that another does not wrap."""
        later = [c for c in terms if not self._learn(c)]
        return len(later) < len(terms) and all([self._learn(c) for c in later])

    def _learn_of_indices(self, cond: Expr) -> bool:
        before, self.wraps = self.wraps, False
        found = self._learn(cond)
        self.wraps = before
        return found

    def _within_one_turn(self, cond: Expr) -> Linear | None:
        """That x does not wrap, as a sum that is at most 0, where lower <= x says so: a value that wraps would come out
        below all that `lower` can be. For i from 0 on, i*2 >= 1 is such: i*2 is negative once it wraps. Likewise
        x <= upper. None when x may wrap and the comparison hold."""
        match cond:
            case LE(a, b) | GE(b, a) if self.is_exact(a):  # a <= b
                x, other, is_lower = b, a, True
            case LE(a, b) | GE(b, a) if self.is_exact(b):
                x, other, is_lower = a, b, False
            case LT(a, b) | GT(b, a) if self.is_exact(a):
                x, other, is_lower = b, a, True
            case LT(a, b) | GT(b, a) if self.is_exact(b):
                x, other, is_lower = a, b, False
            case _:
                return None
        d, s, t = x.dtype, self.linear.of(x), self.linear.of(other)
        (least, most), (low, high) = self.linear_bounds(s, d), self.linear_bounds(t, d)
        if least is None or most is None or low is None or high is None:
            return None
        turn = 1 << d.bits
        if is_lower and least >= d.min_value() and most - turn < low:
            return s.add(Linear(-d.max_value()))
        if not is_lower and most <= d.max_value() and least + turn > high:
            return Linear(d.min_value()).add(s, -1)
        return None

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

    def simplify_value(self, e: Expr) -> Expr:
        """`simplify` for what is stored or compared: arithmetic that may pass the ends of its dtype is kept."""
        return self._simplified(e, True)

    def simplify_index(self, e: Expr) -> Expr:
        """`simplify` for an index in a value."""
        return self._simplified(e, False)

    def canonical(self, s: Linear, dtype: DType) -> Expr:
        """A sum of simple terms as an expression, which is simple too."""
        return self._simplifier.canonical(s, dtype)

    def explain_simplify(self, e: Expr, is_value: bool = False) -> list[Change]:
        """The steps from `e` to what `simplify` gives (of a value, `simplify_value`), from the inside out."""
        with self.values(is_value):
            return self._simplifier.explain(e)

    def _simplified(self, e: Expr, wraps: bool) -> Expr:
        before, self.wraps = self.wraps, wraps
        try:
            return self._simplifier.simplify(e)
        finally:
            self.wraps = before

    # ---- what wraps

    def reads_data(self, e: Expr) -> bool:
        """Whether elements of arrays are part of `e`."""
        kind = e.__class__
        if kind is IntImm:
            return False
        if kind is Var:
            return e in self._data_variables
        known = self._data.get(id(e))
        if known is None:
            found = kind in _DATA or any([self.reads_data(c) for c in e.children()])
            known = self._data[id(e)] = (e, found)
        return known[1]

    def may_wrap(self, e: Expr) -> bool:
        """Whether `e` is a value, or has one in it."""
        return self.wraps or self.reads_data(e)

    def is_exact(self, e: Expr) -> bool:
        """Whether the sum that `e` is has the value that it has among all integers."""
        if isinstance(e, Var | IntImm):
            return True
        if not self.wraps and not self.reads_data(e):
            return True
        return self._lanes_are_exact(e) if e.dtype.lanes > 1 else self.fits(self.linear.of(e), e.dtype)

    def _lanes_are_exact(self, e: Expr) -> bool:
        ends = self.lane(e, 0), self.lane(e, e.dtype.lanes - 1)
        return all([s is not None and self.fits(s, e.dtype.element) for s in ends])

    def fits(self, s: Linear, dtype: DType) -> bool:
        """Whether a sum of values of `dtype` surely stays in its range."""
        if s.const == 0 and len(s.terms) == 1:
            (t,) = s.terms.values()
            if t.coeff == 1 and len(t.atoms) == 1:
                return True
        lo, hi = self.linear_bounds(s, dtype)
        return lo is not None and hi is not None and dtype.min_value() <= lo and hi <= dtype.max_value()

    def overflow(self, e: Expr) -> tuple[Expr, int] | None:
        """A sum or product in an index, as it is computed, that is known to pass the end of its dtype, and how far it
        goes. Data wraps and is not looked at."""
        for n in walk(self.simplify(e)):
            if not isinstance(n, Add | Sub | Mul) or n.dtype.kind != "int" or self.reads_data(n):
                continue
            for end in self.linear_bounds(self.linear.of(n)):
                if end is not None and not n.dtype.min_value() <= end <= n.dtype.max_value():
                    return n, end
        return None

    def is_never_zero(self, e: Expr) -> bool:
        """Whether `e` is certainly not 0."""
        lo, hi = self.const_bounds(e)
        if (lo is not None and lo > 0) or (hi is not None and hi < 0):
            return True
        loops, self.loops = self.loops, []  # what is asked here is not about what is inside of them
        found = any(self._makes_empty(e, n) for n in loops)
        self.loops = loops
        self._asked_loops = self._asked_loops or found
        return found

    def _makes_empty(self, e: Expr, extent: Expr) -> bool:
        """Whether a loop of this extent has no iteration when `e` is 0."""
        if isinstance(e, Var):
            if not uses(extent, [e]):
                return False
            with self.values(False), self._simplifier.unrecorded():
                most = self.const_bounds(self.simplify(substitute(extent, {e: const(0, e.dtype)})))[1]
            return most is not None and most <= 0
        s, wanted = self.linear.of(extent), self.keys(e)
        return s.const == 0 and all(any(self.keys(a) == wanted for a in t.atoms) for t in s.terms.values())

    # ---- bounds

    def const_bounds(self, e: Expr) -> Bounds:
        """Constants that an integer expression never passes, from below and from above (None: not known)."""
        if isinstance(e, IntImm):
            return e.value, e.value
        if isinstance(e, Var):
            return self.ranges.get(e, UNKNOWN)
        of_kind = self._bounds[self.wraps]
        known = of_kind.get(id(e))
        if known is None:
            known = of_kind[id(e)] = (e, self._find_bounds(e))
        return known[1]

    def _find_bounds(self, e: Expr) -> Bounds:
        d = e.dtype
        if not d.is_int or d.lanes > 1:
            return self._lane_bounds(e)
        if d.kind != "int" or d.bits < 32:
            return d.min_value(), d.max_value()
        if not self.may_wrap(e):
            return self.linear_bounds(self.linear.of(e))
        least, most = d.min_value(), d.max_value()
        lo, hi = self.linear_bounds(self.linear.of(e), d)
        if lo is None or hi is None or lo < least or hi > most:
            return UNKNOWN
        return None if lo == least else lo, None if hi == most else hi

    def _lane_bounds(self, e: Expr) -> Bounds:
        match e:
            case Broadcast(value):
                return self.const_bounds(value)
            case Ramp(_, _, lanes):
                if not self.is_exact(e):
                    return UNKNOWN
                first, last = self.lane(e, 0), self.lane(e, lanes - 1)
                assert first is not None and last is not None
                return hull(self.linear_bounds(first), self.linear_bounds(last))
        return UNKNOWN

    def lane(self, e: Expr, number: int) -> Linear | None:
        """A lane of a vector whose lanes grow evenly, or are all the same; None of another vector."""
        match e:
            case Broadcast(value):
                return self.linear.of(value)
            case Ramp(base, stride, _):
                return self.linear.of(base).add(self.linear.of(stride), number)
        return None

    def linear_bounds(self, s: Linear, dtype: DType | None = None) -> Bounds:
        """Bounds of a linear sum among all integers, from the bounds of its terms. With the `dtype` of these, what is
        not known of them is as far as that goes."""
        lo, hi = self._sum_bounds(s, dtype)
        if not self.facts:
            return lo, hi
        below, above = self.facts.get(_terms(s)), self.facts.get(_terms(s, -1))
        if below is not None:  # s = fact + c <= c
            hi = s.const - below.const if hi is None else min(hi, s.const - below.const)
        if above is not None:  # s = c - fact >= c
            lo = s.const + above.const if lo is None else max(lo, s.const + above.const)
        for fact in self._facts_close_to(s) if dtype is not None else ():
            rest = s.copy().add(fact, -1)
            if _is_variable(rest):  # s = fact + n <= n
                most = self._sum_bounds(rest, dtype)[1]
                hi = most if hi is None or most is None else min(hi, most)
        return lo, hi

    def _facts_close_to(self, s: Linear) -> list[Linear]:
        """Those that may differ from `s` by a variable. After 2,000 checks there are thousands of others."""
        found = {terms for fewer in _with_one_less(s) for terms in self._close.get(fewer, ())}
        return [self.facts[terms] for terms in found if terms in self.facts]

    def _sum_bounds(self, s: Linear, dtype: DType | None) -> Bounds:
        lo: Bound = s.const
        hi: Bound = s.const
        for t in _rounded(s).terms.values():
            low, high = self._product_bounds(t, dtype)
            if t.coeff < 0:
                low, high = high, low
            lo = None if lo is None or low is None else lo + t.coeff * low
            hi = None if hi is None or high is None else hi + t.coeff * high
        return lo, hi

    def _product_bounds(self, t: Term, dtype: DType | None) -> Bounds:
        bounds = self._within(t.atoms[0], dtype)
        for a in t.atoms[1:]:
            bounds = times(bounds, self._within(a, dtype))
        return bounds

    def _within(self, e: Expr, dtype: DType | None) -> Bounds:
        """Bounds of an atom; with a `dtype`, as far as its values go where nothing else is known."""
        lo, hi = self._atom_bounds(e)
        if dtype is None or (lo is not None and hi is not None):
            return lo, hi
        return dtype.min_value() if lo is None else lo, self._reach(e, dtype) if hi is None else hi

    def _reach(self, e: Expr, dtype: DType) -> int:
        """How far an atom goes, since sizes have a largest value. The last iteration of a loop of n is n - 1, and of one
        of (n + 7) // 8 that is an eighth of it."""
        most = None
        match e:
            # A fact such as i == n leads from i to n - 1 and back to i.
            case Var() if (
                e not in self._reaching and (last := self.symbolic.get(e, (None, None))[1]) is not None
            ):
                before, self.wraps = self.wraps, False
                self._reaching.add(e)
                most = self.linear_bounds(self.linear.of(last), dtype)[1]
                self._reaching.discard(e)
                self.wraps = before
            case FloorDiv(a, IntImm(c)) if c > 0 and not self.may_wrap(a):
                most = self.linear_bounds(self.linear.of(a), dtype)[1]
                most = None if most is None else most // c
        return dtype.max_value() if most is None else min(most, dtype.max_value())

    def _atom_bounds(self, e: Expr) -> Bounds:
        if isinstance(e, Var):
            return self.ranges.get(e, UNKNOWN)
        match e:
            case FloorDiv(a, b) | Div(a, b):
                return quotient(self.const_bounds(a), self.const_bounds(b))
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
        return self._can_prove(cond, {})

    def _can_prove(self, cond: Expr, known: dict[Expr, bool]) -> bool:
        """`can_prove`; `known` are the answers for parts of what was asked."""
        match cond:
            case IntImm(value):
                return value == 1
            case Broadcast(value):
                return self._can_prove(value, known)
            case And(a, b) | Or(a, b):
                if cond not in known:
                    first = self._can_prove(a, known)
                    decided = isinstance(cond, Or) == first
                    known[cond] = first if decided else self._can_prove(b, known)
                return known[cond]
            case Call("likely", (a,)):
                return self._can_prove(a, known)
            case Not(a):
                opposite = negated(a)
                return opposite is not None and self._can_prove(opposite, known)
        if self.known_true and self.keys(cond) in self.known_true:
            return True
        wanted = as_nonpositive(cond)
        if wanted:
            return self._in_order(cond, wanted) or self._ordered_quotients(cond)
        if isinstance(cond, NE) and cond.a.dtype.is_int:
            lo, hi = self.const_bounds(ops.sub(cond.a, cond.b))
            return (lo is not None and lo > 0) or (hi is not None and hi < 0)
        return False

    def _in_order(self, cond: Any, wanted: list[Expr]) -> bool:
        """Whether a comparison holds because all of `wanted` are at most 0."""
        if not all(self._nonpositive(w, 3) for w in wanted):
            return False
        if self.is_exact(cond.a) and self.is_exact(cond.b):
            return True
        # Two of the same sum are equal, wrapped or not.
        return isinstance(cond, EQ) and const_int(self.simplify(wanted[0])) == 0

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
                if not self.is_exact(branch):
                    proofs.append(False)
                    continue
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
            self.linear.join(other)
            if self._linear_nonpositive(other, depth - 1 if depth < 2 else depth):
                return True
        return False


# ---------------------------------------------------------------- helpers


def _end(x: Expr | int) -> Expr:
    """The end of a range; a number may be larger than any dtype has it."""
    return IntImm(x, INT64) if isinstance(x, int) else convert(x)


def _terms(s: Linear, sign: int = 1) -> _Terms:
    """The terms of a sum without its constant, in any order."""
    return frozenset([(key, sign * t.coeff) for key, t in s.terms.items()])


def _with_one_less(s: Linear) -> list[_Terms]:
    """The terms of a sum, and these without each of its variables."""
    terms = _terms(s)
    alone = [
        (key, t.coeff) for key, t in s.terms.items() if len(t.atoms) == 1 and isinstance(t.atoms[0], Var)
    ]
    return [terms, *[terms - {term} for term in alone]]


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


def _is_variable(s: Linear) -> bool:
    """Whether a sum is a multiple of a variable, and a constant."""
    return len(s.terms) == 1 and all(
        len(t.atoms) == 1 and isinstance(t.atoms[0], Var) for t in s.terms.values()
    )
