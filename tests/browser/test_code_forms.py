"""Code forms in a browser: one loop lights in every form, from the journal and from the assembly."""

from __future__ import annotations

from typing import Any

import pytest

from tewb.workbench.demos import demo_session
from tewb.workbench.views import code_forms, html

FORMS = ["TE", "schedule_ops", "simplify again", "LLVM IR", "optimised LLVM IR", "assembly"]
STEPS = [
    {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}},
    {"primitive": "unroll", "stage": "C", "args": {"axis": "i.inner"}},
    {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}},
    {"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}},
]

_LIT = """panel => [...panel.querySelectorAll('.tw-code div')].filter(
    e => getComputedStyle(e).backgroundColor !== 'rgba(0, 0, 0, 0)').length"""
_EDGED = """panel => [...panel.querySelectorAll('.tw-code div')].filter(
    e => getComputedStyle(e).boxShadow !== 'none').length"""


@pytest.fixture
def forms(page: Any) -> Any:
    """A page with the journal and the forms of a schedule; the locator of a panel by its name."""
    s = demo_session("matmul", n=32)
    for step in STEPS:
        s.apply(step)
    steps = "".join(
        f'<div class="tw-step tw-s{i}" tabindex="0">{step}</div>' for i, step in enumerate(s.journal)
    )
    journal = html.panel("Journal", f'<div class="tw-code">{steps}</div>', "journal")
    panels = journal + "".join(code_forms.form_panel(s.code_forms.form(name)) for name in FORMS)
    sheets = html.style(len(STEPS)) + code_forms.style(len(STEPS), s.code_forms.loop_numbers)
    page.set_content(f'<body>{sheets}<div class="tw-bench">{panels}</div></body>')
    return lambda name: page.get_by_role("region", name=name, exact=True)


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_a_step_lights_every_form(forms: Any, step: int) -> None:
    forms("Journal").locator(f".tw-s{step}").hover()
    for name in FORMS[1:]:
        assert forms(name).evaluate(_LIT) > 0, name
    assert forms("TE").evaluate(_EDGED) > 0


def test_assembly_lights_the_journal_and_its_definition(forms: Any) -> None:
    forms("assembly").locator(".tw-s3").first.hover()
    assert forms("Journal").evaluate(_LIT) == 4
    assert forms("TE").evaluate(_LIT) == 1


def test_a_loop_without_steps_lights_from_form_to_form(forms: Any) -> None:
    forms("schedule_ops").get_by_text("for k in range(32)").hover()
    assert forms("Journal").evaluate(_LIT) == 0
    assert forms("TE").evaluate(_LIT) == 1
    assert forms("simplify again").evaluate(_LIT) == 4  # it stands in what was unrolled by 4
    assert forms("LLVM IR").evaluate(_LIT) > 0
    assert forms("LLVM IR").evaluate(_EDGED) > 0  # what stands inside of it
