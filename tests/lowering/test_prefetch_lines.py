"""One request for each line of the cache, and none where nothing is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, blur, matmul, padded, schedule_for
from tewb import te
from tewb.ir import script, structural_equal
from tewb.ir.parser import parse


def requests(s: Any, args: list[Any]) -> list[str]:
    lines = script(tewb.lower(s, args)).splitlines()
    return [x.strip().removeprefix("T.evaluate(").removesuffix(")") for x in lines if "prefetch" in x]


def test_one_request_for_each_line_of_the_box() -> None:
    inputs, outputs = matmul(16, 64, 8)
    s = schedule_for(outputs)
    _, jo, _, ji = s["C"].tile("i", "j", 4, 32)
    s["C"].reorder("i.outer", jo, "k", "i.inner", ji)
    s["C"].vectorize(ji)
    s["C"].prefetch(inputs[1], "k", 3)
    s["C"].prefetch(inputs[0], "i.outer")
    assert requests(s, inputs + outputs) == [
        "T.prefetch(A[i.outer * 4 + row0 + 4, 0])",
        "T.prefetch(B[k + 3, j.outer * 32 + line * 16])",
    ]
    module = tewb.lower(s, inputs + outputs)
    assert structural_equal(parse(script(module)), module)
    assert "prefetcht0" in tewb.build(s, inputs + outputs).get_source("asm") or not _is_x86()
    assert_same_result(s, inputs, outputs)
    assert_same_result(s, inputs, outputs, debug=True)


def _is_x86() -> bool:
    import platform

    return platform.machine().lower() in ("x86_64", "amd64")


@pytest.mark.parametrize("offset", [0, 1, 7, 65536])
def test_past_the_end_nothing_happens(offset: int) -> None:
    inputs, outputs = blur(18, 21)
    s = schedule_for(outputs)
    band, _ = s["Y"].split("i", factor=4)
    s["X"].compute_at(s["Y"], band)
    s["X"].prefetch(s["A"], "i", offset)
    s["Y"].prefetch(s["X"], "j", offset)
    assert_same_result(s, inputs, outputs)
    assert_same_result(s, inputs, outputs, debug=True)


def test_columns_have_a_line_for_each_element() -> None:
    A = te.placeholder((40, 30), name="A")
    B = te.compute((30, 40), lambda i, j: A[j, i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split("j", factor=4)
    s[B].prefetch(A, "j.outer", 2)
    assert requests(s, [A, B]) == ["T.prefetch(A[j.outer * 4 + row0 + 8, i])"]
    assert_same_result(s, [A], [B])


def test_symbolic_sizes_and_strides() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].prefetch(A, "i", 2)
    kernel = tewb.build(s, [A, B])
    for shape in [(0, 3), (1, 1), (9, 33)]:
        a, b = np.random.rand(*shape).astype("float32"), np.zeros(shape, "float32")
        kernel(a, b)
        np.testing.assert_allclose(b, a + 1)


def test_what_is_not_read_any_more_is_not_asked_for() -> None:
    inputs, outputs = padded(23)
    s = schedule_for(outputs)
    s["C"].prefetch(s["P"], "i", 1)
    s.cache_read(s["P"].op.output(0), "local", [s["C"]])
    assert requests(s, inputs + outputs) == []
    assert_same_result(s, inputs, outputs)


def test_what_comes_to_be_computed_there_is_not_asked_for() -> None:
    inputs, outputs = blur(18, 21)
    s = schedule_for(outputs)
    s["Y"].prefetch(s["X"], "i", 1)
    assert len(requests(s, inputs + outputs)) == 1
    s["X"].compute_at(s["Y"], "j")
    assert requests(s, inputs + outputs) == []
    assert_same_result(s, inputs, outputs)
