"""The lowered program in an interpreter: each access is checked, fresh memory is poisoned, and parallel loops run backwards.

A kernel that runs a small loop on one thread shows nothing of what its iterations have to do with each other. Here an
element that one iteration of a parallel loop stores and another one reads is found whatever the order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.regions import Watch
from tewb import ir
from tewb.base import TewbError

MOST_ELEMENTS = 300  # of all arrays together


class Shared(AssertionError):
    """An element that several iterations of a parallel loop use, of which one stores it."""


class Iterations:
    """What the iterations of one run of a parallel loop store and read of memory that is older than the loop: by places,
    the iterations."""

    def __init__(self, around: Iterations | None, memory: set[ir.Var]) -> None:
        self.around, self.memory, self.now = around, memory, 0
        self.stored: dict[tuple[ir.Var, int], set[int]] = {}
        self.read: dict[tuple[ir.Var, int], set[int]] = {}

    def note(self, kind: str, place: tuple[ir.Var, int]) -> None:
        if place[0] in self.memory:
            places = self.read if kind == "read" else self.stored
            places.setdefault(place, set()).add(self.now)

    def check(self, loop: str) -> None:
        """Raise Shared where an iteration reads what another one stores. That several store one element, and none of them reads
        it, is right: parts that are moved inwards store equal values."""
        for place, readers in self.read.items():
            writers = self.stored.get(place, readers)
            if len(writers | readers) > 1 and place in self.stored:
                raise Shared(
                    f"iterations {sorted(writers | readers)[:5]} of {loop} share {place[0].name}[{place[1]}]"
                )

    def end(self) -> None:
        """Tell the parallel loop around."""
        for kind, places in (("read", self.read), ("store", self.stored)):
            for place in places if self.around is not None else ():
                self.around.note(kind, place)  # type: ignore[union-attr]


class Backwards(Watch):
    """Runs parallel loops backwards. `given` is the memory of the arguments."""

    def __init__(self, memory: dict[ir.Var, Any], values: dict[ir.Var, Any]) -> None:
        super().__init__(memory, values)
        self.given, self.iterations = {*memory}, None

    iterations: Iterations | None

    def iterate(self, s: ir.For) -> None:
        if s.kind is not ir.ForKind.PARALLEL:
            return super().iterate(s)
        first, count = int(self.value(s.min)), int(self.value(s.extent))
        self.iterations = own = Iterations(self.iterations, {*self.live, *self.given})
        self.loops.append((s.var.name, first))
        self.nest.append(s)
        for i in reversed(range(first, first + count)):
            self.values[s.var] = own.now = i
            self.loops[-1] = (s.var.name, i)
            self.run(s.body)
        self.loops.pop()
        self.nest.pop()
        own.check(s.var.name)
        own.end()
        self.iterations = own.around

    def watch(self, owner: ir.Var, kind: str, at: list[int]) -> None:
        super().watch(owner, kind, at)
        for i in at if self.iterations is not None else ():
            self.iterations.note(kind, (owner, int(i)))  # type: ignore[union-attr]


def interpreted(function: Any, arrays: list[Any], values: dict[ir.Var, Any]) -> list[Any] | None:
    """What becomes of `arrays`, one for each buffer of a lowered function, in the interpreter; None where that cannot run it.
    Raises AssertionError for an access outside of memory, and Shared."""
    buffers = [b for b in function.params if isinstance(b, ir.Buffer)]
    memory, known = {}, dict(values)
    for b, a in zip(buffers, arrays, strict=True):
        memory[b.data] = a.reshape(-1).copy()
        for d, step in enumerate(b.strides):
            if isinstance(step, ir.Var):
                known[step] = int(np.prod(a.shape[d + 1 :]))
            elif ir.const_int(step) != int(np.prod(a.shape[d + 1 :])):
                return None
    try:
        with np.errstate(all="ignore"):
            Backwards(memory, known).run(function.body)
    except (TewbError, KeyError, OverflowError):
        return None  # calls of other code, and numbers that numpy has not
    return [memory[b.data].reshape(a.shape) for b, a in zip(buffers, arrays, strict=True)]
