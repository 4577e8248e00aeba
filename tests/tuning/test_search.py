"""tune: all of few points, some of many, what is left out before it is built, and what is known another day."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tests.tuning.programs import product, twice
from tests.tuning.test_subject import session
from tewb import te
from tewb.base import ArgumentError, TewbError
from tewb.runtime import Timing
from tewb.tuning import Config, Trial, TuneResult, search, tune
from tewb.tuning.study import Study
from tewb.tuning.subject import FromJournal

QUICK: dict[str, Any] = {"repeat": 2, "workers": 1}


def small(cfg: Config) -> Any:
    return product(cfg, 2)  # 2 * 2 * 6 * 2 points


@pytest.mark.slow
def test_few_points_are_all_tried_and_the_best_equals_numpy() -> None:
    result = tune(small, reference=np.matmul, **QUICK)
    points = [tuple(t.point.values()) for t in result.trials]
    assert len(points) == len(set(points)) == 48
    states = {t.state for t in result.trials}
    assert states <= {"timed", "slow", "same", "refused"}
    s, args = result.schedule
    a, b = np.random.rand(2, 2, 2).astype("float32")
    c = np.empty((2, 2), "float32")
    tewb.build(s, args)(a, b, c)
    np.testing.assert_allclose(c, a @ b, rtol=1e-5)
    assert next(t.number for t in result.ranked) == result.best.number
    assert not result.was_stopped and result.best.steps == tuple(x.to_json() for x in s.journal)


@pytest.mark.slow
def test_of_many_points_some_are_tried_beginning_with_the_defaults() -> None:
    mine = {"y": 3, "x": 12, "inside": (2, 0, 1), "vector": True}
    result = tune(product, reference=np.matmul, trials=8, first=[mine], **QUICK)
    assert len(result.trials) == 8
    assert result.trials[0].point == {"y": 6, "x": 6, "inside": (0, 1, 2), "vector": False}
    assert result.trials[1].point == mine
    assert "8 trials" in str(result) and "y=" in str(result)
    assert len(result.code.splitlines()) >= 4 and result.convergence()[0][0] == 0


def test_of_many_points_each_is_tried_once_and_the_search_ends_with_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Most points are refused, of which the sampler learns nothing: it asks for them again and again."""
    monkeypatch.setattr(search, "FEW", 1)
    given = session()
    given.expect("allocations", ">=", 1)
    space = {
        "1.factor": [1, 2, 3, 4, 6, 8, 12, 24],
        "2.x_factor": [1, 2, 4, 5, 10, 20],
        "3.done": [True, False],
    }
    some = tune(given, space, trials=40, **QUICK)
    assert len({str(sorted(t.point.items())) for t in some.trials}) == len(some.trials) == 40
    every = tune(given, space, trials=1000, **QUICK)
    assert len({str(sorted(t.point.items())) for t in every.trials}) == len(every.trials) == 8 * 6 * 2
    assert not every.was_stopped


@pytest.mark.slow
def test_a_trial_that_is_wrong_crashes_hangs_or_is_refused_costs_only_itself() -> None:
    told: list[Trial] = []
    result = tune(
        twice, run_limit=6, memory_limit=2 << 30, repeat=2, workers=2, progress=lambda t, r: told.append(t)
    )
    by_name = {t.point["how"]: t for t in result.trials}
    assert len(told) == len(result.trials) == 7
    assert (
        by_name["right"].state == "timed" and by_name["again"].state == "same" and by_name["again"].twin == 0
    )
    assert by_name["wrong"].state == "wrong" and by_name["wrong"].seconds is None
    assert "SIGABRT" in by_name["abort"].message and "took more than 6 s" in by_name["pause"].message
    assert by_name["large"].state == "failed" and "memory" in by_name["large"].message.lower()
    assert by_name["refused"].state == "refused" and "no such loop" in by_name["refused"].message
    assert result.point == {"how": "right"}


