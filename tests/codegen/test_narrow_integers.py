"""Integers of 1, 2 and 4 bits: every operation on all pairs of values, as Python computes it modulo 2**bits."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import DType, memory_dtype, new_dtype
from tewb.ir import parse, script, structural_equal
from tewb.testing import evaluate
from tewb.workbench.trace.interpreter import IRInterpreter

NARROW = ("int1", "int2", "int4", "uint2", "uint4")


def wrapped(value: int, dtype: str) -> int:
    d = DType(dtype)
    low = value % 2**d.bits
    return low - 2**d.bits if low > d.ends[1] else low


def all_values(dtype: str) -> list[int]:
    least, most = DType(dtype).ends
    return list(range(least, most + 1))


def truncated(a: int, b: int) -> int:
    return 0 if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def shifted(a: int, b: int, bits: int, left: bool) -> int:
    if not 0 <= b < bits:
        return -1 if a < 0 and not left else 0
    return a << b if left else a >> b


BINARY: dict[str, tuple[Callable[[Any, Any], Any], Callable[[int, int, int], int]]] = {
    "+": (operator.add, lambda a, b, n: a + b),
    "-": (operator.sub, lambda a, b, n: a - b),
    "*": (operator.mul, lambda a, b, n: a * b),
    "//": (operator.floordiv, lambda a, b, n: a // b if b else 0),
    "%": (operator.mod, lambda a, b, n: a % b if b else 0),
    "truncdiv": (te.truncdiv, lambda a, b, n: truncated(a, b)),
    "truncmod": (te.truncmod, lambda a, b, n: a - b * truncated(a, b) if b else 0),
    "min": (te.min, lambda a, b, n: min(a, b)),
    "max": (te.max, lambda a, b, n: max(a, b)),
    "&": (operator.and_, lambda a, b, n: a & b),
    "|": (operator.or_, lambda a, b, n: a | b),
    "^": (operator.xor, lambda a, b, n: a ^ b),
    "<<": (operator.lshift, lambda a, b, n: shifted(a, b, n, True)),
    ">>": (operator.rshift, lambda a, b, n: shifted(a, b, n, False)),
    "select": (lambda a, b: te.select(a < b, a, b + a), lambda a, b, n: a if a < b else a + b),
    "if_then_else": (lambda a, b: te.if_then_else(a >= b, a, b // a), lambda a, b, n: a if a >= b else b // a if a else 0),
    "abs": (lambda a, b: te.abs(a), lambda a, b, n: abs(a)),
    "~": (lambda a, b: ~a, lambda a, b, n: ~a),
    "neg": (lambda a, b: -a, lambda a, b, n: -a),
    "popcount": (lambda a, b: te.popcount(a), lambda a, b, n: (a % 2**n).bit_count()),
}  # fmt: skip
COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


@pytest.mark.parametrize("lanes", [1, 16])
@pytest.mark.parametrize("dtype", NARROW)
def test_operations_wrap_at_their_bits(dtype: str, lanes: int) -> None:
    pairs = [(a, b) for a in all_values(dtype) for b in all_values(dtype)]
    n = len(pairs)
    A, B = (te.placeholder((n,), dtype, name) for name in "AB")
    results = te.compute(
        (n,),
        lambda i: (
            *(f(A[i], B[i]) for f, _ in BINARY.values()),
            *(f(A[i], B[i]) for f in COMPARED.values()),
            tir.clz(A[i]),
        ),
        "R",
    )
    s = te.create_schedule(results[0].op)
    if lanes > 1 and n >= lanes:
        s[results[0]].vectorize(s[results[0]].split(results[0].op.axis[0], lanes)[1])
    a, b = (np.array([p[k] for p in pairs], memory_dtype(dtype)) for k in (0, 1))
    got = tewb.build(s, [A, B, *results])(a, b)
    bits = DType(dtype).bits
    want = [[wrapped(f(x, y, bits), dtype) for x, y in pairs] for _, f in BINARY.values()]
    want += [[f(x, y) for x, y in pairs] for f in COMPARED.values()]
    want += [[bits - (x % 2**bits).bit_length() for x, _ in pairs]]
    names = [*BINARY, *COMPARED, "clz"]
    reference = evaluate(list(results), {A: a, B: b})
    for name, g, w, r in zip(names, got, want, reference, strict=True):
        np.testing.assert_array_equal(g, w, f"{name} of {dtype}")
        np.testing.assert_array_equal(r, w, f"the reference for {name} of {dtype}")


@pytest.mark.parametrize("dtype", NARROW)
def test_conversions_wrap_and_stop(dtype: str) -> None:
    d = DType(dtype)
    wide = np.arange(-40, 40, dtype="int32")
    floats = np.array(
        [-1e9, -8.9, -1.5, -0.5, 0.0, 0.9, 1.0, 3.7, 7.99, 8.0, 15.2, 99.0, np.nan, np.inf], "float32"
    )
    X, F = te.placeholder((80,), "int32", "X"), te.placeholder((14,), "float32", "F")
    N = te.compute((80,), lambda i: X[i].astype(dtype), "N")
    back = te.compute((80,), lambda i: N[i].astype("int32"), "back")
    real = te.compute((80,), lambda i: N[i].astype("float32"), "real")
    truth = te.compute((80,), lambda i: N[i].astype("bool"), "truth")
    again = te.compute((80,), lambda i: truth[i].astype(dtype), "again")
    stopped = te.compute((14,), lambda i: F[i].astype(dtype), "stopped")
    outputs = [N, back, real, truth, again, stopped]
    s = te.create_schedule([t.op for t in outputs])
    for t in outputs[:5]:
        s[t].vectorize(s[t].split(t.op.axis[0], 16)[1])
    got = tewb.build(s, [X, F, *outputs])(wide, floats)
    numbers = [wrapped(int(x), dtype) for x in wide]
    ends = [0 if np.isnan(x) else int(min(max(float(x), d.ends[0]), d.ends[1])) for x in floats]
    bits = [wrapped(int(x != 0), dtype) for x in numbers]
    for g, want in zip(got, (numbers, numbers, numbers, [x != 0 for x in numbers], bits, ends), strict=True):
        np.testing.assert_array_equal(g, want)
    assert [g.dtype for g in got[:4]] == [new_dtype(dtype), "int32", "float32", "bool"]
    for r, g in zip(evaluate(outputs, {X: wide, F: floats}), got, strict=True):
        np.testing.assert_array_equal(r, g)


@pytest.mark.parametrize("dtype", NARROW)
def test_only_the_lowest_bits_of_an_element_count(dtype: str) -> None:
    a = np.arange(256, dtype="uint8").view(memory_dtype(dtype))
    A = te.placeholder((256,), dtype, name="A")
    B = te.compute((256,), lambda i: A[i] + te.const(0, "int32"), name="B")
    b = tewb.build(te.create_schedule(B.op), [A, B])(a)
    np.testing.assert_array_equal(b, [wrapped(int(x), dtype) for x in a])


def test_constants_fit_or_are_refused() -> None:
    assert (te.min_value("int4"), te.max_value("int4"), te.max_value("uint4")) == (-8, 7, 15)
    assert te.const(-8, "int4").dtype == "int4" and te.const(3, "uint2").value == 3
    for value, dtype in [(8, "int4"), (-9, "int4"), (16, "uint4"), (-1, "uint4"), (1, "int1"), (4, "uint2")]:
        with pytest.raises(tewb.TVMError, match=rf"{value} does not fit {dtype}"):
            te.const(value, dtype)
    assert te.const(7, "int4") + te.const(1, "int4") == te.const(-8, "int4")  # folded, wrapped
    assert te.const(11, "int32").astype("int4").value == -5
    assert te.const(1, "uint1").dtype == "bool" and te.var("p", "uint1").dtype == "bool"


def test_operands_become_the_wider_dtype() -> None:
    A, U = te.var("a", "int4"), te.var("u", "uint4")
    assert [e.dtype for e in (A + U, A + 1, A * A, U & te.var("b", "uint8"), A + 1.0, A < U)] == [
        "uint4", "int32", "int4", "uint8", "float32", "bool",
    ]  # fmt: skip


class Program:
    """Random expressions of narrow integers and what they are as Python computes them."""

    def __init__(self, seed: int, elements: list[Any], values: list[tuple[str, list[int]]]) -> None:
        self.rng, self.elements, self.values = random.Random(seed), elements, values
        self.n = len(values[0][1])

    def expression(self, depth: int, dtype: str) -> tuple[Any, list[int]]:
        rng = self.rng
        kind = rng.random() if depth else 0
        if kind < 0.25:
            k = rng.randrange(len(self.values))
            return te.cast(self.elements[k], dtype), [wrapped(v, dtype) for v in self.values[k][1]]
        if kind < 0.35:
            c = rng.choice(all_values(dtype)) if DType(dtype).bits < 8 else rng.randint(-9, 9)
            return te.const(c, dtype), [c] * self.n
        if kind < 0.5:
            e, v = self.expression(depth - 1, rng.choice(DTYPES))
            return te.cast(e, dtype), [wrapped(x, dtype) for x in v]
        a, x = self.expression(depth - 1, dtype)
        b, y = self.expression(depth - 1, dtype)
        if kind < 0.6:
            c, d = self.expression(depth - 1, dtype)
            f = COMPARED[rng.choice(list(COMPARED))]
            choice = te.select(f(a, b), c, a)
            return choice, [w if f(p, q) else p for p, q, w in zip(x, y, d, strict=True)]
        name = rng.choice(list(BINARY))
        f, model = BINARY[name]
        bits = DType(dtype).bits
        try:
            made = f(a, b)
        except tewb.TVMError:  # a constant divisor of 0, a constant shift too far
            return a, x
        return made, [wrapped(model(p, q, bits), dtype) for p, q in zip(x, y, strict=True)]


DTYPES = (*NARROW, "int8", "int32")


@pytest.mark.one_in(8)
@pytest.mark.parametrize("seed", range(64))
def test_random_programs(seed: int) -> None:
    rng = random.Random(seed)
    n, lanes = rng.choice([1, 7, 33, 64]), rng.choice([1, 4, 16])
    dtypes = [rng.choice(NARROW) for _ in range(3)]
    values = [(d, [rng.choice(all_values(d)) for _ in range(n)]) for d in dtypes]
    ins = [te.placeholder((n,), d, f"A{k}") for k, d in enumerate(dtypes)]
    arrays = [np.array(v, memory_dtype(d)) for d, v in values]
    first, second = rng.choice(DTYPES), rng.choice(DTYPES)
    middle: list[int] = []
    want: list[int] = []

    def inner(i: Any) -> Any:
        e, v = Program(seed, [A[i] for A in ins], values).expression(4, first)
        middle[:] = v
        return e

    M = te.compute((n,), inner, "M")

    def outer(i: Any) -> Any:
        e, v = Program(seed + 1, [M[i], ins[0][i]], [(first, middle), values[0]]).expression(3, second)
        want[:] = [x ^ wrapped(m, second) for x, m in zip(v, middle, strict=True)]
        return e ^ te.cast(M[i], second)

    R = te.compute((n,), outer, "R")
    s = te.create_schedule(R.op)
    if lanes > 1:
        o, v = s[R].split(R.op.axis[0], lanes)
        s[R].vectorize(v)
        if rng.random() < 0.6:
            s[M].compute_at(s[R], o)
            s[M].vectorize(M.op.axis[0])
    if rng.random() < 0.3:
        s[M].compute_inline() if lanes == 1 else s[R].parallel(o)
    got = tewb.build(s, [*ins, R])(*arrays)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(evaluate([R], dict(zip(ins, arrays, strict=True)))[0], want)


def test_guarded_reads_in_lanes_and_reductions() -> None:
    a = np.random.default_rng(0).integers(-8, 8, (30, 6)).astype("int8")
    A = te.placeholder((30, 6), "int4", "A")
    k = te.reduce_axis((0, 6), "k")
    padded = te.compute(
        (40,),
        lambda i: te.if_then_else(te.all(i >= 5, i < 35), A[i - 5, 2], te.const(-3, "int4")),
        "P",
    )
    sums, least = (te.compute((30,), lambda i, f=f: f(A[i, k], k), f.__name__) for f in (te.sum, te.min))
    s = te.create_schedule([t.op for t in (padded, sums, least)])
    s[padded].vectorize(s[padded].split(padded.op.axis[0], 16)[1])
    s[least].vectorize(s[least].split(least.op.axis[0], 8)[1])
    s[sums].vectorize(sums.op.reduce_axis[0])
    p, total, low = tewb.build(s, [A, padded, sums, least])(a)
    np.testing.assert_array_equal(p, [*[-3] * 5, *a[:, 2], *[-3] * 5])
    np.testing.assert_array_equal(total, [wrapped(int(x), "int4") for x in a.sum(axis=1, dtype="int32")])
    np.testing.assert_array_equal(low, a.min(axis=1))


def test_arrays_of_ml_dtypes_are_taken_and_given() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    A = te.placeholder((16,), "int4", "A")
    B = te.compute((16,), lambda i: A[i] + A[i], "B")
    f = tewb.build(te.create_schedule(B.op), [A, B])
    numbers = np.arange(-8, 8)
    want = [wrapped(2 * int(x), "int4") for x in numbers]
    b = f(tewb.nd.array(numbers.astype(ml_dtypes.int4)))
    assert b.dtype == ml_dtypes.int4 and tewb.nd.empty((2,), "uint4").dtype == ml_dtypes.uint4
    np.testing.assert_array_equal(b.astype("int32"), want)
    given = np.zeros(16, "int8")
    f(numbers.astype("int8"), given)
    np.testing.assert_array_equal(given, want)
    with pytest.raises(tewb.TVMError, match="A has dtype int32, and kernel main takes int4") as e:
        f(numbers.astype("int32"))
    assert (
        e.value.hint == "numpy has no int4: A.astype(ml_dtypes.int4), or int8 with a number in each element"
    )


def test_scalars_must_fit_and_callbacks_get_bytes() -> None:
    p = te.var("p", "int4")
    A = te.placeholder((4,), "uint4", "A")

    @tewb.register_func("tests.narrow", override=True)
    def double(a: Any, out: Any, n: int) -> None:
        assert (a.dtype, out.dtype, n) == ("uint8", "uint8", -3)
        out[:] = a * 2  # 18 and more are numbers of uint8, and wrap where they are read

    E = te.extern(
        (4,),
        [A],
        lambda i, o: tir.call_packed("tests.narrow", i[0], o[0], te.const(-3, "int4")),
        "E",
        dtype="uint4",
    )
    B = te.compute((4,), lambda i: E[i].astype("int32") + p, "B")
    f = tewb.build(te.create_schedule(B.op), [A, p, B])
    np.testing.assert_array_equal(f(np.array([1, 7, 8, 9], "uint8"), -8), np.array([2, 14, 0, 2]) - 8)
    with pytest.raises(tewb.TVMError, match="p=8 does not fit int4"):
        f(np.zeros(4, "uint8"), 8)


def test_c_functions_take_and_give_bytes() -> None:
    A = te.placeholder((4,), "int4", "A")
    B = te.compute((4,), lambda i: tir.call_pure_extern("int4", "abs", A[i] - te.const(1, "int4")), "B")
    b = tewb.build(te.create_schedule(B.op), [A, B])(np.array([-5, 0, 3, 7], "int8"))
    np.testing.assert_array_equal(b, [6, 1, 2, 6])


def test_printed_programs_are_read_back_and_traced() -> None:
    A = te.placeholder((20,), "int4", "A")
    B = te.compute((20,), lambda i: A[i] * te.const(-3, "int4") + te.cast(i, "int4") // A[i], "B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split(B.op.axis[0], 8)[1])
    f = tewb.Session(s, [A, B]).function
    assert structural_equal(parse(script(f)), f)
    a = np.random.default_rng(0).integers(-8, 8, 20).astype("int8")
    memory = {p.data: x for p, x in zip(f.params, (a.copy(), np.zeros(20, "int8")), strict=True)}
    with np.errstate(all="ignore"):
        IRInterpreter(memory, {}, lambda *_: None).run(f.body)
    want = [
        wrapped(-3 * int(x) + (wrapped(i, "int4") // int(x) if x else 0), "int4") for i, x in enumerate(a)
    ]
    np.testing.assert_array_equal(memory[f.params[1].data], want)
    np.testing.assert_array_equal(tewb.build(s, [A, B])(a), want)


def test_hybrid_functions_say_that_numpy_has_none() -> None:
    @te.hybrid.script
    def plain(a):  # type: ignore[no-untyped-def]
        b = output_tensor((4,), "int8")  # type: ignore[name-defined]  # noqa: F821
        for i in range(4):
            b[i] = a[i]
        return b

    with pytest.raises(
        tewb.TVMError, match="a is a tensor of uint4, which hybrid functions cannot compute with"
    ) as e:
        plain(te.placeholder((4,), "uint4", "A"))
    assert 'astype("int8")' in (e.value.hint or "")
