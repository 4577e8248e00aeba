"""What a notebook shows of our classes, trusted or not, with a kernel or without."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import tewb
from tewb import te, tir
from tewb.base import TewbError
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook import reprs

# What JupyterLab's sanitizer keeps of an untrusted output, of the tags and attributes that we write.
KEPT_TAGS = {"b", "br", "details", "div", "img", "li", "ol", "pre", "summary", "table", "td", "th", "tr"}
KEPT_ATTRIBUTES = {"alt", "open", "src", "style", "title"}


class Tags(HTMLParser):
    """The tags and attributes of a page, and whether every tag is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def assert_survives(page: str) -> None:
    """It is well formed, short, sets no colours, and an untrusted notebook keeps all of it."""
    found = Tags(page)
    assert found.open == [] and found.tags <= KEPT_TAGS and found.attributes <= KEPT_ATTRIBUTES
    assert "color:" not in page and len(page) < 100_000


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
    @te.hybrid.script
    def add_one(a):
        b = output_tensor(a.shape, "float32")  # noqa: F821
        for i in range(a.shape[0]):
            b[i] = a[i] + 1.0
        return b

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


# ---------------------------------------------------------------- snapshots


def test_a_snapshot_keeps_what_was_shown() -> None:
    s = demo_session("extern", access="elementwise")
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    kept = s.snapshot()
    s.undo()
    assert "compute_at(E" in kept.html and "for i in range(3):" in kept.html
    assert "128 B" in kept.html and "idempotent" in kept.html and "s = te.create_schedule" in kept.html
    assert repr(kept).startswith("tewb workbench: Schedule(") and kept._repr_html_() == kept.html
    assert "compute_at" not in s.snapshot().html
    assert_survives(kept.html)


def test_a_snapshot_with_times() -> None:
    s = demo_session("matmul", n=32)
    assert "result equals numpy" in s.snapshot(s.measure(repeat=1)).html


def test_a_snapshot_draws_the_graph_as_an_image_or_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    s = demo_session("matmul", n=32)
    monkeypatch.setattr(
        "tewb.workbench.views.graph._draw", lambda graphviz, source: "<svg>currentColor</svg>"
    )
    kept = s.snapshot().html
    assert (
        re.search(r'<img alt="stage graph: C: float32\[32, 32\][^"]*"', kept)
        and "data:image/svg+xml;base64," in kept
    )
    assert_survives(kept)
    monkeypatch.setattr("tewb.workbench.views.graph._draw", lambda graphviz, source: None)
    assert "<img" not in s.snapshot().html and "C: float32[32, 32]" in s.snapshot().html


def test_a_snapshot_of_what_cannot_be_lowered_says_why() -> None:
    s = demo_session("matmul", n=32)
    s.args = s.args[1:]
    s.refresh()
    s.schedule.version += 1
    assert "A is an input and is not among the arguments" in s.snapshot().html


def test_the_workbench_leaves_a_snapshot() -> None:
    bundle = tewb.demo("matmul", n=32)._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "run the cell to work with it" in data["text/html"]
    assert_survives(data["text/html"])
