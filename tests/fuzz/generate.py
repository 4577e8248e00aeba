"""The program of a seed: a random graph, and a random use of it."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.fuzz.calls import Use
from tests.fuzz.graphs import Graph, random_habits
from tests.fuzz.programs import Program, is_straight


def program(seed: str) -> Program:
    """The program of a seed. Its schedule is chosen when it runs, since that takes the loops as they are then."""
    rng = random.Random(seed)
    habits = replace(random_habits(rng), straight=is_straight(seed))
    if random.Random(f"{seed} half").random() < 0.15:
        habits = replace(habits, dtypes=tuple("float16" if d == "float32" else d for d in habits.dtypes))
    if not habits.straight and random.Random(f"{seed} neighbours").random() < 0.25:
        habits = replace(habits, neighbours=True, dtypes=habits.dtypes[:1], large=False)
    graph = Graph(rng, habits)
    graph.grow()
    use = Use(graph)
    arguments = use.arguments()
    strides = {t: use.stride_kind(t) for t in arguments if not use.is_scalar(t)}
    fixed = {t for t, kind in strides.items() if kind == "numbers"}
    calls = tuple(use.call(arguments, fixed) for _ in range(rng.choice([1, 2, 3]) if graph.scalars else 1))
    first = calls[0].layouts
    numbered = {t: first[t] for t in fixed}
    calls = tuple(replace(c, layouts={**c.layouts, **numbered}) for c in calls)
    return Program(
        seed, tuple(graph.scalars), tuple(graph.inputs), tuple(graph.stages), arguments, strides, None,
        rng.choice([0, 1, 2, 3, 5, 8]), use.options(), use.build(), calls,
    )  # fmt: skip
