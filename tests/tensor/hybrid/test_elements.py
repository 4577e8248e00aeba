"""Elements that are read: of tensors, of constant tables, of tuples."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tensor.hybrid.translate import evaluate
from tewb.base import FLOAT32, INT32, BoundError, HybridError
from tewb.ir import Buffer, Var, const
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.values import Slice

i = Var("i", INT32)
A = Buffer("a", FLOAT32, (const(8),))
TABLE = ConstantTable(np.array([[1, 2], [3, 4]], "int8"))


def test_elements_of_tensors_and_slices() -> None:
    assert str(evaluate("a[3]", a=A)) == "a[3]" and str(evaluate("a[-1]", a=A)) == "a[7]"
    assert isinstance(evaluate("a[1:3]", a=A), Slice)


def test_known_elements_of_a_table_are_numbers() -> None:
    assert evaluate("t[1, 0]", t=TABLE) == 3 and evaluate("t[-1, 1]", t=TABLE) == 4
    assert isinstance(evaluate("t[1, :]", t=TABLE), Slice)
    with pytest.raises(BoundError, match="out of bounds") as e:
        evaluate("t[2, 0]", t=TABLE)
    assert e.value.hint == "indices run from 0 to size - 1"


def test_members_of_tuples_need_numbers_that_are_known() -> None:
    assert evaluate("(5, 6, 7)[-1]") == 7 and evaluate("(5, 6, 7)[::2]") == (5, 7)
    for text in ("(5, 6)[2]", "(5, 6)[i]", "(5, 6)[-3]"):
        with pytest.raises(HybridError, match="this needs a number below 2 that is known here"):
            evaluate(text, i=i)
    with pytest.raises(HybridError, match="a part of a tuple needs numbers that are known here"):
        evaluate("(5, 6)[i:]", i=i)


@pytest.mark.parametrize(
    ("text", "what"), [("i[0]", "a number"), ("'x'[0]", "a string"), ("range(3)[0]", r"range\(...\)")]
)
def test_what_has_no_elements(text: str, what: str) -> None:
    with pytest.raises(HybridError, match=f"this is {what} and has no elements"):
        evaluate(text, i=i)


def test_elements_of_lists_in_lists_have_an_index_for_each() -> None:
    table = ((1, 2, 3), (4, 5, 6))
    assert evaluate("b[1, 2]", b=table) == 6 and evaluate("b[0, 1:]", b=table) == (2, 3)
    with pytest.raises(HybridError, match="this needs a number below 3"):
        evaluate("b[1, 3]", b=table)
    with pytest.raises(HybridError, match="this is a number and has no elements|has no elements"):
        evaluate("b[1, 2, 0]", b=table)
