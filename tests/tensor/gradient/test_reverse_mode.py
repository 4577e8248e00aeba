"""te.gradient: derivatives through graphs, as computes that are as good as those written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.gradients import assert_gradient, loops, placeholder, size_of, values
from tewb import te, topi
from tewb.base import ShapeError, TewbError
from tewb.te import hybrid
from tewb.testing.reference import evaluate

V = placeholder(4, name="V")


def matmul(A: Any, B: Any, name: str = "C") -> Any:
    k = te.reduce_axis((0, A.shape[1]), name="k")
    return te.compute((A.shape[0], B.shape[1]), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name=name)


# ---------------------------------------------------------------- the form of the results


def test_the_gradient_of_a_matmul_is_a_matmul() -> None:
    A, B = placeholder(5, 7, name="A"), placeholder(7, 6, name="B")
    dA, dB = assert_gradient(matmul(A, B), [A, B])
    assert (dA.name, dB.name) == ("C.A.grad", "C.B.grad")
    assert [iv.name for iv in dA.op.axis] == ["i", "k"] and loops(dA) == [("j", 6)]
    assert [iv.name for iv in dB.op.axis] == ["k", "j"] and loops(dB) == [("i", 5)]
    assert str(dA.op.body[0]) == "T.sum(head[i, j] * B[k, j], axis=[j])"


def test_a_jacobian_has_no_loop_over_zeros() -> None:
    A, B = placeholder(5, 7, name="A"), placeholder(7, 6, name="B")
    C = matmul(A, B)
    D = te.compute((5, 6), lambda i, j: te.exp(C[i, j]), name="D")
    (dA,) = te.gradient(D, [A])
    assert size_of(dA) == (5, 6, 5, 7)
    assert str(dA.op.body[0]) == "T.Select(i_2 == i, T.exp(C[i_2, j]) * B[k, j], T.float64(0.0))"


def test_a_convolution() -> None:
    X, W = placeholder(1, 3, 8, 8, name="X"), placeholder(2, 3, 3, 3, name="W")
    head = placeholder(1, 2, 4, 4, name="head")
    dX, dW = te.gradient(topi.nn.conv2d(X, W, 2, 1, 1), [X, W], head)
    (padded,) = (t for t in dX.op.input_tensors if t.name.endswith("grad"))
    assert not loops(dX) and sorted(loops(padded)) == [("ff", 2), ("xx", 2), ("yy", 2)]
    assert loops(dW) == [("yy", 4), ("xx", 4)]


def test_a_maximum_of_windows() -> None:
    X = placeholder(1, 2, 6, 6, name="X")
    Y = topi.nn.pool2d(X, [2, 2], [2, 2], [1, 1], [0, 0, 0, 0], "max")
    (dX,) = te.gradient(Y, [X], te.placeholder(Y.shape, Y.dtype, name="head"))
    assert not loops(dX)
    assert {t.op.name for t in dX.op.input_tensors} == {"head", f"{Y.op.name}.place"}


# ---------------------------------------------------------------- graphs


@pytest.mark.parametrize(
    "f",
    [
        lambda x: topi.nn.softmax(x),
        lambda x: topi.nn.log_softmax(x),
        lambda x: topi.concatenate((x, topi.exp(x)), 1),
        lambda x: topi.split(x, 2, 1)[1],
        lambda x: topi.transpose(topi.reshape(x, (4, 3)), (1, 0)),
        lambda x: topi.nn.relu(x - 0.7) * topi.sigmoid(x),
        lambda x: topi.sum(x, axis=1) * topi.max(x, axis=1) + topi.prod(x, axis=1),
        lambda x: x / topi.sum(x, axis=-1, keepdims=True),
        lambda x: topi.take(x, topi.full((3,), "int32", 1), axis=0),
    ],
)
def test_operators(f: Any) -> None:
    x = placeholder(2, 6, name="x")
    assert_gradient(f(x), [x])


def test_several_ways_to_an_input() -> None:
    A, B = placeholder(3, 3, name="A"), placeholder(3, 3, name="B")
    C = matmul(A, B)
    D = te.compute((3, 3), lambda i, j: te.tanh(C[i, j]) * A[j, i], name="D")
    assert_gradient(matmul(D, C, "E"), [A, B])


def test_tensors_on_the_way_are_inputs_too() -> None:
    A, B = placeholder(3, 3, name="A"), placeholder(3, 3, name="B")
    C = matmul(A, B)
    D = te.compute((3, 3), lambda i, j: C[i, j] * C[j, i], name="D")
    head = placeholder(3, 3, name="head")
    dC, dA = te.gradient(D, [C, A], head)
    given = {t: values(t, n) for n, t in enumerate((A, B, head))}
    c = given[A] @ given[B]
    want = c.T * (given[head] + given[head].T)
    of_c, of_a = evaluate([dC, dA], given)
    np.testing.assert_allclose(of_c, want)
    np.testing.assert_allclose(of_a, want @ given[B].T)


def test_several_outputs() -> None:
    pair = te.compute((4,), lambda i: (V[i] * V[i], te.exp(V[i])), name="pair")
    assert_gradient(te.compute((4,), lambda i: pair[0][i] * pair[1][3 - i], name="Y"), [V])


def test_one_number() -> None:
    k = te.reduce_axis((0, 4), name="k")
    loss = te.compute((), lambda: te.sum(V[k] * V[k], axis=k), name="loss")
    (of_v,) = assert_gradient(loss, [V])
    assert not loops(of_v)


def test_dimensions_in_front_of_the_head() -> None:
    Y = te.compute((4,), lambda i: te.exp(V[i]), name="Y")
    head = placeholder(3, 2, 4, name="head")
    (result,) = te.gradient(Y, V, head)
    given = {V: values(V, 0), head: values(head, 1)}
    np.testing.assert_allclose(evaluate([result], given)[0], given[head] * np.exp(given[V]))


def test_the_derivative_by_itself() -> None:
    Y = te.compute((4,), lambda i: te.exp(V[i]), name="Y")
    head = placeholder(4, name="head")
    assert te.gradient(Y, [Y], head)[0] is head
    np.testing.assert_array_equal(evaluate(te.gradient(Y, [Y]), {V: values(V, 0)})[0], np.eye(4))


@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_what_is_not_reached_is_zero(dtype: str) -> None:
    W = te.placeholder((5,), dtype, name="W")
    Y = te.compute((4,), lambda i: V[i] * (W[i].astype("float64") if dtype == "int32" else 1.0), name="Y")
    (zero,) = te.gradient(Y, [W], placeholder(2, 4, name="head"))
    assert size_of(zero) == (2, 5) and zero.dtype == "float64" and str(zero.op.body[0]) == "T.float64(0.0)"


def test_integers_on_the_way_end_it() -> None:
    Y = te.compute((4,), lambda i: (V[i] * 2.0).astype("int32"), name="Y")
    Z = te.compute((4,), lambda i: Y[i].astype("float64"), name="Z")
    (zero,) = te.gradient(Z, [V])
    assert size_of(zero) == (4, 4) and not zero.op.input_tensors


@pytest.mark.parametrize(
    "narrow, wide", [("float16", "float32"), ("float32", "float64"), ("bfloat16", "float32")]
)
def test_dtypes_are_those_of_the_output(narrow: str, wide: str) -> None:
    x = te.placeholder((4,), narrow, name="x")
    Y = te.compute((4,), lambda i: te.exp(x[i].astype(wide)), name="Y")
    (result,) = te.gradient(Y, [x])
    assert result.dtype == wide
    (down,) = te.gradient(te.compute((4,), lambda i: x[i] * x[i], name="Y"), [x])
    assert down.dtype == narrow


def test_long_chains() -> None:
    Y = V
    for n in range(40):
        Y = te.compute((4,), lambda i, y=Y: te.sin(y[i]) * y[3 - i], name=f"y{n}")
    (result,) = te.gradient(Y, [V], placeholder(4, name="head"))
    assert size_of(result) == (4,)


def test_derivatives_of_derivatives() -> None:
    k = te.reduce_axis((0, 4), name="k")
    loss = te.compute((), lambda: te.sum(te.exp(V[k]) * V[3 - k], axis=k), name="loss")
    (dV,) = te.gradient(loss, [V])
    assert_gradient(dV, [V])
    m, head = te.reduce_axis((0, 2), name="m"), placeholder(3, name="head")
    windows = te.compute((3,), lambda i: te.max(V[i + m] * V[i + m], axis=m), name="windows")
    (dW,) = te.gradient(windows, [V], head)
    assert_gradient(dW, [V, head])


def test_a_kernel_of_all_derivatives() -> None:
    A, B = te.placeholder((9, 5), name="A"), te.placeholder((5, 7), name="B")
    C = matmul(A, B)
    head = te.placeholder((9, 7), name="head")
    grads = te.gradient(C, [A, B], head)
    s = te.create_schedule([g.op for g in grads])
    s[grads[0]].vectorize(grads[0].op.axis[1])
    f = tewb.build(s, [A, B, head, *grads])
    a, b, h = (np.random.default_rng(n).random(size_of(t), "float32") for n, t in enumerate((A, B, head)))
    da, db = np.empty_like(a), np.empty_like(b)
    f(a, b, h, da, db)
    np.testing.assert_allclose(da, h @ b.T, rtol=1e-5)
    np.testing.assert_allclose(db, a.T @ h, rtol=1e-5)


def test_the_classic_module() -> None:
    assert te.autodiff.gradient is te.gradient


# ---------------------------------------------------------------- mistakes


def test_ways_that_have_no_derivative() -> None:
    called = te.extern(
        (4,), [V], lambda i, o: te.call_packed("f", i[0], o[0]), name="called", dtype="float64"
    )
    Y = te.compute((4,), lambda i: called[i] * V[i], name="Y")
    with pytest.raises(TewbError, match="called is an extern, .*, and Y depends on V through it"):
        te.gradient(Y, [V])
    W = placeholder(4, name="W")
    Z = te.compute((4,), lambda i: called[i] * W[i], name="Z")
    assert te.gradient(Z, [W, called])  # not through it


@hybrid.script
def doubled(a):  # type: ignore[no-untyped-def]
    o = output_tensor((4,), "float64")  # type: ignore[name-defined] # noqa: F821
    for i in range(4):
        o[i] = a[i] * 2.0
    return o


def test_hybrid_functions_and_scans() -> None:
    Y = doubled(V)
    with pytest.raises(TewbError, match="doubled is a hybrid function, whose derivative is not known"):
        te.gradient(Y, [V])
    state = placeholder(5, 4, name="state")
    init = te.compute((1, 4), lambda _, i: V[i], name="init")
    update = te.compute((5, 4), lambda t, i: state[t - 1, i] * 2.0, name="update")
    with pytest.raises(TewbError, match="steps is a scan, .*, and steps depends on V through it"):
        te.gradient(te.scan(init, update, state, name="steps"), [V])


def test_arguments() -> None:
    Y = te.compute((4,), lambda i: te.exp(V[i]), name="Y")
    for output, inputs in ((Y.op, [V]), (None, [V]), (Y, [3]), (Y, V.op)):
        with pytest.raises(TewbError, match="is a tensor, not"):
            te.gradient(output, inputs)
    for head in (1.0, te.placeholder((4,), "int32", name="h"), Y.op):
        with pytest.raises(TewbError, match="head is a tensor of floats"):
            te.gradient(Y, [V], head)
    for shape in ((), (3,), (4, 3)):
        with pytest.raises(
            ShapeError, match=r"the last dimensions of head are those of Y, \(4,\), and h has"
        ):
            te.gradient(Y, [V], placeholder(*shape, name="h"))
    assert te.gradient(output=Y, inputs=[], head=None) == []
