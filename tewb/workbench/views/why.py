"""An explanation as HTML: the question, its chain of steps, the answer."""

from __future__ import annotations

from html import escape

from tewb.workbench.judge.why import Explanation
from tewb.workbench.views.html import panel


def explanation(e: Explanation | None) -> str:
    """The panel of one explanation; without one, what can be asked."""
    if e is None:
        said = "ask why: a loop bound, an allocation, a guard, a refusal, a simplification"
        return panel("Why", f'<span class="tw-dim">{said}</span>', "why")
    steps = "".join(f"<li>{escape(s)}</li>" for s in e.steps)
    chain = f'<ol class="tw-why">{steps}</ol>' if steps else ""
    return panel(e.question, f'{chain}<div class="tw-answer" role="status">{escape(e.answer)}</div>', "why")
