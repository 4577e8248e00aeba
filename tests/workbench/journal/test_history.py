"""History: the journal walked, edited, kept and exchanged."""

from __future__ import annotations

import random
from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule, schedule_for
from tests.workbench.journal.sessions import TILE, TILED, applied, recipes, session, steps
from tewb.base import ScheduleError, TewbError
from tewb.ir import first_difference
from tewb.schedule import RECIPES, Step

# ---------------------------------------------------------------- walking


def test_jump_goes_back_and_forward() -> None:
    s = applied(session(), TILED)
    after, everything = s.ir, s.journal
    s.jump(1)
    assert steps(s) == [TILE]
    assert s.ahead == everything[1:]
    s.jump(3)
    assert s.journal == everything[:3] and s.ahead == everything[3:]
    s.jump(4)
    assert s.ir == after and not s.can_redo
    s.jump(0)
    assert s.journal == () and not s.can_undo and s.ahead == everything


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (5, "there is no step 5\n  hint: the journal has steps 1 to 4"),
        (-1, "there is no step -1"),
        ("best", "no step is called best"),
        (1.5, "there is no step 1.5"),
    ],
)
def test_jump_to_no_step(where: Any, said: str) -> None:
    s = applied(session(), TILED)
    before = s.journal
    with pytest.raises(ScheduleError) as e:
        s.jump(where)
    assert said in str(e.value)
    assert s.journal == before


def test_a_new_step_after_a_jump_forgets_what_was_ahead() -> None:
    s = applied(session(), TILED)
    s.jump(1)
    s.apply(Step("unroll", "C", {"axis": "i.inner"}))
    assert s.ahead == () and not s.can_redo and len(s.journal) == 2


def test_edits_are_undone_and_redone_as_one_change() -> None:
    s = applied(session(), TILED)
    before = s.journal
    s.delete_step(2)
    after = s.journal
    assert s.undo() and s.journal == before
    assert s.redo() and s.journal == after
    s.jump(1)  # no row of undos leads there, so it is a change of its own
    assert s.ahead == after[1:]
    assert s.undo() and s.journal == after
    assert s.redo() and len(s.journal) == 1
    assert s.redo() and s.redo() and s.journal == after and not s.redo()


# ---------------------------------------------------------------- editing


def test_delete_replays_the_later_steps() -> None:
    s = applied(session(), TILED)
    assert s.delete_step(2) == ()
    assert steps(s) == [TILE, "vectorize(C, axis=j.inner)", "unroll(C, axis=i.inner)"]
    assert s.measure(repeat=1).ok


def test_force_drops_the_conflicts_and_reports_them() -> None:
    s = applied(session(), f"{TILED};C:parallel(i.outer)")
    s.apply(Step("split", "C", {"axis": "k", "factor": 4}))
    dropped = s.delete_step(1, force=True)
    assert [c.number for c in dropped] == [2, 3, 4, 5]
    assert steps(s) == ["split(C, axis=k, factor=4)"]
    assert s.undo() and len(s.journal) == 6


def test_move_changes_the_order() -> None:
    s = applied(session(), "C:split(i,8);C:split(j,16);C:vectorize(j.inner)")
    s.move_step(2, 1)
    assert [step.args.get("axis") for step in s.journal] == ["j", "i", "j.inner"]
    s.move_step(3, 2)
    assert [step.primitive for step in s.journal] == ["split", "vectorize", "split"]
    with pytest.raises(ScheduleError, match="j.inner is made by step 1, which comes later"):
        s.move_step(2, 1)


@pytest.mark.parametrize(("what", "said"), [(0, "no step 0"), (9, "no step 9"), ("x", "no step is called x")])
def test_editing_no_step(what: Any, said: str) -> None:
    s = applied(session(), TILED)
    for edit in (s.delete_step, lambda n: s.move_step(n, 1), lambda n: s.move_step(1, n), s.label_step):
        with pytest.raises(ScheduleError, match=said):
            edit(what)


@pytest.mark.slow
def test_random_edits_never_leave_a_schedule_that_cannot_be_lowered() -> None:
    for seed in range(25):
        rng = random.Random(f"edits{seed}")
        inputs, outputs = PROGRAMS[rng.choice(list(PROGRAMS))]()
        s = tewb.Session(random_schedule(outputs, rng, 7), inputs + outputs)
        start = s.journal
        for _ in range(6):
            before, n = s.journal, len(s.journal)
            if not n or s.problem is not None:
                break
            try:
                if rng.random() < 0.5:
                    s.delete_step(rng.randint(1, n), force=rng.random() < 0.5)
                else:
                    s.move_step(rng.randint(1, n), rng.randint(1, n), force=rng.random() < 0.5)
            except ScheduleError as e:
                assert "not apply then" in str(e)
                assert s.journal == before
            assert s.problem is None
        while s.journal != start and s.undo():
            pass
        assert s.journal == start


