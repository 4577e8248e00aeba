"""The ways to run a hybrid function, which agree: compiled, as plain Python, and checked."""

from __future__ import annotations

import linecache
from typing import Any

import numpy as np

from tests.tensor.test_hybrid import compiled
from tewb import te


def three_ways(f: Any, *arrays: Any, debug: bool = True) -> None:
    """Compiled, plain Python and the checked run agree."""
    want = f(*arrays)
    checked = f.check(*arrays)
    got = compiled(f, list(arrays), debug=debug)
    several = isinstance(want, tuple | list)
    for g, w, c in zip(got, want if several else [want], checked if several else [checked], strict=True):
        assert g.dtype == w.dtype == c.dtype
        np.testing.assert_allclose(g, w, rtol=3e-6)
        np.testing.assert_allclose(c, w, rtol=3e-6)


def ints(*shape: int, dtype: str = "int32", low: int = 0, high: int = 8) -> Any:
    return np.random.default_rng(2).integers(low, high, shape).astype(dtype)


def define(text: str, file: str, known: bool) -> Any:
    if known:  # as IPython does
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    scope: dict[str, Any] = {"te": te}
    exec(compile(text, file, "exec"), scope)
    return scope
