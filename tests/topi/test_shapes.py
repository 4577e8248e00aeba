"""Injective transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import DTypeError, ShapeError, TewbError

x, thin = floats(3, 5, 2), floats(3, 1, 5, 1)
image, weights = floats(2, 8, 3, 5), floats(6, 8, 3, 1)


def blocked(v: Any, n: int) -> Any:
    """NCHW to NCHW with blocks of n channels, padded with 0."""
    batch, channels, h, w = v.shape
    full = np.zeros((batch, -(-channels // n) * n, h, w), v.dtype)
    full[:, :channels] = v
    return full.reshape(batch, -1, n, h, w).transpose(0, 1, 3, 4, 2)


def test_shapes_change() -> None:
    check(
        [
            Case(lambda t: topi.expand_dims(t, 1), lambda v: np.expand_dims(v, 1), (x,)),
            Case(lambda t: topi.expand_dims(t, -1, 2), lambda v: v[..., None, None], (x,)),
            Case(topi.squeeze, np.squeeze, (thin,)),
            Case(lambda t: topi.squeeze(t, -1), lambda v: np.squeeze(v, -1), (thin,)),
            Case(lambda t: topi.squeeze(t, (1, 3)), lambda v: np.squeeze(v, (1, 3)), (thin,)),
            Case(topi.transpose, np.transpose, (x,)),
            Case(lambda t: topi.transpose(t, (1, -1, 0)), lambda v: np.transpose(v, (1, -1, 0)), (x,)),
            Case(lambda t: topi.flip(t, -2), lambda v: np.flip(v, -2), (x,)),
            Case(lambda t: topi.reshape(t, (5, 6)), lambda v: v.reshape(5, 6), (x,)),
            Case(lambda t: topi.reshape(t, (2, -1, 3)), lambda v: v.reshape(2, -1, 3), (x,)),
            Case(lambda t: topi.reshape(t, -1), lambda v: v.reshape(-1), (x,)),
            Case(lambda t: topi.repeat(t, 3, 1), lambda v: np.repeat(v, 3, 1), (x,)),
            Case(lambda t: topi.tile(t, (2, 1, 3)), lambda v: np.tile(v, (2, 1, 3)), (x,)),
            Case(lambda t: topi.tile(t, (2,)), lambda v: np.tile(v, (2,)), (x,)),
            Case(lambda t: topi.tile(t, (2, 1, 1, 2)), lambda v: np.tile(v, (2, 1, 1, 2)), (x,)),
            Case(
                lambda t, like: topi.expand_like(t, like, [1, 2]),
                lambda v, like: np.broadcast_to(v[:, None, None], like.shape),
                (floats(3), x),
            ),
            Case(
                lambda t, like: topi.expand_like(t, like, [0, 1, 2]),
                lambda v, like: np.broadcast_to(v, like.shape),
                (floats(1), x),
            ),
        ]
    )


def test_tensors_are_joined_and_cut() -> None:
    y, z = floats(3, 1, 2, seed=1), floats(3, 4, 2, seed=2)
    same = [floats(3, 5, 2, seed=n) for n in range(3)]
    one = np.array(5, "int32")
    check(
        [
            Case(lambda *t: topi.concatenate(t, 1), lambda *v: np.concatenate(v, 1), (x, y, z)),
            Case(lambda *t: topi.concatenate(t, -3), lambda *v: np.concatenate(v, -3), same),
            Case(lambda *t: topi.concatenate(t), lambda *v: np.concatenate(v), (x,)),
            Case(lambda *t: topi.stack(t, 1), lambda *v: np.stack(v, 1), same),
            Case(lambda *t: topi.stack(t, -1), lambda *v: np.stack(v, -1), same),
            Case(lambda *t: topi.stack(t, 0), lambda *v: np.stack(v, 0), (one, one)),
            Case(lambda t: topi.split(t, 3), lambda v: np.split(v, 3), (x,)),
            Case(lambda t: topi.split(t, [1, 4], axis=-2), lambda v: np.split(v, [1, 4], 1), (x,)),
        ]
    )


def test_layouts() -> None:
    back = blocked(image, 4)
    check(
        [
            Case(
                lambda t: topi.layout_transform(t, "NCHW", "NHWC"),
                lambda v: v.transpose(0, 2, 3, 1),
                (image,),
            ),
            Case(lambda t: topi.layout_transform(t, "NCHW", "NCHW4c"), lambda v: blocked(v, 4), (image,)),
            Case(lambda t: topi.layout_transform(t, "NCHW", "NCHW3c"), lambda v: blocked(v, 3), (image,)),
            Case(lambda t: topi.layout_transform(t, "NCHW4c", "NCHW"), lambda v: image, (back,)),
            Case(
                lambda t: topi.layout_transform(t, "NCHW4c", "NCHW2c"), lambda v: blocked(image, 2), (back,)
            ),
            Case(
                lambda t: topi.layout_transform(t, "OIHW", "OIHW4i2o"),
                lambda v: v.reshape(3, 2, 2, 4, 3, 1).transpose(0, 2, 4, 5, 3, 1),
                (weights,),
            ),
        ]
    )


def test_symbolic_sizes() -> None:
    n, m = te.var("n"), te.var("m")
    A, B = te.placeholder((n, m), name="A"), te.placeholder((4, m), name="B")
    made = [
        topi.transpose(A), topi.reshape(A, (-1,)), topi.concatenate([A, B]), topi.tile(A, (2, 1)), topi.repeat(A, 2, 0),
        topi.flip(A, 1), topi.expand_dims(A, 0),
    ]  # fmt: skip
    kernel = tewb.build(te.create_schedule([t.op for t in made]), [A, B, *made])
    a, b = floats(3, 5), floats(4, 5)
    wanted = [
        a.T, a.reshape(-1), np.concatenate([a, b]), np.tile(a, (2, 1)), np.repeat(a, 2, 0), a[:, ::-1], a[None],
    ]  # fmt: skip
    for got, want in zip(kernel(a, b), wanted, strict=True):
        np.testing.assert_array_equal(got, want)


def test_tensors_without_elements() -> None:
    nothing = np.zeros((4, 0), "float32")
    check(
        [
            Case(lambda t: topi.reshape(t, (2, 0, 2)), lambda v: v.reshape(2, 0, 2), (nothing,)),
            Case(lambda t: topi.tile(t, (5,)), lambda v: np.tile(v, (5,)), (nothing,)),
            Case(topi.nn.flatten, lambda v: v, (nothing,)),
            Case(lambda t: topi.concatenate([t, t], 1), lambda v: v, (nothing,)),
        ]
    )


def test_names_and_tags() -> None:
    A = te.placeholder((2, 3), dtype="int8", name="A")
    names = {
        topi.transpose: "T_transpose", topi.squeeze: "T_squeeze", lambda t: topi.reshape(t, (6,)): "T_reshape",
        lambda t: topi.concatenate([t]): "T_concat", lambda t: topi.stack([t], 0): "T_stack",
        lambda t: topi.expand_dims(t, 0): "T_expand_dims", lambda t: topi.split(t, 2)[1]: "T_split",
    }  # fmt: skip
    for operator, name in names.items():
        t = operator(A)
        assert (t.op.name, t.dtype) == (name, "int8") and topi.tag.is_injective(t.op.tag)


A, B = te.placeholder((2, 3), name="A"), te.placeholder((2, 4), dtype="int32", name="B")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.transpose(A, (0, 0)), ShapeError, r"transpose: \[0, 0\] is no order of the 2 axes of A"),
        (lambda: topi.transpose(A, (0, 2)), ShapeError, "transpose: axis 2 of a tensor of 2 dimensions"),
        (lambda: topi.reshape(A, (4,)), ShapeError, r"A of shape \(2, 3\) has 6 elements, and \(4,\) has 4"),
        (lambda: topi.reshape(A, (4, -1)), ShapeError, "do not fill"),
        (lambda: topi.reshape(A, (-1, -1)), ShapeError, "only one size may be -1"),
        (lambda: topi.squeeze(A, 0), ShapeError, "the size of axis 0 of A and 1 are 2 and 1"),
        (lambda: topi.concatenate([A, B]), DTypeError, "A is float32 and B is int32"),
        (lambda: topi.concatenate([B, te.placeholder((3, 3), "int32")]), ShapeError, "the sizes of axis 1 are 4 and 3"),
        (lambda: topi.concatenate([A, te.placeholder((3,))]), ShapeError, "A has 2 dimensions and placeholder has 1"),
        (lambda: topi.concatenate([]), TewbError, "at least one tensor"),
        (lambda: topi.stack([A, te.placeholder((2, 4))], 0), ShapeError, "the sizes of axis 1 are 3 and 4"),
        (lambda: topi.split(A, 2, axis=1), ShapeError, "axis 1 of A, of 3, does not have 2 equal parts"),
        (lambda: topi.split(A, [2, 1], axis=1), ShapeError, "do not go up to the size 3 of axis 1"),
        (lambda: topi.repeat(A, 0, 0), ShapeError, "0 times"),
        (lambda: topi.expand_like(A, A, [1]), ShapeError, "2 dimensions and 1 new ones are not the 2"),
        (lambda: topi.layout_transform(A, "NC", "NCc"), TewbError, "does not say how large its blocks are"),
        (lambda: topi.layout_transform(A, "NC", "NH"), ShapeError, "do not have the same dimensions"),
        (lambda: topi.layout_transform(A, "NCHW", "NHWC"), ShapeError, "has 4 dimensions and the tensor 2"),
    ],
)  # fmt: skip
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
