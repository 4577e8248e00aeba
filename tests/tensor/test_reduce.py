"""Reducers: what they take, and the classic example of two results."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import DTypeError, TewbError
from tewb.ir import Reduce, free_vars, script
from tewb.testing import evaluate


def test_the_classic_argmax() -> None:
    def combine(x: Any, y: Any) -> Any:
        return tir.Select(x[1] >= y[1], x[0], y[0]), tir.Select(x[1] >= y[1], x[1], y[1])

    def identity(t0: str, t1: str) -> Any:
        return tir.const(-1, t0), tir.min_value(t1)

    argmax = te.comm_reducer(combine, identity, name="argmax")
    index = te.placeholder((5, 9), name="index", dtype="int32")
    value = te.placeholder((5, 9), name="value", dtype="int32")
    k = te.reduce_axis((0, 9), name="k")
    T0, T1 = te.compute((5,), lambda i: argmax((index[i, k], value[i, k]), axis=k), name="T")
    places = np.broadcast_to(np.arange(9, dtype="int32"), (5, 9)).copy()
    values = np.random.default_rng(0).permutation(45).reshape(5, 9).astype("int32")
    at, most = tewb.build(te.create_schedule(T0.op), [index, value, T0, T1])(places, values)
    assert at.tolist() == values.argmax(1).tolist() and most.tolist() == values.max(1).tolist()


def _added(x: Any, y: Any) -> Any:
    return x + y


def _zero(dtype: str) -> Any:
    return te.const(0, dtype)


@pytest.mark.parametrize(
    "combine, identity, several, said",
    [
        (1, _zero, False, "the combination of a reducer takes 2 arguments"),
        (lambda x: x, _zero, False, "the combination of a reducer takes 2 arguments"),
        (_added, lambda: 0, False, "the identity of a reducer takes 1 argument,"),
        (_added, 0, False, "the identity of a reducer takes 1 argument,"),
        (_added, _zero, True, "the identity of a reducer takes 2 arguments"),
        (lambda x, y: x[0], lambda s, t: (0, 0), True, "the combination of 2 values is a tuple of as many"),
        (
            _added,
            lambda s, t: (0, 0),
            True,
            "the combination of 2 values is a tuple of as many, not 4 values",
        ),
        (lambda x, y: x, lambda s, t: 0, True, "the identity of 2 values is a tuple of as many, not an int"),
    ],
)
def test_a_reducer_of_another_kind_is_refused(
    combine: Callable[..., Any], identity: Callable[..., Any], several: bool, said: str
) -> None:
    A = te.placeholder((8,), name="A")
    k = te.reduce_axis((0, 8), name="k")
    reducer = te.comm_reducer(combine, identity, name="mine")
    with pytest.raises(TewbError, match=said) as e:
        reducer((A[k], k) if several else A[k], axis=k)
    assert e.value.hint and e.value.span is not None and e.value.span.file == __file__


def test_a_mistake_inside_of_a_reducer_stays_what_it_is() -> None:
    k = te.reduce_axis((0, 8), name="k")
    with pytest.raises(TypeError, match="NoneType"):
        te.comm_reducer(lambda x, y: None + 1, _zero)(k.var, axis=k)  # type: ignore[operator]


def test_an_axis_is_reduced_once() -> None:
    A = te.placeholder((6, 8), name="A")
    k = te.reduce_axis((0, 8), name="k")
    with pytest.raises(TewbError, match="k is twice among the axes") as e:
        te.compute((6,), lambda i: te.sum(A[i, k], axis=[k, k]), name="C")
    assert e.value.hint and e.value.span is not None and e.value.span.file == __file__


def test_a_reducer_of_values_combines_them_at_once() -> None:
    a, b, c = te.var("a"), te.var("b"), te.var("c")
    mine = te.comm_reducer(lambda x, y: x * 2 + y, _zero, name="mine")
    assert script(mine(a, b)) == "a * 2 + b"
    assert script(mine(a, b, c)) == "(a * 2 + b) * 2 + c"
    assert script(mine(a, b, c, 1, 2)) == "(((a * 2 + b) * 2 + c) * 2 + 1) * 2 + 2"
    assert [script(e) for e in (te.sum(a, b), te.prod(a, 3), tir.sum(a, b, c))] == [
        "a + b",
        "a * 3",
        "a + b + c",
    ]
    assert script(te.max(a, b, 3)) == "T.max(T.max(a, b), 3)" and script(te.min(a, 1)) == "T.min(a, 1)"
    k = te.reduce_axis((0, 4), name="k")
    A = te.placeholder((4,), name="A")
    for e in (mine(A[k], k), mine(A[k], [k]), mine(A[k], axis=k), mine(A[k], k, k > 1, 1.0)):
        assert isinstance(e, Reduce) and e.axes == (k,)
    assert [script(i) for i in mine(A[k], k, k > 1, 1.0).init] == ["T.float32(1.0)"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda r, a, k: r(a, a, where=k > 1), "where= and init= are for reductions, and these are 2 values"),
        (lambda r, a, k: r(a, k, axis=k), "mine was given axis twice"),
        (
            lambda r, a, k: r(a, k, None, None, a),
            "mine was given 5 values; it takes an expression, axis, where and init",
        ),
        (lambda r, a, k: r(a, "k"), "axis takes te.reduce_axis objects, not 'k'"),
        (lambda r, a, k: r(a), "axis takes te.reduce_axis objects, not None"),
        (lambda r, a, k: r(a, axis=k.var), "axis takes te.reduce_axis objects, not k"),
    ],
)
def test_what_a_reducer_is_called_with(call: Any, said: str) -> None:
    A = te.placeholder((8,), name="A")
    k = te.reduce_axis((0, 8), name="k")
    with pytest.raises(TewbError, match=re.escape(said)) as e:
        call(te.comm_reducer(_added, _zero, name="mine"), A[k], k)
    assert e.value.hint and e.value.span is not None and e.value.span.file == __file__


@pytest.mark.parametrize(
    ("body", "said", "hint"),
    [
        (lambda A, i, k, q: te.sum(te.max(A[i, k], axis=k), axis=q), "max over k is inside of sum over q", "compute max over k as"),
        (lambda A, i, k, q: te.sum(te.sum(A[i, k], axis=k), axis=q), "sum over k is inside of sum over q", r"axis=\[k, q\]"),
        (lambda A, i, k, q: te.sum(A[i, k], axis=k) * 2.0, r"sum over k is inside of T.sum\(", "as a tensor of its own"),
        (lambda A, i, k, q: te.sum(A[i, k], axis=k, where=te.max(A[i, q], q) > 0), "max over q is inside of sum over k", "max over q"),
        (lambda A, i, k, q: _pair()((A[i, k], k), axis=k)[1], "pair has 2 results, .* the function returned its result 1", "2 tensors"),
        (lambda A, i, k, q: _pair()((A[i, k], k), axis=k)[::-1], "the function returned its results 1, 0", "2 tensors"),
        (
            lambda A, i, k, q: te.comm_reducer(lambda x, y: x + y * k, _zero, name="mine")(A[i, k], axis=k),
            "the combination of mine uses k, which it runs over", "belongs into the terms",
        ),
        (
            lambda A, i, k, q: te.comm_reducer(lambda x, y: A[i, x] + y, _zero, name="mine")(k, axis=k),
            r"the combination of mine reads A\[i, x\], at an index that depends on what is combined", "in the terms",
        ),
    ],
)  # fmt: skip
def test_reductions_stand_alone_and_whole(body: Any, said: str, hint: str) -> None:
    A = te.placeholder((6, 8), name="A")
    k, q = (te.reduce_axis((0, 8), name=n) for n in "kq")
    with pytest.raises(TewbError, match=said) as e:
        te.compute((6,), lambda i: body(A, i, k, q), name="C")
    assert re.search(hint, e.value.hint or "") and e.value.span is not None and e.value.span.file == __file__


def _pair() -> Any:
    return te.comm_reducer(
        lambda x, y: (x[0] + y[0], te.max(x[1], y[1])),
        lambda s, t: (te.const(0, s), te.min_value(t)),
        name="pair",
    )


# Combinations that use an axis of the compute, a variable, or elements of a tensor: of sums that stop at a limit.
LIMITS: dict[str, Callable[..., Any]] = {
    "axis": lambda A, n, i: 3 * i,
    "variable": lambda A, n, i: n,
    "both": lambda A, n, i: n + i,
    "element": lambda A, n, i: A[i, 0] + 7,
    "looked up": lambda A, n, i: A[A[i, 0], 1] + 3,
}


def _split_reduction(s: Any, C: Any) -> Any:
    return s[C].split(C.op.reduce_axis[0], 3)


def _lanes_inside(s: Any, C: Any) -> None:
    ko, ki = s[C].split(C.op.reduce_axis[0], 4)
    s[C].reorder(ko, C.op.axis[0], ki)
    s[C].vectorize(ki)


def _computed_at(s: Any, C: Any) -> None:
    D = s.cache_write(C, "local")
    s[D].compute_at(s[C], s[C].split(C.op.axis[0], 4)[0])


SCHEDULES: dict[str, Callable[[Any, Any], Any]] = {
    "plain": lambda s, C: None,
    "vectors": lambda s, C: s[C].vectorize(s[C].split(C.op.axis[0], 4)[1]),
    "lanes": lambda s, C: s[C].vectorize(C.op.reduce_axis[0]),
    "lanes inside": _lanes_inside,
    "rfactor outer": lambda s, C: s.rfactor(C, _split_reduction(s, C)[0]),
    "rfactor inner": lambda s, C: s.rfactor(C, _split_reduction(s, C)[1], 1),
    "rfactor all": lambda s, C: s.rfactor(C, C.op.reduce_axis[0], -1),
    "cache_write": _computed_at,
    "threads": lambda s, C: s[C].bind(C.op.reduce_axis[0], te.thread_axis("threadIdx.x")),
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("how", SCHEDULES)
@pytest.mark.parametrize("limit", LIMITS)
def test_a_combination_may_use_what_is_outside(limit: str, how: str) -> None:
    A, n = te.placeholder((6, 8), "int32", "A"), te.var("n")
    T = te.compute((6, 8), lambda i, j: A[i, j] % 5, name="T")
    k = te.reduce_axis((0, 8), name="k")

    def stopped(i: Any) -> Any:
        r = te.comm_reducer(lambda x, y: te.min(x + y, LIMITS[limit](A, n, i)), _zero, name="stopped")
        return r(T[i, k], axis=k, where=k != 2)

    C = te.compute((6,), stopped, name="C")
    s = te.create_schedule(C.op)
    SCHEDULES[how](s, C)
    a = np.random.default_rng(1).integers(0, 6, (6, 8)).astype("int32")
    most = [LIMITS[limit](_At(a), 9, i) for i in range(6)]
    want = np.minimum((a % 5 * (np.arange(8) != 2)).sum(1), most)
    np.testing.assert_array_equal(tewb.build(s, [A, n, C])(a, 9), want)
    np.testing.assert_array_equal(evaluate([C], {A: a}, {n: 9})[0], want)


class _At:
    """An array whose elements are Python's integers."""

    def __init__(self, a: Any) -> None:
        self.a = a

    def __getitem__(self, index: Any) -> int:
        return int(self.a[index])


