"""Parallel loops over functions of Python, run by the code of the thread pool."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

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
