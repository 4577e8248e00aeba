"""Schedules as JSON, with the programs that they are for: the journal, which is done again when it is read."""

from __future__ import annotations

from typing import Any

from tewb.base import ParseError, ScheduleError, here
from tewb.schedule.journal import journal_json, steps_of
from tewb.schedule.schedule import Schedule
from tewb.tensor import json_text
from tewb.tensor.json_text import SavedAs


def save_json(node: Any) -> str:
    """A schedule, a node, a function, a module, a tensor, or a list or dict of them, as JSON. Of a schedule the program
    and the steps are saved. Raises TewbError for what only its own Python code knows, such as an extern."""
    return json_text.save_json(node, _OTHERS)


def load_json(json_str: str) -> Any:
    """What `save_json` wrote. A schedule is one of tensors of its own: `s.outputs[0].output(0)`; where these, or its inputs,
    are wanted too, they are saved with it: `load_json(save_json([s, A, B]))`. Raises ParseError for any other text."""
    return json_text.load_json(json_str, _OTHERS)


def _parts(s: Schedule) -> tuple[Any, ...]:
    return s.outputs, journal_json(s.journal), list(s.variables.values())


def _put_together(s: Schedule, parts: Any) -> None:
    outputs, steps, *variables = parts  # texts of earlier versions have no variables
    Schedule.__init__(s, outputs)
    s.variables = {v.name: v for v in (variables[0] if variables else ())}
    try:
        s.restore(steps_of(steps, "the steps of a schedule"))
    except ScheduleError as e:
        raise ParseError(f"load_json: a step of the schedule is not right: {e.message}", span=here()) from e


_OTHERS = {"Schedule": SavedAs(Schedule, _parts, _put_together)}
