"""Port pressure: how many cycles of each port an iteration of a loop takes, and which of them rule.

Work is spread over the ports that can do it as evenly as they allow. The busiest port is busy for at least the work that
only a set of ports can do, divided by their number, for any such set: the largest of these is the bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tewb.workbench.speed.instructions import Instruction
from tewb.workbench.speed.processors import Processor, Work


@dataclass(frozen=True, slots=True)
class Pressure:
    """Cycles of each port for an iteration, the bound that follows, the ports that make it, and the kinds of work that
    are done there alone, most first."""

    ports: dict[str, float]
    cycles: float
    busiest: tuple[str, ...]
    kinds: tuple[str, ...]


def port_pressure(body: Sequence[Instruction], processor: Processor) -> Pressure:
    """The pressure of an iteration on the ports of a processor. A comparison and the jump after it are one."""
    done: list[tuple[str, Work]] = []
    for n, i in enumerate(body):
        if not is_fused(body, n):
            done += [(_said(i, w, processor), w) for w in processor.work(i)]
    sums: Counter[tuple[str, ...]] = Counter()
    for _, w in done:
        sums[w.ports] += w.cycles  # type: ignore[assignment]  # cycles may be halves
    bound, busiest = _bound(sums)
    kinds: Counter[str] = Counter()
    for kind, w in done:
        if set(w.ports) <= set(busiest):
            kinds[kind] += w.cycles  # type: ignore[assignment]
    return Pressure(_spread(sums), round(bound, 2), busiest, tuple(k for k, _ in kinds.most_common()))


def front_cycles(body: Sequence[Instruction], processor: Processor) -> float:
    """Cycles in which the processor can begin all instructions of an iteration."""
    return round(
        sum(processor.slots(i) for n, i in enumerate(body) if not is_fused(body, n)) / processor.width, 2
    )


def is_fused(body: Sequence[Instruction], n: int) -> bool:
    """Whether an instruction is done as one with the jump after it."""
    i, following = body[n], body[n + 1] if n + 1 < len(body) else None
    return (
        following is not None
        and following.kind == "branch"
        and bool(following.reads)
        and i.kind == "int"
        and i.load is None
    )


def _said(i: Instruction, w: Work, p: Processor) -> str:
    """What a piece of work is: the kind of its instruction, or the load or store of it."""
    ports = " ".join(w.ports)
    if ports in (p.loads, p.wide_loads):
        return "gather" if i.kind == "gather" else "load"
    if ports in (p.store_addresses, p.store_data):
        return "scatter" if i.kind == "scatter" else "store"
    return i.kind


def _bound(sums: Counter[tuple[str, ...]]) -> tuple[float, tuple[str, ...]]:
    """The most cycles that a set of ports is busy at least, and the smallest such set."""
    candidates = {frozenset(ports) for ports in sums}
    for ports in list(candidates):
        candidates |= {ports | other for other in list(candidates) if ports & other}
    best, busiest = 0.0, frozenset[str]()
    for ports in candidates:
        cycles = sum(c for some, c in sums.items() if set(some) <= ports) / len(ports)
        if cycles > best + 1e-9 or (abs(cycles - best) <= 1e-9 and len(ports) < len(busiest)):
            best, busiest = cycles, ports
    return best, tuple(sorted(busiest, key=_number))


def _number(port: str) -> tuple[str, int]:
    return port.rstrip("0123456789"), int(port.lstrip("abcdefghijklmnopqrstuvwxyz") or 0)


def _spread(sums: Counter[tuple[str, ...]]) -> dict[str, float]:
    """Cycles of each port, when work is moved from busy ports to others until nothing more is gained."""
    names = sorted({p for ports in sums for p in ports}, key=_number)
    share = {(ports, p): cycles / len(ports) for ports, cycles in sums.items() for p in ports}
    load = {p: sum(v for (_, q), v in share.items() if q == p) for p in names}
    for _ in range(60):
        for ports in sums:
            level = sum(load[p] for p in ports) / len(ports)
            for p in ports:
                load[p] -= share[ports, p]
            rest = sums[ports]
            room = {p: max(level - load[p], 0.0) for p in ports}
            total = sum(room.values())
            for p in ports:
                share[ports, p] = rest * room[p] / total if total > 0 else rest / len(ports)
                load[p] += share[ports, p]
    return {p: round(load[p], 2) for p in names}
