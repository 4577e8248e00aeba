"""Whole tasks in the workbench, as people do them."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import expect

from tests.browser.bench import apply, choose_step, code, fill_form, measure, press, row, said, split, tab
from tests.browser.lab import Lab, Notebook, opened


def cells(lab: Lab, name: str, *sources: str) -> str:
    """A notebook of code cells in the server's folder."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.folder / f"{name}.ipynb")
    return f"{name}.ipynb"


def test_a_students_first_minute(page: Any, lab: Lab) -> None:
    """Split a loop, see it, measure, take it back: nothing typed."""
    start = opened(page, lab, "00-start.ipynb")
    row(page, "C/j").click()
    expect(tab(page, "Do")).to_contain_text("Can be done to j")
    choose_step(page, "split(C, axis=j")
    expect(code(page)).to_contain_text("for j.outer in range(")
    measure(page)
    press(page, "Undo")
    expect(code(page)).to_contain_text("for j in range(512):")
    start.screenshot("task-first-minute")


def test_a_matrix_product_becomes_fast_by_mouse(start: Notebook) -> None:
    page = start.page
    apply(page, "tile", x="i", y="j", x_factor="8", y_factor="32")
    expect(row(page, "C/j.inner")).to_be_visible()
    row(page, "C/k").drag_to(row(page, "C/i.inner"))
    expect(said(page)).to_contain_text("reorder")
    row(page, "C/j.inner").click()
    choose_step(page, "vectorize(C, axis=j.inner)")
    expect(row(page, "C/j.inner")).to_contain_text("vectorize")
    measure(page)  # how fast it became is for the benchmarks
    expect(tab(page, "Times").locator("figure svg")).to_have_count(1)
    start.screenshot("task-roofline")


def test_a_refused_parallel_is_found_and_fixed(start: Notebook) -> None:
    page = start.page
    row(page, "C/k").click()
    page.keyboard.press("p")
    expect(said(page)).to_contain_text("k is a reduce axis")
    expect(said(page)).to_contain_text("hint: parallelise a data axis (i, j)")
    expect(
        said(page).get_by_role("button", name="rfactor(C, axis=k, factor_axis=0, parallel=")
    ).to_be_visible()
    said(page).get_by_role("button", name="parallel(C, axis=i)").click()  # what the hint names
    expect(code(page)).to_contain_text("for i in T.parallel(512):")
    press(page, "Undo")
    expect(row(page, "C/i")).not_to_contain_text("parallel")
    row(page, "C/i").click()
    choose_step(page, "parallel(C, axis=i)")
    expect(code(page)).to_contain_text("for i in T.parallel(512):")


def test_what_is_refused_has_its_fix_one_click_away(page: Any, lab: Lab) -> None:
    name = cells(
        lab, "fix", "import tewb\nfrom tewb import te\nn = te.var('n')\nA = te.placeholder((n, 100), name='A')\n"
        "B = te.compute((n, 100), lambda i, j: A[i, j] * 2.0, name='B')\n"
        "tewb.Workbench(te.create_schedule(B.op), [A, B], sizes={'n': 64})",
    )  # fmt: skip
    notebook = opened(page, lab, name)
    row(page, "B/i").click()
    pane = tab(page, "Do")
    pane.get_by_text("Not now").click()
    refused = pane.locator(".tw-refused", has_text="vectorize(B, axis=i)")
    expect(refused).to_contain_text("the extent of i is not a constant")
    refused.get_by_role("button").first.click()
    expect(row(page, "B/i.inner")).to_contain_text("vectorize")
    notebook.screenshot("task-fix")


