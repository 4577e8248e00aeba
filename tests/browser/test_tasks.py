"""Whole tasks in the workbench, as people do them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import expect

from tests.browser.lab import Lab, Notebook, opened
from tests.browser.test_loops import row
from tests.browser.test_workbench import apply, choose, fill, ir, press, said, settle, tab


def cells(lab: Lab, name: str, *sources: str) -> str:
    """A notebook of code cells in the server's folder."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.folder / f"{name}.ipynb")
    return f"{name}.ipynb"


def ratio(page: Any) -> float:
    times = page.locator(".tw-panel-times")
    expect(times).to_contain_text("✓ result equals numpy's", timeout=90_000)
    expect(page.locator("button.tw-measure")).to_have_text("Measure", timeout=90_000)
    return float(times.inner_text().split("numpy / tewb: ")[1].split()[0])


def test_a_students_first_minute(start: Notebook) -> None:
    """Split a loop, see it, measure, take it back: nothing typed but a number."""
    page = start.page
    row(page, "C/j").click()
    palette = page.locator(".tw-panel-palette")
    expect(palette).to_contain_text("What can be done to C, loop j")
    page.locator(".tw-panel-palette button[data-step]", has_text="split(C, axis=j").first.click()
    expect(ir(page)).to_contain_text("for j.outer in range(")
    press(page, "measure")
    assert ratio(page) >= 0  # it is a number: 0.00 where numpy is more than 200 times as fast
    press(page, "undo")
    expect(ir(page)).to_contain_text("for j in range(512):")
    start.screenshot("task-first-minute")


def test_a_matrix_product_becomes_fast_by_mouse(start: Notebook) -> None:
    page = start.page
    press(page, "measure")
    assert ratio(page) >= 0  # it is a number: 0.00 where numpy is more than 200 times as fast
    choose(page, "primitive", "tile")
    page.locator(".tw-param-x select").select_option("i")
    page.locator(".tw-param-y select").select_option("j")
    fill(page, "x_factor", "8")
    fill(page, "y_factor", "32")
    press(page, "apply")
    expect(row(page, "C/j.inner")).to_be_visible()
    row(page, "C/k").drag_to(row(page, "C/i.inner"))
    expect(page.locator(".tw-panel-loops").first).to_contain_text("k in 512")
    row(page, "C/j.inner").click()
    page.locator(".tw-panel-palette button[data-step]", has_text="vectorize(C, axis=j.inner)").first.click()
    expect(row(page, "C/j.inner")).to_contain_text("vectorize")
    press(page, "measure")
    assert ratio(page) >= 0  # how fast it became is for the benchmarks
    tab(page, "Roofline")
    expect(page.locator(".tw-panel-roofline svg")).to_have_count(1)
    start.screenshot("task-roofline")


def test_a_refused_parallel_is_found_and_fixed(start: Notebook) -> None:
    page = start.page
    apply(page, "parallel", "k")
    expect(said(page)).to_contain_text("k is a reduce axis")
    expect(said(page)).to_contain_text("hint: parallelise a data axis (i, j)")
    row(page, "C/i").click()
    page.locator(".tw-panel-palette button[data-step]", has_text="parallel(C, axis=i)").first.click()
    expect(ir(page)).to_contain_text("for i in T.parallel(512):")


def test_what_is_refused_has_its_fix_one_click_away(page: Any, lab: Lab) -> None:
    name = cells(
        lab, "fix", "import tewb\nfrom tewb import te\nn = te.var('n')\nA = te.placeholder((n, 100), name='A')\n"
        "B = te.compute((n, 100), lambda i, j: A[i, j] * 2.0, name='B')\n"
        "tewb.Workbench(te.create_schedule(B.op), [A, B], sizes={'n': 64})",
    )  # fmt: skip
    notebook = opened(page, lab, name)
    row(page, "B/i").click()
    refused = page.locator(".tw-panel-palette .tw-refused", has_text="vectorize(B, axis=i)")
    expect(refused).to_contain_text("the extent of i is not a constant")
    refused.locator("button[data-step]").first.click()
    expect(row(page, "B/i.inner")).to_contain_text("vectorize")
    notebook.screenshot("task-fix")


def test_two_schedules_are_compared(start: Notebook) -> None:
    page = start.page
    apply(page, "split", "i", factor="32")
    press(page, "pin")
    expect(said(page)).to_contain_text("pinned the schedule of 1 steps")
    apply(page, "split", "j", factor="16")
    page.locator(".tw-compare-with select").select_option("the pinned schedule")
    panel = page.locator(".tw-panel-diff")
    expect(panel).to_contain_text("compared with")
    expect(panel.locator(".tw-added, .tw-changed").first).to_be_visible()
    start.screenshot("task-compare")
    page.locator(".tw-compare-with select").select_option("nothing")
    page.locator(".tw-view select").first.select_option("assembly")
    expect(page.locator(".tw-panel-ir")).to_contain_text("assembly", timeout=30_000)
    expect(page.locator(".tw-panel-ir")).to_contain_text("ret")
    start.screenshot("task-assembly")


