"""Arguments that are ready begin with nothing."""

from __future__ import annotations

from tewb.runtime.abi import ParamSpec
from tewb.runtime.prepared import BoundSymbol, Prepared


def test_each_call_has_slots_and_symbols_of_its_own() -> None:
    one, other = Prepared(), Prepared()
    one.slots.append(3)
    one.symbols["n"] = BoundSymbol(4, "A's dimension 0", ParamSpec("A", "buffer", "float32"))
    assert (other.slots, other.symbols, other.arrays, other.passed, other.write_back) == ([], {}, [], [], [])
    assert one.symbols["n"].value == 4
