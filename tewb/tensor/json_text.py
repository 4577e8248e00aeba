"""Programs as JSON, and back: expressions, statements, functions, modules, and tensors with all that they are computed from.

Each object is written once, so that what is shared stays shared and variables stay the same. Reading makes objects of
known classes only, and executes nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tewb import ir
from tewb.base import (
    Array,
    DType,
    Map,
    ParseError,
    ShapeTuple,
    String,
    TewbError,
    any_depth,
    here,
    with_article,
)
from tewb.ir import Buffer, ExternRegion, IRModule, IterVar, Node, PrimFunc
from tewb.tensor.compute import ComputeOp
from tewb.tensor.domains import Domain
from tewb.tensor.placeholder import PlaceholderOp
from tewb.tensor.scan import ScanOp
from tewb.tensor.tensor import Tensor

_ENUMS: tuple[type[Enum], ...] = (ir.ForKind, ir.AxisKind)
_CLASSES: dict[str, type] = {
    c.__name__: c
    for c in (
        *(c for c in vars(ir).values() if isinstance(c, type) and issubclass(c, Node) and hasattr(c, "_kinds")),
        Buffer, ComputeOp, Domain, ExternRegion, IRModule, IterVar, PlaceholderOp, PrimFunc, ScanOp, Tensor,
    )
}  # fmt: skip
_CONTAINERS: dict[str, Any] = {c.__name__: c for c in (Array, Map, ShapeTuple, String)}
_LEFT_OUT = ("origin", "span")  # where it was written


@dataclass(frozen=True, slots=True)
class SavedAs:
    """How objects of a class are saved: as `parts`, from which `put_together` fills a new one again."""

    cls: type
    parts: Callable[[Any], Any]
    put_together: Callable[[Any, Any], None]


def _fields(cls: type) -> list[str]:
    """The fields of the objects of a class."""
    if issubclass(cls, Node):
        return [f for f in getattr(cls, "field_names", ()) if f not in _LEFT_OUT]
    slots = (s for c in cls.__mro__ for s in getattr(c, "__slots__", ()))
    return [f for f in slots if f not in _LEFT_OUT]


@any_depth
def save_json(node: Any, others: Mapping[str, SavedAs] | None = None) -> str:
    """A node, a function, a module, a tensor, or a list or dict of them, as JSON. `others` are further classes by their
    names. Raises TewbError for what only its own Python code knows, such as an extern."""
    others = others or {}
    objects: list[Any] = []
    numbers: dict[int, int] = {}
    kept: list[object] = []

    def written(x: Any) -> Any:
        if isinstance(x, DType):
            return {"dtype": str(x)}
        if _CONTAINERS.get(type(x).__name__) is type(x):
            content = str(x) if isinstance(x, str) else [*x.items()] if isinstance(x, Map) else [*x]
            return {"container": [type(x).__name__, written(content)]}
        if x is None or isinstance(x, bool | int | str):
            return str(x) if isinstance(x, str) else x
        if isinstance(x, float):
            return x if math.isfinite(x) else {"float": repr(x)}
        if isinstance(x, Enum) and isinstance(x, _ENUMS):
            return {"enum": [type(x).__name__, x.name]}
        if isinstance(x, list | tuple):
            return {"list" if isinstance(x, list) else "tuple": [written(y) for y in x]}
        if isinstance(x, dict):
            return {"dict": [[written(key), written(value)] for key, value in x.items()]}
        if id(x) not in numbers:
            other = others.get(type(x).__name__)
            if _CLASSES.get(type(x).__name__) is not type(x) and other is None:
                raise TewbError(
                    f"save_json: {with_article(type(x).__name__)} is known to its own Python code only",
                    hint="nodes, functions, modules, schedules, placeholders and computes can be saved",
                    span=here(),
                )
            numbers[id(x)] = len(objects)
            kept.append(x)
            objects.append(None)
            fields = {f: getattr(x, f) for f in _fields(type(x)) if hasattr(x, f)} if other is None else {}
            own = {f: written(value) for f, value in ({"parts": other.parts(x)} if other else fields).items()}
            objects[numbers[id(x)]] = [type(x).__name__, own]
        return {"object": numbers[id(x)]}

    root = written(node)
    return json.dumps({"tewb": 1, "root": root, "objects": objects})


@any_depth
def load_json(json_str: str, others: Mapping[str, SavedAs] | None = None) -> Any:
    """What `save_json` wrote. Raises ParseError for any other text."""
    others = others or {}
    try:
        text = json.loads(json_str)
        objects: list[tuple[str, dict[str, Any]]] = text["objects"]
        classes = {**_CLASSES, **{name: other.cls for name, other in others.items()}}
        made: list[Any] = [object.__new__(classes[name]) for name, _ in objects]

        def read(x: Any) -> Any:
            if not isinstance(x, dict):
                return x
            ((kind, value),) = x.items()
            match kind:
                case "dtype":
                    return DType(value)
                case "float":
                    return float(value)
                case "enum":
                    return next(e for e in _ENUMS if e.__name__ == value[0])[value[1]]
                case "container":
                    return _CONTAINERS[value[0]](read(value[1]))
                case "list":
                    return [read(y) for y in value]
                case "tuple":
                    return tuple(read(y) for y in value)
                case "dict":
                    return {read(k): read(v) for k, v in value}
                case "object":
                    return made[value]
            raise KeyError(kind)

        for thing, (name, own) in zip(made, objects, strict=True):
            if name in others:
                continue
            for f in _LEFT_OUT:
                if hasattr(type(thing), f):
                    object.__setattr__(thing, f, None)
            for f in _fields(type(thing)):
                if f in own:
                    object.__setattr__(thing, f, read(own[f]))
            if isinstance(thing, IRModule):
                thing.functions = IRModule(thing.functions).functions
        for thing, (name, own) in zip(made, objects, strict=True):
            if name in others:
                others[name].put_together(thing, read(own["parts"]))
        return read(text["root"])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration) as e:
        raise ParseError(f"load_json: this is no JSON that save_json wrote: {e!r}", span=here()) from None
