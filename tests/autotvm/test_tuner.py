"""Tuners, measurements and logs, as programs of the time use them."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb as tvm
from tests.autotvm.templates import product
from tewb import autotvm, te
from tewb.autotvm.record import decode, encode, load_from_file, pick_best
from tewb.base import ArgumentError, ScheduleError, TewbError

QUICK = autotvm.measure_option("local", autotvm.LocalRunner(repeat=1, min_repeat_ms=0.01))


def task(n: int = 6) -> Any:
    return autotvm.task.create("tests/product", args=(n, "float32"), target="llvm")


def test_a_task() -> None:
    t = task()
    assert t.workload == ("tests/product", 6, "float32") and len(t.config_space) == 4 * 4 * 2
    assert t.flop == 2 * 6**3 and str(t).startswith("Task(func_name=tests/product, args=(6, 'float32')")
    s, args = t.instantiate(t.config_space.get(6))
    assert len(args) == 3 and "i.inner(3)" in s["C"].loops()
    with pytest.raises(autotvm.space.InstantiationError, match="the tile is the whole row"):
        t.instantiate(t.config_space.get(15))


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


def test_without_a_log_the_first_entities_are_used_with_a_warning() -> None:
    autotvm.task.FallbackContext.current_context().clear_cache("llvm", ("tests/product", 6, "float32"))  # type: ignore[attr-defined]
    with pytest.warns(UserWarning, match="no configuration is known for target=llvm"):
        s, _ = product(6, "float32")
    assert "i.inner(1)" in s["C"].loops()


def test_early_stopping_and_history(tmp_path: Path) -> None:
    t, log = task(), tmp_path / "a.log"
    first = autotvm.tuner.GridSearchTuner(t)
    first.tune(16, QUICK, early_stopping=1, callbacks=[autotvm.callback.log_to_file(log)])
    seen = {i.config.index for i, _ in load_from_file(log)}
    assert 8 <= len(seen) <= 16
    second = autotvm.tuner.GridSearchTuner(t)
    second.load_history(load_from_file(log))
    assert second.best_config is not None and second.next_batch(1)[0].index not in seen


def test_lines_of_logs(tmp_path: Path) -> None:
    line = (
        '{"input": ["llvm -keys=cpu -link-params=0", "tests/product", [6, "float32"], {}], "config": {"index": 5, '
        '"code_hash": null, "entity": [["tile_y", "sp", [-1, 2]], ["tile_x", "sp", [-1, 2]], ["unroll", "ot", false]]}, '
        '"result": [[0.001, 0.003], 0, 0.5, 1600000000.0], "version": 0.2, "tvm_version": "0.10.0"}'
    )
    record = decode(line)
    assert record is not None
    inp, result = record
    assert inp.task.workload == ("tests/product", 6, "float32") and result.cost == 0.002
    again = decode(encode(inp, result))
    assert again is not None and again[0].config == inp.config and again[1] == result
    slower = encode(inp, result._replace(costs=(0.5,)))
    (tmp_path / "all.log").write_text(f"{slower}\n\n# a remark\n{line}\n")
    pick_best(tmp_path / "all.log", tmp_path / "best.log")
    assert [r.cost for _, r in load_from_file(tmp_path / "best.log")] == [0.002]
    with autotvm.apply_history_best(str(tmp_path / "all.log")):
        s, _ = product(6, "float32")
    assert "i.inner(2)" in s["C"].loops()
    assert decode('{"v": 0.1, "i": 0}') is None
    with pytest.raises(ScheduleError, match="no line of a log"):
        decode("{nonsense")


def test_the_bar_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show = autotvm.callback.progress_bar(1, "[Task]")
    file = io.StringIO()
    autotvm.tuner.RandomTuner(task()).tune(1, QUICK, callbacks=[show, autotvm.callback.log_to_file(file)])
    assert "[Task] 1/1" in capsys.readouterr().err and file.getvalue().startswith('{"input"')


def test_templates_of_topi() -> None:
    @autotvm.register_topi_compute("tests/scale")  # type: ignore[untyped-decorator, unused-ignore]
    def scale(cfg: Any, A: Any, times: int) -> Any:
        cfg.define_split("tile", A.shape[0], num_outputs=2)
        return te.compute(A.shape, lambda i: A[i] * te.const(times, A.dtype), name="B")

    @autotvm.register_topi_schedule("tests/scale")  # type: ignore[untyped-decorator, unused-ignore]
    def schedule_scale(cfg: Any, outs: Any) -> Any:
        s = te.create_schedule([x.op for x in outs])
        cfg["tile"].apply(s, outs[0], s[outs[0]].op.axis[0])
        return s

    t = autotvm.task.create("tests/scale", args=(("TENSOR", (8,), "float32"), 3), target="llvm")
    s, args = t.instantiate(t.config_space.get(2))
    assert len(t.config_space) == 4 and "i.inner(4)" in s["B"].loops() and len(args) == 2
    A = te.placeholder((8,), name="A")
    with pytest.warns(UserWarning, match="no configuration is known"):
        B = scale(A, 3)
    assert tuple(B.op.attrs["workload"]) == t.workload
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it was said already
        assert "i.inner(1)" in schedule_scale([B])["B"].loops()


def test_misuse() -> None:
    with pytest.raises(ScheduleError, match="no template is running"):
        autotvm.get_config()
    with pytest.raises(ArgumentError, match="tests/produkt"):
        autotvm.task.create("tests/produkt", args=(), target="llvm")
    with pytest.raises(TewbError, match="RPCRunner runs on machines of TVM's RPC"):
        autotvm.RPCRunner("key", "host", 9190)
    with pytest.raises(ArgumentError, match="no builder and runner"):
        autotvm.measure_option(builder=3)
    with pytest.raises(ScheduleError, match="relay programs"):
        autotvm.task.extract_from_program(None)
