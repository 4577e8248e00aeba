"""Scans in a schedule: what stays where, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.scan_programs import cumulative_sum, lstm_cell, random
from tewb import te
from tewb.base import LowerError, ScheduleError
from tewb.ir import const_int


def test_undo_and_code_keep_the_places_of_a_scan() -> None:
    X, _, _, update, res = cumulative_sum(4, 6)
    s = te.create_schedule(res.op)
    before = str(tewb.lower(s, [X, res]))
    s[update].vectorize(update.op.axis[1])
    assert str(tewb.lower(s, [X, res])) != before
    s.restore([])
    assert str(tewb.lower(s, [X, res])) == before
    assert str(tewb.lower(s.copy(), [X, res])) == before


def test_parts_of_a_scan_stay_in_it() -> None:
    X, state, init, update, res = cumulative_sum(4, 6)
    other = te.compute((4, 6), lambda i, j: update[i, j], name="other")
    with pytest.raises(ScheduleError, match="other reads update, a part of scan res"):
        te.create_schedule([res.op, other.op])
    with pytest.raises(ScheduleError, match="update is a part of scan res, and no output"):
        te.create_schedule([res.op, update.op])
    again = te.scan(init, update, state, name="again")
    with pytest.raises(ScheduleError, match="belongs to the scans res and again"):
        te.create_schedule([res.op, again.op])
    s = te.create_schedule(res.op)
    for refused in (
        lambda: s[update].compute_root(),
        lambda: s[init].compute_root(),
        lambda: s[update].compute_inline(),
        lambda: s[init].compute_at(s[res], res.op.scan_axis),
        lambda: s[update].set_scope("local"),
        lambda: s[update].storage_align(update.op.axis[0], 4, 0),
        lambda: s.cache_read(update, "local", [res]),
    ):
        with pytest.raises(ScheduleError, match=r"scan res|res reads|res.* reads it from memory"):
            refused()
    with pytest.raises(LowerError, match="update is a part of scan res"):
        tewb.lower(s, [X, update, res])
    assert s.journal == ()


def test_time_stays_one_serial_loop() -> None:
    _, _, _, _, res = cumulative_sum(4, 6)
    s = te.create_schedule(res.op)
    time = res.op.scan_axis
    for refused in (
        lambda: s[res].split(time, 2),
        lambda: s[res].parallel(time),
        lambda: s[res].vectorize(time),
        lambda: s[res].reorder(time, res.op.init_axis),
    ):
        with pytest.raises(ScheduleError, match=r"in order"):
            refused()
    s[res].unroll(time)


def test_cells_stay_inside_of_the_loop_over_time() -> None:
    _, _, hidden, _, c, _, (H, _) = lstm_cell(5, 4)
    s = te.create_schedule(H.op)
    with pytest.raises(
        ScheduleError,
        match="hidden depends on a state of scan lstm, and is computed outside of its loop lstm.idx",
    ):
        s[hidden].compute_root()
    with pytest.raises(ScheduleError, match="scan lstm"):
        s[c].compute_root()


def test_a_cell_outside_of_its_scan_is_found_when_the_program_is_lowered() -> None:
    X, W, hidden, _, _, _, (H, _) = lstm_cell(5, 4)
    out = te.compute(H.shape, lambda t, i: H[t, i] * 2, name="out")
    s = te.create_schedule([out.op])
    s[hidden].compute_at(s[out], out.op.axis[0])  # out does not read it; a later call might move what does
    with pytest.raises(
        ScheduleError, match="compute_at on stage hidden: hidden depends on a state of scan lstm"
    ):
        tewb.lower(s, [X, W, out])
    s[hidden].compute_at(s[H], H.op.scan_axis)
    tewb.lower(s, [X, W, out])


def test_a_group_takes_its_scan_along() -> None:
    X, _, _, update, res = cumulative_sum(4, 6)
    out = te.compute((4, 6), lambda t, i: res[t, i] * 2, name="out")
    s = te.create_schedule(out.op)
    t, i = out.op.axis
    s[out].reorder(i, t)
    group = s.create_group(res, X)
    group.compute_at(s[out], i)
    assert s[res].attach_stage is s[out] and s[update].attach_stage is s[res]
    x, y = random(4, 6), np.zeros((4, 6), "float32")
    tewb.build(s, [X, out])(x, y)
    np.testing.assert_allclose(y, 2 * x.cumsum(0), rtol=1e-5)


@pytest.mark.parametrize("around", [False, True])
def test_threads_make_a_step_together(around: bool) -> None:
    n = te.var("n")
    X, _, init, update, res = cumulative_sum(5, n)
    s = te.create_schedule(res.op)
    if around:
        s[res].env_threads([te.thread_axis((0, 4), "threadIdx.x")])
    for stage in (init, update):
        outer, inner = s[stage].split(stage.op.axis[1], factor=4)
        s[stage].bind(inner, te.thread_axis((0, 4), "threadIdx.x"))
        if not around:
            s[stage].bind(outer, te.thread_axis("blockIdx.x"))
    with pytest.raises(ScheduleError, match="in order"):
        s[res].bind(res.op.scan_axis, te.thread_axis("threadIdx.x"))
    x, y = random(5, 11), np.zeros((5, 11), "float32")
    tewb.build(s, [X, res])(x, y)
    np.testing.assert_allclose(y, x.cumsum(0), rtol=1e-5)


def test_blocks_do_not_go_through_the_steps_together() -> None:
    X, _, init, update, res = cumulative_sum(5, 8)
    s = te.create_schedule(res.op)
    s[res].env_threads([te.thread_axis((0, 2), "blockIdx.x")])
    for stage in (init, update):
        s[stage].bind(s[stage].split(stage.op.axis[1], nparts=2)[0], te.thread_axis("blockIdx.x"))
    said = "blocks wait for nobody, and a step needs(.*\\n)+  hint: leave blockIdx.x out of the env_threads"
    with pytest.raises(LowerError, match=said):
        tewb.lower(s, [X, res])


def test_classic_questions_about_a_scan() -> None:
    X, _, _, update, res = cumulative_sum(5, 6)
    s = te.create_schedule(res.op).normalize()
    assert te.schedule.ScanGetBody(res.op) == (update.op,)
    assert [const_int(n) for n in te.schedule.ScanFixPointAnalysis(res.op).values()] == [1]
    bounds = te.schedule.InferBound(s)
    assert [const_int(bounds[iv].extent) for iv in (res.op.scan_axis, *update.op.axis)] == [4, 1, 6]
    f = te.schedule.SchedulePostProcToPrimFunc([X, res], te.schedule.ScheduleOps(s, bounds))
    module = tewb.driver.build(tewb.ir.IRModule({"main": f}))
    x, y = random(5, 6), np.zeros((5, 6), "float32")
    module(x, y)
    np.testing.assert_allclose(y, x.cumsum(0), rtol=1e-5)
