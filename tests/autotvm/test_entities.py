"""Entities: what a value of a knob does to a schedule."""

from __future__ import annotations

import pytest

from tests.programs import matmul, schedule_for
from tewb import te
from tewb.autotvm.entities import KINDS, AnnotateEntity, OtherOptionEntity, SplitEntity, VirtualAxis, factors
from tewb.autotvm.space import ConfigEntity, ConfigSpace
from tewb.base import ScheduleError


def test_entities_change_schedules() -> None:
    inputs, outputs = matmul(8, 12, 4)
    s = schedule_for(outputs)
    C = outputs[0]
    y, x = s[C].op.axis
    cfg = ConfigSpace()
    a, b = cfg.define_split("y", y, num_outputs=2)
    cfg.define_split("x", x, num_outputs=3)
    cfg.define_reorder("order", [a, b, x], policy="candidate", candidate=[[x, a, b]])
    cfg.define_annotate("marks", [a, b], policy="candidate", candidate=[["none", "unroll"]])
    one = ConfigEntity(0, None, {n: cfg[n] for n in ("order", "marks")})
    one["y"], one["x"] = SplitEntity([-1, 4]), SplitEntity([-1, 3, 2])
    yo, yi = one["y"].apply(s, C, y)
    xs = one["x"].apply(s, C, x)
    assert one["order"].apply(s, C, [yo, yi, xs[0]]) == [xs[0], yo, yi]
    one["marks"].apply(s, C, [yo, yi])
    assert (
        s["C"].loops()
        == "j.outer(2), i.outer(2), i.inner(4, unroll), j.inner.outer(3), j.inner.inner(2), k(4)"
    )


def test_annotations_that_do_not_fit_are_errors_of_the_configuration() -> None:
    inputs, outputs = matmul(8, 12, 4)
    s, C, cfg = schedule_for(outputs), outputs[0], ConfigSpace()
    cfg.define_annotate("marks", [0], policy="unroll")
    cfg["marks"].apply(s, C, [s[C].op.axis[0]], axis_lens=[8], max_unroll=4, cfg=cfg)
    assert not cfg.valid() and "too long to unroll" in cfg.errors[0]


def test_copies_are_computed_where_an_annotation_says() -> None:
    inputs, outputs = matmul(8, 12, 4)
    s, C = schedule_for(outputs), outputs[0]
    copies = [s.cache_read(t, "global", [C]) for t in inputs]
    i, j = s[C].op.axis
    AnnotateEntity([0, 1]).apply(s, C, [i, j], source=[copies[:1], copies[1:]])
    assert [s[c].loops().split(":")[0] for c in copies] == ["at C.i", "at C.j"]


def test_entities_are_what_they_hold() -> None:
    assert KINDS["ot"](3).apply() == 3 and OtherOptionEntity(3) != SplitEntity([3])
    assert SplitEntity([-1, 4]) == SplitEntity((-1, 4)) and hash(SplitEntity([-1])) == hash(SplitEntity([-1]))
    assert factors(12) == [1, 2, 3, 4, 6, 12]
    assert str(VirtualAxis(12, "y")) == "VirtualAxis(y, 12)"


def test_misuse() -> None:
    s = schedule_for(matmul(8, 8, 8)[1])
    with pytest.raises(ScheduleError, match="annotation 'vectorise' is not known"):
        AnnotateEntity(["vectorise"]).apply(s, s["C"].op, [s["C"].op.axis[0]])
    with pytest.raises(ScheduleError, match="the length of n is not known"):
        VirtualAxis("n")
    A = te.placeholder((te.var("m"),), name="A")
    with pytest.raises(ScheduleError, match='the length of i is not known.*\n.*policy="candidate"'):
        VirtualAxis(te.compute(A.shape, lambda i: A[i] + 1, name="B").op.axis[0])
