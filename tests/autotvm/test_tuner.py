"""Tuners, as programs of the time use them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import tewb as tvm
from tests.autotvm.templates import QUICK, product, task
from tewb import autotvm
from tewb.autotvm.record import load_from_file


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
