"""Packed functions: Python functions that kernels call by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from tewb.base import ExternError, here

_functions: dict[str, Callable[..., Any]] = {}


def register_func(
    name: str | Callable[..., Any], f: Callable[..., Any] | None = None, override: bool = False
) -> Any:
    """Register `f` under `name` (or use as a decorator: `@register_func("name")`).

    The function receives numpy views of the buffers, which share memory with the kernel's arrays, and
    numbers for scalars. Raises ExternError when the name is taken and `override` is off.
    """
    if callable(name):
        return _register(name.__name__, name, override)
    if f is None:
        return lambda g: _register(name, g, override)
    return _register(name, f, override)


def _register(name: str, f: Callable[..., Any], override: bool) -> Callable[..., Any]:
    if not callable(f):
        raise ExternError(
            f"register_func {name}: {f!r} cannot be called",
            hint='register_func("name", lambda a, b: ...)',
            span=here(),
        )
    if name in _functions and not override and _functions[name] is not f:
        raise ExternError(
            f"a packed function {name} exists already", hint="override=True replaces it", span=here()
        )
    _functions[name] = f
    return f


def get_global_func(name: str, allow_missing: bool = False) -> Callable[..., Any] | None:
    """The packed function `name`. Raises ExternError when there is none, unless `allow_missing`."""
    f = _functions.get(name)
    if f is None and not allow_missing:
        close = difflib.get_close_matches(name, _functions, 1)
        hint = f"did you mean {close[0]}?" if close else f'tewb.register_func("{name}", f) makes it known'
        raise ExternError(f"there is no packed function {name}", hint=hint)
    return f


def remove_global_func(name: str) -> None:
    """Forget the packed function `name`."""
    _functions.pop(name, None)


def list_global_func_names() -> list[str]:
    """The names of all packed functions."""
    return sorted(_functions)
