"""The workbench in a real browser: from keys and clicks to painted code, opening, scrolling, dragging, the bundle; and
what an edit costs in Python with every pane open.

Clocks run in the page: from the time stamp of the press to the frame after what is waited for has changed. On a machine
that is shared these say little; the least is printed beside the median, and the time that the processor worked: of the page's
main thread until the paint, of Python for an edit.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

from tests.bench.harness import shown
from tests.bench.page_probes import ARM, CODE, FOLLOW, LIT, OPENING, PAINTED, PALETTE, SCROLL, WATCH, WATCHED
from tests.browser.lab import CHROMIUM_FLAGS, Lab, Notebook, find_chromium
from tewb.schedule import Step
from tewb.workbench.notebook.panes import the_page
from tewb.workbench.states.views import VIEWS

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

# Unrolled bodies: about 4,000 lines of IR, 12,000 of assembly.
LONG = """
import tewb
from tewb import te
A = te.placeholder((8, 128), name="A")
t, stages = A, []
for k in range(31):
    t = te.compute((8, 128), lambda i, j, t=t: t[i, j] * 2.0 + 1.0, name=f"S{k}")
    stages.append(t)
s = te.create_schedule(t.op)
for t in stages:
    s[t].unroll("j")
bench = tewb.Workbench(s, [A, t])
s["S30"].parallel("i")
bench
"""

FIVE = """
import ipywidgets, tewb
from IPython.display import display
for name in ("matmul", "blur", "softmax", "extern", "matmul"):
    display(tewb.demo(name))
"""
PANES = """
bench = tewb.demo("matmul")
display(bench, ipywidgets.HBox([bench.session.view("loops"), bench.session.view("code")]), bench.session.view("journal"))
"""

PROGRAMS = {"matrix product": MATMUL, "24 stages": STAGES, "4,000 lines": LONG}


def main() -> None:
    heading("an edit in Python, every pane open (aim: 15 ms)")
    for name, source in PROGRAMS.items():
        in_python(name, source)
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        lab = Lab(Path(folder))
        browser = p.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        try:
            in_browser(browser, lab)
        finally:
            browser.close()
            lab.stop()


def heading(title: str) -> None:
    print(f"\n{title:<60} {'median':>10} {'least':>10} {'processor':>10}", flush=True)


def row(name: str, seconds: list[float], work: list[float] | None = None) -> None:
    """A line: the median and the least of some times, and the median of the work of the processor in them."""
    worked = shown(statistics.median(work)) if work else ""
    print(
        f"{name:<60} {shown(statistics.median(seconds)):>10} {shown(min(seconds)):>10} {worked:>10}",
        flush=True,
    )


# ---------------------------------------------------------------- Python


def in_python(name: str, source: str, repeat: int = 8) -> None:
    """Edits that were never made before, each taken back again, with all views watched."""
    cell: dict[str, Any] = {}
    exec(source, cell)
    bench = cell["bench"]
    session = bench.session
    session.sync()
    stage = next(s.name for s in session.schedule.stages if not s.is_placeholder)
    loop = session.schedule[stage].axis_name(session.schedule[stage].leaf_iter_vars[0])
    options: dict[str, dict[str, Any]] = {
        "primitives": {"stage": stage},
        "actions": {"stage": stage, "loop": None},
        "why": {"what": "bound", "stage": stage, "loop": loop},
    }
    returned, sent, worked, worked_in_all = [], [], [], []

    async def edit(factor: int) -> None:
        start, work = time.perf_counter(), time.process_time()
        session.apply(Step("split", stage, {"axis": loop, "factor": factor}))
        returned.append(time.perf_counter() - start)
        worked.append(time.process_time() - work)
        await settled(bench)
        sent.append(time.perf_counter() - start)
        worked_in_all.append(time.process_time() - work)
        session.undo()
        await settled(bench)

    async def edits() -> None:
        views = [
            v
            for v in (*VIEWS, "checked", "measured")
            if v not in ("llvm", "roof") and not VIEWS.get(v, VIEWS["code"]).beside
        ]  # those run other programs
        watched = {v: {"view": v, "options": options.get(v, {})} for v in views}
        bench._asked(None, {"kind": "watch", "client": "bench", "views": watched}, None)
        await settled(bench)
        for k in range(repeat):
            await edit(2 + k)

    asyncio.run(edits())
    row(f"{name}: until what is waited for is sent", returned, worked)
    row(f"{name}: until all is sent", sent, worked_in_all)


async def settled(bench: Any) -> None:
    """Until the slow views of a pane are sent."""
    while not bench.is_up_to_date:
        await asyncio.sleep(0)


# ---------------------------------------------------------------- the browser


def in_browser(browser: Any, lab: Lab) -> None:
    heading("opening a notebook, from the kernel being up (aim: 3 s)")
    opening(browser, lab)
    heading("the page")
    bundle(browser, lab)
    heading("from a press to the paint (aims for code: 50, 100, 100 ms)")
    for name, source in PROGRAMS.items():
        with notebook_of(browser, lab, name, source) as page:
            presses(page, name)
            if source is MATMUL:
                dragging(page)
            if source is LONG:
                scrolling(page)


@contextmanager
def notebook_of(browser: Any, lab: Lab, name: str, *sources: str, run: bool = True) -> Iterator[Any]:
    """A page with a notebook of these cells, run, with its workbench at rest."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    opened = Notebook(page, lab, write(lab, name, *sources))
    if run:
        opened.run_all()
        opened.idle()
        opened.workbench()
        page.locator(".tw-workbench .cm-line").first.wait_for(timeout=60_000)
        page.wait_for_timeout(2500)
    yield page
    context.close()


