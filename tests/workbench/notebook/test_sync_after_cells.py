"""A session that follows the notebook."""

from __future__ import annotations

import gc
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import tewb
from tests.workbench.journal.sessions import recipes, session
from tewb.workbench.notebook.sync_after_cells import follow_cells


def test_follow_cells_syncs_after_each_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    callbacks: list[Any] = []
    events = SimpleNamespace(
        callbacks={"post_run_cell": callbacks},
        register=lambda name, f: callbacks.append(f),
        unregister=lambda name, f: callbacks.remove(f),
    )
    shell = SimpleNamespace(events=events)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    s = session()
    schedule = s.schedule
    told: list[int] = []
    s.on_change(lambda: told.append(len(schedule.journal)))
    stop = follow_cells(s)
    s.schedule["C"].split("i", 8)
    callbacks[0](None)
    callbacks[0](None)
    assert told == [1]
    stop()
    stop()
    assert callbacks == []
    follow_cells(s)
    del s
    gc.collect()
    callbacks[0](None)
    assert callbacks == []
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    follow_cells(session())()


def test_a_cell_that_defines_a_recipe_changes_what_can_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    callbacks: list[Any] = []
    events = SimpleNamespace(
        callbacks={"post_run_cell": callbacks}, register=lambda name, f: callbacks.append(f)
    )
    shell = SimpleNamespace(events=events)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    with recipes():
        s = session()
        told: list[int] = []
        s.on_change(lambda: told.append(1))
        follow_cells(s)
        callbacks[0](None)
        assert told == []

        @tewb.recipe
        def rows(s: Any, C: Any) -> None:
            s[C].split("i", 4)

        callbacks[0](None)
        callbacks[0](None)
        assert told == [1]


def test_outside_of_a_notebook_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    follow_cells(session())()
