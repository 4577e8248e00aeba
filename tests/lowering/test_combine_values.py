"""The combination of values by a reducer, one at a time or as tuples."""

from __future__ import annotations

from typing import Any

import pytest

from tests.programs import argmax, matmul
from tewb import te
from tewb.ir import CommReducer, Reduce, const, script
from tewb.lowering.combine_values import combined


def combiner(program: Any) -> CommReducer:
    _, outputs = program
    reduction = outputs[0].op.body[0]
    assert isinstance(reduction, Reduce)
    return reduction.combiner


def test_a_sum_adds_the_new_value_to_the_old() -> None:
    old, new = te.var("old", "float32"), te.var("new", "float32")
    assert [script(e) for e in combined(combiner(matmul()), [old], [new])] == ["old + new"]


def test_pairs_are_combined_together_and_each_has_its_result() -> None:
    old = [te.var("at"), te.var("most", "float32")]
    new = [te.var("k"), te.var("x", "float32")]
    assert [script(e) for e in combined(combiner(argmax()), old, new)] == [
        "T.Select(most >= x, at, k)",
        "T.Select(most >= x, most, x)",
    ]


def test_values_that_are_variables_of_the_reducer_are_not_replaced_twice() -> None:
    reducer = combiner(matmul())
    (x,), (y,) = reducer.lhs, reducer.rhs
    assert [script(e) for e in combined(reducer, [y], [x])] == [f"{y.name} + {x.name}"]


def test_as_many_values_as_results_are_needed() -> None:
    with pytest.raises(ValueError, match="shorter"):
        combined(combiner(argmax()), [const(1)], [const(1)])
