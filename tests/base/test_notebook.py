"""The shell of a notebook, which need not be there."""

from __future__ import annotations

import sys
import types

import pytest

from tewb.base import notebook_shell


def test_without_ipython_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert notebook_shell() is None
    assert "IPython" not in sys.modules


def test_while_another_thread_loads_ipython_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    assert notebook_shell() is None


def test_inside_of_ipython_it_is_the_one_that_runs_the_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    ipython, shell = types.ModuleType("IPython"), object()
    ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert notebook_shell() is shell