def test_two_schedules_are_compared(start: Notebook) -> None:
    page = start.page
    split(page, "C/i", 32)
    expect(row(page, "C/i.inner")).to_be_visible()
    press(page, "Pin this schedule")
    expect(said(page)).to_contain_text("pinned the schedule of 1 steps")
    split(page, "C/j", 16)
    page.get_by_label("Compare with").first.select_option("pinned")
    expect(page.locator(".tw-workbench .tw-against")).to_contain_text("compared with")
    expect(page.locator(".cm-line.tw-added, .cm-line.tw-changed").first).to_be_visible()
    start.screenshot("task-compare")
    page.get_by_label("Compare with").first.select_option("")
    page.get_by_label("Form beside it").first.select_option("assembly")
    beside = page.locator(".tw-workbench .tw-pane-code .cm-content").nth(1)
    expect(beside).to_contain_text("push", timeout=30_000)
    start.screenshot("task-assembly")


def test_the_schedule_is_edited_as_code(start: Notebook) -> None:
    page = start.page
    pane = tab(page, "Schedule")
    editor = pane.get_by_role("textbox", name="The schedule as Python")

    def write(text: str) -> None:
        editor.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(text)

    write("i, j = s[C].op.axis\ni_outer, i_inner = s[C].split(i, factor=4)\ns[C].vectorize(j)\n")
    pane.get_by_role("button", name="Load").click()
    expect(said(page)).to_contain_text("loaded 2 steps")
    expect(code(page)).to_contain_text("for i.outer in range(128):")
    write("i, j = s[C].op.axis\ns[C].split(i, factr=4)\n")
    page.keyboard.press("Control+Enter")
    expect(said(page)).to_contain_text("factr")
    expect(code(page)).to_contain_text("for i.outer in range(128):")  # nothing changed
    row(page, "C/k").click()
    page.keyboard.press("u")
    expect(row(page, "C/k")).to_contain_text("unroll")
    expect(editor).to_contain_text("factr=4")  # what was typed stays until it is loaded or given up
    pane.get_by_role("button", name="Revert").click()
    expect(editor).to_contain_text("unroll")


def test_the_journal_is_walked_cut_and_branched(start: Notebook) -> None:
    page = start.page
    journal = tab(page, "Journal")
    for loop, factor in (("i", 8), ("j", 16), ("k", 4)):
        split(page, f"C/{loop}", factor)
        expect(journal).to_contain_text(f"split(C, axis={loop}, factor={factor})")
    journal.get_by_text("split(C, axis=j, factor=16)").hover()
    journal.get_by_role("button", name="Delete step 2").click()
    expect(said(page)).to_contain_text("deleted step 2, split(C, axis=j, factor=16)")
    expect(code(page)).to_contain_text("for j in range(512):")
    expect(code(page)).to_contain_text("for k.outer in range(128):")
    field = journal.get_by_label("Name of a new branch")
    field.fill("other")
    field.press("Enter")
    expect(journal.get_by_label("Branch", exact=True)).to_have_value("other")
    step = journal.get_by_text("split(C, axis=i, factor=8)")
    step.click(position={"x": 8, "y": 6})  # go to the state after it: by its name, for its values are buttons
    expect(journal.locator(".tw-ahead")).to_have_count(1)
    start.screenshot("task-journal")


def test_why_and_advice(start: Notebook) -> None:
    page = start.page
    split(page, "C/i", 30)
    expect(row(page, "C/i.outer")).to_be_visible()
    row(page, "C/i.outer").click()
    expect(tab(page, "Why")).to_contain_text("i.outer")
    start.screenshot("task-why")
    step = tab(page, "Advice").locator(".tw-step-button").first
    expect(step).to_be_visible(timeout=30_000)
    before = said(page).inner_text()
    step.click()
    expect(said(page)).not_to_have_text(before)
    expect(said(page)).to_contain_text("✓")


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
    press(page, "Measure")
    expect(said(page)).to_contain_text("the user forgot something", timeout=60_000)
    expect(page.locator(".jp-OutputArea-output", has_text="still alive")).to_have_count(1)
    notebook.screenshot("task-callback")


