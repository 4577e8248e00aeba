"""A primitive is one file: what its declaration says is seen in every place that shows, writes or draws primitives."""

from __future__ import annotations

import inspect
import pydoc
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.schedules import attempt, random_step
from tests.programs import assert_same_result, chain, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.schedule import PRIMITIVES, Stage, Step, methods, primitives, stub
from tewb.schedule.declare import Selection
from tewb.workbench import Session
from tewb.workbench.journal.compact import compact, read_compact
from tewb.workbench.states.actions import forms_of

ROOT = Path(__file__).resolve().parents[2]

TOY = '''
"""favour: a loop that somebody is fond of."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import IterVar, const_int
from tewb.schedule.declare import AXIS, Arguments, Param, Refusal, Repair, Selection, Values, primitive
from tewb.schedule.journal import Step
from tewb.schedule.questions import has_loops, unmarked
from tewb.schedule.stage import Stage


@primitive(AXIS, Param("weight", "int", "how much", 1))
def favour(stage: Stage, loop: IterVar | str, weight: int = 1) -> None:
    """Remember that somebody is fond of a loop.

    for i in n: body(i)    ->    for i in n: body(i)
    """
    stage.do("favour", axis=loop, weight=weight)


@favour.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    size = const_int(stage.schedule.extents(stage)[v["axis"]]) if not has_loops(stage) else None
    if size is not None and size > 8:
        return Refusal(f"nobody is fond of {size} iterations")
    return has_loops(stage) or unmarked(stage, v["axis"])


@favour.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield {"axis": at.loop, "weight": 77}


@favour.repairs
def _repairs(at: Selection, args: Arguments) -> Iterator[Repair]:
    split = Step("split", at.stage.name, {"axis": args["axis"], "factor": 6})
    yield Repair(split, lambda results: [{**args, "axis": results[1]}])
'''

MARK_ONLY = '''
"""admire: a stage that somebody looks up to."""

from tewb.schedule.declare import primitive
from tewb.schedule.stage import Stage


@primitive()
def admire(stage: Stage) -> None:
    """Remember that somebody looks up to a stage."""
    stage.do("admire")
'''


@pytest.fixture
def toys(tmp_path: Path) -> Iterator[None]:
    """Two more files among those of the primitives, while a test runs."""
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "mark_only.py").write_text(MARK_ONLY)
    known = set(PRIMITIVES)
    primitives.__path__.append(str(tmp_path))
    primitives.load()
    yield
    primitives.__path__.remove(str(tmp_path))
    for name in set(PRIMITIVES) - known:
        delattr(PRIMITIVES.pop(name).owner, name)
    for file in ("toy", "mark_only"):
        del sys.modules[f"{primitives.__name__}.{file}"]


FAVOUR = Step("favour", "C", {"axis": "j", "weight": 3})


def session(n: int = 48, m: int = 8) -> Session:
    inputs, outputs = matmul(n, m, 5)
    return Session(schedule_for(outputs), inputs + outputs)


def favoured() -> Session:
    s = session()
    s.apply(FAVOUR)
    return s


# ---------------------------------------------------------------- a file that is dropped into the folder


def test_it_is_in_the_menus(toys: None) -> None:
    s = session()
    assert [p.name for p in s.primitives("C")][-2:] == ["admire", "favour"]
    assert [p.name for p in s.primitives("A")] == ["cache_read"]
    assert forms_of(s, "C")[-1].name == "favour"


def test_it_has_a_form(toys: None) -> None:
    axis, weight = forms_of(session(), "C")[-1].fields
    assert axis.choices == ("i", "j", "k")
    assert (weight.name, weight.kind, weight.doc, weight.value) == ("weight", "int", "how much", "1")


def test_the_palette_has_its_suggestion_and_its_repair(toys: None) -> None:
    s = session()
    (legal,) = [a for a in s.palette("C", "j") if a.step.primitive == "favour"]
    assert legal.legal and legal.step.args == {"axis": "j", "weight": 77} and legal.preview is not None
    assert any("j(8, favour 77)" in text for text in legal.preview.loops)
    (refused,) = [a for a in s.palette("C", "i") if a.step.primitive == "favour"]
    assert refused.reason == "nobody is fond of 48 iterations"
    assert refused.fix == Step("split", "C", {"axis": "i", "factor": 6})
    assert refused.then == Step("favour", "C", {"axis": "i.inner", "weight": 77})


def test_the_journal_has_it_and_can_do_it_again(toys: None) -> None:
    s = favoured()
    assert s.journal == (FAVOUR,)
    assert s.undo() and s.stages[-1].loops[1].marks == ()
    assert s.redo() and s.stages[-1].loops[1].marks == ("favour 3",)
    assert s.schedule["C"].origin(s.schedule["C"].leaf_iter_vars[1]).steps == (0,)
    assert s.schedule.copy()["C"].loops() == "i(48), j(8, favour 3), k(5)"
    with pytest.raises(ScheduleError, match="loop j is marked favour"):
        s.apply(Step("split", "C", {"axis": "j", "factor": 2}))
    with pytest.raises(ScheduleError, match="nobody is fond of 48 iterations"):
        s.schedule["C"].favour("i")  # type: ignore[attr-defined]


