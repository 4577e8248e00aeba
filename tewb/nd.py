"""`nd`: arrays and devices under their classic names. An NDArray is a numpy array with a few methods more; those that
are made here begin at a multiple of 64 bytes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tewb.base import ArgumentError, DType, DTypeError, ShapeError, brief, here, masked_elements, other_memory
from tewb.ir import Expr, const_int
from tewb.runtime import NDArray, aligned_empty, devices, new_array, present, source_values
from tewb.runtime.devices import *  # noqa: F403  (they have one list)

__all__ = ["NDArray", "array", "empty", "from_dlpack", "numpyasarray"]
__all__ += devices.__all__


def array(
    arr: Any, device: Any = None, mem_scope: str | None = None, *, dtype: Any = None, ctx: Any = None
) -> NDArray:
    """A new array with the values of `arr`, on the CPU.

    numpy's values keep their dtype; Python's own floats become float32, as classic TE had it for most of its time, and
    its ints int64, unless `dtype` says otherwise. `ctx` is the old name of `device`. Raises ShapeError, DTypeError
    and ArgumentError.
    """
    present(ctx if device is None else device)
    if masked_elements(arr):
        raise ArgumentError(
            f"a masked array that hides {masked_elements(arr)} elements has no values there",
            hint="x.filled(value) gives an array",
            span=here(),
        )
    return new_array(source_values(arr, None if dtype is None else numpy_dtype(dtype)))


def empty(
    shape: Any, dtype: Any = "float32", device: Any = None, mem_scope: str | None = None, *, ctx: Any = None
) -> NDArray:
    """A new array whose values are not set, on the CPU. Raises ShapeError, DTypeError and ArgumentError."""
    present(ctx if device is None else device)
    sizes = tuple([_size(n) for n in (shape if isinstance(shape, list | tuple) else (shape,))])
    kind = numpy_dtype(dtype)
    try:
        made: NDArray = aligned_empty(sizes, kind).view(NDArray)
    except (MemoryError, ValueError, OverflowError):
        raise ArgumentError(
            f"there is no memory for an array of {sizes} {kind}: {math.prod(sizes) * kind.itemsize / 2**30:.3g} GiB",
            span=here(),
        ) from None
    return made


def numpyasarray(np_data: Any) -> NDArray:
    """A numpy array as an NDArray on the same memory. Raises DTypeError for what has no numbers."""
    view: NDArray = source_values(np_data).view(NDArray)
    return view


def from_dlpack(dltensor: Any) -> NDArray:
    """An array that shares the memory of `dltensor`: a DLPack capsule, or any array that gives one (`__dlpack__`).
    Raises ArgumentError."""
    is_array = hasattr(dltensor, "__dlpack__")
    try:
        shared = np.from_dlpack(dltensor) if is_array else _writable(np.from_dlpack(_Capsule(dltensor)))
    except Exception as e:  # whatever its owner raises
        raise ArgumentError(
            f"{brief(repr(dltensor))} cannot be shared by DLPack: {e}",
            hint="nd.from_dlpack(x) takes an array of numpy, torch or jax, or x.to_dlpack()",
            span=here(),
        ) from e
    view: NDArray = shared.view(NDArray)
    return view


class _Capsule:
    """A DLPack capsule as an object that gives it."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **keywords: Any) -> Any:
        if type(self.capsule).__name__ != "PyCapsule":
            raise TypeError("it has no __dlpack__ and is no capsule")
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def _writable(a: Any) -> Any:
    """An array that can be written. numpy takes the memory of a capsule for read-only, since a capsule does not say."""
    return np.asarray(_Memory(a))


class _Memory:
    """The memory of an array, to be read and written."""

    def __init__(self, a: Any) -> None:
        self.owner = a
        interface = a.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def numpy_dtype(dtype: Any) -> Any:
    """A dtype by its classic name (`"float"` is float32, `"int"` is int32), as numpy has it. Raises DTypeError."""
    if dtype == "float16" or (isinstance(dtype, np.dtype | type) and np.dtype(dtype) == np.float16):
        return np.dtype("float16")
    known = DType(dtype)
    hint = None
    if known.lanes > 1:
        hint = f'a shape (..., {known.lanes}) of "{known.element}"'
    elif known.kind not in ("handle", "void"):
        try:
            return np.dtype(str(known))
        except (
            TypeError
        ):  # a dtype of kernels that numpy does not have, and no program has imported ml_dtypes
            hint = other_memory(known, "import ml_dtypes, which has it")
    raise DTypeError(f"an array cannot hold {known}", hint=hint)


def _size(n: Any) -> int:
    """A size: an int, a constant of an expression, or a float that is whole. Raises ShapeError."""
    value = const_int(n) if isinstance(n, Expr) else n
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise ShapeError(
            f"{brief(repr(n))} is no size of an array",
            hint="sizes are whole numbers from 0 on: nd.empty((3, 4))",
            span=here(),
        )
    return int(value)
