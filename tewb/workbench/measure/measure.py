"""Measuring: the kernel, numpy and a pinned schedule in turn, and the check without which no time is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tewb.base import ArgumentError, Stop, Stopped, check_given, from_memory, here, memory_dtype, stopped_by
from tewb.driver import build_ir
from tewb.ir import Reduce, Var, const_int, free_vars
from tewb.lowering import lower_schedule, told_by
from tewb.runtime import Kernel, get_num_threads
from tewb.schedule import Schedule, Step, steps_of
from tewb.tensor import ComputeOp, PlaceholderOp, Tensor
from tewb.testing import evaluate, tolerance
from tewb.workbench.journal.timeline import Journal
from tewb.workbench.measure.counts import Sizes, least_bytes, operations, shape_of, value_of
from tewb.workbench.measure.interruptible import LONG, interruptible, wait_for_given_up
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.measure.suitable_inputs import suitable_inputs
from tewb.workbench.measure.trials import Progress, in_turn, numpy_threads
from tewb.workbench.session_view import SessionView

Arrays = dict[Tensor, Any]
Pinned = Schedule | Iterable[Step | Mapping[str, Any]]


def measure(
    session: SessionView,
    repeat: int = 9,
    stop: Stop | None = None,
    progress: Progress | None = None,
    pinned: Pinned | None = None,
    cold: bool = True,
) -> Measurement:
    """Check the kernel of a session against its reference, then time both in turn, warm and cold.

    `pinned` is a third contestant: a schedule of the same program, or the steps of one. It is checked like the
    kernel. `progress(done, what)` is told what goes on (`done` from 0 to 1).

    `stop()` ends the sampling early, and within a second whatever takes longer: a build, a call of a kernel, a run of
    numpy (which is given up, and waited for by the next measurement).
    """
    if not isinstance(repeat, int) or repeat < 1:
        raise ArgumentError(f"repeat={repeat!r} is no number of samples", hint="repeat=9", span=here())
    for name, given in (("stop", stop), ("progress", progress)):
        is_right, hint = given is None or callable(given), f"leave {name} out, or give a function"
        check_given(is_right, name, given, "a function", hint, ArgumentError)
    with stopped_by(stop):
        try:
            return _measure(session, repeat, stop, progress or (lambda done, what: None), pinned, cold)
        except Stopped:
            return Measurement(False, STOPPED, journal=session.journal)


def _measure(
    session: SessionView, repeat: int, stop: Stop | None, tell: Progress, pinned: Pinned | None, cold: bool
) -> Measurement:
    wait_for_given_up(tell)
    sizes = sizes_now(session)
    tell(0.0, "building")
    kernel, journal = _kernel_now(session)
    other = None if pinned is None else _pinned_kernel(session, pinned)
    tell(0.05, "checking the result")
    began = time.perf_counter()
    inputs, outputs, expected = interruptible(lambda: prepare(session, sizes))
    is_long = time.perf_counter() - began > LONG
    arguments = in_order(session.args, inputs, outputs, sizes)
    facts: dict[str, Any] = {
        "sizes": sizes_text(session, sizes),
        "operations": operations(session.schedule.outputs, sizes),
        "bytes": least_bytes(session.args, sizes),
        "workers": workers_of(kernel),
        "journal": journal,
    }
    began = time.perf_counter()
    wrong = check(kernel, arguments, outputs, expected)
    if wrong:
        return Measurement(False, wrong, **facts)
    calls_long = time.perf_counter() - began > LONG
    run_reference, name = reference_call(session, inputs, sizes)
    run = (lambda: interruptible(run_reference)) if is_long else run_reference
    own: Callable[[], Any] = lambda: kernel(*arguments)  # noqa: E731
    contestants = [(lambda: interruptible(own)) if calls_long else own, run]
    if other is not None:
        its_outputs = {t: filled_like(a) for t, a in outputs.items()}
        its_arguments = in_order(session.args, inputs, its_outputs, sizes)
        began = time.perf_counter()
        problem = check(other, its_arguments, its_outputs, expected)
        is_long = time.perf_counter() - began > LONG
        facts["pinned_message"] = problem or EQUAL + _other_threads(workers_of(other), workers_of(kernel))
        if not problem:
            its_own: Callable[[], Any] = lambda: other(*its_arguments)  # noqa: E731
            contestants.append((lambda: interruptible(its_own)) if is_long else its_own)
    many = workers_of(kernel) > 1 or (other is not None and workers_of(other) > 1)
    with numpy_threads(workers_of(kernel)) as threads:
        trials = in_turn(
            contestants, repeat, stop, lambda done, what: tell(0.1 + 0.9 * done, what), cold, many
        )
    mine, numpys = trials[:2]
    facts |= {"kernel": mine.warm, "cold": mine.cold, "numpy": numpys.warm, "numpy_cold": numpys.cold}
    if len(trials) > 2:
        facts |= {"pinned": trials[2].warm, "pinned_cold": trials[2].cold}
    early = " (stopped early)" if len(mine.warm.results) < repeat else ""
    return Measurement(True, EQUAL + early, reference=name, threads=threads, **facts)


EQUAL = "result equals numpy's"
STOPPED = "stopped before it was timed"


def _kernel_now(session: SessionView) -> tuple[Kernel, Journal]:
    """The kernel and the journal that it is of, although the schedule may be edited while it is built."""
    while True:
        journal = session.journal
        kernel = session.build()
        if session.journal == journal:
            return kernel, journal


def _pinned_kernel(session: SessionView, pinned: Pinned) -> Kernel:
    """The kernel of a schedule, or of the steps of one. Raises ScheduleError for steps that are refused."""
    if isinstance(pinned, Schedule):
        schedule = pinned
    else:
        schedule = session.schedule.untouched()
        schedule.restore(steps_of(pinned, "pinned=session.pinned.schedule, or the steps of a journal"))
    return build_ir(lower_schedule(schedule, session.args, session.name))


def workers_of(kernel: Kernel) -> int:
    """How many threads a kernel runs on."""
    return get_num_threads() if kernel.signature.has_parallel else 1


def _other_threads(pinned: int, own: int) -> str:
    return "" if pinned == own else ", on one thread" if pinned == 1 else f", on {pinned} threads"


def check(kernel: Kernel, arguments: Sequence[Any], outputs: Arrays, expected: Arrays) -> str | None:
    """Run a kernel once, and say which output first differs from what is expected, and where; None when none
    does. A kernel that is not wanted any more is given up, although it may be inside of the user's own code."""
    interruptible(lambda: kernel(*arguments))
    return wrong_output(outputs, expected)


