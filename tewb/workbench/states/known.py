"""States that were made before: undo, redo, and a second look at the same steps find them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tewb.schedule import Step
from tewb.workbench.session import Session
from tewb.workbench.states.views import look_in_pieces, view_named

MOST = 12  # journals whose states are kept

_States = dict[tuple[str, str, str], Any]  # by view, options, and what else the view depends on


class KnownStates:
    """The states of a session at the last journals that were looked at."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._version = -1
        self._args: object = None
        self._journals: list[tuple[tuple[Step, ...], _States]] = []  # that of now is the last

    def look_in_pieces(self, view: str, options: Mapping[str, Any]) -> Iterator[Any]:
        """As `views.look_in_pieces`; what was made for the same steps is found. Raises TewbError."""
        known = view_named(view, options)
        if known.depends_on is None:
            yield from look_in_pieces(self._session, view, options)
            return
        states = self._of_now()
        session = self._session
        key = (view, json.dumps(options, sort_keys=True), repr((session.name, known.depends_on(session))))
        if key in states:
            yield states[key]
            return
        for piece in look_in_pieces(session, view, options):
            if piece is not None and self._is_now(states) and not _is_problem(piece):
                states[key] = piece
            yield piece

    def _of_now(self) -> _States:
        """The states of the journal of now."""
        schedule, args = self._session.schedule, self._session.args
        if args is not self._args:
            self._version, self._args, self._journals = -1, args, []
        if schedule.version != self._version:
            journal = schedule.journal
            at = next(
                (
                    i
                    for i, (steps, _) in enumerate(self._journals)
                    if len(steps) == len(journal) and steps == journal
                ),
                None,
            )
            known = (journal, {}) if at is None else self._journals.pop(at)
            self._journals = [*self._journals[-(MOST - 1) :], known]
            self._version = schedule.version
        return self._journals[-1][1]

    def _is_now(self, states: _States) -> bool:
        """Whether the schedule was not changed while a state was made."""
        return self._session.schedule.version == self._version and self._journals[-1][1] is states


def _is_problem(state: Any) -> bool:
    """Whether a state says what is wrong: it may be mended from outside, as by a function that is registered."""
    return isinstance(state, dict) and bool(state.get("problem"))
