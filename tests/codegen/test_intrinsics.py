"""Math functions: LLVM's, our polynomials and those of the C library, as scalars and as vectors."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.codegen.elementwise import FLOATS, INTS, run, special
from tests.codegen.llvm_functions import computed, function
from tewb import te
from tewb.base import CodegenError, DType
from tewb.codegen import intrinsics
from tewb.codegen.intrinsics import INTRINSICS, number, provide_library
from tewb.ir import ops
from tewb.runtime.jit import address_of


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with np.errstate(all="ignore"):
        yield


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


@pytest.mark.parametrize("dtype", INTS)
@pytest.mark.parametrize("lanes", [1, 4])
def test_shifts_by_the_width_or_more(dtype: str, lanes: int) -> None:
    bits, d = np.iinfo(dtype).bits, DType(dtype).with_lanes(lanes)
    x = np.array([-1, 1, -1, 100], "int64").astype(dtype)
    by = np.array([bits, bits, bits + 1, 127]).astype(dtype)
    left = computed(lambda f, a: INTRINSICS["shift_left"](f, d, a), x, by, lanes=lanes)
    right = computed(lambda f, a: INTRINSICS["shift_right"](f, d, a), x, by, lanes=lanes)
    assert left.tolist() == [0] * 4 and right.tolist() == ([-1, 0, -1, 0] if d.kind == "int" else [0] * 4)


def test_the_magnitude_of_the_smallest_integer_wraps() -> None:
    x = np.array([-128, 127, -1, 0], "int8")
    got = computed(lambda f, a: INTRINSICS["abs"](f, DType("int8x4"), a), x, lanes=4)
    assert got.tolist() == [-128, 127, 1, 0]


@pytest.mark.parametrize("lanes", [1, 16, 17])
def test_the_c_library_is_called_lane_by_lane(lanes: int) -> None:
    """Up to 16 lanes are written out, more are a loop."""
    a, b = np.linspace(-9, 9, 34).astype("float32"), np.full(34, 2.5, "float32")
    a, b = (x[: 34 // lanes * lanes] for x in (a, b))
    d = DType("float32").with_lanes(lanes)
    np.testing.assert_array_equal(
        computed(lambda f, x: INTRINSICS["fmod"](f, d, x), a, b, lanes=lanes), np.fmod(a, b)
    )
    f = function()
    INTRINSICS["hypot"](f, d, ("%x", "%y"))
    calls = sum("@tewb_libm_hypotf" in line for line in f.lines)
    assert calls == (16 if lanes == 16 else 1) and (
        "f",
        any("phi" in x for x in f.lines) == (lanes > 16),
    ) == ("f", True)


def test_functions_of_the_library_are_found_for_code_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    intrinsics._symbol.cache_clear()
    provide_library(["tewb_libm_cbrt", "malloc"])
    assert address_of("tewb_libm_cbrt") and intrinsics._symbol.cache_info().currsize == 1
    with pytest.raises(CodegenError, match="this machine's C library has no function nosuchmath"):
        provide_library(["tewb_libm_nosuchmath"])


def test_numbers_in_all_lanes() -> None:
    assert number(1.0, DType("float64")) == "0x3FF0000000000000"
    assert number(0.1, DType("float32x2")) == "<float 0x3FB99999A0000000, float 0x3FB99999A0000000>"


@pytest.mark.parametrize("name", sorted(INTRINSICS))
def test_every_function_has_code_for_vectors(name: str) -> None:
    f = function()
    of_two = r"pow|atan2|fmod|hypot|copysign|bitwise_(and|or|xor)|shift_.*"
    count = 3 if name == "fma" else 2 if re.fullmatch(of_two, name) else 1
    bits = re.match("bitwise|shift|popcount|clz", name)
    INTRINSICS[name](f, DType("int32x4" if bits else "float32x4"), ("%x", "%y", "%z")[:count])
    assert f.lines
