"""The workbench as a person uses it, in JupyterLab."""

from __future__ import annotations

import os
import re
import shutil
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.lab import ROOT, Lab, Notebook


def settle(page: Any) -> None:
    """Wait until the kernel has answered: an answer that is on its way (new options after a choice) would
    take back what is chosen next. People are slower than that."""
    page = getattr(page, "page", page)
    page.wait_for_timeout(60)
    status = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status"
    page.wait_for_function(f"() => ['idle', undefined].includes({status})", timeout=60_000)
    page.wait_for_timeout(60)


def choose(page: Any, what: str, value: str) -> None:
    page.locator(f".tw-{what} select").select_option(value)
    settle(page)


def fill(page: Any, param: str, value: str) -> None:
    field = page.locator(f".tw-param-{param} input")
    field.fill(value)
    field.press("Tab")
    settle(page)


def tab(page: Any, name: str) -> None:
    """Show a page of the workbench."""
    page.get_by_role("tab", name=name, exact=True).first.click()


def press(page: Any, name: str) -> None:
    page.locator(f"button.tw-{name}").click()


def ir(page: Any) -> Any:
    return page.locator(".tw-panel-ir")


def said(page: Any) -> Any:
    return page.locator(".tw-message")


def apply(page: Any, primitive: str, loop: str | None = None, **params: str) -> None:
    choose(page, "primitive", primitive)
    if loop is not None:
        choose(page, "loop", loop)
    for name, value in params.items():
        fill(page, name, value)
    press(page, "apply")


def test_split_changes_the_ir_and_undo_takes_it_back(start: Notebook) -> None:
    page = start.page
    expect(ir(page)).to_contain_text("for i in range(512):")
    apply(page, "split", "i", factor="32")
    expect(ir(page)).to_contain_text("for i.outer in range(16):")
    expect(page.locator(".tw-panel-loops")).to_contain_text("i.inner")
    expect(page.locator(".tw-panel-journal")).to_contain_text("split(C, axis=i, factor=32)")
    start.screenshot("split-light")
    tab(page, "Schedule")
    expect(page.locator(".tw-panel-code")).to_contain_text("i_outer, i_inner = s[C].split(i, factor=32)")
    press(page, "undo")
    expect(ir(page)).to_contain_text("for i in range(512):")
    press(page, "redo")
    expect(ir(page)).to_contain_text("for i.outer in range(16):")
    press(page, "reset")
    expect(page.locator(".tw-panel-journal .tw-ahead")).to_have_count(1)  # taken back, and not forgotten


def test_cache_write_changes_the_allocation_table(start: Notebook) -> None:
    page = start.page
    allocations = page.locator(".tw-panel-allocations")
    tab(page, "Memory")
    expect(allocations).to_contain_text("none")
    apply(page, "cache_write")
    expect(allocations).to_contain_text("C.local")
    expect(allocations).to_contain_text("1,048,576 B")
    choose(page, "stage", "C")
    apply(page, "split", "i", factor="8")
    choose(page, "stage", "C.local")
    choose(page, "primitive", "compute_at")
    page.locator(".tw-param-axis select").select_option("i.outer")
    press(page, "apply")
    expect(allocations).to_contain_text("16,384 B")
    expect(page.locator(".tw-panel-graph")).to_contain_text("at i.outer")
    start.screenshot("allocations-light")


def test_a_refused_primitive_says_why_and_changes_nothing(start: Notebook) -> None:
    page = start.page
    before = ir(page).inner_text()
    apply(page, "parallel", "k")
    expect(said(page)).to_contain_text("k is a reduce axis")
    expect(said(page)).to_contain_text("loops now: i(512), j(512), k(512)")
    assert ir(page).inner_text() == before
    expect(page.locator(".tw-panel-journal")).to_contain_text("no steps yet")
    start.screenshot("refused-light")


