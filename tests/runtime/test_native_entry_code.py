"""The text of a native entry: which kernels have one, and what it checks before it calls the machine code."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tewb.runtime.abi import KernelSignature, Limit, PackedCall, ParamSpec, SymbolicSize
from tewb.runtime.llvm_work import parse
from tewb.runtime.native_entry_code import FUNCTIONS, entry_text

N = SymbolicSize(None, "n", "n")
FOUR = SymbolicSize(4, "4")


def entry(*params: ParamSpec, **more: Any) -> str:
    """The entry of a kernel of little work, which LLVM understands."""
    text = entry_text(KernelSignature("f", params, **{"work": 10, **more}), 24, 1000, 100)
    assert text is not None
    parse(text)
    return text


def test_kernels_without_an_entry() -> None:
    p = ParamSpec("A", "buffer", "float32", (SymbolicSize(4, "4"),), None, True)
    good = KernelSignature("f", (p,), work=10)
    assert entry_text(good, 24, 1000, 10) is not None
    for other in (
        KernelSignature("f", (p,), work=None),
        KernelSignature("f", (p,), work=5000),
        KernelSignature("f", (ParamSpec("A", "buffer", "float128", (SymbolicSize(4, "4"),)),), work=10),
        KernelSignature("f", (ParamSpec("x", "scalar", "bool"),), work=10),
        KernelSignature("f", (p,), work="n / 2"),
    ):
        assert entry_text(other, 24, 1000, 10) is None


@pytest.mark.parametrize(
    "params",
    [
        [],
        [ParamSpec("x", "scalar", d) for d in ("int8", "uint64", "float32", "float64")],
        [
            ParamSpec("A", "buffer", "bool"),
            ParamSpec("B", "buffer", "int8", (N, N), is_output=True, alignment=64),
        ],
        [ParamSpec("A", "buffer", "float64", (FOUR, N), (SymbolicSize(-3, "-3"), N), is_output=True)],
    ],
)
@pytest.mark.parametrize("has_parallel", [False, True])
def test_llvm_understands_every_kind_of_argument(params: Any, has_parallel: bool) -> None:
    symbols = ("n",) if any(p.shape for p in params) else ()
    text = entry(*params, symbols=symbols, symbol_bits=(32,) * len(symbols), has_parallel=has_parallel)
    assert ("@tewb_rt_missing monotonic" in text) == has_parallel
    assert ("PyEval_SaveThread()\n  %r2" in text) == has_parallel


def test_only_known_functions_are_called() -> None:
    text = entry(ParamSpec("x", "scalar", "int8"), packed=(PackedCall("g"),), intermediates=("T",))
    called = {word.split("(")[0] for word in text.split("@tewb_py_")[1:]} - {"none", "int", "float"}
    assert {c.split()[0] for c in called} - {"none", "int", "float"} <= set(FUNCTIONS)


@pytest.mark.parametrize(
    ("dtype", "least", "most"), [("int8", -128, 127), ("uint16", 0, 65535), ("uint64", 0, 2**63 - 1)]
)
def test_a_number_must_fit_its_dtype(dtype: str, least: int, most: int) -> None:
    text = entry(ParamSpec("x", "scalar", dtype))
    assert re.search(rf"icmp sge i64 %v\d+, {least}\n", text)
    assert re.search(rf"icmp sle i64 %v\d+, {most}\n", text)


def test_a_symbol_is_compared_where_it_comes_again() -> None:
    def compared(*sizes: SymbolicSize) -> int:
        text = entry(ParamSpec("A", "buffer", "int8", sizes), symbols=("n",), symbol_bits=(64,))
        return text.count("icmp eq i64")

    assert compared(N, N) == compared(N) + 1 == compared(N, FOUR)


def test_outputs_are_kept_apart_from_every_other_array() -> None:
    def apart(*outputs: bool) -> int:
        return entry(*[ParamSpec("A", "buffer", "int8", (FOUR,), is_output=o) for o in outputs]).count(
            "icmp ule"
        )

    assert [apart(False, False), apart(False, True), apart(True, True), apart(False, True, True)] == [
        0,
        2,
        2,
        6,
    ]


def test_limits_narrow_the_ranges_of_symbols() -> None:
    a = ParamSpec("A", "buffer", "int8", (N,))
    text = entry(a, symbols=("n",), symbol_bits=(32,), limits=(Limit("n + 7", 32, "i"),))
    assert f"{2**31 - 7}" in text and "sadd.with.overflow.i64(i64 %" not in text
    text = entry(a, symbols=("n",), symbol_bits=(32,), limits=(Limit("n * n", 32, "i"),))
    assert "call { i64, i1 } @llvm.smul.with.overflow.i64" in text and f", {1 << 32}\n" in text


def test_work_that_depends_on_sizes_is_compared_with_what_is_long_and_brief() -> None:
    text = entry(ParamSpec("A", "buffer", "int8", (N,)), symbols=("n",), symbol_bits=(64,), work="3 * n")
    assert ", 1000\n" in text and ", 100\n" in text and "held:" in text and "released:" in text
    assert "released:" not in entry(work=99) and "held:" not in entry(work=100)


def test_packed_functions_are_called_by_python() -> None:
    text = entry(packed=(PackedCall("g"),), work=None)
    assert "@tewb_rt_packed, ptr %first" in text and "%code" not in text
