"""How much memory a stage gets."""

from __future__ import annotations

from typing import Any

from tewb.ir import const_int, script
from tewb.schedule.bounds import infer_bounds


def kept_extents(s: Any, tensor: Any) -> list[Any]:
    """The extent of each dimension that is kept of a stage: a number, or text."""
    region = infer_bounds(s).stages[s[tensor]].regions[0]
    return [const_int(r.extent) if const_int(r.extent) is not None else script(r.extent) for r in region]
