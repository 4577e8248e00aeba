"""Parameters and fixtures, of a module and of a class."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from tewb import testing
from tewb.base import ArgumentError

size = testing.parameter(1, 10, 100)
named = testing.parameter(by_dict={"one": 1, "two": 2})
length, dtype = testing.parameters((1, "float32"), (2, "int8"), ids=["floats", "bytes"])
other, _unused = testing.parameters([3, 4], [5, 6])
seen: list[Any] = []


@testing.fixture
def doubled(size: int) -> int:
    return 2 * size


@testing.fixture(cache_return_value=True)
def squared(size: int) -> int:
    return size * size


def test_values_change_alone(size: int, doubled: int, squared: int) -> None:
    assert (doubled, squared) == (2 * size, size * size)
    seen.append(size)


def test_values_change_together(length: int, dtype: str) -> None:
    assert dtype == {1: "float32", 2: "int8"}[length]
    seen.append(length)


def test_several_kinds_are_all_combinations(named: int, length: int, other: int) -> None:
    seen.append((named, length, other))


class TestOfAClass:
    n, m = testing.parameters((1, 2), (3, 4))
    k = testing.parameter("a", "b")

    @testing.fixture
    def pair(self, n: int, m: int) -> tuple[int, int]:
        return n, m

    def test_it_has_its_own(self, pair: tuple[int, int], k: str) -> None:
        seen.append((pair, k))


def test_ids_are_those_that_were_given(request: pytest.FixtureRequest) -> None:
    ids = [
        item.name
        for item in request.session.items
        if item.nodeid.split("::")[0].endswith("test_parameters.py")
    ]
    if len(ids) < 20:
        pytest.skip("a part of this file was asked for")
    count = {name: sum(i.startswith(f"{name}[") for i in ids) for name in (
        "test_values_change_alone", "test_values_change_together", "test_several_kinds_are_all_combinations", "test_it_has_its_own",
    )}  # fmt: skip
    assert list(count.values()) == [3, 2, 8, 4]
    assert {"test_values_change_together[floats]", "test_values_change_together[bytes]"} <= set(ids)


def test_sets_have_one_length() -> None:
    with pytest.raises(ArgumentError, match=r"sets of one length, and these have \[1, 2\]"):
        testing.parameters((1, 2), (3,))
    with pytest.raises(ArgumentError, match="these have none"):
        testing.parameters()


def test_values_have_their_ids_once() -> None:
    with pytest.raises(ArgumentError, match="takes values, or by_dict"):
        testing.parameter(1, by_dict={"a": 1})


def test_main_runs_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "suite.py"
    path.write_text("import tewb.testing\ntewb.testing.main()\n")
    called = []
    monkeypatch.setattr(pytest, "main", lambda args: called.append(args) or 3)
    monkeypatch.setattr(sys, "argv", ["suite.py", "-k", "x"])
    with pytest.raises(SystemExit) as e:
        runpy.run_path(str(path), run_name="__main__")
    assert e.value.code == 3
    assert called == [[str(path), "-p", "tewb.testing.plugin", "-k", "x"]]
