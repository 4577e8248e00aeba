"""LoopView: the loop tree, to be clicked, typed at and dragged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from tewb.schedule import Step
from tewb.workbench.looks.loop_tree import LoopInfo, StageInfo
from tewb.workbench.views.assets import FOLDER


class LoopView(anywidget.AnyWidget):
    """Shows the loops of all stages. A gesture, or a button of another panel that carries steps, asks for
    steps: `on_ask(steps)`.

    `selected` is the chosen stage and loop; it changes with clicks and arrow keys, and can be set.
    """

    _esm = FOLDER / "loops.js"
    tree: Any = traitlets.List().tag(sync=True)
    selected: Any = traitlets.Dict({"stage": "", "loop": ""}).tag(sync=True)

    def __init__(self, on_ask: Callable[[Sequence[Step]], None]) -> None:
        super().__init__()
        self._on_ask = on_ask
        self.on_msg(self._asked)

    def show(
        self, stages: Sequence[StageInfo], part: Callable[[str, str | None], int] = lambda stage, axis: -1
    ) -> None:
        """Show the loops of `stages`; inputs have none and are left out. `part` numbers stages and loops, so
        that other panels can be lit with them."""
        self.tree = [_stage(s, part) for s in stages if s.kind != "input"]

    def _asked(self, _: Any, content: Mapping[str, Any], __: Any) -> None:
        given = content.get("steps", content)
        steps = given if isinstance(given, list) else [given]
        self._on_ask([Step.from_json(s) for s in steps if isinstance(s, dict) and "primitive" in s])


def _stage(s: StageInfo, part: Callable[[str, str | None], int]) -> dict[str, Any]:
    place = "" if s.place == "root" else s.place
    again = f"each element {s.computed:.3g} times" if s.computed is not None and s.computed > 1 else ""
    loops = s.loops if s.place != "inline" else ()
    return {
        "name": s.name,
        "note": ", ".join(filter(None, (place, again, *s.marks))),
        "step": s.step,
        "part": part(s.name, None),
        "loops": [_loop(loop, part(s.name, loop.name)) for loop in loops],
    }


def _loop(loop: LoopInfo, part: int) -> dict[str, Any]:
    return {
        "name": loop.name,
        "extent": loop.extent,
        "note": "reduce" if loop.kind == "reduce" else "",
        "mark": ", ".join(loop.marks),
        "step": loop.step,
        "part": part,
    }
