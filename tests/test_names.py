"""Names are any text: code, IR, graphs and pages that are made of them still mean the same program, and nothing escapes."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import TewbError
from tewb.contrib import tedd
from tewb.ir import parse, structural_equal
from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.tensor.hybrid.module import load_text
from tewb.workbench import Session
from tewb.workbench.journal.write_code import program_code
from tewb.workbench.notebook.reprs import html
from tewb.workbench.views.graph import dot, svg

NAMES = [
    "batch-size", "min", "range", "T", "T.x", "I", "te", "s", "args", "float", "exp", "lambda", "_", "", "3", "a b", "a..b",
    "\ufb01", "\u00b2", "\u540d", "\u2028", "a\nimport os", "a\r\nb", "\\n", '"', "'", '"""', "</script><script>alert(1)</script>",
    "<b>&amp;", "{0}", "%s", "# x", "\t\x00\x7f\x1b[31m", "\ud800", "output_tensor", "A.data", "a" * 300,
]  # fmt: skip
SHOWN = [repr(n)[:20] for n in NAMES]


def program(name: str) -> tuple[Schedule, list[Any], list[Tensor]]:
    """Every name of a program is `name`: sizes, tensors, axes, reduce axes, reducers."""
    n, x = te.var(name), te.var(name, "float32")
    A, B = te.placeholder((n, 8), name=name), te.placeholder((8,), name=name)
    k = te.reduce_axis((0, 8), name=name)
    largest = te.comm_reducer(lambda a, b: te.max(a, b), lambda t: te.min_value(t), name=name)
    C = te.compute((n, 8), lambda p, q: A[p, q] * B[q] + x, name=name)
    D = te.compute(
        (n,), lambda p: largest(te.min(C[p, k], te.const(float("inf"), "float32")), axis=k), name=name
    )
    s = te.create_schedule(D.op)
    return s, [x, A, B, D], [C, D]


def named_axes(name: str) -> tuple[Schedule, list[Any]]:
    """A matrix product whose axes have a name, scheduled."""
    A, B = te.placeholder((16, 16), name=name), te.placeholder((16, 16), name=name)
    k = te.reduce_axis((0, 16), name=name)
    C = te.compute((16, 16), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name=name)
    D = te.compute((16, 16), lambda i, j: C[i, j] + 1.0, name=name)
    s = te.create_schedule(D.op)
    i, j = s[D].op.axis
    io, ii = s[D].split(i, 4)
    s[D].vectorize(j)
    s[C].compute_at(s[D], io)
    ko, ki = s[C].split(k, 4)
    s[C].pragma(ko, "auto_unroll_max_step", 16)
    s[C].unroll(ki)
    AA = s.cache_read(A, "local", [C])
    s[AA].compute_at(s[C], ko)
    s[AA].double_buffer()
    return s, [A, B, D]


def built_by_hand(name: str) -> tuple[Schedule, list[Any]]:
    """An extern whose IR has names in every place."""
    A = te.placeholder((8,), name=name)

    def body(ins: Any, outs: Any) -> Any:
        ib = tewb.tir.ir_builder.create()
        ib.scope_attr(name, name or "key", 1)
        ib.assert_that(te.const(True), name)
        held = ib.allocate("float32", (8,), name=name)
        x = ib.let(name, te.const(2.0))
        with ib.for_range(0, 8, name=name) as i:
            held[i] = ib.buffer_ptr(ins[0])[i] * x
        with ib.for_range(0, 8, name=name) as i:
            ib.buffer_ptr(outs[0])[i] = held[i]
        return ib.get()

    B = te.extern((8,), [A], body, name=name, dtype="float32")
    return te.create_schedule(B.op), [A, B]


@pytest.mark.parametrize("name", NAMES, ids=SHOWN)
@pytest.mark.parametrize("make", [program, named_axes, built_by_hand])
def test_ir_comes_back(make: Any, name: str) -> None:
    s, args, *_ = make(name)
    f = tewb.lower(s, args, name=name)
    text = f.script()
    assert structural_equal(parse(text), f)
    assert all(c.isprintable() for c in text.replace("\n", ""))
    ast.parse(text)


@pytest.mark.parametrize("name", NAMES, ids=SHOWN)
@pytest.mark.parametrize("make", [program, named_axes])
def test_code_runs_and_makes_the_same_program(make: Any, name: str) -> None:
    s, args, *_ = make(name)
    code = program_code(s, args, name)
    found: dict[str, Any] = {}
    exec(compile(code, "<code>", "exec"), found)
    assert structural_equal(found["module"], tewb.lower(s, args, name=name))
    assert [str(step) for step in found["s"].journal] == [str(step) for step in s.journal]
    assert all(c.isprintable() for c in code.replace("\n", ""))


@pytest.mark.parametrize("name", NAMES, ids=SHOWN)
def test_a_schedule_is_read_back(name: str) -> None:
    s, args = named_axes(name)
    session = Session(s, args)
    for text in (session.code, session.schedule_code, session.to_string(), session.to_json()):
        again = Session(Schedule(s.outputs), args)
        again.load(text)
        assert again.schedule.journal == s.journal