def wrong_output(outputs: Arrays, expected: Arrays) -> str | None:
    """Which output first differs from what is expected, and where; None when none does."""
    for t, got in outputs.items():
        wrong = difference(t, got, expected[t])
        if wrong:
            return f"{t.name} differs from numpy: {wrong}"
    return None


# ---------------------------------------------------------------- arrays


def prepare(session: SessionView, sizes: Sizes) -> tuple[Arrays, Arrays, Arrays]:
    """Arrays for the inputs, empty ones for the outputs, and what the outputs should be. `sizes` are those of `sizes_now`
    when the measurement began: a session may be given others meanwhile."""
    computed = _computed(session)
    inputs = inputs_of(session, sizes)
    if session.reference is not None:
        # Copies, for a numpy program may compute in place.
        result = session.reference(*[a.copy(order="K") for a in inputs.values()])
        results = list(result) if isinstance(result, tuple | list) else [result]
        if len(results) != len(computed):
            raise ArgumentError(
                f"the reference gives {len(results)} arrays for {len(computed)} outputs",
                hint=f"it returns {', '.join(t.name for t in computed)}, in this order",
            )
    else:
        scalars = {a: value_of(a, sizes, 1) for a in session.args if isinstance(a, Var)}
        results = evaluate(computed, inputs, scalars)
    expected = {t: np.asarray(r) for t, r in zip(computed, results, strict=True)}
    return inputs, empty_outputs(session, sizes), expected


def inputs_of(session: SessionView, sizes: Sizes) -> Arrays:
    """The arrays that a session was given for its inputs, or random ones."""
    given = [a for a in session.args if isinstance(a, Tensor) and isinstance(a.op, PlaceholderOp)]
    if session.inputs is None:
        return suitable_inputs(session.schedule.outputs, given, sizes, np.random.default_rng(0))
    if len(session.inputs) != len(given):
        raise ArgumentError(
            f"{len(session.inputs)} inputs for {len(given)}: {', '.join(t.name for t in given)}",
            hint=f"Session(s, args, inputs=[{', '.join(t.name.lower() for t in given)}])",
        )
    inputs = {t: np.asarray(a) for t, a in zip(given, session.inputs, strict=True)}
    for t, a in inputs.items():
        wanted = shape_of(t, sizes)
        if a.shape != wanted:
            raise ArgumentError(
                f"the input for {t.name} has shape {a.shape}, not {wanted}",
                hint=f"inputs are in the order of the arguments: {', '.join(t.name for t in given)}",
            )
    return inputs


