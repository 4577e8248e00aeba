"""The file of trials: what is wrong with one is said in words, and no file of others is touched."""

from __future__ import annotations

import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import tewb
from tests.tuning.test_subject import session
from tewb.base import ArgumentError, TewbError, TewbWarning
from tewb.tuning import Trial, database, tune
from tewb.tuning.database import DatabaseError, checked_path, in_words
from tewb.tuning.study import Study


def search(file: Any, **more: Any) -> Any:
    return tune(session(), {"1.factor": [2, 4]}, database=file, repeat=1, workers=0, **more)


def changed(file: Path, *statements: str) -> None:
    """A file of trials in which somebody changed something."""
    Study("name", file, 0)
    with sqlite3.connect(file) as c:
        for s in statements:
            c.execute(s)
    c.close()


def text(file: Path) -> None:
    file.write_text("something of mine")


def damaged(file: Path) -> None:
    Study("name", file, 0)
    file.write_bytes(file.read_bytes()[:5000])


def of_another_program(file: Path) -> None:
    with sqlite3.connect(file) as c:
        c.execute("create table mine (x)")
    c.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (text, "trials.db is no database of trials, and stays as it is"),
        (damaged, "the trials in .*trials.db: the file is damaged"),
        (of_another_program, "trials.db is no database of trials, and stays as it is"),
        (lambda f: changed(f, "update alembic_version set version_num = 'x'"), "another version of Optuna"),
        (lambda f: changed(f, "alter table trials rename column number to n"), "tables that are not those"),
        (lambda f: f.mkdir(), "is a folder"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, make: Any, message: str) -> None:
    file = tmp_path / "trials.db"
    make(file)
    before = file.read_bytes() if file.is_file() else b""
    with pytest.raises(TewbError, match=message) as e:
        search(file)
    assert e.value.hint and "test_database.py" in str(e.value)
    if make in (text, of_another_program):
        assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "database: 3 is no name of a file"),
        ("", "is no name of a file"),
        (":memory:", "is no name of a file"),
        ("sqlite:///trials.db", "is no name of a file"),
        ("/nowhere/at/all/trials.db", "there is no folder /nowhere/at/all for trials.db"),
    ],
)
def test_what_is_no_file(given: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        checked_path(given)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("attempt to write a readonly database", "the file cannot be written"),
        ("unable to open database file", "the file cannot be opened and written"),
        ("database or disk is full", "the disk is full"),
        ("something else", "OperationalError: something else"),
    ],
)
def test_what_sqlite_says_is_said_in_words(said: str, words: str) -> None:
    with pytest.raises(DatabaseError, match=words), in_words(Path("trials.db")):
        raise sqlite3.OperationalError(said)
    with pytest.raises(sqlite3.OperationalError), in_words(None):
        raise sqlite3.OperationalError(said)


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    file = tmp_path / "a ?x=1#%41 {b} é.db"
    search(file)
    assert [f.name for f in tmp_path.iterdir()] == [file.name]


def test_a_file_that_another_program_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the beginning: nothing is searched. In the middle: what was found is returned."""
    monkeypatch.setattr(database, "WAIT", 0.01)
    file = tmp_path / "trials.db"
    Study("name", file, 0)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin exclusive")
    with pytest.raises(DatabaseError, match="another program has held the file for more than"):
        search(file)
    other.execute("rollback")

    def hold(trial: Trial, result: Any) -> None:
        other.execute("begin exclusive")

    with pytest.warns(TewbWarning, match="the search ended early. .* another program has held the file"):
        found = search(file, progress=hold)
    assert found.was_stopped and [t.state for t in found.trials][:1] == ["timed"]
    assert tewb.build(*found.schedule) is not None
    other.close()


def test_several_searches_make_a_file_at_once(tmp_path: Path) -> None:
    together, names = threading.Barrier(3), list[str]()

    def begin() -> None:
        together.wait()
        names.append(Study("name", tmp_path / "trials.db", 0)._study.study_name)

    every = [threading.Thread(target=begin) for _ in range(3)]
    for t in every:
        t.start()
    for t in every:
        t.join()
    assert names == ["name"] * 3


def test_without_what_optuna_needs_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy.pool", None)
    with pytest.raises(DatabaseError, match="what Optuna needs for files is not installed") as e:
        Study("name", tmp_path / "trials.db", 0)
    assert "pip install 'tewb[tune]'" in str(e.value)


def test_without_optuna_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(TewbError, match="searching needs Optuna") as e:
        database.load_optuna()
    assert "pip install 'tewb[tune]'" in str(e.value)
