"""Every demo opens, and measures right."""

from __future__ import annotations

import pytest

from tewb.base import TewbError
from tewb.workbench.demos import DEMOS, demo_session


@pytest.mark.slow
@pytest.mark.parametrize("name", DEMOS)
def test_demos_measure_right(name: str) -> None:
    size = {"softmax": {"n": 16, "m": 24}, "extern": {}}.get(name, {"n": 48})
    m = demo_session(name, **size).measure(repeat=3)
    assert m.ok and m.kernel and m.numpy and m.ratio and len(m.kernel.results) == 3
    assert "✓ result equals numpy's" in str(m)


@pytest.mark.parametrize(("access", "elements"), [("whole", 96), ("elementwise", 32)])
def test_the_extern_demo_shrinks_if_its_access_is_declared(access: str, elements: int) -> None:
    s = demo_session("extern", access=access)
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    assert [a.elements for a in s.allocations()] == [elements]
    (region,) = s.regions()
    assert region.effect == "idempotent" and region.writes[0].startswith("E[")
    assert s.measure(repeat=1).ok


def test_unknown_demo() -> None:
    with pytest.raises(TewbError, match="there is no demo quicksort"):
        demo_session("quicksort")
