"""Text of the IR: one canonical form that Python can read, and a node for each line."""

from __future__ import annotations

import ast

import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb.base import DType
from tewb.ir import (
    Buffer,
    BufferStore,
    Expr,
    For,
    ForKind,
    PrimFunc,
    Seq,
    Stmt,
    Var,
    const,
    load,
    ops,
    parse,
    script,
    script_lines,
    structural_equal,
)

i, j = Var("i", DType("int32")), Var("j", DType("int32"))
p, q, r = (Var(name, DType("bool")) for name in "pqr")
A = Buffer("A", DType("float32"), (const(8),))


def test_text_is_valid_python() -> None:
    import ast

    inputs, outputs = matmul(10, 12, 8)
    s = schedule_for(outputs)
    s.cache_write(outputs[0], "local")
    s["C"].tile("i", "j", 4, 4)
    ast.parse(str(tewb.lower(s, inputs + outputs)))


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (i - (j - i), "i - (j - i)"),
        (i - j - i, "i - j - i"),
        ((i + j) * i // j, "(i + j) * i // j"),
        (i * (j // i), "i * (j // i)"),
        (ops.logical_or(ops.logical_and(p, q), r), "p and q or r"),
        (ops.logical_and(p, ops.logical_or(q, r)), "p and (q or r)"),
        (ops.logical_and(ops.logical_or(p, q), r), "(p or q) and r"),
        (ops.logical_not(ops.logical_and(p, q)), "not (p and q)"),
        (ops.logical_not(ops.less(i, j)), "not i < j"),
        (ops.equal(ops.less(i, j), p), "(i < j) == p"),
        (ops.minimum(i, j) + 1, "T.min(i, j) + 1"),
        (i * const(-2), "i * (-2)"),
        (const(2**40, "int64"), "T.int64(1099511627776)"),
        (const(float("inf")), 'T.float32("inf")'),
        (load(A, (ops.ramp(i, 1, 4),)), "A[i:i + 4]"),
        (load(A, (ops.ramp(i, 2, 4),)), "A[T.Ramp(i, 2, 4)]"),
    ],
    ids=str,
)
def test_brackets_stand_where_python_needs_them(e: Expr, text: str) -> None:
    assert script(e) == text
    ast.parse(text, mode="eval")


def test_every_line_knows_its_node_and_its_depth() -> None:
    store = BufferStore(A, const(1.0), (i,))
    loop = For(i, const(0), const(8), ForKind.SERIAL, store)
    assert [(line.depth, line.node) for line in script_lines(loop)] == [(0, loop), (1, store)]
    assert str(script_lines(loop)[1]) == "    A[i] = T.float32(1.0)"


def test_two_variables_of_one_name_are_told_apart() -> None:
    other = Var("i", i.dtype)
    inner = For(other, const(0), const(8), ForKind.SERIAL, BufferStore(A, const(1.0), (i + other,)))
    assert script(For(i, const(0), const(8), ForKind.SERIAL, inner)).splitlines() == [
        "for i in range(8):",
        "    for i_1 in range(8):",
        "        A[i + i_1] = T.float32(1.0)",
    ]


def test_sister_loops_may_have_one_name() -> None:
    def loop(v: Var) -> Stmt:
        return For(v, const(0), const(8), ForKind.SERIAL, BufferStore(A, const(1.0), (v,)))

    text = script(Seq((loop(i), loop(Var("i", i.dtype)))))
    assert text.count("for i in range(8):") == 2


def test_a_long_expression_is_one_line_for_people() -> None:
    e: Expr = i
    for n in range(3000):
        e = e + j * n
    text = script(e)
    assert ("\n" not in text and len(text) < 5000 and "..." in text) or "…" in text


def test_a_long_statement_is_cut_into_names() -> None:
    e: Expr = load(A, (i,))
    for _ in range(64):
        e = ops.mul(e, e)
    text = script(BufferStore(A, e, (i,)))
    assert len(text) < 20_000
    ast.parse(text)


def test_an_offset_of_another_dtype_is_shown() -> None:
    view = A.with_(shape=(), strides=(), elem_offset=const(0, "int64"))
    f = PrimFunc("f", (A,), BufferStore(view, const(1.0, "float32"), ()))
    assert "elem_offset=T.int64(0)" in script(f)
    assert structural_equal(parse(script(f)), f)
