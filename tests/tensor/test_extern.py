"""Extern: packed functions on whole tensors and on tiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import DTypeError, ExternError
from tewb.ir import Allocate, AttrStmt, walk
from tewb.runtime import remove_global_func

CALLS: list[tuple[Any, ...]] = []


@pytest.fixture(autouse=True)
def packed() -> Iterator[None]:
    CALLS.clear()

    def triple(a: Any, b: Any) -> None:
        CALLS.append((a.shape, tuple(s // a.itemsize for s in a.strides), b.shape))
        b[...] = a * 3

    tewb.register_func("test.triple", triple, override=True)
    yield
    remove_global_func("test.triple")


def seed(access: Any) -> tuple[Any, list[Any]]:
    """The seed program: an extern of shape (3, 4, 8), computed at the first axis of its consumer."""
    A = te.placeholder((3, 4, 8), name="A")
    E = te.extern(
        (3, 4, 8),
        [A],
        lambda ins, outs: te.call_packed("test.triple", ins[0], outs[0]),
        name="E",
        access=access,
    )
    C = te.compute((3, 4, 8), lambda i, j, k: E[i, j, k] + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[E].compute_at(s[C], C.op.axis[0])
    return s, [A, C]


def elements(s: Any, args: list[Any]) -> int:
    (found,) = [n for n in walk(tewb.lower(s, args)["main"].body) if isinstance(n, Allocate)]
    return int(np.prod([size.value for size in found.buffer.shape]))


@pytest.mark.parametrize(
    ("access", "allocated", "shape"),
    [(None, 96, (3, 4, 8)), (te.access.whole, 96, (3, 4, 8)), (te.access.elementwise, 32, (1, 4, 8))],
)
def test_seed_program(access: Any, allocated: int, shape: tuple[int, ...]) -> None:
    s, args = seed(access)
    assert elements(s, args) == allocated
    a, c = np.random.rand(3, 4, 8).astype("float32"), np.zeros((3, 4, 8), "float32")
    tewb.build(s, args)(a, c)
    np.testing.assert_allclose(c, a * 3 + 1, rtol=1e-6)
    assert [call[0] for call in CALLS] == [shape] * 3
    assert all(call[2] == shape for call in CALLS)


def test_session_shows_the_region() -> None:
    s, args = seed(te.access.elementwise)
    session = tewb.Session(s, args)
    (region,) = session.regions()
    assert region.name == "E"
    assert region.reads == ("A.tile[1, 4, 8] at i * 32",)
    assert region.writes == ("E[1, 4, 8]",)
    assert region.effect == "idempotent"
    assert any(isinstance(n, AttrStmt) and n.key == "extern_scope" for n in walk(session.function.body))


def test_tile_at_an_edge_is_clipped() -> None:
    A = te.placeholder((10, 6), name="A")
    E = te.extern((10, 6), [A], lambda i, o: te.call_packed("test.triple", i[0], o[0]), name="E",
                  access=te.access.elementwise)  # fmt: skip
    C = te.compute((10, 6), lambda i, j: E[i, j] - 1.0, name="C")
    s = te.create_schedule(C.op)
    io, _ = s[C].split(C.op.axis[0], factor=4)
    jo, ji = s[C].split(C.op.axis[1], factor=4)
    s[C].reorder(io, jo, s[C].leaf_iter_vars[1], ji)
    s[E].compute_at(s[C], jo)
    a, c = np.random.rand(10, 6).astype("float32"), np.zeros((10, 6), "float32")
    tewb.build(s, [A, C], debug=True)(a, c)
    np.testing.assert_allclose(c, a * 3 - 1, rtol=1e-5)
    assert {call[0] for call in CALLS} == {(4, 4), (4, 2), (2, 4), (2, 2)}
    assert all(call[1] == (6, 1) for call in CALLS)


def test_exception_of_a_callback_reaches_the_caller() -> None:
    def broken(a: Any, b: Any) -> None:
        raise KeyError("no such thing")

    tewb.register_func("test.triple", broken, override=True)
    s, args = seed(None)
    kernel = tewb.build(s, args)
    arrays = [np.ones((3, 4, 8), "float32"), np.zeros((3, 4, 8), "float32")]
    for _ in range(3):  # and the kernel lives on
        with pytest.raises(KeyError, match="no such thing") as e:
            kernel(*arrays)
        assert "broken" in [f.name for f in e.traceback]
        assert any("test.triple" in note for note in e.value.__notes__)


def test_a_view_that_escapes_stays_valid() -> None:
    kept: list[Any] = []

    def keep(a: Any, b: Any) -> None:
        b[...] = a
        kept.extend([a, b])

    tewb.register_func("test.triple", keep, override=True)
    s, args = seed(te.access.elementwise)
    tewb.build(s, args)(np.ones((3, 4, 8), "float32"), np.zeros((3, 4, 8), "float32"))
    for view in kept:
        assert view.sum() == 32.0


def test_inputs_cannot_be_written_when_the_array_is_read_only() -> None:
    def write(a: Any, b: Any) -> None:
        a[...] = 0

    tewb.register_func("test.triple", write, override=True)
    s, args = seed(None)
    a = np.ones((3, 4, 8), "float32")
    a.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        tewb.build(s, args)(a, np.zeros((3, 4, 8), "float32"))


def test_parallel_loop_around_a_callback() -> None:
    s, args = seed(te.access.elementwise)
    stage = s["C"]
    stage.parallel(stage.op.axis[0])
    a, c = np.random.rand(3, 4, 8).astype("float32"), np.zeros((3, 4, 8), "float32")
    kernel = tewb.build(s, args)
    for _ in range(20):
        kernel(a, c)
    np.testing.assert_allclose(c, a * 3 + 1, rtol=1e-6)
    assert len(CALLS) == 60


def test_scalars_and_several_outputs() -> None:
    def split(a: Any, n: int, x: float, low: Any, high: Any) -> None:
        low[...] = a[:n]
        high[...] = (a * x).astype("float64")

    tewb.register_func("test.triple", split, override=True)
    A = te.placeholder((6,), name="A")
    L, H = te.extern([(2,), (6,)], [A], lambda i, o: te.call_packed("test.triple", i[0], 2, 0.5, o[0], o[1]), name="E",
                     dtype=["float32", "float64"])  # fmt: skip
    a, low, high = np.arange(6, dtype="float32"), np.zeros(2, "float32"), np.zeros(6)
    tewb.build(te.create_schedule(L.op), [A, L, H])(a, low, high)
    np.testing.assert_array_equal(low, [0, 1])
    np.testing.assert_array_equal(high, a / 2)


def test_unknown_packed_function() -> None:
    A = te.placeholder((4,), name="A")
    E = te.extern((4,), [A], lambda i, o: te.call_packed("test.tripel", i[0], o[0]), name="E")
    kernel = tewb.build(te.create_schedule(E.op), [A, E])
    with pytest.raises(ExternError, match=r"no packed function test.tripel(.|\n)*did you mean test.triple\?"):
        kernel(np.zeros(4, "float32"), np.zeros(4, "float32"))


def test_misuse_of_extern() -> None:
    A, B = te.placeholder((4,), name="A"), te.placeholder((4,), name="B", dtype="int32")
    with pytest.raises(DTypeError, match="does not follow from A: float32, B: int32"):
        te.extern((4,), [A, B], lambda i, o: te.call_packed("f", i[0]))
    with pytest.raises(ExternError, match="returned None, not a statement"):
        te.extern((4,), [A], lambda i, o: None)
    with pytest.raises(ExternError, match="effect='none'"):
        te.extern((4,), [A], lambda i, o: te.call_packed("f"), effect="none")
    with pytest.raises(ExternError, match="elementwise needs inputs of 1 dimensions"):
        C = te.placeholder((4, 4), name="C")
        te.extern((4,), [C], lambda i, o: te.call_packed("f"), access=te.access.elementwise)
    with pytest.raises(ExternError, match="inputs are tensors"):
        te.extern((4,), [3], lambda i, o: te.call_packed("f"))  # type: ignore[list-item]
    with pytest.raises(ExternError, match="exists already"):
        tewb.register_func("test.triple", print)


@pytest.mark.parametrize("body", [None, 5, "f"])
def test_a_body_that_is_no_function_is_refused(body: Any) -> None:
    A = te.placeholder((3,), name="A")
    with pytest.raises(ExternError, match="is no function of the buffers") as e:
        te.extern((3,), [A], body, name="E")
    assert e.value.hint and e.value.span is not None and e.value.span.file == __file__


def test_the_code_of_an_extern_program_rebuilds_it() -> None:
    s, args = seed(te.access.elementwise)
    session = tewb.Session(s, args)
    found: dict[str, Any] = {}
    exec(session.code, found)
    assert tewb.Session(found["s"], found["args"]).ir == session.ir


def test_the_inside_of_an_extern_is_its_own() -> None:
    s, _ = seed(te.access.elementwise)
    with pytest.raises(tewb.TewbError, match="axis d0 is the inside of extern E"):
        s["E"].fuse("d0", "d1")


def test_all_of_a_symbolic_dimension_is_known_to_be_monotone() -> None:
    """A warning would be an error here: the size of an array is not negative."""
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    body = lambda i, o: te.call_packed("rows.sum", i[0], o[0])  # noqa: E731
    E = te.extern((n,), [A], body, name="E", access=lambda i: [[i, (0, m)]])
    assert E.ndim == 1


def test_several_outputs_are_a_list_and_one_is_itself_as_in_classic_te() -> None:
    A = te.placeholder((4,), name="A")

    @te.hybrid.script
    def twice(a: Any) -> Any:
        b = output_tensor((4,), "float32")  # type: ignore[name-defined]  # noqa: F821
        c = output_tensor((4,), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in range(4):
            b[i] = a[i]
            c[i] = a[i]
        return b, c

    def call(ins: Any, outs: Any) -> Any:
        return te.call_packed("f", ins[0], *outs)

    assert [type(outs) for outs in (twice(A), te.extern([(4,), (2,)], [A], call))] == [list, list]
    assert isinstance(te.extern([(4,)], [A], call), te.Tensor)
    assert isinstance(te.compute((4,), lambda i: (A[i],)), te.Tensor)
    assert type(te.compute((4,), lambda i: (A[i], A[i]))) is tuple
    assert twice.__globals__ is globals() and "output_tensor" not in globals()
