"""transform_layout: elements and loops in another order, in memory of another shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import argmax, assert_same_result, blur, chain, matmul, schedule_for
from tewb import te
from tewb.base import LowerError, ScheduleError, TewbError
from tewb.schedule import Step
from tewb.workbench import Session


def copy(shape: tuple[Any, ...] = (4, 6, 40)) -> tuple[Any, Any]:
    A = te.placeholder(shape, name="A")
    return A, te.compute(shape, lambda *i: A[i], name="B")


def flat(*indices: Any) -> list[Any]:
    """All dimensions of (4, 6, 40) as one."""
    return [(indices[0] * 6 + indices[1]) * 40 + indices[2]]


LAYOUTS: dict[str, tuple[Callable[..., Any], list[int]]] = {
    "as it is": (lambda *i: i, [4, 6, 40]),
    "reversed": (lambda *i: i[::-1], [40, 6, 4]),
    "flat": (flat, [960]),
    "last in parts": (lambda *i, n: [*i, n // 4, n % 4], [4, 6, 10, 4]),
    "padded parts": (lambda i, j, k: [k // 16, i, j, k % 16], [3, 4, 6, 16]),
    "three digits": (lambda i, j, k: [k % 5, i, k // 10, j, k // 5 % 2], [5, 4, 4, 6, 2]),
    "two as one, and parts": (lambda i, j, k: [k, (i * 6 + j) // 4, (i * 6 + j) % 4], [40, 6, 4]),
    "rows apart": (lambda i, j, k: [i, j * 64 + k], [4, 360]),
    "separated": (lambda i, j, k: [i, j, te.AXIS_SEPARATOR, k], [4, 6, 40]),
    "nothing said": (lambda i, j, k: [0, k, j, i], [1, 40, 6, 4]),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_loops_are_the_new_indices(name: str) -> None:
    f, shape = LAYOUTS[name]
    A, B = copy()
    s = te.create_schedule(B.op)
    loops = s[B].transform_layout(f)
    assert [int(iv.dom.extent) for iv in loops] == shape
    assert s[B].leaf_iter_vars == loops
    (b,) = [p for p in tewb.lower(s, [A, B])["main"].params if p.name == "B"]
    assert [int(n) for n in b.shape] == shape


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", LAYOUTS)
def test_elements_between_two_stages_lie_anywhere(name: str) -> None:
    f, shape = LAYOUTS[name]
    A, B = copy()
    C = te.compute(B.shape, lambda i, j, k: B[i, j, k] + B[3 - i, j, k], name="C")
    s = te.create_schedule(C.op)
    s[B].transform_layout(f)
    assert f"B = T.allocate(({', '.join(map(str, shape))}{',' * (len(shape) == 1)})" in str(
        tewb.lower(s, [A, C], simple_mode=True)
    )
    assert_same_result(s, [A], [C], debug=True)
    s[B].compute_at(s[C], s[C].op.axis[1])
    assert_same_result(s, [A], [C], debug=True)


@pytest.mark.parametrize("of_input", [True, False])
@pytest.mark.parametrize("of_output", [True, False])
def test_arrays_of_a_call_have_the_new_shape(of_input: bool, of_output: bool) -> None:
    A, B = copy((4, 6))
    s = te.create_schedule(B.op)
    if of_input:
        assert s[A].transform_layout(lambda i, j: [j, i]) is None
    if of_output:
        s[B].transform_layout(lambda i, j: [i // 2, j, i % 2])
    a = np.arange(24, dtype="float32").reshape(4, 6)
    b = np.zeros((2, 6, 2) if of_output else (4, 6), "float32")
    tewb.build(s, [A, B])(np.ascontiguousarray(a.T) if of_input else a, b)
    np.testing.assert_equal(b.transpose(0, 2, 1).reshape(4, 6) if of_output else b, a)


def test_loops_are_scheduled_afterwards() -> None:
    A, B = copy((10, 6))
    C = te.compute((10, 6), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    outer, j, inner = s[B].transform_layout(lambda i, j: [i // 4, j, i % 4])
    s[B].reorder(j, outer, inner)
    s[B].vectorize(inner)
    s[B].parallel(s[B].fuse(j, outer))
    assert_same_result(s, [A], [C])


def test_twice_is_one_after_the_other() -> None:
    A, B = copy((10, 6))
    C = te.compute((10, 6), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[B].transform_layout(lambda i, j: [j, i])
    s[B].transform_layout(lambda j, i: [j // 4, i, j % 4])
    assert "C[i, j] = B[j // 4, i, j % 4] * T.float32(2.0)" in str(tewb.lower(s, [A, C], simple_mode=True))
    assert_same_result(s, [A], [C])


def test_a_reduction_keeps_its_reduce_loops() -> None:
    A = te.placeholder((9, 10, 11), name="A")
    k = te.reduce_axis((0, 11), name="k")
    S = te.compute((9, 10), lambda i, j: te.sum(A[i, j, k], axis=k), name="S")
    D = te.compute((9, 10), lambda i, j: S[i, j] - 1.0, name="D")
    s = te.create_schedule(D.op)
    s[S].split(k, factor=4)
    s[S].transform_layout(lambda i, j: [j, i // 2, i % 2])
    assert s[S].loops().startswith("axis0(10), axis1(5), axis2(2), k.outer(3), k.inner(4); laid out by")
    assert_same_result(s, [A], [D])


def test_values_of_a_tuple_share_the_layout() -> None:
    inputs, outputs = argmax(6, 5)
    D = te.compute((6,), lambda i: outputs[0][i] + outputs[1][i].astype("int32"), name="D")
    s = te.create_schedule(D.op)
    s["IV"].transform_layout(lambda i: [i % 4, i // 4])
    assert_same_result(s, inputs, [D])


def test_an_inlined_reader_and_copies_find_the_elements() -> None:
    inputs, outputs = chain(11, 6)
    s = schedule_for(outputs)
    s["B"].transform_layout(lambda i, j: [j, i])
    s["C"].compute_inline()
    copied = s.cache_read(s["B"].op.output(0), "local", [s["D"]])
    s[copied].compute_at(s["D"], "i")
    assert_same_result(s, inputs, outputs)
    inputs, outputs = blur(12, 10)
    s = schedule_for(outputs)
    s["X"].transform_layout(lambda i, j: [i // 3, j, i % 3])
    cache = s.cache_write(s["X"].op.output(0), "local")
    s[cache].compute_at(s["X"], s["X"].op.axis[0])
    assert_same_result(s, inputs, outputs)


def test_sizes_that_a_call_tells() -> None:
    n, m = te.var("n"), te.var("m")
    A, B = copy((n, m))
    C = te.compute((n, m), lambda i, j: B[i, j] + 1.0, name="C")
    for layout in (lambda i, j: [j, i // 4, i % 4], lambda i, j: [(i * m + j) // 8, (i * m + j) % 8]):
        s = te.create_schedule(C.op)
        s[B].transform_layout(layout)
        kernel = tewb.build(s, [A, C])
        for size in ((1, 1), (7, 5), (8, 4), (0, 3)):
            x = np.random.default_rng(0).random(size, dtype="float32")
            y = np.zeros_like(x)
            kernel(x, y)
            np.testing.assert_equal(y, x + 1)


def test_it_is_in_the_journal_the_code_json_and_the_workbench() -> None:
    A, B = copy((10, 6))
    C = te.compute((10, 6), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[B].transform_layout(lambda row, column: [column, row // 4, te.AXIS_SEPARATOR, row % 4])
    text = "lambda row, column: [column, row // 4, te.AXIS_SEPARATOR, row % 4]"
    assert s.journal[0].args == {"mapping_function": text}
    assert str(s.copy()) == str(s)
    session = Session(te.create_schedule(C.op), [A, C])
    session.apply(Step("transform_layout", "B", {"mapping_function": text}))
    assert session.schedule_code.splitlines()[-1] == f"axis0, axis1, axis2 = s[B].transform_layout({text})"
    assert session.verify()
    shared = session.to_string()
    session.undo()
    session.load(shared)
    assert "laid out by" in session.schedule["B"].loops()
    space: dict[str, Any] = {}
    exec(session.code, space)
    assert str(space["module"]) == str(session.module)
    session.load(session.schedule_code)
    assert str(space["module"]) == str(session.module)
    one = te.create_schedule(C.op)
    one[B].transform_layout(lambda i, j: [i * 6 + j])
    one[B].unroll("axis0")
    assert "axis0 = s[B].transform_layout(lambda i, j: [(i * 6) + j])[0]" in Session(one, [A, C]).code


def a_scan(s: Any) -> Any:
    X = te.placeholder((5, 6), name="X")
    state = te.placeholder((5, 6), name="state")
    first = te.compute((1, 6), lambda _, i: X[0, i], name="first")
    step = te.compute((5, 6), lambda t, i: state[t - 1, i] + X[t, i], name="step")
    total = te.scan(first, step, state, inputs=[X], name="total")
    te.create_schedule(total.op)[step].transform_layout(lambda t, i: [i, t])


def an_extern_reader(s: Any) -> Any:
    A, B = copy((4, 6))
    E = te.extern((4, 6), [B], lambda i, o: te.call_packed("f", i[0], o[0]), name="E")
    te.create_schedule(E.op)[B].transform_layout(lambda i, j: [j, i])


def a_checked_reader(s: Any) -> Any:
    A, B = copy((6,))
    at = te.placeholder((6,), "int32", name="at")
    C = te.compute((6,), lambda i: B[at[i]], name="C")
    te.create_schedule(C.op)[B].transform_layout(lambda i: [i // 4, i % 4])


def on_b(layout: Any, *before: Any) -> Callable[[Any], Any]:
    def misuse(s: Any) -> None:
        for primitive, args in before:
            s.do(primitive, s["B"], args)
        s["B"].transform_layout(layout)

    return misuse


TURNED = "lambda i, j: [j, i]"


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (on_b(lambda i, j: [i]), "j is not told by the indices in memory"),
        (on_b(lambda i, j: [i + j]), r"several elements have one index i \+ j"),
        (on_b(lambda i, j: [i // 4, j]), "i is not told"),
        (on_b(lambda i, j: [i // 4, i % 2, j]), "i is not told"),
        (on_b(lambda i, j: [i, j, j]), "j is told twice"),
        (on_b(lambda i, j: [9 - i, j]), "of 9 - i it is not known how to find back"),
        (on_b(lambda i, j: [i, j, 3]), "index 3 is the same for all elements"),
        (on_b(lambda i, j: [i * j]), r"of i \* j it is not known"),
        (on_b(lambda i, j: [te.max(i, 3), j]), "is not made with"),
        (on_b(lambda i, j: [i, j * te.var("q")]), "uses q, which is no size of the program"),
        (on_b(lambda i, j: [i.astype("float32"), j]), "indices are integers|is not made with"),
        (on_b(lambda i: [i]), "takes 1 indices, and the tensor has 2"),
        (on_b(lambda i, j, k: [i]), "takes 3 indices, and the tensor has 2"),
        (on_b(lambda i, j: i), "returns no list of indices"),
        (on_b(lambda i, j: []), "at least one index"),
        (on_b(lambda i, j: [te.AXIS_SEPARATOR]), "at least one index"),
        (on_b(lambda i, j: [i / 0, j]), "does not say how to round"),
        (on_b(3), "3 is no function of indices"),
        (on_b("lambda i, j: [__import__('os'), i]"), "indices are made with"),
        (on_b("lambda i, j: [i, z]"), "z is none of its indices"),
        (on_b("lambda i, j: [i % 0, j]"), "divides by zero"),
        (on_b("lambda i, i: [i, i]"), "is no layout"),
        (on_b("[i, j]"), "is no function of indices"),
        (on_b("lambda i, j: [" + "-" * 1500 + "i, j]"), "transform_layout on stage B"),
        (on_b("lambda i, j: [i," + " " * 3000 + " j]"), "it is longer than"),
        (on_b(TURNED, ("split", {"axis": "i0", "factor": 4})), "split, fused or reordered already.*\n.*\n  hint: call transform"),
        (on_b(TURNED, ("reorder", {"axes": ["i1", "i0"]})), "split, fused or reordered already"),
        (on_b(TURNED, ("vectorize", {"axis": "i1"})), "loop i1 is marked vectorize"),
        (a_scan, "step is a part of scan total"),
        (an_extern_reader, "E reads B, and its code knows one layout.*\n.*\n  hint: copy it for E first"),
        (a_checked_reader, "C reads B at indices that are checked when it runs"),
    ],
)  # fmt: skip
def test_misuse_is_refused_and_changes_nothing(misuse: Callable[[Any], Any], said: str) -> None:
    A, B = copy((10, 6))
    C = te.compute((10, 6), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    with pytest.raises(TewbError, match=said):
        misuse(s)
    assert not any(step.primitive == "transform_layout" for step in s.journal)
    assert [int(n) for n in s[B].op.output(0).shape] == [10, 6]


def test_the_workbench_compares_in_the_layout_of_the_definition() -> None:
    A, B = copy((4, 6))
    s = te.create_schedule(B.op)
    for stage in ("A", "B"):
        said = s.why_not(Step("transform_layout", stage, {"mapping_function": TURNED}))
        assert "its arrays would have another layout" in (said or "")
        s[stage].transform_layout(lambda i, j: [j, i])
    assert not s.doubts


def test_a_declared_buffer_has_the_new_rank() -> None:
    A, B = copy((4, 6))
    s = te.create_schedule(B.op)
    s[A].transform_layout(lambda i, j: [i * 6 + j])
    with pytest.raises(LowerError, match="has 2 dimensions, and A is laid out in 1"):
        tewb.lower(s, [A, B], binds={A: te.decl_buffer((4, 6), name="A")})


def test_no_memory_is_lost_where_parts_divide() -> None:
    A, B = copy((8, 6))
    C = te.compute((8, 6), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[B].transform_layout(lambda i, j: [i // 4, j, i % 4])
    text = str(tewb.lower(s, [A, C], simple_mode=True))
    assert "likely" not in text
    assert math.prod(int(n) for n in s[B].op.output(0).shape) == 48
    inputs, outputs = matmul(8, 9, 10)
    s = schedule_for(outputs)
    copied = s.cache_read(inputs[1], "global", outputs)
    s[copied].transform_layout(lambda k, j: [j // 4, k, j % 4])
    assert_same_result(s, inputs, outputs)


def test_refused_without_a_change_of_the_other_stages() -> None:
    A, B = copy((4, 6))
    C = te.compute((4, 6), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    before = s["C"].op
    with pytest.raises(ScheduleError):
        s[B].transform_layout(lambda i, j: [i])
    assert s["C"].op is before
