"""f.check(...): the first access that is wrong, with its line and the values of the loops."""

# ruff: noqa: F821
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.tensor.hybrid.test_checked_elements import gather
from tests.tensor.hybrid.translate import function
from tests.tensor.test_hybrid import floats
from tewb import te
from tewb.base import HybridError

script = te.hybrid.script


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


def test_check_can_run_inside_of_threads(recwarn: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    at = np.array([[0, 1, 2], [3, 2, 1]], "int32")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda k: gather.check(floats(4) * k, at), range(8)))
    for k, r in enumerate(results):
        np.testing.assert_array_equal(r, gather(floats(4) * k, at))


def checked(lines: str, *args: Any) -> Any:
    return function(lines).check(*(args or (np.arange(4, dtype="float32"),)))


MADE = "b = output_tensor((4,), 'float32')\n"


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ("b[:] = 0.0\nfor i in range(1, 4, 2):\n    b[i] = a[i]", [0, 1, 0, 3]),
        ("b[:] = 0.0\nk = 0\nwhile k < 2:\n    b[k] = 5.0\n    k += 1", [5, 5, 0, 0]),
        ("for i, t in enumerate((a, a, a, a)):\n    b[i] = t[i] * 2.0", [0, 2, 4, 6]),
        ("x, y = a[1], a[2]\nx, y = y, x\nb[0:2] = x\nb[2:4] = y", [2, 2, 1, 1]),
        ("x = 0\nfor v in a:\n    x = int(v)\nb[:] = x", [3, 3, 3, 3]),
    ],
)
def test_statements(lines: str, wanted: list[float]) -> None:
    assert checked(MADE + lines + "\nreturn b").tolist() == wanted


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("pass", "the function returns nothing"),
        ("return a", "only what output_tensor made can be returned"),
        (
            MADE + "for i in 3:\n    b[i] = 1.0\nreturn b",
            r"a loop runs over range\(...\), a tensor or a tuple",
        ),
        (
            MADE + "for i, j in ((1, 2, 3), (4, 5, 6)):\n    b[i] = 1.0\nreturn b",
            "this does not fit what the loop runs over",
        ),
        (MADE + "for i in range(4):\n    i = 3\nreturn b", "i is the variable of a loop and cannot be set"),
        (MADE + "x, y = 1, 2, 3\nreturn b", "the sides of this assignment do not match"),
        ("b = output_tensor((-1,), 'float32')\nreturn b", r"a size below 0: \(-1,\)"),
        ("b = output_tensor(dtype='float32')\nreturn b", "output_tensor needs a shape"),
        (MADE + "import os\nreturn b", "import is not part of the hybrid language"),
    ],
)
def test_statements_that_are_refused(lines: str, said: str) -> None:
    with pytest.raises(HybridError, match=said):
        checked(lines)


def test_several_outputs_are_a_tuple_and_names_of_a_known_branch_stay() -> None:
    lines = (
        MADE + "c = output_tensor((), 'int8')\nif a.ndim == 1:\n    k = 3\nb[:] = k\nc[()] = 7\nreturn c, b"
    )
    c, b = checked(lines)
    assert (c.shape, c.dtype, int(c)) == ((), "int8", 7) and b.tolist() == [3.0] * 4
