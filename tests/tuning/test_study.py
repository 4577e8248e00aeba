"""Trials that are kept: told, read again, and asked for again where their process was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tewb.base import ArgumentError, TewbError
from tewb.runtime import Timing
from tewb.tuning import study
from tewb.tuning.knobs import Config
from tewb.tuning.study import Study, Trial


def begin(s: Study) -> tuple[Any, Config]:
    asked, choose = s.ask()
    config = Config(choose)
    config.split("x", 64)
    config.flag("pack")
    config.order("loops", "ijk")
    config.choice("kind", ["a", "b"])
    return asked, config


def end(s: Study, asked: Any, config: Config, seconds: float) -> Trial:
    trial = Trial(
        asked.number, config.point, "timed", Timing((seconds, seconds)), steps=({"primitive": "split"},)
    )
    s.tell(asked, trial)
    return trial


def test_what_was_told_is_read_again(tmp_path: Path) -> None:
    first = Study("name", tmp_path / "trials.db", 0)
    told = [end(first, *begin(first), 0.1 * n) for n in range(1, 4)]
    asked, config = begin(first)
    refused = Trial(asked.number, config.point, "refused", message="no")
    first.tell(asked, refused)
    again = Study("name", tmp_path / "trials.db", 0)
    assert again.trials == [*told, refused]
    assert Study("another", tmp_path / "trials.db", 0).trials == []


def test_points_that_are_given_come_first_and_their_other_knobs_are_at_the_defaults() -> None:
    s = Study("name", None, 0)
    s.enqueue({"x": 16, "loops": (2, 1, 0)})
    _, config = begin(s)
    assert config.point == {"x": 16, "pack": False, "loops": (2, 1, 0), "kind": "a"}


def test_a_trial_whose_process_was_killed_is_asked_for_again(tmp_path: Path) -> None:
    killed = Study("name", tmp_path / "trials.db", 3)
    end(killed, *begin(killed), 0.5)
    _, lost = begin(killed)
    again = Study("name", tmp_path / "trials.db", 4)
    assert len(again.trials) == 1
    _, config = begin(again)
    assert config.point == lost.point


@pytest.mark.slow
def test_a_search_finds_what_is_fast() -> None:
    s = Study("name", None, 1)
    for _ in range(60):
        asked, config = begin(s)
        p = config.point
        end(s, asked, config, abs(p["x"] - 16) + 20 * (p["kind"] == "a") + 1e-3 * sum(p["loops"][:1]))
    best = min(s.trials, key=lambda t: t.time.median if t.time else 9e9)
    assert (best.point["x"], best.point["kind"]) == (16, "b")
    assert next(iter(s.importances())) in ("x", "kind")


def test_a_choice_with_other_values_is_an_error_that_says_so() -> None:
    s = Study("name", None, 0)
    Config(s.ask()[1]).choice("kind", ["a", "b"])
    with pytest.raises(ArgumentError, match="knob kind has other values than in trials before"):
        Config(s.ask()[1]).choice("kind", ["a", "c"])


def test_without_optuna_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(TewbError, match="searching needs Optuna") as e:
        study.load_optuna()
    assert "pip install 'tewb[tune]'" in str(e.value)


def test_the_last_search_of_a_file_is_recalled(tmp_path: Path) -> None:
    file = tmp_path / "trials.db"
    Study("a program", file, 0)
    assert study.recalled(file) is None  # a function: nothing says what it was
    first = Study("first", file, 0, {"steps": [1]})
    end(first, *begin(first), 0.5)
    last = Study("last", file, 0, {"steps": [2]})
    told = [end(last, *begin(last), 0.1 * n) for n in range(1, 4)]
    begin(last)  # not ended
    found = study.recalled(file)
    assert found is not None and found.about == {"steps": [2]} and list(found.trials) == told
    Study("first", file, 0, {"steps": [1]})
    found = study.recalled(file)
    assert found is not None and found.about == {"steps": [1]}


def test_importances_are_the_same_each_time() -> None:
    s = Study("name", None, 1)
    for _ in range(12):
        asked, config = begin(s)
        end(s, asked, config, 1.0 + config.point["x"])
    assert s.importances() == s.importances() and next(iter(s.importances())) == "x"
