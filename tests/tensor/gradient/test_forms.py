"""Indices as sums of unknowns."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.arith import Analyzer
from tewb.tensor.gradient.forms import Forms

i, j, n = te.var("i"), te.var("j"), te.var("n")
T = te.placeholder((9,), "int32", name="T")


def forms() -> Forms:
    facts = Analyzer()
    facts.bind(i, 0, 31)
    return Forms({i, j}, facts)


@pytest.mark.parametrize(
    "e, coefficients, rest",
    [
        (i * 4 + j - n, {i: 4, j: 1}, "n * (-1)"),
        (i - i + 3, {}, "3"),
        ((i - j) * 2, {i: 2, j: -2}, "0"),
        (i.astype("int64") + 1, {i: 1}, "T.int64(1)"),
        (T[n] + j, {j: 1}, "T[n]"),
    ],
)
def test_sums(e: Any, coefficients: Any, rest: str) -> None:
    form = forms().of(e)
    assert form is not None
    assert dict(form.coefficients) == coefficients
    assert str(Analyzer().simplify(form.rest)) == rest


@pytest.mark.parametrize("e", [i * j, i * n, T[i], te.max(i, 3), i // n, te.truncdiv(j, 4), i.astype("int8")])
def test_what_is_no_sum(e: Any) -> None:
    assert forms().of(e) is None


def test_a_quotient_and_its_remainder_share_an_equation() -> None:
    f = forms()
    q, m = f.of(i // 8), f.of(i % 8)
    assert q is not None and m is not None and len(f.equations) == 1
    (quotient,), (remainder,) = q.coefficients, m.coefficients
    assert dict(f.equations[0].coefficients) == {i: -1, quotient: 8, remainder: 1}
    assert f.ranges == {quotient: (0, 3), remainder: (0, 7)}


def test_rounding_toward_zero_is_rounding_down_of_what_is_not_negative() -> None:
    assert forms().of(te.truncdiv(i, 4)) is not None
    assert forms().of(te.truncmod(i, 4)) is not None
