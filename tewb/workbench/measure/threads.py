"""Measuring the threads: a kernel built to be traced runs beside the ordinary one, and the middle call is kept."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tewb.arith import evaluate_number
from tewb.base import ArgumentError, Stop, Stopped, TewbError, check_given, here, stopped_by
from tewb.driver import build_ir
from tewb.ir import Allocate, Call, Expr, For, IRModule, Node, Stmt, Var, free_vars, script_lines, walk
from tewb.runtime import Kernel, ThreadTrace, get_num_threads, trace_threads
from tewb.tensor import Tensor
from tewb.workbench.journal.timeline import Journal
from tewb.workbench.measure.counts import value_of
from tewb.workbench.measure.interruptible import interruptible, wait_for_given_up
from tewb.workbench.measure.measure import empty_outputs, in_order, inputs_of, sizes_now, sizes_text
from tewb.workbench.measure.thread_loops import LoopFacts, TaskMemory, Where
from tewb.workbench.measure.thread_times import ThreadTimes
from tewb.workbench.measure.trials import Progress
from tewb.workbench.session_view import SessionView

Symbols = Mapping[Var, int]


def measure_threads(
    session: SessionView,
    repeat: int = 9,
    seconds: float = 10.0,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> ThreadTimes:
    """What each thread does in a call of the kernel: the middle one, by its time, of `repeat` calls after a first one.

    The result is not checked. Calls end after about `seconds`, or soon after `stop()` is true, with those that were
    made; `progress(done, what)` is told what goes on. Raises TewbError when there was time for none, and what the kernel
    raises.
    """
    if not isinstance(repeat, int) or isinstance(repeat, bool) or repeat < 1:
        raise ArgumentError(f"repeat={repeat!r} is no number of calls", hint="repeat=9", span=here())
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not seconds > 0:
        raise ArgumentError(f"seconds={seconds!r} is no limit of time", hint="seconds=10", span=here())
    for name, given in (("stop", stop), ("progress", progress)):
        is_right, hint = given is None or callable(given), f"leave {name} out, or give a function"
        check_given(is_right, name, given, "a function", hint, ArgumentError)
    end = time.monotonic() + seconds

    def over() -> bool:
        return time.monotonic() > end or (stop is not None and stop())

    with stopped_by(over):
        try:
            return _measure(session, repeat, over, progress or (lambda done, what: None))
        except Stopped:
            raise TewbError(
                f"no call was over when it was stopped, or after {seconds:g} s",
                hint=f"measure_threads(seconds={10 * seconds:g}) waits longer",
                span=here(),
            ) from None


def _measure(session: SessionView, repeat: int, over: Stop, tell: Progress) -> ThreadTimes:
    wait_for_given_up(tell)
    sizes = sizes_now(session)
    tell(0.0, "building")
    plain, traced, journal = _kernels_now(session)
    tell(0.1, "making inputs")
    inputs, outputs = interruptible(lambda: (inputs_of(session, sizes), empty_outputs(session, sizes)))
    arguments = in_order(session.args, inputs, outputs, sizes)
    # Python in a kernel may take as long as it likes: it can be given up.
    call: Callable[[Callable[[], Any]], Any] = interruptible if plain.signature.packed else lambda f: f()
    traces: list[ThreadTrace] = []
    times: list[float] = []
    for n in range(repeat + 1):
        tell(0.1 + 0.9 * n / (repeat + 1), f"call {n + 1} of {repeat + 1}")
        try:
            trace = call(lambda: trace_threads(lambda: traced(*arguments)))
            if n == 1:
                traces, times = [], []  # the first call started threads and touched memory
            traces.append(trace)
            times.append(call(lambda: _seconds(lambda: plain(*arguments))))
        except Stopped:
            if not traces:
                raise
            break
        if over():
            break
    trace = _middle(traces, [t.seconds for t in traces])
    threads = max(get_num_threads(), len(trace.threads))
    tensors = [a for a in session.args if isinstance(a, Tensor)]
    symbols = {v: value_of(v, sizes) for t in tensors for n in t.shape for v in free_vars(n)}
    facts = _facts_by_line(traced, symbols)
    alone = _middle(times, times) if times else trace.seconds
    return ThreadTimes(trace, facts, threads, processors(), alone, journal, sizes_text(session, sizes))


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _middle(items: list[Any], keys: list[float]) -> Any:
    """The item whose key is the median (the lower of two)."""
    order = sorted(range(len(items)), key=lambda n: keys[n])
    return items[order[(len(order) - 1) // 2]]


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _kernels_now(session: SessionView) -> tuple[Kernel, Kernel, Journal]:
    """The kernel, the same to be traced, and the journal that they are of, although the schedule may be edited."""
    while True:
        journal = session.journal
        module = IRModule({session.name: session.function})
        if session.journal == journal:
            return build_ir(module), build_ir(module, traced=True), journal


# ---------------------------------------------------------------- what is known of a loop without running it


def _facts_by_line(kernel: Kernel, symbols: Symbols) -> dict[int, LoopFacts]:
    """All loops of a kernel, by their lines in its low-level IR."""
    heap = set(kernel.signature.intermediates)
    lines = enumerate(script_lines(kernel.code.module), 1)
    return {n: _facts(line.node, heap, symbols) for n, line in lines if isinstance(line.node, For)}


def _facts(loop: For, heap: set[str], symbols: Symbols) -> LoopFacts:
    origin = loop.origin
    stage, axis = (None, None) if origin is None else (origin.stage, origin.axis)
    name = f"{stage}.{axis}" if stage and axis else loop.var.name
    calls = any(isinstance(n, Call) and n.op.startswith("tvm_call_packed") for n in walk(loop.body))
    return LoopFacts(name, stage, axis, tuple(_memory(loop.body, 1.0, heap, symbols)), calls)


def _memory(s: Node, times: float | None, heap: set[str], symbols: Symbols) -> Iterator[TaskMemory]:
    """The allocations in a statement that runs `times` times; of an unrolled one, each copy."""
    if isinstance(s, For):
        count = _value(s.extent, symbols)
        times = None if times is None or count is None else times * count
    if isinstance(s, Allocate):
        b = s.buffer
        where: Where = "registers" if b.scope == "register" else "heap" if b.name in heap else "stack"
        elements = _value(b.shape[0], symbols)
        yield TaskMemory(b.name, None if elements is None else elements * b.dtype.nbytes, times, where)
    for child in s.children():
        if isinstance(child, Stmt):
            yield from _memory(child, times, heap, symbols)


def _value(e: Expr, symbols: Symbols) -> int | None:
    """The value of a size, where it is one of numbers and symbolic sizes."""
    value = evaluate_number(e, symbols.get)
    return None if value is None else int(value)
