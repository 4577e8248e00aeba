"""The workbench in a notebook: its look, its journal of another day, and what it leaves in the file."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import tewb
from tests.workbench.notebook.untrusted import assert_survives
from tewb.workbench.notebook import keeping
from tewb.workbench.notebook.workbench import Workbench

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}


def test_the_look_needs_no_kernel_and_no_trust() -> None:
    bench = tewb.demo("matmul", n=32)
    bench.session.apply(SPLIT)
    look = bench.look()
    assert "j.outer in 4" in look and "run the cell to work with it" in look and 'class="tw-look"' in look
    assert_survives(look)


def test_the_look_says_of_what_a_measurement_is() -> None:
    bench = tewb.demo("matmul", n=16)
    measured = bench.session.measure(repeat=1)
    bench._desk.measured = measured
    assert "before it was changed" not in bench.look() and "equals numpy" in bench.look()
    bench.session.apply(SPLIT)
    assert "before it was changed: ✓ result equals numpy" in bench.look()


def test_a_notebook_that_is_saved_has_the_look_of_now() -> None:
    shown: list[str] = []

    class Shown:
        def update(self, html: Any) -> None:
            shown.append(html.data)

    async def work() -> list[Any]:
        bench = tewb.demo("matmul", n=16)
        sent: list[Any] = []
        bench.send = lambda message, *_: sent.append(message)
        bench._shown = Shown()
        for _ in range(2):  # the second time there is nothing new
            bench._asked(None, {"kind": "saving"}, None)
        assert sent == [] and shown == []
        bench.session.apply(SPLIT)
        for _ in range(2):
            bench._asked(None, {"kind": "saving"}, None)
        return [m for m in sent if m["kind"] == "looked"]

    assert asyncio.run(work()) == [{"kind": "looked"}]
    assert len(shown) == 1 and "j.outer in 2" in shown[0]


def test_displaying_shows_the_look_and_then_the_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda thing, **keywords: shown.append((thing, keywords)))
    tewb.demo("matmul", n=32)._ipython_display_()
    (look, first), (bundle, second) = shown
    assert first == {"display_id": True} and "tw-look" in look.data
    assert "application/vnd.jupyter.widget-view+json" in bundle and second["raw"] is True


def test_a_workbench_takes_a_schedule_or_a_session() -> None:
    session = tewb.demo("matmul", n=8).session
    assert Workbench(session).session is session
    made = Workbench(session.schedule, session.args, name="product")
    assert made.session.name == "product" and made.session.schedule is session.schedule


def test_two_workbenches_on_one_schedule_agree() -> None:
    first = tewb.demo("matmul", n=32)
    second = Workbench(first.session.schedule, first.session.args)
    first.session.apply(SPLIT)
    assert second.journal == first.journal == [SPLIT]
    second.session.undo()
    assert first.journal == [] and first.session.can_undo


def test_later_code_is_followed() -> None:
    bench = tewb.demo("matmul", n=32)
    bench.session.schedule["C"].split("i", 4)
    bench.session.sync()
    assert [s["primitive"] for s in bench.journal] == ["split"]


def test_the_journal_is_there_again_another_day() -> None:
    bench = tewb.demo("matmul", n=32)
    tell(bench, in_notebook=True, record=None)
    bench.session.apply(SPLIT)
    kept = dict(bench.kept)
    assert kept["steps"] == 1
    again = tewb.demo("matmul", n=32)
    sent = sent_by(again)
    tell(again, in_notebook=True, record=kept)
    assert again.journal == [SPLIT] and again.program == bench.program
    assert {"kind": "restored", "steps": 1, "when": kept["when"]} in sent


def test_cells_that_run_at_once_after_it_have_the_steps_of_the_saved_notebook(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("IPython.display.display", lambda thing, **keywords: None)
    path = tmp_path / "a.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    bench = tewb.demo("matmul", n=32)
    tell(bench, in_notebook=True, record=None)
    bench.session.apply(SPLIT)
    kept = dict(bench.kept)
    path.write_text(json.dumps({"metadata": {"tewb": {"programs": {bench.program: kept}}}}))
    again = tewb.demo("matmul", n=32)
    sent = sent_by(again)
    again._ipython_display_()
    assert again.journal == [SPLIT]  # before the page has said what it finds
    tell(again, in_notebook=True, record=kept)
    assert again.journal == [SPLIT]
    assert {"kind": "restored", "steps": 1, "when": kept["when"]} in sent


def test_without_a_notebook_a_file_keeps_it(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/a/b.ipynb")
    bench = tewb.demo("matmul", n=32)
    tell(bench, in_notebook=False, record=None)
    bench.session.apply(SPLIT)
    again = tewb.demo("matmul", n=32)
    tell(again, in_notebook=False, record=None)
    assert again.journal == [SPLIT]
    other = tewb.demo("matmul", n=64)
    tell(other, in_notebook=False, record=None)
    assert other.journal == []


def test_what_does_not_apply_any_more_is_said_and_changes_nothing() -> None:
    bench = tewb.demo("matmul", n=32)
    sent = sent_by(bench)
    record = {"journal": '[{"primitive": "split", "stage": "Z", "args": {}}]', "steps": 1, "when": 0}
    tell(bench, in_notebook=True, record=record)
    assert bench.journal == []
    assert [m["kind"] for m in sent if m["kind"] != "states"] == ["failed"]


def test_what_was_kept_is_not_overwritten_before_it_is_read() -> None:
    bench = tewb.demo("matmul", n=32)
    bench.session.apply(SPLIT)
    assert bench.kept == {}
    tell(bench, in_notebook=True, record=None)
    bench.session.undo()
    assert bench.kept["steps"] == 0 and keeping.record_of(bench.session)["journal"] == bench.kept["journal"]


def tell(bench: Workbench, in_notebook: bool, record: Any) -> None:
    bench._asked(None, {"kind": "found", "in_notebook": in_notebook, "record": record}, None)


def sent_by(bench: Workbench) -> list[Any]:
    sent: list[Any] = []
    bench._desk.listen(sent.append)
    return sent
