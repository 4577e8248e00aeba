"""Split: every iteration once, whatever divides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, matmul, schedule_for
from tewb import te
from tewb.base import LowerError, ScheduleError, TewbError


@pytest.mark.parametrize(("n", "factor"), [(64, 16), (65, 16), (7, 16), (1, 3), (10, 3)])
@pytest.mark.parametrize("by", ["factor", "nparts"])
def test_split_computes_the_same(n: int, factor: int, by: str) -> None:
    inputs, outputs = matmul(n, 5, 3)
    s = schedule_for(outputs)
    s["C"].split("i", **{by: factor})
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize("k", [12, 13, 1])
def test_a_split_reduction_adds_every_element_once(k: int) -> None:
    inputs, outputs = matmul(4, 5, k)
    s = schedule_for(outputs)
    _, inner = s["C"].split("k", factor=4)
    s["C"].split(inner, factor=3)  # 3 does not divide 4: the guard stands at k.inner, not only at k
    assert_same_result(s, inputs, outputs, debug=True)


# ---------------------------------------------------------------- without guards


def increment(n: Any) -> tuple[Any, Any]:
    A = te.placeholder((n,), name="A")
    return A, te.compute((n,), lambda i: A[i] + 1.0, name="B")


def test_a_split_that_is_said_to_divide_is_checked_once_and_guards_nothing() -> None:
    A, B = increment(te.var("n"))
    s = te.create_schedule(B.op)
    _, inner = s[B].split("i", factor=4, disable_predication=True)
    s[B].vectorize(inner)
    module = tewb.lower(s, [A, B])
    assert "likely" not in str(module) and "assert n % 4 == 0" in str(module)
    kernel = tewb.build(s, [A, B])
    x, y = np.arange(8, dtype="float32"), np.zeros(8, "float32")
    kernel(x, y)
    np.testing.assert_equal(y, x + 1)
    with pytest.raises(
        TewbError, match="i of stage B was split with disable_predication, and 4 does not divide"
    ):
        kernel(x[:7], y[:7])


@pytest.mark.parametrize(("n", "size"), [(12, {"factor": 4}), (12, {"nparts": 3}), (3, {"factor": 8})])
def test_nothing_is_checked_where_it_divides(n: int, size: dict[str, int]) -> None:
    A, B = increment(n)
    s = te.create_schedule(B.op)
    s[B].split("i", **size, disable_predication=True)
    assert "assert" not in str(tewb.lower(s, [A, B])) and "likely" not in str(tewb.lower(s, [A, B]))
    assert s.journal[0].args["disable_predication"] == 1
    assert_same_result(s.copy(), [A], [B])


def test_the_part_that_is_needed_at_a_place_divides() -> None:
    A, B = increment(40)
    C = te.compute((37,), lambda i: B[i] + B[i + 3], name="C")
    s = te.create_schedule(C.op)
    s[B].split("i", 16, disable_predication=True)
    with pytest.raises(LowerError, match="i of stage B has 40 iterations, which 16 does not divide"):
        tewb.lower(s, [A, C])
    outer, _ = s[C].split("i", 5)
    s[B].compute_at(s[C], outer)
    assert_same_result(s, [A], [C])


def a_triangle() -> None:
    A = te.placeholder((6, 6), name="A")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return te.sum(A[i, k], axis=k)

    C = te.compute((6,), row, name="C")
    te.create_schedule(C.op)[C].split("k", 2, disable_predication=True)


def an_extern() -> None:
    A = te.placeholder((6,), name="A")
    E = te.extern(
        (6,), [A], lambda i, o: te.call_packed("f", i[0], o[0]), access=te.access.elementwise, name="E"
    )
    s = te.create_schedule(E.op)
    s[E].split(E.op.axis[0], 2, disable_predication=True)


def of_increment(n: int, *args: Any, **more: Any) -> Callable[[], None]:
    def misuse() -> None:
        _, B = increment(n)
        te.create_schedule(B.op)[B].split("i", *args, **more)

    return misuse


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (of_increment(43, 4, disable_predication=True), "i has 43 iterations, which 4 does not divide.*\n.*\n  hint: leave"),
        (of_increment(43, nparts=4, disable_predication=True), "i has 43 iterations, which 4 does not divide"),
        (of_increment(8, 4, None, 7), "disable_predication=7 must be True or False"),
        (a_triangle, "how often k runs is not the same for all elements"),
        (an_extern, "E is not a compute"),
    ],
)  # fmt: skip
def test_a_split_that_does_not_divide_is_guarded(misuse: Callable[[], None], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        misuse()
