"""What a notebook shows of an error: its message and the user's own lines, marked."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

from tewb.base import ScheduleError, Span, TewbError, render_with
from tewb.base.traceback import compact, render, user_lines

CELL = "x = 1\nfail()\n\ndef deep(n):\n    fail() if n == 0 else deep(n - 1)\n"


def error_in(source: str, name: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> BaseException:
    """`error` as it comes out of running `source`, a file called `name`, where it is raised by a line of tewb."""

    def fail() -> None:
        raise error

    fail.__code__ = fail.__code__.replace(co_filename=TewbError.__init__.__code__.co_filename)
    monkeypatch.setitem(linecache.cache, name, (len(source), None, source.splitlines(True), name))
    with pytest.raises(type(error)) as e:
        exec(compile(source, name, "exec"), {"fail": fail})
    e.value.__traceback__ = (e.tb or pytest.fail("no traceback")).tb_next  # without this function
    return e.value


def test_the_users_line_is_marked_and_the_one_before_it_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ScheduleError("no", hint="try it otherwise", span=Span("mine.py", 2))
    assert compact(error_in(CELL, "mine.py", error, monkeypatch), error.span) == [
        "ScheduleError: no\n  hint: try it otherwise",
        "",
        "mine.py, line 2",
        "      1 | x = 1",
        "----> 2 | fail()",
    ]


def test_a_place_outside_of_the_traceback_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = compact(error_in("fail()", "mine.py", TewbError("no"), monkeypatch), Span("other.py", 9))
    assert shown == ["TewbError: no", "", "mine.py, line 1", "----> 1 | fail()", "", "other.py, line 9"]


def test_of_many_lines_the_first_and_the_innermost_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    error = error_in(
        CELL.replace("fail()\n\n", "\n\n") + "deep(9)\n", "mine.py", TewbError("no"), monkeypatch
    )
    places = [line for line in compact(error) if line.startswith("mine.py")]
    assert places == ["mine.py, line 6", "mine.py, line 5", "mine.py, line 5"]
    assert len(user_lines(error.__traceback__)) == 11


@pytest.mark.parametrize("name", ["/lib/IPython/core.py", "/lib/ipykernel/app.py", "<frozen runpy>"])
def test_machinery_is_not_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compact(error_in("fail()", name, TewbError("no"), monkeypatch)) == ["TewbError: no"]


def test_the_call_into_which_a_magic_turned_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "get_ipython().run_line_magic() if False else fail()"
    assert compact(error_in(source, "mine.py", TewbError("no"), monkeypatch)) == ["TewbError: no"]


def test_the_cause_is_told_once() -> None:
    error = TewbError("no")
    error.__cause__ = KeyError("k")
    assert compact(error) == ["TewbError: no", "", "because of KeyError: 'k'"]
    error = TewbError("no 'k'")
    error.__cause__ = KeyError("k")
    assert compact(error) == ["TewbError: no 'k'"]


def test_another_form_can_be_chosen() -> None:
    error: Any = TewbError("no")
    render_with(lambda e: [f"mine: {e}"])
    assert render(error, None) == error._render_traceback_() == ["mine: no"]
    render_with(None)
    assert render(error, None) == ["TewbError: no"]
