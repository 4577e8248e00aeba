"""What an extern's statement may be: packed calls, IR built by hand, C functions by name, pointer and capsule."""

from __future__ import annotations

import ctypes
import doctest
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import ExternError, ShapeError, TewbError
from tewb.ir import For, While, parse, script, structural_equal, walk

CALLBACK = ctypes.CFUNCTYPE(
    None, ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_float), ctypes.c_int
)


@CALLBACK
def scale(a: Any, b: Any, n: int) -> None:
    for i in range(n):
        b[i] = a[i] * 5


ADDRESS = ctypes.cast(scale, ctypes.c_void_p).value


def by_hand(ins: Any, outs: Any) -> Any:
    """outs = 2 * ins + 1 with loops, for buffers of two dimensions."""
    ib = tir.ir_builder.create()
    a, b = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
    with ib.for_range(0, outs[0].shape[0], name="y") as y, ib.for_range(0, outs[0].shape[1], name="x") as x:
        b[y, x] = a[y, x] * 2.0 + 1.0
    return ib


def test_the_documentation_of_tir_runs() -> None:
    failed, tried = doctest.testmod(tir)
    assert tried > 20
    assert failed == 0


@pytest.mark.parametrize("unroll", [False, True])
def test_a_body_of_loops_in_tiles(unroll: bool) -> None:
    A = te.placeholder((10, 7), name="A")
    E = te.extern((10, 7), [A], by_hand, name="E", access=te.access.elementwise)
    s = te.create_schedule(E.op)
    _, xo, _, _ = s[E].tile("d0", "d1", 4, 3)
    if unroll:
        s[E].unroll(xo)
    lowered = tewb.lower(s, [A, E])
    assert structural_equal(parse(script(lowered)), lowered)
    a, e = np.random.rand(10, 7).astype("float32"), np.zeros((10, 7), "float32")
    tewb.build(lowered, debug=True)(a, e)
    np.testing.assert_allclose(e, a * 2 + 1, rtol=1e-6)


def test_every_scope_of_the_builder() -> None:
    A, B = tir.decl_buffer((6,), name="A"), tir.decl_buffer((6,), name="B")
    ib = tir.ir_builder.create()
    a, b = ib.buffer_ptr(A), ib.buffer_ptr(B)
    with ib.for_range(0, 6, name="i", kind="unroll") as i:
        with ib.if_scope(i % 2 == 0):
            b[i] = a[i]
        with ib.else_scope():
            b[i] = -a[i]
    n = ib.allocate("int32", (1,), name="n")
    n[0] = 0
    ib.assert_that(n[0] == 0, "n begins at 0")
    one = ib.let("one", te.const(1, "int32"))
    with ib.while_loop(n[0] < 3):
        b[n[0]] = b[n[0]] * 10.0
        n[0] = n[0] + one
    with ib.new_scope():
        ib.scope_attr(tir.Var("x", "int32"), "storage_scope", 0)
        b[5] = 99.0
    made = ib.get()
    assert {For, While} <= {type(x) for x in walk(made)}
    E = te.extern(
        (6,), [te.placeholder((6,), name="P")], lambda i, o: made, in_buffers=[A], out_buffers=[B], name="E"
    )
    s = te.create_schedule(E.op)
    values, out = np.arange(6, dtype="float32"), np.zeros(6, "float32")
    tewb.build(s, [E.op.inputs[0], E])(values, out)
    np.testing.assert_array_equal(out, [0, -10, 20, -3, 4, 99])


def test_misuse_of_the_builder() -> None:
    ib = tir.ir_builder.create()
    a = ib.buffer_ptr(tir.decl_buffer((4, 4), name="A"))
    with pytest.raises(ShapeError, match="A has 2 dimensions and got 3 indices"):
        a[0, 0, 0] = 1.0
    with pytest.raises(TewbError, match="else_scope must come right after an if_scope"), ib.else_scope():
        pass
    with pytest.raises(TewbError, match="kind='fast' is not one of serial"), ib.for_range(0, 4, kind="fast"):
        pass
    with ib.for_range(0, 4), pytest.raises(TewbError, match="inside of a with block"):
        ib.get()
    with pytest.raises(ZeroDivisionError), ib.for_range(0, 4):
        raise ZeroDivisionError
    a[5] = 1.0  # one index counts along the line
    assert "A[1, 1] = T.float32(1.0)" in script(ib.get())


# ---------------------------------------------------------------- C functions


