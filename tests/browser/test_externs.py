"""The chapters on externs, with the workbench live in them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Lab, Notebook, opened
from tests.browser.test_workbench import apply, choose, ir, press, said, tab


@pytest.fixture
def tiled(page: Any, lab: Lab) -> Notebook:
    return opened(page, lab, "03-tiled-extern.ipynb")


def test_the_tile_of_an_extern_follows_the_schedule(tiled: Notebook) -> None:
    bench: Any = tiled.page.locator(".tw-bench").first
    tab(bench, "Memory")
    allocations, regions = bench.locator(".tw-panel-allocations"), bench.locator(".tw-panel-regions")
    expect(allocations).to_contain_text("(1, 4, 8)")
    expect(allocations).to_contain_text("128 B")
    expect(regions).to_contain_text("A.tile[1, 4, 8] at i * 32")
    tiled.screenshot("extern-tile-light")
    choose(bench, "stage", "E")
    apply(bench, "compute_root")
    expect(allocations).to_contain_text("(3, 4, 8)")
    expect(allocations).to_contain_text("384 B")
    apply(bench, "split", "d1", factor="2")
    expect(ir(bench)).to_contain_text("for d1.outer in range(2):")
    expect(regions).to_contain_text("E.tile[3, 2, 8] at d1.outer * 16")
    apply(bench, "vectorize", "d1.outer")
    expect(said(bench)).to_contain_text("calls cannot become lanes")
    press(bench, "measure")
    expect(bench.locator(".tw-panel-times")).to_contain_text("✓ result equals numpy's", timeout=90_000)
    tiled.screenshot("extern-split-light")
    tiled.theme("JupyterLab Dark")
    bench.scroll_into_view_if_needed()
    tiled.screenshot("extern-split-dark")


def test_compute_hybrid_and_extern_in_one_workbench(page: Any, lab: Lab) -> None:
    notebook = Notebook(page, lab, "02-extern-or-hybrid.ipynb")
    if page.locator("body[data-jp-theme-light=false]").count():
        notebook.theme("JupyterLab Light")
    notebook.run_all()
    notebook.idle()
    bench: Any = notebook.workbench()
    expect(bench.locator(".tw-panel-loops")).to_contain_text("lift")
    tab(bench, "Memory")
    expect(bench.locator(".tw-panel-regions")).to_contain_text("E[2, 8]")
    choose(bench, "stage", "lift")
    apply(bench, "vectorize", "j")
    expect(ir(bench)).to_contain_text("lift[i, 0:8]")
    press(bench, "measure")
    expect(bench.locator(".tw-panel-times")).to_contain_text("✓ result equals numpy's", timeout=90_000)
    notebook.screenshot("hybrid-extern-light")
