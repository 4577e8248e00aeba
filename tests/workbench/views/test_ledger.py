"""The ledger as HTML: what is too large is red, and what externs touch is drawn."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tewb.workbench.judge.ledger import ByteSize, Check, Entry, ExternBoxes, Touched
from tewb.workbench.views import ledger as view


def entry(needed: int | None, allocated: int | None, **more: object) -> Entry:
    fields = {"stage": "T<1>", "kind": "compute", "needed": ByteSize(needed, "need"), "allocated": ByteSize(allocated, "have"),
              "declared": ByteSize(None, "n * 4"), "scope": "global", "lifetime": "in C.i", "recompute": 2.5, "calls": 0,
              "cache": "L1", "step": 3}  # fmt: skip
    return Entry(**{**fields, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("needed", "allocated", "bad"), [(10, 20, True), (20, 20, False), (None, 20, False), (20, None, False)]
)
def test_more_memory_than_is_needed_is_red(needed: int | None, allocated: int | None, bad: bool) -> None:
    assert ("tw-bad" in view.ledger([entry(needed, allocated)])) is bad


def test_rows_light_up_with_their_step() -> None:
    row = view.ledger([entry(1, 1)])
    assert '<tr class="tw-s3"><td>T&lt;1&gt;</td>' in row and "2.5 times" in row and ">L1<" in row
    unknown = view.ledger([entry(1, 1, recompute=None, calls=None, cache=None, step=None)])
    assert "<tr><td>" in unknown and unknown.count(">?<") == 3
    assert ">7<" in view.ledger([entry(1, 1, calls=7)])


def test_the_budget_has_a_mark_for_each_line() -> None:
    checks = [
        Check("bytes", "<=", 4.0, "T", 3.0, True),
        Check("bytes", "<=", 4.0, "T", 5.0, False),
        Check("ratio", ">", 1.0),
    ]
    kinds = re.findall(r'<li class="(tw-\w+)">(.)', view.budget(checks))
    assert kinds == [("tw-good", "✓"), ("tw-bad", "✗"), ("tw-dim", "?")] and view.budget([]) == ""


def drawing(
    sizes: tuple[int, ...], *tiles: tuple[tuple[int, int], ...], writes: bool = False
) -> list[tuple[str, float, float, float, float]]:
    """The rectangles of a tensor with the boxes of its calls: class, x, y, width and height."""
    t = Touched("A", writes, ("n",), ("1",), ("0:4",), sizes, tiles)
    svg = re.search(r"<svg.*?</svg>", view.boxes([ExternBoxes("E", "pure", 1, (t,), 2)]), re.DOTALL)
    if svg is None:
        return []
    return [
        (r.get("class") or "", *(float(r.get(k) or 0) for k in ("x", "y", "width", "height")))
        for r in ElementTree.fromstring(svg[0])
    ]


def test_boxes_stand_where_they_are_in_the_tensor() -> None:
    whole, first, second = drawing((4, 8), ((0, 2), (0, 4)), ((2, 2), (4, 4)))
    assert whole == ("", 0, 1, 180, 90)
    assert first == ("tw-reads tw-first", 0, 1, 90, 45) and second == ("tw-reads", 90, 46, 90, 45)
    assert drawing((8,), ((2, 4),), writes=True)[1][:3] == ("tw-writes tw-first", 45, 1)


def test_leading_dimensions_are_planes_of_which_the_first_are_drawn() -> None:
    assert len(drawing((3, 4, 8), ((1, 2), (0, 4), (0, 8)))) == 3 + 2
    assert len(drawing((99, 4, 8))) == view.MOST_PLANES
    assert drawing((4, 0)) == [] == drawing(())


def test_calls_and_tensors_are_named() -> None:
    t = Touched("A<b>", True, ("4", "n"), ("n", "1"), ("0:4", "0:n"))
    shown = view.boxes([ExternBoxes("E", "pure", None, (t,)), ExternBoxes("F", "pure", 1, ())])
    assert "pure, an unknown number of calls" in shown and "pure, 1 call<" in shown
    assert "writes <b>A&lt;b&gt;</b>[0:4, 0:n]" in shown and "strides (n, 1)" in shown
    assert '<span class="tw-dim">none</span>' in view.boxes([])
