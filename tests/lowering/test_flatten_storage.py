"""Arrays of several dimensions become lines of elements."""

from __future__ import annotations

import tewb
from tests.programs import matmul, schedule_for
from tewb.ir import BufferLoad, walk
from tewb.lowering import BUILD, run


def test_flatten_gives_every_access_one_index() -> None:
    (A, B), (C,) = matmul(4, 5, 6)
    f = run(tewb.lower(schedule_for([C]), [A, B, C])["main"], BUILD)
    assert all(len(n.indices) == 1 for n in walk(f.body) if isinstance(n, BufferLoad))
    assert "C[i * 5 + j] = C[i * 5 + j] + A[i * 6 + k] * B[k * 5 + j]" in f.script()
