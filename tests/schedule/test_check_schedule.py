"""Programs are judged when they are lowered, not by the order of their calls; menus tell at once what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tewb
from tests.programs import assert_same_result, chain, lower_all, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import For, ForKind, walk
from tewb.schedule import Schedule, Step
from tewb.workbench import Session, Workbench


def kinds(s: Schedule) -> dict[str, ForKind]:
    return {n.var.name: n.kind for n in walk(lower_all(s)["main"].body) if isinstance(n, For)}


def before_its_reader(s: Any) -> None:
    s["B"].compute_at(s["D"], "i")  # C, which reads it too, is not there yet
    s["C"].compute_at(s["D"], "i")


def into_a_stage_that_moves_later(s: Any) -> None:
    s["C"].compute_at(s["D"], "i")
    s["B"].compute_at(s["D"], "i")
    s["C"].compute_root()
    s["B"].compute_root()
    s["C"].compute_at(s["D"], "j")
    s["B"].compute_at(s["D"], "i")


def out_of_an_inlined_stage(s: Any) -> None:
    s["C"].compute_inline()
    s["B"].compute_at(s["C"], "i")
    s["B"].compute_at(s["D"], "i")


def inlined_after_something_is_put_there(s: Any) -> None:
    s["C"].compute_at(s["D"], "i")
    s["B"].compute_at(s["D"], "j")
    s["C"].compute_inline()


def split_under_a_stage_that_moves(s: Any) -> None:
    s["C"].compute_at(s["D"], "i")
    _, ii = s["D"].split("i", factor=4)
    s["C"].compute_at(s["D"], ii)


def fused_under_a_stage_that_moves(s: Any) -> None:
    s["C"].compute_at(s["D"], "i")
    s["C"].compute_at(s["D"], s["D"].fuse("i", "j"))


def in_circles_for_a_while(s: Any) -> None:
    s["C"].compute_at(s["D"], "i")
    s["B"].compute_at(s["C"], "i")
    s["C"].compute_at(s["B"], "i")
    s["C"].compute_root()
    s["B"].compute_root()


def marked_again(s: Any) -> None:
    s["D"].vectorize("j")
    s["D"].unroll("j")
    s["D"].vectorize("i")
    s["D"].parallel("i")
    s["D"].parallel("i")


def vectorized_around(s: Any) -> None:
    s["D"].vectorize("i")
    s["C"].compute_at(s["D"], "i")
    s["D"].unroll("i")


def scheduled_and_inline(s: Any) -> None:
    s["C"].compute_inline()
    s["C"].compute_inline()
    _, ji = s["C"].split("j", factor=4)
    s["C"].reorder(ji, "i")
    s["C"].vectorize("i")
    s["C"].fuse(ji, "j.outer")


LATE: list[Callable[[Any], None]] = [
    before_its_reader, into_a_stage_that_moves_later, out_of_an_inlined_stage, inlined_after_something_is_put_there,
    in_circles_for_a_while, marked_again, vectorized_around, scheduled_and_inline,
]  # fmt: skip


@pytest.mark.parametrize("calls", [split_under_a_stage_that_moves, fused_under_a_stage_that_moves])
def test_a_place_goes_with_its_loop_until_it_moves(calls: Callable[[Any], None]) -> None:
    inputs, outputs = chain(11, 6)
    s = schedule_for(outputs)
    calls(s)
    assert not s.doubts and str(s.copy()) == str(s)
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize("calls", LATE)
def test_a_later_call_makes_it_right(calls: Callable[[Any], None]) -> None:
    inputs, outputs = chain(11, 6)
    s = schedule_for(outputs)
    calls(s)
    assert_same_result(s, inputs, outputs)
    again = s.copy()  # the journal leads there again, though not every step was right when it was done
    assert str(again) == str(s)
    assert s.doubts.keys() == again.doubts.keys() != set()
    session = Session(s, [*inputs, *outputs])
    space: dict[str, Any] = {}
    exec(session.code, space)
    assert str(space["module"]) == str(session.module)
    session.undo()
    session.redo()
    assert session.problem is None


def test_the_last_mark_of_a_loop_counts() -> None:
    s = schedule_for(chain()[1])
    marked_again(s)
    assert s["D"].loops() == "i(19, parallel), j(10, unroll)"
    assert kinds(s)["i"] is ForKind.PARALLEL and ForKind.VECTORIZED not in kinds(s).values()


def test_a_copy_of_an_inlined_stage_computes_it() -> None:
    inputs, outputs = chain(11, 6)
    s = schedule_for(outputs)
    s["C"].compute_inline()
    copy = s.cache_read(s["C"].op.output(0), "local", [s["D"]])
    s[copy].compute_at(s["D"], "i")
    assert "C[" not in str(lower_all(s))
    assert_same_result(s, inputs, outputs)


def test_the_result_of_an_inlined_stage_is_computed_elsewhere() -> None:
    inputs, outputs = chain(11, 6)
    s = schedule_for(outputs)
    s["C"].compute_inline()
    s.cache_write(s["C"].op.output(0), "local")
    assert [st.name for st in s.stages if st.is_inlined] == ["C"]
    assert_same_result(s, inputs, outputs)


def test_a_reduction_may_be_inline_when_its_sum_is_elsewhere() -> None:
    inputs, outputs = matmul(5, 4, 3)
    C = outputs[0]
    D = te.compute((5, 4), lambda i, j: C[i, j] + 1.0, name="D")
    s = te.create_schedule(D.op)
    s[C].compute_inline()
    s.cache_write(C, "local")
    assert_same_result(s, inputs, [D])


# ---------------------------------------------------------------- what stays wrong


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([("B", "compute_at", "C", "i")], "compute_at on stage B: D also reads B, and is computed outside of loop i of C"),
        ([("B", "compute_at", "D", "i")], "compute_at on stage B: C also reads B, and is computed outside of loop i of D"),
        ([("B", "compute_at", "C", "i"), ("C", "compute_at", "D", "i")], "compute_at on stage B: D also reads B"),
        ([("B", "compute_at", "C", "i"), ("C", "compute_inline")], "compute_inline on stage C: B is computed inside of its"),
        ([("C", "compute_inline"), ("B", "compute_at", "C", "i")], "compute_at on stage B: C is computed inline and has no"),
        ([("C", "compute_at", "D", "i"), ("D", "vectorize", "i")], "vectorize on stage D: C is computed inside of loop i"),
        ([("D", "vectorize", "i"), ("C", "compute_at", "D", "i")], "compute_at on stage C: loop i of D is vectorized.*hint: "),
        ([("D", "vectorize", "i"), ("D", "vectorize", "j")], "vectorize on stage D: loop . is vectorized already"),
        ([("C", "compute_at", "B", "i")], "compute_at on stage C: B does not read C.*hint: it is read by D"),
    ],
)  # fmt: skip
def test_what_stays_wrong_is_refused_when_it_is_lowered(calls: list[Any], said: str) -> None:
    s = schedule_for(chain()[1])
    for stage, primitive, *args in calls:
        given = [s[args[0]], *args[1:]] if primitive == "compute_at" else args
        getattr(s[stage], primitive)(*given)  # the offending line
    with pytest.raises(ScheduleError, match=f"(?s){said}") as e:
        lower_all(s)
    to_blame = next(
        n for n, step in enumerate(s.journal) if f" on stage {step.stage}: " in str(e.value) and n in s.doubts
    )
    assert e.value.span == s.journal[to_blame].span is not None
    with pytest.raises(ScheduleError):
        lower_all(s)  # and again
    with pytest.raises(ScheduleError):
        tewb.build(s, [st.op.output(0) for st in s.stages if st.is_placeholder or st.is_output])
    last = s.journal[-1]
    before = s.copy()
    before.restore(s.journal[:-1])
    if before.doubts:
        return
    assert before.why_not(last) is not None
    with pytest.raises(ScheduleError, match=f"(?s){said.partition('.*loops')[0]}"):
        before.apply(last)
    assert before.journal == s.journal[:-1]


def test_a_session_shows_what_is_wrong_and_takes_the_repair() -> None:
    inputs, outputs = chain(11, 6)
    s = schedule_for(outputs)
    s["B"].compute_at(s["D"], "i")
    session = Session(s, [*inputs, *outputs])
    assert "C also reads B" in str(session.problem)
    assert [st.name for st in session.stages] == ["A", "B", "C", "D"]
    assert session.palette("C")
    session.apply(Step("compute_at", "C", {"parent": "D", "axis": "i"}))
    assert session.problem is None
    assert session.verify().ok


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda s: s["D"].compute_inline(), "D is an output"),
        (lambda s: s["D"].compute_at(s["C"], "i"), "D is an output"),
        (lambda s: s["C"].compute_at(s["A"], "i"), "A"),
        (lambda s: s["C"].compute_at(s["C"], "i"), "inside of itself"),
        (lambda s: s["C"].compute_at(s["D"], "q"), "in stage D, it has no axis q"),
        (lambda s: s["A"].split("i", 2), "A|axis"),
    ],
)
def test_what_can_never_be_right_is_refused_at_once(misuse: Callable[[Any], Any], said: str) -> None:
    s = schedule_for(chain()[1])
    with pytest.raises(ScheduleError, match=said):
        misuse(s)
    assert not s.journal and not s.doubts


def test_the_page_of_a_schedule_that_is_not_right_yet_tells_why() -> None:
    inputs, outputs = chain(11, 6)
    s = schedule_for(outputs)
    s["B"].compute_at(s["D"], "i")
    bench = Workbench(s, [*inputs, *outputs])
    assert "C also reads B" in str(bench.session.problem)
    assert "C also reads B" in bench.look()


def test_a_call_that_was_wrong_from_the_start_is_named_and_no_doubted_mark_after_it() -> None:
    A = te.placeholder((12,), name="A")
    B = te.compute((12,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((12,), lambda i: B[11 - i], name="C")
    s = te.create_schedule(C.op)
    s[C].reverse_compute_at(s[B], B.op.axis[0])
    s[B].vectorize(s[B].split(B.op.axis[0], 4)[1])
    s[B].unroll("i.inner")
    assert "already marked vectorize" in s.doubts[3].reason and s.doubts[3].hint
    with pytest.raises(
        ScheduleError, match="reverse_compute_at on stage C: dimension 0 of B is made part by part"
    ):
        tewb.lower(s, [A, C])


@pytest.mark.parametrize(
    "steps",
    [
        [("C", "compute_at", "B", "i"), ("B", "compute_at", "C", "i")],
        [("C", "reverse_compute_at", "B", "i"), ("B", "compute_at", "C", "i")],
        [("B", "compute_at", "C", "i"), ("C", "compute_at", "D", "i"), ("D", "compute_with", "B", "i")],
    ],
)
def test_stages_are_never_in_a_circle(steps: list[Any]) -> None:
    """No later step makes one right, and whoever asks what is around a stage would have no end."""
    s = schedule_for(chain()[1])
    *before, (stage, primitive, parent, axis) = steps
    for own, step, other, loop in before:
        getattr(s[own], step)(s[other], loop)
    with pytest.raises(ScheduleError, match=f"{stage} would be computed inside of itself"):
        getattr(s[stage], primitive)(s[parent], axis)
