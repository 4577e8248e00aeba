"""The derivative of an expression by the reads in it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gradients import assert_gradient, placeholder
from tewb import te
from tewb.base import TewbError
from tewb.ir import Let, ProducerLoad, structural_equal
from tewb.tensor.gradient.partials import Share, partials, total


def is_read(n: Any) -> bool:
    return isinstance(n, ProducerLoad)


def factors(e: Any) -> list[tuple[str, str]]:
    return [(str(leaf), str(share.value("float64"))) for leaf, share in partials(e, is_read)]


A, B = placeholder(9, name="A"), placeholder(9, name="B")
AT = te.placeholder((9,), "int32", name="AT")
i = te.var("i")


def test_a_product_has_the_other_side() -> None:
    assert sorted(factors(A[i] * B[i])) == [("A[i]", "B[i]"), ("B[i]", "A[i]")]


def test_a_choice_has_conditions() -> None:
    found = {str(leaf): share for leaf, share in partials(te.select(i > 3, A[i], B[i]), is_read)}
    assert {leaf: [str(c) for c in s.conditions] for leaf, s in found.items()} == {
        "A[i]": ["i > 3"],
        "B[i]": ["not i > 3"],
    }
    assert all(s.factor is None for s in found.values())


def test_conditions_indices_and_integers_do_not_count() -> None:
    e = te.select(A[i] > B[i], te.const(1.0, "float64"), B[AT[i]]) + A[i].astype("int32").astype("float64")
    assert factors(e) == [("B[AT[i]]", "T.float64(1.0)")]


def test_a_shared_part_is_one_step() -> None:
    e = A[i]
    for _ in range(60):
        e = e * e  # 2**60 factors
    assert len(partials(e, is_read)) == 2  # both sides of the innermost product


def test_a_variable_that_is_read_twice_counts_twice() -> None:
    x, y = te.var("x", "float64"), te.var("y", "float64")
    found = partials(x + y + x * y, lambda n: n is x)
    assert len(found) == 2


def test_let_is_what_it_stands_for() -> None:
    v = te.var("v", "float64")
    e = Let(v, A[i] * A[i], v * B[i], v.dtype)
    assert {leaf for leaf, _ in factors(e)} == {"A[i]", "B[i]"}


def test_shares_are_added_where_their_conditions_differ() -> None:
    first, second = i > 1, i > 2
    both = total([Share((first,)), Share((first, second), A[i])], "float64")
    assert both.conditions == (first,)
    assert structural_equal(
        both.factor, te.const(1.0, "float64") + te.select(second, A[i], te.const(0.0, "float64"))
    )


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: x / y + y / x - x,
        lambda x, y: te.max(x, y) * te.min(x, y),
        lambda x, y: te.max(x, 0.7) + te.min(0.7, y),
        lambda x, y: te.select(x > y, te.log(x), y * x),
        lambda x, y: te.if_then_else(x > y, x, y * y),
        lambda x, y: te.exp(x * y).astype("float32").astype("float64") * 0.0 + x,
        lambda x, y: x % y + te.floormod(x * 3.0, y),
    ],
)
def test_expressions_of_two_reads(f: Any) -> None:
    x, y = placeholder(4, name="x"), placeholder(4, name="y")
    assert_gradient(te.compute((4,), lambda i: f(x[i], y[3 - i]), name="z"), [x, y])


def test_a_call_without_a_derivative() -> None:
    e = te.call_pure_extern("float64", "sinh", A[i])
    with pytest.raises(TewbError, match=r"the derivative of a call of sinh is not known, in .*A\[i\]"):
        partials(e, is_read)
    assert factors(te.call_pure_extern("float64", "sinh", 1.0) * A[i])[0][0] == "A[i]"
