"""Ideas: kinds of steps for the loops as they are; `test_next_steps.py` does them."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.workbench.judge.test_next_steps import MACHINE, TWO, bytes_product, depthwise, transpose
from tewb import te, topi
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.draft import Draft
from tewb.workbench.judge.ideas import Idea, Scene, ideas
from tewb.workbench.judge.next_steps import scene_of


def had(session: Any, machine: Any = MACHINE) -> list[Idea]:
    return list(ideas(scene_of(session, machine)))


def done(session: Any, idea: Idea) -> list[str]:
    draft = Draft(session.schedule)
    idea.make(draft)
    return [s.primitive for s in draft.steps]


def kinds(session: Any, machine: Any = MACHINE) -> set[str]:
    return {i.kind for i in had(session, machine)}


def test_each_idea_says_where_and_why() -> None:
    for idea in had(demo_session("softmax", n=64, m=64), TWO):
        assert idea.stage in ("M", "E", "S", "P") and len(idea.reason) > 20 and "  " not in idea.reason


def test_tiles_fit_the_registers() -> None:
    session = demo_session("matmul", n=256)
    for machine in (MACHINE, TWO):
        lanes = machine.vector_bytes // 4
        for idea in had(session, machine):
            if idea.kind == "register tile":
                draft = Draft(session.schedule)
                idea.make(draft)
                rows, columns = [s.args["factor"] for s in draft.steps if s.primitive == "split"]
                assert rows * -(-columns // lanes) <= machine.registers - 2


def test_a_vectorized_stage_is_not_vectorized_again() -> None:
    session = demo_session("blur", n=256)
    session.apply(Step("split", "Y", {"axis": "j", "factor": 16}))
    session.apply(Step("vectorize", "Y", {"axis": "j.inner"}))
    assert not any(i.kind == "vectorize" and i.stage == "Y" for i in had(session))
    assert any(i.kind == "vectorize" and i.stage == "X" for i in had(session))


def test_rows_share_what_a_window_slides_over() -> None:
    session = depthwise(128, 112)
    tiles = [done(session, i) for i in had(session) if i.kind == "register tile"]
    assert any(
        "cache_write" in steps and "nontemporal" in steps for steps in tiles
    )  # 6 MB, and nothing reads them
    assert not any(
        "nontemporal" in done(depthwise(), i) for i in had(depthwise()) if i.kind == "register tile"
    )


def test_a_window_is_walked_along_the_rows_of_memory() -> None:
    session = depthwise(3, 64)
    tile = next(i for i in had(session) if i.kind == "register tile" and "cache_write" in done(session, i))
    draft = Draft(session.schedule)
    tile.make(draft)
    session.apply(*draft.steps)
    assert [n.split(".")[0] for n in Draft(session.schedule).loops("C")][:3] == ["f", "i", "j"]


def test_nothing_is_reused_along_rows_that_no_window_slides_over() -> None:
    A, q = te.placeholder((64, 66), name="A"), te.reduce_axis((0, 3), name="q")
    C = te.compute((64, 64), lambda i, j: te.sum(A[i, j + q], axis=q), name="C")
    found = kinds(tewb.Session(te.create_schedule(C.op), [A, C]))
    assert "register tile" not in found and "vectorize" in found


def test_bytes_are_multiplied_four_at_a_time() -> None:
    session = bytes_product(64, 64, 64)
    idea = next(i for i in had(session) if i.kind == "dot product")
    assert {"cache_read", "transform_layout", "dot"} <= set(done(session, idea))


def test_a_transposition_is_turned_in_tiles() -> None:
    session = transpose(64, 64)
    idea = next(i for i in had(session) if i.kind == "transpose")
    assert done(session, idea) == ["split", "split", "reorder", "transpose"]


def test_short_sums_are_written_out_once() -> None:
    session = depthwise()
    session.apply(Step("reorder", "C", {"axes": ["f", "i", "r", "q", "j"]}))
    session.apply(Step("vectorize", "C", {"axis": "j"}))
    idea = next(i for i in had(session) if i.kind == "unroll")
    assert done(session, idea) == ["unroll", "unroll"]
    session.apply(Step("unroll", "C", {"axis": "r"}), Step("unroll", "C", {"axis": "q"}))
    assert "unroll" not in kinds(session)


def test_large_results_go_past_the_caches_and_small_ones_do_not() -> None:
    for n, wanted in ((1024, True), (64, False)):
        session = demo_session("blur", n=n)
        session.apply(Step("split", "Y", {"axis": "j", "factor": 16}))
        session.apply(Step("vectorize", "Y", {"axis": "j.inner"}))
        assert ("non-temporal stores" in kinds(session)) == wanted


def test_threads_are_given_work_once() -> None:
    session = demo_session("matmul", n=64)
    assert "parallel" in kinds(session, TWO)
    session.apply(Step("parallel", "C", {"axis": "i"}))
    assert "parallel" not in kinds(session, TWO)


def test_a_scene_knows_its_lanes() -> None:
    scene: Scene = scene_of(demo_session("matmul", n=64), MACHINE)
    assert scene.lanes(scene.stages[0]) == 16 and scene.own_cache == 1 << 20


def test_an_operand_of_a_local_tile_is_packed_around_it() -> None:
    session = demo_session("matmul", n=256)
    tile = next(i for i in had(session) if i.kind == "register tile" and "cache_write" in done(session, i))
    draft = Draft(session.schedule)
    tile.make(draft)
    session.apply(*draft.steps)
    pack = next(i for i in had(session) if i.kind == "pack")
    assert done(session, pack) == ["cache_read", "compute_at", "vectorize"]


def test_a_short_outer_part_of_a_long_sum_is_not_written_out() -> None:
    session = demo_session("matmul", n=256)
    session.apply(
        Step("split", "C", {"axis": "k", "factor": 64}),
        Step("reorder", "C", {"axes": ["k.outer", "i", "k.inner", "j"]}),
        Step("vectorize", "C", {"axis": "j"}),
    )
    assert "unroll" not in kinds(session)


@pytest.mark.parametrize("place", [topi.argmax, topi.argmin])
def test_a_reduction_of_several_values_is_shared_in_parts(place: Any) -> None:
    A = te.placeholder((65536,), name="A")
    B = place(A, 0)
    whole = tewb.Session(te.create_schedule(B.op), [A, B])
    (partial,) = [i for i in had(whole, TWO) if i.kind == "partial sums"]
    assert done(whole, partial) == ["split", "rfactor", "parallel"]
