"""One call of a checked run: its names, its loops, and errors that say who called it."""

# ruff: noqa: F821
from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

from tests.tensor.hybrid.test_checked_elements import half_filled
from tests.tensor.hybrid.translate import function, parsed
from tests.tensor.test_hybrid import floats
from tewb import te
from tewb.base import BoundError, HybridError, Span
from tewb.tensor.hybrid.checked_call import CheckedCall, plain, typed

script = te.hybrid.script


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


def call(body: str = "x = 0\nreturn x", callers: tuple[str, ...] = (), **values: Any) -> CheckedCall:
    return CheckedCall(function(body), values, callers)


def name(text: str) -> ast.Name:
    node = parsed(text)
    assert isinstance(node, ast.Name)
    return node


def test_names_end_with_their_block_and_the_innermost_counts() -> None:
    c = call(a=1)
    with c.block():
        c.set("a", 2)
        assert c.look_up(name("a")) == 2 and c.block_of("a") is c.blocks[-1]
    assert c.look_up(name("a")) == 1 and c.block_of("z") is None


def test_a_parameter_that_the_function_sets_has_the_dtype_of_a_variable() -> None:
    c = call("n = n + 1\nreturn n", n=3, m=3)
    assert type(c.look_up(name("n"))) is np.int32 and type(c.look_up(name("m"))) is int


@pytest.mark.parametrize(
    ("text", "said"), [("x", "x is read before it is set here"), ("z", "z has no value here")]
)
def test_names_without_a_value(text: str, said: str) -> None:
    with pytest.raises(HybridError, match=said):
        call().look_up(name(text))
    assert call().look_up(name("float32")) == "float32"


def test_errors_have_the_loops_and_the_callers() -> None:
    c = call(callers=("g, line 7", "h, line 9"))
    c.loops = {"i": np.int32(3), "j": 4}
    error = c.error(c.source.tree.body[0], "no", "do this", BoundError)
    assert type(error) is BoundError and error.hint == "do this" and error.span == Span("f.py", 2)
    assert error.message.splitlines()[-3:] == [
        "  with i = 3, j = 4",
        "  called from h, line 9",
        "  called from g, line 7",
    ]
    assert c.line_of(c.source.tree.body[0]) == "f, i = 3, j = 4, f.py, line 2"


def test_numbers_have_the_dtype_of_the_compiled_function() -> None:
    assert [typed(v).dtype.name for v in (3, 0.5, True, np.int8(1))] == ["int32", "float32", "bool", "int8"]
    assert plain(np.float32(0.5)) == "0.5" and plain(3) == "3"
