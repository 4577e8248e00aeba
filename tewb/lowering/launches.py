"""Launches: the threads that run the loops of a nest, and how many of each there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tewb.arith import Analyzer
from tewb.base import INT32, LowerError, here
from tewb.ir import AxisKind, Expr, IterVar, Var, const, const_int, free_vars, is_same_expression, ops, script
from tewb.schedule import At, Stage
from tewb.schedule.bounds import Bounds
from tewb.schedule.threads import (
    Thread,
    bound,
    is_shared_by,
    launched_around,
    scope_of,
    threads_around,
    wanted_iterations,
)
from tewb.tensor import ScanOp


@dataclass(frozen=True, slots=True)
class _Use:
    """What asks for threads: a loop of a stage, or threads that are launched around the stage."""

    stage: Stage
    loop: IterVar | None
    thread: Thread
    iterations: Expr

    @property
    def words(self) -> str:
        if self.loop is None:
            return f"{script(self.iterations)} around {self.stage.name}"
        return f"{script(self.iterations)} in loop {self.stage.axis_name(self.loop)} of {self.stage.name}"


class Launch:
    """The threads that run a stage and all that is computed in its loops: one axis for each kind of thread.

    Threads of one kind have one number. A loop with fewer iterations than its split asked for runs in the first of
    them.
    """

    def __init__(self, stages: Sequence[Stage], bounds: Bounds) -> None:
        self.axes: dict[str, IterVar] = {}
        self.sizes: dict[str, Expr] = {}
        self.bounds = bounds
        self.values: dict[Var, Expr] = {}  # of the variables of bound loops: those of the threads
        self.idle: set[tuple[Stage, IterVar]] = set()  # loops that some threads do not run
        uses: dict[str, list[_Use]] = {}
        for stage in stages:
            for t in launched_around(stage):
                uses.setdefault(t.key, []).append(_Use(stage, None, t, const(t.extent or 1)))
            for iv, t in bound(stage).items():
                _check_shared(stage, iv, t)
                iterations = bounds.stages[stage].extents[iv]
                uses.setdefault(t.key, []).append(_Use(stage, iv, t, iterations))
        for key, asked in uses.items():
            self.add(key, asked)

    def add(self, key: str, uses: Sequence[_Use]) -> None:
        """The threads of one kind, and their number."""
        for u in uses:
            self.check_fixed(u)
        size = _number(key, uses, self.bounds.analyzer)
        thread = uses[0].thread
        name = thread.name if all(u.thread.name == thread.name for u in uses) else key
        self.axes[key] = axis = IterVar(None, Var(name, size.dtype), AxisKind.THREAD, thread.tag)
        self.sizes[key] = size
        for u in uses:
            if u.loop is None:
                continue
            v = self.bounds.stages[u.stage].vars[u.loop]
            self.values[v] = axis.var
            if not _same(u.iterations, size, self.bounds.analyzer):
                self.idle.add((u.stage, u.loop))
                self.bounds.analyzer.bind_extent(v, const(0, v.dtype), ops.cast(size, v.dtype))

    def check_fixed(self, u: _Use) -> None:
        """Raise LowerError for a loop that has another number of iterations in each iteration of others: threads have
        one number in a launch."""
        own = self.bounds.stages[u.stage]
        varying = {*own.dependent_vars, *own.vars.values()}
        if u.loop is None or not any(v in varying for v in free_vars(u.iterations)):
            return
        name = u.stage.axis_name(u.loop)
        raise LowerError(
            f"loop {name} of {u.stage.name} has {script(u.iterations)} iterations, which is not the same number everywhere, "
            f"and {u.thread.key} has one number of threads",
            loops=u.stage.loops(),
            hint=f"reduce over a range that holds all, with a condition: te.sum(..., axis={name}, where=...)",
            span=u.stage.origin(u.loop).span,
        )

    def stand_for(self, v: Var, stage: Stage, iv: IterVar) -> None:
        """Let another variable of a bound loop be that of its threads."""
        self.values[v] = self.axes[bound(stage)[iv].key].var

    def variables(self) -> set[Var]:
        """The variables that differ from thread to thread."""
        return {*self.values, *(axis.var for axis in self.axes.values())}

    def conditions(self, keys: Sequence[str]) -> dict[str, Expr]:
        """The threads that a condition uses, by name."""
        return {key: ops.cast(self.axes[key].var, INT32) for key in keys}


def _check_shared(stage: Stage, iv: IterVar, thread: Thread) -> None:
    """Raise LowerError where threads would share the work on memory of which each of them has its own."""
    scope = scope_of(stage)
    if thread.key not in threads_around(stage) or is_shared_by(scope, thread):
        return
    scan = next((s for s in _around(stage) if isinstance(s.op, ScanOp)), None)
    if thread.is_block and scan is not None:
        raise LowerError(
            f"{stage.name} is computed by the blocks of {thread.key}, in loop {stage.axis_name(iv)}, and these are launched "
            f"around all steps of {scan.name}: blocks wait for nobody, and a step needs what the one before has left",
            loops=stage.loops(),
            hint=f"leave {thread.key} out of the env_threads of {scan.name}, which launches them for each step; or launch threads",
            span=here(),
        )
    own = "each block" if thread.is_block else "each thread"
    share = "" if thread.is_block else f's[{stage.name}].set_scope("shared"), or '
    raise LowerError(
        f"{own} of {thread.key} has its own {stage.name}, in {scope} memory, and would compute a part of it, in loop "
        f"{stage.axis_name(iv)}",
        loops=stage.loops(),
        hint=f"{share}bind no loop of it to {thread.key}",
        span=here(),
    )


def _around(stage: Stage) -> Iterator[Stage]:
    """The stages in whose loops a stage is computed, innermost first."""
    place = stage.attach
    while isinstance(place, At):
        yield place.stage
        place = place.stage.attach


def _same(a: Expr, b: Expr, analyzer: Analyzer) -> bool:
    if const_int(a) is not None or const_int(b) is not None:
        return const_int(a) == const_int(b)
    return is_same_expression(a, b) or analyzer.can_prove(ops.equal(a, b))


def _number(key: str, uses: Sequence[_Use], analyzer: Analyzer) -> Expr:
    """How many threads of a kind there are: at least one, so that a reduction of no terms has a thread that stores what
    it begins with. Raises LowerError where two stages do not agree."""
    declared = next((u for u in uses if u.thread.extent is not None), None)
    if declared is not None:
        size: Expr = const(declared.thread.extent or 1, declared.iterations.dtype)
        most = _Use(declared.stage, None, declared.thread, size)
    else:
        most = max(uses, key=lambda u: const_int(u.iterations) or 0)
        size = most.iterations
    asked = [None if u.loop is None else wanted_iterations(u.stage, u.loop) for u in uses]
    top = max((n for n in asked if n is not None), default=0)
    for u, wanted in zip(uses, asked, strict=True):
        if u.thread.extent is not None and u.thread.extent != const_int(size):
            raise _disagree(key, f"{u.thread.extent} for {u.stage.name}", _words(most))
        n, fewer = const_int(u.iterations), const_int(size)
        if not _same(u.iterations, size, analyzer) and (
            n is None or fewer is None or n > fewer or wanted != top or top < fewer
        ):
            raise _disagree(key, u.words, _words(most))
    return const(1, size.dtype) if const_int(size) == 0 else size


def _words(u: _Use) -> str:
    return u.words if u.loop is not None else f"{script(u.iterations)} as it is declared"


def _disagree(key: str, one: str, other: str) -> LowerError:
    return LowerError(
        f"{key} has two sizes in one launch: {one}, and {other}",
        hint="split the loops so that both have one size (split(axis, nparts=n)), or bind one of them to other threads",
        span=here(),
    )
