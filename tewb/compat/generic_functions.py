"""`tvm.target.generic_func`: functions that are chosen by the target around a call.

@tvm.target.generic_func
def schedule(outs): ...                      # for any target

@schedule.register(["cpu"])
def schedule_cpu(outs): ...                  # where the keys of the target name it

with tvm.target.Target("llvm"):
    schedule(outs)                           # calls schedule_cpu
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tewb.base import TewbError, here
from tewb.target import Target

Function = Callable[..., Any]


class GenericFunction:
    """A function with others that are called in its place, by keys of targets."""

    def __init__(self, name: str, default: Function | None = None) -> None:
        self.__name__ = name
        self.default = default
        self.fdispatch: dict[str, Function] = {}

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call what is registered for the first key of the current target that has something, or the default. Raises
        TewbError when there is neither."""
        target = Target.current(allow_none=True)
        keys = () if target is None else (target.kind.name, *target.keys)
        chosen = next((self.fdispatch[k] for k in keys if k in self.fdispatch), self.default)
        if chosen is None:
            raise TewbError(
                f"{self.__name__} has no function for {target or 'no target at all'}",
                hint=f"it has some for {', '.join(self.fdispatch) or 'none'}: register one, or a default",
                span=here(),
            )
        return chosen(*args, **named)

    def set_default(self, func: Function, allow_override: bool = False) -> None:
        """Call `func` where nothing else is registered. Raises TewbError when there is a default, unless it may be replaced."""
        if self.default is not None and not allow_override:
            raise self._taken("a default")
        self.default = func

    def register(self, func: Any, key_list: Any = None, allow_override: bool = False) -> Any:
        """Call `func` for targets with one of the keys. With keys alone, a decorator. Raises TewbError for a key that
        is taken, unless it may be replaced."""
        if not callable(func):
            return lambda f: self.register(f, func, allow_override)
        keys: Iterable[str] = [key_list] if isinstance(key_list, str) else key_list
        for key in keys:
            if key in self.fdispatch and not allow_override:
                raise self._taken(f"a function for {key}")
            self.fdispatch[key] = func
        return func

    def get_packed_func(self) -> Function:
        """The function that a call in this place calls."""
        return self

    def _taken(self, what: str) -> TewbError:
        return TewbError(
            f"{self.__name__} has {what} already", hint="allow_override=True replaces it", span=here()
        )


_named: dict[str, GenericFunction] = {}


def generic_func(fdefault: Function) -> GenericFunction:
    """Make a function generic; it is the default (a decorator)."""
    return GenericFunction(fdefault.__name__, fdefault)


def get_native_generic_func(name: str) -> GenericFunction:
    """The generic function of this name, which is made when it is asked for first."""
    return _named.setdefault(name, GenericFunction(name))


def override_native_generic_func(func_name: str) -> Callable[[Function], GenericFunction]:
    """A decorator: the function becomes the default of the generic function `func_name`, which comes back."""

    def decorate(default: Function) -> GenericFunction:
        generic = get_native_generic_func(func_name)
        generic.set_default(default, allow_override=True)
        return generic

    return decorate
