"""Errors, source spans, dtypes and configuration: what every other package stands on."""

from tewb.base.config import PassContext, option
from tewb.base.dtypes import BOOL, FLOAT32, FLOAT64, HANDLE, INT32, INT64, UINT64, DType
from tewb.base.errors import (
    ArgumentError,
    BoundError,
    CodegenError,
    DTypeError,
    ExternError,
    HybridError,
    InternalError,
    LowerError,
    ParseError,
    ScheduleError,
    ShapeError,
    TewbError,
    TewbWarning,
)
from tewb.base.natives import CType, Native, native, register_native
from tewb.base.span import Span, here
from tewb.base.symbols import kernel_symbol, llvm_name, llvm_string, why_no_symbol
from tewb.base.traceback import render_with

__all__ = [
    "BOOL",
    "FLOAT32",
    "FLOAT64",
    "HANDLE",
    "INT32",
    "INT64",
    "UINT64",
    "ArgumentError",
    "BoundError",
    "CType",
    "CodegenError",
    "DType",
    "DTypeError",
    "ExternError",
    "HybridError",
    "InternalError",
    "LowerError",
    "Native",
    "ParseError",
    "PassContext",
    "ScheduleError",
    "ShapeError",
    "Span",
    "TewbError",
    "TewbWarning",
    "here",
    "kernel_symbol",
    "llvm_name",
    "llvm_string",
    "native",
    "option",
    "register_native",
    "render_with",
    "why_no_symbol",
]
