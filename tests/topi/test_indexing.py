"""Slices, elements chosen by indices, and elements that are replaced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import BoundError, DTypeError, ShapeError, TewbError
from tewb.topi.testing import gather_nd_python, strided_set_python

x, flat = floats(4, 5, 3), floats(7)
wild = integers(2, 3, low=-9, high=9)


def clipped(axis: Any, mode: str) -> Case:
    def reference(v: Any, w: Any) -> Any:
        return np.take(v, w if mode == "wrap" else w.clip(0), axis=axis, mode=mode)

    return Case(lambda t, i: topi.take(t, i, axis, mode=mode), reference, (x, wild))


def test_elements_by_indices() -> None:
    inside = integers(2, 3, low=0, high=5, dtype="uint8")
    rows, columns = integers(2, 1, low=-4, high=4), integers(3, low=-5, high=5, dtype="int64")
    per_place = integers(4, 2, 3, low=0, high=5, dtype="int64")
    coordinates = np.stack([integers(6, low=0, high=4), integers(6, low=0, high=5, seed=1)])
    batched = integers(4, 2, low=0, high=5)
    check(
        [clipped(axis, mode) for axis in (None, 0, -2) for mode in ("clip", "wrap")]
        + [
            Case(lambda t, i: topi.take(t, i, 1, "fast"), lambda v, w: np.take(v, w, 1), (x, inside)),
            Case(
                lambda t, i: topi.take(t, i, 1, 1),
                lambda v, w: np.stack([v[n][w[n]] for n in range(4)]),
                (x, batched),
            ),
            Case(lambda t, i: topi.gather(t, 1, i), lambda v, w: np.take_along_axis(v, w, 1), (x, per_place)),
            Case(topi.gather_nd, lambda v, w: v[w[0], w[1]], (x, coordinates)),
            Case(
                lambda t, i: topi.gather_nd(t, i, 1),
                lambda v, w: np.stack([v[n, w[0, n]] for n in range(4)]),
                (x, batched.T[:1]),
            ),
            Case(lambda t, i, j: topi.adv_index(t, [i, j]), lambda v, i, j: v[i, j], (x, rows, columns)),
        ]
    )


SLICES: list[tuple[Any, Any, Any]] = [
    ([1, 0], [3, 5], [1, 2]), ([0, 4, 0], [4, 0, 3], [1, -1, 2]), ([-3], [-1], None), ([9], [-9], [-3]),
    ([0, 0, 0], [99, 99, 99], [3, 2, 1]), ([None, 3], [2, None], [1, 1]), ([3], [1], [1]),
]  # fmt: skip


def sliced(begin: Any, end: Any, strides: Any) -> Case:
    steps = strides or [None] * len(begin)
    index = tuple(slice(b, e, s) for b, e, s in zip(begin, end, steps, strict=True))
    return Case(lambda t: topi.strided_slice(t, begin, end, strides), lambda v: v[index], (x,))


def test_slices() -> None:
    check(
        [sliced(*s) for s in SLICES]
        + [
            Case(lambda t: topi.strided_slice(t, [1], [3], axes=[-1]), lambda v: v[..., 1:3], (x,)),
            Case(
                lambda t: topi.strided_slice(t, [1, 2], [2, -1], slice_mode="size"),
                lambda v: v[1:3, 2:],
                (x,),
            ),
            Case(lambda t: topi.strided_slice(t, [1], [2], None, "size"), lambda v: v[1:3], (x,)),
            Case(
                lambda t, b, e, s: topi.dynamic_strided_slice(t, b, e, s, (2, 2, 3)),
                lambda v, *_: v[1:3, -1:0:-2],
                (x, *(np.array(n, "int32") for n in ([1, -1, 0], [3, 0, 3], [1, -2, 1]))),
            ),
        ]
    )


def put(begin: Any, end: Any, strides: Any) -> Case:
    index = tuple(slice(b, e, s) for b, e, s in zip(begin, end, strides or [None] * len(begin), strict=True))
    values = floats(*x[index].shape, seed=5)
    vectors = [np.array(n, "int32") for n in (begin, end, strides) if n is not None]

    def reference(v: Any, new: Any, *_: Any) -> Any:
        made = v.copy()
        made[index] = new
        return made

    return Case(topi.strided_set, reference, (x, values, *vectors))


def test_elements_of_a_slice_are_replaced() -> None:
    check(
        [
            put([1, 0], [3, 5], [1, 2]),
            put([3, 4, 0], [0, 0, 3], [-1, -3, 2]),
            put([-3], [-1], None),
            put([1], [99], [2]),
        ]
    )


def test_ends_and_strides_may_be_missing() -> None:
    data, values = floats(3, 4, 3), floats(1, 2, 3)
    vectors = [np.array(n, "int32") for n in ([1, 1], [2, 3, 3], [1])]
    check([Case(topi.strided_set, strided_set_python, (data, values, *vectors))])


def test_float_indices_are_rounded_toward_zero() -> None:
    at = np.array([[1.8, 0.0], [0.5, 2.0]], "float32")
    check([Case(topi.gather_nd, gather_nd_python, (floats(2, 3), at))])


def test_symbolic_slices() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, 4), name="A")
    made = [
        topi.strided_slice(A, [1, 0], [m, 4], [2, 1]),
        topi.strided_slice(A, [-3], [-1]),
        topi.strided_slice(A, [None], [None], [-1]),
        topi.take(A, te.placeholder((2,), "int32", name="P"), 0),
    ]
    at = made[3].op.input_tensors[1] if made[3].op.input_tensors[0] is A else made[3].op.input_tensors[0]
    kernel = tewb.build(te.create_schedule([t.op for t in made]), [m, A, at, *made])
    a = floats(7, 4)
    results = kernel(6, a, np.array([3, 99], "int32"))
    for got, want in zip(results, [a[1:6:2], a[-3:-1], a[::-1], a[[3, 6]]], strict=True):
        np.testing.assert_array_equal(got, want)


def test_an_index_outside_is_found_when_the_kernel_runs() -> None:
    A, P = te.placeholder((4,), name="A"), te.placeholder((2,), "int32", name="P")
    B = topi.take(A, P, 0, mode="fast")
    kernel = tewb.build(te.create_schedule(B.op), [A, P, B])
    with pytest.raises(BoundError):
        kernel(flat[:4], np.array([1, 4], "int32"))


A, F, P = (
    te.placeholder((4, 5), name="A"),
    te.placeholder((2,), name="F"),
    te.placeholder((2,), "int32", name="P"),
)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.take(A, F, 0), DTypeError, "take: F has dtype float32"),
        (lambda: topi.take(A, P, 2), ShapeError, "axis 2"),
        (lambda: topi.take(A, P, 0, mode="clap"), TewbError, "mode cannot be 'clap'"),
        (lambda: topi.take(A, P, 0, 1), ShapeError, "batch_dims is 1"),
        (lambda: topi.gather(A, 0, P), ShapeError, "A has 2 dimensions and P has 1"),
        (lambda: topi.gather_nd(A, te.placeholder((3, 2), "int32")), ShapeError, "3 indices and 0 batch"),
        (lambda: topi.adv_index(A, [P, P, P]), ShapeError, "3 index tensors for the 2 dimensions"),
        (lambda: topi.strided_slice(A, [0], [1], [0]), TewbError, "a stride of 0"),
        (lambda: topi.strided_slice(A, [0, 0], [1]), ShapeError, "2 begins, 1 ends"),
        (lambda: topi.strided_slice(A, P, P), TewbError, "would depend on data"),
        (lambda: topi.strided_slice(A, [0], [1], slice_mode="ends"), TewbError, "did you mean 'end'"),
        (lambda: topi.dynamic_strided_slice(A, P, P, P, (2,)), ShapeError, "1 dimensions and A has 2"),
        (lambda: topi.strided_set(A, F, P, P), ShapeError, "F has 1 dimensions and A has 2"),
        (lambda: topi.strided_set(A, A, F, P), DTypeError, "begin is float32"),
    ],
)  # fmt: skip
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
