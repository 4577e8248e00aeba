"""Schedules as programs for GPUs have them, at sizes that do not divide: the same numbers on the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result
from tewb import te


def on(s: Any, tensor: Any, **threads: Any) -> None:
    """Bind loops: `y=loop` to threadIdx.y, `block_x=loop` to blockIdx.x, `virtual_x=loop` to a virtual thread."""
    for key, loop in threads.items():
        kind, _, letter = key.rpartition("_")
        tag = {"": "threadIdx.", "block": "blockIdx.", "virtual": "vthread."}[kind] + letter
        axis = te.thread_axis("vthread", name=key) if kind == "virtual" else te.thread_axis(tag)
        s[tensor].bind(loop, axis)


def product(n: int, m: int, terms: int) -> tuple[Any, ...]:
    A, B = te.placeholder((n, terms), name="A"), te.placeholder((terms, m), name="B")
    k = te.reduce_axis((0, terms), name="k")
    return A, B, te.compute((n, m), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")


@pytest.mark.one_in(3)
@pytest.mark.parametrize("sizes", [(19, 13, 9), (16, 16, 8), (3, 5, 7)])
def test_a_product_whose_threads_copy_what_they_share_by_fused_loops(sizes: tuple[int, int, int]) -> None:
    A, B, C = product(*sizes)
    s = te.create_schedule(C.op)
    shared = [s.cache_read(t, "shared", [C]) for t in (A, B)]
    sums = s.cache_write(C, "local")
    i, j, ii, ji = s[C].tile(*C.op.axis, 16, 16)
    y, x, ii, ji = s[C].tile(ii, ji, 4, 4)
    on(s, C, block_y=i, block_x=j, y=y, x=x)
    s[sums].compute_at(s[C], x)
    ko, ki = s[sums].split(s[sums].op.reduce_axis[0], factor=4)
    s[sums].reorder(ko, ki, *s[sums].op.axis)
    s[sums].unroll(ki)
    for t in shared:
        s[t].compute_at(s[sums], ko)
        rest, lanes = s[t].split(s[t].fuse(*s[t].op.axis), factor=2)
        rest, x = s[t].split(rest, factor=4)
        rest, y = s[t].split(rest, factor=4)
        on(s, t, y=y, x=x)
        s[t].vectorize(lanes)
    assert_same_result(s, [A, B], [C])


@pytest.mark.parametrize("sizes", [(3, 5, 40), (1, 2, 7)])
def test_sums_over_threads_in_blocks_of_one_element_and_what_is_made_of_them(
    sizes: tuple[int, int, int],
) -> None:
    A, B, C = product(*sizes)
    D = te.compute(sizes[:2], lambda i, j: te.max(C[i, j], 0.5), name="D")
    s = te.create_schedule(D.op)
    partial = s.rfactor(C, s[C].split(C.op.reduce_axis[0], factor=16)[1])
    on(s, D, block_y=D.op.axis[0], block_x=D.op.axis[1])
    s[C].compute_at(s[D], D.op.axis[1])
    tx, (reduced,) = te.thread_axis("threadIdx.x"), s[C].op.reduce_axis
    s[C].bind(reduced, tx)
    s[partial].compute_at(s[C], reduced)
    for t in (C, D):
        s[t].set_store_predicate(tx.var.equal(0))
    assert_same_result(s, [A, B], [D])


@pytest.mark.parametrize("size", [8, 7])
def test_a_depthwise_convolution_in_virtual_threads(size: int) -> None:
    A, W = te.placeholder((3, size + 2, size + 2), name="A"), te.placeholder((3, 3, 3), name="W")
    dy, dx = te.reduce_axis((0, 3), name="dy"), te.reduce_axis((0, 3), name="dx")
    C = te.compute(
        (3, size, size), lambda c, y, x: te.sum(A[c, y + dy, x + dx] * W[c, dy, dx], axis=[dy, dx]), name="C"
    )
    s = te.create_schedule(C.op)
    shared = s.cache_read(A, "shared", [C])
    sums = s.cache_write(C, "local")
    c, y, x = C.op.axis
    yo, yi = s[C].split(y, factor=8)
    vy, yi = s[C].split(yi, nparts=2)
    ty, yi = s[C].split(yi, nparts=2)
    vx, x = s[C].split(x, nparts=2)
    tx, xi = s[C].split(x, nparts=2)
    s[C].reorder(c, yo, vy, vx, ty, tx, yi, xi)
    on(s, C, block_z=c, block_y=yo, virtual_y=vy, virtual_x=vx, y=ty, x=tx)
    s[sums].compute_at(s[C], tx)
    s[sums].reorder(*s[sums].op.reduce_axis, *s[sums].op.axis)
    s[shared].compute_at(s[C], yo)
    rest, own = s[shared].split(s[shared].fuse(*s[shared].op.axis[1:]), factor=2)
    on(s, shared, x=own, y=s[shared].split(rest, factor=2)[1])
    assert_same_result(s, [A, W], [C])


@pytest.mark.parametrize("size", [8, 7])
def test_a_recurrent_cell_whose_threads_stay_for_all_steps(size: int) -> None:
    X, W = te.placeholder((4, 2, size), name="X"), te.placeholder((size, size), name="W")
    state = te.placeholder(X.shape, name="state")
    first = te.compute((1, 2, size), lambda _, b, h: X[0, b, h], name="first")
    k = te.reduce_axis((0, size), name="k")
    sums = te.compute(X.shape, lambda t, b, h: te.sum(state[t - 1, b, k] * W[h, k], axis=k), name="sums")
    step = te.compute(X.shape, lambda t, b, h: te.tanh(sums[t, b, h] + X[t, b, h]), name="step")
    whole = te.scan(first, step, state, inputs=[X], name="whole")
    s = te.create_schedule(whole.op)
    tx, ty = (te.thread_axis((0, 4), f"threadIdx.{d}") for d in "xy")
    s[whole].env_threads([ty, tx])
    weights, before = s.cache_read(W, "local", [sums]), s.cache_read(state, "shared", [sums])
    partial = s.rfactor(sums, s[sums].split(k, factor=4)[1])
    s[sums].bind(s[sums].op.reduce_axis[0], tx)
    s[partial].compute_at(s[sums], s[sums].op.reduce_axis[0])
    for tensor in (step, first):
        block, own = s[tensor].split(tensor.op.axis[2], nparts=2)
        own = s[tensor].split(own, factor=4)[1]
        s[tensor].bind(block, te.thread_axis("blockIdx.x"))
        s[tensor].bind(own, ty)
        if tensor is step:
            s[sums].compute_at(s[step], own)
    for copy in (before, weights):
        s[copy].compute_at(s[partial], s[partial].op.axis[0])
    for tensor in (sums, step):
        s[tensor].set_store_predicate(tx.var.equal(0))
    x, w = np.random.rand(4, 2, size).astype("float32"), np.random.rand(size, size).astype("float32")
    wanted = x.copy()
    for t in range(1, 4):
        wanted[t] = np.tanh(wanted[t - 1] @ w.T + x[t])
    made = np.zeros_like(x)
    tewb.build(s, [X, W, whole])(x, w, made)
    np.testing.assert_allclose(made, wanted, rtol=1e-5)