def test_the_schedule_is_edited_as_code(start: Notebook) -> None:
    page = start.page
    tab(page, "Schedule")
    editor = page.locator(".tw-editor textarea")
    editor.fill("i, j = s[C].op.axis\ni_outer, i_inner = s[C].split(i, factor=4)\ns[C].vectorize(j)\n")
    editor.press("Tab")
    press(page, "load")
    expect(said(page)).to_contain_text("loaded")
    expect(ir(page)).to_contain_text("for i.outer in range(128):")
    settle(page)
    editor.fill("i, j = s[C].op.axis\ns[C].split(i, factr=4)\n")
    editor.press("Tab")
    settle(page)
    press(page, "load")
    expect(said(page)).to_contain_text("factr")
    expect(ir(page)).to_contain_text("for i.outer in range(128):")  # nothing changed


def test_the_journal_is_walked_cut_and_branched(start: Notebook) -> None:
    page = start.page
    for loop, factor in (("i", "8"), ("j", "16"), ("k", "4")):
        apply(page, "split", loop, factor=factor)
        expect(page.locator(".tw-panel-journal")).to_contain_text(f"split(C, axis={loop}, factor={factor})")
    field = page.get_by_label("Step", exact=True)
    field.fill("2")
    field.press("Tab")
    press(page, "delete-step")
    expect(ir(page)).to_contain_text("for j in range(512):")
    expect(ir(page)).to_contain_text("for k.outer in range(128):")
    page.get_by_label("Branch", exact=True).fill("other")
    page.get_by_label("Branch", exact=True).press("Tab")
    press(page, "branch-off")
    expect(page.locator(".tw-panel-journal")).to_contain_text("other")
    start.screenshot("task-journal")


def test_why_and_advice(start: Notebook) -> None:
    page = start.page
    apply(page, "split", "i", factor="30")
    row(page, "C/i.outer").click()
    tab(page, "Why")
    why = page.locator(".tw-panel-why")
    expect(why).to_contain_text("i.outer")
    start.screenshot("task-why")
    tab(page, "Advice")
    advice = page.locator(".tw-panel-advice")
    expect(advice).to_be_visible(timeout=30_000)
    step = advice.locator("button[data-step]").first
    before = ir(page).inner_text()
    step.click()
    page.wait_for_function("t => document.querySelector('.tw-panel-ir').innerText !== t", arg=before)


def test_an_error_in_a_callback_is_shown_and_the_kernel_lives(page: Any, lab: Lab) -> None:
    name = cells(
        lab, "callback", "import tewb\nfrom tewb import te\n"
        "@tewb.register_func('broken', override=True)\ndef broken(a, b):\n    raise ValueError('the user forgot something')\n"
        "A = te.placeholder((8, 8), name='A')\n"
        "E = te.extern((8, 8), [A], lambda i, o: te.call_packed('broken', i[0], o[0]), name='E')\n"
        "tewb.Workbench(te.create_schedule(E.op), [A, E], reference=lambda a: a)",
        "print('still', 'alive')",
    )  # fmt: skip
    notebook = opened(page, lab, name)
    press(page, "measure")
    expect(said(page)).to_contain_text("the user forgot something", timeout=60_000)
    expect(page.locator(".jp-OutputArea-output", has_text="still alive")).to_have_count(1)
    notebook.screenshot("task-callback")


def test_a_saved_notebook_shows_what_was_there(page: Any, lab: Lab) -> None:
    name = cells(lab, "saved", "import tewb\nbench = tewb.demo('blur', n=64)\nbench.session.snapshot()")
    notebook = Notebook(page, lab, name)
    notebook.run_all()
    page.locator(".jp-OutputArea-output", has_text="T.prim_func").first.wait_for(timeout=60_000)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    path = Path(lab.folder) / name
    for _ in range(50):
        if any("outputs" in c and c["outputs"] for c in json.loads(path.read_text())["cells"]):
            break
        time.sleep(0.2)
    page.evaluate("() => window.jupyterapp.commands.execute('kernelmenu:shutdown')")
    again = page.context.new_page()
    Notebook(again, lab, name)
    expect(again.locator(".jp-OutputArea-output", has_text="T.prim_func").first).to_be_visible()


def test_later_cells_change_what_the_workbench_shows(page: Any, lab: Lab) -> None:
    name = cells(
        lab, "later", "import tewb\nbench = tewb.demo('matmul', n=64)\nbench",
        "s = bench.session.schedule\ns['C'].split('i', 4)",
    )  # fmt: skip
    opened(page, lab, name)
    expect(ir(page)).to_contain_text("for i.outer in range(16):")
    expect(page.locator(".tw-panel-journal")).to_contain_text("split(C, axis=i, factor=4)")


def test_high_contrast_and_a_small_screen(start: Notebook) -> None:
    page = start.page
    page.set_viewport_size({"width": 1280, "height": 720})
    apply(page, "split", "j", factor="64")
    expect(ir(page)).to_contain_text("for j.outer in range(8):")
    start.theme("JupyterLab Dark High Contrast")
    start.workbench()
    wide = page.evaluate(
        "() => { const b = document.querySelector('.tw-bench'); return b.scrollWidth - b.clientWidth; }"
    )
    assert wide <= 2  # nothing runs out of the page
    start.screenshot("small-contrast")
