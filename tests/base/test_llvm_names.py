"""Names in LLVM's text: quoted, kept distinct, and none that means something to LLVM already."""

from __future__ import annotations

import re

import pytest

from tewb.base import kernel_symbol, llvm_name, llvm_string, why_no_symbol


@pytest.mark.parametrize(
    "a, b", [("a b", "a_b"), ("a.b", "a_b"), ("a b", "a.20.b"), ("", "_"), ("é", "e"), ("llvm", "1lvm")]
)
def test_different_names_have_different_symbols(a: str, b: str) -> None:
    assert kernel_symbol(a) != kernel_symbol(b)


def test_text_is_quoted() -> None:
    assert llvm_name("f.1") == "@f.1" and llvm_name("a b") == '@"a b"' and llvm_name("0") == '@"0"'
    assert llvm_string('x"y\\\n') == '"x\\22y\\5C\\0A"' and llvm_string("é") == '"\\C3\\A9"'


def test_symbols_of_kernels() -> None:
    assert kernel_symbol("add") == "add.kernel" and kernel_symbol("main") == "main"
    assert kernel_symbol("llvm.f") == ".6c.lvm.2e.f.kernel" and kernel_symbol("tewb.f").startswith(".74.ewb")
    for name in ("llvm", "a b", "é", "\ud800", "tewb_rt_malloc", "malloc", ""):
        assert re.fullmatch(r"[\w.]*\.kernel", kernel_symbol(name), re.ASCII)
        assert why_no_symbol(kernel_symbol(name)) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "'' cannot be the name of a C function"),
        ("a\nb", r"'a\\nb' cannot be the name"),
        ("llvm.sqrt.f32", "llvm.sqrt.f32 is no C function for others to call"),
        ("tewb_rt_malloc", "tewb_rt_malloc is no C function"),
        ("main", "main is no C function"),
    ],
)
def test_names_that_are_no_c_functions(name: str, why: str) -> None:
    assert re.match(why, why_no_symbol(name) or "")


def test_names_of_c_functions() -> None:
    assert [why_no_symbol(n) for n in ("expf", "llvmish", "main_loop", "tewb", "a b")] == [None] * 5
