"""Trials that are kept: told, read again, and asked for again where their process was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tewb.base import TewbError
from tewb.runtime import Timing
from tewb.tuning import study
from tewb.tuning.knobs import Config, at
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


def test_a_trial_of_a_given_point_is_that_point_for_optuna_too() -> None:
    s = Study("name", None, 0)
    for _ in range(14):  # the model speaks after 12
        end(s, *begin(s), 0.5)
    wanted = {"x": 16, "loops": (2, 1, 0), "pack": True, "kind": "b"}
    config = Config(at(wanted))
    config.split("x", 64)
    config.flag("pack")
    config.order("loops", "ijk")
    config.choice("kind", ["a", "b"])
    asked = s.ask_at(config.point, list(config.knobs.values()))
    assert asked.params == {"x": 16, "loops": "(2, 1, 0)", "pack": True, "kind": "b"}


def test_a_trial_whose_process_was_killed_is_to_be_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "trials.db"
    killed = Study("name", file, 3)
    end(killed, *begin(killed), 0.5)
    asked, lost = begin(killed)
    killed.begin(asked, lost.point)
    at_once = Study("name", file, 4)
    assert (len(at_once.trials), at_once.lost, at_once.elsewhere) == (1, [], [lost.point])
    killed.close()
    again = Study("name", file, 4)
    assert (len(again.trials), again.lost, again.elsewhere) == (1, [lost.point], [])
    assert Study("name", file, 4).lost == []  # it is another's by now
    end(killed, asked, lost, 0.5)  # had it only slept: it is told, and nothing breaks


def test_of_two_searches_that_begin_a_point_at_once_one_does(tmp_path: Path) -> None:
    first, second = (Study("name", tmp_path / "trials.db", seed) for seed in (0, 1))
    (a, _), (b, _) = first.ask(), second.ask()
    assert first.begin(a, {"x": 1}) and not second.begin(b, {"x": 1})
    c, _ = second.ask()
    assert second.begin(c, {"x": 2})


def test_searches_at_once_hear_of_each_other(tmp_path: Path) -> None:
    mine, other = (Study("name", tmp_path / "trials.db", seed) for seed in (0, 1))
    begun, told = begin(mine), end(other, *begin(other), 0.5)
    assert mine.news() == [told] and mine.news() == [] and mine.trials == [told]
    told = end(mine, *begun, 0.25)
    assert other.news() == [told] and len(other.trials) == 2


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


def test_a_knob_whose_values_were_changed_is_another_one_for_optuna(tmp_path: Path) -> None:
    """As when the program of a search is edited, whose trials of before stay known."""
    given = [["a", "b"], ["a", "c", 3], [1, 2, 4], [-1, 0, 1], ["a", "b"]]
    names = []
    for values in given:
        s = Study("name", tmp_path / "trials.db", 0)
        asked, choose = s.ask()
        config = Config(choose)
        assert config.choice("kind", values) in values
        names += list(asked.params)
        end(s, asked, config, 0.5)
    assert names == ["kind", "kind #2", "kind #3", "kind #4", "kind"] and len(s.trials) == 5


def test_points_have_tuples_inside_of_tuples(tmp_path: Path) -> None:
    s = Study("name", tmp_path / "trials.db", 0)
    config = Config(at({"tiles": ((1, 2), (3, 4))}))
    config.choice("tiles", [((8, 8),), ((1, 2), (3, 4))])
    told = end(s, s.ask_at(config.point, list(config.knobs.values())), config, 0.5)
    assert Study("name", tmp_path / "trials.db", 0).trials == [told]
    with pytest.raises(TewbError, match="a knob has a value that no file can keep"):
        s.begin(s.ask()[0], {"tiles": object()})


def test_a_trial_that_another_version_told_otherwise_is_left_out(tmp_path: Path) -> None:
    s = Study("name", tmp_path / "trials.db", 0)
    asked, _ = begin(s)
    asked.set_user_attr("trial", {"state": "timed"})
    s._study.tell(asked, 1.0)
    assert Study("name", tmp_path / "trials.db", 0).trials == []


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
