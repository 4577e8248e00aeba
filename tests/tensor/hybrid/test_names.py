"""Names that are read: set here, around the function, or words; and why others have no value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.tensor.hybrid.translate import evaluate, expressions, loops, parsed
from tewb import te
from tewb.base import FLOAT32, INT32, HybridError
from tewb.ir import Buffer, Var, const
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.values import LoopVariable, ScalarVariable

i = Var("i", INT32)


def test_variables_are_read_from_where_they_are() -> None:
    memory = Buffer("x", FLOAT32, (const(1),))
    assert str(evaluate("x", x=ScalarVariable(memory))) == "x[0]" and evaluate("i", i=LoopVariable(i)) is i
    assert evaluate("t", t=(1, 2)) == (1, 2) and evaluate("float32") == "float32"


def test_values_of_the_code_around() -> None:
    A = te.placeholder((4,), name="A")
    e = expressions({"A": A, "table": np.zeros(2, "int8"), "pair": [A, 3], "n": 7})
    a = e.evaluate(parsed("A"))
    assert isinstance(a, Buffer) and e.evaluate(parsed("A")) is a and e.translation.buffers.inputs == {A: a}
    assert isinstance(e.evaluate(parsed("table")), ConstantTable)
    assert e.evaluate(parsed("pair")) == (a, 3) and e.evaluate(parsed("n")) == 7


@pytest.mark.parametrize(
    ("lines", "said", "hint"),
    [
        ("b[0] = missing", "missing has no value here", "set above"),
        ("b[0] = late\nlate = 1.0", "late is read before it is set", "late = ..."),
        (
            "for i in range(2):\n    x = a[i]\nb[0] = x",
            "x was set inside of a block that has ended",
            "before the loop",
        ),
        ("b[0] = exp", "exp is a function and no value", "exp(...)"),
        (
            "t = (a, 1)\nif a[0] > 0.0:\n    t = (a, 2)",
            "t stands for a tuple outside of this block",
            "another name",
        ),
    ],
)
def test_names_without_a_value(lines: str, said: str, hint: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        loops(lines)
    assert hint in (e.value.hint or "")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(2, "complex64"), "complex64"),
        (np.zeros(2, "complex64"), "complex64"),
        (np.ma.array([1, 2], mask=[0, 1]), "this is a masked array"),
    ],
)
def test_arrays_that_cannot_be_constants(array: Any, said: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        expressions({"table": array}).evaluate(parsed("table"))
    assert e.value.hint