def write(lab: Lab, name: str, *sources: str) -> str:
    """A notebook in the folder of the server; returns its name."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    file = f"{name.replace(' ', '-').replace(',', '')}.ipynb"
    nbformat.write(notebook, lab.folder / file)
    return file


def opening(browser: Any, lab: Lab, repeat: int = 5) -> None:
    code, all_ = [], []
    for k in range(repeat):
        with notebook_of(browser, lab, f"opening {k}", MATMUL, run=False) as page:
            first, last = page.evaluate(OPENING)
            code.append(first / 1000)
            all_.append(last / 1000)
    row("to loops and code", code)
    row("to the list of legal steps", all_)


def bundle(browser: Any, lab: Lab) -> None:
    """How large the page is, and how often it is sent to a notebook with six workbenches and three panes."""
    text = the_page().code
    frames: list[bytes] = []

    def keep(payload: str | bytes) -> None:
        frames.append(payload.encode() if isinstance(payload, str) else payload)

    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.on("websocket", lambda socket: socket.on("framereceived", keep))
    opened = Notebook(page, lab, write(lab, "many", FIVE, PANES))
    opened.run_all()
    opened.idle()
    page.wait_for_timeout(1500)
    mark = text[-200:-100].encode()
    mark_json = json.dumps(mark.decode())[1:-1].encode()
    times = sum(f.count(mark_json) or f.count(mark) for f in frames)
    print(f"{'size of the bundle (aim: 450 KB)':<60} {len(text.encode()) / 1000:>7.0f} KB")
    print(f"{'sent to a notebook of six workbenches and three panes':<60} {times:>7} x")
    print(f"{'all that was sent to it':<60} {sum(map(len, frames)) / 1000:>7.0f} KB")
    context.close()


def presses(page: Any, name: str, repeat: int = 8) -> None:
    """New steps by key, undo by key, redo by click, hovering and the palette."""
    row_of = page.locator(".tw-workbench [role=treeitem].tw-loop")
    times: dict[str, tuple[list[float], list[float]]] = {}
    chromium = page.context.new_cdp_session(page)
    chromium.send("Performance.enable", {"timeDomain": "threadTicks"})

    def work() -> float:
        metrics = chromium.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    def timed(what: str, selector: str, act: Callable[[], None]) -> None:
        page.evaluate(ARM, selector)
        seconds, worked = times.setdefault(what, ([], []))
        before = work()
        act()
        seconds.append(page.evaluate(PAINTED) / 1000)
        worked.append(work() - before)
        page.wait_for_timeout(700)  # what follows, and the check

    for k in range(repeat):
        row_of.first.click()
        page.keyboard.press("s")
        page.keyboard.type(str(2 + k))
        timed("a new step by key", CODE, lambda: page.keyboard.press("Enter"))
        timed("undo by key", CODE, lambda: page.keyboard.press("Control+z"))
        timed("redo by click", CODE, lambda: page.get_by_role("button", name="Redo", exact=True).click())
        page.keyboard.press("Control+z")
        page.wait_for_timeout(700)
        page.mouse.move(5, 5)
        timed("a loop hovered to its lines lit", LIT, lambda: row_of.first.hover())
        page.mouse.move(5, 5)
        timed("Ctrl+K to the palette", PALETTE, lambda: page.keyboard.press("Control+k"))
        page.keyboard.press("Escape")
        page.wait_for_timeout(200)
    for what, found in times.items():
        row(f"{name}: {what}", *found)


def dragging(page: Any) -> None:
    """The bar between loops and code, dragged to and fro."""
    bar = page.get_by_role("separator", name="Width of the loops")
    box = bar.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    with watched(page, "dragging the bar between loops and code") as found:
        page.evaluate(FOLLOW, ".tw-splitter-row")
        for k in range(120):
            page.mouse.move(x + 3 * (30 - abs(k % 60 - 30)), y)
            page.wait_for_timeout(10)
    page.mouse.up()
    print(f"{'   the bar is off the pointer, when painted, by at most':<60} {max(found['lags']):>7.1f} px")


def scrolling(page: Any) -> None:
    """All of a long assembly, and jumps in it."""
    page.get_by_label("Form of the code", exact=True).select_option("assembly")
    page.wait_for_function(
        "() => document.querySelector('.tw-pane-code .cm-scroller').scrollHeight > 100000", timeout=60_000
    )
    page.wait_for_timeout(3000)
    scroller = page.locator(".tw-pane-code .cm-scroller").first
    scroller.evaluate("e => { e.scrollTop = e.scrollHeight; }")
    page.wait_for_timeout(500)
    lines = page.locator(".tw-pane-code .cm-lineNumbers .cm-gutterElement").last.inner_text()
    with watched(page, f"scrolling {lines} lines of code"):
        page.evaluate(SCROLL)


@contextmanager
def watched(page: Any, name: str) -> Iterator[dict[str, list[float]]]:
    """Prints how long frames and tasks of the page are meanwhile; what is yielded has all of them in the end. A task is long
    by the clock; by the work of the processor only where it is not held up by others."""
    chromium = page.context.browser
    found: dict[str, list[float]] = {}
    chromium.start_tracing(page=page, categories=["toplevel", "blink.user_timing"])
    page.evaluate("() => { performance.mark('watched'); }")
    page.evaluate(WATCH)
    yield found
    found |= page.evaluate(WATCHED)
    events = json.loads(chromium.stop_tracing())["traceEvents"]
    mark = next(e for e in events if e.get("name") == "watched")
    own = [
        e["tdur"] / 1e6
        for e in events
        if (e.get("pid"), e.get("tid")) == (mark["pid"], mark["tid"]) and "tdur" in e
    ]
    row(f"{name}: a frame", [f / 1000 for f in found["frames"]])
    late, tasks = sum(f > 50 for f in found["frames"]), found["tasks"]
    print(f"{'   frames over 50 ms':<60} {late:>7} of {len(found['frames'])}")
    print(
        f"{'   long tasks by the clock (over 50 ms)':<60} {len(tasks):>7}, the longest {max(tasks, default=0):.0f} ms"
    )
    print(
        f"{'   by work of the processor':<60} {sum(t > 0.05 for t in own):>7}, the longest {shown(max(own))}"
    )
