"""The classic names of errors."""

from __future__ import annotations

import pytest

import tewb
from tewb import error, te


def test_errors_of_programs_are_tvm_errors() -> None:
    with pytest.raises(error.TVMError, match="size -1 is negative"):
        te.placeholder((-1,))
    assert error.TVMError is tewb.TVMError and issubclass(error.TVMError, RuntimeError)
    assert not issubclass(error.InternalError, error.TVMError)


def test_errors_of_other_names_and_registered_ones() -> None:
    assert error.OpNotImplemented is error.RPCError is error.OpAttributeInvalid is tewb.TVMError

    @error.register_error
    class MyError(RuntimeError):
        pass

    assert error.register_error("MyError", MyError) is MyError is error.register_error("MyError")(MyError)
