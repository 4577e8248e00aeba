"""Every operation on every dtype, as scalars and as vectors, against numpy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import schedule_for
from tewb import te
from tewb.ir import ops

INTS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float32", "float64"]


def special(dtype: str, rng: np.random.Generator, n: int = 64) -> Any:
    """Random values with the troublesome ones first."""
    if dtype in FLOATS:
        first = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, -2.5, 3.5]
        return np.concatenate([first, rng.uniform(-8, 8, n - len(first))]).astype(dtype)
    if dtype == "bool":
        return rng.integers(0, 2, n).astype(bool)
    info = np.iinfo(dtype)
    first = [info.min, info.max, 0, 1, 2, 3]
    return np.concatenate(
        [np.array(first, dtype), rng.integers(info.min, info.max, n - len(first), dtype, True)]
    )


def run(expr: Callable[..., Any], *arrays: Any, lanes: int = 1, target: str | None = None) -> Any:
    n = len(arrays[0])
    inputs = [te.placeholder((n,), name=f"x{i}", dtype=str(a.dtype)) for i, a in enumerate(arrays)]
    out = te.compute((n,), lambda i: expr(*[t[i] for t in inputs]), name="out")
    s = schedule_for([out])
    if lanes > 1:
        s[out].vectorize(s[out].split("i", factor=lanes)[1])
    result = np.zeros(n, out.dtype)
    tewb.build(s, [*inputs, out], target=target)(*arrays, result)
    return result


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with np.errstate(all="ignore"):
        yield


BINARY = {
    "add": (lambda a, b: a + b, np.add),
    "sub": (lambda a, b: a - b, np.subtract),
    "mul": (lambda a, b: a * b, np.multiply),
    "min": (lambda a, b: te.min(a, b), np.minimum),
    "max": (lambda a, b: te.max(a, b), np.maximum),
}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("dtype", INTS + FLOATS)
@pytest.mark.parametrize("op", BINARY)
def test_arithmetic(op: str, dtype: str, lanes: int) -> None:
    rng = np.random.default_rng(0)
    a = special(dtype, rng)
    b = rng.permutation(special(dtype, rng))
    ours, numpys = BINARY[op]
    np.testing.assert_array_equal(run(ours, a, b, lanes=lanes), numpys(a, b))


DIVISION = {
    "floordiv": (te.floordiv, np.floor_divide),
    "floormod": (te.floormod, np.mod),
    "truncmod": (te.truncmod, np.fmod),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize("dtype", INTS)
@pytest.mark.parametrize("op", DIVISION)
def test_division_never_traps(op: str, dtype: str, lanes: int) -> None:
    rng = np.random.default_rng(1)
    a = special(dtype, rng)
    b = rng.permutation(special(dtype, rng))
    b[:4] = [0, 1, 2, np.array(-1).astype(dtype)]
    a[3] = np.iinfo(dtype).min
    ours, numpys = DIVISION[op]
    np.testing.assert_array_equal(run(ours, a, b, lanes=lanes), numpys(a, b))


@pytest.mark.parametrize("divisor", [1, 2, 3, 8, 7, -3, -1])
@pytest.mark.parametrize("op", DIVISION)
def test_division_by_a_constant(op: str, divisor: int) -> None:
    a = special("int32", np.random.default_rng(2))
    ours, numpys = DIVISION[op]
    np.testing.assert_array_equal(run(lambda x: ours(x, divisor), a), numpys(a, np.int32(divisor)))


@pytest.mark.one_in(2)
@pytest.mark.parametrize("dtype", INTS + FLOATS)
@pytest.mark.parametrize("lanes", [1, 8])
def test_comparisons(dtype: str, lanes: int) -> None:
    rng = np.random.default_rng(3)
    a = special(dtype, rng)
    b = np.where(rng.random(64) < 0.3, a, rng.permutation(special(dtype, rng)))
    for ours, numpys in [
        (lambda x, y: x < y, np.less), (lambda x, y: x <= y, np.less_equal), (lambda x, y: x > y, np.greater),
        (lambda x, y: x >= y, np.greater_equal), (ops.equal, np.equal), (ops.not_equal, np.not_equal),
    ]:  # fmt: skip
        np.testing.assert_array_equal(run(ours, a, b, lanes=lanes), numpys(a, b))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("source", [*INTS, *FLOATS, "bool"])
@pytest.mark.parametrize("target", [*INTS, *FLOATS, "bool"])
def test_casts(source: str, target: str) -> None:
    a = special(source, np.random.default_rng(4))
    if source in FLOATS and target not in FLOATS and target != "bool":
        a = np.nan_to_num(np.clip(a, 0 if target.startswith("u") else -100, 100))
    for lanes in (1, 8):
        np.testing.assert_array_equal(run(lambda x: te.cast(x, target), a, lanes=lanes), a.astype(target))


def test_a_float_outside_of_an_integer_stops_at_its_end() -> None:
    a = np.array([1e20, -1e20, np.nan, np.inf], "float32")
    np.testing.assert_array_equal(run(lambda x: te.cast(x, "int32"), a), [2**31 - 1, -(2**31), 0, 2**31 - 1])


@pytest.mark.parametrize("dtype", INTS)
def test_bits_and_shifts(dtype: str) -> None:
    rng = np.random.default_rng(5)
    a, b = special(dtype, rng), rng.permutation(special(dtype, rng))
    for ours, numpys in [
        (ops.bitwise_and, np.bitwise_and),
        (ops.bitwise_or, np.bitwise_or),
        (ops.bitwise_xor, np.bitwise_xor),
    ]:
        np.testing.assert_array_equal(run(ours, a, b), numpys(a, b))
    np.testing.assert_array_equal(run(ops.bitwise_not, a), ~a)
    by = rng.integers(0, np.iinfo(dtype).bits, 64).astype(dtype)
    np.testing.assert_array_equal(run(ops.shift_left, a, by, lanes=8), a << by)
    np.testing.assert_array_equal(run(ops.shift_right, a, by), a >> by)
    ones = np.full_like(a, 1)
    np.testing.assert_array_equal(run(lambda x: te.const(1, dtype) << x, by), ones << by)
    np.testing.assert_array_equal(run(lambda x: te.const(100, dtype) >> x, by), ones * 100 >> by)


def test_logic_on_booleans() -> None:
    rng = np.random.default_rng(6)
    a, b = special("bool", rng), special("bool", rng)
    for lanes in (1, 8):
        np.testing.assert_array_equal(run(lambda x, y: te.all(x, ~y), a, b, lanes=lanes), a & ~b)
        np.testing.assert_array_equal(run(lambda x, y: te.any(x, y), a, b, lanes=lanes), a | b)
        np.testing.assert_array_equal(
            run(lambda x, y: te.select(x, y, ~y), a, b, lanes=lanes), np.where(a, b, ~b)
        )


MATH = {
    "exp": np.exp, "exp2": np.exp2, "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
    "sqrt": np.sqrt, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin,
    "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "floor": np.floor, "ceil": np.ceil,
    "trunc": np.trunc, "round": np.rint, "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite,
    "abs": np.abs, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "rsqrt": lambda x: 1 / np.sqrt(x),
}  # fmt: skip


@pytest.mark.one_in(3)
@pytest.mark.parametrize("lanes", [1, 16])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", MATH)
def test_math(name: str, dtype: str, lanes: int) -> None:
    a = special(dtype, np.random.default_rng(7))
    want = MATH[name](a)
    got = run(getattr(te, name), a, lanes=lanes)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(got, want, rtol=4 * eps, atol=0 if name != "sin" else eps)


@pytest.mark.parametrize("name", ["fmod", "atan2", "hypot", "copysign", "power"])
def test_math_of_two(name: str) -> None:
    rng = np.random.default_rng(8)
    a, b = rng.uniform(0.1, 5, 32).astype("float32"), rng.uniform(0.1, 3, 32).astype("float32")
    numpys = {
        "fmod": np.fmod,
        "atan2": np.arctan2,
        "hypot": np.hypot,
        "copysign": np.copysign,
        "power": np.power,
    }[name]
    np.testing.assert_allclose(run(getattr(te, name), a, b, lanes=8), numpys(a, b), rtol=1e-6)


def test_exp_is_within_an_ulp_or_so_everywhere() -> None:
    x = np.concatenate([np.linspace(-104, 89, 200_003), [-np.inf, np.inf, np.nan, -1e30, 1e30]]).astype(
        "float32"
    )
    with np.errstate(all="ignore"):
        want = np.exp(x.astype("float64"))
        got = run(te.exp, x[:-5], lanes=16)
        ulp = np.spacing(want[:-5].astype("float32"))
        inside = np.isfinite(want[:-5].astype("float32"))
        assert np.max(np.abs(got.astype("float64") - want[:-5])[inside] / ulp[inside]) <= 2.0
    np.testing.assert_array_equal(run(te.exp, x[-5:]), [0, np.inf, np.nan, 0, np.inf])


def test_strided_and_gathered_vectors() -> None:
    a = np.arange(256, dtype="float32")
    A = te.placeholder((256,), name="A")
    for index in (
        lambda i: i * 2,
        lambda i: 127 - i,
        lambda i: (i * 7) % 128,
        lambda i: i // 4,
        lambda i: i * 0 + 3,
    ):
        B = te.compute((128,), lambda i, index=index: A[index(i)], name="B")
        s = te.create_schedule(B.op)
        s[B].vectorize(s[B].split("i", factor=16)[1])
        b = np.zeros(128, "float32")
        tewb.build(s, [A, B], debug=True)(a, b)
        np.testing.assert_array_equal(b, a[[index(i) for i in range(128)]])


@pytest.mark.parametrize("rows, columns", [(4, 64), (8, 48), (5, 24)])
def test_accumulators_live_in_registers(rows: int, columns: int) -> None:
    n, m, q = 4 * rows, 2 * columns, 64
    A, B = te.placeholder((n, q), name="A"), te.placeholder((q, m), name="B")
    k = te.reduce_axis((0, q), name="k")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    _, yo, xi, yi = s[C].tile("i", "j", rows, columns)
    s[C].unroll(xi)
    s[C].vectorize(yi)
    s[L].compute_at(s[C], yo)
    s[L].reorder("k", "i.c", "j.c")
    s[L].unroll("i.c")
    s[L].vectorize("j.c")
    assert "alloca" not in tewb.build(s, [A, B, C]).get_source("ll")


def test_accumulators_live_in_registers_beside_large_buffers() -> None:
    """16384 floats of P are all that a stack has: the tile must not go to the heap because they came first."""
    A = te.placeholder((4, 16384), name="A")
    P = te.compute((4, 16384), lambda i, j: A[i, j] + 1.0, name="P")
    k = te.reduce_axis((0, 1024), name="k")
    T = te.compute((4, 16), lambda i, j: te.sum(P[i, k * 16 + j], axis=k), name="T")
    C = te.compute((4, 16), lambda i, j: T[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[T].set_scope("local")
    for t in (T, P):
        s[t].compute_at(s[C], "i")
    s[C].vectorize("j")
    s[T].reorder("k", "j")
    s[T].vectorize("j")
    s[P].vectorize(s[P].split("j", factor=16)[1])
    text = tewb.build(s, [A, C]).get_source("ll")
    assert "alloca" not in text and len(re.findall(r"call [^@\n]*@tewb\.alloc\(", text)) == 1


def test_assembly_knows_its_line_of_ir() -> None:
    A = te.placeholder((1024,), name="A")
    B = te.compute((1024,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    kernel = tewb.build(s, [A, B])
    text = kernel.code.module.script().splitlines()
    linked = {line for _, line in kernel.code.assembly_lines() if line}
    assert any("B" in text[line - 1] and "=" in text[line - 1] for line in linked)
