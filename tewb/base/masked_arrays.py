"""Masked arrays of numpy: they hide elements, which code that reads memory would see."""

from __future__ import annotations

import numpy as np


def masked_elements(value: object) -> int:
    """How many elements a masked array hides; 0 for anything else."""
    if type(value) is np.ndarray or not isinstance(value, np.ndarray):
        return 0
    from numpy import ma  # another thread may be loading it: an import waits until it is whole

    if not isinstance(value, ma.MaskedArray):
        return 0
    hidden = ma.getmaskarray(value)
    return int(hidden.astype(bool).sum()) if hidden.dtype == bool else int(value.size)
