"""`te.hybrid`: a schedule as a hybrid function, by the classic names."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.programs import chain, matmul, schedule_for
from tewb import te
from tewb.base import HybridError


def scheduled() -> tuple[Any, list[Any], list[Any]]:
    inputs, outputs = matmul(5, 4, 3)
    s = schedule_for(outputs)
    _, inner = s["C"].split("i", factor=2)
    s["C"].unroll(inner)
    return s, inputs, outputs


def test_the_text_has_the_loops_of_the_schedule_and_the_given_name() -> None:
    text = te.hybrid.build(*scheduled(), "product").get_source()
    (f,) = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    assert f.name == "product" and [a.arg for a in f.args.args] == ["A", "B"]
    assert "for i_outer in range(3)" in text and "for i_inner in unroll(2)" in text
    assert "if likely(i_outer * 2 + i_inner < 5):" in text
    assert te.hybrid.build(*scheduled()).get_source().count("def hybrid_func(") == 1


def test_the_function_computes_what_the_schedule_does() -> None:
    module = te.hybrid.build(*scheduled())
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 3)).astype("float32"), rng.standard_normal((3, 4)).astype("float32")
    np.testing.assert_allclose(module(a, b), a @ b, rtol=1e-5)


def test_a_saved_function_is_loaded_again(tmp_path: Path) -> None:
    module = te.hybrid.build(*scheduled())
    path = tmp_path / "product.py"
    module.save(str(path))
    assert path.read_text() == module.get_source()
    a, b = np.ones((5, 3), "float32"), np.ones((3, 4), "float32")
    np.testing.assert_array_equal(te.hybrid.load(str(path))(a, b), np.full((5, 4), 3.0))


def test_intermediates_are_allocated_and_only_outputs_returned() -> None:
    inputs, outputs = chain(3, 2)
    text = te.hybrid.build(schedule_for(outputs), inputs, outputs).get_source()
    assert 'B = allocate((3, 2), "float32")' in text and text.rstrip().endswith("return D")


def test_loops_that_have_no_words_are_refused() -> None:
    A = te.placeholder((4,), name="A")
    E = te.extern((4,), [A], lambda i, o: te.call_packed("f", i[0], o[0]), name="E")
    with pytest.raises(HybridError, match="no form in a hybrid function"):
        te.hybrid.build(te.create_schedule(E.op), [A], [E])


def test_the_names_are_those_of_classic_te() -> None:
    assert set(te.hybrid.__all__) <= set(dir(te.hybrid)) and {"script", "build", "load"} <= set(
        te.hybrid.__all__
    )
