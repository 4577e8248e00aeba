"""Recipes made of steps: a random run of them equals the same steps, can be undone, and is written and read again."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule
from tests.workbench.journal.sessions import TILED, session
from tewb import te
from tewb.base import ScheduleError
from tewb.schedule import RECIPES
from tewb.workbench.demos import demo_session


def shape(s: Any) -> list[tuple[str, int, int, int]]:
    return [(r.call.recipe, r.first, r.count, r.depth) for r in s.runs]


SOURCE = """@tewb.recipe
def tiled(s, C, x_factor=8, y_factor=16):
    i, j = s[C].op.axis
    i_outer, j_outer, i_inner, j_inner = s[C].tile(i, j, x_factor, y_factor)
    (k,) = s[C].op.reduce_axis
    s[C].reorder(i_outer, j_outer, k, i_inner, j_inner)
    s[C].vectorize(j_inner)
    s[C].unroll(i_inner)
"""


def test_factors_and_the_stage_become_parameters() -> None:
    s = session(TILED)
    before = s.journal
    assert [(v.key, v.value, v.name, v.chosen) for v in s.varying(1, 4)] == [
        ("1.x_factor", 8, "x_factor", True),
        ("1.y_factor", 16, "y_factor", True),
    ]
    made = s.make_recipe("tiled", 1, 4)
    assert made.source == SOURCE and s.journal == before and shape(s) == [("tiled", 0, 4, 0)]
    assert s.schedule_code.endswith("\ntiled(s, C)\n") and SOURCE in s.schedule_code


def test_it_can_be_done_again_on_another_stage_with_other_factors() -> None:
    s = demo_session("blur", n=64)
    s.load("X:split(i,4);X:unroll(i.inner)")
    s.make_recipe("rows", 1, 2, {"1.factor": "x"})
    s.apply({"primitive": "rows", "stage": "Y", "args": {"x": 8}})
    assert [str(step) for step in s.journal[2:]] == [
        "split(Y, axis=i, factor=8)",
        "unroll(Y, axis=i.inner)",
    ]
    assert shape(s) == [("rows", 0, 2, 0), ("rows", 2, 2, 0)]
    assert s.schedule_code.endswith("\nrows(s, X)\nrows(s, Y, x=8)\n")


def test_loops_that_are_no_axes_and_scopes_are_parameters_where_chosen() -> None:
    s = session("C:split(i,8);C:parallel(i.outer);A:cache_read(local,[C]);A.local:compute_at(C,i.inner)")
    assert [(v.key, v.chosen) for v in s.varying(2, 2)] == [("3.scope", False)]
    made = s.make_recipe("kept", 2, 2, {"3.scope": "memory"})
    assert made.source is not None and made.source.splitlines()[1:] == [
        'def kept(s, C, A, i_outer, memory="local"):',
        "    s[C].parallel(i_outer)",
        "    A_local = s.cache_read(A, memory, [C])",
    ]
    assert s.schedule_code.endswith('kept(s, C, A, i_outer)\ns["A.local"].compute_at(s[C], i_inner)\n')


def test_values_of_one_name_are_one_parameter() -> None:
    s = session("C:split(i,8);C:split(j,8)")
    made = s.make_recipe("both", 1, 2, {"1.factor": "n", "2.factor": "n"})
    assert made.source is not None and "def both(s, C, n=8):" in made.source
    s.edit_recipe(1, {"n": 4})
    assert [step.args["factor"] for step in s.journal] == [4, 4]


@pytest.mark.parametrize(
    ("name", "first", "count", "parameters", "said"),
    [
        ("split", 1, 2, None, "'split' cannot be the name of a recipe"),
        ("a b", 1, 2, None, "'a b' cannot be the name"),
        (7, 1, 2, None, "7 cannot be the name"),
        ("ok", 0, 1, None, "there is no step 0"),
        ("ok", 1, 9, None, "there are no 9 steps from step 1 on"),
        ("ok", 1, 0, None, "there are no 0 steps"),
        ("ok", 1, 2, {"1.depth": "x"}, "1.depth is no value of these steps"),
        ("ok", 1, 2, {"1.x_factor": "for"}, "'for' cannot be the name of a parameter"),
        ("A", 1, 2, None, "A has another meaning in the program"),
        ("ok", 1, 2, {"1.x_factor": "C"}, "C has another meaning in the recipe"),
        ("ok", 1, 2, {"1.x_factor": "x", "1.y_factor": "x"}, "x would be 8 and 16"),
    ],
)
def test_what_cannot_be_made_changes_nothing(
    name: Any, first: Any, count: Any, parameters: Any, said: str
) -> None:
    s = session(TILED)
    before = s.journal
    with pytest.raises(ScheduleError, match=re.escape(said)):
        s.make_recipe(name, first, count, parameters)
    assert s.journal is before and s.runs == () and "ok" not in RECIPES


def test_a_call_is_not_cut_apart_and_a_name_in_use_is_not_taken() -> None:
    s = session(TILED)
    s.make_recipe("tiled", 1, 3)
    with pytest.raises(ScheduleError, match=r"steps 3 to 4 cut tiled.* apart"):
        s.make_recipe("other", 3, 2)
    with pytest.raises(ScheduleError, match="there is a recipe tiled already"):
        s.make_recipe("tiled", 4, 1)
    s.make_recipe("outer", 1, 4)
    s.make_recipe("inner", 2, 1)
    assert shape(s) == [("outer", 0, 4, 0), ("tiled", 0, 3, 1), ("inner", 1, 1, 2)]


def check_round_trips(s: Any, fresh: Any, inside: bool) -> None:
    """What is written is read again to the same journal and the same calls, where recipes are known and where not."""
    code = s.schedule_code
    for text in (code, s.to_string(), s.to_json()):
        for forgotten in (False, True):
            kept = dict(RECIPES)
            if forgotten:
                RECIPES.clear()
            t = fresh()
            t.load(text)
            RECIPES.clear()
            RECIPES.update(kept)
            assert t.journal == s.journal
            assert shape(t) == shape(s) or (inside and text is code)
            assert t.schedule_code == code
    bare = json.loads(s.to_json())
    bare.pop("recipes")
    kept = dict(RECIPES)
    RECIPES.clear()
    for text in (json.dumps(bare), re.sub(r'define:"(?:[^"\\]|\\.)*";', "", s.to_string())):
        t = fresh()
        t.load(text)
        assert t.journal == s.journal and shape(t) == shape(s)
        assert "# " in t.schedule_code
    RECIPES.update(kept)


@pytest.mark.parametrize(
    "seed", [*range(4), *[pytest.param(n, marks=pytest.mark.slow) for n in range(4, 60)]]
)
def test_a_random_run_is_the_same_as_a_recipe(seed: int) -> None:
    rng = random.Random(f"recipes{seed}")
    inputs, outputs = PROGRAMS[rng.choice(list(PROGRAMS))]()
    schedule = random_schedule(outputs, rng, 7)
    s = tewb.Session(schedule, inputs + outputs)
    steps = s.journal
    if not steps or s.problem is not None:
        return
    ir = s.ir

    def fresh() -> Any:
        return tewb.Session(te.create_schedule(list(schedule.outputs)), inputs + outputs)

    for name in ("first_recipe", "second_recipe"):
        first = rng.randint(1, len(steps))
        count = rng.randint(1, len(steps) - first + 1)
        inside = any(r.first <= first - 1 and first - 1 + count <= r.end and r.count > count for r in s.runs)
        before = (s.journal, shape(s))
        try:
            s.make_recipe(name, first, count)
        except ScheduleError as e:
            assert "apart" in str(e)
            continue
        after = (s.journal, shape(s))
        assert s.journal == steps and s.ir == ir and name in [r.call.recipe for r in s.runs]
        check_round_trips(s, fresh, inside)
        assert s.undo() and (s.journal, shape(s)) == before
        assert s.redo() and (s.journal, shape(s)) == after and s.ir == ir
