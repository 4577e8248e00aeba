"""The loops around an intrinsic: its parts at their places, on parts of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests import intrinsics
from tewb import te
from tewb.base import ExternError, LowerError, TewbError
from tewb.ir import AttrStmt, For, walk


def product(n: int, m: int, k: int) -> Any:
    A, B = te.placeholder((n, k), name="A"), te.placeholder((m, k), name="B")
    r = te.reduce_axis((0, k), name="k")
    return A, B, te.compute((n, m), lambda i, j: te.sum(A[i, r] * B[j, r], axis=r), name="C")


def lowered(parts: str, terms: int) -> Any:
    A, B, C = product(3, 8, 8)
    s = te.create_schedule(C.op)
    jo, ji = s[C].split("j", factor=4)
    ko, ki = s[C].split("k", factor=terms)
    s[C].reorder("i", ko, jo, ji, ki)
    s[C].tensorize(ji, intrinsics.gemv(4, terms, parts))
    return tewb.lower(s, [A, B, C])["main"]


def regions(f: Any) -> list[Any]:
    return [n.node for n in walk(f.body) if isinstance(n, AttrStmt) and n.key == "extern_scope"]


def test_without_a_reduction_outside_there_is_one_statement() -> None:
    (region,) = regions(lowered("body reset update", 8))
    assert (region.reads, region.writes) == (
        ("A.tile[8] at i * 8", "B.tile[4, 8] at j.outer * 32"),
        ("C.tile[4] at i * 8 + j.outer * 4",),
    )


def test_a_reset_has_loops_of_its_own() -> None:
    f = lowered("body reset update", 4)
    reset, update = regions(f)
    assert (reset.reads, reset.writes) == ((), ("C.tile[4] at i * 8 + j.outer.init * 4",))
    assert "C.tile[4] at i * 8 + j.outer * 4" in update.reads and update.reads[0].startswith("A.tile[4]")
    names = [n.var.name for n in walk(f.body) if isinstance(n, For)]
    assert names.index("j.outer.init") < names.index("k.outer")


def test_without_a_reset_the_first_is_the_body() -> None:
    f = lowered("body update", 4)
    first, then = regions(f)
    assert len(first.reads) == 2 and len(then.reads) == 3


def test_parts_of_strided_arguments_and_of_intermediates() -> None:
    A, B, C = product(4, 8, 6)
    s = te.create_schedule(C.op)
    BB = s.cache_read(B, "local", [C])
    s[BB].compute_at(s[C], "i")
    s[BB].storage_align(BB.op.axis[0], 16, 4)
    s[C].tensorize("j", intrinsics.gemv(8, 6))
    wide = te.decl_buffer((4, 6), name="A", strides=[te.var("row"), 1])
    f = tewb.build(s, [A, B, C], binds={A: wide})
    a, b, c = (
        np.random.rand(4, 9).astype("float32")[:, :6],
        np.random.rand(8, 6).astype("float32"),
        np.zeros((4, 8), "float32"),
    )
    f(a, b, c)
    np.testing.assert_allclose(c, a @ b.T, rtol=1e-5)


def test_promises_of_declared_buffers_are_checked() -> None:
    x = te.placeholder((4,), name="x")
    z = te.compute((4,), lambda i: x[i] * 2.0, name="z")

    def twice(**promise: Any) -> Any:
        b = te.decl_buffer((4,), name="b", **promise)
        return te.decl_tensor_intrin(z.op, lambda ins, outs: te.call_packed("f", *ins, *outs), binds={x: b})

    A = te.placeholder((3, 8), name="A")
    C = te.compute((3, 4), lambda i, j: A[i, j + 1] * 2.0, name="C")
    for promise, said in (
        ({"strides": [2]}, "stride 0 of b is declared 2"),
        ({"data_alignment": 4096}, "aligned to 64"),
    ):
        s = te.create_schedule(C.op)
        s[C].tensorize(C.op.axis[1], twice(**promise))
        with pytest.raises(ExternError, match=f"tensorize on stage C by .*{said}"):
            tewb.lower(s, [A, C])
    s = te.create_schedule(C.op)
    s[C].tensorize(C.op.axis[1], twice(offset_factor=4))
    with pytest.raises(TewbError, match="offset_factor=4"):
        tewb.build(s, [A, C])(np.ones((3, 8), "float32"), np.ones((3, 4), "float32"))


@pytest.mark.parametrize("thread", ["threadIdx.x", "vthread"])
@pytest.mark.parametrize("parts", ["body reset update", "body update"])
def test_threads_do_not_go_on_with_a_reduction(parts: str, thread: str) -> None:
    A, B, C = product(3, 8, 8)
    s = te.create_schedule(C.op)
    ko, ki = s[C].split("k", factor=4)
    s[C].reorder("i", ko, "j", ki)
    s[C].tensorize("j", intrinsics.gemv(8, 4, parts))
    s[C].bind(ko, te.thread_axis(thread))
    with pytest.raises(
        LowerError, match=r"on stage C: the reduction goes on over the threads of k.outer"
    ) as e:
        tewb.lower(s, [A, B, C])
    assert "hint: leave k.outer unbound, or make partial results: s.rfactor(C, k.outer)" in str(e.value)


def test_threads_of_one_iteration_are_no_threads() -> None:
    A, B, C = product(3, 8, 8)
    s = te.create_schedule(C.op)
    ko, ki = s[C].split("k", factor=8)
    s[C].reorder("i", ko, "j", ki)
    s[C].tensorize("j", intrinsics.gemv(8, 8, "body"))
    s[C].bind(ko, te.thread_axis("threadIdx.x"))
    a, b = np.random.default_rng(0).random((2, 8, 8), "float32")
    np.testing.assert_allclose(tewb.build(s, [A, B, C])(a[:3], b), a[:3] @ b.T, rtol=1e-5)
