"""The journal as HTML: steps, what can be redone, branches and the pin."""

from __future__ import annotations

from tests.workbench.journal.sessions import TILED, applied, session
from tewb.workbench.views.history import journal_panel


def test_the_panel_shows_steps_words_branches_and_pin() -> None:
    s = applied(session(), TILED)
    s.label_step(1, name="tiles", note="a <b> note")
    s.pin()
    s.branch("other")
    s.jump(2)
    shown = journal_panel(s)
    assert 'class="tw-step tw-s0" tabindex="0" data-step="1"' in shown
    assert "tiles" in shown and "a &lt;b&gt; note" in shown
    assert shown.count("tw-ahead") == 2 and "main (4)" in shown and 'aria-current="true"' in shown
    assert "pinned: another schedule, of 4 steps" in shown
    s.jump(4)
    assert '<span class="tw-mark">pinned</span>' in journal_panel(s)
    assert "no steps yet" in journal_panel(session())


def test_a_pin_before_the_first_step_is_shown() -> None:
    s = session()
    s.pin()
    assert 'unscheduled <span class="tw-mark">pinned</span>' in journal_panel(s)
    s = applied(s, "C:split(i,8)")
    assert "unscheduled" in journal_panel(s) and "another schedule" not in journal_panel(s)


def test_names_are_escaped() -> None:
    s = applied(session(), "C:split(i,8)")
    s.label_step(1, name="<b>", note="a & b")
    s.branch("<i>")
    shown = journal_panel(s)
    assert "<b>" not in shown and "<i>" not in shown and "&lt;i&gt; (1)" in shown and "a &amp; b" in shown
