"""Sets of integers with gaps: sums of steps, as the digits of a number are sums of powers.

    i*16 + j, i < 4, j < 3    ->    ((3, 1), (4, 16)): 0 1 2, 16 17 18, 32 33 34, 48 49 50

A digit (count, step) runs from 0 to count - 1, and a larger digit steps over all that the smaller ones reach. So each
integer of the set has one place in the order, and a box of such sets can be kept without the gaps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from tewb.ir import Expr, const, const_int, is_same_expression, ops

# (count, step), smallest step first. The last count may be an expression. () is {0}.
Steps = tuple[tuple[int | Expr, int], ...]

_MOST = 64  # elements of sets that are joined one by one


def all_steps(extent: Expr) -> Steps | None:
    """0, 1, ..., extent - 1. None where there are none."""
    n = const_int(extent)
    if n is None:
        return ((extent, 1),)
    return None if n <= 0 else () if n == 1 else ((n, 1),)


def scaled(s: Steps, by: int) -> Steps:
    """The set of k*by for k in `s`; for a negative `by`, of what these are above the smallest."""
    return tuple([(n, step * abs(by)) for n, step in s]) if by else ()


def span(s: Steps) -> int | None:
    """The largest integer of the set; None for a symbolic one."""
    total = 0
    for n, step in s:
        if not isinstance(n, int):
            return None
        total += (n - 1) * step
    return total


def sum_of(p: Steps | None, q: Steps | None) -> Steps | None:
    """A set that covers a + b for a in p and b in q, and has the same span; None where none is known."""
    if p is None or q is None:
        return None
    if not p or not q:
        return p or q
    digits: list[tuple[int | Expr, int]] = []
    reach = 0  # of the digits so far
    for n, step in sorted([*p, *q], key=lambda digit: digit[1]):
        if digits and not isinstance(digits[-1][0], int):
            return None  # how far a symbolic digit reaches is not known
        if not digits or step > reach:
            digits.append((n, step))
        else:
            count, smaller = digits[-1]
            assert isinstance(count, int)
            if step % smaller or step > count * smaller:  # neither apart nor side by side
                divisor = math.gcd(step, *(d for _, d in digits))
                digits, count, smaller = [], reach // divisor + 1, divisor
            else:
                digits.pop()
            more = step // smaller
            longer = (
                count + (n - 1) * more if isinstance(n, int) else ops.add(ops.mul(ops.sub(n, 1), more), count)
            )
            digits.append((longer, smaller))
        if isinstance(n, int):
            reach += (n - 1) * step
    return _side_by_side(digits)


def _side_by_side(digits: Sequence[tuple[int | Expr, int]]) -> Steps:
    """Digits that go on where the smaller one ends are one."""
    joined: list[tuple[int | Expr, int]] = []
    for n, step in digits:
        if joined:
            count, smaller = joined[-1]
            if isinstance(count, int) and count * smaller == step:
                joined[-1] = (count * n if isinstance(n, int) else ops.mul(n, count), smaller)
                continue
        joined.append((n, step))
    return tuple(joined)


def union_of(p: Steps | None, q: Steps | None, distance: int) -> Steps | None:
    """A set that covers p, and q moved up by `distance`, and ends where the farther one does; None where none is known."""
    if p is None or q is None:
        return None
    if is_same(p, q):
        return sum_of(p, ((2, distance),)) if distance else p
    ends = span(p), span(q)
    if ends[0] is None or ends[1] is None:
        return None
    if _size(p) <= _MOST and _size(q) <= _MOST:
        return _digits_of(sorted({*values_of(p), *(distance + x for x in values_of(q))}))
    divisor = math.gcd(distance, *(d for _, d in (*p, *q)))
    return ((max(ends[0], ends[1] + distance) // divisor + 1, divisor),)


def is_same(p: Steps | None, q: Steps | None) -> bool:
    """Whether two sets have the same digits."""
    if p is q:
        return True
    if p is None or q is None or len(p) != len(q):
        return False
    return all([d == e and _same_count(n, m) for (n, d), (m, e) in zip(p, q, strict=True)])


def _same_count(n: int | Expr, m: int | Expr) -> bool:
    if isinstance(n, int) or isinstance(m, int):
        return isinstance(n, int) and isinstance(m, int) and n == m
    return is_same_expression(n, m)


def _size(s: Steps) -> int:
    return math.prod(n for n, _ in s if isinstance(n, int))


def values_of(s: Steps) -> list[int]:
    """The integers of a set of constant size, in order."""
    digits = [range(0, n * step, step) for n, step in reversed(s) if isinstance(n, int)]
    return [sum(at) for at in product(*digits)]


def _digits_of(values: list[int]) -> Steps:
    """The digits of a sorted set that begins with 0; where it has none, those of a set around it."""
    digits: list[tuple[int | Expr, int]] = []
    left = values
    while len(left) > 1:
        step, known, n = left[1] - left[0], set(left), 2
        while n * step in known:
            n += 1
        first = left[::n]
        if left != [x + k * step for x in first for k in range(n)]:
            divisor = math.gcd(*values)
            return ((values[-1] // divisor + 1, divisor),)
        digits.append((n, step))
        left = first
    return tuple(digits)


# ---------------------------------------------------------------- places in the order


def has_gaps(s: Steps) -> bool:
    """Whether integers are left out between the first and the last."""
    return len(s) > 1 or (len(s) == 1 and s[0][1] > 1)


def count_of(s: Steps) -> int | Expr:
    """How many integers the set has."""
    total: int | Expr = 1
    for n, _ in s:
        total = n * total if isinstance(n, int) and isinstance(total, int) else ops.mul(n, total)
    return total


def leaves_out_half(s: Steps) -> bool:
    """Whether at most every second integer is in the set."""
    inner = math.prod(n for n, _ in s[:-1] if isinstance(n, int))
    return bool(s) and 2 * inner <= s[-1][1]


def at_place(s: Steps, place: Expr) -> Expr:
    """The integer at a place in the order, counted from 0."""
    total: Expr = const(0, place.dtype)
    for k, (n, step) in enumerate(s):
        digit = place if k == len(s) - 1 else ops.floormod(place, _const(n, place))
        total = ops.add(total, ops.mul(digit, const(step, place.dtype)))
        if k < len(s) - 1:
            place = ops.floordiv(place, _const(n, place))
    return total


def place_of(s: Steps, value: Expr) -> Expr:
    """The place in the order of an integer of the set."""
    total: Expr = const(0, value.dtype)
    before = math.prod(n for n, _ in s[:-1] if isinstance(n, int))  # the integers for each of the next digit
    for k, (_, step) in reversed(list(enumerate(s))):
        digit = ops.floordiv(value, const(step, value.dtype))
        total = ops.add(total, ops.mul(digit, const(before, value.dtype)))
        if k:
            value = ops.floormod(value, const(step, value.dtype))
            below = s[k - 1][0]
            before //= below if isinstance(below, int) else 1
    return total


def _const(n: int | Expr, like: Expr) -> Expr:
    return const(n, like.dtype) if isinstance(n, int) else n
