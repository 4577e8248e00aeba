"""The text of an exported library, and its C header."""

from __future__ import annotations

import re

import pytest

import tewb
from tewb import te
from tewb.codegen.exported_text import c_name, entry_name, exported_text, header
from tewb.runtime import Target
from tewb.runtime.abi import Description, KernelSignature, Limit, PackedCall, ParamSpec, SymbolicSize


def signature(name: str = "f") -> KernelSignature:
    size = SymbolicSize(None, "n", "n")
    return KernelSignature(
        name,
        (
            ParamSpec("A", "buffer", "float32", (size, SymbolicSize(4, "4")), (SymbolicSize(None, "s", "s"), size)),
            ParamSpec("B", "buffer", "bool", (size,), None, True, 64, position=2),
            ParamSpec("x", "scalar", "float32", symbol="x", position=3),
        ),
        ("n", "s"),
        (PackedCall("g", "E", "stateful"),),
        ("it failed",),
        True,
        "n * 4",
        ("T",),
        (32, 64),
        (Limit("n * 4", 32, "the loop i"),),
    )  # fmt: skip


def test_a_description_is_read_back_whole() -> None:
    described = Description(("triple", "cpu", "+a"), {"f.kernel": signature()}, ("cblas_sgemm",))
    assert Description.from_json(described.to_json()) == described


def test_the_text_declares_nothing_that_it_defines() -> None:
    A = te.placeholder((64,), name="A")
    B = te.compute((64,), lambda i: te.fmod(A[i], A[i]), name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(B.op.axis[0])
    kernel = tewb.build(s, [A, B], name="main")
    text = exported_text(kernel.get_source("ll0"), {"main": kernel.signature}, "about")
    defined = re.findall(r"^define [^@]*(@\S+?)\(", text, re.MULTILINE)
    declared = re.findall(r"^declare [^@]*(@\S+?)\(", text, re.MULTILINE)
    assert not {name for name in declared if name in defined}
    assert len(set(defined)) == len(defined)
    assert "@main(" not in text  # a program has its own
    assert "@tewb_libm_" not in text
    assert "@fmodf" in declared


def test_scalars_go_to_slots_of_eight_bytes() -> None:
    text = exported_text("", {"f": signature()}, "")
    assert "define i32 @tewb_f(ptr %p0, ptr %p1, float %p2, i32 %s0, i64 %s1)" in text
    assert "fpext float %p2 to double" in text
    assert "sext i32 %s0 to i64" in text


@pytest.mark.parametrize(("name", "c", "entry"), [("f", "tewb_f", "f.kernel"), ("main", "tewb_main", "main.kernel"), ("a b", "tewb_a_b", "a.20.b.kernel")])  # fmt: skip
def test_names(name: str, c: str, entry: str) -> None:
    assert (c_name(name), entry_name(name)) == (c, entry)


def test_two_kernels_with_one_name_in_c_are_refused() -> None:
    with pytest.raises(tewb.TewbError, match="have the same name in C"):
        header({"a b": signature("a b"), "a_b": signature("a_b")}, Target.host())


def test_the_header_says_what_a_kernel_takes() -> None:
    text = header({"f": signature()}, Target.host())
    assert "/* f: A float32[n, 4], strides (s, n); B bool[n], written */" in text
    assert "int32_t tewb_f(const float *A, bool *B, float x, int32_t n, int64_t s);" in text
