"""The builder of statements."""

from __future__ import annotations

from typing import Any

import pytest

from tewb.base import DType, ShapeError, TewbError
from tewb.ir import Buffer, Call, IRBuilder, StringImm, Var, const, script

n = Var("n", DType("int32"))
TEXT = "T.evaluate(T.call_extern('f', dtype=\"int32\"))"
CALL = Call("call_extern", (StringImm("f"),), DType("int32"))


def built(fill: Any, *shape: int) -> list[str]:
    """The lines that `fill(ib, B)` builds, for a buffer B of `shape`."""
    ib = IRBuilder()
    fill(ib, ib.buffer_ptr(Buffer("B", DType("float32"), tuple(map(const, shape or (8,))))))
    return script(ib.get()).splitlines()


def test_loops_run_from_begin_to_end() -> None:
    def fill(ib: IRBuilder, B: Any) -> None:
        with ib.for_range(2, n, name="i", kind="parallel") as i:
            B[i] = i + 1
        with ib.for_range(0, 3, dtype="int64", kind="unroll") as j:
            assert j.dtype == "int64"
            B[j] = B[j] * 2.0

    assert built(fill) == [
        "for i in T.parallel(2, 2 + (n - 2)):",
        '    B[i] = T.Cast("float32", i + 1)',
        "for i in T.unroll(T.int64(3)):",
        "    B[i] = B[i] * T.float32(2.0)",
    ]


def test_choices_have_two_sides() -> None:
    def fill(ib: IRBuilder, B: Any) -> None:
        with ib.if_scope(n < 3):
            B[0] = 1.0
        with ib.else_scope():
            B[1] = 2.0
        with ib.if_scope(ib.likely(n > 5)):
            B[2] = 3.0

    assert built(fill) == [
        "if n < 3:", "    B[0] = T.float32(1.0)", "else:", "    B[1] = T.float32(2.0)",
        "if T.likely(n > 5):", "    B[2] = T.float32(3.0)",
    ]  # fmt: skip


def test_memory_names_and_checks_are_for_the_rest_of_their_scope() -> None:
    def fill(ib: IRBuilder, B: Any) -> None:
        B[0] = 0.0
        local = ib.allocate("float32", 4, name="L", scope="local")
        half = ib.let("half", n // 2)
        ib.assert_that(half >= 1, "too short")
        local[0] = 1.0
        with ib.while_loop(B[0] < 3.0):
            B[half] = local[0]

    assert built(fill) == [
        "B[0] = T.float32(0.0)",
        'L = T.allocate((4,), "float32", scope="local")',
        "half = T.let(n // 2)",
        "assert half >= 1, 'too short'",
        "L[0] = T.float32(1.0)",
        "while B[0] < T.float32(3.0):",
        "    B[half] = L[0]",
    ]


def test_a_single_index_counts_elements_in_rows() -> None:
    def fill(ib: IRBuilder, B: Any) -> None:
        B[n] = B[1, 2]

    assert built(fill, 4, 5) == ["B[n // 5, n % 5] = B[1, 2]"]
    assert built(fill, 1, 5) == ["B[n // 5, n % 5] = B[1, 2]"]


def test_a_scope_is_a_block_of_its_own() -> None:
    def fill(ib: IRBuilder, B: Any) -> None:
        with ib.new_scope():
            ib.scope_attr("x", "about", 3)
            B[0] = 1.0
        B[1] = 2.0

    lines = built(fill)
    assert (
        lines[0].startswith("with T.attr(")
        and lines[1].startswith("    B[0]")
        and lines[2].startswith("B[1]")
    )


def test_nothing_built_is_a_statement_and_get_starts_anew() -> None:
    ib = IRBuilder()
    assert script(ib.get()) == "T.evaluate(0)"
    ib.emit(CALL)
    assert script(ib.get()) == TEXT and script(ib.get()) == "T.evaluate(0)"


def test_misuse_is_explained() -> None:
    ib = IRBuilder()
    B = ib.buffer_ptr(Buffer("B", DType("float32"), (const(4), const(5), const(6))))
    with pytest.raises(ShapeError, match="B has 3 dimensions and got 2 indices") as e:
        B[0, 1] = 1.0
    assert e.value.hint == "B[i, j, k]"
    with pytest.raises(TewbError, match="else_scope must come right after an if_scope"), ib.else_scope():
        pass
    with (
        pytest.raises(TewbError, match="kind='fast' is not one of serial, parallel, vectorize, unroll"),
        ib.for_range(0, 3, kind="fast"),
    ):
        pass
    with ib.for_range(0, 3), pytest.raises(TewbError, match="the builder is inside of a with block"):
        ib.get()


def test_an_exception_drops_its_block() -> None:
    ib = IRBuilder()
    with pytest.raises(RuntimeError), ib.for_range(0, 3):
        ib.emit(const(1))
        raise RuntimeError
    ib.emit(CALL)
    assert script(ib.get()) == TEXT
