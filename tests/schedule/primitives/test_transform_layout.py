"""transform_layout: an intermediate result with its dimensions in another order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result
from tewb import te
from tewb.base import ScheduleError
from tewb.schedule import Schedule


def program(n: Any = 6, m: Any = 9) -> tuple[Schedule, list[Any], Any, Any]:
    """P, a copy of A that B reads along its columns and D along its rows."""
    A = te.placeholder((n, m), name="A")
    P = te.compute((n, m), lambda i, j: A[i, j] * 2.0, name="P")
    k = te.reduce_axis((0, n), name="k")
    B = te.compute((m,), lambda x: te.sum(P[k, x], axis=k), name="B")
    D = te.compute((n, m), lambda i, j: P[i, j] + B[j], name="D")
    return te.create_schedule(D.op), [A, D], P, B


def test_all_readers_read_the_new_order() -> None:
    s, args, P, _ = program()
    assert [iv.var.name for iv in s[P].transform_layout(lambda i, j: (j, i))] == ["j", "i"]
    text = str(tewb.lower(s, args))
    assert "P[j, i] = A[i, j]" in text and "P[x, k]" in text
    assert_same_result(s, args[:1], args[1:])


@pytest.mark.one_in(2)
@pytest.mark.parametrize("where", ["in the reader", "inline", "copy of an input", "loops"])
def test_results_stay(where: str) -> None:
    s, args, P, B = program()
    D = args[-1]
    if where == "copy of an input":
        C = s.cache_read(args[0], "global", [P])
        s[C].transform_layout([s[C].op.axis[1], s[C].op.axis[0]])
        s[C].compute_at(s[P], s[P].op.axis[0])
    elif where == "loops":
        s[P].transform_layout(lambda i, j: (j, i))
        j, i = s[P].leaf_iter_vars
        s[P].vectorize(s[P].split(i, factor=4)[1])
        s[P].parallel(j)
    else:
        s[P].transform_layout(lambda i, j: [j, i])
    if where == "in the reader":
        s[P].compute_at(s[B], s[B].op.axis[0])
        E = s.cache_read(P, "local", [D])
        s[P].compute_root()
        s[E].compute_at(s[D], s[D].op.axis[0])
    if where == "inline":
        s[P].compute_inline()
    assert_same_result(s, args[:1], args[1:])


def test_the_journal_does_it_again() -> None:
    s, args, P, _ = program()
    s[P].transform_layout(lambda i, j: (j, i))
    session = tewb.Session(s, args)
    for form in (session.to_string(), session.code, session.to_json()):
        session.load("")
        session.load(form)
        assert session.to_string() == "P:transform_layout(j,i)", form


REFUSALS = {
    "an output": (lambda s, P, D: s[D].transform_layout(lambda i, j: (j, i)), "D is an output"),
    "twice": (
        lambda s, P, D: s[P].transform_layout(lambda i, j: (j, j)),
        "names each axis of the tensor once",
    ),
    "one too few": (
        lambda s, P, D: s[P].transform_layout(lambda i, j: i),
        "names each axis of the tensor once",
    ),
    "a block": (
        lambda s, P, D: s[P].transform_layout(lambda i, j: (i, j // 4, j % 4)),
        "is not one of its indices",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(case: str) -> None:
    s, args, P, _ = program()
    call, said = REFUSALS[case]
    with pytest.raises(ScheduleError, match=said) as raised:
        call(s, P, args[-1])
    assert raised.value.hint and not s.journal


def test_what_an_extern_reads_stays_as_it_lies() -> None:
    A = te.placeholder((4, 5), name="A")
    P = te.compute((4, 5), lambda i, j: A[i, j] + 1.0, name="P")
    E = te.extern((4, 5), [P], lambda i, o: te.call_packed("f", i[0], o[0]), name="E")
    s = te.create_schedule(E.op)
    with pytest.raises(ScheduleError, match="E is not a compute, and reads P as it lies"):
        s[P].transform_layout(lambda i, j: (j, i))


def test_dense_is_fast_in_this_way() -> None:
    """The panel of weights is packed and turned: rows of vectors for the sum."""
    A, W = te.placeholder((5, 19), name="A"), te.placeholder((21, 19), name="W")
    k = te.reduce_axis((0, 19), name="k")
    C = te.compute((5, 21), lambda i, j: te.sum(A[i, k] * W[j, k], axis=k), name="C")
    s = te.create_schedule(C.op)
    P = s.cache_read(W, "global", [C])
    s[P].transform_layout(lambda j, k: (k, j))
    kernel = tewb.build(s, [A, W, C])
    a, w = np.random.default_rng(0).random((5, 19), "float32"), np.ones((21, 19), "float32")
    np.testing.assert_allclose(kernel(a, w), a @ w.T, rtol=1e-5)
