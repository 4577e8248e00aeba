"""Instruments of passes, by the classic names."""

from __future__ import annotations

from typing import Any

import tewb
from tewb.lowering import PassInstrument

tvm: Any = tewb


def test_the_classic_names_are_one_class() -> None:
    assert tvm.instrument.PassInstrument is tvm.ir.instrument.PassInstrument is PassInstrument
    assert tvm.transform.PassInstrument is PassInstrument
