"""Threads by their names, and conditions on them: as text, in which a journal keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

from tewb.base import INT32, ParseError, ScheduleError, UnreadableError, brief, python_tree, unique_name
from tewb.ir import (
    REAL,
    Expr,
    ExpressionParser,
    IterVar,
    Var,
    const_int,
    free_vars,
    is_block,
    is_real,
    is_virtual,
    script,
    substitute,
)

_TEXT = re.compile(r"([\w.]+)(?:\((\d{1,9})\))?(?: ([A-Za-z_]\w*))?$")

Names = MutableMapping[IterVar, str]  # of the thread axes that a schedule was given


@dataclass(frozen=True, slots=True)
class Thread:
    """Blocks, threads or virtual threads, by their tag; `extent` is their number where it was declared. Real ones with
    one tag are the same threads, virtual ones those with one name."""

    tag: str
    extent: int | None
    name: str

    @staticmethod
    def parse(text: str) -> Thread:
        """The thread that `text` means: `threadIdx.x`, `threadIdx.x(64)`, `vthread(2) vx`. Raises ScheduleError."""
        match = _TEXT.match(text)
        if match is None or not (is_real(match[1]) or is_virtual(match[1])):
            raise ScheduleError(
                f"{brief(text)} is no thread axis",
                hint=f'te.thread_axis("threadIdx.x"); tags are {", ".join(REAL)} and vthread',
            )
        return Thread(match[1], None if match[2] is None else int(match[2]), match[3] or match[1])

    @property
    def text(self) -> str:
        size = "" if self.extent is None else f"({self.extent})"
        return self.tag + size + ("" if self.name == self.tag else f" {self.name}")

    @property
    def key(self) -> str:
        """What is the same for loops that the same threads run."""
        return self.tag if is_real(self.tag) else self.name

    @property
    def is_block(self) -> bool:
        return is_block(self.tag)


def thread_text(names: Names, what: object, sizes: Callable[[], Sequence[Var]] = list) -> str:
    """The text of a thread axis, or of one that is given as text. Virtual threads are told apart by their names, so of
    two axes with one name the second gets another. A number of threads that follows from `sizes` is left to the loop.
    Raises ScheduleError for what is no thread axis."""
    if isinstance(what, str):
        return Thread.parse(what).text
    if not isinstance(what, IterVar) or not what.thread_tag:
        name = what.name if isinstance(what, IterVar) else brief(repr(what))
        raise ScheduleError(f"{name} is no thread axis", hint='te.thread_axis("threadIdx.x") makes one')
    extent = None if what.dom is None else const_int(what.dom.extent)
    is_size = what.dom is not None and extent is None and {*free_vars(what.dom.extent)} <= {*sizes()}
    if what.dom is not None and not is_size and (extent is None or extent < 1):
        raise ScheduleError(
            f"the number of threads of {what.name} is {what.dom.extent!r}, and must be a number from 1 on",
            hint=f'leave it to the loop: te.thread_axis("{what.thread_tag}")',
        )
    if what not in names:
        taken = set(names.values()) if is_virtual(what.thread_tag) else set()
        names[what] = unique_name(what.name.replace(".", "_"), taken.__contains__)
    name = what.thread_tag if is_real(what.thread_tag) else names[what]
    return Thread(what.thread_tag, extent, name).text


def condition_text(names: Names, what: object) -> str:
    """The text of a condition on threads. Raises ScheduleError for one on anything else."""
    if isinstance(what, str):
        condition = read_condition(what, {})
        return script(condition)
    if not isinstance(what, Expr):
        raise ScheduleError(
            f"{brief(repr(what))} is no condition", hint="set_store_predicate(tx.var.equal(0))"
        )
    known = {axis.var: axis.thread_tag if is_real(axis.thread_tag) else names[axis] for axis in names}
    values: dict[Var, Expr] = {}
    for v in free_vars(what):
        name = known.get(v, v.name)
        if v not in known and not is_real(name):
            raise ScheduleError(
                f"the condition uses {v.name}, which is no thread that a loop is bound to",
                hint="conditions compare threads: bind a loop first, then set_store_predicate(tx.var.equal(0))",
            )
        values[v] = Var(name, INT32)
    return script(read_condition(script(substitute(what, values)), {}))


def read_condition(text: str, values: Mapping[str, Expr]) -> Expr:
    """The condition that `text` means, with these values of threads; others are variables. Raises ScheduleError."""
    parser = ExpressionParser(text)
    try:
        (statement,) = python_tree(text).body
        tree = statement.value  # type: ignore[attr-defined]
        parser.names = {**{name: Var(name, INT32) for name in _names(text)}, **values}
        return parser.condition(tree)
    except (ParseError, UnreadableError, ValueError, AttributeError) as e:
        raise ScheduleError(
            f"{brief(text)} is no condition on threads: {e}", hint="such as threadIdx.x == 0"
        ) from None


def condition_threads(text: str) -> list[str]:
    """The keys of the threads that a condition uses."""
    return [v.name for v in free_vars(read_condition(text, {}))]


def _names(text: str) -> set[str]:
    return {name for name in re.findall(r"[A-Za-z_][\w.]*", text) if not name.startswith("T.")}
