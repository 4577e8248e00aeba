"""The words of the language: compiled, on numpy, and checked, they are the same functions."""

# ruff: noqa: F821
from __future__ import annotations

import numpy as np
import pytest

from tests.tensor.hybrid.ways import define, ints, three_ways
from tewb import te
from tewb.tensor.hybrid.words import CASTS, FUNCTIONS, LOOPS, WORDS, cast_array, eager_names, extreme

script = te.hybrid.script


DTYPES = ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
ONE = [
    "exp", "exp2", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "tanh", "sigmoid", "sin", "cos", "tan", "asin",
    "acos", "atan", "sinh", "cosh", "erf", "floor", "ceil", "round", "trunc", "nearbyint", "isnan", "isinf",
    "isfinite", "abs", "float32", "int16", "bool", "int", "float",
]  # fmt: skip
TWO = ["fmod", "atan2", "hypot", "copysign", "power", "min", "max"]
INTEGERS = [
    "truncdiv(x, y)",
    "truncmod(x, y)",
    "popcount(x)",
    "floor(x)",
    "select(x > y, x, y)",
    "likely(x > y)",
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_word_of_floats(dtype: str) -> None:
    words = [f"{w}(x)" for w in ONE] + [f"{w}(x, y)" for w in TWO] + ["fma(x, y, x)", "select(x > y, x, y)"]
    lines = "".join(f"        b[{k}, i] = {w}\n" for k, w in enumerate(words))
    head = f"def f(a, c):\n    b = output_tensor(({len(words)}, 9), a.dtype)\n    for i in range(9):\n"
    text = head + "        x, y = a[i], c[i]\n" + lines + "    return b\n"
    f = script(define(text, f"<words {dtype}>", known=True)["f"])
    rng = np.random.default_rng(3)
    three_ways(f, rng.uniform(0.1, 0.9, 9).astype(dtype), rng.uniform(0.1, 2, 9).astype(dtype))


def test_every_word_of_integers() -> None:
    lines = "".join(f"        b[{k}, i] = {w}\n" for k, w in enumerate(INTEGERS))
    head = f"def f(a, c):\n    b = output_tensor(({len(INTEGERS)}, 9), a.dtype)\n    for i in range(9):\n"
    text = head + "        x, y = a[i], c[i]\n" + lines + "    return b\n"
    f = script(define(text, "<words of integers>", known=True)["f"])
    three_ways(f, ints(9, low=-50, high=50), ints(9, low=-5, high=0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype: str) -> None:
    @script
    def f(a):
        b = output_tensor(a.shape, a.dtype)
        c = output_tensor(shape=(a.shape[0],), dtype="bool")
        for i in range(a.shape[0]):
            x = a[i]
            x = x + a[i] * 3
            x -= 1
            b[i] = x
            c[i] = x > 100 or not a[i] > 5
        return b, c

    three_ways(f, ints(20, dtype=dtype, high=120))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_beside_elements_are_int32_and_float32(dtype: str) -> None:
    @script
    def f(a, small, wide):
        b = output_tensor((12, a.shape[0]), "float64")
        for i in range(a.shape[0]):
            b[0, i] = a[i] - 5
            b[1, i] = (a[i] * 3 + 128) // 2
            b[2, i] = a[i] * 0.5 + 0.1
            b[3, i] = a[i] if 0 < a[i] - 4 < 100 else 1
            b[4, i] = max(a[i], 7) + (a[i] if a[i] > 3 else 1000) * 2
            b[5, i] = select(a[i] > 3, a[i], 300) - a[i]
            b[6, i] = a[i] + small[i]
            b[7, i] = (small[i] + a[i]) * wide[i] % 100
            b[8, i] = a[i] + i + (a[i] > 3)
            x = a[i]
            x += 200
            b[9, i] = x
            x, y = x + 1, x - 1
            b[10, i] = x * 1.0
            b[11, i] = y * 1.0
        return b

    three_ways(f, ints(20, dtype=dtype, high=100), ints(20, dtype="int8", high=100), ints(20, dtype="uint16"))


def test_what_numbers_are_in_hybrid_functions() -> None:
    @script
    def f(a):
        b = output_tensor((3,), "int32")
        c = output_tensor((3,), "uint8")
        for i in range(3):
            b[i] = a[i] - 5
            c[i] = a[i]
            c[i] -= 5
        return b, c

    b, c = f(np.array([3, 200, 255], "uint8"))
    assert b.tolist() == [-2, 195, 250] and c.tolist() == [254, 195, 250]
    three_ways(f, np.array([3, 200, 255], "uint8"))


def test_bool_scalars_casts_and_outputs() -> None:
    @script
    def f(a):
        b = output_tensor((8,), bool)
        c = output_tensor((8,), "uint8")
        seen = False
        for i in range(8):
            seen = seen or a[i] > 5
            b[i] = bool(a[i]) and not seen
            c[i] = uint8(a[i]) + uint8(250)
        return b, c

    three_ways(f, ints(8))


def test_a_word_that_is_compiled_runs_on_numpy_and_is_known() -> None:
    words = eager_names()
    assert frozenset(words) == WORDS
    assert set(FUNCTIONS) <= set(words) and set(CASTS) <= set(words) and set(LOOPS) <= set(words)


def test_ranges_count_in_int32_and_known_ones_in_numbers() -> None:
    words = eager_names()
    assert [type(k) for k in words["parallel"](2)] == [np.int32, np.int32]
    assert list(words["range"](7, 1, -3)) == [7, 4] and list(words["const_range"](np.int64(3))) == [0, 1, 2]


def test_casts_wrap_and_name_dtypes() -> None:
    words = eager_names()
    assert words["int8"](300) == 44 and words["uint8"](-1) == 255 and words["int32"](-2.9) == -2
    assert words["bool"](np.float32(0.5)) and words["int32"](np.inf) == 2**31 - 1
    assert words["output_tensor"]((2,), words["float64"]).dtype == "float64"
    assert cast_array(np.array([1.9, -1.9]), "int8").tolist() == [1, -1]


def test_extremes_of_numbers_and_of_elements() -> None:
    assert extreme("min", 3, 1, 2) == 1 and type(extreme("max", 1, 2.0)) is float
    assert (
        np.isnan(extreme("min", np.float32("nan"), np.float32(1)))
        and extreme("max", np.int8(3), np.int8(-4)) == 3
    )


@pytest.mark.parametrize(
    ("word", "a", "b", "wanted"),
    [
        ("ceil_div", 7, 2, 4),
        ("ceil_div", -7, 2, -3),
        ("truncdiv", -7, 2, -3),
        ("truncmod", -7, 2, -1),
        ("truncdiv", 7, -2, -3),
        ("truncmod", 7, -2, 1),
    ],
)
def test_divisions(word: str, a: int, b: int, wanted: int) -> None:
    assert FUNCTIONS[word][1](np.int32(a), np.int32(b)) == wanted


def test_bits_of_negative_numbers_are_those_of_their_pattern() -> None:
    assert FUNCTIONS["popcount"][1](np.int8(-1)) == 8 and FUNCTIONS["floor"][1](np.int8(-3)) == -3
