"""A session saved as JSON: its journal with names and notes, its other branches, and the pin."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tewb.base import ParseError, ScheduleError, brief, with_article
from tewb.schedule import journal_json, steps_of
from tewb.workbench.journal.recipe_source import written_sources
from tewb.workbench.journal.text_errors import TextRange, text_error
from tewb.workbench.journal.timeline import Journal

VERSION = 1
TO_JSON = "session.to_json() writes such text; load() also reads code and compact strings"


@dataclass(frozen=True, slots=True)
class Saved:
    """The journals of a session. `branch` is empty in JSON that is only a list of steps; `recipes` are the texts of those that
    were written in a workbench."""

    steps: Journal
    branch: str = ""
    others: dict[str, Journal] = field(default_factory=dict)
    pinned: Journal | None = None
    recipes: tuple[str, ...] = ()


def saved_json(saved: Saved) -> str:
    """`saved` as JSON text, one step a line."""
    lines = [
        f'"tewb": {VERSION}',
        f'"branch": {json.dumps(saved.branch)}',
        f'"steps": {_listed(saved.steps)}',
    ]
    if saved.others:
        branches = ", ".join(f"{json.dumps(name)}: {_listed(steps)}" for name, steps in saved.others.items())
        lines.append(f'"branches": {{{branches}}}')
    recipes = written_sources(
        (*saved.steps, *(s for j in saved.others.values() for s in j), *(saved.pinned or ()))
    )
    if recipes:
        lines.append(f'"recipes": {json.dumps(recipes, ensure_ascii=False)}')
    if saved.pinned is not None:
        lines.append(f'"pinned": {_listed(saved.pinned)}')
    return "{" + ",\n ".join(lines) + "}\n"


def _listed(steps: Journal) -> str:
    return "[" + ",".join(f"\n  {json.dumps(one, ensure_ascii=False)}" for one in journal_json(steps)) + "]"


def saved_of(text: str) -> Saved:
    """The content of JSON text: an object as `saved_json` writes it, or a list of steps. Raises ParseError for text
    that is not JSON, ScheduleError for JSON that is not a schedule."""
    if not isinstance(text, str):
        raise ParseError(f"{with_article(type(text).__name__)} is no JSON text", hint=TO_JSON)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as e:
        where = TextRange(e.lineno, e.colno - 1)
        raise text_error(text, where, f"this is not JSON: {e.msg}", TO_JSON) from None
    except (ValueError, RecursionError) as e:
        raise ParseError(f"this JSON cannot be read: {e}", hint=TO_JSON) from None
    if isinstance(data, list):
        return Saved(_steps(data))
    if not isinstance(data, dict) or "steps" not in data:
        raise ScheduleError("this JSON is no schedule", hint='it has the form {"steps": [...]}')
    if data.get("tewb", VERSION) != VERSION:
        raise ScheduleError(
            f"this JSON is of version {brief(repr(data['tewb']))}; version {VERSION} can be read here",
            hint="a newer tewb wrote it, and reads it",
        )
    branches = data.get("branches", {})
    if not isinstance(branches, dict):
        raise ScheduleError(
            "branches are not an object of lists of steps", hint='"branches": {"main": [...]}'
        )
    others = {name: _steps(steps) for name, steps in branches.items()}
    pinned = None if data.get("pinned") is None else _steps(data["pinned"])
    recipes = data.get("recipes", [])
    if not isinstance(recipes, list):
        raise ScheduleError("recipes are not a list of texts", hint='"recipes": ["def tiled(s, C): ..."]')
    branch = str(data.get("branch", ""))
    return Saved(_steps(data["steps"]), branch, others, pinned, tuple(map(str, recipes)))


def _steps(data: Any) -> Journal:
    if not isinstance(data, list):
        raise ScheduleError(
            f"{brief(repr(data))} is not a list of steps", hint='"steps": [{"primitive", "stage", "args"}]'
        )
    return steps_of(data, '{"primitive", "stage", "args"}')
