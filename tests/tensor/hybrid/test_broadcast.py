"""Sizes of slices that meet: equal, or 1; checked when the function runs where nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tensor.hybrid.translate import parsed, translation
from tewb.base import INT32, HybridError
from tewb.ir import Var, const, ops
from tewb.tensor.hybrid.broadcast import common_shape, same_size
from tewb.tensor.hybrid.emitted import joined
from tewb.tensor.hybrid.values import Slice

n, m = Var("n", INT32), Var("m", INT32)
NODE = parsed("0")


def sliced(*shape: Any) -> Slice:
    return Slice(tuple(ops.convert(s) for s in shape), lambda at: const(1.0))


@pytest.mark.parametrize(
    ("shapes", "together"),
    [
        ([(8,)], "8"),
        ([(8,), (1,)], "8"),
        ([(1,), (8,)], "8"),
        ([(4, 8), (8,)], "4 8"),
        ([(8,), (4, 1)], "4 8"),
        ([(1, 1), (3, 1, 5)], "3 1 5"),
        ([(n,), (n,)], "n"),
        ([(0,), (1,)], "0"),
        ([()], ""),
    ],
)
def test_shapes_that_go_together(shapes: Any, together: str) -> None:
    t = translation()
    shape = common_shape(t, NODE, [3, *(sliced(*s) for s in shapes), const(1)])
    assert " ".join(map(str, shape)) == together and t.pending == []


def test_known_sizes_that_differ_are_refused() -> None:
    with pytest.raises(HybridError, match="slices of 4 and 5 elements do not go together") as e:
        common_shape(translation(), NODE, [sliced(4), sliced(5)])
    assert e.value.hint == "sizes are equal or 1"


def test_sizes_that_nobody_knows_are_checked_when_the_function_runs() -> None:
    t = translation()
    assert same_size(t, NODE, n, m) is n
    assert "assert n == m, 'f: slices of different sizes, n and m" in str(joined(t.take_pending()))
    assert same_size(t, NODE, n + 1, 1 + n) is not None and t.pending == []


def test_no_slices_have_no_shape() -> None:
    assert common_shape(translation(), NODE, [1, const(2.0)]) == ()
