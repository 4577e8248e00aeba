"""The workbench in a page, as its user finds it: by role, name and text."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect


def row(page: Any, key: str) -> Any:
    """A row of the loop tree: "C" is a stage, "C/i.outer" a loop."""
    return page.locator(f'.tw-workbench [role=treeitem][data-key="{key}"]').first


def code(page: Any) -> Any:
    """The text of the code that is shown (what is in view of it)."""
    return page.locator(".tw-workbench .tw-pane-code .cm-content").first


def said(page: Any) -> Any:
    """What the workbench said last."""
    return page.locator(".tw-workbench .tw-status").first


def tab(page: Any, name: str) -> Any:
    """Show a pane; returns it."""
    bench = page.locator(".tw-workbench").first
    bench.get_by_role("tab", name=name, exact=True).click()
    return bench.get_by_role("tabpanel", name=name, exact=True)


def press(page: Any, name: str) -> None:
    """Press a button of the workbench by its name."""
    page.locator(".tw-workbench").first.get_by_role("button", name=name, exact=True).click()


def choose_step(page: Any, text: str) -> None:
    """Press the first step of the palette that begins with `text`."""
    tab(page, "Do").get_by_role("button", name=text).first.click()


def fill_form(page: Any, primitive: str, **fields: str) -> Any:
    """Fill the form of a primitive; the loop is what is selected where it is not among the fields. Returns the form."""
    pane = tab(page, "Do")
    pane.get_by_label("Primitive", exact=True).select_option(primitive)
    form = pane.get_by_role("form", name=f"Parameters of {primitive}")
    expect(form).to_be_visible()
    for name, value in fields.items():
        field = form.get_by_label(name, exact=True)
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    return form


def apply(page: Any, primitive: str, **fields: str) -> None:
    """Do a step by its form."""
    fill_form(page, primitive, **fields).get_by_role("button", name="Apply").click()


def split(page: Any, key: str, factor: int) -> None:
    """Split a loop by key: select, s, the number, Enter."""
    row(page, key).click()
    page.keyboard.press("s")
    page.keyboard.type(str(factor))
    page.keyboard.press("Enter")


def measure(page: Any) -> Any:
    """Measure, and wait for the result, which stands beside the button. Returns it."""
    press(page, "Measure")
    result = page.locator(".tw-workbench .tw-result").first
    expect(result).to_contain_text("✓", timeout=90_000)
    return result
