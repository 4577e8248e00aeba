"""A desk: a session as it is worked with on the screen, by one widget or several.

A desk keeps what is selected, which form of the code is shown and what was measured last; it answers requests, makes
the states of the views that somebody watches, and does long work beside the notebook. It knows no widget: what it has
to say goes to its listeners as messages of plain values.

    {"kind": "states", "version", "revision",                 views that changed, by the key they are watched with;
     "states": {key: state},                                  of long ones what differs from that of the revision `since`;
     "patches": {key: {"since", "fields", "lines"}}}          with "selected" and "instead_of" where a loop is gone
    {"kind": "reply", "id", "reply"}                          the answer to a request
    {"kind": "busy", "what", "done", "note"}                  work in the background: how far it is (0 to 1)
    {"kind": "idle", "what"}                                  and that it has ended
    {"kind": "failed", "what", "message"}                     something that was not asked for just now went wrong
    {"kind": "done", "text"}                                  what work in the background came to; perhaps with "code" to keep,
                                                              and "good": False for steps that were not kept
    {"kind": "restored", "steps", "when"}                     steps that were kept from another day
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tewb.base import (
    Stopped,
    TewbError,
    catch_up_on_collections,
    collection_waits,
    put_off_full_collections,
    stopped_by,
)
from tewb.schedule import Step
from tewb.tuning.board import Run, can_recall, recall, search_freely, search_knobs
from tewb.workbench.background import Later, running_loop
from tewb.workbench.judge.ledger import runs_python
from tewb.workbench.judge.minimise import Minimal
from tewb.workbench.judge.still import fault
from tewb.workbench.judge.sweep import Sweep
from tewb.workbench.long_work import LongWork, Message, Work
from tewb.workbench.measure.measure import STOPPED, sizes_text
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.measure.try_steps import Tried, try_steps
from tewb.workbench.measure.verify import Verdict, verify
from tewb.workbench.requests import REQUESTS, Reply, Request, ask, refusal, reply_json
from tewb.workbench.saved_page import page_of
from tewb.workbench.session import Session
from tewb.workbench.states.checked import checked_state
from tewb.workbench.states.code import LOWERED
from tewb.workbench.states.data import data_of, traced_state
from tewb.workbench.states.known import KnownStates
from tewb.workbench.states.schema import as_json
from tewb.workbench.states.swept import Swept, swept_state
from tewb.workbench.states.times import measured_state
from tewb.workbench.trace.data_trace import LIMIT

MOST_WAIT = 0.25  # seconds that a check waits for a request
QUIET = 0.5  # seconds without an edit before results are checked
LONG_QUIET = 5.0  # seconds without a request before all objects are looked through for garbage
MEASURING_THREADS = "measuring the threads"  # the page knows it by these words
CHECKING = "checking on small sizes"
STOP = Request("stop", lambda session: "stopping")  # the only one that a session alone has not
CHECK_LIMIT = 20.0  # seconds that a check may take, whatever it calls

Listener = Callable[[Message], None]


class Desk:
    """A session with what is selected of it.

    `selected` is {"stage", "loop"}, `form` the name of the form of code that is shown. `on_selection(f)` calls `f`
    after either changes; `listen(f)` gives `f` the messages that are for everybody.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        own = [s.name for s in session.schedule.stages if not s.is_placeholder]
        self.selected: dict[str, str] = {"stage": own[-1] if own else "", "loop": ""}
        self.form = LOWERED
        self.name = ""
        self.revision = 0  # of the last states that a widget sent
        self.was_restored = False  # whether it is known what was kept of another day
        self.restored_early = 0  # steps that came from the saved notebook, before there was a page
        self.keeps_in_file = False
        self.measured: Measurement | None = None
        self.verdict: Verdict | None = None
        self.swept: Sweep | None = None
        self.traced: dict[str, Any] | None = None  # the last state `Data`, as JSON
        self._traced_of: tuple[int, str] | None = None
        self._is_tracing = False
        self._known = KnownStates(session)
        self._listeners: list[Listener] = []
        self._on_change: list[Callable[[], None]] = []
        self._on_news: list[Callable[[str], None]] = []
        self._background = LongWork(self.tell)
        self._checker, self._tracer = LongWork(self.tell, False), LongWork(self.tell, False)
        self._recaller = LongWork(self.tell, False)
        self._next_check = Later(QUIET, self._check)
        self._next_collection = Later(LONG_QUIET, catch_up_on_collections)
        self.is_answering = False
        self._is_checking = False
        session.on_change(self._changed)

    # ---- listening

    def listen(self, f: Listener) -> Callable[[], None]:
        """Give `f` every message that is for all. Returns a function that ends this."""
        self._listeners.append(f)
        return lambda: self._listeners.remove(f)

    def on_change(self, f: Callable[[], None]) -> Callable[[], None]:
        """Call `f` after the schedule, the selection or a measurement changed. Returns a function that ends this."""
        self._on_change.append(f)
        return lambda: self._on_change.remove(f)

    def on_news(self, f: Callable[[str], None]) -> Callable[[], None]:
        """Call `f` with the name of a view whose state became another while nothing else did. Returns a function that ends this."""
        self._on_news.append(f)
        return lambda: self._on_news.remove(f)

    def tell(self, message: Message) -> None:
        """Give a message to all who listen."""
        for f in list(self._listeners):
            f(message)

    def _changed(self) -> None:
        self._keep_selection()
        self.verdict = None
        self.collect_later()
        self._tell_change()
        self._check_later()

    def _tell_change(self) -> None:
        for f in list(self._on_change):
            f()

    def _keep_selection(self) -> None:
        """What is selected is there: a loop that was split is its outer part now, and a part that is gone its whole."""
        stage, loop = self.selected["stage"], self.selected["loop"]
        known = self.session.schedule.find(stage)
        if known is None:
            own = [s.name for s in self.session.schedule.stages if not s.is_placeholder]
            self.selected = {"stage": own[-1] if own else "", "loop": ""}
            return
        names = [known.axis_name(iv) for iv in known.leaf_iter_vars]
        if loop and loop not in names:
            heirs = [n for n in names if n.startswith(f"{loop}.") or f"{loop}." in n]
            whole = [n for n in names if loop.startswith(f"{n}.")]  # a split that was taken back
            self.selected = {"stage": stage, "loop": next(iter(heirs + whole), "")}

    def select(self, stage: str, loop: str = "") -> None:
        """Choose a stage and a loop of it."""
        if self.selected != {"stage": stage, "loop": loop}:
            self.selected = {"stage": stage, "loop": loop}
            self._keep_selection()
            self._tell_change()

    def show_form(self, form: str) -> None:
        """Choose the form of the code that is shown."""
        if form != self.form:
            self.form = form
            self._tell_change()

    # ---- views

    def look(self, view: str, options: Mapping[str, Any]) -> Any:
        """The state of a view of the session or of the desk. What went wrong is a state of its own: {"problem"}."""
        *_, state = self.look_in_pieces(view, options)
        return state

    def look_in_pieces(self, view: str, options: Mapping[str, Any]) -> Iterator[Any]:
        """As `look`, with None between the pieces of work that lead to the state, which comes last."""
        own: dict[str, Callable[[], Any]] = {
            "measured": lambda: (
                None if self.measured is None else as_json(measured_state(self.session, self.measured))
            ),
            "checked": lambda: as_json(checked_state(self.session, self.verdict, self._is_checking)),
            "swept": lambda: None if self.swept is None else as_json(self._swept_state(self.swept)),
            "data": lambda: self.traced,
            "traced": lambda: as_json(
                traced_state(self.session, self._traced_of == self._moment, self._is_tracing)
            ),
        }
        if view == "trials":
            self._recall()
        try:
            if view in own:
                yield own[view]()
            else:
                yield from self._known.look_in_pieces(view, options)
        except TewbError as e:
            yield {"problem": e.message}

    # ---- requests

    def answer(self, name: str, arguments: Mapping[str, Any]) -> Reply:
        """Do a request; those that take long are begun, and go on in the background."""
        beside: dict[str, Callable[..., Reply]] = {
            "measure": self._measure,
            "measure_loops": self._measure_loops,
            "measure_threads": self._measure_threads,
            "verify": self._verify,
            "stop": self._stop_work,
            "minimise": self._minimise,
            "try_steps": self._try_steps,
            "sweep": self._sweep,
            "tune": lambda **given: self._search("tune", search_knobs, **{"seconds": 20.0, **given}),
            "autoschedule": lambda seconds=60.0: self._search("autoschedule", search_freely, seconds=seconds),
            "pin_trial": lambda **given: self._about_trials("pin_trial", given),
            "knob": lambda **given: self._about_trials("knob", given),
            "unknob": lambda **given: self._about_trials("unknob", given),
            "trace": self._trace,
            "data_page": self._data_page,
        }
        if name in beside:
            try:
                REQUESTS.get(name, STOP).check(arguments)
                return beside[name](**arguments)
            except TewbError as e:
                return Reply(False, refused=refusal(e))
        return ask(self.session, name, arguments)

    def do(self, *steps: Step) -> Reply:
        """Apply steps as the page does."""
        return self.answer("do", {"steps": [s.to_json() for s in steps]})

    # ---- long work

    @property
    def is_busy(self) -> bool:
        """Whether work in the background goes on."""
        return self._background.is_busy

    def _stop_work(self) -> Reply:
        is_working = self.is_busy or self._is_tracing
        for work in (self._background, self._checker, self._tracer):
            work.stop()
        return Reply(True, "stopping" if is_working else "nothing is running")

    def _begin(self, what: str, work: Callable[[Work], None]) -> Reply:
        """Do `work` beside the notebook."""
        return Reply(True, f"{what} began") if self._background.begin(what, work) else _is_running()

    def _measure(self, repeat: int = 9) -> Reply:
        session = self.session
        pinned = None if session.pinned is None else session.pinned.journal

        def measuring(work: Work) -> None:
            found = session.measure(repeat, stop=work.is_stopped, progress=work.progress, pinned=pinned)
            if found.message != STOPPED:  # else what was measured before still holds
                self.measured = found
                work.then(self._tell_change)
            work.done(str(found) if found.message != STOPPED else STOPPED)

        return self._begin("measure", measuring)

    def _measure_loops(self, seconds: float = 10.0, slowdown: float = 0.1) -> Reply:
        def measuring(work: Work) -> None:
            found = self.session.measure_loops(seconds, slowdown, work.is_stopped, work.progress)
            work.then(self._tell_change)
            work.done(found.message)

        return self._begin("measure the loops", measuring)

    def _measure_threads(self, repeat: int = 9, seconds: float = 10.0) -> Reply:
        def measuring(work: Work) -> None:
            try:
                found = self.session.measure_threads(repeat, seconds, work.is_stopped, work.progress)
            except TewbError:
                if not work.is_stopped():
                    raise
                raise Stopped from None  # before one call was over
            work.then(self._tell_change)
            work.done(found.sentence + (" (stopped early)" if work.is_stopped() else ""))

        return self._begin(MEASURING_THREADS, measuring)

    def _minimise(self, still: str = "", seconds: float = 30.0) -> Reply:
        """Look for the shortest journal and the smallest sizes in the background, and go to that journal; undo goes back."""
        session, journal, program = self.session, self.session.journal, self.session.copy()
        against = () if session.pinned is None else session.pinned.journal

        def finish(found: Minimal) -> None:
            text = str(found)
            if session.journal == journal:
                session.take(found.steps)
            else:  # what was edited meanwhile is not thrown away
                text += "; not taken, as the schedule was edited meanwhile"
            self.tell({"kind": "done", "text": text, "code": found.code})

        def minimising(work: Work) -> None:
            work.progress(0.0, "leaving steps out")
            found = program.minimise(
                still or fault(program), seconds, against, work.is_stopped, work.progress
            )
            work.then(lambda: finish(found))

        return self._begin("minimise", minimising)

    def _try_steps(
        self, steps: Sequence[Any], others: Sequence[Sequence[Any]] | None = None, seconds: float = 20.0
    ) -> Reply:
        """Time steps on a copy in the background, and do them if they help."""
        session, copy = self.session, self.session.copy()
        if copy.problem is not None:
            raise copy.problem
        copy.copy().apply(*steps)

        def settle(work: Work, tried: Tried) -> None:
            if work.is_stopped():  # after the last sample, and before the notebook came to this
                self.tell({"kind": "done", "text": "try_steps was stopped"})
                return
            settled = session.settle(tried)
            self.tell({"kind": "done", "text": str(settled), "good": settled.is_kept})

        def trying(work: Work) -> None:
            tried = try_steps(copy, steps, others or (), seconds, work.is_stopped, work.progress)
            work.then(lambda: settle(work, tried))

        return self._begin("try_steps", trying)

    def _sweep(self, seconds: float = 20.0) -> Reply:
        """Time other factors and orders on copies in the background; nothing is done to the session."""
        copy = self.session.copy()

        def sweeping(work: Work) -> None:
            self.swept = copy.sweep(seconds, work.is_stopped, work.progress)
            work.then(self._tell_change)
            work.done(str(self.swept))

        return self._begin("sweep", sweeping)

    def _swept_state(self, found: Sweep) -> Swept:
        is_current = (found.journal, found.sizes) == (self.session.journal, sizes_text(self.session))
        return swept_state(found, is_current)

    # ---- searches

    def _search(self, what: str, begin: Callable[..., Run], **given: Any) -> Reply:
        """Search in the background, on a copy."""
        if self.is_busy:
            return _is_running()
        run = begin(self.session, **given)

        def searching(work: Work) -> None:
            said = run(work.progress, work.is_stopped, lambda: work.then(self._tell_trials))
            work.then(self._tell_change)  # the look that stays in the notebook has the trials too
            work.done(said)

        return self._begin(what, searching)

    def _about_trials(self, name: str, given: Mapping[str, Any]) -> Reply:
        """What changes the board of searches, and nothing else."""
        reply = ask(self.session, name, given)
        if reply.ok:
            self._tell_trials()
        return reply

    def _tell_trials(self) -> None:
        for f in list(self._on_news):
            f("trials")
            f("knobs")

    def _recall(self) -> None:
        """Read the trials of another day, which takes a second, in the background."""
        if running_loop() is None or self._recaller.is_busy or not can_recall(self.session):
            return

        def recalling(work: Work) -> None:
            recall(self.session)
            work.then(self._tell_trials)

        self._recaller.begin("reading the trials of another day", recalling)

    # ---- the check after an edit

    def _verify(self) -> Reply:
        """Check now, whatever the program calls."""
        if self._is_checking:
            return Reply(True, CHECKING)
        if self.is_busy:
            return _is_running()
        check = self._checking()

        def verifying(work: Work) -> None:
            work.progress(0.0, CHECKING)
            check(work)

        return self._begin("verify", verifying)

    def _check_later(self) -> None:
        """Check when nothing was changed for a moment."""
        self._next_check.cancel()
        if self.session.journal:
            self._next_check.ask()

    def collect_later(self) -> None:
        """Look through all objects for garbage when nothing was changed or asked for a while, and not before."""
        if self._next_collection.ask():
            put_off_full_collections()

    def _check(self) -> None:
        """Check in the background, if nothing else is going on; code of the user's runs only when it is asked for."""
        session = self.session
        if self._is_checking or self.is_busy or session.problem is not None or runs_python(session.function):
            return
        self._checker.begin("check", self._checking())

    def _checking(self) -> Callable[[Work], None]:
        """The work of comparing with the definition on small sizes; what was edited meanwhile is not of interest. It ends
        when somebody stops it, or after CHECK_LIMIT seconds."""
        session = self.session
        version, schedule, args = session.schedule.version, session.schedule.copy(), list(session.args)
        until = time.monotonic() + CHECK_LIMIT

        def finish(verdict: Verdict) -> None:
            self._is_checking = False
            if version == session.schedule.version:
                self.verdict = verdict
                self._tell_change()
            else:
                self._check_later()

        def check(work: Work) -> None:
            def is_unwanted() -> bool:
                self._give_way()
                is_late = time.monotonic() > until or session.schedule.version != version
                return is_late or work.is_stopped()

            with stopped_by(is_unwanted):
                verdict = verify(schedule, args)
            work.then(lambda: finish(verdict))

        self._is_checking = True
        self._tell_change()
        return check

    def _give_way(self) -> None:
        """Let a request that is being answered go first, for a moment at most: both need Python's lock."""
        until = time.monotonic() + MOST_WAIT
        while self.is_answering and time.monotonic() < until:
            time.sleep(0.002)

    # ---- the accesses

    def _trace(self, sizes: str = "small", limit: int = LIMIT) -> Reply:
        """Follow the accesses in the background; an edit meanwhile is not held up."""
        if self._is_tracing:
            return Reply(True, found="tracing")
        session = self.session
        moment, program = self._moment, session.copy()

        def finish(found: dict[str, Any] | None) -> None:
            self._is_tracing = False
            self.keep_trace(found or self.traced, moment)
            self._tell_change()

        def following(work: Work) -> None:
            found = None
            try:
                with stopped_by(work.is_stopped):
                    found = as_json(data_of(session, program, sizes, limit))
            except Stopped:
                work.done("the accesses were not followed to the end")
            finally:
                work.then(lambda: finish(found))

        self._is_tracing = True
        self._tell_change()
        self._tracer.begin("following the accesses", following)
        return Reply(True, found="tracing")

    def keep_trace(self, found: dict[str, Any] | None, moment: tuple[int, str] | None = None) -> None:
        """Show a state `Data`, of the version of the schedule and the sizes at a moment (now, if none is given)."""
        self.traced = found
        self._traced_of = moment or self._moment

    @property
    def _moment(self) -> tuple[int, str]:
        """The version of the schedule, and the sizes, that accesses would be followed of now."""
        return self.session.schedule.version, sizes_text(self.session)

    @property
    def is_traced_now(self) -> bool:
        """Whether the accesses that are shown are those of the schedule as it is."""
        return self.traced is not None and self._traced_of == self._moment

    def _data_page(self) -> Reply:
        """The page that plays the accesses that are shown."""
        return (
            ask(self.session, "data_page")
            if self.traced is None
            else Reply(True, found=page_of(self.session, self.traced))
        )

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until work in the background has ended."""
        for work in (self._background, self._checker, self._tracer):
            work.wait(seconds)


def _is_running() -> Reply:
    return Reply(False, refused=refusal(TewbError("something is running already", hint="stop it, or wait")))


def answer(desk: Desk, content: Mapping[str, Any]) -> Message:
    """The answer to a message that asks for something: {"kind": "ask", "id", "request", "arguments"}."""
    desk.is_answering = True
    desk.collect_later()
    try:
        with collection_waits():
            reply = desk.answer(str(content.get("request")), content.get("arguments") or {})
    finally:
        desk.is_answering = False
    return {"kind": "reply", "id": content.get("id"), "reply": reply_json(reply)}
