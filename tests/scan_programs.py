"""Programs of scans that several tests use."""

from __future__ import annotations

from typing import Any

import numpy as np

from tewb import te


def size(n: int, name: str, symbolic: bool) -> Any:
    return te.var(name) if symbolic else n


def random(*shape: int) -> Any:
    return np.random.default_rng(3).standard_normal(shape).astype("float32")


def cumulative_sum(m: Any, n: Any) -> tuple[Any, ...]:
    X = te.placeholder((m, n), name="X")
    state = te.placeholder((m, n))
    init = te.compute((1, n), lambda _, i: X[0, i], name="init")
    update = te.compute((m, n), lambda t, i: state[t - 1, i] + X[t, i], name="update")
    return X, state, init, update, te.scan(init, update, state, inputs=[X], name="res")


def lstm_cell(steps: Any, n: int) -> tuple[Any, ...]:
    X = te.placeholder((steps, 4, n), name="X")
    W = te.placeholder((4, n, n), name="W")
    h_state, c_state = (te.placeholder((steps, n), name=f"{x}_state") for x in "hc")
    h0, c0 = (te.compute((1, n), lambda _, i: te.const(0.0), name=f"{x}0") for x in "hc")
    k = te.reduce_axis((0, n), name="k")
    hidden = te.compute(
        (steps, 4, n), lambda t, g, i: te.sum(h_state[t - 1, k] * W[g, i, k], axis=k), name="hidden"
    )
    gates = te.compute((steps, 4, n), lambda t, g, i: X[t, g, i] + hidden[t, g, i], name="gates")
    c = te.compute(
        (steps, n),
        lambda t, i: (
            te.sigmoid(gates[t, 0, i]) * c_state[t - 1, i]
            + te.sigmoid(gates[t, 1, i]) * te.tanh(gates[t, 2, i])
        ),
        name="c",
    )
    h = te.compute((steps, n), lambda t, i: te.sigmoid(gates[t, 3, i]) * te.tanh(c[t, i]), name="h")
    return X, W, hidden, gates, c, h, te.scan([h0, c0], [h, c], [h_state, c_state], [X], name="lstm")
