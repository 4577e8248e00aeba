"""Which threads store the elements of a stage: the conditions of `set_store_predicate`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

from tewb.arith import Analyzer
from tewb.base import LowerError
from tewb.ir import AxisKind, Expr, IfThenElse, Stmt, const, const_int, free_vars, launch, ops, substitute
from tewb.lowering.launches import Launch
from tewb.schedule import Stage
from tewb.schedule.threads import (
    bound,
    condition_threads,
    is_shared_by,
    launched_around,
    read_condition,
    scope_of,
    threads_around,
)

MOST_TRIED = 4096  # threads that are tried for one that stores


@dataclass(frozen=True, slots=True)
class StorePredicate:
    """A condition on threads, and those of them that are launched for it: no loop around the stage is bound to them."""

    condition: Expr
    launched: tuple[str, ...]
    started: Launch

    def around(self, store: Stmt, stage: Stage) -> Stmt:
        """`store`, in the threads for which the condition holds."""
        origin = stage.origin()
        body: Stmt = IfThenElse(self.condition, store, None, origin)
        for key in reversed(self.launched):
            body = launch(self.started.axes[key], self.started.sizes[key], body, origin)
        return body


def store_predicate(stage: Stage, started: Launch | None, once: bool) -> StorePredicate | None:
    """The condition under which a stage stores its elements; None for always. With `once` it holds for one thread: what
    adds to an element must not be done by two. Raises LowerError where some elements would be stored by no thread."""
    text = stage.store_predicate
    if text is None:
        return None
    keys = condition_threads(text)
    for key in keys:
        _check(stage, started, key, text)
    first = _first_threads(text, keys, started)
    if first is None or started is None:
        none = (
            f"none of the first {MOST_TRIED} threads"
            if prod(_sizes(keys, started)) > MOST_TRIED
            else "no thread"
        )
        raise _refused(stage, f"{text}, which holds for {none}", "such as threadIdx.x == 0")
    values = started.conditions(keys)
    running = {*threads_around(stage), *(t.key for t in bound(stage).values()),
               *(t.key for t in launched_around(stage))}  # fmt: skip
    condition = read_condition(text, values)
    if once:
        condition = ops.all_of(*[ops.equal(values[key], n) for key, n in first.items()])
    return StorePredicate(condition, tuple(key for key in keys if key not in running), started)


def _refused(stage: Stage, why: str, hint: str | None) -> LowerError:
    return LowerError(
        f"{stage.name} is stored only if {why}", loops=stage.loops(), hint=hint, span=stage.origin().span
    )


def _check(stage: Stage, started: Launch | None, key: str, text: str) -> None:
    """Raise LowerError unless threads of a kind run here, and all of them have the elements of the stage."""
    around = threads_around(stage)
    own = {t.key: iv for iv, t in bound(stage).items()}
    if started is None or key not in started.axes:
        raise _refused(
            stage, f"{text}, but no loop around it or inside of it is bound to {key}", "bind one, or drop it"
        )
    if key in own and own[key].kind is not AxisKind.REDUCE:
        raise _refused(
            stage,
            f"{text}, but each thread of {key} has elements of its own, in loop {stage.axis_name(own[key])}",
            "use a condition on threads that have the same elements",
        )
    if key in around and around[key].is_block:
        raise _refused(
            stage, f"{text}, but each block of {key} has its own {stage.name}", "use a condition on threads"
        )
    if key in around and not is_shared_by(scope_of(stage), around[key]):
        raise _refused(
            stage,
            f"{text}, but each thread of {key} has its own {stage.name}, in {scope_of(stage)} memory",
            f's[{stage.name}].set_scope("shared") keeps one for all of them',
        )


def _sizes(keys: list[str], started: Launch | None) -> list[int]:
    return [1 if started is None else const_int(started.sizes[key]) or 1 for key in keys]


def _first_threads(text: str, keys: list[str], started: Launch | None) -> dict[str, int] | None:
    """The first threads for which a condition holds; None for none."""
    condition = read_condition(text, {})
    sizes = _sizes(keys, started)
    variables = [next(v for v in free_vars(condition) if v.name == key) for key in keys]
    simplify = Analyzer().simplify
    tried = [range(min(n, MOST_TRIED)) for n in sizes]  # product() holds its ranges as tuples
    for n, place in enumerate(product(*tried)):
        if n >= MOST_TRIED:
            return None
        values: dict[object, Expr] = {v: const(i) for v, i in zip(variables, place, strict=True)}
        if const_int(simplify(substitute(condition, values))) == 1:  # type: ignore[arg-type]
            return dict(zip(keys, place, strict=True))
    return None
