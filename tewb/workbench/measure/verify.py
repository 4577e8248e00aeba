"""Verify on edit: a fast check that the steps of a journal change how a program is computed, not what it computes.

The kernel of the schedule runs on random inputs and is compared with the definition, which knows no schedule.
Large programs are checked on a small twin: the same definitions with smaller sizes, and the same journal.
No step should ever change a result; if one does, it is found by replaying the beginnings of the journal.
"""

from __future__ import annotations

import itertools
import linecache
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tewb.base import BoundError, Stopped, TewbError, readable
from tewb.driver import build_ir
from tewb.ir import Expr, For, ForKind, IntImm, Stmt, Var, const, const_int, walk
from tewb.lowering import lower_schedule
from tewb.schedule import PRIMITIVES, Schedule, Step
from tewb.tensor import ComputeOp, ExternOp, GraphSource, Operation, PlaceholderOp, ScanOp, Tensor
from tewb.tensor.hybrid import HybridOp
from tewb.testing import evaluate
from tewb.workbench.measure.counts import Sizes, operations_below, points, shape_of, size_of, value_of
from tewb.workbench.measure.interruptible import interruptible
from tewb.workbench.measure.measure import check, filled_like, in_order
from tewb.workbench.measure.suitable_inputs import suitable_inputs

# What a check may cost: points of all bodies, and numpy calls of the definition (reduce axes are Python loops).
MOST_POINTS = 1_000_000
MOST_ROUNDS = 1_000
# Iterations of hybrid functions, which run in Python, and elements of externs, which may call Python for each.
MOST_CALLS = 20_000

# What a kernel may be: nodes of its IR (each takes about 60 us to compile), and operations when it runs.
MOST_NODES = 2_000
MOST_WORK = 20_000_000
MOST_LANES, MOST_COPIES = 64, 512  # elements of a vector, and those times the copies of unrolled loops

# Sizes up to this one are left alone in a small twin: they are windows, channels of a block, and the like.
SMALL = 16

# Sizes that differ by at most so much belong together: an image and its padded one.
NEAR = 8


