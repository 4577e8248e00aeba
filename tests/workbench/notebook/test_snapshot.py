"""Snapshots: the workbench at one moment, as HTML that a notebook keeps."""

from __future__ import annotations

import re

import pytest

from tests.workbench.notebook.untrusted import assert_survives
from tests.workbench.states.test_trials import searched
from tewb.base import ScheduleError
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook.snapshot import snapshot


def test_a_snapshot_keeps_what_was_shown() -> None:
    s = demo_session("extern", access="elementwise")
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    kept = s.snapshot()
    s.undo()
    assert "compute_at(E" in kept.html and "for i in range(3):" in kept.html
    assert "128 B" in kept.html and "idempotent" in kept.html and "s = te.create_schedule" in kept.html
    assert repr(kept).startswith("tewb workbench: Schedule(") and kept._repr_html_() == kept.html
    assert "compute_at" not in s.snapshot().html
    assert_survives(kept.html)


def test_a_snapshot_with_times() -> None:
    s = demo_session("matmul", n=32)
    assert "result equals numpy" in s.snapshot(s.measure(repeat=1)).html


def test_a_snapshot_with_trials() -> None:
    kept = searched().snapshot().html
    assert "<summary>trials: 5 trials, the best 2 ms" in kept and "split(C) factor" in kept
    assert "The best, trial 1: 2 times as fast" in kept and "refused" not in kept
    assert_survives(kept)


def test_a_snapshot_draws_the_graph_as_an_image_or_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    s = demo_session("matmul", n=32)
    monkeypatch.setattr(
        "tewb.workbench.views.graph._draw", lambda graphviz, source: "<svg>currentColor</svg>"
    )
    kept = s.snapshot().html
    assert (
        re.search(r'<img alt="stage graph: C: float32\[32, 32\][^"]*"', kept)
        and "data:image/svg+xml;base64," in kept
    )
    assert_survives(kept)
    monkeypatch.setattr("tewb.workbench.views.graph._draw", lambda graphviz, source: None)
    assert "<img" not in s.snapshot().html and "C: float32[32, 32]" in s.snapshot().html


def test_a_snapshot_of_what_cannot_be_lowered_says_why() -> None:
    s = demo_session("matmul", n=32)
    s.args = s.args[1:]
    s.refresh()
    s.schedule.version += 1
    assert "A is an input and is not among the arguments" in s.snapshot().html


def test_times_must_be_those_of_a_measurement() -> None:
    with pytest.raises(ScheduleError, match="measured is what session.measure.. found, not 3") as e:
        snapshot(demo_session("matmul", n=8), 3)  # type: ignore[arg-type]
    assert e.value.hint == "snapshot(session.measure())"


def test_notes_are_escaped() -> None:
    assert "(a &lt;b&gt; note)" in snapshot(demo_session("matmul", n=8), note="a <b> note").html
