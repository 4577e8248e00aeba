"""What else numpy has beside plain arrays: the right result, or a sentence that says what to pass instead."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ArgumentError, HybridError


@pytest.fixture(scope="module")
def twice() -> Any:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] * 2, name="B")
    return tewb.build(te.create_schedule(B.op), [A, B])


class Sub(np.ndarray):
    pass


class Table:
    """As a table of pandas: numpy can read it."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.arange(4, dtype="float32")


def numbers() -> Any:
    return np.arange(4, dtype="float32")


def read_only() -> Any:
    made = np.zeros(4, "float32")
    made.flags.writeable = False
    return made


TAKEN: dict[str, Callable[[], Any]] = {
    "masked, nothing hidden": lambda: np.ma.array(numbers(), mask=[0, 0, 0, 0]),
    "masked, without a mask": lambda: np.ma.array(numbers()),
    "a subclass": lambda: numbers().view(Sub),
    "a record array": lambda: np.rec.array(numbers()),
    "a dtype with metadata": lambda: numbers().astype(np.dtype("float32", metadata={"unit": "m"})),
    "a memoryview": lambda: memoryview(numbers()),
    "array.array": lambda: array.array("f", numbers()),
    "read-only": lambda: np.broadcast_to(numbers(), (4,)),
}

# What is no input, with what is said and what is advised.
REFUSED: dict[str, tuple[Callable[[], Any], str, str]] = {
    "masked": (lambda: np.ma.array(numbers(), mask=[0, 1, 0, 1]), "A is a masked array that hides 2 of its 4", "filled"),
    "a matrix": (lambda: np.matrix(numbers()), "A has 2 dimensions (1, 4), and kernel main takes 1", ""),
    "objects": (lambda: numbers().astype(object), "A holds Python objects", "A.astype('float32') if they are numbers"),
    "fields": (lambda: np.zeros(4, [("x", "f4")]), "A has dtype [('x', '<f4')]", "A['x']"),
    "fields of objects": (lambda: np.zeros(4, [("x", "O")]), "A holds Python objects", ""),
    "dates": (lambda: np.zeros(4, "datetime64[s]"), "A has dtype datetime64[s]", ""),
    "complex": (lambda: numbers().astype("complex64"), "A has dtype complex64", "A.real.astype('float32')"),
    "text": (lambda: np.zeros(4, "U1"), "A has dtype <U1", ""),
    "void": (lambda: np.zeros(4, "V4"), "A has dtype |V4", ""),
    "integers of the same size": (lambda: np.zeros(4, "int32"), "A has dtype int32", "A.astype('float32')"),
    "big-endian": (lambda: numbers().astype(">f4"), "in this machine's byte order", "A.astype('float32')"),
    "no dimensions": (lambda: np.float32(1), "A has 0 dimensions ()", ""),
    "a list": (lambda: [0.0, 1.0, 2.0, 3.0], "A is an array of float32, not a list", "numpy.asarray(x, dtype='float32')"),
    "what numpy can read": (Table, "A is an array of float32, not a Table", "numpy.asarray(x, dtype='float32')"),
    "bytes": (lambda: bytes(16), "A has dtype uint8", "numpy.frombuffer(A, 'float32')"),
    "a class": (lambda: np.ndarray, "A is an array of float32, not a type", ""),
    "nothing": (lambda: None, "A is an array of float32, not a NoneType", ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", TAKEN)
def test_other_arrays_are_read(twice: Any, kind: str) -> None:
    out = np.zeros(4, "float32")
    for _ in range(3):  # the ways of a call differ
        twice(TAKEN[kind](), out)
        np.testing.assert_array_equal(out, [0, 2, 4, 6])


@pytest.mark.filterwarnings(
    "ignore:the matrix subclass:PendingDeprecationWarning"
)  # numpy's, of its own class
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_input_is_explained(twice: Any, kind: str) -> None:
    make, said, hint = REFUSED[kind]
    with pytest.raises(ArgumentError) as e:
        twice(make(), np.zeros(4, "float32"))
    assert said in e.value.message and hint in (e.value.hint or "")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: np.ma.array(numbers(), mask=[0, 1, 0, 0]), "B is a masked array that hides 1 of its 4"),
        (read_only, "B is an output of kernel main and is read-only"),
        (lambda: np.zeros(4, "float64"), "B has dtype float64"),
        (lambda: np.zeros(4, [("x", "f4")]), "B has dtype"),
        (lambda: [0.0] * 4, "B is an array of float32, not a list"),
    ],
)
def test_what_is_no_output_is_explained(twice: Any, make: Callable[[], Any], said: str) -> None:
    out = make()
    with pytest.raises(ArgumentError) as e:
        twice(numbers(), out)
    assert said in e.value.message and "B.astype" not in (e.value.hint or "")


