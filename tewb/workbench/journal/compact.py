"""A journal as one short line: `C:tile(i,j,8,32);C:vectorize(j.inner)`.

schedule = [step {";" step} [";"]]          arguments are in the order of the primitive's parameters;
step     = word ":" word "(" [arg {"," arg}] ")"           after one that is left out they are named
arg      = [word "="] (value | "[" value {"," value} "]")
value    = word | number | string           a string is for names that are not words
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tewb.base import ParseError, ScheduleError
from tewb.schedule import PRIMITIVES, Param, Schedule, Step
from tewb.workbench.journal.text_errors import ReadSteps, TextRange, closest, text_error

_WORD = re.compile(r"[^\W\d][\w.]*")
_TOKEN = re.compile(
    r"""(?P<number>-?\d+\b)|(?P<word>\w[\w.]*)|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<sign>[:;(),=\[\]])"""
)
_BEGINNING = re.compile(r"""\s*(?:\w[\w.]*|"(?:[^"\\\n]|\\.)*")\s*:\s*\w+\s*\(""")


def compact(steps: Iterable[Step]) -> str:
    """The steps as a line of text that `read_compact` reads. Names and notes are not in it."""
    return ";".join(f"{_word(s.stage)}:{s.primitive}({','.join(_arguments(s))})" for s in steps)


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
    while not parser.at_end():
        step, place = parser.step()
        try:
            reason = trial.why_not(step, at_once=False)
            if reason is None:
                trial.apply(step, at_once=False)
        except ScheduleError as e:
            reason = e.message
        if reason is not None:
            raise text_error(text, place, f"{step} does not apply: {reason}")
        steps.append((trial.journal[-1], place))
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
        if not self.at_end():
            self.sign(";")
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


def _converted(p: Param, word: str) -> Any:
    return int(word) if p.kind in ("int", "size", "value") and re.fullmatch(r"-?\d{1,18}", word) else word
