"""`error`: the classic names of errors. Every error that a program can make is a TewbError, which is a RuntimeError."""

from __future__ import annotations

from typing import Any

from tewb.base import InternalError, TewbError

TVMError = OpError = DiagnosticError = OpNotImplemented = RPCError = TewbError
OpAttributeInvalid = OpAttributeRequired = OpAttributeUnImplemented = TewbError

__all__ = [
    "DiagnosticError",
    "InternalError",
    "OpAttributeInvalid",
    "OpAttributeRequired",
    "OpAttributeUnImplemented",
    "OpError",
    "OpNotImplemented",
    "RPCError",
    "TVMError",
    "register_error",
]


def register_error(func_name: Any = None, cls: type | None = None) -> Any:
    """The class of errors as it is: what a packed function raises comes back as the same object. With a name alone, a
    decorator."""
    if isinstance(func_name, type):
        return func_name
    return (lambda c: c) if cls is None else cls
