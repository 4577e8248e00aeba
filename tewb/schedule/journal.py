"""The journal: primitives as data that can be kept, replayed, shown as code, and sent as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tewb.base import ScheduleError, Span, brief, here, readable


@dataclass(eq=False, slots=True)
class RecipeCall:
    """A call of a recipe: its name, its arguments by the names of its parameters, and where it was called.

    Arguments are values of JSON: numbers, words and lists, and {"tensor": "C"}, {"loop": "i", "stage": "C"} for what has a
    name (`recipe_values.py`). Each call is an object of its own, which the steps that it made share. `known` remembers
    whether the recipe makes these steps after those before, as long as no recipe is defined anew (`recipes.py`).
    """

    recipe: str
    args: dict[str, Any]
    span: Span | None = None
    known: Any = field(default=None, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """What is remembered stays here."""
        return RecipeCall, (self.recipe, self.args, self.span)

    def __str__(self) -> str:
        """As a step is shown: what it is done to, then the others by name."""
        shown = [
            given_text(v) if i == 0 and isinstance(v, Mapping) else f"{k}={given_text(v)}"
            for i, (k, v) in enumerate(self.args.items())
            if v is not None
        ]
        return f"{brief(self.recipe)}({brief(', '.join(shown), 400)})"


def given_text(value: Any) -> str:
    """What was given to a recipe as a person reads it: names, and lists with commas."""
    if isinstance(value, Mapping):
        return str(next(iter(value.values()), ""))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(given_text, value)) + "]"
    return "" if value is None else str(value)


@readable
@dataclass(frozen=True, slots=True)
class Step:
    """One primitive on one stage. `args` name stages and axes; `results` are the names of what it made.

    `name` and `note` are a person's own words about the step, `calls` the recipes that made it, outermost first. They do
    not make it another step.
    """

    primitive: str
    stage: str
    args: dict[str, Any] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)
    name: str = field(default="", compare=False)
    note: str = field(default="", compare=False)
    calls: tuple[RecipeCall, ...] = field(default=(), compare=False, repr=False)

    def with_results(self, results: tuple[str, ...]) -> Step:
        return replace(self, results=results)

    @property
    def key(self) -> str:
        """What tells it apart from other steps, whatever a person calls it."""
        return repr((self.primitive, self.stage, sorted(self.args.items())))

    def to_json(self) -> dict[str, Any]:
        """This step as a JSON object, without the line it came from."""
        words = {key: text for key, text in (("name", self.name), ("note", self.note)) if text}
        return {"primitive": self.primitive, "stage": self.stage, "args": dict(self.args), **words}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Step:
        """The step that a JSON object describes. Raises ScheduleError."""
        try:
            words = [data["primitive"], data["stage"], data.get("name", ""), data.get("note", "")]
            if not all(isinstance(word, str) for word in words):
                raise TypeError
            primitive, stage, name, note = words
            return Step(primitive, stage, dict(data.get("args", {})), name=name, note=note)
        except (AttributeError, KeyError, TypeError, ValueError) as e:
            raise ScheduleError(
                f"{brief(repr(data))} is not a step", hint='{"primitive", "stage", "args"}'
            ) from e

    @property
    def where(self) -> str:
        """The line of the user's program that did it; of one that a recipe made, the recipe's and those that called it."""
        lines = [] if self.span is None else [str(self.span)]
        lines += [
            f"in recipe {c.recipe}" + (f", called at {c.span}" if c.span else "")
            for c in reversed(self.calls)
        ]
        return ", ".join(lines)

    def __str__(self) -> str:
        args = ", ".join(f"{k}={_shown(v)}" for k, v in self.args.items() if v is not None)
        return f"{brief(self.primitive)}({brief(self.stage)}{', ' if args else ''}{brief(args, 400)})"


def in_recipe(step: Step) -> str:
    """Which recipe made a step, at which of its lines, for the beginning of an error; nothing when none did."""
    inside = step.calls and step.span is not None and step.span != step.calls[-1].span
    at = f" (at {step.span})" if inside else ""
    return "".join(f"recipe {c.recipe}{at if c is step.calls[-1] else ''}: " for c in step.calls)


def steps_of(given: object, hint: str) -> tuple[Step, ...]:
    """The steps of a journal, or of JSON objects. Raises ScheduleError for what is none."""
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
        raise ScheduleError(f"{brief(repr(given))} is no list of steps", hint=hint, span=here())
    return tuple([step for one in given for step in ([one] if isinstance(one, Step) else _read(one, ()))])


# ---------------------------------------------------------------- the steps of one call


@dataclass(frozen=True, slots=True)
class Run:
    """The steps of a journal that one call of a recipe made: `count` of them from index `first` on. `depth` is the number
    of calls around it."""

    call: RecipeCall
    first: int
    count: int
    depth: int

    @property
    def end(self) -> int:
        """The index after its last step."""
        return self.first + self.count


def runs_of(journal: Sequence[Step], depth: int = 0, first: int = 0, end: int | None = None) -> Iterator[Run]:
    """The runs in a journal, each before those inside of it, from those that `depth` calls are around."""
    at, end = first, len(journal) if end is None else end
    while at < end:
        call = _call_at(journal[at], depth)
        start, at = at, at + 1
        if call is None:
            continue
        while at < end and _call_at(journal[at], depth) is call:
            at += 1
        yield Run(call, start, at - start, depth)
        yield from runs_of(journal, depth + 1, start, at)


def _call_at(step: Step, depth: int) -> RecipeCall | None:
    calls = _calls_of(step)
    return calls[depth] if len(calls) > depth else None


def _calls_of(step: object) -> tuple[RecipeCall, ...]:
    return getattr(step, "calls", ())


def ends_of(journal: Sequence[Step]) -> list[int]:
    """The indices after the steps, and after whole runs of outermost recipes: where a journal may be cut."""
    return [
        i
        for i in range(1, len(journal) + 1)
        if i == len(journal)
        or _call_at(journal[i - 1], 0) is None
        or _call_at(journal[i - 1], 0) is not _call_at(journal[i], 0)
    ]


# ---------------------------------------------------------------- JSON


def same_calls(a: Sequence[Step], b: Sequence[Step]) -> bool:
    """Whether the same calls made the steps of two journals of the same steps."""
    return all(_calls_of(x) == _calls_of(y) for x, y in zip(a, b, strict=True))


def journal_json(
    journal: Sequence[Step], depth: int = 0, first: int = 0, end: int | None = None
) -> list[dict[str, Any]]:
    """A journal as JSON: what a recipe made is one object, {"recipe", "args", "steps"}, which holds its steps."""
    at, end = first, len(journal) if end is None else end
    own = {run.first: run for run in runs_of(journal, depth, first, end) if run.depth == depth}
    listed: list[dict[str, Any]] = []
    while at < end:
        run = own.get(at)
        if run is None:
            listed.append(journal[at].to_json())
            at += 1
        else:
            steps = journal_json(journal, depth + 1, run.first, run.end)
            listed.append({"recipe": run.call.recipe, "args": dict(run.call.args), "steps": steps})
            at = run.end
    return listed


def _read(data: Mapping[str, Any], calls: tuple[RecipeCall, ...]) -> Iterator[Step]:
    """The steps of one object of `journal_json`."""
    if not isinstance(data, Mapping) or "recipe" not in data:
        step = Step.from_json(data)
        yield replace(step, calls=calls) if calls else step
        return
    hint = '{"recipe", "args", "steps"}'
    args, steps = data.get("args", {}), data.get("steps")
    if not isinstance(args, Mapping) or not isinstance(steps, list | tuple):
        raise ScheduleError(f"{brief(repr(data))} is not a recipe with its steps", hint=hint)
    if len(calls) >= MOST_NESTED:
        raise ScheduleError(f"recipes are nested more than {MOST_NESTED} deep", hint=hint)
    own = RecipeCall(str(data["recipe"]), dict(args))
    for one in steps:
        yield from _read(one, (*calls, own))


MOST_NESTED = 50


# ---------------------------------------------------------------- text


def _shown(value: Any) -> str:
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, list | tuple) else str(value)
