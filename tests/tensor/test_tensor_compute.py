"""Computes made of an intrinsic: its parts of tensors, its place in the loops, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests import intrinsics
from tests.programs import assert_same_result
from tewb import te
from tewb.base import ScheduleError, TewbError
from tewb.ir import IRBuilder, structural_equal
from tewb.tensor import TensorComputeOp

A, B = te.placeholder((6, 8), name="A"), te.placeholder((12, 8), name="B")


def test_rows_that_an_intrinsic_adds() -> None:
    add = intrinsics.add(8)
    C = te.compute((6, 8), lambda i: add(A[i, 0:8], B[i + 2]), name="C")
    assert isinstance(C.op, TensorComputeOp) and repr(C.op.body[0]) == "A[i, ax0] + B[i + 2, ax0]"
    s = te.create_schedule(C.op)
    assert s[C].loops() == f"i(6), ax0(8, tensorize {add.name})"
    s[C].split("i", factor=4)
    assert_same_result(s, [A, B], [C])
    assert "extern_region" in str(tewb.lower(s, [A, B, C]))


@pytest.mark.parametrize("terms", [8, 4])
def test_a_matrix_times_vectors_with_a_reduction_outside(terms: int) -> None:
    gemv = intrinsics.gemv(4, terms)
    k = te.reduce_axis((0, 8 // terms), name="k")
    C = te.compute(
        (6, 3, 4),
        lambda i, j: gemv(
            A[i, k * terms : k * terms + terms],
            B[j * 4 : j * 4 + 4, k * terms : k * terms + terms],
            reduce_axis=k,
        ),
        name="C",
    )
    s = te.create_schedule(C.op)
    assert [iv.name for iv in s[C].leaf_iter_vars] == ["i", "j", "k", "ax0", "k"]
    s[C].reorder("j", "i")
    assert_same_result(s, [A, B], [C])


def test_an_intrinsic_of_any_size_on_whole_tensors() -> None:
    x, y = te.placeholder((7,), name="x"), te.placeholder((7,), name="y")
    C = te.compute((7,), lambda: intrinsics.add(te.var("n"))(x, y), name="C")
    assert_same_result(te.create_schedule(C.op), [x, y], [C])


def test_it_is_tensorized_again_after_an_undo() -> None:
    C = te.compute((6, 8), lambda i: intrinsics.add(8)(A[i], B[i]), name="C")
    s = te.create_schedule(C.op)
    s[C].split("i", factor=2)
    s.restore(())
    assert "tensorize" in s[C].loops()


def test_the_intrinsic_computes_a_cache_whose_axes_are_the_loops() -> None:
    C = te.compute((6, 8), lambda i: intrinsics.add(8)(A[i], B[i]), name="C")
    s = te.create_schedule(C.op)
    s[C].split("i", factor=2)
    copy = s.cache_read(A, "local", [C])
    cache = s.cache_write(C, "local")
    assert isinstance(cache.op, TensorComputeOp)
    assert (
        s[cache].loops()
        == f"i.outer.c(3), i.inner.c(2), ax0.c(8, tensorize {C.op.intrin.name}); in local memory"
    )
    assert s[C].loops() == "i(6), ax0(8)"
    s[copy].compute_at(s[cache], cache.op.axis[0])
    s[cache].compute_at(s[C], "i")
    assert_same_result(s, [A, B], [C])


def test_an_intrinsic_computes_whole_parts_in_a_cache() -> None:
    C = te.compute((6, 8), lambda i: intrinsics.add(8)(A[i], B[i]), name="C")
    s = te.create_schedule(C.op)
    s[C].split("i", factor=4)
    with pytest.raises(ScheduleError, match="its loops are scheduled already.*on whole parts"):
        s.cache_write(C, "local")


def test_what_it_reads_may_be_computed_in_its_loops() -> None:
    D = te.compute((6, 8), lambda i, j: A[i, j] * 2.0, name="D")
    C = te.compute((6, 8), lambda i: intrinsics.add(8)(A[i], D[i]), name="C")
    s = te.create_schedule(C.op)
    s[D].compute_at(s[C], "i")
    assert_same_result(s, [A], [C])


whole = te.placeholder((6, 8), "int8", "whole")
r = te.reduce_axis((0, 2), name="r")


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda add, i: add(A[i]), "takes 2 parts of tensors, not 1"),
        (lambda add, i: add(A[i, 0:4], B[i]), "x of add.* has the extent 8, and its part 4"),
        (lambda add, i: add(A, B[i]), "x of add.* has 1 dimensions, and the part of A 2"),
        (lambda add, i: add(A[i, 0:8:2], B[i]), "takes every element, not every 2th"),
        (lambda add, i: add(whole[i], B[i]), "x of add.* is float32, and whole is int8"),
        (lambda add, i: add(A[i], 3), "takes parts of tensors, not 3"),
        (lambda add, i: add(A[i], B[i], reduce_axis=r), "has no reduction that could go on"),
        (lambda add, i: A[i, 0], r"the shape has 2 dimensions and the function takes 1 ind"),
    ],
)
def test_what_does_not_fit(f: Callable[..., Any], said: str) -> None:
    add = intrinsics.add(8)
    with pytest.raises(TewbError, match=said) as e:
        te.compute((6, 8), lambda i: f(add, i), name="C")
    assert e.value.hint and e.value.span


def test_dimensions_without_an_index_are_those_of_the_intrinsic() -> None:
    add = intrinsics.add(8)
    with pytest.raises(TewbError, match="computes 1 dimensions, and 2 have no index"):
        te.compute((6, 2, 8), lambda i: add(A[i], B[i]), name="C")
    with pytest.raises(TewbError, match="computes 1 dimensions, and 0 have no index"):
        te.compute((6,), lambda i: add(A[i], B[i]), name="C")
    with pytest.raises(TewbError, match=r"z of add.* has the extent 8, and its part 4"):
        te.compute((6, 4), lambda i: add(A[i], B[i]), name="C")


# ---------------------------------------------------------------- as code


def by_rows() -> Any:
    add = intrinsics.add(8)
    return te.compute((6, 8), lambda i: add(A[i, 0:8], B[i + 2]), name="C")


def with_a_reduction_outside() -> Any:
    gemv, k = intrinsics.gemv(4, 4), te.reduce_axis((0, 2), name="k")
    return te.compute(
        (6, 3, 4), lambda i, j: gemv(A[i, k * 4 : k * 4 + 4], B[j * 4 : j * 4 + 4, k * 4 : k * 4 + 4], reduce_axis=k),
        name="C",
    )  # fmt: skip


def of_any_size() -> Any:
    add = intrinsics.add(te.var("n"))
    return te.compute((8,), lambda: add(A[1], B[3]), name="C")


@pytest.mark.parametrize("make", [by_rows, with_a_reduction_outside, of_any_size])
def test_the_code_written_makes_the_same_program(make: Callable[[], Any]) -> None:
    C = make()
    s = te.create_schedule(C.op)
    s[C].split(C.op.axis[0], factor=2) if C.op.outer_reductions else None
    session = tewb.Session(s, [A, B, C])
    names: dict[str, Any] = {}
    exec(session.code, names)
    assert isinstance(names["C"].op, TensorComputeOp)
    assert names["s"][names["C"]].loops() == s[C].loops()
    assert structural_equal(names["module"], tewb.lower(s, [A, B, C]))


def test_an_intrinsic_has_a_name() -> None:
    add = intrinsics.add(8)
    assert te.TensorIntrin.named(add.name) is add
    with pytest.raises(TewbError, match="'nothing' is no tensor intrinsic"):
        te.TensorIntrin.named("nothing")


# ---------------------------------------------------------------- scalar parameters


def scaled(n: Any, v: Any, w: Any) -> Any:
    """z[i] = x[i] * v + w"""
    x = te.placeholder((n,), name="x")
    z = te.compute((n,), lambda i: x[i] * v + w, name="z")

    def code(ins: Any, outs: Any, values: Any) -> Any:
        ib = IRBuilder()
        a, c = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
        with ib.for_range(0, ins[0].shape[0], name="lane") as i:
            c[i] = a[i] * values[0] + values[1]
        return ib.get()

    return te.decl_tensor_intrin(z.op, code, scalar_params=[v, w], name="scaled")


def element_by_element(it: Any) -> Any:
    return te.compute((6, 8), lambda i, j: it(i * i, A[i, j], i + j), name="C")


def row_by_row(it: Any) -> Any:
    return te.compute((6, 8), lambda i: it(A[i], i * i, scalar_inputs=[B[i, 3] * 2.0]), name="C")


@pytest.mark.parametrize("make", [element_by_element, row_by_row])
def test_values_of_scalar_parameters_are_told_to_the_code(make: Callable[[Any], Any]) -> None:
    C = make(
        scaled(te.var("n"), te.var("v"), te.var("w", "int32" if make is element_by_element else "float32"))
    )
    s = te.create_schedule(C.op)
    s[C].split("i", factor=4)
    assert "tensorize scaled" in s[C].loops()
    a, b = np.random.rand(6, 8).astype("float32"), np.random.rand(12, 8).astype("float32")
    i, j = np.mgrid[:6, :8]
    wanted = a * (i * i) + (i + j if make is element_by_element else 2 * b[:6, 3:4])
    c = np.zeros((6, 8), "float32")
    args = [A, C] if make is element_by_element else [A, B, C]
    tewb.build(s, args)(*(a, c) if len(args) == 2 else (a, b, c))
    np.testing.assert_allclose(c, wanted, rtol=1e-5)
    names: dict[str, Any] = {}
    exec(tewb.Session(s, args).code, names)
    assert structural_equal(names["module"], tewb.lower(s, args))


def test_values_of_scalar_parameters_stay_when_an_input_is_copied() -> None:
    C = row_by_row(scaled(8, te.var("v"), te.var("w", "float32")))
    s = te.create_schedule(C.op)
    copies = [s.cache_read(t, "local", [C]) for t in (A, B)]
    s[copies[1]].compute_at(s[C], s[C].op.axis[0])
    a, b, c = (np.random.rand(n, 8).astype("float32") for n in (6, 12, 6))
    tewb.build(s, [A, B, C])(a, b, c)
    np.testing.assert_allclose(c, a * (np.arange(6) ** 2)[:, None] + 2 * b[:6, 3:4], rtol=1e-5)


def test_scalar_parameters_that_no_call_gives_are_arguments() -> None:
    v, w = te.var("v", "float32"), te.var("w", "float32")
    it = scaled(8, v, w)
    C = te.compute((6, 8), lambda i: it(A[i]), name="C")
    D = te.compute((6, 8), lambda i, j: A[i, j] * v + w, name="D")
    s = te.create_schedule([C.op, D.op])
    s[D].tensorize(D.op.axis[1], it)
    a = np.random.rand(6, 8).astype("float32")
    c, d = np.zeros_like(a), np.zeros_like(a)
    tewb.build(s, [A, v, w, C, D])(a, 2.0, 3.0, c, d)
    np.testing.assert_allclose(c, a * 2 + 3, rtol=1e-6)
    np.testing.assert_allclose(d, c)


def test_as_many_values_as_parameters() -> None:
    it = scaled(8, te.var("v"), te.var("w"))
    with pytest.raises(
        TewbError, match="called with 1 values beside its parts of tensors, .*parameters are v, w"
    ):
        te.compute((6, 8), lambda i: it(A[i], i), name="C")
    with pytest.raises(TewbError, match="parameters are none"):
        te.compute((6, 8), lambda i: intrinsics.add(8)(A[i], B[i], scalar_inputs=[i]), name="C")
