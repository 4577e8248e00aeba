"""Which configuration a template gets: that of a search, the best of a log, or the first entities."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, Self

from tewb.autotvm.space import ConfigSpace, FallbackConfigEntity
from tewb.base import ScheduleError, here

Workload = tuple[Any, ...]

_open: ContextVar[tuple[DispatchContext, ...]] = ContextVar("open", default=())
_now: ContextVar[ConfigSpace | None] = ContextVar("now", default=None)


class _Current:
    """`DispatchContext.current`, whenever it is read."""

    def __get__(self, instance: object, owner: type) -> DispatchContext:
        return DispatchContext.current_context()


class DispatchContext:
    """Answers `query(target, workload)` with a configuration, while it is open by `with`, or asks the one around it. `current` is
    the innermost one that is open."""

    current = _Current()

    def query(self, target: Any, workload: Workload) -> Any:
        """The configuration of a workload."""
        found = self._query_inside(target, workload)
        if found is None:
            around = _open.get()
            known = around[: around.index(self)] if self in around else around
            found = (known[-1] if known else ROOT).query(target, workload)
        return found

    def _query_inside(self, target: Any, workload: Workload) -> Any:
        raise NotImplementedError

    def update(self, target: Any, workload: Workload, cfg: Any) -> None:
        """Know a configuration."""

    def __enter__(self) -> Self:
        _open.set((*_open.get(), self))
        return self

    def __exit__(self, *_: object) -> None:
        _open.set(_open.get()[:-1])

    @staticmethod
    def current_context() -> DispatchContext:
        """The innermost one that is open."""
        return _open.get()[-1] if _open.get() else ROOT


class FallbackContext(DispatchContext):
    """The first entity of each knob, with a warning, once for each workload, that nothing better is known.

    What a compute sets otherwise its schedule finds: each workload has one configuration.
    """

    silent = False

    def __init__(self) -> None:
        self._known: dict[tuple[str, Workload], FallbackConfigEntity] = {}

    def query(self, target: Any, workload: Workload) -> Any:
        known = self._known.get((str(target), workload))
        if known is not None:
            return known
        if not self.silent:
            warnings.warn(
                f"no configuration is known for target={target}, workload={workload}: the first of each knob is used, "
                "which may be slow; tune it, or apply_history_best(log)",
                stacklevel=4,
            )
        made = self._known[str(target), workload] = FallbackConfigEntity()
        return made

    def update(self, target: Any, workload: Workload, cfg: Any) -> None:
        self._known[str(target), workload] = cfg

    def clear_cache(self, target: Any, workload: Workload) -> None:
        """Forget the configuration of a workload."""
        self._known.pop((str(target), workload), None)


ROOT = FallbackContext()  # around all others


class ApplyConfig(DispatchContext):
    """One configuration for every workload."""

    def __init__(self, config: ConfigSpace) -> None:
        self._config = config

    def _query_inside(self, target: Any, workload: Workload) -> Any:
        return self._config


class ApplyFixedConfig(DispatchContext):
    """Configurations of given tasks."""

    def __init__(self, tasks: Any, schedule_names: Any = None) -> None:
        self._known = {t.workload: t.config_space.get(0) for t in tasks}

    def _query_inside(self, target: Any, workload: Workload) -> Any:
        return self._known.get(workload)


class ApplyHistoryBest(DispatchContext):
    """The fastest configuration of each workload in the lines of a log (a file's name, several, or pairs of inputs and
    results)."""

    def __init__(self, records: Any) -> None:
        self._best: dict[tuple[str, Workload], tuple[float, Any]] = {}
        if records is not None:
            self.load(records)

    def load(self, records: Any) -> None:
        """Take more lines into account."""
        from tewb.autotvm.record import load_from_file

        if isinstance(records, str | os.PathLike):
            records = load_from_file(records)
        for record in records:
            if isinstance(record, str | os.PathLike):
                self.load(record)
                continue
            inp, result = record
            cost = result.cost
            if result.error_no == 0 and cost is not None:
                for key in _keys(inp.target):
                    known = self._best.get((key, inp.task.workload))
                    if known is None or cost < known[0]:
                        self._best[key, inp.task.workload] = cost, inp.config

    def _query_inside(self, target: Any, workload: Workload) -> Any:
        for key in _keys(target):
            if (key, workload) in self._best:
                return self._best[key, workload][1]
        return None

    def update(self, target: Any, workload: Workload, cfg: Any) -> None:
        for key in _keys(target):
            self._best[key, workload] = 0.0, cfg


def _keys(target: Any) -> Iterable[str]:
    """What a target is known by: first its model or processor, then its kind."""
    words = str(target).split()
    model = next((w for w in words if w.startswith(("-model=", "-mcpu="))), "")
    kind = words[0] if words else "llvm"
    return dict.fromkeys((f"{kind} {model}".strip(), kind))


def apply_history_best(records: Any) -> ApplyHistoryBest:
    """A block in which templates get the best configurations of a log."""
    return ApplyHistoryBest(records)


@contextlib.contextmanager
def using(config: ConfigSpace) -> Any:
    """Have `get_config()` give a configuration."""
    token = _now.set(config)
    try:
        yield
    finally:
        _now.reset(token)


def get_config() -> Any:
    """The configuration of the template that is running. Raises ScheduleError outside of one."""
    config = _now.get()
    if config is None:
        raise ScheduleError(
            "get_config: no template is running", hint='call it in a function under @autotvm.template("name")', span=here()
        )  # fmt: skip
    return config
