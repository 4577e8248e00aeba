"""Drafts: steps that are tried one after the other on a copy of a schedule, and what its stages look like to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import TewbError
from tewb.ir import AxisKind, For, ForKind, PrimFunc, Var, const_int
from tewb.lowering import scheduled_loops
from tewb.schedule import At, Schedule, Stage, Step
from tewb.tensor import ComputeOp
from tewb.workbench.judge.factors import fitting
from tewb.workbench.judge.nests import Nest, nests, strides_of
from tewb.workbench.measure.counts import Sizes, size_of


class Draft:
    """A copy of a schedule that steps are done to; `steps` are those so far, `tails` says where they leave a last part that
    is shorter."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule.copy()
        self.steps: list[Step] = []
        self.tails: list[str] = []

    def do(self, primitive: str, stage: str, **args: Any) -> tuple[str, ...]:
        """Do a step, and return the names of what it made. Raises ScheduleError when it is refused."""
        step = Step(primitive, stage, args)
        self.schedule.apply(step)
        self.steps.append(step)
        return self.schedule.journal[-1].results

    def new_stage(self, primitive: str, stage: str, **args: Any) -> str:
        """Do a step that makes a stage, and return its name: the results of a stage of several values share it."""
        return self.do(primitive, stage, **args)[0]

    def split(self, stage: str, loop: Loop, factor: int) -> tuple[str, str]:
        """The two parts of a loop; nothing is left outside when the factor is all of it."""
        if factor >= loop.trips:
            return "", loop.name
        self.note_tail(loop, factor)
        outer, inner = self.do("split", stage, axis=loop.name, factor=factor)
        return outer, inner

    def note_tail(self, loop: Loop, factor: int) -> None:
        """Remember that a loop is split into parts of `factor`, if its last part may be shorter."""
        rest = loop.trips % factor
        if not loop.is_fixed:
            self.tails.append(f"parts of {factor} need not divide {loop.name}: the last one is guarded")
        elif rest:
            self.tails.append(
                f"{loop.name} has {loop.trips:,} iterations, of which the last {rest} are guarded"
            )

    def order(self, stage: str, axes: Sequence[str]) -> None:
        """Reorder loops, if they are in another order now; "" is none."""
        wanted = [a for a in axes if a]
        if [a for a in self.loops(stage) if a in wanted] != wanted:
            self.do("reorder", stage, axes=wanted)

    def loops(self, stage: str) -> list[str]:
        """The names of the loops of a stage, outermost first."""
        s = self.schedule[stage]
        return [s.axis_name(iv) for iv in s.leaf_iter_vars]

    def body(self, args: Sequence[Any]) -> PrimFunc | None:
        """The loops that the draft leads to, or None if there are none."""
        try:
            return scheduled_loops(self.schedule, args)
        except TewbError:
            return None


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop of a stage: its name, iterations, kind, whether it adds up, and how many elements each load, and the
    store, move along it. What is not known counts as far. `is_fixed` says whether its iterations are a constant, and not
    those of the sizes of now."""

    name: str
    trips: int
    kind: ForKind
    is_sum: bool
    loads: tuple[int, ...]
    store: int
    is_fixed: bool = True

    def part(self, wanted: int, multiple: int = 1, most: int | None = None) -> int:
        """A factor near the one that is wanted: one that divides, where there is one."""
        return fitting(self.trips, wanted, multiple, most) if self.is_fixed else wanted

    @property
    def is_free(self) -> bool:
        """Whether nothing was said of it yet."""
        return self.kind is ForKind.SERIAL

    @property
    def is_unit(self) -> bool:
        """Whether neighbours in it are neighbours in memory, or the same element."""
        moves = (*self.loads, self.store)
        return 1 in moves and all(m in (0, 1) for m in moves)


FAR = 997  # elements: what is not known


@dataclass(frozen=True, slots=True)
class StageLoops:
    """The loops of a stage, outermost first, and the buffers that its store reads, in the order of `Loop.loads`. `around` are
    the loops of the stage that it is computed at, down to where it is."""

    stage: Stage
    loops: tuple[Loop, ...]
    around: tuple[Loop, ...]
    reads: tuple[str, ...]
    nest: Nest

    @property
    def name(self) -> str:
        return self.stage.name

    @property
    def sums(self) -> list[Loop]:
        """The loops that add up."""
        return [n for n in self.loops if n.is_sum]

    @property
    def free_data(self) -> list[Loop]:
        """The loops over data of which nothing was said yet."""
        return [n for n in self.loops if n.is_free and not n.is_sum]

    @property
    def vector(self) -> Loop | None:
        """The innermost vectorized loop."""
        return next((n for n in reversed(self.loops) if n.kind is ForKind.VECTORIZED), None)

    @property
    def is_plain(self) -> bool:
        """Whether nothing was said of the loops, but perhaps which threads share."""
        return all(n.kind in (ForKind.SERIAL, ForKind.PARALLEL) for n in self.loops)

    @property
    def is_unrolled(self) -> bool:
        return any(n.kind is ForKind.UNROLLED and not n.is_sum for n in self.loops)

    def others(self, *taken: Loop) -> list[str]:
        """The names of the loops over data that are not among `taken`."""
        return [n.name for n in self.loops if not n.is_sum and n not in taken]


def stage_loops(schedule: Schedule, f: PrimFunc, sizes: Sizes) -> list[StageLoops]:
    """The stages that compute in loops, in the order of computation; of one with several stores, the first."""
    found: dict[str, StageLoops] = {}
    for nest in nests(schedule, f.body, ()):
        stage = schedule[nest.stage]
        if nest.stage not in found and isinstance(stage.op, ComputeOp):
            found[nest.stage] = _loops_of(stage, nest, sizes)
    return list(found.values())


def _loops_of(stage: Stage, nest: Nest, sizes: Sizes) -> StageLoops:
    place = stage.attach
    around = _own_loops(place.stage, nest, sizes) if isinstance(place, At) else ()
    reads = tuple([load.buffer.name for load in nest.loads()])
    return StageLoops(stage, _own_loops(stage, nest, sizes), around, reads, nest)


def _own_loops(stage: Stage, nest: Nest, sizes: Sizes) -> tuple[Loop, ...]:
    """The loops of a stage around a store of it, or of a stage in it; those that have one iteration only of the stage itself."""
    loads, is_inside = nest.loads(), stage.name != nest.stage
    known = {n.origin.axis: n for n in nest.around if n.origin is not None and n.origin.stage == stage.name}
    variables = [n.var for n in nest.around]
    moving = [_moves(load.buffer, load.indices, variables) for load in loads]
    storing = _moves(nest.store.buffer, nest.store.indices, variables)
    made = []
    for iv in stage.leaf_iter_vars:
        name, is_sum = stage.axis_name(iv), iv.kind is AxisKind.REDUCE
        n = known.get(name)
        if n is not None:
            moves, store = tuple([m[n.var] for m in moving]), storing[n.var]
            fixed = const_int(n.extent) is not None
            made.append(Loop(name, _trips(n, sizes), n.kind, is_sum, moves, store, fixed))
        elif not is_inside:
            made.append(Loop(name, 1, ForKind.SERIAL, is_sum, tuple([0] * len(loads)), 0))
    return tuple(made)


def _moves(buffer: Any, indices: Any, variables: Sequence[Var]) -> dict[Var, int]:
    steps = strides_of(buffer, indices, variables)
    return {v: FAR if m is None else m for v, m in zip(variables, steps, strict=True)}


def _trips(n: For, sizes: Sizes) -> int:
    try:
        return max(size_of(n.extent, sizes), 1)
    except TewbError:  # known only at run time
        return 128
