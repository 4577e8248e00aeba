"""The schedules of topi.x86 beside the hand-written ones of this folder, for the rows that both have: above 1 topi is faster.

One thread, as the hand-written programs have it here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tewb
from tests.bench import argmax, batched, conv_blocked, convolution, elementwise, matmul, rows, transpose
from tests.bench.harness import heading, race
from tests.bench.workload import Program
from tewb import te, topi
from tewb.runtime import get_num_threads, set_num_threads

Operator = Callable[..., Any]


def operands(*shapes: tuple[int, ...]) -> list[Any]:
    return [te.placeholder(shape, name=name) for shape, name in zip(shapes, "ABCD", strict=False)]


def layer_norm(a: Any, g: Any, b: Any) -> Any:
    return topi.nn.layer_norm(a, g, b, -1)


def blocked(a: Any, w: Any) -> Any:
    return topi.nn.conv2d_NCHWc(a, w, 1, 1, 1, "NCHW16c", "NCHW16c")


N = 1 << 24
ROWS: list[tuple[str, Operator, Operator, list[tuple[int, ...]], Program]] = [
    *[
        (
            f"matmul {n} x {m} x {k}",
            topi.matmul,
            topi.x86.schedule_matmul,
            [(n, k), (k, m)],
            matmul.scheduled(n, m, k, **matmul.TILES[n, m, k]),
        )
        for n, m, k in ((256,) * 3, (512,) * 3, (1024,) * 3, (1024, 1024, 64))
    ],
    (
        "batched matmul 10000 x 8 x 8 x 8",
        lambda a, b: topi.nn.batch_matmul(a, b, transpose_b=False),
        topi.x86.schedule_batch_matmul,
        [(10000, 8, 8)] * 2,
        batched.batched(10000, 8),
    ),
    (
        "relu(a*b + c), 16M",
        lambda a, b, c: topi.nn.relu(topi.add(topi.multiply(a, b), c)),
        topi.x86.schedule_injective,
        [(N,)] * 3,
        elementwise.relu(N),
    ),
    (
        "conv2d 3x3, 64 to 64, 56 x 56",
        lambda a, w: topi.nn.conv2d_nchw(a, w, 1, 1, 1),
        topi.x86.schedule_conv2d_nchw,
        [(1, 64, 56, 56), (64, 64, 3, 3)],
        convolution.dense(64, 64, 56),
    ),
    (
        "conv2d NCHW16c",
        blocked,
        topi.x86.schedule_conv2d_NCHWc,
        [(1, 4, 56, 56, 16), (4, 4, 3, 3, 16, 16)],
        conv_blocked.blocked(64, 64, 56),
    ),
    (
        "depthwise 3x3, 128 x 112 x 112",
        lambda a, w: topi.nn.depthwise_conv2d_nchw(a, w, 1, 1, 1),
        topi.x86.schedule_depthwise_conv2d_nchw,
        [(1, 128, 112, 112), (128, 1, 3, 3)],
        convolution.depthwise(128, 112),
    ),
    ("softmax of rows", topi.nn.softmax, topi.x86.schedule_softmax, [(4096, 1024)], rows.softmax(4096, 1024)),
    (
        "layernorm of rows",
        layer_norm,
        topi.x86.schedule_layer_norm,
        [(4096, 1024), (1024,), (1024,)],
        rows.layernorm(4096, 1024),
    ),
    (
        "row sum",
        lambda a: topi.sum(a, 1),
        topi.x86.schedule_reduce,
        [(4096, 4096)],
        rows.row_sum(4096, 4096),
    ),
    (
        "argmax of rows",
        lambda a: topi.argmax(a, 1),
        topi.x86.schedule_reduce,
        [(4096, 1024)],
        argmax.argmax(4096, 1024),
    ),
    (
        "transpose, 4096 x 4096",
        topi.transpose,
        topi.x86.schedule_injective,
        [(4096, 4096)],
        transpose.transpose(4096, 4096),
    ),
]


def main() -> None:
    threads = get_num_threads()
    set_num_threads(1)
    try:
        heading("schedules of topi.x86", "by hand")
        for name, operator, schedule, shapes, by_hand in ROWS:
            print(compared(name, operator, schedule, shapes, by_hand), flush=True)
    finally:
        set_num_threads(threads)


def compared(
    name: str, operator: Operator, schedule: Operator, shapes: list[tuple[int, ...]], by_hand: Program
) -> Any:
    """The time of topi and of the program by hand on the same inputs, whose results are compared first."""
    tensors = operands(*shapes)
    out = operator(*tensors)
    ours = tewb.build(schedule([out]), [*tensors, out])
    s, args = by_hand
    other = tewb.build(s, args)
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]
    results = [empty(t) for t in [out, *args[len(shapes) :]]]
    given = [x.reshape(empty(t).shape) for x, t in zip(inputs, args, strict=False)]

    def run() -> None:
        ours(*inputs, results[0])

    def run_by_hand() -> None:
        other(*given, *results[1:])

    run()
    run_by_hand()
    np.testing.assert_allclose(results[0].ravel(), results[1].ravel(), rtol=1e-3, atol=1e-3)
    return race(name, run, run_by_hand)


def empty(t: Any) -> Any:
    return np.zeros([n.value for n in t.shape], str(t.dtype))
