"""Operators beside numpy: many in one kernel, for a build costs more than what it computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import tewb
from tests import examples
from tewb import te
from tewb.topi.utils import get_const_int


@dataclass
class Case:
    """`operator` on tensors computes what `reference` does on the arrays `inputs`."""

    operator: Callable[..., Any]
    reference: Callable[..., Any]
    inputs: Sequence[Any]


def floats(*shape: int, low: float = -2.0, high: float = 2.0, dtype: str = "float32", seed: int = 0) -> Any:
    """Numbers between low and high, none of them 0."""
    rng = np.random.default_rng([seed, *shape])
    return rng.uniform(low, high, shape).astype(dtype)


def integers(*shape: int, low: int = -9, high: int = 10, dtype: str = "int32", seed: int = 0) -> Any:
    """Integers from low up to high, which is left out."""
    return np.random.default_rng([seed, *shape]).integers(low, high, shape).astype(dtype)


def tensor_for(a: Any, name: str) -> Any:
    return te.placeholder(a.shape, dtype=str(a.dtype), name=name)


def several(x: Any) -> list[Any]:
    return list(x) if isinstance(x, list | tuple) else [x]


def check(cases: Sequence[Case], rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """All cases in one kernel; dtypes, shapes and values as numpy has them."""
    arrays: list[Any] = []
    tensors: dict[int, Any] = {}
    for a in (a for case in cases for a in case.inputs):
        if id(a) not in tensors:
            tensors[id(a)] = tensor_for(a, f"A{len(arrays)}")
            arrays.append(a)
    made = [several(case.operator(*[tensors[id(a)] for a in case.inputs])) for case in cases]
    outputs = [t for of_one in made for t in of_one]
    s = te.create_schedule(list(dict.fromkeys(t.op for t in outputs)))
    # LLVM's optimisation is half of the time, and is tried when everything runs.
    with tewb.PassContext(opt_level=3 if examples.runs_everything else 0):
        kernel = tewb.build(s, [*tensors.values(), *outputs])
    results = [np.zeros([get_const_int(n) for n in t.shape], str(t.dtype)) for t in outputs]
    kernel(*arrays, *results)
    remaining = iter(results)
    for number, (case, of_one) in enumerate(zip(cases, made, strict=True)):
        with np.errstate(all="ignore"):
            wanted = several(case.reference(*case.inputs))
        assert len(wanted) == len(of_one), number
        for want, t in zip(wanted, of_one, strict=True):
            message = f"case {number}: {t.name}"
            assert tuple(map(get_const_int, t.shape)) == np.shape(want), message
            np.testing.assert_allclose(next(remaining), want, rtol, atol, err_msg=message)


def check_schedule(
    schedule: Callable[..., Any], case: Case, rtol: float = 1e-4, atol: float = 1e-5, **options: Any
) -> None:
    """A case, computed by a schedule of its own."""
    tensors = [tensor_for(a, f"A{n}") for n, a in enumerate(case.inputs)]
    outputs = several(case.operator(*tensors))
    with tewb.PassContext(opt_level=3 if examples.runs_everything else 0):
        kernel = tewb.build(schedule(outputs, **options), [*tensors, *outputs])
    results = [np.zeros([get_const_int(n) for n in t.shape], str(t.dtype)) for t in outputs]
    kernel(*case.inputs, *results)
    for got, want in zip(results, several(case.reference(*case.inputs)), strict=True):
        np.testing.assert_allclose(got, want, rtol, atol)


def words(schedule: Any) -> set[str]:
    """The primitives that a schedule used."""
    return {step.primitive for step in schedule.journal}