def empty_outputs(session: SessionView, sizes: Sizes) -> Arrays:
    """Arrays for the outputs, full of a value that shows where nothing is written."""
    return {t: filled_like(np.empty(shape_of(t, sizes), memory_dtype(t.dtype))) for t in _computed(session)}


def _computed(session: SessionView) -> list[Tensor]:
    return [a for a in session.args if isinstance(a, Tensor) and not isinstance(a.op, PlaceholderOp)]


def sizes_now(session: SessionView) -> Sizes:
    """The values of symbolic sizes: those that a session gives or its inputs tell, and some for all others."""
    tensors = [a for a in session.args if isinstance(a, Tensor) and isinstance(a.op, PlaceholderOp)]
    known = {
        v: value
        for t, a in zip(tensors, session.inputs or (), strict=False)
        for n, size in zip(t.shape, np.shape(a), strict=False)
        for v, value in told_by(n, size).items()
    }
    sizes = {**session.sizes, **known}
    shapes = [n for a in session.args if isinstance(a, Tensor) for n in a.shape]
    return sizes | {v: value_of(v, sizes) for n in shapes for v in free_vars(n)}


def symbols_now(session: SessionView) -> dict[str, float]:
    """The values that symbolic sizes and scalars have in a measurement, by their names."""
    return symbols_of(session, sizes_now(session))


def symbols_of(session: SessionView, sizes: Sizes) -> dict[str, float]:
    """As `symbols_now`, with the sizes of a measurement."""
    scalars = [a for a in session.args if isinstance(a, Var)]
    known = [*session.schedule.size_variables().values(), *scalars]
    return {v.name: float(value_of(v, sizes, 1)) for v in known}


def sizes_text(session: SessionView, sizes: Sizes | None = None) -> str:
    """The values of symbolic sizes and scalars in words, now if no others are given. Times are of these sizes: those of
    others are not the program's now."""
    symbols = symbols_of(session, sizes_now(session) if sizes is None else sizes)
    return ", ".join(f"{name} = {value:,.12g}" for name, value in symbols.items())


def filled_like(a: Any) -> Any:
    """An array like `a` full of a value that no result is likely to have: what is not written shows."""
    return np.full(a.shape, 77).astype(a.dtype)


def in_order(args: Sequence[Any], inputs: Arrays, outputs: Arrays, sizes: Sizes) -> list[Any]:
    """The arrays and scalars in the order of the kernel's parameters."""
    arrays = {**inputs, **outputs}
    return [arrays[a] if isinstance(a, Tensor) else value_of(a, sizes, 1) for a in args]


def reference_call(session: SessionView, inputs: Arrays, sizes: Sizes) -> tuple[Callable[[], Any], str]:
    """What is timed against the kernel: the user's numpy program, or the definition."""
    reference = session.reference
    if reference is not None:
        values = list(inputs.values())
        return lambda: reference(*values), "numpy"
    results = [a for a in session.args if isinstance(a, Tensor) and not isinstance(a.op, PlaceholderOp)]
    scalars = {a: value_of(a, sizes, 1) for a in session.args if isinstance(a, Var)}
    return lambda: evaluate(results, inputs, scalars), "numpy, by the definition"


# ---------------------------------------------------------------- the check


def difference(t: Tensor, got: Any, want: Any) -> str | None:
    """Where an output first differs from the reference beyond what its dtype allows; None when it does not."""
    if got.shape != want.shape:
        return f"its shape is {got.shape} and the reference's {want.shape}"
    rtol, atol = tolerance(t.dtype, terms_of(t))
    got, want = from_memory(got, t.dtype), from_memory(want, t.dtype)
    finite = want[np.isfinite(want)] if t.dtype.is_float else want[:0]
    scale = float(np.max(np.abs(finite), initial=0.0))
    close = np.isclose(got, want, rtol=rtol, atol=atol * max(scale, 1.0), equal_nan=True)
    if close.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~close)[0])
    return f"first at {at}: {got[at]} instead of {want[at]} ({int((~close).sum())} of {got.size} elements)"


def terms_of(t: Tensor) -> int:
    """How many terms the longest sum below `t` has."""
    most, seen, pending = 1, set(), [t.op]
    while pending:
        op = pending.pop()
        if op in seen:
            continue
        seen.add(op)
        if isinstance(op, ComputeOp) and isinstance(op.body[0], Reduce):
            domains = [op.domain(iv) for iv in op.reduce_axis]
            sizes = [const_int(r.extent) or 1024 for r in domains if r is not None]
            most = max(most, int(np.prod(sizes)))
        pending.extend(i.op for i in op.inputs)
    return most