def test_measure_shows_both_times_and_the_check_mark(start: Notebook) -> None:
    page = start.page
    fill_tile(page)
    press(page, "measure")
    times = page.locator(".tw-panel-times")
    expect(times).to_contain_text("✓ result equals numpy's", timeout=90_000)
    expect(times).to_contain_text("tewb")
    expect(times).to_contain_text("median")
    assert len(re.findall(r"± [\d.]+ (?:ns|µs|ms|s)", times.inner_text())) == 2
    start.screenshot("measured-light")
    start.theme("JupyterLab Dark")
    start.workbench()
    start.screenshot("measured-dark")


def fill_tile(page: Any) -> None:
    choose(page, "primitive", "tile")
    page.locator(".tw-param-x select").select_option("i")
    page.locator(".tw-param-y select").select_option("j")
    fill(page, "x_factor", "8")
    fill(page, "y_factor", "32")
    press(page, "apply")
    expect(ir(page)).to_contain_text("for j.outer in range(16):")
    apply(page, "vectorize", "j.inner")
    expect(ir(page)).to_contain_text("T.Broadcast")
    choose(page, "primitive", "reorder")
    fill(page, "axes", "i.outer, j.outer, k, i.inner, j.inner")
    press(page, "apply")
    expect(page.locator(".tw-panel-journal")).to_contain_text("reorder(C")


def test_dark_theme_is_readable(start: Notebook) -> None:
    page = start.page
    start.theme("JupyterLab Dark")
    apply(page, "split", "j", factor="64")
    expect(ir(page)).to_contain_text("for j.outer in range(8):")
    ink, paper = page.evaluate(
        """() => {
        const e = document.querySelector('.tw-panel-ir .tw-code div');
        let p = e; while (p && getComputedStyle(p).backgroundColor === 'rgba(0, 0, 0, 0)') p = p.parentElement;
        return [getComputedStyle(e).color, getComputedStyle(p).backgroundColor]; }"""
    )

    def brightness(color: str) -> float:
        return sum(float(x) for x in re.findall(r"[\d.]+", color)[:3]) / 3

    assert abs(brightness(ink) - brightness(paper)) > 100, (ink, paper)
    start.workbench()
    start.screenshot("split-dark")


def test_hovering_a_journal_step_lights_its_loops_and_lines(start: Notebook) -> None:
    page = start.page
    apply(page, "split", "i", factor="32")
    step = page.locator(".tw-panel-journal .tw-step").first
    expect(step).to_contain_text("split")
    line = page.locator(".tw-panel-ir .tw-s0").first
    expect(line).to_contain_text("i.outer")
    dark = "el => getComputedStyle(el).backgroundColor"
    assert line.evaluate(dark) == "rgba(0, 0, 0, 0)"
    step.hover()
    assert line.evaluate(dark) != "rgba(0, 0, 0, 0)"
    assert page.locator(".tw-panel-loops .tw-s0").first.evaluate(dark) != "rgba(0, 0, 0, 0)"
    start.screenshot("hover-light")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_keyboard_alone_is_enough(start: Notebook, theme: str) -> None:
    page = start.page
    start.theme(theme)
    start.workbench()
    page.locator(".tw-primitive select").focus()
    settle(page)
    page.keyboard.press("End")  # the last primitive is another one
    expect(page.locator(".tw-param-factor")).to_have_count(0)
    page.keyboard.press("Home")
    expect(page.locator(".tw-param-factor")).to_have_count(1)
    settle(page)
    page.keyboard.press("Tab")
    page.keyboard.type("j")
    settle(page)
    page.keyboard.press("Tab")
    focused = page.evaluate("() => document.activeElement.closest('.tw-param-factor') !== null")
    assert focused, page.evaluate("() => document.activeElement.outerHTML")
    page.keyboard.press("Control+a")
    page.keyboard.type("64")
    tab_to(page, "apply")
    settle(page)
    page.keyboard.press("Enter")
    expect(ir(page)).to_contain_text("for j.outer in range(8):")
    expect(page.locator("button.tw-undo")).to_be_enabled()
    tab_to(page, "undo")
    page.keyboard.press("Enter")
    expect(ir(page)).to_contain_text("for j in range(512):")

    page.locator(".tw-primitive select").focus()  # a primitive that is refused
    settle(page)
    page.keyboard.type("par")
    settle(page)
    page.keyboard.press("Tab")
    page.keyboard.type("k")
    settle(page)
    tab_to(page, "apply")
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("k is a reduce axis")

    page.locator(".tw-primitive select").focus()  # memory
    settle(page)
    page.keyboard.type("cache_w")
    settle(page)
    expect(page.locator(".tw-param-scope")).to_have_count(1)
    tab_to(page, "apply")
    page.keyboard.press("Enter")
    expect(ir(page)).to_contain_text("C.local = T.allocate((512, 512)")
    for _ in range(40):  # past the loop tree to the pages
        if page.evaluate("() => document.activeElement.getAttribute('role') === 'tab'"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".tw-panel-allocations")).to_contain_text("1,048,576 B")
    page.locator(".tw-primitive select").focus()

    tab_to(page, "measure")
    page.keyboard.press("Enter")
    expect(page.locator(".tw-panel-times")).to_contain_text("✓ result equals numpy's", timeout=90_000)
    start.screenshot(f"keyboard-{'light' if 'Light' in theme else 'dark'}")


