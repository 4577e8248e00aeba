"""Scans in a schedule: what stays where, and what is refused."""

from __future__ import annotations

import pytest

import tewb
from tests.scan_programs import cumulative_sum, lstm_cell
from tewb import te
from tewb.base import LowerError, ScheduleError


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
