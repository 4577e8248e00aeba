"""A long short-term memory, beside the one on numpy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, check_schedule, floats, words
from tewb import te, topi
from tewb.base import ShapeError, TewbError
from tewb.topi.testing import lstm_python

STEPS, BATCH, INPUTS, HIDDEN, PROJECTED = 4, 2, 3, 5, 2
x, wi, wh = floats(STEPS, BATCH, INPUTS), floats(4 * HIDDEN, INPUTS), floats(4 * HIDDEN, HIDDEN)
bi, bh = floats(4 * HIDDEN), floats(4 * HIDDEN, seed=1)
start, cell = floats(BATCH, HIDDEN), floats(BATCH, HIDDEN, seed=1)
small, proj = floats(4 * HIDDEN, PROJECTED), floats(PROJECTED, HIDDEN)


def named(arrays: dict[str, Any], **options: Any) -> Case:
    """A case whose arrays have names: those of the arguments."""

    def operator(*tensors: Any) -> Any:
        acts = {k: getattr(te, v) for k, v in options.items() if k.endswith("_act")}
        return topi.nn.lstm(**dict(zip(arrays, tensors, strict=True)), **{**options, **acts})

    def reference(*values: Any) -> Any:
        return lstm_python(**dict(zip(arrays, values, strict=True)), **options)

    return Case(operator, reference, list(arrays.values()))


def test_states_of_every_step() -> None:
    plain = {"Xs": x, "Wi": wi, "Wh": wh}
    peep = {"p_i": cell, "p_f": start, "p_o": cell}
    check(
        [
            named(plain),
            named({**plain, "Bi": bi, "Bh": bh, "h_init": start, "c_init": cell}),
            named({**plain, **peep}, reverse=True),
            named({**plain, "c_init": cell, "p_o": start}, weight_layout="GOIF"),
            named({"Xs": x, "Wi": wi, "Wh": small, "proj": proj}, f_act="tanh", h_act="sigmoid"),
        ],
        rtol=1e-4,
        atol=1e-5,
    )


def test_the_names_of_the_parts() -> None:
    X, W, H = te.placeholder(x.shape), te.placeholder(wi.shape), te.placeholder(wh.shape)
    states, cells = topi.nn.lstm(X, W, H)
    s = topi.generic.schedule_lstm([states, cells])
    kernel = tewb.build(s, [X, W, H, states, cells])
    got = kernel(x, wi, wh)
    for a, b in zip(got, lstm_python(x, wi, wh), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


X, W, H = te.placeholder((4, 2, 3), name="X"), te.placeholder((20, 3)), te.placeholder((20, 5))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.nn.lstm(X, W, H, weight_layout="IFG"), TewbError, "'IFG' is no order of the gates"),
        (
            lambda: topi.nn.lstm(X, te.placeholder((18, 3)), H),
            ShapeError,
            "18 rows of weights for four gates",
        ),
        (
            lambda: topi.nn.lstm(X, te.placeholder((20, 2)), H),
            ShapeError,
            "the columns of Wi and the inputs are 2 and 3",
        ),
        (
            lambda: topi.nn.lstm(X, W, te.placeholder((20, 4))),
            ShapeError,
            "the columns of Wh and the hidden state",
        ),
        (lambda: topi.nn.lstm(X, W, H, Bi=te.placeholder((5,))), ShapeError, "a size of Bi"),
        (lambda: topi.nn.lstm(X, W, H, h_init=te.placeholder((5, 2))), ShapeError, "a size of h_init"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint


@pytest.mark.parametrize("batch, hidden", [(5, 16), (1, 3), (7, 6)])
def test_tiles_of_registers_have_the_same_sums(batch: int, hidden: int) -> None:
    inputs = [floats(3, batch, 5), floats(4 * hidden, 5), floats(4 * hidden, hidden), floats(4 * hidden)]
    check_schedule(
        topi.x86.schedule_lstm,
        Case(lambda *t: list(topi.nn.lstm(*t)), lambda *v: list(lstm_python(*v)), inputs),
        rtol=1e-4,
    )


def test_the_product_of_all_inputs_is_scheduled() -> None:
    tensors = [te.placeholder(s, name=f"A{n}") for n, s in enumerate([(8, 4, 64), (256, 64), (256, 64)])]
    s = topi.generic.schedule_lstm(list(topi.nn.lstm(*tensors)))
    assert {"transform_layout", "vectorize"} <= words(s)


def test_one_of_the_two_results() -> None:
    tensors = [te.placeholder(a.shape, name=f"A{n}") for n, a in enumerate((x, wi, wh))]
    for n, out in enumerate(topi.nn.lstm(*tensors)):
        with tewb.PassContext(opt_level=0):
            kernel = tewb.build(te.create_schedule(out.op), [*tensors, out])
        np.testing.assert_allclose(kernel(x, wi, wh), lstm_python(x, wi, wh)[n], 1e-4, 1e-5)
