"""compute_with: two stages in one loop nest give what they give apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result
from tests.schedule.primitives.test_store_at import checked
from tewb import te
from tewb.base import INT64, LowerError, ScheduleError
from tewb.ir import For, const_int, walk
from tewb.schedule import Schedule
from tewb.workbench import Session
from tewb.workbench.states.loops import loops_state, tree_text


def sums(n: int = 20, m: int = 6) -> tuple[Any, Any, Any]:
    """The sums of rows, and of their squares."""
    A = te.placeholder((n, m), "int32", name="A")
    k, r = te.reduce_axis((0, m), "k"), te.reduce_axis((0, m), "r")
    S = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="S")
    Q = te.compute((n,), lambda i: te.sum(A[i, r] * A[i, r], axis=r), name="Q")
    return A, S, Q


def two_maps(n: Any = 13, m: Any = 9, wide: int = 5) -> tuple[Any, Any, Any, Any]:
    A, B = te.placeholder((n, wide), "int32", name="A"), te.placeholder((m, wide), "int32", name="B")
    C = te.compute((n, wide), lambda i, j: A[i, j] + 1, name="C")
    D = te.compute((m, wide), lambda i, j: B[i, j] * 2, name="D")
    return A, B, C, D


def nests(s: Schedule, args: list[Any]) -> list[str]:
    """The loops of the lowered program, outermost first."""
    return [n.var.name for n in walk(tewb.lower(s, args)["main"].body) if isinstance(n, For)]


# ---------------------------------------------------------------- what is computed


@pytest.mark.parametrize("axis", ["i", "k"])
def test_sums_of_the_same_data_are_made_in_one_pass(axis: str) -> None:
    A, S, Q = sums()
    s = te.create_schedule([S.op, Q.op])
    s[Q].compute_with(s[S], axis)
    assert nests(s, [A, S, Q]) == (["i", "k"] if axis == "k" else ["i", "k", "r"])
    assert checked(s, [A], [S, Q]) == {"S": 20 * 7, "Q": 20 * 7}
    assert s[Q].shared_loops == ["i", "k"][: 2 if axis == "k" else 1]
    assert_same_result(s, [A], [S, Q])


@pytest.mark.parametrize("sizes", [(13, 9), (9, 13), (8, 8), (1, 17), (16, 1), (5, 0), (0, 5), (0, 0)])
@pytest.mark.parametrize("tail", ["guard", "predicate"])
def test_the_shared_loop_runs_as_often_as_the_longer_one(sizes: tuple[int, int], tail: str) -> None:
    A, B, C, D = two_maps(*sizes)
    for axis in ("i", "j", "i.outer", "i.inner"):
        s = te.create_schedule([C.op, D.op])
        if "." in axis:
            for t in (C, D):
                s[t].split("i", 4, tail=tail)
        s[D].compute_with(s[C], axis)
        assert checked(s, [A, B], [C, D]) == {name: n * 5 for name, n in zip("CD", sizes, strict=True) if n}


def test_loops_that_are_split_otherwise_are_shared_all_the_same() -> None:
    A, B, C, D = two_maps()
    s = te.create_schedule([C.op, D.op])
    s[C].split("i", 4)
    s[D].split("i", 3)
    s[D].compute_with(s[C], "i.inner")
    checked(s, [A, B], [C, D])
    s[D].fuse("i.outer", "i.inner")
    checked(s, [A, B], [C, D])


@pytest.mark.parametrize("marks", ["parallel", "unroll", "vectorize inside"])
def test_marks_of_the_shared_loops_are_those_of_the_other_stage(marks: str) -> None:
    A, B, C, D = two_maps(32, 24, 8)
    s = te.create_schedule([C.op, D.op])
    for t in (C, D):
        s[t].split("i", 4)
    s[D].compute_with(s[C], "i.outer")
    if marks == "parallel":
        s[C].parallel("i.outer")
    elif marks == "unroll":
        s[C].unroll("i.outer")
    else:
        s[C].vectorize("j")
        s[D].vectorize("j")
    assert_same_result(s, [A, B], [C, D])


def test_symbolic_sizes_of_both_are_told_by_the_call() -> None:
    n, m = te.var("n"), te.var("m")
    A, B, C, D = two_maps(n, m)
    s = te.create_schedule([C.op, D.op])
    for t in (C, D):
        s[t].split("i", 8)
    s[D].compute_with(s[C], "i.outer")
    s[C].parallel("i.outer")
    f = tewb.build(s, [A, B, C, D])
    for a, b in ((0, 0), (0, 5), (9, 0), (1, 17), (40, 3), (16, 16)):
        x, y = (np.arange(k * 5, dtype="int32").reshape(k, 5) for k in (a, b))
        c, d = np.zeros_like(x), np.zeros_like(y)
        f(x, y, c, d)
        np.testing.assert_array_equal(c, x + 1)
        np.testing.assert_array_equal(d, y * 2)


@pytest.mark.parametrize(
    "shared, place", [("i", "i"), ("k", "i"), ("i.inner", "i.inner"), ("i.inner", "i.outer")]
)
def test_what_both_read_is_computed_in_a_shared_loop(shared: str, place: str) -> None:
    A = te.placeholder((20, 6), "int32", name="A")
    X = te.compute((20, 6), lambda i, j: A[i, j] * 3, name="X")
    k, r = te.reduce_axis((0, 6), "k"), te.reduce_axis((0, 6), "r")
    S = te.compute((20,), lambda i: te.sum(X[i, k], axis=k), name="S")
    Q = te.compute((20,), lambda i: te.sum(X[i, r] * X[i, r], axis=r), name="Q")
    s = te.create_schedule([S.op, Q.op])
    if "." in shared:
        for t in (S, Q):
            s[t].split("i", 8)
    s[Q].compute_with(s[S], shared)
    s[X].compute_at(s[S], place)
    assert checked(s, [A], [S, Q])["X"] == 120
    tewb.build(s, [A, S, Q])  # with memory that is alive where it is read


def test_what_is_read_under_other_conditions_is_not_shared() -> None:
    A = te.placeholder((20, 6), "int32", name="A")
    X = te.compute((20, 6), lambda i, j: A[i, j] * 3, name="X")
    C = te.compute((15,), lambda i: X[i, 0], name="C")
    D = te.compute((20,), lambda i: X[i, 1], name="D")
    s = te.create_schedule([C.op, D.op])
    s[D].compute_with(s[C], "i")
    s[X].compute_at(s[C], "i")
    with pytest.raises(
        LowerError, match="X is made in the shared loops under other conditions than it is read"
    ):
        tewb.lower(s, [A, C, D])


@pytest.mark.parametrize("stage", ["S", "Q"])
def test_stages_keep_what_is_computed_in_their_own_loops(stage: str) -> None:
    A, S, Q = sums()
    s = te.create_schedule([S.op, Q.op])
    t = s[stage]
    (copy,) = [s[s.cache_read(A, "local", [t])]]
    copy.compute_at(t, "i")
    s[Q].compute_with(s[S], "i")
    checked(s, [A], [S, Q])
    s[Q].compute_with(s[S], "k")
    checked(s, [A], [S, Q])


def test_three_stages_share_a_nest() -> None:
    A, S, Q = sums()
    B = te.compute((17,), lambda i: A[i, 0] - 1, name="B")
    s = te.create_schedule([S.op, Q.op, B.op])
    s[Q].compute_with(s[S], "k")
    s[B].compute_with(s[S], "i")
    assert nests(s, [A, S, Q, B])[:2] == ["i", "k"]
    checked(s, [A], [S, Q, B])


def test_a_stage_of_several_outputs_and_one_that_others_read() -> None:
    A = te.placeholder((6, 7), "int32", name="A")
    P, Q = te.compute((6, 7), lambda i, j: (A[i, j] + 1, A[i, j] * 2), name="P")
    D = te.compute((6, 7), lambda i, j: A[i, j] - 5, name="D")
    E = te.compute((6, 7), lambda i, j: P[i, j] * Q[i, j] + D[i, j], name="E")
    s = te.create_schedule(E.op)
    s[D].compute_with(s[P], "j")
    checked(s, [A], [E])


def test_stages_between_are_computed_before_or_after_the_nest() -> None:
    A = te.placeholder((8,), "int32", name="A")
    B = te.compute((8,), lambda i: A[i] + 1, name="B")
    C = te.compute((8,), lambda i: B[i] * 2, name="C")  # reads B
    D = te.compute((8,), lambda i: A[i] - 1, name="D")
    E = te.compute((8,), lambda i: D[i] * 3, name="E")
    F = te.compute((8,), lambda i: C[i] + E[i], name="F")
    s = te.create_schedule(F.op)
    s[E].compute_with(s[B], "i")  # D, which stands behind C in the program, comes before B
    checked(s, [A], [F])


def test_calls_of_an_extern_are_made_in_shared_loops() -> None:
    rows: list[int] = []

    def triple(a: Any, b: Any) -> None:
        rows.append(b.shape[0])
        np.multiply(a, 3, out=b)

    tewb.runtime.register_func("tewb.test.triple_with", triple, override=True)
    A = te.placeholder((10, 4), "int32", name="A")
    E = te.extern(
        (10, 4),
        [A],
        lambda ins, outs: te.call_packed("tewb.test.triple_with", ins[0], outs[0]),
        name="E",
        access=te.access.elementwise,
    )
    C = te.compute((10, 4), lambda i, j: A[i, j] + 7, name="C")
    for first in (True, False):
        s = te.create_schedule([E.op, C.op])
        s[E].split("d0", 4)
        s[C].split("i", 4)
        if first:
            s[C].compute_with(s[E], "d0.outer")
        else:
            s[E].compute_with(s[C], "i.outer")
        assert_same_result(s, [A], [E, C])
        assert rows[-3:] == [4, 4, 2]
    s = te.create_schedule([E.op, C.op])
    with pytest.raises(ScheduleError, match="axis d0 is the inside of extern E"):
        s[C].compute_with(s[E], "d0")


def test_loops_of_hybrid_functions_are_shared_where_they_are_one_nest() -> None:
    @te.hybrid.script
    def doubled(a):  # type: ignore[no-untyped-def]
        b = output_tensor(a.shape, a.dtype)  # type: ignore[name-defined]  # noqa: F821
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                b[i, j] = a[i, j] * 2
        return b

    A = te.placeholder((10, 4), "int32", name="A")
    H = doubled(A)
    C = te.compute((8, 4), lambda i, j: A[i, j] + 7, name="C")
    for flip in (False, True):
        s = te.create_schedule([H.op, C.op])
        one, two = (C, H) if flip else (H, C)
        s[two].compute_with(s[one], "j")
        checked(s, [A], [H, C])


@te.hybrid.script
def triangle(a):  # type: ignore[no-untyped-def]
    b = output_tensor(a.shape, a.dtype)  # type: ignore[name-defined]  # noqa: F821
    for j in range(a.shape[0]):
        b[j] = a[j]
        for k in range(j):
            b[j] = b[j] + a[k]
    return b


@pytest.mark.parametrize("rows", [2, 6, 9])
@pytest.mark.parametrize("columns", [1, 4, 8])
def test_a_loop_that_runs_further_than_its_own_stage_needs_is_known_to(rows: int, columns: int) -> None:
    """Of two inner loops the longer one was chosen by how far the outer one runs in one of the stages."""
    A = te.placeholder((6,), "int32", name="A")
    T = triangle(A)
    X = te.compute((rows, columns), lambda i, j: i + j, name="X")
    s = te.create_schedule([T.op, X.op])
    s[T].compute_with(s[X], "j")
    assert_same_result(s, [A], [T, X])


def test_what_only_the_other_stage_reads_is_computed_in_a_shared_loop() -> None:
    """The stage whose loop it is comes before it in the program, and does not depend on it."""
    A = te.placeholder((9,), "int32", name="A")
    X = te.compute((9,), lambda i: A[i] + 1, name="X")
    Y = te.compute((9,), lambda i: A[i] * 2, name="Y")
    Z = te.compute((9,), lambda i: Y[i] * 3, name="Z")
    C = te.compute((9,), lambda i: X[i] + Z[i], name="C")
    s = te.create_schedule(C.op)
    s[Z].compute_with(s[X], "i")
    s[Y].compute_at(s[X], "i")
    assert nests(s, [A, C]) == ["i", "i"]
    assert_same_result(s, [A], [C])


@pytest.mark.parametrize("others", [1, 2])
def test_a_shared_loop_counts_the_iterations_of_the_longer_one(others: int) -> None:
    """Of 2 to the 31 and more iterations int32 would count none."""
    A = te.placeholder((9,), "int32", name="A")
    X = te.compute((9,), lambda i: A[i] + 1, name="X")
    k = te.reduce_axis((0, 2**31 + 9), name="k")
    Y = te.compute((), lambda: te.sum(te.const(1, "int64"), axis=k), name="Y")
    Z = te.compute((9,), lambda i: A[i] * 2, name="Z")
    s = te.create_schedule([X.op, Y.op, Z.op])
    s[Y].compute_with(s[X], "i")
    if others == 2:
        s[Z].compute_with(s[X], "i")
    loops = [n for n in walk(tewb.lower(s, [A, X, Y, Z])["main"].body) if isinstance(n, For)]
    assert sum(const_int(n.extent) or 0 for n in loops if n.var.dtype is INT64) == 2**31 + 9
    a = np.arange(9, dtype="int32")
    x, y, z = np.zeros(9, "int32"), np.zeros((), "int64"), np.zeros(9, "int32")
    tewb.build(s, [A, X, Y, Z])(a, x, y, z)
    np.testing.assert_array_equal([x, z], [a + 1, a * 2])
    assert y == 2**31 + 9


def test_a_stage_whose_loops_moved_away_is_named() -> None:
    A, S, _ = sums()
    k = te.reduce_axis((0, 20), "k")
    total = te.compute((), lambda: te.sum(A[k, 0], axis=k), name="T")
    s = te.create_schedule([S.op, total.op])
    s[S].compute_with(s[total], "k")
    s.cache_write(total, "local")
    assert s[S].shared_loops == [] and "no loops" in s[total].loops()
    with pytest.raises(ScheduleError, match="loop k of T was moved to another stage"):
        tewb.lower(s, [A, S, total])


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("word", ["store_root", "store_at", "rolling_buffer"])
@pytest.mark.parametrize("late", [False, True])
def test_nothing_is_kept_from_one_iteration_to_the_next_of_a_shared_loop_that_runs_parallel(
    word: str, late: bool
) -> None:
    """The mark is that of the other stage, and threads would write to one window."""
    A = te.placeholder((12, 5, 4), "int32", name="A")
    X = te.compute((10, 5, 4), lambda i, j, c: A[i, j, c] + 1, name="X")
    B = te.compute((12, 5, 4), lambda i, j, c: A[i, j, c] * 2, name="B")
    Z = te.compute((10, 3, 4), lambda i, j, c: B[i, j, c] - B[i + 2, j + 2, c], name="Z")
    s = te.create_schedule([X.op, Z.op])
    loop = "j" if word == "store_at" else "i"

    def mark() -> None:
        s[X].parallel(loop)

    if not late:
        mark()
    s[Z].compute_with(s[X], loop)
    s[B].compute_at(s[Z], loop)
    steps: dict[str, Callable[[], Any]] = {
        "store_root": s[B].store_root, "store_at": lambda: s[B].store_at(s[Z], "i"), "rolling_buffer": s[B].rolling_buffer
    }  # fmt: skip
    steps[word]()
    if late:
        mark()
    with pytest.raises(
        ScheduleError,
        match="is parallel: there is no iteration before|is marked parallel as . of X|is kept around|is a rolling buffer",
    ) as e:
        tewb.lower(s, [A, X, Z])
    assert e.value.loops and e.value.hint


def test_a_part_that_is_moved_inwards_is_not_reduced_twice_at_once() -> None:
    A, S, Q = sums(10)
    s = te.create_schedule([S.op, Q.op])
    for x in (S, Q):
        s[x].split("i", 4, tail="guard" if x is S else "shift")
    s[Q].compute_with(s[S], "i.outer")
    assert_same_result(s, [A], [S, Q])
    s[S].parallel("i.outer")
    with pytest.raises(LowerError, match="the iterations of i.outer run at once, and those of a part"):
        tewb.lower(s, [A, S, Q])


def dependent() -> tuple[Any, Any, Any]:
    A = te.placeholder((8,), "int32", name="A")
    B = te.compute((8,), lambda i: A[i] + 1, name="B")
    C = te.compute((8,), lambda i: B[i] * 2, name="C")
    return A, B, C


@pytest.mark.parametrize(
    ("own", "other", "why"),
    [
        ("C", "B", "C depends on B, and they would be computed side by side"),
        ("B", "C", "C depends on B, and they would be computed side by side"),
        ("B", "B", "a stage cannot be computed with itself"),
        ("A", "B", "A is an input: its values are given"),
    ],
)
def test_stages_that_depend_on_each_other_are_not_computed_side_by_side(
    own: str, other: str, why: str
) -> None:
    A, B, C = dependent()
    s = te.create_schedule(C.op)
    with pytest.raises(ScheduleError, match=why):
        s[own].compute_with(s[other], "i")
        tewb.lower(s, [A, C])


def test_the_refusal_names_the_stages_the_loops_and_the_line() -> None:
    A, _, C = dependent()
    s = te.create_schedule(C.op)
    s["C"].compute_with(s["B"], "i")  # a later call may make it right
    with pytest.raises(ScheduleError) as e:
        tewb.lower(s, [A, C])
    assert "compute_with on stage C" in str(e.value) and "reverse_compute_at" in (e.value.hint or "")
    assert e.value.loops and e.value.span is not None
    s["C"].compute_root()
    tewb.lower(s, [A, C])


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (lambda s: s["Q"].parallel("i"), "i of Q is marked parallel, and i of S, which runs it, is not"),
        (
            lambda s: s["S"].compute_at(s["T"], "i"),
            "Q is an output, and outputs are computed at the root; S is computed in loop i of T",
        ),
    ],
)
def test_later_calls_that_break_a_shared_nest_are_told(steps: Callable[[Schedule], Any], why: str) -> None:
    A, S, Q = sums()
    T = te.compute((20,), lambda i: S[i] + 1, name="T")
    s = te.create_schedule([T.op, Q.op])
    s[Q].compute_with(s[S], "i")
    steps(s)
    with pytest.raises(ScheduleError, match=why):
        tewb.lower(s, [A, T, Q])


def test_a_reduce_loop_does_not_run_parallel_for_the_other_stage() -> None:
    A, S, _ = sums(6, 6)
    C = te.compute((6, 6), lambda i, j: A[i, j] + 1, name="C")
    s = te.create_schedule([S.op, C.op])
    s[C].parallel("j")
    s[S].compute_with(s[C], "j")
    with pytest.raises(ScheduleError, match="iterations of k of S do not run in any order"):
        tewb.lower(s, [A, S, C])


def test_lanes_threads_scans_and_groups_are_refused() -> None:
    A, B, C, D = two_maps()
    s = te.create_schedule([C.op, D.op])
    s[C].vectorize("j")
    s[D].vectorize("j")
    s[D].compute_with(s[C], "j")
    with pytest.raises(ScheduleError, match="become lanes, each of its own stage"):
        tewb.lower(s, [A, B, C, D])
    s = te.create_schedule([C.op, D.op])
    s[C].bind("i", te.thread_axis("threadIdx.x"))
    s[D].compute_with(s[C], "i")
    with pytest.raises(ScheduleError, match="loops of this schedule are bound to threads"):
        tewb.lower(s, [A, B, C, D])
    with pytest.raises(ScheduleError, match="3 loops of|2 loops of C would be shared, and D has 1"):
        s = te.create_schedule([C.op, D.op])
        s[D].fuse("i", "j")
        s[D].compute_with(s[C], "j")
        tewb.lower(s, [A, B, C, D])


# ---------------------------------------------------------------- in a loop of a third stage


def blurred(n: Any = 13, m: int = 11) -> tuple[Any, dict[str, Any]]:
    """Two windows of one image, of which one reads what another stage makes, and their product."""
    A = te.placeholder((n + 2, m + 2), "int32", name="A")
    W = te.compute((n + 1, m + 2), lambda i, j: A[i, j] - A[i + 1, j], name="W")
    X = te.compute((n, m + 2), lambda i, j: A[i, j] + A[i + 1, j] + A[i + 2, j], name="X")
    Y = te.compute((n, m), lambda i, j: W[i, j] * W[i + 1, j + 1], name="Y")
    Z = te.compute((n, m), lambda i, j: X[i, j + 2] * Y[i, j] + X[i, j], name="Z")
    return A, {"W": W, "X": X, "Y": Y, "Z": Z}


@pytest.mark.parametrize("own", ["X", "Y"])
@pytest.mark.parametrize("place", ["i.outer", "i.inner", "j"])
@pytest.mark.parametrize("shared", ["i", "j"])
@pytest.mark.parametrize("first", ["root", "beside", "in both"])
def test_stages_share_a_nest_in_a_loop_of_a_third(own: str, place: str, shared: str, first: str) -> None:
    A, t = blurred()
    host = "Y" if own == "X" else "X"
    s = te.create_schedule(t["Z"].op)
    s["Z"].split("i", 4)
    s[host].compute_at(s["Z"], place)
    s[own].compute_with(s[host], shared)
    if first == "beside":
        s["W"].compute_at(s["Z"], place)
    elif first == "in both":
        s["W"].compute_at(s["Y"], "j")
    counted = checked(s, [A], [t["Z"]])
    assert counted["X"] == 13 * (13 if place != "j" else 2 * 11)  # of three columns two are read
    assert counted["Y"] == 13 * 11
    assert_same_result(s, [A], [t["Z"]])


def test_what_a_stage_beside_another_reads_is_computed_before_both() -> None:
    A, t = blurred()
    s = te.create_schedule(t["Z"].op)
    s["X"].compute_at(s["Z"], "i")
    s["Y"].compute_with(s["X"], "j")
    s["W"].compute_at(s["Z"], "i")  # the program has it before X
    assert nests(s, [A, t["Z"]]) == ["i", "i", "j", "j", "j", "j"]
    shown = tree_text(loops_state(Session(s, [A, t["Z"]])))
    assert shown.index("W  (at Z.i)") < shown.index("X  (at Z.i)") < shown.index("Y  (with X.j)")


def test_stages_of_symbolic_sizes_share_a_nest_in_a_loop() -> None:
    n = te.var("n")
    A, t = blurred(n)
    s = te.create_schedule(t["Z"].op)
    s["Z"].split("i", 4)
    s["X"].compute_at(s["Z"], "i.outer")
    s["Y"].compute_with(s["X"], "j")
    s["Z"].parallel("i.outer")
    plain, kernel = (tewb.build(x, [A, t["Z"]]) for x in (te.create_schedule(t["Z"].op), s))
    for size in (1, 3, 4, 13):
        a = np.random.default_rng(size).integers(-99, 99, (size + 2, 13)).astype("int32")
        want, got = np.zeros((2, size, 11), "int32")
        plain(a, want)
        kernel(a, got)
        np.testing.assert_array_equal(got, want)


def kept_between(s: Schedule) -> None:
    s["Z"].split("i", 4)
    s["X"].compute_at(s["Z"], "i.inner")
    s["X"].store_at(s["Z"], "i.outer")
    s["Y"].compute_with(s["X"], "i")


def double_buffered(s: Schedule) -> None:
    s["X"].compute_at(s["Z"], "i")
    s["X"].double_buffer()
    s["Y"].compute_with(s["X"], "i")


def read_further_out(s: Schedule) -> None:
    s["Y"].compute_at(s["Z"], "i")
    s["W"].compute_at(s["Y"], "i")
    s["X"].compute_with(s["W"], "i")


def read_before_too(s: Schedule) -> None:
    s["Y"].compute_at(s["Z"], "i")
    s["X"].compute_with(s["Y"], "i")


def in_itself(s: Schedule) -> None:
    s["X"].compute_at(s["Z"], "i")
    s["Z"].compute_with(s["X"], "i")


def after_another(s: Schedule) -> None:
    s["Y"].reverse_compute_at(s["W"], "j")
    s["X"].compute_with(s["Y"], "i")


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (kept_between, "X is kept from one iteration of loop i.inner of Z to the next, and computes what is new only"),
        (double_buffered, "X is double buffered, and computed an iteration of loop i of Z ahead"),
        (read_further_out, "Z also reads X, and is computed outside of loop i of Y|Y does not read X"),
        (read_before_too, "V also reads X, and is computed outside of loop i of Z"),
        (in_itself, "Z would be computed inside of itself"),
        (after_another, "Y is computed in loops of another stage"),
    ],
)  # fmt: skip
def test_loops_that_two_stages_cannot_both_be_in_are_refused(
    steps: Callable[[Schedule], Any], why: str
) -> None:
    A, t = blurred()
    V = te.compute((13, 11), lambda i, j: t["X"][i, j] + 1, name="V")
    outputs = (
        [te.compute((13, 11), lambda i, j: t["Z"][i, j] + V[i, j], name="U")]
        if steps is read_before_too
        else []
    )
    s = te.create_schedule([t["Z"].op, *[x.op for x in outputs]])
    with pytest.raises(ScheduleError, match=why):
        steps(s)
        tewb.lower(s, [A, t["Z"]])


# ---------------------------------------------------------------- where it is seen


def test_the_journal_the_code_and_the_tree_have_it() -> None:
    A, S, Q = sums()
    session = Session(te.create_schedule([S.op, Q.op]), [A, S, Q])
    session.load("s[Q].compute_with(s[S], 'k')")
    assert session.to_string() == "Q:compute_with(S,k)"
    assert session.schedule_code.splitlines()[-1].startswith("s[Q].compute_with(s[S], k")
    assert "Q  (with S.k)" in tree_text(loops_state(session))
    assert "i in 20  shared" in tree_text(loops_state(session))
    assert session.schedule["Q"].loops() == "with S.k: i(20, shared), r(6, shared)"
    copied = session.schedule.copy()
    assert copied["Q"].loops() == session.schedule["Q"].loops()
    session.undo()
    assert session.schedule["Q"].attach is None
    session.redo()
    assert session.schedule["Q"].shared_loops == ["i", "k"]
    assert "compute_with" in [a.step.primitive for a in session.palette("Q", "i")]
