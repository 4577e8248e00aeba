"""Packed functions by name: registration, lookup, what they take and return."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import nd, te
from tewb.base import ExternError
from tewb.runtime import (
    PackedFunc,
    convert,
    get_global_func,
    list_global_func_names,
    packed_functions,
    register_func,
    remove_global_func,
)


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(packed_functions, "_functions", {})
    yield


def test_registration_as_a_decorator_with_and_without_name() -> None:
    @register_func
    def first(x: Any) -> Any:
        return x + 1

    @register_func("test.second")
    def second(x: Any) -> Any:
        return x + 2

    register_func("test.third", lambda x: x + 3)
    register_func(func_name="test.fourth", f=lambda x: x + 4, override=True)
    assert list_global_func_names() == ["first", "test.fourth", "test.second", "test.third"]
    assert [get_global_func(name)(1) for name in list_global_func_names()] == [2, 5, 3, 4]
    assert first(1) == 2
    assert second(1) == 3


def test_a_name_is_taken_once() -> None:
    def f() -> int:
        return 1

    register_func("test.f", f)
    register_func("test.f", f)  # the same again
    with pytest.raises(ExternError, match="a packed function test.f exists already"):
        register_func("test.f", lambda: 2)
    with pytest.raises(ExternError, match="exists already"):
        register_func("test.f")(lambda: 2)
    assert get_global_func("test.f")() == 1
    register_func("test.f", lambda: 2, override=True)
    assert get_global_func("test.f")() == 2
    register_func("test.f", override=True)(lambda: 3)
    assert get_global_func("test.f")() == 3


def test_a_definition_that_runs_again_is_no_second_one() -> None:
    """As the cell of a notebook."""
    cell = "def f(): return 1"
    for _ in range(2):
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(cell, "<cell>", "exec"), names)
        register_func("test.f", names["f"])
    assert get_global_func("test.f").function is names["f"]
    for other in ("def f(): return 2", "\ndef f(): return 1", "def f(x=1): return 1"):
        exec(compile(other, "<cell>", "exec"), names)
        with pytest.raises(ExternError, match="exists already"):
            register_func("test.f", names["f"])


def test_functions_with_other_variables_around_are_others() -> None:
    def made(n: int) -> Any:
        return lambda: n

    register_func("test.f", made(1))
    with pytest.raises(ExternError, match="exists already"):
        register_func("test.f", made(2))


def test_lookup_gives_a_packed_function() -> None:
    register_func("test.f", lambda *args: tuple(args) == (10, 10.0, "hello"))
    f = get_global_func("test.f")
    assert isinstance(f, PackedFunc)
    assert f(10, 10.0, "hello") is True
    assert f == get_global_func("test.f", True)


def test_a_missing_function() -> None:
    register_func("test.one", print)
    assert get_global_func("test.two", True) is None
    assert get_global_func("test.two", allow_missing=True) is None
    with pytest.raises(
        ExternError, match=r"(?s)there is no packed function test.on.*did you mean test.one\?"
    ):
        get_global_func("test.on")
    remove_global_func("test.one")
    remove_global_func("test.one")
    assert get_global_func("test.one", True) is None


@pytest.mark.parametrize(
    ("name", "f", "said"),
    [
        ("x", 5, "register_func x: 5 cannot be called"), (5, print, "takes a name first, not 5"),
 (None, print, "takes a name first, not None"),
        (PackedFunc(print).__call__, None, None),
    ],
)  # fmt: skip
def test_misuse_of_registration(name: Any, f: Any, said: str | None) -> None:
    if said is None:
        register_func(name)  # a method has a name
        return
    with pytest.raises(ExternError, match=said):
        register_func(name, f)


def test_a_callback_takes_objects_and_functions() -> None:
    x = convert(10)

    @register_func
    def my_callback_with_node(y: Any, f: Any) -> Any:
        assert y is x
        return f(y)

    assert get_global_func("my_callback_with_node")(x, convert(lambda y: y)).value == 10


def test_kernels_call_a_packed_function_that_was_converted() -> None:
    def double(a: Any, b: Any) -> None:
        b[...] = a * 2

    register_func("test.double", convert(double))
    assert get_global_func("test.double").function is double
    A = te.placeholder((4,), name="A")
    E = te.extern((4,), [A], lambda i, o: te.call_packed("test.double", i[0], o[0]), name="E")
    kernel = tewb.build(te.create_schedule(E.op), [A, E])
    a, e = nd.array([1.0, 2, 3, 4]), nd.empty((4,))
    kernel(a, e)
    np.testing.assert_array_equal(e, a * 2)
    f, out = get_global_func("test.double"), np.zeros(4, "float32")
    f(a, out)
    np.testing.assert_array_equal(out, a * 2)


def test_a_kernel_is_registered_and_called() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1, name="B")
    register_func("test.kernel", tewb.build(te.create_schedule(B.op), [A, B]))
    b = nd.empty((4,))
    get_global_func("test.kernel")(np.zeros(4, "float32"), b)
    assert b.tolist() == [1, 1, 1, 1]
