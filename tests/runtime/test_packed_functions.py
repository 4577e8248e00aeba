"""Packed functions are kept by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tewb.base import ExternError
from tewb.runtime import (
    get_global_func,
    list_global_func_names,
    packed_functions,
    register_func,
    remove_global_func,
)


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    functions: dict[str, Any] = {}
    monkeypatch.setattr(packed_functions, "_functions", functions)
    yield functions


def test_the_three_ways_to_register(registry: dict[str, Any]) -> None:
    @register_func("b")
    def first() -> None: ...

    @register_func
    def a() -> None: ...

    assert register_func("c", print) is print
    assert registry == {"b": first, "a": a, "c": print} and list_global_func_names() == ["a", "b", "c"]
    assert get_global_func("b") is first


def test_a_taken_name_is_replaced_when_that_is_wanted() -> None:
    register_func("f", print)
    register_func("f", print)  # the same
    with pytest.raises(ExternError, match="a packed function f exists already") as e:
        register_func("f", repr)
    assert e.value.hint == "override=True replaces it" and e.value.span is not None
    assert get_global_func("f") is print
    register_func("f", repr, override=True)
    assert get_global_func("f") is repr


def test_what_cannot_be_called_is_refused() -> None:
    for make in (lambda: register_func("f", 3), lambda: register_func("f")(3)):  # type: ignore[arg-type]
        with pytest.raises(ExternError, match="register_func f: 3 cannot be called"):
            make()


def test_a_missing_function_is_answered_with_a_hint() -> None:
    register_func("scale_rows", print)
    with pytest.raises(
        ExternError, match="there is no packed function scale_row\n.*did you mean scale_rows?"
    ):
        get_global_func("scale_row")
    with pytest.raises(ExternError, match=r'tewb.register_func\("xyz", f\) makes it known'):
        get_global_func("xyz")
    assert get_global_func("xyz", allow_missing=True) is None


def test_a_removed_function_is_gone() -> None:
    register_func("f", print)
    for _ in range(2):
        remove_global_func("f")
        assert list_global_func_names() == []
