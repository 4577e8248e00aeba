"""Calls of packed functions: what arrives in Python is what the extern was given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te, testing, tir
from tewb.base import ExternError
from tewb.ir import parse, structural_equal
from tewb.workbench import Session


def test_scalars_arrive_with_their_values() -> None:
    seen: list[Any] = []

    @tewb.register_func("tests.packed.scalars", override=True)
    def scalars(*values: Any) -> int:
        seen.append(values[:-1])
        values[-1][...] = 1
        return 0

    n = te.var("n", "int64")

    def body(ins: Any, outs: Any) -> Any:
        return tir.call_packed(
            "tests.packed.scalars", n, te.const(2.5, "float32"), te.const(True, "bool"), outs[0]
        )

    C = te.extern((3,), [], body, name="C", dtype="float32")
    kernel = tewb.build(te.create_schedule(C.op), [n, C])
    out = np.zeros(3, "float32")
    kernel(-5, out)
    assert (out == 1).all() and seen == [(-5, 2.5, True)]


def test_arrays_are_views_with_strides() -> None:
    shapes: list[Any] = []

    @tewb.register_func("tests.packed.views", override=True)
    def views(a: Any, c: Any) -> int:
        shapes.append((a.shape, a.strides))
        c[...] = a * 2
        return 0

    s0, s1 = te.var("s0"), te.var("s1")
    A = te.placeholder((4, 6), name="A")
    C = te.extern(A.shape, [A], lambda i, o: tir.call_packed("tests.packed.views", i[0], o[0]), name="C")
    strided = te.decl_buffer(A.shape, A.dtype, "A", strides=[s0, s1])
    kernel = tewb.build(te.create_schedule(C.op), [A, C], binds={A: strided})
    a = np.arange(24, dtype="float32").reshape(6, 4).T
    np.testing.assert_array_equal(kernel(a), a * 2)
    assert shapes == [((4, 6), a.strides)]


# ---------------------------------------------------------------- what functions return, in expressions


def called(
    f: Any, dtype: str = "int32", parallel: bool = False, checked: bool = False, body: Any = None
) -> Any:
    """A kernel of `n` numbers that `f` makes of others, computed in a vectorized loop."""
    tewb.register_func("tests.packed.number", f, override=True)
    A = te.placeholder((te.var("n"),), name="A", dtype="float64")
    made = body or (lambda x: tir.call_packed("tests.packed.number", x, dtype=dtype))
    B = te.compute(A.shape, lambda i: made(A[i]), name="B")
    s = te.create_schedule(B.op)
    outer, inner = s[B].split(B.op.axis[0], 4)
    s[B].vectorize(inner)
    if parallel:
        s[B].parallel(outer)
    return tewb.build(s, [A, B]), A, B


@pytest.mark.parametrize("dtype", ["int32", "int8", "uint64", "float32", "float64", "bool"])
@pytest.mark.parametrize("parallel", [False, True])
def test_a_number_comes_back_with_its_dtype(dtype: str, parallel: bool) -> None:
    kernel, A, B = called(lambda x: np.dtype(dtype).type(x * x / 2), dtype, parallel)
    a = np.arange(10, dtype="float64")
    for _ in range(2):
        b = np.zeros(10, dtype)
        kernel(a, b)
        np.testing.assert_array_equal(b, (a * a / 2).astype(dtype))
    np.testing.assert_array_equal(testing.evaluate([B], {A: a})[0], b)


def test_a_number_is_part_of_an_expression_and_guarded() -> None:
    seen = []

    def f(x: float, word: str) -> float:
        seen.append((x, word))
        return x + 0.5

    kernel, _, _ = called(
        f,
        body=lambda x: te.if_then_else(
            x > 2.0, tir.call_packed("tests.packed.number", x, "é", dtype="float64") * 2.0, -1.0
        ),
    )
    b = np.zeros(5)
    kernel(np.arange(5.0), b)
    assert b.tolist() == [-1, -1, -1, 7, 9]
    assert seen == [(3, "é"), (4, "é")]


def test_each_lane_calls_the_function() -> None:
    numbers = iter(range(100))
    kernel, _, _ = called(lambda: next(numbers), body=lambda x: tir.call_packed("tests.packed.number"))
    b = np.zeros(6, "int32")
    kernel(np.zeros(6), b)
    assert b.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("value", "dtype", "said"),
    [
        (None, "int32", "returned None, and the kernel uses what it returns as int32"),
        (2.5, "int32", r"returned 2.5, and the kernel uses .* as int32.*dtype=\"float32\""),
        ("x", "float32", "returned 'x', and the kernel uses what it returns as float32"),
        (1 << 40, "int32", r"returned 1099511627776, which does not fit int32.*int64"),
        (-1, "uint8", "returned -1, which does not fit uint8"),
        (np.zeros(2), "float32", ".*and the kernel uses what it returns as float32"),
    ],
)
def test_what_is_no_such_number_is_refused(value: Any, dtype: str, said: str) -> None:
    kernel, _, _ = called(lambda x: value, dtype)
    for _ in range(2):
        with pytest.raises(ExternError, match="(?s)packed function tests.packed.number " + said):
            kernel(np.zeros(3), np.zeros(3, dtype))


def test_a_condition_of_an_extern_asks_python() -> None:
    """Also where calls are checked, which run the function several times."""
    tewb.register_func("tests.packed.ask", lambda x: int(x[0] > 1), override=True)
    A = te.placeholder((3,), name="A")

    def body(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        a, out = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
        with ib.for_range(0, 3, name="i") as i:
            with ib.if_scope(tir.call_packed("tests.packed.ask", ins[0]) > 0):
                out[i] = a[i]
            with ib.else_scope():
                out[i] = te.const(7.0, "float32")
        return ib.get()

    C = te.extern((3,), [A], body, name="C", dtype="float32")
    s = te.create_schedule(C.op)
    for checked in (False, True):
        kernel = tewb.build(s, [A, C], checked=checked)
        for first, wanted in ((0.0, [7, 7, 7]), (2.0, [2, 1, 1])):
            c = np.zeros(3, "float32")
            kernel(np.array([first, 1, 1], "float32"), c)
            assert c.tolist() == wanted


def test_a_call_in_an_expression_is_printed_read_and_written_as_code() -> None:
    _, A, B = called(
        lambda x, word: x,
        body=lambda x: tir.call_packed("tests.packed.number", x, "m", dtype="float64") + 1.0,
    )
    s = te.create_schedule(B.op)
    module = tewb.lower(s, [A, B])
    (f,) = module.functions.values()
    (again,) = parse(str(module)).functions.values()
    assert structural_equal(f, again)
    assert 'te.call_packed("tests.packed.number", A[i], "m", dtype="float64")' in Session(s, [A, B]).code
