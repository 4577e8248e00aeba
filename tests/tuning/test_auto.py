"""autoschedule: steps that a person could have written, the same for one seed where measurements decide the same."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import matmul, schedule_for
from tests.tuning.test_sketches import rows, two_blurs
from tewb import te
from tewb.base import ArgumentError, TewbWarning
from tewb.ir import script
from tewb.runtime import Timing
from tewb.tuning import AutoResult, AutoTrial, HereAlone, Outcome, auto, autoschedule, model_search, searches
from tewb.tuning.duels import Duel
from tewb.workbench import Session


def product(n: int = 32) -> tuple[Any, list[Any]]:
    inputs, outputs = matmul(n, n, n)
    return schedule_for(outputs), [*inputs, *outputs]


@pytest.fixture
def _decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measurements that depend on the program alone: loops of other text have another time."""

    def perform(duel: Duel, tell: Any) -> Outcome:
        seconds = seconds_of(duel.other)
        return Outcome("timed", (seconds,), beside=() if duel.best is None else (seconds_of(duel.best),))

    monkeypatch.setattr(model_search, "WORK", 20.0)
    monkeypatch.setattr(auto, "MUTATIONS", 3)
    monkeypatch.setattr(Duel, "perform", perform)


def seconds_of(module: Any) -> float:
    return 1e-3 * (1 + sum(i * ord(c) for i, c in enumerate(script(module), 1)) % 97)


class Shuffled(HereAlone):
    """Five workers, which are done by chance."""

    count = 5

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False  # type: ignore[misc]
        self._chance = random.Random(7)

    def submit(self, key: Any, task: Any) -> None:
        super().submit(key, task)
        self.is_full = len(self._done) >= self.count

    def finished(self) -> Iterator[tuple[Any, Outcome]]:
        yield self._done.pop(self._chance.randrange(len(self._done)))
        self.is_full = False


def test_the_model_alone_is_always_the_same_and_its_result_is_right() -> None:
    s, args = product()
    first, second = (autoschedule((s, args), model_only=True, threads=1) for _ in "ab")
    assert first.journal == second.journal and first.code == second.code and not s.journal
    assert first.trials == () and first.best.seconds is None and first.looked_at > 10
    a, b = (np.random.rand(32, 32).astype("float32") for _ in "ab")
    np.testing.assert_allclose(first.build()(a, b), a @ b, rtol=1e-4)


@pytest.mark.parametrize("n", [1, 12])
def test_a_program_that_is_one_tile(n: int) -> None:
    s, args = product(n)
    result = autoschedule((s, args), model_only=True, threads=1)
    a, b = (np.random.rand(n, n).astype("float32") for _ in "ab")
    np.testing.assert_allclose(result.build()(a, b), a @ b, rtol=1e-4)


def test_its_code_makes_the_same_schedule() -> None:
    A, B = two_blurs(24, 32)
    result = autoschedule((te.create_schedule(B.op), [A, B]), model_only=True, threads=1)
    X = B.op.input_tensors[0]
    names: dict[str, Any] = {"te": te, "A": A, "X": X, "Y": B, "s": te.create_schedule(B.op)}
    exec(result.code, names)
    assert names["s"].journal == result.schedule[0].journal


@pytest.mark.usefixtures("_decided")
def test_two_runs_with_one_seed_find_the_same() -> None:
    s, args = product(20)
    first, second = (autoschedule((s, args), 1000, seed=3, threads=1, workers=0) for _ in "ab")
    assert first.trials == second.trials and first.journal == second.journal
    assert len(first.trials) >= 10 and first.best == min(first.trials, key=lambda t: t.seconds or 9e9)


@pytest.mark.usefixtures("_decided")
def test_the_search_goes_on_from_what_is_fastest_and_ends() -> None:
    args = rows(8, 16)
    told: list[AutoTrial] = []
    result = autoschedule(
        lambda: (schedule_for([args[-1]]), args), 1000, threads=1, workers=0, progress=told.append
    )
    assert tuple(told) == result.trials
    kept = [t.seconds for t in result.trials if t.is_kept]
    assert kept == sorted(kept, reverse=True) and result.best.seconds == kept[-1]
    assert result.journal == result.best.journal
    assert len({str(t.journal) for t in result.trials}) == len(result.trials)
    assert "schedules looked at" in str(result)


@pytest.mark.usefixtures("_decided")
def test_workers_that_are_done_in_another_order_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    s, args = product(16)
    alone = autoschedule((s, args), 1000, threads=1, workers=0)
    monkeypatch.setattr(searches, "local_workers", lambda *_: Shuffled())
    five = autoschedule((s, args), 1000, threads=1)
    assert five.journal == alone.journal and five.best.seconds == alone.best.seconds
    assert [t.journal for t in five.trials] == [t.journal for t in alone.trials]
    assert [t.is_kept for t in five.trials] == [t.is_kept for t in alone.trials]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="trials have processes of their own on POSIX systems")
