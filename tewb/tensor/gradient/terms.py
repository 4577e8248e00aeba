"""Terms of a derivative: what one read of an input adds to each element x of the input's derivative.

    B[2 * i + r] read for i < n, r < 3, with the factor W[r]

adds to x the sum of  head[i] * W[r]  over all i and r with 2 * i + r = x. The equations leave loops over those only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from tewb.arith import Analyzer
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Call,
    Compare,
    Expr,
    IntImm,
    IterVar,
    Max,
    Min,
    Not,
    Or,
    Select,
    Var,
    conjuncts,
    const,
    const_int,
    free_vars,
    ops,
    rewriter,
    substitute,
    uses,
    visit,
)
from tewb.tensor.gradient.equations import NoSolution, System, Unknown
from tewb.tensor.gradient.forms import Form, Forms
from tewb.tensor.gradient.placement import Solution, placed
from tewb.tensor.gradient.symbolic_strides import Equation, without_symbolic_strides

_MOST_CASES = 16  # of indices that are min, max or select: more are compared with x for all iterations


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """`value` is added at `index`, for all values of the unknowns for which `conditions` hold."""

    unknowns: tuple[Unknown, ...]
    index: tuple[Expr, ...]
    conditions: tuple[Expr, ...]
    value: Expr


@dataclass(slots=True)
class Sum:
    """The sum of `value` over `loops`, in whose order they may depend on each other, where all of `conditions` hold."""

    value: Expr
    loops: list[Unknown] = field(default_factory=list)
    conditions: list[Expr] = field(default_factory=list)

    @property
    def guarded(self) -> Expr:
        """The value, or zero where a condition does not hold."""
        if not self.conditions:
            return self.value
        return ops.select(ops.all_of(*self.conditions), self.value, const(0.0, self.value.dtype))


def cases(term: Term) -> list[Term]:
    """The term as several, in whose indices no minimum, maximum or select chooses among the unknowns.

        at max(i - 1, 0)      ->      at i - 1 where i - 1 >= 0,  at 0 where i - 1 < 0

    An index stays whole where what is chosen is no sum of the unknowns.
    """
    forms = Forms({u.var for u in term.unknowns}, Analyzer())
    done: list[Term] = [term]
    for d, e in enumerate(term.index):
        chosen = _alternatives(e, [u.var for u in term.unknowns])
        few = len(chosen) > 1 and len(chosen) * len(done) <= _MOST_CASES
        if few and all(forms.of(value) is not None for _, value in chosen):
            done = [_with_index(t, d, value, conditions) for t in done for conditions, value in chosen]
    return done


Alternative = tuple[tuple[Expr, ...], Expr]


def _alternatives(e: Expr, variables: Sequence[Var]) -> list[Alternative]:
    """The values of an index, each with the conditions under which it is that."""
    done: list[Alternative] = []
    left: list[Alternative] = [((), e)]
    while left and len(done) + len(left) <= _MOST_CASES:
        conditions, value = left.pop()
        choice = _choice(value, variables)
        if choice is None:
            done.append((conditions, value))
            continue
        condition, first, second = _chosen(choice)
        left.append(((*conditions, _opposite(condition)), _replaced(value, choice, second)))
        left.append(((*conditions, condition), _replaced(value, choice, first)))
    return [((), e)] if left else done


def _choice(e: Expr, variables: Sequence[Var]) -> Expr | None:
    """The first choice in an index, of those inside of others the inner one."""
    found: list[Expr] = []

    def note(n: Expr) -> None:
        is_choice = isinstance(n, Min | Max | Select) or (isinstance(n, Call) and n.op == "if_then_else")
        if is_choice and uses(n, variables):
            found.append(n)

    visit(e, note)
    return found[0] if found else None


def _chosen(choice: Expr) -> tuple[Expr, Expr, Expr]:
    match choice:
        case Min(a, b):
            return ops.less_equal(a, b), a, b
        case Max(a, b):
            return ops.greater_equal(a, b), a, b
    condition, a, b = choice.children()
    return condition, a, b


def _replaced(e: Expr, old: Expr, new: Expr) -> Expr:
    rewrite: Callable[[Expr], Expr] = rewriter(
        {type(old): lambda n: new if n is old else n.map_children(rewrite)}
    )
    return rewrite(e)


def _with_index(t: Term, dimension: int, value: Expr, conditions: tuple[Expr, ...]) -> Term:
    index = (*t.index[:dimension], value, *t.index[dimension + 1 :])
    return Term(t.unknowns, index, (*t.conditions, *conditions), t.value)


_OPPOSITES: dict[type[Compare], Callable[..., Expr]] = {LT: GE, LE: GT, GT: LE, GE: LT, EQ: NE, NE: EQ}


def _opposite(condition: Expr) -> Expr:
    """Not `condition`; of comparisons of integers the opposite one."""
    if isinstance(condition, Compare) and condition.a.dtype.is_int:
        return _OPPOSITES[type(condition)](condition.a, condition.b, condition.dtype)
    return ops.logical_not(condition)


def _plain(condition: Expr) -> Iterator[Expr]:
    """The conditions that all hold where one does, without `not` and `likely`."""
    for c in conjuncts(condition):
        match c:
            case Call("likely", (a,)):
                yield from _plain(a)
            case Not(Or(a, b)):
                yield from _plain(ops.logical_not(a))
                yield from _plain(ops.logical_not(b))
            case Not(a):
                yield _opposite(a)
            case _:
                yield c


def summed(term: Term, axes: Sequence[IterVar], analyzer: Analyzer) -> Sum | None:
    """What `term` adds at the indices `axes`, which the analyzer knows; None when that is nothing."""
    for u in term.unknowns:
        if u.extent is not None:
            analyzer.bind_extent(u.var, u.low, u.extent)
    conditions = [c for given in term.conditions for c in _plain(given)]
    equations: list[Equation] = [(e, iv.var) for e, iv in zip(term.index, axes, strict=True)]
    plain = without_symbolic_strides(equations, [u.var for u in term.unknowns], analyzer)
    wanted = [ops.equal(e, x) for e, x in plain]
    try:
        solution, others = _solved(term.unknowns, wanted, conditions, analyzer)
        return _simplified(solution, others, term.value, analyzer)
    except NoSolution:
        return None


def _solved(
    unknowns: Sequence[Unknown], wanted: list[Expr], conditions: list[Expr], analyzer: Analyzer
) -> tuple[Solution, list[Expr]]:
    """The solution of those equations that are linear, and the other conditions, in terms of the unknowns."""
    forms = Forms({u.var for u in unknowns}, analyzer)
    known = {u.var: u for u in unknowns}
    equations: list[Form] = []
    others: list[Expr] = []
    for c in wanted:
        form = _equation(forms, c)
        if form is None:
            others.append(c)
        else:
            equations.append(form)
    for c in conditions:
        form = _equation(forms, c) if _is_index(c, analyzer) else None
        if form is not None:
            equations.append(form)
            continue
        others.append(c)
        if _is_index(c, analyzer):
            _narrow(known, forms, c)
    for v, (first, last) in forms.ranges.items():
        extent = None if first is None or last is None else const(last - first + 1, v.dtype)
        known[v] = Unknown(v, const(first or 0, v.dtype), extent, implied=v in forms.quotients)
    kept = frozenset(v for u in unknowns if u.fixed for v in _depends_on(u))
    system = System(known, [*equations, *forms.equations], analyzer, kept)
    system.eliminate()
    found = placed(system)
    solution = None if found is None else _in_order(found)
    if solution is None:  # all iterations, and the conditions tell which count
        every = Solution(list(unknowns), {u.var: u.var for u in unknowns})
        return every, [*wanted, *conditions]
    return solution, others


def _equation(forms: Forms, condition: Expr) -> Form | None:
    """A form that is zero where `condition` holds, when it says that two sums are equal."""
    if not isinstance(condition, EQ) or not condition.a.dtype.is_int:
        return None
    a = forms.of(forms.analyzer.simplify(condition.a))
    b = forms.of(forms.analyzer.simplify(condition.b))
    return None if a is None or b is None else b.plus(a, -1)


def _is_index(condition: Expr, analyzer: Analyzer) -> bool:
    """Whether a condition compares integers that do not wrap."""
    if not isinstance(condition, EQ | NE | LT | LE | GT | GE) or not condition.a.dtype.is_int:
        return False
    with analyzer.values():
        return analyzer.is_exact(condition.a) and analyzer.is_exact(condition.b)


def _narrow(known: dict[Var, Unknown], forms: Forms, condition: Expr) -> None:
    """Shorten the range of an unknown, when `condition` compares only it with a number."""
    a, b = forms.of(condition.a), forms.of(condition.b)  # type: ignore[attr-defined]
    if a is None or b is None:
        return
    difference = a.plus(b, -1)
    bound = const_int(forms.analyzer.simplify(difference.rest))
    if bound is None or len(difference.coefficients) != 1:
        return
    ((v, c),) = difference.coefficients.items()
    u = known.get(v)
    low, n = (None, None) if u is None or u.extent is None else (const_int(u.low), const_int(u.extent))
    if u is None or low is None or n is None or u.fixed:
        return
    first, last = _narrower(condition, c, bound, low, low + n - 1)
    if last < first:
        raise NoSolution
    known[v] = Unknown(v, const(first, v.dtype), const(last - first + 1, v.dtype), u.fixed, u.rank)


def _narrower(condition: Expr, c: int, bound: int, first: int, last: int) -> tuple[int, int]:
    """The values v from `first` to `last` for which c * v + bound compares with 0 as in `condition`, if they are all
    next to each other."""
    if isinstance(condition, NE):
        excluded = -bound // c if bound % c == 0 else None
        return first + (excluded == first), last - (excluded == last)
    if isinstance(condition, GT | GE):  # turned around: -c * v - bound is less
        c, bound = -c, -bound
    most = -bound - isinstance(condition, LT | GT)  # c * v <= most
    return (first, min(last, most // c)) if c > 0 else (max(first, -(most // -c)), last)


def _depends_on(u: Unknown) -> list[Var]:
    """The variables in the range of an unknown."""
    return [] if u.extent is None else [*free_vars(u.low), *free_vars(u.extent)]


def _in_order(s: Solution) -> Solution | None:
    """The solution with ranges, and conditions, in terms of the loops before; None when ranges turn in a circle."""
    inside = {loop.var for loop in s.loops}
    done: list[Unknown] = []
    left = list(s.loops)
    while left:
        open_loops = inside - {u.var for u in done}
        ready = None
        for u in left:
            low = substitute(u.low, s.values)
            extent = substitute(u.extent, s.values) if u.extent is not None else None
            moved = Unknown(u.var, low, extent, u.fixed)
            if not any(v in open_loops for v in _depends_on(moved)):
                ready = u
                break
        if ready is None:
            return None
        left.remove(ready)
        done.append(moved)
    return Solution(done, s.values, [substitute(c, s.values) for c in s.conditions])


def _simplified(s: Solution, others: Sequence[Expr], value: Expr, analyzer: Analyzer) -> Sum:
    """The value and the conditions in terms of the loops, without conditions that hold anyway. Raises NoSolution."""
    for loop in s.loops:
        assert loop.extent is not None
        analyzer.bind_extent(loop.var, loop.low, loop.extent)
    kept: list[Expr] = []
    with ExitStack() as facts:
        given = [(c, True) for c in s.conditions]
        for c, is_index in (*given, *((substitute(c, s.values), _is_index(c, analyzer)) for c in others)):
            simple = analyzer.simplify(c) if is_index else analyzer.simplify_value(c)
            if const_int(simple) == 0:
                raise NoSolution
            if isinstance(simple, IntImm) or analyzer.can_prove(simple):
                continue
            kept.append(simple)
            facts.enter_context(analyzer.assume(simple))
        return Sum(analyzer.simplify_value(substitute(value, s.values)), s.loops, kept)
