"""What is kept belongs to one program, and comes back only where it fits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.workbench.journal.sessions import recipes
from tewb.base import TewbError
from tewb.schedule import RECIPES
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook.keeping import (
    kept_file,
    read_kept,
    record_of,
    restore,
    saved_in_notebook,
    write_kept,
)

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}
FUSE = {"primitive": "fuse", "stage": "C", "args": {"axes": ["i", "j"]}}


def test_steps_come_back() -> None:
    a, b = demo_session("matmul", n=32), demo_session("matmul", n=32)
    a.apply(SPLIT)
    a.label_step(1, note="why not")
    assert restore(b, record_of(a)) == 1
    assert b.journal == a.journal and b.journal[0].note == "why not"


def test_steps_of_the_notebooks_own_code_are_kept_and_the_rest_is_added() -> None:
    a, b = demo_session("matmul", n=32), demo_session("matmul", n=32)
    a.apply(SPLIT)
    b.apply(SPLIT)
    a.apply({"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}})
    assert restore(b, record_of(a)) == 1 and len(b.journal) == 2


def test_other_steps_of_the_notebooks_own_code_win() -> None:
    a, b = demo_session("matmul", n=32), demo_session("matmul", n=32)
    a.apply(SPLIT)
    b.apply(FUSE)
    assert restore(b, record_of(a)) == 0 and [s.primitive for s in b.journal] == ["fuse"]


@pytest.mark.parametrize("record", [{}, {"journal": "{"}, {"journal": "[3"}, {"journal": None}])
def test_what_is_no_journal_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(TewbError, match="is no journal"):
        restore(demo_session("matmul", n=8), record)


def test_a_file_keeps_a_record_for_one_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("JPY_SESSION_NAME", "/a.ipynb")
    assert read_kept("p") is None
    assert write_kept("p", {"journal": "[]", "steps": 0, "when": 1})
    assert read_kept("p") == {"journal": "[]", "steps": 0, "when": 1} and read_kept("q") is None
    path = kept_file("p")
    assert path is not None and path.is_relative_to(tmp_path)
    path.write_text("not JSON")
    assert read_kept("p") is None
    monkeypatch.setenv("JPY_SESSION_NAME", "/b.ipynb")
    assert read_kept("p") is None


def test_without_a_notebook_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert kept_file("p") is None and not write_kept("p", {}) and read_kept("p") is None


def test_recipes_are_kept_with_their_texts() -> None:
    with recipes():
        s = demo_session("matmul", n=32)
        s.load("C:tile(i,j,8,16);C:vectorize(j.inner)")
        s.make_recipe("tiled", 1, 2)
        record = record_of(s)
        RECIPES.pop("tiled")
        t = demo_session("matmul", n=32)
        assert restore(t, record) == 2 and [str(r.call) for r in t.runs] == [str(r.call) for r in s.runs]
        assert t.schedule_code == s.schedule_code


def test_the_saved_notebook_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    assert saved_in_notebook("p") is None
    record = {"journal": "[]", "steps": 0, "when": 1}
    path.write_text(json.dumps({"metadata": {"tewb": {"programs": {"p": record}}}}))
    assert saved_in_notebook("p") == record and saved_in_notebook("q") is None
    path.write_text("not JSON")
    assert saved_in_notebook("p") is None
    monkeypatch.delenv("JPY_SESSION_NAME")
    assert saved_in_notebook("p") is None
