"""The workbench outside of JupyterLab: Notebook 7 and Voila."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.bench import apply, code, press, row, said, split
from tests.browser.lab import READY, ROOT, SCREENSHOTS, Server

TOKEN = "tewb-elsewhere"


@pytest.fixture
def notebook7(browser: Any, tmp_path: Path) -> Iterator[Server]:
    shutil.copytree(ROOT / "notebooks", tmp_path / "work")
    server = Server(
        tmp_path,
        ["notebook", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port={port}", "--ServerApp.port_retries=0", "--expose-app-in-browser",
         f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={tmp_path / 'work'}"],
    )  # fmt: skip
    server.wait(f"/api?token={TOKEN}")
    yield server
    server.stop()


@pytest.fixture
def voila(browser: Any, tmp_path: Path) -> Iterator[Server]:
    server = Server(
        tmp_path,
        [
            "voila",
            str(ROOT / "notebooks" / "00-start.ipynb"),
            "--no-browser",
            "--port={port}",
            "--Voila.ip=127.0.0.1",
        ],
    )
    yield server
    server.stop()


def use(page: Any, name: str) -> None:
    """Split a loop, take it back, and be refused: the workbench as it is anywhere."""
    page.locator(".tw-workbench .cm-line").first.wait_for(timeout=90_000)
    split(page, "C/i", 32)
    expect(code(page)).to_contain_text("for i.outer in range(16):")
    expect(row(page, "C/i.inner")).to_be_visible()
    press(page, "Undo")
    expect(code(page)).to_contain_text("for i in range(512):")
    row(page, "C/k").click()
    apply(page, "parallel")
    expect(said(page)).to_contain_text("k is a reduce axis")
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_notebook_7(page: Any, notebook7: Server) -> None:
    page.goto(f"http://127.0.0.1:{notebook7.port}/notebooks/00-start.ipynb?token={TOKEN}")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.evaluate(READY)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    use(page, "notebook7-light")


def test_voila(page: Any, voila: Server) -> None:
    voila.wait("/")
    page.goto(f"http://127.0.0.1:{voila.port}/")
    use(page, "voila-light")
