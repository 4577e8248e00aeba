"""How configurations are measured, and the classic numbers for what came of them."""

from __future__ import annotations

import pytest

from tests.autotvm.templates import QUICK, task
from tewb import autotvm
from tewb.autotvm.measure import MeasureErrorNo, create_measure_batch, refused, result_of
from tewb.base import ArgumentError, TewbError
from tewb.tuning import Limits, Outcome


@pytest.mark.parametrize(
    ("outcome", "number"),
    [
        (Outcome("timed", (1.0, 3.0)), MeasureErrorNo.NO_ERROR),
        (Outcome("slow", (1.0, 3.0)), MeasureErrorNo.NO_ERROR),
        (Outcome("wrong", message="C differs"), MeasureErrorNo.WRONG_ANSWER),
        (Outcome("failed", message="building took more than 3 s"), MeasureErrorNo.BUILD_TIMEOUT),
        (Outcome("failed", message="checking took more than 3 s"), MeasureErrorNo.RUN_TIMEOUT),
        (Outcome("failed", message="its process ended with SIGSEGV"), MeasureErrorNo.RUNTIME_DEVICE),
    ],
)
def test_outcomes_have_classic_numbers(outcome: Outcome, number: int) -> None:
    result = result_of(outcome, 0.0)
    assert result.error_no == number and result.cost == (2.0 if number == 0 else None)
    assert number == 0 or str(outcome.message) in str(result.costs[0])


def test_a_configuration_without_a_program() -> None:
    result = refused(ValueError("no"), 0.0)
    assert result.error_no == MeasureErrorNo.INSTANTIATION_ERROR and "no" in str(result.costs[0])


def test_options_are_limits_of_trials() -> None:
    builder, runner = autotvm.LocalBuilder(timeout=3, n_parallel=1), autotvm.LocalRunner(timeout=4)
    option = autotvm.measure_option(builder=builder, runner=runner)
    assert option.limits == Limits(3, 4) and option["builder"] is builder


def test_a_batch_is_measured_in_its_order() -> None:
    t = task(2)
    configs = [t.config_space.get(i) for i in (3, 0)]
    inputs = [autotvm.MeasureInput(t.target, t, c) for c in configs]
    wrong, right = create_measure_batch(t, QUICK)(inputs)
    assert wrong.error_no == MeasureErrorNo.INSTANTIATION_ERROR and "whole row" in str(wrong.costs[0])
    assert right.error_no == 0 and right.cost > 0


def test_misuse() -> None:
    with pytest.raises(TewbError, match="RPCRunner runs on machines of TVM's RPC"):
        autotvm.RPCRunner("key", "host", 9190)
    with pytest.raises(ArgumentError, match="no builder and runner"):
        autotvm.measure_option(builder=3)
