"""Types as objects."""

from __future__ import annotations

from tewb import tir
from tewb.compat.types import DataTypeCode, PointerType, PrimType


def test_variables_are_made_of_types() -> None:
    assert tir.Var("n", PrimType("int64")).dtype == "int64"
    assert tir.Var("p", PointerType(PrimType("float32"), "global")).dtype == "handle"
    assert PrimType("int32") == PrimType("int32") and hash(PrimType("int32")) == hash(PrimType("int32"))
    assert PrimType("handle") != PointerType(PrimType("int8")) and repr(PrimType("int8")) == "PrimType(int8)"


def test_kinds_of_dtypes_have_numbers() -> None:
    assert (DataTypeCode.INT, DataTypeCode.FLOAT, DataTypeCode.HANDLE) == (0, 2, 3)
