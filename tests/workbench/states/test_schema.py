"""Dataclasses become JSON, JSON Schema and TypeScript."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from tewb.base import TewbError
from tewb.workbench.states.schema import (
    as_json,
    fits,
    in_words,
    json_schema,
    json_text,
    read_json,
    states_in,
    type_schema,
    type_text,
    typescript,
)


@dataclass(frozen=True)
class Inner:
    """Held by another."""

    name: str


@dataclass(frozen=True)
class Outer:
    """Holds others, and itself."""

    count: int
    kind: Literal["a", "b"]
    items: tuple[Inner, ...]
    maybe: float | None
    by_name: dict[str, Inner]
    inside: tuple[Outer, ...] = ()


STATE = Outer(3, "a", (Inner("x"), Inner("y")), None, {"k": Inner("z")}, (Outer(0, "b", (), 0.5, {}),))


def test_a_state_is_plain_values() -> None:
    assert as_json(STATE) == {
        "count": 3,
        "kind": "a",
        "items": [{"name": "x"}, {"name": "y"}],
        "maybe": None,
        "by_name": {"k": {"name": "z"}},
        "inside": [{"count": 0, "kind": "b", "items": [], "maybe": 0.5, "by_name": {}, "inside": []}],
    }
    assert as_json((1, "a", None)) == [1, "a", None] and as_json([(1,), (2,)]) == [[1], [2]]


def test_the_schema_says_what_each_field_is() -> None:
    s = json_schema(Outer)
    assert s["$ref"] == "#/$defs/Outer" and list(s["$defs"]) == ["Inner", "Outer"]
    fields = s["$defs"]["Outer"]["properties"]
    assert fields["kind"] == {"enum": ["a", "b"]} and fields["maybe"] == {
        "anyOf": [{"type": "number"}, {"type": "null"}]
    }
    assert fields["items"] == {"type": "array", "items": {"$ref": "#/$defs/Inner"}}
    assert fields["by_name"] == {"type": "object", "additionalProperties": {"$ref": "#/$defs/Inner"}}
    assert s["$defs"]["Outer"]["required"] == ["count", "kind", "items", "maybe", "by_name", "inside"]


def test_the_typescript_has_an_interface_for_each_state_once() -> None:
    text = typescript([Outer, Inner])
    assert text.count("export interface Inner {") == 1 and "/** Holds others, and itself. */" in text
    assert (
        '  kind: "a" | "b";\n  items: Inner[];\n  maybe: number | null;\n  by_name: Record<string, Inner>;'
        in text
    )


def test_states_that_hold_each_other_are_listed_once() -> None:
    assert states_in(Outer) == [Inner, Outer]


@pytest.mark.parametrize(
    ("t", "text"), [(tuple[str | None, ...], "(string | null)[]"), (list[int], "number[]"), (Any, "unknown")]
)
def test_types_as_text(t: Any, text: str) -> None:
    assert type_text(t) == text


@pytest.mark.parametrize("t", [complex, set[int]])
def test_what_is_no_json_has_no_place_in_a_state(t: Any) -> None:
    with pytest.raises(TypeError, match="has no place in a state"):
        type_schema(t)
    with pytest.raises(TypeError, match="has no place in a state"):
        type_text(t)


def test_json_has_no_numbers_that_json_has_not() -> None:
    nan, inf = float("nan"), float("inf")
    assert as_json((1.5, nan)) == [1.5, None] and as_json({"a": inf, "b": (1, 2)}) == {"a": None, "b": [1, 2]}
    assert json_text(as_json([nan, -inf, "é\ud800"])) == '[null, null, "\\u00e9\\ud800"]'
    with pytest.raises(ValueError):
        json_text(nan)


@pytest.mark.parametrize("text", ["{", "NaN", '{"a": -Infinity}', "[" * 100_000])
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises(TewbError, match="this line is no JSON"):
        read_json(text)


def test_types_as_they_are_sent() -> None:
    assert (
        fits(3, float) and not fits(float("nan"), float) and not fits(10**400, float) and fits(10**400, int)
    )
    assert fits("a", Literal["a", "b"]) and not fits("c", Literal["a", "b"]) and not fits(["a"], Literal["a"])
    assert (
        fits({"a": "x"}, dict[str, str])
        and not fits({"a": 1}, dict[str, str])
        and not fits({1: "a"}, dict[str, Any])
    )
    assert in_words(Literal["a", "b"]) == '"a" or "b"' and in_words(dict[str, str]).endswith("values is text")
