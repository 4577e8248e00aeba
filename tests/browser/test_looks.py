"""Looks in JupyterLab: the access player by keyboard, errors, and what is left without trust and kernel."""

from __future__ import annotations

import json
from typing import Any

import nbconvert
import nbformat
from playwright.sync_api import expect

from tests.browser.lab import Lab, Notebook
from tewb.workbench.demos import demo_session

PLAYER = """
from tewb.workbench.demos import demo_session
from tewb.workbench.player import AccessPlayer
s = demo_session("matmul", n=8)
player = AccessPlayer(s, "B")
player
"""
GO = "player.time = 20"
MISTAKE = "s.schedule['C'].split('q', 4)"


def write(lab: Lab, name: str, sources: list[str], output: str = "") -> None:
    """A notebook with code cells; the first shows `output`, which nobody trusted."""
    shown = {"output_type": "display_data", "metadata": {}, "data": {"text/html": output, "text/plain": "x"}}
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code", "id": f"c{i}", "source": source, "metadata": {}, "execution_count": None,
            "outputs": [shown] if output and i == 0 else [],
        }
        for i, source in enumerate(sources)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (lab.folder / name).write_text(json.dumps(notebook))


def test_the_player_works_by_keyboard_and_by_names(page: Any, lab: Lab) -> None:
    write(lab, "player.ipynb", [PLAYER, MISTAKE])
    notebook = Notebook(page, lab, "player.ipynb")
    notebook.run_all()
    player = page.locator(".tewb-data")
    status = player.get_by_role("status")
    expect(status).to_contain_text("access 1 of 512: read B[0, 0]")
    slider = player.get_by_role("slider", name="Access")
    slider.press("ArrowRight")
    expect(status).to_contain_text("access 2 of 512")
    player.get_by_role("button", name="Next").press("Enter")
    expect(status).to_contain_text("access 3 of 512")
    number = player.get_by_role("spinbutton", name="Number of the access")
    number.fill("10")
    number.press("Enter")
    expect(status).to_contain_text("access 10 of 512")
    expect(player.get_by_role("img", name="B: 4 lines fetched")).to_be_visible()  # two rows of 32 bytes each
    player.get_by_role("button", name="Play").press("Enter")
    expect(status).not_to_contain_text("access 10 of 512")
    player.get_by_role("button", name="Pause").press("Enter")
    error = page.locator(
        '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"], .jp-RenderedText'
    )
    expect(error.filter(has_text="it has no axis q")).to_contain_text(
        "----> 1 | s.schedule['C'].split('q', 4)"
    )
    expect(error.filter(has_text="it has no axis q")).not_to_contain_text("Traceback")


def test_the_player_is_moved_from_python(page: Any, lab: Lab) -> None:
    write(lab, "moved.ipynb", [PLAYER, GO])
    notebook = Notebook(page, lab, "moved.ipynb")
    notebook.run_all()
    expect(page.locator(".tewb-data").get_by_role("status")).to_contain_text("access 21 of 512: read B[4, 2]")


def test_a_snapshot_is_whole_without_trust_and_kernel(page: Any, lab: Lab) -> None:
    s = demo_session("extern", access="elementwise")
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    write(lab, "kept.ipynb", ["s.snapshot()"], output=s.snapshot().html)
    Notebook(page, lab, "kept.ipynb")
    shown = page.locator(".jp-RenderedHTML")
    expect(shown).to_contain_text("compute_at(E")
    expect(shown).to_contain_text("for i in range(3):")
    expect(shown.locator("table").first).to_contain_text("128 B")
    shown.get_by_text("stage graph").click()
    image = shown.locator("img")
    expect(image).to_be_visible()
    assert image.evaluate("e => e.naturalWidth") > 50


def test_nbconvert_keeps_the_look(page: Any) -> None:
    """An executed notebook as HTML: loops and code are in a fixed-width font, and their columns stand under each other."""
    look = f'<div class="tw-look">{demo_session("matmul", n=8).snapshot().html}</div>'
    cell = nbformat.v4.new_code_cell(
        "bench", outputs=[nbformat.v4.new_output("display_data", {"text/html": look})]
    )
    html, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    page.route("**", lambda route: route.abort())  # scripts from elsewhere are not needed
    page.set_content(html, wait_until="domcontentloaded")
    wide, narrow = page.locator(".tw-look pre").first.evaluate(
        """pre => ["WWWWWWWW", "iiiiiiii"].map(text => {
          const span = document.createElement("span");
          span.textContent = text; pre.append(span);
          return span.getBoundingClientRect().width; })"""
    )
    assert wide == narrow > 0
