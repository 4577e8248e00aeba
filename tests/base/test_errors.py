"""Errors say on which of the user's lines they were made."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from tewb import te
from tewb.base import TewbError

N = te.var("n")
X = te.var("x", "float32")


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: te.exp(N),
        lambda: te.isnan("x"),
        lambda: te.atan2(N, N),
        lambda: te.fma(N, N, N),
        lambda: te.popcount(X),
        lambda: te.const(300, "int8"),
        lambda: te.const(float("nan"), "int32"),
        lambda: te.if_then_else("a", 1, 2),
        lambda: te.all(N, 2.0),
        lambda: te.floordiv(N, 0),
        lambda: X << 1,
        lambda: N + "x",
        lambda: bool(N > 0),
        lambda: int(N),
        lambda: te.compute((3,), lambda i: te.sqrt(i)),
    ],
)
def test_a_mistake_in_an_expression_has_the_users_line(mistake: Callable[[], Any]) -> None:
    with pytest.raises(TewbError) as e:
        mistake()
    assert e.value.span is not None and e.value.span.file == __file__
    assert e.value.span.line == mistake.__code__.co_firstlineno
    for other in (pickle.loads(pickle.dumps(e.value)), copy.copy(e.value)):
        assert str(other) == str(e.value)
