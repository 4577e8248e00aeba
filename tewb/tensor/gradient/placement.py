"""Loops for the unknowns that equations leave: over their own ranges, or over those of unknowns which they move.

    2 * i + r = x,  0 <= i < n,  0 <= r < 3        (a convolution with stride 2, from its input)

has  r = x - 2 * i,  and i moves r through its three values: i is x // 2 - t and r is x % 2 + 2 * t for t in 0, 1, where
0 <= i < n and r < 3. These are two iterations in place of n.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tewb.ir import Expr, Var, const, const_int, ops
from tewb.tensor.gradient.equations import System, Unknown
from tewb.tensor.gradient.forms import Form, unknown


@dataclass(slots=True)
class Solution:
    """The values of the unknowns, in terms of `loops`. All `conditions` hold where there is a solution."""

    loops: list[Unknown] = field(default_factory=list)
    values: dict[Var, Expr] = field(default_factory=dict)
    conditions: list[Expr] = field(default_factory=list)


def placed(system: System) -> Solution | None:
    """The solution of a system whose equations are used up. None when the range of an unknown is not known."""
    return _Placement(system).solution()


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """The range of the unknown `of`, along which the free one `along` moves: it has `count` values there."""

    along: Var
    of: Unknown
    count: int


class _Placement:
    """Gives loops to the free unknowns, one after the other: first those with the fewest iterations."""

    def __init__(self, system: System) -> None:
        self.system, self.unknowns, self.given = system, system.unknowns, system.given
        self.free = dict.fromkeys(v for v in system.unknowns if v not in system.given)
        self.values: dict[Var, Expr] = {}  # of the free ones, and of those in whose ranges they move
        self.windows: list[_Window] = []
        self.loops: list[Unknown] = []

    def solution(self) -> Solution | None:
        while self.free:
            window = self._best_window()
            if window is not None:
                v = window.along
                self.values[v] = self._through(window)
                self.windows.append(window)
            else:
                v = min(self.free, key=lambda u: (self.unknowns[u].fixed, self.unknowns[u].extent is None))
                if self.unknowns[v].extent is None:
                    return None
                self.values[v] = self._over_its_range(self.unknowns[v])
            del self.free[v]
        simplify = self.system.analyzer.simplify
        values = {v: simplify(self.values[v] if v in self.values else self._value(v)) for v in self.unknowns}
        looped = {u.var for u in self.loops}
        ranged = [u for v, u in self.unknowns.items() if not u.implied and v not in looped]
        inside = [c for u in ranged for c in _inside(u, values[u.var])]
        return Solution(self.loops, values, [*self.system.conditions, *inside])

    def _over_its_range(self, u: Unknown) -> Expr:
        if u.length == 1:
            return u.low
        self.loops.append(u)
        return u.var

    def _best_window(self) -> _Window | None:
        """The window with the fewest iterations, shorter than the unknown's own range, of those whose others are placed."""
        best: _Window | None = None
        for w in self._windows():
            if w.count < self.unknowns[w.along].length and (best is None or w.count < best.count):
                best = w
        return best

    def _windows(self) -> Iterator[_Window]:
        for v, form in self.given.items():
            u = self.unknowns[v]
            n = None if u.extent is None or u.fixed else const_int(u.extent)
            free = [f for f in form.coefficients if f in self.free]
            if n is not None and len(free) == 1 and not self.unknowns[free[0]].fixed and v not in self.values:
                yield _Window(free[0], u, -(-n // abs(form.coefficients[free[0]])))

    def _through(self, w: _Window) -> Expr:
        """The value of an unknown that moves another one through its range:

        0 <= c * v + b < n    gives  v = t - b // c  for c > 0,  and  v = b // -c - t  for c < 0
        """
        form = self.given[w.of.var]
        c = form.coefficients[w.along]
        offset = ops.sub(self._sum(form.without(w.along)), w.of.low)
        divisor = const(abs(c), offset.dtype)
        t = self._counter(w)
        start = ops.floordiv(offset, divisor)
        moved = ops.add(ops.floormod(offset, divisor), ops.mul(t, divisor))
        self.values[w.of.var] = ops.add(moved, w.of.low)
        return ops.sub(t, start) if c > 0 else ops.sub(start, t)

    def _counter(self, w: _Window) -> Expr:
        d = w.of.var.dtype
        if w.count == 1:
            return const(0, d)
        v = Var(w.of.var.name if self.unknowns[w.along].implied else w.along.name, d)
        self.loops.append(Unknown(v, const(0, d), const(w.count, d)))
        return v

    def _value(self, v: Var) -> Expr:
        """The value of an unknown, in terms of those in whose ranges others move where less is left over then:
        y + 2 * x - 4 * i is y + 2 * r when r = x - 2 * i has a value."""
        form = self.given[v]
        for w in reversed(self.windows):
            moved = self.given[w.of.var]
            c, a = form.coefficients.get(w.along, 0), moved.coefficients[w.along]
            if c and c % a == 0:
                other = form.plus(moved, -(c // a)).plus(unknown(w.of.var), c // a)
                form = min(form, other, key=self._length)
        return self._sum(form)

    def _length(self, form: Form) -> int:
        """How many terms the rest of a form has."""
        return len(self.system.analyzer.linear.of(form.rest).terms)

    def _sum(self, form: Form) -> Expr:
        """A form with the values of its unknowns."""
        value = form.rest
        for v, c in form.coefficients.items():
            value = ops.add(value, ops.mul(self.values[v], const(c, v.dtype)))
        return value


def _inside(u: Unknown, value: Expr) -> list[Expr]:
    """The conditions that a value is in the range of an unknown."""
    assert u.extent is not None
    return [ops.greater_equal(value, u.low), ops.less(value, ops.add(u.low, u.extent))]