@pytest.mark.slow
def test_what_was_tried_is_known_another_day(tmp_path: Path) -> None:
    file = tmp_path / "trials.db"
    first = tune(product, reference=np.matmul, trials=5, database=file, **QUICK)
    told: list[Trial] = []
    again = tune(
        product, reference=np.matmul, trials=7, database=file, progress=lambda t, r: told.append(t), **QUICK
    )
    assert again.trials[:5] == first.trials and len(again.trials) == 7 and len(told) == 2
    longer = tune(product, reference=np.matmul, trials=7, database=file, **QUICK)
    assert longer.trials == again.trials


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on_from_all_that_it_had(tmp_path: Path) -> None:
    """A process that searches is killed after it told of three trials."""
    file = tmp_path / "trials.db"
    program = (
        "from tests.tuning.programs import product; from tewb.tuning import tune\n"
        f"tune(product, trials=1000, database={str(file)!r}, repeat=2, workers=1,\n"
        "     progress=lambda t, r: print(t.number, t.state, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as search:
        assert search.stdout is not None
        told = [search.stdout.readline().split() for _ in range(3)]
        search.kill()
    again = tune(product, trials=5, database=file, **QUICK)
    assert [[str(t.number), t.state] for t in again.trials[:3]] == told
    assert len(again.trials) >= 5 and len({t.number for t in again.trials}) == len(again.trials)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends children with their parents")
def test_processes_end_with_a_search_that_is_killed_also_those_that_hang() -> None:
    program = (
        "import os\n"
        "from tests.tuning.programs import twice; from tewb.tuning import tune, workers\n"
        "begin = workers._Worker.begin\n"
        "def tell(self, key, task):\n    begin(self, key, task)\n    print(self._process.pid, flush=True)\n"
        "workers._Worker.begin = tell\n"
        "tune(twice, workers=1, first=[{'how': 'pause'}], repeat=2, run_limit=1000)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as search:
        assert search.stdout is not None
        process = int([search.stdout.readline() for _ in range(2)][-1])
        assert Path(f"/proc/{process}").exists()
        search.kill()
    while (
        Path(f"/proc/{process}").exists() and "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    ):
        time.sleep(0.01)  # the test's own limit of time says when that is too long


def test_a_session_is_searched_over_its_factors_and_what_breaks_a_budget_is_not_built() -> None:
    given = session()
    given.expect("allocations", ">=", 1)
    before = given.journal
    result = tune(given, {"1.factor": [2, 4]}, **QUICK)
    assert {t.state for t in result.trials} == {"over budget"} and given.journal == before
    assert "allocations >= 1: not ok, it is 0" in result.trials[0].message
    with pytest.raises(TewbError, match="no trial could be timed: .*allocations"):
        _ = result.best


def test_a_program_that_calls_python_is_tried_here() -> None:
    from tewb import te

    calls: list[int] = []

    @tewb.register_func("tests.tuning.double", override=True)
    def double(x: Any, y: Any) -> None:
        calls.append(1)
        y[...] = x * 2

    def program(cfg: Config) -> Any:
        A = te.placeholder((8,), name="A")
        B = te.compute((8,), lambda i: A[i] + 0.0, name="B")
        C = te.extern(
            (8,), [B], lambda i, o: tewb.tir.call_packed("tests.tuning.double", i[0], o[0]), name="C"
        )
        s = te.create_schedule(C.op)
        s[B].split("i", cfg.split("x", 8, divides=True))
        return s, [A, C]

    result = tune(program, reference=lambda a: a * 2, repeat=2)
    assert result.best.state == "timed" and calls


def test_a_stop_returns_what_was_found() -> None:
    result = tune(small, reference=np.matmul, stop=lambda: True, **QUICK)
    assert result.was_stopped and isinstance(result, TuneResult)


def test_a_stop_is_heard_between_trials_that_take_no_time() -> None:
    told: list[Trial] = []
    result = tune(
        small,
        reference=np.matmul,
        repeat=2,
        workers=0,
        progress=lambda t, r: told.append(t),
        stop=lambda: len(told) >= 3,
    )
    assert result.was_stopped and 3 <= len(result.trials) == len(told) < 48


def test_no_time_at_all() -> None:
    result = tune(small, reference=np.matmul, seconds=0, **QUICK)
    assert result.trials == ()
    with pytest.raises(TewbError, match="there was no time for a trial"):
        _ = result.best


@pytest.mark.parametrize(
    ("program", "options", "message"),
    [
        (3, {}, "int is no program"),
        (small, {"space": {"x": [1]}}, "a function declares its own knobs"),
        (small, {"trials": 0}, "trials"),
        (small, {"repeat": "many"}, "repeat"),
        (small, {"workers": -1}, "workers"),
        (small, {"trials": True}, "trials is a number from 1"),
        (small, {"seconds": "many"}, "seconds is a time"),
        (small, {"seconds": float("nan")}, "seconds is a time"),
        (small, {"seed": -1}, "seed is a number from 0 to"),
        (small, {"seed": "mine"}, "seed is a number from 0 to"),
        (small, {"build_limit": 0}, "build_limit is a time in seconds"),
        (small, {"run_limit": "20"}, "run_limit is a time in seconds"),
        (small, {"memory_limit": -5}, "memory_limit is a number of bytes"),
        (small, {"memory_limit": 1.5}, "memory_limit is a number of bytes"),
        (small, {"progress": 3}, "progress is a function"),
        (small, {"stop": True}, "stop is a function"),
        (session(), {"space": {"1.factor": 3}}, "space is a dict of lists"),
        (session(), {"space": ["1.factor"]}, "space is a dict of lists"),
        (small, {"first": {"x": 1}}, "first is a list of points"),
        (small, {"first": [{"x": 7}]}, "knob x has no value 7"),
        (small, {"first": [{"columns": 1}]}, "there is no knob columns"),
        (small, {"database": "/nowhere/trials.db"}, "there is no folder /nowhere"),
    ],
)
def test_misuse(program: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        tune(program, **options)


def test_a_search_whose_trials_each_take_a_moment_can_be_stopped() -> None:
    told: list[Trial] = []
    result = tune(
        product, trials=400, repeat=1, workers=0, progress=lambda t, r: told.append(t), stop=lambda: len(told) > 1
    )  # fmt: skip
    assert result.was_stopped and 1 < len(result.trials) < 400


@pytest.mark.slow
def test_points_of_a_small_space_are_tried_from_everywhere_where_there_may_not_be_time_for_all() -> None:
    def points(**more: Any) -> list[Any]:
        return [
            t.point["1.factor"]
            for t in tune(session(), {"1.factor": [1, 2, 3, 4, 6, 8]}, **QUICK, **more).trials
        ]

    whole, limited = points(), points(seconds=1000)
    assert whole == [8, 1, 2, 3, 4, 6] and limited[0] == 8
    assert sorted(limited) == sorted(whole) and limited != whole  # one process: they end as they began


# ---------------------------------------------------------------- what was wrong


def test_a_wrong_reference_stops_the_search_at_once_and_is_forgotten_when_it_is_corrected(
    tmp_path: Path,
) -> None:
    told: list[Trial] = []

    def tuned(reference: Any) -> TuneResult:
        given = session()
        given.reference = reference
        return searched(tmp_path / "trials.db", given, progress=lambda t, r: told.append(t))

    with pytest.raises(
        TewbError, match="the schedule as it is computes something else .*C differs: first at"
    ):
        tuned(lambda a, b: a @ b + 1)
    assert [t.state for t in told] == ["wrong"] and told[0].point == {"1.factor": 8}
    right = tuned(np.matmul)
    assert {t.point["1.factor"]: t.seconds is None for t in right.trials}[8] is False
    assert len(right.trials) == 3 and not [t for t in right.trials if t.state == "wrong"]
    count = len(told)
    with pytest.raises(TewbError, match="the schedule as it is"):  # also where it was timed another day
        tuned(lambda a, b: a @ b + 1)
    assert tuned(np.matmul).trials == right.trials and len(told) == count


def test_a_trial_of_a_value_that_is_none_any_more_is_known_and_counts_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tuned(factors: list[int]) -> TuneResult:
        return tune(
            session(), {"1.factor": factors}, trials=2, database=tmp_path / "trials.db", repeat=1, workers=0
        )

    monkeypatch.setattr(search, "FEW", 1)
    first, second = tuned([8, 4]), tuned([8, 2, 3])
    assert [t.point["1.factor"] for t in first.trials] == [8, 4] and len(second.trials) == 3
    (gone,) = [t for t in second.trials if t.point["1.factor"] == 4]
    assert second.session(gone).journal[0].args["factor"] == 4


def test_what_failed_another_day_is_tried_again_and_stands_once(tmp_path: Path) -> None:
    file, subject = tmp_path / "trials.db", FromJournal(session(), {"1.factor": [2, 4, 8]})
    before = Study(search.name_of(session()) + search._name_of_steps(subject), file, 0, subject.about)
    for factor, state, samples in ((2, "failed", ()), (4, "slow", (9.0,))):
        asked = before.ask_at({}, [])
        time_ = Timing(samples) if samples else None
        before.tell(asked, Trial(asked.number, {"1.factor": factor}, state, time_))  # type: ignore[arg-type]
    before.close()
    result = searched(file)
    assert sorted(t.point["1.factor"] for t in result.trials) == [2, 4, 8]
    assert all(t.number >= 2 and t.time is not None and t.time.max < 9 for t in result.trials)
    assert Study(before._study.study_name, file, 0).trials == list(result.trials)


# ---------------------------------------------------------------- several searches of one file


def searched(file: Path, given: Any = None, **more: Any) -> TuneResult:
    return tune(given or session(), {"1.factor": [2, 4, 8]}, database=file, repeat=1, workers=0, **more)


def test_searches_at_once_of_one_file_try_each_point_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NEWS", 0.0)
    told: list[int] = []

    def after(trial: Trial, _: TuneResult) -> None:
        told.append(trial.number)
        if len(told) == 1:  # another one begins, which tries the others
            searched(tmp_path / "trials.db", progress=after)

    result = searched(tmp_path / "trials.db", progress=after)
    assert told == [0, 1, 2] and sorted(t.point["1.factor"] for t in result.trials) == [2, 4, 8]


def test_what_another_search_is_trying_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "NEWS", 0.0)
    file, space = tmp_path / "trials.db", {"1.factor": [2, 4, 8]}
    subject = FromJournal(session(), space)
    name = search.name_of(session()) + search._name_of_steps(subject)
    ends, dies = (Study(name, file, 0, subject.about) for _ in range(2))
    begun, lost = (other.ask_at({}, []) for other in (ends, dies))
    ends.begin(begun, {"1.factor": 4})
    dies.begin(lost, {"1.factor": 2})

    def after(trial: Trial, _: TuneResult) -> None:
        if trial.point["1.factor"] == 8:
            ends.tell(begun, Trial(begun.number, {"1.factor": 4}, "failed", message="the other's"))
            dies.close()

    result = searched(file, progress=after)
    by_factor = {t.point["1.factor"]: t for t in result.trials}
    assert list(by_factor) == [8, 4, 2] and by_factor[4].message == "the other's"
    assert by_factor[2].seconds is not None or by_factor[2].state == "slow"


def edited(is_vectorized: bool, values: Any = (8, 16)) -> Any:
    """A program before and after an edit, by the same knobs."""

    def program(cfg: Config) -> Any:
        A, B = te.placeholder((64, 64), name="A"), te.placeholder((64, 64), name="B")
        C = te.compute((64, 64), lambda i, j: A[i, j] + B[j, i], name="C")
        s = te.create_schedule(C.op)
        _, inner = s[C].split("j", cfg.choice("columns", list(values)))
        if is_vectorized:
            s[C].vectorize(inner)
        return s, [A, B, C]

    return program


def test_trials_of_a_program_before_an_edit_are_made_again(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    tune(edited(False), database=file, repeat=1)
    after = tune(edited(True), database=file, repeat=1)
    assert len(after.trials) == 2 and all(len(t.steps) == 2 for t in after.trials)
    assert len(after.best.steps) == len(after.session().journal)
    again: list[Trial] = []
    tune(edited(True), database=file, repeat=1, progress=lambda t, _: again.append(t))
    assert again == []


def test_the_best_is_a_point_that_the_program_has(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    before = tune(edited(True, [8, 16]), database=file, repeat=1)
    after = tune(edited(True, [1, 2]), database=file, repeat=1)
    assert after.point["columns"] in (1, 2) and {t.point["columns"] for t in after.trials} == {1, 2, 8, 16}
    assert f"split(j, {after.point['columns']})" in after.code.replace("factor=", "")
    assert len(after.session(before.best).journal) == 2  # by its steps


def test_time_and_a_stop_end_the_listing_of_points_too() -> None:
    asked = 0

    def slow(cfg: Config) -> Any:
        nonlocal asked
        asked += 1
        time.sleep(0.02)
        cfg.choice("a", list(range(20)))
        cfg.choice("b", list(range(20)))
        return edited(True)(cfg)

    result = tune(slow, seconds=0.2)
    assert result.was_stopped and asked < 100
    asked = 0
    assert tune(slow, stop=lambda: asked > 5).trials == ()
    assert asked < 100
