"""Driving a real JupyterLab in headless Chromium: a server, pages, and waiting for what must be there."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parent.parent.parent
SCREENSHOTS = Path(__file__).resolve().parent / "screenshots"
TOKEN = "tewb-tests"
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def find_chromium() -> str | None:
    """A Chromium or Chrome on this machine."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        found = shutil.which(name)
        if found:
            return found
    return None


class Server:
    """A server process on a port of its own, with no state from anywhere else. `command` may name {port}."""

    def __init__(self, folder: Path, command: list[str], environment: dict[str, str] | None = None) -> None:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        own = {**os.environ, **(environment or {})}
        for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
            own[f"JUPYTER_{name}"] = str(folder / name.lower())
        own["IPYTHONDIR"] = str(folder / "ipython")
        own["XDG_DATA_HOME"] = str(folder / "share")
        own["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.log = (folder / "server.log").open("w")
        arguments = [part.format(port=self.port) for part in command]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments], env=own, stdout=self.log, stderr=subprocess.STDOUT, cwd=ROOT
        )

    def wait(self, path: str) -> None:
        """Until the server answers at `path`."""
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5):
                    return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.25)
        raise RuntimeError(f"the server did not start: {Path(self.log.name).read_text()[-2000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Lab(Server):
    """A JupyterLab server on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        shutil.copytree(ROOT / "notebooks", self.folder)
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
        super().__init__(
            folder,
            [
                "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port={port}",
                "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self.folder}",
                "--expose-app-in-browser",
                # Kernels of tests that are over: ninety of them would fill the memory.
                "--MappingKernelManager.cull_idle_timeout=60", "--MappingKernelManager.cull_interval=20",
            ],
            {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")},
        )  # fmt: skip
        self.wait(f"/api?token={TOKEN}")

    def renew(self, notebook: str) -> None:
        """One of ours as it is, without what was done in it: JupyterLab saves every two minutes."""
        original = ROOT / "notebooks" / notebook
        if original.exists():
            shutil.copy(original, self.folder / notebook)

    def write_start(self) -> str:
        """The start notebook as far as its workbench: what comes after it takes a second."""
        notebook = nbformat.read(ROOT / "notebooks" / "00-start.ipynb", 4)
        last = next(i for i, cell in enumerate(notebook.cells) if "tewb.Workbench(" in cell.source)
        del notebook.cells[last + 1 :]
        nbformat.write(notebook, self.folder / "start.ipynb")
        return "start.ipynb"

    def url(self, notebook: str) -> str:
        return f"http://127.0.0.1:{self.port}/lab/tree/{notebook}?token={TOKEN}&reset"


READY = """async () => {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error('no kernel after 60 s')), 60000));
  const wait = (async () => {
    const app = window.jupyterapp;
    await app.restored;
    let panel = null;
    for (let i = 0; i < 300 && !(panel && panel.context); i++) {
      panel = app.shell.currentWidget;
      await new Promise(r => setTimeout(r, 100));
    }
    await panel.context.ready;
    await panel.context.sessionContext.ready;
    await panel.context.sessionContext.session.kernel.info;
    return true;
  })();
  return await Promise.race([wait, late]);
}"""


# JupyterLab keeps only the cells in view in the page, and "run all" ends with a scroll to the last cell: a workbench
# that was there is then gone. So its cell is looked up in the model, and scrolled to, until it has stayed for a moment.
TO_THE_WORKBENCH = """async () => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  const shows = output => 'application/vnd.jupyter.widget-view+json' in (output.data ?? {});
  const index = notebook.widgets.findIndex(({model}) => model.type === 'code' && model.outputs.toJSON().some(shows));
  if (index < 0) return false;
  await notebook.scrollToItem(index, 'start');
  await new Promise(r => setTimeout(r, 100));
  return notebook.node.querySelector('.tw-workbench')?.getClientRects().length > 0;
}"""


class Notebook:
    """A notebook open in a page."""

    def __init__(self, page: Any, lab: Lab, name: str) -> None:
        self.page = page
        lab.renew(name)
        page.goto(lab.url(name))
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.evaluate(READY)

    def run_all(self) -> None:
        """Start all cells; what they show is waited for by the caller."""
        self.page.evaluate("""() => {
          window.allHaveRun = false;
          const runs = window.jupyterapp.commands.execute('notebook:run-all-cells');
          runs.finally(() => { window.allHaveRun = true; });
        }""")

    def idle(self) -> None:
        """Wait until all cells have run. While some still do, the front end sends what is typed into new
        fields by a slower way than clicks, and a click may come first."""
        idle = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
        waiting = "[...document.querySelectorAll('.jp-InputPrompt')].some(p => p.innerText.includes('*'))"
        self.page.wait_for_function(
            f"() => window.allHaveRun !== false && {idle} && !{waiting}", timeout=120_000
        )

    def workbench(self) -> Any:
        """The workbench, scrolled into view."""
        self.page.wait_for_function(TO_THE_WORKBENCH, timeout=60_000, polling=100)
        bench = self.page.locator(".tw-workbench").first
        bench.wait_for()
        bench.scroll_into_view_if_needed()
        return bench

    def theme(self, name: str) -> None:
        light = "true" if "Light" in name else "false"
        self.page.evaluate(
            f"() => {{ window.jupyterapp.commands.execute('apputils:change-theme', {{theme: '{name}'}}); }}"
        )
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached", timeout=20_000)
        self.page.wait_for_timeout(1500)  # the splash fades

    def screenshot(self, name: str) -> Path:
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path


def opened(page: Any, lab: Lab, name: str) -> Notebook:
    """A notebook, opened cold and run, with its first workbench in view."""
    notebook = Notebook(page, lab, name)
    if page.locator("body[data-jp-theme-light=false]").count():  # a test before this one left it dark
        notebook.theme("JupyterLab Light")
    notebook.run_all()
    notebook.idle()
    notebook.workbench()
    page.locator(".tw-workbench .cm-line").first.wait_for()
    return notebook
