"""Sizes of splits that are known when a kernel is called: variables, and expressions of variables.

s[C].split(i, factor=f)    ->    f_1 = max(min(f, n), 1), and loops with the sizes (n + f_1 - 1) // f_1 and f_1

A journal keeps such a size as text, in the names of the schedule's variables.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tewb.arith import Analyzer
from tewb.base import INT64, ScheduleError, UnreadableError, any_depth, brief, python_tree
from tewb.ir import (
    AssertStmt,
    Cast,
    Div,
    Expr,
    IntImm,
    LetStmt,
    Stmt,
    Var,
    const,
    const_int,
    free_vars,
    ops,
    script,
    structural_equal,
)
from tewb.schedule.integer_text import operation_text, read_integer
from tewb.schedule.relation import part_dtype
from tewb.tensor import StrideVar, only_in_conditions

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule

_HINT = "a number, a variable, or an expression such as n // 4"
MOST_TEXT = 200


@dataclass(frozen=True, slots=True, eq=False)
class PartSize:
    """What `var`, the size of a part of a split, stands for: the number `given`, at most all iterations. `said` is what the
    user asked for, in words."""

    var: Var
    given: Expr
    value: Expr
    said: str


# ---------------------------------------------------------------- text


def size_text(schedule: Schedule, what: Expr | str) -> int | str:
    """The text of a size, whose variables the schedule knows from now on; of one without variables, the number. Raises
    ScheduleError for what is no size."""
    analyzer, size = Analyzer(), what if isinstance(what, Expr) else read_size(schedule, what)
    schedule.tell_sizes(analyzer)
    if const_int(size) is not None:
        return const_int(size) or 0
    program = schedule.program_variables()
    names = {v: name for name, v in program.items()}
    text, others = _text(size, names, analyzer), [v for v in free_vars(size) if v not in names]
    if len(text) > MOST_TEXT:
        raise ScheduleError(f"the size {brief(text)} is longer than {MOST_TEXT} letters", hint=_HINT)
    check_names(schedule, free_vars(size))
    schedule.variables.update({v.name: v for v in others})
    return text


def check_names(schedule: Schedule, variables: Sequence[Var]) -> None:
    """Raise ScheduleError for variables that are not the same in the whole kernel, or that a journal cannot name, or not
    tell from others by their names."""
    program = schedule.program_variables()
    names = {v: name for name, v in program.items()}
    for v in variables:
        if isinstance(v, StrideVar):
            raise only_in_conditions(v)
    for name in (names.get(v, v.name) for v in variables):
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ScheduleError(
                f"a journal cannot name the variable {name!r}", hint='name it with letters: te.var("f")'
            )
    others = [v for v in variables if v not in names]
    loops = {iv.var for s in schedule.stages for iv in s.all_iter_vars}
    # Those of steps that were undone or refused leave their names to others.
    used = {v.name: v for p in schedule.part_sizes.values() for v in free_vars(p.given)}
    known = (schedule.variables if schedule.bodies else used) | dict(program)
    for v in others:
        if v in loops:
            raise ScheduleError(
                f"{v.name} is a loop, whose value is not the same for the whole kernel", hint=_HINT
            )
        if known.setdefault(v.name, v) is not v:
            raise ScheduleError(
                f"the program has another variable with the name {v.name}",
                hint=f"take that one, or give this another name: te.var({v.name + '1'!r})",
            )


def read_size(schedule: Schedule, text: str) -> Expr:
    """The expression that the text of a size means."""
    return _read(text, schedule.size_variables())


@any_depth
def _read(text: str, known: Mapping[str, Expr]) -> Expr:
    try:
        if len(text) > MOST_TEXT:
            raise ValueError(f"it is longer than {MOST_TEXT} letters")
        (statement,) = python_tree(text.strip()).body
        return read_integer(statement.value, known, "the program has no variable {}", "sizes")  # type: ignore[attr-defined]
    except (UnreadableError, ValueError, AttributeError) as e:
        why = f": {e}" if isinstance(e, ValueError) and "unpack" not in str(e) else ""
        names = f"; the variables here are {', '.join(known)}" if known else ""
        raise ScheduleError(f"{brief(repr(text))} is not a whole number{why}", hint=_HINT + names) from None


@any_depth
def _text(e: Expr, names: Mapping[Var, str], analyzer: Analyzer) -> str:
    """A size in Python."""
    if not (e.dtype.kind == "int" and e.dtype.lanes == 1):
        raise ScheduleError(f"{script(e)} is {e.dtype}, and sizes are signed integers", hint=_HINT)
    match e:
        case Var():
            return names.get(e, e.name)
        case IntImm(n):
            return str(n)
        case Cast(x, dtype) if x.dtype.kind == "int" and dtype.bits >= x.dtype.bits:
            return _text(x, names, analyzer)
        case Div(x, d):
            for side in (x, d):
                if not analyzer.can_prove(ops.greater_equal(side, 0)):
                    raise ScheduleError(
                        f"{script(side)} may be negative: is {script(e)} rounded down?", hint="write n // 4"
                    )
            return _text(ops.floordiv(x, d), names, analyzer)
    text = operation_text(e, lambda x: _text(x, names, analyzer))
    if text is None:
        raise ScheduleError(f"{script(e)} is not made with + - * // and %", hint=_HINT)
    return text


# ---------------------------------------------------------------- in kernels


def part_value(schedule: Schedule, text: str, whole: Expr) -> tuple[Expr, Expr]:
    """The number that the text of a size gives, and that size for a loop of `whole` iterations. Both are computed in int64, so
    that they do not wrap."""
    wide = {name: ops.cast(v, INT64) for name, v in schedule.size_variables().items()}
    given = ops.cast(_read(text, wide), INT64)
    value = ops.maximum(ops.minimum(given, ops.cast(whole, INT64)), const(1, INT64))
    return given, ops.cast(value, part_dtype(whole))


def part_with(schedule: Schedule, value: Expr) -> Var | None:
    """The variable that stands for such a size already: loops that are split alike have parts of one size."""
    alike = (p.var for p in schedule.part_sizes.values() if structural_equal(p.value, value))
    return next(alike, None)


def with_part_sizes(schedule: Schedule, body: Stmt) -> Stmt:
    """`body` with the values of the sizes of splits that it uses, which are checked first.

    f_1 = max(min(f, n), 1)    behind    assert f >= 1
    """
    used = set(free_vars(body)) if schedule.part_sizes else set()
    for p in reversed(schedule.part_sizes.values()):
        if p.var in used:
            used.update(free_vars(p.value))
            body = LetStmt(p.var, p.value, body)
            body = AssertStmt(ops.greater_equal(p.given, const(1, INT64)), p.said, body)
    return body
