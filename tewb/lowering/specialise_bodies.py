"""Bodies for calls of which a condition holds: each is lowered by itself, with what its condition says."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from tewb.arith import Analyzer, row_major
from tewb.base import INT32, INT64, LowerError, TewbWarning, here
from tewb.ir import (
    EQ,
    Add,
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Cast,
    DeclBuffer,
    Expr,
    FloorDiv,
    FloorMod,
    IfThenElse,
    IntImm,
    Mul,
    Origin,
    PrimFunc,
    Stmt,
    Sub,
    Substitution,
    Var,
    conjuncts,
    const,
    const_int,
    free_vars,
    is_same_expression,
    ops,
    rewriter,
    substitute,
    uses,
    walk,
)
from tewb.ir import (
    replace as replace_node,
)
from tewb.lowering.known_nests import ASSUMED
from tewb.schedule import Schedule, read_call_condition
from tewb.tensor import Tensor


def strided_arguments(schedule: Schedule) -> set[Tensor]:
    """The tensors whose strides conditions are about: a call may give them any strides."""
    named: set[Tensor] = set()

    def stride(t: Tensor, d: int) -> Expr:
        named.add(t)
        return Var(f"{t.name}.s{d}", INT64)

    for condition in schedule.bodies:
        read_call_condition(schedule, condition, strides=stride)
    return named


def strided_buffer(t: Tensor, alignment: int) -> Buffer:
    """The buffer of an argument with any strides."""
    strides = tuple([Var(f"{t.name}.s{d}", INT32) for d in range(t.ndim)])
    return Buffer(t.name, t.dtype, t.shape, strides, alignment=alignment)


def in_all_bodies(own: Buffer, given: Any, condition: str | None) -> Buffer:
    """The buffer of an argument in the body for a condition, which is the one that it has in others. Raises LowerError where
    it cannot be."""
    same = isinstance(given, Buffer) and own.dtype is given.dtype and len(own.shape) == len(given.shape)
    if not same or not all(is_same_expression(a, b) for a, b in zip(own.shape, given.shape, strict=True)):
        raise LowerError(
            f"{own.name} is an argument, and the body for {condition} has it in another layout than others",
            hint="do transform_layout before specialize, or on a copy: s.cache_read",
            span=here(),
        )
    return given  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class CallCondition:
    """A condition on the parameters of a function. `computed` is what a call computes, in which no number wraps, `said` the same
    for reasoning."""

    text: str
    said: Expr
    computed: Expr
    origin: Origin


def call_condition(schedule: Schedule, text: str, f: PrimFunc, args: Sequence[Any]) -> CallCondition:
    """The condition of a body of `schedule`, about the parameters of `f`, which are those of `args`. Raises LowerError."""

    def stride(t: Tensor, d: int) -> Expr:
        stage = schedule.stage_of(t)
        for a, p in zip(args, f.params, strict=False):
            is_own = isinstance(a, Tensor) and schedule.find(a) is stage and a.value_index == t.value_index
            if is_own and isinstance(p, Buffer):
                return (p.strides or row_major(p.shape))[d]
        raise LowerError(
            f"the body for {text} is about the strides of {t.name}, which is no argument",
            hint=f"give {t.name} among the arguments: its strides are the caller's then",
            span=here(),
        )

    said = read_call_condition(schedule, text, strides=stride)
    _check_known(text, said, f)
    computed = said
    if any(isinstance(n, Add | Sub | Mul) for n in walk(said)):
        wide = {name: ops.cast(v, INT64) for name, v in schedule.size_variables().items()}
        computed = read_call_condition(schedule, text, wide, lambda t, d: ops.cast(stride(t, d), INT64))
    number = next(i for i, step in enumerate(schedule.journal) if step.args.get("condition") == text)
    step = schedule.journal[number]
    return CallCondition(text, said, computed, Origin(step.stage, None, number, step.span, (number,)))


def _check_known(text: str, condition: Expr, f: PrimFunc) -> None:
    """Raise LowerError for a condition about what a call does not tell."""
    known = {
        v for p in f.params if isinstance(p, Buffer) for n in (*p.shape, *p.strides) for v in free_vars(n)
    }
    for v in (v for v in free_vars(condition) if v not in known and not any(v is p for p in f.params)):
        raise LowerError(
            f"the body for {text} is about {v.name}, which is not an argument, nor a size of one",
            hint=f"pass {v.name} as an argument",
            span=here(),
        )


def holds(condition: CallCondition, f: PrimFunc) -> bool | None:
    """Whether a condition holds in every call (True) or none (False); None where that depends on the call."""
    facts = Analyzer()
    for p in f.params:
        for v in (v for n in p.shape for v in free_vars(n)) if isinstance(p, Buffer) else ():
            facts.bind(v, 0, None)
    known = const_int(facts.simplify(condition.said))
    return None if known is None else bool(known)


def joined(bodies: Sequence[tuple[CallCondition, Stmt]], others: Stmt) -> Stmt:
    """The statement that runs the first body whose condition holds, or else `others`.

    if n % 16 == 0: first
    else:
        if n % 4 == 0: second
        else: others
    """
    chosen = others
    for condition, body in reversed(bodies):
        chosen = IfThenElse(condition.computed, body, chosen, condition.origin)
    return chosen


def body_in_view(schedule: Schedule, f: PrimFunc) -> PrimFunc:
    """`f`, which a schedule was lowered to, with the body that its stages show in the place of all bodies."""
    s = f.body
    while schedule.bodies and isinstance(s, IfThenElse) and s.other is not None and s.origin is not None:
        step = schedule.journal[s.origin.step] if s.origin.step is not None else None
        if step is None or step.primitive != "specialize":
            break
        if step.args["condition"] == schedule.within:
            return f.with_body(s.then)
        s = s.other
    return f.with_body(s)


def warn_of_idle(text: str, never: bool) -> None:
    """Say that a body is for all calls, or for none, with the layouts that the arguments were declared with."""
    what = "no call, and is left out" if never else "every call, and others are left out"
    warnings.warn(
        f"specialize: with these arguments the body for {text} is for {what}", TewbWarning, stacklevel=4
    )


# ---------------------------------------------------------------- what a condition says


@dataclass(frozen=True, slots=True)
class _Solved:
    """What follows from a condition: `values` of variables, and other `facts`. Of n % 16 == 1 the value is n_16*16 + 1, and
    `parts` tells that n_16 is a part of n, with 16 and 1."""

    values: Mapping[Var, Expr]
    parts: Mapping[Var, tuple[Var, int, int]]
    facts: tuple[Expr, ...]


def _solved(condition: Expr, variables: set[Var]) -> _Solved:
    values: dict[Var, Expr] = {}
    parts: dict[Var, tuple[Var, int, int]] = {}
    facts: list[Expr] = []

    def know(v: Var, value: Expr) -> None:
        for other, known in values.items():
            values[other] = substitute(known, {v: value})
        facts[:] = [substitute(fact, {v: value}) for fact in facts]
        values[v] = value

    for said in conjuncts(condition):
        one = substitute(said, values)
        equal = _value_said(one, variables - {*values})
        match one:
            case _ if equal is not None:
                know(*equal)
            case EQ(FloorMod(Var() as v, IntImm(c)), IntImm(b)) if v in variables and c > 1 and 0 <= b < c:
                part = Var(f"{v.name}_{c}", v.dtype)
                know(v, ops.add(ops.mul(part, const(c, v.dtype)), const(b, v.dtype)))
                parts[part] = v, c, b
            case _:
                facts.append(one)
    return _Solved(values, parts, tuple(facts))


def _value_said(condition: Expr, variables: set[Var]) -> tuple[Var, Expr] | None:
    """A variable and its value, if a condition says one: n == 4, n == m."""
    if not isinstance(condition, EQ):
        return None
    for v, value in ((condition.a, condition.b), (condition.b, condition.a)):
        if not (isinstance(v, Var) and v in variables):
            continue
        if not uses(value, [v]) and value.dtype is v.dtype and not _may_wrap(value):
            return v, value
    return None


def _may_wrap(value: Expr) -> bool:
    """Whether a number that is no larger than a size may be computed by way of larger ones: m*8 // 16. Conditions are computed
    in 64 bits, sizes in their own."""
    divided = [n.a for n in walk(value) if isinstance(n, FloorDiv | FloorMod)]
    return any(isinstance(n, Add | Sub | Mul) for a in divided for n in walk(a))


@dataclass(frozen=True, slots=True)
class Assumed:
    """A function in which a condition holds, and the way back: `body_of` gives the body of what it became, on the parameters of
    the function that it was made from."""

    function: PrimFunc
    body_of: Callable[[PrimFunc], Stmt]


def assumed(f: PrimFunc, condition: CallCondition) -> Assumed:
    """`f` for calls of which a condition holds: variables have the values that it says, of which all passes make use.

    of n % 16 == 0:    for i in (n + 15) // 16: ... if i*16 + j < n    ->    for i in n_16: ... if i*16 + j < n_16*16
    """
    buffers = [p for p in f.params if isinstance(p, Buffer)]
    variables = {v for b in buffers for n in (*b.shape, *b.strides) for v in free_vars(n)}
    solved = _solved(condition.said, variables | {p for p in f.params if isinstance(p, Var)})
    with ExitStack() as around:
        substitution = Substitution()
        for v, value in solved.values.items():
            around.enter_context(substitution.variable(v, value))
        body = substitution(f.body)
        changed = {b: substitution.buffer(b) for b in buffers}
    own = [changed[p] if isinstance(p, Buffer) else p for p in f.params]
    attrs = {**f.attrs, ASSUMED: ops.all_of(*solved.facts)} if solved.facts else f.attrs
    special = replace(f, params=(*own, *solved.parts), body=body, attrs=attrs)
    before = {new: old for old, new in changed.items()}
    return Assumed(special, lambda lowered: _on_parameters(lowered.body, solved.parts, before))


def _on_parameters(
    body: Stmt, parts: Mapping[Var, tuple[Var, int, int]], before: Mapping[Buffer, Buffer]
) -> Stmt:
    """`body` in terms of the parameters: n_16*16 is n again, and n_16 is n // 16."""
    if not parts and all(a is b for a, b in before.items()):
        return body
    known: dict[Buffer, Buffer] = {}

    def whole(product: Any, rest: int) -> Expr | None:
        """The variable that n_16*16 + `rest` is."""
        part = product.a.value if isinstance(product.a, Cast) else product.a
        v, factor, own = parts.get(part, (None, 0, 0)) if isinstance(part, Var) else (None, 0, 0)
        is_whole = v is not None and const_int(product.b) == factor and own == rest
        return ops.cast(v, product.dtype) if v is not None and is_whole else None

    def product(n: Mul) -> Expr:
        v = whole(n, 0)
        return n.map_children(rewrite) if v is None else v

    def sum_(n: Add) -> Expr:
        rest = const_int(n.b)
        v = whole(n.a, rest) if rest and isinstance(n.a, Mul) else None
        return n.map_children(rewrite) if v is None else v

    def variable(v: Var) -> Expr:
        return ops.floordiv(parts[v][0], const(parts[v][1], v.dtype)) if v in parts else v

    def buffer(b: Buffer) -> Buffer:
        if b not in known:
            same, old = b.map_exprs(rewrite), before.get(b)
            known[b] = old if old is not None and _same_layout(same, old) else same
        return known[b]

    def access(n: Any) -> Any:
        rewritten = n.map_children(rewrite)
        there = buffer(n.buffer)
        return rewritten if there is n.buffer else replace_node(rewritten, buffer=there)

    rules: dict[type, Any] = dict.fromkeys((BufferLoad, BufferStore, Allocate, DeclBuffer), access)
    rules |= {Var: variable, Mul: product, Add: sum_}
    rewrite: Any = rewriter(rules)
    rewritten: Stmt = rewrite(body)
    return rewritten


def _same_layout(a: Buffer, b: Buffer) -> bool:
    pairs = [*zip(a.shape, b.shape, strict=True), *zip(a.strides, b.strides, strict=True)]
    return all(is_same_expression(x, y) for x, y in pairs)
