"""Writes `methods.pyi`, from which editors and mypy know the methods that primitives add to stages and schedules.

python -m tewb.schedule.stub
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

from tewb.schedule import PRIMITIVES
from tewb.schedule.methods import SchedulePrimitives, StagePrimitives

PATH = Path(__file__).with_name("methods.pyi")

_HEAD = (
    '"""Written by `python -m tewb.schedule.stub` from the declarations in `primitives/`. Do not edit."""\n'
)


def stub() -> str:
    """The text of `methods.pyi`, as the declarations have it now."""
    functions = [f for p in PRIMITIVES.values() for f in (p.call, *p.properties)]
    classes = [_class(owner) for owner in (StagePrimitives, SchedulePrimitives)]
    return "\n".join([_HEAD, *_imports(functions), "", *classes])


def _class(owner: type) -> str:
    """A class with its methods and properties."""
    methods = [_method(p.call) for p in PRIMITIVES.values() if p.owner is owner]
    properties = [f for p in PRIMITIVES.values() for f in p.properties if owner is StagePrimitives]
    methods += [f"@property\n{_method(f)}" for f in properties]
    body = [f'"""{owner.__doc__}"""', "__slots__ = ()", *methods]
    return f"class {owner.__name__}:\n{indent((chr(10) * 2).join(body), '    ')}\n"


def _method(f: Callable[..., Any]) -> str:
    """A function as a method: its first parameter is `self`."""
    signature = inspect.signature(f)
    _, *others = signature.parameters.values()
    params = ", ".join(["self", *map(_parameter, others)])
    text = inspect.cleandoc(f.__doc__ or "")
    end = "\n" if "\n" in text else ""
    doc = indent(f'"""{text}{end}"""', "    ")
    return f"def {f.__name__}({params}) -> {_said(signature.return_annotation)}:\n{doc}"


def _parameter(p: inspect.Parameter) -> str:
    star = "*" if p.kind is p.VAR_POSITIONAL else ""
    default = "" if p.default is p.empty else f" = {p.default!r}"
    return f"{star}{p.name}: {_said(p.annotation)}{default}"


def _said(annotation: Any) -> str:
    """A type as it was written."""
    return annotation if isinstance(annotation, str) else str(getattr(annotation, "__name__", annotation))


def _imports(functions: list[Callable[..., Any]]) -> list[str]:
    """The lines that import the types in the signatures."""
    types = {name: f.__globals__[name] for f in functions for name in _types(f)}
    return sorted(f"from {t.__module__} import {name} as {name}" for name, t in types.items())


def _types(f: Callable[..., Any]) -> Iterator[str]:
    _, *annotations = [p.annotation for p in inspect.signature(f).parameters.values()]
    for text in (*annotations, inspect.signature(f).return_annotation):
        names = (n.id for n in ast.walk(ast.parse(_said(text))) if isinstance(n, ast.Name))
        yield from (name for name in names if not hasattr(builtins, name))


if __name__ == "__main__":
    PATH.write_text(stub(), "utf-8")
