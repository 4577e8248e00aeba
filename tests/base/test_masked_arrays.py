"""How many elements a masked array of numpy hides."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest

from tewb.base import masked_elements

ROW = np.arange(4, dtype="float32")


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        (ROW, 0),
        (None, 0),
        ([1, 2], 0),
        (np.ma.array(ROW), 0),
        (np.ma.array(ROW, mask=[0, 1, 0, 1]), 2),
        (np.ma.array(ROW, mask=True), 4),
        (np.ma.array(ROW, mask=[0, 1, 0, 1])[::-2], 2),
        (np.ma.array(ROW[:0], mask=True), 0),
        (np.ma.masked, 1),
    ],
)
def test_hidden_elements_are_counted(value: Any, hidden: int) -> None:
    assert masked_elements(value) == hidden


def test_a_mask_of_fields_hides_every_element() -> None:
    pairs = np.ma.array([(1, 2.0), (3, 4.0)], dtype="i4,f4", mask=[(0, 1), (0, 0)])
    assert masked_elements(pairs) == 2


def test_an_array_is_none_while_another_thread_loads_what_knows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy.ma", types.ModuleType("numpy.ma"))
    assert masked_elements(ROW) == 0
