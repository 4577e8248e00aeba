"""The engine of simplification: it simplifies the operands of a node, each in its own context, and applies the rules.

A rule of `tewb.arith.rules` says what may be replaced by what. The engine decides which operands are indices and which
are values, simplifies each branch of a choice under its condition, remembers what it has simplified, and records the
rules that it applies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from tewb.arith.linear import Linear
from tewb.arith.rules import SCALARS, VECTORS, WHOLE, Rule
from tewb.base import DType
from tewb.ir import (
    Add,
    And,
    Broadcast,
    BufferLoad,
    Call,
    Expr,
    FloatImm,
    IntImm,
    Let,
    Mul,
    Or,
    ProducerLoad,
    Select,
    Sub,
    Var,
    is_const,
    ops,
)
from tewb.ir.intrinsics import STACK

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer

_MOST_TIMES = 8
_SUMS = (Add, Sub, Mul)
_LEAVES = frozenset((Var, IntImm, FloatImm))

Memo = dict[int, tuple[Expr, Expr]]


class Change(NamedTuple):
    """The application of a rule: the expression before and after."""

    rule: Rule
    before: Expr
    after: Expr


def explain_simplify(e: Expr, facts: Analyzer, is_value: bool = False) -> list[Change]:
    """How `e` becomes simple with what `facts` knows: the rules in the order in which they apply, from the inside out,
    each with the expression before and after.

        (io*32 + ii) // 32 + 0, for 0 <= ii < 32:
            quotient_of_a_bounded_rest   (io*32 + ii) // 32  ->  io
            canonical_sum                io + 0              ->  io

    `e` is an index; with `is_value` a value, which wraps.
    """
    return facts.explain_simplify(e, is_value)


class Simplifier:
    """Applies the rules with the facts of an Analyzer. `memo` holds the results under the present facts, for indices
    and for values; `used` holds the names of the rules that were applied."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self.memo: tuple[Memo, Memo] = ({}, {})
        self.used: set[str] = set()
        self._changes: list[Change] | None = None  # the applied rules, while they are being recorded
        self._choices = 0  # the number of choices around, in the expression that is being simplified
        self._times: dict[
            Expr, int
        ] = {}  # how often each expression was simplified, under different conditions
        self.trusting = True  # whether `likely` marks a guard that lowering made, which compares indices

    def simplify(self, e: Expr) -> Expr:
        if e.__class__ in _LEAVES:
            return e
        analyzer = self.analyzer
        entry = self.memo[analyzer.wraps].get(id(e))
        if entry is not None and entry[0] is e:
            return entry[1]
        if self._choices and self._is_settled(e):
            return e
        simple = self._simplify(e)
        memo = self.memo[analyzer.wraps]
        memo[id(e)] = (e, simple)
        memo[id(simple)] = (simple, simple)
        return simple

    def _simplify(self, e: Expr) -> Expr:
        if e.dtype.lanes == 1:
            whole = self._apply_whole(e)
            if whole is not None:
                return whole
        operands = _OPERANDS.get(e.__class__)
        simple = self._apply(operands(self, e) if operands is not None else e.map_children(self.simplify))
        return e if simple is not e and self.analyzer.keys(simple) == self.analyzer.keys(e) else simple

    # ---- rules

    def _apply_whole(self, e: Expr) -> Expr | None:
        """The result of the first `whole` rule that applies to `e`; None without one."""
        for given, rules in WHOLE.get(e.__class__, ()):
            view = e if given is None else given(e, self.analyzer)
            if view is None:
                continue
            for rule in rules:
                simple = rule.apply(view, self.analyzer)
                if simple is not None:
                    if simple is not e:
                        self._note(rule, e, simple)
                    return simple
        return None

    def _apply(self, n: Expr) -> Expr:
        """`n`, whose operands are simple, after the rules for it."""
        if self._changes is not None:
            return self._apply_recorded(n)
        facts = self.analyzer
        for given, rules in (SCALARS if n.dtype.lanes == 1 else VECTORS).get(n.__class__, ()):
            view = n if given is None else given(n, facts)
            if view is None:
                continue
            for rule in rules:
                after = rule.apply(view, facts)
                if after is not None:
                    self.used.add(rule.name)
                    return self.simplify(after)
        return n

    def canonical(self, s: Linear, dtype: DType) -> Expr:
        """A sum of simple terms as an expression, which is not simplified again."""
        simple = self.analyzer.linear.expr(s, dtype)
        self.memo[self.analyzer.wraps][id(simple)] = (simple, simple)
        return simple

    def forget(self) -> None:
        """Drop the memo: with new facts, expressions may become simpler."""
        self.memo = ({}, {})
        if not self._choices:
            self._times = {}

    def _is_settled(self, e: Expr) -> bool:
        """Whether `e`, which nested choices share, has been simplified often enough: under n conditions a part may be
        met in 2**n ways, and leaving it as it is is always right."""
        times = self._times[e] = self._times.get(e, 0) + 1
        return times > _MOST_TIMES

    # ---- the record of applied rules

    def explain(self, e: Expr) -> list[Change]:
        """The changes that make `e` simple, from the inside out."""
        memo, outer = self.memo, self._changes
        self.memo, self._changes = ({}, {}), []
        try:
            self.simplify(e)
            return self._changes
        finally:
            self.memo, self._changes = memo, outer

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Simplification in the block is not recorded: it serves conditions of rules."""
        memo, changes = self.memo, self._changes
        self._changes = None
        if changes is not None:  # so that expressions simplified here are recorded when they are met later
            self.memo = (dict(memo[0]), dict(memo[1]))
        try:
            yield
        finally:
            self.memo, self._changes = memo, changes

    def _apply_recorded(self, n: Expr) -> Expr:
        """`_apply`, with a record of the rule, but not of the simplification for its condition."""
        facts = self.analyzer
        for given, rules in (SCALARS if n.dtype.lanes == 1 else VECTORS).get(n.__class__, ()):
            for rule in rules:
                with self.unrecorded():
                    view = n if given is None else given(n, facts)
                    after = None if view is None else rule.apply(view, facts)
                if after is not None:
                    self._note(rule, n, after)
                    return self.simplify(after)
        return n

    def _note(self, rule: Rule, before: Expr, after: Expr) -> None:
        self.used.add(rule.name)
        if self._changes is not None:
            if isinstance(before, _SUMS):
                with self.unrecorded():
                    before = self._with_simple_atoms(before)
            if self.analyzer.keys(before) != self.analyzer.keys(after):
                self._changes.append(Change(rule, before, after))

    def _with_simple_atoms(self, e: Expr) -> Expr:
        """A sum with simple terms, before it is put in order itself. The rules for its terms are recorded already."""
        return e.map_children(self._with_simple_atoms) if isinstance(e, _SUMS) else self.simplify(e)

    # ---- operands: indices, values, conditions

    def index(self, e: Expr) -> Expr:
        """`e` with simpler children, which are indices, sizes and addresses."""
        analyzer = self.analyzer
        before, analyzer.wraps = analyzer.wraps, False
        try:
            return e.map_children(self.simplify)
        finally:
            analyzer.wraps = before

    def condition(self, cond: Expr) -> Expr:
        """The condition of a choice, which compares values, even where an index is chosen or a user marks it `likely`."""
        before, self.trusting = self.trusting, False
        try:
            return self.analyzer.simplify_value(cond)
        finally:
            self.trusting = before

    def guard(self, cond: Expr) -> Expr:
        """The condition in a `likely`."""
        return self.analyzer.simplify_index(cond) if self.trusting else self.simplify(cond)

    def connective(self, e: And | Or) -> Expr:
        """The second condition is simplified when the first does not decide."""
        a = self.simplify(e.a)
        decides = isinstance(a, IntImm) and bool(a.value) == isinstance(e, Or)
        b = e.b if decides else self.simplify(e.b)
        return e if a is e.a and b is e.b else type(e)(a, b, e.dtype)

    def select(self, e: Select) -> Expr:
        cond = self.condition(e.cond)
        if _is_decided(cond):
            return Select(cond, e.then, e.other, e.dtype)
        then, other = self.simplify(e.then), self.simplify(e.other)
        same = cond is e.cond and then is e.then and other is e.other
        return e if same else Select(cond, then, other, e.dtype)

    def call(self, e: Call) -> Expr:
        if e.op in STACK:
            return self.index(e)
        if e.op == "likely":
            return e.map_children(self.guard)
        if e.op == "if_then_else":
            return self._if_then_else(e)
        return e.map_children(self.simplify)

    def _if_then_else(self, e: Call) -> Expr:
        cond = self.condition(e.args[0])
        if _is_decided(cond):
            return Call(e.op, (cond, *e.args[1:]), e.dtype)
        if e.dtype.lanes > 1:
            then, other = self.simplify(e.args[1]), self.simplify(e.args[2])
        else:
            then, other = self._branches(cond, e)
        args = (cond, then, other)
        return e if all(x is y for x, y in zip(args, e.args, strict=True)) else Call(e.op, args, e.dtype)

    def _branches(self, cond: Expr, e: Call) -> tuple[Expr, Expr]:
        """Both branches of a choice, each where its condition holds."""
        self._choices += 1
        try:
            with self.analyzer.assume(unlikely(cond), wraps=True):
                then = self.simplify(e.args[1])
            with self.analyzer.assume(ops.logical_not(unlikely(cond)), wraps=True):
                other = self.simplify(e.args[2])
        finally:
            self._choices -= 1
        return then, other

    def let(self, e: Let) -> Expr:
        value = self.simplify(e.value)
        self.analyzer.bind_value(e.var, value)
        body = self.simplify(e.body)
        return e if value is e.value and body is e.body else Let(e.var, value, body, e.dtype)


def unlikely(cond: Expr) -> Expr:
    """A condition without `likely`, so that it compares values."""
    match cond:
        case Call("likely", (a,)):
            return a
        case And(a, b):
            return ops.logical_and(unlikely(a), unlikely(b))
    return cond


def _is_decided(cond: Expr) -> bool:
    """Whether a condition is a constant, in all lanes the same."""
    return cond.__class__ in (IntImm, Broadcast) and is_const(cond)


_OPERANDS: dict[type, Callable[[Simplifier, Any], Expr]] = {
    And: Simplifier.connective,
    Or: Simplifier.connective,
    Select: Simplifier.select,
    Call: Simplifier.call,
    Let: Simplifier.let,
    BufferLoad: Simplifier.index,
    ProducerLoad: Simplifier.index,
}