def test_elements_of_a_combination_are_checked_and_their_stages_scheduled() -> None:
    A, at = te.placeholder((8,), "int32", "A"), te.placeholder((6,), "int32", "at")
    B = te.compute((8,), lambda i: A[i] * 2, name="B")
    k = te.reduce_axis((0, 8), name="k")
    C = te.compute(
        (6,),
        lambda i: te.comm_reducer(lambda x, y: te.min(x + y, B[at[i]]), _zero, name="stopped")(A[k], axis=k),
        name="C",
    )
    assert C.op.input_tensors == (A, at, B)
    for schedule in (
        lambda s: s[B].compute_inline(),
        lambda s: s[B].compute_at(s[C], C.op.axis[0]),
        lambda s: None,
    ):
        s = te.create_schedule(C.op)
        schedule(s)
        f = tewb.build(s, [A, at, C])
        a = np.arange(1, 9, dtype="int32")
        np.testing.assert_array_equal(f(a, np.array([0, 7, 3, 3, 1, 2], "int32")), [2, 16, 8, 8, 4, 6])
        with pytest.raises(TewbError, match="C reads outside of [AB] in dimension 0: at"):
            f(a, np.array([0, 7, 8, 3, 1, 2], "int32"))


def test_a_combination_with_axes_goes_through_json() -> None:
    x, y = te.placeholder((6, 8), "int32", "x"), te.var("y")
    k = te.reduce_axis((0, 8), name="k")

    def both(i: Any) -> Any:
        r = te.comm_reducer(
            lambda p, q: (te.min(p[0] + q[0], y + i), te.max(p[1], q[1] + x[i, 0])),
            lambda s, t: (te.const(0, s), te.cast(i, t)), name="both",
        )  # fmt: skip
        return r((x[i, k], x[i, k]), axis=k)

    T = te.compute((6,), both, name="T")
    a = np.random.default_rng(0).integers(0, 9, (6, 8)).astype("int32")
    want = evaluate(list(T), {x: a}, {y: 20})
    loaded = tewb.ir.load_json(tewb.ir.save_json(T[0])).op
    inputs = loaded.inputs
    v = next(v for v in free_vars(loaded.body[0]) if v.name == "y")
    for g, w in zip(evaluate(list(loaded.outputs), {inputs[0]: a}, {v: 20}), want, strict=True):
        np.testing.assert_array_equal(g, w)


