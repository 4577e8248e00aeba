"""Measuring configurations: how they are built and run, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from tewb.autotvm.space import ConfigEntity, InstantiationError
from tewb.base import ArgumentError, TewbError, here
from tewb.tuning import Limits, Outcome


class MeasureErrorNo(IntEnum):
    """How a measurement ended."""

    NO_ERROR = 0
    INSTANTIATION_ERROR = 1
    COMPILE_HOST = 2
    COMPILE_DEVICE = 3
    RUNTIME_DEVICE = 4
    WRONG_ANSWER = 5
    BUILD_TIMEOUT = 6
    RUN_TIMEOUT = 7
    UNKNOWN_ERROR = 8


class MeasureInput(NamedTuple):
    """What is measured."""

    target: Any
    task: Any
    config: ConfigEntity


class MeasureResult(NamedTuple):
    """What came of it: `costs` in seconds, or the exception; `all_cost` is the time that it took in all."""

    costs: tuple[Any, ...]
    error_no: int
    all_cost: float
    timestamp: float

    @property
    def cost(self) -> float | None:
        """The mean of the costs; None where there is an error."""
        return sum(self.costs) / len(self.costs) if self.error_no == 0 and self.costs else None


def result_of(outcome: Outcome, began: float) -> MeasureResult:
    """An outcome of a trial in these words. One that was given up as slow has the times that were taken."""
    now = time.time()
    if outcome.how in ("timed", "slow"):
        return MeasureResult(outcome.samples, MeasureErrorNo.NO_ERROR, now - began, now)
    known = {
        "wrong": MeasureErrorNo.WRONG_ANSWER,
        "building": MeasureErrorNo.BUILD_TIMEOUT,
        "checking": MeasureErrorNo.RUN_TIMEOUT,
        "timing": MeasureErrorNo.RUN_TIMEOUT,
    }
    word = "wrong" if outcome.how == "wrong" else outcome.message.split(" took more than ")[0]
    number = known.get(word, MeasureErrorNo.RUNTIME_DEVICE)
    return MeasureResult((TewbError(outcome.message),), number, now - began, now)


def refused(e: Exception, began: float) -> MeasureResult:
    """What came of a configuration of which no program could be made."""
    return MeasureResult(
        (e if isinstance(e, TewbError) else InstantiationError(str(e)),),
        MeasureErrorNo.INSTANTIATION_ERROR,
        time.time() - began,
        time.time(),
    )


class Builder:
    """How configurations are built: by a LocalBuilder."""


class Runner:
    """How configurations are run: by a LocalRunner."""


@dataclass(frozen=True)
class LocalBuilder(Builder):
    """Builds in processes of this machine: `n_parallel` at once, each for at most `timeout` seconds."""

    timeout: float = 10
    n_parallel: int | None = None
    build_kwargs: Any = None
    build_func: Any = "default"
    do_fork: bool = False
    runtime: Any = None


@dataclass(frozen=True)
class LocalRunner(Runner):
    """Runs on this machine, one at a time: `repeat` samples of `number` calls (0: as many as take `min_repeat_ms`, or
    20 ms), for at most `timeout` seconds in all."""

    timeout: float = 10
    number: int = 0
    repeat: int = 3
    min_repeat_ms: float = 0
    cooldown_interval: float = 0.0
    enable_cpu_cache_flush: bool = False
    module_loader: Any = None
    check_correctness: bool = True


class RPCRunner(Runner):
    """Raises TewbError: other machines are reached by Dask here."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TewbError(
            "RPCRunner runs on machines of TVM's RPC, which tewb does not speak",
            hint="autotvm.LocalRunner() runs here; tewb.tune(..., client=Client) on a Dask cluster",
            span=here(),
        )


@dataclass(frozen=True)
class Options:
    """How a tuner measures."""

    builder: LocalBuilder
    runner: LocalRunner

    @property
    def limits(self) -> Limits:
        """What a trial may take."""
        return Limits(self.builder.timeout, self.runner.timeout)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)


def measure_option(builder: Any = "local", runner: Any = "local") -> Options:
    """How to measure: builder and runner, "local" or one of the classes here. Raises ArgumentError."""
    builder = LocalBuilder() if builder == "local" else builder
    runner = LocalRunner() if runner == "local" else runner
    if not isinstance(builder, LocalBuilder) or not isinstance(runner, LocalRunner):
        raise ArgumentError(
            f"measure_option: {builder!r} and {runner!r} are no builder and runner",
            hint='measure_option(builder="local", runner=autotvm.LocalRunner(repeat=3))',
            span=here(),
        )
    return Options(builder, runner)


def create_measure_batch(task: Any, option: Options) -> Any:
    """A function that measures a list of inputs."""
    from tewb.autotvm.tuner import measure_batch

    def run(inputs: Sequence[MeasureInput]) -> list[MeasureResult]:
        return measure_batch(task, [i.config for i in inputs], option)

    return run
