"""Kernels of random integer expressions of every dtype, scalar and vectorized, against numpy, which wraps."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tests.arith.wraparound import ARITHMETIC, BITS, COMPARISONS, DTYPES, NUMPY, SMART
from tewb import te
from tewb.base import BoundError, DType, DTypeError
from tewb.codegen.expressions import wrapping
from tewb.ir import Buffer, BufferLoad, Div, Expr, FloorDiv, FloorMod, Mod, Var, const, ops, walk

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


@pytest.mark.one_in(4)
@pytest.mark.parametrize("seed", range(40))
def test_random_values_are_numpys(seed: int) -> None:
    found = wrong(seed)
    assert found is None, found


VALUES: dict[str, tuple[Any, Any]] = {
    "square < 0": (lambda i: te.select(i * i < 0, 1, 0), lambda i: np.where(i * i < 0, 1, 0)),
    "multiple // 8": (lambda i: (i * 65536) // 8, lambda i: i * np.int32(65536) // 8),
    "multiple % 24": (lambda i: (i * 65536) % 24, lambda i: i * np.int32(65536) % 24),
    "multiple and rest": (lambda i: (i * 65536 + 7) // 65536, lambda i: (i * np.int32(65536) + 7) // 65536),
    "order": (lambda i: te.select(i * 65536 >= i, 1, 0), lambda i: np.where(i * np.int32(65536) >= i, 1, 0)),
    "min": (lambda i: te.min(i * i, 100), lambda i: np.minimum(i * i, 100)),
    "a choice": (
        lambda i: te.if_then_else(i * 65536 < 5, i, -1),
        lambda i: np.where(i * np.int32(65536) < 5, i, -1),
    ),
    "a likely choice": (
        lambda i: te.if_then_else(te.likely(i * 65536 + 7 >= i), i, -1),
        lambda i: np.where(i * np.int32(65536) + 7 >= i, i, -1),
    ),
    "(i + 5) // i": (lambda i: (i + 5) // i, lambda i: (i + 5) // i),
    "i // i": (lambda i: i // i, lambda i: i // i),
    "i * 3 // i": (lambda i: i * 3 // i, lambda i: i * 3 // i),
    "joined": (
        lambda i: i // (i - 3) * (i - 3) + i % (i - 3),
        lambda i: i // (i - 3) * (i - 3) + i % (i - 3),
    ),
}


def whole(s: Any, t: Any) -> None:
    pass


def split(s: Any, t: Any) -> None:
    s[t].split(t.op.axis[0], factor=16)


def vectorized(s: Any, t: Any) -> None:
    s[t].vectorize(s[t].split(t.op.axis[0], factor=16)[1])


@pytest.mark.one_in(3)
@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize("loops", [whole, split, vectorized])
@pytest.mark.parametrize("name", VALUES)
def test_values_wrap_and_division_by_0_is_0(name: str, loops: Any, symbolic: bool) -> None:
    ours, numpys = VALUES[name]
    count = 70_000
    n = te.var("n") if symbolic else count
    A = te.placeholder((n,), name="A", dtype="int32")  # tells n
    C = te.compute((n,), lambda i: ours(i) + A[i], name="C")
    s = te.create_schedule(C.op)
    loops(s, C)
    got = np.zeros(count, "int32")
    tewb.build(s, [A, C])(np.zeros(count, "int32"), got)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(got, numpys(np.arange(count, dtype="int32")))


def gathered(index: Any, data: Any, size: int, lanes: int) -> Any:
    """A[index(B[i], i)] for A = 0, 1, 2, ..."""
    A = te.placeholder((size,), name="A", dtype="int32")
    B = te.placeholder(data.shape, name="B", dtype=str(data.dtype))
    C = te.compute(data.shape, lambda i: A[index(B[i], i)], name="C")
    s = te.create_schedule(C.op)
    if lanes > 1:
        s[C].vectorize(s[C].split("i", factor=lanes)[1])
    got = np.zeros(data.shape, "int32")
    tewb.build(s, [A, B, C])(np.arange(size, dtype="int32"), data, got)
    return got


SMALLEST, LARGEST = -(2**31), 2**31 - 1


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize(
    ("index", "data", "found"),
    [
        (lambda b, i: b * 2 // 2, 5, 5),
        (lambda b, i: b * 2 // 2, 2**30 + 3, None),
        (lambda b, i: b * 2, SMALLEST + 3, None),  # 6 if it wrapped
        (lambda b, i: (b + LARGEST) + LARGEST, 9, None),  # 7 if it wrapped
        (lambda b, i: (b + 5) % 8, LARGEST, 4),
        (lambda b, i: te.max(te.min(b + 1, 63), 0), LARGEST, 63),
        (lambda b, i: te.max(te.min(b * 2 // 2, 63), 0), 2**30 + 3, 63),
        (lambda b, i: te.select(b - 5 < 0, 0, te.min(b, 63)), SMALLEST, 0),
        (lambda b, i: te.select(b + 1 > b, 3, 4), LARGEST, 3),
    ],
)
def test_elements_in_an_index_are_counted_without_wrapping(
    index: Any, data: int, found: int | None, lanes: int
) -> None:
    elements = np.full(64, data, "int32")
    if found is None:
        with pytest.raises(BoundError, match="reads outside of A"):
            gathered(index, elements, 64, lanes)
    else:
        np.testing.assert_array_equal(gathered(index, elements, 64, lanes), np.full(64, found))


@pytest.mark.parametrize("lanes", [1, 8])
def test_bytes_in_an_index_do_not_wrap(lanes: int) -> None:
    def index(b: Any, i: Any) -> Any:
        return b.astype("int32") * 2**25 // 2**20

    good = gathered(index, np.full(64, 60, "uint8"), 8161, lanes)
    np.testing.assert_array_equal(good, np.full(64, 60 * 32))
    np.testing.assert_array_equal(
        gathered(index, np.full(64, 200, "uint8"), 8161, lanes), np.full(64, 200 * 32)
    )
    with pytest.raises(BoundError, match="reads outside of A"):
        gathered(index, np.full(64, 255, "uint8"), 8160, lanes)


def test_an_index_that_passes_int32_is_computed_in_int64() -> None:
    A = te.placeholder((80_000,), name="A")
    for index in (lambda i: i * i // 65536, lambda i: i.astype("int64") * i // 65536):
        C = te.compute((70_000,), lambda i, index=index: A[index(i)], name="C")
        got, a = np.zeros(70_000, "float32"), np.arange(80_000, dtype="float32")
        tewb.build(te.create_schedule(C.op), [A, C])(a, got)
        np.testing.assert_array_equal(got, a[np.arange(70_000) ** 2 // 65536])


def test_an_index_that_is_known_to_pass_int64_is_refused() -> None:
    A = te.placeholder((80_000,), name="A")
    with pytest.raises(
        BoundError, match=r"passes int64: in dimension 0, i \* i reaches 99999999980000000001"
    ):
        te.compute((10**10,), lambda i: A[i * i % 7], name="C")


def test_what_is_added_to_data_last_does_not_wrap() -> None:
    j, data = Var("j", DType("int32")), Buffer("data", DType("int32"), (const(8),))
    product = ops.load(data, j) * 3
    row = product // 2 * 16
    assert wrapping(row + j, lambda e: any(isinstance(n, BufferLoad) for n in walk(e))) == {
        id(product),
        id(row),
    }
    assert not wrapping(j * 16 + j, lambda e: False)


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
