"""Programs as JSON: what comes back is the same, shares what was shared, and builds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import Array, Map, ParseError, ShapeTuple, String, TewbError
from tewb.ir import structural_equal
from tewb.runtime import convert
from tewb.tensor.json_text import load_json, save_json


def row_sums() -> list[Any]:
    n = te.var("n")
    A = te.placeholder((n, 8), name="A")
    k = te.reduce_axis((0, 8), name="k")
    B = te.compute((n,), lambda i: te.sum(A[i, k] * 2.0, axis=k), name="B")
    return [A, B]


def test_a_module_comes_back_and_builds() -> None:
    A, B = row_sums()
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("i", 4)[1])
    module = tewb.lower(s, [A, B])
    again = load_json(save_json(module))
    assert structural_equal(again, module) and str(again) == str(module)
    np.testing.assert_array_equal(tewb.build(again)(np.ones((5, 8), "float32")), np.full(5, 16.0))


def test_tensors_come_back_with_what_they_are_computed_from() -> None:
    A, B = load_json(save_json(row_sums()))
    assert B.op.input_tensors[0] is A and B.shape[0] is A.shape[0] and A.op.output(0) is A
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    np.testing.assert_array_equal(kernel(np.ones((5, 8), "float32")), np.full(5, 16.0))


def test_expressions_and_values_come_back() -> None:
    x = te.var("x", "float32")
    e = te.exp(x) * x + te.const(float("inf"), "float32")
    for value in (e, {"a": [e, x], "b": (1, 2.5, True, None, "text")}, [float("-inf")], te.const(3, "uint8")):
        again = load_json(save_json(value))
        assert str(again) == str(value)
    (first, second), both = load_json(save_json([(e, x), x]))
    assert second is both and first.a.b is both


def test_a_shared_expression_stays_shared() -> None:
    e = te.var("x", "float32") + 1.0
    for _ in range(60):
        e = e * e
    again = load_json(save_json(e))
    assert again.a is again.b and len(save_json(e)) < 20_000


def test_what_only_its_code_knows_is_refused() -> None:
    A = te.placeholder((4,), name="A")
    B = te.extern((4,), [A], lambda ins, outs: te.call_packed("f", ins[0], outs[0]), name="B")
    with pytest.raises(TewbError, match="an ExternOp is known to its own Python code only"):
        save_json(B)
    with pytest.raises(TewbError, match="an object is known"):
        save_json([object()])


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"root": 1}', '{"objects": [["os.system", {}]], "root": {"object": 0}}',
        '{"objects": [], "root": {"object": 0}}', '{"objects": [], "root": {"what": 0}}', '{"objects": 3, "root": 1}',
        '{"objects": [["Var", {"dtype": {"dtype": "float33"}}]], "root": 1}',
    ],
)  # fmt: skip
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises((ParseError, TewbError)):
        load_json(text)


def test_the_text_is_json() -> None:
    assert json.loads(save_json(te.var("x")))["tewb"] == 1


def test_containers_come_back_as_what_they_are() -> None:
    n = te.var("n")
    for x in (
        convert([1, "a", [2.5]]),
        convert({"b": 1, n: [n, n]}),
        ShapeTuple((1, 2)),
        String("x"),
        Array(),
        Map(),
    ):
        again = load_json(save_json(x))
        assert type(again) is type(x)
        assert str(again) == str(x)
    pair = load_json(save_json(convert({n: [n + 1]})))
    ((name, (sum_,)),) = pair.items()
    assert sum_.a is name
