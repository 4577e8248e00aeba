"""The stages of a schedule and their loops as data: what loop trees, menus and snapshots show."""

from __future__ import annotations

from dataclasses import dataclass

from tewb.base import ScheduleError, readable
from tewb.ir import script
from tewb.schedule import Schedule, Stage, loop_marks, place_text, recompute_factor, scan_of, stage_marks
from tewb.schedule.bounds import infer_bounds

GIVEN = ("input", "state")  # kinds of stages without loops: what they hold comes from elsewhere


@readable
@dataclass(frozen=True, slots=True)
class LoopInfo:
    """A loop of a stage: its name, extent as text, kind of axis, what was said of it, and the step that made it."""

    name: str
    extent: str
    kind: str
    marks: tuple[str, ...]
    step: int | None

    def __str__(self) -> str:
        return f"{self.name}({', '.join([self.extent, *self.marks])})"


@readable
@dataclass(frozen=True, slots=True)
class StageInfo:
    """A stage as a person sees it. `place` is root, inline, or `at C.i.outer`; `computed` is how often each
    element is computed there, on average, where that can be counted. `marks` is what was said of it: its memory, how its
    results are stored."""

    name: str
    kind: str
    place: str
    step: int | None
    loops: tuple[LoopInfo, ...]
    computed: float | None = 1.0
    marks: tuple[str, ...] = ()

    def __str__(self) -> str:
        loops = ", ".join(map(str, self.loops)) or self.kind
        place = "" if self.place == "root" else f"{self.place}: "
        return "; ".join([f"{self.name}: {place}{loops}", *self.marks])


def loop_tree(schedule: Schedule) -> list[StageInfo]:
    """All stages in the order of computation."""
    placed = [s for s in schedule.stages if s.loop_around is not None and not s.is_placeholder]
    try:
        bounds = infer_bounds(schedule) if placed else None
    except ScheduleError:  # a later step may make it right
        return [_stage(s, None if s in placed else 1.0) for s in schedule.stages]
    return [_stage(s, recompute_factor(s, bounds) if s in placed else 1.0) for s in schedule.stages]


def scan_of_state(s: Stage) -> Stage | None:
    """The scan whose steps before a placeholder stands for: it is no input, and its memory is the scan's. None for others."""
    scan = scan_of(s) if s.is_placeholder else None
    return (
        scan
        if isinstance(scan, Stage) and any(t.op is s.op for t in getattr(scan.op, "states", ()))
        else None
    )


def _stage(s: Stage, computed: float | None) -> StageInfo:
    extents = s.schedule.extents(s)
    loops = tuple(
        LoopInfo(
            s.axis_name(iv),
            script(extents[iv]),
            iv.kind.value,
            tuple(loop_marks(s, iv)),
            s.made_by.get(iv),
        )
        for iv in s.leaf_iter_vars
    )
    kind = type(s.op).__name__.removesuffix("Op").lower()
    kind = ("state" if scan_of_state(s) else "input") if kind == "placeholder" else kind
    return StageInfo(s.name, kind, place_text(s), s.place_step, loops, computed, tuple(stage_marks(s)))
