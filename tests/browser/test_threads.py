"""The pane of threads: what could be parallel, a measurement as a timeline, by mouse and by keys."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.bench import press, row, said, split, tab
from tests.browser.lab import Notebook
from tests.browser.test_accessibility import violations


def measured(page: Any) -> Any:
    """Measure the threads; returns the pane when the timeline is there."""
    pane = tab(page, "Threads")
    pane.get_by_role("button", name="Measure the threads").click()
    expect(pane.get_by_role("listbox")).to_be_visible(timeout=60_000)
    return pane


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_threads_are_measured_and_the_timeline_is_walked(start: Notebook, theme: str) -> None:
    page = start.page
    start.theme(theme)
    start.workbench()
    pane = tab(page, "Threads")
    expect(pane).to_contain_text("No loop is parallel, so one thread does all.")
    expect(pane.get_by_role("button", name="parallel(C, axis=k)")).to_have_count(0)
    start.screenshot(f"threads-none-{theme.split()[-1]}")
    pane.get_by_role("button", name="parallel(C, axis=i)").click()
    expect(row(page, "C/i")).to_contain_text("parallel")
    pane = measured(page)
    expect(pane).to_contain_text(re.compile(r"threads? (were busy|ran all)"))
    expect(said(page)).to_contain_text(re.compile(r"threads? (were busy|ran all)"))
    bars = pane.get_by_role("option")
    bars.nth(1).hover()
    expect(pane.locator("[aria-live]")).to_contain_text(re.compile(r"thread \d: .* of C\.i"))
    box = pane.get_by_role("listbox")
    box.focus()
    page.keyboard.press("Home")
    first = pane.locator("[role=option][aria-selected=true]")
    expect(first).to_have_attribute("title", re.compile(r"thread \d+: .*iteration"))
    before = first.get_attribute("id")
    page.keyboard.press("ArrowRight")
    expect(first).not_to_have_attribute("id", str(before))
    page.keyboard.press("Enter")
    assert violations(page) == []
    start.screenshot(f"threads-{theme.split()[-1]}")
    split(page, "C/j", 16)
    expect(pane).to_contain_text("As of 1 step; the schedule is another one now.")
    assert violations(page) == []
    start.screenshot(f"threads-stale-{theme.split()[-1]}")
    press(page, "Undo")
    expect(pane).not_to_contain_text("the schedule is another one now")


def test_the_palette_measures_and_shows_the_threads(start: Notebook) -> None:
    page = start.page
    row(page, "C/i").click()
    page.keyboard.press("p")
    expect(row(page, "C/i")).to_contain_text("parallel")
    page.keyboard.press("Control+k")
    page.keyboard.type("measure the thr")
    page.keyboard.press("Enter")
    pane = page.locator(".tw-workbench").first.get_by_role("tabpanel", name="Threads", exact=True)
    expect(pane.get_by_role("listbox")).to_be_visible(timeout=60_000)
    expect(pane).to_contain_text("C.i: 512 iterations in")
