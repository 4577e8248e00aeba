"""`tvm.ir.PrimType` and `PointerType`: types as objects, of which variables are made. Here a type is a dtype. And the
numbers of kinds of dtypes."""

from __future__ import annotations

from typing import Any

from tewb.base import HANDLE, DType


class PrimType:
    """The type of numbers of a dtype."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = DType(dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrimType) and type(other) is type(self) and other.dtype is self.dtype

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.dtype))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dtype})"


class PointerType(PrimType):
    """The type of addresses of memory with elements of a type."""

    def __init__(self, element_type: PrimType, storage_scope: str = "") -> None:
        super().__init__(HANDLE)
        self.element_type, self.storage_scope = element_type, storage_scope


class DataTypeCode:
    """The numbers that stand for kinds of dtypes."""

    INT, UINT, FLOAT, HANDLE, BFLOAT = range(5)