@readable
@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `ok` is None when the program could not be checked; `message` says why.

    For a wrong result `step` is the first step (from 0) that changed it, or None when it was wrong without
    any. `sizes` are those of the small twin, by those of the program; empty when the program itself was run.
    """

    ok: bool | None
    message: str
    step: int | None = None
    sizes: Mapping[int, int] | None = None
    seconds: float = 0.0

    def __str__(self) -> str:
        mark = {True: "✓", False: "✗", None: "?"}[self.ok]
        return f"{mark} {self.message}"


@dataclass(frozen=True, slots=True)
class SmallProgram:
    """What is checked: outputs, arguments of the kernel, values of symbolic sizes, and the steps with their
    numbers in the journal. `shrunk` are the sizes that the small twin has instead of those of the program."""

    outputs: Sequence[Operation]
    args: list[Any]
    sizes: Sizes
    steps: Sequence[tuple[int, Step]]
    shrunk: Mapping[int, int]

    def beginning(self, count: int) -> Schedule:
        """The schedule after the first `count` steps."""
        schedule = Schedule(self.outputs)
        schedule.variables = {a.name: a for a in self.args if isinstance(a, Var)}
        schedule.restore([step for _, step in self.steps[:count]])
        return schedule

    def without(self, kind: ForKind) -> SmallProgram:
        """The same program without the steps that mark loops of a kind."""
        kept = [(n, s) for n, s in self.steps if PRIMITIVES[s.primitive].loop_kind is not kind]
        return replace(self, steps=kept)


class CannotCheck(TewbError):
    """There is no way to check this program quickly."""


class LongCode(CannotCheck):
    """The kernel is too long to be compiled while somebody waits."""


def verify(schedule: Schedule, args: Sequence[Any], sizes: Sizes | None = None) -> Verdict:
    """Whether `schedule` computes what its tensors are defined as, and which step changed that if it does not.

    `sizes` gives small values to symbolic sizes (chosen here if not given). Takes some tens of milliseconds,
    most of them for compiling; code that is long because of unrolling or vectors is checked without them.
    """
    start = time.perf_counter()
    try:
        verdict = _verdict(small_program(schedule, args, sizes), schedule)
    except TewbError as e:
        verdict = Verdict(None, f"not checked: {e.message}")
    except Stopped:
        verdict = Verdict(None, "not checked: it was stopped")
    except Exception as e:  # whatever a packed function of the user's raises on such arrays
        verdict = Verdict(None, f"not checked: {type(e).__name__}: {e}")
    return replace(verdict, seconds=time.perf_counter() - start)


def _verdict(program: SmallProgram, schedule: Schedule) -> Verdict:
    expected = _Expected(program)
    wrong, program, note = _difference(program, expected)
    if wrong is None:
        return Verdict(True, f"same results as the definition{_how(program, note)}", sizes=program.shrunk)
    step = first_wrong_step(program, expected)
    if step is not None:
        said = f"step {step + 1}, {schedule.journal[step]}, changed the result: {wrong}"
        return Verdict(False, said, step, program.shrunk)
    if any(getattr(op, "unproved", ()) for op in operations_below(program.outputs)):
        return Verdict(None, f"not checked: random inputs do not suit it, {wrong}", sizes=program.shrunk)
    return Verdict(False, f"wrong without any step: {wrong}", sizes=program.shrunk)


def _difference(program: SmallProgram, expected: _Expected) -> tuple[str | None, SmallProgram, str]:
    """How the results differ from what is expected, the program that was run, and how it was changed to make
    its code short enough."""
    try:
        return expected.difference(program), program, ""
    except LongCode:
        program = program.without(ForKind.UNROLLED)
    try:
        return expected.difference(program), program, "without unrolling"
    except LongCode:
        program = program.without(ForKind.VECTORIZED)
    return expected.difference(program), program, "without unrolling and vectors"


def _how(p: SmallProgram, note: str) -> str:
    sizes = "with " + ", ".join(f"{b} for {a}" for a, b in p.shrunk.items()) if p.shrunk else ""
    said = "; ".join(x for x in (sizes, note) if x)
    return f" (checked {said})" if said else ""


def first_wrong_step(program: SmallProgram, expected: _Expected) -> int | None:
    """The number of the step after which the results are wrong and before which they are not, by bisection.

    None when they are wrong without any step. A beginning that cannot be built has no wrong result.
    """

    def is_wrong(count: int) -> bool:
        beginning = replace(program, steps=program.steps[:count])
        try:
            return expected.difference(beginning) is not None
        except TewbError:
            return False

    if is_wrong(0):
        return None
    right, wrong = 0, len(program.steps)
    while wrong - right > 1:
        middle = (right + wrong) // 2
        if is_wrong(middle):
            wrong = middle
        else:
            right = middle
    return program.steps[wrong - 1][0]


class _Expected:
    """Random inputs of a program and what its outputs should be, made once for all beginnings of the journal."""

    def __init__(self, p: SmallProgram) -> None:
        _refuse_side_effects(p.outputs)
        rng = np.random.default_rng(0)
        tensors = [a for a in p.args if isinstance(a, Tensor)]
        given = [t for t in tensors if isinstance(t.op, PlaceholderOp)]
        outputs = [t for t in tensors if t not in given]
        self.inputs = suitable_inputs(p.outputs, given, p.sizes, rng)
        scalars = {a: value_of(a, p.sizes) for a in p.args if isinstance(a, Var)}
        results = interruptible(lambda: evaluate(outputs, self.inputs, scalars))
        self.outputs = {t: np.asarray(r) for t, r in zip(outputs, results, strict=True)}

    def difference(self, p: SmallProgram) -> str | None:
        """How the results of a program's kernel differ from the definition, or None.

        Raises CannotCheck for a kernel that takes long to compile or to run, and what lowering raises.
        """
        schedule = p.beginning(len(p.steps))
        if _repeats_much(schedule):
            raise LongCode(_TOO_LONG)
        module = lower_schedule(schedule, p.args)
        length = sum(1 for f in module.functions.values() for _ in walk(f.body))
        if length > MOST_NODES:
            raise LongCode(_TOO_LONG)
        # Checks of every access make long code longer. What LLVM's optimiser does is not in question here, and
        # it takes most of the time: attention is built in 17 ms without it, in 250 ms with it.
        kernel = build_ir(module, debug=length < MOST_NODES // 2, level=0)
        work = kernel.signature.work
        if isinstance(work, int) and work > MOST_WORK:
            raise CannotCheck("its kernel runs for too long, as it computes elements again and again")
        results = {t: filled_like(a) for t, a in self.outputs.items()}
        try:
            return check(kernel, in_order(p.args, self.inputs, results, p.sizes), results, self.outputs)
        except BoundError as e:
            return e.message


_TOO_LONG = "its code is too long to be compiled at every step"


def _repeats_much(schedule: Schedule) -> bool:
    """Whether unrolled loops and vectors certainly make long code: known without making it."""
    for stage in schedule.stages:
        extents, lanes, copies = schedule.extents(stage), 1, 1
        kinds = [(iv, stage.loop_kind(iv)) for iv in stage.leaf_iter_vars]
        vectors = [iv for iv, kind in kinds if kind is ForKind.VECTORIZED]
        for iv, kind in kinds:
            size = const_int(extents[iv]) or 1
            if kind is ForKind.VECTORIZED and iv is vectors[-1]:
                lanes *= size
            elif kind in (ForKind.VECTORIZED, ForKind.UNROLLED):  # rows of a tile are vectors of their own
                copies *= size
        if lanes > MOST_LANES or lanes * copies > MOST_COPIES:
            return True
    return False


def _refuse_side_effects(outputs: Sequence[Operation]) -> None:
    for op in operations_below(outputs):
        if isinstance(op, ExternOp) and op.effect == "stateful":
            raise CannotCheck(f"extern {op.name} is stateful, so it is called only when you ask for it")


# ---------------------------------------------------------------- small programs


def _is_quick(p: SmallProgram) -> bool:
    return is_small(p.outputs, p.sizes)


def small_program(
    schedule: Schedule,
    args: Sequence[Any],
    sizes: Sizes | None = None,
    fits: Callable[[SmallProgram], bool] = _is_quick,
    times: Sequence[int] = (2, 1),
) -> SmallProgram:
    """A program that is quick to check: the given one when it is small, else a twin with smaller sizes.

    `fits` says what is small; loops that are split have so many `times` their factors in a twin. Raises CannotCheck when no small sizes suit the definitions and the journal.
    """
    values = values_of_symbols(args, sizes or {})
    steps = list(enumerate(schedule.journal))
    whole = SmallProgram(schedule.outputs, list(args), values, steps, {})
    if fits(whole):
        return whole
    problem = "its sizes cannot be made smaller"
    for shrunk in smaller_sizes(schedule, times):
        try:
            outputs, twin_args, twins = twin(schedule.outputs, args, shrunk)
            its_values = {**values, **{its: value_of(v, values) for v, its in twins.items()}}
            small = SmallProgram(outputs, twin_args, its_values, steps, shrunk)
            if not fits(small):
                problem = "too large"
                continue
            small.beginning(len(steps))  # are the steps legal with these sizes?
            return small
        except TewbError as e:
            problem = e.message
    raise CannotCheck(problem)


def is_small(outputs: Sequence[Operation], sizes: Sizes) -> bool:
    """Whether the definition of `outputs` is evaluated, and its plainest kernel run, in a moment."""
    total = rounds = calls = 0
    for op in operations_below(outputs):
        elements = sum(math.prod(shape_of(t, sizes)) for t in op.outputs)
        total += elements
        if isinstance(op, ComputeOp):
            each = max(elements // len(op.outputs), 1)
            computed = points(op, sizes)
            computed = each * 128 if computed is None else computed  # elements of tensors tell it
            total += computed
            rounds += computed // each
        elif isinstance(op, HybridOp):
            calls += _iterations(op.body, sizes)
        elif isinstance(op, ExternOp):
            calls += elements
        elif isinstance(op, ScanOp):
            rounds += len(op.body) * size_of(op.scan_axis.dom.extent, sizes)  # type: ignore[union-attr]
    return total <= MOST_POINTS and rounds <= MOST_ROUNDS and calls <= MOST_CALLS


def _iterations(s: Stmt, sizes: Sizes) -> int:
    """How often the innermost statements of a hybrid function run."""
    inside = sum(_iterations(c, sizes) for c in s.children() if isinstance(c, Stmt))
    return max(inside, 1) * (size_of(s.extent, sizes) if isinstance(s, For) else 1)


def values_of_symbols(args: Sequence[Any], sizes: Sizes) -> dict[Any, int]:
    """`sizes`, and different small values, neither powers of two nor multiples of common factors, for the other
    variables, also for those that share a name."""
    symbols = {a: None for a in args if isinstance(a, Var)}
    for t in (a for a in args if isinstance(a, Tensor)):
        symbols.update({v: None for n in t.shape for v in walk(n) if isinstance(v, Var)})
    small = zip(symbols, itertools.cycle((37, 29, 43, 19, 23, 31)), strict=False)
    values = {v: value_of(v, sizes, n) for v, n in small}
    return {**{v.name: n for v, n in values.items()}, **sizes, **values}


def smaller_sizes(schedule: Schedule, times: Sequence[int] = (2, 1)) -> Iterator[dict[int, int]]:
    """Maps from the large sizes of a program to small ones, the most faithful first.

    A size keeps its remainder by the factors of the journal, so that the loops have the same tails. A size
    that is near another one, a small multiple of it or the product of two stays so: 1026 is 1024 and a halo.
    """
    factors = sorted(
        {v for step in schedule.journal for v in step.args.values() if isinstance(v, int) and v > 1}
    )
    units = dict.fromkeys([math.lcm(*factors) if factors else 8, *reversed(factors), 8, 4])
    sizes = sorted(constant_sizes(schedule.outputs))
    for unit, count in itertools.product(units, times):
        if unit <= 1024:
            shrunk = _shrink(sizes, unit, count)
            if any(a != b for a, b in shrunk.items()):
                yield shrunk


def _shrink(sizes: Sequence[int], unit: int, times: int) -> dict[int, int]:
    """The new size of every size, where those up to SMALL stay."""
    smaller: dict[int, int] = {}
    for n in sizes:  # from the smallest
        related = n if n <= SMALL else _related(n, smaller)
        if related is not None:
            smaller[n] = related
            continue
        new, taken = times * unit + n % unit, [smaller[old] for old in smaller if old > SMALL]
        while new in taken:  # different sizes stay different, so that a swap of axes shows
            new += unit
        smaller[n] = min(n, new)
    return {old: new for old, new in smaller.items() if old > SMALL}


def _related(n: int, smaller: Mapping[int, int]) -> int | None:
    """The new size of `n` when it follows from those of smaller sizes: one of them, a small multiple of one or
    the product of two, and at most a few elements more or less."""
    large = [old for old in smaller if old > SMALL]
    for old in large:
        if n - old <= NEAR:
            return smaller[old] + n - old
    for times, old in itertools.product((2, 3, 4), large):
        if abs(n - times * old) <= NEAR // 2:
            return times * smaller[old] + n - times * old
    for a, b in itertools.combinations_with_replacement(smaller, 2):
        if a * b == n and max(a, b) > SMALL:
            return smaller[a] * smaller[b]
    return None


def constant_sizes(outputs: Sequence[Operation]) -> set[int]:
    """The constant sizes of the tensors and reduce axes below `outputs`."""
    constants: set[int] = set()
    for op in operations_below(outputs):
        extents = [n for t in op.outputs for n in t.shape]
        extents += [iv.dom.extent for iv in op.reduce_axis if iv.dom is not None]
        constants |= {n for e in extents if (n := const_int(e)) is not None and n > 1}
    return constants


class _SmallSource(GraphSource):
    """The source of a graph with other sizes in it; a number near a size, as in `n - 1`, moves with it."""

    def __init__(self, shrunk: Mapping[int, int]) -> None:
        numbers = itertools.count()
        super().__init__(lambda wanted: f"_{next(numbers)}_{''.join(c for c in wanted if c.isalnum())}")
        self.shrunk = shrunk

    def expr(self, e: Expr) -> str:
        return super().expr(const(self._smaller(e.value), e.dtype) if isinstance(e, IntImm) else e)

    def _smaller(self, n: int) -> int:
        if n in self.shrunk:
            return self.shrunk[n]
        near = min(self.shrunk, key=lambda old: abs(n - old), default=0)
        return self.shrunk[near] + n - near if abs(n - near) <= NEAR // 2 and near > 2 * SMALL else n


def twin(
    outputs: Sequence[Operation], args: Sequence[Any], shrunk: Mapping[int, int]
) -> tuple[list[Operation], list[Any], dict[Var, Var]]:
    """The same definitions with other sizes, the arguments in terms of them, and the variables by those of the program.

    Raises TewbError when they have no source, or read out of bounds with these sizes.
    """
    source = _SmallSource(shrunk)
    for stage in Schedule(outputs).stages:
        source.define(stage.op)
    for t in (a for a in args if isinstance(a, Tensor) and a not in source.tensors):
        source.define(t.op)  # given, and not read
    source.declare([a for a in args if isinstance(a, Var)])
    defined = _run("\n".join(["import tewb", "from tewb import te", *source.lines, ""]))
    twin_tensors = {t: defined[name] for t, name in source.tensors.items()}
    for t, twin in twin_tensors.items():
        if getattr(twin.op, "unproved", ()) and not getattr(t.op, "unproved", ()):
            raise CannotCheck(f"with smaller sizes {t.name} may read out of bounds")
    twin_args = [twin_tensors[a] if isinstance(a, Tensor) else defined[source.vars[a]] for a in args]
    twins = {v: defined[name] for v, name in source.vars.items() if isinstance(defined.get(name), Var)}
    return [twin_tensors[op.output(0)].op for op in outputs], twin_args, twins


def _run(text: str) -> dict[str, Any]:
    """What a program defines. Its lines can be looked up, as hybrid functions do."""
    name = f"<small twin {hash(text):x}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    names: dict[str, Any] = {}
    exec(compile(text, name, "exec"), names)
    return names
