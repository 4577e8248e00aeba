"""Conditions on what a kernel is called with, under which it has another body: `n % 16 == 0 and stride(A, 0) == 1`.

A journal keeps such a condition as text, in the names of the schedule's variables and stages. Conditions compare integers
with `== != < <= > >=`, and are joined by `and`, `or` and `not`. The stride of an argument is in elements.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import takewhile
from typing import TYPE_CHECKING

from tewb.arith import Analyzer, row_major
from tewb.base import INT32, ScheduleError, UnreadableError, any_depth, brief, python_tree
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    And,
    Cast,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Not,
    Or,
    Var,
    conjuncts,
    const,
    const_int,
    free_vars,
    ops,
    script,
    walk,
)
from tewb.schedule.integer_text import operation_text, read_integer
from tewb.schedule.part_sizes import check_names
from tewb.tensor import StrideVar, Tensor

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule

MOST_TEXT = 200
HINT = 'such as "n % 16 == 0", or te.stride(A, 0) == 1'
_SIGNS: dict[type, str] = {EQ: "==", NE: "!=", LT: "<", LE: "<=", GT: ">", GE: ">="}
_COMPARE: dict[type, Callable[[Expr, Expr], Expr]] = {
    ast.Eq: ops.equal, ast.NotEq: ops.not_equal, ast.Lt: ops.less, ast.LtE: ops.less_equal,
    ast.Gt: ops.greater, ast.GtE: ops.greater_equal,
}  # fmt: skip

Strides = Callable[[Tensor, int], Expr]


# ---------------------------------------------------------------- text


def call_condition_text(schedule: Schedule, what: object) -> str:
    """The text of a condition, whose variables the schedule knows from now on. Raises ScheduleError for what is none, and
    for one that is true or false whatever the call."""
    condition = read_call_condition(schedule, what) if isinstance(what, str) else what
    if isinstance(condition, bool):
        raise _constant(condition)
    if not isinstance(condition, Expr):
        raise ScheduleError(f"{brief(repr(what))} is no condition", hint=HINT)
    text, used = _text(schedule, condition), _variables(condition)
    if isinstance(condition, IntImm):
        raise _constant(bool(condition.value))
    _check_divisors(condition)
    check_names(schedule, used)
    if len(text) > MOST_TEXT:
        raise ScheduleError(f"the condition {brief(text)} is longer than {MOST_TEXT} letters", hint=HINT)
    program = set(schedule.program_variables().values())
    schedule.variables.update({v.name: v for v in used if v not in program})
    return text


def _check_divisors(condition: Expr) -> None:
    """Raise ScheduleError where a call may divide by zero."""
    for n in walk(condition):
        if isinstance(n, FloorDiv | FloorMod) and (const_int(n.b) or 0) <= 0:
            raise ScheduleError(
                f"{script(n)} divides by {script(n.b)}, which may be 0 or less in a call",
                hint="conditions divide by numbers from 1 on: n % 16 == 0",
            )


def _constant(value: bool) -> ScheduleError:
    return ScheduleError(
        f"the condition {'always' if value else 'never'} holds: all that it compares are numbers",
        hint='conditions are about what differs from call to call: te.var("n"), te.stride(A, 0)',
    )


def _variables(e: Expr) -> list[Var]:
    return [v for v in free_vars(e) if not isinstance(v, StrideVar)]


@any_depth
def _text(schedule: Schedule, condition: Expr) -> str:
    """A condition in Python."""
    names = {v: name for name, v in schedule.size_variables().items()}

    def number(e: Expr) -> str:
        if not (e.dtype.kind == "int" and e.dtype.lanes == 1):
            raise ScheduleError(
                f"{script(e)} is {e.dtype}, and conditions compare signed integers", hint=HINT
            )
        match e:
            case StrideVar():
                return f"stride({_tensor_name(schedule, e.tensor)}, {e.dimension})"
            case Var():
                return names.get(e, e.name)
            case IntImm(n):
                return str(n)
            case Cast(x, dtype) if x.dtype.kind == "int" and dtype.bits >= x.dtype.bits:
                return number(x)
        text = operation_text(e, number)
        if text is None:
            raise ScheduleError(f"{script(e)} is not made with + - * // and %", hint=HINT)
        return text

    def side(e: Expr) -> str:
        return f"({truth(e)})" if isinstance(e, And | Or) else truth(e)

    def truth(e: Expr) -> str:
        match e:
            case And(a, b):
                return f"{side(a) if isinstance(a, Or) else truth(a)} and {side(b)}"
            case Or(a, b):
                return f"{side(a) if isinstance(a, And) else truth(a)} or {side(b)}"
            case Not(a):
                return f"not ({truth(a)})"
            case IntImm(n):
                return str(bool(n))
            case EQ(a, b) | NE(a, b) | LT(a, b) | LE(a, b) | GT(a, b) | GE(a, b):
                return f"{number(a)} {_SIGNS[type(e)]} {number(b)}"
        raise ScheduleError(f"{script(e)} is no comparison", hint=HINT)

    return truth(condition)


def _tensor_name(schedule: Schedule, t: Tensor) -> str:
    """The name of a tensor of the program: that of its stage, with its number behind if there are several."""
    stage = schedule.find(t.op)
    if stage is None:
        raise ScheduleError(f"{t.name} is no tensor of this program", hint="te.stride(A, 0) of an argument A")
    return stage.name if t.value_index == 0 else f"{stage.name}.v{t.value_index}"


# ---------------------------------------------------------------- reading


def read_call_condition(
    schedule: Schedule,
    text: str,
    known: Mapping[str, Expr] | None = None,
    strides: Strides | None = None,
) -> Expr:
    """The condition that a text means, with the variables `known` (those of the schedule, if not given) and `strides` of its
    arguments. Raises ScheduleError."""
    variables = schedule.size_variables() if known is None else known
    return _read(schedule, text, variables, strides or _said_stride)


def _said_stride(t: Tensor, d: int) -> Expr:
    return StrideVar(f"stride({t.name}, {d})", INT32, t, d)


@any_depth
def _read(schedule: Schedule, text: str, variables: Mapping[str, Expr], strides: Strides) -> Expr:
    try:
        if len(text) > 2 * MOST_TEXT:
            raise ValueError(f"it is longer than {MOST_TEXT} letters")
        (statement,) = python_tree(text.strip()).body
        reader = _Reader(schedule, variables, strides)
        return reader.truth(statement.value)  # type: ignore[attr-defined]
    except (UnreadableError, ValueError, AttributeError) as e:
        why = f": {e}" if isinstance(e, ValueError) and "unpack" not in str(e) else ""
        names = f"; the variables here are {', '.join(variables)}" if variables else ""
        raise ScheduleError(
            f"{brief(repr(text))} is no condition on a call{why}", hint=HINT + names
        ) from None


class _Reader(ast.NodeTransformer):
    """Reads conditions. Strides become variables of their own."""

    def __init__(self, schedule: Schedule, variables: Mapping[str, Expr], strides: Strides) -> None:
        self.schedule, self.strides = schedule, strides
        self.known = dict(variables)

    def truth(self, node: ast.AST) -> Expr:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return ops.all_of(*[self.truth(v) for v in values])
            case ast.BoolOp(op=ast.Or(), values=values):
                return ops.any_of(*[self.truth(v) for v in values])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ops.logical_not(self.truth(operand))
            case ast.Compare(left=left, ops=signs, comparators=others):
                sides = [self.number(x) for x in (left, *others)]
                pairs = zip(sides, signs, sides[1:], strict=False)
                return ops.all_of(*[self.compared(a, sign, b) for a, sign, b in pairs])
        raise ValueError("it compares numbers with == != < <= > >=, joined by and, or and not")

    def compared(self, a: Expr, sign: ast.cmpop, b: Expr) -> Expr:
        if type(sign) not in _COMPARE:
            raise ValueError("numbers are compared with == != < <= > >=")
        return _COMPARE[type(sign)](*ops.match(a, b))

    def number(self, node: ast.AST) -> Expr:
        return read_integer(
            self.visit(node), self.known, "the program has no variable {}", "numbers of conditions"
        )

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node.func) not in ("stride", "te.stride", "tewb.te.stride") or node.keywords:
            raise ValueError(f"{ast.unparse(node.func)} has no meaning in it")
        if len(node.args) != 2 or not isinstance(node.args[1], ast.Constant):
            raise ValueError("a stride is written stride(A, 0)")
        name, d = ast.unparse(node.args[0]), node.args[1].value
        t = self.tensor(name)
        if type(d) is not int or not 0 <= d < t.ndim:
            raise ValueError(
                f"{name} has {t.ndim} dimensions, so there is no stride {ast.unparse(node.args[1])}"
            )
        self.known[ast.unparse(node)] = self.strides(t, d)
        return ast.copy_location(ast.Name(ast.unparse(node)), node)

    def tensor(self, name: str) -> Tensor:
        stage, number = self.schedule.find(name), 0
        if stage is None:
            whole, _, end = name.rpartition(".v")
            stage, number = self.schedule.find(whole), int(end) if end.isdecimal() else -1
        if stage is None or not 0 <= number < len(stage.op.outputs):
            stages = ", ".join(s.name for s in self.schedule.stages)
            raise ValueError(f"the program has no tensor {name}: it has {stages}")
        return stage.op.outputs[number]


# ---------------------------------------------------------------- what is certain


def certain(schedule: Schedule, text: str) -> bool | None:
    """Whether a condition holds in all calls in which none of the earlier ones does: True or False, None where that depends
    on the call."""
    strides: dict[tuple[str, int], Var] = {}

    def stride(t: Tensor, d: int) -> Expr:
        return strides.setdefault((t.name, d), Var(f"{t.name}.s{d}", INT32))

    def read(condition: str) -> Expr:
        return read_call_condition(schedule, condition, strides=stride)

    facts, condition = Analyzer(), read(text)
    schedule.tell_sizes(facts)
    with ExitStack() as around:
        for earlier in takewhile(lambda other: other != text, schedule.bodies):
            around.enter_context(facts.assume(ops.logical_not(read(earlier))))
        if facts.can_prove(condition):
            return True
        return False if _never_holds(condition, facts) else None


def _never_holds(condition: Expr, facts: Analyzer) -> bool:
    """Whether a condition holds in no call: one of its parts does not where those before it do."""
    with ExitStack() as around:
        for part in conjuncts(condition):
            if isinstance(part, Or) and _never_holds(part.a, facts) and _never_holds(part.b, facts):
                return True
            if facts.can_prove(ops.logical_not(part)):
                return True
            around.enter_context(facts.assume(part))
    return False


def sizes_said(schedule: Schedule) -> dict[Var, Expr]:
    """The sizes of which the condition of a body whose steps these are says the number: n where it says `n == 16`."""
    if schedule.within is None:
        return {}
    said: dict[Var, Expr] = {}
    for one in conjuncts(read_call_condition(schedule, schedule.within)):
        match one:
            case EQ(Var() as v, IntImm() as n) if not isinstance(v, StrideVar):
                said[v] = const(n.value, v.dtype)
    return said


def strides_of(schedule: Schedule, t: Tensor) -> tuple[Expr, ...]:
    """The strides of a tensor as far as steps know them: those of rows side by side, unless the steps are those of a body whose
    condition says others."""
    if schedule.within is None:
        return row_major(t.shape)
    said: dict[int, Expr] = {}
    for one in conjuncts(read_call_condition(schedule, schedule.within)):
        match one:
            case EQ(StrideVar() as v, IntImm() as step) if v.tensor is t:
                said[v.dimension] = step
    if not said:
        return row_major(t.shape)
    return tuple([said.get(d, Var(f"{t.name}.s{d}", INT32)) for d in range(t.ndim)])
