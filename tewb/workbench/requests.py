"""What can be asked of a session: each request by name, with all of its arguments in one message.

The page of the workbench and programs (`python -m tewb.workbench.serve`) ask the same. A request that changes the
schedule is a call of a method of `Session`; what it says of itself comes back, or why it was refused, and nothing
has changed then.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar, get_type_hints

from tewb.base import ScheduleError, TewbError, check_given, is_count, one_of, readable
from tewb.ir import Var
from tewb.schedule import Step, ends_of, journal_json, steps_of
from tewb.tuning import board_of
from tewb.tuning.board import press, release, search_freely, search_knobs, steps_text
from tewb.workbench.journal.write_code import cell_code
from tewb.workbench.judge.palette import Action as PaletteAction
from tewb.workbench.judge.palette import Trials, instead, way_out
from tewb.workbench.judge.still import fault
from tewb.workbench.judge.typed import typed_steps, words_of
from tewb.workbench.saved_page import page_of
from tewb.workbench.session import Session
from tewb.workbench.states.checked import checked_state
from tewb.workbench.states.data import data_state
from tewb.workbench.states.loop_times import loop_times_state
from tewb.workbench.states.schema import as_json, check_arguments, type_schema
from tewb.workbench.states.swept import swept_state
from tewb.workbench.states.threads import timeline_state
from tewb.workbench.states.times import measured_state
from tewb.workbench.states.trials import trials_state
from tewb.workbench.trace.data_trace import LIMIT


@readable
@dataclass(frozen=True, slots=True)
class Instead:
    """A step that can be done in the place of a refused one, and its text."""

    step: dict[str, Any]
    text: str


@readable
@dataclass(frozen=True, slots=True)
class Refused:
    """Why something was not done: the reason, a hint, the loops now, where it was said; as text, all of it. `steps` (in
    words `steps_text`) lead to what was wanted, where some do; `instead` are what the hint names."""

    message: str
    hint: str
    loops: str
    where: str
    text: str
    steps: tuple[dict[str, Any], ...] = ()
    steps_text: str = ""
    instead: tuple[Instead, ...] = ()


@readable
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

    def check(self, given: Any) -> None:
        """Raise TewbError for arguments that it does not take."""
        check_arguments(f"the request {self.name}", self.arguments, self.act, given)

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


def ask(session: Session, name: Any, arguments: Any = None) -> Reply:
    """Do a request. What a user did wrong comes back as a refusal; nothing is raised for it."""
    try:
        known = REQUESTS[one_of("request", name, REQUESTS, TewbError)]
        given = {} if arguments is None else arguments
        known.check(given)
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
def do(session: Session, steps: list[dict[str, Any]]) -> Reply | str:
    """Apply steps, one after the other: {"primitive", "stage", "args"} each. If one is refused, none is done."""
    before = len(session.journal)
    try:
        session.apply(*steps)
    except TewbError as e:
        return Reply(False, refused=_with_way_out(session, refusal(e), steps))
    made = session.journal[before:]
    said = [str(step.calls[0] if step.calls else step) for step in (made[n - 1] for n in ends_of(made))]
    return ", then ".join(said) or "nothing to do"


def _with_way_out(session: Session, refused: Refused, steps: list[dict[str, Any]]) -> Refused:
    """A refusal with the steps after which the one that was wanted is legal, if they are known, and with what its hint
    names."""
    if len(steps) != 1:
        return refused
    try:
        wanted = Step.from_json(steps[0])
        way, others = way_out(session, wanted) or (), instead(session, wanted)
    except TewbError:
        return refused
    return replace(
        refused,
        steps=tuple([s.to_json() for s in way]),
        steps_text=", then ".join(map(str, way)),
        instead=tuple([Instead(s.to_json(), str(s)) for s in others]),
    )


@request
def why_not(session: Session, step: dict[str, Any]) -> Reply:
    """Whether a step could be done now: `found` is the reason against it, or null."""
    return Reply(True, found=session.why_not(step))


@request
def preview(session: Session, step: dict[str, Any]) -> Reply:
    """What a step would lead to, without doing it."""
    shown = session.preview(step)
    return Reply(True, found={"loops": list(shown.loops), "changes": list(shown.changes)})


@readable
@dataclass(frozen=True, slots=True)
class Typed:
    """What words mean: the request that does it, and in `note` what it leads to, or why it is refused."""

    text: str
    note: str
    request: str
    arguments: dict[str, Any]


@request
def typed(session: Session, text: str, stage: str = "", loop: str | None = None) -> Reply:
    """What a person means by words such as "split k 16" or "undo 3", where a stage and a loop are selected: `found` has `text`,
    `note`, `request` and `arguments` of each reading, the likeliest first."""
    trials = Trials(session)
    actions = [trials.action(step) for step in typed_steps(session.schedule, text, stage, loop or None)]
    found = [Typed(str(a.step), _note(a), "do", {"steps": [a.step.to_json()]}) for a in actions]
    return Reply(True, found=as_json([*found, *_typed_requests(text)]))


def _note(a: PaletteAction) -> str:
    if not a.legal:
        return f"✗ {a.reason}" + (f" ({a.hint})" if a.hint else "")
    return str(a.preview)


def _typed_requests(text: str) -> Iterator[Typed]:
    """The request that words name, with their numbers and names as its arguments, if it is one that does something."""
    name, *words = words_of(text)
    known = REQUESTS.get(name.text)
    if known is None or get_type_hints(known.act)["return"] is not str or not words:
        return
    given: dict[str, Any] = dict(zip(known.arguments, (w.value for w in words), strict=False))
    try:
        known.check(given)
    except TewbError:
        return
    if len(given) == len(words):
        yield Typed(" ".join([name.text, *(w.text for w in words)]), "", name.text, given)


# ---------------------------------------------------------------- the journal


def _moved(move: Callable[[], bool], count: int, said: str, otherwise: str) -> str:
    check_given(is_count(count), "count", count, "a number of changes from 1 on", "1")
    moved = next((n for n in range(count) if not move()), count)
    if not moved:
        raise ScheduleError(otherwise)
    return said if count == 1 else f"{said}: {moved} change{'' if moved == 1 else 's'}"


@request
def undo(session: Session, count: int = 1) -> str:
    """Take the last change back, or the last `count`."""
    return _moved(session.undo, count, "undone", "there is nothing more to take back")


@request
def redo(session: Session, count: int = 1) -> str:
    """Do again what was taken back last, or the last `count` of it."""
    return _moved(session.redo, count, "done again", "there is nothing more to do again")


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
def delete(session: Session, step: int, force: bool = False, count: int = 1) -> str:
    """Delete a step (counted from 1), or `count` from there on; with `force`, also those after that depend on them."""
    gone = _step_text(session, step, count)
    dropped = session.delete_step(step, force, count)
    more = f", and {len(dropped)} that depended on it" if dropped else ""
    return f"deleted {gone}{more}"


def _step_text(session: Session, step: int, count: int) -> str:
    """A step in words, or what a recipe made."""
    run = next((r for r in session.runs if (r.first, r.count) == (step - 1, count)), None)
    if run is not None:
        return str(run.call)
    if count > 1 or not 0 < step <= len(session.journal):
        return f"steps {step} to {step + count - 1}"
    return f"step {step}, {session.journal[step - 1]}"


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
def move(session: Session, step: int, to: int, force: bool = False, count: int = 1) -> str:
    """Move a step, or `count` from there on, to another place in the journal."""
    session.move_step(step, to, force, count)
    return f"step {step} is step {to} now"


@request
def varying(session: Session, step: int, count: int = 1) -> Reply:
    """The values in `count` steps from one on that may become parameters of a recipe: `found` has key, text, value, name and
    chosen of each."""
    found = session.varying(step, count)
    shown = ("key", "text", "value", "name", "chosen")
    return Reply(True, found=[{field: getattr(v, field) for field in shown} for v in found])


@request
def make_recipe(
    session: Session, name: str, step: int, count: int = 1, parameters: dict[str, str] | None = None
) -> Reply:
    """Make a recipe of `count` steps from one on; `parameters` names the values that vary, by their keys in `varying`. `found`
    is its text."""
    made = session.make_recipe(name, step, count, parameters)
    return Reply(
        True, f"recipe {name} made {'this step' if count == 1 else f'these {count} steps'}", found=made.source
    )


@request
def edit_recipe(
    session: Session, step: int, count: int, arguments: dict[str, Any], force: bool = False
) -> str:
    """Do the recipe that made `count` steps from one on with other arguments; with `force`, steps after it that do not apply
    then are dropped."""
    dropped = session.edit_recipe(step, arguments, count, force)
    more = f", and {len(dropped)} steps after it are dropped" if dropped else ""
    return f"the recipe is done with other arguments{more}"


@request
def open_recipe(session: Session, step: int, count: int) -> str:
    """Let the `count` steps that a recipe made from one on be steps of their own."""
    session.open_recipe(step, count)
    return f"{count} step{'' if count == 1 else 's'} of their own"


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
    """The schedule to keep: what = "code" (the lines that schedule), "cell" (with a schedule of their own),
    "program" (all of it), "share" (one line), "json"."""
    ways: dict[str, Callable[[], str]] = {
        "code": lambda: session.schedule_code,
        "cell": lambda: cell_code(session.schedule, session.args),
        "program": lambda: session.code,
        "share": session.to_string,
        "json": session.to_json,
    }
    return Reply(True, found=ways[one_of("way to export", what, ways, TewbError)]())


@request
def size(session: Session, name: str, value: float) -> str:
    """Give a symbolic size or a scalar the value that it has in measurements."""
    known = {v.name: v for v in session.schedule.size_variables().values()}
    scalars = {a.name: a for a in session.args if isinstance(a, Var)}
    one_of("variable", name, {**known, **scalars}, TewbError)
    if name in known and (value != int(value) or value < 1):
        raise TewbError(f"{name} = {value:g} is no size", hint="an integer from 1 on")
    whole = name in known or not scalars[name].dtype.is_float
    chosen: Any = int(value) if whole else value
    others = {k: x for k, x in session.sizes.items() if getattr(k, "name", k) != name}
    session.sizes = {**others, name: chosen}  # at once: a measurement may read them
    session.refresh()
    return f"{name} is {chosen:,} in measurements"


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
def measure_loops(session: Session, seconds: float = 10.0, slowdown: float = 0.1) -> Reply:
    """Measure each loop and stage by timers in the kernel, which slow it down no more than by `slowdown`: `found` is the
    state `LoopTimesState`."""
    said = session.measure_loops(seconds, slowdown).message
    return Reply(True, said, found=as_json(loop_times_state(session)))


@request
def measure_threads(session: Session, repeat: int = 9, seconds: float = 10.0) -> Reply:
    """Run the kernel, for at most so many seconds, and see what each thread does: `found` is the state `ThreadTimeline`."""
    found = session.measure_threads(repeat, seconds)
    return Reply(True, found.sentence, found=as_json(timeline_state(session, found)))


@request
def try_steps(
    session: Session,
    steps: list[dict[str, Any]],
    others: list[list[dict[str, Any]]] | None = None,
    seconds: float = 20.0,
) -> Reply:
    """Time the program after steps (or after the best of `others`) beside the program before; they are done if they help.
    `found` is how many times as fast it is, or null."""
    tried = session.try_steps(steps, others or (), seconds)
    return Reply(True, str(tried), found=tried.gain)


@request
def sweep(session: Session, seconds: float = 20.0) -> Reply:
    """Time other factors and orders in the steps, for so many seconds at most: `found` is the state `Swept`."""
    found = session.sweep(seconds)
    return Reply(True, str(found), found=as_json(swept_state(found)))


@request
def take(session: Session, steps: list[dict[str, Any]]) -> str:
    """Make these steps the journal, as a trial of a sweep has them; undo goes back. Where they are the journal, nothing is done."""
    wanted = journal_json(steps_of(steps, "session.journal"))
    if steps_text(wanted) == steps_text(journal_json(session.journal)):
        return "these are the steps of the schedule as it is: nothing is changed"
    session.take_steps(steps)
    count = len(session.journal)
    return f"took {count} step{'' if count == 1 else 's'}"


@request
def knob(session: Session, name: str, values: str | list[Any] | None = None) -> str:
    """Make a value of the journal a knob of `tune`: name = "2.factor" is the factor of step 2, as the view `knobs` lists them.
    `values` are its candidates, as a list or in words ("4, 8, 16"; orders are apart by ";"); usual ones if none are given."""
    return press(session, name, values)


@request
def unknob(session: Session, name: str) -> str:
    """Make a value of the journal no knob any more."""
    return release(session, name)


@request
def tune(session: Session, seconds: float = 20.0, knobs: dict[str, list[Any]] | None = None) -> Reply:
    """Search over `knobs`, their candidates by their names, for so many seconds: those of the journal that were made knobs, if
    none are given, or all of its factors where there are none. `found` is the state `Trials`; the schedule stays as it is."""
    said = search_knobs(session, seconds, knobs)(lambda done, note: None, lambda: False, lambda: None)
    return Reply(True, said, found=as_json(trials_state(session)))


@request
def autoschedule(session: Session, seconds: float = 60.0) -> Reply:
    """Search for a schedule without knobs, for so many seconds. `found` is the state `Trials`; the schedule stays as it is."""
    said = search_freely(session, seconds)(lambda done, note: None, lambda: False, lambda: None)
    return Reply(True, said, found=as_json(trials_state(session)))


@request
def pin_trial(session: Session, number: int, pinned: bool = True) -> str:
    """Keep a trial of the last search in view, beside the schedule of the session; or, with pinned = false, no longer."""
    board_of(session).pin(number, pinned)
    return f"trial {number} is {'pinned' if pinned else 'not pinned any more'}"


@request
def take_trial(session: Session, number: int) -> str:
    """Make the steps of a trial of the last search the journal; undo goes back."""
    trial = board_of(session).found.trial(number)
    if trial.state == "refused":
        raise TewbError(f"trial {number} has no steps, as it was refused: {trial.message}")
    said = take(session, [dict(step) for step in trial.steps])
    return said + (f". Its result was wrong: {trial.message}" if trial.state == "wrong" else "")


@request
def trace(session: Session, sizes: str = "small", limit: int = LIMIT) -> Reply:
    """Follow the accesses of the program, of a "small" twin or in its "full" sizes: `found` is the state `Data`."""
    found = data_state(session, sizes, limit)
    return Reply(True, f"traced {found.count:,} accesses", found=as_json(found))


@request
def data_page(session: Session) -> Reply:
    """The accesses as a page of HTML that plays without a kernel: `found` is its text."""
    return Reply(True, found=page_of(session, as_json(data_state(session))))


@request
def minimise(session: Session, still: str = "", seconds: float = 30.0) -> Reply:
    """Go to the shortest journal that still is "different", "fails" or "slow" (slower than the pinned schedule, or than
    none; by default what is wrong with it); undo goes back to the whole one. `found` has the steps, the smallest sizes that still are, and the program with
    them as code."""
    found = session.minimise(
        still or fault(session), seconds, () if session.pinned is None else session.pinned.journal
    )
    session.take(found.steps)
    return Reply(
        True,
        str(found),
        found.code,
        found={"steps": journal_json(found.steps), "sizes": dict(found.sizes), "code": found.code},
    )


def schema_of_requests() -> dict[str, Any]:
    """All requests as JSON Schema."""
    return {name: r.schema() for name, r in REQUESTS.items()}
