"""A block reads what the program says, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.blocks.parts import Blocks, Box, parts_of_blocks


def boxes(t: Any, A: Any, starts: tuple[int, ...], extent: int) -> dict[int, tuple[int, int]]:
    """The part of `A` that each block of `t` reads along its first dimension, by the start of the block."""
    iv = t.op.axis[0]
    found: dict[int, tuple[int, int]] = {}
    for some in parts_of_blocks(t.op, frozenset([A]), Blocks({iv: starts}, {iv: extent})):
        box = Box(some.parts[A], some.starts)
        for start in some.blocks.starts[iv]:
            s = box.slices({iv: start})[0]
            found[start] = (s.start, s.stop)
    return found


def programs(t: Any, A: Any, starts: tuple[int, ...], extent: int) -> int:
    iv = t.op.axis[0]
    return len(list(parts_of_blocks(t.op, frozenset([A]), Blocks({iv: starts}, {iv: extent}))))


@pytest.mark.parametrize(
    ("read", "wanted"),
    [
        (lambda A, i: A[i], {0: (0, 10), 50: (50, 60), 90: (90, 100)}),
        (lambda A, i: te.if_then_else(i >= 3, A[i - 3], 0.0), {0: (0, 7), 50: (47, 57), 90: (87, 97)}),
        (lambda A, i: A[te.min(i + 2, 99)] + A[i], {0: (0, 12), 50: (50, 62), 90: (90, 100)}),
        (lambda A, i: A[i // 4], {0: (0, 3), 50: (12, 15), 90: (22, 25)}),
        (lambda A, i: A[99 - i], {0: (90, 100), 50: (40, 50), 90: (0, 10)}),
        (lambda A, i: A[99 - te.max(i - 2, 0)], {0: (92, 100), 50: (42, 52), 90: (2, 12)}),
        (lambda A, i: A[te.min(te.max(i - 12, 0), 80)], {0: (0, 1), 10: (0, 8), 50: (38, 48)}),
        (lambda A, i: A[(i + 1) % 100], {0: (1, 11), 50: (51, 61), 90: (91, 101)}),
        (lambda A, i: A[(i + 98) % 100] + A[i], {0: (98, 110), 50: (48, 60), 90: (88, 100)}),
        (lambda A, i: A[(199 - i) % 100], {0: (90, 100), 50: (40, 50), 90: (0, 10)}),
        (lambda A, i: A[te.max((i + 1) % 100, 3)], {0: (3, 11), 50: (51, 61), 90: (3, 100)}),
        (lambda A, i: A[5], {0: (5, 6), 50: (5, 6), 90: (5, 6)}),
        (lambda A, i: te.if_then_else(i < 20, A[i], 0.0), {0: (0, 10)}),
        (lambda A, i: te.if_then_else(i >= 95, A[i - 95], 0.0), {90: (0, 5)}),
    ],
)
def test_the_box_of_a_block(read: Any, wanted: dict[int, tuple[int, int]]) -> None:
    A = te.placeholder((100,), name="A")
    B = te.compute((100,), lambda i: read(A, i), name="B")
    for starts in ([n] for n in wanted):
        assert boxes(B, A, tuple(starts), 10) == {n: wanted[n] for n in starts}


def test_what_no_number_says_is_read_whole() -> None:
    A, at = te.placeholder((100,), name="A"), te.placeholder((100,), "int32", name="at")
    B = te.compute((100,), lambda i: A[at[i]], name="B")
    iv = B.op.axis[0]
    (found,) = parts_of_blocks(B.op, frozenset([A, at]), Blocks({iv: (50,)}, {iv: 10}))
    assert (found.parts[A].extents, found.parts[at].extents) == ((100,), (10,))


def test_halos_add_up_through_stages() -> None:
    A = te.placeholder((100,), name="A")
    B = te.compute((98,), lambda i: A[i] + A[i + 2], name="B")
    C = te.compute((96,), lambda i: B[i] + B[i + 2], name="C")
    assert boxes(C, A, (10, 20), 10) == {10: (10, 24), 20: (20, 34)}


def test_blocks_inside_are_one_program_and_those_at_edges_others() -> None:
    A = te.placeholder((100,), name="A")
    B = te.compute((100,), lambda i: A[te.max(i - 1, 0)] + A[te.min(i + 1, 99)], name="B")
    assert programs(B, A, tuple(range(10, 90, 10)), 10) == 1
    assert (
        programs(B, A, tuple(range(0, 90, 10)), 10) == 4
    )  # one of them is at the edge: 0, 10, 20..30 and 40..80


def test_blocks_between_the_turns_of_an_index_are_one_program() -> None:
    A = te.placeholder((1000,), name="A")
    B = te.compute((1000,), lambda i: A[(i + 995) % 1000] + A[i], name="B")
    assert programs(B, A, tuple(range(10, 990, 10)), 10) == 1
    C = te.compute((1000,), lambda i: A[(i + 500) % 1000], name="C")
    assert programs(C, A, tuple(range(10, 990, 10)), 10) < 16


def test_what_turns_turns_through_stages() -> None:
    A = te.placeholder((100,), name="A")
    B = te.compute((100,), lambda i: A[(i + 99) % 100] + A[i], name="B")
    C = te.compute((100,), lambda i: B[(i + 99) % 100] + B[i], name="C")
    assert boxes(C, A, (0,), 10) == {0: (98, 110)}
    assert boxes(C, A, (50,), 10) == {50: (48, 60)}


def test_a_part_of_a_sum_runs_over_its_part_of_the_axis() -> None:
    A, k = te.placeholder((4, 100), name="A"), te.reduce_axis((0, 100), name="k")
    S = te.compute((4,), lambda i: te.sum(A[i, k], axis=k, init=te.const(1.0)), name="S")
    blocks = Blocks({S.op.axis[0]: (2,), k: (30, 60)}, {S.op.axis[0]: 2, k: 30})
    (found,) = parts_of_blocks(S.op, frozenset([A]), blocks, init=False)
    assert found.parts[A].extents == (2, 30)
    assert Box(found.parts[A], found.starts).slices({S.op.axis[0]: 2, k: 60}) == (slice(2, 4), slice(60, 90))
    assert found.computes[0].body[0].init == ()
