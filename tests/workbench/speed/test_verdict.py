"""The verdict: what bounds a program is said by all panes in the same words, with the same numbers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workbench.judge import test_next_steps
from tests.workbench.speed import programs
from tewb.runtime.target import host
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge import estimate
from tewb.workbench.measure.roofline import Peaks
from tewb.workbench.speed import why_fast
from tewb.workbench.speed.cache_misses import Cache
from tewb.workbench.speed.loop_speed import CHAIN, MEMORY, PORTS
from tewb.workbench.speed.memory_levels import MemoryLevels, Source
from tewb.workbench.speed.verdict import by_time, number, time_text, verdict_of
from tewb.workbench.states.answers import AdviceList, advice_state
from tewb.workbench.states.data import data_state
from tewb.workbench.states.speed import WhyThisFast, speed_state

LEVELS = MemoryLevels(
    (Cache("L1", 512, 8), Cache("L2", 16384, 16), Cache("L3", 2**19)),
    (Source("L2", 1e-9, 2e-9), Source("L3", 3e-9, 6e-9), Source("memory", 6e-9, 12e-9)),
    3.0,
)
needs_x86 = pytest.mark.skipif(not host()[0].startswith("x86_64"), reason="reads x86 assembly")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that need not be measured."""
    monkeypatch.setattr(why_fast, "memory_levels", lambda: LEVELS)
    monkeypatch.setattr("tewb.workbench.states.speed.is_measured", lambda: True)
    for module in (why_fast, estimate):
        monkeypatch.setattr(
            module, "machine_peaks", lambda dtype="float32", threads=1: Peaks(100.0, 10.0, dtype, threads)
        )


def tiled() -> Any:
    return programs.tiled_matmul(96)


def vectors() -> Any:
    s = programs.add(4096)
    s.apply(Step("split", "C", {"axis": "i", "factor": 16}), Step("vectorize", "C", {"axis": "i.inner"}))
    return s


def parallel() -> Any:
    s = demo_session("blur", n=96)
    s.apply(Step("parallel", "Y", {"axis": "i"}))
    return s


def notebook_04() -> Any:
    """The program of notebooks/04-looking.ipynb."""
    from tewb import Session, te

    n = 64
    A = te.placeholder((n, n), name="A")
    T = te.compute((n, n), lambda i, j: A[j, i] + 1.0, name="T")
    B = te.compute((n, n), lambda i, j: T[i, j] * T[i, (j + 1) % n], name="B")
    s = Session(te.create_schedule(B.op), [A, B])
    s.apply(Step("split", "B", {"axis": "i", "factor": 10}))
    s.apply(Step("compute_at", "T", {"parent": "B", "axis": "i.outer"}))
    return s


SESSIONS = {
    "matmul": lambda: programs.matmul(96),
    "tiled": tiled,
    "row sum": programs.row_sum,
    "add": vectors,
    "transpose": lambda: programs.transpose(512),
    "exp": programs.exp,
    "gather": programs.gather,
    "softmax": lambda: demo_session("softmax", n=32, m=96),
    "parallel blur": parallel,
    "bytes": test_next_steps.bytes_product,
    "symbolic": test_next_steps.symbolic,
    "notebook 04": notebook_04,
}


def speed_of(s: Any) -> WhyThisFast:
    *_, found = speed_state(s)
    assert found is not None and found.problem is None
    return found


def advice_of(s: Any) -> AdviceList:
    *_, found = advice_state(s)
    assert found is not None and found.problem is None
    return found


def plain(name: str) -> str:
    """The name of a loop without which of several it is: they count together."""
    return name.partition(",")[0]


@needs_x86
@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", SESSIONS)
def test_speed_advice_and_data_agree(name: str) -> None:
    s = SESSIONS[name]()
    speed, advice, data = speed_of(s), advice_of(s), data_state(s)
    assert speed.verdict and speed.verdict in advice.standing and data.bound.startswith(speed.verdict)
    rule = speed.loops[0].rule
    assert ("memory: lines" in speed.verdict) == (rule == MEMORY) == ("So traffic counts." in data.bound)
    assert speed.verdict.startswith(f"{plain(speed.loops[0].name)} takes ")
    now = time_text(speed.predicted or 0)
    for n in advice.next[:2]:
        assert n.predicted.startswith(f"{now} now, "), "the time that Speed shows now"
        copy = s.copy()
        copy.apply(*n.steps)
        then = speed_of(copy)
        assert f"{time_text(then.predicted or 0)} then" in n.predicted, (
            "the time that Speed shows after the steps"
        )
        assert plain(then.loops[0].name) in n.predicted
        assert n.gain == pytest.approx((speed.predicted or 0) / (then.predicted or 1))
    for f in (f for f in advice.findings if f.kind == "vector width"):
        main = max((x for x in speed.loops if x.stage == f.stage), key=lambda x: x.share)
        said = f"vectors of {main.bits // 8} bytes" if main.lanes > 1 else "one number at a time"
        assert f"the arithmetic of {plain(main.name)} is on {said}" in f.message, "as in the table"


