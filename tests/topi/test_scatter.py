"""Elements that are put, or added, at places that indices name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats, integers, tensor_for
from tewb import te, topi
from tewb.base import BoundError, DTypeError, ShapeError, TewbError

x, new = floats(5, 4), floats(3, 4)
at = integers(3, 4, low=-5, high=5)
ufuncs = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}


def scattered(data: Any, index: Any, values: Any, word: str) -> Any:
    result = data.copy()
    if word in ufuncs:
        ufuncs[word].at(result, index, values)
    elif word == "mean":
        count = np.ones_like(data)
        np.add.at(result, index, values)
        np.add.at(count, index, 1)
        result /= count
    else:
        for place in np.ndindex(*values.shape):
            result[tuple(i[place] for i in index)] = values[place]
    return result


def elements(axis: int, word: str) -> Case:
    def reference(v: Any, i: Any, w: Any) -> Any:
        index = list(np.indices(i.shape))
        index[axis] = i
        return scattered(v, tuple(index), w, word)

    return Case(lambda t, i, w: topi.scatter_elements(t, i, w, axis, word), reference, (x, at, new))


def test_elements_and_coordinates() -> None:
    columns = integers(3, 4, low=-4, high=4, dtype="int64")
    pairs = np.stack([integers(6, low=0, high=5), integers(6, low=-4, high=4, seed=1)])
    rows = integers(1, 2, low=0, high=5)
    vectors = [integers(6, low=0, high=5, dtype="int64"), integers(6, low=0, high=4, dtype="int64")]
    check(
        [elements(0, word) for word in ("update", "add", "mul", "min", "max", "mean")]
        + [
            Case(
                lambda t, i, w: topi.scatter_add(t, i, w, -1),
                lambda v, i, w: scattered(v, (np.indices(i.shape)[0], i), w, "add"),
                (x, columns, new),
            ),
            Case(
                topi.scatter,
                lambda v, i, w: scattered(v, (i, np.indices(i.shape)[1]), w, "update"),
                (x, at, new),
            ),
            Case(
                lambda t, i, w: topi.scatter_nd(t, i, w, "add"),
                lambda v, i, w: scattered(v, tuple(i), w, "add"),
                (x, pairs, floats(6)),
            ),
            Case(
                lambda t, i, w: topi.scatter_nd(t, i, w, "update"),
                lambda v, i, w: np.array([w[list(i[0]).index(n)] if n in i[0] else v[n] for n in range(5)]),
                (x, np.array([[3, 1]], "int32"), floats(2, 4)),
            ),
            Case(
                lambda t, i, w: topi.scatter_nd(t, i, w, "max"),
                lambda v, i, w: scattered(v, (i[0][:, None], np.arange(4)), w, "max"),
                (x, rows, floats(2, 4, seed=2)),
            ),
            Case(
                lambda t, i, j, w: topi.index_put(t, [i, j], w, True),
                lambda v, i, j, w: scattered(v, (i, j), w, "add"),
                (x, *vectors, floats(6)),
            ),
        ]
    )


def test_symbolic_sizes() -> None:
    n, m = te.var("n"), te.var("m")
    A, B, C = (
        te.placeholder((n,), name="A"),
        te.placeholder((m,), "int32", "B"),
        te.placeholder((m,), name="C"),
    )
    D = topi.scatter_add(A, B, C)
    with tewb.PassContext(opt_level=0):
        kernel = tewb.build(te.create_schedule(D.op), [A, B, C, D])
    got = kernel(np.zeros(3, "float32"), np.array([1, 1, -1, 0], "int32"), np.arange(4, dtype="float32"))
    assert got.tolist() == [3, 1, 2]


def test_an_index_outside_is_an_error_of_the_kernel() -> None:
    tensors = [tensor_for(a, f"A{n}") for n, a in enumerate((x, at, new))]
    out = topi.scatter(*tensors)
    with tewb.PassContext(opt_level=0):
        kernel = tewb.build(te.create_schedule(out.op), [*tensors, out])
    for wrong in (5, -6):
        bad = at.copy()
        bad[1, 2] = wrong
        with pytest.raises(BoundError, match="scatter_elements: an index is outside of dimension 0 of A0"):
            kernel(x, bad, new, np.zeros_like(x))


MISUSE: dict[str, tuple[Any, type[Exception], str]] = {
    "dtype": (lambda t, i, w: topi.scatter(t, i, topi.cast(w, "float64")), DTypeError, "A0 is float32"),
    "float index": (lambda t, i, w: topi.scatter(t, w, w), DTypeError, "indices are integers"),
    "rank": (lambda t, i, w: topi.scatter(t, topi.reshape(i, (12,)), w), ShapeError, "2 dimensions"),
    "sizes": (lambda t, i, w: topi.scatter(t, i, t), ShapeError, "are 3 and 5"),
    "axis": (lambda t, i, w: topi.scatter_add(t, i, w, 2), ShapeError, "axis 2"),
    "mode": (lambda t, i, w: topi.scatter_nd(t, i, w, "sub"), TewbError, "mode cannot be 'sub'"),
    "depth": (lambda t, i, w: topi.scatter_nd(t, i, w, "add"), ShapeError, "3 coordinates"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISUSE)
def test_misuse(case: str) -> None:
    tensors = [tensor_for(a, f"A{n}") for n, a in enumerate((x, at, new))]
    call, error, said = MISUSE[case]
    with pytest.raises(error, match=said):
        call(*tensors)
