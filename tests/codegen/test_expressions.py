"""Every operation on every dtype, as scalars and as vectors, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.codegen.elementwise import FLOATS, INTS, run, special
from tewb import te
from tewb.codegen.expressions import reads_again
from tewb.ir import ops


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


def test_logic_on_booleans() -> None:
    rng = np.random.default_rng(6)
    a, b = special("bool", rng), special("bool", rng)
    for lanes in (1, 8):
        np.testing.assert_array_equal(run(lambda x, y: te.all(x, ~y), a, b, lanes=lanes), a & ~b)
        np.testing.assert_array_equal(run(lambda x, y: te.any(x, y), a, b, lanes=lanes), a | b)
        np.testing.assert_array_equal(
            run(lambda x, y: te.select(x, y, ~y), a, b, lanes=lanes), np.where(a, b, ~b)
        )


def test_another_array_is_not_read_before_its_condition() -> None:
    A, B = te.decl_buffer((8,), name="A"), te.decl_buffer((8,), name="B")
    i = te.var("i")
    assert reads_again(A.vload([i]) > 0.0, A.vload([i]) < 5.0)
    assert not reads_again(A.vload([i]) > 0.0, B.vload([i]) > 0.0)
