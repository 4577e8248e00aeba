"""reverse_compute_at: a reader in the loops of what it reads, after what it needs is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result
from tests.schedule.primitives.test_store_at import checked, size
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import Allocate, walk
from tewb.schedule import Schedule, Step, recompute_factor
from tewb.workbench import Session
from tewb.workbench.states.loops import loops_state, tree_text


def product(n: int = 12, m: int = 10, p: int = 7) -> tuple[list[Any], Any, Any, Any]:
    """A matrix product, a bias, and what is positive of it."""
    A, B = te.placeholder((n, p), "int32", name="A"), te.placeholder((p, m), "int32", name="B")
    b = te.placeholder((m,), "int32", name="b")
    k = te.reduce_axis((0, p), "k")
    P = te.compute((n, m), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="P")
    C = te.compute((n, m), lambda i, j: P[i, j] - b[j] * 9, name="C")
    R = te.compute((n, m), lambda i, j: te.if_then_else(C[i, j] > 0, C[i, j], 0), name="R")
    return [A, B, b], P, C, R


def rows(
    f: Callable[[Any], Callable[..., Any]], n: Any = 13, m: Any = 4, less: int = 0
) -> tuple[Any, Any, Any]:
    """P, and C whose elements are `f(P)`."""
    A = te.placeholder((n, m), "int32", name="A")
    P = te.compute((n, m), lambda i, j: A[i, j] * 2 + 1, name="P")
    C = te.compute((n - less, m), f(P), name="C")
    return A, P, C


SAME: Callable[[Any], Callable[..., Any]] = lambda P: lambda i, j: P[i, j] + 3  # noqa: E731
AHEAD: Callable[[Any], Callable[..., Any]] = lambda P: lambda i, j: P[i, j] - P[i + 2, j] * 5  # noqa: E731


# ---------------------------------------------------------------- what is computed


@pytest.mark.parametrize("factors", [(4, 5), (5, 3), (20, 20), (1, 1)])
@pytest.mark.parametrize("inline", [True, False])
def test_what_follows_a_product_is_computed_tile_by_tile(factors: tuple[int, int], inline: bool) -> None:
    inputs, P, C, R = product()
    s = te.create_schedule(R.op)
    io, jo, ii, ji = s[P].tile("i", "j", *factors)
    s[P].reorder(io, jo, "k", ii, ji)
    if inline:
        s[C].compute_inline()
    else:
        s[C].reverse_compute_at(s[P], jo)
    s[R].reverse_compute_at(s[P], jo)
    assert checked(s, inputs, [R]) == {
        "P": 120 * 8, "R": 120, **({} if inline else {"C": 120})
    }  # fmt: skip
    assert recompute_factor(s[R]) == 1.0
    if max(factors) < 10 and min(factors) > 1:  # one tile of it
        assert size(s, [*inputs, R], "P") == [*factors]
        assert inline or size(s, [*inputs, R], "C") == [*factors]
    s[R].vectorize(s[R].split("j", 4)[1])
    s[P].parallel(io)
    assert_same_result(s, inputs, [R])


@pytest.mark.parametrize("n", [1, 2, 4, 13, 16])
@pytest.mark.parametrize("tail", ["guard", "shift", "predicate"])
def test_elements_are_computed_once_whatever_the_last_part_does(n: int, tail: str) -> None:
    if tail == "shift" and n < 4:
        return
    A, P, C = rows(SAME, n)
    s = te.create_schedule(C.op)
    s[P].split("i", 4, tail=tail)
    for axis in ("i.outer", "i.inner", "j"):
        s[C].reverse_compute_at(s[P], axis)
        stores = checked(s, [A], [C])
        assert tail == "shift" or stores == {"P": n * 4, "C": n * 4}


@pytest.mark.parametrize("n", [3, 4, 13, 16])
@pytest.mark.parametrize("axis", ["i.outer", "i.inner"])
def test_a_stencil_is_computed_when_the_last_row_that_it_needs_is_made(n: int, axis: str) -> None:
    A, P, C = rows(AHEAD, n, less=2)
    s = te.create_schedule(C.op)
    s[P].split("i", 4)
    s[C].reverse_compute_at(s[P], axis)
    assert checked(s, [A], [C]) == {"P": n * 4, "C": (n - 2) * 4}
    assert size(s, [A, C], "P") == [n, 4]  # parts are read later
    assert_same_result(s, [A], [C])


def test_windows_of_reductions_look_ahead_too() -> None:
    A = te.placeholder((14,), "int32", name="A")
    P = te.compute((14,), lambda i: A[i] * 3, name="P")
    k = te.reduce_axis((0, 5), "k")
    C = te.compute((10,), lambda i: te.sum(P[i + k] * (k + 1), axis=k), name="C")
    s = te.create_schedule(C.op)
    s[P].split("i", 4)
    s[C].reverse_compute_at(s[P], "i.outer")
    assert checked(s, [A], [C]) == {"P": 14, "C": 60}


def test_a_chain_of_stencils_follows_at_one_loop() -> None:
    A = te.placeholder((20,), "int32", name="A")
    P = te.compute((20,), lambda i: A[i] * 3, name="P")
    C = te.compute((18,), lambda i: P[i] - P[i + 2], name="C")
    D = te.compute((16,), lambda i: C[i] * 2 - C[i + 1] + C[i + 2], name="D")
    s = te.create_schedule(D.op)
    s[P].split("i", 4)
    s[C].reverse_compute_at(s[P], "i.outer")
    s[D].reverse_compute_at(s[P], "i.outer")
    assert checked(s, [A], [D]) == {"P": 20, "C": 18, "D": 16}


def test_both_sides_of_a_diamond_follow() -> None:
    A = te.placeholder((13, 6), "int32", name="A")
    P = te.compute((13, 6), lambda i, j: A[i, j] + 1, name="P")
    C = te.compute((13, 6), lambda i, j: P[i, j] * 2, name="C")
    D = te.compute((13, 6), lambda i, j: P[i, j] - 7, name="D")
    E = te.compute((13, 6), lambda i, j: C[i, j] * D[i, j] + P[i, j], name="E")
    s = te.create_schedule(E.op)
    s[P].split("i", 4)
    for t in (C, D, E):
        s[t].reverse_compute_at(s[P], "i.outer")
    checked(s, [A], [E])
    assert [size(s, [A, E], name) for name in "PCD"] == [[4, 6]] * 3
    s[D].compute_inline()
    checked(s, [A], [E])


def test_sums_of_rows_follow_the_rows() -> None:
    A = te.placeholder((13, 6), "int32", name="A")
    P = te.compute((13, 6), lambda i, j: A[i, j] * A[i, j], name="P")
    k = te.reduce_axis((0, 6), "k")
    C = te.compute((13,), lambda i: te.sum(P[i, k], axis=k), name="C")
    D = te.compute((13, 6), lambda i, j: P[i, j] - C[i], name="D")
    s = te.create_schedule(D.op)
    s[C].reverse_compute_at(s[P], "i")
    s[D].reverse_compute_at(s[P], "i")
    assert checked(s, [A], [D]) == {"P": 78, "C": 91, "D": 78}
    s.rfactor(C, s[C].split("k", 2)[1])
    checked(s, [A], [D])


def test_a_reader_of_both_ends_of_a_chain_waits_for_the_later_one() -> None:
    A = te.placeholder((16,), "int32", name="A")
    P = te.compute((16,), lambda i: A[i] * 3, name="P")
    C = te.compute((14,), lambda i: P[i] - P[i + 2], name="C")
    D = te.compute((14,), lambda i: C[i] * 2 + P[i], name="D")
    s = te.create_schedule(D.op)
    s[P].split("i", 4)
    for t in (C, D):
        s[t].reverse_compute_at(s[P], "i.outer")
    assert checked(s, [A], [D]) == {"P": 16, "C": 14, "D": 14}


def test_all_of_it_is_kept_for_readers_outside_and_for_the_caller() -> None:
    A, P, C = rows(SAME)
    D = te.compute((13, 4), lambda i, j: P[12 - i, j] + C[i, j], name="D")
    s = te.create_schedule(D.op)
    s[P].split("i", 4)
    s[C].reverse_compute_at(s[P], "i.outer")
    checked(s, [A], [D])
    assert size(s, [A, D], "P") == [13, 4]
    s = te.create_schedule(C.op)
    s[P].split("i", 4)
    s[C].reverse_compute_at(s[P], "i.outer")
    checked(s, [A], [C, P])


def test_what_it_reads_besides_is_computed_before_or_in_its_loops() -> None:
    A, P, _ = rows(SAME)
    B = te.placeholder((13, 4), "int32", name="B")
    E = te.compute((13, 4), lambda i, j: B[i, j] * 7, name="E")  # stands behind P in the program
    C = te.compute((13, 4), lambda i, j: P[i, j] - E[i, j], name="C")
    for place in ("root", "host", "own"):
        s = te.create_schedule(C.op)
        s[P].split("i", 4)
        s[C].reverse_compute_at(s[P], "i.outer")
        if place == "host":
            s[E].compute_at(s[P], "i.outer")
        elif place == "own":
            s[E].compute_at(s[C], "i")
        checked(s, [A, B], [C])


def test_several_outputs_on_both_sides() -> None:
    A = te.placeholder((9, 4), "int32", name="A")
    P, Q = te.compute((9, 4), lambda i, j: (A[i, j] + 1, A[i, j] * 2), name="P")
    C, _ = te.compute((9, 4), lambda i, j: (P[i, j] * Q[i, j], Q[i, j] - 1), name="C")
    s = te.create_schedule(C.op)
    s[P].split("i", 4)
    s[C].reverse_compute_at(s[P], "i.outer")
    checked(s, [A], [*C.op.outputs])


@pytest.mark.parametrize("own", ["host", "reader"])
def test_a_cache_write_of_either_side_stays_in_the_nest(own: str) -> None:
    inputs, P, C, R = product()
    s = te.create_schedule(R.op)
    s[C].compute_inline()
    if own == "host":
        cache = s.cache_write(P, "local")
        s[P].split("i", 4)
        s[cache].compute_at(s[P], "i.outer")
        s[R].reverse_compute_at(s[P], "i.outer")
    else:
        s[P].split("i", 4)
        s[R].reverse_compute_at(s[P], "i.outer")
        s.cache_write(R, "local")
    checked(s, inputs, [R])


def test_symbolic_rows_follow_in_parallel() -> None:
    n = te.var("n")
    A, P, C = rows(SAME, n)
    s = te.create_schedule(C.op)
    s[P].split("i", 4)
    s[C].reverse_compute_at(s[P], "i.outer")
    s[P].parallel("i.outer")
    f = tewb.build(s, [A, C])
    for rows_ in (0, 1, 3, 4, 17):
        a = np.arange(rows_ * 4, dtype="int32").reshape(rows_, 4)
        c = np.zeros_like(a)
        f(a, c)
        np.testing.assert_array_equal(c, a * 2 + 4)
        f(np.asfortranarray(a), c)
        np.testing.assert_array_equal(c, a * 2 + 4)


@pytest.mark.parametrize("side", ["host", "reader"])
def test_an_extern_with_an_access_comes_after_or_is_followed(side: str) -> None:
    calls: list[int] = []

    def triple(a: Any, b: Any) -> None:
        calls.append(b.shape[0])
        np.multiply(a, 3, out=b)

    tewb.runtime.register_func("tewb.test.triple_after", triple, override=True)

    def extern(of: Any, name: str) -> Any:
        return te.extern(
            (10, 4), [of], lambda ins, outs: te.call_packed("tewb.test.triple_after", ins[0], outs[0]), name=name,
            access=te.access.elementwise,
        )  # fmt: skip

    A = te.placeholder((10, 4), "int32", name="A")
    if side == "host":
        P = extern(A, "P")
        C = te.compute((10, 4), lambda i, j: P[i, j] + 7, name="C")
    else:
        P = te.compute((10, 4), lambda i, j: A[i, j] + 7, name="P")
        C = extern(P, "C")
    s = te.create_schedule(C.op)
    s[P].split(s[P].leaf_iter_vars[0], 4)
    s[C].reverse_compute_at(s[P], s[P].leaf_iter_vars[0])
    assert_same_result(s, [A], [C])
    assert calls[-3:] == [4, 4, 2]


def test_the_last_tile_of_an_extern_is_not_moved_inwards_there() -> None:
    A, P, _ = rows(SAME, 10)
    E = te.extern(
        (10, 4),
        [P],
        lambda ins, outs: te.call_packed("tewb.test.triple_after", ins[0], outs[0]),
        name="E",
        access=te.access.elementwise,
        tail="shift",
    )
    s = te.create_schedule(E.op)
    s[P].split("i", 4)
    s[E].reverse_compute_at(s[P], "i.outer")
    refused(s, [A, E], 'extern E has tail="shift"')


def test_a_split_of_its_loop_takes_it_along() -> None:
    A, P, C = rows(SAME, 16)
    s = te.create_schedule(C.op)
    s[C].reverse_compute_at(s[P], "i")
    s[P].split("i", 4)
    assert s[C].loops().startswith("after P.i.inner")
    checked(s, [A], [C])
    s[P].fuse("i.outer", "i.inner")
    checked(s, [A], [C])
    s[P].reorder("j", s[P].leaf_iter_vars[0])
    checked(s, [A], [C])


# ---------------------------------------------------------------- what is refused


def refused(s: Schedule, args: list[Any], why: str) -> None:
    with pytest.raises(ScheduleError, match=why) as e:
        tewb.lower(s, args)
    assert "reverse_compute_at on stage" in str(e.value) and e.value.loops and e.value.hint


@pytest.mark.parametrize(
    ("f", "less", "why"),
    [
        (lambda P: lambda i, j: P[12 - i, j], 0, r"reads it at 12 - i, which is no axis of it plus a constant"),
        (lambda P: lambda i, j: P[i * 2, j], 7, r"reads it at i \* 2, which is no axis"),
        (lambda P: lambda i, j: P[0, j], 0, "reads it at 0, which is no axis"),
        (lambda P: lambda i, j: P[i, j] + P[12, j], 0, "reads it at 12, which is no axis"),
        (lambda P: lambda i, j: te.if_then_else(i < 12, P[i + 1, j], 0), 0, "looks 1 ahead"),
    ],
)  # fmt: skip
def test_a_reader_that_needs_what_later_iterations_make_is_refused(f: Any, less: int, why: str) -> None:
    A, P, C = rows(f, less=less)
    s = te.create_schedule(C.op)
    s[P].split("i", 4)
    s[C].reverse_compute_at(s[P], "i.outer")
    refused(s, [A, C], why)
    assert why.split(",")[0][-3:] and "reverse_compute_at" in [x.primitive for x in s.journal]


def test_orders_in_which_elements_are_not_made_one_after_the_other_are_refused() -> None:
    def stencil() -> tuple[Any, Any, Any, Schedule]:
        A, P, C = rows(AHEAD, less=2)
        s = te.create_schedule(C.op)
        s[P].split("i", 4)
        return A, P, C, s

    A, P, C, s = stencil()
    s[C].reverse_compute_at(s[P], "i.outer")
    s[P].parallel("i.outer")
    refused(s, [A, C], "iterations of i.outer of P do not come one after the other")
    A, P, C, s = stencil()
    s[P].reorder("i.inner", "i.outer")
    s[C].reverse_compute_at(s[P], "i.inner")
    refused(s, [A, C], "with gaps between them: i.inner is around i.outer")
    s[C].reverse_compute_at(s[P], "i.outer")
    refused(s, [A, C], "do not run in the order of its elements")
    A, P, C, s = stencil()
    s[P].split("i.inner", 3)  # what passes the end of i.inner belongs to the next part
    s[C].reverse_compute_at(s[P], "i.inner.outer")
    refused(s, [A, C], "i.inner is a part of another loop, and is split by a size that does not divide it")
    A, P, C, s = stencil()
    s[P].fuse("i.inner", "j")
    s[C].reverse_compute_at(s[P], s[P].leaf_iter_vars[1])
    refused(s, [A, C], "fused")


def test_loops_inside_of_reductions_and_other_stages_are_refused() -> None:
    inputs, P, C, R = product()
    s = te.create_schedule(R.op)
    s[P].reorder("i", "k", "j")
    s[C].reverse_compute_at(s[P], "j")
    refused(s, [*inputs, R], "is inside of its reduce loop k: no element of P is complete there")
    s[C].compute_root()
    s[R].reverse_compute_at(s[P], "i")
    refused(s, [*inputs, R], "R does not read P")
    s[R].compute_root()
    s[P].compute_at(s[C], "i")
    with pytest.raises(ScheduleError, match="C would be computed inside of itself"):
        s[C].reverse_compute_at(s[P], "i")
    with pytest.raises(ScheduleError, match="a stage cannot be computed inside of itself"):
        s[C].reverse_compute_at(s[C], "i")


@pytest.mark.parametrize(("rows", "columns"), [("i", None), ("i.outer", 4), ("i.inner", 4)])
def test_a_reader_of_two_parts_of_one_dimension_is_refused(rows: str, columns: int | None) -> None:
    """Its elements pair each row with each other one, and an iteration has one row: only a diagonal would be computed."""
    A = te.placeholder((8, 3), name="A")
    P = te.compute((8, 3), lambda i, j: A[i, j] * 2.0, name="P")
    C = te.compute((8, 8), lambda x, y: P[x, 0] + P[y, 1], name="C")
    s = te.create_schedule(C.op)
    if columns is not None:
        s[P].split("i", columns)
    s[C].reverse_compute_at(s[P], rows)
    refused(s, [A, C], "x and y of C would both go along with loop i")


def test_axes_along_two_dimensions_go_with_loops_of_both() -> None:
    n = te.var("n")
    A = te.placeholder((n, n), name="A")
    P = te.compute((n, n), lambda i, j: A[i, j] * 2.0, name="P")
    C = te.compute((n, n), lambda x, y: P[x, y] + P[x, y] * P[x, y], name="C")
    for fused in (False, True):
        s = te.create_schedule(C.op)
        axis = s[P].fuse("i", "j") if fused else "j"
        s[C].reverse_compute_at(s[P], axis)
        kernel = tewb.build(s, [A, C], debug=True)
        a, c = np.random.rand(5, 5).astype("float32"), np.zeros((5, 5), "float32")
        kernel(a, c)
        np.testing.assert_allclose(c, 2 * a + 4 * a * a, rtol=1e-6)


def test_a_stage_between_the_two_must_be_there_first() -> None:
    A, P, _ = rows(SAME)
    E = te.compute((13, 4), lambda i, j: P[12 - i, j], name="E")
    C = te.compute((13, 4), lambda i, j: P[i, j] + E[i, j], name="C")
    s = te.create_schedule(C.op)
    s[C].reverse_compute_at(s[P], "i")
    refused(
        s,
        [A, C],
        "C needs E, which needs all of P, and would be computed in the loops of P before that is made",
    )
    s[E].compute_at(s[P], "i")  # before what it reads
    with pytest.raises(ScheduleError, match="E depends on P, in whose loops it would be computed before it"):
        tewb.lower(s, [A, C])


def test_memory_of_other_primitives_is_not_for_what_comes_after() -> None:
    A, P, C = rows(SAME)
    D = te.compute((13, 4), lambda i, j: C[i, j] * 2, name="D")
    s = te.create_schedule(D.op)
    s[C].reverse_compute_at(s[P], "i")
    for word, call in (("rolling_buffer", s[C].rolling_buffer), ("double_buffer", s[C].double_buffer)):
        call()
        with pytest.raises(ScheduleError, match=word):
            tewb.lower(s, [A, D])
        s.restore(s.journal[:-1])
    s[P].vectorize("i")
    with pytest.raises(
        ScheduleError, match="C is computed inside of loop i, and its loops cannot become lanes"
    ):
        tewb.lower(s, [A, D])


def test_a_place_that_is_only_tried_does_not_make_a_schedule_right() -> None:
    A = te.placeholder((8, 8), "int32", name="A")
    k = te.reduce_axis((0, 8), "k")
    X = te.compute((8, 8), lambda i, j: A[i, j] + 1, name="X")
    Y = te.compute((8,), lambda i: te.sum(X[i, k], axis=k), name="Y")
    Z = te.compute((8,), lambda i: Y[i] * 2, name="Z")
    s = te.create_schedule(Z.op)
    s[Y].compute_inline()
    assert s.why_not(Step("reverse_compute_at", "Y", {"parent": "X", "axis": "i"})) is None
    with pytest.raises(ScheduleError, match="a reduction needs loops and cannot be inlined"):
        tewb.lower(s, [A, Z])


@pytest.mark.parametrize("reduces", [False, True])
@pytest.mark.parametrize("parallel", [False, True])
def test_a_part_that_is_moved_inwards_is_not_reduced_twice_at_once(reduces: bool, parallel: bool) -> None:
    """Threads may store equal values at one place, and not begin a sum that another one reads."""
    A = te.placeholder((10, 6), "int32", name="A")
    P = te.compute((10, 6), lambda i, j: A[i, j] * 2, name="P")
    k = te.reduce_axis((0, 6), "k")
    C = te.compute((10,), lambda i: te.sum(P[i, k], axis=k) if reduces else P[i, 0] + P[i, 5], name="C")
    s = te.create_schedule(C.op)
    i = s[P].split("i", 4, tail="shift")[0]
    if parallel:
        s[P].parallel(i)
    if not (reduces and parallel):
        s[C].reverse_compute_at(s[P], i)
        assert_same_result(s, [A], [C])
        return
    s[C].reverse_compute_at(s[P], i)
    with pytest.raises(
        ScheduleError, match="iterations of i.outer of P run at once, and those of a part"
    ) as e:
        tewb.lower(s, [A, C])
    assert e.value.hint and "loops now" in str(e.value)


# ---------------------------------------------------------------- where it is seen


def test_the_journal_the_code_and_the_tree_have_it() -> None:
    A, P, C = rows(SAME)
    session = Session(te.create_schedule(C.op), [A, C])
    session.load("s[C].reverse_compute_at(s[P], 'i')")
    assert session.to_string() == "C:reverse_compute_at(P,i)"
    assert session.schedule_code.splitlines()[-1].startswith("s[C].reverse_compute_at(s[P], i")
    text = tree_text(loops_state(session))
    assert text.index("C  (after P.i)") > text.index("j in 4")
    session.undo()
    assert session.schedule["C"].attach is None
    session.redo()
    assert session.schedule["C"].is_after
    assert any(a.step.primitive == "reverse_compute_at" for a in session.palette("C", "i"))
    entry = next(e for e in session.ledger() if e.stage == "P")
    assert entry.lifetime.startswith("one iteration of P.i")
    buffers = [n.buffer.shape for n in walk(session.function.body) if isinstance(n, Allocate)]
    assert [[x.value for x in shape] for shape in buffers] == [[1, 4]]


@pytest.mark.parametrize("step", ["reverse_compute_at", "compute_with"])
@pytest.mark.parametrize("of_host", [True, False])
def test_shared_loops_do_not_go_past_their_ends(step: str, of_host: bool) -> None:
    """Whole parts in padded memory, and stages in the loops of others: one or the other, in any order."""

    def program() -> tuple[Schedule, Any, Any, list[Any]]:
        A = te.placeholder((21,), name="A")
        B = te.compute((21,), lambda i: A[i] + 1.0, name="B")
        D = te.compute((21,), lambda i: (B[i] if step == "reverse_compute_at" else A[i]) * 2.0, name="D")
        E = te.compute((21,), lambda i: D[i] - B[i], name="E")
        s = te.create_schedule(E.op)
        return s, s[D], s[B], [A, E]

    s, D, B, args = program()
    (B if of_host else D).split("i", 5, tail="round_up")
    with pytest.raises(ScheduleError, match="round_up"):
        getattr(D, step)(B, B.leaf_iter_vars[0])
        tewb.lower(s, args)
    s, D, B, args = program()
    getattr(D, step)(B, "i")
    with pytest.raises(ScheduleError, match="D is computed in the loops of B"):
        (B if of_host else D).split("i", 5, tail="round_up")
