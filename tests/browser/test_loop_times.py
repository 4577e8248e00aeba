"""Times of loops on the tree and on the code, measured by a button, a key, and stopped."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.bench import press, row, said, split
from tests.browser.lab import Notebook
from tests.browser.test_accessibility import violations


def test_loops_are_timed_and_times_grow_old(start: Notebook) -> None:
    page = start.page
    split(page, "C/i", 8)
    expect(said(page)).to_contain_text("split")
    press(page, "Measure the loops")
    expect(page.get_by_label("Cost that is shown").first).to_have_value("seconds")
    expect(said(page)).to_contain_text("a call; with", timeout=90_000)
    heat = row(page, "C/i.outer").locator(".tw-heat")
    expect(heat).to_contain_text(re.compile(r"\d (s|ms|µs)"))
    expect(heat).to_have_attribute("title", re.compile("of the kernel"))
    hot = page.locator(".tw-workbench .tw-pane-code .cm-line.tw-hot").first
    expect(hot).to_have_attribute("title", re.compile("of the kernel"))
    note = page.locator(".tw-workbench .tw-times-note").first
    expect(note).to_contain_text("they themselves take about")
    start.screenshot("loop-times-light")
    assert violations(page) == []
    row(page, "C/j").click()
    page.keyboard.press("u")
    expect(note).to_contain_text("as of step 1: ")
    start.theme("JupyterLab Dark")
    start.screenshot("loop-times-dark")
    assert violations(page) == []
    page.keyboard.press("Control+k")
    page.keyboard.type("measure the loops")
    page.keyboard.press("Enter")
    expect(note).not_to_contain_text("as of step", timeout=90_000)
