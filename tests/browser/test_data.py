"""The accesses of a program, played: in the workbench, as a pane of its own, and as a file without a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.bench import code, row, said, tab
from tests.browser.lab import SCREENSHOTS, Lab, Notebook, opened
from tests.browser.test_tasks import cells

PROGRAM = """
import tewb
from tewb import te
A, B = te.placeholder((256, 256), name="A"), te.placeholder((256, 256), name="B")
k = te.reduce_axis((0, 256), name="k")
C = te.compute((256, 256), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
s = te.create_schedule(C.op)
session = tewb.Session(s, [A, B, C])
"""


def violations(page: Any, within: str) -> list[str]:
    found = Axe().run(page, context=within).response
    assert len(found["passes"]) > 10  # it looked
    return [f"{v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found["violations"]]


def test_accesses_are_played_over_tree_code_and_memory(page: Any, lab: Lab) -> None:
    notebook = opened(page, lab, cells(lab, "data", f"{PROGRAM}tewb.Workbench(session)"))
    pane = tab(page, "Data")
    status = pane.get_by_role("status")
    expect(status).to_contain_text("access 1 of 16640: write C[0, 0]; at i=0, j=0; its line is fetched")
    expect(pane).to_contain_text("A small twin of the program is shown: 16 for 256")
    expect(pane).to_contain_text("B: read along k, stride 1 KiB")
    pane.get_by_role("button", name="Next").click()
    pane.get_by_role("button", name="Next").click()
    pane.get_by_role("button", name="Next").click()
    expect(status).to_contain_text("access 4 of 16640: read B[0, 0]; at i=0, j=0, k=0")
    expect(row(page, "C/k")).to_contain_text("= 0")
    expect(page.locator(".tw-workbench .cm-line.tw-now")).to_contain_text("+ A[i, k] * B[k, j]")
    player = pane.get_by_role("group", name="Player of accesses")
    player.focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(row(page, "C/k")).to_contain_text("= 4")
    page.keyboard.press("ArrowLeft")
    expect(status).to_contain_text("access 19 of 16640")
    page.keyboard.press("End")
    expect(status).to_contain_text("access 16640 of 16640: write C[15, 15]")
    page.keyboard.press("Home")
    pane.get_by_label("Speed").select_option("4000")
    player.focus()
    page.keyboard.press(" ")
    expect(pane.get_by_role("button", name="Pause")).to_be_visible()
    expect(row(page, "C/i")).not_to_contain_text("= 0")
    page.keyboard.press(" ")
    expect(pane.get_by_role("button", name="Play")).to_be_visible()
    pane.get_by_label("Cache", exact=True).select_option("8")
    expect(pane.locator("figure").nth(1)).not_to_contain_text(", 0 lost")
    notebook.screenshot("data")
    tab(page, "Memory")
    expect(row(page, "C/i").locator(".tw-now")).to_have_count(0)


def test_an_edit_is_followed_and_tasks_are_told(page: Any, lab: Lab) -> None:
    notebook = opened(page, lab, cells(lab, "data-edit", f"{PROGRAM}tewb.Workbench(session)"))
    pane = tab(page, "Data")
    expect(pane.get_by_role("status")).to_contain_text("access 1 of")
    row(page, "C/i").click()
    page.keyboard.press("p")
    expect(said(page)).to_contain_text("parallel")
    pane.get_by_label("tasks").check()
    expect(pane.get_by_role("status")).to_contain_text("task 1 of 16")
    pane.get_by_label("Number of the access").fill("9000")
    pane.get_by_label("Number of the access").press("Enter")
    expect(pane.get_by_role("status")).to_contain_text("task 9 of 16")
    pane.get_by_label("Sizes").select_option("full")
    expect(pane).to_contain_text("The first 20,000 accesses")
    expect(pane.locator("figcaption").first).to_contain_text("256 KiB, a cell is 16 elements")
    notebook.screenshot("data-full")
    assert code(page).inner_text()


def test_code_of_the_user_runs_only_when_it_is_asked_for(page: Any, lab: Lab) -> None:
    notebook = opened(page, lab, cells(lab, "data-extern", 'import tewb\ntewb.demo("extern")'))
    pane = tab(page, "Data")
    ask = pane.get_by_role("button", name="Follow the accesses (calls your Python code)")
    ask.click()
    expect(pane.get_by_role("status")).to_contain_text("read A[0, 0, 0] to [2, 3, 7]")
    expect(ask).to_have_count(0)
    notebook.screenshot("data-extern")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_pane_alone_is_readable_by_all(page: Any, lab: Lab, theme: str) -> None:
    name = cells(lab, "data-alone", PROGRAM, 'session.view("data")')
    notebook = Notebook(page, lab, name)
    notebook.theme(theme)
    notebook.run_all()
    notebook.idle()
    pane = page.locator(".tewb-data")
    expect(pane.get_by_role("status")).to_contain_text("access 1 of 16640")
    assert violations(page, ".tewb-data") == []
    notebook.screenshot(f"data-alone-{theme.split()[1].lower()}")


def test_a_saved_file_plays_without_a_kernel(page: Any, lab: Lab, browser: Any, tmp_path: Path) -> None:
    opened(page, lab, cells(lab, "data-save", f"{PROGRAM}tewb.Workbench(session)"))
    pane = tab(page, "Data")
    expect(pane.get_by_role("status")).to_contain_text("access 1 of")
    with page.expect_download() as download:
        pane.get_by_role("button", name="Save as file").click()
    saved = tmp_path / "access.html"
    download.value.save_as(saved)
    for scheme in ("light", "dark"):
        plays(browser, saved, scheme)


def plays(browser: Any, saved: Path, scheme: str) -> None:
    """Open a file without a network, and play it."""
    context = browser.new_context(viewport={"width": 1300, "height": 900}, color_scheme=scheme, offline=True)
    alone = context.new_page()
    problems: list[str] = []
    alone.on("pageerror", lambda e: problems.append(str(e)))
    alone.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    alone.goto(saved.as_uri())
    expect(alone.get_by_role("status")).to_contain_text("access 1 of 16640")
    alone.get_by_label("Speed").select_option("1000")
    alone.get_by_role("button", name="Play").click()
    expect(alone.get_by_role("status")).not_to_contain_text("j=0")
    alone.get_by_role("button", name="Pause").click()
    expect(alone.locator('[data-key="C/j"]')).to_contain_text("= ")
    expect(alone.locator(".cm-line.tw-now")).to_contain_text("C[i, j] =")
    assert alone.get_by_role("button", name="Save as file").count() == 0
    assert violations(alone, "main") == [] and problems == []
    alone.screenshot(path=SCREENSHOTS / f"data-saved-{scheme}.png")
    context.close()
