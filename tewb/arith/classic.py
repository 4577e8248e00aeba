"""What classic TE asked of its Analyzer, in its words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import IntEnum
from typing import Any, NamedTuple

from tewb.arith.modular import UNKNOWN, ModularSet, both, modular_set, narrowed
from tewb.base import TewbError, here
from tewb.ir import Expr, IterVar, Range, Var, convert, ops


class _Ends(NamedTuple):
    min_value: int
    max_value: int


class ConstIntBound(_Ends):
    """The integers from `min_value` to `max_value`, both included; POS_INF and NEG_INF where there is no end."""

    __slots__ = ()
    POS_INF = (1 << 63) - 1
    NEG_INF = -POS_INF


POS_INF, NEG_INF = ConstIntBound.POS_INF, ConstIntBound.NEG_INF


class ProofStrength(IntEnum):
    """How hard `can_prove` tries, by the classic names: it tries all that it can."""

    DEFAULT = 0
    SYMBOLIC_BOUND = 1


class ClassicQuestions:
    """The classic methods of the Analyzer."""

    modular: dict[Var, ModularSet]

    def rewrite_simplify(self: Any, expr: Any) -> Expr:
        """`simplify`: the rules and the canonical sums work together here."""
        simple: Expr = self.simplify(convert(expr))
        return simple

    def canonical_simplify(self: Any, expr: Any) -> Expr:
        """`simplify`: the rules and the canonical sums work together here."""
        simple: Expr = self.simplify(convert(expr))
        return simple

    def can_prove_equal(self: Any, lhs: Any, rhs: Any) -> bool:
        """Whether two expressions certainly have the same value."""
        return lhs is rhs or bool(self.can_prove(ops.equal(lhs, rhs)))

    def const_int_bound(self: Any, expr: Any) -> ConstIntBound:
        """A constant lower and upper bound of an integer expression."""
        lo, hi = self.const_bounds(convert(expr))
        return ConstIntBound(NEG_INF if lo is None else lo, POS_INF if hi is None else hi)

    def int_set(self: Any, expr: Any, dom_map: Any = None) -> Any:
        """The interval of the values of an expression while the variables of `dom_map` are in their sets (IntervalSet,
        Range); without one, in the ranges that are known."""
        from tewb.arith.int_sets import int_set  # intervals ask an Analyzer

        return int_set(self, expr, dom_map)

    def modular_set(self: Any, expr: Any) -> ModularSet:
        """What is known of the remainders of an integer expression: `4*x + 1` is 1 modulo 4."""
        e = convert(expr)
        written, simple = modular_set(self, e), modular_set(self, self.simplify(e))
        return both(written, simple) or written

    def bind_to(self: Any, var: Any, value: Any) -> None:
        """`var` runs over a Range, or has the value of an expression: `bind` with two arguments."""
        if isinstance(var, IterVar):
            var = var.var
        if isinstance(value, Range):
            self.bind_extent(var, value.min, value.extent)
        else:
            value = convert(value)
            known = self.modular_set(value) if value.dtype.is_int else UNKNOWN
            self.bind(var, value, value)
            if known != UNKNOWN:
                self.modular[var] = known

    def update(self: Any, var: Any, info: Any, override: bool = False) -> None:
        """Let `var` have the bounds, or the remainders, of `info`. With `override` they take the place of those known
        before; without, the narrower count."""
        if isinstance(var, IterVar):
            var = var.var
        match info:
            case ModularSet():
                self.modular[var] = info
                self._forget()
            case ConstIntBound(lo, hi):
                low, high = None if lo <= NEG_INF else lo, None if hi >= POS_INF else hi
                if not override:
                    old_lo, old_hi = self.ranges.get(var, (None, None))
                    low = old_lo if low is None else low if old_lo is None else max(low, old_lo)
                    high = old_hi if high is None else high if old_hi is None else min(high, old_hi)
                self.bind(var, low, high)
            case _:
                raise TewbError(
                    f"an Analyzer is updated with a ConstIntBound or a ModularSet, not {info!r}",
                    hint="analyzer.update(x, tvm.arith.ConstIntBound(0, 7))",
                    span=here(),
                )

    def constraint_scope(self: Any, constraint: Any) -> AbstractContextManager[None]:
        """Inside of the block `constraint` holds."""
        return _assuming(self, convert(constraint))


@contextmanager
def _assuming(analyzer: Any, condition: Expr) -> Iterator[None]:
    before = analyzer.modular
    with analyzer.assume(condition):
        analyzer.modular = narrowed(before, condition)
        try:
            yield
        finally:
            analyzer.modular = before
