"""split, tile, fuse and reorder keep the result."""

from __future__ import annotations

import pytest

from tests.programs import assert_same_result, matmul, schedule_for


@pytest.mark.parametrize(("n", "factor"), [(64, 16), (65, 16), (7, 16), (1, 3), (10, 3)])
@pytest.mark.parametrize("by", ["factor", "nparts"])
def test_split_computes_the_same(n: int, factor: int, by: str) -> None:
    inputs, outputs = matmul(n, 5, 3)
    s = schedule_for(outputs)
    s["C"].split("i", **{by: factor})
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize("k", [12, 13, 1])
def test_a_split_reduction_adds_every_element_once(k: int) -> None:
    inputs, outputs = matmul(4, 5, k)
    s = schedule_for(outputs)
    _, inner = s["C"].split("k", factor=4)
    s["C"].split(inner, factor=3)  # 3 does not divide 4: the guard stands at k.inner, not only at k
    assert_same_result(s, inputs, outputs, debug=True)


def test_tile_fuse_reorder_and_annotations_compute_the_same() -> None:
    inputs, outputs = matmul(19, 21, 7)
    s = schedule_for(outputs)
    xo, yo, xi, yi = s["C"].tile("i", "j", 4, 8)
    s["C"].reorder(xo, yo, "k", xi, yi)
    s["C"].vectorize(yi)
    s["C"].unroll(xi)
    s["C"].parallel(s["C"].fuse(xo, yo))
    assert_same_result(s, inputs, outputs)
