"""The views of a session: a name for everything that can be seen of it, and the state that is sent for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from tewb.base import TewbError, one_of
from tewb.schedule import RECIPES
from tewb.workbench.session import Session
from tewb.workbench.states.actions import actions_state, forms_of, steps_state
from tewb.workbench.states.answers import advice_state, why_state
from tewb.workbench.states.code import code_state, forms_state
from tewb.workbench.states.cost import cost_state
from tewb.workbench.states.data import data_state
from tewb.workbench.states.graph import graph_state
from tewb.workbench.states.journal import journal_state
from tewb.workbench.states.llvm import llvm_state
from tewb.workbench.states.loop_times import loop_times_state
from tewb.workbench.states.loops import loops_state
from tewb.workbench.states.memory import memory_in_pieces
from tewb.workbench.states.program import program_code, program_state
from tewb.workbench.states.schema import as_json, check_arguments, states_in, type_schema
from tewb.workbench.states.speed import speed_state
from tewb.workbench.states.threads import threads_state
from tewb.workbench.states.times import history_state, roof_state
from tewb.workbench.states.trials import knobs_state, trials_state


@dataclass(frozen=True, slots=True)
class View:
    """A view: its name, what it shows, and the function that makes its state from a session and options.

    Those that a person looks at while editing are sent `first`; those that take longer than a frame are `slow`: they follow
    when the others are on the screen. One that takes much
    longer is a generator: it gives None between two pieces of its work, and then the state. The work of those that are
    `beside` is done by a thread, and None says that it goes on.

    With `depends_on` its state is a function of the steps, the session's name, its options and what that returns, and need not be made
    again for the same ones. Without, it may depend on anything.
    """

    name: str
    make: Callable[..., Any]
    first: bool = False
    slow: bool = False
    depends_on: Callable[[Session], object] | None = None
    beside: bool = False

    @property
    def doc(self) -> str:
        """What it shows."""
        return inspect.getdoc(self.make) or ""

    @property
    def options(self) -> dict[str, Any]:
        """The type of each option."""
        return _options(self.make)

    @property
    def state(self) -> Any:
        """The type of its state."""
        returned = get_type_hints(self.make)["return"]
        if not inspect.isgeneratorfunction(self.make):
            return returned
        return next(t for t in get_args(get_args(returned)[0]) if t is not type(None))

    def schema(self) -> dict[str, Any]:
        """Its options and its state as JSON Schema."""
        return {
            "doc": self.doc,
            "options": {name: type_schema(t) for name, t in self.options.items()},
            "state": type_schema(self.state),
        }


@cache
def _options(make: Callable[..., Any]) -> dict[str, Any]:
    hints = get_type_hints(make)
    return {name: hints[name] for name in list(inspect.signature(make).parameters)[1:]}


def _nothing_else(session: Session) -> object:
    """What the state of a view depends on beside the steps and the name of the kernel, where that is nothing."""
    return None


def _pinned(session: Session) -> object:
    return None if session.pinned is None else session.pinned.to_string()


def _recipes(session: Session) -> object:
    return RECIPES.version, [str(run) for run in session.runs]


def _sizes(session: Session) -> object:
    return [(str(name), value) for name, value in session.sizes.items()]


def _trials(session: Session) -> object:
    return _sizes(session), [str(t) for t in session.tried], str(session.timings.get(session.journal))


def _budget(session: Session) -> object:
    lines = [str(line) for line in session.budget.lines]
    return lines and (lines, [str(m) for m in session.timings.values()])


VIEWS = {
    v.name: v
    for v in (
        View("program", program_state),
        View("loops", loops_state, first=True, depends_on=_nothing_else),
        View("forms", forms_state, depends_on=_nothing_else),
        View("code", code_state, first=True, depends_on=_pinned),
        View("journal", journal_state),
        View("cost", cost_state, depends_on=_sizes),
        View("loop_times", loop_times_state),
        View("actions", actions_state, slow=True, depends_on=_recipes),
        View("steps", steps_state, slow=True, depends_on=_recipes),
        View("primitives", forms_of, depends_on=_recipes),
        View("memory", memory_in_pieces, slow=True, depends_on=_budget),
        View("graph", graph_state, slow=True, depends_on=_nothing_else),
        View("history", history_state),
        View("roof", roof_state, slow=True),
        View("knobs", knobs_state),
        View("trials", trials_state, slow=True),
        View("threads", threads_state, slow=True),
        View("advice", advice_state, slow=True, depends_on=_trials, beside=True),
        View("why", why_state, slow=True, depends_on=_nothing_else),
        View("llvm", llvm_state, slow=True, depends_on=_nothing_else),
        View("speed", speed_state, slow=True, beside=True),
        View("data", data_state, slow=True),
        View("python", program_code, slow=True, depends_on=_recipes),
    )
}


def is_first(view: str) -> bool:
    """Whether a view is sent before all others."""
    return view in VIEWS and VIEWS[view].first


def is_slow(view: str) -> bool:
    """Whether a view comes after those that a person waits for."""
    return view in VIEWS and VIEWS[view].slow


def is_beside(view: str) -> bool:
    """Whether the work of a view is done by a thread of its own."""
    return view in VIEWS and VIEWS[view].beside


def look(session: Session, name: str, options: Mapping[str, Any] | None = None) -> Any:
    """The state of a view as JSON values. Raises TewbError for a view or an option that there is not."""
    *_, state = look_in_pieces(session, name, options)
    return state


def view_named(name: Any, options: Any = None) -> View:
    """The view of that name. Raises TewbError when there is none, or when it does not take the options."""
    view = VIEWS[one_of("view", name, VIEWS, TewbError)]
    given = {} if options is None else options
    for option in given if isinstance(given, Mapping) else ():
        one_of(f"option of the view {name}", option, view.options, TewbError)
    check_arguments(f"the view {name}", view.options, view.make, given)
    return view


def look_in_pieces(session: Session, name: str, options: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """As `look`, with None between the pieces of work that lead to the state, which comes last."""
    made = view_named(name, options).make(session, **(options or {}))
    if not isinstance(made, Iterator):
        made = iter((made,))
    for piece in made:
        yield None if piece is None else as_json(piece)


def all_states() -> list[type]:
    """The states of all views, those that are held first."""
    return states_in(*[c for v in VIEWS.values() for c in _classes(v.state)])


def _classes(t: Any) -> list[type]:
    return (
        [t]
        if isinstance(t, type) and not hasattr(t, "__origin__")
        else [a for a in t.__args__ if a is not ...]
    )
