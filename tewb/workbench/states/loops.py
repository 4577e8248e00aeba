"""The loops of a program as a tree: each stage inside the loop where it is computed, with the extents and bytes it has there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tewb.base import TewbError, digits
from tewb.ir import const_int, script
from tewb.schedule import At, Extents, Stage, With, in_order, loop_marks, place_text, stage_marks
from tewb.schedule.bounds import Bounds, known_bounds
from tewb.tensor import ComputeOp, ScanOp
from tewb.workbench.judge.ledger import Entry, account_of, argument_stages
from tewb.workbench.looks.loop_tree import GIVEN, scan_of_state
from tewb.workbench.looks.sizes import bytes_shown, memory_shown
from tewb.workbench.session import Session

Kind = Literal["input", "state", "stage", "inline", "loop"]


@dataclass(frozen=True, slots=True)
class LoopNode:
    """An input, the state of a scan, a stage or a loop, and in `inside` what runs in it, in that order.

    `key` names it ("C", "C/i.outer") and stays the same while it exists; `part` is its number in the links of code.
    `extent` is the loop's where it runs, `trips` how often its body runs in one call, all loops around it counted.
    Of a stage, `bytes` is the memory that it takes where it is computed and `memory` the same in words (with what it
    was before it was placed there), `computed` how often each element is computed. None is what is not known, as
    where sizes are symbolic. `step` made it (from 0).
    """

    key: str
    kind: Kind
    stage: str
    loop: str | None
    extent: str
    trips: int | None
    axis: str
    marks: tuple[str, ...]
    place: str
    bytes: int | None
    memory: str
    computed: float | None
    step: int | None
    part: int
    inside: tuple[LoopNode, ...]


@dataclass(frozen=True, slots=True)
class Loops:
    """The tree of all stages, in the order of computation. `problem` says why extents are those of whole tensors: the
    schedule cannot be lowered as it is."""

    roots: tuple[LoopNode, ...]
    problem: str | None


def loops_state(session: Session) -> Loops:
    """The loop tree of a session."""
    return _Tree(session).state()


class _Tree:
    """Makes the tree of one schedule."""

    def __init__(self, session: Session) -> None:
        self.session, self.schedule = session, session.schedule
        self.arguments = argument_stages(self.schedule, session.args)
        self.bounds: Bounds | None = None
        self.problem: str | None = None
        try:
            self.bounds = known_bounds(self.schedule, self.arguments)
        except TewbError as e:
            self.problem = e.message
        self.numbers = session.code_forms.loop_numbers
        self.part = self.numbers.number
        self.attached: dict[tuple[Stage, Any], list[Stage]] = {}
        self.inside: dict[Stage, list[Stage]] = {}
        for s in self.schedule.stages:
            if isinstance(s.attach, At | With) and not s.is_placeholder:
                self.attached.setdefault((s.attach.stage, s.attach.axis), []).append(s)
                self.inside.setdefault(s.attach.stage, []).append(s)
        self.attached = {place: self.in_order(stages) for place, stages in self.attached.items()}
        self.has_scans = any(isinstance(s.op, ScanOp) for s in self.schedule.stages)

    def state(self) -> Loops:
        placed = {s for stages in self.inside.values() for s in stages}
        roots = self.in_order([s for s in self.schedule.stages if s not in placed])
        return Loops(tuple([self.root(s) for s in roots]), self.problem)

    def in_order(self, stages: Sequence[Stage]) -> list[Stage]:
        """Stages at one place, with those that run before the rest of it in the order in which they do."""
        run = [s for s in stages if not (s.is_placeholder or s.is_inlined or _follows(s))]
        following, own = iter(in_order(self.schedule, run)), set(run)
        return [next(following) if s in own else s for s in stages]

    def root(self, s: Stage) -> LoopNode:
        """A stage that is in no other's loops, with all that is computed in it: the same node as before where nothing about
        these changed. Bounds of a compute are the same object as long as all that the stage is, and is needed of it, is the same."""
        group = [s]
        for x in group:
            group += self.inside.get(x, ())
        bounds, schedule = self.bounds, self.schedule
        if bounds is None or self.has_scans or not all(_is_plain(x, bounds) for x in group):
            return self.stage(s, 1)
        named: list[object] = [self.numbers, *[bounds.stages[x] for x in group]]
        key = (
            "loop node",
            s.name,
            schedule.within,
            bool(schedule.bodies),
            tuple([id(x) for x in named]),
            tuple([(x in self.arguments, x.is_output, x in bounds.kept_in) for x in group]),
        )
        return schedule.result_cache.once(key, named, lambda: self.stage(s, 1))

    def stage(self, s: Stage, trips: int | None) -> LoopNode:
        scan = scan_of_state(s)
        if scan is not None:
            return self.node(s, "state", memory=state_memory(scan), trips=trips)
        if s.is_placeholder:
            return self.node(s, "input", memory=memory_shown(s.op.output(0)), trips=trips)
        if s.is_inlined:
            return self.node(s, "inline", memory="no memory: computed where it is read", trips=trips)
        entry = None if self.bounds is None else account_of(s, self.bounds, s in self.arguments)
        extents = self.schedule.extents(s) if self.bounds is None else self.bounds.stages[s].extents
        return self.node(
            s,
            "stage",
            inside=self.loop(s, 0, extents, trips),
            bytes=None if entry is None else entry.allocated.bytes,
            memory="" if entry is None else _memory(entry),
            computed=None if entry is None else entry.recompute,
            trips=trips,
        )

    def node(
        self, s: Stage, kind: Kind, *, inside: tuple[LoopNode, ...] = (), bytes: int | None = None, memory: str = "",
        computed: float | None = None, trips: int | None = None,
    ) -> LoopNode:  # fmt: skip
        place = "" if s.is_placeholder else place_text(s)
        marks = tuple(stage_marks(s))
        return LoopNode(
            s.name, kind, s.name, None, "", trips, "", marks, place, bytes, memory, computed, s.place_step,
            self.part(s.name), inside,
        )  # fmt: skip

    def loop(self, s: Stage, at: int, extents: Extents, trips: int | None) -> tuple[LoopNode, ...]:
        """The loop number `at` of a stage with all that is inside of it."""
        if at == len(s.leaf_iter_vars):
            return ()
        iv = s.leaf_iter_vars[at]
        name = s.axis_name(iv)
        count = const_int(extents[iv])
        runs = None if trips is None or count is None else trips * count
        here = self.attached.get((s, iv), ())
        inside = [self.stage(other, runs) for other in here if not _follows(other)]
        inside += self.loop(s, at + 1, extents, runs)
        inside += [self.stage(other, runs) for other in here if _follows(other)]
        return (
            LoopNode(
                f"{s.name}/{name}", "loop", s.name, name, script(extents[iv]), runs, iv.kind.value,
                tuple(loop_marks(s, iv)), "", None, "", None, s.made_by.get(iv), self.part(s.name, name), tuple(inside),
            ),
        )  # fmt: skip


def _is_plain(s: Stage, bounds: Bounds) -> bool:
    """Whether what is said of a stage depends on nothing but itself and the loops around it."""
    return isinstance(s.op, ComputeOp) and s in bounds.stages and s.stored is None and not s.is_rolling


def _follows(s: Stage) -> bool:
    """Whether a stage comes after the rest of the loop that it is in."""
    return s.is_after or isinstance(s.attach, With)


def state_memory(scan: Stage) -> str:
    """What the state of a scan takes."""
    return f"no memory of its own: the steps before, of {scan.name}"


def _memory(entry: Entry) -> str:
    """What a stage takes, and what its whole tensor would take where that is more."""
    if entry.kind == "argument":
        return "the caller's array"
    now, whole = entry.allocated, entry.declared
    if now.bytes is None or whole.bytes is None:
        return f"{now} B"
    if now.bytes == 0:
        return "no memory of its own"
    was = "" if now.bytes >= whole.bytes else f", of {bytes_shown(whole.bytes)}"
    return bytes_shown(now.bytes) + was


def tree_text(loops: Loops) -> str:
    """The tree as indented text."""
    lines: list[str] = []

    def show(n: LoopNode, depth: int) -> None:
        lines.append("  " * depth + node_text(n))
        for inner in n.inside:
            show(inner, depth + 1)

    for root in loops.roots:
        show(root, 0)
    return "\n".join(lines)


def node_text(n: LoopNode) -> str:
    """One line of the tree: `j in 64 vectorize`, `X (at Y.i.outer) 68 KiB, of 1 MiB`."""
    if n.kind == "loop":
        words = [f"{n.loop} in {n.extent}", "reduce" if n.axis == "reduce" else "", ", ".join(n.marks)]
        return "  ".join(filter(None, words))
    again = (
        f"each element {digits(n.computed)} times" if n.computed is not None and n.computed > 1.005 else ""
    )
    place = "" if n.place in ("", "root") else f"({n.place})"
    return "  ".join(
        filter(None, [n.stage, n.kind if n.kind in GIVEN else "", place, n.memory, again, *n.marks])
    )
