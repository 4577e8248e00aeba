"""A stage: its loops by identity, their names, marks, and where they came from."""

from __future__ import annotations

from tests.programs import chain, matmul, schedule_for
from tewb import te
from tewb.ir import ForKind
from tewb.schedule.stage import LoopList, Stage


def product() -> Stage:
    return schedule_for(matmul(16, 8, 4)[1])["C"]


def test_loops_are_found_by_identity() -> None:
    i, j = te.reduce_axis((0, 4), "i"), te.reduce_axis((0, 4), "i")
    loops = LoopList([i, j])
    assert loops.index(j) == 1 and i in loops and te.reduce_axis((0, 4), "i") not in loops
    assert loops.same_as([i, j]) and not loops.same_as([j, i]) and not loops.same_as([i])


def test_a_taken_name_gets_a_number_and_is_free_again() -> None:
    C = product()
    other = te.reduce_axis((0, 4), "i")
    C.register(other)
    assert C.axis_name(other) == "i_1" and C.find_axis("i_1") is other
    C.forget(other)
    assert C.find_axis("i_1") is None and not C.has_axis(other)


def test_an_axis_is_found_by_itself_and_by_name_alone() -> None:
    C = product()
    i = C.leaf_iter_vars[0]
    assert C.find_axis(i) is i is C.find_axis("i")
    assert C.find_axis("x") is None and C.find_axis(0) is None
    assert C.find_axis(te.reduce_axis((0, 16), "i")) is None


def test_what_became_of_an_axis() -> None:
    C = product()
    i, j, _ = C.leaf_iter_vars
    outer, inner = C.split(i, factor=4)
    fused = C.fuse(inner, j)
    assert C.replaced_by(i) == "split into i.outer and i.inner"
    assert C.replaced_by(j) == C.replaced_by(inner) == "fused into i.inner.j.fused"
    assert C.replaced_by(outer) is None
    assert C.loops_of(i).same_as([outer, fused]) and C.loops_of(j).same_as([fused])


def test_marks_are_kept_per_primitive_and_per_loop() -> None:
    C = product()
    C.parallel("i")
    C.unroll("j")
    i, j, k = C.leaf_iter_vars
    assert C.annotations == {i: "parallel", j: "unroll"}
    assert (C.loop_kind(i), C.loop_kind(k)) == (ForKind.PARALLEL, None)
    assert [m.primitive for m in C.marks_on(j)] == ["unroll"] and len(C.marks_of("parallel")) == 1
    C.unmark("parallel")
    assert C.loop_kind(i) is None and C.loop_kind(j) is ForKind.UNROLLED


def test_the_scope_is_global_until_it_is_set() -> None:
    B = schedule_for(chain()[1])["B"]
    assert B.scope == "global"
    B.scope = "local"
    B.scope = "local"
    assert B.scope == "local" and len(B.marks) == 1
    B.scope = "global"
    assert B.scope == "global" and not B.marks


def test_the_steps_that_shaped_a_loop_are_its_origin() -> None:
    C = product()
    _, inner = C.split("i", factor=4)
    C.parallel("j")
    deep, _ = C.split(inner, factor=2)
    origin = C.origin(deep)
    assert (origin.stage, origin.axis, origin.step, origin.steps) == ("C", "i.inner.outer", 2, (0, 2))
    assert origin.span is not None and origin.span.file == __file__
    assert C.origin(C.leaf_iter_vars[-1]).step is None


def test_the_place_of_inlined_stages_shapes_their_reader() -> None:
    s = schedule_for(chain()[1])
    s["B"].compute_inline()
    s["C"].compute_inline()
    assert (s["D"].origin().step, s["D"].origin().steps) == (None, (0, 1))
    assert s["C"].origin().step == 1


def test_a_key_of_a_stage_changes_with_all_that_it_is() -> None:
    s = schedule_for(chain()[1])
    keys = [s["C"].state()[0]]
    for step in (
        lambda: s["C"].split("i", factor=4),
        lambda: s["C"].reorder("j", "i.inner"),
        lambda: s["C"].unroll("i.inner"),
        lambda: s["C"].compute_at(s["D"], "i"),
        lambda: s["C"].set_scope("local"),
        lambda: s["C"].pragma("j", "auto_unroll_max_step", 4),
    ):
        step()
        keys.append(s["C"].state()[0])
    assert len(set(keys)) == 7 and s["C"].state()[0] == keys[-1]


def test_a_stage_is_what_its_operation_and_its_place_make_it() -> None:
    s = schedule_for(chain()[1])
    assert [st.is_placeholder for st in s.stages] == [True, False, False, False]
    assert [st.is_output for st in s.stages] == [False, False, False, True]
    s["B"].compute_inline()
    assert s["B"].is_inlined and s["B"].attached is None
    s["C"].compute_at(s["D"], "i")
    attached = s["C"].attached
    assert attached is not None and attached.stage is s["D"] and attached.axis is s["D"].leaf_iter_vars[0]
