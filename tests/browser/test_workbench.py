"""The workbench as a person uses it, in JupyterLab."""

from __future__ import annotations

import os
import re
import shutil
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.bench import apply, code, fill_form, measure, press, row, said, split, tab
from tests.browser.lab import ROOT, Lab, Notebook


def test_split_changes_the_code_and_undo_takes_it_back(start: Notebook) -> None:
    page = start.page
    expect(code(page)).to_contain_text("for i in range(512):")
    row(page, "C/i").click()
    apply(page, "split", factor="32")
    expect(code(page)).to_contain_text("for i.outer in range(16):")
    expect(row(page, "C/i.inner")).to_be_visible()
    journal = tab(page, "Journal")
    expect(journal).to_contain_text("split(C, axis=i, factor=32)")
    start.screenshot("split-light")
    expect(tab(page, "Schedule")).to_contain_text("i_outer, i_inner = s[C].split(i, factor=32)")
    press(page, "Undo")
    expect(code(page)).to_contain_text("for i in range(512):")
    press(page, "Redo")
    expect(code(page)).to_contain_text("for i.outer in range(16):")
    journal.get_by_role("button", name="Start over").click()
    expect(journal.locator(".tw-ahead")).to_have_count(1)  # taken back, and not forgotten


def test_memory_shrinks_where_a_stage_is_computed_in_a_loop(start: Notebook) -> None:
    page = start.page
    memory = tab(page, "Memory")
    expect(memory).to_contain_text("No intermediates")
    apply(page, "cache_write")
    expect(memory).to_contain_text("C.local")
    expect(memory).to_contain_text("1 MiB")
    split(page, "C/i", 8)
    expect(row(page, "C/i.inner")).to_be_visible()
    row(page, "C.local").drag_to(row(page, "C/i.outer"))
    expect(memory).to_contain_text("16 KiB")
    expect(row(page, "C.local")).to_contain_text("16 KiB, of 1 MiB")
    expect(page.locator('[data-key="C.local/i.c"]')).to_contain_text("8")  # as often as it runs there
    graph = tab(page, "Graph")
    expect(graph).to_contain_text("at i.outer")
    expect(graph).to_contain_text("16 KiB, of 1 MiB")
    start.screenshot("memory-light")


def test_a_refused_primitive_says_why_and_changes_nothing(start: Notebook) -> None:
    page = start.page
    before = code(page).inner_text()
    row(page, "C/k").click()
    apply(page, "parallel")
    expect(said(page)).to_contain_text("k is a reduce axis")
    expect(said(page)).to_contain_text("loops now: i(512), j(512), k(512)")
    expect(said(page)).to_contain_text("hint: parallelise a data axis")
    others = said(page).get_by_role("button").all()
    assert len(others) > 1  # and before the hint, in the lines that are in view
    box = said(page).bounding_box()
    assert all(b.bounding_box()["y"] + 8 < box["y"] + box["height"] for b in others)
    assert code(page).inner_text() == before
    expect(tab(page, "Journal")).to_contain_text("No steps yet")
    start.screenshot("refused-light")


@pytest.mark.parametrize("width", [1280, 650])
def test_nothing_moves_when_more_is_said(start: Notebook, width: int) -> None:
    page = start.page
    page.set_viewport_size({"width": width, "height": 720})
    bench = start.workbench()
    if width < 700:
        tab(page, "Loops")

    def places() -> list[Any]:
        return [part.bounding_box() for part in bench.locator(".tw-row, .cm-editor, [role=tablist]").all()]

    row(page, "C/k").click()
    expect(said(page)).to_contain_text("Choose a loop")
    before = places()
    assert len(before) > 6
    page.keyboard.press("p")
    expect(said(page)).to_contain_text("loops now")  # the reason, a hint and a button before
    assert places() == before
    page.keyboard.press("Control+z")
    expect(said(page)).to_contain_text("nothing")
    assert places() == before


def tile(page: Any) -> None:
    apply(page, "tile", x="i", y="j", x_factor="8", y_factor="32")
    expect(row(page, "C/j.inner")).to_be_visible()
    row(page, "C/j.inner").click()
    page.keyboard.press("v")
    expect(code(page)).to_contain_text("T.Broadcast")
    apply(page, "reorder", axes="i.outer, j.outer, k, i.inner, j.inner")
    expect(said(page)).to_contain_text("reorder(C")


def test_measure_shows_its_result_beside_the_button(start: Notebook) -> None:
    page = start.page
    tile(page)
    result = measure(page)
    expect(result).to_contain_text("numpy")
    button = page.get_by_role("button", name="Measure", exact=True)
    assert abs(result.bounding_box()["y"] - button.bounding_box()["y"]) < 20
    times = tab(page, "Times")
    expect(times).to_contain_text("✓ result equals numpy's")
    assert len(re.findall(r"± [\d.,]+ (?:ns|µs|ms|s)", times.inner_text())) == 2
    expect(times.locator("svg")).to_have_count(2)  # the history, and the roofline
    start.screenshot("measured-light")
    start.theme("JupyterLab Dark")
    start.workbench()
    start.screenshot("measured-dark")