@pytest.mark.parametrize(
    ("name", "message"), [("abort", "signal SIGABRT"), ("pause", "checking took more than 1 s")]
)
def test_a_schedule_that_crashes_or_hangs_costs_only_itself(name: str, message: str) -> None:
    A = te.placeholder((8,), name="A")
    B = te.extern((8,), [A], lambda i, o: tewb.tir.call_extern("int32", name), dtype="float32", name="B")
    C = te.compute((8,), lambda i: B[i] + 1.0, name="C")
    with pytest.warns(TewbWarning, match="none of the .* schedules that were tried is right"):
        result = autoschedule(
            (te.create_schedule(C.op), [A, C]), 1000, reference=lambda a: a + 1, workers=1, run_limit=1
        )
    assert result.trials and all(message in t.message for t in result.trials)
    assert result.best.seconds is None and "predicted" in str(result)


def test_it_measures_and_what_is_given_is_tried_too() -> None:
    s, args = product(24)
    s["C"].reorder("k", "i", "j")
    session = Session(s, args, reference=np.matmul)
    before = session.journal
    result = tewb.autoschedule(session, 5, threads=1)
    assert session.journal == before
    if result.trials:  # on a machine that is busy the time may be over before
        assert result.trials[0].label == "as it was given" and result.trials[0].is_kept
        assert not [t for t in result.trials if "wrong" in t.message]
    a, b = (np.random.rand(24, 24).astype("float32") for _ in "ab")
    np.testing.assert_allclose(result.build()(a, b), a @ b, rtol=1e-4)


def test_what_is_given_up_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def perform(duel: Duel, tell: Any) -> Outcome:
        return Outcome("timed", (1e-3,)) if duel.best is None else Outcome("slow", (0.5, 0.4))

    monkeypatch.setattr(Duel, "perform", perform)
    s, args = product(8)
    result = autoschedule((s, args), 1000, threads=1, workers=0, stop=lambda: False, progress=None)
    first, *others = result.trials
    assert (
        first.is_kept and others and {t.message for t in others} == {"given up as slow: a call took 400 ms"}
    )
    assert all(t.seconds is None and not t.is_kept for t in others) and result.best == first


def test_labels_have_how_threads_share_it() -> None:
    def label(said: str, *shared: str) -> str:
        c = SimpleNamespace(kinds=("tile C",))
        whole = SimpleNamespace(kinds=(*c.kinds, *shared))
        return auto._label_of(auto._Attempt(said, c, whole))  # type: ignore[arg-type]

    assert label("tile C", "parallel C") == "tile C, parallel C"
    assert label("no steps", "parallel C") == "parallel C"
    assert label("no steps") == "no steps" and label("as it was given") == "as it was given"


def test_the_text_says_why_the_best_is_not_the_one_with_the_least_time() -> None:
    s, args = product(8)

    def kept(seconds: float, gain: float | None = None) -> AutoTrial:
        return AutoTrial("tile", (), 1.0, Timing((seconds,)), gain, is_kept=True)

    def text(*trials: AutoTrial) -> str:
        return str(AutoResult(Session(s, args), trials, trials[-1], 9))

    assert "1.5 times as fast as the best before, kept: tile" in text(kept(1.0), kept(2.0, 1.5))
    assert auto.IN_TURN in text(kept(1.0), kept(2.0, 1.5)) and auto.IN_TURN not in text(
        kept(2.0), kept(1.0, 2.0)
    )


def test_wrong_results_are_not_taken() -> None:
    s, args = product(8)
    with pytest.warns(TewbWarning, match="none of the .* is right, .*the result is wrong"):
        result = autoschedule((s, args), 2, threads=1, workers=0, reference=lambda a, b: a @ b + 1)
    assert all("the result is wrong" in t.message and not t.is_kept for t in result.trials)


def test_a_stop_gives_what_there_is() -> None:
    s, args = product(8)
    assert autoschedule((s, args), stop=lambda: True, threads=1).trials == ()


def test_threads_share_the_loops() -> None:
    args = two_blurs(2000, 3000)
    result = autoschedule((schedule_for([args[-1]]), args), model_only=True, threads=2)
    from tewb.runtime import get_num_threads

    assert any(s.primitive == "parallel" for s in result.journal) == (get_num_threads() > 1)


def test_a_program_of_which_nothing_is_known_stays_as_it_is() -> None:
    A = te.placeholder((8,), name="A")
    B = te.extern(
        (8,),
        [A],
        lambda i, o: tewb.tir.call_packed("tests.tuning.nothing", i[0], o[0]),
        dtype="float32",
        name="B",
    )
    result = autoschedule((te.create_schedule(B.op), [A, B]), model_only=True)
    assert result.journal == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0}, "seconds"),
        ({"seconds": "long"}, "seconds"),
        ({"seed": 1.5}, "seed"),
        ({"threads": 0}, "threads"),
        ({"workers": -1}, "workers"),
        ({"run_limit": -1}, "run_limit is a time in seconds"),
        ({"memory_limit": "1 GB"}, "memory_limit is a number of bytes"),
        ({"progress": 3}, "progress is a function"),
    ],
)
def test_misuse(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        autoschedule(product(), **options)


def test_what_is_no_program() -> None:
    with pytest.raises(ArgumentError, match="int is no program"):
        autoschedule(3)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="a session has its own reference"):
        autoschedule(Session(*product()), reference=np.matmul)
