"""What the tests of the workbench share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that is given up after some seconds has enough of them, whatever else the machine does."""
    monkeypatch.setattr("tewb.workbench.desk.CHECK_LIMIT", 200.0)
    monkeypatch.setattr("tewb.workbench.trace.data_trace.SECONDS", 200.0)


@pytest.fixture(autouse=True)
def _no_loop_of_the_browsers() -> Iterator[None]:
    """Tests of real browsers leave Playwright's event loop in this thread for good; these have none, or their own."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


@pytest.fixture(autouse=True)
def _no_trials_of_this_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Searches are kept in a folder of the tests."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "share"))