@needs_x86
def test_a_loop_that_became_several_counts_as_one() -> None:
    s = notebook_04()
    speed = s.why_this_fast()
    assert len({x.label for x in speed.loops if x.name == speed.loops[0].name}) > 1
    shares = sum(x.total_cycles for x in speed.loops if x.name == speed.loops[0].name)
    assert speed.verdict is not None and speed.verdict.share >= 0.5 and shares > 0
    assert by_time(speed.loops) == list(speed.loops)


@needs_x86
@pytest.mark.parametrize(
    ("make", "rule", "said"),
    [
        (
            lambda: programs.matmul(64),
            CHAIN,
            "What bounds it is its latency chain: each iteration waits for the one before",
        ),
        (lambda: programs.tiled_matmul(64), PORTS, "What bounds it is the ports of the processor"),
        (
            lambda: programs.transpose(1024),
            MEMORY,
            "What bounds it is memory: lines that come from further caches",
        ),
    ],
)
def test_what_is_said_of_each_limit(make: Any, rule: str, said: str) -> None:
    speed = make().why_this_fast()
    assert speed.verdict.rule == rule and said in str(speed.verdict) and str(speed.verdict) in str(speed)
    assert speed.verdict.cycles[rule] == pytest.approx(speed.loops[0].cycles)
    assert speed.verdict.seconds == speed.predicted and rule.split()[-1] in speed.verdict.bound
    assert verdict_of([], None) is None


@needs_x86
def test_times_of_loops_are_those_of_what_is_inside_of_them() -> None:
    s = demo_session("softmax", n=32, m=1000)
    found = {t.key: t.seconds for t in speed_of(s).times}
    whole = speed_of(s).predicted or 0
    assert {"M/k", "M/i", "M", "S/r", "E/j", "P/j", "P"} <= set(found)
    assert found["M"] == found["M/i"] >= found["M/k"] > 0
    assert sum(found[stage] for stage in "MESP") == pytest.approx(whole, rel=0.01)
    inside = tiled()
    times = {t.key: t.seconds for t in speed_of(inside).times}
    assert "C/k" in times and "C/j.inner" not in times, "a loop in vectors is none of the machine's"


@needs_x86
def test_threads_share_what_a_parallel_loop_does(monkeypatch: pytest.MonkeyPatch) -> None:
    s = programs.exp(1 << 17)
    s.apply(Step("parallel", "E", {"axis": "i"}))
    seconds = []
    for threads in (1, 2, 4):
        monkeypatch.setattr(why_fast, "get_num_threads", lambda n=threads: n)
        seconds.append(s.why_this_fast().predicted)
    assert seconds[0] > seconds[1] > seconds[2]


def test_the_roof_is_that_of_the_cache_that_holds_the_data() -> None:
    assert LEVELS.seconds_of_bytes(2**14, 10.0) == pytest.approx(2**14 / (128 * 3e9))
    assert LEVELS.seconds_of_bytes(2**19, 10.0) == pytest.approx(2**19 / 64 * 1e-9)
    assert LEVELS.seconds_of_bytes(2**19, 10.0, threads=2) == pytest.approx(2**19 / 64 * 0.5e-9)
    assert LEVELS.seconds_of_bytes(1e9, 10.0, threads=2) == pytest.approx(0.1)


def test_numbers_and_times_are_short() -> None:
    assert [number(x) for x in (32.4, 5.333, 0.081, 4.0)] == ["32", "5.3", "0.081", "4"]
    assert [time_text(x) for x in (1.5, 2e-3, 4.56e-6, 3e-8)] == ["1.5 s", "2 ms", "4.56 us", "30 ns"]
