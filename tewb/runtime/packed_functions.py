"""Packed functions: Python functions that kernels call by name."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from typing import Any, Literal, overload

from tewb.base import ExternError, brief, here
from tewb.runtime.conversion import PackedFunc

_functions: dict[str, Callable[..., Any]] = {}

# What classic TE brought along: the module and the name of each function, which is imported when it is asked for.
_SUPPLIED = {
    f"tvm.contrib.{library}.{name}": ("tewb.contrib.cblas", "packed_matmul")
    for library in ("cblas", "mkl")
    for name in ("matmul", "batch_matmul")
}


def register_func(
    func_name: str | Callable[..., Any], f: Callable[..., Any] | None = None, override: bool = False
) -> Any:
    """Register `f` under a name, and return it; or use as a decorator: `@register_func("name")`, or `@register_func`,
    which takes the name of the function.

    Kernels pass it views of their buffers without a copy (`NDArray`), and numbers for scalars. Raises ExternError when
    the name is taken and `override` is off; the same definition, run again, may have it.
    """
    if callable(func_name):
        return _register(getattr(func_name, "__name__", None), func_name, override)
    if f is None:
        return lambda g: _register(func_name, g, override)
    return _register(func_name, f, override)


def _register(name: Any, f: Callable[..., Any], override: bool) -> Callable[..., Any]:
    if not isinstance(name, str):
        raise ExternError(
            f"register_func takes a name first, not {brief(repr(name))}",
            hint='register_func("name", lambda a, b: ...)',
            span=here(),
        )
    if not callable(f):
        raise ExternError(
            f"register_func {name}: {brief(repr(f))} cannot be called",
            hint='register_func("name", lambda a, b: ...)',
            span=here(),
        )
    function = f.function if isinstance(f, PackedFunc) else f
    if name in _functions and not override and not _is_again(function, _functions[name]):
        raise ExternError(
            f"a packed function {name} exists already", hint="override=True replaces it", span=here()
        )
    _functions[name] = function
    return f


def _is_again(f: Any, g: Any) -> bool:
    """Whether `f` is `g`, or the same definition that ran again, as that of a notebook's cell."""
    if f is g:
        return True
    code, before = getattr(f, "__code__", None), getattr(g, "__code__", None)
    plain = all(
        getattr(x, "__closure__", None) is None and not getattr(x, "__defaults__", None) for x in (f, g)
    )
    return code is not None and code == before and f.__module__ == g.__module__ and plain


@overload
def get_global_func(name: str, allow_missing: Literal[False] = False) -> PackedFunc: ...
@overload
def get_global_func(name: str, allow_missing: bool) -> PackedFunc | None: ...
def get_global_func(name: str, allow_missing: bool = False) -> PackedFunc | None:
    """The packed function `name`. Raises ExternError when there is none, unless `allow_missing`."""
    if allow_missing and name not in _functions and name not in _SUPPLIED:
        return None
    return PackedFunc(registered_function(name))


def registered_function(name: str) -> Callable[..., Any]:
    """The Python function that is registered as `name`, which kernels call. Raises ExternError when there is none."""
    f = _functions.get(name)
    if f is None and name in _SUPPLIED:
        module, function = _SUPPLIED[name]
        f = _functions[name] = getattr(importlib.import_module(module), function)
    if f is None:
        close = difflib.get_close_matches(str(name), _functions, 1)
        hint = f"did you mean {close[0]}?" if close else f'tewb.register_func("{name}", f) makes it known'
        raise ExternError(f"there is no packed function {name}", hint=hint)
    return f


def remove_global_func(name: str) -> None:
    """Forget the packed function `name`, if there is one."""
    _functions.pop(name, None)


def list_global_func_names() -> list[str]:
    """The names of all packed functions."""
    return sorted(_functions)
