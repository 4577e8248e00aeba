"""The graph of a program as Python code, which makes the same program."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, schedule_for
from tewb import te
from tewb.base import ExternError, fresh_identifier
from tewb.ir import structural_equal
from tewb.schedule import Schedule
from tewb.tensor import GraphSource, Tensor


def source(outputs: list[Tensor]) -> GraphSource:
    """The definitions of all that `outputs` need."""
    taken = {"te", "tewb"}

    def fresh(wanted: str) -> str:
        name = fresh_identifier(wanted, taken, set())
        taken.add(name)
        return name

    graph = GraphSource(fresh)
    for stage in schedule_for(outputs).stages:
        graph.define(stage.op)
    return graph


def again(outputs: list[Tensor]) -> tuple[Schedule, list[Any], Schedule, list[Any]]:
    """The program and the one that its code defines."""
    graph = source(outputs)
    defined: dict[str, Any] = {"te": te, "tewb": tewb}
    exec("\n".join(graph.lines), defined)
    s = schedule_for(outputs)
    tensors = [t for st in s.stages if st.is_placeholder for t in st.op.outputs] + outputs
    made = [defined[graph.tensors[t]] for t in tensors]
    return s, tensors, schedule_for(made[-len(outputs) :]), made


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_code_defines_the_same_program(name: str) -> None:
    s, args, t, made = again(PROGRAMS[name]()[1])
    assert structural_equal(tewb.lower(s, args), tewb.lower(t, made))


def test_sizes_are_variables_that_are_declared_once() -> None:
    n = te.var("n", "int64")
    A = te.placeholder((n, 3), "int8", name="A")
    B = te.compute((n, 3), lambda i, j: A[i, j] + te.const(1, "int8"), name="B")
    lines = source([B]).lines
    assert lines[:2] == ['n = te.var("n", "int64")', 'A = te.placeholder((n, 3), name="A", dtype="int8")']
    assert len(lines) == 3
    s, args, t, made = again([B])
    assert structural_equal(tewb.lower(s, args), tewb.lower(t, made))


def test_names_that_python_cannot_read_are_made_readable() -> None:
    A = te.placeholder((3,), name="for")
    B = te.compute((3,), lambda i: A[i], name="a.b")
    lines = source([B]).lines
    assert all(line.split(" = ")[0].isidentifier() for line in lines)
    s, args, t, made = again([B])
    assert [x.name for x in made] == ["for", "a.b"] and structural_equal(
        tewb.lower(s, args), tewb.lower(t, made)
    )


@pytest.mark.parametrize(
    "element",
    [
        lambda A, i: te.if_then_else(te.all(i > 1, te.any(i < 5, i == 7)), A[i], -0.0),
        lambda A, i: te.exp(A[i]) / 3.0 + A[i] * A[i] - te.min(A[i], 1e-30),
        lambda A, i: A[(i * 3 + 1) % 8] + A[i // 2] * i.astype("float32"),
        lambda A, i: te.select(te.isnan(A[i]), te.const(float("inf"), "float32"), A[7 - i]),
        lambda A, i: (i << 2) ^ (i & 3),
        lambda A, i: te.truncdiv(i - 4, 3) + te.truncmod(i - 4, 3),
    ],
)
def test_expressions_come_back_exactly(element: Any) -> None:
    A = te.placeholder((8,), name="A")
    s, args, t, made = again([te.compute((8,), lambda i: element(A, i), name="B")])
    assert structural_equal(tewb.lower(s, args), tewb.lower(t, made))


def test_reductions_with_a_start_and_a_condition_come_back() -> None:
    A = te.placeholder((8, 9), name="A")
    k = te.reduce_axis((2, 9), name="k")
    B = te.compute((8,), lambda i: te.sum(A[i, k], axis=k, where=k % 2 == 0), name="B")
    s, args, t, made = again([B])
    assert structural_equal(tewb.lower(s, args), tewb.lower(t, made))


def test_a_long_expression_is_written_in_pieces() -> None:
    def element(A: Any, i: Any) -> Any:
        e = A[i]
        for _ in range(40):
            e = e * e + e
        return e

    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: element(A, i), name="B")
    assert len("\n".join(source([B]).lines)) < 5000
    s, args, t, made = again([B])
    assert structural_equal(tewb.lower(s, args), tewb.lower(t, made))


def test_an_extern_that_only_its_own_code_knows_is_refused() -> None:
    A = te.placeholder((8,), name="A")

    def body(ins: Any, outs: Any) -> Any:
        ib = tewb.tir.ir_builder.create()
        ib.buffer_ptr(outs[0])[0] = ib.buffer_ptr(ins[0])[0]
        return ib.get()

    E = te.extern((8,), [A], body, name="E")
    with pytest.raises(ExternError, match="E"):
        source([E])


def test_a_combination_that_uses_axes_stands_in_its_function() -> None:
    x = te.placeholder((6, 8), "int32", "x")
    k = te.reduce_axis((0, 8), name="k")

    def both(i: Any) -> Any:
        r = te.comm_reducer(
            lambda p, q: (te.min(p[0] + q[0], 9 + i), te.max(p[1], q[1] + x[i, 0])),
            lambda s, t: (te.const(0, s), te.cast(i, t)),
            name="both",
        )
        return r((x[i, k], x[i, k]), axis=k)

    outside = te.comm_reducer(lambda p, q: te.min(p + q, x[0, 0]), lambda t: te.const(0, t), name="outside")
    T = te.compute((6,), both, name="T")
    S = te.compute((6,), lambda i: outside(T[0][i] + x[i, k], axis=k), name="S")
    lines = source([S]).lines
    assert "both" not in "".join(lines[:-3]) and "te.comm_reducer(lambda x_1, y: (te.min(" in "".join(lines)
    s, args, t, made = again([S])
    assert structural_equal(tewb.lower(s, args), tewb.lower(t, made))
