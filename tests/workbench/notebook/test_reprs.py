"""What a notebook shows of our classes, trusted or not, with a kernel or without."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import tewb
from tests.programs import add_one
from tests.workbench.notebook.untrusted import assert_survives
from tewb import te, tir
from tewb.base import TewbError
from tewb.runtime import Timing
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook import reprs


def things() -> dict[str, Any]:
    s = demo_session("matmul", n=32)
    s.apply({"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}})
    s.apply({"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}})
    C = s.schedule["C"]
    return {
        "tensor": C.op.output(0),
        "input": s.args[0],
        "schedule": s.schedule,
        "stage": C,
        "function": s.function,
        "module": s.module,
        "kernel": s.build(),
        "buffer": tir.decl_buffer((3, 4), name="T", strides=[te.var("s"), 1], elem_offset=te.var("o")),
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tensor", ["float32(32, 32), 4 KiB", "reads A, B", "axes i(32), j(32)", "reduces over k(32)", "T.sum("]),
        ("input", ["placeholder: float32(32, 32), 4 KiB"]),
        ("schedule", ["of C; inputs A, B", "    j.outer in 4", "j.inner in 8  vectorize", "2 steps"]),
        ("stage", ["compute, float32(32, 32), root", "k in 32  reduce"]),
        ("function", ["def main(A: T.Buffer((32, 32), &quot;float32&quot;)"]),
        ("module", ["for j.outer in range(4):"]),
        ("kernel", ["kernel: serial", "<td style=\"text-align:left\">written</td>", "low-level IR"]),
        ("buffer", ["float32(3, 4), 48 B, global; strides (s, 1); begins o elements into its memory"]),
    ],
)  # fmt: skip
def test_each_look_says_what_matters_and_survives(name: str, said: list[str]) -> None:
    page = reprs.html(things()[name])
    for text in said:
        assert text in page
    assert_survives(page)


def test_symbolic_sizes_have_looks() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    assert "float32(n,), symbolic size" in reprs.html(B)
    assert "i in n" in reprs.html(s) and "(n)" in reprs.html(tewb.build(s, [A, B]))


def test_names_are_escaped() -> None:
    A = te.placeholder((4,), name="<script>alert(1)</script>")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B&<b>")
    s = te.create_schedule(B.op)
    for thing in (A, B, s, s[B], tewb.lower(s, [A, B]), tewb.build(s, [A, B])):
        page = reprs.html(thing)
        assert "<script" not in page and "<b>B&<b>" not in page
        assert_survives(page)
    kept = tewb.Session(s, [A, B]).snapshot().html
    assert "<script" not in kept
    assert_survives(kept)


def test_long_ir_is_folded_and_cut() -> None:
    A = te.placeholder((2000,), name="A")
    B = te.compute((2000,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    assert "<details>" not in reprs.html(tewb.lower(s, [A, B]))
    s[B].unroll(B.op.axis[0])
    page = reprs.html(tewb.lower(s, [A, B]))
    assert page.startswith("<div><details><summary>function main, 2003 lines</summary>")
    assert "and 1203 lines more" in page
    assert_survives(page)


def test_a_hybrid_and_an_inlined_stage_have_looks() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] * 2.0, name="B")
    C = add_one(B)
    s = te.create_schedule(C.op)
    assert "reads B" in reprs.html(C)
    s2 = te.create_schedule(te.compute((8,), lambda i: B[i] + 1.0, name="D"))
    s2[B].compute_inline()
    assert "B  (inline)" in reprs.html(s2) and "inline" in reprs.html(s2[B])
    assert_survives(reprs.html(s))


def test_other_things_have_no_look() -> None:
    with pytest.raises(TewbError, match="int has no look of its own"):
        reprs.html(3)


def test_ipython_shows_html_and_ir_as_text() -> None:
    shell = InteractiveShell()
    reprs.install(shell)
    for thing in things().values():
        data, _ = shell.display_formatter.format(thing)
        assert data["text/html"] == reprs.html(thing)
        assert len(data["text/plain"]) < 20_000
    assert shell.display_formatter.format(things()["module"])[0]["text/plain"].startswith("@I.ir_module")


def test_a_look_that_cannot_be_made_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = InteractiveShell()
    reprs.install(shell)

    def fails(thing: Any) -> str:
        raise TewbError("no look today")

    s = things()["schedule"]
    monkeypatch.setitem(reprs.LOOKS, type(s), fails)
    assert "no look today" in shell.display_formatter.format(s)[0]["text/html"]


def test_importing_in_ipython_is_enough() -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "import sys, tewb\n"
        "A = tewb.te.placeholder((4,), name='A')\n"
        "print(shell.display_formatter.format(A)[0]['text/html'])\n"
        "print('ipywidgets' in sys.modules)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "<b>A</b> placeholder: float32(4,), 16 B" in out.stdout and out.stdout.endswith("False\n")


def test_nothing_that_a_cell_may_end_with_is_a_dump_of_fields() -> None:
    """Every result is its own text, or a line: no line is long, and none is a dataclass written out."""
    A = te.placeholder((32, 32), name="A")
    B = te.compute((32, 32), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((32, 32), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    session = tewb.Session(s, [A, C])
    s[C].tile(*C.op.axis, 8, 8)
    s[B].compute_at(s[C], s[C].leaf_iter_vars[1])
    session.sync()
    measured = session.measure(2)
    kernel = session.build()
    results = [
        session, measured, measured.kernel, *measured.rows, session.timings, session.roofline(), session.verify(),
        *session.journal, *session.stages, *session.ledger(), *session.allocations(), *session.ir_lines(),
        *session.palette("C"), session.preview(session.palette("C")[0].step), *session.advice(),
        session.explain("bound", "B", "i"), session.diff("simplify"), *session.primitives("C"), session.expect("bytes", "<=", 1),
        *s.stages, *s[C].leaf_iter_vars, s, kernel, kernel.signature, *kernel.signature.params, kernel.code,
        session.module, session.function, *session.forms(), session.access_trace("B"), session.snapshot(),
    ]  # fmt: skip
    for result in results:
        said = repr(result)
        assert "object at 0x" not in said, type(result)
        assert "Span(" not in said and "Step(" not in said and "results=(" not in said, said
        assert all(len(line) <= 400 for line in said.splitlines()), (type(result), said)


def test_a_measurement_is_a_line_and_a_table() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    m = tewb.Session(te.create_schedule(B.op), [A, B]).measure(2)
    assert re.fullmatch(r"✓ result equals numpy's; tewb .* ± .*, numpy.* ± .*, ratio [\d.,e-]+", repr(m))
    html = reprs.html(m)
    assert html.count("<tr>") == 3 and "GFLOP/s" in html and "numpy, by the definition / tewb: <b>" in html
    slow = replace(m, numpy=Timing((46e-6,)), kernel=Timing((10e-3,)))
    assert "ratio 0.00460" in repr(slow)
