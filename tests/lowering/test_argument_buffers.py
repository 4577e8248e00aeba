"""Arguments as buffers: declared layouts are checked against their tensors, and sizes get their values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ArgumentError, BoundError, LowerError
from tewb.ir import Buffer, parse, script, structural_equal
from tewb.lowering.argument_buffers import argument_buffer, wanted_alignments
from tewb.tensor import Tensor

N, M = 6, 8


def refused(binds: Any, said: str, args: Any = None) -> None:
    A = te.placeholder((N, M), name="A")
    H = te.compute((N, M), lambda i, j: A[i, j] + 1.0, name="H")
    B = te.compute((N, M), lambda i, j: H[i, j] * 2.0, name="B")
    with pytest.raises(LowerError, match=said):
        tewb.lower(te.create_schedule(B.op), [A, B], binds=binds(A, H, B))


def test_wrong_binds_name_the_tensor_and_the_buffer() -> None:
    new = te.decl_buffer
    refused(lambda A, H, B: {A: new((N,), name="Ab")}, "buffer Ab has 1 dimensions, and A has 2")
    refused(lambda A, H, B: {A: new((N, M), "float64", "Ab")}, "buffer Ab is float64, and A is float32")
    refused(lambda A, H, B: {B: new((N, 9), name="Bb")}, "dimension 1 of buffer Bb is 9, and that of B is 8")
    refused(lambda A, H, B: {A: "Ab"}, "binds gives A 'Ab', which is no buffer")
    refused(lambda A, H, B: {H: new((N, M), name="Hb")}, "buffer Hb to H, which is no argument of the kernel")
    refused(lambda A, H, B: {"A": new((N, M), name="Ab")}, "buffer Ab to 'A', which is no tensor")
    refused(lambda A, H, B: [A], "binds is a dict of tensors and buffers")
    refused(
        lambda A, H, B: dict.fromkeys((A, B), new((N, M), name="X")),
        "gives A and B one memory, that of buffer X",
    )
    other = te.placeholder((N, M), name="Z")
    refused(lambda A, H, B: {other: new((N, M), name="Zb")}, "buffer Zb to Z, which is no argument")


def test_sizes_of_a_declaration_may_be_variables_of_its_own() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((N, M), name="A")
    B = te.compute(A.shape, lambda *i: A(*i) * 2.0, name="B")
    s = te.create_schedule(B.op)
    k = tewb.build(s, [A, B], binds={A: te.decl_buffer((n, m), name="A", strides=[1, n])})
    b = np.zeros((N, M), "float32")
    a = np.arange(N * M, dtype="float32").reshape(N, M)
    k(np.asfortranarray(a), b)
    np.testing.assert_array_equal(b, a * 2)
    assert k.signature.symbols == ()
    with pytest.raises(ArgumentError, match=r"A has shape \(6, 9\)"):
        k(np.zeros((N, 9), "float32"), b)
    X = te.placeholder((n, m), name="X")
    Y = te.compute(X.shape, lambda *i: X(*i) * 2.0, name="Y")
    with pytest.raises(LowerError, match="dimension 0 of buffer X is m, and that of X is n"):
        tewb.lower(te.create_schedule(Y.op), [X, Y], binds={X: te.decl_buffer((m, n), name="X")})


def test_an_argument_without_declaration_is_compact() -> None:
    A = te.placeholder((N, te.var("m")), "int8", name="A")
    buffer, values = argument_buffer(A, None, set())
    assert (buffer.name, buffer.dtype, buffer.shape, buffer.strides) == ("A", "int8", A.shape, ())
    assert values == {}


def test_a_stride_that_is_a_declared_size_becomes_the_tensor_s_size() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((N, M), name="A")
    buffer, values = argument_buffer(A, te.decl_buffer((n, m), name="Ab", strides=[m * 2, 1]), set())
    assert [script(e) for e in buffer.shape] == ["6", "8"]
    assert [script(e) for e in buffer.strides] == ["8 * 2", "1"]
    assert {v.name: script(e) for v, e in values.items()} == {"n": "6", "m": "8"}


def test_a_size_of_another_argument_is_no_free_variable() -> None:
    n = te.var("n")
    A = te.placeholder((N, M), name="A")
    with pytest.raises(LowerError, match="dimension 0 of buffer Ab is n, and that of A is 6"):
        argument_buffer(A, te.decl_buffer((n, M), name="Ab"), {n})


def test_the_largest_alignment_that_externs_declare_is_wanted() -> None:
    A = te.placeholder((N,), name="A")

    def reader(name: str, alignment: int) -> Any:
        declared = te.decl_buffer((N,), name="a", data_alignment=alignment)
        return te.extern(
            (N,), [A], lambda i, o: te.call_packed("f", i[0], o[0]), in_buffers=[declared], name=name
        )

    E, F = reader("E", 128), reader("F", 32)
    s = te.create_schedule([E.op, F.op])
    assert wanted_alignments(s) == {A: 128}
    assert wanted_alignments(te.create_schedule(te.compute((N,), lambda i: A[i], name="B").op)) == {}


def test_an_argument_may_be_the_buffer_that_binds_gives_a_tensor() -> None:
    A = te.placeholder((N,), name="A")
    B = te.compute((N,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    Ab = te.decl_buffer(A.shape, A.dtype, name="Ab", strides=[te.var("step")])
    f = tewb.build(s, [Ab, B], binds={A: Ab})
    a, b = np.arange(2 * N, dtype="float32")[::2], np.empty(N, "float32")
    f(a, b)
    np.testing.assert_array_equal(b, a + 1)
    text = str(tewb.lower(s, [Ab, B], binds={A: Ab}))
    assert text == str(tewb.lower(s, [A, B], binds={A: Ab}))
    with pytest.raises(LowerError):
        tewb.lower(s, [te.decl_buffer((N,), name="X"), B], binds={A: Ab})


def broadcasting_sum() -> tuple[Any, list[Tensor], dict[Tensor, Buffer]]:
    """C[i, j, k] = A[i, j, k] + B[i, j, k], where A and B broadcast."""
    sizes = [tuple(te.var(f"{name}{d}") for d in range(3)) for name in "mno"]
    A, B = te.placeholder(sizes[0], name="A"), te.placeholder(sizes[1], name="B")
    C = te.compute(sizes[2], lambda *i: A(*i) + B(*i), name="C")
    binds = {
        t: te.decl_buffer(t.shape, t.dtype, name=f"{t.name}b", buffer_type="auto_broadcast") for t in (A, B)
    }
    return te.create_schedule(C.op), [A, B, C], binds


@pytest.mark.parametrize(
    ("m", "n"),
    [
        ((2, 4, 3), (2, 4, 3)),
        ((2, 4, 3), (2, 1, 3)),
        ((2, 4, 3), (2, 1, 1)),
        ((1, 4, 1), (2, 1, 3)),
        ((1, 1, 1), (2, 4, 3)),
    ],
)
def test_auto_broadcast_repeats_what_has_one_element(m: Any, n: Any) -> None:
    s, args, binds = broadcasting_sum()
    kernel = tewb.build(s, args, binds=binds)
    a, b = np.random.default_rng(0).random((2, 5, 6, 9), "float32")
    a, b = a[: m[0], : m[1], : 2 * m[2] : 2], b[: n[0], : n[1], : n[2]]  # with any strides
    c = np.zeros((2, 4, 3), "float32")
    for x, y in ((a, b), (a.copy(), b.copy())):
        kernel(x, y, c)
        np.testing.assert_array_equal(c, a + b)


def test_auto_broadcast_repeats_only_what_has_one_element() -> None:
    s, args, binds = broadcasting_sum()
    kernel = tewb.build(s, args, binds=binds)
    a, c = np.ones((2, 4, 3), "float32"), np.zeros((2, 4, 3), "float32")
    with pytest.raises(BoundError, match="C reads outside of B in dimension 1: i1"):
        kernel(a, np.ones((2, 2, 3), "float32"), c)
    with pytest.raises(BoundError, match="C reads outside of B in dimension 1: i1"):
        kernel(a, np.ones((2, 0, 3), "float32"), c)


def test_auto_broadcast_in_printed_ir() -> None:
    s, args, binds = broadcasting_sum()
    module = tewb.lower(s, args, binds=binds)
    assert structural_equal(parse(script(module)), module)
    assert binds[args[0]].buffer_type == 2
    assert te.decl_buffer((3,)).buffer_type == 1


def test_an_output_does_not_broadcast() -> None:
    s, args, binds = broadcasting_sum()
    C = args[-1]
    binds[C] = te.decl_buffer(C.shape, C.dtype, name="Cb", buffer_type="auto_broadcast")
    with pytest.raises(LowerError, match="buffer Cb is auto_broadcast, and C is computed"):
        tewb.build(s, args, binds=binds)


def test_a_copy_of_what_broadcasts_does_not() -> None:
    s, args, binds = broadcasting_sum()
    s.cache_read(args[1], "local", [args[2]])
    kernel = tewb.build(s, args, binds=binds)
    a, c = np.ones((2, 4, 3), "float32"), np.zeros((2, 4, 3), "float32")
    kernel(a, a, c)
    assert (c == 2).all()
    with pytest.raises(BoundError, match="reads outside of B"):
        kernel(a, np.ones((2, 1, 3), "float32"), c)
