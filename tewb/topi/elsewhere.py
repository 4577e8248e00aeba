"""Schedules of other targets, as names only: `topi.cuda`, `topi.hls` and others stand in the tables of programs that choose by
target. They can be looked up, and say at use what tewb does instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tewb.base import TewbError, here
from tewb.topi import nn, x86

DEVICES = ("adreno", "bifrost", "cuda", "gpu", "hexagon", "hls", "intel_graphics", "mali", "rocm")


class Elsewhere(ModuleType):
    """The operators and schedules of a kind of device that tewb makes no code for."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        path = f"{self.__name__.removeprefix('tewb.')}.{name}"

        def refuse(*_: Any, **__: Any) -> Any:
            raise TewbError(
                f"{path}: tewb makes code for processors only",
                hint=f'with target "llvm", topi.x86.{name} or topi.nn has the same',
                span=here(),
            )

        refuse.__name__ = refuse.__qualname__ = name
        return refuse


class OtherProcessor(ModuleType):
    """A processor of another make: the schedules of `topi.x86` are those of every processor."""

    def __getattr__(self, name: str) -> Any:
        plain = name.removesuffix("_spatial_pack")
        for module in (x86, nn):
            if hasattr(module, plain):
                return getattr(module, plain)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def modules(package: str) -> dict[str, ModuleType]:
    """The modules by their names, which can be imported from now on."""
    by_name: dict[str, ModuleType] = {name: Elsewhere(f"{package}.{name}") for name in DEVICES}
    by_name["arm_cpu"] = OtherProcessor(f"{package}.arm_cpu")
    for module in by_name.values():
        sys.modules.setdefault(module.__name__, module)
    return by_name
