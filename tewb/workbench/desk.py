"""A desk: a session as it is worked with on the screen, by one widget or several.

A desk keeps what is selected, which form of the code is shown and what was measured last; it answers requests, makes
the states of the views that somebody watches, and does long work beside the notebook. It knows no widget: what it has
to say goes to its listeners as messages of plain values.

    {"kind": "states", "version", "states": {key: state}}     views that changed, by the key they are watched with
    {"kind": "reply", "id", "reply"}                          the answer to a request
    {"kind": "busy", "what", "done", "note"}                  work in the background: how far it is (0 to 1)
    {"kind": "idle", "what"}                                  and that it has ended
    {"kind": "failed", "what", "message"}                     something that was not asked for just now went wrong
    {"kind": "done", "text"}                                  what work in the background came to
    {"kind": "restored", "steps", "when"}                     steps that were kept from another day
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tewb.base import TewbError
from tewb.schedule import Step
from tewb.workbench.judge.ledger import runs_python
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.measure.verify import Verdict, verify
from tewb.workbench.requests import Reply, ask, refusal, reply_json
from tewb.workbench.session import Session
from tewb.workbench.states.checked import checked_state
from tewb.workbench.states.code import LOWERED
from tewb.workbench.states.schema import as_json
from tewb.workbench.states.times import measured_state
from tewb.workbench.states.views import look_in_pieces

QUIET = 0.5  # seconds without an edit before results are checked

Message = dict[str, Any]
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
        self.was_restored = False  # whether it is known what was kept of another day
        self.keeps_in_file = False
        self.measured: Measurement | None = None
        self.verdict: Verdict | None = None
        self._listeners: list[Listener] = []
        self._on_change: list[Callable[[], None]] = []
        self._stop = threading.Event()
        self._busy: threading.Thread | None = None
        self._waits: asyncio.TimerHandle | None = None
        self._checker: threading.Thread | None = None
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

    def tell(self, message: Message) -> None:
        """Give a message to all who listen."""
        for f in list(self._listeners):
            f(message)

    def _changed(self) -> None:
        self._keep_selection()
        self.verdict = None
        self._tell_change()
        self._check_later()

    def _tell_change(self) -> None:
        for f in list(self._on_change):
            f()

    def _keep_selection(self) -> None:
        """What is selected is there: a loop that was split is its outer part now."""
        stage, loop = self.selected["stage"], self.selected["loop"]
        known = self.session.schedule.find(stage)
        if known is None:
            own = [s.name for s in self.session.schedule.stages if not s.is_placeholder]
            self.selected = {"stage": own[-1] if own else "", "loop": ""}
            return
        names = [known.axis_name(iv) for iv in known.leaf_iter_vars]
        if loop and loop not in names:
            heirs = [n for n in names if n.startswith(f"{loop}.") or f"{loop}." in n]
            self.selected = {"stage": stage, "loop": heirs[0] if heirs else ""}

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
        }
        try:
            if view in own:
                yield own[view]()
            else:
                yield from look_in_pieces(self.session, view, options)
        except TewbError as e:
            yield {"problem": e.message}

    # ---- requests

    def answer(self, name: str, arguments: Mapping[str, Any]) -> Reply:
        """Do a request; those that take long are begun, and go on in the background."""
        beside: dict[str, Callable[..., Reply]] = {
            "measure": self._measure,
            "verify": self._verify,
            "stop": self._stop_work,
            "minimise": self._minimise,
        }
        if name in beside:
            return beside[name](**arguments)
        return ask(self.session, name, arguments)

    def do(self, *steps: Step) -> Reply:
        """Apply steps as the page does."""
        return self.answer("do", {"steps": [s.to_json() for s in steps]})

    # ---- long work

    @property
    def is_busy(self) -> bool:
        """Whether work in the background goes on."""
        return self._busy is not None and self._busy.is_alive()

    def _stop_work(self) -> Reply:
        self._stop.set()
        return Reply(True, "stopping" if self.is_busy else "nothing is running")

    def _begin(self, what: str, work: Callable[[], None]) -> Reply:
        """Do `work` beside the notebook."""
        if self.is_busy:
            return Reply(
                False, refused=refusal(TewbError("something is running already", hint="stop it, or wait"))
            )
        self._stop.clear()
        loop = _running_loop()

        def run() -> None:
            try:
                work()
            except Exception as e:  # whatever the kernel or the user's numpy program raises is shown
                message = e.message if isinstance(e, TewbError) else f"{type(e).__name__}: {e}"
                self._say(loop, {"kind": "failed", "what": what, "message": message})
            finally:
                self._say(loop, {"kind": "idle", "what": what})

        self._busy = threading.Thread(target=run, name=f"tewb {what}", daemon=True)
        self._busy.start()
        return Reply(True, f"{what} began")

    def _say(self, loop: asyncio.AbstractEventLoop | None, message: Message) -> None:
        """Tell a message from another thread; on the notebook's own, where it has one."""
        if loop is None or loop.is_closed():
            self.tell(message)
        else:
            loop.call_soon_threadsafe(self.tell, message)

    def _measure(self, repeat: int = 9) -> Reply:
        session, loop = self.session, _running_loop()
        pinned = None if session.pinned is None else session.pinned.journal

        def tell(done: float, note: str) -> None:
            self._say(loop, {"kind": "busy", "what": "measure", "done": done, "note": note})

        def work() -> None:
            self.measured = session.measure(repeat, stop=self._stop.is_set, progress=tell, pinned=pinned)
            _then(loop, self._tell_change)
            if self.measured.ok:
                self._say(loop, {"kind": "done", "text": str(self.measured).removeprefix("✓ ")})

        return self._begin("measure", work)

    def _minimise(self, still: str = "different", seconds: float = 30.0) -> Reply:
        """Look for the shortest journal in the background, and go there; undo goes back."""
        session, loop, journal = self.session, _running_loop(), self.session.journal

        def finish(steps: tuple[Step, ...]) -> None:
            if session.journal == journal:  # what was edited meanwhile is not thrown away
                session.take(steps)

        def work() -> None:
            self._say(loop, {"kind": "busy", "what": "minimise", "done": 0.0, "note": "leaving steps out"})
            found = session.minimise(still, seconds)
            _then(loop, lambda: finish(found.steps))
            self._say(loop, {"kind": "done", "text": str(found)})

        return self._begin("minimise", work)

    # ---- the check after an edit

    def _verify(self) -> Reply:
        """Check now, whatever the program calls."""
        self._check()
        return Reply(True, "checking on small sizes")

    def _check_later(self) -> None:
        """Check when nothing was changed for a moment; code of the user's runs only when it is asked for."""
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None
        session, loop = self.session, _running_loop()
        if (
            loop is not None
            and session.journal
            and session.problem is None
            and not runs_python(session.function)
        ):
            self._waits = loop.call_later(QUIET, self._check)

    def _check(self) -> None:
        """Compare with the definition on small sizes, in the background; what was edited meanwhile is not of interest."""
        session, loop = self.session, _running_loop()
        if self._is_checking or self.is_busy:
            return
        version, schedule, args = session.schedule.version, session.schedule.copy(), list(session.args)

        def finish(verdict: Verdict) -> None:
            self._is_checking = False
            if version == session.schedule.version:
                self.verdict = verdict
                self._tell_change()
            else:
                self._check_later()

        def run() -> None:
            verdict = verify(schedule, args)
            _then(loop, lambda: finish(verdict))

        self._is_checking = True
        self._tell_change()
        self._checker = threading.Thread(target=run, name="tewb check", daemon=True)
        self._checker.start()

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until work in the background has ended."""
        for thread in (self._busy, self._checker):
            if thread is not None:
                thread.join(seconds)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _then(loop: asyncio.AbstractEventLoop | None, f: Callable[[], None]) -> None:
    if loop is None or loop.is_closed():
        f()
    else:
        loop.call_soon_threadsafe(f)


def answer(desk: Desk, content: Mapping[str, Any]) -> Message:
    """The answer to a message that asks for something: {"kind": "ask", "id", "request", "arguments"}."""
    reply = desk.answer(str(content.get("request")), content.get("arguments") or {})
    return {"kind": "reply", "id": content.get("id"), "reply": reply_json(reply)}
