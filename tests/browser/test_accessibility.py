"""axe-core finds nothing to complain about in the workbench."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

from tests.browser.lab import Notebook
from tests.browser.test_workbench import apply


def violations(page: Any) -> list[str]:
    """What axe-core finds in the workbench itself (JupyterLab around it is not ours)."""
    found = Axe().run(page, context=".tw-bench").response
    assert len(found["passes"]) > 10  # it looked
    return [
        f"{v['id']}: {v['help']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found["violations"]
    ]


def test_no_violations_light_and_dark(start: Notebook) -> None:
    page = start.page
    assert violations(page) == []
    apply(page, "split", "i", factor="32")
    apply(page, "parallel", "k")  # refused: the message is shown in red
    assert violations(page) == []
    start.theme("JupyterLab Dark")
    assert violations(page) == []
