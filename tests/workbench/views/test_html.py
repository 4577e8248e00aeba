"""Panels: frames that assistive technology finds, memory, regions, messages and code."""

from __future__ import annotations

import tewb
from tewb import te
from tewb.base import TewbError
from tewb.workbench.demos import demo_session
from tewb.workbench.views import html


def test_the_allocation_panel_says_what_sharing_saves() -> None:
    A = t = te.placeholder((256,), name="A")
    for name in "BCDE":
        t = te.compute((256,), lambda i, b=t: b[i] + b[255 - i], name=name)
    s = tewb.Session(te.create_schedule(t.op), [A, t])
    assert sum(a.bytes or 0 for a in s.allocations()) == 3 * 1024
    assert s.peak_bytes() == 2 * 1024
    assert "together 3 KiB; at most 2 KiB at once, as memory is shared" in html.allocations(s)
    s.apply({"primitive": "compute_inline", "stage": "C", "args": {}})
    assert s.peak_bytes() == 2 * 1024
    assert "at once" not in html.allocations(s)


def test_a_panel_is_a_region_with_a_name() -> None:
    shown = html.panel("a <title>", "<p>body</p>", "code")
    assert shown.startswith(
        '<div class="tw-panel tw-panel-code" role="region" aria-label="a &lt;title&gt;" tabindex="0">'
    )
    assert "<p>body</p></div>" in shown


def test_one_rule_for_each_step_lights_what_it_made() -> None:
    assert html.style(0).count(".tw-s0") == 0
    sheet = html.style(3, ["MORE"])
    assert all(f".tw-s{n}" in sheet for n in range(3)) and ".tw-s3" not in sheet and "MORE" in sheet


def test_memory_without_a_size_is_symbolic() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    T = te.compute((n,), lambda i: A[i] * 2.0, name="T<1>")
    B = te.compute((n,), lambda i: T[i] + T[n - 1 - i], name="B")
    shown = html.allocations(tewb.Session(te.create_schedule(B.op), [A, B]))
    assert shown.count('<td class="tw-number">symbolic</td>') == 2 and "T&lt;1&gt;" in shown
    assert "none: every value goes straight to an argument" in html.allocations(demo_session("matmul", n=8))


def test_regions_of_externs() -> None:
    assert '<span class="tw-dim">none</span>' in html.regions(demo_session("matmul", n=8))
    shown = html.regions(demo_session("extern"))
    assert "<th>effect</th>" in shown and "idempotent" in shown and "E" in shown


def test_messages_are_read_aloud_and_refusals_are_bad() -> None:
    assert html.message("done & gone") == (
        '<div class="tw-message tw-dim" role="status" aria-live="polite">done &amp; gone</div>'
    )
    refused = html.refusal(TewbError("no", hint="do this"))
    assert 'class="tw-message tw-bad"' in refused and "✗ no\n  hint: do this" in refused


def test_code_has_a_button_that_copies_it() -> None:
    shown = html.code("if a < b: pass")
    assert "Copy code</button>" in shown and "if a &lt; b: pass" in shown and "onclick=" in shown
