"""Masked arrays of numpy: they hide elements, which code that reads memory would see."""

from __future__ import annotations

import sys


def masked_elements(value: object) -> int:
    """How many elements a masked array hides; 0 for anything else."""
    ma = sys.modules.get("numpy.ma")
    if ma is None or not isinstance(value, ma.MaskedArray):
        return 0
    hidden = ma.getmaskarray(value)
    return int(hidden.astype(bool).sum()) if hidden.dtype == bool else int(value.size)
