"""The code in all its forms: long ones scroll, fold and are searched; two stand beside each other, linked."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.bench import code, row, split, tab
from tests.browser.lab import Lab, Notebook, opened
from tests.browser.test_tasks import cells
from tewb.schedule import Step
from tewb.workbench.states.code import LOWERED, code_state

LONG = """
import tewb
from tewb import te
A = te.placeholder((64, 64), name="A")
t = A
for k in range(24):
    t = te.compute((64, 64), lambda i, j, t=t: t[i, j] * 2.0 + 1.0, name=f"S{k}")
s = te.create_schedule(t.op)
for st in s.stages[1:]:
    s[st.op].split(st.op.axis[0], 32)
    s[st.op].unroll(s[st.op].leaf_iter_vars[1])
tewb.Workbench(s, [A, t])
"""


def forms(page: Any) -> list[str]:
    return list(page.get_by_label("Form of the code").first.evaluate("e => [...e.options].map(o => o.value)"))


def test_every_form_is_shown(start: Notebook) -> None:
    page = start.page
    names = forms(page)
    assert names[0] == "TE" and names[-1] == "assembly" and len(names) > 8
    for name in names:
        page.get_by_label("Form of the code").first.select_option(name)
        expect(page.locator(f'.cm-content[aria-label="Code: {name}"]')).to_be_visible(timeout=30_000)
        expect(code(page)).not_to_be_empty()


def test_a_loop_lights_in_the_code_and_in_the_assembly_beside_it(start: Notebook) -> None:
    page = start.page
    page.get_by_label("Form beside it").first.select_option("assembly")
    panes = page.locator(".tw-workbench .tw-pane-code .cm-content")
    expect(panes.nth(1)).to_contain_text("push", timeout=30_000)
    row(page, "C").hover()
    expect(panes.nth(0).locator(".tw-lit").first).to_be_visible()
    page.locator(".tw-workbench .tw-pane-code .cm-scroller").nth(0).evaluate("e => e.scrollTo(0, 200)")
    panes.nth(0).locator(".cm-line", has_text="for j in").first.hover()
    expect(row(page, "C/j")).to_have_class(re.compile("tw-lit"))
    page.get_by_label("Form beside it").first.select_option("")
    expect(panes).to_have_count(1)


def test_thousands_of_lines_scroll_fold_and_are_searched(page: Any, lab: Lab) -> None:
    notebook = opened(page, lab, cells(lab, "long", LONG))
    scroller = page.locator(".tw-pane-code .cm-scroller").first
    height = scroller.evaluate("e => e.scrollHeight")
    assert height > 20_000  # more than a thousand lines
    assert page.locator(".tw-pane-code .cm-line").count() < 400  # only those in view are in the page
    scroller.evaluate("e => { e.scrollTop = e.scrollHeight; }")
    expect(page.locator(".tw-pane-code .cm-line").last).to_be_visible()
    code(page).click()
    page.keyboard.press("Control+f")
    field = page.locator(".cm-search input[name=search]")
    field.click()
    page.keyboard.type("S17[")
    page.keyboard.press("Enter")
    expect(page.locator(".cm-searchMatch-selected")).to_be_visible()
    page.keyboard.press("Escape")
    notebook.screenshot("long-light")


UNROLLED = """
import tewb
from tewb import te
A = te.placeholder((8, 128), name="A")
t = A
for k in range(31):
    t = te.compute((8, 128), lambda i, j, t=t: t[i, j] * 2.0 + 1.0, name=f"S{k}")
s = te.create_schedule(t.op)
for st in s.stages[1:]:
    s[st.op].unroll("j")
session = tewb.Session(s, [A, t])
"""

SHOWN = "document.querySelector('.tw-pane-code .cm-content').cmTile.root.view"


def test_an_edit_sends_its_lines_of_thousands_and_the_page_has_all_of_them(page: Any, lab: Lab) -> None:
    frames: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: frames.append(len(data))))
    opened(page, lab, cells(lab, "unrolled", UNROLLED + "tewb.Workbench(session)"))
    here: dict[str, Any] = {}
    exec(UNROLLED, here)
    session = here["session"]

    def same(form: str = LOWERED) -> str:
        """The text that a session here has, which the page comes to show."""
        text = code_state(session, form).text
        page.wait_for_function(f"text => {SHOWN}.state.doc.toString() === text", arg=text, timeout=60_000)
        return text

    first = same()
    assert first.count("\n") > 4000
    scroller = page.locator(".tw-pane-code .cm-scroller").first
    scroller.evaluate("e => { e.scrollTop = e.scrollHeight / 2; }")
    expect(code(page)).to_contain_text("S15[i, 60] =")
    frames.clear()
    split(page, "S2/i", 2)
    session.apply(Step("split", "S2", {"axis": "i", "factor": 2}))
    same()
    assert max(frames) < len(first) / 2
    expect(code(page)).to_contain_text("S15[i, 60] =")  # the place stays
    page.keyboard.press("Control+z")
    session.undo()
    assert same() == first
    page.keyboard.press("Control+Shift+z")
    session.redo()
    same()
    for form in ("schedule_ops", "TE", LOWERED):
        page.get_by_label("Form of the code").first.select_option(form)
        same(form)
    row(page, "S30/i").click()
    page.keyboard.press("p")
    session.apply(Step("parallel", "S30", {"axis": "i"}))
    assert "T.parallel(8)" in same()


def test_panes_that_are_not_seen_cost_nothing(start: Notebook) -> None:
    page = start.page
    tab(page, "Memory")
    expect(page.locator(".tw-workbench .tw-pane-graph")).to_have_count(0)
