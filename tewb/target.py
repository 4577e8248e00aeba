"""`target`: what code is made for, by the classic names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm

from tewb.codegen import is_known_intrinsic
from tewb.runtime import Target
from tewb.tensor import intrinsic_name, intrinsic_number

__all__ = [
    "Target",
    "arm_cpu",
    "create",
    "current_target",
    "list_kinds",
    "list_tags",
    "llvm_get_intrinsic_name",
    "llvm_lookup_intrinsic_id",
    "llvm_version_major",
]

list_kinds, list_tags = Target.list_kinds, Target.list_tags


def create(target: Any = None, host: Any = None) -> Target:
    """The target that a text or a dict describes, such as "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1"."""
    return Target(target, host)


def current_target(allow_none: bool = True) -> Target | None:
    """The target of the innermost `with` block, as `Target.current`; raises CodegenError without one if that is not allowed."""
    return Target.current(allow_none)


_BOARDS = {
    "rasp3b": "-mtriple=armv7l-linux-gnueabihf -mattr=+neon",
    "rasp3b64": "-mtriple=aarch64-linux-gnu -mattr=+neon",
    "rasp4b": "-mtriple=armv8l-linux-gnueabihf -mattr=+neon",
    "rasp4b64": "-mtriple=aarch64-linux-gnu -mattr=+neon -mcpu=cortex-a72",
    "rk3399": "-mtriple=aarch64-linux-gnu -mattr=+neon",
    "rk3328": "-mtriple=aarch64-linux-gnu",
    "pynq": "-mtriple=armv7a-linux-eabi -mattr=+neon",
    "ultra96": "-mtriple=aarch64-linux-gnu -mattr=+neon",
    "pixel2": "-mtriple=arm64-linux-android -mattr=+neon",
    "mate10": "-mtriple=arm64-linux-android -mattr=+neon",
}


def arm_cpu(model: str = "unknown", options: str | Sequence[str] | None = None) -> Target:
    """The processor of an ARM board, such as "rasp4b64"."""
    more = options.split() if isinstance(options, str) else options or ()
    words = ("llvm", "-keys=arm_cpu,cpu", f"-model={model}", _BOARDS.get(model, ""), *more)
    return Target(" ".join(word for word in words if word))


def llvm_version_major(allow_none: bool = False) -> int:
    """The version of LLVM that makes machine code."""
    return int(llvm.llvm_version_info[0])


def llvm_lookup_intrinsic_id(name: str) -> int:
    """A number for an intrinsic of LLVM, which `tir.call_llvm_intrin` takes in the place of its name; 0 if there is no
    such intrinsic. It holds in this process."""
    return intrinsic_number(name) if is_known_intrinsic(name) else 0


def llvm_get_intrinsic_name(intrin_id: int) -> str:
    """The name of the intrinsic that has a number of `llvm_lookup_intrinsic_id`."""
    return intrinsic_name(intrin_id)
