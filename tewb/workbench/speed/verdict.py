"""The verdict on a program: what bounds it, and how long a call takes, decided once for all panes.

Speed shows the loops behind it, Advice says where the program stands and what steps would gain by it, and Data says by it
whether traffic counts. So they cannot contradict each other: what one says of a program is a part of the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tewb.workbench.speed.cache_misses import Fetched, Key
from tewb.workbench.speed.instructions import FLOAT_WORK
from tewb.workbench.speed.loop_speed import CHAIN, FRONT, MEMORY, PORTS, UNKNOWN, LoopSpeed

FEW_SPILLS = 8
"""Instructions that save registers or load them back, and are not worth a word in a loop where they are few among all."""

WHAT_BOUNDS = {
    CHAIN: "its latency chain: each iteration waits for the one before",
    PORTS: "the ports of the processor, which do the work",
    FRONT: "the front end of the processor, which begins so many instructions in a cycle",
    MEMORY: "memory: lines that come from further caches",
}


def number(x: float) -> str:
    """A number with what is of interest of it."""
    return f"{x:.0f}" if x >= 20 or abs(x - round(x)) < 0.05 else f"{x:.1f}" if x >= 0.1 else f"{x:.2g}"


def time_text(seconds: float) -> str:
    """A time in a unit that suits it: "1.2 ms"."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


LONGEST_CHAIN = "its longest chain of operations, of which each waits for the one before"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What bounds a program: the inner loop that takes the most time, its `share` of that of all of them, the limit that rules
    it (one of RULES), and the cycles of an iteration under each limit. `seconds` are predicted for a call; None where memory
    is not known. `calls` are functions that the loop calls, whose time nobody sees. Where the program has no loop, `is_once`,
    and the cycles are those of all of it. `has_calls`: the program calls functions outside of its inner loops, whose time is
    in nothing of this."""

    loop: str
    stage: str | None
    share: float
    rule: str
    cycles: dict[str, float]
    seconds: float | None
    calls: tuple[str, ...] = ()
    is_once: bool = False
    has_calls: bool = False

    @property
    def is_memory(self) -> bool:
        """Whether lines from further caches bound the program."""
        return self.rule == MEMORY

    @property
    def bound(self) -> str:
        """What bounds the program, as a part of a sentence: "bound by the ports of C.k"."""
        if self.calls or self.rule == UNKNOWN:
            return f"most of it in {self.loop}"
        return f"bound by {'memory in' if self.is_memory else f'the {self.rule} of'} {self.loop}"

    def of_traffic(self, fetched: Sequence[Fetched]) -> str:
        """What it says of lines that are fetched too often, and of what a picture of a cache without sets does not show."""
        crowded = {f.buffer: f.crowded for f in fetched if f.crowded}
        said = [str(self)]
        if self.is_memory:
            said.append("So traffic counts.")
        elif self.rule in WHAT_BOUNDS and not self.calls:
            rest = f"{number(self.cycles[MEMORY])} of {number(self.cycles[self.rule])} cycles"
            said.append(
                f"Traffic has the time of {rest}: less of it alone would not make the program faster."
            )
        said += [
            f"In {cache} itself, the lines of {buffer} fall into few sets and drive each other out; the cache that is shown has none."
            for buffer, cache in crowded.items()
        ]
        return " ".join(said)

    def __str__(self) -> str:
        besides = "beside the calls of C or Python, which are not seen here" if self.has_calls else ""
        most = f"{self.loop} takes {self.share:.0%} of the time{besides and f' {besides}'}"
        if self.calls or self.rule == UNKNOWN:
            return f"{most}."
        others = ", ".join(f"{name} {number(x)}" for name, x in self.cycles.items() if name != self.rule)
        bounds = LONGEST_CHAIN if self.is_once and self.rule == CHAIN else WHAT_BOUNDS[self.rule]
        each = "in all" if self.is_once else "an iteration"
        return (
            f"{most}. What bounds it is {bounds} ({number(self.cycles[self.rule])} cycles {each}; {others})."
        )


def verdict_of(loops: Sequence[LoopSpeed], seconds: float | None, has_calls: bool = False) -> Verdict | None:
    """The verdict on a program with these inner loops, as `by_time` orders them; None where it has none."""
    if not loops:
        return None
    first, total = loops[0], sum(x.total_cycles for x in loops)
    cycles = {CHAIN: first.chain_cycles, PORTS: first.port_cycles, FRONT: first.front, MEMORY: first.memory}
    cycles[first.rule] = max(cycles.get(first.rule, 0.0), first.cycles)
    stage = None if first.place is None else first.place.stage
    share = sum(x.total_cycles for x in loops if x.name == first.name) / total if total else 0.0
    return Verdict(
        first.name,
        stage,
        share,
        first.rule,
        cycles,
        seconds,
        first.calls,
        first.is_once,
        has_calls and not first.calls,
    )


def by_time(loops: Sequence[LoopSpeed]) -> list[LoopSpeed]:
    """Inner loops, those first that take the most time. A loop of the program may be several of the machine's, which count
    together."""
    together: Counter[str] = Counter()
    for x in loops:
        together[x.name] += x.total_cycles  # type: ignore[assignment]  # cycles may be fractions
    return sorted(loops, key=lambda x: (-together[x.name], x.name, -x.total_cycles))


def seconds_of_loops(loops: Sequence[tuple[LoopSpeed, float]]) -> dict[Key, float]:
    """The predicted seconds of every stage and loop with all that is inside of it, from those of the inner loops."""
    found: dict[Key, float] = {}
    for x, seconds in loops:
        for key in x.place.keys if x.place is not None else ():
            found[key] = found.get(key, 0.0) + seconds
    return found


# ---------------------------------------------------------------- what is said of one loop


def main_loop(loops: Sequence[LoopSpeed], stage: str) -> LoopSpeed | None:
    """The inner loop of a stage that takes the most time."""
    own = [x for x in loops if x.place is not None and x.place.stage == stage]
    return max(own, key=lambda x: x.total_cycles, default=None)


def has_many_spills(x: LoopSpeed) -> bool:
    """Whether registers that are saved and loaded back are worth a word."""
    return x.spills > min(FEW_SPILLS, 0.1 * len(x.body))


def wider(x: LoopSpeed, widest: int) -> str:
    """What vectors of all `widest` bits would gain in a loop that computes on one number at a time; "" elsewhere."""
    if x.lanes > 1 or not x.bits or not any(i.kind in FLOAT_WORK for i in x.body):
        return ""
    lanes = widest // x.bits
    return f"Vectors of {lanes} numbers would do up to {lanes} times as much in a cycle." if lanes > 1 else ""


def is_narrow(x: LoopSpeed, widest: int) -> bool:
    """Whether a loop has vectors, but not those of all `widest` bits, and would gain by them: its instructions rule."""
    return x.is_timed and 64 <= x.bits < widest and x.lanes > 1 and x.rule in (PORTS, FRONT)
