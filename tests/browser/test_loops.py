"""The loop tree by mouse and keyboard."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.lab import Notebook
from tests.browser.test_workbench import ir, said


def row(page: Any, key: str) -> Any:
    return page.locator(f'.tw-bench [role=treeitem][data-key="{key}"]').first


def test_loops_are_scheduled_by_keys(start: Notebook) -> None:
    page = start.page
    row(page, "C/i").click()
    page.keyboard.press("s")
    field = page.locator(".tw-factor")
    field.fill("8")
    field.press("Enter")
    expect(ir(page)).to_contain_text("for i.outer in range(64):")
    row(page, "C/j").click()
    expect(page.locator(".tw-loop select").first).to_have_value("j")  # the choosers follow
    page.keyboard.press("s")
    page.locator(".tw-factor").fill("16")
    page.locator(".tw-factor").press("Enter")
    expect(row(page, "C/j.inner")).to_be_visible()
    row(page, "C/j.inner").click()
    page.keyboard.press("v")
    expect(row(page, "C/j.inner")).to_contain_text("vectorize")
    row(page, "C/k").click()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".tw-panel-journal")).to_contain_text("reorder")
    page.keyboard.press("p")
    expect(said(page)).to_contain_text("k is a reduce axis")
    page.keyboard.press("t")
    expect(said(page)).to_contain_text("transpose on stage C: k is a reduce axis")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    expect(row(page, "C/")).to_be_focused()
    start.screenshot("loops-keys-light")


def test_loops_are_dragged(start: Notebook) -> None:
    page = start.page
    row(page, "C/k").drag_to(row(page, "C/i"))
    expect(page.locator(".tw-panel-journal")).to_contain_text("reorder")
    text = page.locator(".tw-panel-loops").first.inner_text()
    assert text.index("k in") < text.index("i in") < text.index("j in")
    row(page, "C/j").click()
    expect(row(page, "C/j")).to_have_attribute("aria-selected", "true")
