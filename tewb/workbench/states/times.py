"""Times: the last measurement, its history along the journal, and the roofline."""

from __future__ import annotations

from dataclasses import dataclass

from tewb.runtime import Timing
from tewb.workbench.looks.glossary import words_in
from tewb.workbench.measure.measure import sizes_text
from tewb.workbench.measure.measurement import Measurement, Row
from tewb.workbench.measure.roofline import Point
from tewb.workbench.session import Session


@dataclass(frozen=True, slots=True)
class Contestant:
    """One that took part: what the check of its result said, and its times in seconds (None: none, as when the result
    was wrong), GFLOP/s and GB/s. `spread` is that of the median."""

    name: str
    ok: bool
    check: str
    median: float | None
    spread: float | None
    cold: float | None
    gflops: float | None
    gbytes: float | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A measured prefix of the journal: its number of steps, the last of them, and what was measured."""

    steps: int
    label: str
    ok: bool
    message: str
    median: float | None
    spread: float | None
    reference: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement, of the schedule after `steps` steps. `ratio` is numpy's median over the kernel's; `stale` says that the
    schedule or the sizes are others by now, `doubtful` that the times vary a lot, as on a busy machine."""

    contestants: tuple[Contestant, ...]
    ratio: float | None
    pinned_ratio: float | None
    threads: str
    sizes: str
    steps: int
    text: str
    stale: bool
    doubtful: bool


@dataclass(frozen=True, slots=True)
class RoofPoint:
    """A point in the roofline: operations per byte, GFLOP/s."""

    label: str
    intensity: float
    gflops: float


@dataclass(frozen=True, slots=True)
class Roof:
    """The roofline of this machine, and the points of the history, oldest first. `words` explains the words of the field that
    stand with it."""

    gflops: float
    gbytes: float
    dtype: str
    threads: int
    points: tuple[RoofPoint, ...]
    numpy: RoofPoint | None
    cold: RoofPoint | None
    note: str
    words: dict[str, str]


def measured_state(session: Session, m: Measurement) -> Measured:
    """A measurement of a session."""
    return Measured(
        tuple(map(_contestant, m.rows)),
        m.ratio,
        m.pinned_ratio,
        m.threads,
        m.sizes,
        len(m.journal),
        str(m),
        m.journal != session.journal or m.sizes != sizes_text(session),
        bool(m.doubt),
    )


def _contestant(r: Row) -> Contestant:
    return Contestant(
        r.name, r.ok, r.check, _median(r.warm), None if r.warm is None else r.warm.spread, _median(r.cold), r.gflops, r.gbytes
    )  # fmt: skip


def _median(t: Timing | None) -> float | None:
    return None if t is None else t.median


def history_state(session: Session) -> tuple[Moment, ...]:
    """The measurements of the journal and of its prefixes, shortest first."""
    journal, timings, moments = session.journal, session.timings, []
    for n in range(len(journal) + 1 if timings else 0):
        m = timings.get(journal[:n])
        if m is not None:
            label = str(journal[n - 1]) if n else "no steps"
            spread = None if m.kernel is None else m.kernel.spread
            moments.append(Moment(n, label, m.ok, m.message, _median(m.kernel), spread, _median(m.numpy)))
    return tuple(moments)


def roof_state(session: Session) -> Roof:
    """The roofline; the first call measures the machine's peaks (0.2 s)."""
    r = session.roofline()
    p = r.peaks
    points = tuple([RoofPoint(x.label, x.intensity, x.gflops) for x in r.points])
    numpy, cold = _point(r.numpy), _point(r.cold)
    words = words_in("roof", "cold")
    return Roof(p.gflops, p.gbytes, p.dtype, p.threads, points, numpy, cold, r.note or "", words)


def _point(x: Point | None) -> RoofPoint | None:
    return None if x is None else RoofPoint(x.label, x.intensity, x.gflops)
