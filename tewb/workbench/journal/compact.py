"""A journal as one short line: `C:tile(i,j,8,32);C:vectorize(j.inner)`.

schedule = {"define" ":" string ";"} [entry {";" entry} [";"]]
entry    = step | recipe                    a definition is the text of a recipe that was written in a workbench
step     = word ":" word "(" [arg {"," arg}] ")"           arguments are in the order of the primitive's parameters;
arg      = [word "="] (value | "[" value {"," value} "]")  after one that is left out they are named
value    = word | number | string           a string is for names that are not words

recipe   = word "(" [word "=" given {"," word "=" given}] ")" "{" [entry {";" entry}] "}"
given    = value | "[" [given {"," given}] "]" | ("tensor" | "stage" | "operation" | "size" | "float") ":" value
         | "loop" ":" value ":" value | "tensor" ":" value ":" number       of a stage, and of outputs

    tiled(C=tensor:C,x=8){C:split(i,8);C:unroll(i.inner)};C:parallel(i.outer)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tewb.base import ParseError, ScheduleError, TewbError, brief
from tewb.schedule import MOST_NESTED, PRIMITIVES, Param, RecipeCall, Schedule, Step, runs_of
from tewb.workbench.journal.read_code import keep_written, written_recipe
from tewb.workbench.journal.recipe_source import written_sources
from tewb.workbench.journal.text_errors import ReadSteps, TextRange, closest, text_error

_WORD = re.compile(r"[^\W\d][\w.]*")
_TOKEN = re.compile(
    r"""(?P<number>-?\d+\b)|(?P<word>\w[\w.]*)|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<sign>[:;(),=\[\]{}])"""
)
_STRING = r'"(?:[^"\\\n]|\\.)*"'
_BEGINNING = re.compile(
    rf"""\s*((?:\w[\w.]*|{_STRING})\s*:\s*\w+\s*\(|define\s*:\s*"|\w+\s*\((?:{_STRING}|[^()"])*\)\s*\{{)"""
)


def compact(steps: Iterable[Step]) -> str:
    """The steps as a line of text that `read_compact` reads. Names and notes are not in it."""
    journal = tuple(steps)
    defined = [f"define:{json.dumps(source)}" for source in written_sources(journal)]
    return ";".join([*defined, *_entries(journal, 0)])


def _entries(journal: Sequence[Step], depth: int) -> Iterator[str]:
    """Steps and recipes, of which each has its steps in braces."""
    runs = {run.first: run for run in runs_of(journal, depth) if run.depth == depth}
    at = 0
    while at < len(journal):
        step, run = journal[at], runs.get(at)
        if run is None:
            yield f"{_word(step.stage)}:{step.primitive}({','.join(_arguments(step))})"
            at += 1
        else:
            args = ",".join(f"{name}={_given(value)}" for name, value in run.call.args.items())
            inside = ";".join(_entries(journal[at : run.end], depth + 1))
            yield f"{run.call.recipe}({args}){{{inside}}}"
            at = run.end


def _given(value: Any) -> str:
    """What was given to a recipe."""
    match value:
        case list() | tuple():
            return f"[{','.join(map(_given, value))}]"
        case {"loop": loop, "stage": stage}:
            return f"loop:{_word(loop)}:{_word(stage)}"
        case {"tensor": stage, "output": output}:
            return f"tensor:{_word(stage)}:{output}"
        case dict():
            ((kind, name),) = value.items()
            return f"{kind}:{_word(name)}"
        case float():
            return f'float:"{value!r}"'
        case str():
            return json.dumps(value)
    return str(value)


def _arguments(step: Step) -> list[str]:
    shown, named = [], False
    for p in PRIMITIVES[step.primitive].params:
        value = step.args.get(p.name)
        if value is None or (value == p.default and p.kind in ("int", "size", "value")):
            named = True
        elif p.kind == "axes":
            shown += [_word(v) for v in value]
        else:
            shown.append(f"{p.name}={_value(value)}" if named else _value(value))
    return shown


def _value(value: Any) -> str:
    return f"[{','.join(map(_word, value))}]" if isinstance(value, list | tuple) else _word(value)


def _word(value: Any) -> str:
    if not isinstance(value, str):
        return str(value)
    return value if _WORD.fullmatch(value) else json.dumps(value)


# ---------------------------------------------------------------- reading


def is_compact(text: str) -> bool:
    """Whether `text` begins like a compact schedule, and so is not Python."""
    return _BEGINNING.match(text) is not None


def read_compact(text: str, schedule: Schedule) -> ReadSteps:
    """The steps written in `text`, tried on an untouched copy of `schedule`. Raises ParseError, with a caret at
    the word that cannot be read or at the step that cannot be applied."""
    trial, steps = schedule.untouched(), []
    parser = _CompactParser(text)
    parser.definitions()
    for step, place in parser.entries(()):
        try:
            reason = trial.why_not(step, at_once=False)
            if reason is None:
                trial.apply(step, at_once=False)
        except ScheduleError as e:
            reason = e.message
        if reason is not None:
            raise text_error(text, place, f"{step} does not apply: {reason}")
        steps.append((trial.journal[-1], place))
    for source in parser.defined:
        keep_written(written_recipe(source))
    return steps


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


class _CompactParser:
    """Takes the tokens of a compact schedule one by one."""

    def __init__(self, text: str) -> None:
        self.text, self.next, self.tokens = text, 0, []
        self.defined: list[str] = []
        at = 0
        while at < len(text):
            m = _TOKEN.match(text, at)
            if m is not None:
                self.tokens.append(_Token(str(m.lastgroup), m[0], at, m.end()))
            elif not text[at].isspace():
                raise self.refuse(at, at + 1, f"{text[at]} does not belong here")
            at = m.end() if m is not None else at + 1
        self.tokens.append(_Token("end", "", len(text.rstrip()), len(text.rstrip()) + 1))

    def place(self, start: int, end: int) -> TextRange:
        line = self.text.count("\n", 0, start) + 1
        return TextRange(line, start - (self.text.rfind("\n", 0, start) + 1), max(1, end - start))

    def refuse(self, start: int, end: int, why: str, hint: str | None = None) -> ParseError:
        return text_error(self.text, self.place(start, end), why, hint)

    def wrong(self, token: _Token, why: str, hint: str | None = None) -> ParseError:
        return self.refuse(token.start, token.end, why, hint)

    # ---- tokens

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def at_end(self) -> bool:
        return self.token.kind == "end"

    def take(self) -> _Token:
        taken = self.token
        self.next += 1
        return taken

    def sign(self, *wanted: str) -> str:
        if self.token.text not in wanted:
            actual = self.token.text or "the end of the text"
            raise self.wrong(self.token, f"expected {' or '.join(wanted)}, found {actual}")
        return self.take().text

    def word(self, what: str) -> str:
        if self.token.kind not in ("word", "string", "number"):
            raise self.wrong(self.token, f"expected {what}, found {self.token.text or 'the end of the text'}")
        token = self.take()
        if token.kind != "string":
            return token.text
        try:
            return str(json.loads(token.text))
        except ValueError:
            raise self.wrong(token, "this is not a JSON string") from None

    # ---- grammar

    def definitions(self) -> None:
        """Take the texts of recipes at the beginning."""
        while [t.text for t in self.ahead(2)] == ["define", ":"] and self.ahead(3)[-1].kind == "string":
            self.next += 2
            token = self.token
            source = self.word("a recipe")
            try:
                written_recipe(source)
            except TewbError as e:
                raise self.wrong(token, e.message, e.hint) from None
            self.defined.append(source)
            self.separator()

    def ahead(self, count: int) -> list[_Token]:
        return self.tokens[self.next : self.next + count]

    def separator(self, *end: str) -> None:
        if not self.at_end() and self.token.text not in end:
            self.sign(";", *end)

    def entries(self, calls: tuple[RecipeCall, ...]) -> Iterator[tuple[Step, TextRange]]:
        """The steps up to the end of the text, or of a recipe: `calls` are around them."""
        while not self.at_end() and not (calls and self.token.text == "}"):
            if [t.text for t in self.ahead(2)[1:]] == ["("]:
                yield from self.entries_of_recipe(calls)
            else:
                step, place = self.step()
                yield replace(step, calls=calls), place
            self.separator(*(["}"] if calls else []))

    def entries_of_recipe(self, calls: tuple[RecipeCall, ...]) -> Iterator[tuple[Step, TextRange]]:
        token = self.token
        if len(calls) >= MOST_NESTED:
            raise self.wrong(token, f"recipes are nested more than {MOST_NESTED} deep")
        name, args = self.word("a recipe"), {}
        self.sign("(")
        while self.token.text != ")":
            parameter = self.word("a parameter")
            self.sign("=")
            args[parameter] = self.given()
            if self.token.text != ")":
                self.sign(",", ")")
        self.sign(")")
        self.sign("{")
        yield from self.entries((*calls, RecipeCall(name, args)))
        self.sign("}")

    def given(self, depth: int = 0) -> Any:
        """What was given to a recipe."""
        token = self.token
        if token.text == "[" and token.kind == "sign" and depth < MOST_NESTED:
            return self.given_list(depth + 1)
        kind = self.word("a value")
        if token.kind == "number":
            return _number(kind)
        if token.kind == "string":
            return kind
        if self.token.text != ":":
            return {"True": True, "False": False, "None": None}.get(kind, kind)
        if kind not in ("tensor", "stage", "operation", "size", "float", "loop"):
            raise self.wrong(token, f"{kind} is no kind of what a recipe is given")
        self.take()
        name = self.word("a name")
        if kind == "float":
            return self.real(token, name)
        value: dict[str, Any] = {kind: name}
        if kind in ("loop", "tensor") and self.token.text == ":":
            self.take()
            more = self.word("a name")
            value["stage" if kind == "loop" else "output"] = more if kind == "loop" else _number(more)
        return value

    def given_list(self, depth: int) -> list[Any]:
        self.take()
        listed = []
        while self.token.text != "]":
            listed.append(self.given(depth))
            if self.token.text != "]":
                self.sign(",", "]")
        self.take()
        return listed

    def real(self, token: _Token, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise self.wrong(token, f"{brief(text)} is not a number") from None

    def step(self) -> tuple[Step, TextRange]:
        start = self.token.start
        stage = self.word("the name of a stage")
        self.sign(":")
        token = self.token
        primitive = self.word("a primitive")
        if primitive not in PRIMITIVES:
            raise self.wrong(token, f"{primitive} is not a primitive", closest(primitive, PRIMITIVES))
        self.sign("(")
        args = self.arguments(primitive)
        end = self.tokens[self.next - 1].end
        return Step(primitive, stage, args), self.place(start, end)

    def arguments(self, primitive: str) -> dict[str, Any]:
        params = {p.name: p for p in PRIMITIVES[primitive].params}
        free = list(params.values())
        args: dict[str, Any] = {}
        while self.token.text != ")":
            token = self.token
            p = self.parameter(primitive, params, free, args)
            value = self.value(p)
            if p.kind == "axes" and not isinstance(value, list):
                args.setdefault(p.name, []).append(value)
            elif p.name in args:
                raise self.wrong(token, f"{p.name} of {primitive} is given twice")
            else:
                args[p.name] = value
            if self.token.text != ")":
                self.sign(",", ")")
        self.sign(")")
        return args

    def parameter(
        self, primitive: str, params: dict[str, Param], free: list[Param], args: dict[str, Any]
    ) -> Param:
        """The parameter that the next value is for: the one that is named, or the next in order."""
        token = self.token
        if self.next + 1 < len(self.tokens) and self.tokens[self.next + 1].text == "=":
            name = self.word("a parameter")
            self.sign("=")
            if name not in params:
                raise self.wrong(token, f"{primitive} has no parameter {name}", closest(name, params))
            return params[name]
        if not free:
            raise self.wrong(token, f"{primitive} takes at most {len(params)} arguments")
        return free[0] if free[0].kind == "axes" else free.pop(0)

    def value(self, p: Param) -> Any:
        if self.token.text != "[" or self.token.kind != "sign":
            return _converted(p, self.word(f"a value for {p.name}"))
        self.take()
        words = []
        while self.token.text != "]":
            words.append(self.word(f"a value for {p.name}"))
            if self.token.text != "]":
                self.sign(",", "]")
        self.take()
        return words


def _number(word: str) -> int | str:
    return int(word) if re.fullmatch(r"-?\d{1,18}", word) else word


def _converted(p: Param, word: str) -> Any:
    return _number(word) if p.kind in ("int", "size", "value") else word
