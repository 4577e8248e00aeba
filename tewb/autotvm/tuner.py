"""Tuners: which configurations are measured next. All measure in the same way: built side by side in processes,
compared with the definition, timed one at a time.

`RandomTuner` and `GridSearchTuner` take what their names say, `GATuner` breeds the fastest (a genetic algorithm over the
knobs), and `XGBTuner` fits a model to what was measured: here Optuna's tree-structured Parzen estimator (Bergstra et al.
2011) instead of boosted trees.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tewb.autotvm.callback import SI_PREFIXES
from tewb.autotvm.measure import MeasureInput, MeasureResult, Options, measure_option, refused, result_of
from tewb.autotvm.space import ConfigEntity
from tewb.base import ArgumentError, here
from tewb.tuning import HereAlone, Workers, kept_arrays, load_optuna
from tewb.tuning import Task as Trial
from tewb.workbench.judge.ledger import runs_python
from tewb.workbench.session import Session

logger = logging.getLogger("autotvm")


class Tuner:
    """Searches the space of a task. `best_config` and `best_flops` are of the fastest so far."""

    def __init__(self, task: Any, **_: Any) -> None:
        self.task = task
        self.best_config: ConfigEntity | None = None
        self.best_flops, self.best_iter = 0.0, 0
        self._best_cost = (
            math.inf
        )  # what ranks: of programs without arithmetic, such as copies, no speed is known
        self.error_ct_threshold = 150
        self.ttl: int | None = None
        self._seen: set[int] = set()

    # ---- what subclasses choose

    def has_next(self) -> bool:
        """Whether there are configurations that were not tried."""
        return bool(len(self._seen) < self.task.config_space.filtered_length)

    def next_batch(self, batch_size: int) -> list[ConfigEntity]:
        """Configurations to measure next."""
        raise NotImplementedError

    def update(self, inputs: Sequence[MeasureInput], results: Sequence[MeasureResult]) -> None:
        """Learn what came of them."""

    def load_history(
        self, data_set: Iterable[tuple[MeasureInput, MeasureResult]], min_seed_records: int = 500
    ) -> None:
        """Learn from measurements of before."""
        known = [(i, r) for i, r in data_set if i.task.workload == self.task.workload]
        for i, r in known:
            if i.config.index is not None and i.config.index < len(self.task.config_space):
                self._seen.add(i.config.index)
                self._learn([i], [r])

    def reset(self) -> None:
        """Forget what was found."""
        self.best_config, self.best_flops, self.best_iter, self._best_cost = None, 0.0, 0, math.inf

    def set_error_threshold(self, threshold: int) -> None:
        """After how many errors in a row the log says everything."""
        self.error_ct_threshold = threshold

    # ---- the search

    def tune(
        self,
        n_trial: int,
        measure_option: Any = None,
        early_stopping: int | None = None,
        callbacks: Sequence[Callable[..., None]] = (),
        si_prefix: str = "G",
    ) -> None:
        """Measure `n_trial` configurations at most, in batches of which `callbacks(tuner, inputs, results)` are told;
        fewer when the best is `early_stopping` trials old. The logger "autotvm" has a line of each at DEBUG."""
        tried = errors = 0
        with _Bench(self.task, _options(measure_option)) as bench, _level_kept():
            while tried < n_trial and self.has_next():
                configs = self.next_batch(min(bench.count, n_trial - tried))
                if not configs:
                    break
                self._seen |= {c.index for c in configs if c.index is not None}
                results = bench.measure(configs)
                inputs = [MeasureInput(self.task.target, self.task, c) for c in configs]
                for n, (i, r) in enumerate(zip(inputs, results, strict=True), tried):
                    errors = errors + 1 if r.error_no else 0
                    if self._is_best(i, r):
                        self.best_iter = n
                    _log(n + 1, self, r, i.config, si_prefix)
                tried += len(configs)
                self.ttl = None if early_stopping is None else early_stopping + self.best_iter - tried
                self.update(inputs, results)
                for f in callbacks:
                    f(self, inputs, results)
                if early_stopping is not None and tried > self.best_iter + early_stopping:
                    logger.debug("Early stopped. Best iter: %d.", self.best_iter)
                    break
                if errors > self.error_ct_threshold and logger.level != logging.DEBUG:
                    logger.warning("%d configurations in a row failed: what comes is logged in full", errors)
                    logger.setLevel(logging.DEBUG)

    def _is_best(self, i: MeasureInput, r: MeasureResult) -> bool:
        """Whether a measurement is the fastest so far, which it is kept as."""
        if r.cost is None or r.cost >= self._best_cost:
            return False
        self._best_cost, self.best_config, self.best_flops = r.cost, i.config, _flops(self.task, r)
        return True

    def _learn(self, inputs: Sequence[MeasureInput], results: Sequence[MeasureResult]) -> None:
        for i, r in zip(inputs, results, strict=True):
            self._is_best(i, r)
        self.update(inputs, results)


def _flops(task: Any, r: MeasureResult) -> float:
    """Operations in a second; 0 of a program without arithmetic, or that failed."""
    return float(task.flop / r.cost) if r.cost else 0.0


@contextlib.contextmanager
def _level_kept() -> Iterator[None]:
    """The log is as detailed afterwards as it was."""
    level = logger.level
    try:
        yield
    finally:
        logger.setLevel(level)


def _log(number: int, tuner: Tuner, r: MeasureResult, config: ConfigEntity, si_prefix: str) -> None:
    """The line of a measurement, as classic programs show it."""
    if logger.isEnabledFor(logging.DEBUG):
        scale = SI_PREFIXES[si_prefix]
        speeds = f"{_flops(tuner.task, r) / scale:.2f}/{tuner.best_flops / scale:.2f}"
        logger.debug("No: %d\t%sFLOPS: %s\tresult: %s\t%s", number, si_prefix, speeds, r, config)


class IndexBaseTuner(Tuner):
    """A tuner that takes configurations by their numbers, in `range_idx` (the first and the last) if there is one."""

    def __init__(self, task: Any, range_idx: tuple[int, int] | None = None, **_: Any) -> None:
        super().__init__(task)
        whole = self.task.config_space.range_length
        first, last = (0, whole - 1) if range_idx is None else range_idx
        if not 0 <= first <= last < whole:
            raise ArgumentError(
                f"range_idx={range_idx} is no range of configurations", hint=f"they have numbers from 0 to {whole - 1}", span=here()
            )  # fmt: skip
        self.range_idx = first, last

    @property
    def _numbers(self) -> Sequence[int]:
        first, last = self.range_idx
        return self.task.config_space.valid_in(first, last + 1)  # type: ignore[no-any-return]

    def has_next(self) -> bool:
        return any(index not in self._seen for index in self._numbers)


class GridSearchTuner(IndexBaseTuner):
    """All configurations, in the order of their numbers."""

    def next_batch(self, batch_size: int) -> list[ConfigEntity]:
        fresh = (index for index in self._numbers if index not in self._seen)
        return [self.task.config_space.get(index) for index in itertools.islice(fresh, batch_size)]


class RandomTuner(IndexBaseTuner):
    """Configurations by chance, each once."""

    def __init__(self, task: Any, range_idx: tuple[int, int] | None = None, seed: int = 0, **_: Any) -> None:
        super().__init__(task, range_idx)
        self._random = random.Random(seed)

    def next_batch(self, batch_size: int) -> list[ConfigEntity]:
        numbers = self._numbers
        return _distinct(self, batch_size, lambda: self._random.choice(numbers), numbers)


class GATuner(Tuner):
    """A genetic algorithm over the numbers of the entities: the fastest are crossed, and some knobs change by chance."""

    def __init__(
        self,
        task: Any,
        pop_size: int = 100,
        elite_num: int = 3,
        mutation_prob: float = 0.1,
        seed: int = 0,
        **_: Any,
    ) -> None:
        super().__init__(task)
        self._size, self._elite, self._mutation = pop_size, elite_num, mutation_prob
        self._random = random.Random(seed)
        self._costs: dict[int, float] = {}

    def next_batch(self, batch_size: int) -> list[ConfigEntity]:
        whole = len(self.task.config_space)
        breed = (
            self._child if len(self._costs) >= min(self._size, 16) else lambda: self._random.randrange(whole)
        )
        return _distinct(self, batch_size, breed)

    def _child(self) -> int:
        space = self.task.config_space
        best = sorted(self._costs, key=lambda i: self._costs[i])[: max(self._size // 2, self._elite)]
        mother, father = self._random.choices(best, weights=range(len(best), 0, -1), k=2)
        pairs = zip(space.numbers_of(mother), space.numbers_of(father), space.dims, strict=True)
        return int(space.index_of([self._gene(a, b, n) for a, b, n in pairs]))

    def _gene(self, a: int, b: int, n: int) -> int:
        return (
            self._random.randrange(n)
            if self._random.random() < self._mutation
            else self._random.choice((a, b))
        )

    def update(self, inputs: Sequence[MeasureInput], results: Sequence[MeasureResult]) -> None:
        for i, r in zip(inputs, results, strict=True):
            if i.config.index is not None:
                self._costs[i.config.index] = math.inf if r.cost is None else r.cost


class XGBTuner(Tuner):
    """A model of what was measured proposes what is next. The options of boosted trees are taken and have no effect."""

    def __init__(
        self,
        task: Any,
        plan_size: int = 64,
        feature_type: str = "itervar",
        loss_type: str = "reg",
        seed: int = 0,
        **_: Any,
    ) -> None:
        super().__init__(task)
        optuna = load_optuna()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=16))
        self._sizes = {
            name: optuna.distributions.IntDistribution(0, len(s) - 1)
            for name, s in task.config_space.space_map.items()
        }
        self._random = random.Random(seed)

    def next_batch(self, batch_size: int) -> list[ConfigEntity]:
        return _distinct(self, batch_size, self._proposed)

    def _proposed(self) -> int:
        space = self.task.config_space
        asked = self._study.ask(self._sizes)
        self._study.tell(asked, state=load_optuna().trial.TrialState.FAIL)  # `update` adds what was measured
        index = int(space.index_of([asked.params[name] for name in self._sizes]))
        return self._random.randrange(len(space)) if index in self._seen else index

    def update(self, inputs: Sequence[MeasureInput], results: Sequence[MeasureResult]) -> None:
        optuna = load_optuna()
        for i, r in zip(inputs, results, strict=True):
            if i.config.index is not None and r.cost is not None:
                numbers = self.task.config_space.numbers_of(i.config.index)
                self._study.add_trial(
                    optuna.trial.create_trial(
                        params=dict(zip(self._sizes, numbers, strict=True)),
                        distributions=self._sizes,
                        value=r.cost,
                    )
                )


def _distinct(
    tuner: Tuner, count: int, propose: Callable[[], int], numbers: Sequence[int] | None = None
) -> list[ConfigEntity]:
    """`count` configurations that were not tried, as `propose` has them: what it repeats too often is taken in order, of all
    `numbers`."""
    space, found = tuner.task.config_space, dict[int, None]()
    for _ in range(20 * count):
        index = propose()
        if index not in tuner._seen and space.is_index_valid(index):
            found[index] = None
        if len(found) == count:
            break
    if not found:
        every = space.valid_in(0, space.range_length) if numbers is None else numbers
        found = dict.fromkeys([i for i in every if i not in tuner._seen][:count])
    return [space.get(i) for i in found]


def _options(given: Any) -> Options:
    if isinstance(given, Options):
        return given
    return measure_option(**(given or {}))


class _Bench:
    """Where the configurations of a task are measured."""

    def __init__(self, task: Any, option: Options) -> None:
        self._task, self._option = task, option
        model = Session(*task._model)
        self._model = model
        alone = model.problem is None and runs_python(model.function)
        workers = option.builder.n_parallel or 2
        self._pool: Workers | HereAlone = HereAlone() if alone else Workers(workers, option.limits)
        self.count = 8

    def __enter__(self) -> _Bench:
        self._folder = tempfile.TemporaryDirectory(prefix="tewb-autotvm-")
        self._parameters = kept_arrays(self._model, Path(self._folder.name))
        self._pool.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.__exit__()
        self._folder.cleanup()

    def measure(self, configs: Sequence[ConfigEntity]) -> list[MeasureResult]:
        """What comes of configurations, in their order."""
        began, results = time.time(), dict[int, MeasureResult]()
        runner = self._option.runner
        seconds = runner.min_repeat_ms / 1e3 or 0.02
        for n, config in enumerate(configs):
            while self._pool.is_full:
                results |= self._finished(began)
            try:
                schedule, args = self._task.instantiate(config)
                module = Session(schedule, args).module
            except Exception as e:  # the template is the user's
                results[n] = refused(e, began)
                continue
            self._pool.submit(n, Trial(module, self._parameters, runner.repeat, seconds))
        while not self._pool.is_idle:
            results |= self._finished(began)
        return [results[n] for n in range(len(configs))]

    def _finished(self, began: float) -> dict[int, MeasureResult]:
        return {n: result_of(outcome, began) for n, outcome in self._pool.finished()}


def measure_batch(task: Any, configs: Sequence[ConfigEntity], option: Options) -> list[MeasureResult]:
    """What comes of configurations of a task."""
    with _Bench(task, option) as bench:
        return bench.measure(configs)


__all__ = [
    "GATuner",
    "GridSearchTuner",
    "IndexBaseTuner",
    "RandomTuner",
    "Tuner",
    "XGBTuner",
    "measure_batch",
]
