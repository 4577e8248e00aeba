"""Sizes of splits that a kernel is called with: right for every value, and refused where there is none."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ArgumentError, LowerError, ScheduleError
from tewb.ir import load_json, save_json
from tewb.schedule import Schedule

N = 10


def increment(n: Any = N) -> tuple[Any, Any, Schedule]:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    return A, B, te.create_schedule(B.op)


def check(kernel: Any, n: int, *sizes: int) -> None:
    x, y = np.arange(n, dtype="float32"), np.full(n, 77, "float32")
    kernel(x, y, *sizes)
    np.testing.assert_equal(y, x + 1)


@pytest.mark.parametrize("by", ["factor", "nparts"])
@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
def test_a_kernel_is_right_for_every_size(by: str, dtype: str) -> None:
    A, B, s = increment()
    f = te.var("f", dtype)
    s[B].split("i", **{by: f})
    kernel = tewb.build(s, [A, B, f])
    for size in (1, 2, 3, 5, N, N + 1, np.iinfo(dtype).max):
        check(kernel, N, int(size))


@pytest.mark.parametrize("by", ["factor", "nparts"])
@pytest.mark.parametrize("size", [0, -3, -(2**31)])
def test_a_size_below_one_is_an_error_of_the_call(by: str, size: int) -> None:
    A, B, s = increment()
    f = te.var("f")
    s[B].split("i", **{by: f})
    y = np.full(N, 77, "float32")
    with pytest.raises(ArgumentError, match=f"argument f is less than 1: stage B splits i with {by}=f"):
        tewb.build(s, [A, B, f])(np.zeros(N, "float32"), y, size)
    assert (y == 77).all()


def test_a_size_is_an_expression_of_the_sizes_of_arrays() -> None:
    n = te.var("n")
    A, B, s = increment(n)
    s[B].split("i", factor=n // 4)
    kernel = tewb.build(s, [A, B])
    for size in (4, 7, 64, 65):
        check(kernel, size)
    with pytest.raises(ArgumentError, match="arguments make n // 4 less than 1: stage B splits i"):
        check(kernel, 3)


def test_division_toward_zero_is_taken_where_nothing_is_negative() -> None:
    n = te.var("n")
    _, B, s = increment(n)
    s[B].split("i", factor=te.truncdiv(n, 4))
    assert s.journal[0].args == {"axis": "i", "factor": "n // 4"}
    _, B, s = increment(n)
    with pytest.raises(ScheduleError, match="n - 9 may be negative"):
        s[B].split("i", factor=te.truncdiv(n - 9, 4))


def test_a_number_of_parts_divides_the_size_of_an_array() -> None:
    n, p = te.var("n"), te.var("p")
    A, B, s = increment(n)
    s[B].split("i", factor=(n + p - 1) // p)
    kernel = tewb.build(s, [A, B, p])
    for size in (1, 3, 9, 20):
        check(kernel, 9, size)
    with pytest.raises(ArgumentError, match=r"less than 1: stage B splits i"):
        check(kernel, 9, 0)


def test_what_is_read_in_a_part_is_computed_there() -> None:
    A, B, _ = increment(40)
    C = te.compute((37,), lambda i: B[i] + B[i + 3], name="C")
    f, s = te.var("f"), te.create_schedule(C.op)
    outer, _ = s[C].split("i", factor=f)
    s[B].compute_at(s[C], outer)
    assert "allocate((f_1 + 3,)" in str(tewb.lower(s, [A, C, f]))
    kernel = tewb.build(s, [A, C, f], debug=True)
    x = np.arange(40, dtype="float32")
    for size in (1, 5, 36, 37, 99):
        y = np.zeros(37, "float32")
        kernel(x, y, size)
        np.testing.assert_equal(y, x[:37] + x[3:] + 2)


def test_a_reduction_is_split_and_factored() -> None:
    A = te.placeholder((7, 23), "int32", name="A")
    k = te.reduce_axis((0, 23), name="k")
    C = te.compute((7,), lambda i: te.sum(A[i, k], axis=k), name="C")
    f, s = te.var("f"), te.create_schedule(C.op)
    outer, _ = s[C].split(k, factor=f)
    R = s.rfactor(C, outer)
    s[R].parallel(R.op.axis[0])
    kernel = tewb.build(s, [A, C, f])
    x = np.arange(7 * 23, dtype="int32").reshape(7, 23)
    for size in (1, 4, 23, 50):
        y = np.zeros(7, "int32")
        kernel(x, y, size)
        np.testing.assert_equal(y, x.sum(axis=1))


def test_tiles_of_two_sizes_and_a_copy_of_each() -> None:
    A = te.placeholder((9, 11), name="A")
    B = te.compute((9, 11), lambda i, j: A[i, j] * 2.0, name="B")
    f, g, s = te.var("f"), te.var("g"), te.create_schedule(B.op)
    L = s.cache_write(B, "local")
    _, yo, _, _ = s[B].tile(*B.op.axis, f, g)
    s[L].compute_at(s[B], yo)
    kernel = tewb.build(s, [A, B, f, g])
    x = np.arange(99, dtype="float32").reshape(9, 11)
    for sizes in ((1, 1), (2, 5), (9, 50)):
        y = np.zeros((9, 11), "float32")
        kernel(x, y, *sizes)
        np.testing.assert_equal(y, x * 2)


def test_a_hybrid_function_is_split_by_a_variable() -> None:
    @te.hybrid.script
    def add_one(a):  # type: ignore[no-untyped-def]
        b = output_tensor((10,), "float32")  # noqa: F821
        for i in range(10):
            b[i] = a[i] + 1.0
        return b

    A = te.placeholder((N,), name="A")
    B = add_one(A)
    f, s = te.var("f"), te.create_schedule(B.op)
    s[B].split(B.op.axis[0], nparts=f)
    kernel = tewb.build(s, [A, B, f])
    for size in (1, 3, 40):
        check(kernel, N, size)


def test_threads_run_a_loop_of_a_variable_size() -> None:
    A, B, _ = increment()
    C = te.compute((N,), lambda i: B[i], name="C")
    f, s, tx = te.var("f"), te.create_schedule(C.op), te.thread_axis("threadIdx.x")
    outer, inner = s[C].split("i", factor=f)
    s[C].bind(inner, tx)
    s[B].set_scope("shared")
    s[B].compute_at(s[C], outer)
    s[B].bind(B.op.axis[0], tx)
    kernel = tewb.build(s, [A, C, f])
    for size in (1, 3, 40):
        check(kernel, N, size)


def test_loops_that_are_split_alike_have_parts_of_one_size() -> None:
    A, B, _ = increment()
    C = te.compute((N,), lambda i: B[i], name="C")
    f, s = te.var("f"), te.create_schedule(C.op)
    for t in (B, C):
        outer, inner = s[t].split("i", factor=f)
        s[t].bind(inner, te.thread_axis("threadIdx.x"))
    s[B].compute_at(s[C], outer)
    assert len(s.part_sizes) == 1 and s[B].relations[0].size is s[C].relations[0].size
    kernel = tewb.build(s, [A, C, f])
    for size in (1, 3, 40):
        check(kernel, N, size)


def test_it_is_checked_that_a_variable_divides_where_that_is_said() -> None:
    A, B, s = increment(12)
    f = te.var("f")
    s[B].split("i", factor=f, disable_predication=True)
    assert "likely" not in str(tewb.lower(s, [A, B, f]))
    kernel = tewb.build(s, [A, B, f])
    check(kernel, 12, 4)
    with pytest.raises(tewb.base.TewbError, match="disable_predication, and f does not divide"):
        check(kernel, 12, 5)


def test_a_kernel_must_be_told_the_size() -> None:
    A, B, s = increment()
    s[B].split("i", factor=te.var("f"))
    with pytest.raises(LowerError, match="value of f is not known.*\n  hint: pass f as an argument"):
        tewb.lower(s, [A, B], name="main") and tewb.build(s, [A, B])


# ---------------------------------------------------------------- the journal


def test_the_relation_has_the_expression_and_the_journal_its_text() -> None:
    n, f = te.var("n"), te.var("f")
    _, B, s = increment(n)
    _, inner = s[B].split("i", factor=f)
    s[B].split(inner, nparts=n // 4)
    assert s[B].relations[0].factor is f and s[B].relations[0].nparts is None
    assert [step.args for step in s.journal] == [
        {"axis": "i", "factor": "f"},
        {"axis": "i.inner", "nparts": "n // 4"},
    ]
    assert "i.inner.inner((f - T.int64(1)) // i.inner.nparts + T.int64(1))" in s[B].loops()


@pytest.mark.parametrize("kept", ["copy", "pickle", "json"])
def test_a_kept_schedule_knows_its_variables(kept: str) -> None:
    A, B, s = increment()
    f = te.var("f")
    s[B].split("i", factor=2 * f)
    given = [A, B, f]
    if kept == "copy":
        again = s.copy()
    elif kept == "pickle":
        again, given = pickle.loads(pickle.dumps((s, given)))
    else:
        again, *given = load_json(save_json([s, *given]))
    assert again.journal == s.journal
    check(tewb.build(again, given), N, 3)


def test_variables_of_one_name_are_told_apart() -> None:
    n, m = te.var("n"), te.var("n")
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", factor=m)
    s[B].split("j", nparts=n)
    assert s[B].relations[0].factor is m and s[B].relations[1].nparts is n
    x, y = np.zeros((7, 3), "float32"), np.zeros((7, 3), "float32")
    tewb.build(s.copy(), [A, B])(x, y)
    assert (y == 1).all()


def test_what_is_undone_is_done_again() -> None:
    A, B, s = increment()
    f = te.var("f")
    s[B].split("i", factor=f)
    steps = s.journal
    s.restore([])
    assert not s.part_sizes and s[B].loops() == "i(10)"
    s.restore(steps)
    check(tewb.build(s, [A, B, f]), N, 3)


def test_a_variable_of_a_step_that_was_undone_leaves_its_name() -> None:
    A, B, s = increment()
    s[B].split("i", factor=te.var("f"))
    s.restore([])
    f = te.var("f")
    s[B].split("i", factor=f)
    check(tewb.build(s, [A, B, f]), N, 4)


# ---------------------------------------------------------------- misuse


def a_size_without_a_word() -> None:
    n = te.var("my n")
    _, B, s = increment(n)
    s[B].split("i", factor=n)


def a_size_of_one_name() -> None:
    n = te.var("n")
    _, B, s = increment(n)
    _, inner = s[B].split("i", factor=n // 4)
    s[B].split(inner, factor=te.var("n"))


def of_increment(size: Any) -> Callable[[], Any]:
    def misuse() -> None:
        _, B, s = increment()
        s[B].split("i", factor=size() if callable(size) else size)

    return misuse


def by_a_loop() -> None:
    _, B, s = increment()
    s[B].split("i", factor=B.op.axis[0].var)


def two_of_one_name() -> None:
    _, B, s = increment()
    _, inner = s[B].split("i", factor=te.var("f"))
    s[B].split(inner, factor=te.var("f"))


def an_extern() -> None:
    A = te.placeholder((6,), name="A")
    E = te.extern((6,), [A], lambda i, o: te.call_packed("f", i[0], o[0]), access=te.access.elementwise, name="E")  # fmt: skip
    te.create_schedule(E.op)[E].split(E.op.axis[0], te.var("f"))


def a_triangle() -> None:
    A = te.placeholder((6, 6), name="A")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return te.sum(A[i, k], axis=k)

    C = te.compute((6,), row, name="C")
    te.create_schedule(C.op)[C].split("k", te.var("f"))


def vectors() -> None:
    _, B, s = increment()
    s[B].vectorize(s[B].split("i", factor=te.var("f"))[1])


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (of_increment(lambda: te.var("g", "float32")), "g is float32, and sizes are signed integers"),
        (of_increment(lambda: te.var("a b")), "a journal cannot name the variable 'a b'"),
        (of_increment(lambda: te.max(te.var("f"), 4)), r"not made with \+ - \* // and %"),
        (of_increment("3 % 0"), "it divides by zero"),
        (of_increment("ff"), "'ff' is not a whole number: the program has no variable ff"),
        (of_increment("8 //"), "'8 //' is not a whole number"),
        (of_increment("__import__('os')"), "sizes are made with"),
        (by_a_loop, "i is a loop, whose value is not the same for the whole kernel"),
        (two_of_one_name, "another variable with the name f.*\n.*\n  hint: take that one"),
        (of_increment(lambda: te.var("f") + te.var("f")), "another variable with the name f"),
        (
            of_increment(lambda: sum((te.var(f"f{i}") for i in range(60)), te.var("f"))),
            "longer than 200 letters",
        ),
        (a_size_without_a_word, "a journal cannot name the variable 'my n'"),
        (a_size_of_one_name, "another variable with the name n"),
        (an_extern, "E is an extern, whose tiles have a constant size, and f is none"),
        (a_triangle, "how often k runs is not the same for all elements"),
        (vectors, "the extent of i.inner is not a constant"),
    ],
)
def test_what_is_no_size_is_refused(misuse: Callable[[], None], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        misuse()
