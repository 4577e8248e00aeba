"""The caches of a machine: read from the system, and how long their lines take."""

from __future__ import annotations

from pathlib import Path

import pytest

from tewb.workbench.speed.cache_misses import Cache
from tewb.workbench.speed.memory_levels import MemoryLevels, Source, cache_sizes, held_bytes


def describe(folder: Path, number: int, level: int, kind: str, size: str, ways: int) -> None:
    at = folder / f"index{number}"
    at.mkdir()
    for name, text in (("level", level), ("type", kind), ("size", size), ("ways_of_associativity", ways)):
        (at / name).write_text(f"{text}\n")


def test_caches_are_read_from_the_system(tmp_path: Path) -> None:
    describe(tmp_path, 0, 1, "Data", "48K", 12)
    describe(tmp_path, 1, 1, "Instruction", "32K", 8)
    describe(tmp_path, 2, 2, "Unified", "2M", 16)
    describe(tmp_path, 3, 3, "Unified", "16M", 16)
    assert cache_sizes(tmp_path) == (Cache("L1", 768, 12), Cache("L2", 32768, 16), Cache("L3", 262144, 0))
    assert cache_sizes(tmp_path)[0].sets == 64


@pytest.mark.parametrize("size", ["", "many", "0x10"])
def test_what_the_system_says_wrongly_is_left_out(tmp_path: Path, size: str) -> None:
    describe(tmp_path, 0, 1, "Data", size, 8)
    assert [c.name for c in cache_sizes(tmp_path)] == ["L1", "L2", "L3"]  # those of many machines
    assert [c.name for c in cache_sizes(tmp_path / "nowhere")] == ["L1", "L2", "L3"]


def test_lines_take_the_time_of_where_they_come_from() -> None:
    caches = (Cache("L1", 8), Cache("L2", 64))
    levels = MemoryLevels(caches, (Source("L2", 1.0, 2.0), Source("memory", 10.0, 30.0)), 3.0)
    assert levels.seconds({"L1": 7, "L2": 2}, is_sequential=True) == 5 * 1 + 2 * 10
    assert levels.seconds({"L1": 7, "L2": 2}, is_sequential=False) == 5 * 2 + 2 * 30


def test_a_shared_cache_holds_what_is_read_quickly() -> None:
    mib = 2**20
    assert held_bytes(lambda size: 1.0 if size <= 32 * mib else 9.0, 260 * mib) == 32 * mib
    assert held_bytes(lambda size: 1.0, 260 * mib) == 260 * mib
    assert held_bytes(lambda size: 1.0, 48 * mib) == 48 * mib
    assert held_bytes(lambda size: float(size), 260 * mib) == 16 * mib