# ---------------------------------------------------------------- names, notes, branches, pins


def test_names_and_notes_stay_with_their_step() -> None:
    s = applied(session(), TILED)
    s.label_step(1, name="tiles", note="fits L1")
    s.label_step("tiles", note="fits L1 & L2")
    s.jump(0)
    s.jump(4)
    s.undo()
    assert (s.journal[0].name, s.journal[0].note) == ("tiles", "fits L1 & L2")
    s.delete_step(2)
    s.jump("tiles")
    assert steps(s) == [TILE]
    s.label_step(1, name="", note="")
    assert not s.journal[0].name and not s.journal[0].note


def test_a_name_means_one_step() -> None:
    s = applied(session(), TILED)
    s.label_step(1, name="tiles")
    with pytest.raises(ScheduleError, match="step 1 is called tiles already"):
        s.label_step(2, name="tiles")


def test_branches_have_their_own_undo() -> None:
    s = applied(session(), TILED)
    s.jump(2)
    s.branch("scalar")
    s.apply(Step("parallel", "C", {"axis": "i.outer"}))
    assert s.on_branch == "scalar" and {k: len(v) for k, v in s.branches.items()} == {"main": 2, "scalar": 3}
    s.switch("main")
    assert s.redo() and s.redo() and len(s.journal) == 4 and not s.redo()
    s.switch("scalar")
    assert steps(s)[-1] == "parallel(C, axis=i.outer)"
    assert s.undo() and s.undo() and steps(s) == [TILE]
    s.switch("main")
    assert len(s.journal) == 4
    s.delete_branch("scalar")
    assert list(s.branches) == ["main"]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda s: s.branch("main"), "there is a branch main already"),
        (lambda s: s.branch(" "), "a branch needs a name"),
        (lambda s: s.switch("fast"), "there is no branch fast"),
        (lambda s: s.delete_branch("fast"), "there is no branch fast"),
        (lambda s: s.delete_branch("main"), "main is the branch that is shown"),
    ],
)
def test_misuse_of_branches(act: Any, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        act(session())


def test_the_pinned_schedule_stays() -> None:
    s = applied(session(), TILED)
    pinned = s.pin()
    ir = s.ir
    s.jump(0)
    assert s.pinned is pinned and pinned.ir == ir and pinned.measure(repeat=1).ok
    s.unpin()
    assert s.pinned is None


# ---------------------------------------------------------------- following other code


def test_sync_follows_code_step_by_step() -> None:
    s = session()
    told: list[int] = []
    s.on_change(lambda: told.append(len(s.journal)))
    assert not s.sync() and told == []
    C = s.args[2]
    s.schedule[C].split("i", 8)
    s.schedule[C].unroll("i.inner")
    assert s.sync() and not s.sync() and told == [2]
    assert s.undo() and len(s.journal) == 1 and s.redo() and len(s.journal) == 2
    assert s.undo() and s.undo() and not s.undo()


def test_code_after_an_undo_ends_what_could_be_redone() -> None:
    s = applied(session(), TILED)
    s.undo()
    s.schedule["C"].parallel("i.outer")
    assert not s.can_redo and not s.redo()
    assert s.undo() and len(s.journal) == 3


def test_a_schedule_that_other_code_restored_is_one_change() -> None:
    s = applied(session(), TILED)
    before = s.journal
    s.schedule.restore([Step("split", "C", {"axis": "k", "factor": 4})])
    assert s.sync() and s.undo() and s.journal == before


def test_handles_of_later_cells_work_after_an_undo() -> None:
    s = session()
    outer, inner = s.schedule["C"].split("i", 8)
    s.sync()
    s.undo()
    s.redo()
    s.schedule["C"].unroll(inner)
    assert s.sync() and steps(s)[-1] == "unroll(C, axis=i.inner)"


# ---------------------------------------------------------------- exchange: round trips


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(8))
def test_code_string_and_json_give_the_same_program(name: str, seed: int) -> None:
    rng = random.Random(f"load{name}{seed}")
    inputs, outputs = PROGRAMS[name]()
    s = tewb.Session(random_schedule(outputs, rng, 7), inputs + outputs)
    if s.problem is not None:
        return
    for text in (s.code, s.schedule_code, s.to_string(), s.to_json()):
        other = tewb.Session(schedule_for(outputs), inputs + outputs)
        other.load(text)
        assert other.journal == s.journal, text
        assert first_difference(other.module, s.module) is None, text


