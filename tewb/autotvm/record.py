"""Logs: a line for each measurement, as TVM's autotvm writes and reads them (version 0.2)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tewb.autotvm.measure import MeasureInput, MeasureResult
from tewb.autotvm.space import ConfigEntity
from tewb.base import ScheduleError, here
from tewb.runtime import Target

VERSION = 0.2


class LogFileError(ScheduleError):
    """What is read is no log of autotvm."""


class LoggedTask(NamedTuple):
    """The task of a line of a log: its template may not be here."""

    name: str
    args: tuple[Any, ...]
    target: Any

    @property
    def workload(self) -> tuple[Any, ...]:
        """What the task is known by."""
        return (self.name, *self.args)


def encode(inp: MeasureInput, result: MeasureResult, protocol: str = "json") -> str:
    """A line: the target, the template and its arguments, the configuration, and what came of it."""
    if protocol != "json":
        raise ScheduleError(
            f"encode: protocol {protocol!r} is not known", hint='protocol="json"', span=here()
        )
    costs = result.costs if result.error_no == 0 else (1e9,)
    name, *args = inp.task.workload
    line = {
        "input": [str(inp.target), name, args, {}],
        "config": inp.config.to_json_dict(),
        "result": [list(costs), int(result.error_no), result.all_cost, result.timestamp],
        "version": VERSION,
        "tvm_version": "0.19.0",
    }
    return json.dumps(line)


def decode(row: str, protocol: str = "json") -> tuple[MeasureInput, MeasureResult] | None:
    """What a line says; None for one of a version that is not read. Raises LogFileError for what is no line."""
    if not row.strip() or row.lstrip().startswith("#"):
        return None
    try:
        data = json.loads(row)
        if float(data.get("version", data.get("v", 0))) < 0.2 - 1e-9:
            return None
        target, name, args = data["input"][:3]
        costs, error_no, all_cost, timestamp = data["result"]
        config = ConfigEntity.from_json_dict(data["config"])
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        raise LogFileError(
            f"{row[:60]!r} is no line of a log of autotvm",
            hint="callback.log_to_file(name) writes one",
            span=here(),
        ) from e
    task = LoggedTask(name, tuple(map(_tuples, args)), target)
    return MeasureInput(_target(target), task, config), MeasureResult(
        tuple(costs), error_no, all_cost, timestamp
    )


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _target(text: str) -> Any:
    """A target; the text of one that tewb has no code for."""
    try:
        return Target.of(text)
    except Exception:
        return text


def load_from_file(filepath: str | os.PathLike[str]) -> Iterator[tuple[MeasureInput, MeasureResult]]:
    """The measurements in a log."""
    for row in Path(filepath).read_text(encoding="utf-8").splitlines():
        record = decode(row)
        if record is not None:
            yield record


def pick_best(in_file: str | os.PathLike[str], out_file: str | os.PathLike[str]) -> None:
    """Write the best line of each workload in a log to another one."""
    best: dict[tuple[str, Any], tuple[float, str]] = {}
    for inp, result in load_from_file(in_file):
        key, cost = (str(inp.target), inp.task.workload), result.cost
        if cost is not None and (key not in best or cost < best[key][0]):
            best[key] = cost, encode(inp, result)
    Path(out_file).write_text("".join(f"{line}\n" for _, line in best.values()), encoding="utf-8")


def measure_str_key(inp: MeasureInput, include_config: bool = True) -> str:
    """What a measurement is known by, as text."""
    return f"{inp.target}{inp.task.name}{inp.task.args}{inp.config if include_config else ''}"
