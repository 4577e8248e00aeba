"""One server and one browser for all browser tests, in one process (`tests/conftest.py`); a fresh page for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import CHROMIUM_FLAGS, Lab, Notebook, find_chromium, opened

# A few minutes pass in the others: `pytest -m ""` runs them.
QUICK = {"test_a_students_first_minute"}


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.name not in QUICK:
        item.add_marker("slow")


def _missing() -> str | None:
    if find_chromium() is None:
        return "no Chromium on this machine: the browser tests need one (Debian: apt-get install chromium)"
    try:
        import jupyterlab  # noqa: F401
        import playwright  # noqa: F401
    except ImportError as e:
        return f"the browser tests need {e.name}: pip install 'tewb[test]'"
    return None


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    missing = _missing()
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # what must come does, also where the cores are shared with other work
    with sync_playwright() as p:
        made = p.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield made
        made.close()


@pytest.fixture(scope="session")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(Path(tmp_path_factory.mktemp("lab")))
    yield made
    made.stop()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1500, "height": 1700})
    made = context.new_page()
    made.set_default_timeout(60_000)
    yield made
    context.close()


@pytest.fixture
def start(page: Any, lab: Lab) -> Notebook:
    """The start notebook as far as its workbench, opened cold and run."""
    return opened(page, lab, lab.write_start())
