"""NDArray: a numpy array in every way, with the classic methods."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import nd, te
from tewb.base import ArgumentError, DTypeError, ShapeError
from tewb.runtime import remove_global_func


def two_rows() -> Any:
    return nd.array(np.arange(6, dtype="float32").reshape(2, 3))


def test_it_is_a_numpy_array() -> None:
    a = two_rows()
    assert isinstance(a, np.ndarray)
    assert isinstance(a, nd.NDArray)
    assert (a.dtype, a.shape, a.strides, a.ndim) == ("float32", (2, 3), (12, 4), 2)
    assert repr(a).startswith("NDArray([[0., 1., 2.]")
    assert str(a) == str(np.asarray(a))
    assert np.shares_memory(np.asarray(a), a)
    assert type(np.asarray(a)) is np.ndarray


@pytest.mark.parametrize(
    "part", [np.s_[0], np.s_[:, 1:], np.s_[::-1], np.s_[..., None], np.s_[()], np.s_[1:1]]
)
def test_parts_of_it_are_views_of_its_own_kind(part: Any) -> None:
    a = two_rows()
    view = a[part]
    assert type(view) is nd.NDArray
    view[...] = 7
    assert (np.asarray(a)[part] == 7).all()
    assert type(a.T) is type(a.reshape(-1)) is nd.NDArray


RESULTS: list[Callable[[Any], Any]] = [
    lambda a: a + 1, lambda a: 1 - a, lambda a: -a, lambda a: a == a, lambda a: np.exp(a), lambda a: a @ a.T,
    lambda a: a.sum(axis=0), lambda a: np.where(a > 1, a, 0), lambda a: np.linalg.inv(a[:, :2] + 1), lambda a: np.trunc(a),
    lambda a: np.maximum.accumulate(a), lambda a: np.add.outer(a, a), lambda a: np.einsum("ij->i", a), lambda a: a.round(),
    lambda a: np.add(a, 1), lambda a: a.numpy(), lambda a: a.asnumpy(), lambda a: np.array(a), lambda a: divmod(a, 2)[0],
]  # fmt: skip


@pytest.mark.parametrize("f", RESULTS)
def test_what_numpy_computes_is_an_ordinary_array(f: Callable[[Any], Any]) -> None:
    a = two_rows()
    result = f(a)
    assert type(result) is np.ndarray
    np.testing.assert_array_equal(result, f(a.view(np.ndarray).view(nd.NDArray)))
    assert not np.shares_memory(result, a)


NUMBERS: list[Callable[[Any], Any]] = [
    lambda a: a.sum(), lambda a: a.mean(), lambda a: a.std(), lambda a: a.max(), lambda a: np.median(a),
    lambda a: np.dot(a[0], a[1]), lambda a: a[0] @ a[1], lambda a: np.linalg.norm(a), lambda a: a[0, 1],
    lambda a: np.add.reduce(a, axis=None), lambda a: a[0, 0] + 1, lambda a: np.trace(a), lambda a: np.sum(a[0]),
]  # fmt: skip


@pytest.mark.parametrize("f", NUMBERS)
def test_what_numpy_reduces_to_is_a_number(f: Callable[[Any], Any]) -> None:
    a = two_rows()
    assert type(f(a)) is np.float32
    assert f(a) == f(np.asarray(a))
    assert type(a.any()) is np.bool_
    assert type(a.argmax()) is np.int64


def test_numpy_writes_into_it_and_returns_it() -> None:
    a = two_rows()
    before = a
    a += 1
    assert a is before
    assert np.add(a, 1, out=a) is a
    assert np.sum(a, axis=0, out=a[0]).shape == (3,)
    np.testing.assert_array_equal(a, [[7, 9, 11], [5, 6, 7]])


@pytest.mark.parametrize("value", [3, 2.5, True])
def test_an_array_of_no_dimensions_is_one_number(value: Any) -> None:
    a = nd.array(value)
    assert (a.shape, type(a)) == ((), nd.NDArray)
    assert a.item() == value
    assert type(a.numpy()) is np.ndarray
    a[()] = 1
    assert a.asnumpy() == 1
    b = nd.empty((), a.dtype)
    assert a.copyto(b) is b
    assert b.item() == 1


def test_numpy_gives_a_compact_copy() -> None:
    a = two_rows()
    copied = a.T[::-1].asnumpy()
    assert copied.flags.c_contiguous
    copied[...] = 0
    assert a.sum() == 15
    np.testing.assert_array_equal(a.T[::-1].numpy(), np.arange(6).reshape(2, 3).T[::-1])


def test_it_is_pickled_and_copied() -> None:
    a = two_rows()
    for b in (pickle.loads(pickle.dumps(a)), copy.copy(a), copy.deepcopy(a), a.copy()):
        assert type(b) is nd.NDArray
        np.testing.assert_array_equal(a, b)
        assert not np.shares_memory(a, b)


# ---------------------------------------------------------------- copyto, copyfrom


def test_copyto_fills_another_array_or_makes_one() -> None:
    a = two_rows()
    b, c, d = nd.empty((2, 3)), np.zeros((2, 3), "float32"), nd.empty((3, 2))
    assert a.copyto(b) is b
    assert a.copyto(c) is c
    a.copyto(d.T)
    for other in (b, c, d.T, a.copyto(nd.cpu(0)), a.copyto(tewb.cpu(0))):
        np.testing.assert_array_equal(a, other)
        assert not np.shares_memory(a, other)
    assert type(a.copyto(nd.cpu(0))) is nd.NDArray


def test_copyto_of_overlapping_parts() -> None:
    a = nd.array(np.arange(6))
    a[:-1].copyto(a[1:])
    assert a.tolist() == [0, 0, 1, 2, 3, 4]


def test_copyto_narrows_floats_and_ints() -> None:
    b = nd.empty((2,))
    nd.array(np.array([1.5, 2.5])).copyto(b)
    assert b.tolist() == [1.5, 2.5]
    c = nd.empty((2,), "int32")
    nd.array([1, 2]).copyto(c)
    assert c.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("target", "error", "said"),
    [
        (nd.empty((3, 2)), ShapeError, r"shape \(2, 3\) cannot be copied to one of shape \(3, 2\)"),
        (nd.empty((1, 2, 3)), ShapeError, r"cannot be copied to one of shape \(1, 2, 3\)"),
        (nd.empty((2, 3), "int32"), DTypeError, "float32 values do not become int32 by themselves"),
        ([1, 2, 3], ArgumentError, r"copyto takes an array or a device, not \[1, 2, 3\]"),
        (None, ArgumentError, "copyto takes an array or a device, not None"),
        (np.broadcast_to(np.float32(0), (2, 3)), ArgumentError, "the array to copy to is read-only"),
    ],
)
def test_copyto_refuses(target: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        two_rows().copyto(target)


def test_copyfrom_converts_and_keeps_the_shape() -> None:
    a = nd.empty((2, 2), "int32")
    assert a.copyfrom([[1, 2], [3, 4.0]]) is a
    assert a.tolist() == [[1, 2], [3, 4]]
    assert a.copyfrom(np.full((2, 2), 5.0)).tolist() == [[5, 5], [5, 5]]
    with pytest.raises(ShapeError, match=r"shape \(2,\) cannot be copied to one of shape \(2, 2\)"):
        a.copyfrom([1, 2])
    with pytest.raises(DTypeError, match="'x' cannot become an array"):
        a.copyfrom("x")
    a.flags.writeable = False
    with pytest.raises(ArgumentError, match="read-only"):
        a.copyfrom(np.zeros((2, 2)))


def test_it_knows_its_device_and_itself() -> None:
    a = two_rows()
    assert a.device == a.ctx == nd.cpu(0)
    assert a.same_as(a)
    assert not a.same_as(two_rows())


# ---------------------------------------------------------------- kernels


def adder(n: Any = 4) -> Any:
    A, B = te.placeholder((n,), name="A"), te.placeholder((n,), name="B")
    C = te.compute((n,), lambda i: A[i] + B[i], name="C")
    return tewb.build(te.create_schedule(C.op), [A, B, C])


@pytest.mark.parametrize("n", [4, te.var("n")])
def test_kernels_take_it_in_machine_code(n: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = adder(n)
    a, b = nd.array([1.0, 2, 3, 4]), np.ones(4, "float32")
    kernel(a, b, nd.empty((4,)))
    kernel(a, b, nd.empty((4,)))  # from now on there is a native entry

    def explain(*args: Any, **keywords: Any) -> None:
        raise AssertionError("the call went through Python")

    monkeypatch.setattr(type(kernel).__base__, "_call_in_python", explain)
    for x, y in ((a, b), (a, nd.array(b)), (a[:], b)):
        c = nd.empty((4,))
        kernel(x, y, c)
        assert c.tolist() == [2, 3, 4, 5]


def test_a_kernel_explains_what_it_cannot_take() -> None:
    kernel = adder()
    for _ in range(3):
        with pytest.raises(ArgumentError, match="B has dtype int64, and kernel main takes float32"):
            kernel(nd.array([1.0, 2, 3, 4]), nd.array([1, 2, 3, 4]), nd.empty((4,)))


def test_a_callback_receives_it() -> None:
    seen = []

    def f(a: Any, b: Any) -> None:
        seen.append((type(a), type(b), a.ctx, a.asnumpy().sum()))
        nd.array(a.asnumpy() + 1).copyto(b)

    tewb.register_func("test.ndarray", f, override=True)
    try:
        A = te.placeholder((4, 4), name="A")
        E = te.extern((4, 4), [A], lambda i, o: te.call_packed("test.ndarray", i[0], o[0]), name="E")
        buffers = {t: te.decl_buffer(t.shape, strides=[te.var(), te.var()]) for t in (A, E)}
        kernel = tewb.build(te.create_schedule(E.op), [A, E], binds=buffers)
        for make in (lambda: np.zeros((4, 8), "float32")[:, ::2], lambda: nd.empty((4, 4)).T):
            a, e = nd.array(np.arange(16, dtype="float32").reshape(4, 4)), make()
            kernel(a, e)
            np.testing.assert_array_equal(e, a + 1)
    finally:
        remove_global_func("test.ndarray")
    assert seen == [(nd.NDArray, nd.NDArray, nd.cpu(0), 120)] * 2
