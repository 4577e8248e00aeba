"""Arrays of several dimensions become lines of elements."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb import te
from tewb.ir import BufferLoad, walk
from tewb.lowering import BUILD, run


def test_flatten_gives_every_access_one_index() -> None:
    (A, B), (C,) = matmul(4, 5, 6)
    f = run(tewb.lower(schedule_for([C]), [A, B, C])["main"], BUILD)
    assert all(len(n.indices) == 1 for n in walk(f.body) if isinstance(n, BufferLoad))
    assert "C[i * 5 + j] = C[i * 5 + j] + A[i * 6 + k] * B[k * 5 + j]" in f.script()


@pytest.mark.parametrize("marks", [(), ("double_buffer",), ("parallel",), ("storage_align",)])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (1, 1), (5, 9)])
def test_memory_of_steps_over_nothing_is_none(marks: tuple[str, ...], shape: tuple[int, int]) -> None:
    """Steps of 4 over n rows span (n + 3)//4*4 - 3 of them: -3 for none, which was refused as too much memory."""
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    Q = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="Q")
    Z = te.compute((n, m), lambda i, j: Q[i, j] * 2.0, name="Z")
    s = te.create_schedule(Z.op)
    i, ii = s[Z].split("i", factor=4)
    j, ji = s[Z].split("j", factor=8)
    s[Z].reorder(ii, ji, i, j)
    s[Q].compute_at(s[Z], ii if "double_buffer" in marks else ji)
    if "double_buffer" in marks:
        s[Q].double_buffer()
    if "parallel" in marks:
        s[Z].parallel(ii)
    if "storage_align" in marks:
        s[Q].storage_align("i", 16, 1)
    a = np.arange(shape[0] * shape[1], dtype="float32").reshape(shape)
    z = np.zeros(shape, "float32")
    tewb.build(s, [A, Z])(a, z)
    assert np.array_equal(z, (a + 1) * 2)
