"""The parameters of a kernel: which tensors and variables it is called with, and what must be among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import LowerError
from tewb.ir import Buffer, Var
from tewb.lowering.kernel_parameters import check_inputs, kernel_parameters, missing_outputs
from tewb.tensor import Tensor


def program() -> tuple[Any, Tensor, Tensor, Tensor]:
    A = te.placeholder((6,), name="A")
    B = te.compute((6,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((6,), lambda i: B[i] * 2.0, name="C")
    return te.create_schedule(C.op), A, B, C


def test_parameters_come_in_the_order_of_the_arguments_and_unread_inputs_are_some() -> None:
    s, A, B, C = program()
    n, unread = te.var("n"), te.placeholder((3,), name="U")
    wrong: list[LowerError] = []
    params, keys, _ = kernel_parameters(s, [C, n, unread, A, B], {}, wrong)
    assert [p.name for p in params] == ["C", "n", "U", "A", "B"] and not wrong
    assert isinstance(params[1], Var) and isinstance(params[2], Buffer)
    assert [stage.name for stage, _ in keys] == ["C", "A", "B"]


def test_what_is_missing_is_told_and_added_for_looking() -> None:
    s, A, B, _ = program()
    wrong: list[LowerError] = []
    _, keys, _ = kernel_parameters(s, [B], {}, wrong)
    assert [b.name for b in missing_outputs(s, keys, wrong)] == ["C"] and len(keys) == 2
    assert [e.message for e in wrong] == ["C is an output and is not among the arguments"]
    with pytest.raises(LowerError, match="A is an input and is not among the arguments"):
        check_inputs(s, keys)
    check_inputs(s, kernel_parameters(s, [A, B], {}, wrong)[1])


def test_a_stage_without_memory_is_a_parameter_for_looking_alone() -> None:
    s, A, B, C = program()
    s[B].compute_inline()
    wrong: list[LowerError] = []
    params, keys, _ = kernel_parameters(s, [A, B, C], {}, wrong)
    assert len(params) == 3 and len(keys) == 2
    assert [e.message for e in wrong] == ["B is an argument, but it is computed inline and never stored"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda A, B, C: [A, "B", C], "arguments are tensors and te.vars, not 'B'"),
        (lambda A, B, C: [A, B, C, B], "B is given twice among the arguments"),
        (lambda A, B, C: [A, C, C.op.output(0)], "C is given twice among the arguments"),
    ],
)
def test_what_is_no_argument_is_refused(given: Any, said: str) -> None:
    s, A, B, C = program()
    with pytest.raises(LowerError, match=said):
        kernel_parameters(s, given(A, B, C), {}, [])


def test_strides_of_arguments_are_not_chosen() -> None:
    A = te.placeholder((6, 4), name="A")
    B = te.compute((6, 4), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((6, 4), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[B].storage_align("i", 8, 0)
    with pytest.raises(LowerError, match="B is an argument, so its strides are the caller's"):
        kernel_parameters(s, [A, B, C], {}, [])


def changed_in_place(stores: bool) -> tuple[Any, list[Tensor]]:
    """W[I[i]] -= G[i], by an extern whose own output is nothing."""
    W = te.placeholder((6,), name="W")
    I = te.placeholder((4,), "int32", name="I")  # noqa: E741
    G = te.placeholder((4,), name="G")

    def update(ins: Any, outs: Any) -> Any:
        ib = tewb.tir.ir_builder.create()
        w, at, g = (ib.buffer_ptr(b) for b in ins)
        out = ib.buffer_ptr(outs[0])
        with ib.for_range(0, 4, name="i") as i:
            if stores:
                w[at[i]] = w[at[i]] - g[i]
            else:
                out[i] = g[i]
        return ib.get()

    D = te.extern((4,), [W, I, G], update, name="D", dtype="float32")
    return te.create_schedule(D.op), [W, I, G]


def test_an_extern_that_changes_its_input_needs_no_output() -> None:
    s, args = changed_in_place(stores=True)
    w, at, g = np.arange(6, dtype="float32"), np.array([1, 3, 3, 5], "int32"), np.ones(4, "float32")
    tewb.build(s, args)(w, at, g)
    assert w.tolist() == [0.0, 0.0, 2.0, 1.0, 4.0, 4.0]
    assert "D = T.allocate" in str(tewb.lower(s, args))


def test_an_extern_that_only_makes_its_output_needs_it() -> None:
    with pytest.raises(LowerError, match="D is an output and is not among the arguments"):
        tewb.build(*changed_in_place(stores=False))
