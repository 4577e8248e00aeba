"""Which loops may run in part: those that compute one index of the outputs each time."""

from __future__ import annotations

import pytest

from tests.tensor.hybrid.translate import translated
from tewb import te


def cut(lines: str, shape: str = "(8, 8)", head: str = "def f(a):") -> list[str | None]:
    """The names of the loops that may run in part, for each dimension of the output."""
    body = f"b = output_tensor({shape}, 'float32')\n{lines}\nreturn b"
    op = translated(body, te.placeholder((8, 8), name="A"), head=head)
    return [None if iv is None else iv.var.name for iv in op.cut]


NEST = "for i in range(8):\n    for j in range(8):\n        "


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (NEST + "b[i, j] = a[i, j]", ["i", "j"]),
        (NEST + "b[j, i] = a[i, j]", ["j", "i"]),
        (NEST + "b[i, j // 2] = a[i, j]", ["i", None]),
        (NEST + "b[i, i] = a[i, j]", ["i", None]),
        ("for i in range(7):\n    for j in range(8):\n        b[i, j] = a[i, j]", [None, "j"]),
        (NEST + "b[i, j] = a[i, j]\nb[0, 0] = 1.0", [None, None]),
        (
            "for i in range(8):\n    b[i, 0] = 0.0\n    for j in range(8):\n        b[i, j] = a[i, j]",
            ["i", None],
        ),
        ("for i in range(8):\n    b[i, :] = a[i, :]", ["i", "b.0"]),
        ("b[:, :] = 0.0", ["b.0", "b.1"]),
    ],
)
def test_loops_of_one_index(lines: str, names: list[str | None]) -> None:
    assert cut(lines) == names


def test_memory_that_outlives_an_iteration_needs_all_of_them() -> None:
    lines = "t = allocate((8,), 'float32')\nfor i in range(8):\n    t[i] = a[i, 0]\n    for j in range(8):\n        b[i, j] = t[i]"
    assert cut(lines) == [None, "j"]
    lines = "for i in range(8):\n    t = allocate((8,), 'float32')\n    for j in range(8):\n        t[j] = a[i, j]\n        b[i, j] = t[j]"
    assert cut(lines) == ["i", None]


def test_outputs_of_different_ranks_are_computed_whole() -> None:
    op = translated(
        "b = output_tensor((8,), 'float32')\nc = output_tensor((), 'float32')\nb[:] = a[:]\nc[()] = 0.0\nreturn b, c"
    )
    assert op.cut == () and not op.tiled
