"""specialize and otherwise: bodies for calls of which a condition holds."""

from __future__ import annotations

import pickle
import random
from itertools import product
from typing import Any

import numpy as np
import pytest

import tewb
from tests.bench.strides import special_matmul
from tests.programs import random_step
from tewb import te
from tewb.base import LowerError, ScheduleError, TewbError
from tewb.ir import script
from tewb.schedule import Schedule, Step, schedule_code
from tewb.workbench import Session

N = te.var("n")
A = te.placeholder((N,), name="A")
B = te.compute((N,), lambda i: A[i] * 2.0, name="B")


def special() -> Schedule:
    """Vectors where they fit, threads for the rest."""
    s = te.create_schedule(B.op)
    outer, inner = s[B].split("i", 16)
    with s.specialize(N % 16 == 0):
        s[B].vectorize(inner)
    s[B].parallel(outer)
    return s


def test_steps_of_a_block_belong_to_its_body_only() -> None:
    s = special()
    assert [str(step) for step in s.journal] == [
        "split(B, axis=i, factor=16)",
        "specialize(B, condition=n % 16 == 0)",
        "vectorize(B, axis=i.inner)",
        "otherwise(B)",
        "parallel(B, axis=i.outer)",
    ]
    first, others = s.body("n % 16 == 0"), s.body(None)
    assert first[B].loops().endswith("i.inner(16, vectorize); for calls with n % 16 == 0")
    assert others[B].loops().endswith("parallel), i.inner(16); for all other calls")
    assert others is s
    assert s.body("n % 16 == 0") is first


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 48])
def test_calls_on_both_sides_of_the_condition(size: int) -> None:
    a, b = np.arange(size, dtype="float32"), np.ones(size, "float32")
    tewb.build(special(), [A, B])(a, b)
    np.testing.assert_array_equal(b, a * 2)


def text(s: Schedule) -> str:
    return script(tewb.lower(s, [A, B]))


def test_copies_pickles_json_code_and_text_keep_it() -> None:
    s = special()
    wanted = text(s)
    assert text(s.copy()) == wanted
    again, inputs = pickle.loads(pickle.dumps((s, [A, B])))
    assert script(tewb.lower(again, inputs)) == wanted
    session = Session(s, [A, B])
    for kept in (session.schedule_code, session.to_string(), session.to_json()):
        other = Session(te.create_schedule(B.op), [A, B])
        other.load(kept)
        assert other.ir == session.ir, kept
    assert session.schedule_code.splitlines() == [
        "(i,) = s[B].op.axis",
        "i_outer, i_inner = s[B].split(i, factor=16)",
        's.specialize("n % 16 == 0")',
        "s[B].vectorize(i_inner)",
        "s.otherwise()",
        "s[B].parallel(i_outer)",
    ]


def test_blocks_and_comparisons_are_read() -> None:
    session = Session(te.create_schedule(B.op), [A, B])
    session.load(
        "s[B].split('i', 16)\nwith s.specialize(n % 16 == 0):\n    s[B].vectorize('i.inner')\ns[B].parallel('i.outer')\n"
    )
    assert session.ir == Session(special(), [A, B]).ir


def test_undo_and_redo_go_in_and_out_of_bodies() -> None:
    session = Session(special(), [A, B])
    s, loops = session.schedule, []
    for _ in range(5):
        loops.append((s.within, s[B].loops()))
        session.undo()
    assert [within for within, _ in loops] == [None, None, "n % 16 == 0", "n % 16 == 0", None]
    for within, own in reversed(loops):
        session.redo()
        assert (s.within, s[B].loops()) == (within, own)


def test_a_condition_that_was_there_goes_on_with_its_body() -> None:
    s = special()
    with s.specialize("n%16 == 0"):
        assert s[B].loops().endswith("i.inner(16, vectorize); for calls with n % 16 == 0")
        s[B].parallel("i.outer")
    assert list(s.bodies) == ["n % 16 == 0"]
    assert "parallel), i.inner(16, vectorize)" in s.body("n % 16 == 0")[B].loops()


def test_handles_from_a_body_are_known_by_their_names() -> None:
    s = te.create_schedule(B.op)
    with s.specialize(N % 8 == 0):
        C = s.cache_write(B, "local")
        outer, _ = s[B].split(B.op.axis[0], 8)
        s[C].compute_at(s[B], outer)
    with pytest.raises(ScheduleError, match="it has no loop i.outer any more"):
        s[B].parallel(outer)
    s[B].split(B.op.axis[0], 4)
    s[B].parallel(outer)
    assert "i.outer" in s[B].loops()
    with pytest.raises(ScheduleError, match="is not a stage of this schedule"):
        s[C]


