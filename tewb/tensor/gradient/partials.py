"""The derivative of an expression by the reads in it, from the result back to what it is computed from.

select(c, A[i] * B[i], A[j])    has by A[i] the factor B[i] where c holds, and by A[j] the factor 1 where it does not
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tewb.base import TewbError, here, with_article
from tewb.ir import (
    Add,
    Call,
    Cast,
    Compare,
    Div,
    Expr,
    Let,
    Max,
    Min,
    Mod,
    Mul,
    ProducerLoad,
    Select,
    Sub,
    const,
    intrinsics,
    ops,
    rewriter,
    script,
    substitute,
    visit,
)
from tewb.tensor.gradient.calls import factors


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """`factor`, where all of `conditions` hold, and zero elsewhere. No factor is one."""

    conditions: tuple[Expr, ...] = ()
    factor: Expr | None = None

    def times(self, by: Expr | None) -> Share:
        return Share(self.conditions, product(self.factor, by))

    def where(self, *conditions: Expr) -> Share:
        return Share((*self.conditions, *conditions), self.factor)

    def value(self, dtype: str) -> Expr:
        """The factor as an expression."""
        return const(1.0, dtype) if self.factor is None else self.factor


def product(a: Expr | None, b: Expr | None) -> Expr | None:
    """a * b, where None is one."""
    if a is None or b is None:
        return b if a is None else a
    return ops.mul(a, b)


def total(shares: Sequence[Share], dtype: str) -> Share:
    """The sum of several shares, under the conditions that all of them have."""
    if len(shares) == 1:
        return shares[0]
    common = [c for c in shares[0].conditions if all(any(c is d for d in s.conditions) for s in shares)]
    result: Expr | None = None
    for s in shares:
        own = [c for c in s.conditions if not any(c is d for d in common)]
        value = ops.select(ops.all_of(*own), s.value(dtype), const(0.0, dtype)) if own else s.value(dtype)
        result = value if result is None else ops.add(result, value)
    return Share(tuple(common), result)


def partials(
    e: Expr, is_wanted: Callable[[Expr], bool], start: Share | None = None
) -> list[tuple[Expr, Share]]:
    """The wanted leaves of `e` (reads, or variables) with the derivative of `e` by each, times `start`.

    What a condition, an index or an integer is computed from does not count. Raises TewbError for a call whose
    derivative is not known.
    """
    e = without_lets(e)
    order, relevant = _relevant(e, is_wanted)
    if e not in relevant:
        return []
    shares: dict[Expr, list[Share]] = {e: [start or Share()]}
    found: list[tuple[Expr, Share]] = []
    for n in reversed(order):
        if n not in shares:
            continue
        if is_wanted(n):
            found += [(n, s) for s in shares[n]]
            continue
        share = total(shares[n], n.dtype)
        for part, of_part in _steps(n, share, relevant):
            shares.setdefault(part, []).append(of_part)
    return found


def without_lets(e: Expr) -> Expr:
    """`e` with values in the place of the variables that stand for them."""

    def let(n: Let) -> Expr:
        return rewrite(substitute(n.body, {n.var: n.value}))

    rewrite: Callable[[Expr], Expr] = rewriter({Let: let})
    return rewrite(e)


def _relevant(e: Expr, is_wanted: Callable[[Expr], bool]) -> tuple[list[Expr], set[Expr]]:
    """The nodes of `e`, children first, and those that a wanted leaf reaches through floats."""
    order: dict[Expr, None] = {}
    relevant: set[Expr] = set()

    def note(n: Expr) -> None:
        order.setdefault(n)
        if n.dtype.is_float and (is_wanted(n) or any(p in relevant for p in _parts(n))):
            relevant.add(n)

    visit(e, note)
    return list(order), relevant


def _parts(n: Expr) -> tuple[Expr, ...]:
    """The parts of a node that its value depends on continuously."""
    if isinstance(n, ProducerLoad | Compare):
        return ()
    if isinstance(n, Select):
        return n.then, n.other
    if isinstance(n, Call) and n.op == "if_then_else":
        return n.args[1:]
    parts: tuple[Expr, ...] = n.children()
    return parts


def _steps(n: Expr, share: Share, relevant: set[Expr]) -> list[tuple[Expr, Share]]:
    """The parts of a node that matter, with their shares."""
    match n:
        case Add(a, b):
            steps = [(a, share), (b, share)]
        case Sub(a, b):
            steps = [(a, share), (b, _negative(share, n))]
        case Mul(a, b):
            steps = [(a, share.times(b)), (b, share.times(a))]
        case Div(a, b):
            steps = _of_quotient(n, a, b, share, relevant)
        case Mod(a, b):  # of floats, as fmod
            steps = [(a, share), (b, share.times(ops.neg(intrinsics.trunc(ops.div(a, b)))))]
        case Min(a, b) | Max(a, b):
            first = ops.less_equal(a, b) if isinstance(n, Min) else ops.greater_equal(a, b)
            steps = [(a, share.where(first)), (b, share.where(ops.logical_not(first)))]
        case Select(cond, a, b) | Call("if_then_else", (cond, a, b)):
            steps = [(a, share.where(cond)), (b, share.where(ops.logical_not(cond)))]
        case Cast(a):
            steps = [(a, share)]
        case _:
            steps = _of_call(n, share)
    return [(part, s) for part, s in steps if part in relevant]


def _negative(share: Share, n: Expr) -> Share:
    return Share(share.conditions, const(-1.0, n.dtype) if share.factor is None else ops.neg(share.factor))


def _of_quotient(n: Expr, a: Expr, b: Expr, share: Share, relevant: set[Expr]) -> list[tuple[Expr, Share]]:
    over = Share(share.conditions, ops.div(share.value(n.dtype), b))
    steps = [(a, over)]
    if b in relevant:
        by_divisor = ops.div(share.times(ops.neg(a)).value(n.dtype), ops.mul(b, b))
        steps.append((b, Share(share.conditions, by_divisor)))
    return steps


def _of_call(n: Expr, share: Share) -> list[tuple[Expr, Share]]:
    by = factors(n) if isinstance(n, Call) else None
    if by is None:
        what = f"a call of {_called(n)}" if isinstance(n, Call) else with_article(type(n).__name__)
        raise TewbError(
            f"gradient: the derivative of {what} is not known, in {script(n)}",
            hint="write it with functions of te, or give gradient the tensors behind it as inputs",
            span=here(),
        )
    assert isinstance(n, Call)
    return [(part, share.times(f)) for part, f in zip(n.args, by, strict=True) if f is not None]


def _called(n: Call) -> str:
    """The name of what is called: of external functions their own."""
    name = n.args[0] if n.args else None
    return str(getattr(name, "value", n.op)) if n.op.startswith(("call_", "tvm_call")) else n.op
