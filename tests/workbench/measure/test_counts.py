"""Counting: the operations and bytes that a definition asks for, whatever its schedule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.programs import PROGRAMS, schedule_for
from tewb import te
from tewb.base import ArgumentError
from tewb.workbench.demos import demo_session
from tewb.workbench.measure.counts import (
    least_bytes,
    operations,
    operations_below,
    points,
    shape_of,
    size_of,
    value_of,
)


def session(n: int = 32) -> Any:
    return demo_session("matmul", n=n)


@pytest.mark.parametrize(
    ("program", "count", "moved"),
    [
        ("matmul", 2 * 17 * 13 * 11, 4 * (17 * 11 + 11 * 13 + 17 * 13)),  # a product and a sum
        ("chain", 19 * 10 * (2 + 2 + 1), 4 * 2 * 190),
        ("blur", 18 * 21 * (2 + 2), 4 * 2 * 378),  # the max and min of the indices are free
        ("padded", 23 * 5, 4 * 2 * 23),  # the padding only chooses
        ("rows", 84 + 2 * 84 + 84 + 84, 4 * 2 * 84),  # max, subtract and exp, sum, divide
        ("transposed", 126 + 126, 4 * 2 * 126),
        ("two_outputs", 60 * (1 + 2), 8 * 3 * 60),
        ("argmax", 78 * 2, 4 * (78 + 2 * 6)),  # two comparisons at a point
    ],
)
def test_counts_of_known_programs(program: str, count: int, moved: int) -> None:
    inputs, outputs = PROGRAMS[program]()
    assert operations(schedule_for(outputs).outputs, {}) == count
    assert least_bytes([*inputs, *outputs], {}) == moved


def test_symbolic_sizes_and_fma_are_counted() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A", dtype="float64")
    B = te.compute((n,), lambda i: te.fma(A[i], A[i], 1.0), name="B")
    assert operations([B.op], {"n": 10}) == 20
    assert least_bytes([A, B, n], {"n": 10}) == 160


def test_the_count_is_that_of_the_definition_whatever_the_schedule() -> None:
    s = session()
    s.apply({"primitive": "cache_write", "stage": "C", "args": {"scope": "local"}})
    assert s.measure(repeat=1, cold=False).operations == 2 * 32**3


def test_work_inside_an_extern_is_not_counted() -> None:
    m = demo_session("extern").measure(repeat=1)
    assert m.operations is None and m.gflops is None and m.gbytes


def test_sizes_go_by_variable_or_by_name() -> None:
    n, other = te.var("n"), te.var("n")
    sizes = {n: 3, "n": 5}
    assert [value_of(v, sizes) for v in (n, other, te.var("m"))] == [3, 5, 128]
    assert size_of(n * 2 + other, sizes) == 11 and size_of(te.const(7), {}) == 7
    assert shape_of(te.placeholder((n, 4), name="A"), sizes) == (3, 4)


def test_sizes_that_cannot_be() -> None:
    n = te.var("n")
    with pytest.raises(ArgumentError, match=r"the shape of A would be \(-4, 2\)") as e:
        shape_of(te.placeholder((n - 8, 2), name="A"), {"n": 4})
    assert e.value.hint == 'sizes={"n": 128} gives n a value'
    A = te.placeholder((4,), "int32", name="A")
    with pytest.raises(ArgumentError, match=r"the size A\[0\] does not follow from numbers"):
        size_of(A[0], {})


@pytest.mark.parametrize(("n", "count"), [(0, 0), (1, 1), (16, 136)])
def test_the_points_of_a_triangle(n: int, count: int) -> None:
    A = te.placeholder((16, 16), name="A")

    def row(i: Any) -> Any:
        r = te.reduce_axis((0, i + 1), name="r")
        return te.sum(A[i, r], axis=r)

    assert points(te.compute((n,), row, name="C").op, {}) == count


def test_shared_inputs_are_there_once() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + A[3 - i], name="B")
    C = te.compute((4,), lambda i: B[i] * A[i], name="C")
    assert sorted(op.name for op in operations_below([C.op, B.op])) == ["A", "B", "C"]


def test_arithmetic_on_indices_and_choices_are_free() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: te.if_then_else(i % 2 == 0, A[7 - i], 0.0), name="B")
    assert operations([B.op], {}) == 0
    C = te.compute((8,), lambda i: te.if_then_else(A[i] > 0.0, te.exp(A[i]), A[i]), name="C")
    assert operations([C.op], {}) == 8 * 2


def test_a_shared_part_counts_once() -> None:
    A = te.placeholder((8,), name="A")

    def body(i: object) -> object:
        square = A[i] * A[i]
        return square + square

    assert operations([te.compute((8,), body, name="B").op], {}) == 16
