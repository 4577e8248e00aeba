"""Tuners: which configurations are measured next. All measure in the same way: built side by side in processes,
compared with the definition, timed one at a time.

`RandomTuner` and `GridSearchTuner` take what their names say, `GATuner` breeds the fastest (a genetic algorithm over the
knobs), and `XGBTuner` fits a model to what was measured: here Optuna's tree-structured Parzen estimator (Bergstra et al.
2011) instead of boosted trees.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tewb.autotvm.measure import MeasureInput, MeasureResult, Options, measure_option, refused, result_of
from tewb.autotvm.space import ConfigEntity
from tewb.tuning import HereAlone, Workers, kept_arrays, load_optuna
from tewb.tuning import Task as Trial
from tewb.workbench.judge.ledger import runs_python
from tewb.workbench.session import Session


class Tuner:
    """Searches the space of a task. `best_config` and `best_flops` are of the fastest so far."""

    def __init__(self, task: Any, **_: Any) -> None:
        self.task = task
        self.best_config: ConfigEntity | None = None
        self.best_flops, self.best_iter = 0.0, 0
        self.error_ct_threshold = 150
        self.ttl: int | None = None
        self._seen: set[int] = set()

    # ---- what subclasses choose

    def has_next(self) -> bool:
        """Whether there are configurations that were not tried."""
        return len(self._seen) < len(self.task.config_space)

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
        self.best_config, self.best_flops, self.best_iter = None, 0.0, 0

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
        fewer when the best is `early_stopping` trials old."""
        option = _options(measure_option)
        tried = 0
        with _Bench(self.task, option) as bench:
            while tried < n_trial and self.has_next():
                configs = self.next_batch(min(bench.count, n_trial - tried))
                if not configs:
                    break
                self._seen |= {c.index for c in configs if c.index is not None}
                results = bench.measure(configs)
                inputs = [MeasureInput(self.task.target, self.task, c) for c in configs]
                for n, (i, r) in enumerate(zip(inputs, results, strict=True)):
                    if r.cost is not None and self.task.flop / r.cost > self.best_flops:
                        self.best_flops, self.best_config, self.best_iter = (
                            self.task.flop / r.cost,
                            i.config,
                            tried + n,
                        )
                tried += len(configs)
                self.ttl = None if early_stopping is None else early_stopping + self.best_iter - tried
                self.update(inputs, results)
                for f in callbacks:
                    f(self, inputs, results)
                if early_stopping is not None and tried > self.best_iter + early_stopping:
                    break

    def _learn(self, inputs: Sequence[MeasureInput], results: Sequence[MeasureResult]) -> None:
        for i, r in zip(inputs, results, strict=True):
            if r.cost is not None and self.task.flop / r.cost > self.best_flops:
                self.best_flops, self.best_config = self.task.flop / r.cost, i.config
        self.update(inputs, results)

    def _new(self, index: int) -> list[ConfigEntity]:
        return [] if index in self._seen else [self.task.config_space.get(index)]


class GridSearchTuner(Tuner):
    """All configurations, in the order of their numbers."""

    def next_batch(self, batch_size: int) -> list[ConfigEntity]:
        space, found = self.task.config_space, list[ConfigEntity]()
        for index in range(len(space)):
            if index not in self._seen and len(found) < batch_size:
                found.append(space.get(index))
        return found


class RandomTuner(Tuner):
    """Configurations by chance, each once."""

    def __init__(self, task: Any, range_idx: Any = None, seed: int = 0, **_: Any) -> None:
        super().__init__(task)
        self._random = random.Random(seed)

    def next_batch(self, batch_size: int) -> list[ConfigEntity]:
        return _distinct(self, batch_size, lambda: self._random.randrange(len(self.task.config_space)))


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
        self._scores: dict[int, float] = {}

    def next_batch(self, batch_size: int) -> list[ConfigEntity]:
        whole = len(self.task.config_space)
        breed = (
            self._child if len(self._scores) >= min(self._size, 16) else lambda: self._random.randrange(whole)
        )
        return _distinct(self, batch_size, breed)

    def _child(self) -> int:
        space = self.task.config_space
        best = sorted(self._scores, key=lambda i: -self._scores[i])[: max(self._size // 2, self._elite)]
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
                self._scores[i.config.index] = self.task.flop / r.cost if r.cost else 0.0


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


def _distinct(tuner: Tuner, count: int, propose: Callable[[], int]) -> list[ConfigEntity]:
    """`count` configurations that were not tried, as `propose` has them: what it repeats too often is taken in order."""
    space, found = tuner.task.config_space, dict[int, None]()
    for _ in range(20 * count):
        index = propose()
        if index not in tuner._seen:
            found[index] = None
        if len(found) == count:
            break
    if not found:
        found = dict.fromkeys([i for i in range(len(space)) if i not in tuner._seen][:count])
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


__all__ = ["GATuner", "GridSearchTuner", "RandomTuner", "Tuner", "XGBTuner", "measure_batch"]
