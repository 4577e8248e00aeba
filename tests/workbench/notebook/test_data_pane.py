"""The pane of accesses as a widget, saved as a file; the player of one buffer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workbench.notebook.untrusted import assert_survives
from tewb import te
from tewb.base import TewbError
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook.data_pane import AccessPlayer, DataPane
from tewb.workbench.session import Session
from tewb.workbench.trace.access_trace import AccessTrace, trace


def test_the_view_is_saved_as_a_file(tmp_path: Path) -> None:
    view: Any = demo_session("matmul", n=4).view("data")
    assert isinstance(view, DataPane) and view.pane == "data"
    saved = view.save(tmp_path / "access.html")
    text = saved.read_text("utf-8")
    assert text.startswith("<!doctype html>") and '"buffers"' in text
    assert view.save(str(saved)) == saved and saved.read_text("utf-8") == text


def test_what_is_saved_is_of_the_schedule_as_it_is(tmp_path: Path) -> None:
    session = demo_session("matmul", n=32)
    view: Any = session.view("data")
    assert "j.inner" not in view.save(tmp_path / "a.html").read_text("utf-8")
    session.apply({"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}})
    assert "C/j.inner" in view.save(tmp_path / "a.html").read_text("utf-8")


def test_what_cannot_be_saved_says_why(tmp_path: Path) -> None:
    view: Any = demo_session("matmul", n=2).view("data")
    with pytest.raises(TewbError, match="path"):
        view.save(7)
    with pytest.raises(TewbError, match="cannot be written"):
        view.save(tmp_path / "nowhere" / "a.html")
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    broken: Any = Session(te.create_schedule(B.op), [B]).view("data")
    with pytest.raises(TewbError, match="nothing to save: .*not among the arguments"):
        broken.save(tmp_path / "a.html")


def test_the_player_has_the_accesses_of_one_buffer() -> None:
    p = AccessPlayer(demo_session("matmul", n=4), "B")
    assert p.time == 0 and len(p.trace) == 64
    shown = p._desk.look("data", {})
    assert shown["count"] == 64 and [b["name"] for b in shown["buffers"]] == ["B"]
    assert "read along k, stride 16 B" in shown["buffers"][0]["use"] and "alone" in shown["basis"]
    assert p._desk.look("traced", {})["fresh"]


def test_time_stays_inside_of_the_trace() -> None:
    p = AccessPlayer(demo_session("matmul", n=4), "B", 10)
    p.time = 4
    assert p.time == 4
    p.time = 1000
    assert p.time == 9
    p.time = -3
    assert p.time == 0


def test_a_trace_that_was_made_before_is_played() -> None:
    t = trace(demo_session("matmul", n=4), "A")
    assert AccessPlayer(t).trace is t
    with pytest.raises(TewbError, match="has no session"):
        AccessPlayer(AccessTrace("A", "float32", (4,), (), True))


def test_the_player_stays_as_it_is_when_the_session_goes_on() -> None:
    session = demo_session("matmul", n=32)
    p = AccessPlayer(session, "B", 100)
    before = p._desk.look("data", {})
    session.apply({"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}})
    assert p._desk.look("data", {}) is before and p._desk.look("traced", {})["fresh"]


def test_the_player_leaves_html_for_a_notebook_without_kernel() -> None:
    bundle = AccessPlayer(demo_session("matmul", n=4), "B")._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "data:image/svg+xml;base64," in data["text/html"] and "cache" in data["text/html"]
    assert_survives(data["text/html"])
    assert data["text/plain"].startswith("B: 64 accesses")
