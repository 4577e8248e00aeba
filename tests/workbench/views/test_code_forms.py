"""The code forms as HTML: the strip of forms, one form, and what changed in it."""

from __future__ import annotations

import re

import tewb
from tests.bench.matmul import scheduled
from tests.workbench.looks.test_code_forms import ASSEMBLY, LAST, LOOPS, SPLIT, UNROLL, VECTORIZE, session
from tewb.workbench.looks.code_forms import CodeForm
from tewb.workbench.looks.code_line import CodeLine
from tewb.workbench.looks.diff import Diff, diff
from tewb.workbench.views import code_forms as view


def test_panels_carry_the_classes_of_the_journal() -> None:
    s = session(SPLIT, UNROLL, VECTORIZE)
    for name in (LOOPS, LAST, "LLVM IR", ASSEMBLY):
        panel = view.form_panel(s.code_forms.form(name), limit=10_000)
        for i in range(3):
            assert re.search(rf'class="[^"]*\btw-s{i}\b', panel), (name, i)
    sheet = view.style(3, s.code_forms.loop_numbers)
    assert ".tw-bench:has(.tw-s2:is(:hover,:focus)) .tw-in-s2" in sheet
    assert f".tw-p{len(s.code_forms.loop_numbers) - 1} {{" in sheet


def test_long_forms_are_cut_and_small() -> None:
    s = session(SPLIT, UNROLL, VECTORIZE)
    form = s.code_forms.form(ASSEMBLY)
    panel = view.form_panel(form, limit=20)
    assert f"… {len(form.lines) - 20:,} more lines" in panel
    whole = view.form_panel(form)
    assert len(whole) < 200 * min(len(form.lines), view.MOST_LINES)


def test_the_strip_folds_unchanged_forms() -> None:
    s = session(SPLIT)
    strip = view.forms_strip(s.forms(), LAST)
    assert re.search(r"<details><summary>\d unchanged</summary>", strip)
    assert strip.count('aria-current="true"') == 1
    chosen = next(f.name for f in s.forms() if f.unchanged)
    assert view.forms_strip(s.forms(), chosen).count('aria-current="true"') == 1


def test_the_diff_panel_has_signs_and_folds_what_is_the_same() -> None:
    s = tewb.Session(*scheduled(1024, 1024, 1024, rows=4))
    panel = view.diff_panel(s.diff(ASSEMBLY))
    assert "tw-added" in panel and "lines that are the same" in panel and ">+ " in panel
    assert "nothing changed" in view.diff_panel(s.diff(LOOPS, list(s.journal)))


def test_text_is_escaped() -> None:
    form = CodeForm("f", "a < b", "ir", lambda: [CodeLine(0, "if a < b: x = '<b>'")])
    assert "<b>" not in view.form_panel(form) and "&lt;b&gt;" in view.form_panel(form)


def lines(*texts: str) -> list[CodeLine]:
    return [CodeLine(0, text) for text in texts]


def test_a_line_says_where_it_came_from() -> None:
    form = CodeForm(
        "f",
        "doc",
        "ir",
        lambda: [CodeLine(1, "x", "a <remark>", "C", "i", steps=(0, 2), loops=(5,), source=7)],
    )
    panel = view.form_panel(form)
    assert 'class="tw-s0 tw-s2 tw-p5"' in panel
    assert 'title="stage C; axis i; steps 1, 3; low-level IR line 7"' in panel
    assert '    x  <span class="tw-remark"># a &lt;remark&gt;</span>' in panel


def test_neighbours_from_one_place_share_an_element() -> None:
    form = CodeForm("f", "doc", "ir", lambda: lines("a", "b"))
    assert "<div>a\nb</div>" in view.form_panel(form)


def test_words_have_colours_and_text_in_quotes_none_of_its_words() -> None:
    form = CodeForm("f", "doc", "ir", lambda: lines("for i in 'for':"))
    assert (
        """<span class="tw-key">for</span> i <span class="tw-key">in</span> <span class="tw-str">&#x27;for&#x27;</span>:"""
        in view.form_panel(form)
    )


def test_lines_far_from_a_change_are_folded() -> None:
    before = lines(*(str(n) for n in range(20)))
    after = [*before[:10], CodeLine(0, "new"), *before[10:]]
    panel = view.diff_panel(Diff("f", "ir", "before", tuple(diff(before, after))))
    assert panel.count("7 lines that are the same") == 2 and "1 added" in panel and "+ new" in panel
    assert "… 1 more lines" in view.diff_panel(Diff("f", "ir", "before", tuple(diff(before, after))), limit=8)
