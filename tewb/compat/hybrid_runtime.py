"""`te.hybrid.runtime`: the words that hybrid functions have besides Python's, as they mean them on numpy arrays."""

from __future__ import annotations

from tewb.tensor.hybrid import eager_names

HYBRID_GLOBALS = eager_names()
