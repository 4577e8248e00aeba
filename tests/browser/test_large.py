"""Programs of many stages with long names, and a page at 150 %: everything stays in view and can be told apart."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.bench import code, row, split, tab
from tests.browser.lab import Lab, opened
from tests.browser.test_tasks import cells

MANY = """
import tewb
from tewb import te
A = te.placeholder((64, 64), name="input_of_the_whole_network")
t = A
for k in range(24):
    t = te.compute((64, 64), lambda i, j, t=t: t[i, j] * 2.0 + 1.0, name=f"normalised_activation_of_layer_{k}_after_residual")
s = te.create_schedule(t.op)
tewb.Workbench(s, [A, t])
"""

FITS = "() => { const b = document.querySelector('.tw-workbench'); return b.scrollWidth - b.clientWidth; }"


def name(k: int) -> str:
    return f"normalised_activation_of_layer_{k}_after_residual"


def test_twenty_four_stages_with_long_names(page: Any, lab: Lab) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    notebook = opened(page, lab, cells(lab, "many", MANY))
    split(page, f"{name(20)}/i", 8)
    expect(row(page, f"{name(20)}/i.outer")).to_be_visible()
    expect(code(page)).to_contain_text("i.outer")
    shown = [page.evaluate("e => e.innerText", row(page, name(k)).element_handle()) for k in (7, 17)]
    assert (
        shown[0] != shown[1] and "7" in shown[0] and "17" in shown[1]
    )  # the part that differs is not cut away
    tab(page, "Graph")
    expect(page.locator(".tw-pane-graph svg").first).to_be_visible(timeout=20_000)
    page.keyboard.press("Control+z")
    expect(row(page, f"{name(20)}/i")).to_be_visible()
    assert page.evaluate(FITS) <= 2 and not errors
    notebook.screenshot("many-light")


def test_at_150_percent(page: Any, lab: Lab) -> None:
    page.set_viewport_size({"width": 853, "height": 480})  # 1280 x 720, enlarged
    notebook = opened(page, lab, "00-start.ipynb")
    bench = notebook.workbench()
    tab(page, "Loops")
    split(page, "C/j", 64)
    expect(code(page)).to_contain_text("for j.outer in range(8):")
    assert bench.bounding_box()["height"] <= 0.81 * 480 and page.evaluate(FITS) <= 2
    for pane in (".tw-pane-code", ".tw-pane-loops", ".tw-toolbar"):
        box = bench.locator(pane).first.bounding_box()
        assert box["width"] > 100 and box["height"] > 20
    notebook.screenshot("enlarged-light")
