"""axe-core finds nothing to complain about in the workbench."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.bench import apply, row, said, split, tab
from tests.browser.lab import Notebook


def violations(page: Any) -> list[str]:
    """What axe-core finds in the workbench itself (JupyterLab around it is not ours)."""
    found = Axe().run(page, context=".tw-workbench").response
    assert len(found["passes"]) > 10  # it looked
    return [
        f"{v['id']}: {v['help']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found["violations"]
    ]


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_no_violations(start: Notebook, theme: str) -> None:
    page = start.page
    start.theme(theme)
    start.workbench()
    split(page, "C/i", 32)
    expect(row(page, "C/i.inner")).to_be_visible()
    row(page, "C/k").click()
    apply(page, "parallel")  # refused: the message is shown in red
    expect(said(page)).to_contain_text("reduce axis")
    for name in ("Journal", "Advice", "Why", "Graph", "Memory", "Data", "Times", "Schedule", "Do"):
        tab(page, name)
        page.wait_for_timeout(400)
        assert violations(page) == [], name


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_recipes_have_no_violations(start: Notebook, theme: str) -> None:
    page = start.page
    start.theme(theme)
    start.workbench()
    for key, factor in (("C/i", 8), ("C/j", 16), ("C/k", 4)):
        split(page, key, factor)
        expect(row(page, f"{key}.inner")).to_be_visible()
    journal = tab(page, "Journal")
    journal.get_by_role("button", name="split(C, axis=i").click(modifiers=["Shift"])
    journal.get_by_role("button", name="split(C, axis=j").click(modifiers=["Shift"])
    form = journal.get_by_role("form", name="Make a recipe of steps 1 to 2")
    expect(form.get_by_label("Name of the parameter for 2.factor")).to_be_visible()
    assert violations(page) == []
    start.screenshot(f"recipe-making-{theme.split()[-1].lower()}")
    form.get_by_role("textbox").first.fill("both")
    page.keyboard.press("Enter")
    journal.get_by_role("button", name="Steps of both").click()
    journal.locator(".tw-step").first.hover()
    journal.get_by_role("button", name="Arguments of both").click()
    expect(journal.get_by_role("form", name="Arguments of both")).to_be_visible()
    assert violations(page) == []
    start.screenshot(f"recipe-editing-{theme.split()[-1].lower()}")