def test_a_c_symbol() -> None:
    A = te.placeholder((9,), name="A")
    B = te.compute((9,), lambda i: te.call_extern("float32", "cosf", A[i]), name="B")
    a, b = np.linspace(-3, 3, 9, dtype="float32"), np.zeros(9, "float32")
    tewb.build(te.create_schedule(B.op), [A, B])(a, b)
    np.testing.assert_allclose(b, np.cos(a), rtol=1e-6)


def test_a_c_symbol_that_does_not_exist() -> None:
    A = te.placeholder((9,), name="A")
    B = te.compute((9,), lambda i: te.call_extern("float32", "no_such_function", A[i]), name="B")
    with pytest.raises(TewbError, match="the function no_such_function is called and does not exist"):
        tewb.build(te.create_schedule(B.op), [A, B])


@pytest.mark.parametrize("parallel", [False, True])
def test_a_ctypes_function_on_tiles(parallel: bool) -> None:
    A = te.placeholder((10, 6), name="A")

    def body(ins: Any, outs: Any) -> Any:
        return te.call_extern("void", scale, ins[0], outs[0], outs[0].shape[0] * outs[0].shape[1])

    E = te.extern((10, 6), [A], body, name="E", access=te.access.elementwise)
    s = te.create_schedule(E.op)
    io, _ = s[E].split("d0", 4)
    if parallel:
        s[E].parallel(io)
    a, e = np.random.rand(10, 6).astype("float32"), np.zeros((10, 6), "float32")
    tewb.build(s, [A, E], debug=True)(a, e)
    np.testing.assert_allclose(e, a * 5, rtol=1e-6)


def test_a_cfunc() -> None:
    class CFunc:  # what numba's @cfunc looks like
        ctypes = scale
        address = ADDRESS
        __name__ = "scale"

    A = te.placeholder((6,), name="A")
    E = te.extern((6,), [A], lambda i, o: te.call_extern("void", CFunc(), i[0], o[0], 6), name="E")
    a, e = np.random.rand(6).astype("float32"), np.zeros(6, "float32")
    tewb.build(te.create_schedule(E.op), [A, E])(a, e)
    np.testing.assert_allclose(e, a * 5, rtol=1e-6)


def test_wrong_calls_of_c_functions_are_found_before_they_crash() -> None:
    A, D = te.placeholder((6,), name="A"), te.placeholder((6,), name="D", dtype="float64")

    def call(*args: Any, result: str = "void", inputs: Any = (A,)) -> None:
        te.extern((6,), list(inputs), lambda i, o: te.call_extern(result, scale, *[
            {"in": i[0], "out": o[0]}.get(x, x) if isinstance(x, str) else x for x in args]), dtype="float32")  # fmt: skip

    call("in", "out", 6)
    with pytest.raises(ExternError, match="takes 3 arguments, not 2"):
        call("in", "out")
    with pytest.raises(ExternError, match=r"argument 1 of .* is float32 \*, and D is a buffer of float64"):
        call("in", "out", 6, inputs=[D])
    with pytest.raises(ExternError, match=r"argument 3 of .* is int32, and A is a buffer"):
        call("out", "out", "in")
    with pytest.raises(ExternError, match=r"argument 3 of .* is int32, and 2.5 is float32"):
        call("in", "out", 2.5)
    with pytest.raises(ExternError, match="returns void, not int32"):
        call("in", "out", 6, result="int32")
    with pytest.raises(ExternError, match=r"argument 1 of .* is float32 \*, not a string"):
        call("text", "out", 6)
    with pytest.raises(ExternError, match="takes the name of a C function, a ctypes function"):
        te.call_extern("void", 17)


def test_buffers_are_declared_with_the_classic_arguments() -> None:
    b = te.decl_buffer((4, 2), None, "b", None, [te.var("s"), 1], te.var("o"), "", -1, 1)
    assert (b.dtype, b.scope, b.alignment, b.offset_factor) == ("float32", "global", 0, 1)
    plain = te.decl_buffer((4,), buffer_type="default")
    assert (plain.dtype, plain.name, plain.strides) == ("float32", "buffer", ())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"buffer_type": "auto"},
            '(?s)tewb has no buffer_type=\'auto\'.*buffer_type="auto_broadcast" or "default"',
        ),
        ({"axis_separators": [1]}, "tewb has no axis_separators"),
        ({"data_alignment": -2}, "data_alignment=-2 is no power of two"),
    ],
)
def test_what_buffers_do_not_have_is_refused(given: Any, said: str) -> None:
    with pytest.raises(ExternError, match=said):
        te.decl_buffer((4,), **given)
