"""Sizes for people."""

from __future__ import annotations

import pytest

from tewb import te
from tewb.workbench.looks.sizes import bytes_shown, memory_shown


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (2**20 - 1, "1024 KiB"),
        (2**20, "1 MiB"),
        (5 * 2**30 // 2, "2.5 GiB"),
        (2**50, "1.049e+06 GiB"),
    ],
)
def test_bytes_have_a_readable_unit(n: int, text: str) -> None:
    assert bytes_shown(n) == text


def test_memory_of_tensors_and_buffers() -> None:
    assert memory_shown(te.placeholder((16, 32), "float64", name="A")) == "4 KiB"
    assert memory_shown(te.placeholder((), "int8", name="A")) == "1 B"
    assert memory_shown(te.placeholder((4, 0), name="A")) == "0 B"
    assert memory_shown(te.decl_buffer((7,), "bool", name="B")) == "7 B"
    assert memory_shown(te.placeholder((4, te.var("n")), name="A")) == "symbolic size"
