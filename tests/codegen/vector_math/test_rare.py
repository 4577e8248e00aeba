"""Rare arguments go to a function of their own, all lanes of a vector together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.codegen.llvm_functions import computed, function
from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.vector_math.build import Math
from tewb.codegen.vector_math.rare import choose, outlined


def negated(f: Function, d: DType, args: Sequence[str]) -> str:
    return Math(f, d).neg(args[0])


def doubled_or_negated(f: Function, d: DType, x: str) -> str:
    """2*x, or -x in vectors with an element above 10."""
    m = Math(f, d)
    return choose(f, d, m.compare("ogt", x, 10.0), [x], lambda: m.add(x, x), "negated", negated)


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_a_vector_with_a_rare_lane_goes_the_other_way(lanes: int) -> None:
    x = np.array([1, 2, 3, 4, 5, 6, 11, 8], "float32")
    got = computed(
        lambda f, a: doubled_or_negated(f, DType("float32").with_lanes(lanes), a[0]), x, lanes=lanes
    )
    rare = np.repeat((x.reshape(-1, lanes) > 10).any(axis=1), lanes)
    np.testing.assert_array_equal(got, np.where(rare, -x, 2 * x))


def test_the_function_is_written_once_for_a_type() -> None:
    f = function()
    names = [outlined(f, DType(d), 1, "negated", negated) for d in ("float32", "float32x4", "float32")]
    assert names == ["tewb.negated.f32", "tewb.negated.v4f32", "tewb.negated.f32"]
    assert len(f.module.functions) == 2
    assert f.module.functions[0].startswith(
        "define internal float @tewb.negated.f32(float %x0) noinline cold nounwind {"
    )
    assert f.lines == []


def test_a_function_of_two_arguments() -> None:
    f = function()
    outlined(f, DType("float64"), 2, "difference", lambda g, d, a: Math(g, d).sub(*a))
    assert "(double %x0, double %x1)" in f.module.functions[0]
    assert "fsub double %x0, %x1" in f.module.functions[0]
