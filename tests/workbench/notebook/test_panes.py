"""Panes watch views, pass requests on, and stay in step."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from tewb import te
from tewb.base import TewbError
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook.panes import PANES, Pane, desk_of, the_page
from tewb.workbench.notebook.patches import patched
from tewb.workbench.session import Session

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}


def watching(pane: Pane, *views: str, **options: Any) -> list[Any]:
    """What the pane sends from now on, when its page watches these views."""
    sent: list[Any] = []
    pane.send = lambda message, *_: sent.append(message)
    watched = {view: {"view": view, "options": options} for view in views}
    pane._asked(None, {"kind": "watch", "client": "page", "views": watched}, None)
    return sent


def ask(pane: Pane, request: str, **arguments: Any) -> None:
    pane._asked(None, {"kind": "ask", "id": 7, "request": request, "arguments": arguments}, None)


def states(sent: list[Any], view: str) -> list[Any]:
    return [m["states"][view] for m in sent if m["kind"] == "states" and view in m["states"]]


def test_what_is_watched_is_sent_at_once_and_after_a_change() -> None:
    pane = Pane(demo_session("matmul", n=32), "loops")
    sent = watching(pane, "loops")
    ask(pane, "do", steps=[SPLIT])
    first, second = states(sent, "loops")
    assert [n["loop"] for n in first["roots"][2]["inside"]] == ["i"] and "j.outer" in str(second)
    (reply,) = [m for m in sent if m["kind"] == "reply"]
    assert reply["id"] == 7 and reply["reply"]["said"] == "split(C, axis=j, factor=8)"


def test_what_did_not_change_is_not_sent_again() -> None:
    pane = Pane(demo_session("blur", n=32), "journal")
    sent = watching(pane, "journal", "forms")
    ask(pane, "undo")
    assert len(states(sent, "journal")) == 1


def test_news_of_a_view_makes_no_other() -> None:
    pane = Pane(demo_session("matmul", n=32), "tune")
    ask(pane, "do", steps=[SPLIT])
    sent = watching(pane, "knobs", "journal", "trials")
    del sent[:]
    ask(pane, "knob", name="1.factor", values="4")
    message, reply = sent
    assert set(message["states"]) | set(message["patches"]) == {"knobs"} and reply["kind"] == "reply"


def test_what_is_not_watched_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    pane = Pane(demo_session("matmul", n=32), "loops")
    made: list[str] = []
    desk = pane._desk
    look = desk.look_in_pieces
    monkeypatch.setattr(
        desk, "look_in_pieces", lambda view, options: made.append(view) or look(view, options)
    )
    watching(pane, "loops")
    ask(pane, "do", steps=[SPLIT])
    assert set(made) == {"loops", "measured"}


def test_the_heir_of_a_loop_is_told_with_the_states_that_have_it() -> None:
    pane = Pane(demo_session("matmul", n=32), "loops")
    sent = watching(pane, "loops")
    pane.selected = {"stage": "C", "loop": "j"}
    ask(pane, "do", steps=[SPLIT])
    first, second, reply = sent
    assert "selected" not in first and reply["kind"] == "reply"
    assert second["selected"] == {"stage": "C", "loop": "j.outer"} == pane.selected
    assert second["instead_of"] == {"stage": "C", "loop": "j"}


def test_states_come_before_the_traits_and_these_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    pane = Pane(demo_session("matmul", n=32), "loops")
    pane._desk.was_restored = True
    sent = watching(pane, "loops")
    pane.selected = {"stage": "C", "loop": "j"}
    monkeypatch.setattr(
        pane, "_send", lambda message, buffers=None: sent.append({"kind": "traits", **message["state"]})
    )
    del sent[:]
    ask(pane, "do", steps=[SPLIT])
    assert [m["kind"] for m in sent] == ["states", "traits", "reply"]
    assert {"selected", "journal", "kept"} <= set(sent[1])


def long_session() -> Session:
    """A program whose IR is long enough for patches."""
    A = te.placeholder((4, 32), name="A")
    t = A
    for k in range(6):
        t = te.compute((4, 32), lambda i, j, t=t: t[i, j] * 2.0 + 1.0, name=f"S{k}")
    s = te.create_schedule(t.op)
    for k in range(6):
        s[f"S{k}"].unroll("j")
    return Session(s, [A, t])


class Page:
    """A page that keeps states as the page of the browser does, for one client."""

    def __init__(self, pane: Pane, client: str) -> None:
        self.pane, self.client = pane, client
        self.states: dict[str, Any] = {}
        self.revisions: dict[str, int] = {}
        self.watched: dict[str, Any] = {}
        self.missed: set[str] = set()  # keys of states that did not arrive, until others of them do
        self.again = self.patched = 0

    def watch(self, *views: tuple[str, dict[str, str]], again: list[str] | None = None) -> None:
        self.watched = {
            f"{view} {options}": {"view": view, "options": options} for view, options in views
        } or (self.watched)
        message = {"kind": "watch", "client": self.client, "views": self.watched, "again": again or []}
        self.pane._asked(None, json.loads(json.dumps(message)), None)

    def take(self, message: Any) -> None:
        if message["kind"] != "states":
            return
        message = json.loads(json.dumps(message))
        for key in self.watched:
            change = message["patches"].get(key)
            if key in message["states"]:
                self.states[key] = message["states"][key]
            elif change and change["since"] == self.revisions.get(key):
                self.states[key] = patched(self.states[key], change)
                self.patched += 1
            else:
                if change:
                    self.again += 1
                    self.watch(again=[key])
                continue
            self.revisions[key] = message["revision"]
            self.missed.discard(key)

    def miss(self, message: Any) -> None:
        self.missed |= {*message.get("states", ()), *message.get("patches", ())}

    def check(self) -> None:
        for key, watched in self.watched.items():
            if key in self.missed:
                continue
            whole = self.pane._desk.look(watched["view"], watched["options"])
            assert self.states[key] == json.loads(json.dumps(whole)), key


@pytest.mark.parametrize("seed", range(2))
def test_patches_lead_a_page_to_the_whole_state_whatever_is_done(seed: int) -> None:
    rng, pane = random.Random(seed), Pane(long_session(), "code")
    session = pane.session
    pages = [Page(pane, "a"), Page(pane, "b")]
    lost = False

    def send(message: Any, *_: Any) -> None:
        pages[0].take(message)
        (pages[1].miss if lost else pages[1].take)(message)

    pane.send = send
    pages[0].watch(("code", {}), ("loops", {}))
    pages[1].watch(("code", {"form": "schedule_ops"}))
    for turn in range(30):
        lost = turn % 7 == 3  # by a page whose connection was away
        stage = session.schedule[f"S{rng.randrange(6)}"]
        axis = stage.axis_name(rng.choice(stage.leaf_iter_vars))
        steps = [
            Step("split", stage.name, {"axis": axis, "factor": rng.choice([2, 3])}),
            Step("vectorize", stage.name, {"axis": axis}),
            Step("compute_at", stage.name, {"parent": "S5", "axis": "i"}),
            Step("compute_inline", stage.name, {}),
        ]
        other = rng.choice(
            [{"form": "unroll_loops"}, {"form": "TE"}, {"form": "simplify"}, {"against": "before"}]
        )
        show = partial(pages[1].watch, ("code", {}), ("code", other))
        with suppress(TewbError):
            rng.choice([session.undo, session.redo, show, *[partial(session.apply, x) for x in steps]])()
        for page in pages:
            page.check()
    assert pages[0].patched > 5 and pages[0].again == 0
    assert pages[1].patched > 5


def test_a_page_that_missed_a_message_asks_for_the_whole_state() -> None:
    session = long_session()
    pane = Pane(session, "code")
    page = Page(pane, "a")
    pane.send = lambda message, *_: page.take(message)
    page.watch(("code", {}))
    pane.send = lambda *_: None
    session.apply(Step("split", "S1", {"axis": "i", "factor": 2}))
    pane.send = lambda message, *_: page.take(message)
    session.apply(Step("split", "S2", {"axis": "i", "factor": 2}))
    page.check()
    assert (page.again, page.patched) == (1, 0)


def test_two_widgets_of_a_session_number_their_states_together() -> None:
    session = long_session()
    panes = [Pane(session, "code"), Pane(session, "code")]
    sent: list[Any] = []
    for pane in panes:
        pane.send = lambda message, *_: sent.append(message)
        Page(pane, "a").watch(("code", {}))
    session.apply(Step("split", "S1", {"axis": "i", "factor": 2}))
    assert [m["revision"] for m in sent] == [1, 2, 3, 4]
    assert [m["patches"]["code {}"]["since"] for m in sent[2:]] == [1, 2]
    assert len(json.dumps(sent[2])) * 2 < len(json.dumps(sent[0]))


def test_a_page_that_watches_anew_is_sent_all_of_it() -> None:
    pane = Pane(demo_session("matmul", n=32), "loops")
    sent = watching(pane, "loops")
    for client in ("page", "another"):  # a tab that was closed and is open again; the notebook opened twice
        for views in ({}, {"loops": {"view": "loops", "options": {}}}):
            pane._asked(None, {"kind": "watch", "client": client, "views": views}, None)
    assert len(states(sent, "loops")) == 3


def test_a_refusal_is_a_reply_with_its_reason() -> None:
    pane = Pane(demo_session("matmul", n=32))
    sent = watching(pane)
    ask(pane, "do", steps=[{"primitive": "parallel", "stage": "C", "args": {"axis": "k"}}])
    (reply,) = [m["reply"] for m in sent if m["kind"] == "reply"]
    assert (
        not reply["ok"]
        and "would race" in reply["refused"]["message"]
        and "k(32)" in reply["refused"]["loops"]
    )


def test_panes_of_a_session_are_in_step() -> None:
    session = demo_session("matmul", n=32)
    loops, code = session.view("loops"), session.view("code")
    assert loops.desk == code.desk and loops.page is code.page
    loops.selected = {"stage": "C", "loop": "j"}
    assert code.selected == {"stage": "C", "loop": "j"}
    code.form = "assembly"
    assert loops.form == "assembly"
    session.apply(SPLIT)
    assert loops.journal == code.journal == [SPLIT]
    assert loops.selected == {"stage": "C", "loop": "j.outer"}


def test_the_journal_can_be_set() -> None:
    pane = Pane(demo_session("matmul", n=32))
    pane.journal = [SPLIT]
    assert [s.primitive for s in pane.session.journal] == ["split"]
    with pytest.raises(TewbError, match="cannot be loaded"):
        pane.journal = [SPLIT, {"primitive": "split", "stage": "C", "args": {"axis": "nope", "factor": 2}}]
    assert pane.journal == [SPLIT]


def test_slow_views_come_in_pieces_and_give_way_to_an_edit() -> None:
    async def work() -> list[Any]:
        pane = Pane(demo_session("matmul", n=32))
        sent = watching(pane, "actions", "loops", stage="C")
        assert states(sent, "actions") == []
        ask(pane, "do", steps=[SPLIT])  # before the first palette is ready: that one is never sent
        for _ in range(6000):
            await asyncio.sleep(0.01)
            if states(sent, "actions"):
                break
        return sent

    found = states(asyncio.run(work()), "actions")
    assert len(found) == 1 and "j.outer" in str(found[0])


def test_what_is_made_beside_the_notebook_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def answer(_: Any, measures: bool = True) -> Any:
        assert gate.wait(60)
        raise TewbError("no answer")

    monkeypatch.setattr("tewb.workbench.speed.why_fast.Question.answer", answer)

    async def until(sent: list[Any], view: str) -> Any:
        for _ in range(6000):
            await asyncio.sleep(0.01)
            if found := states(sent, view):
                return found[-1]
        return None

    async def work() -> tuple[Any, Any, Any]:
        sent = watching(Pane(demo_session("matmul", n=32)), "speed", "memory", "loops")
        others = await until(sent, "memory")
        before = states(sent, "speed")
        gate.set()
        return others, before, await until(sent, "speed")

    others, before, speed = asyncio.run(work())
    assert others is not None and before == [] and speed["problem"] == "no answer"


def test_what_is_late_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tewb.workbench.notebook.panes.LATE", 0.0)
    gate = threading.Event()
    gate.set()

    def answer(_: Any, measures: bool = True) -> Any:
        assert gate.wait(60)
        raise TewbError("no answer")

    monkeypatch.setattr("tewb.workbench.speed.why_fast.Question.answer", answer)

    async def work() -> list[Any]:
        pane = Pane(demo_session("matmul", n=32))
        sent = watching(pane, "speed", "loops")

        async def until(condition: Any) -> None:
            for _ in range(6000):
                if condition():
                    return
                await asyncio.sleep(0.01)

        def told() -> list[Any]:
            return [m["keys"] for m in sent if m["kind"] == "late"]

        await until(lambda: states(sent, "speed") and pane.is_up_to_date)
        assert told() == []  # there was nothing before
        gate.clear()
        ask(pane, "do", steps=[SPLIT])
        await until(told)
        assert told() == [["speed"]]
        gate.set()
        await until(lambda: pane.is_up_to_date)
        return told()

    assert asyncio.run(work()) == [["speed"], []]


def test_the_page_knows_which_states_are_of_before_an_edit() -> None:
    async def work() -> list[tuple[list[str], list[str]]]:
        pane = Pane(demo_session("matmul", n=32))
        sent = watching(pane)
        views = {v: {"view": v, "options": {}} for v in ("loops", "python", "speed")}
        views["actions"] = {
            "view": "actions",
            "options": {"stage": "A"},
        }  # an input: there is nothing to choose
        pane._asked(None, {"kind": "watch", "client": "page", "views": views}, None)

        async def quiet() -> None:
            for _ in range(6000):
                await asyncio.sleep(0.01)
                if pane.is_up_to_date:
                    return

        await quiet()
        sent.clear()
        ask(pane, "do", steps=[SPLIT])
        assert [m["kind"] for m in sent] == ["states", "reply"]
        await quiet()
        return [(sorted(m["states"] | m["patches"]), m["due"]) for m in sent if m["kind"] == "states"]

    first, *others = asyncio.run(work())
    assert first == (["loops"], ["actions", "python", "speed"])
    # How many turns it takes, and what is asked for once more meanwhile, is the machine's affair: each state comes once, while it
    # is due, and in the end none is.
    assert [name for names, _ in others for name in names] == ["python", "speed"]
    due = [set(names) for _, names in (first, *others)]
    assert due[-1] == set()
    assert all(set(names) <= before for (names, _), before in zip(others, due, strict=False))


def test_pages_that_come_and_go_leave_no_more_than_a_few() -> None:
    pane = Pane(demo_session("matmul", n=8))
    for client in range(9):
        pane._asked(None, {"kind": "watch", "client": str(client), "views": {}}, None)
    assert list(pane._watched) == ["5", "6", "7", "8"]


def test_there_is_one_page_and_a_desk_for_each_session() -> None:
    a, b = demo_session("matmul", n=8), demo_session("matmul", n=8)
    assert desk_of(a) is desk_of(a) and desk_of(a) is not desk_of(b)
    assert the_page() is the_page() and len(the_page().code) < 450_000


def test_a_pane_that_there_is_not() -> None:
    with pytest.raises(TewbError, match="there is no pane lops.*") as e:
        demo_session("matmul", n=8).view("lops")
    assert "loops" in (e.value.hint or "") and set(PANES) >= {"loops", "code", "journal"}
