"""A schedule edit to new IR text, and a build: what a user waits for."""

from __future__ import annotations

import statistics
import time

import tewb
from tests.bench.harness import shown
from tests.bench.matmul import scheduled


def main() -> None:
    print("\nthe edit loop, matmul 1024 with a register tile (aim: edit to text 30 ms)")
    s, args = scheduled(1024, 1024, 1024, rows=4)
    session = tewb.Session(s, args)
    edits, builds = [], []
    for _ in range(15):
        session.undo()
        start = time.perf_counter()
        session.redo()
        assert "C.local" in session.ir
        edits.append(time.perf_counter() - start)
        start = time.perf_counter()
        session.build()
        builds.append(time.perf_counter() - start)
    print(f"{'edit to IR text':<44} {shown(statistics.median(edits)):>10}")
    print(f"{'build (IR to machine code)':<44} {shown(statistics.median(builds)):>10}")
