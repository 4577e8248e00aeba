"""Tasks: a template with its arguments and a target, and the space that its knobs span."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from tewb.autotvm.dispatcher import (
    ApplyConfig,
    ApplyFixedConfig,
    ApplyHistoryBest,
    DispatchContext,
    FallbackContext,
    Workload,
    get_config,
    using,
)
from tewb.autotvm.space import ConfigEntity, ConfigSpace, FallbackConfigEntity, InstantiationError
from tewb.base import ArgumentError, ScheduleError, here, one_of
from tewb.ir import Expr, IterVar, const_int
from tewb.runtime import Target
from tewb.schedule import Schedule
from tewb.te import placeholder
from tewb.tensor import Tensor
from tewb.workbench.measure.counts import operations

TEMPLATES: dict[str, Template] = {}


class Template:
    """A function with knobs, known by a name: called, it gets the best configuration that is known."""

    def __init__(self, name: str, run: Callable[..., Any]) -> None:
        self.name, self._run = name, run
        self.schedule: Callable[..., Any] | None = None
        functools.update_wrapper(self, run)
        TEMPLATES[name] = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(_configuration(args_to_workload(args, self.name)), *args, **kwargs)

    def run(self, config: ConfigSpace, *args: Any, **kwargs: Any) -> Any:
        """What the function gives at a configuration."""
        with using(config):
            return self._run(*args, **kwargs)


class TopiTemplate(Template):
    """A compute that takes its configuration first, and the schedule that goes with it."""

    def run(self, config: ConfigSpace, *args: Any, **kwargs: Any) -> Any:
        with using(config):
            made = self._run(config, *args, **kwargs)
            workload = args_to_workload(args, self.name)
        for t in made if isinstance(made, list | tuple) else [made]:
            if "workload" not in t.op.attrs:
                t.op.attrs["workload"] = workload
        return made

    def whole(self, config: ConfigSpace, *args: Any) -> tuple[Schedule, list[Any]]:
        """The scheduled program of a task: what (TENSOR, shape, dtype) stand for are its inputs."""
        given = [_of_workload(a) for a in args]
        outs = self.run(config, *given)
        outs = list(outs) if isinstance(outs, list | tuple) else [outs]
        if self.schedule is None:
            raise ScheduleError(
                f"{self.name} has no schedule", hint="@autotvm.register_topi_schedule", span=here()
            )
        with using(config):
            s = self.schedule(config, outs)
        return s, [*_tensors_in(given), *outs]


def _configuration(workload: Workload) -> Any:
    return DispatchContext.current_context().query(Target.current() or "llvm", workload)


def template(task_name: Any = None, func: Callable[..., Any] | None = None) -> Any:
    """Decorate a function with knobs: `@autotvm.template("name")`, or `@autotvm.template` by the function's name. It
    returns (schedule, arguments)."""
    if callable(task_name):
        return Template(task_name.__name__, task_name)

    def decorate(f: Callable[..., Any]) -> Template:
        return Template(task_name or f.__name__, f)

    return decorate if func is None else decorate(func)


def register_topi_compute(task_name: str, func: Callable[..., Any] | None = None) -> Any:
    """Decorate a compute that takes a configuration and its tensors, and returns its output."""

    def decorate(f: Callable[..., Any]) -> TopiTemplate:
        return TopiTemplate(task_name, f)

    return decorate if func is None else decorate(func)


def register_topi_schedule(task_name: str, func: Callable[..., Any] | None = None) -> Any:
    """Decorate the schedule of a compute: it takes a configuration and the outputs, and returns the schedule."""

    def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
        computed = TEMPLATES.get(task_name)
        if computed is not None:
            computed.schedule = f

        @functools.wraps(f)
        def schedule(outs: Any, *args: Any, **kwargs: Any) -> Any:
            tensors = [outs] if isinstance(outs, Tensor) else list(outs)
            known: list[Any] = [t.op.attrs["workload"] for t in _below(tensors) if "workload" in t.op.attrs]
            workload: Workload = known[0] if known else (task_name,)
            config = _configuration(workload)
            with using(config):
                return f(config, outs, *args, **kwargs)

        return schedule

    return decorate if func is None else decorate(func)


def _below(outs: Sequence[Tensor]) -> list[Tensor]:
    seen: list[Tensor] = []
    pending = list(outs)
    while pending:
        t = pending.pop(0)
        if all(t is not s for s in seen):
            seen.append(t)
            pending += t.op.input_tensors
    return seen


class Task:
    """A template with arguments and a target: `config_space` is all it leaves open, `instantiate(config)` the scheduled
    program at a point of it."""

    def __init__(self, name: str, args: Sequence[Any], target: Any, target_host: Any = None) -> None:
        self.name, self.args, self.target_host = name, tuple(args), target_host
        self.target = Target.of(target) if target is not None else Target.current() or Target.of("llvm")
        self.workload = args_to_workload(args, name)
        self.kwargs: dict[str, Any] = {}
        self.config_space = ConfigSpace()
        schedule, tensors = self._run(self.config_space)
        self.flop = self.config_space.flop or operations(schedule.outputs, {}) or 0
        self._model = schedule, list(tensors)

    def _run(self, config: ConfigSpace) -> tuple[Schedule, Sequence[Any]]:
        known = TEMPLATES[self.name]
        with self.target, ApplyConfig(config):
            made = (
                known.whole(config, *self.args)
                if isinstance(known, TopiTemplate)
                else known.run(config, *self.args)
            )
        if not (isinstance(made, tuple | list) and len(made) == 2 and isinstance(made[0], Schedule)):
            raise ScheduleError(
                f"template {self.name} returned no schedule with arguments",
                hint="return s, [A, B, C]",
                span=here(),
            )
        return made[0], made[1]

    def instantiate(self, config: ConfigSpace) -> tuple[Schedule, list[Any]]:
        """The schedule and the arguments at a configuration. Raises InstantiationError where `cfg.raise_error` said so."""
        config.flop, config.errors = 0, []
        schedule, args = self._run(config)
        if not config.valid():
            raise InstantiationError("; ".join(config.errors))
        return schedule, list(args)

    def __repr__(self) -> str:
        return f"Task(func_name={self.name}, args={self.args}, kwargs={{}}, workload={self.workload})"


def create(
    task_name: Any, args: Sequence[Any], target: Any = None, target_host: Any = None, template_key: Any = None
) -> Task:
    """A task of a template, by its name or itself."""
    name = task_name.name if isinstance(task_name, Template) else task_name
    if callable(name):
        name = Template(name.__name__, name).name
    return Task(one_of("template", name, TEMPLATES, ArgumentError), args, target, target_host)


def serialize_args(args: Sequence[Any]) -> Workload:
    """Arguments as plain values: tensors are ("TENSOR", shape, dtype)."""
    return tuple(_plain(a) for a in args)


def deserialize_args(args: Sequence[Any]) -> list[Any]:
    """Arguments again: a placeholder for each ("TENSOR", shape, dtype)."""
    return [_of_workload(a) for a in args]


def args_to_workload(args: Sequence[Any], task_name: str | None = None) -> Workload:
    """What a template with these arguments is known by."""
    return (() if task_name is None else (task_name,)) + serialize_args(args)


def _plain(a: Any) -> Any:
    if isinstance(a, Tensor):
        return ("TENSOR", tuple(_plain(n) for n in a.shape), str(a.dtype))
    if isinstance(a, list | tuple):
        return tuple(_plain(x) for x in a)
    if isinstance(a, IterVar):
        return a.var.name
    if isinstance(a, Expr):
        value = const_int(a)
        return str(a) if value is None else value
    return a if isinstance(a, bool | int | float | str) or a is None else str(a)


def _of_workload(a: Any) -> Any:
    if isinstance(a, tuple | list) and len(a) == 3 and a[0] == "TENSOR":
        return placeholder(tuple(a[1]), dtype=a[2], name="data")
    return a


def _tensors_in(args: Sequence[Any]) -> list[Tensor]:
    found: list[Tensor] = []
    for a in args:
        found += [a] if isinstance(a, Tensor) else _tensors_in(a) if isinstance(a, list | tuple) else []
    return found


__all__ = [
    "ApplyConfig", "ApplyFixedConfig", "ApplyHistoryBest", "ConfigEntity", "ConfigSpace", "DispatchContext", "FallbackConfigEntity",
    "FallbackContext", "InstantiationError", "Task", "Template", "args_to_workload", "create", "deserialize_args", "get_config", "register_topi_compute", "register_topi_schedule", "serialize_args", "template",
]  # fmt: skip
