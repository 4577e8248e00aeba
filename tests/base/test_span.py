"""Spans: the nearest line that is the user's, and how it is written."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tewb.base import Span, any_depth, here


def test_here_is_the_line_of_the_call() -> None:
    place = here()
    assert place == Span(__file__, test_here_is_the_line_of_the_call.__code__.co_firstlineno + 1)


def test_lines_of_tewb_are_passed_over() -> None:
    place = any_depth(here)()  # called by a function of tewb
    assert place is not None and place.file == __file__


def test_a_stack_without_a_line_of_the_users_goes_on_where_its_thread_was_started() -> None:
    ours: dict[str, Any] = {"here": here}
    source = "def f(n): return here() if n == 0 else f(n - 1)"
    exec(compile(source, sys.modules["tewb"].__file__ or "", "exec"), ours)
    assert any_depth(ours["f"])(5000) == here()


def test_what_is_ours() -> None:
    assert Span(sys.modules["tewb"].__file__ or "", 1).is_ours and Span("<frozen runpy>", 1).is_ours
    assert not Span(__file__, 1).is_ours and not Span("/home/me/tewb_of_mine.py", 1).is_ours


def test_files_and_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(Span("/home/me/a.py", 3)) == "/home/me/a.py, line 3"
    shell = SimpleNamespace(compile=SimpleNamespace(_filename_map={"/tmp/cell.py": 6, "/tmp/no.py": "x"}))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    assert str(Span("/tmp/cell.py", 4)) == "cell 6, line 4"
    assert str(Span("/tmp/no.py", 4)) == "/tmp/no.py, line 4"
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))  # type: ignore[arg-type]
    assert str(Span("/tmp/cell.py", 4)) == "/tmp/cell.py, line 4"
