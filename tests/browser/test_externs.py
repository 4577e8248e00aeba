"""The chapters on externs, with the workbench live in them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.bench import apply, code, measure, row, said, split, tab
from tests.browser.lab import Lab, Notebook, opened


@pytest.fixture
def tiled(page: Any, lab: Lab) -> Notebook:
    return opened(page, lab, "03-tiled-extern.ipynb")


def test_the_tile_of_an_extern_follows_the_schedule(tiled: Notebook) -> None:
    page = tiled.page
    memory = tab(page, "Memory")
    expect(row(page, "E")).to_contain_text("128 B, of 384 B")
    expect(memory).to_contain_text("E touches")
    expect(memory).to_contain_text("3 calls")
    expect(memory).to_contain_text("A[i : +1, 0 : +4, 0 : +8]")
    tiled.screenshot("extern-tile-light")
    row(page, "E").click()
    apply(page, "compute_root")
    expect(row(page, "E")).to_contain_text("384 B")
    expect(memory).to_contain_text("1 call")
    split(page, "E/d1", 2)
    expect(code(page)).to_contain_text("for d1.outer in range(2):")
    row(page, "E/d1.outer").click()
    page.keyboard.press("v")
    expect(said(page)).to_contain_text("calls cannot become lanes")
    measure(page)
    tiled.screenshot("extern-split-light")
    tiled.theme("JupyterLab Dark")
    tiled.workbench()
    tiled.screenshot("extern-split-dark")


def test_compute_hybrid_and_extern_in_one_workbench(page: Any, lab: Lab) -> None:
    notebook = Notebook(page, lab, "02-extern-or-hybrid.ipynb")
    if page.locator("body[data-jp-theme-light=false]").count():
        notebook.theme("JupyterLab Light")
    notebook.run_all()
    notebook.idle()
    notebook.workbench()
    expect(row(page, "lift")).to_be_visible()
    row(page, "lift/j").click()
    page.keyboard.press("v")
    expect(code(page)).to_contain_text("lift[i, 0:8]")
    measure(page)
    notebook.screenshot("hybrid-extern-light")
