"""The words of hybrid functions, where classic programs look for them."""

from __future__ import annotations

import importlib

import numpy as np


def test_the_words_are_there_by_their_names() -> None:
    words = importlib.import_module("tewb.te.hybrid.runtime").HYBRID_GLOBALS
    assert {"output_tensor", "allocate", "unroll", "ceil_div", "popcount", "float32"} <= set(words)
    assert words["output_tensor"]((2,), "int8").dtype == np.int8
