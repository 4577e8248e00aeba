"""Calls from kernels into Python: views, lifetimes, exceptions, threads; in machine code and through ctypes."""

from __future__ import annotations

import gc
import inspect
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tewb
from tests.in_threads import in_threads
from tewb import te
from tewb.base import ExternError
from tewb.codegen import compile as compile_file
from tewb.runtime import callbacks, remove_global_func

ROUTES = ["native", "ctypes"]


@pytest.fixture(autouse=True, params=ROUTES)
def route(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "ctypes":
        callbacks.register()
        monkeypatch.setattr(compile_file, "register_native", lambda: False)
    else:
        callbacks.register_native.cache_clear()
        assert callbacks.register_native()
    yield request.param
    callbacks.register_native.cache_clear()
    if tewb.get_global_func("test.f", allow_missing=True):
        remove_global_func("test.f")


def tiles(f: Callable[..., Any], n: int = 8, parallel: bool = False, dtype: str = "float32") -> Any:
    """A kernel that calls `f(a, b)` on the rows of (n, 16) arrays."""
    tewb.register_func("test.f", f, override=True)
    A = te.placeholder((n, 16), name="A", dtype=dtype)
    E = te.extern((n, 16), [A], lambda i, o: te.call_packed("test.f", i[0], o[0]), name="E",
                  access=te.access.elementwise)  # fmt: skip
    s = te.create_schedule(E.op)
    outer, _ = s[E].split("d0", 1)
    if parallel:
        s[E].parallel(outer)
    return tewb.build(s, [A, E])


def arrays(n: int = 8, dtype: str = "float32") -> tuple[Any, Any]:
    return np.arange(n * 16).reshape(n, 16).astype(dtype), np.zeros((n, 16), dtype)


def references(o: Any) -> int:
    """How many there are to `o`, with as many of ours each time: since 3.14 some of Python's own are not counted."""
    return sys.getrefcount(o)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint16", "int64", "bool"])
def test_views_have_the_dtype_and_the_memory(dtype: str) -> None:
    seen: list[Any] = []

    def f(a: Any, b: Any) -> None:
        seen.append((a.dtype, a.shape, a.flags.writeable, b.flags.writeable, a.flags.aligned))
        b[...] = a

    a, b = arrays(dtype=dtype)
    a.flags.writeable = False
    tiles(f, dtype=dtype)(a, b)
    np.testing.assert_array_equal(a, b)
    assert seen == [(np.dtype(dtype), (1, 16), False, True, True)] * 8


@pytest.mark.slow
def test_nothing_leaks() -> None:
    def f(a: Any, b: Any) -> None:
        b[...] = a

    kernel = tiles(f)
    a, b = arrays()
    kernel(a, b)
    gc.collect()  # what tests before this one left
    counted = (a, b, f, np.dtype("float32"))
    before = [references(o) for o in counted]
    gc.collect()
    objects = len(gc.get_objects())
    for _ in range(200):
        kernel(a, b)
    gc.collect()
    after = [references(o) for o in counted]
    assert max(abs(x - y) for x, y in zip(before, after, strict=True)) <= 1
    assert len(gc.get_objects()) - objects < 100


def test_nothing_leaks_when_callbacks_raise() -> None:
    def f(a: Any, b: Any) -> None:
        raise ValueError("no")

    kernel = tiles(f)
    a, b = arrays()
    before = references(a)
    for _ in range(200):
        with pytest.raises(ValueError, match="no"):
            kernel(a, b)
    gc.collect()
    assert references(a) == before


@pytest.mark.parametrize(
    "error",
    [KeyError("k"), StopIteration(), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError()],
)
@pytest.mark.parametrize("parallel", [False, True])
def test_every_exception_comes_back_as_itself(error: BaseException, parallel: bool) -> None:
    def f(a: Any, b: Any) -> None:
        raise error

    kernel = tiles(f, parallel=parallel)
    with pytest.raises(type(error)) as e:
        kernel(*arrays())
    assert e.value is error
    assert "f" in [frame.name for frame in e.traceback]


def test_the_first_exception_wins_and_the_others_stop() -> None:
    calls: list[int] = []

    def f(a: Any, b: Any) -> None:
        calls.append(1)
        raise ValueError(len(calls))

    kernel = tiles(f, n=400, parallel=True)
    for _ in range(20):
        calls.clear()
        with pytest.raises(ValueError, match=r"\d+"):
            kernel(*arrays(400))
        assert len(calls) <= 8


def test_a_kernel_in_a_callback_of_a_kernel() -> None:
    inner_calls: list[int] = []

    def leaf(a: Any, b: Any) -> None:
        inner_calls.append(1)
        b[...] = a + 1

    inner = tiles(leaf, n=1)

    def f(a: Any, b: Any) -> None:
        tewb.register_func("test.f", leaf, override=True)
        inner(a, b)

    outer = tiles(f)
    tewb.register_func("test.f", f, override=True)
    a, b = arrays()
    outer(a, b)
    np.testing.assert_array_equal(b, a + 1)
    assert len(inner_calls) == 8


def test_endless_recursion_is_an_exception() -> None:
    kernel: Any = None

    def f(a: Any, b: Any) -> None:
        kernel(a, b)

    kernel = tiles(f, n=1)
    with pytest.raises(RecursionError):
        kernel(*arrays(1))


def behind_an_intermediate() -> Any:
    """A kernel that calls `test.f(b, c)` on the rows of an intermediate b = a + 1."""
    tewb.register_func("test.f", lambda b, c: np.copyto(c, b), override=True)
    A = te.placeholder((8, 16), name="A")
    B = te.compute((8, 16), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.extern((8, 16), [B], lambda i, o: te.call_packed("test.f", i[0], o[0]), name="C")
    return tewb.build(te.create_schedule(C.op), [A, C])


def lost(*_: Any) -> None:
    """What a function does that Python cannot enter."""
    raise RecursionError


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ctypes drops is shown to nobody. pytest's hook needs stack, of which there may be none; `id` is in C."""
    monkeypatch.setattr(sys, "unraisablehook", id)


@pytest.mark.usefixtures("unheard")
@pytest.mark.parametrize("parallel", [False, True])
def test_a_callback_that_never_ran_is_no_success(
    route: str, parallel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ctypes tells nobody of an exception at the entry; machine code enters callbacks itself."""
    kernel = tiles(lambda a, b: np.copyto(b, a), parallel=parallel)
    a, b = arrays()
    with monkeypatch.context() as m:
        m.setattr(callbacks.Invocation, "call", lost)
        if route == "ctypes":
            with pytest.raises(ExternError, match=r"packed function test.f got no answer[\s\S]*fewer calls"):
                kernel(a, b)
            assert not b.any()
    kernel(a, b)
    np.testing.assert_array_equal(a, b)


@pytest.mark.usefixtures("unheard")
def test_memory_that_was_never_made_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = behind_an_intermediate()
    a, c = arrays()
    with monkeypatch.context() as m:
        m.setattr(callbacks.Invocation, "add", lost)
        with pytest.raises(ExternError, match="the intermediate B got no answer"):
            kernel(a, c)
    kernel(a, c)
    np.testing.assert_array_equal(c, a + 1)


@pytest.mark.usefixtures("unheard")
@pytest.mark.parametrize("with_memory", [False, True])
def test_at_the_end_of_the_stack_a_call_succeeds_or_raises(with_memory: bool) -> None:
    """However little of the stack is left: all of the callbacks have run, or there is an exception."""
    kernel = behind_an_intermediate() if with_memory else tiles(lambda a, b: np.copyto(b, a + 1))
    a, _ = arrays()
    for _ in range(2):
        kernel(a, np.zeros_like(a))  # from the second call on in machine code

    def nested(calls: int, c: Any) -> None:
        if calls:
            nested(calls - 1, c)
        else:
            kernel(a, c)

    used = len(inspect.stack(0))
    raised = []
    for margin in range(50):
        c = np.zeros_like(a)
        try:
            nested(sys.getrecursionlimit() - used - margin, c)
        except (RecursionError, ExternError) as e:
            raised.append(type(e))
        else:
            np.testing.assert_array_equal(c, a + 1)
    assert RecursionError in raised and len(raised) < 50


def test_an_exception_that_cannot_be_noted_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(a: Any, b: Any) -> None:
        raise ValueError("no")

    kernel = tiles(f)
    monkeypatch.setattr(callbacks.Invocation, "fail", lost)
    with pytest.raises(ValueError, match="no"):
        kernel(*arrays())


def test_parallel_callbacks_from_several_threads_at_once() -> None:
    def f(a: Any, b: Any) -> None:
        b[...] = a * 2

    kernel = tiles(f, n=64, parallel=True)

    def work() -> None:
        a, b = arrays(64)
        for _ in range(50):
            b[...] = 0
            kernel(a, b)
            np.testing.assert_array_equal(b, a * 2)

    in_threads(*[work] * 4)


@pytest.mark.usefixtures("unheard")
def test_an_interrupt_in_callbacks_in_c_returns_soon(route: str) -> None:
    # ctypes drops an interrupt that comes while it enters a callback, so that this one gives no answer.
    expected = KeyboardInterrupt if route == "native" else (KeyboardInterrupt, ExternError)
    A = te.placeholder((8, 16), name="A")
    tewb.register_func("test.f", np.positive, override=True)  # no Python code that would look for signals
    R = te.extern((1 << 20, 8, 16), [A], lambda i, o: te.call_packed("test.f", i[0], i[0]), name="R", dtype="int8",
                  access=lambda n, x, y: [[x, y]])  # fmt: skip
    s = te.create_schedule(R.op)
    s[R].split("d0", 1)
    kernel = tewb.build(s, [A, R])
    array, out = np.ones((8, 16), "float32"), np.zeros((1 << 20, 8, 16), "int8")
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    start = time.perf_counter()
    timer.start()
    with pytest.raises(expected):
        while True:
            kernel(array, out)
    assert time.perf_counter() - start < 20


def test_an_intermediate_that_somebody_looks_at_is_not_taken_again() -> None:
    kept: list[Any] = []

    def f(a: Any, b: Any) -> None:
        b[...] = a
        kept.append(b)

    tewb.register_func("test.f", f, override=True)
    A = te.placeholder((8, 16), name="A")
    E = te.extern((8, 16), [A], lambda i, o: te.call_packed("test.f", i[0], o[0]), name="E",
                  access=te.access.elementwise)  # fmt: skip
    C = te.compute((8, 16), lambda i, j: E[i, j], name="C")
    s = te.create_schedule(C.op)
    s[E].compute_at(s[C], "i")
    a, c = arrays()
    tewb.build(s, [A, C])(a, c)
    np.testing.assert_array_equal(c, a)
    for view in kept:
        assert np.isfinite(view).all()  # its memory is alive


def test_many_arguments_and_dimensions() -> None:
    seen: list[Any] = []
    tewb.register_func("test.f", lambda *x: seen.extend(x), override=True)
    shape = (1, 2, 1, 3, 1, 2, 2)
    A = te.placeholder(shape, name="A")
    E = te.extern(
        shape,
        [A],
        lambda i, o: te.call_packed("test.f", i[0], *range(40), 0.5, True, te.const(7, "uint8"), o[0]),
    )
    a, e = np.random.rand(*shape).astype("float32"), np.zeros(shape, "float32")
    tewb.build(te.create_schedule(E.op), [A, E])(a, e)
    np.testing.assert_array_equal(seen[0], a)
    assert seen[1:-1] == [*range(40), 0.5, True, 7]
    assert seen[-3] is True


def test_later_calls_check_their_arguments_in_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with a number among the arguments, and a size that is known at the call."""
    seen: list[Any] = []

    def f(a: Any, x: int, b: Any) -> None:
        seen.append(a.base)
        b[...] = a * x

    tewb.register_func("test.f", f, override=True)
    n, x = te.var("n"), te.var("x", "int32")
    A = te.placeholder((n, 16), name="A")
    E = te.extern((n, 16), [A], lambda i, o: te.call_packed("test.f", i[0], x, o[0]), name="E",
                  access=te.access.elementwise)  # fmt: skip
    s = te.create_schedule(E.op)
    s[E].split("d0", 1)
    kernel = tewb.build(s, [A, x, E])
    slow: list[Any] = []
    run = tewb.runtime.Kernel._call_in_python
    monkeypatch.setattr(
        tewb.runtime.Kernel, "_call_in_python", lambda self, values: (slow.append(1), run(self, values))[1]
    )
    for calls, rows in enumerate((3, 5, 4, 1)):
        a, b = arrays(rows)
        kernel(a, calls, b)
        np.testing.assert_array_equal(b, a * calls)
        assert np.shares_memory(seen.pop(), a)
    if kernel._direct is not None:
        assert len(slow) == 1  # the first
    with pytest.raises(tewb.base.ArgumentError, match="A has dtype float64"):
        kernel(a.astype("float64"), 1, b)
    wide = np.arange(128, dtype="float32").reshape(4, 32)
    kernel(wide[:, ::2], 3, arrays(4)[1])
    kernel(a, 2, b)
    seen.clear()
    gc.collect()  # what the exception held
    before = references(a)
    for _ in range(200):
        kernel(a, 2, b)
    seen.clear()
    assert references(a) == before


def test_many_intermediates_at_once() -> None:
    """More than there is room for at first; each is seen by its callbacks alone."""
    many = 40
    tewb.register_func(
        "test.f", lambda a, b: np.copyto(b, a + np.float32(1)) or time.sleep(0.0001), override=True
    )
    A = te.placeholder((8, 16), name="A")
    X = A
    for k in range(many):
        X = te.extern((8, 16), [X], lambda i, o: te.call_packed("test.f", i[0], o[0]), name=f"X{k}")
    C = te.compute((8, 16), lambda i, j: X[i, j], name="C")
    with tewb.PassContext(config={"tir.disable_storage_rewrite": True}):
        kernel = tewb.build(te.create_schedule(C.op), [A, C])
    a, c = arrays()
    for _ in range(3):
        kernel(a, c)
        np.testing.assert_array_equal(c, a + many)
