"""`error`: the classic names of errors. Every error that a program can make is a TewbError, which is a RuntimeError."""

from tewb.base import InternalError, TewbError

TVMError = OpError = DiagnosticError = TewbError

__all__ = ["DiagnosticError", "InternalError", "OpError", "TVMError"]
