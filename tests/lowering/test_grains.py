"""Grains stand inside of the loops that steps gave them to, whatever stage these belong to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.codegen.task_sizes import grain_of
from tewb.ir import For, ForKind, Stmt, parse, script, structural_equal, walk
from tewb.runtime import set_num_threads

pytestmark = pytest.mark.usefixtures("two_threads")


def grains(s: Any, args: list[Any]) -> list[int | None]:
    """The grains of the parallel loops of a program, in the order of its text."""
    loops = [n for n in walk(tewb.lower(s, args)["main"].body) if isinstance(n, For)]
    return [grain_of(n.body) for n in loops if n.kind is ForKind.PARALLEL]


def test_loops_of_computes_in_each_other() -> None:
    A = te.placeholder((6, 9), name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i", grain=2)
    s[B].parallel("j")
    assert grains(s, [A, B]) == [2, None]
    s[B].parallel("j", grain=3)
    assert grains(s, [A, B]) == [2, 3]


def test_a_reduction_has_the_grain_of_its_loop_in_both_parts() -> None:
    A = te.placeholder((6, 9), name="A")
    k = te.reduce_axis((0, 9), name="k")
    B = te.compute((6,), lambda i: te.sum(A[i, k], axis=k), name="B")
    s = te.create_schedule(B.op)
    s[B].reorder(k, "i")
    s[B].parallel("i", grain=4)
    assert grains(s, [A, B]) == [4, 4]
    a, b = np.ones((6, 9), "float32"), np.zeros(6, "float32")
    tewb.build(s, [A, B])(a, b)
    assert (b == 9).all()


@te.hybrid.script  # type: ignore[untyped-decorator]
def doubled(a: Any) -> Any:
    b = output_tensor((12, 3), "float32")  # type: ignore[name-defined]  # noqa: F821
    for i in range(12):
        for j in range(3):
            b[i, j] = a[i, j] * 2.0
    return b


def test_loops_of_hybrid_functions_and_externs() -> None:
    set_num_threads(3)
    A = te.placeholder((12, 3), name="A")
    B = doubled(A)
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].split("i", 2)[0], grain=2)
    assert grains(s, [A, B]) == [2]
    a, b = np.arange(36, dtype="float32").reshape(12, 3), np.zeros((12, 3), "float32")
    tewb.build(s, [A, B])(a, b)
    np.testing.assert_array_equal(b, 2 * a)
    name = "tests.grains.copy"
    tewb.register_func(name, lambda x, y: y.__setitem__(..., x), override=True)
    C = te.extern(
        (12, 3), [A], lambda ins, outs: te.call_packed(name, ins[0], outs[0]), name="C", access=te.access.elementwise
    )  # fmt: skip
    s = te.create_schedule(C.op)
    s[C].parallel(s[C].split(C.op.axis[0], 1)[0], grain=5)
    assert grains(s, [A, C]) == [5]
    b[...] = 0
    tewb.build(s, [A, C])(a, b)
    np.testing.assert_array_equal(b, a)
    tewb.runtime.remove_global_func(name)


def test_the_text_of_a_grain_is_read_back() -> None:
    A = te.placeholder((30, 9), name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    outer, _ = s[B].split("i", 7)
    s[B].parallel(outer, grain=2)
    f = tewb.lower(s, [A, B])
    again = parse(script(f))
    assert '"tewb.grain", T.int64(2)' in script(f) and structural_equal(f, again)
    kernel = tewb.build(again)
    a, b = np.zeros((30, 9), "float32"), np.zeros((30, 9), "float32")
    kernel(a, b)
    assert (b == 1).all()


def test_a_program_without_grains_has_no_word_of_them() -> None:
    A = te.placeholder((30, 9), name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    body: Stmt = tewb.lower(s, [A, B])["main"].body
    assert "grain" not in script(body)
