"""Steps as they are typed: words in the order of a declaration, completed by the selection."""

from __future__ import annotations

import random
from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule
from tests.workbench.journal.sessions import recipes
from tewb import te
from tewb.schedule import PRIMITIVES, Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.palette import every_candidate
from tewb.workbench.judge.typed import typed_steps, words_of
from tewb.workbench.session import Session


def meant(session: Session, text: str, stage: str = "", loop: str | None = None) -> list[str]:
    return [str(s) for s in typed_steps(session.schedule, text, stage, loop)]


@pytest.mark.parametrize(
    ("text", "loop", "step"),
    [
        ("tile 8 32", None, "tile(C, x=i, y=j, x_factor=8, y_factor=32)"),
        ("tile 8 32", "j", "tile(C, x=j, y=k, x_factor=8, y_factor=32)"),
        ("tile 8 32", "k", "tile(C, x=i, y=j, x_factor=8, y_factor=32)"),
        ("split i 16", None, "split(C, axis=i, factor=16)"),
        ("split 16", "k", "split(C, axis=k, factor=16)"),
        ("split C.k 16", "i", "split(C, axis=k, factor=16)"),
        ("split C k 16", None, "split(C, axis=k, factor=16)"),
        ("split nparts=4", "j", "split(C, axis=j, nparts=4)"),
        ("split(C, axis=k, factor=16)", None, "split(C, axis=k, factor=16)"),
        ("reorder k i j", None, "reorder(C, axes=[k, i, j])"),
        ("reorder(C, axes=[k, i])", None, "reorder(C, axes=[k, i])"),
        ("  fuse   i,j ", None, "fuse(C, axes=[i, j])"),
        ("Vec j", None, "vectorize(C, axis=j)"),
        ("bind i threadIdx.x", None, "bind(C, axis=i, thread=threadIdx.x)"),
        ("prefetch A i 8", None, "prefetch(C, tensor=A, axis=i, offset=8)"),
        ("cache_read A local", None, "cache_read(A, scope=local, readers=[C])"),
        ("transform_layout lambda i, j: [j, i]", None, "transform_layout(C, mapping_function=lambda i, j: [j, i])"),
        ("pragma i auto_unroll_max_step 4", None, "pragma(C, axis=i, key=auto_unroll_max_step, value=4)"),
    ],
)  # fmt: skip
def test_words_are_a_step_with_its_arguments(text: str, loop: str | None, step: str) -> None:
    assert meant(demo_session("matmul", n=64), text, "C", loop) == [step]


@pytest.mark.parametrize("text", ["compute_at X Y.i", "compute_at X Y i", "compute_at Y.i", "compute_at Y i"])
def test_a_place_is_a_loop_of_a_stage(text: str) -> None:
    assert meant(demo_session("blur", n=64), text, "X") == ["compute_at(X, parent=Y, axis=i)"]


def test_what_is_left_out_is_as_it_is_offered() -> None:
    s = demo_session("matmul", n=64)
    assert meant(s, "split k", "C")[0].startswith("split(C, axis=k, factor=")
    assert meant(s, "compute_root C") == ["compute_root(C)"]


def test_a_name_alone_means_what_is_offered_with_that_name_and_what_can_be_done_now_first() -> None:
    s = demo_session("blur", n=62)
    split = meant(s, "split", "X", "j")
    assert split and all(text.startswith("split(X, axis=j, factor=") for text in split)
    assert meant(s, "unr", "X", "j") == ["unroll(X, axis=j)"]
    assert meant(s, "rfactor", "X") == ["rfactor(X, axis=i, factor_axis=0)"]  # refused, with its reason
    assert meant(s, "compute_w", "X") == ["compute_with(X, parent=Y, axis=i)"]
    assert meant(s, "store_root", "X") == ["store_root(X)"]
    placed = meant(s, "compute_at", "Y")  # an output, which stays where it is: what it reads does not
    assert placed[:2] == ["compute_at(X, parent=Y, axis=i)", "compute_at(X, parent=Y, axis=j)"]
    assert placed[2:] == ["compute_at(Y, parent=Y, axis=i)"]
    tails = meant(s, "tail", "Y")  # the name of a parameter
    assert tails[0].endswith("tail=shift)") and tails[-1].endswith("tail=round_up)")
    assert s.why_not(typed_steps(s.schedule, "tail", "Y", None)[-1]) is not None


