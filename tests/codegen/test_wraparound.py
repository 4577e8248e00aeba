"""Kernels of random integer expressions of every dtype, scalar and vectorized, against numpy, which wraps."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tests.arith.wraparound import ARITHMETIC, BITS, COMPARISONS, DTYPES, NUMPY, SMART
from tewb import te
from tewb.base import DType, DTypeError
from tewb.ir import Div, Expr, FloorDiv, FloorMod, Mod, const, ops

INTS = tuple(str(d) for d in DTYPES)
LENGTH = 96

Pair = tuple[Expr, Any]  # an expression, and what numpy says it is


class Program:
    """Random expressions of the loop variable and of elements at it."""

    def __init__(self, seed: object) -> None:
        self.rng = rng = random.Random(repr(seed))
        self.size = rng.choice((LENGTH, LENGTH, 70_000, 1))
        self.arrays: list[Any] = []
        self.tensors: list[Any] = []
        for d in [rng.choice(DTYPES) for _ in range(3)]:
            info = np.iinfo(d)
            ends = [info.min, info.max, 0, 1, info.max - 1, 2]
            numbers = [
                rng.choice((rng.randint(info.min, info.max), rng.choice(ends), rng.randint(0, 9)))
                for _ in range(self.size)
            ]
            self.arrays.append(np.array(numbers, d))

    def leaf(self, i: Expr, d: DType) -> Pair:
        rng, kind = self.rng, self.rng.random()
        if kind < 0.35:
            index = np.arange(self.size, dtype=str(i.dtype))
            return ops.cast(i, d), index.astype(d)
        if kind < 0.7:
            k = rng.randrange(3)
            return ops.cast(self.tensors[k][i], d), self.arrays[k].astype(d)
        info = np.iinfo(d)
        x = rng.choice(
            (rng.randint(0, 9), rng.choice((info.min, info.max, 1 << rng.randrange(d.bits - 1))), -1)
        )
        x = min(max(x, info.min), info.max)
        return const(x, d), np.full(self.size, x, d)

    def integer(self, i: Expr, d: DType, depth: int) -> Pair:
        rng, kind = self.rng, self.rng.random()
        if depth == 0:
            return self.leaf(i, d)
        if kind < 0.12:
            c, of_c = self.condition(i, depth - 1)
            a, of_a = self.integer(i, d, depth - 1)
            b, of_b = self.integer(i, d, depth - 1)
            return rng.choice((ops.select, ops.if_then_else))(c, a, b), np.where(of_c, of_a, of_b)
        if kind < 0.22:
            a, of_a = self.integer(i, rng.choice(DTYPES), depth - 1)
            return ops.cast(a, d), of_a.astype(d)
        if kind < 0.27 and d.kind == "int":
            a, of_a = self.integer(i, d, depth - 1)
            return ops.absolute(a), np.abs(of_a)
        op = rng.choice((*ARITHMETIC, *ARITHMETIC, *BITS))
        a, of_a = self.integer(i, d, depth - 1)
        b, of_b = (a, of_a) if rng.random() < 0.15 else self.integer(i, d, depth - 1)
        try:
            return SMART[op](a, b), np.asarray(NUMPY[op](of_a, of_b)).astype(d)
        except DTypeError:  # the constant 0 as divisor, a constant shift by too much: refused
            assert op in (FloorDiv, FloorMod, Div, Mod, "shift_left", "shift_right")
            return a, of_a

    def condition(self, i: Expr, depth: int) -> Pair:
        d, op = self.rng.choice(DTYPES), self.rng.choice(COMPARISONS)
        (a, of_a), (b, of_b) = self.integer(i, d, depth), self.integer(i, d, depth)
        return SMART[op](a, b), NUMPY[op](of_a, of_b)


def wrong(seed: object) -> str | None:
    """What a kernel gets wrong; None when it agrees with numpy in every element."""
    p = Program(seed)
    d = p.rng.choice(DTYPES)
    symbolic = p.rng.random() < 0.3
    n = te.var("n") if symbolic else p.size
    p.tensors = [te.placeholder((n,), name=f"x{k}", dtype=str(a.dtype)) for k, a in enumerate(p.arrays)]
    want: list[Any] = []

    def body(i: Any) -> Expr:
        with np.errstate(all="ignore"):
            e, of_e = p.integer(i, d, 3)
        want.append(of_e)
        return e

    out = te.compute((n,), body, name="out")
    s = te.create_schedule(out.op)
    lanes = p.rng.choice((1, 4, 8, 16))
    if lanes > 1:
        s[out].vectorize(s[out].split(out.op.axis[0], factor=lanes)[1])
    elif p.rng.random() < 0.3:
        s[out].unroll(s[out].split(out.op.axis[0], factor=3)[1])
    got = np.zeros(p.size, str(d))
    tewb.build(s, [*p.tensors, out])(*p.arrays, got)
    apart = np.flatnonzero(got != want[0])
    if not apart.size:
        return None
    at = int(apart[0])
    inputs = [a[at] for a in p.arrays]
    return f"i = {at}, lanes {lanes}, symbolic {symbolic}, {inputs}: {got[at]} and not {want[0][at]}: {out.op.body[0]}"


@pytest.mark.parametrize("seed", range(60))
def test_random_values_are_numpys(seed: int) -> None:
    found = wrong(seed)
    assert found is None, found


def main() -> None:
    """Run many more: python -m tests.codegen.test_wraparound FIRST COUNT."""
    import sys

    first, count = map(int, sys.argv[1:])
    bad = 0
    for seed in range(first, first + count):
        try:
            found = wrong(seed)
        except Exception as e:
            found = f"{type(e).__name__}: {e}"
        if found is not None:
            bad += 1
            print(f"{seed}: {found}"[:1500], flush=True)
    print(f"{count} kernels, {bad} wrong")


if __name__ == "__main__":
    main()