CALLBACK = """
import time, tewb
from tewb import te
calls = []
@tewb.register_func('slow', override=True)
def slow(a, b):
    calls.append(1)
    time.sleep(0.4)
    b[:] = a
A = te.placeholder((8, 8), name='A')
E = te.extern((8, 8), [A], lambda i, o: te.call_packed('slow', i[0], o[0]), name='E')
C = te.compute((8, 8), lambda i, j: E[i, j] + 1.0, name='C')
tewb.Workbench(te.create_schedule(C.op), [A, C], reference=lambda a: a + 1)
"""


def test_code_of_the_user_runs_only_when_it_is_asked_for(page: Any, lab: Lab) -> None:
    name = cells(lab, "slow", CALLBACK, "print(len(calls), 'calls')")
    notebook = opened(page, lab, name)
    for loop in ("i", "j"):
        split(page, f"C/{loop}", 2)
        expect(row(page, f"C/{loop}.inner")).to_be_visible()
    page.wait_for_timeout(1500)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell'); }")
    expect(page.locator(".jp-OutputArea-output", has_text="0 calls").first).to_be_visible()
    notebook.screenshot("task-slow-callback")


def test_later_cells_change_what_the_workbench_shows(page: Any, lab: Lab) -> None:
    name = cells(
        lab, "later", "import tewb\nbench = tewb.demo('matmul', n=64)\nbench",
        "s = bench.session.schedule\ns['C'].split('i', 4)",
    )  # fmt: skip
    opened(page, lab, name)
    expect(code(page)).to_contain_text("for i.outer in range(16):")
    expect(tab(page, "Journal")).to_contain_text("split(C, axis=i, factor=4)")


def test_two_workbenches_on_one_schedule_agree(page: Any, lab: Lab) -> None:
    name = cells(
        lab, "two", "import tewb\nbench = tewb.demo('matmul', n=64)\nbench",
        "tewb.Workbench(bench.session.schedule, bench.session.args)",
    )  # fmt: skip
    opened(page, lab, name)
    split(page, "C/i", 4)
    expect(row(page, "C/i.inner")).to_be_visible()
    second = page.locator(".tw-workbench").nth(1)
    second.scroll_into_view_if_needed()
    expect(second.locator('[data-key="C/i.inner"]')).to_be_visible()


def test_panes_compose_with_other_widgets(page: Any, lab: Lab) -> None:
    name = cells(
        lab, "panes", "import tewb, ipywidgets\nbench = tewb.demo('blur', n=64)\nbench",
        "s = bench.session\nipywidgets.HBox([s.view('loops'), s.view('code')])",
    )  # fmt: skip
    opened(page, lab, name)
    box = page.locator(".widget-hbox")
    box.scroll_into_view_if_needed()
    box.locator('[data-key="Y/i"]').click()
    page.keyboard.press("s")
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    expect(box.locator(".cm-content")).to_contain_text("for i.outer in range(8):")
    expect(row(page, "Y/i.inner")).to_have_count(1)


def wait_until_saved(lab: Lab, page: Any, name: str, wanted: str, steps: int) -> None:
    """Until the saved notebook has `wanted` in it, and a journal of so many steps."""
    path = Path(lab.folder) / name
    for _ in range(200):
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        time.sleep(0.3)
        text = path.read_text("utf-8")
        kept = json.loads(text)["metadata"].get("tewb", {}).get("programs", {})
        if wanted in text and [record["steps"] for record in kept.values()] == [steps]:
            return
    raise AssertionError(f"{wanted} and {steps} steps are not in the saved notebook")


