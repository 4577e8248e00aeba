"""Steps as a person types them: `tile 8 32`, `split k 16`, `reorder i k j`, `compute_at B C.j`.

The words name a step, perhaps a stage, and arguments in the order of the step's declaration. What is left out is the
selection for a loop, and for the rest what the declaration says. `axis=i` says for which parameter a word is. A name alone means
the steps of that name which are offered.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.schedule import (
    PRIMITIVES,
    RECIPES,
    Param,
    Primitive,
    Recipe,
    Refusal,
    Schedule,
    Selection,
    Stage,
    Step,
    read_argument,
)
from tewb.workbench.judge.palette import candidates, every_candidate, lanes_of, refusal_of

_LISTS = ("axes", "stages", "threads")
_NUMBERS = ("int", "size", "value")
_TEXTS = ("condition", "call condition", "layout")  # what several words are together
SHORTEST = 3  # letters of a name that is not yet typed to its end
MOST_LEGAL, MOST_REFUSED = 8, 3


@dataclass(frozen=True, slots=True)
class Word:
    """A word, the parameter that it is said to be for, and all of the text from it on."""

    text: str
    parameter: str | None
    rest: str

    @property
    def value(self) -> int | str:
        """The number that it is, or itself."""
        return int(self.text) if re.fullmatch(r"-?\d{1,18}", self.text) else self.text


def words_of(text: str) -> list[Word]:
    """The words of a text; commas and brackets are between words, but for the number in `threadIdx.x(4)`."""
    first = re.match(r"\s*(\w*)", text)
    begin = first.end() if first else 0
    others = re.finditer(r"(?:(\w+)=[\[(]*)?([^\s,()\[\]=]+(?:\(\d+\))?)", text[begin:])
    found = [Word(m[2].strip("\"'"), m[1], _bare(text[begin + m.start(2) :])) for m in others]
    return [Word(text[:begin].strip(), None, text), *found]


def _bare(text: str) -> str:
    """A text without brackets at its end that it does not open, and without the quotes around all of it."""
    bare = text.strip()
    while bare.endswith(")") and bare.count(")") > bare.count("("):
        bare = bare[:-1].rstrip()
    quoted = re.fullmatch(r"([\"'])([^\"']*)\1", bare)
    return quoted[2] if quoted else bare


def typed_steps(schedule: Schedule, text: str, stage: str, loop: str | None) -> list[Step]:
    """The steps that a text of a step and its arguments may mean, legal or not, where `stage` and `loop` are selected; the
    likeliest first, and none for other texts. Nothing is changed."""
    name, *given = words_of(text)
    steps = {**PRIMITIVES, **RECIPES}
    if not given:
        return _named(schedule, name.text, stage, loop) if text.strip() == name.text else []
    names = [name.text] if name.text in steps else [n for n in steps if n.startswith(name.text.lower())]
    found: list[Step] = []
    for n in names if given and name.text else ():
        found += _of_step(schedule, n, given, stage, loop, loose=n == name.text)
    return found


def _named(schedule: Schedule, word: str, stage: str, loop: str | None) -> list[Step]:
    """The steps that a name alone may mean, those that can be done now first: what is offered for the selected stage and loop; on
    other stages, where all of that is refused."""
    names, parameter = _meant_by(word)
    if not names:
        return []

    def offered(steps: Iterator[Step]) -> Iterator[Step]:
        return (s for s in steps if s.primitive in names and (parameter is None or parameter in s.args))

    def legal(steps: Iterator[Step]) -> list[Step]:
        return list(itertools.islice((s for s in steps if refusal_of(schedule, s) is None), MOST_LEGAL))

    chosen = schedule.find(stage)
    own = (
        []
        if chosen is None
        else list(offered(candidates(chosen, loop or next(iter(Selection(chosen, None, 0).loops), None))))
    )
    refused = {r.reason: s for s in reversed(own) if (r := refusal_of(schedule, s)) is not None}
    others = (s for s in schedule.stages if s is not chosen and s.leaf_iter_vars)
    found = legal(iter(own)) or legal(step for s in others for step in offered(every_candidate(s)))
    return [*found, *list(refused.values())[::-1][:MOST_REFUSED]]


def _meant_by(word: str) -> tuple[list[str], str | None]:
    """The steps of a name, or of the only one that begins so; or those with a parameter of that name, and the parameter."""
    steps = {**PRIMITIVES, **RECIPES}
    if word in steps:
        return [word], None
    begun = [n for n in steps if len(word) >= SHORTEST and n.startswith(word.lower())]
    if len(begun) == 1:
        return begun, None
    known: list[Primitive | Recipe] = [*PRIMITIVES.values(), *RECIPES.values()]
    return [k.name for k in known if any(p.name == word for p in k.params)], word


def _of_step(
    schedule: Schedule, name: str, given: Sequence[Word], stage: str, loop: str | None, loose: bool
) -> list[Step]:
    """What a step with these words may mean: on the stage that is named or selected; else on others that have such loops,
    and last what the words would be if they were right."""
    chosen = schedule.find(stage)
    for strict in (True, False) if loose else (True,):
        spelled = [list(given), _places_apart(schedule, given, strict)]
        for words in spelled if strict else spelled[::-1]:
            named = schedule.find(words[0].text) if words[0].parameter is None else None
            if named is not None:
                found = _read(named, name, words[1:], None, strict)
                if found is not None:
                    return [found]
            found = None if chosen is None else _read(chosen, name, words, loop, strict)
            if found is not None:
                return [found]
            rest = [s for s in schedule.stages if s is not named and s is not chosen]
            others = [_read(s, name, words, None, strict) for s in rest] if strict else []
            if any(others):
                return [step for step in others if step is not None]
    return []


def _read(stage: Stage, name: str, words: Sequence[Word], loop: str | None, strict: bool) -> Step | None:
    """The step of that name on a stage with these words as arguments; None where they are none. What else it needs is as it
    is offered for its loop."""
    primitive, recipe = PRIMITIVES.get(name), RECIPES.get(name)
    own = None if recipe is None else recipe.own_stage
    params = [p for p in (primitive or RECIPES[name]).params if own is None or p.name != own.name]
    if stage.is_placeholder and not (primitive is not None and primitive.on_inputs):
        return None
    args = next(_Reader(stage, loop, params, strict).readings(words), None)
    if args is None:
        return None
    loop = next((args[p.name] for p in params if p.kind == "axis" and p.name in args), loop)
    offered = (
        [] if primitive is None or not strict else primitive.suggest(Selection(stage, loop, lanes_of(stage)))
    )
    return Step(name, stage.name, next((whole for whole in offered if _begins(args, whole)), args))


def _begins(args: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    """Whether arguments are some of those of a step that is offered, and none of them others."""
    return all(key in whole and whole[key] == value for key, value in args.items())


def _places_apart(schedule: Schedule, words: Sequence[Word], strict: bool) -> list[Word]:
    """The words with `C.j` as two: a stage, and a loop of it."""
    apart: list[Word] = []
    for w in words:
        dots = [m.start() for m in re.finditer(r"\.", w.text)]
        stages = [(schedule.find(w.text[:at]), w.text[at + 1 :]) for at in dots]
        known = [
            (s.name, loop)
            for s, loop in stages
            if s is not None and not (strict and s.find_axis(loop) is None)
        ]
        stage, loop = known[-1] if known else ("", "")
        apart += [Word(stage, w.parameter, w.rest), Word(loop, None, loop)] if stage else [w]
    return apart


class _Reader:
    """Reads words as arguments, one parameter after the other; with `strict` each word is what its parameter takes."""

    def __init__(self, stage: Stage, loop: str | None, params: Sequence[Param], strict: bool) -> None:
        self.stage, self.params, self.strict = stage, params, strict
        chosen = Selection(stage, loop, 0)
        self.loops = chosen.loops
        self.position = self._first(chosen.position, sum(p.kind == "axis" for p in params))

    def _first(self, at: int, count: int) -> int:
        """Where `count` loops begin that are meant by the one at a position: there, or before it where that is too near to the
        end; all loops, where those would be of several kinds."""
        last = len(self.loops) - count
        if at <= last or last < 0:
            return at
        kinds = {iv.kind for iv in self.stage.leaf_iter_vars[last:]}
        return last if len(kinds) == 1 else 0

    def readings(
        self, words: Sequence[Word], at: int = 0, values: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """The arguments that words may be, from parameter number `at` on."""
        known = values or {}
        if at == len(self.params):
            if not words:
                yield {}
            return
        p = self.params[at]
        for count, given in self._takes(p, words, known):
            value = read_argument(self.stage, p, given, known)
            inside = {**known, p.name: None if isinstance(value, Refusal) else value}
            for others in self.readings(words[count:], at + 1, inside):
                yield {p.name: given, **others}
        left = self._left_out(at)
        for others in self.readings(words, at + 1, known):
            yield {**({} if left is None else {p.name: left}), **others}

    def _takes(self, p: Param, words: Sequence[Word], values: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
        """What a parameter may take from the beginning of words: how many they are, and the argument."""
        if not words or words[0].parameter not in (None, p.name):
            return
        first = words[0]
        if p.kind in _LISTS:
            named = [i for i, w in enumerate(words) if i and w.parameter is not None]
            for count in range(min([*named, len(words)]), 0, -1):
                given = [w.value for w in words[:count]]
                if self._fits(p, given, values):
                    yield count, given
            return
        if not self.strict and p.kind in _TEXTS:
            yield len(words), first.rest
        elif self._fits(p, first.value, values):
            yield 1, first.value
        elif len(words) > 1 and self._reads(p, first.rest, values):
            yield len(words), first.rest

    def _fits(self, p: Param, given: Any, values: Mapping[str, Any]) -> bool:
        if not self.strict:
            first = given[0] if isinstance(given, list) else given
            return not isinstance(first, int) or p.kind in _NUMBERS
        return self._reads(p, given, values)

    def _reads(self, p: Param, given: Any, values: Mapping[str, Any]) -> bool:
        """Whether a parameter takes that: of words, one of those that a form offers."""
        if p.kind == "word" and p.choices is not None and given not in p.choices(self.stage):
            return False
        return not isinstance(read_argument(self.stage, p, given, values), Refusal)

    def _left_out(self, at: int) -> str | None:
        """The loop that is meant where none is named: the selected one, and for further parameters those inside of it."""
        place = self.position + sum(p.kind == "axis" for p in self.params[:at])
        return self.loops[place] if self.params[at].kind == "axis" and place < len(self.loops) else None
