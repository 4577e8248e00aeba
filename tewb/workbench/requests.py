"""What can be asked of a session: each request by name, with all of its arguments in one message.

The page of the workbench and programs (`python -m tewb.workbench.serve`) ask the same. A request that changes the
schedule is a call of a method of `Session`; what it says of itself comes back, or why it was refused, and nothing
has changed then.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from tewb.base import ScheduleError, TewbError, one_of
from tewb.workbench.session import Session
from tewb.workbench.states.checked import checked_state
from tewb.workbench.states.schema import as_json, type_schema
from tewb.workbench.states.times import measured_state


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something was not done: the reason, a hint, the loops now, where it was said; as text, all of it."""

    message: str
    hint: str
    loops: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request led to: what was done, in words, or why it was refused. `code` is a line of Python that does the
    same, to keep; `found` is what was asked for, where something was."""

    ok: bool
    said: str = ""
    code: str = ""
    refused: Refused | None = None
    found: Any = None


Action = Callable[..., "Reply | str"]
F = TypeVar("F", bound=Action)


@dataclass(frozen=True, slots=True)
class Request:
    """A request: its name, and the function of a session and its arguments that does it."""

    name: str
    act: Action

    @property
    def arguments(self) -> dict[str, Any]:
        """The type of each argument."""
        hints = get_type_hints(self.act)
        return {name: hints[name] for name in list(inspect.signature(self.act).parameters)[1:]}

    def schema(self) -> dict[str, Any]:
        """Its meaning and its arguments as JSON Schema."""
        parameters = list(inspect.signature(self.act).parameters.values())[1:]
        return {
            "doc": inspect.getdoc(self.act) or "",
            "arguments": {
                "type": "object",
                "properties": {name: type_schema(t) for name, t in self.arguments.items()},
                "required": [p.name for p in parameters if p.default is p.empty],
                "additionalProperties": False,
            },
        }


REQUESTS: dict[str, Request] = {}


def request(act: F) -> F:
    """Make a function the request of its name."""
    name = act.__name__.strip("_")
    REQUESTS[name] = Request(name, act)
    return act


def ask(session: Session, name: str, arguments: Mapping[str, Any] | None = None) -> Reply:
    """Do a request. What a user did wrong comes back as a refusal; nothing is raised for it."""
    try:
        known = REQUESTS[one_of("request", name, REQUESTS, TewbError)]
        given = dict(arguments or {})
        try:
            inspect.signature(known.act).bind(session, **given)
        except TypeError as e:
            takes = ", ".join(known.arguments) or "nothing"
            raise TewbError(f"the request {name}: {e}", hint=f"it takes {takes}") from e
        done = known.act(session, **given)
    except TewbError as e:
        return Reply(False, refused=refusal(e))
    return done if isinstance(done, Reply) else Reply(True, done)


def refusal(e: TewbError) -> Refused:
    """An error as data."""
    return Refused(e.message, e.hint or "", e.loops or "", "" if e.span is None else str(e.span), str(e))


def reply_json(reply: Reply) -> dict[str, Any]:
    """A reply as JSON values."""
    return dict(as_json(reply))


# ---------------------------------------------------------------- steps


@request
def do(session: Session, steps: list[dict[str, Any]]) -> str:
    """Apply steps, one after the other: {"primitive", "stage", "args"} each. If one is refused, none is done."""
    before = len(session.journal)
    session.apply(*steps)
    return ", then ".join(map(str, session.journal[before:])) or "nothing to do"


@request
def why_not(session: Session, step: dict[str, Any]) -> Reply:
    """Whether a step could be done now: `found` is the reason against it, or null."""
    return Reply(True, found=session.why_not(step))


@request
def preview(session: Session, step: dict[str, Any]) -> Reply:
    """What a step would lead to, without doing it."""
    shown = session.preview(step)
    return Reply(True, found={"loops": list(shown.loops), "changes": list(shown.changes)})


# ---------------------------------------------------------------- the journal


def _moved(worked: bool, said: str, otherwise: str) -> str:
    if not worked:
        raise ScheduleError(otherwise)
    return said


@request
def undo(session: Session) -> str:
    """Take the last change back."""
    return _moved(session.undo(), "undone", "there is nothing more to take back")


@request
def redo(session: Session) -> str:
    """Do again what was taken back last."""
    return _moved(session.redo(), "done again", "there is nothing more to do again")


@request
def reset(session: Session) -> str:
    """Go back to the schedule that the session began with."""
    session.reset()
    return "back to the start"


@request
def jump(session: Session, step: int) -> str:
    """Go to the state after so many steps."""
    session.jump(step)
    return f"after step {step}" if step else "before the first step"


@request
def delete(session: Session, step: int, force: bool = False) -> str:
    """Delete a step (counted from 1); with `force`, also those after it that depend on it."""
    gone = str(session.journal[step - 1]) if 0 < step <= len(session.journal) else ""
    dropped = session.delete_step(step, force)
    more = f", and {len(dropped)} that depended on it" if dropped else ""
    return f"deleted step {step}, {gone}{more}"


@request
def unmark(session: Session, stage: str, loop: str, primitive: str) -> Reply:
    """Delete the newest step that did `primitive` to a loop; `found` says whether there was one."""
    journal = session.journal
    mine = [
        i
        for i, s in enumerate(journal, 1)
        if (s.primitive, s.stage, s.args.get("axis")) == (primitive, stage, loop)
    ]
    if not mine:
        return Reply(True, found=False)
    return Reply(True, delete(session, mine[-1]), found=True)


@request
def move(session: Session, step: int, to: int, force: bool = False) -> str:
    """Move a step to another place in the journal."""
    session.move_step(step, to, force)
    return f"step {step} is step {to} now"


@request
def label(session: Session, step: int, name: str | None = None, note: str | None = None) -> str:
    """Give a step a name or a note; "" takes it away."""
    session.label_step(step, name, note)
    return f"step {step} is noted"


@request
def load(session: Session, text: str) -> str:
    """Replace the schedule by one that is written as code, as a share string or as JSON."""
    session.load(text)
    count = len(session.journal)
    return f"loaded {count} step{'' if count == 1 else 's'}"


@request
def branch(session: Session, name: str) -> str:
    """Begin a branch here, and go on there."""
    session.branch(name)
    return f"on the new branch {name}"


@request
def switch(session: Session, name: str) -> str:
    """Show another branch."""
    session.switch(name)
    return f"on branch {name}"


@request
def delete_branch(session: Session, name: str) -> str:
    """Delete a branch that is not shown."""
    session.delete_branch(name)
    return f"branch {name} is deleted"


@request
def pin(session: Session) -> str:
    """Keep the schedule as it is, to compare later ones with it."""
    session.pin()
    return f"pinned the schedule of {len(session.journal)} steps"


@request
def unpin(session: Session) -> str:
    """Forget the pinned schedule."""
    session.unpin()
    return "nothing is pinned now"


# ---------------------------------------------------------------- asking


@request
def export(session: Session, what: str = "code") -> Reply:
    """The schedule to keep: what = "code" (the lines that schedule), "program" (all of it), "share" (one line), "json"."""
    ways: dict[str, Callable[[], str]] = {
        "code": lambda: session.schedule_code,
        "program": lambda: session.code,
        "share": session.to_string,
        "json": session.to_json,
    }
    return Reply(True, found=ways[one_of("way to export", what, ways, TewbError)]())


@request
def expect(session: Session, what: str, relation: str, limit: float, stage: str | None = None) -> str:
    """Add a line to the budget: expect("bytes", "<=", 4096, stage="X")."""
    return str(session.expect(what, relation, limit, stage))


# ---------------------------------------------------------------- running


@request
def verify(session: Session) -> Reply:
    """Compare the kernel with the definition on small random inputs: `found` is the state `Checked`."""
    return Reply(True, found=as_json(checked_state(session, session.verify())))


@request
def measure(session: Session, repeat: int = 9) -> Reply:
    """Check the result against the reference and time both: `found` is the state `Measured`."""
    pinned = None if session.pinned is None else session.pinned.journal
    found = session.measure(repeat, pinned=pinned)
    return Reply(True, str(found), found=as_json(measured_state(session, found)))


@request
def minimise(session: Session, still: str = "different", seconds: float = 30.0) -> Reply:
    """Go to the shortest journal that still is "different" or "fails"; undo goes back to the whole one."""
    found = session.minimise(still, seconds)
    session.take(found.steps)
    return Reply(True, str(found), found=[s.to_json() for s in found.steps])


def schema_of_requests() -> dict[str, Any]:
    """All requests as JSON Schema."""
    return {name: r.schema() for name, r in REQUESTS.items()}
