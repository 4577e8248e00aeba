"""Random schedules of programs with symbolic sizes: one kernel gives what the definition says for many sizes."""

from __future__ import annotations

import random

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule, schedule_for
from tewb import te
from tewb.base import BoundError, LowerError
from tewb.schedule import Schedule, Step
from tewb.tensor import Tensor
from tewb.testing import evaluate, random_array, tolerance

SIZES = {"matmul": 3, "chain": 2, "blur": 2, "rows": 2, "padded": 1, "argmax": 2}


def schedule_with_vectors(outputs: list[Tensor], rng: random.Random) -> Schedule:
    """A random schedule, whose innermost loops are often split by a constant and made vectors."""
    s = random_schedule(outputs, rng, rng.randint(1, 5))
    for stage in s.stages:
        loops = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
        if stage.is_placeholder or not loops or rng.random() < 0.3:
            continue
        split = Step("split", stage.name, {"axis": loops[-1], "factor": rng.choice([2, 4, 8])})
        if s.why_not(split) is None:
            inner = s.apply(split)[1]
            vectorize = Step("vectorize", stage.name, {"axis": stage.axis_name(inner)})
            if s.why_not(vectorize) is None:
                s.apply(vectorize)
    return s


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("seed", range(12))
def test_symbolic_kernel_computes_the_same_at_every_size(name: str, seed: int) -> None:
    rng = random.Random(f"symbolic{name}{seed}")
    names = [te.var(v) for v in "nmk"[: SIZES[name]]]
    inputs, outputs = PROGRAMS[name](*names)
    s = schedule_with_vectors(outputs, rng)
    try:
        kernel = tewb.build(s, [*inputs, *outputs], debug=seed % 4 == 0)
    except LowerError as e:
        assert "not constant" in str(e)
        return
    for sizes in ([1] * len(names), [rng.randint(1, 8) for _ in names], [rng.randint(9, 40) for _ in names]):
        values = dict(zip(names, sizes, strict=True))
        given, made = PROGRAMS[name](*sizes)
        arrays = [
            random_array([n.value for n in t.shape], t.dtype, np.random.default_rng(seed)) for t in given
        ]
        wanted = evaluate(made, dict(zip(given, arrays, strict=True)))
        results = [np.full(w.shape, 77).astype(w.dtype) for w in wanted]
        try:
            kernel(*arrays, *results)
        except BoundError as e:  # a part that is moved inwards needs as many iterations as it has
            assert 'was split with tail="shift", and has fewer iterations' in str(e)
            continue
        for t, got, want in zip(outputs, results, wanted, strict=True):
            rtol, atol = tolerance(t.dtype, 64)
            np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, err_msg=f"{values} {s.journal}")


def splits_by(size: str, outputs: list[Tensor], rng: random.Random) -> list[Step]:
    """Splits of one loop of each stage by `size`, and what is read there is computed there."""
    steps = []
    for stage in (st for st in schedule_for(outputs).stages if not st.is_placeholder and st.leaf_iter_vars):
        axis = rng.choice([stage.axis_name(iv) for iv in stage.leaf_iter_vars])
        given = rng.choice([size, size, f"{size} // 2 + 1"])
        steps.append(Step("split", stage.name, {"axis": axis, rng.choice(["factor", "nparts"]): given}))
        if rng.random() < 0.3:
            steps.append(Step("rfactor", stage.name, {"axis": f"{axis}.inner"}))
        for read in (r for r in stage.reads() if not r.is_placeholder):
            steps.append(Step("compute_at", read.name, {"parent": stage.name, "axis": f"{axis}.outer"}))
    return steps


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", ["matmul", "chain", "blur", "rows", "argmax", "two_outputs"])
@pytest.mark.parametrize("seed", range(6))
def test_a_kernel_computes_the_same_for_every_factor(name: str, seed: int) -> None:
    rng = random.Random(f"factor{name}{seed}")
    f = te.var("f", rng.choice(["int32", "int64"]))
    inputs, outputs = PROGRAMS[name]()
    s = random_schedule(outputs, rng, rng.randint(0, 4), splits_by("f", outputs, rng), [f])
    assert s.part_sizes
    kernel = tewb.build(s, [*inputs, *outputs, f], debug=seed % 3 == 0)
    arrays = [random_array([n.value for n in t.shape], t.dtype, np.random.default_rng(seed)) for t in inputs]
    wanted = evaluate(outputs, dict(zip(inputs, arrays, strict=True)))
    for size in (1, 2, rng.randint(3, 12), 1000):
        results = [np.full(w.shape, 77).astype(w.dtype) for w in wanted]
        kernel(*arrays, *results, size)
        for t, got, want in zip(outputs, results, wanted, strict=True):
            rtol, atol = tolerance(t.dtype, 64)
            np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, err_msg=f"f={size} {s.journal}")
