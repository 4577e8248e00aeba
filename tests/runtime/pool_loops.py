"""Parallel loops over functions of Python, run by the code of the thread pool, and kernels that have such loops."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from tewb import te
from tewb.runtime import pool

_LOOP = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 3
)
_BODY = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
Body = Callable[[int, int], "int | None"]


def run(body: Body, n: int, most: int = 1 << 62, context: Any = None, least: int = 1) -> int:
    """The code that the pool returns for `body(lo, hi)` over 0..n."""
    pool().start()
    context = context or (ctypes.c_int64 * 8)()
    call = _LOOP(pool()._code.address("tewb_rt_parallel"))
    function = _BODY(lambda ctx, data, lo, hi: body(lo, hi) or 0)
    return int(call(context, function, None, n, most, least))


def rows_by_calls(name: str, rows: int) -> tuple[Any, list[Any]]:
    """B of `rows` rows of A, each made by a call of the packed function `name`, in parallel."""
    A = te.placeholder((rows, 4), name="A")
    B = te.extern(
        A.shape,
        [A],
        lambda ins, outs: te.call_packed(name, ins[0], outs[0]),
        name="B",
        access=te.access.elementwise,
    )
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].split(B.op.axis[0], 1)[0])
    return s, [A, B]


def elements_at(n: int) -> tuple[Any, list[Any]]:
    """B of `n` elements of A, which has 8, at the places `at`, in parallel."""
    at = te.placeholder((n,), name="at", dtype="int32")
    A = te.placeholder((8,), name="A")
    B = te.compute((n,), lambda i: A[at[i]], name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    return s, [A, at, B]
