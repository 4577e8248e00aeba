"""A long short-term memory on numpy arrays, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

ACTIVATIONS: dict[str, Any] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
}


def lstm_python(
    Xs: Any,
    Wi: Any,
    Wh: Any,
    Bi: Any = None,
    Bh: Any = None,
    h_init: Any = None,
    c_init: Any = None,
    proj: Any = None,
    p_i: Any = None,
    p_f: Any = None,
    p_o: Any = None,
    f_act: str = "sigmoid",
    g_act: str = "tanh",
    h_act: str = "tanh",
    reverse: bool = False,
    weight_layout: str = "IFGO",
) -> tuple[Any, Any]:
    """The hidden and the cell states of every step; Xs is (steps, batch, inputs), weights are packed by gates as
    `weight_layout` says."""
    f, g, h = (ACTIVATIONS[a] for a in (f_act, g_act, h_act))
    hidden, batch = len(Wi) // 4, Xs.shape[1]
    state = np.zeros((batch, Wh.shape[1]), Xs.dtype) if h_init is None else h_init
    cell = np.zeros((batch, hidden), Xs.dtype) if c_init is None else c_init
    states, cells = [], []
    for x in Xs[::-1] if reverse else Xs:
        packed = x @ Wi.T + state @ Wh.T
        packed = packed + sum(b for b in (Bi, Bh) if b is not None)
        gates = dict(zip(weight_layout, np.split(packed, 4, axis=1), strict=True))
        peep = p_i is not None and p_f is not None
        i = f(gates["I"] + (p_i * cell if peep else 0))
        forget = f(gates["F"] + (p_f * cell if peep else 0))
        cell = forget * cell + i * g(gates["G"])
        state = f(gates["O"] + (p_o * cell if p_o is not None else 0)) * h(cell)
        state = state if proj is None else state @ proj.T
        states.append(state)
        cells.append(cell)
    return np.array(states), np.array(cells)
