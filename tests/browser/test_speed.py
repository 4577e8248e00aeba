"""Why this fast: the sentence and the table behind it, in the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.bench import row, tab
from tests.browser.lab import Notebook
from tests.browser.test_accessibility import violations


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_sentence_comes_first_and_the_table_stands_behind_it(start: Notebook, theme: str) -> None:
    page = start.page
    start.theme(theme)
    pane = tab(page, "Speed")
    sentence = pane.locator(".tw-speed-sentence")
    expect(sentence).to_contain_text("The inner loop C.k ", timeout=60_000)
    table = pane.locator("details").first
    expect(table).to_contain_text("instructions")
    expect(table.locator(".tw-rules").first).to_be_visible()
    expect(pane).not_to_contain_text("is being measured", timeout=90_000)
    expect(table).to_contain_text("Lines of 64 bytes")
    table.get_by_role("button", name="select C.k").click()
    expect(row(page, "C/k")).to_have_attribute("aria-selected", "true")
    words = pane.locator("details").last
    words.locator("summary").click()
    expect(words).to_contain_text(
        "latency chain: Operations of which each needs the result of the one before"
    )
    page.get_by_label("Cost that is shown").select_option("time (predicted)")
    expect(row(page, "C/k").locator(".tw-heat")).to_contain_text("predicted")
    expect(page.locator(".tw-times-note")).to_contain_text("C.k takes")
    assert violations(page) == []
    start.screenshot(f"speed-{theme.split()[-1].lower()}")
