"""What the statement of an extern is built from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ExternError
from tewb.ir import Call, const, script
from tewb.tensor.extern_calls import address_of, call_packed, extern_region, stack_array

N, M = 6, 8


def by_packed(A: Any, **options: Any) -> Any:
    def body(ins: Any, outs: Any) -> Any:
        return te.call_packed("test.double", ins[0], outs[0])

    return te.extern(A.shape, [A], body, name="B", dtype="float32", **options)


def test_wrong_declarations_of_buffers() -> None:
    with pytest.raises(ExternError, match="decl_buffer X: 1 strides for 2 dimensions"):
        te.decl_buffer((N, M), name="X", strides=[1])
    with pytest.raises(ExternError, match="decl_buffer X: data_alignment=48 is no power of two"):
        te.decl_buffer((N, M), name="X", data_alignment=48)
    with pytest.raises(ExternError, match="decl_buffer X: elem_offset=6 is no multiple of offset_factor=4"):
        te.decl_buffer((N, M), name="X", elem_offset=6, offset_factor=4)
    with pytest.raises(ExternError, match="decl_buffer X: the stride .* is no integer"):
        te.decl_buffer((N, M), name="X", strides=[1.5, 1])
    with pytest.raises(ExternError, match="decl_buffer X: the elem_offset .* is no integer"):
        te.decl_buffer((N, M), name="X", elem_offset=1.5)
    A = te.placeholder((N, M), name="A")
    with pytest.raises(ExternError, match="extern B: in_buffers for A is 3, which is no buffer"):
        by_packed(A, in_buffers=[3])
    twice = te.decl_buffer((N, M), name="twice")
    with pytest.raises(ExternError, match="extern B: buffer twice is declared for two tensors"):
        by_packed(A, in_buffers=[twice], out_buffers=[twice])


def test_a_buffer_of_a_packed_call_says_where_its_elements_are() -> None:
    n = te.var("n")
    compact = te.decl_buffer((4, n), name="a")
    strided = te.decl_buffer((4, n), "int8", name="b", strides=[n * 2, 1], elem_offset=3)
    assert script(stack_array(compact)) == (
        'T.tvm_stack_make_array(a, T.tvm_stack_make_shape(T.int64(4), T.Cast("int64", n)), 0, 2, '
        "T.float32(0.0), 0)"
    )
    text = script(stack_array(strided))
    assert 'T.tvm_stack_make_shape(T.Cast("int64", n * 2), T.int64(1)), 2, T.int8(0), 3)' in text
    assert script(stack_array(te.decl_buffer((), name="s"))).endswith(", 0, 0, T.float32(0.0), 0)")


def test_a_packed_call_takes_buffers_numbers_and_text() -> None:
    e = call_packed("f", te.decl_buffer((4,), name="a"), 3, 0.5, "text")
    assert isinstance(e, Call) and e.dtype == "int32"
    assert [type(a).__name__ for a in e.args] == ["StringImm", "Call", "IntImm", "FloatImm", "StringImm"]
    with pytest.raises(
        ExternError, match="call_packed takes the name of a registered function first, not 3"
    ) as error:
        call_packed(3, 4)  # type: ignore[arg-type]
    assert "te.call_packed" in (error.value.hint or "")


def test_an_address_is_that_of_the_first_element() -> None:
    assert script(address_of(te.decl_buffer((4, 5), name="a"))) == "T.address_of(a[0, 0])"
    assert script(address_of(te.decl_buffer((), name="a"))) == "T.address_of(a[()])"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((1.0, 2.0), "sqrt takes 1 arguments, not 2"),
        ((te.decl_buffer((4,), name="a"),), "argument 1 of sqrt is .*, and a is a buffer of float32"),
        (("text",), "argument 1 of sqrt is .*, not a string"),
    ],
)
def test_arguments_of_a_known_c_function_are_checked(args: tuple[Any, ...], said: str) -> None:
    import ctypes
    import ctypes.util

    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    libm.sqrt.restype, libm.sqrt.argtypes = ctypes.c_double, [ctypes.c_double]
    with pytest.raises(ExternError, match=said):
        te.call_extern("float64", libm.sqrt, *args)
    with pytest.raises(ExternError, match="sqrt returns float64, not float32"):
        te.call_extern("float32", libm.sqrt, 1.0)
    call = te.call_extern("float64", libm.sqrt, const(2))
    assert script(call.args[1]) == "T.float64(2.0)"  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["", "a\nb", "\0"])
def test_what_cannot_be_a_c_name_is_refused(name: str) -> None:
    with pytest.raises(ExternError, match="call_extern: .* cannot be the name of a C function"):
        te.call_extern("int32", name, 1)


def test_a_region_is_its_boxes_as_text() -> None:
    a = te.decl_buffer((4, 5), name="A")
    part = te.decl_buffer((1, 5), name="A.tile", elem_offset=te.var("i") * 5)
    region = extern_region("E", [a, part], [part], "pure")
    assert (region.reads, region.writes) == (("A[4, 5]", "A.tile[1, 5] at i * 5"), ("A.tile[1, 5] at i * 5",))
    assert (region.name, region.effect) == ("E", "pure")


def test_call_pure_extern_calls_a_c_function() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: te.call_pure_extern("float32", "expf", A[i]), name="B")
    x, y = np.arange(4, dtype="float32"), np.zeros(4, "float32")
    tewb.build(te.create_schedule(B.op), [A, B])(x, y)
    np.testing.assert_allclose(y, np.exp(x), rtol=1e-6)
