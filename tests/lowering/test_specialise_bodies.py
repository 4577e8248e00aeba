"""Bodies for calls of which a condition holds: what they look like, and what they make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import LowerError, TewbWarning
from tewb.ir import For, IfThenElse, parse, script, structural_equal, walk
from tewb.lowering import body_in_view
from tewb.workbench import Session

N, M = te.var("n"), te.var("m")


def doubled() -> tuple[Any, list[Any]]:
    A = te.placeholder((N, M), name="A")
    B = te.compute((N, M), lambda i, j: A[i, j] * 2.0, name="B")
    return te.create_schedule(B.op), [A, B]


def bodies(s: Any, args: list[Any], **more: Any) -> list[str]:
    """The condition and the text of each body, the last one for all other calls."""
    f = tewb.lower(s, args, **more)["main"]
    assert structural_equal(parse(script(f)), f)
    found, rest = [], f.body
    while isinstance(rest, IfThenElse) and len(found) < 2 * len(s.bodies):
        assert rest.other is not None
        found += [script(rest.cond), script(rest.then)]
        rest = rest.other
    return [*found, script(rest)]


def test_guards_that_the_condition_proves_are_gone() -> None:
    s, args = doubled()
    s["B"].split("j", 8)
    with s.specialize(M % 8 == 0):
        s["B"].vectorize("j.inner")
    condition, body, others = bodies(s, args)
    assert condition == "m % 8 == 0"
    assert body == (
        "for i in range(n):\n    for j.outer in range(m // 8):\n        "
        "B[i, j.outer * 8:j.outer * 8 + 8] = A[i, j.outer * 8:j.outer * 8 + 8] * T.Broadcast(T.float32(2.0), 8)"
    )
    assert "m // 8 * 8" in others


@pytest.mark.parametrize(
    ("condition", "line"),
    [
        (M == 16, "for j.outer in range(2):"),
        (M == N, "for j.outer in range(n // 8):"),
        (te.all(M % 8 == 0, M % 8 == 0), "for j.outer in range(m // 8):"),
        (te.all(N > 4, M % 8 == 0), "for j.outer in range(m // 8):"),
        (te.all(M % 8 == 0, M == 16), "for j.outer in range(m // 8):"),
        (M == N * 4, "for j.outer in range(n // 2):"),
        (M == N * 5 // 7, "for j.outer in range(m // 8):"),  # n*5 may be larger than any m
    ],
)
def test_what_a_condition_says_is_used(condition: Any, line: str) -> None:
    s, args = doubled()
    with s.specialize(condition):
        s["B"].split("j", 8)
        s["B"].vectorize("j.inner")
    assert line in bodies(s, args)[1]


def test_ranges_are_known_in_the_body() -> None:
    A = te.placeholder((N,), name="A")
    B = te.compute((N,), lambda i: te.if_then_else(N > 3, A[i], 0.0), name="B")
    s = te.create_schedule(B.op)
    with s.specialize(N >= 8):
        s[B].unroll(s[B].split("i", 2)[1])
    body = bodies(s, [A, B])[1]
    assert "if_then_else" not in body
    assert "if_then_else" in bodies(s, [A, B])[2]


def test_the_first_body_whose_condition_holds_runs() -> None:
    s, args = doubled()
    for condition in (N >= 8, N % 2 == 0):
        with s.specialize(condition):
            s["B"].reorder("j", "i")
    assert bodies(s, args)[0::2] == ["n >= 8", "n % 2 == 0", bodies(s, args)[-1]]


def layouts(shape: tuple[int, ...], order: Callable[[Any], Any]) -> Any:
    return order(np.arange(np.prod(shape), dtype="float32").reshape(shape))


def test_an_argument_whose_stride_is_named_comes_with_any_strides() -> None:
    s, args = doubled()
    with s.specialize(te.stride(args[0], 0) == 1):
        s["B"].reorder("j", "i")
    with s.specialize("stride(A, 0) % 4 == 0 and stride(B, 1) == 1"):
        s["B"].parallel("i")
    s["B"].vectorize(s["B"].split("j", 4)[1])
    kernel = tewb.build(s, args)
    every_second, backwards = (lambda a: np.repeat(a, 2, 1)[:, ::2]), (lambda a: a[::-1, ::-1])
    for shape in [(0, 3), (1, 1), (1, 9), (7, 1), (16, 8), (17, 33)]:
        for order in (np.asarray, np.asfortranarray, every_second, backwards):
            for out in (np.asarray, np.asfortranarray):
                a, b = layouts(shape, order), out(np.zeros(shape, "float32"))
                kernel(a, b)
                np.testing.assert_array_equal(b, a * 2)


def test_a_stride_is_one_in_the_body_for_it() -> None:
    s, args = doubled()
    with s.specialize(te.stride(args[0], 0) == 1):
        s["B"].reorder("j", "i")
    assert "strides=(1, A.s1)" in script(tewb.lower(s, args))


def test_declared_strides_decide_when_it_is_lowered() -> None:
    s, args = doubled()
    A = args[0]
    with s.specialize(te.stride(A, 1) == 1):
        s["B"].reorder("j", "i")
    declared = te.decl_buffer(A.shape, A.dtype, "A", strides=[M, 1])
    with pytest.warns(TewbWarning, match=r"the body for stride\(A, 1\) == 1 is for every call"):
        f = tewb.lower(s, args, binds={A: declared})["main"]
    assert [n.var.name for n in walk(f.body) if isinstance(n, For)] == ["j", "i"]
    declared = te.decl_buffer(A.shape, A.dtype, "A", strides=[1, 2])
    with pytest.warns(TewbWarning, match="is for no call, and is left out"):
        f = tewb.lower(s, args, binds={A: declared})["main"]
    assert not any(isinstance(n, IfThenElse) and "A" in script(n.cond) for n in [f.body])
    s_, t_ = te.var("s_"), te.var("t_")
    declared = te.decl_buffer(A.shape, A.dtype, "A", strides=[s_, t_])
    assert bodies(s, args, binds={A: declared})[0] == "t_ == 1"


def test_conditions_are_computed_without_wrapping() -> None:
    s, args = doubled()
    with s.specialize(N * 3 + M >= 2**31 - 2):
        s["B"].parallel("i")
    assert 'T.Cast("int64", n) * T.int64(3)' in bodies(s, args)[0]


def test_conditions_on_an_argument_that_is_a_number() -> None:
    x = te.var("x")
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] * x.astype("float32"), name="B")
    s = te.create_schedule(B.op)
    with s.specialize(x == 0):
        s[B].vectorize("i")
    assert bodies(s, [A, x, B])[0] == "x == 0"
    kernel = tewb.build(s, [A, x, B])
    a, b = np.arange(8, dtype="float32"), np.ones(8, "float32")
    for number in (0, -3):
        kernel(a, number, b)
        np.testing.assert_array_equal(b, a * number)
    s, args = doubled()
    with s.specialize(x == 0):
        s["B"].parallel("i")
    with pytest.raises(LowerError, match="the body for x == 0 is about x, which is not an argument"):
        tewb.lower(s, args)


def test_a_stride_of_what_is_no_argument_is_refused() -> None:
    A = te.placeholder((N, 4), name="A")
    T = te.compute((N, 4), lambda i, j: A[i, j] + 1.0, name="T")
    B = te.compute((N, 4), lambda i, j: T[i, j] * 2.0, name="B")
    s = te.create_schedule(B.op)
    with s.specialize("stride(T, 0) == 1"):
        s[B].parallel("i")
    with pytest.raises(LowerError, match="about the strides of T, which is no argument"):
        tewb.lower(s, [A, B])
    assert bodies(s, [A, T, B])[0] == "T.s0 == 1"


def test_an_argument_has_one_layout_in_all_bodies() -> None:
    s, args = doubled()
    with s.specialize(N > 3):
        s["B"].transform_layout(lambda i, j: [j, i])
    with pytest.raises(LowerError, match="the body for n > 3 has it in another layout than others"):
        tewb.lower(s, args)


def test_bodies_with_intermediates_of_their_own() -> None:
    A = te.placeholder((N, M), name="A")
    k = te.reduce_axis((0, M), name="k")
    B = te.compute((N,), lambda i: te.sum(A[i, k], axis=k), name="B")
    s = te.create_schedule(B.op)
    with s.specialize(te.all(M % 4 == 0, N >= 2)):
        ko, ki = s[B].split(k, 4)
        F = s.rfactor(B, ki)
        s[F].compute_at(s[B], "i")
    with s.specialize(M == 3):
        C = s.cache_write(B, "local")
        s[C].unroll(s[C].split("k", 3)[1])
    kernel = tewb.build(s, [A, B])
    for shape in ((0, 4), (1, 4), (5, 8), (5, 3), (2, 7), (3, 0)):
        a, b = layouts(shape, np.asarray), np.ones(shape[0], "float32")
        kernel(a, b)
        np.testing.assert_allclose(b, a.sum(1))


def test_a_session_shows_every_pass_of_all_bodies() -> None:
    s, args = doubled()
    with s.specialize(M % 8 == 0):
        s["B"].parallel("i")
    session = Session(s, args)
    assert session.problem is None
    for _, f in session.passes:
        assert isinstance(f.body, IfThenElse)
        assert f.body.origin is not None
        assert f.body.origin.steps == (0,)
    assert session.verify().ok


def test_judges_look_at_the_body_in_view() -> None:
    s, args = doubled()
    s["B"].split("j", 8)
    with s.specialize(M % 8 == 0):
        s["B"].parallel("i")
    s.specialize(M == 3)
    s["B"].reorder("j.outer", "i", "j.inner")
    session = Session(s, args)
    shown = [body_in_view(s, f) for _, f in session.passes]
    assert "parallel" not in script(shown[0])
    assert not any(isinstance(f.body, IfThenElse) for f in shown)
    s.otherwise()
    others = body_in_view(s, session.passes[0][1])
    assert [n.var.name for n in walk(others.body) if isinstance(n, For)] == ["i", "j.outer", "j.inner"]
    with s.specialize(M % 8 == 0):
        own = body_in_view(s, session.passes[-1][1])
        assert "T.parallel" in script(own)
