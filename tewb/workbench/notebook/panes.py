"""Widgets that show a session: the workbench, and each of its panes by itself.

A widget is a window on a `Desk`: it watches what its page shows, sends states when they change, and passes requests on.
All widgets of a session share its desk, so they stay in step. The page itself (`page/bundle.js`, built from
`frontend/`) is sent once, by the widget `Page`; what each pane carries is a loader of a few lines.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path
from typing import Any, cast

import anywidget
import ipywidgets as widgets
import traitlets

from tewb.base import TewbError, one_of
from tewb.schedule import journal_json
from tewb.workbench.desk import Desk, answer
from tewb.workbench.journal.fingerprint import fingerprint
from tewb.workbench.long_work import Message
from tewb.workbench.notebook.keeping import read_kept, record_of, restore, write_kept
from tewb.workbench.notebook.patches import patch
from tewb.workbench.session import Session
from tewb.workbench.states.views import is_beside, is_first, is_slow

_BUILT = Path(__file__).parent.parent / "page"
MOMENT = 0.008  # seconds of work on slow views before requests are looked for
PAUSE = 0.002  # seconds in which they can come
QUIET = 0.1  # seconds after an edit in which the page paints it, and the next press meets no work
WAIT = 0.02  # seconds between two looks whether work beside the notebook is done
LATE = 0.3  # seconds after which the page says that a state is still that before a change
PANES = (
    "loops",
    "code",
    "actions",
    "journal",
    "memory",
    "data",
    "graph",
    "times",
    "tune",
    "threads",
    "advice",
    "why",
    "llvm",
    "speed",
    "schedule",
)


class Page(widgets.Widget):  # type: ignore[misc]
    """The page, for all panes of a notebook: `code` is JavaScript, `version` changes with it."""

    code: Any = traitlets.Unicode().tag(sync=True)
    version: Any = traitlets.Unicode().tag(sync=True)


@cache
def the_page() -> Page:
    """The one page of this kernel."""
    code = (_BUILT / "bundle.js").read_text("utf-8")
    return Page(code=code, version=hashlib.sha256(code.encode()).hexdigest()[:16])


def desk_of(session: Session) -> Desk:
    """The desk of a session: the same one for all widgets."""
    known = vars(session).get("_desk")
    if known is None:
        known = vars(session)["_desk"] = Desk(session)
        known.name = uuid.uuid4().hex
    return cast(Desk, known)


class Pane(anywidget.AnyWidget):
    """A pane of the workbench on a session: `pane` is one of PANES, or "workbench" for all of them.

    Traits that can be observed and set: `selected` ({"stage", "loop"}), `form` (the form of code that is shown) and
    `journal` (the steps as JSON). `measured` is the last measurement as JSON, {} before the first. `kept` is what the
    page writes into the notebook's metadata under the fingerprint `program`, to restore the journal another day.
    """

    _esm = _BUILT / "loader.js"
    page: Any = traitlets.Instance(Page).tag(sync=True, **widgets.widget_serialization)
    pane: Any = traitlets.Unicode().tag(sync=True)
    desk: Any = traitlets.Unicode().tag(sync=True)
    selected: Any = traitlets.Dict().tag(sync=True)
    form: Any = traitlets.Unicode().tag(sync=True)
    journal: Any = traitlets.List().tag(sync=True)
    measured: Any = traitlets.Dict().tag(sync=True)
    program: Any = traitlets.Unicode().tag(sync=True)
    kept: Any = traitlets.Dict().tag(sync=True)

    def __init__(self, session: Session, pane: str = "workbench", **traits: Any) -> None:
        if pane != "workbench":
            one_of("pane", pane, PANES, TewbError)
        self.session = session
        self._desk = desk = desk_of(session)
        self._watched: dict[str, dict[str, Any]] = {}  # by client, and then by key
        self._sent: dict[
            str, tuple[int, Any]
        ] = {}  # the last state of each key, and the revision that it came with
        self._due: set[str] = set()  # the keys of views that follow
        self._told_due: set[str] = set()  # those that the page knows of
        self._late: list[str] = []  # of those that the page was told to wait for
        self._work: Iterator[bool] = iter(())
        self._pending: asyncio.Handle | None = None
        super().__init__(
            page=the_page(), pane=pane, desk=desk.name, selected=desk.selected, form=desk.form, journal=self._steps(),
            program=fingerprint(session.name, session.schedule, session.args), **traits,
        )  # fmt: skip
        self.on_msg(self._asked)
        desk.listen(self.send)
        desk.on_change(self._changed)
        desk.on_news(self._news)
        self.observe(
            lambda change: desk.select(change.new.get("stage", ""), change.new.get("loop", "")), "selected"
        )
        self.observe(lambda change: desk.show_form(change.new), "form")
        self.observe(lambda change: self._journal_set(change.new), "journal")

    def __repr__(self) -> str:
        return f"{self.pane} of {self.session!r}"

    # ---- traits

    def _steps(self) -> list[dict[str, Any]]:
        return journal_json(self.session.journal)

    def _journal_set(self, steps: list[dict[str, Any]]) -> None:
        """A journal was given from outside: the schedule becomes it, or the trait goes back."""
        if steps != self._steps():
            try:
                self.session.take_steps(steps)
            finally:
                self.journal = self._steps()

    def _news(self, view: str) -> None:
        """The state of a view is another, and all others are as they were."""
        self._tell_page({key: self._look(key) for key, w in self._views.items() if w["view"] == view})

    def _changed(self) -> None:
        """What a person waits for goes first; the traits, which are for programs and for the notebook, in one message."""
        desk = self._desk
        self._send_states(self._views.keys(), QUIET)
        with self.hold_sync():
            self.selected, self.form, self.journal = dict(desk.selected), desk.form, self._steps()
            self.measured = desk.look("measured", {}) or {}
            self._keep()

    # ---- messages

    def _asked(self, _: Any, content: Message, __: Any) -> None:
        match content.get("kind"):
            case "watch":
                before = self._watched.pop(content["client"], {})
                new = content["views"].keys() - before.keys()  # to that page, whatever others were sent
                new |= content["views"].keys() & set(
                    content.get("again", ())
                )  # it has not what a patch is for
                for key in new:
                    self._sent.pop(key, None)
                self._watched[content["client"]] = content["views"]
                for old in list(self._watched)[:-4]:  # pages that were closed do not say so
                    del self._watched[old]
                if new or not self._due <= self._views.keys():
                    self._send_states(new, PAUSE)
            case "ask":
                self.send(answer(self._desk, content))
            case "saving":
                if self._look_now():
                    self.send({"kind": "looked"})
            case "found":
                self._restore(content.get("record"), in_notebook=bool(content.get("in_notebook")))

    def _look_now(self) -> bool:
        """The notebook is being saved: whether what it shows without a kernel was not yet that of now, and is made so."""
        return False

    # ---- from one day to the next

    def _restore(self, record: Message | None, in_notebook: bool) -> None:
        """The page says what it found in the notebook, or that there is no notebook it can read: then it may be in a
        file. What is found is restored once."""
        desk = self._desk
        desk.keeps_in_file = not in_notebook
        if desk.was_restored:
            return
        desk.was_restored = True
        found = record if in_notebook else read_kept(self.program)
        steps = desk.restored_early + self._go_to(found or {})
        if steps:
            desk.tell({"kind": "restored", "steps": steps, "when": (found or {}).get("when", 0)})

    def _go_to(self, record: Message) -> int:
        """Restore the journal of a record, and return how many steps that adds."""
        try:
            return restore(self.session, record) if record else 0
        except TewbError as e:
            said = {"kind": "failed", "what": "restoring the steps that were kept", "message": e.message}
            self._desk.tell(said)
            return 0

    def _keep(self) -> None:
        if not self._desk.was_restored:
            return  # what was kept is not looked at yet: it is not overwritten
        self.kept = record_of(self.session)
        if self._desk.keeps_in_file:
            write_kept(self.program, self.kept)

    @property
    def _views(self) -> dict[str, Any]:
        return {key: w for views in self._watched.values() for key, w in views.items()}

    def _send_states(self, wanted: Set[str], pause: float) -> None:
        """Send the states of these keys: what a person looks at first, at once; the others after a pause, with those that were
        due before."""
        views = self._views
        self._sent = {key: x for key, x in self._sent.items() if key in views}
        first = {key for key in wanted if is_first(views[key]["view"])}
        self._due = (self._due | wanted) & views.keys() - first
        self._tell_page({key: self._look(key) for key in views if key in first})
        self._work = self._other_states()
        self._go_on_soon(pause)

    def _other_states(self) -> Iterator[bool]:
        """Sends the views that are due: those that are made in a moment in one message, then the slow ones, each when it is
        ready, with a pause between the pieces of work that they take; last those whose work is done beside the notebook, all
        at once. True while only such work goes on."""
        due = {key: w for key, w in self._views.items() if key in self._due}
        fast = {key: self._look(key) for key, w in due.items() if not is_slow(w["view"])}
        self._due -= fast.keys()
        self._tell_page(fast)
        yield False
        slow = {
            key: self._desk.look_in_pieces(w["view"], w["options"])
            for key, w in due.items()
            if key in self._due
        }
        beside = {key: slow.pop(key) for key in list(slow) if is_beside(due[key]["view"])}
        for key, pieces in slow.items():
            for piece in pieces:
                if piece is not None:  # the last
                    self._due.discard(key)
                    self._tell_page({key: piece})
                yield False
        began, old = time.perf_counter(), list(beside)
        while beside:
            for key, pieces in list(beside.items()):
                piece = next(pieces, _NO_MORE)
                if piece is not None and key in old:
                    old.remove(key)
                if piece is _NO_MORE:
                    del beside[key]
                    self._due.discard(key)
                elif piece is not None:
                    self._tell_page({key: piece})
            self._tell_page({})  # of those that are ready, that no more is to come
            if not old or time.perf_counter() > began + LATE:
                self._tell_late(old)
            yield True

    def _tell_late(self, keys: list[str]) -> None:
        """Tell the page which states are still those before the last change."""
        keys = [key for key in keys if key in self._sent]
        if keys != self._late:
            self._late = keys
            self.send({"kind": "late", "keys": keys})

    def _look(self, key: str) -> Any:
        watched = self._views[key]
        return self._desk.look(watched["view"], watched["options"])

    def _go_on(self) -> None:
        """Work for a moment, and let the next request come before the rest."""
        until = time.perf_counter() + MOMENT
        for waits in self._work:
            if waits or time.perf_counter() > until:
                self._go_on_soon(WAIT if waits else PAUSE)
                return
        self._pending = None

    @property
    def is_up_to_date(self) -> bool:
        """Whether all that is watched was sent."""
        return self._pending is None

    def _go_on_soon(self, pause: float = PAUSE) -> None:
        """Go on with the work when what was sent and asked until now is done; at once where there is no event loop."""
        if self._pending is not None:
            self._pending.cancel()
        try:
            self._pending = asyncio.get_running_loop().call_later(pause, self._go_on)
        except RuntimeError:
            self._pending = None
            for _ in self._work:
                pass

    def _tell_page(self, states: dict[str, Any]) -> None:
        """Send states that are new to the page, with what is selected in them; of long ones, what is different. It is told
        which states are to follow, as those that it has are of before an edit."""
        desk, sent = self._desk, self._sent
        new = {key: s for key, s in states.items() if key not in sent or not _is_same(sent[key][1], s)}
        if not new and self._due == self._told_due:
            return
        desk.revision += 1
        message: Message = {
            "kind": "states", "version": self.session.schedule.version, "revision": desk.revision, "states": {}, "patches": {},
            "due": sorted(self._due),
        }  # fmt: skip
        self._told_due = set(self._due)
        for key, state in new.items():
            since, before = sent.get(key, (0, None))
            found = patch(before, state)
            if found is None:
                message["states"][key] = state
            else:
                message["patches"][key] = {"since": since, **found}
            sent[key] = desk.revision, state
        if self.selected != desk.selected:
            message |= {"selected": desk.selected, "instead_of": self.selected}
        self.send(message)


_NO_MORE = object()


def _is_same(a: Any, b: Any) -> bool:
    return a is b or bool(a == b)
