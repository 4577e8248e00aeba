"""The protocol of the thread pool: iterations are handed out once, in chunks, until one fails or the kernel is stopped."""

from __future__ import annotations

import ctypes
import platform
import threading

import pytest

from tests.runtime.pool_loops import run
from tewb.runtime import set_num_threads
from tewb.runtime.llvm_work import parse
from tewb.runtime.thread_pool_code import pool_text

pytestmark = pytest.mark.usefixtures("two_threads")


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 100, 12345])
@pytest.mark.parametrize("most", [1, 7, 1 << 62])
def test_every_iteration_runs_once(size: int, n: int, most: int) -> None:
    if most == 1 and n > 1000:
        n = 1001
    set_num_threads(size)
    ranges: list[tuple[int, int]] = []
    assert run(lambda lo, hi: ranges.append((lo, hi)), n, most) == 0
    assert all(0 < hi - lo <= most for lo, hi in ranges)
    assert [i for lo, hi in sorted(ranges) for i in range(lo, hi)] == list(range(n))


def test_chunks_shrink_toward_the_end() -> None:
    ranges: list[tuple[int, int]] = []
    run(lambda lo, hi: ranges.append((lo, hi)), 100_000)
    sizes = [hi - lo for lo, hi in sorted(ranges)]
    assert sizes[0] == 100_000 // 4 and sizes[-1] == 1 and len(sizes) < 100


def test_a_failure_stops_the_rest() -> None:
    for size in (1, 2, 4):
        set_num_threads(size)
        seen: list[int] = []

        def body(lo: int, hi: int) -> int:
            seen.append(lo)  # noqa: B023
            return 7 if lo == 3 else 0

        assert run(body, 200_000, most=1) == 7
        assert len(seen) < 200_000
        assert run(lambda lo, hi: None, 10, most=1) == 0


def test_a_cancelled_kernel_begins_no_chunk() -> None:
    for size in (1, 2):
        set_num_threads(size)
        context = (ctypes.c_int64 * 8)()
        seen: list[int] = []

        def body(lo: int, hi: int) -> None:
            seen.append(lo)  # noqa: B023
            context[0] = 1  # noqa: B023

        assert run(body, 1000, 1, context) == 1
        assert 1 <= len(seen) <= 2


def test_a_loop_inside_of_a_loop_runs_on_its_thread() -> None:
    wrong: list[str] = []

    def outer(lo: int, hi: int) -> int:
        me = threading.get_ident()
        seen: list[int] = []

        def inner(a: int, b: int) -> None:
            if threading.get_ident() != me:
                wrong.append("another thread")
            seen.extend(range(a, b))

        code = run(inner, 50, most=3)
        if seen != list(range(50)):
            wrong.append(f"{seen}")
        return code

    assert run(outer, 20, most=1) == 0
    assert wrong == []


@pytest.mark.parametrize(
    ("machine", "hint"),
    [("AMD64", "@llvm.x86.sse2.pause"), ("arm64", "@llvm.aarch64.hint"), ("riscv64", "@llvm.donothing")],
)
def test_every_processor_is_told_that_a_loop_waits(
    machine: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    text = pool_text()
    parse(text)
    assert text.count(hint) >= 2 and "PAUSE" not in text
