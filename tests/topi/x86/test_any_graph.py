"""Any schedule on any graph: the result stays, also where the schedule was made for something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import floats, tensor_for
from tewb import te, topi
from tewb.topi.utils import get_const_tuple

a, w, m, v = floats(2, 4, 6, 5, low=0.5), floats(3, 4, 3, 3, low=0.5), floats(6, 5), floats(7, 5)


def normed(t: Any, k: Any) -> Any:
    """A convolution that a sum reads, and the result too."""
    c = topi.nn.conv2d_nchw(t, k, 1, 0, 1)
    return topi.divide(c, topi.sum(c, (2, 3), keepdims=True))


def twice(t: Any, k: Any) -> Any:
    """A convolution that is read on two ways."""
    c = topi.nn.conv2d_nchw(t, k, 1, 0, 1)
    return topi.add(c, topi.where(topi.greater(c, 90.0), c, topi.exp(topi.negative(c))))


GRAPHS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "normed convolution": (normed, (a, w)),
    "read twice": (twice, (a, w)),
    "flat convolution": (
        lambda t, k: topi.nn.flatten(topi.nn.conv2d_nchw(topi.nn.relu(t), k, 2, 1, 1)),
        (a, w),
    ),
    "softmax of a product": (lambda x, y: topi.nn.softmax(topi.nn.dense(topi.exp(x), y)), (m, v)),
    "turned softmax": (lambda t: topi.transpose(topi.nn.softmax(t, 2)), (a,)),
    "softmax of the first": (lambda t: topi.nn.softmax(t, 0), (a,)),
    "groups": (lambda t: topi.nn.group_norm(t, None, None, 2, 1, [2, 3]), (a,)),
    "means of windows": (lambda t: topi.nn.adaptive_pool(topi.nn.relu(t), (4, 3), "avg"), (a,)),
    "sums that run": (lambda t: topi.add(topi.cumsum(topi.exp(t), 1), t), (a,)),
    "one number": (lambda t: topi.sum(t), (a,)),
}
SCHEDULES = ["injective", "reduce", "softmax", "dense", "conv2d_nchw", "pool", "adaptive_pool"]


@pytest.mark.one_in(12)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", GRAPHS)
def test_results_stay(name: str, schedule: str) -> None:
    operator, inputs = GRAPHS[name]
    tensors = [tensor_for(x, f"A{n}") for n, x in enumerate(inputs)]
    out = operator(*tensors)
    results = []
    for s in (te.create_schedule(out.op), getattr(topi.x86, f"schedule_{schedule}")([out])):
        with tewb.PassContext(opt_level=0):
            kernel = tewb.build(s, [*tensors, out])
        results.append(np.zeros(get_const_tuple(out.shape), str(out.dtype)))
        kernel(*inputs, results[-1])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4, atol=1e-4)
