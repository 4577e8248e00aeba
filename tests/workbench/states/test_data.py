"""The accesses of a program as a state: small, and read back as they were."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workbench.trace.test_data_trace import PROGRAMS
from tewb import te
from tewb.workbench.demos import demo_session
from tewb.workbench.session import Session
from tewb.workbench.states.data import data_state, first_cache, state_of, traced_state, written
from tewb.workbench.states.schema import as_json, json_schema
from tewb.workbench.states.views import look
from tewb.workbench.trace.data_trace import DataTrace, data_trace

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def numbers(text: str) -> Iterator[int]:
    """What `written` wrote."""
    total = bits = 0
    for c in text:
        digit = DIGITS.index(c)
        total |= (digit & 31) << bits
        bits += 5
        if not digit & 32:
            yield -(total >> 1) if total & 1 else total >> 1
            total = bits = 0


def read(state: Any) -> list[tuple[int, int, tuple[int, ...]]]:
    """The accesses of a state."""
    stream = numbers(state["events"])
    site, places, last = 0, [0] * len(state["sites"]), [0] * len(state["loops"])
    values: list[int] = []
    found = []
    for _ in range(state["count"]):
        site += next(stream)
        places[site] += next(stream)
        values = values[: next(stream)]
        for loop in state["sites"][site]["loops"][len(values) :]:
            last[loop] += next(stream)
            values.append(last[loop])
        found.append((site, places[site], tuple(values)))
    assert next(stream, None) is None
    return found


def test_numbers_are_read_as_they_were_written() -> None:
    assert written([0, 1, -1, 15, 16, -16]) == "ACDegBhB"
    rng = random.Random(1)
    wanted = [rng.randrange(-(10**k), 10**k + 1) for k in range(12) for _ in range(20)]
    assert list(numbers(written(wanted))) == wanted and written([]) == ""


@pytest.mark.parametrize("name", PROGRAMS)
def test_accesses_are_read_as_they_were(name: str) -> None:
    session = PROGRAMS[name]()
    trace: DataTrace = data_trace(session)
    state = as_json(state_of(session, trace, (), ""))
    assert read(state) == list(trace.events)
    for site, own in zip(state["sites"], trace.sites, strict=True):
        steps = list(numbers(site["lanes"]))
        assert [sum(steps[:i]) for i in range(len(steps) + 1)] == list(own.lanes)


def test_most_accesses_take_few_characters() -> None:
    state = data_state(demo_session("matmul", n=16))
    assert state.count == 16640 and len(state.events) < 4 * state.count
    assert len(json.dumps(as_json(state))) < 64_000


def test_the_state_says_what_is_shown() -> None:
    s = demo_session("matmul", n=512)
    state = data_state(s)
    assert state.said == "A small twin of the program is shown: 16 for 512; the cache is smaller with it."
    assert state.basis.startswith("With its own sizes, 20,000 accesses of it, in ")
    assert (
        state.buffers[1].use == "B: read along k, stride 2 KiB; 512 lines fetched, none lost."
    )  # of 512, not of 16
    assert [n.key for n in state.loops] == ["C/i", "C/j", "C/k"] and state.threads == 1
    assert state.buffers[0].part == s.code_forms.loop_numbers.number("A") and state.complete
    full = data_state(s, sizes="full", limit=50)
    assert full.said == "The first 50 accesses, shared among the outermost loops." and not full.complete
    assert full.buffers[0].shape == (512, 512)


def test_what_the_limit_leaves_out_is_said_of_the_twin() -> None:
    s = demo_session("blur", n=1024)
    s.apply(
        {"primitive": "split", "stage": "Y", "args": {"axis": "i", "factor": 4}},
        {"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i.outer"}},
    )
    use = {b.name: b.use for b in data_state(s, limit=4000).buffers}  # X takes all of them
    assert use["Y"].startswith("Y: written along j, neighbours;") and use["Y"].endswith(" (of the twin).")
    assert use["X"].startswith("X: written along j") and "twin" not in use["X"]


def test_a_twin_has_a_smaller_cache() -> None:
    whole = first_cache(1.0)
    assert whole.lines * whole.line == whole.bytes
    assert first_cache(4.0).lines == whole.lines // 4 and first_cache(1e9).lines == 4


def test_threads_are_told_where_there_are_tasks() -> None:
    s = demo_session("matmul", n=8)
    s.apply({"primitive": "parallel", "stage": "C", "args": {"axis": "i"}})
    state = data_state(s)
    assert state.threads >= 1 and [n.parallel for n in state.loops] == [True, False, False]


def test_a_problem_is_a_state() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    state = data_state(Session(te.create_schedule(B.op), [B]))
    assert "not among the arguments" in (state.problem or "") and state.count == 0
    assert not traced_state(Session(te.create_schedule(B.op), [B]), True, False).runs_python


def test_whether_code_of_the_users_would_run() -> None:
    assert traced_state(demo_session("extern"), True, False).runs_python
    state = traced_state(demo_session("matmul", n=4), False, True)
    assert (state.fresh, state.running, state.runs_python) == (False, True, False)


def test_programs_read_the_same() -> None:
    s = demo_session("matmul", n=4)
    assert look(s, "data", {"limit": 30, "sizes": "full"})["count"] == 30
    assert "DataSite" in json_schema(type(data_state(s)))["$defs"]
