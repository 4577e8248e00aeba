"""The player of accesses: one moment at a time, by every control alike."""

from __future__ import annotations

from typing import Any

from tests.workbench.notebook.untrusted import assert_survives
from tewb.workbench.demos import demo_session
from tewb.workbench.trace.access_trace import trace


def player(source: Any, *rest: Any) -> Any:
    from tewb.workbench.views.access_player import AccessPlayer

    return AccessPlayer(source, *rest)


def test_the_player_steps_by_button_slider_and_number() -> None:
    p = player(demo_session("matmul", n=4), "B")
    assert p.back.disabled and "access 1 of 64" in p._said.value
    p.next.click()
    assert p.time == 1 == p.number.value and "access 2 of 64" in p._frame.value
    p.number.value = 63
    assert p.slider.value == 63 and p.next.disabled and "access 64 of 64" in p._said.value
    p.slider.value = 5
    p.back.click()
    assert p.time == 4
    p.time = 1000
    assert p.time == 63


def test_the_player_leaves_html_for_a_notebook_without_kernel() -> None:
    bundle = player(demo_session("matmul", n=4), "B")._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "data:image/svg+xml;base64," in data["text/html"] and "cache" in data["text/html"]
    assert_survives(data["text/html"])
    assert data["text/plain"].startswith("B: 64 accesses")


def test_a_trace_that_was_made_before_and_one_with_a_limit() -> None:
    s = demo_session("matmul", n=4)
    t = trace(s, "A")
    assert player(t).trace is t
    assert player(s, "B", 10).slider.max == 9


def test_a_trace_of_one_access_goes_nowhere() -> None:
    p = player(demo_session("matmul", n=4), "B", 1)
    assert p.slider.max == 0 and p.back.disabled and p.next.disabled
    p.time = 5
    assert p.time == 0
