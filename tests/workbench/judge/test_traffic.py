"""Traffic between caches: in bytes, of programs whose traffic is plain. A level with a second for each byte counts them."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb import te
from tewb.schedule import Step
from tewb.workbench.judge.store_nests import accesses, store_nests
from tewb.workbench.judge.traffic import APART, PARTS, Footprints, Level, traffic

SMALL = 16 << 10


def step(primitive: str, stage: str, **args: Any) -> Step:
    return Step(primitive, stage, args)


def missed(args: list[Any], *steps: Step, size: int = SMALL) -> dict[str, float]:
    """The bytes that go in and out of a cache of this size, for each array that is stored."""
    session = tewb.Session(te.create_schedule(args[-1].op), args)
    session.apply(*steps)
    f = session.passes[0][1]
    nests = list(store_nests(f.body, {}))
    program = [Footprints.of(n, accesses(n)) for n in nests]
    levels = [Level(1 << 40, 0.0), Level(size, 1.0)]
    found: dict[str, float] = {}
    for n, (near, far) in zip(nests, traffic(program, set(f.params), levels), strict=True):
        assert near == 0.0
        found[n.store.buffer.name] = found.get(n.store.buffer.name, 0.0) + far
    return found


def twice(n: int = 512, m: int = 512) -> list[Any]:
    A = te.placeholder((n, m), name="A")
    return [A, te.compute((n, m), lambda i, j: A[i, j] * 2.0, name="B")]


def test_a_walk_reads_once_and_writes_lines_that_it_has_read() -> None:
    assert missed(twice()) == {"B": 3 * 4 * 512 * 512}


def test_what_fits_is_there() -> None:
    assert missed(twice(32, 32)) == {"B": 0.0}


def test_columns_of_rows_a_power_of_two_apart_have_few_places() -> None:
    order = step("reorder", "B", axes=["j", "i"])
    assert missed(twice(64, 512), order)["B"] == pytest.approx(16 * missed(twice(64, 512))["B"], rel=0.1)
    odd = missed(twice(64, 528), order)["B"]
    assert odd == pytest.approx(missed(twice(64, 528))["B"], rel=0.1), "a line serves 16 columns"


def test_rows_of_a_stencil_stay_for_the_next_row() -> None:
    A = te.placeholder((514, 514), name="A")
    B = te.compute((512, 512), lambda i, j: A[i, j] + A[i + 1, j + 1] + A[i + 2, j + 2], name="B")
    plain = 3 * 4 * 512 * 512
    assert missed([A, B])["B"] == pytest.approx(plain, rel=0.05)
    none_stays = missed([A, B], size=4 << 10)["B"]
    assert none_stays == pytest.approx(plain * 5 / 3, rel=0.1), "three rows of A for each of B"


def test_what_a_stage_before_made_in_the_same_loop_is_there() -> None:
    A = te.placeholder((512, 512), name="A")
    T = te.compute((512, 512), lambda i, j: A[i, j] + 1.0, name="T")
    B = te.compute((512, 512), lambda i, j: T[i, j] * A[i, j], name="B")
    apart, each = missed([A, B]), 4 * 512 * 512
    assert apart == {"T": 3 * each, "B": 4 * each}
    together = missed([A, B], step("compute_at", "T", parent="B", axis="i"))
    assert together["T"] == pytest.approx(each, rel=0.01) and together["B"] == 2 * each


def test_intermediates_that_are_not_needed_together_share_memory() -> None:
    A = te.placeholder((256, 1024), name="A")
    stages = [A]
    for name in "RSTUVWB":
        before = stages[-1]
        stages.append(te.compute((256, 1024), lambda i, j, t=before: t[i, j] + 1.0, name=name))
    steps = [step("compute_at", name, parent="B", axis="i") for name in "WVUTSR"]
    made = missed([A, stages[-1]], *steps, size=24 << 10)
    assert made["W"] == made["U"] == 2 * 4 * 1024, (
        "a row of each is 4 KB, two are alive, and they stay where they are"
    )
    assert made["B"] == pytest.approx(2 * 4 * 256 * 1024)


def test_stores_past_the_caches_go_out_once_unless_in_parts() -> None:
    vector = (step("split", "B", axis="j", factor=16), step("vectorize", "B", axis="j.inner"))
    past = step("nontemporal", "B")
    each = 4 * 512 * 512
    assert missed(twice(), *vector, past)["B"] == 2 * each
    for width, longer in ((16, APART), (8, PARTS)):  # whole lines, and halves of them
        rows = (
            step("tile", "B", x="i", y="j", x_factor=4, y_factor=width),
            step("unroll", "B", axis="i.inner"),
            step("vectorize", "B", axis="j.inner"),
        )
        assert missed(twice(), *rows, past)["B"] == pytest.approx((1 + longer) * each, rel=0.3)


def test_a_part_of_a_line_of_each_row_brings_all_of_it() -> None:
    A = te.placeholder((8192, 48), name="A")
    B = te.compute((8192, 4), lambda i, j: A[i, j], name="B")
    assert missed([A, B])["B"] == pytest.approx(8192 * 64 + 2 * 8192 * 16, rel=0.01)
