"""The loop tree by mouse and keyboard."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.bench import code, row, said, split, tab
from tests.browser.lab import Notebook


def test_loops_are_scheduled_by_keys(start: Notebook) -> None:
    page = start.page
    split(page, "C/i", 8)
    expect(code(page)).to_contain_text("for i.outer in range(64):")
    split(page, "C/j", 16)
    expect(page.get_by_label("Loop", exact=True).first).to_have_value("j.outer")  # the chooser follows
    row(page, "C/j.inner").click()
    page.keyboard.press("v")
    expect(row(page, "C/j.inner")).to_contain_text("vectorize")
    expect(row(page, "C/j.inner")).to_be_focused()  # the focus stays
    row(page, "C/k").click()
    page.keyboard.press("Alt+ArrowUp")
    expect(said(page)).to_contain_text("reorder")
    page.keyboard.press("p")
    expect(said(page)).to_contain_text("k is a reduce axis")
    page.keyboard.press("t")
    expect(said(page)).to_contain_text("transpose on stage C: k is a reduce axis")
    page.keyboard.press("Home")
    expect(row(page, "A")).to_be_focused()
    start.screenshot("loops-keys-light")


def test_a_mark_goes_by_the_key_that_made_it(start: Notebook) -> None:
    page = start.page
    row(page, "C/i").click()
    page.keyboard.press("u")
    expect(row(page, "C/i")).to_contain_text("unroll")
    page.keyboard.press("u")
    expect(row(page, "C/i")).not_to_contain_text("unroll")
    page.keyboard.press("Control+z")
    expect(row(page, "C/i")).to_contain_text("unroll")
    page.keyboard.press("Control+Shift+z")
    expect(row(page, "C/i")).not_to_contain_text("unroll")


def test_loops_are_dragged(start: Notebook) -> None:
    page = start.page
    row(page, "C/k").drag_to(row(page, "C/i"))
    expect(said(page)).to_contain_text("reorder")
    text = page.locator(".tw-workbench .tw-tree").inner_text()
    assert text.index("k in") < text.index("i in") < text.index("j in")


def test_the_tree_folds(start: Notebook) -> None:
    page = start.page
    row(page, "C/i").click()
    page.keyboard.press("ArrowLeft")
    expect(row(page, "C/j")).to_have_count(0)
    expect(row(page, "C/i")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    expect(row(page, "C/j")).to_be_visible()


def test_quick_typing_is_never_lost(start: Notebook) -> None:
    """Each factor that is typed is the one that is used, however fast the next key comes."""
    page = start.page
    for n in range(50):
        factor = 2 + n % 7
        split(page, "C/i", factor)
        expect(said(page)).to_contain_text(f"split(C, axis=i, factor={factor})")
        page.keyboard.press("Control+z")
        expect(row(page, "C/i")).to_be_visible()


def test_the_form_sends_what_is_typed_with_the_press(start: Notebook) -> None:
    """A press of Apply right after typing carries the typed number, 50 times."""
    page = start.page
    row(page, "C/i").click()
    form = tab(page, "Do").get_by_role("form", name="Parameters of split")
    for n in range(50):
        factor = 2 + n % 9
        form.get_by_label("factor", exact=True).fill(str(factor))
        form.get_by_role("button", name="Apply").click(delay=0)
        expect(said(page)).to_contain_text(f"factor={factor})")
        page.keyboard.press("Control+z")
        expect(said(page)).to_contain_text("undone")
        row(page, "C/i").click()
