"""Where an intrinsic fits a compute, and which parts of its tensors it works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests import intrinsics
from tewb import te
from tewb.arith import Analyzer
from tewb.ir import Range, const, script
from tewb.schedule import Mismatch, TensorMatch, tensor_match


def matched(C: Any, intrin: Any, **ranges: tuple[Any, int]) -> TensorMatch | Mismatch:
    """The match in a box of C: by name of axis, its begin and its extent; other axes are whole."""
    region = {}
    for iv in (*C.op.axis, *C.op.reduce_axis):
        low, extent = ranges.get(iv.name, (0, iv.dom.extent))
        region[iv] = Range(
            const(low) if isinstance(low, int) else low, const(extent) if isinstance(extent, int) else extent
        )
    return tensor_match(C.op, intrin, region, Analyzer(), {})


def told(m: TensorMatch | Mismatch) -> list[str]:
    assert isinstance(m, TensorMatch), m
    return [
        f"{p.tensor.name}[{', '.join(map(script, p.origin))}]{list(p.dims)}" for p in (*m.inputs, *m.outputs)
    ]


A, B = te.placeholder((16, 16), name="A"), te.placeholder((16, 16), name="B")
io, jo = te.var("io"), te.var("jo")
k = te.reduce_axis((0, 8), name="k")
k2 = te.reduce_axis((0, 8), name="k2")


def product(f: Callable[..., Any]) -> Any:
    return te.compute((16, 16), lambda i, j: te.sum(f(i, j), axis=k), name="C")


@pytest.mark.parametrize(
    ("f", "parts"),
    [
        (lambda i, j: A[i, k] * B[j, k], ["A[io, 0][1]", "B[jo * 4, 0][0, 1]", "C[io, jo * 4][1]"]),
        (lambda i, j: B[j, k] * A[i, k], ["A[io, 0][1]", "B[jo * 4, 0][0, 1]", "C[io, jo * 4][1]"]),
        (lambda i, j: A[k, i] * B[j, k + 3], ["A[0, io][0]", "B[jo * 4, 3][0, 1]", "C[io, jo * 4][1]"]),
        (lambda i, j: A[i, k] * A[j, k], ["A[io, 0][1]", "A[jo * 4, 0][0, 1]", "C[io, jo * 4][1]"]),
    ],
)
def test_the_parts_of_a_matrix_times_a_vector(f: Callable[..., Any], parts: list[str]) -> None:
    assert told(matched(product(f), intrinsics.gemv(4, 8), i=(io, 1), j=(jo * 4, 4))) == parts


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda i, j: A[i, k] * B[k, j], "they differ at"),  # b is read along its rows
        (lambda i, j: A[i, k] + B[j, k], "they differ at"),
        (lambda i, j: A[i, k] * B[j, k] * 2.0, "they differ at"),
        (lambda i, j: A[i, k] * B[j, k * 2], "they differ at"),
        (lambda i, j: A[i, j] * B[j, k], "they differ at"),
    ],
)
def test_another_body(f: Callable[..., Any], said: str) -> None:
    found = matched(product(f), intrinsics.gemv(4, 8), i=(io, 1), j=(jo * 4, 4))
    assert isinstance(found, Mismatch) and said in found.reason


def test_other_reductions() -> None:
    gemv = intrinsics.gemv(4, 8)
    largest = te.compute((16, 16), lambda i, j: te.max(A[i, k] * B[j, k], axis=k), name="C")
    begun = te.compute((16, 16), lambda i, j: te.sum(A[i, k] * B[j, k], axis=k, init=1.0), name="C")
    some = te.compute((16, 16), lambda i, j: te.sum(A[i, k] * B[j, k], axis=k, where=i > 2), name="C")
    for C in (largest, begun, some):
        found = matched(C, gemv, i=(io, 1), j=(jo * 4, 4))
        assert isinstance(found, Mismatch) and "they differ at" in found.reason


def test_extents_and_axes_that_stand_still() -> None:
    C = product(lambda i, j: A[i, k] * B[j, k])
    gemv = intrinsics.gemv(4, 8)
    for ranges in (
        {"i": (io, 2), "j": (0, 4)},
        {"i": (io, 1), "j": (0, 5)},
        {"i": (io, 1), "j": (0, 4), "k": (0, 4)},
    ):
        found = matched(C, gemv, **ranges)
        assert isinstance(found, Mismatch) and "and what is computed there" in found.reason
    # An axis behind those of the intrinsic may stand still as well as one before them.
    found = matched(product(lambda i, j: A[j, k] * B[i, k]), gemv, i=(io, 4), j=(jo, 1))
    assert told(found) == ["A[jo, 0][1]", "B[io, 0][0, 1]", "C[io, jo][0]"]


def test_a_size_that_is_a_variable() -> None:
    C = te.compute((16, 16), lambda i, j: A[i, j] + B[i, j], name="C")
    found = matched(C, intrinsics.add(te.var("n")), i=(io, 1), j=(3, 7))
    assert told(found) == ["A[io, 3][1]", "B[io, 3][1]", "C[io, 3][1]"]
    assert isinstance(found, TensorMatch) and script(found.outputs[0].shape[0]) == "7"


def test_an_index_is_no_element() -> None:
    x = te.placeholder((8,), name="x")
    ramp = te.decl_tensor_intrin(
        te.compute((8,), lambda i: x[i] + i.astype("float32"), name="z").op,
        lambda ins, outs: te.call_packed("f", *ins, *outs),
    )
    C = te.compute((16, 16), lambda i, j: A[i, j] + j.astype("float32"), name="C")
    assert isinstance(matched(C, ramp, i=(io, 1), j=(0, 8)), TensorMatch)
    assert isinstance(matched(C, ramp, i=(io, 1), j=(8, 8)), Mismatch)
