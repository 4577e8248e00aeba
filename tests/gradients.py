"""Derivatives compared with finite differences, in float64, by the reference: no kernel is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tewb import te
from tewb.testing.reference import evaluate

STEP = 1e-6


def placeholder(*shape: int, name: str = "A", dtype: str = "float64") -> Any:
    return te.placeholder(shape, dtype, name=name)


def size_of(t: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in t.shape)


def values(t: Any, seed: int, low: float = 0.2, high: float = 1.4) -> Any:
    return np.random.default_rng(seed).uniform(low, high, size_of(t)).astype(str(t.dtype))


def assert_gradient(
    output: Any,
    inputs: Sequence[Any],
    others: Mapping[Any, Any] | None = None,
    low: float = 0.2,
    high: float = 1.4,
) -> list[Any]:
    """The derivatives of `output` by `inputs`, after both the product with a head and the whole Jacobians were compared
    with differences of `output`. `others` are the values of further inputs."""
    given = {t: values(t, n, low, high) for n, t in enumerate(inputs)} | dict(others or {})
    head = te.placeholder(output.shape, output.dtype, name="head")
    weights = values(output, 99, -1, 1)
    results = te.gradient(output, list(inputs), head)
    products = evaluate(results, {**given, head: weights})
    jacobians = evaluate(te.gradient(output, list(inputs)), given)
    for t, product, jacobian in zip(inputs, products, jacobians, strict=True):
        want = differences(output, t, given)
        np.testing.assert_allclose(jacobian, want, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(product, np.tensordot(weights, want, weights.ndim), rtol=1e-5, atol=1e-6)
    return results


def differences(output: Any, t: Any, given: Mapping[Any, Any]) -> Any:
    """d output / d t by central differences."""
    result = np.zeros((*size_of(output), *size_of(t)))
    for place in np.ndindex(size_of(t)):
        ends = []
        for step in (STEP, -STEP):
            moved = given[t].copy()
            moved[place] += step
            ends.append(np.asarray(evaluate([output], {**given, t: moved})[0], "float64"))
        result[(..., *place)] = (ends[0] - ends[1]) / (2 * STEP)
    return result


def loops(t: Any) -> list[tuple[str, int]]:
    """The reduce axes of a tensor: names and extents."""
    return [(iv.name, int(iv.dom.extent)) for iv in t.op.reduce_axis]
