"""A page of HTML that plays the accesses of a program without a kernel, a server or a network.

It is the page of the workbench itself, with a kernel of a few lines in its place: what is watched is answered with the
states that were saved, what is asked for is refused.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from tewb.workbench.session import Session
from tewb.workbench.states.code import LOWERED
from tewb.workbench.states.views import look
from tewb.workbench.views.assets import asset

_BUILT = Path(__file__).parent / "page"

_PAGE = asset("saved_page.html")


def page_of(session: Session, data: dict[str, Any]) -> str:
    """The page, with the loops and the lowered code of a session beside its accesses, a state `Data` as JSON."""
    kept = {
        "code": (_BUILT / "bundle.js").read_text("utf-8"),
        "states": {
            "data": data,
            "loops": look(session, "loops"),
            "code": look(session, "code"),
            "forms": [form for form in look(session, "forms") if form["name"] == LOWERED],
        },
        "traits": {
            "desk": "saved", "pane": "saved", "selected": {"stage": "", "loop": ""}, "form": LOWERED, "program": "", "kept": {},
        },
    }  # fmt: skip
    text = json.dumps(kept, ensure_ascii=False).replace("<", "\\u003c")
    title = f"{session.name}: what it does with its memory"
    return _PAGE.replace("$TITLE", escape(title)).replace("$KEPT", text)
