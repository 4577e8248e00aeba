"""compute_at, compute_inline and compute_root: what is computed where, and how much of it."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.programs import assert_same_result, blur, chain, lower_all, padded, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import Allocate, walk
from tewb.schedule import Step


def test_compute_at_allocates_what_is_needed() -> None:
    inputs, outputs = blur(32, 24)
    s = schedule_for(outputs)
    band, _ = s["Y"].split("i", factor=8)
    s["X"].compute_at(s["Y"], band)
    (found,) = [n for n in walk(tewb.lower(s, inputs + outputs)["main"].body) if isinstance(n, Allocate)]
    assert [size.value for size in found.buffer.shape] == [10, 24]  # a clamped stencil keeps a constant size
    assert_same_result(s, inputs, outputs, debug=True)


def test_compute_at_every_loop_of_a_chain() -> None:
    for axis in ("i", "j"):
        inputs, outputs = chain()
        s = schedule_for(outputs)
        s["C"].compute_at(s["D"], axis)
        s["B"].compute_at(s["D"], axis)
        assert_same_result(s, inputs, outputs)


def test_inline_and_root() -> None:
    inputs, outputs = padded()
    s = schedule_for(outputs)
    s["P"].compute_inline()
    assert not [n for n in walk(tewb.lower(s, inputs + outputs)["main"].body) if isinstance(n, Allocate)]
    assert_same_result(s, inputs, outputs, debug=True)
    s["P"].compute_root()
    assert_same_result(s, inputs, outputs, debug=True)


def test_compute_at_a_stage_that_does_not_consume() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((8,), lambda i: A[i] * 2.0, name="C")
    D = te.compute((8,), lambda i: B[i] + C[i], name="D")
    s = te.create_schedule(D.op)
    with pytest.raises(
        ScheduleError, match=r"compute_at on stage B: C does not read B(.|\n)*it is read by D"
    ):
        s[B].compute_at(s[C], C.op.axis[0])
        lower_all(s)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda s: s["D"].split("i", factor=4), "i.inner"),
        (lambda s: (s["D"].split("i", nparts=4), s["D"].split("i.inner", factor=2)), "i.inner.inner"),
        (lambda s: s["D"].fuse("i", "j"), "i.j.fused"),
        (lambda s: s["D"].tile("i", "j", 4, 3), "i.inner"),
        (lambda s: (s["D"].split("i", factor=4), s["D"].reorder("i.inner", "i.outer")), "i.inner"),
    ],
)
def test_a_stage_stays_in_the_loop_that_its_place_became_a_part_of(change: Any, place: str) -> None:
    inputs, outputs = chain()
    s = schedule_for(outputs)
    s["C"].compute_at(s["D"], "i")
    change(s)
    assert s["D"].axis_name(s["C"].attach_ivar) == place
    if "reorder" not in [step.primitive for step in s.journal]:
        assert_same_result(s, inputs, outputs)
    assert s.copy()["D"].axis_name(s.copy()["C"].attach_ivar) == place


def test_a_group_stays_there_too() -> None:
    inputs, outputs = chain()
    s = schedule_for(outputs)
    group = s.create_group(outputs=s["C"].op.output(0), inputs=inputs, include_inputs=False)
    group.compute_at(s["D"], "i")
    s["D"].split("i", factor=4)
    assert group.attach_ivar.name == "i.inner"
    assert_same_result(s, inputs, outputs)


def test_a_place_that_is_only_tried_does_not_make_a_schedule_right() -> None:
    A = te.placeholder((4, 8), "int32", name="A")
    E = te.extern(
        (4, 8),
        [A],
        lambda ins, outs: te.call_packed("tests.compute_at", ins[0], outs[0]),
        name="E",
        access=te.access.elementwise,
        effect="stateful",
    )
    C = te.compute((4, 8), lambda i, j: E[i, j] * 2, name="C")
    s = te.create_schedule(C.op)
    s[E].compute_at(s[C], "j")
    s[C].vectorize("j")
    assert s.why_not(Step("compute_at", "E", {"parent": "C", "axis": "i"})) is None
    with pytest.raises(ScheduleError, match="loops cannot become lanes"):
        tewb.lower(s, [A, C])