def test_a_load_is_one_change_and_keeps_the_words_of_steps_that_stay() -> None:
    s = applied(session(), TILED)
    s.label_step(1, name="tiles")
    told: list[int] = []
    s.on_change(lambda: told.append(len(s.journal)))
    s.load(s.schedule_code.replace("s[C].unroll(i_inner)", "s[C].parallel(i_outer)"))
    assert told == [4] and steps(s)[-1] == "parallel(C, axis=i.outer)"
    assert s.journal[0].name == "tiles"
    assert s.journal[0].span.line == 2
    s.undo()
    assert steps(s)[-1] == "unroll(C, axis=i.inner)"


@pytest.mark.parametrize("seed", range(20))
def test_damaged_text_is_refused_or_read_and_never_breaks(seed: int) -> None:
    rng = random.Random(f"damage{seed}")
    inputs, outputs = PROGRAMS[rng.choice(list(PROGRAMS))]()
    s = tewb.Session(random_schedule(outputs, rng, 5), inputs + outputs)
    for text in (s.schedule_code, s.to_string(), s.to_json(), s.code):
        damaged = list(text)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(damaged) + 1)
            if rng.random() < 0.5:
                del damaged[at : at + 4]
            else:
                damaged.insert(
                    at, rng.choice([*"()[]{},;:='\"*-0i\n\t\r\0", "s[C]", ".op", "None", "1e9", "[::0]"])
                )
        before = s.journal
        try:
            s.load("".join(damaged))
        except TewbError:
            assert s.journal == before
        s.schedule.restore(before)


# ---------------------------------------------------------------- recipes


def test_what_a_recipe_made_is_undone_deleted_and_moved_as_one() -> None:
    with recipes():
        s = session(
            "C:split(k,4);C:tile(i,j,8,16);C:vectorize(j.inner);C:unroll(i.inner);C:parallel(i.outer)"
        )
        s.make_recipe("lanes", 2, 2)
        s.move_step("lanes", 1)
        assert [(r.first, r.count) for r in s.runs] == [(0, 2)] and s.journal[2].primitive == "split"
        with pytest.raises(ScheduleError, match="steps 1 to 2 cannot be deleted: 2 steps do not apply then"):
            s.delete_step("lanes")
        assert len(s.delete_step(1, force=True, count=2)) == 2
        assert steps(s) == ["split(C, axis=k, factor=4)"]
        assert s.undo() and len(s.journal) == 5 and len(s.runs) == 1
        t = session()
        t.apply({"primitive": "lanes", "stage": "C", "args": {}})
        assert (
            len(t.journal) == 2
            and t.undo()
            and t.journal == ()
            and t.ahead
            and t.redo()
            and len(t.journal) == 2
        )


def test_a_recipe_is_edited_by_doing_it_again_with_other_arguments() -> None:
    with recipes():
        s = session(f"{TILED};C:parallel(i.outer)")
        s.make_recipe("tiled", 1, 4)
        assert s.edit_recipe("tiled", {"x_factor": 4}) == ()
        assert s.journal[0].args["x_factor"] == 4 and len(s.journal) == 5 and len(s.runs) == 1
        assert s.schedule_code.endswith('tiled(s, C, x_factor=4)\ns[C].parallel("i.outer")\n')
        with pytest.raises(ScheduleError, match="recipe tiled, step 1: .*must be at least 1"):
            s.edit_recipe(1, {"x_factor": 0})
        with pytest.raises(ScheduleError, match="recipe tiled has no parameter z"):
            s.edit_recipe(1, {"z": 0})
        with pytest.raises(ScheduleError, match=r"no recipe made step 5, parallel\(C"):
            s.edit_recipe(5, {})
        with pytest.raises(ScheduleError, match="no recipe made just 2 steps"):
            s.edit_recipe(1, {}, count=2)
        assert s.undo() and s.journal[0].args["x_factor"] == 8
        RECIPES.clear()
        with pytest.raises(ScheduleError, match="recipe tiled is not known here, only its steps"):
            s.edit_recipe(1, {"x_factor": 2})


def test_steps_of_an_opened_recipe_are_edited_one_by_one_and_then_it_is_no_call_any_more() -> None:
    with recipes():
        s = session(TILED)
        s.make_recipe("tiled", 1, 4)
        s.delete_step(4)
        assert [(r.first, r.count) for r in s.runs] == [(0, 3)]
        code = s.schedule_code
        assert "# tiled(C, x_factor=8, y_factor=16)" in code and "def tiled" not in code
        s.open_recipe(1)
        assert s.runs == () and "# tiled" not in s.schedule_code
        assert s.undo() and len(s.runs) == 1 and s.undo() and "tiled(s, C)" in s.schedule_code