def test_a_form_begins_with_the_loop_that_is_chosen_and_the_one_inside_of_it(start: Notebook) -> None:
    page = start.page
    row(page, "C/i").click()
    form = fill_form(page, "tile")
    expect(form.get_by_label("x", exact=True)).to_have_value("i")
    expect(form.get_by_label("y", exact=True)).to_have_value("j")


def test_dark_theme_is_readable(start: Notebook) -> None:
    page = start.page
    start.theme("JupyterLab Dark")
    split(page, "C/j", 64)
    expect(code(page)).to_contain_text("for j.outer in range(8):")
    ink, paper = page.evaluate(
        """() => {
        const e = document.querySelector('.tw-workbench .cm-line');
        let p = e; while (p && getComputedStyle(p).backgroundColor === 'rgba(0, 0, 0, 0)') p = p.parentElement;
        return [getComputedStyle(e).color, getComputedStyle(p).backgroundColor]; }"""
    )

    def brightness(color: str) -> float:
        return sum(float(x) for x in re.findall(r"[\d.]+", color)[:3]) / 3

    assert abs(brightness(ink) - brightness(paper)) > 100, (ink, paper)
    start.workbench()
    start.screenshot("split-dark")


LIT = ".tw-workbench .cm-line.tw-lit"


def test_hovering_lights_all_that_is_the_same_loop(start: Notebook) -> None:
    page = start.page
    split(page, "C/i", 32)
    step = tab(page, "Journal").locator(".tw-step").first
    expect(page.locator(LIT)).to_have_count(0)
    step.hover()
    expect(page.locator(LIT).first).to_contain_text("i.outer")
    expect(row(page, "C/i.outer")).to_have_class(re.compile("tw-lit"))
    page.locator(".tw-workbench .cm-line", has_text="for j in").first.hover()
    expect(row(page, "C/j")).to_have_class(re.compile("tw-lit"))
    start.screenshot("hover-light")
    page.locator(".tw-workbench .cm-line", has_text="for j in").first.click()
    expect(row(page, "C/j")).to_have_attribute("aria-selected", "true")


