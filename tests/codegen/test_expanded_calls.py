"""Intrinsics written in other operations, and those of the C library, on the values that make trouble."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.codegen.elementwise import run, same, special
from tewb import te, tir
from tewb.base import DType, DTypeError, rounded
from tewb.testing import evaluate

FLOATS = ["float16", "float32", "float64"]


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("name", ["exp10", "asinh", "acosh", "atanh"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_more_functions_of_one_float(name: str, dtype: str) -> None:
    x = special("float32", np.random.default_rng(1)).astype(dtype)
    numpys = {"exp10": lambda a: np.power(a.dtype.type(10), a), "asinh": np.arcsinh, "acosh": np.arccosh}
    wide = x.astype("float32") if dtype == "float16" else x
    want = numpys.get(name, np.arctanh)(wide).astype(dtype)
    for lanes in (1, 8):
        got = run(getattr(te, name), x, lanes=lanes)
        np.testing.assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps, atol=0)


def neighbours(dtype: str) -> tuple[Any, Any]:
    info = np.finfo(dtype)
    tiny = [0.0, -0.0, info.smallest_subnormal, -info.smallest_subnormal, info.tiny, -info.tiny]
    values = np.array([*tiny, info.max, info.min, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.3], dtype)
    x, y = np.meshgrid(values, values)
    rest = -x.size % 8
    return np.append(x, x.ravel()[:rest]), np.append(y, y.ravel()[:rest])


@pytest.mark.parametrize("dtype", FLOATS)
def test_nextafter_is_that_of_numpy(dtype: str) -> None:
    x, y = neighbours(dtype)
    want = np.nextafter(x, y)
    same(te.nextafter, want, x, y)
    if dtype == "float16":
        return  # numpy gives another sign to the zero between 0.0 and -0.0
    got = run(te.nextafter, x, y)
    np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(want[got == 0]))


def test_nextafter_of_bfloat16_is_a_step_of_its_last_bit() -> None:
    x = np.array([0x3F80, 0x3F80, 0xBF80, 0x0000, 0x8000, 0x7F7F, 0x7F80, 0x3F80], "uint16")
    y = np.array([0x7F80, 0x0000, 0x0000, 0xBF80, 0x3F80, 0x7F80, 0x0000, 0x3F80], "uint16")
    A, B = (te.placeholder((8,), name=n, dtype="bfloat16") for n in "AB")
    C = te.compute((8,), lambda i: te.nextafter(A[i], B[i]), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(C.op.axis[0])

    out = np.zeros(8, "uint16")
    tewb.build(s, [A, B, C])(x, y, out)
    want = [0x3F81, 0x3F7F, 0xBF7F, 0x8001, 0x0001, 0x7F80, 0x7F7F, 0x3F80]
    assert out.tolist() == want and evaluate([C], {A: x, B: y})[0].tolist() == want


@pytest.mark.parametrize("exponents", ["int8", "int32", "int64", "uint32"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_ldexp_rounds_once(dtype: str, exponents: str) -> None:
    info, ends = np.finfo(dtype), np.iinfo(exponents)
    values = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        0.3,
        info.max,
        info.smallest_subnormal,
        info.tiny,
        np.inf,
        -np.inf,
        np.nan,
        info.eps,
    ]
    powers = [0, 1, -1, 3, -24, -25, 15, 16, -127, 100, -149, -150, -1022, -1060, -1074, -1075, -1100, 1023, 1024,
              2046, 2098, -2098, -2200, ends.min, ends.max]  # fmt: skip
    powers = [p for p in powers if ends.min <= p <= ends.max]
    values.append(1 + 3 * info.eps)
    x, n = (a.ravel() for a in np.meshgrid(np.array(values, dtype), np.array(powers, exponents)))
    count = x.size // 8 * 8
    x, n = x[:count], n[:count]
    clipped = np.clip(n.astype(object), -3000, 3000).astype("int32")
    want = np.ldexp(x.astype("float64"), clipped).astype(dtype)
    same(te.ldexp, want, x, n)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "uint32", "int64"])
def test_clz_counts_the_zeros_above(dtype: str) -> None:
    x = special(dtype, np.random.default_rng(2), 16)
    bits = np.iinfo(dtype).bits
    want = np.array([bits - (int(v) % 2**bits).bit_length() for v in x], "int32")
    same(tir.clz, want, x)


@pytest.mark.parametrize(
    "source, dtype", [("float32", "int32"), ("int64", "float64"), ("uint16", "float16"), ("int8", "uint8")]
)
def test_reinterpret_keeps_the_bits(source: str, dtype: str) -> None:
    x = np.frombuffer(np.random.default_rng(3).bytes(8 * np.dtype(source).itemsize), source)
    same(lambda e: tir.reinterpret(dtype, e), x.view(dtype), x)


def test_reinterpret_of_a_bfloat16() -> None:
    A = te.placeholder((4,), name="A", dtype="uint16")
    B = te.compute((4,), lambda i: tir.reinterpret("bfloat16", A[i]).astype("float32"))
    x = np.array([0x3F80, 0xBF80, 0x4000, 0x7F80], "uint16")
    np.testing.assert_array_equal(evaluate([B], {A: x})[0], [1.0, -1.0, 2.0, np.inf])


def test_assume_computes_nothing_and_undef_is_a_number() -> None:
    x = np.arange(8, dtype="int32")
    same(lambda a: te.if_then_else(tir.assume(a > 99), a + tir.undef(), -1), x, x)


def test_infinity() -> None:
    assert [float(tir.infinity(d).value) for d in ("float16", "float32", "float64")] == [np.inf] * 3
    assert rounded(tir.infinity("bfloat16").value, DType("bfloat16")) == np.inf
    with pytest.raises(DTypeError, match="int32 has no infinity"):
        tir.infinity("int32")


x32, f32 = te.var("x"), te.var("f", "float32")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: tir.clz(f32), "clz takes integers, not float32"),
        (lambda: te.ldexp(x32, x32), "ldexp takes a float and an integer, not int32 and int32"),
        (lambda: te.ldexp(f32, f32), "ldexp takes a float and an integer, not float32 and float32"),
        (lambda: te.nextafter(x32, x32), "nextafter takes floats, not int32"),
        (lambda: te.asinh(x32), "asinh takes floats, not int32"),
        (lambda: tir.reinterpret("int64", f32), "the bits of float32 are no number of int64"),
        (lambda: tir.reinterpret("bool", te.var("b", "int8")), "the bits of int8 are no number of bool"),
        (lambda: tir.assume(x32), "assume takes a condition, not int32"),
    ],
)  # fmt: skip
def test_wrong_operands(wrong: Any, words: str) -> None:
    with pytest.raises(DTypeError, match=words):
        wrong()


def test_words_of_hybrid_functions() -> None:
    @te.hybrid.script
    def neighbours_of(a):  # type: ignore[no-untyped-def]
        b = output_tensor(a.shape, "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in range(a.shape[0]):
            b[i] = nextafter(a[i], a[0]) + asinh(a[i])  # type: ignore[name-defined]  # noqa: F821
        return b

    x = np.array([1.0, 2.0, -3.0], "float32")
    want = np.nextafter(x, x[0]) + np.arcsinh(x)
    A = te.placeholder((3,), name="A")
    B = neighbours_of(A)
    out = np.zeros(3, "float32")
    tewb.build(te.create_schedule(B.op), [A, B])(x, out)
    np.testing.assert_allclose(out, want, rtol=1e-6)
    np.testing.assert_allclose(neighbours_of(x), want, rtol=1e-6)