def test_a_recipe_inside_of_another_is_edited_by_itself() -> None:
    with recipes():
        s = session(TILED)
        s.make_recipe("lanes", 3, 2)
        s.make_recipe("whole", 1, 4)
        s.edit_recipe(1, {"x_factor": 4}, count=4)
        assert [(r.call.recipe, r.depth) for r in s.runs] == [("whole", 0), ("lanes", 1)]
        s.edit_recipe(3, {}, count=2)
        assert [(r.call.recipe, r.first, r.count) for r in s.runs] == [("whole", 0, 4), ("lanes", 2, 2)]


def test_names_of_stages_in_a_call_follow_the_steps() -> None:
    with recipes():
        s = session(
            "A:cache_read(local,[C]);B:cache_read(local,[C]);B.local:split(ax1,8);B.local:unroll(ax1.inner)"
        )
        s.apply(Step("cache_read", "A.local", {"scope": "local", "readers": ["C"]}))
        s.apply(Step("split", "A.local.local", {"axis": "ax1", "factor": 4}))
        s.make_recipe("cut", 6, 1)
        s.delete_step(1, force=True)
        s.undo()
        assert s.runs[0].call.args["A_local_local"] == {"tensor": "A.local.local"}


def random_recipe(chunk: Any, rng: random.Random, depth: int = 0) -> Any:
    """A recipe that does some steps, in others inside of it."""
    parts: list[Any] = []
    at = 0
    while at < len(chunk):
        count = rng.randint(1, len(chunk) - at)
        nested = depth < 2 and rng.random() < 0.5
        parts += [random_recipe(chunk[at : at + count], rng, depth + 1)] if nested else chunk[at : at + count]
        at += count

    def made(s: Any, x: int = 3, names: Any = None, *, word: str = "a b") -> None:
        for part in parts:
            part(s) if not isinstance(part, Step) else s.do(part.primitive, s[part.stage], part.args)

    made.__name__ = f"made_{len(RECIPES)}"
    return tewb.recipe(made)


def runs(s: Any) -> list[tuple[Any, ...]]:
    return [(str(r.call), r.first, r.count, r.depth) for r in s.runs]


@pytest.mark.parametrize("seed", [0, *[pytest.param(n, marks=pytest.mark.slow) for n in range(1, 30)]])
def test_random_recipes_are_undone_edited_and_exchanged(seed: int) -> None:
    rng = random.Random(f"nested{seed}")
    inputs, outputs = PROGRAMS[rng.choice(list(PROGRAMS))]()
    plain = random_schedule(outputs, rng, 7)
    if tewb.Session(plain, inputs + outputs).problem is not None:
        return

    def fresh() -> Any:
        return tewb.Session(plain.untouched(), inputs + outputs)

    s = fresh()
    cut = rng.randint(0, len(plain.journal))
    for chunk in filter(None, (plain.journal[:cut], plain.journal[cut:])):
        random_recipe(chunk, rng)(s.schedule, names=[outputs[0], 2])
        s.sync()
    whole = runs(s)
    assert s.journal == plain.journal
    while s.undo():
        assert s.journal == plain.journal[: len(s.journal)] and len(s.journal) in (0, cut)
    while s.redo():
        pass
    assert runs(s) == whole and s.journal == plain.journal
    for _ in range(4):
        count, before = len(s.journal), (s.journal, runs(s))
        if not count:
            return
        first = rng.randint(1, count)
        some, force = rng.randint(1, count - first + 1), rng.random() < 0.5
        try:
            match rng.choice(["delete", "move", "open", "edit"]):
                case "delete":
                    s.delete_step(first, force, some)
                case "move":
                    s.move_step(first, rng.randint(1, count), force, some)
                case "open":
                    s.open_recipe(first)
                case _:
                    s.edit_recipe(first, {"x": 5})
        except ScheduleError:
            assert (s.journal, runs(s)) == before
            continue
        assert s.problem is None
        for text in (s.to_json(), s.to_string(), s.schedule_code):
            t = fresh()
            t.load(text)
            assert t.journal == s.journal and (runs(t) == runs(s) or text == s.schedule_code)


# ---------------------------------------------------------------- two sessions of one schedule


def test_another_session_of_the_schedule_hears_of_recipes_and_words() -> None:
    with recipes():
        s = session()
        other = tewb.Session(s.schedule, s.args)
        heard: list[str] = []
        other.on_change(lambda: heard.append(other.to_json()))
        s.load("C:split(i,8);C:unroll(i.inner)")
        for change in (
            lambda: s.make_recipe("rows", 1, 2),
            lambda: s.open_recipe(1),
            lambda: s.label_step(1, name="eight"),
            lambda: s.label_step(1, note="of rows"),
        ):
            heard.clear()
            change()
            assert heard == [s.to_json()]
        assert not other.sync() and not s.sync()
        other.undo()
        assert [(x.name, x.note) for x in s.journal] == [("eight", "of rows"), ("", "")]