def test_a_reducer_of_several_values_combines_them() -> None:
    product = te.comm_reducer(lambda x, y: x * y, lambda t: te.const(1, t), name="product")
    m, n = te.var("m"), te.var("n")
    assert str(product(m, n)) == "m * n" and str(product(m, n, 3)) == "m * n * 3"
    A = te.placeholder((4,), name="A")
    assert str(product(A[0], 2.0)) == "A[0] * T.float32(2.0)"
    with pytest.raises(TewbError, match="axis takes te.reduce_axis objects"):
        product(A[0], (n,))


@pytest.mark.parametrize("reducer", [te.sum, te.max, te.min])
@pytest.mark.parametrize("more", [(), (0,), {"axis": 0}])
def test_a_whole_tensor_is_reduced_by_topi(reducer: Any, more: Any) -> None:
    A = te.placeholder((3, 4), name="A")
    name = reducer.__name__
    with pytest.raises(DTypeError, match=f"te.{name} reduces an expression .* and A is a whole tensor") as e:
        reducer(A, **more) if isinstance(more, dict) else reducer(A, *more)
    assert f"topi.{name}(A, axis=0)" in str(e.value)
    assert f"te.{name}(A[i, j], axis=k)" in str(e.value)


def test_a_whole_tensor_in_a_reducer_of_a_program() -> None:
    longest = te.comm_reducer(te.max, lambda dtype: te.const(0, dtype), name="longest")
    with pytest.raises(DTypeError, match="^longest reduces an expression .* and A is a whole tensor"):
        longest(te.placeholder((3,), name="A"), axis=0)
