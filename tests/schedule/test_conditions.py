"""Conditions on a call as text."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.base import ScheduleError
from tewb.ir import free_vars
from tewb.schedule import Schedule, read_call_condition
from tewb.schedule.conditions import call_condition_text, certain

N, M = te.var("n"), te.var("m")
A = te.placeholder((N, M), name="A")


def doubled() -> Schedule:
    return te.create_schedule(te.compute((N, M), lambda i, j: A[i, j] * 2.0, name="B").op)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (N % 16 == 0, "n % 16 == 0"),
        ("n%16==0", "n % 16 == 0"),
        ("not n < 3", "not (n < 3)"),
        ("1 < n <= m", "1 < n and n <= m"),
        (te.all(N > 3, te.any(M == 2, N != M)), "n > 3 and (m == 2 or n != m)"),
        (te.any(te.all(N > 3, M > 3), M // 4 - 1 < N * 2), "(n > 3 and m > 3) or (m // 4) - 1 < n * 2"),
        (te.stride(A, 0) == 1, "stride(A, 0) == 1"),
        ("te.stride(A, 1) >= m", "stride(A, 1) >= m"),
        ("stride(B, 0) == -1", "stride(B, 0) == -1"),
        (te.stride(A, 0) == te.stride(A, -1), "stride(A, 0) == stride(A, 1)"),
    ],
)
def test_a_condition_has_a_text_that_means_it(given: Any, text: str) -> None:
    s = doubled()
    own = call_condition_text(s, given)
    assert own == text
    assert call_condition_text(s, own) == own


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (True, "the condition always holds: all that it compares are numbers"),
        ("1 > 2", "the condition never holds"),
        (N, "n is no comparison"),
        (3, "3 is no condition"),
        (A[0, 0] > 1.0, "is float32, and conditions compare signed integers"),
        (N % M == 0, "n % m divides by m, which may be 0 or less in a call"),
        (N // -2 == 0, "divides by -2, which may be 0 or less"),
        ("n // 0 == 0", "it divides by zero"),
        ("q > 2", "the program has no variable q"),
        ("n is 1", "numbers are compared with"),
        ("n & 1 == 0", "numbers of conditions are made with"),
        ("n >", "is no condition on a call"),
        ("f(A, 0) == 1", "f has no meaning in it"),
        ("stride(Q, 0) == 1", "the program has no tensor Q: it has A, B"),
        ("stride(A, 2) == 1", "A has 2 dimensions, so there is no stride 2"),
        ("stride(A, n) == 1", "a stride is written stride"),
        (te.stride(te.placeholder((3, 3), name="Z"), 0) == 1, "Z is no tensor of this program"),
        ("n > 3 and " * 100 + "m > 3", "it is longer than 200 letters"),
        (te.all(*[i + 7 != N for i in range(40)]), "is longer than 200 letters"),
    ],
)
def test_what_is_no_condition(given: Any, message: str) -> None:
    with pytest.raises(ScheduleError, match=message) as e:
        call_condition_text(doubled(), given)
    assert e.value.hint


def test_variables_of_the_same_name_are_told_apart() -> None:
    with pytest.raises(ScheduleError, match="the program has another variable with the name n"):
        call_condition_text(doubled(), te.var("n") > 3)
    s, x = doubled(), te.var("x")
    assert call_condition_text(s, x > 3) == "x > 3"
    assert free_vars(read_call_condition(s, "x > 3")) == [x]


@pytest.mark.parametrize(
    ("earlier", "condition", "answer"),
    [
        ([], "n >= 0", True),
        ([], "n < 0", False),
        ([], "n % 4 == 4", False),
        ([], "n % 4 == 3", None),
        ([], "stride(A, 0) == stride(A, 0)", True),
        (["n > 3"], "n > 4", False),
        (["n > 3"], "n <= 3", True),
        (["n > 3"], "n > 2", None),
    ],
)
def test_what_is_certain_of_a_condition(earlier: list[str], condition: str, answer: bool | None) -> None:
    s = doubled()
    for one in earlier:
        with s.specialize(one):
            pass
    assert certain(s, condition) is answer
