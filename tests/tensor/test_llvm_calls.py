"""Calls of LLVM's intrinsics as expressions: see also tests/codegen/test_llvm_intrinsics.py."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.base import ExternError
from tewb.ir import script


def test_the_count_of_typed_arguments_is_left_out() -> None:
    f = te.var("f", "float32")
    e = te.call_llvm_intrin("float32", "llvm.sqrt.f32", te.const(1, "uint32"), f)
    assert script(e) == script(te.call_llvm_intrin("float32", "llvm.sqrt.f32", f)) and e.dtype == "float32"
    assert "call_llvm_intrin" in script(e)


@pytest.mark.parametrize("name", [7, "sqrt.f32", None])
def test_what_is_no_name_of_an_intrinsic(name: Any) -> None:
    with pytest.raises(ExternError, match=f"takes the name of an intrinsic, not {name!r}"):
        te.call_llvm_intrin("float32", name, 1.0)