def test_keyboard_alone_is_enough(start: Notebook) -> None:
    page = start.page
    row(page, "C").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(row(page, "C/j")).to_be_focused()
    page.keyboard.press("s")
    page.keyboard.type("64")
    page.keyboard.press("Enter")
    expect(code(page)).to_contain_text("for j.outer in range(8):")
    page.keyboard.press("Control+z")
    expect(code(page)).to_contain_text("for j in range(512):")
    page.keyboard.press("Control+k")
    page.keyboard.type("cache write")
    page.keyboard.press("Enter")
    expect(row(page, "C.local")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("vectorize")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
    page.keyboard.press("m")
    expect(page.locator(".tw-result").first).to_contain_text("✓", timeout=90_000)
    start.screenshot("keyboard-light")


def test_keys_of_the_workbench_do_not_reach_the_notebook(start: Notebook) -> None:
    """d d deletes a cell of JupyterLab, and b adds one: not while a loop has the focus."""
    page = start.page
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    row(page, "C/i").click()
    for key in ("d", "d", "b", "a", "x"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells


def test_parts_have_accessible_names(start: Notebook) -> None:
    bench = start.workbench()
    for name in ("Stage", "Loop", "Form of the code", "Compare with", "Form beside it", "Primitive"):
        expect(bench.get_by_role("combobox", name=name, exact=True)).to_have_count(1)
    for name in (
        "Undo",
        "Redo",
        "Measure",
        "Pin this schedule",
        "All steps and commands",
        "Show the keys",
        "Full screen",
    ):
        expect(bench.get_by_role("button", name=name, exact=True)).to_have_count(1)
    for name in ("Loops", "Code"):
        expect(bench.get_by_role("region", name=name, exact=True)).to_have_count(1)
    expect(bench.get_by_role("tree", name="Loops of all stages")).to_have_count(1)
    for name in ("Do", "Journal", "Advice", "Why", "Graph", "Memory", "Times", "Schedule"):
        expect(bench.get_by_role("tab", name=name, exact=True)).to_have_count(1)


def test_the_journal_is_shared_as_one_line_and_as_a_cell(start: Notebook) -> None:
    page = start.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    split(page, "C/i", 16)
    journal = tab(page, "Journal")
    journal.get_by_role("button", name="Share").click()
    expect(said(page)).to_contain_text("the journal is in the clipboard as one line")
    assert page.evaluate("() => navigator.clipboard.readText()") == "C:split(i,16)"
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    journal.get_by_role("button", name="To a cell").click()
    source = page.locator(".jp-CodeCell .jp-InputArea")
    expect(source.filter(has_text="i_outer, i_inner = s[C].split(i, factor=16)")).to_have_count(1)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells + 1


def test_it_fits_the_window_and_can_be_resized(page: Any, lab: Lab) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    notebook = Notebook(page, lab, "00-start.ipynb")
    notebook.run_all()
    notebook.idle()
    bench = notebook.workbench()
    assert bench.bounding_box()["height"] <= 0.81 * 720
    wide = (
        "() => { const b = document.querySelector('.tw-workbench'); return b.scrollWidth - b.clientWidth; }"
    )
    assert page.evaluate(wide) <= 2
    bar = bench.get_by_role("separator", name="Width of the loops")
    before = bench.locator(".tw-pane-loops").bounding_box()["width"]
    bar.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert bench.locator(".tw-pane-loops").bounding_box()["width"] > before + 40
    page.set_viewport_size({"width": 700, "height": 720})
    notebook.workbench()
    expect(bench.get_by_role("tab")).to_have_count(14)  # all but the code stands behind tabs under it
    for width, height in (
        (700, 720),
        (600, 800),
        (853, 480),
    ):  # the last is 1280 x 720, enlarged, beside the list of files
        page.set_viewport_size({"width": width, "height": height})
        notebook.workbench()
        expect(code(page)).to_contain_text("for i in range")
        around = bench.bounding_box()
        for part in (bench.locator(".cm-editor"), bench.get_by_role("tabpanel", name="Do")):
            box = part.bounding_box()
            assert (
                box["height"] >= 70
                and around["y"] <= box["y"] <= around["y"] + around["height"] - box["height"] + 1
            )
        assert page.evaluate(wide) <= 2
        notebook.screenshot(f"narrow-{width}")
    page.keyboard.press("l")
    tab(page, "Loops")
    row(page, "C/i").click()
    page.keyboard.press("u")
    expect(row(page, "C/i")).to_contain_text("unroll")
    page.set_viewport_size({"width": 1500, "height": 900})
    expect(bench.get_by_role("tablist")).to_have_count(2)
    expect(row(page, "C/i")).to_contain_text("unroll")  # and what was watched is there at once
    expect(code(page)).to_contain_text("C[1, j]")


def test_edits_keep_the_place_in_the_code(start: Notebook) -> None:
    page = start.page
    page.get_by_label("Form of the code").first.select_option("assembly")
    expect(code(page)).to_contain_text("ret", timeout=30_000)
    scroller = page.locator(".tw-pane-code .cm-scroller").first
    scroller.evaluate("e => { e.scrollTop = 300; }")
    page.wait_for_timeout(200)
    row(page, "C/i").click()
    page.keyboard.press("u")
    expect(row(page, "C/i")).to_contain_text("unroll", timeout=90_000)  # LLVM is at work
    page.wait_for_timeout(800)
    assert scroller.evaluate("e => e.scrollTop") > 100  # also where no line is as it was


def test_keys_go_on_after_a_click_that_leaves_nothing_to_redo(start: Notebook) -> None:
    """The button that was pressed has no more to do, and keeps the focus: Ctrl+Z still takes back."""
    page = start.page
    split(page, "C/j", 8)
    expect(row(page, "C/j.outer")).to_be_visible()
    press(page, "Undo")
    expect(row(page, "C/j")).to_be_visible()
    press(page, "Redo")
    expect(row(page, "C/j.outer")).to_be_visible()
    expect(page.get_by_role("button", name="Redo", exact=True)).to_be_disabled()
    page.keyboard.press("Control+z")
    expect(row(page, "C/j")).to_be_visible()
    page.get_by_role("button", name="Undo", exact=True).click(
        force=True
    )  # there is nothing more: it does nothing
    expect(row(page, "C/j")).to_be_visible()


def test_the_photograph_is_sharpened(page: Any, lab: Lab) -> None:
    notebook = Notebook(page, lab, "01-photo.ipynb")
    notebook.run_all()
    output = page.locator(".jp-OutputArea-output", has_text="largest difference to numpy: 0 ulps")
    output.first.wait_for(timeout=120_000)
    page.locator(".jp-RenderedImage img").first.wait_for()
    page.locator(".jp-RenderedImage img").first.scroll_into_view_if_needed()
    notebook.screenshot("photo")


def test_readme_screenshot(start: Notebook) -> None:
    page = start.page
    page.set_viewport_size({"width": 1280, "height": 900})
    tile(page)
    measure(page)
    tab(page, "Journal")
    start.workbench()
    page.locator(".tw-workbench .tw-step").nth(1).hover()
    path = start.screenshot("workbench")
    if os.environ.get("TEWB_README_SCREENSHOT"):
        shutil.copy(path, ROOT / "notebooks" / "images" / "workbench.png")


def test_a_result_of_another_schedule_says_so(start: Notebook) -> None:
    page = start.page
    result = measure(page)
    expect(result).not_to_contain_text("after step")
    split(page, "C/i", 16)
    expect(result).to_contain_text("after step 0")
    page.keyboard.press("Control+z")
    expect(result).not_to_contain_text("after step")
    expect(result).to_contain_text("✓")


def test_nothing_fails_when_a_workbench_goes_away(start: Notebook) -> None:
    page, errors = start.page, list[str]()
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.evaluate(
        "() => { window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs'); }"
    )  # what it was is told a size of nothing
    expect(page.locator(".tw-workbench")).to_have_count(0)
    page.wait_for_timeout(500)
    assert errors == []