def test_work_is_there_again_the_next_day(page: Any, lab: Lab) -> None:
    """Close, kill the kernel, reopen: the last state is seen without a kernel, and is restored by running the cell."""
    later = "print('later:', [str(step.primitive) for step in bench.session.journal])"
    name = cells(lab, "night", "import tewb\nbench = tewb.demo('blur', n=64)\nbench", later)
    opened(page, lab, name)
    split(page, "Y/i", 8)
    expect(row(page, "Y/i.inner")).to_be_visible()
    row(page, "X").drag_to(row(page, "Y/i.outer"))
    expect(said(page)).to_contain_text("compute_at(X")
    wait_until_saved(lab, page, name, "compute_at(X", 2)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.wait_for_timeout(1500)
    again = page.context.new_page()
    notebook = Notebook(again, lab, name)
    look = again.locator(".tw-look")
    expect(look).to_contain_text("compute_at(X, parent=Y, axis=i.outer)")
    expect(look).to_contain_text("2.5 KiB, of 16 KiB")
    notebook.screenshot("reopened-light")
    notebook.run_all()
    notebook.idle()
    expect(said(again)).to_contain_text("2 steps from today")
    expect(again.locator(".jp-OutputArea-output", has_text="later:")).to_have_text(
        "later: ['split', 'compute_at']\n"
    )  # a cell that ran at once after the workbench's
    expect(row(again, "Y/i.inner")).to_be_visible()
    said(again).get_by_role("button", name="Start over").click()
    expect(row(again, "Y/i")).to_be_visible()


ROWS_AND_COSTS = """() => [...document.querySelectorAll('.tw-row')].map(row => {
  const [text, cost] = ['.tw-words', '.tw-heat'].map(x => row.querySelector(x)?.getBoundingClientRect());
  const {top, bottom} = row.getBoundingClientRect();
  return cost ? {key: row.dataset.key, right: text.right, left: cost.left, inside: cost.top >= top - 1 && cost.bottom <= bottom + 1} : null;
}).filter(x => x)"""


def test_costs_stand_beside_their_rows_and_what_is_saved_at_once_is_what_is_shown(
    page: Any, lab: Lab
) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    name = cells(lab, "costs", "import tewb\nbench = tewb.demo('blur', n=512)\nbench")
    opened(page, lab, name)
    split(page, "Y/i", 16)
    expect(row(page, "Y/i.inner")).to_be_visible()
    row(page, "X").drag_to(row(page, "Y/i.outer"))
    expect(said(page)).to_contain_text("compute_at(X")
    page.get_by_label("Cost that is shown").first.select_option("operations")
    expect(row(page, "X").locator(".tw-heat")).to_be_visible()
    found = page.evaluate(ROWS_AND_COSTS)
    assert {"X", "X/i", "Y/i.outer"} <= {x["key"] for x in found}
    assert [x for x in found if not x["inside"] or x["right"] > x["left"] + 1] == []
    split(page, "Y/j", 8)
    expect(said(page)).to_contain_text("split(Y, axis=j, factor=8)")
    page.evaluate(
        "() => window.jupyterapp.commands.execute('docmanager:save')"
    )  # before the look is made anew
    path = Path(lab.folder) / name
    for _ in range(100):
        text = path.read_text("utf-8")
        if "split(Y, axis=j, factor=8)" in text:
            break
        page.wait_for_timeout(100)
    output = json.loads(text)["cells"][0]["outputs"][0]["data"]["text/html"]
    assert "split(Y, axis=j, factor=8)" in "".join(output)
    kept = json.loads(text)["metadata"]["tewb"]["programs"]
    assert [record["steps"] for record in kept.values()] == [3]


def test_high_contrast_and_a_small_screen(start: Notebook) -> None:
    page = start.page
    page.set_viewport_size({"width": 1280, "height": 600})
    split(page, "C/j", 64)
    expect(code(page)).to_contain_text("for j.outer in range(8):")
    start.theme("JupyterLab Dark High Contrast")
    bench = start.workbench()
    wide = (
        "() => { const b = document.querySelector('.tw-workbench'); return b.scrollWidth - b.clientWidth; }"
    )
    assert page.evaluate(wide) <= 2  # nothing runs out of the page
    assert bench.bounding_box()["height"] <= 0.81 * 600
    start.screenshot("small-contrast")


