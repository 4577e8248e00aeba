"""The page under the rules of VS Code's notebooks: a bare page without jupyterapp, notebook or eval, with its theme variables.

Where a Content-Security-Policy is on there, it lets widgets' modules in (anywidget imports them from blobs), inline styles,
and nothing from elsewhere. Behind the widget's model stands a desk in this process.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.bench import apply, code, press, row, said, split, tab
from tests.browser.lab import SCREENSHOTS
from tewb.workbench.demos import demo_session
from tewb.workbench.desk import Desk, answer
from tewb.workbench.journal.fingerprint import fingerprint
from tewb.workbench.notebook.panes import _BUILT

POLICY = (
    "default-src 'none'; script-src 'self' blob: 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src https: http: data:; font-src https:; connect-src https:; child-src https: data:"
)
DARK = {
    "editor-foreground": "#d4d4d4", "editor-background": "#1e1e1e", "descriptionForeground": "#cccccc", "sideBar-background": "#252526",
    "button-background": "#0e639c", "button-foreground": "#ffffff", "errorForeground": "#f48771", "panel-border": "#808080",
    "terminal-ansiGreen": "#0dbc79",
}  # fmt: skip
PAGE = """<!doctype html><html lang="en" style="%s"><body class="vscode-dark" style="background: #1e1e1e; margin: 0">
<div class="cell_container"><div class="output"><div class="tw-look">as it was</div></div><div class="output" id="here"></div></div>
<script type="module">
  import widget from "/loader.js";
  const listeners = new Map();
  const on = (event, f) => listeners.set(event, [...(listeners.get(event) ?? []), f]);
  const tell = (event, ...args) => (listeners.get(event) ?? []).forEach(f => f(...args));
  const traits = await window.python({kind: "traits"});
  const code = await (await fetch("/bundle.js")).text();
  const page = new Map([["code", code], ["version", "1"]]);
  const model = {
    get: name => traits[name], set: (name, value) => { traits[name] = value; }, save_changes() {}, on,
    off: (event, f) => listeners.set(event, (listeners.get(event) ?? []).filter(g => g !== f)),
    send: message => window.python(message).then(all => all.forEach(m => tell("msg:custom", m))),
    widget_manager: { get_model: async () => page },
  };
  window.stop = await widget.render({ model, el: document.getElementById("here") });
</script></body></html>"""


@pytest.fixture
def vscode(page: Any) -> Any:
    """A page like that of a notebook in VS Code, with the workbench in it."""
    desk, watched = Desk(demo_session("matmul", n=64)), dict[str, Any]()
    traits = {
        "page": "IPY_MODEL_1", "pane": "workbench", "desk": "vscode", "selected": desk.selected, "form": desk.form,
        "program": fingerprint(desk.session.name, desk.session.schedule, desk.session.args), "kept": {},
    }  # fmt: skip

    def states() -> dict[str, Any]:
        found = {key: desk.look(w["view"], w["options"]) for key, w in watched.items()}
        return {"kind": "states", "version": desk.session.schedule.version, "states": found}

    def python(message: dict[str, Any]) -> Any:
        match message["kind"]:
            case "traits":
                return traits
            case "watch":
                watched.clear()
                watched.update(message["views"])
                return [states()]
            case "ask":
                return json.loads(json.dumps([answer(desk, message), states()]))
        return []

    files = {"/": PAGE % ";".join(f"--vscode-{name}: {value}" for name, value in DARK.items())}
    files |= {f"/{name}": (_BUILT / name).read_text("utf-8") for name in ("loader.js", "bundle.js")}

    def serve(route: Any) -> None:
        path = route.request.url.removeprefix("https://vscode.test")
        if path not in files:
            return route.abort()
        kind = "text/html" if path == "/" else "text/javascript"
        route.fulfill(
            body=files[path],
            content_type=kind,
            headers={"Content-Security-Policy": POLICY, "Access-Control-Allow-Origin": "*"},
        )

    page.errors = []
    page.on("pageerror", lambda e: page.errors.append(str(e)))
    page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
    page.route("**/*", serve)
    page.expose_function("python", python)
    page.set_viewport_size({"width": 1100, "height": 800})
    page.goto("https://vscode.test/")
    page.locator(".tw-workbench .cm-line").first.wait_for()
    return page


def test_the_workbench_works_under_the_rules_of_vscode(vscode: Any) -> None:
    page = vscode
    split(page, "C/i", 16)
    expect(code(page)).to_contain_text("for i.outer in range(4):")
    press(page, "Undo")
    expect(code(page)).to_contain_text("for i in range(64):")
    row(page, "C/k").click()
    apply(page, "parallel")
    expect(said(page)).to_contain_text("k is a reduce axis")
    page.keyboard.press("w")  # there is no notebook to write a cell into
    expect(tab(page, "Journal").get_by_role("button", name="To a cell")).to_have_count(0)
    page.keyboard.press("Shift+F")
    for name in ("Graph", "Memory", "Times", "Schedule", "Advice", "Why"):
        tab(page, name)
    expect(page.locator(".tw-look")).to_be_hidden()
    page.screenshot(path=SCREENSHOTS / "vscode-dark.png")
    assert page.errors == []


def test_it_takes_the_colours_of_vscode(vscode: Any) -> None:
    colours = vscode.evaluate(
        "() => { const s = getComputedStyle(document.querySelector('.tw-workbench')); return [s.color, s.backgroundColor]; }"
    )
    assert colours == ["rgb(212, 212, 212)", "rgb(30, 30, 30)"]
