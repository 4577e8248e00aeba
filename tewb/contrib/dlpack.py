"""`contrib.dlpack`: kernels as functions of the tensors of another library, on the same memory."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from tewb import nd


def convert_func(
    tvm_func: Callable[..., Any], tensor_type: type, to_dlpack_func: Callable[[Any], Any]
) -> Any:
    """`tvm_func` as a function of tensors: each argument that is a `tensor_type` is shared as an NDArray, by the capsule
    that `to_dlpack_func` gives."""

    def function(*args: Any) -> Any:
        return tvm_func(
            *[nd.from_dlpack(to_dlpack_func(a)) if isinstance(a, tensor_type) else a for a in args]
        )

    return function


def to_pytorch_func(tvm_func: Callable[..., Any]) -> Any:
    """`tvm_func` as a function of the tensors of torch, which must be installed. (Kernels take them by themselves.)"""
    torch, capsules = (importlib.import_module(name) for name in ("torch", "torch.utils.dlpack"))
    return convert_func(tvm_func, torch.Tensor, capsules.to_dlpack)
