"""Expressions of a checked run have the dtypes and the values of the compiled function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.tensor.hybrid.translate import function, parsed
from tewb import te
from tewb.base import HybridError
from tewb.tensor.hybrid.checked_call import CheckedCall
from tewb.tensor.hybrid.checked_expressions import CheckedExpressions

script = te.hybrid.script


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


def value(text: str, **names: Any) -> Any:
    call = CheckedCall(function("return a"), names, ())
    with np.errstate(all="ignore"):
        return CheckedExpressions(call).evaluate(parsed(text))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("i + 1", np.int32(8)),
        ("i + 0.5", np.float32(7.5)),
        ("i / 2.0", np.float32(3.5)),
        ("u + 1", np.int32(256)),
        ("u + i", np.int32(262)),
        ("x * i", np.float32(17.5)),
        ("-7 // 2 + i % 4", np.int32(-1)),
        ("not i", np.bool_(False)),
        ("1 < i < 7", np.bool_(False)),
        ("i and x", np.bool_(True)),
        ("i > 9 or u > 3", np.bool_(True)),
        ("x if i > 9 else i", np.int32(7)),
        ("min(i, x, 1)", np.float32(1)),
        ("max(2, 3)", 3),
        ("int8(300)", np.int8(44)),
        ("int(x)", np.int32(2)),
        ("float(i)", np.float32(7)),
        ("len((1, 2))", 2),
        ("i.dtype", "int32"),
        ("exp(0.0)", np.float32(1)),
        ("~u", np.uint8(0)),
        ("3 if True else nothing", 3),
    ],
)
def test_values_and_dtypes(text: str, wanted: Any) -> None:
    got = value(text, i=np.int32(7), u=np.uint8(255), x=np.float32(2.5))
    assert (type(got), got) == (type(wanted), wanted)


def test_what_decides_ends_the_evaluation() -> None:
    assert not value("i > 9 and nothing", i=np.int32(7)) and value("i < 9 or nothing", i=np.int32(7))
    assert not value("9 < i < nothing", i=np.int32(7))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("i // 0", "division by zero"),
        ("i << 32", "shift of int32 by 32"),
        ("i >> -1", "shift of int32 by -1"),
        ("s or i", "a slice is neither true nor false"),
        ("i is i", "Is is not part of the hybrid language"),
        ("i @ i", "the operator MatMult is not part"),
        ("gamma(i)", "there is no function gamma"),
        ("(lambda: 1)()", "this cannot be called"),
        ("i.real", ".real is not part of the hybrid language"),
        ("[k for k in s]", "a comprehension is not part"),
        ("(1, 2) + 1", "this is no number"),
    ],
)
def test_expressions_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(HybridError, match=said):
        value(text, i=np.int32(7), s=np.zeros(3, "float32"))
