"""What a row of the table is: a program, its inputs, what numpy does instead, and the aim."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Program = tuple[Any, list[Any]]


@dataclass(frozen=True)
class Workload:
    """A row. `program(threads)` schedules it for so many threads: the last argument is the output.

    `given(rng)` makes the inputs, and `numpy(*given)` the result that they are checked against and timed
    beside. `goal` is the best ratio to numpy among the peers when the goals were set (DESIGN.md, 5), `operations` those of
    one run, where a rate means something. `tags` say what it is: `compute` is bound by arithmetic, `memory` by memory.
    """

    name: str
    program: Callable[[int], Program]
    given: Callable[[np.random.Generator], list[Any]]
    numpy: Callable[..., Any]
    goal: float | None = None
    rtol: float = 1e-4
    operations: float | None = None
    tags: tuple[str, ...] = ()