def test_no_errors_in_the_console(page: Any, lab: Lab) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" and "tewb" in m.text else None)
    opened(page, lab, "00-start.ipynb")
    for name in ("Journal", "Advice", "Why", "Memory", "Times", "Schedule", "Graph", "Do"):
        tab(page, name)
        page.wait_for_timeout(200)
    split(page, "C/i", 8)
    expect(row(page, "C/i.inner")).to_be_visible()
    assert errors == []


WRONG = """
import tewb, tewb.workbench.desk as desk
from tewb.workbench.measure.verify import Verdict
said = "step 2, split(C, axis=j, factor=8), changed the result: C differs from numpy: first at (0, 3): 5.0 instead of 4.0"
desk.verify = lambda schedule, args: Verdict(len(schedule.journal) < 2, said, 1)
tewb.demo("matmul", n=64)
"""


def test_a_different_result_is_shown_with_its_counterexample_and_its_step(page: Any, lab: Lab) -> None:
    opened(page, lab, cells(lab, "wrong", WRONG))
    split(page, "C/i", 4)
    expect(row(page, "C/i.inner")).to_be_visible()
    split(page, "C/j", 8)
    expect(said(page)).to_contain_text("first at (0, 3): 5.0 instead of 4.0")
    expect(said(page).get_by_role("button", name="Minimise")).to_be_visible()
    expect(page.locator(".tw-badge").first).to_contain_text("different")
    expect(tab(page, "Journal").locator(".tw-step", has_text="changed the result")).to_contain_text("axis=j")
    press(page, "Undo")
    expect(said(page)).not_to_contain_text("5.0 instead of 4.0")


SYMBOLIC = """
import tewb
from tewb import te
n = te.var("n")
A = te.placeholder((n, 100), name="an_input_with_a_name_that_is_rather_long")
B = te.compute((n, 100), lambda i, j: A[i, j] * 2.0, name="B")
tewb.Workbench(te.create_schedule(B.op), [A, B])
"""


def test_sizes_are_set_hints_are_pressed_and_long_names_are_cut(page: Any, lab: Lab) -> None:
    notebook = opened(page, lab, cells(lab, "symbolic", SYMBOLIC))
    name = page.locator('.tw-tree [data-key^="an_input"]').first
    expect(name.locator("b")).to_have_text("an_input_with_…_is_rather_long")
    expect(name.locator(".tw-words")).to_have_attribute(
        "title", re.compile("an_input_with_a_name_that_is_rather_long")
    )
    times = tab(page, "Times")
    field = times.get_by_label("Value of n")
    expect(field).to_have_value("128")
    field.fill("40")
    field.press("Enter")
    expect(said(page)).to_contain_text("n is 40 in measurements")
    measure(page)
    expect(times).to_contain_text("n = 40")
    row(page, "B/i").click()
    page.keyboard.press("v")
    expect(said(page)).to_contain_text("the extent of i is not a constant")
    said(page).get_by_role("button", name=re.compile("^split.B, axis=i")).click()
    expect(row(page, "B/i.inner")).to_contain_text("vectorize")
    form = fill_form(page, "specialize", condition="n > 3")
    some = form.get_by_label("Some for condition")
    some.select_option("n >= 64")
    expect(form.get_by_label("condition", exact=True)).to_have_value("n >= 64")
    form.get_by_label("condition", exact=True).fill("n > 3")  # one's own
    form.get_by_role("button", name="Apply").click()
    expect(said(page)).to_contain_text("specialize(B, condition=n > 3)")
    press(page, "Undo")
    form = fill_form(page, "split")
    expect(form.get_by_label("disable_predication")).to_have_count(0)
    form.get_by_role("button", name="more").click()
    expect(form.get_by_label("disable_predication")).to_be_visible()
    notebook.screenshot("task-symbolic")
