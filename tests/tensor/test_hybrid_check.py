"""f.check(...): the first access that is wrong, with its line and the values of the loops."""

# ruff: noqa: F821
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.tensor.test_hybrid import floats, tensor
from tewb import te
from tewb.base import BoundError, HybridError

script = te.hybrid.script


@script
def gather(a, at):
    b = output_tensor((2, 3), "float32")
    for i in range(2):
        for j in range(3):
            b[i, j] = a[at[i, j]]
    return b


@script
def half_filled(a, k):
    t = allocate((6,), "float32")
    b = output_tensor((6,), "float32")
    for i in range(k):
        t[i] = a[i]
    for i in range(6):
        b[i] = t[i] * 2.0
    return b


def test_a_good_run_returns_the_outputs() -> None:
    at = np.array([[0, 1, 2], [3, 2, 1]], "int32")
    np.testing.assert_array_equal(gather.check(floats(4), at), gather(floats(4), at))


def test_a_read_outside() -> None:
    with pytest.raises(BoundError) as e:
        gather.check(floats(4), np.array([[0, 1, 2], [3, 4, 1]], "int32"))
    lines = str(e.value).splitlines()
    assert lines[0] == (
        "hybrid function gather: this leaves a: the index of dimension 0 is 4, and the size is 4"
    )
    assert lines[1].strip() == "b[i, j] = a[at[i, j]]"
    assert lines[2].index("^") == lines[1].index("a[at")
    assert lines[3] == "  with i = 1, j = 1"
    assert lines[-1].endswith(f"test_hybrid_check.py, line {gather.text.first_line + 5}")


def test_a_negative_index_that_is_not_a_constant() -> None:
    """Python counts from the end, the compiled function refuses to."""
    with pytest.raises(BoundError, match="the index of dimension 0 is -1"):
        gather.check(floats(4), np.array([[0, 1, 2], [3, -1, 1]], "int32"))


def test_a_read_of_what_was_never_written() -> None:
    np.testing.assert_array_equal(half_filled.check(floats(6), 6), floats(6) * 2)
    with pytest.raises(HybridError, match=r"t\[4\] is read and was never written\n(.*\n)+  with i = 4"):
        half_filled.check(floats(6), 4)


def test_an_output_that_is_not_filled() -> None:
    @script
    def f(a):
        b = output_tensor((4, 4), "float32")
        for i in range(4):
            for j in range(i):
                b[i, j] = a[i]
        return b

    with pytest.raises(
        HybridError, match=r"b\[0, 0\] is returned and was never written \(10 of 16 elements\)"
    ):
        f.check(floats(4))


def test_a_write_outside_and_slices() -> None:
    @script
    def f(a, k):
        t = allocate((6,), "float32")
        b = output_tensor((6,), "float32")
        t[0:3] = a[0:3]
        b[k : k + 3] = a[0:3]
        b[k : k + 3] = t[k : k + 3]
        b[k] = 1.0
        b[:] = 0.0
        b[k + 3] = 2.0
        return b

    f.check(floats(6), np.int32(0))
    with pytest.raises(
        BoundError, match="this slice leaves b: it ends at 7, and the size of dimension 0 is 6"
    ):
        f.check(floats(6), np.int32(4))
    with pytest.raises(HybridError, match="element 1 of this slice of t was never written"):
        f.check(floats(6), np.int32(2))
    with pytest.raises(BoundError, match="this slice leaves b: it ends at -1"):
        f.check(floats(6), np.int32(-1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a[i] // (a[i] - a[i])", "division by zero"),
        ("a[i] % (i - 1)", "division by zero"),
        ("a[i] << (i + 31)", "shift of int32 by 32"),
        ("a[i] >> (-i)", "shift of int32 by -1"),
    ],
)
def test_arithmetic_without_a_meaning(text: str, said: str) -> None:
    from tests.tensor.hybrid.test_refusals import define

    body = f"def f(a):\n    b = output_tensor((4,), 'int32')\n    for i in range(4):\n        b[i] = {text}\n    return b\n"
    f = script(define(body, f"<check {hash(body)}>"))
    with pytest.raises(HybridError, match=said + r"\n(.*\n)+  with i = "):
        f.check(np.arange(4, dtype="int32"))


def test_an_error_in_a_function_that_is_called_names_the_caller() -> None:
    @script
    def f(a):
        b = output_tensor((6,), "float32")
        for k in range(4, 7):
            t = half_filled(a, k + 1)
            b[:] = t[:]
        return b

    with pytest.raises(HybridError) as e:
        f.check(floats(8))
    text = str(e.value)
    assert "t[5] is read and was never written" in text
    assert "with i = 5" in text and "called from f, k = 4, " in text


def test_an_assertion() -> None:
    @script
    def f(a):
        b = output_tensor((4,), "float32")
        for i in range(4):
            assert a[i] >= 0.0, "no negative numbers"
            b[i] = sqrt(a[i])
        return b

    with pytest.raises(
        HybridError, match=r"the assertion does not hold: no negative numbers\n(.*\n)+  with i = 2"
    ):
        f.check(np.array([1, 4, -1, 9], "float32"))


def test_an_input_is_not_changed() -> None:
    from tests.tensor.hybrid.test_refusals import define

    f = script(
        define("def f(a):\n    b = output_tensor((4,), 'int8')\n    a[0] = 1\n    return b\n", "<input>")
    )
    a = floats(4)
    with pytest.raises(HybridError, match="a is an input and cannot be written"):
        f.check(a)
    np.testing.assert_array_equal(a, floats(4))


def test_scalars_keep_the_dtype_of_the_compiled_function() -> None:
    @script
    def f(a):
        b = output_tensor((1,), "int32")
        x = 1
        for _i in range(40):
            x = x * 2 + a[0]
        b[0] = x
        return b

    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(f.check(np.zeros(1, "int32")), [0])


def test_check_is_for_arrays() -> None:
    with pytest.raises(HybridError, match="gather.check runs on numpy arrays"):
        gather.check(tensor(4), tensor(2, 3))


def test_check_can_run_inside_of_threads(recwarn: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    at = np.array([[0, 1, 2], [3, 2, 1]], "int32")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda k: gather.check(floats(4) * k, at), range(8)))
    for k, r in enumerate(results):
        np.testing.assert_array_equal(r, gather(floats(4) * k, at))
