"""Devices: the CPU, which tewb has, and the others that classic programs ask about."""

from __future__ import annotations

import re
from typing import Any

from tewb.base import ArgumentError, brief, here

__all__ = [
    "Device", "cl", "context", "cpu", "cpu_pinned", "cuda", "device", "ext_dev", "gpu", "hexagon", "metal", "micro_dev", "mtl",
    "opencl", "opengl", "rocm", "vpi", "vulkan", "webgpu",
]  # fmt: skip

# The numbers of classic TE, which DLPack shares up to 17.
_NAMES = {
    1: "cpu", 2: "cuda", 3: "cpu_pinned", 4: "opencl", 5: "aocl", 6: "sdaccel", 7: "vulkan", 8: "metal", 9: "vpi",
    10: "rocm", 11: "opengl", 12: "ext_dev", 13: "micro_dev", 14: "hexagon", 15: "webgpu",
}  # fmt: skip
_TYPES = {name: number for number, name in _NAMES.items()} | {
    "llvm": 1, "stackvm": 1, "c": 1, "hybrid": 1, "gpu": 2, "nvptx": 2, "cl": 4, "mtl": 8,
}  # fmt: skip
_TEXT = re.compile(r"(\w+)(?::(\d+))?(?:\s.*)?", re.DOTALL)


class Device:
    """A device by its type and number, as `cpu(0)` and `cuda(0)`. The CPU exists; no other does, so that programs
    which ask for one (`tvm.gpu(0).exist`) go on without it. Equal devices compare and hash as one."""

    __slots__ = ("device_id", "device_type")
    device_type: int
    device_id: int

    # What classic TE told of GPUs: nothing, of a device that is not there.
    max_threads_per_block = warp_size = max_shared_memory_per_block = compute_version = device_name = None
    max_clock_rate = multi_processor_count = max_thread_dimensions = api_version = driver_version = None

    def __init__(self, device_type: int | str, device_id: int = 0) -> None:
        number = _TYPES.get(device_type) if isinstance(device_type, str) else device_type
        if number not in _NAMES:
            raise ArgumentError(
                f"there is no kind of device {brief(repr(device_type))}",
                hint='tvm.device("cpu", 0), or tvm.cpu(0)',
                span=here(),
            )
        if isinstance(device_id, bool) or not isinstance(device_id, int) or device_id < 0:
            raise ArgumentError(
                f"devices are numbered from 0, and this is {brief(repr(device_id))}",
                hint="tvm.cpu(0)",
                span=here(),
            )
        self.device_type, self.device_id = number, device_id

    @property
    def exist(self) -> bool:
        """Whether kernels can run on it."""
        return self.device_type == 1

    def sync(self, stream: Any = None) -> None:
        """Kernels have finished when their call returns. Raises ArgumentError for a device that is not there."""
        present(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Device):
            return NotImplemented
        return (self.device_type, self.device_id) == (other.device_type, other.device_id)

    def __hash__(self) -> int:
        return hash((self.device_type, self.device_id))

    def __repr__(self) -> str:
        return f"{_NAMES[self.device_type]}({self.device_id})"


def device(dev_type: Any, dev_id: int = 0) -> Device:
    """The device of a type and number: `device("cpu", 0)`, `device("llvm -mcpu=skylake")`, `device("cuda:1")`.

    A target may stand for its kind of device. Raises ArgumentError for a kind that classic TE did not have.
    """
    if isinstance(dev_type, Device):
        return dev_type
    if isinstance(dev_type, int) and not isinstance(dev_type, bool):
        return Device(dev_type, dev_id)
    text = getattr(getattr(dev_type, "kind", None), "name", None) or str(dev_type)
    match = _TEXT.fullmatch(text.strip())
    if match is None or match[1] not in _TYPES:
        raise ArgumentError(
            f"there is no kind of device {brief(repr(dev_type))}",
            hint='tvm.device("cpu", 0), or tvm.cpu(0)',
            span=here(),
        )
    return Device(match[1], int(match[2]) if match[2] else dev_id)


context = device


def cpu(dev_id: int = 0) -> Device:
    """The CPU. (All numbers are this machine's one CPU.)"""
    return Device("cpu", dev_id)


def cuda(dev_id: int = 0) -> Device:
    """A GPU of CUDA, which does not exist here."""
    return Device("cuda", dev_id)


gpu = cuda


def opencl(dev_id: int = 0) -> Device:
    """A device of OpenCL, which does not exist here."""
    return Device("opencl", dev_id)


cl = opencl


def opengl(dev_id: int = 0) -> Device:
    """A GPU of OpenGL, which does not exist here."""
    return Device("opengl", dev_id)


def metal(dev_id: int = 0) -> Device:
    """A GPU of Metal, which does not exist here."""
    return Device("metal", dev_id)


mtl = metal


def vulkan(dev_id: int = 0) -> Device:
    """A GPU of Vulkan, which does not exist here."""
    return Device("vulkan", dev_id)


def rocm(dev_id: int = 0) -> Device:
    """A GPU of ROCm, which does not exist here."""
    return Device("rocm", dev_id)


def vpi(dev_id: int = 0) -> Device:
    """A simulated Verilog device, which does not exist here."""
    return Device("vpi", dev_id)


def ext_dev(dev_id: int = 0) -> Device:
    """An extension device, which does not exist here."""
    return Device("ext_dev", dev_id)


def hexagon(dev_id: int = 0) -> Device:
    """A Hexagon processor, which does not exist here."""
    return Device("hexagon", dev_id)


def webgpu(dev_id: int = 0) -> Device:
    """A GPU of WebGPU, which does not exist here."""
    return Device("webgpu", dev_id)


def cpu_pinned(dev_id: int = 0) -> Device:
    """Memory of the CPU that a GPU reads too, which does not exist here."""
    return Device("cpu_pinned", dev_id)


def micro_dev(dev_id: int = 0) -> Device:
    """A microcontroller, which does not exist here."""
    return Device("micro_dev", dev_id)


def present(where: Any) -> Device:
    """The device that `where` names (None: the CPU). Raises ArgumentError for one that is not there."""
    if where is None:
        return cpu()
    if not isinstance(where, Device | str):
        raise ArgumentError(f"{brief(repr(where))} is no device", hint="tvm.cpu(0)", span=here())
    chosen = device(where)
    if not chosen.exist:
        raise ArgumentError(
            f"{chosen} does not exist: tewb computes on the CPU alone",
            hint=f"use tvm.cpu(0); a program can ask {chosen!r}.exist",
            span=here(),
        )
    return chosen