@pytest.mark.parametrize("name", NAMES, ids=SHOWN)
def test_hybrid_text_is_loaded_again(name: str) -> None:
    s, args = named_axes(name)
    text = te.hybrid.build(te.create_schedule(s.outputs), args[:2], args[2:], name).get_source()
    assert all(c.isprintable() for c in text.replace("\n", ""))
    a = np.arange(256, dtype="float32").reshape(16, 16) / 64
    np.testing.assert_allclose(load_text(text, "<text>").check(a, a), a @ a + 1, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES, ids=SHOWN)
def test_hybrid_text_of_statements_built_by_hand_is_loaded_again(name: str) -> None:
    s, args = built_by_hand(name)
    text = te.hybrid.build(s, args[:1], args[1:], name).get_source()
    assert all(c.isprintable() for c in text.replace("\n", ""))
    a = np.arange(8, dtype="float32")
    np.testing.assert_array_equal(load_text(text, "<text>").check(a), a * 2)


@pytest.mark.parametrize("name", ["batch-size", "min", "max", "lambda", "T"])
def test_sizes_have_any_name(name: str) -> None:
    n = te.var(name)
    A = te.placeholder((n, te.min(n, 4)), name="A")
    B = te.compute((te.max(n, 2) * 2,), lambda i: A[te.min(i, n - 1), 0] + 1, name="B")
    a = np.arange(9, dtype="float32").reshape(3, 3)
    for args, given in (([A, B], (a,)), ([n, A, B], (3, a))):
        b = np.zeros(6, "float32")
        tewb.build(te.create_schedule(B.op), args)(*given, b)
        np.testing.assert_array_equal(b, a[[0, 1, 2, 2, 2, 2], 0] + 1)
    code = program_code(te.create_schedule(B.op), [A, B], "main")
    exec(compile(code, "<code>", "exec"), {})


@pytest.mark.parametrize("name", ["sum", "max", "min", "prod"])
def test_a_reducer_of_the_users_is_not_taken_for_one_of_that_name(name: str) -> None:
    A = te.placeholder((4, 5), name="A")
    k = te.reduce_axis((0, 5), name="k")
    mine = te.comm_reducer(lambda x, y: x + y * 1.0, lambda t: te.const(3, t), name=name)
    B = te.compute((4,), lambda i: mine(A[i, k], axis=k), name="B")
    code = program_code(te.create_schedule(B.op), [A, B], "main")
    found: dict[str, Any] = {}
    exec(compile(code, "<code>", "exec"), found)
    assert "te.comm_reducer" in code
    assert structural_equal(found["module"], tewb.lower(te.create_schedule(B.op), [A, B]))


class Tags(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        assert all(not key.startswith("on") for key, _ in attrs)


@pytest.mark.parametrize("name", NAMES, ids=SHOWN)
@pytest.mark.parametrize("make", [program, named_axes, built_by_hand])
def test_nothing_escapes_in_pages_and_graphs(make: Any, name: str) -> None:
    s, args, *_ = make(name)
    session = Session(s, args)
    pages = [session.snapshot().html, html(s), html(s.outputs[0].output(0)), html(tewb.lower(s, args))]
    for page in pages:
        tags = Tags()
        tags.feed(page)
        assert not {"script", "iframe"} & set(tags.tags)
    for graph in (
        dot(s),
        tedd.viz_dataflow_graph(s, output_dot_string=True),
        tedd.viz_schedule_tree(s, output_dot_string=True),
    ):
        assert all(c.isprintable() for c in graph.replace("\n", ""))
        for line in graph.splitlines():
            assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0


def test_a_graph_of_strange_names_is_drawn() -> None:
    for name in ('a "b" \\', "{x|y}<z>\nw"):
        s, *_ = built_by_hand(name)
        drawn = svg(dot(s))
        assert drawn is None or "<svg" in drawn


@pytest.mark.parametrize(
    "make",
    [
        lambda: te.var(5),  # type: ignore[arg-type]
        lambda: te.placeholder((3,), name=None),  # type: ignore[arg-type]
        lambda: te.compute((3,), lambda i: i, name=5),  # type: ignore[arg-type]
        lambda: tewb.lower(te.create_schedule(te.compute((3,), lambda i: i).op), [], name=5),  # type: ignore[arg-type]
    ],
)
def test_a_name_is_text(make: Any) -> None:
    with pytest.raises(TewbError, match="a name is text, not"):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: te.placeholder((3,), "handle"), "no elements of dtype handle"),
        (lambda: te.placeholder((3,), "float32x4"), "no elements of dtype float32x4"),
        (lambda: te.compute((3,), lambda i: "x"), "no elements of dtype handle"),
        (lambda: te.var("x", "float32x4"), "one number, not a vector"),
        (lambda: te.compute((3,), 5), "5 is no function of the indices"),  # type: ignore[arg-type]
        (lambda: te.compute((3,), lambda i: ()), "returned no expression"),
        (
            lambda: tewb.build(te.create_schedule(te.compute((3,), lambda i: i).op), 5),
            "a list of arguments, not 5",
        ),  # type: ignore[arg-type]
    ],
)
def test_what_no_tensor_can_be_is_refused(make: Any, message: str) -> None:
    with pytest.raises(TewbError, match=message) as raised:
        make()
    assert raised.value.hint
