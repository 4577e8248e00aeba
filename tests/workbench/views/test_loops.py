"""The loop tree in the front end: what it is sent, and the steps that its gestures ask for."""

from __future__ import annotations

from typing import Any

from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.looks.loop_tree import LoopInfo, StageInfo
from tewb.workbench.views.loops import LoopView

STEP = Step("split", "C", {"axis": "i", "factor": 8})


def view() -> tuple[LoopView, list[Any]]:
    asked: list[Any] = []
    return LoopView(asked.extend), asked


def test_stages_and_loops_have_notes_marks_and_numbers() -> None:
    v, _ = view()
    loops = (LoopInfo("i", "8", "data", ("parallel", "unroll"), 2), LoopInfo("k", "n", "reduce", (), None))
    stages = [
        StageInfo("A", "input", "root", None, ()),
        StageInfo("T", "compute", "at C.i", 1, loops, 2.5, ("in local memory",)),
    ]
    v.show(stages, lambda stage, axis: 10 if axis is None else ord(axis))
    (t,) = v.tree
    assert (t["name"], t["note"], t["step"], t["part"]) == (
        "T",
        "at C.i, each element 2.5 times, in local memory",
        1,
        10,
    )
    assert t["loops"] == [
        {"name": "i", "extent": "8", "note": "", "mark": "parallel, unroll", "step": 2, "part": ord("i")},
        {"name": "k", "extent": "n", "note": "reduce", "mark": "", "step": None, "part": ord("k")},
    ]


def test_an_inlined_stage_has_no_loops_and_the_root_is_not_mentioned() -> None:
    v, _ = view()
    s = demo_session("blur", n=16)
    s.apply(Step("compute_inline", "X"))
    v.show(s.stages)
    rows = {row["name"]: row for row in v.tree}
    assert rows["X"]["loops"] == [] and rows["X"]["note"] == "inline" and rows["Y"]["note"] == ""
    assert rows["Y"]["part"] == -1


def test_gestures_ask_for_one_step_or_several() -> None:
    v, asked = view()
    v._asked(None, STEP.to_json(), None)
    v._asked(None, {"steps": [STEP.to_json(), STEP.to_json()]}, None)
    assert asked == [STEP] * 3


def test_messages_that_are_no_steps_ask_for_nothing() -> None:
    v, asked = view()
    for content in ({}, {"steps": []}, {"steps": [3, "split", {"stage": "C"}]}, {"other": 1}):
        v._asked(None, content, None)
    assert asked == []
