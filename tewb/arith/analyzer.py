"""The Analyzer: facts about integers, and the answers that follow from them.

    learning.py, known_sums.py     what follows from an assumed condition
    sum_bounds.py, atom_bounds.py  bounds, by interval analysis over canonical linear sums
    proofs.py                      whether a condition certainly holds
    simplifier.py, rules/          simplification

Indices are not values. Where an index is computed nothing overflows, and it is an integer like any other; a value
that is stored or compared wraps in its dtype, as in numpy. A canonical sum is right for both, since it equals the
value modulo 2**bits. Ordering, dividing or bounding it is right only where it does not wrap: see `is_exact`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tewb.arith.classic import ClassicQuestions
from tewb.arith.const_ranges import UNKNOWN, Bounds, hull
from tewb.arith.keys import Keys
from tewb.arith.known_sums import KnownSums, is_variable, terms_of
from tewb.arith.learning import learn
from tewb.arith.linear import Linear, Linearizer
from tewb.arith.modular import ModularSet, without_known_remainders
from tewb.arith.proofs import can_prove, upper_bound
from tewb.arith.simplifier import Change, Simplifier
from tewb.arith.sum_bounds import sum_bounds
from tewb.base import INT64, DType
from tewb.ir import (
    Add,
    Broadcast,
    BufferLoad,
    Call,
    Expr,
    IntImm,
    Mul,
    ProducerLoad,
    Ramp,
    Reduce,
    Sub,
    Var,
    const,
    convert,
    ops,
    substitute,
    uses,
    walk,
)

NOT_GIVEN: Any = object()
_DATA = (BufferLoad, ProducerLoad, Reduce, Call)


class Analyzer(ClassicQuestions):
    """Knows ranges of variables and assumed conditions; simplifies, bounds and proves.

    `rules_used` holds the names of the rules that were applied. Expressions are indices, in which 32 and 64 bit
    arithmetic is assumed not to overflow unless elements of arrays are part of it; `simplify_value` takes values,
    which wrap.
    """

    def __init__(self) -> None:
        self.wraps = False  # whether expressions are values now
        self.loops: list[Expr] = []  # extents of the loops around, which are at least 1 inside
        self._asked_loops = False  # whether a conclusion depends on them
        self.keys = Keys()
        self.modular: dict[Var, ModularSet] = {}
        self.ranges: dict[Var, Bounds] = {}
        self.symbolic: dict[Var, tuple[Expr | None, Expr | None]] = {}
        self.known_sums = KnownSums()
        self.known_true: set[object] = set()
        # The bounds of indices, and those of values.
        self._bounds: tuple[dict[int, tuple[Expr, Bounds]], dict[int, tuple[Expr, Bounds]]] = ({}, {})
        self._data: dict[int, tuple[Expr, bool]] = {}
        self._data_variables: set[Var] = set()
        self.reaching: set[Var] = set()  # variables whose upper bound is being computed
        self._simplifier = Simplifier(self)
        self.linear = Linearizer(self.keys, self._simplifier.simplify, self.is_never_zero, self.is_exact)

    # ---- facts

    def bind(
        self, var: Var, lo: Any, hi: Expr | int | None = NOT_GIVEN, *, allow_override: bool = False
    ) -> None:
        """`var` is at least `lo` and at most `hi` (None: not known). With two arguments, `var` runs over the Range, or
        has the value, that the second one is. What was known of it before is forgotten."""
        if hi is NOT_GIVEN:
            self.bind_to(var, lo)
            return
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
        end = ops.add(lo, n)
        last = self.simplify(ops.sub(end, const(1, end.dtype)))
        self.bind(var, lo, last)
        if var in self._data_variables and self.is_exact(lo) and self.is_exact(n):
            self.symbolic[var] = (lo, last)  # inside of the loop n is at least 1, and n - 1 does not wrap

    def bind_value(self, var: Var, value: Expr) -> None:
        """`var` has the value of `value`, which wraps."""
        if not value.dtype.is_int or value.dtype.lanes > 1:
            return
        if self.reads_data(value):
            self._data_variables.add(var)
        with self.values():
            self.bind(var, *self.const_bounds(value))

    @contextmanager
    def inside_loop(self, extent: Expr) -> Iterator[None]:
        """Inside of the block a loop of `extent` iterations runs, so there is at least one."""
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
        """Treat expressions as values in the block, or as indices again."""
        before, self.wraps = self.wraps, wraps
        try:
            yield
        finally:
            self.wraps = before

    @contextmanager
    def assume(self, cond: Expr, wraps: bool = False) -> Iterator[None]:
        """Assume that `cond` holds inside the block. It compares indices, or values with `wraps`; guards marked `likely`
        compare indices in any case."""
        saved = (self.ranges, self.known_sums, self.known_true, self._bounds, self._simplifier.memo)
        self.ranges, self.known_sums, self.known_true = (
            dict(self.ranges),
            self.known_sums.copy(),
            set(self.known_true),
        )
        self.know(cond, wraps)
        try:
            yield
        finally:
            self.ranges, self.known_sums, self.known_true, self._bounds, self._simplifier.memo = saved

    def know(self, cond: Expr, wraps: bool = False) -> None:
        """Know from now on that `cond` holds, as `assume` does inside of a block."""
        self._forget()
        before, self.wraps = self.wraps, wraps
        learn(self, cond)
        self.wraps = before
        self._forget()

    def _forget(self) -> None:
        self._bounds = ({}, {})
        self._simplifier.forget()

    # ---- simplification

    @property
    def rules_used(self) -> set[str]:
        return self._simplifier.used

    def simplify(self, e: Expr, steps: int = 2) -> Expr:
        """An equal expression in canonical form; `e` itself when it is canonical already. `steps` is classic: all are
        taken."""
        if not isinstance(e, Expr):
            e = convert(e)
        return self._simplifier.simplify(without_known_remainders(self, e) if self.modular else e)

    def simplify_value(self, e: Expr) -> Expr:
        """`simplify` for a stored or compared value: arithmetic that may exceed the range of its dtype is kept."""
        return self._simplified(e, True)

    def simplify_index(self, e: Expr) -> Expr:
        """`simplify` for an index in a value."""
        return self._simplified(e, False)

    def canonical(self, s: Linear, dtype: DType) -> Expr:
        """A sum of simple terms as an expression, which is simple too."""
        return self._simplifier.canonical(s, dtype)

    def explain_simplify(self, e: Expr, is_value: bool = False) -> list[Change]:
        """The steps from `e` to the result of `simplify` (`simplify_value` for a value), from the inside out."""
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
        entry = self._data.get(id(e))
        if entry is None:
            reads = kind in _DATA or any([self.reads_data(c) for c in e.children()])
            entry = self._data[id(e)] = (e, reads)
        return entry[1]

    def may_wrap(self, e: Expr) -> bool:
        """Whether `e` is a value or contains one."""
        return self.wraps or self.reads_data(e)

    def is_exact(self, e: Expr) -> bool:
        """Whether `e` has the value that it would have among all integers: it does not wrap."""
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
        """A sum or product in an index, as it is computed, that is known to exceed int64, and its bound. Narrower ones
        are widened where they may exceed their dtype. Data wraps and is ignored."""
        for n in walk(self.simplify(e)):
            if not isinstance(n, Add | Sub | Mul) or n.dtype is not INT64 or self.reads_data(n):
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
        loops, self.loops = self.loops, []  # these questions must not depend on the loops being entered
        follows = any(self._makes_empty(e, n) for n in loops)
        self.loops = loops
        self._asked_loops = self._asked_loops or follows
        return follows

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
        """A constant lower and upper bound of an integer expression (None: not known)."""
        if isinstance(e, IntImm):
            return e.value, e.value
        if isinstance(e, Var):
            return self.ranges.get(e, UNKNOWN)
        of_kind = self._bounds[self.wraps]
        entry = of_kind.get(id(e))
        if entry is None:
            entry = of_kind[id(e)] = (e, self._find_bounds(e))
        return entry[1]

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
        """A lane of a vector whose lanes grow evenly, or are all the same; None for other vectors."""
        match e:
            case Broadcast(value):
                return self.linear.of(value)
            case Ramp(base, stride, _):
                return self.linear.of(base).add(self.linear.of(stride), number)
        return None

    def linear_bounds(self, s: Linear, dtype: DType | None = None) -> Bounds:
        """Bounds of a linear sum among all integers, from the bounds of its terms. With the `dtype` of these, its range
        bounds the terms that nothing else is known of."""
        lo, hi = sum_bounds(self, s, dtype)
        sums = self.known_sums.by_terms
        if not sums:
            return lo, hi
        below, above = sums.get(terms_of(s)), sums.get(terms_of(s, -1))
        if below is not None:  # s = fact + c <= c
            hi = s.const - below.const if hi is None else min(hi, s.const - below.const)
        if above is not None:  # s = c - fact >= c
            lo = s.const + above.const if lo is None else max(lo, s.const + above.const)
        for fact in self.known_sums.close_to(s) if dtype is not None else ():
            rest = s.copy().add(fact, -1)
            if is_variable(rest):  # s = fact + n <= n
                most = sum_bounds(self, rest, dtype)[1]
                hi = most if hi is None or most is None else min(hi, most)
        return lo, hi

    def upper_bound(self, e: Expr) -> int | None:
        """A constant that the index `e` never passes: by symbolic bounds too, which `const_bounds` does not look at."""
        return upper_bound(self, e)

    # ---- proofs

    def can_prove(self, cond: Expr, strength: int = 0) -> bool:
        """Whether `cond` certainly holds for all values that the facts allow. `strength` is classic: all is tried."""
        if not isinstance(cond, Expr):
            cond = convert(cond)
        return can_prove(self, without_known_remainders(self, cond) if self.modular else cond)


def _end(x: Expr | int) -> Expr:
    """The end of a range; a number may be larger than any dtype holds."""
    return IntImm(x, INT64) if isinstance(x, int) else convert(x)
