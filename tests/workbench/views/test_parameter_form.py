"""The parameters of a primitive as widgets: what is chosen becomes the arguments of a step."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb import te
from tewb.schedule import PRIMITIVES, Step
from tewb.workbench.demos import demo_session
from tewb.workbench.views.parameter_form import ParameterForm


def form(primitive: str, stage: str = "C", demo: str = "matmul", loop: str | None = "i") -> Any:
    return ParameterForm(demo_session(demo, n=16), stage, PRIMITIVES[primitive], lambda: loop)


def test_the_loop_is_chosen_beside_the_form() -> None:
    f = form("split")
    assert "axis" not in f.fields and f.arguments()["axis"] == "i" and len(f.widgets) == len(f.fields)
    assert form("unroll").fields == {} and form("unroll").arguments() == {"axis": "i"}


@pytest.mark.parametrize(
    ("text", "argument"), [("8", 8), (" 32 ", 32), ("-4", -4), ("n", "n"), ("2.5", "2.5")]
)
def test_numbers_are_numbers_and_other_text_is_left_to_the_primitive(text: str, argument: Any) -> None:
    f = form("split")
    f.fields["factor"].value = text
    assert f.arguments()["factor"] == argument


def test_what_is_left_empty_is_left_out() -> None:
    f = form("split")
    f.fields["factor"].value = "  "
    assert "factor" not in f.arguments()


def test_loops_in_order_are_names_between_commas() -> None:
    f = form("reorder")
    assert f.fields["axes"].value == "i, j, k"
    f.fields["axes"].value = "k, , i ,j,"
    assert f.arguments()["axes"] == ["k", "i", "j"]


def test_a_place_offers_the_loops_of_the_stage_that_is_chosen() -> None:
    f = form("compute_at", "X", "blur")
    assert f.fields["parent"].value == "Y" and list(f.fields["axis"].options) == ["i", "j"]
    assert f.arguments() == {"parent": "Y", "axis": "i"}


def test_every_primitive_has_a_form_whose_arguments_it_knows() -> None:
    for primitive in PRIMITIVES.values():
        f = ParameterForm(demo_session("matmul", n=16), "C", primitive, lambda: "i")
        assert f.arguments().keys() <= {p.name for p in primitive.params}, primitive.name
        assert all(w.description in {p.name for p in primitive.params} for w in f.widgets)


def test_the_name_of_a_variable_is_a_size() -> None:
    n, f = te.var("n"), te.var("f")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    session = tewb.Session(te.create_schedule(B.op), [A, B, f])
    split = ParameterForm(session, "B", PRIMITIVES["split"], lambda: "i")
    for text, size in (("f", "f"), (" n//4 ", "n // 4"), ("2 * 4", 8)):
        split.fields["factor"].value = text
        session.apply(Step("split", "B", split.arguments()))
        assert session.journal[-1].args["factor"] == size
        session.undo()
