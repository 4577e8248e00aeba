"""Ideas for whole programs: what they do to loops, and that results stay what they were."""

from __future__ import annotations

from typing import Any

import pytest

from tests.programs import assert_same_result, schedule_for
from tewb import te
from tewb.tuning.model_search import Candidate, ModelSearch, nominal_machine
from tewb.tuning.sketches import all_ideas, ideas_for_threads
from tewb.workbench.judge.ideas import Idea


def two_blurs(n: int = 40, m: int = 48) -> list[Any]:
    A = te.placeholder((n + 2, m + 2), name="A")
    X = te.compute((n + 2, m), lambda i, j: A[i, j] + A[i, j + 1] + A[i, j + 2], name="X")
    Y = te.compute((n, m), lambda i, j: X[i, j] + X[i + 1, j] + X[i + 2, j], name="Y")
    return [A, Y]


def rows(n: int = 32, m: int = 24) -> list[Any]:
    A = te.placeholder((4, n, m), name="A")
    k = te.reduce_axis((0, m), name="k")
    T = te.compute((4, n), lambda h, i: te.sum(A[h, i, k], axis=k), name="T")
    U = te.compute((4, n), lambda h, i: T[h, i] * 2.0, name="U")
    B = te.compute((4, n, m), lambda h, i, j: A[h, i, j] * U[h, i], name="B")
    return [A, B]


def after(args: list[Any], wanted: str, threads: int = 1) -> list[tuple[Idea, Candidate]]:
    """What the ideas about a program lead to whose reasons have a word."""
    model = ModelSearch(args, {}, nominal_machine(threads))
    first = model.candidate(schedule_for([args[-1]]))
    assert first is not None
    had = all_ideas if threads == 1 else ideas_for_threads
    return [(idea, c) for idea, c in model.options(first, had) if wanted in idea.reason]


def test_stages_go_through_tiles_of_the_last_one() -> None:
    found = after(two_blurs(), "tiles of 16 x 128") + after(two_blurs(), "tiles of 6 x 16")
    small = found[-1][1].schedule
    assert small["Y"].loops() == "i.outer(7), j.outer(3), i.inner(6, unroll), j.inner(16, vectorize)"
    assert small["X"].loops() == "at Y.j.outer: i(42, unroll), j(48, vectorize)"
    assert [s.primitive for s in small.journal] == [
        "split", "split", "reorder", "unroll", "vectorize", "compute_at", "unroll", "vectorize",
    ]  # fmt: skip


@pytest.mark.parametrize("program", [two_blurs, rows], ids=lambda p: p.__name__)
def test_every_idea_leaves_the_result_as_it_is(program: Any) -> None:
    args = program(18, 20)
    tried = [c for _, c in after(args, "")]
    assert len(tried) >= 10
    for c in tried[::4]:
        assert_same_result(c.schedule, args[:-1], args[-1:])


def test_stages_go_through_blocks_of_rows() -> None:
    (_, c), *_ = after(rows(), "go through i together, 16 at a time")
    assert c.schedule["B"].loops() == "h(4), i.outer(2), i.inner(16), j(24)"
    assert "i.outer" in str(c.schedule["T"].attach) and c.schedule["U"].attach is not None


def test_what_a_loop_does_not_move_stays_outside_of_it() -> None:
    Q, K = (te.placeholder((2, 32, 8), name=name) for name in "QK")
    T = te.compute((2, 8, 32), lambda h, x, j: K[h, j, x], name="T")
    x = te.reduce_axis((0, 8), name="x")
    S = te.compute((2, 32, 32), lambda h, i, j: te.sum(Q[h, i, x] * T[h, x, j], axis=x), name="S")
    E = te.compute((2, 32, 32), lambda h, i, j: te.exp(S[h, i, j]), name="E")
    args = [Q, K, E]
    (_, c), *_ = after(args, "go through i together, 16 at a time")
    assert "at E.i.outer" in c.schedule["S"].loops() and "at E.h" in c.schedule["T"].loops()
    assert_same_result(c.schedule, args[:-1], args[-1:])


def test_a_stage_in_another_may_be_computed_further_out() -> None:
    args = rows()
    model = ModelSearch(args, {}, nominal_machine(1))
    s = schedule_for([args[-1]])
    s["U"].compute_at(s["B"], "i")
    c = model.candidate(s)
    assert c is not None
    moved = [o for idea, o in model.options(c) if "computed once for each iteration of h" in idea.reason]
    assert [o.schedule["U"].loops() for o in moved] == ["at B.h: h(4), i(32)"]


def test_short_rows_are_written_out() -> None:
    A = te.placeholder((100, 8, 16), name="A")
    B = te.compute((100, 8, 16), lambda b, i, j: A[b, i, j] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize("j")
    model = ModelSearch([A, B], {}, nominal_machine(1))
    c = model.candidate(s)
    assert c is not None
    assert "b(100), i(8, unroll), j(16, vectorize)" in [o.schedule["B"].loops() for _, o in model.options(c)]


def test_rows_of_many_vectors_are_loops() -> None:
    A = te.placeholder((8, 4096), name="A")
    B = te.compute((8, 4096), lambda i, j: te.exp(A[i, j]), name="B")
    model = ModelSearch([A, B], {}, nominal_machine(1))
    for width, is_written in ((64, True), (1024, False)):
        s = schedule_for([B])
        s[B].vectorize(s[B].split("j", factor=width)[1])
        s[B].reorder("j.outer", "i", "j.inner")
        c = model.candidate(s)
        assert c is not None
        assert any("written out" in i.reason for i, _ in model.options(c)) == is_written


@pytest.mark.parametrize("rows", [2, 4, 16])
def test_vectors_are_counted_with_what_is_written_out_and_turned_in_registers(rows: int) -> None:
    A = te.placeholder((256, 256), name="A")
    B = te.compute((256, 256), lambda i, j: A[j, i], name="B")
    model = ModelSearch([A, B], {}, nominal_machine(1))

    def is_written(unrolled: int) -> bool:
        """Whether `rows` rows of tiles of 8 vectors are written out around `unrolled` tiles that are."""
        s = schedule_for([B])
        i, row = s[B].split("i", factor=8)
        j, lane = s[B].split("j", factor=8)
        outer_i, i = s[B].split(i, factor=rows)
        outer_j, j = s[B].split(j, factor=unrolled)
        s[B].reorder(outer_i, outer_j, i, j, row, lane)
        s[B].unroll(j)
        s[B].transpose(row, lane)
        c = model.candidate(s)
        assert c is not None
        return any(f"the {rows} rows of i" in idea.reason for idea, _ in model.options(c))

    assert is_written(1) == (rows * 8 <= 32)
    assert is_written(2) == (rows * 2 * 8 <= 32)


def test_loops_with_other_stages_in_them_are_not_written_out() -> None:
    A, k = te.placeholder((8, 64, 32), name="A"), te.reduce_axis((0, 64), name="k")
    B = te.compute((8, 32), lambda i, j: te.sum(A[i, k, j], axis=k), name="B")
    model = ModelSearch([A, B], {}, nominal_machine(1))
    s = schedule_for([B])
    copy = s.cache_write(B, "local")
    s[B].vectorize("j")
    s[copy].compute_at(s[B], "i")
    c = model.candidate(s)
    assert c is not None
    assert not any("written out: no loop, and" in i.reason for i, _ in model.options(c))


def test_threads_come_last() -> None:
    assert all(i.kind != "parallel" for i, _ in after(two_blurs(), ""))
    kinds = {i.kind for i, _ in after(two_blurs(), "", threads=2)}
    assert kinds == {"parallel"}
