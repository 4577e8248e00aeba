"""The time of every loop and stage, from what the timers of a kernel counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Literal

from tewb.lowering import LoopPart, Share
from tewb.runtime import shown
from tewb.workbench.journal.timeline import Journal
from tewb.workbench.measure.timer_cost import TimerCost

Known = Literal["timed", "around", "some", "not"]
NEXT_TO_NOTHING = 0.02  # of the time of another piece
_BOTH: dict[tuple[str, str], Known] = {("timed", "around"): "around", ("around", "timed"): "around"}
Counted = Mapping[LoopPart, tuple[float, float]]  # ticks and entries of a part in one call


@dataclass(frozen=True, slots=True)
class LoopTime:
    """The time of a stage (`loop` is None), of a loop, or of the call of an extern in them, in one call of the kernel; or of
    the kernel itself (`stage` is "").

    `seconds` pass while it runs, with all that runs in it; `own` are those of them in which none of what is timed inside
    of it runs. `entries` is how often it began (a guess, where it was not timed). `tasks` is the time of all iterations of a
    parallel loop together, each on its thread. `known` says what the seconds are: its own ("timed"); those of what is
    around it and does nothing else, which is the most ("around"); those of some of its pieces, which is the least ("some");
    or not known, and None ("not"). They are never more than `most`. `depth` is how many of the others are around it.
    """

    stage: str
    loop: str | None
    is_call: bool
    seconds: float | None
    own: float | None
    entries: float
    tasks: float | None
    known: Known
    most: float
    depth: int

    @property
    def name(self) -> str:
        """How it is called: "C", "C/i.outer", "E, the call", "the kernel"."""
        if not self.stage:
            return "the kernel"
        name = self.stage if self.loop is None else f"{self.stage}/{self.loop}"
        return f"{name}, the call" if self.is_call else name

    def __add__(self, other: LoopTime) -> LoopTime:
        """The time of two pieces of the same loop. One that takes next to nothing does not change what is known."""
        large, small = (self, other) if self.most >= other.most else (other, self)
        known, own = large.known, large.own
        if small.most > NEXT_TO_NOTHING * large.most:
            known = (
                large.known if large.known == small.known else _BOTH.get((large.known, small.known), "some")
            )
            own = None if small.own is None else own
        seconds, tasks = _sum(large.seconds, small.seconds), _sum(large.tasks, small.tasks)
        return LoopTime(
            self.stage, self.loop, self.is_call, seconds, None if own is None else own + (small.own or 0.0),
            self.entries + other.entries, tasks, known, large.most + small.most, self.depth,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class LoopTimes:
    """The times of the kernel, and of all stages and loops in it, outer ones first.

    `plain` is the fastest sample of the kernel as it is, `timed` that of the one with timers, in seconds of one call; `timers`
    is what timers themselves take of it by estimate, which is in none of the times. `message` says why there are none, or what was
    found; `journal` is the schedule that was measured, with `sizes`.
    """

    lines: tuple[LoopTime, ...]
    plain: float | None
    timed: float | None
    timers: float | None
    workers: int
    message: str
    journal: Journal
    sizes: str = ""

    @property
    def slowdown(self) -> float | None:
        """How much longer the kernel with timers takes: 0.05 is 5 %."""
        return None if self.timed is None or self.plain is None else self.timed / self.plain - 1

    def __str__(self) -> str:
        if not self.lines:
            return self.message
        whole = self.lines[0].seconds or 0.0
        rows: list[tuple[str, ...]] = [("", "time", "", "its own", "entries", "all tasks")]
        rows += [("  " * line.depth + line.name, *_columns(line, whole)) for line in self.lines]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = [
            "  ".join([name.ljust(widths[0]), *[c.rjust(w) for c, w in zip(cells, widths[1:], strict=True)]])
            for name, *cells in rows
        ]
        return "\n".join([*[line.rstrip() for line in table], self.message])

    __repr__ = __str__


def _columns(line: LoopTime, whole: float) -> tuple[str, ...]:
    entries = f"{line.entries:,.0f}" if line.entries >= 100 else f"{line.entries:.3g}"
    if line.seconds is None:
        return "not timed", "", "", entries, ""
    sign = "≥ " if line.known == "some" else ""
    share = f"{100 * line.seconds / whole:.1f} %" if whole else ""
    own, tasks = ["" if t is None else shown(t) for t in (line.own, line.tasks)]
    return sign + shown(line.seconds), share, own, entries, tasks


def _sum(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else a + b


# ---------------------------------------------------------------- from counters to times


def times_of_loops(kernel: LoopPart, counted: Counted, cost: TimerCost) -> tuple[LoopTime, ...]:
    """The times of all stages and loops of `kernel`. What timers cost is taken out of all that they stand in."""
    pieces: dict[tuple[str, str | None, bool], list[tuple[int, LoopTime]]] = {}
    for n, line in enumerate(_Attribution(counted, cost).lines(kernel)):
        pieces.setdefault((line.stage, line.loop, line.is_call), []).append((n, line))
    found = {}
    for same in pieces.values():
        place, longest = max(same, key=lambda piece: piece[1].most)  # where most of it runs
        found[place] = replace(reduce(add, [line for _, line in same]), depth=longest.depth)
    return tuple([found[n] for n in sorted(found)])


def timers_cost(kernel: LoopPart, counted: Counted, cost: TimerCost) -> float:
    """The seconds of one call that timers take by themselves."""
    return _Attribution(counted, cost).added(kernel) * cost.tick


_THREADS = ("parallel", "tasks")  # kinds of parts that are no lines of their own


@dataclass(frozen=True, slots=True)
class _Time:
    """The seconds of a part as far as they are known, those that they are at most, and `rate`, by which seconds of its
    threads become seconds."""

    seconds: float | None
    known: Known
    most: float
    entries: float
    rate: float


class _Attribution:
    """Follows the parts from the outside in."""

    def __init__(self, counted: Counted, cost: TimerCost) -> None:
        self.counted, self.cost = counted, cost

    def lines(self, kernel: LoopPart) -> list[LoopTime]:
        return self.of(kernel, _Time(None, "not", 0.0, 1.0, 1.0), 0)

    def of(self, part: LoopPart, around: _Time, depth: int) -> list[LoopTime]:
        """The lines of a part and of what is inside of it."""
        time = self.time(part, around)
        if part.kind in _THREADS:
            return [line for c in part.inside.values() for line in self.of(c, time, depth)]
        own = None
        if time.seconds is not None and time.known == "timed":
            own = max(time.seconds - sum(self.known_inside(c, time) for c in part.inside.values()), 0.0)
        line = LoopTime(
            part.stage, part.loop, part.kind == "call", time.seconds, own, time.entries, self.tasks(part), time.known,
            time.most, depth,
        )  # fmt: skip
        return [line, *[inner for c in part.inside.values() for inner in self.of(c, time, depth + 1)]]

    def time(self, part: LoopPart, around: _Time) -> _Time:
        """The time of a part, given that of the part around it."""
        share = part.share_of_parent()
        if part.kind == "tasks" and part in self.counted and around.seconds is not None:
            seconds = self.net(part)
            rate = around.seconds / seconds if seconds else 0.0
            return _Time(around.seconds, around.known, around.most, self.counted[part][1], rate)
        if part in self.counted:
            seconds = self.net(part) * around.rate
            return _Time(seconds, "timed", seconds, self.counted[part][1], around.rate)
        if share is Share.ALL:
            return around
        if part.kind == "tasks":
            return replace(around, entries=part.entries)
        if share is Share.BODY and around.seconds is not None:
            return _Time(around.seconds, "around", around.most, part.entries, around.rate)
        return _Time(None, "not", around.most, part.entries, around.rate)

    def known_inside(self, part: LoopPart, around: _Time) -> float:
        """The seconds of a part of which it is known that they are its own, and else those of parts inside of it."""
        time = self.time(part, around)
        if part.kind not in _THREADS and time.known == "timed" and time.seconds is not None:
            return time.seconds
        return sum(self.known_inside(c, time) for c in part.inside.values())

    def tasks(self, part: LoopPart) -> float | None:
        """The seconds of all iterations of a loop that threads share, together."""
        shared = [c for c in part.inside.values() if c.kind == "parallel"]
        tasks = [c for p in shared for c in p.inside.values() if c.kind == "tasks" and c in self.counted]
        return sum(self.net(c) for c in tasks) if tasks else None

    # ---- without the timers

    def net(self, part: LoopPart) -> float:
        """The seconds of a part that is timed, summed over threads, without what timers take."""
        ticks, entries = self.counted[part]
        inside = sum(self.added(c) * self.ratio(part, c) for c in part.inside.values())
        return max(ticks - entries * self.cost.inside - inside, 0.0) * self.cost.tick

    def added(self, part: LoopPart) -> float:
        """The ticks that the timer of a part and those inside of it add to what is around it."""
        own = self.counted[part][1] * self.cost.entry if part in self.counted else 0.0
        return own + sum(self.added(c) * self.ratio(part, c) for c in part.inside.values())

    def ratio(self, part: LoopPart, child: LoopPart) -> float:
        """The ticks that pass around a child while one passes in it: fewer, where threads share it."""
        if child.kind != "tasks" or child not in self.counted:
            return 1.0
        around: LoopPart | None = part
        while around is not None and around not in self.counted:
            around = around.parent
        inside = self.counted[child][0]
        return 1.0 if around is None or not inside else min(self.counted[around][0] / inside, 1.0)
