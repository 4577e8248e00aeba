"""Recipes in the page: made of steps that are selected, opened, edited, done again, and written into a cell."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.bench import apply, press, row, said, tab
from tests.browser.lab import Lab, Notebook, opened
from tests.browser.test_tasks import cells


def test_selected_steps_become_a_recipe_which_is_opened_edited_and_written(start: Notebook) -> None:
    page = start.page
    apply(page, "tile", x="i", y="j", x_factor="8", y_factor="32")
    row(page, "C/j.inner").click()
    page.keyboard.press("v")
    expect(row(page, "C/j.inner")).to_contain_text("vectorize")
    row(page, "C/i.inner").click()
    page.keyboard.press("u")
    expect(row(page, "C/i.inner")).to_contain_text("unroll")
    journal = tab(page, "Journal")
    journal.get_by_role("button", name="tile(C").click()
    expect(journal.locator(".tw-ahead")).to_have_count(2)
    journal.get_by_role("button", name="unroll(C").click()
    expect(journal.locator(".tw-ahead")).to_have_count(0)
    journal.get_by_role("button", name="unroll(C").focus()
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Shift+ArrowUp")
    expect(journal.locator(".tw-selected")).to_have_count(3)
    form = journal.get_by_role("form", name="Make a recipe of steps 1 to 3")
    form.get_by_label("Make a recipe of steps 1 to 3, called").fill("tiled")
    form.get_by_label("Name of the parameter for 1.x_factor").fill("x")
    start.screenshot("recipe-form")
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("recipe tiled made these 3 steps")
    expect(journal.locator(".tw-step")).to_have_count(1)
    expect(journal.locator(".tw-step")).to_contain_text("tiled(C, x=8, y_factor=32)")

    journal.locator(".tw-step").hover()
    journal.get_by_role("button", name="Arguments of tiled").click()
    journal.get_by_label("x", exact=True).fill("4")
    page.keyboard.press("Enter")
    expect(journal.locator(".tw-step")).to_contain_text("tiled(C, x=4, y_factor=32)")
    expect(row(page, "C/i.inner")).to_contain_text("4")
    journal.get_by_role("button", name="Steps of tiled").click()
    expect(journal.locator(".tw-step")).to_have_count(4)
    start.screenshot("recipe-opened")
    journal.get_by_role("button", name="To a cell").click()
    below = page.locator(
        ".jp-Notebook .jp-CodeCell .cm-content", has_text="def tiled(s, C, x=8, y_factor=32):"
    )
    expect(below).to_contain_text("tiled(s, C, x=4)")
    press(page, "Undo")
    press(page, "Undo")
    expect(journal.locator(".tw-step")).to_have_count(3)  # steps of their own again
    press(page, "Redo")
    journal.locator(".tw-step").first.hover()
    journal.get_by_role("button", name="Delete recipe tiled").click()
    expect(journal.locator(".tw-step")).to_have_count(0)


RECIPE = (
    "import tewb\nfrom tewb import te\n@tewb.recipe\ndef lanes(s, C, axis: tewb.tir.IterVar, n=8):\n"
    "    o, i = s[C].split(axis, n)\n    s[C].vectorize(i)\n"
    "bench = tewb.demo('blur', n=64)\nbench"
)


def test_a_function_of_python_stands_in_menus_and_forms(page: Any, lab: Lab) -> None:
    notebook = opened(page, lab, cells(lab, "lanes", RECIPE))
    row(page, "X/j").click()
    expect(tab(page, "Do").get_by_role("button", name="lanes(X, axis=j)")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("lanes(X")
    expect(page.get_by_role("dialog")).to_contain_text("lanes 1 → 8")  # what it would lead to
    page.keyboard.press("Enter")
    expect(row(page, "X/j.inner")).to_contain_text("vectorize")
    row(page, "Y/j").click()
    apply(page, "lanes", n="16")
    journal = tab(page, "Journal")
    expect(journal.locator(".tw-step")).to_have_count(2)
    expect(journal).to_contain_text("lanes(Y, axis=j, n=16)")
    journal.get_by_role("button", name="Recipe", exact=True).click()
    expect(journal.get_by_role("form", name="Make a recipe of steps 1 to 4")).to_contain_text("n = 16")
    notebook.screenshot("recipe-all-steps")
