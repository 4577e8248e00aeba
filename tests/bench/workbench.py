"""From a key to the painted code in the browser: a matrix product, 24 stages, and 4,000 lines of IR; and what an edit
costs in Python with every pane open.

The clock runs in the page: it starts at the key press and stops at the frame after the text of the code has changed.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat

from tests.bench.harness import heading, shown
from tests.browser.lab import CHROMIUM_FLAGS, Lab, Notebook, find_chromium
from tewb.workbench.demos import demo_session
from tewb.workbench.desk import Desk
from tewb.workbench.states.views import VIEWS

PRESSED = """(key) => new Promise((resolve) => {
  const code = document.querySelector('.tw-workbench .tw-pane-code .cm-content');
  const row = document.querySelector('.tw-workbench [role=treeitem][aria-selected=true]');
  const observer = new MutationObserver(() => {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
  });
  observer.observe(code, { childList: true, subtree: true, characterData: true });
  const start = performance.now();
  row.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey: true, bubbles: true }));
})"""

MATMUL = """
import tewb
bench = tewb.demo("matmul", n=512)
s = bench.session.schedule
s["C"].tile("i", "j", 8, 32)
s["C"].vectorize("j.inner")
bench
"""

STAGES = """
import tewb
from tewb import te
A = te.placeholder((64, 64), name="A")
t, stages = A, []
for k in range(24):
    t = te.compute((64, 64), lambda i, j, t=t: t[i, j] * 2.0 + 1.0, name=f"S{k}")
    stages.append(t)
s = te.create_schedule(t.op)
for t in stages:
    s[t].split("i", 8)
bench = tewb.Workbench(s, [A, t])
s["S23"].vectorize("j")
bench
"""

# Unrolled bodies: about 4,000 lines.
LONG = """
import tewb
from tewb import te
A = te.placeholder((64, 64), name="A")
t, stages = A, []
for k in range(30):
    t = te.compute((64, 64), lambda i, j, t=t: t[i, j] * 2.0 + 1.0, name=f"S{k}")
    stages.append(t)
s = te.create_schedule(t.op)
for t in stages:
    s[t].split("i", 8)
    s[t].split("j", 16)
    s[t].unroll("i.inner")
    s[t].unroll("j.inner")
bench = tewb.Workbench(s, [A, t])
s["S29"].parallel("i.outer")
bench
"""


def main() -> None:
    heading("an edit in Python, every view made (aim: 15 ms without the slow ones)", "")
    in_python()
    heading("key to painted code in the browser (aims: 50, 100, 100 ms)", "")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        lab = Lab(Path(folder))
        browser = p.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        try:
            for name, source in (("matrix product", MATMUL), ("24 stages", STAGES), ("long code", LONG)):
                times, lines = presses(browser, lab, name.split()[0], source)
                print(
                    f"{f'{name}, {lines} lines of code':<44} {shown(statistics.median(times)):>10}"
                    f"   worst {shown(max(times))}"
                )
        finally:
            browser.close()
            lab.stop()


def in_python() -> None:
    """Undo and redo in turn, and then the states of all views that a person waits for, and of the slow ones."""
    session = demo_session("matmul")
    session.schedule["C"].tile("i", "j", 8, 32)
    session.schedule["C"].vectorize("j.inner")
    session.sync()
    desk = Desk(session)
    options = {
        "primitives": {"stage": "C"},
        "actions": {"stage": "C"},
        "why": {"what": "bound", "stage": "C", "loop": "k"},
    }
    fast: list[float] = []
    slow: list[float] = []
    for k in range(12):
        start = time.perf_counter()
        session.undo() if k % 2 == 0 else session.redo()
        for name, view in VIEWS.items():
            if not view.slow:
                desk.look(name, options.get(name, {}))
        fast.append(time.perf_counter() - start)
        start = time.perf_counter()
        for name, view in VIEWS.items():
            if view.slow and name != "roof":
                desk.look(name, options.get(name, {}))
        slow.append(time.perf_counter() - start)
    print(f"{'an edit and what is waited for':<44} {shown(statistics.median(fast)):>10}")
    print(f"{'what follows in pieces':<44} {shown(statistics.median(slow)):>10}")


def presses(browser: Any, lab: Lab, name: str, source: str, repeat: int = 16) -> tuple[list[float], int]:
    """Seconds from Ctrl+Z and Ctrl+Y, in turn, to the painted code; and the lines of the code."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.folder / f"{name}.ipynb")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    opened = Notebook(page, lab, f"{name}.ipynb")
    opened.run_all()
    opened.workbench()
    page.locator(".tw-workbench .cm-line").first.wait_for(timeout=60_000)
    page.wait_for_timeout(3000)
    times = []
    for k in range(repeat):
        times.append(page.evaluate(PRESSED, "z" if k % 2 == 0 else "y") / 1000)
        page.wait_for_timeout(1200)  # what follows the code, and the check
    scroller = page.locator(".tw-pane-code .cm-scroller").first
    scroller.evaluate("e => { e.scrollTop = e.scrollHeight; }")
    page.wait_for_timeout(300)
    lines = page.locator(".tw-pane-code .cm-lineNumbers .cm-gutterElement").last.inner_text()
    page.close()
    return times, int(lines)
