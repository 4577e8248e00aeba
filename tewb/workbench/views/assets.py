"""The style sheets and scripts of the views: files of their own beside them, each read once, when it is imported."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def asset(name: str) -> str:
    """The text of a .css or .html file of this folder."""
    return (FOLDER / name).read_text("utf-8").strip()


def inline_styles(name: str) -> dict[str, str]:
    """The declarations of a style sheet by selector, each as the value of a `style` attribute.

        td { text-align: left; }     ->     {"td": "text-align:left"}

    For HTML that is kept where style sheets are dropped.
    """
    text = re.sub(r"/\*.*?\*/", "", asset(name), flags=re.S)
    return {
        selector.strip(): ";".join(
            re.sub(r"\s*:\s*", ":", d.strip(), count=1) for d in body.split(";") if d.strip()
        )
        for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text)
    }
