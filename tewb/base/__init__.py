"""Errors, source spans, dtypes and configuration: what every other package stands on."""

from tewb.base.config import PassContext, option
from tewb.base.deep import any_depth
from tewb.base.dtypes import BOOL, FLOAT32, FLOAT64, HANDLE, INT32, INT64, UINT64, DType
from tewb.base.errors import (
    ArgumentError,
    BoundError,
    CodegenError,
    DTypeError,
    ExpressionError,
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
from tewb.base.given import check_given, is_count, one_of
from tewb.base.masks import masked_elements
from tewb.base.names import comment, fresh_identifier, identifier, literal, printable
from tewb.base.natives import CType, Native, native, register_native
from tewb.base.python_text import UnreadableError, around, brief, python_lines, python_tree
from tewb.base.span import Span, here
from tewb.base.stopping import PATIENCE, Stop, Stopped, check_stopped, may_be_stopped, stopped_by
from tewb.base.symbols import kernel_symbol, llvm_name, llvm_string, why_no_symbol
from tewb.base.traceback import render_with

__all__ = [
    "BOOL",
    "FLOAT32",
    "FLOAT64",
    "HANDLE",
    "INT32",
    "INT64",
    "PATIENCE",
    "UINT64",
    "ArgumentError",
    "BoundError",
    "CType",
    "CodegenError",
    "DType",
    "DTypeError",
    "ExpressionError",
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
    "Stop",
    "Stopped",
    "TewbError",
    "TewbWarning",
    "UnreadableError",
    "any_depth",
    "around",
    "brief",
    "check_stopped",
    "check_given",
    "comment",
    "fresh_identifier",
    "here",
    "identifier",
    "is_count",
    "kernel_symbol",
    "literal",
    "llvm_name",
    "llvm_string",
    "may_be_stopped",
    "masked_elements",
    "native",
    "one_of",
    "option",
    "printable",
    "python_lines",
    "python_tree",
    "register_native",
    "render_with",
    "stopped_by",
    "why_no_symbol",
]