def test_a_condition_about_no_argument_names_the_line_of_the_program() -> None:
    """Conditions are read by Python's visitor of trees, whose lines are not the user's either."""
    A = te.placeholder((4, 4), name="A")
    P = te.compute((4, 4), lambda i, j: A[i, j] + 1.0, name="P")
    B = te.compute((4, 4), lambda i, j: P[i, j] * 2.0, name="B")
    s = te.create_schedule(B.op)
    with s.specialize("stride(P, 0) == 1"):
        s[B].parallel("i")
    with pytest.raises(LowerError, match="about the strides of P, which is no argument") as e:
        tewb.lower(s, [A, B])
    assert e.value.span is not None and e.value.span.file == __file__


@pytest.mark.parametrize("size", [16, 17])
def test_a_size_that_the_condition_says_is_a_constant_in_the_body(size: int) -> None:
    n = te.var("n")
    A = te.placeholder((n, n), name="A")
    k = te.reduce_axis((0, n), name="k")
    X = te.compute((n, n), lambda i, j: A[i, j] * 2.0, name="X")
    B = te.compute((n, n), lambda i, j: te.sum(X[i, k] * A[k, j], axis=k), name="B")
    s = te.create_schedule(B.op)
    with pytest.raises(ScheduleError, match="the extent of j is not a constant"):
        s[B].vectorize("j")
    with s.specialize(te.all(n == size, te.stride(A, 1) == 1)):
        s[B].reorder("i", "k", "j")
        s[B].vectorize("j")
        s[B].unroll("k")
        s[X].vectorize("j")
        assert s[B].loops().startswith(f"i({size}), k({size}, unroll), j({size}, vectorize)")
    assert s[B].loops().startswith("i(n), j(n), k(n)")
    kernel = tewb.build(s, [A, B], debug=True)
    for rows in (1, size, size + 1):
        a, b = np.random.default_rng(rows).random((rows, rows), "float32"), np.zeros((rows, rows), "float32")
        kernel(a, b)
        np.testing.assert_allclose(b, 2 * a @ a, rtol=1e-5)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([("otherwise", {})], "otherwise on stage B: no body of specialize is open"),
        ([("specialize", {})], "specialize on stage B: condition is missing"),
        ([("specialize", {"condition": "n >= 0"})], "n >= 0 holds in every call that comes to it"),
        ([("specialize", {"condition": "n < 0"})], "n < 0 holds in no call that comes to it"),
        ([("specialize", {"condition": "n > 9 and n < 3"})], "n > 9 and n < 3 holds in no call"),
        ([("specialize", {"condition": "n < 0 or n > 9 and n < 3"})], "holds in no call that comes to it"),
        ([("specialize", {"condition": "n > 3"}), ("specialize", {"condition": "n > 5"})],
         "these steps are for calls with n > 3, and bodies stand one after the other"),
        ([("specialize", {"condition": "n > 3"}), ("otherwise", {}), ("specialize", {"condition": "n > 5"})],
         "n > 5 holds in no call that comes to it"),
        ([x for i in range(9) for x in (("specialize", {"condition": f"n == {i}"}), ("otherwise", {}))],
         "there are 8 bodies already"),
    ],
)  # fmt: skip
def test_what_is_refused(steps: list[tuple[str, Any]], message: str) -> None:
    s = te.create_schedule(B.op)
    with pytest.raises(ScheduleError, match=message) as e:
        for primitive, args in steps:
            before = s.journal, s.within, s[B].loops()
            s.apply(Step(primitive, "B", args))
    assert e.value.loops
    assert (s.journal, s.within, s[B].loops()) == before


def test_what_specialize_returns_has_no_stages() -> None:
    s = te.create_schedule(B.op)
    fast = s.specialize(N > 3)
    with pytest.raises(ScheduleError, match="the next steps of s are those of the body") as e:
        fast[B]
    assert "with s.specialize" in str(e.value.hint)
    with fast as inside:
        assert inside[B] is s[B]
    assert s.within is None