@pytest.mark.filterwarnings(
    "ignore:the matrix subclass:PendingDeprecationWarning"
)  # numpy's, of its own class
def test_a_matrix_is_read_as_an_array() -> None:
    A = te.placeholder((2, 3), name="A")
    B = te.compute((2, 3), lambda i, j: A[i, j] * 2, name="B")
    out = np.zeros((2, 3), "float32")
    given = np.matrix(np.arange(6, dtype="float32").reshape(2, 3))
    tewb.build(te.create_schedule(B.op), [A, B])(given, out)
    np.testing.assert_array_equal(out, np.asarray(given) * 2)


def test_masks_are_not_lost_elsewhere() -> None:
    hiding = np.ma.array(numbers(), mask=[0, 1, 0, 0])

    @te.hybrid.script
    def copied(a):
        b = output_tensor(a.shape, "float32")  # noqa: F821
        for i in range(a.shape[0]):
            b[i] = a[i]
        return b

    for call in (copied, copied.check):
        with pytest.raises(HybridError, match="a is a masked array that hides 1 of its elements"):
            call(hiding)
        np.testing.assert_array_equal(call(np.ma.array(numbers())), numbers())

    @te.hybrid.script
    def with_table(a):
        b = output_tensor(a.shape, "float32")  # noqa: F821
        for i in range(a.shape[0]):
            b[i] = a[i] + hiding[i]
        return b

    A = te.placeholder((4,), name="A")
    with pytest.raises(HybridError, match="this is a masked array"):
        with_table(A)
    with pytest.raises(ArgumentError, match="a masked array that hides 1 elements"):
        tewb.nd.array(hiding)
    B = te.compute((4,), lambda i: A[i] * 2, name="B")
    with pytest.raises(ArgumentError, match="input 0 is a masked array"):
        tewb.Session(te.create_schedule(B.op), [A, B], inputs=[hiding])


def echo_of_nothing(dtype: str) -> Any:
    """The kernel that copies a tensor of no dimensions."""
    A = te.placeholder((), dtype, name="A")
    B = te.compute((), lambda: A[()], name="B")
    return tewb.build(te.create_schedule(B.op), [A, B])


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        ("int8", 300, "A=300 does not fit int8"),
        ("uint64", -1, "A=-1 does not fit uint64"),
        ("uint64", 2**64, "does not fit uint64"),
        ("int32", 2.5, "2.5 is not a whole number"),
        ("int32", float("nan"), "nan is not a whole number"),
        ("int64", 10**400, "an integer of 1329 bits"),
        ("float32", 10**400, "an integer of 1329 bits"),
        ("float64", np.ma.masked, "is a masked array"),
    ],
)
def test_a_number_for_a_tensor_of_no_dimensions_must_fit_it(dtype: str, value: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        echo_of_nothing(dtype)(value)
    x = te.var("A", dtype)
    C = te.compute((1,), lambda i: x, name="C")
    with pytest.raises(ArgumentError, match=message):
        tewb.build(te.create_schedule(C.op), [x, C])(value)


def test_a_number_for_a_tensor_of_no_dimensions() -> None:
    assert echo_of_nothing("bool")(256) == True  # noqa: E712
    assert echo_of_nothing("uint64")(2**64 - 1) == 2**64 - 1
    assert echo_of_nothing("int8")(-128.0) == -128
    with pytest.raises(ArgumentError, match="B is an array of float32, not a float"):
        echo_of_nothing("float32")(3.0, 2.0)


class BadOwner:
    """An object whose memory cannot be had."""

    def __dlpack__(self, **options: object) -> object:
        raise ValueError("lost")

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def test_memory_that_its_owner_does_not_give_is_refused() -> None:
    kernel = echo_of_nothing("float32")
    gone = memoryview(np.ones((), np.float32))
    gone.release()
    with pytest.raises(ArgumentError, match="cannot be shared with numpy: lost"):
        kernel(BadOwner())
    with pytest.raises(ArgumentError, match="A is an array of float32, not a memoryview"):
        kernel(gone)
