"""Writes access.html, a page that plays the accesses of a blur: the page of the workbench must be built before.

python docs/write_access.py
"""

from __future__ import annotations

from pathlib import Path

from tewb.workbench.demos import demo_session
from tewb.workbench.saved_page import page_of
from tewb.workbench.states.data import data_state
from tewb.workbench.states.schema import as_json

PATH = Path(__file__).with_name("access.html")


def page() -> str:
    """A blur whose first stage is computed for each row of the second."""
    session = demo_session("blur")
    session.apply(
        {"primitive": "split", "stage": "Y", "args": {"axis": "i", "factor": 8}},
        {"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i.outer"}},
    )
    return page_of(session, as_json(data_state(session)))


if __name__ == "__main__":
    PATH.write_text(page(), "utf-8")