def tab_to(page: Any, name: str) -> None:
    """Press Tab until the button has the focus."""
    for _ in range(8):
        if page.evaluate(f"() => document.activeElement.classList.contains('tw-{name}')"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(
        f"Tab does not reach {name}: {page.evaluate('() => document.activeElement.outerHTML')}"
    )


def test_controls_have_accessible_names(start: Notebook) -> None:
    page = start.page
    bench = start.workbench()
    for name in ("Stage", "Primitive", "Loop"):
        expect(bench.get_by_role("combobox", name=name, exact=True)).to_have_count(1)
    for name in ("Apply", "Undo", "Redo", "Reset", "Measure", "Pin"):
        expect(bench.get_by_role("button", name=name, exact=True)).to_have_count(1)
    for name in ("Loops", "Journal", "Lowered IR", "Stage graph"):
        expect(bench.get_by_role("region", name=name, exact=True)).to_have_count(1)
    for page_name, names in {
        "Memory": ("Allocations", "Ledger", "Extern regions"),
        "Times": ("Measured",),
        "Schedule": ("Schedule as Python",),
    }.items():
        tab(page, page_name)
        for name in names:
            expect(bench.get_by_role("region", name=name, exact=True)).to_have_count(1)
    expect(bench.get_by_role("button", name="Copy code")).to_have_count(1)
    tab(page, "Graph")
    expect(page.locator(".tw-panel-graph svg")).to_have_count(1)


def test_copied_code_is_the_program(start: Notebook) -> None:
    page = start.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    apply(page, "split", "i", factor="16")
    tab(page, "Schedule")
    expect(page.locator(".tw-program")).to_contain_text("factor=16")
    page.locator(".tw-copy").click()
    expect(page.locator(".tw-copy")).to_have_text("Copied")
    text = page.evaluate("() => navigator.clipboard.readText()")
    found: dict[str, Any] = {}
    exec(text, found)
    assert "i.outer" in str(found["module"])


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
    page.set_viewport_size({"width": 1280, "height": 1250})
    fill_tile(page)
    press(page, "measure")
    expect(page.locator(".tw-panel-times")).to_contain_text("✓", timeout=90_000)
    tab(page, "Journal")
    start.workbench()
    page.locator(".tw-panel-journal .tw-step").nth(1).hover()
    path = start.screenshot("workbench")
    if os.environ.get("TEWB_README_SCREENSHOT"):
        shutil.copy(path, ROOT / "notebooks" / "images" / "workbench.png")
