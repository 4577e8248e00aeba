"""Division never traps: x / 0 is 0, the smallest number / -1 wraps, and rounding is down or toward zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.codegen.elementwise import INTS, run, special
from tests.codegen.llvm_functions import computed, function
from tewb import te
from tewb.base import DType
from tewb.codegen.division import divided, divided_safely, shifted


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with np.errstate(all="ignore"):
        yield


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


def truncated(a: Any, b: Any) -> Any:
    """a / b toward zero, where b is neither 0 nor -1."""
    wide = [
        int(abs(int(x)) // abs(int(y))) * (1 if (x < 0) == (y < 0) else -1) for x, y in zip(a, b, strict=True)
    ]
    return np.array(wide, a.dtype)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64"])
@pytest.mark.parametrize("lanes", [1, 4])
def test_quotients_toward_zero(dtype: str, lanes: int) -> None:
    a, b = special(dtype, np.random.default_rng(3)), np.resize(np.array([2, 3, 5, 7, 100, 127], dtype), 64)
    d = DType(dtype).with_lanes(lanes)
    for sign in (1,) if dtype == "uint8" else (1, -1):
        y = (b * sign).astype(dtype)
        got = computed(lambda f, x: divided(f, *x, d, floor=False, remainder=False), a, y, lanes=lanes)
        np.testing.assert_array_equal(got, truncated(a, y))
    zero = computed(
        lambda f, x: divided_safely(f, *x, d, floor=False, remainder=False), a, a * 0, lanes=lanes
    )
    assert not zero.any()


@pytest.mark.parametrize("dtype", ["int16", "uint16"])
@pytest.mark.parametrize("divisor", [1, 2, 64, 2**14])
def test_a_power_of_two_is_a_shift_or_a_mask(dtype: str, divisor: int) -> None:
    a, d = special(dtype, np.random.default_rng(4)), DType(dtype).with_lanes(8)
    for remainder, numpys in ((False, np.floor_divide), (True, np.mod)):
        got = computed(lambda f, x, r=remainder: shifted(f, x[0], d, divisor, r), a, lanes=8)
        np.testing.assert_array_equal(got, numpys(a, np.array(divisor, dtype)))
    f = function()
    shifted(f, "%x", d, divisor, False)
    assert len(f.lines) == 1 and "div" not in f.lines[0]


def test_unsigned_numbers_take_one_instruction() -> None:
    f = function()
    divided(f, "%x", "%y", DType("uint32"), floor=True, remainder=True)
    assert f.lines == ["  %v1 = urem i32 %x, %y"]


def test_corrections_of_neighbours_keep_their_masks() -> None:
    """LLVM's vectors of such choices read a mask that nothing had written, and a store left the array."""

    # fmt: off
    @te.hybrid.script
    def f(a, c):
        p = output_tensor((6,), "int32")  # noqa: F821
        q = output_tensor((4, 6), "float32")  # noqa: F821
        for k, u in enumerate((a, p)):
            p[k] = u[k] % 100 + k
        w = 0
        while w < 4:
            v = 0
            while v < 4:
                for x in a:
                    p[(9 if float32(a[0]) < 1.0 else x % 20) % 6] = (x % 20 + x % 20) % 1000  # noqa: F821
                v += 1
            for y in a:
                p[(-y % 20) % 6] = (y % 20 + y % 20) % 1000
            q[(p[-6] % 50) % 4, (p[-1] % 50 * a[-1]) % 6] = floor(min(max(max(max(-1.5, c[0, 5]), (-1.5 - c[2, 2])), -8.0), 8.0))  # noqa: F821
            w += 1
        for i in range(p[1] % 3, 6):
            p[i] = -(2**2) % 1000
        return p, q
    # fmt: on

    a, c = np.array([6, 0, 4, -2, 8, -3], "int32"), np.zeros((4, 6), "float32")
    A, C = te.placeholder(a.shape, "int32", name="A"), te.placeholder(c.shape, name="C")
    P, Q = f(A, C)
    around = np.full(6 + 64, 77, "int32")
    p = around[32:38]
    p[:] = 0
    tewb.build(te.create_schedule(P.op), [A, C, P, Q])(a, c, p, np.zeros((4, 6), "float32"))
    np.testing.assert_array_equal(p, f(a, c)[0])
    assert (np.delete(around, np.s_[32:38]) == 77).all()
