"""NDArray: a numpy array that also has the classic methods. Callbacks receive it, and `nd.array` makes it.

It is numpy's array in every way, and views of it are NDArrays too. What numpy computes from one is an ordinary
array or number, as from any other array.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tewb.base import ArgumentError, DTypeError, ShapeError, brief, here, is_in_numpy
from tewb.runtime.aligned_memory import aligned_empty
from tewb.runtime.devices import Device, cpu, present
from tewb.runtime.heap_types import without_head


@without_head
class NDArray(np.ndarray):
    """A numpy array with `asnumpy`, `copyto` and the other classic methods. It has no fields of its own, so that
    machine code can turn an array into one (see `native_calls.py`)."""

    __slots__ = ()
    __module__ = "tewb.nd"

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """What a numpy function returns for its result `array`: an ordinary array or number, or this array when
        the function wrote to it."""
        if array is self:
            return self
        return array[()] if return_scalar else array

    def numpy(self) -> np.ndarray[Any, Any]:
        """A copy as an ordinary numpy array, compact."""
        return np.array(self, order="C", subok=False)

    asnumpy = numpy

    def copyto(self, target: Any, mem_scope: str | None = None) -> Any:
        """Copy the values to another array of this shape, or to a new array on a device; returns that array.

        Floats may become narrower floats and integers other integers, as when numpy assigns. Raises ShapeError,
        DTypeError and ArgumentError.
        """
        if isinstance(target, Device | str):
            present(target)
            return new_array(self)
        if not isinstance(target, np.ndarray):
            raise ArgumentError(
                f"copyto takes an array or a device, not {brief(repr(target))}",
                hint="a.copyto(b), or a.copyto(tvm.cpu(0))",
                span=here(),
            )
        _check_target(self, target)
        if not np.can_cast(self.dtype, target.dtype, "same_kind"):
            raise DTypeError(
                f"copyto: {self.dtype} values do not become {target.dtype} by themselves",
                hint=f"nd.array(a.numpy().astype('{target.dtype}')).copyto(b)",
            )
        np.copyto(target, self, "same_kind")
        return target

    def copyfrom(self, source_array: Any) -> Self:
        """Fill this array with the values of `source_array`, which has its shape, converted to its dtype; returns this
        array. Raises ShapeError, DTypeError and ArgumentError."""
        source = source_values(source_array)
        _check_target(source, self)
        np.copyto(self, source, "unsafe")
        return self

    @property
    def device(self) -> Device:  # type: ignore[override]  # numpy has the word "cpu" there
        """Where the array is: `cpu(0)`."""
        return cpu()

    ctx = device

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very object."""
        return self is other

    def to_dlpack(self) -> Any:
        """A DLPack capsule of this array, which shares its memory."""
        return self.__dlpack__()


def _check_target(source: Any, target: Any) -> None:
    """Raise ShapeError or ArgumentError unless values of `source` can be stored in `target`, one in each element."""
    if source.shape != target.shape:
        raise ShapeError(
            f"an array of shape {source.shape} cannot be copied to one of shape {target.shape}", span=here()
        )
    if not target.flags.writeable:
        raise ArgumentError("the array to copy to is read-only", hint="copy to a new array", span=here())


def source_values(data: Any, dtype: Any = None) -> Any:
    """`data` as a numpy array of numbers. Python's own floats are float32, unless `dtype` says otherwise.

    Raises ShapeError for lists with rows of several lengths, and DTypeError for what has no numbers.
    """
    try:
        values = np.asarray(data, dtype)
    except ValueError as e:
        if "inhomogeneous" not in str(e):
            raise DTypeError(f"{brief(repr(data))} cannot become an array of {dtype or 'numbers'}") from None
        raise ShapeError(
            f"the rows of {brief(repr(data))} have several lengths, and an array has rows of one length",
            span=here(),
        ) from None
    except (TypeError, OverflowError):
        raise DTypeError(f"{brief(repr(data))} cannot become an array of {dtype or 'numbers'}") from None
    if not _are_numbers(values.dtype):
        what = brief(repr(data)) if values.dtype.kind in "OSU" else f"an array of {values.dtype}"
        raise DTypeError(f"{what} cannot become an array of float, int, uint or bool")
    return (
        _as_float32(values) if dtype is None and values.dtype == np.float64 and _is_pythons(data) else values
    )


def _are_numbers(kind: Any) -> bool:
    """Whether kernels compute with the elements of an array: numbers of numpy, or of ml_dtypes."""
    return bool(kind.itemsize <= 8) if kind.kind in "biuf" else not is_in_numpy(kind.name)


def _as_float32(values: Any) -> Any:
    """Python's floats as float32. Raises DTypeError for one that is too large for it."""
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    lost = np.isinf(narrow) & np.isfinite(values)
    if lost.any():
        raise DTypeError(
            f"{values[lost][0]} does not fit float32, which Python's floats become", hint='dtype="float64"'
        )
    return narrow


def _is_pythons(data: Any) -> bool:
    """Whether numbers are Python's own, or in lists of such, so that their dtype is for tewb to say."""
    if isinstance(data, list | tuple):
        return all(_is_pythons(x) for x in data)
    return isinstance(data, int | float) and not isinstance(data, np.generic)


def new_array(values: Any) -> NDArray:
    """A new compact NDArray with these values, at the start of a cache line, in this machine's byte order."""
    kind = np.dtype(values.dtype.name)  # the one object of this dtype, by which machine code knows it
    made: NDArray = aligned_empty(values.shape, kind).view(NDArray)
    np.copyto(made, values)
    return made


ARRAYS = (np.ndarray, NDArray)  # the classes whose objects machine code reads
