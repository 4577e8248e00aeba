"""Advice, as it is followed: a step is tried and stays because it is faster, and other factors are timed."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.bench import code, said, tab
from tests.browser.lab import Notebook
from tests.browser.test_accessibility import violations


def test_advice_is_tried_and_factors_are_swept(start: Notebook) -> None:
    page = start.page
    advice = tab(page, "Advice")
    proposals = advice.get_by_role("list", name="What to try next")
    expect(proposals).to_contain_text("register tile", timeout=60_000)
    expect(advice.get_by_role("status")).to_contain_text("of the roof of this machine")
    start.screenshot("advice-proposals")
    proposals.get_by_role("button", name="Try it").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tw-tabpanel:focus")).to_have_count(
        1
    )  # what was pressed is off, and nothing else is pressed
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("times as fast", timeout=120_000)
    expect(code(page)).to_contain_text("T.Broadcast(A[")
    sweep = advice.get_by_role("button", name="Try other factors and time them")
    expect(sweep).to_be_enabled()
    sweep.click()
    expect(advice.get_by_label("sweep")).to_be_visible()
    page.wait_for_timeout(4000)
    stop = advice.get_by_role("button", name="Stop")
    if stop.is_visible():  # on a fast machine all is tried by now
        stop.click()
    rows = advice.get_by_role("table").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("±", timeout=60_000)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        start.theme(theme)
        start.workbench()
        assert violations(page) == []
        start.screenshot(f"advice-{theme.split()[-1].lower()}")
    steps = code(page).inner_text()
    rows.nth(1).get_by_role("button", name="Take").click()
    expect(said(page)).to_contain_text("took")
    expect(code(page)).not_to_have_text(steps)