def test_an_error_in_a_block_ends_its_body() -> None:
    s = te.create_schedule(B.op)
    with pytest.raises(ScheduleError, match="it has no axis q"), s.specialize(N > 3):
        s[B].split("q", 4)
    assert s.within is None


def test_what_only_a_later_step_makes_right_is_judged_in_every_body() -> None:
    T = te.compute((N,), lambda i: A[i] + 1.0, name="T")
    C = te.compute((N,), lambda i: T[i] * 2.0, name="C")
    s = te.create_schedule(C.op)
    with s.specialize(N > 3):
        s[C].split("i", 4)
        s[T].compute_at(s[C], "i.outer")
        s[T].double_buffer()
        s[T].compute_root()
    s[C].split("i", 8)
    with pytest.raises(TewbError, match="compute_root on stage T: T is double buffered"):
        tewb.lower(s, [A, C])


def test_sizes_of_other_bodies_are_written_and_kept() -> None:
    s, x = te.create_schedule(B.op), te.var("x")
    with s.specialize(N > 3):
        s[B].split("i", x)
    code = schedule_code(s, {"A": "A0", "B": "B0"}, {"te"}, {N: "n0", x: "x0"})
    assert code[2] == "i_outer, i_inner = s[B0].split(i, factor=x0)"
    with pytest.raises(ScheduleError, match="the program has another variable with the name x"):
        s[B].split("i", te.var("x"))
    with pytest.raises(ScheduleError, match="the program has another variable with the name x"):
        s.specialize(te.var("x") > 3)
    a, b = np.arange(9, dtype="float32"), np.ones(9, "float32")
    tewb.build(s, [A, x, B])(a, 2, b)
    np.testing.assert_array_equal(b, a * 2)


def test_the_menu_and_the_palette_have_it() -> None:
    session = Session(te.create_schedule(B.op), [A, B])
    assert "specialize" in [p.name for p in session.primitives("B")]
    assert session.choices("B", "specialize", "condition") == ["n % 16 == 0", "n >= 64"]
    (action,) = [a for a in session.palette("B", "i") if a.step.primitive == "specialize"]
    session.apply(action.step)
    assert session.schedule.within == "n % 16 == 0"
    (action,) = [a for a in session.palette("B", "i") if a.step.primitive == "otherwise"]
    session.apply(action.step)
    assert session.schedule.within is None


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 9))])
def test_random_steps_in_bodies_compute_the_same(seed: int) -> None:
    M = te.var("m")
    X = te.placeholder((N, M), name="X")
    k = te.reduce_axis((0, M), name="k")
    T = te.compute((N, M), lambda i, j: X[i, j] + 1.0, name="T")
    R = te.compute((N,), lambda i: te.sum(T[i, k], axis=k), name="R")
    rng, s = random.Random(seed), te.create_schedule(R.op)
    for condition in rng.sample(["n % 4 == 0", "m == 4", "stride(X, 0) == 1", "m >= 6 and n < 5"], 2):
        with s.specialize(condition):
            _some_steps(s, rng)
    _some_steps(s, rng)
    try:
        kernel = tewb.build(s, [X, R])
    except TewbError:
        return
    for n, m in ((0, 2), (1, 1), (4, 4), (3, 8), (8, 3)):
        for order in ("C", "F"):
            x, r = np.array(np.arange(n * m).reshape(n, m), "float32", order=order), np.ones(n, "float32")
            kernel(x, r)
            np.testing.assert_array_equal(r, (x + 1).sum(1))


def _some_steps(s: Schedule, rng: random.Random) -> None:
    for _ in range(3):
        step = random_step(s, rng)
        is_of_kernel = step.primitive in ("specialize", "otherwise", "transform_layout")
        if not is_of_kernel and step.args.get("tail") != "shift" and s.why_not(step) is None:
            s.apply(step)


@pytest.mark.slow
def test_a_product_with_a_body_for_each_layout() -> None:
    n, m, k = 19, 34, 21
    s, args = special_matmul(n, m, k, rows=3, columns=16, packed_rows=4)
    assert len(s.bodies) == 7
    kernel = tewb.build(s, args)
    rng = np.random.default_rng(0)
    for orders in product("CF", repeat=3):
        shapes = [(n, k), (k, m), (n, m)]
        a, b, c = [np.array(rng.random(z), "float32", order=o) for z, o in zip(shapes, orders, strict=True)]  # type: ignore[call-overload]
        kernel(a, b, c)
        np.testing.assert_allclose(c, a @ b, rtol=1e-5)
