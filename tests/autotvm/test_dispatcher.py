"""Which configuration a template gets: of a search, of a log, or the first entities."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.autotvm.templates import product, task
from tewb import autotvm
from tewb.autotvm.record import encode
from tewb.base import ScheduleError


def test_without_a_log_the_first_entities_are_used_with_a_warning() -> None:
    autotvm.task.FallbackContext.current_context().clear_cache("llvm", ("tests/product", 6, "float32"))  # type: ignore[attr-defined]
    with pytest.warns(UserWarning, match="no configuration is known for target=llvm"):
        s, _ = product(6, "float32")
    assert "i.inner(1)" in s["C"].loops()


def test_the_best_of_a_log_is_used_inside_of_its_block_only(tmp_path: Path) -> None:
    t = task()
    results = [(5, 0.2), (6, 0.1), (7, 0.3)]
    lines = [
        encode(
            autotvm.MeasureInput(t.target, t, t.config_space.get(i)),
            autotvm.MeasureResult((cost,), 0, 1.0, 1.0),
        )
        for i, cost in results
    ]
    (tmp_path / "a.log").write_text("\n".join(lines))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with autotvm.apply_history_best(str(tmp_path / "a.log")) as best:
            s, _ = product(6, "float32")
            assert autotvm.DispatchContext.current_context() is best
    assert f"i.inner({t.config_space.get(6)['tile_y'].size[1]})" in s["C"].loops()
    assert autotvm.DispatchContext.current_context() is not best


def test_the_innermost_block_is_the_current_one() -> None:
    root = autotvm.DispatchContext.current
    assert root is autotvm.DispatchContext.current_context() and root.silent is False
    with autotvm.apply_history_best(None) as inside:
        assert autotvm.task.DispatchContext.current is inside
    assert autotvm.DispatchContext.current is root


def test_what_a_log_does_not_know_is_asked_of_the_block_around_it() -> None:
    t = task()
    with autotvm.task.ApplyFixedConfig([t]) as around, autotvm.apply_history_best(None) as inside:
        assert around.query("llvm", t.workload) == t.config_space.get(0)
        assert inside.query("llvm", t.workload) == t.config_space.get(0)


def test_a_configuration_is_had_in_a_template_only() -> None:
    with pytest.raises(ScheduleError, match="no template is running"):
        autotvm.get_config()
