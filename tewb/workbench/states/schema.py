"""States as JSON: how a dataclass is sent, its JSON Schema, and its TypeScript.

A state is a frozen dataclass of strings, numbers, booleans, None, other states, tuples and dicts with names as keys.
Its declaration is the only one: `frontend/src/states.ts` and the schema that programs read are written from it.
"""

from __future__ import annotations

import inspect
import json
import math
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tewb.base import TewbError, brief
from tewb.schedule import Step

VERSION = 1
"""The version of all states and requests: a change that takes away or renames a field raises it."""


_PLAIN = {int, str, float, bool, type(None)}


def as_json(x: Any) -> Any:
    """A state as dicts, lists and plain values. JSON has no NaN and no infinity: null stands for them."""
    kind = type(x)
    if kind is float and not math.isfinite(x):
        return None
    if kind in _PLAIN:
        return x
    if isinstance(x, tuple | list):
        return list(x) if _is_plain(x) else [as_json(item) for item in x]
    if isinstance(x, dict):
        return {key: as_json(value) for key, value in x.items()}
    if is_dataclass(kind):
        return {name: as_json(getattr(x, name)) for name in _names(kind)}
    return x


def json_text(x: Any) -> str:
    """What `as_json` made, as one line of ASCII that every reader of JSON takes."""
    return json.dumps(x, allow_nan=False)


def read_json(text: str) -> Any:
    """The value that a text is. Raises TewbError for what is no JSON."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as e:
        raise TewbError(f"this line is no JSON: {e}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no value of it")


@cache
def _names(state: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(state))


def _is_plain(items: Iterable[Any]) -> bool:
    """Whether items need no conversion: the long lists of a state are numbers, or strings."""
    kinds = set(map(type, items))
    return kinds <= _PLAIN and (
        float not in kinds or all(math.isfinite(x) for x in items if type(x) is float)
    )


# ---------------------------------------------------------------- JSON Schema


def json_schema(state: type) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a state; the states in it are its `$defs`."""
    used = {c.__name__: _object_schema(c) for c in states_in(state)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": f"#/$defs/{state.__name__}",
        "$defs": used,
    }


def _object_schema(state: type) -> dict[str, Any]:
    types_of = get_type_hints(state)
    return {
        "type": "object",
        "description": (state.__doc__ or "").strip(),
        "properties": {name: type_schema(types_of[name]) for name in _names(state)},
        "required": list(_names(state)),
        "additionalProperties": False,
    }


def type_schema(t: Any) -> dict[str, Any]:
    """The JSON Schema of a type that a field of a state may have."""
    simple = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
    if t is Any:
        return {}
    if t in simple:
        return {"type": simple[t]}
    if is_dataclass(t):
        return {"$ref": f"#/$defs/{t.__name__}"}  # type: ignore[union-attr]
    origin, args = get_origin(t), get_args(t)
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [type_schema(a) for a in args]}
    if origin in (tuple, list):
        return {"type": "array", "items": type_schema(args[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": type_schema(args[1])}
    raise TypeError(f"{t!r} has no place in a state")


def fits(value: Any, t: Any) -> bool:
    """Whether a value that was sent is of a type. A step may be an object of Python as well, and a list a tuple."""
    origin, inside = get_origin(t), get_args(t)
    if t is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(fits(value, x) for x in inside)
    if origin is list:
        return isinstance(value, list | tuple) and all(fits(x, inside[0]) for x in value)
    if origin is Literal:
        return isinstance(value, str) and value in inside
    if origin is dict:
        return isinstance(value, Step) or (
            isinstance(value, Mapping)
            and all(isinstance(k, str) and fits(x, inside[1]) for k, x in value.items())
        )
    if t in (int, float):
        is_number = isinstance(value, int if t is int else int | float) and not isinstance(value, bool)
        return is_number and (t is int or abs(value) <= _LARGEST)
    return isinstance(value, t)


_LARGEST = sys.float_info.max  # NaN is not smaller either


def check_arguments(what: str, types_of: Mapping[str, Any], act: Callable[..., Any], given: Any) -> None:
    """Raise TewbError for arguments that a function of a session does not take: no mapping by names, another name, one that
    is missing, or another type. `what` is what a person calls the function."""
    hint = f"it takes {', '.join(types_of) or 'nothing'}"
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise TewbError(f"{what} has arguments by their names, not {brief(repr(given))}", hint=hint)
    try:
        inspect.signature(act).bind(None, **given)
    except TypeError as e:
        raise TewbError(f"{what}: {e}", hint=hint) from None
    for name, value in given.items():
        if not fits(value, types_of[name]):
            raise TewbError(
                f"{what}: {name} is {in_words(types_of[name])}, not {brief(repr(value))}", hint=hint
            )


def in_words(t: Any) -> str:
    """A type that is sent, as a person calls it."""
    origin, inside = get_origin(t), get_args(t)
    if origin in (Union, types.UnionType):
        return " or ".join(map(in_words, inside))
    if origin is list:
        return "a list" if inside[0] is Any else f"a list, each of whose items is {in_words(inside[0])}"
    if origin is Literal:
        return " or ".join(f'"{word}"' for word in inside)
    if origin is dict and inside[1] is not Any:
        return f"an object, each of whose values is {in_words(inside[1])}"
    plain = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}
    return plain.get(t, "an object")


def states_in(*roots: type) -> list[type]:
    """`roots` and the states that their fields hold, each once, those that are held first."""
    found: dict[type, None] = {}
    open_: set[type] = set()

    def visit(state: type) -> None:
        if state in found or state in open_:
            return
        open_.add(state)
        for t in get_type_hints(state).values():
            for inner in _dataclasses_of(t):
                visit(inner)
        found[state] = None

    for root in roots:
        visit(root)
    return list(found)


def _dataclasses_of(t: Any) -> Iterator[type]:
    if is_dataclass(t) and isinstance(t, type):
        yield t
    for a in get_args(t):
        yield from _dataclasses_of(a)


# ---------------------------------------------------------------- TypeScript


def typescript(states: Iterable[type]) -> str:
    """Interfaces for states and what they hold."""
    return "\n\n".join(_interface(s) for s in states_in(*states)) + "\n"


def _interface(state: type) -> str:
    types_of = get_type_hints(state)
    rows = [f"  {name}: {type_text(types_of[name])};" for name in _names(state)]
    doc = " ".join((state.__doc__ or "").split())
    return "\n".join([f"/** {doc} */", f"export interface {state.__name__} {{", *rows, "}"])


def type_text(t: Any) -> str:
    """The TypeScript of a type that a field of a state may have."""
    simple: dict[Any, str] = {
        str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", Any: "unknown",
    }  # fmt: skip
    if t in simple:
        return simple[t]
    if is_dataclass(t):
        return t.__name__  # type: ignore[union-attr]
    origin, args = get_origin(t), get_args(t)
    write: dict[Any, Callable[[], str]] = {
        Literal: lambda: " | ".join(f'"{a}"' for a in args),
        Union: lambda: " | ".join(map(type_text, args)),
        types.UnionType: lambda: " | ".join(map(type_text, args)),
        tuple: lambda: _array(args[0]),
        list: lambda: _array(args[0]),
        dict: lambda: f"Record<string, {type_text(args[1])}>",
    }
    if origin not in write:
        raise TypeError(f"{t!r} has no place in a state")
    return write[origin]()


def _array(t: Any) -> str:
    text = type_text(t)
    return f"({text})[]" if "|" in text else f"{text}[]"
