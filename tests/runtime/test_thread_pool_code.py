"""The protocol of the thread pool: iterations are handed out once, in chunks, until one fails or the kernel is stopped."""

from __future__ import annotations

import ctypes
import platform
import threading

import pytest

from tests.runtime.pool_loops import Body, run
from tewb.runtime import set_num_threads
from tewb.runtime.llvm_work import parse
from tewb.runtime.thread_pool_code import JOBS, pool_text

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


def test_least_is_what_a_chunk_has() -> None:
    set_num_threads(4)
    for n, least in ((1000, 7), (1000, 300), (5, 3)):
        ranges: list[tuple[int, int]] = []
        assert run(lambda lo, hi: ranges.append((lo, hi)), n, most=1, least=least) == 0  # noqa: B023
        ranges.sort()
        assert [i for lo, hi in ranges for i in range(lo, hi)] == list(range(n))
        assert all(hi - lo == least for lo, hi in ranges[:-1]) and ranges[-1][1] - ranges[-1][0] <= least


def test_a_loop_of_the_least_is_its_callers() -> None:
    me, seen = threading.get_ident(), list[tuple[int, int, int]]()
    for least in (50, 1000, (1 << 63) - 1):
        assert run(lambda lo, hi: seen.append((lo, hi, threading.get_ident())), 50, least=least) == 0
    assert seen == [(0, 50, me)] * 3


# ---------------------------------------------------------------- loops inside of loops


@pytest.mark.parametrize("outer", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_every_iteration_of_loops_in_loops_runs_once(size: int, outer: int) -> None:
    set_num_threads(size)
    ran: list[tuple[int, ...]] = []

    def middle(i: int, j: int) -> int:
        return run(lambda lo, hi: ran.extend((i, j, k) for k in range(lo, hi)), 40, most=3)

    def each(lo: int, hi: int) -> int:
        return max(
            run(lambda a, b, i=i: max(middle(i, j) for j in range(a, b)), 4, most=1) for i in range(lo, hi)
        )

    assert run(each, outer, most=1) == 0
    assert sorted(ran) == [(i, j, k) for i in range(outer) for j in range(4) for k in range(40)]


@pytest.mark.parametrize("outer", [1, 2, 3])
def test_idle_threads_help_with_loops_inside(outer: int) -> None:
    """Each inner loop waits until threads have come to it that the outer one does not need."""
    set_num_threads(2 * outer)
    met = [threading.Barrier(2) for _ in range(outer)]

    def each(lo: int, hi: int) -> int:
        assert hi == lo + 1
        return run(lambda a, b: met[lo].wait(30) and None, 2, most=1)

    assert run(each, outer, most=1) == 0
    assert not any(b.broken for b in met)


def test_a_short_loop_inside_stays_on_its_thread_while_all_are_busy() -> None:
    both = threading.Barrier(2)
    wrong: list[str] = []

    def each(lo: int, hi: int) -> int:
        me = threading.get_ident()
        both.wait(30)
        code = run(lambda a, b: wrong.append("moved") if threading.get_ident() != me else None, 50, most=50)
        both.wait(30)
        return code

    assert run(each, 2, most=1) == 0 and wrong == []


def test_a_failure_inside_is_that_of_the_loop_around() -> None:
    for size in (1, 2, 5):
        set_num_threads(size)
        assert run(lambda lo, hi: run(lambda a, b: 9 if a == 7 else 0, 20, most=1), 2, most=1) == 9
        assert run(lambda lo, hi: run(lambda a, b: 0, 20, most=1), 2, most=1) == 0


def test_loops_that_call_themselves() -> None:
    set_num_threads(4)
    count: list[int] = []

    def down(depth: int) -> int:
        count.append(depth)
        return 0 if depth == 0 else run(lambda lo, hi: max(down(depth - 1) for _ in range(lo, hi)), 3, most=1)

    assert down(5) == 0 and len(count) == sum(3**d for d in range(6))


def test_more_loops_than_there_are_places() -> None:
    """A loop without a place is its caller's, with all that it calls."""
    set_num_threads(3)
    depths: list[int] = []

    def down(depth: int) -> int:
        depths.append(depth)
        return run(lambda lo, hi: down(depth + 1) if lo == 0 else 0, 2, most=1) if depth < JOBS + 9 else 0

    assert down(0) == 0 and sorted(depths) == list(range(JOBS + 10))
    assert run(lambda lo, hi: None, 10, most=1) == 0


# ---------------------------------------------------------------- several calls at once


def begun(body: Body, n: int, codes: list[int]) -> threading.Thread:
    """A loop of another thread, whose code comes to `codes`."""
    thread = threading.Thread(target=lambda: codes.append(run(body, n, most=1)))
    thread.start()
    return thread


def test_a_call_ends_while_another_one_goes_on() -> None:
    """Both threads of the pool are held by the first one."""
    inside, over = threading.Semaphore(0), threading.Event()
    codes: list[int] = []

    def hold(lo: int, hi: int) -> None:
        inside.release()
        over.wait(60)

    first = begun(hold, 2, codes)
    assert inside.acquire(timeout=30) and inside.acquire(timeout=30)
    seen: list[int] = []
    assert run(lambda lo, hi: seen.extend(range(lo, hi)), 100, most=1) == 0
    assert sorted(seen) == list(range(100)) and codes == []
    over.set()
    first.join(60)
    assert codes == [0]


def test_a_second_call_has_its_share_of_the_workers() -> None:
    """A worker leaves a loop that has many iterations left for one that has begun later."""
    set_num_threads(3)
    codes: list[int] = []
    met, over = threading.Barrier(2), threading.Event()

    def long(lo: int, hi: int) -> int:
        over.wait(0.001)
        return 0 if not over.is_set() else 5

    first = begun(long, 1 << 40, codes)
    assert run(lambda lo, hi: met.wait(30) and None, 2, most=1) == 0
    over.set()
    first.join(60)
    assert codes == [5]


def test_a_failure_is_that_of_its_own_call() -> None:
    set_num_threads(4)
    for _ in range(20):
        codes: list[int] = []
        together = threading.Barrier(2)

        def body(fails: int, lo: int) -> int:
            if lo < 1:
                together.wait(30)  # noqa: B023
            return fails if lo == 5 else 0

        first = begun(lambda lo, hi: body(3, lo), 50, codes)
        assert run(lambda lo, hi: body(0, lo), 50, most=1) == 0
        first.join(60)
        assert codes == [3]


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
