"""Tensor intrinsics as they are declared: their buffers, their parts, and what is wrong with a declaration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests import intrinsics
from tewb import te
from tewb.base import DTypeError, ExternError, ShapeError, TewbError
from tewb.ir import Evaluate, For, walk


def vector(n: Any = 4, dtype: str = "float32") -> Any:
    x = te.placeholder((n,), dtype, "x")
    return x, te.compute((n,), lambda i: x[i] * 2, name="z")


def call(ins: Any, outs: Any) -> Any:
    return te.call_packed("f", ins[0], outs[0])


def test_it_has_a_buffer_for_each_tensor_and_a_statement_for_each_part() -> None:
    gemv = intrinsics.gemv(4, 8)
    assert [b.name for b in gemv.declared] == ["a", "b", "c"]
    assert [t.name for t in gemv.inputs] == ["a", "b"]
    assert all(isinstance(s, For) for s in (gemv.body, gemv.reduce_init, gemv.reduce_update))
    alone = intrinsics.gemv(4, 8, "body")
    assert isinstance(alone.body, For) and alone.reduce_init is alone.reduce_update is None


def test_each_has_a_name_of_its_own() -> None:
    x, z = vector()
    first, second = (te.decl_tensor_intrin(z.op, call, "mine") for _ in range(2))
    assert (first.name, second.name) == ("mine", "mine_1")
    assert repr(second) == "TensorIntrin(mine_1)"


def test_an_expression_is_a_statement() -> None:
    _, z = vector()
    assert isinstance(te.decl_tensor_intrin(z, call).body, Evaluate)


def test_scalars_and_the_parameters_of_buffers_are_handed_on() -> None:
    x, z = vector()
    seen = []

    def code(ins: Any, outs: Any, scalars: Any) -> Any:
        seen.append((ins[0].offset_factor, ins[0].alignment, [s.value for s in scalars]))
        return call(ins, outs)

    te.decl_tensor_intrin(
        z.op, code, scalar_params=[3, 5], default_buffer_params={"offset_factor": 4, "data_alignment": 16}
    )
    assert seen == [(4, 16, [3, 5])]


def test_a_tensor_may_be_read_at_any_place_in_it() -> None:
    x = te.placeholder((6,), name="x")
    k = te.reduce_axis((0, 3), name="k")
    z = te.compute((4,), lambda i: te.sum(x[i + k], axis=k), name="z")
    assert te.decl_tensor_intrin(z.op, call).inputs == (x,)


def binds(**how: Any) -> Callable[[], object]:
    x, z = vector()
    return lambda: te.decl_tensor_intrin(z.op, call, binds={x: te.decl_buffer(**how)})


def too_long() -> object:
    x = te.placeholder((8,), name="x")
    return te.decl_tensor_intrin(te.compute((4,), lambda i: x[i] * 2, name="z").op, call)


def two_computes() -> object:
    _, z = vector()
    return te.decl_tensor_intrin(te.compute((4,), lambda i: z[i] + 1, name="w").op, call)


def ragged() -> object:
    x = te.placeholder((4, 4), name="x")
    z = te.compute((4,), lambda i: te.sum(x[i, k := te.reduce_axis((0, i + 1), "k")], axis=k), name="z")
    return te.decl_tensor_intrin(z.op, call)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (binds(shape=(4,), dtype="int8", name="b"), DTypeError, "buffer b holds int8, and x is float32"),
        (binds(shape=(5,), name="b"), ShapeError, r"buffer b has the shape \(5\), and x \(4\)"),
        (binds(shape=(4, 1), name="b"), ShapeError, r"buffer b has the shape \(4, 1\), and x \(4\)"),
        (too_long, ExternError, "z does not read dimension 0 of x from 0 to 7"),
        (two_computes, ExternError, "w reads z, which is computed"),
        (ragged, ExternError, "has a range that depends on other axes"),
        (lambda: te.decl_tensor_intrin(vector()[0].op, call), ExternError, "is no compute"),
        (lambda: te.decl_tensor_intrin("z", call), ExternError, "'z' is no compute"),
        (lambda: te.decl_tensor_intrin(vector()[1].op, 3), ExternError, "3 is no function of the buffers"),
        (
            lambda: te.decl_tensor_intrin(vector()[1].op, call, binds={vector()[0]: te.decl_buffer((4,))}),
            ExternError,
            "neither read nor computed",
        ),
        (
            lambda: te.decl_tensor_intrin(vector()[1].op, call, default_buffer_params={"colour": 1}),
            ExternError,
            "decl_buffer does not take default_buffer_params={'colour': 1}",
        ),
        (
            lambda: te.decl_tensor_intrin(vector()[1].op, lambda ins, outs: (call(ins, outs), None)),
            ExternError,
            "neither a body nor a body with its reset and update",
        ),
        (lambda: te.decl_tensor_intrin(vector()[1].op, lambda ins, outs: None), ExternError, "returned .*None"),
        (lambda: te.decl_tensor_intrin(vector()[1].op, lambda ins, outs: "x"), ExternError, "not a statement"),
    ],
)  # fmt: skip
def test_wrong_declarations(make: Callable[[], object], error: type[TewbError], said: str) -> None:
    with pytest.raises(error, match=said) as e:
        make()
    assert e.value.hint and e.value.span


def test_a_pointer_is_that_of_the_part() -> None:
    x, z = vector()
    b = te.decl_buffer((4,), elem_offset=te.var("at"), strides=[2])
    there, further = b.access_ptr("r"), b.access_ptr("w", offset=3)
    loads = [next(n for n in walk(p) if hasattr(n, "buffer")) for p in (there, further)]
    assert loads[0].buffer is b and loads[1].buffer.data is b.data
    assert repr(loads[1].buffer.elem_offset) == "at + 3"
