"""The journal: primitives as data that can be kept, replayed, shown as code, and sent as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tewb.base import ScheduleError, Span, brief, here, readable


@readable
@dataclass(frozen=True, slots=True)
class Step:
    """One primitive on one stage. `args` name stages and axes; `results` are the names of what it made.

    `name` and `note` are a person's own words about the step. They do not make it another step.
    """

    primitive: str
    stage: str
    args: dict[str, Any] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)
    name: str = field(default="", compare=False)
    note: str = field(default="", compare=False)

    def with_results(self, results: tuple[str, ...]) -> Step:
        return replace(self, results=results)

    def to_json(self) -> dict[str, Any]:
        """This step as a JSON object, without the line it came from."""
        words = {key: text for key, text in (("name", self.name), ("note", self.note)) if text}
        return {"primitive": self.primitive, "stage": self.stage, "args": dict(self.args), **words}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Step:
        """The step that a JSON object describes. Raises ScheduleError."""
        try:
            name, note = str(data.get("name", "")), str(data.get("note", ""))
            args = dict(data.get("args", {}))
            return Step(str(data["primitive"]), str(data["stage"]), args, name=name, note=note)
        except (AttributeError, KeyError, TypeError, ValueError) as e:
            raise ScheduleError(
                f"{brief(repr(data))} is not a step", hint='{"primitive", "stage", "args"}'
            ) from e

    def __str__(self) -> str:
        args = ", ".join(f"{k}={_shown(v)}" for k, v in self.args.items() if v is not None)
        return f"{brief(self.primitive)}({brief(self.stage)}{', ' if args else ''}{brief(args, 400)})"


def steps_of(given: object, hint: str) -> tuple[Step, ...]:
    """The steps of a journal, or of JSON objects. Raises ScheduleError for what is none."""
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
        raise ScheduleError(f"{brief(repr(given))} is no list of steps", hint=hint, span=here())
    return tuple([step if isinstance(step, Step) else Step.from_json(step) for step in given])


def _shown(value: Any) -> str:
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, list | tuple) else str(value)
