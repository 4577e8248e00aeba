"""What a row of the table is: a program, its inputs, what numpy does instead, and the aim."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.bench.memory import copy

Program = tuple[Any, list[Any]]


@dataclass(frozen=True)
class Workload:
    """A row. `program(threads)` schedules it for so many threads: the last arguments are the outputs.

    `given(rng)` makes the inputs, and `numpy(*given)` the result that they are checked against and timed
    beside. `goal` is the best ratio to numpy among the peers when the goals were set (DESIGN.md, 5), `operations` those of
    one run, where a rate means something. `tags` say what it is: `compute` is bound by arithmetic, `memory` by memory.
    Peers find a row by the beginning of its name (`peers/`).
    """

    name: str
    program: Callable[[int], Program]
    given: Callable[[np.random.Generator], list[Any]]
    numpy: Callable[..., Any]
    goal: float | None = None
    rtol: float = 1e-4
    operations: float | None = None
    tags: tuple[str, ...] = ()

    def check(self, results: Any, wanted: Any) -> None:
        """Raise AssertionError unless `results` are numpy's; outputs that numpy has not got are not looked at."""
        for got, want in zip(listed(results), listed(wanted), strict=False):
            np.testing.assert_allclose(got, want, rtol=self.rtol, atol=self.rtol)


def listed(results: Any) -> list[Any]:
    """The arrays of a result, which is one or a tuple of them."""
    return list(results) if isinstance(results, tuple | list) else [results]


def floats(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], list[Any]]:
    """Makes normal float32 arrays of these shapes."""
    return lambda rng: [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]


def reusing(function: Callable[..., Any], make: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """`function(*given, out=out)` with an output that is allocated once: `make(*given)`, or like the first result."""
    kept: list[Any] = []

    def call(*given: Any) -> Any:
        if not kept:
            kept.append(make(*given) if make else copy(function(*given)))
        return function(*given, out=kept[0])

    return call
