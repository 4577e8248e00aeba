"""Tuners, as programs of the time use them."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb as tvm
from tests.autotvm.templates import QUICK, copies, product, task
from tewb import autotvm
from tewb.autotvm.record import load_from_file
from tewb.base import ArgumentError


@pytest.mark.one_in(4)
@pytest.mark.parametrize("tuner", ["GridSearchTuner", "RandomTuner", "GATuner", "XGBTuner"])
def test_every_tuner_tries_everything_once_and_its_best_is_used(tuner: str, tmp_path: Path) -> None:
    log, t, told = tmp_path / "a.log", task(), list[int]()
    search = getattr(autotvm.tuner, tuner)(t)
    search.tune(
        n_trial=100,
        measure_option=QUICK,
        callbacks=[autotvm.callback.log_to_file(str(log)), lambda tuner, i, r: told.append(len(r))],
    )
    records = list(load_from_file(log))
    assert sorted(i.config.index or 0 for i, _ in records) == list(range(32)) and sum(told) == 32
    wrong = [r for i, r in records if i.config["tile_x"].size[-1] == 6]
    assert len(wrong) == 8 and {int(r.error_no) for r in wrong} == {1}
    costs = {repr(i.config): r.cost for i, r in records if r.error_no == 0}
    assert costs[repr(search.best_config)] == min(costs.values())
    with warnings.catch_warnings(), autotvm.apply_history_best(str(log)), tvm.target.Target("llvm"):
        warnings.simplefilter("error")
        s, args = product(6, "float32")
    a, b = (np.random.rand(6, 6).astype("float32") for _ in "ab")
    c = np.empty((6, 6), "float32")
    tvm.build(s, args)(a, b, c)
    np.testing.assert_allclose(c, a @ b, rtol=1e-5)
    best = search.best_config
    assert best is not None and f"i.inner({best['tile_y'].size[1]})" in s["C"].loops()


def results_of(t: Any, costs: dict[int, float]) -> list[Any]:
    return [
        (autotvm.MeasureInput(t.target, t, t.config_space.get(i)), autotvm.MeasureResult((c,), 0, 1.0, 1.0))
        for i, c in costs.items()
    ]


def test_the_best_of_programs_without_arithmetic_is_the_fastest() -> None:
    t = copies()
    assert t.flop == 0
    search = autotvm.tuner.GridSearchTuner(t)
    search.tune(4, QUICK)
    assert search.best_config is not None and search.best_flops == 0
    known = results_of(t, {0: 0.3, 1: 0.1, 2: 0.2})
    ga = autotvm.tuner.GATuner(t, pop_size=2, elite_num=1, mutation_prob=0.0)
    ga.load_history(known)
    assert ga.best_config == t.config_space.get(1) and {ga._child() for _ in range(9)} == {1}
    ga.reset()
    assert ga.best_config is None
    ga.load_history(known[:1])
    assert ga.best_config == t.config_space.get(0)


@pytest.mark.parametrize("tuner", ["GridSearchTuner", "RandomTuner"])
def test_a_range_of_configurations(tuner: str) -> None:
    search = getattr(autotvm.tuner, tuner)(task(), range_idx=(3, 6))
    tried = [c.index for c in search.next_batch(9)]
    assert sorted(tried) == [3, 4, 5, 6] and search.has_next()
    search._seen |= set(tried)
    assert not search.has_next() and search.next_batch(9) == []
    with pytest.raises(ArgumentError, match="numbers from 0 to 31"):
        getattr(autotvm.tuner, tuner)(task(), range_idx=(3, 32))


@pytest.mark.parametrize("tuner", ["GridSearchTuner", "RandomTuner", "GATuner", "XGBTuner"])
def test_what_a_filter_leaves_out_is_not_tried(tuner: str) -> None:
    t = task()
    t.config_space.multi_filter(lambda e: e.index % 5 == 0)
    search = getattr(autotvm.tuner, tuner)(t)
    tried = set[int]()
    while search.has_next():
        tried |= {c.index for c in search.next_batch(2)}
        search._seen |= tried
    assert tried == set(range(0, 32, 5))


def test_the_log_has_a_line_of_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "autotvm")
    autotvm.tuner.GridSearchTuner(copies()).tune(3, QUICK)
    lines = [r.getMessage() for r in caplog.records]
    assert [line.split("\t")[0] for line in lines] == ["No: 1", "No: 2", "No: 3"]
    assert re.match(
        r"No: 1\tGFLOPS: 0.00/0.00\tresult: MeasureResult\(costs=\(.*\t\[\('tile', \[-1, 1\]\)\]", lines[0]
    )


def test_after_many_errors_in_a_row_all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    t = task()
    t.config_space.multi_filter(lambda e: e["tile_x"].size[-1] == 6)  # which the template refuses
    search, level = autotvm.tuner.GridSearchTuner(t), logging.getLogger("autotvm").level
    search.set_error_threshold(3)
    search.tune(100, QUICK)
    assert "configurations in a row failed" in caplog.text
    assert search.best_config is None and logging.getLogger("autotvm").level == level


@pytest.mark.slow
def test_early_stopping_and_history(tmp_path: Path) -> None:
    t, log = task(), tmp_path / "a.log"
    first = autotvm.tuner.GridSearchTuner(t)
    first.tune(16, QUICK, early_stopping=1, callbacks=[autotvm.callback.log_to_file(log)])
    seen = {i.config.index for i, _ in load_from_file(log)}
    assert 8 <= len(seen) <= 16
    second = autotvm.tuner.GridSearchTuner(t)
    second.load_history(load_from_file(log))
    assert second.best_config is not None and second.next_batch(1)[0].index not in seen
