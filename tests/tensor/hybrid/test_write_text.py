"""Lowered loops as the text of a hybrid function."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tensor.test_hybrid import outer_product, tensor
from tewb import te
from tewb.base import FLOAT32, INT32, HybridError
from tewb.ir import (
    Allocate,
    AssertStmt,
    Buffer,
    BufferLoad,
    BufferStore,
    Cast,
    Evaluate,
    Expr,
    For,
    ForKind,
    IfThenElse,
    LetStmt,
    PrimFunc,
    Seq,
    Stmt,
    Var,
    While,
    const,
    ops,
)
from tewb.tensor.hybrid.module import load_text
from tewb.tensor.hybrid.write_text import dump


def test_the_text_is_read_easily() -> None:
    A = tensor(4)
    B = te.compute((4,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split(B.op.axis[0], factor=2)
    assert te.hybrid.build(s, [A], [B], name="double").get_source() == (
        '"""double: loops that tewb lowered, as a hybrid function."""\n'
        "from tewb import te\n"
        "\n"
        "\n"
        "@te.hybrid.script\n"
        "def double(A):\n"
        '    B = output_tensor((4,), "float32")\n'
        "    for i_outer in range(2):\n"
        "        for i_inner in range(2):\n"
        "            B[i_outer * 2 + i_inner] = A[i_outer * 2 + i_inner] * 2.0\n"
        "    return B\n"
    )


def test_parallel_loops_stay_parallel() -> None:
    C = outer_product(tensor(8), te.placeholder((6,), name="B"))
    s = te.create_schedule(C.op)
    s[C].parallel(C.op.axis[0])
    text = te.hybrid.build(s, list(C.op.inputs), [C]).get_source()
    assert "for i in parallel(8):" in text


def test_what_has_no_words_is_refused() -> None:
    A = tensor(4)
    B = te.extern((4,), [A], lambda i, o: te.call_packed("some.function", i[0], o[0]), dtype="float32")
    with pytest.raises(HybridError, match="no form in a hybrid function"):
        te.hybrid.build(te.create_schedule(B.op), [A], [B])
    with pytest.raises(HybridError, match="holds no function"):
        te.hybrid.HybridModule().get_source()


n, i = Var("n", INT32), Var("i", INT32)
IN, OUT = Buffer("A", FLOAT32, (n,)), Buffer("b c", FLOAT32, (n,))


def text_of(body: Stmt, name: str = "f") -> list[str]:
    """The lines of a function of A, without its head."""
    text = dump(PrimFunc("main", (IN, OUT), body, (1,)), name)
    load_text(text, "f.py")
    return [line.strip() for line in text.splitlines()[6:]]


def put(value: Any, index: Any = 0) -> Stmt:
    return BufferStore(OUT, ops.convert(value), (ops.convert(index),))


def test_sizes_come_from_the_inputs_and_names_are_free_identifiers() -> None:
    lines = text_of(For(i, const(0), n, ForKind.PARALLEL, put(BufferLoad(IN, (i,), FLOAT32), i)), "min")
    assert lines == [
        "n = A.shape[0]",
        'b_c = output_tensor((n,), "float32")',
        "for i in parallel(n):",
        "b_c[i] = A[i]",
        "return b_c",
    ]
    assert "def min_1(A):" in dump(PrimFunc("main", (IN, OUT), put(1.0), (1,)), "min")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (const(-3, "int8"), "float32(int8(-3))"),
        (const(0.1), "0.1"),
        (const(-0.0), "-0.0"),
        (const(float("inf")), "1e309"),
        (const(float("-inf")), "-1e309"),
        (const(float("nan")), "1e309 - 1e309"),
        (const(2.5, "float64"), "float32(float64(2.5))"),
        (ops.truncdiv(i, 2), "float32(truncdiv(i, 2))"),
        (ops.truncmod(i, 2), "float32(truncmod(i, 2))"),
        (ops.cast(i, "float32") / 3.0, "float32(i) / 3.0"),
        ((i + 1) * (i - 2), "float32((i + 1) * (i - 2))"),
        (ops.minimum(i, 3), "float32(min(i, 3))"),
        (ops.select(i > 2, 1.0, 2.0), "select(i > 2, 1.0, 2.0)"),
        (ops.if_then_else(i > 2, 1.0, 2.0), "1.0 if i > 2 else 2.0"),
        (ops.bitwise_and(i, 3), "float32(i & 3)"),
        (ops.bitwise_not(i), "float32(~i)"),
        (ops.power(ops.cast(i, "float32"), 2.5), "power(float32(i), 2.5)"),
    ],
)
def test_expressions(value: Expr, text: str) -> None:
    value = value if value.dtype == "float32" else Cast(value, FLOAT32)
    line = text_of(For(i, const(0), const(4), ForKind.SERIAL, put(value)))[3]
    assert line == f"b_c[0] = {text}"


def test_statements() -> None:
    x = Buffer("x", INT32, (const(1),), scope="local")
    t = Buffer("t", INT32, (const(4),), scope="local")
    variable = Allocate(
        x,
        Seq(
            (BufferStore(x, const(3), (const(0),)), put(BufferLoad(x, (const(0),), INT32).astype("float32")))
        ),
    )
    assert text_of(variable)[2:4] == ["x = 3", "b_c[0] = float32(x)"]
    assert text_of(Allocate(t, put(1.0)))[2] == 't = allocate((4,), "int32", "local")'
    assert text_of(IfThenElse(n > 2, put(1.0), put(2.0)))[2:6] == [
        "if n > 2:",
        "b_c[0] = 1.0",
        "else:",
        "b_c[0] = 2.0",
    ]
    assert text_of(IfThenElse(n > 2, Evaluate(const(0)), None))[2:4] == ["if n > 2:", "pass"]
    assert text_of(While(n > 2, put(1.0)))[2] == "while n > 2:"
    assert text_of(AssertStmt(n > 2, "it's small", put(1.0)))[2] == 'assert n > 2, "it\'s small"'
    assert text_of(LetStmt(i, n + 1, put(1.0, i)))[2] == "i = n + 1"
    assert text_of(For(i, const(2), n, ForKind.UNROLLED, put(1.0, i)))[2] == "for i in unroll(2, 2 + n):"


def test_a_parallel_loop_whose_text_does_not_show_that_it_may_be_one() -> None:
    lines = text_of(For(i, const(0), n, ForKind.PARALLEL, put(1.0, 0)))
    assert (
        lines[2].startswith("# the schedule runs this loop with parallel")
        and lines[3] == "for i in range(n):"
    )


def test_views_of_parts_have_no_form() -> None:
    part = Buffer("P", FLOAT32, (const(4),), strides=(const(2),), data=OUT.data)
    with pytest.raises(HybridError, match="P is a view of a part of a tensor"):
        text_of(BufferStore(part, const(1.0), (const(0),)))
