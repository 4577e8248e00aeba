"""What a search found: the best schedule as a journal and as code, and the table of all trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tewb.base import TewbError, here, lazy
from tewb.runtime import Kernel
from tewb.schedule import Schedule
from tewb.tuning.study import Trial
from tewb.tuning.subject import Subject
from tewb.workbench.session import Session

SHOWN = 10  # trials in the text of a result


@dataclass(frozen=True)
class TuneResult:
    """All trials of a search, in the order in which they ended. `was_stopped` says that there would have been more.

    They are those on this machine's kind of processor. After a search on a cluster, `by_processor` has a result for each kind
    that its workers have, by the name of the processor.
    """

    trials: tuple[Trial, ...]
    _subject: Subject
    _importances: Callable[[], dict[str, float]]
    was_stopped: bool = False
    processor: str = ""
    by_processor: Mapping[str, TuneResult] = field(default_factory=dict, repr=False)
    apart: frozenset[int] = field(default=frozenset(), repr=False)

    @property
    def ranked(self) -> list[Trial]:
        """The trials that were timed to the end, each text once, the fastest first; without those of values that knobs have no
        more, whose numbers are `apart`."""
        timed = [t for t in self.trials if t.state == "timed" and t.number not in self.apart]
        return sorted(timed, key=lambda t: (t.seconds or 0.0, t.number))

    @property
    def best(self) -> Trial:
        """The fastest trial. Raises TewbError, with the reasons, when none was timed."""
        ranked = self.ranked
        others = [name for name, r in self.by_processor.items() if r.ranked]
        if not ranked and not self.trials and others:
            raise TewbError(
                f"no worker had the processor of this machine ({self.processor}), but {', '.join(others)}",
                hint=f"result.by_processor[{others[0]!r}].best",
                span=here(),
            )
        if not ranked:
            reasons = Counter(t.message or t.state for t in self.trials).most_common(3)
            said = "; ".join(f"{n} x {text}" for text, n in reasons) or "there was no time for a trial"
            raise TewbError(
                f"no trial could be timed: {said}", hint="try the defaults by tewb.build first", span=here()
            )
        return ranked[0]

    @property
    def point(self) -> Mapping[str, Any]:
        """The values of the knobs of the best trial."""
        return self.best.point

    def session(self, trial: Trial | None = None) -> Session:
        """The program scheduled as in a trial, the best if none is given."""
        wanted = trial or self.best
        return self._subject.session_of(wanted.point, wanted.steps)

    @property
    def schedule(self) -> tuple[Schedule, list[Any]]:
        """The best schedule, and the arguments of its kernel."""
        made = self.session()
        return made.schedule, list(made.args)

    @property
    def code(self) -> str:
        """The best schedule as code."""
        return self.session().schedule_code

    def build(self) -> Kernel:
        """The kernel of the best schedule."""
        return self.session().build()

    @lazy
    def importances(self) -> dict[str, float]:
        """How much of the spread of the times each knob explains (0 to 1), the largest first."""
        return self._importances()

    def convergence(self) -> list[tuple[int, float]]:
        """(number of the trial, best seconds so far), where the best changed."""
        steps: list[tuple[int, float]] = []
        for t in self.trials:
            if t.seconds is not None and (not steps or t.seconds < steps[-1][1]):
                steps.append((t.number, t.seconds))
        return steps

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self) -> Iterator[str]:
        counts = Counter(t.state for t in self.trials)
        yield f"{len(self.trials)} trials: " + ", ".join(f"{n} {state}" for state, n in counts.most_common())
        for t in self.ranked[:SHOWN]:
            yield f"  {t.time}  {_point_text(t.point)}"
        if not self.ranked:
            yield from (f"  {t.state}: {t.message}" for t in self.trials[:SHOWN])
        for name, result in self.by_processor.items():
            best = (
                f"{result.best.time}  {_point_text(result.point)}" if result.ranked else "nothing was timed"
            )
            yield f"  {name}: {len(result.trials)} trials, the best {best}"


def _point_text(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in point.items())


def table(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """The trials as rows of plain values, as a table or a data frame takes them."""
    return [
        {"number": t.number, "state": t.state, "seconds": t.seconds, "message": t.message, **t.point}
        for t in trials
    ]
