"""The accesses of a buffer, drawn for each moment and in summary."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

import tewb
from tests.workbench.notebook.untrusted import assert_survives
from tewb import te
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook import reprs
from tewb.workbench.player import AccessPlayer
from tewb.workbench.trace.access_trace import trace
from tewb.workbench.views import access


def test_each_frame_is_an_svg_with_a_name() -> None:
    t = trace(demo_session("matmul", n=16), "B")
    tree = ElementTree.fromstring(access.frame(t, 17))
    assert tree.tag.endswith("svg") and tree.get("role") == "img"
    said = "access 18 of 4096: read B[1, 1]; at i=0, j=1, k=1; cache line 1, again after 15 other lines; the element for the first time"
    assert tree.get("aria-label") == said == access.caption(t, 17)


def test_reads_are_circles_and_writes_are_squares() -> None:
    t = trace(demo_session("matmul", n=4), "C")
    write, read = access.frame(t, 0), access.frame(t, 1)
    now = re.compile(r'<path d="([^"]*)" fill="#')
    assert "a4 4" not in now.findall(write)[0] and "a4 4" in now.findall(read)[0]


def test_a_large_buffer_shows_the_page_where_something_happens() -> None:
    t = trace(demo_session("matmul", n=512), "B")
    for time in (0, 100, 4095):
        drawn = access.frame(t, time)
        assert len(drawn) < 60_000
        height, width = (float(re.search(rf'{k}="(\d+)"', drawn)[1]) for k in ("height", "width"))  # type: ignore[index]
        assert height <= 386 and width <= 578
        assert 'fill="#2f7fd6"' in drawn and 'd="" fill="#2f7fd6"' not in drawn


@pytest.mark.parametrize("shape", [(), (5,), (100,), (3, 4, 5)])
def test_other_ranks_are_drawn(shape: tuple[int, ...]) -> None:
    A = te.placeholder(shape, name="A")
    B = te.compute(shape, lambda *i: A(*i) + 1.0, name="B")
    t = trace(tewb.Session(te.create_schedule(B.op), [A, B]), "A")
    ElementTree.fromstring(access.frame(t, len(t) - 1))
    assert t.index(t.accesses[-1].elements[0]) == tuple(n - 1 for n in shape)


def test_a_buffer_that_is_never_touched() -> None:
    A, U = te.placeholder((4,), name="A"), te.placeholder((4,), name="U<b>")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    t = trace(tewb.Session(te.create_schedule(B.op), [A, U, B]), "U<b>")
    assert access.frame(t, 0) == "<div>U&lt;b&gt; is never touched</div>"
    assert "0 accesses" in access.summary(t)
    assert AccessPlayer(t)._repr_mimebundle_() is not None


def test_the_summary_survives_without_trust() -> None:
    t = trace(demo_session("blur", n=16), "X")
    page = reprs.html(t)
    assert "lines in a cache" in page and "first" in page
    assert_survives(page)


@pytest.mark.parametrize(("shape", "across"), [((), 1), ((5,), 5), ((100,), 32), ((3, 7), 7), ((2, 3, 4), 4)])
def test_how_many_elements_stand_side_by_side(shape: tuple[int, ...], across: int) -> None:
    A = te.placeholder(shape, name="A")
    B = te.compute(shape, lambda *i: A(*i) + 1.0, name="B")
    assert access.columns(trace(tewb.Session(te.create_schedule(B.op), [A, B]), "A")) == across


def test_a_moment_outside_of_the_trace_is_its_first_or_last() -> None:
    t = trace(demo_session("matmul", n=2), "A")
    assert 'width="26" height="26"' in access.frame(t, 0)
    assert access.frame(t, -5) == access.frame(t, 0) and access.frame(t, 99) == access.frame(t, len(t) - 1)


def test_what_was_touched_before_fades() -> None:
    t = trace(demo_session("matmul", n=16), "B")
    faint = re.findall(r'fill-opacity="([\d.]+)"', access.frame(t, 200))
    assert faint == ["0.55", "0.3", "0.13"] and "fill-opacity" not in access.frame(t, 0)
