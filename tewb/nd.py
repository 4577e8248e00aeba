"""`nd`: arrays and devices under their classic names. An NDArray wraps a numpy array that begins at a multiple of 64
bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tewb.base import ArgumentError, here, masked_elements
from tewb.runtime import aligned_empty


class Device:
    """The CPU, the one device that tewb has."""

    def __init__(self, index: int = 0) -> None:
        self.index = index

    @property
    def exist(self) -> bool:
        return True

    def sync(self) -> None:
        """Kernels have finished when their call returns."""

    def __repr__(self) -> str:
        return f"cpu({self.index})"


def cpu(index: int = 0) -> Device:
    """The CPU."""
    return Device(index)


class NDArray:
    """A numpy array with the classic methods. `tewb_array` is that array, which kernels read and write."""

    def __init__(self, data: Any) -> None:
        self.tewb_array = data

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tewb_array.shape)

    @property
    def dtype(self) -> str:
        return str(self.tewb_array.dtype)

    def numpy(self) -> Any:
        """A copy as a numpy array."""
        return self.tewb_array.copy()

    asnumpy = numpy

    def copyfrom(self, source: Any) -> NDArray:
        """Fill this array with the values of `source`."""
        self.tewb_array[...] = source.tewb_array if isinstance(source, NDArray) else source
        return self

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.tewb_array, dtype)

    def __getitem__(self, index: Any) -> Any:
        return self.tewb_array[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.tewb_array[index] = value

    def __repr__(self) -> str:
        return f"NDArray({self.tewb_array!r})"


def array(data: Any, device: Any = None) -> NDArray:
    """A new array with the values of `data`; Python floats become float32, as classic TE had it."""
    if masked_elements(data):
        raise ArgumentError(
            f"a masked array that hides {masked_elements(data)} elements has no values there",
            hint="x.filled(value) gives an array",
            span=here(),
        )
    values = np.asarray(data.tewb_array if isinstance(data, NDArray) else data)
    classic = not isinstance(data, np.ndarray | NDArray) and values.dtype == np.float64
    return empty(values.shape, "float32" if classic else values.dtype).copyfrom(values)


def empty(shape: Any, dtype: Any = "float32", device: Any = None) -> NDArray:
    """A new array whose values are not set."""
    return NDArray(aligned_empty((shape,) if isinstance(shape, int) else tuple(shape), dtype))
