"""Declarations: output_tensor and allocate, their sizes, dtypes and places."""

# ruff: noqa: F821
from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.tensor.hybrid.translate import loops, translated
from tests.tensor.hybrid.ways import three_ways
from tests.tensor.test_hybrid import tensor
from tewb import te
from tewb.base import BoundError, HybridError
from tewb.ir import const_int

script = te.hybrid.script


def test_memory_of_a_size_that_is_counted_or_read() -> None:
    @script
    def f(a):
        b = output_tensor((5,), "int32")
        for i in range(5):
            t = allocate((i + 1,), "int32")
            k = a[i]
            u = allocate((k,), "int32")
            k = 0
            t[:] = i
            u[:] = 1
            for x in u:
                k += x
            b[i] = t[i] * 10 + k
        return b

    three_ways(f, np.array([3, 0, 2, 7, 1], "int32"))
    A = tensor(5, dtype="int32")
    B = f(A)
    with pytest.raises(BoundError, match="a size below 0"):
        tewb.build(te.create_schedule(B.op), [A, B])(np.full(5, -1, "int32"), np.zeros(5, "int32"))
    with pytest.raises(HybridError, match="a size below 0"):
        f.check(np.full(5, -1, "int32"))


def test_memory_lives_in_the_rest_of_its_block() -> None:
    text = loops("b[0] = 1.0\nt = allocate((4,), 'int8', 'local')\nt[0] = 3\nb[1] = t[0]")
    assert text.splitlines()[:3] == [
        "b[0] = T.float32(1.0)",
        't = T.allocate((4,), "int8", scope="local")',
        "t[0] = T.int8(3)",
    ]


def test_arguments_by_name_and_by_place() -> None:
    for form in ("(2, 3), float64", "shape=(2, 3), dtype='float64'", "(2, 3), dtype=a.dtype"):
        op = translated(
            f"b = output_tensor({form})\nb[:, :] = 0.0\nreturn b", te.placeholder((1,), "float64", name="A")
        )
        assert op.output(0).dtype == "float64" and [const_int(n) for n in op.output(0).shape] == [2, 3]
    assert translated("b = output_tensor(5)\nb[:] = 0.0\nreturn b").output(0).dtype == "float32"


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("t, u = allocate((4,)), 1", "allocate gives its tensor a name", ""),
        ("a[0] = allocate((4,))", "allocate gives its tensor a name", "t = allocate(...)"),
        ("a = allocate((4,))", "a is set already", "another name"),
        ("t = allocate((4,), 'int7')", "unknown dtype 'int7'", "float32, float64"),
        ("t = allocate((4,), 'int8x4')", "unknown dtype 'int8x4'", "float32"),
        (
            "t = allocate((4,), 'int8', 'texture')",
            "the scope 'texture' is not known",
            "global, local or shared",
        ),
        ("t = allocate((-4,))", "a size of -4 is below 0", "max(n, 0)"),
        ("t = allocate((0.5,))", "an index is an integer, not float32", ""),
        ("t = allocate()", "allocate needs a shape", "allocate(shape, dtype, scope)"),
        ("t = allocate((4,), shape=(5,))", "shape is given twice", "allocate("),
        ("t = allocate((4,), size=5)", "allocate has no argument size", "allocate("),
        (
            "t = output_tensor((4,), 'int8', 'local')",
            "output_tensor takes at most 2 arguments",
            "output_tensor(shape, dtype)",
        ),
        ("t = output_tensor((int32(a[0]),))", "the size of an output cannot depend on elements", ".shape"),
        (
            "for i in range(2):\n    t = output_tensor((4,))",
            "output_tensor stands outside of loops",
            "allocate",
        ),
    ],
)
def test_declarations_that_are_refused(line: str, said: str, hint: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        loops(line)
    assert hint in (e.value.hint or "")
