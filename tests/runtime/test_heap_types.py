"""Types by CPython's C interface."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from tewb.runtime import heap_types
from tewb.runtime.cpython import is_like_array
from tewb.runtime.ndarray import NDArray


class Usual(np.ndarray):
    """An array with a method."""

    __slots__ = ()

    def double(self) -> Any:
        return self * 2


def test_a_class_without_head_has_the_layout_of_its_base() -> None:
    light = heap_types.without_head(Usual)
    assert not is_like_array(Usual)
    assert is_like_array(light)
    assert (light.__name__, light.__module__, light.__doc__) == ("Usual", __name__, "An array with a method.")
    assert np.arange(3).view(light).double().tolist() == [0, 2, 4]


def test_without_cpythons_interface_the_class_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap_types, "is_known_python", lambda: False)
    assert heap_types.without_head(Usual) is Usual


def test_objects_of_it_come_and_go() -> None:
    gc.collect()
    before = len(gc.get_objects())
    kept = [np.arange(3).view(NDArray) for _ in range(1000)]
    del kept
    assert len(gc.get_objects()) - before < 100


def test_a_class_can_be_derived_from_it() -> None:
    class Named(NDArray):
        name = "x"

    a = np.arange(3).view(Named)
    a.extra = 1
    assert (a.name, a.extra, a.asnumpy().tolist()) == ("x", 1, [0, 1, 2])
    assert not is_like_array(Named)
