"""What a function returns: every output once, in the last line."""

from __future__ import annotations

import pytest

from tests.tensor.hybrid.translate import translated
from tewb.base import HybridError

MADE = "b = output_tensor((8,), 'float32')\nc = output_tensor((8,), 'int8')\nb[:] = 0.0\nc[:] = 0\n"


def test_outputs_come_in_the_order_of_the_return() -> None:
    op = translated(MADE + "return c, b")
    assert [op.output(n).dtype for n in range(2)] == ["int8", "float32"]
    assert [t.dtype for t in translated(MADE + "t = (b, c)\nreturn t").outputs] == ["float32", "int8"]


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("return", "the function must return its output tensors", "return b"),
        ("return a", "only what output_tensor made can be returned", "copy it into an output"),
        ("return b, 1", "only what output_tensor made can be returned", "copy it"),
        ("return b[0]", "only what output_tensor made can be returned", "copy it"),
        ("return b", "the output c is not returned", "or allocate c"),
        ("return b, c, b", "an output is returned twice", "return each output once"),
        ("if a[0] > 0.0:\n    return b, c", "return stands at the end of the function", "in the last line"),
        ("return b, c\nb[0] = 1.0", "nothing can follow the return", "in the last line"),
        ("pass", "the function returns nothing", "return what output_tensor made"),
    ],
)
def test_returns_that_are_refused(line: str, said: str, hint: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        translated(MADE + line)
    assert hint in (e.value.hint or "")
