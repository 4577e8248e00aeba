"""Splits whose last part is whole: memory is padded, and nothing of the padding comes into a result."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests import regions
from tests.programs import lower_all
from tests.regions import Watch
from tewb import te
from tewb.arith import Analyzer
from tewb.base import LowerError, ScheduleError, TewbError
from tewb.ir import Allocate, const_int, walk
from tewb.schedule import Schedule, rounded_axes
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.rounded_tails import iterations_run
from tewb.testing import evaluate


def chain(n: Any, m: Any) -> tuple[Any, Any]:
    A = te.placeholder((n, m), "float32", name="A")
    T = te.compute((n, m), lambda i, j: A[i, j] * 3 + 1, name="T")
    U = te.compute((n, m), lambda i, j: T[i, j] - 2, name="U")
    return A, te.compute((n, m), lambda i, j: U[i, j] + T[i, j], name="B")


def row_sums(n: Any, m: Any) -> tuple[Any, Any]:
    A = te.placeholder((n, m), "float32", name="A")
    T = te.compute((n, m), lambda i, j: A[i, j] * 3 + 1, name="T")
    k = te.reduce_axis((0, m), "k")
    U = te.compute((n,), lambda i: te.sum(T[i, k], k), name="U")
    return A, te.compute((n, m), lambda i, j: U[i] + T[i, j], name="B")


def stencil(n: Any, m: Any) -> tuple[Any, Any]:
    A = te.placeholder((n, m), "float32", name="A")
    T = te.compute((n, m), lambda i, j: A[i, j] * 3 + 1, name="T")
    inside = lambda i: te.all(i > 0, i < n - 1)  # noqa: E731
    U = te.compute((n, m), lambda i, j: te.if_then_else(inside(i), T[i - 1, j] + T[i + 1, j], 7.0), name="U")
    return A, te.compute((n, m), lambda i, j: U[i, j] + te.if_then_else(j > 0, U[i, j - 1], 0.0), name="B")


def turned(n: Any, m: Any) -> tuple[Any, Any]:
    A = te.placeholder((n, m), "float32", name="A")
    T = te.compute((n, m), lambda i, j: A[n - 1 - i, j] * 3 + 1, name="T")
    U = te.compute((m, n), lambda i, j: T[j, m - 1 - i], name="U")
    return A, te.compute((m, n), lambda i, j: U[i, j] + 1, name="B")


PROGRAMS = (chain, row_sums, stencil, turned)


def random_step(s: Schedule, tails: list[str], rng: random.Random) -> None:
    """A step on a stage of `s`, as likely as not a split whose last part is whole. It may be refused."""
    stage = s[rng.choice(["T", "U", "B"])]
    loops = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
    loop, kind = rng.choice(loops), rng.random()
    if kind < 0.5:
        size = {"factor": rng.choice([2, 3, 4, 8])} if rng.random() < 0.8 else {"nparts": rng.choice([2, 3])}
        stage.split(loop, **size, tail=rng.choice(tails))
    elif kind < 0.7:
        rng.choice([stage.vectorize, stage.parallel, stage.unroll])(loop)
    elif kind < 0.8:
        at = rng.randrange(max(len(loops) - 1, 1))
        stage.fuse(*loops[at : at + 2])
    elif kind < 0.85:
        stage.reorder(*rng.sample(loops, len(loops)))
    elif kind < 0.95:
        reader = rng.choice(stage.readers() or [stage])
        stage.compute_at(reader, rng.choice([reader.axis_name(iv) for iv in reader.leaf_iter_vars]))
    else:
        stage.compute_inline()


def ran(
    s: Schedule, A: Any, B: Any, sizes: dict[Any, int], given: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """The result of a schedule in the interpreter, which checks each access and has poison in fresh memory."""
    f = tewb.lower(s, [A, B])["main"]
    shape = [int(sizes.get(n, n) if const_int(n) is None else n) for n in B.shape]
    memory = {
        p.data: a.reshape(-1).copy()
        for p, a in zip(f.params, (given, np.zeros(shape, "float32")), strict=True)
    }
    Watch(memory, dict(sizes)).run(f.body)
    return memory[f.params[1].data].reshape(shape)  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", range(60))
def test_padding_that_is_poisoned_comes_into_no_result(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "POISON", np.nan)
    rng = random.Random(seed)
    n, m = rng.choice([0, 1, 2, 5, 7, 13]), rng.choice([0, 1, 3, 4, 9])
    variables = [te.var("n"), te.var("m")]
    symbolic = rng.random() < 0.3
    sizes = dict(zip(variables, (n, m), strict=True)) if symbolic else {}
    A, B = rng.choice(PROGRAMS)(*variables) if symbolic else rng.choice(PROGRAMS)(n, m)
    s = te.create_schedule(B.op)
    tails = ["round_up"] * 4 + ["guard", "predicate"] + ["shift"] * (not symbolic)
    for _ in range(rng.randint(2, 9)):
        try:
            random_step(s, tails, rng)
        except (TewbError, ValueError):
            continue
    given = np.random.default_rng(seed).integers(0, 100, (n, m)).astype("float32")
    (wanted,) = evaluate([B], {A: given}, sizes)
    try:
        result = ran(s, A, B, sizes, given)
    except TewbError:
        return
    np.testing.assert_array_equal(result, wanted)


# ---------------------------------------------------------------- how far they go


def test_an_axis_goes_as_far_as_the_parts_of_its_loops_together() -> None:
    A, B = chain(43, 5)
    s = te.create_schedule(B.op)
    T = s["T"]
    T.split("i", 8, tail="round_up")
    T.split("i.outer", 4, tail="round_up")
    i = T.op.axis[0]
    assert rounded_axes(T.relations) == {i, T.relations[0].outer}  # type: ignore[union-attr]
    runs = iterations_run(T.relations, s.extents(T), Analyzer())
    assert const_int(runs[i]) == 64
    assert [const_int(r.extent) for r in infer_bounds(s).stages[T].regions[0]] == [64, 5]


def test_memory_of_a_fused_loop_is_padded_by_rows() -> None:
    _, B = chain(5, 7)
    s = te.create_schedule(B.op)
    s["T"].fuse("i", "j")
    s["T"].split("i.j.fused", 8, tail="round_up")
    (allocated, *_) = [
        n for n in walk(lower_all(s)["main"].body) if isinstance(n, Allocate) and n.buffer.name == "T"
    ]
    assert [const_int(n) for n in allocated.buffer.shape] == [6, 7]


# ---------------------------------------------------------------- where they may not be


def of_chain(change: Callable[[Any], object]) -> Callable[[], None]:
    def misuse() -> None:
        s = te.create_schedule(chain(43, 9)[1].op)
        change(s)

    return misuse


def kept(s: Any) -> None:
    s["T"].compute_inline()
    s["U"].compute_at(s["B"], "j")
    s["U"].store_at(s["B"], "i")
    s["U"].split("i", 4, tail="round_up")


def kept_later(s: Any) -> None:
    s["U"].split("j", 4, tail="round_up")
    s["U"].compute_at(s["B"], "j")
    s["U"].store_at(s["B"], "i")
    tewb.lower(s, [s["A"].op.output(0), s["B"].op.output(0)])


def moved(s: Any) -> None:
    s["T"].split("i", 8, tail="shift")
    s["T"].split("i.outer", 4, tail="round_up")


def gathered(_: Any) -> None:
    A, at = te.placeholder((9,), name="A"), te.placeholder((43,), "int32", name="at")
    T = te.compute((43,), lambda i: A[at[i]], name="T")
    te.create_schedule(te.compute((43,), lambda i: T[i], name="B").op)[T].split("i", 8, tail="round_up")


def summed(_: Any) -> None:
    k = te.reduce_axis((0, 43), "k")
    A = te.placeholder((43,), name="A")
    te.create_schedule(te.compute((3,), lambda i: te.sum(A[k], k), name="B").op)["B"].split(
        "k", 8, tail="round_up"
    )


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (of_chain(lambda s: s["B"].split("i", 8, tail="round_up")), "B is an output: its memory is the caller's"),
        (of_chain(lambda s: s["T"].split(s["T"].split("i", 8)[1], 3, tail="round_up")), "i.inner is a part of i: past its end"),
        (of_chain(moved), 'i was split with tail="shift": past the end of i.outer is its last part again'),
        (of_chain(kept), "U is kept from one iteration to the next"),
        (of_chain(kept_later), "U is kept from one iteration to the next"),
        (of_chain(gathered), "where it reads is told by elements"),
        (of_chain(summed), "k is a loop of a reduction, which would combine what is past its end"),
    ],
)  # fmt: skip
def test_parts_past_the_end_are_refused_where_they_would_be_wrong(
    misuse: Callable[[], None], said: str
) -> None:
    with pytest.raises(ScheduleError, match=said):
        misuse()


def test_the_padding_of_an_argument_would_be_the_callers() -> None:
    A, B = chain(43, 9)
    s = te.create_schedule(B.op)
    s["T"].split("i", 8, tail="round_up")
    T = s["T"].op.output(0)
    with pytest.raises(LowerError, match='tail="round_up" on stage T: T is an argument'):
        tewb.lower(s, [A, T, B])


def test_terms_that_are_the_identity_past_the_end_are_added() -> None:
    A = te.placeholder((10,), "float32", name="A")
    k = te.reduce_axis((0, 10), "k")
    B = te.compute((3,), lambda i: te.sum(te.if_then_else(k < 9, A[k], 0.0), k), name="B")
    s = te.create_schedule(B.op)
    _, inner = s[B].split("k", 4, tail="round_up")
    s[B].vectorize(inner)
    text = str(tewb.lower(s, [A, B]))
    assert "likely" not in text and "< T.Broadcast(1, 4)" in text
    given = np.arange(10, dtype="float32")
    np.testing.assert_array_equal(ran(s, A, B, {}, given), np.full(3, 36, "float32"))
