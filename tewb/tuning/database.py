"""The file in which the trials of searches are kept: an SQLite database that Optuna writes.

Several searches may share it. What is wrong with a file (another program's, damaged, of another version, not to be
written, in use for too long) is said in words that name it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import time
import warnings
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path
from typing import Any

from tewb.base import ArgumentError, TewbError, brief, here

WAIT = 30.0  # seconds for which others may hold the file
TRIES = 4
BEGINS = b"SQLite format 3\0"
ANOTHER = 'give another file, database="trials.db"'


class DatabaseError(TewbError):
    """The file of trials cannot be read or written."""


def load_optuna() -> Any:
    """The module optuna. Raises TewbError where it is not installed."""
    try:
        import optuna
    except ImportError as e:
        raise TewbError(
            "searching needs Optuna, which is not installed", hint="pip install 'tewb[tune]'", span=here()
        ) from e
    return optuna


def has_optuna() -> bool:
    """Whether Optuna is installed, which takes a while to load."""
    return util.find_spec("optuna") is not None


def optuna_version() -> str:
    """The version of Optuna, whose files others may not read; "" where it is not installed."""
    try:
        return metadata.version("optuna")
    except metadata.PackageNotFoundError:
        return ""


def checked_path(database: Any) -> Path | None:
    """The file of trials that a user named; None for none. Raises ArgumentError for what is no file that could be one."""
    if database is None:
        return None
    if (
        not isinstance(database, str | os.PathLike)
        or not str(database)
        or "://" in str(database)
        or database == ":memory:"
    ):
        raise ArgumentError(
            f"database: {brief(repr(database))} is no name of a file",
            hint='database="trials.db": a file, which is made if need be; without it trials are kept in memory',
            span=here(),
        )
    path = Path(database)
    if path.is_dir():
        raise ArgumentError(
            f"database: {path} is a folder", hint=f'database="{path / "trials.db"}"', span=here()
        )
    if not path.parent.is_dir():
        raise ArgumentError(
            f"database: there is no folder {path.parent} for {path.name}", hint="make it first", span=here()
        )
    with in_words(path):
        if path.exists() and not is_database(path):
            raise DatabaseError(
                f"{path} is no database of trials, and stays as it is", hint=ANOTHER, span=here()
            )
    return path


def is_database(path: Path) -> bool:
    """Whether a file is a database of trials, or empty. Raises what SQLite and the system raise."""
    if not begins_as_database(path):
        return False
    if not path.stat().st_size:
        return True
    with contextlib.closing(_connection(path, "ro")) as c:
        tables = {name for (name,) in c.execute("select name from sqlite_master where type = 'table'")}
    return not tables or "studies" in tables


def begins_as_database(path: Path) -> bool:
    """Whether a file begins as SQLite's do, or is empty."""
    with path.open("rb") as f:
        return f.read(len(BEGINS)) in (b"", BEGINS)


def _connection(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, timeout=WAIT, check_same_thread=False, uri=True)


def storage_in(path: Path, is_read_only: bool = False) -> Any:
    """Optuna's storage in a file, which is made if need be unless it is only to be read. Raises what they raise."""
    optuna = load_optuna()
    from sqlalchemy.pool import NullPool

    mode = "ro" if is_read_only else "rwc"
    kept = {"creator": lambda: _connection(path, mode), "poolclass": NullPool}
    for attempt in itertools.count(1):
        try:  # not by an address, in which names of files mean other things
            return optuna.storages.RDBStorage("sqlite://", kept, skip_table_creation=is_read_only)
        except Exception as e:  # who begins at the same moment makes the same tables
            if attempt > TRIES or not any(word in str(e) for word in ("already exists", "UNIQUE")):
                raise
            time.sleep(0.1 * attempt)


class in_words:
    """What Optuna and SQLite raise about a file is raised as DatabaseError; without a file they have nothing to say."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, e: BaseException | None, __: object) -> None:
        if self._path is not None and isinstance(e, Exception) and not isinstance(e, TewbError):
            what, hint = _words(e)
            raise DatabaseError(f"the trials in {self._path}: {what}", hint=hint, span=here()) from e


def _words(e: BaseException) -> tuple[str, str]:
    """What is wrong with a file, and what to do."""
    said, cause = f"{type(e).__name__}: {e}", e.__cause__ or e.__context__
    while cause is not None:
        said, cause = f"{said}\n{cause}", cause.__cause__ or cause.__context__
    known = [
        ("ModuleNotFoundError", "what Optuna needs for files is not installed", "pip install 'tewb[tune]'"),
        ("JSON serializable", "a knob has a value that no file can keep", "let knobs be numbers, words or tuples of them"),
        ("locked", f"another program has held the file for more than {WAIT:g} s", "wait until it has ended, or give another file"),
        ("readonly", "the file cannot be written", "make it writable, or give a copy of it"),
        ("unable to open", "the file cannot be opened and written", "make it and its folder writable, or give a copy of it"),
        ("Permission denied", "the file may not be read", "make it readable, or give another file"),
        ("disk is full", "the disk is full", "make room; all that was written before is kept"),
        ("malformed", "the file is damaged", f"sqlite3 may save what is in it, by .recover; or {ANOTHER}"),
        ("not a database", "the file is damaged, or is no database", ANOTHER),
        ("runtime optuna version", f"another version of Optuna wrote them ({optuna_version()} is installed)", f"install that version, or {ANOTHER}"),
        ("no such", "the file has tables that are not those of trials", ANOTHER),
    ]  # fmt: skip
    found = next(((what, hint) for sign, what, hint in known if sign in said), None)
    return found or (brief(said.splitlines()[0]), ANOTHER)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without Optuna's words about itself."""
    optuna = load_optuna()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(before)