@pytest.mark.parametrize(
    "text",
    [
        "specialize n > 3",
        "specialize(n > 3)",
        "specialize 'n > 3'",
        'specialize(B, condition="n > 3")',
        "specialize B n > 3",
    ],
)
def test_a_condition_is_all_of_the_words_in_quotes_or_not(text: str) -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = Session(te.create_schedule(B.op), [A, B])
    assert meant(s, text, "B") == ["specialize(B, condition=n > 3)"]
    (unknown,) = typed_steps(s.schedule, text.replace("n >", "size >"), "B", None)
    assert "no variable size" in (s.why_not(unknown) or "")


def test_words_without_arguments_and_other_words_mean_no_step() -> None:
    s = demo_session("matmul", n=64)
    for text in (
        "",
        "  ",
        "sp",
        "compute",
        "measure the loops",
        "re do",
        "show advice",
        "spl q 8",
        "split i 16 16 16 16",
        "=",
        "((",
        "i j",
    ):
        assert meant(s, text, "C") == [], text


def test_loops_that_the_selected_stage_has_not_are_looked_for_in_others() -> None:
    s = demo_session("matmul", n=64)
    s.apply(Step("cache_write", "C", {"scope": "local"}))
    assert meant(s, "split i.c 8", "C") == ["split(C.local, axis=i.c, factor=8)"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("split q 8", "it has no axis q"),
        ("split i 8", "axis i was already split into i.outer and i.inner"),
        ("split C.q 8", "it has no axis q"),
        ("split j sixteen", "no variable sixteen"),
        ("parallel k", "reduce axis"),
    ],
)
def test_what_is_wrong_is_a_step_that_is_refused(text: str, reason: str) -> None:
    s = demo_session("matmul", n=64)
    s.apply(Step("split", "C", {"axis": "i", "factor": 4}))
    (step,) = typed_steps(s.schedule, text, "C", None)
    assert reason in (s.why_not(step) or "")


def _as_typed(step: Step) -> str:
    """A step as a person types it, by its declaration."""
    words = [step.primitive, step.stage]
    for p in PRIMITIVES[step.primitive].params:
        given = step.args.get(p.name)
        values = given if isinstance(given, list) else [] if given is None else [given]
        words += [f"{p.name}={v}" if i == 0 else str(v) for i, v in enumerate(values)]
    return " ".join(words)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_step_that_is_offered_can_be_typed(name: str) -> None:
    inputs, outputs = PROGRAMS[name]()
    s = random_schedule(outputs, random.Random(f"typed{name}"), 3)
    session = Session(s, inputs + outputs)
    seen: set[str] = set()
    for stage in s.stages:
        for step in every_candidate(stage) if stage.leaf_iter_vars else ():
            if step.primitive in PRIMITIVES and session.why_not(step) is None:
                found = typed_steps(s, _as_typed(step), "", None)
                assert found[:1] == [step], _as_typed(step)
                seen.add(step.primitive)
    assert len(seen) > 3


def test_a_recipe_is_typed_as_a_primitive_is() -> None:
    with recipes():

        @tewb.recipe
        def lanes(s: Any, C: Any, factor: int = 8) -> None:
            s[C].vectorize(s[C].split(C.op.axis[-1], factor)[1])

        s = demo_session("matmul", n=64)
        (step,) = typed_steps(s.schedule, "lanes 16", "C", None)
        s.apply(step)
        assert [x.primitive for x in s.journal] == ["split", "vectorize"] and s.journal[0].args[
            "factor"
        ] == 16


def test_words_know_what_they_are_for_and_what_follows() -> None:
    (a, b, c) = words_of("split(C, axis=[i.outer])")
    assert (a.text, b.text, c.text, c.parameter) == ("split", "C", "i.outer", "axis")
    assert words_of("layout lambda i: [i]")[1].rest == "lambda i: [i]" and words_of("x -3")[1].value == -3
