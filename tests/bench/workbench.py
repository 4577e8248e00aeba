"""From a click to the changed code in the browser: a matrix product, and a large program.

The clock runs in the page: it starts at the click and stops when the text of the code panel has changed.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

import nbformat

from tests.bench.harness import heading, shown
from tests.browser.lab import CHROMIUM_FLAGS, Lab, Notebook, find_chromium

CHANGED = """(button) => new Promise((resolve) => {
  const panel = () => document.querySelector('.tw-panel-ir')?.innerText;
  const before = panel();
  const start = performance.now();
  const look = () => {
    const now = panel();
    if (now && now !== before) { observer.disconnect(); resolve(performance.now() - start); }
  };
  const observer = new MutationObserver(look);
  observer.observe(document.querySelector('.tw-bench'), { childList: true, subtree: true, characterData: true });
  document.querySelector(`button.tw-${button}`).click();
})"""

MATMUL = """
import tewb
bench = tewb.demo("matmul", n=512)
s = bench.session.schedule
s["C"].tile("i", "j", 8, 32)
bench
"""

# 50 stages, of which some are unrolled: about 2,000 lines, with 200 steps in the journal.
LARGE = """
import tewb
from tewb import te
A = te.placeholder((64, 64), name="A")
t, stages = A, []
for k in range(49):
    t = te.compute((64, 64), lambda i, j, t=t: t[i, j] * 2.0 + 1.0, name=f"S{k}")
    stages.append(t)
s = te.create_schedule(t.op)
for t in stages:
    for n in range(2):
        s[t].split(s[t].leaf_iter_vars[0], 8 - 4 * n)
    s[t].split("j", 16)
    s[t].unroll(s[t].leaf_iter_vars[2])
s["S0"].unroll(s["S0"].leaf_iter_vars[1])
bench = tewb.Workbench(s, [A, t])
bench.stage.value = "S48"
bench
"""


def main() -> None:
    heading("click to changed code in the browser (aims: 80 ms, 300 ms for the large one)", "")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        lab = Lab(Path(folder))
        browser = p.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        try:
            for name, source in (("matrix product", MATMUL), ("50 stages", LARGE)):
                times, lines = clicks(browser, lab, name.split()[0], source)
                print(
                    f"{f'{name}, {lines} lines of code':<44} {shown(statistics.median(times)):>10}"
                    f"   worst {shown(max(times))}"
                )
        finally:
            browser.close()
            lab.stop()


def clicks(browser: Any, lab: Lab, name: str, source: str, repeat: int = 12) -> tuple[list[float], int]:
    """Seconds from clicks on Undo and Redo, in turn, to the changed code; and the lines of the code."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.folder / f"{name}.ipynb")
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    opened = Notebook(page, lab, f"{name}.ipynb")
    opened.run_all()
    opened.workbench()
    page.locator(".tw-panel-ir").first.wait_for(timeout=60_000)
    page.wait_for_timeout(3000)
    times = []
    for k in range(repeat):
        times.append(page.evaluate(CHANGED, "undo" if k % 2 == 0 else "redo") / 1000)
        page.wait_for_timeout(1500)  # what follows the code, and the check
    lines = page.evaluate("() => document.querySelector('.tw-panel-ir').innerText.split('\\n').length")
    page.close()
    return times, int(lines)