def test_code_says_it_and_is_read_back(toys: None) -> None:
    s, other = favoured(), session()
    assert s.schedule_code.splitlines()[-1] == "s[C].favour(j, weight=3)"
    other.load(s.schedule_code)
    assert other.journal == s.journal


def test_the_compact_form_and_json_say_it_and_are_read_back(toys: None) -> None:
    s, other = favoured(), session()
    assert compact(s.journal) == "C:favour(j,3)"
    assert [step for step, _ in read_compact("C:favour(j,weight=3)", s.schedule)] == [FAVOUR]
    assert '"primitive": "favour"' in s.to_json()
    other.load(s.to_json())
    assert other.journal == s.journal


def test_it_is_a_method_with_help(toys: None) -> None:
    assert str(inspect.signature(Stage.favour)) == (  # type: ignore[attr-defined]
        "(stage: 'Stage', loop: 'IterVar | str', weight: 'int' = 1) -> 'None'"
    )
    said = pydoc.render_doc(Stage, renderer=pydoc.plaintext)
    assert "favour(stage: 'Stage', loop" in said and "Remember that somebody is fond of a loop." in said
    assert "    def favour(self, loop: IterVar | str, weight: int = 1) -> None:" in stub.stub()


def test_the_fuzzer_draws_it_with_its_suggestion(toys: None) -> None:
    inputs, outputs = matmul(4, 8, 5)
    s, rng = schedule_for(outputs), random.Random(3)
    steps = [random_step(s, rng, {}) for _ in range(800)]
    weights = {args.get("weight") for name, _, args in steps if name == "favour"}
    assert 77 in weights and len(weights) > 2
    assert attempt(s, ("favour", "C", {"axis": "j", "weight": 3}), {})


def test_a_mark_alone_is_a_primitive(toys: None) -> None:
    inputs, outputs = chain()
    s = schedule_for(outputs)
    s["C"].admire()  # type: ignore[attr-defined]
    s["C"].vectorize("j")
    s["C"].storage_align("i", 32)
    assert s["C"].loops() == "i(19), j(10, vectorize); stride of i 0 (mod 32); admire"
    made = Session(s, inputs + outputs)
    assert made.schedule_code.splitlines()[0] == "s[C].admire()"
    assert [a.step.args for a in made.palette("C") if a.step.primitive == "admire"] == [{}]
    assert_same_result(s, inputs, outputs)
    with pytest.raises(ScheduleError, match="admire on stage C: it is marked admire already"):
        s["C"].admire()  # type: ignore[attr-defined]
    with pytest.raises(ScheduleError, match="admire on stage A: A is an input"):
        s["A"].admire()  # type: ignore[attr-defined]


def test_nothing_is_left_of_it() -> None:
    assert "favour" not in PRIMITIVES and not hasattr(Stage, "favour")


# ---------------------------------------------------------------- the declarations that there are


def test_a_call_names_its_parameters_in_their_order() -> None:
    """Code writes arguments by position, and numbers by the name of their parameter."""
    for p in PRIMITIVES.values():
        own = list(inspect.signature(p.call).parameters)[2 if p.owner is methods.SchedulePrimitives else 1 :]
        for q, name in zip(p.params, own, strict=False):
            assert p.code or q.code or q.kind != "int" or q.name == name, (p.name, q.name)
        assert p.doc.strip(), p.name


def test_a_suggestion_names_parameters_and_gives_what_is_required() -> None:
    s = session().schedule
    for p in PRIMITIVES.values():
        for loop in ("i", "k"):
            for args in p.suggest(Selection(s["C"], loop, 8)):
                assert args.keys() <= {q.name for q in p.params}, p.name


# ---------------------------------------------------------------- what editors and mypy read


def needed(name: str) -> list[str]:
    parameters = list(inspect.signature(PRIMITIVES[name].call).parameters.values())[1:]
    return [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]


@pytest.mark.parametrize("name", sorted(n for n in PRIMITIVES if needed(n)))
def test_a_call_without_arguments_says_what_is_missing(name: str) -> None:
    A = te.placeholder((8, 8), name="A")
    C = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name="C")
    s = te.create_schedule(C.op)
    of_stage = hasattr(s[C], name)
    with pytest.raises(ScheduleError, match=f"^{name}{' on stage C' if of_stage else ''}: ") as e:
        getattr(s[C] if of_stage else s, name)()
    error = e.value
    assert isinstance(error, TypeError)
    assert all(p in error.message for p in needed(name))
    assert "missing" in error.message
    assert error.hint is not None
    assert error.hint.startswith(f"{'s[C]' if of_stage else 's'}.{name}({needed(name)[0]}")
    assert error.span is not None
    assert error.span.file == __file__
    assert not s.journal
    assert error.loops == ("i(8), j(8)" if of_stage else None)


def test_arguments_that_a_primitive_does_not_have() -> None:
    A = te.placeholder((8, 8), name="A")
    C = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name="C")
    s = te.create_schedule(C.op)
    i, j = C.op.axis
    with pytest.raises(ScheduleError, match="split on stage C: it has no argument by"):
        s[C].split(i, by=3)
    with pytest.raises(ScheduleError, match="vectorize on stage C: 2 arguments are given, and it takes 1"):
        s[C].vectorize(i, j)
    with pytest.raises(TypeError, match="tile on stage C: x_factor and y_factor are missing"):
        s[C].tile(i, j)
