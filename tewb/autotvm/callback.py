"""What a tuner tells of each batch: a line of a log, or how far it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any

from tewb.autotvm.measure import MeasureInput, MeasureResult
from tewb.autotvm.record import encode

SI_PREFIXES = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
Callback = Callable[[Any, Sequence[MeasureInput], Sequence[MeasureResult]], None]


def log_to_file(file_out: str | os.PathLike[str] | IO[str], protocol: str = "json") -> Callback:
    """Add a line for each measurement to a file, by name or open."""

    def log(_: Any, inputs: Sequence[MeasureInput], results: Sequence[MeasureResult]) -> None:
        lines = "".join(f"{encode(i, r, protocol)}\n" for i, r in zip(inputs, results, strict=True))
        if isinstance(file_out, str | os.PathLike):
            with open(file_out, "a", encoding="utf-8") as f:
                f.write(lines)
        else:
            file_out.write(lines)

    return log


def progress_bar(total: int, prefix: str = "", si_prefix: str = "G") -> Callback:
    """Say on stderr how many of `total` were measured, the speed of the last, and the best so far."""
    scale = SI_PREFIXES[si_prefix]
    done, best = 0, 0.0

    def show(tuner: Any, inputs: Sequence[MeasureInput], results: Sequence[MeasureResult]) -> None:
        nonlocal done, best
        done += len(results)
        speeds = [tuner.task.flop / r.cost / scale for r in results if r.cost]
        best = max([best, *speeds])
        last = speeds[-1] if speeds else 0.0
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r{prefix} {done}/{total}: {last:.2f}, best {best:.2f} {si_prefix}FLOPS{end}")
        sys.stderr.flush()

    return show


class Monitor:
    """Keeps the results of all measurements."""

    def __init__(self) -> None:
        self.scores: list[float] = []
        self.timestamps: list[float] = []

    def __call__(self, tuner: Any, inputs: Sequence[MeasureInput], results: Sequence[MeasureResult]) -> None:
        for r in results:
            self.scores.append(tuner.task.flop / r.cost if r.cost else 0.0)
            self.timestamps.append(r.timestamp)

    def reset(self) -> None:
        """Forget all."""
        self.scores, self.timestamps = [], []

    def trial_scores(self) -> list[float]:
        """Operations in a second, by trial."""
        return self.scores

    def trial_timestamps(self) -> list[float]:
        """When each ended."""
        return self.timestamps
