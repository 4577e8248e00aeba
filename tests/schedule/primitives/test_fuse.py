"""fuse: neighbours in any order, many, one, none, and data with reduce axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import argmax, assert_same_result, bytes_product, lower_all, matmul, rows, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import AxisKind, For, walk
from tewb.schedule import Step
from tewb.workbench import Session


def loops(s: Any) -> list[str]:
    return [n.var.name for n in walk(lower_all(s)["main"].body) if isinstance(n, For)]


@tewb.register_func("fuse.double")
def double(a: Any, b: Any) -> None:
    b[...] = a * 2


# ---------------------------------------------------------------- which loops


@pytest.mark.parametrize(
    ("axes", "left"),
    [
        ("ij", "i.j.fused(20), k(6)"),
        ("ji", "i.j.fused(20), k(6)"),
        ("ijk", "i.j.fused.k.fused(120)"),
        ("kji", "i.j.k.fused.fused(120)"),
        ("jik", "i.j.fused.k.fused(120)"),
        ("jki", "i.j.k.fused.fused(120)"),
        ("i", "i(5), j(4), k(6)"),
        ("", "singleton(1), i(5), j(4), k(6)"),
    ],
)
def test_neighbours_are_taken_in_the_order_of_the_loops(axes: str, left: str) -> None:
    inputs, outputs = matmul(5, 4, 6)
    s = schedule_for(outputs)
    fused = s["C"].fuse(*axes)
    assert s["C"].loops() == left
    assert fused in s["C"].leaf_iter_vars
    assert_same_result(s, inputs, outputs)
    assert str(s.copy()) == str(s)
    session = Session(s, [*inputs, *outputs])
    space: dict[str, Any] = {}
    exec(session.code, space)
    assert str(space["module"]) == str(session.module)


def test_lists_of_axes() -> None:
    s = schedule_for(matmul(5, 4, 6)[1])
    i, j = s["C"].op.axis
    s["C"].reorder([j, "k"], i)
    assert s["C"].loops() == "j(4), k(6), i(5)"
    s["C"].fuse(["k", i])
    assert s["C"].loops() == "j(4), k.i.fused(30)"


def test_a_loop_of_no_axis_is_scheduled_as_others_are() -> None:
    inputs, outputs = matmul(5, 4, 6)
    s = schedule_for(outputs)
    one = s["C"].fuse()
    other = s["C"].fuse()
    s["C"].parallel(other)
    s["C"].fuse(one, s["C"].split("i", factor=2)[0])
    assert_same_result(s, inputs, outputs)
    session = Session(s, [*inputs, *outputs])
    assert session.verify().ok and "singleton" in str(session.stages)


@pytest.mark.parametrize("kind", ["hybrid", "extern"])
def test_a_loop_of_no_axis_around_other_code(kind: str) -> None:
    A = te.placeholder((6,), name="A")

    @te.hybrid.script
    def twice(a):  # type: ignore[no-untyped-def]
        b = output_tensor((6,), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in range(6):
            b[i] = a[i]
        for i in range(6):
            b[i] = b[i] * 2.0
        return b

    te_call = lambda ins, outs: te.call_packed("fuse.double", ins[0], outs[0])  # noqa: E731
    B = (
        twice(A)
        if kind == "hybrid"
        else te.extern((6,), [A], te_call, name="B", access=te.access.elementwise)
    )
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].fuse())
    a, b = np.arange(6, dtype="float32"), np.zeros(6, "float32")
    tewb.build(s, [A, B])(a, b)
    np.testing.assert_array_equal(b, a * 2)


# ---------------------------------------------------------------- data with reduce axes


def inner_pair(s: Any, c: str) -> None:
    s[c].fuse(*s[c].leaf_iter_vars[-2:])


def all_of_them(s: Any, c: str) -> None:
    s[c].fuse(*s[c].leaf_iter_vars)


def and_split(s: Any, c: str) -> None:
    f = s[c].fuse(*s[c].leaf_iter_vars[-2:])
    _, fi = s[c].split(f, factor=4)
    s[c].unroll(fi)


def parts_that_do_not_divide(s: Any, c: str) -> None:
    last, r = s[c].leaf_iter_vars[-2:]
    _, jo = s[c].split(last, factor=3)
    ro, ri = s[c].split(r, factor=4)
    s[c].reorder(ro, jo, ri)
    f = s[c].fuse(jo, ri)
    s[c].split(f, nparts=5)


def reduce_outside(s: Any, c: str) -> None:
    last, r = s[c].leaf_iter_vars[-2:]
    s[c].reorder(r, last)
    f = s[c].fuse(r, last)
    s[c].split(f, factor=5)


def data_inside(s: Any, c: str) -> None:
    first, r = s[c].leaf_iter_vars[0], s[c].leaf_iter_vars[-1]
    others = s[c].leaf_iter_vars[1:-1]
    s[c].reorder(first, r, *others)
    s[c].fuse(first, r)
    if others:
        s[c].vectorize(others[-1])


MIXED: list[Callable[[Any, str], None]] = [
    inner_pair, all_of_them, and_split, parts_that_do_not_divide, reduce_outside, data_inside,
]  # fmt: skip


@pytest.mark.parametrize("program", [(matmul, "C"), (argmax, None), (rows, "M")])
@pytest.mark.parametrize("calls", MIXED)
def test_data_with_a_reduce_axis(program: Any, calls: Callable[[Any, str], None]) -> None:
    f, stage = program
    inputs, outputs = f(7, 5)
    s = schedule_for(outputs)
    calls(s, stage or next(st.name for st in s.stages if st.op.reduce_axis))
    assert_same_result(s, inputs, outputs)


def test_the_loop_is_a_reduce_loop() -> None:
    s = schedule_for(matmul(5, 4, 6)[1])
    f = s["C"].fuse("j", "k")
    assert f.kind is AxisKind.REDUCE
    assert loops(s) == ["i", "j.init", "j.k.fused"]


@pytest.mark.parametrize("m", [0, 1])
def test_an_empty_reduction_is_the_identity(m: int) -> None:
    inputs, outputs = matmul(3, 4, m)
    s = schedule_for(outputs)
    s["C"].fuse("j", "k")
    assert_same_result(s, inputs, outputs)


def test_symbolic_sizes() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A", dtype="int32")
    k = te.reduce_axis((0, m), name="k")
    B = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="B")
    s = te.create_schedule(B.op)
    s[B].split(s[B].fuse(B.op.axis[0], k), factor=4)
    kernel = tewb.build(s, [A, B])
    for shape in [(3, 5), (1, 1), (4, 8), (0, 3), (3, 0)]:
        a, b = np.random.randint(0, 9, shape).astype("int32"), np.full(shape[0], 7, "int32")
        kernel(a, b)
        np.testing.assert_array_equal(b, a.sum(1))


def test_a_producer_is_computed_at_it() -> None:
    A = te.placeholder((6, 8), name="A")
    P = te.compute((6, 8), lambda i, j: A[i, j] * 2.0, name="P")
    k = te.reduce_axis((0, 8), name="k")
    B = te.compute((6,), lambda i: te.sum(P[i, k], axis=k), name="B")
    s = te.create_schedule(B.op)
    fo, _ = s[B].split(s[B].fuse("i", "k"), factor=4)
    s[P].compute_at(s[B], fo)
    assert_same_result(s, [A], [B])


# ---------------------------------------------------------------- refusals


def vectorized_lanes(s: Any) -> None:
    ko, ki = s["C"].split("k", factor=2)
    s["C"].vectorize(ki)
    s["C"].reorder("i", "j", ko, ki)
    s["C"].fuse("j", ko)


def vectorize_it(s: Any) -> None:
    s["C"].vectorize(s["C"].fuse("j", "k"))


def parallel_it(s: Any) -> None:
    s["C"].parallel(s["C"].fuse("j", "k"))


def rfactor_it(s: Any) -> None:
    s["C"].fuse("j", s["C"].split("k", factor=2)[0])
    s.rfactor(s["C"].op.output(0), "k.inner")


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda s: s["C"].fuse("i", "k"), "k is not the loop right inside i"),
        (lambda s: s["C"].fuse("i", "i"), "i is not the loop right inside i"),
        (vectorized_lanes, "reduce loop k.inner is marked vectorize: each lane adds up for one element"),
        (vectorize_it, "loop j.k.fused is over data and reduce axes at once"),
        (parallel_it, "j.k.fused is a reduce axis"),
        (rfactor_it, "over data and reduce axes at once, and cannot move to another stage"),
    ],
)
def test_misuse_is_refused(misuse: Callable[[Any], Any], said: str) -> None:
    s = schedule_for(matmul(5, 4, 6)[1])
    with pytest.raises(ScheduleError, match=said):
        misuse(s)


def test_lanes_are_joined_for_one_element() -> None:
    s = schedule_for(bytes_product(5, 6, 12)[1])
    s["C"].fuse("i", "j")
    s["C"].split("k", factor=4)
    s["C"].dot("k.inner")
    assert "is marked dot" in (s.why_not(Step("fuse", "C", {"axes": ["i.j.fused", "k.outer"]})) or "")


@pytest.mark.parametrize("terms", [0, 2])
def test_an_empty_sum_that_is_fused_with_its_elements_starts_all_of_them(terms: int) -> None:
    """Also where not all that is read of it is there."""
    k = te.reduce_axis((0, terms), name="k")
    S = te.compute((4, 4), lambda i, j: te.sum(te.const(3, "int32"), axis=k), name="S")
    C = te.compute((3, 2), lambda i, j: te.if_then_else(i - 1 >= 0, S[0, i - 1], 0) + 1, name="C")
    s = te.create_schedule(C.op)
    s[S].reorder(k, "j", "i")
    s[S].fuse(k, "j", "i")
    c = np.zeros((3, 2), "int32")
    tewb.build(s, [C], debug=True)(c)
    np.testing.assert_array_equal(c, [[1, 1]] + 2 * [[3 * terms + 1] * 2])
