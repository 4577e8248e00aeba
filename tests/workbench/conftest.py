"""What the tests of the workbench share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_loop_of_the_browsers() -> Iterator[None]:
    """Tests of real browsers leave Playwright's event loop in this thread for good; these have none, or their own."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)
