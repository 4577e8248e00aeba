"""Layouts as functions of indices: where in its memory an element lies, and back.

lambda i, j: [j, i // 4, i % 4]    lays X[i, j] out as X'[axis0, axis1, axis2]    with    i = axis1 * 4 + axis2, j = axis0

A journal keeps such a function as text. It is turned round by its digits: indices, their quotients and remainders, and sums
of these in which each is worth as much as all smaller ones together.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tewb.arith import Analyzer
from tewb.base import (
    INT32,
    INT64,
    DType,
    ScheduleError,
    TewbError,
    UnreadableError,
    any_depth,
    brief,
    python_tree,
)
from tewb.ir import (
    Add,
    Cast,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Mul,
    Sub,
    Var,
    const,
    const_int,
    convert,
    ops,
    script,
    structural_equal,
    substitute,
    uses,
)
from tewb.schedule.integer_text import operation_text, read_integer
from tewb.tensor import index_text

_EXAMPLE = "lambda i, j: [j, i // 4, i % 4]"
MOST_TEXT = 2000


class AxisSeparator:
    """`te.AXIS_SEPARATOR` between the indices of a layout: memory with several dimensions has one for each group. Here
    memory has one, in which the groups lie as they would without."""

    def __repr__(self) -> str:
        return "te.AXIS_SEPARATOR"


AXIS_SEPARATOR = AxisSeparator()


@dataclass(frozen=True, slots=True, eq=False)
class IndexMap:
    """The indices in memory, as expressions of those of the tensor."""

    variables: tuple[Var, ...]
    indices: tuple[Expr, ...]

    def at(self, place: Sequence[Expr]) -> tuple[Expr, ...]:
        """Where the element at `place` lies."""
        values = {v: ops.cast(i, v.dtype) for v, i in zip(self.variables, place, strict=True)}
        return tuple(substitute(e, values) for e in self.indices)


@dataclass(frozen=True, slots=True, eq=False)
class Inverse:
    """The extents of the indices in memory, those of the tensor by variables that stand for these, and the conditions
    under which a place in memory holds an element."""

    extents: tuple[Expr, ...]
    axes: tuple[Var, ...]
    values: tuple[Expr, ...]
    guards: tuple[Expr, ...]


class NotInvertible(Exception):
    """Why an index map cannot be turned round."""


# ---------------------------------------------------------------- text


@any_depth
def map_text(what: object, rank: int, sizes: Mapping[str, Var]) -> str:
    """The text of an index map of `rank` indices, which is given as a function or as text. `sizes` are the variables that it
    may use besides. Raises ScheduleError."""
    if isinstance(what, str):
        names, results = _read(what, rank, sizes)
    elif callable(what):
        names, results = _called(what, rank)
    else:
        raise ScheduleError(f"{brief(repr(what))} is no function of indices", hint=_EXAMPLE)
    given = [_text(e, set(names), {*sizes.values()}) if isinstance(e, Expr) else repr(e) for e in results]
    text = f"lambda {', '.join(names)}: [{', '.join(given)}]"
    if len(text) > MOST_TEXT:
        raise ScheduleError(f"the layout {brief(text)} is longer than {MOST_TEXT} letters", hint=_EXAMPLE)
    return text


def read_map(text: str, rank: int, sizes: Mapping[str, Var], dtype: DType) -> IndexMap:
    """The index map that `text` means, of indices of `dtype`. Raises ScheduleError."""
    variables, results = _read(text, rank, sizes, dtype)
    indices = tuple(e for e in results if isinstance(e, Expr))
    return IndexMap(tuple(variables.values()), indices)


def _called(f: Callable[..., Any], rank: int) -> tuple[dict[str, Var], list[Any]]:
    """What a function returns for variables named as its parameters are: those after `*` are the last indices."""
    params = list(inspect.signature(f).parameters.values())
    first = [p.name for p in params if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    last = [p.name for p in params if p.kind is p.KEYWORD_ONLY]
    several = any(p.kind is p.VAR_POSITIONAL for p in params)
    between = rank - len(first) - len(last)
    if between < 0 or (between and not several):
        raise ScheduleError(
            f"the function takes {len(params)} indices, and the tensor has {rank}", hint=_EXAMPLE
        )
    middle = [n for n in (f"i{d}" for d in range(rank + len(params))) if n not in {*first, *last}][:between]
    variables = {n: Var(n, INT32) for n in (*first, *middle, *last)}
    try:
        result = f(*[variables[n] for n in (*first, *middle)], **{n: variables[n] for n in last})
    except TewbError:
        raise
    except Exception as e:
        raise ScheduleError(f"the function of the layout fails: {e}", hint=_EXAMPLE) from e
    if not isinstance(result, list | tuple):
        raise ScheduleError("the function returns no list of indices", hint=_EXAMPLE)
    return variables, _checked([e if isinstance(e, AxisSeparator) else convert(e) for e in result])


def _read(
    text: str, rank: int, sizes: Mapping[str, Var], dtype: DType = INT32
) -> tuple[dict[str, Var], list[Any]]:
    """The variables and the indices of a map as text."""
    try:
        if len(text) > MOST_TEXT:
            raise ValueError(f"it is longer than {MOST_TEXT} letters")
        (statement,) = python_tree(text).body
        tree = statement.value  # type: ignore[attr-defined]
        names = [a.arg for a in tree.args.args]
        if len(names) != rank or len({*names}) != rank:
            raise ValueError(f"it takes {len(names)} indices, and the tensor has {rank}")
        variables = {n: Var(n, dtype) for n in names}
        known = {**sizes, **variables}
        return variables, _checked([_element(e, known) for e in tree.body.elts])
    except (UnreadableError, ValueError, AttributeError, RecursionError) as e:
        why = str(e) if isinstance(e, ValueError) else "it is no function of indices"
        raise ScheduleError(f"{brief(text)} is no layout: {why}", hint=_EXAMPLE) from None


def _checked(results: list[Any]) -> list[Any]:
    if not any(isinstance(e, Expr) for e in results):
        raise ScheduleError("a layout has at least one index", hint=_EXAMPLE)
    for e in results:
        if isinstance(e, Expr) and not (e.dtype.is_int and e.dtype.lanes == 1):
            raise ScheduleError(
                f"index {index_text(e)} is {e.dtype}, and indices are integers", hint=_EXAMPLE
            )
    return results


@any_depth
def _element(node: ast.AST, known: Mapping[str, Var]) -> Any:
    match node:
        case ast.Attribute(attr="AXIS_SEPARATOR") | ast.Name(id="AXIS_SEPARATOR"):
            return AXIS_SEPARATOR
    return read_integer(node, known, "{} is none of its indices, and no size", "indices")


def _text(e: Expr, names: set[str], sizes: set[Var]) -> str:
    """An index in Python."""
    match e:
        case Var() if e.name in names or e in sizes:
            return e.name
        case Var():
            raise ScheduleError(f"a layout uses {e.name}, which is no size of the program", hint=_EXAMPLE)
        case IntImm(n):
            return str(n)
        case Cast(x, dtype) if x.dtype.is_int and dtype.bits >= x.dtype.bits:
            return _text(x, names, sizes)
    text = operation_text(e, lambda x: _text(x, names, sizes))
    if text is None:
        raise ScheduleError(f"index {script(e)} is not made with + - * // and %", hint=_EXAMPLE)
    return text


# ---------------------------------------------------------------- the other way round


def counts_in(extents: Sequence[Expr]) -> DType:
    """The dtype that holds all indices of a layout of a tensor of these extents."""
    total = 1
    for n in extents:
        known = const_int(n)
        if known is None or n.dtype.bits > 32:
            return INT64
        total *= max(known, 1)
    return INT32 if total < 1 << 30 else INT64


@dataclass(slots=True)
class _Digit:
    """`(base // step) % count`, or all of `base // step` when `count` is None."""

    base: Expr
    step: Expr
    count: Expr | None


@dataclass(slots=True)
class _Solver:
    """What the indices in memory tell of those of the tensor, so far."""

    extents: Mapping[Var, Expr]
    analyzer: Analyzer
    values: dict[Var, Expr] = field(default_factory=dict)
    guards: list[Expr] = field(default_factory=list)
    digits: list[tuple[Expr, list[tuple[_Digit, Expr]]]] = field(default_factory=list)

    def same(self, a: Expr, b: Expr) -> bool:
        x, y = ops.match(a, b)
        return structural_equal(x, y) or self.analyzer.can_prove(ops.equal(x, y))

    def fixed(self, e: Expr) -> bool:
        return not uses(e, self.extents)

    # ---- what indices are made of

    def digit(self, e: Expr) -> _Digit:
        one = const(1, e.dtype)
        match e:
            case FloorDiv(x, c) if self.fixed(c):
                d = self.digit(x)
                if d.count is None:
                    return _Digit(d.base, self.simple(ops.mul(d.step, c)), None)
                if self.divides(c, d.count):
                    return _Digit(
                        d.base, self.simple(ops.mul(d.step, c)), self.simple(ops.floordiv(d.count, c))
                    )
            case FloorMod(x, c) if self.fixed(c):
                d = self.digit(x)
                if d.count is None or self.divides(c, d.count):
                    return _Digit(d.base, d.step, c)
        return _Digit(e, one, None)

    def divides(self, c: Expr, n: Expr) -> bool:
        return self.analyzer.can_prove(ops.equal(ops.floormod(*ops.match(n, c)), 0))

    def simple(self, e: Expr) -> Expr:
        return self.analyzer.simplify(e)

    def terms(self, e: Expr) -> list[tuple[Expr, Expr]]:
        """The summands of an index, each a factor and what it is a factor of."""
        match e:
            case Add(a, b):
                return [*self.terms(a), *self.terms(b)]
            case Mul(a, b) if self.fixed(b):
                return [(self.simple(ops.mul(c, b)), x) for c, x in self.terms(a)]
            case Mul(a, b) if self.fixed(a):
                return [(self.simple(ops.mul(c, a)), x) for c, x in self.terms(b)]
        if isinstance(e, Sub | Mul) or (isinstance(e, IntImm) and e.value != 0):
            raise NotInvertible(f"of {script(e)} it is not known how to find back what it is made of")
        return [] if const_int(e) == 0 else [(const(1, e.dtype), e)]

    def extent(self, e: Expr) -> Expr:
        """How many values an index has: from 0 on."""
        if self.fixed(e):
            if const_int(e) != 0:
                raise NotInvertible(f"index {script(e)} is the same for all elements, and not 0")
            return const(1, e.dtype)
        if isinstance(e, Var):
            return self.extents[e]
        d = self.digit(e)
        if d.base is not e:
            whole = self.extent(d.base)
            return self.count(d, whole)
        one = const(1, e.dtype)
        most = const(0, e.dtype)
        for c, x in self.terms(e):
            most = ops.add(most, ops.mul(c, ops.sub(self.extent(x), one)))
        return self.simple(ops.add(most, one))

    def count(self, d: _Digit, whole: Expr) -> Expr:
        if const_int(d.step) == 1:
            parts = whole
        else:
            parts = self.simple(ops.floordiv(ops.add(whole, ops.sub(d.step, const(1, d.step.dtype))), d.step))
        n, most = const_int(parts), None if d.count is None else const_int(d.count)
        if d.count is None or (n is not None and most is not None and n < most):
            return parts
        return d.count

    # ---- what they tell

    def told(self, e: Expr, value: Expr) -> None:
        """Index `e` is `value`."""
        if self.fixed(e):
            return
        d = self.digit(e)
        if const_int(d.step) == 1 and d.count is None:
            return self.whole(d.base, value)
        for base, found in self.digits:
            if self.same(base, d.base):
                found.append((d, value))
                return None
        self.digits.append((d.base, [(d, value)]))
        return None

    def whole(self, e: Expr, value: Expr) -> None:
        """What a variable or a sum is."""
        if isinstance(e, Var):
            if e in self.values:
                raise NotInvertible(f"{e.name} is told twice")
            self.values[e] = self.simple(value)
            self.guard(e, value)
            return
        terms = [(c, x, self.extent(x)) for c, x in self.terms(e)]
        for _, x, n in terms:
            if const_int(n) == 1:
                self.told(x, const(0, e.dtype))
        terms = [t for t in terms if const_int(t[2]) != 1]
        worth, order = const(1, e.dtype), list[tuple[Expr, Expr, Expr]]()
        while terms:
            c, x, n = found = self.next_term(terms, worth, e)
            terms = [t for t in terms if t is not found]
            order.append(found)
            worth = self.simple(ops.mul(c, n))
        for k, (c, x, _) in enumerate(order):
            part = value if k + 1 == len(order) else ops.floormod(value, order[k + 1][0])
            part = self.simple(ops.floordiv(part, c))
            if not isinstance(x, Var):
                self.guard(x, part)
            self.told(x, part)

    def next_term(
        self, terms: list[tuple[Expr, Expr, Expr]], worth: Expr, e: Expr
    ) -> tuple[Expr, Expr, Expr]:
        """The summand of a sum that is worth as much as the smaller ones together, or more."""
        for t in terms:
            if self.same(t[0], worth):
                return t
        sizes = [(const_int(t[0]), n) for n, t in enumerate(terms)]
        known, least = [c for c, _ in sizes if c is not None], const_int(worth)
        if len(known) == len(sizes) and least is not None and min(known) >= least > 1:
            return terms[min(sizes)[1]]
        raise NotInvertible(
            f"several elements have one index {script(e)}, or it is not known that they have not"
        )

    def guard(self, e: Expr, value: Expr) -> None:
        inside = ops.less(*ops.match(value, self.extent(e)))
        if not self.analyzer.can_prove(inside):
            self.guards.append(inside)

    def join(self) -> bool:
        """Put the digits of something together that are all known. Returns whether there was such a thing."""
        for n, (base, found) in enumerate(self.digits):
            if any(d.count is None for d, _ in found):
                value = self.joined(found)
                if value is not None:
                    del self.digits[n]
                    if not isinstance(base, Var):
                        self.guard(base, value)
                    self.whole(base, value)
                    return True
        return False

    def joined(self, found: list[tuple[_Digit, Expr]]) -> Expr | None:
        """The value whose digits these are, from the last on; None when one is lacking."""
        left = list(found)
        worth: Expr | None = const(1, left[0][1].dtype)
        total: Expr = const(0, left[0][1].dtype)
        while worth is not None:
            d, value = next(((d, v) for d, v in left if self.same(d.step, worth)), (None, None))
            if d is None or value is None:
                return None
            left = [pair for pair in left if pair[0] is not d]
            total = ops.add(*ops.match(ops.mul(*ops.match(value, worth)), total))
            worth = None if d.count is None else self.simple(ops.mul(d.step, d.count))
        return None if left else self.simple(total)


@any_depth
def inverse(m: IndexMap, extents: Sequence[Expr], sizes: Sequence[Var]) -> Inverse:
    """An index map the other way round, for a tensor of these extents. Raises NotInvertible."""
    analyzer = Analyzer()
    for v in sizes:
        analyzer.bind(v, 0, None)
    known = {v: ops.cast(n, v.dtype) for v, n in zip(m.variables, extents, strict=True)}
    solver = _Solver(known, analyzer)
    try:
        counts = tuple(solver.extent(e) for e in m.indices)
        axes = tuple(Var(f"axis{d}", n.dtype) for d, n in enumerate(counts))
        for v, n in zip(axes, counts, strict=True):
            analyzer.bind_extent(v, const(0, n.dtype), n)
        for e, v in zip(m.indices, axes, strict=True):
            solver.told(e, v)
        while solver.join():
            pass
    except TewbError as e:
        raise NotInvertible(str(e).splitlines()[0]) from None
    for v, n in known.items():
        if v not in solver.values:
            if const_int(n) != 1:
                raise NotInvertible(f"{v.name} is not told by the indices in memory")
            solver.values[v] = const(0, v.dtype)
    values = tuple(solver.values[v] for v in m.variables)
    return Inverse(counts, axes, values, tuple(solver.guards))
