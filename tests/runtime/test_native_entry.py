"""Native entries: they take just the calls that Python would, leave nothing behind, and explain through Python."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import weakref
from typing import Any

import numpy as np
import pytest

import tewb
from tests.bench.calls import Shares
from tests.in_threads import in_threads
from tewb import te
from tewb.base import ArgumentError, BoundError
from tewb.runtime import Kernel, native_entry

pytestmark = pytest.mark.skipif(not native_entry._is_ready(), reason="this Python has no native entries")


def connected(k: Any, *args: Any) -> Any:
    """The kernel after two calls with these arguments."""
    for _ in range(2):
        k(*args)
    assert k._direct is not None
    return k


def adder(n: Any = 16, dtype: str = "float32") -> Any:
    A, B = (te.placeholder((n,), name=name, dtype=dtype) for name in "AB")
    C = te.compute((n,), lambda i: A[i] + B[i], name="C")
    return tewb.build(te.create_schedule(C.op), [A, B, C])


def three(n: int = 16, dtype: str = "float32") -> list[Any]:
    return [np.arange(n).astype(dtype), np.arange(n).astype(dtype), np.zeros(n, dtype)]


def counting(k: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calls that go to Python from now on."""
    seen: list[Any] = []
    run = Kernel._call_in_python
    monkeypatch.setattr(
        Kernel, "_call_in_python", lambda self, values: (seen.append(values), run(self, values))[1]
    )
    return seen


def test_a_call_does_not_meet_python(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, c = three()
    k = connected(adder(), a, b, c)
    seen = counting(k, monkeypatch)
    c[...] = 0
    assert k(a, b, c) is None
    np.testing.assert_array_equal(c, a + b)
    assert seen == []
    k(a, b, np.zeros(32, "float32")[::2])
    assert len(seen) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint16", "int32", "uint64"])
def test_every_dtype(dtype: str) -> None:
    a, b, c = three(dtype=dtype)
    connected(adder(dtype=dtype), a, b, c)(a, b, c)
    np.testing.assert_array_equal(c, a + b)


def frozen(a: Any) -> Any:
    a.flags.writeable = False
    return a


class Sub(np.ndarray[Any, Any]):
    pass


# What the entry must leave to Python: it says NotImplemented and has not run.
NOT_TAKEN = {
    "another dtype": lambda a, b, c: (a.astype("float64"), b, c),
    "another byte order": lambda a, b, c: (a.astype(">f4"), b, c),
    "a subclass": lambda a, b, c: (a.view(Sub), b, c),
    "another size": lambda a, b, c: (a[:15], b, c),
    "another rank": lambda a, b, c: (a.reshape(4, 4), b, c),
    "strided": lambda a, b, c: (np.repeat(a, 2)[::2], b, c),
    "reversed": lambda a, b, c: (a[::-1], b, c),
    "broadcast": lambda a, b, c: (np.broadcast_to(a[:1], 16), b, c),
    "unaligned": lambda a, b, c: (np.zeros(65, np.uint8)[1:].view("float32"), b, c),
    "a read-only output": lambda a, b, c: (a, b, frozen(c)),
    "output is an input": lambda a, b, c: (c, b, c),
    "output overlaps an input": lambda a, b, c: (np.zeros(20, "float32")[4:], (z := np.zeros(20, "float32"))[4:], z[:16]),
    "too few": lambda a, b, c: (a, b),
    "too many": lambda a, b, c: (a, b, c, c),
    "none": lambda a, b, c: (),
    "a list": lambda a, b, c: (list(a), b, c),
    "None": lambda a, b, c: (a, None, c),
    "a type": lambda a, b, c: (a, np.ndarray, c),
    "a number": lambda a, b, c: (a, 1.5, c),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_TAKEN)
def test_what_an_entry_leaves_to_python(case: str) -> None:
    a, b, c = three()
    k = connected(adder(), a, b, c)
    args = NOT_TAKEN[case](a, b, c)
    for o in args:
        if isinstance(o, np.ndarray) and o.flags.writeable:
            o[...] = 7
    assert k._direct(*args) is NotImplemented
    assert all((o == 7).all() for o in args if isinstance(o, np.ndarray) and o.flags.writeable)


def test_inputs_may_be_the_same_array_and_read_only() -> None:
    a, _, c = three()
    k = connected(adder(), a, a, c)
    frozen(a)
    assert k._direct(a, a, c) is None
    np.testing.assert_array_equal(c, a * 2)


def test_symbols_are_bound_once_and_compared() -> None:
    k = connected(adder(te.var("n")), *three(5))
    for n in (0, 1, 16, 1000):
        a, b, c = three(n)
        assert k._direct(a, b, c) is None
        np.testing.assert_array_equal(c, a + b)
    with pytest.raises(ArgumentError, match="n is 16 from A's dimension 0, but B's dimension 0 is 17"):
        k(three(16)[0], three(17)[1], three(16)[2])


def test_sizes_that_are_computed() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    B = te.compute(((n + 1) // 2 * m,), lambda i: A[i // m * 2, i % m] * 2.0, name="B")
    k = tewb.build(te.create_schedule(B.op), [A, B])
    a = np.arange(35, dtype="float32").reshape(7, 5)
    b = np.zeros(20, "float32")
    connected(k, a, b)
    b[...] = 0
    assert k._direct(a, b) is None
    np.testing.assert_array_equal(b, a[::2].ravel() * 2)
    assert k._direct(a, np.zeros(21, "float32")) is NotImplemented
    with pytest.raises(ArgumentError, match="B's dimension 0 is 21"):
        k(a, np.zeros(21, "float32"))
    np.testing.assert_array_equal(k(a), b)


def test_strides() -> None:
    A = te.placeholder((4, 6), name="A")
    B = te.compute((4, 6), lambda i, j: A[i, j] * 2.0, name="B")
    binds = {t: te.decl_buffer((4, 6), name=t.op.name, strides=[te.var("s0"), te.var("s1")]) for t in (A, B)}
    k = tewb.build(te.create_schedule(B.op), [A, B], binds=binds)
    base = np.arange(24, dtype="float32").reshape(6, 4)
    wide = np.zeros((8, 12), "float32")
    connected(k, base.T, wide[::2, ::2])
    taken = [wide[::2, ::2], np.zeros((6, 4), "float32").T, np.zeros((4, 6), "float32")]
    for a in (base.T, base.T[::-1], np.broadcast_to(np.arange(6, dtype="float32"), (4, 6))):
        for b in taken:
            assert k._direct(a, b) is None
            np.testing.assert_array_equal(b, a * 2)
    shared = np.zeros((8, 12), "float32")
    wrong = [
        (base.T, np.lib.stride_tricks.as_strided(wide, (4, 6), (4, 4))),
        (shared[::2, ::2], shared[1::2, ::2]),
        (base.T, np.zeros((4, 6), np.dtype([("x", "f4"), ("y", "i1")]))["x"]),
    ]
    for args in wrong:
        assert k._direct(*args) is NotImplemented
    k(*wrong[1])  # side by side in the same rows, which Python finds out
    with pytest.raises(ArgumentError, match="own elements overlap"):
        k(*wrong[0])


def test_numbers() -> None:
    A, n = te.placeholder((4,), name="A", dtype="int32"), te.var("shift", "int32")
    B = te.compute((4,), lambda i: A[i] + n, name="B")
    k = tewb.build(te.create_schedule(B.op), [A, n, B])
    a, b = np.arange(4, dtype="int32"), np.zeros(4, "int32")
    connected(k, a, 5, b)
    assert k._direct(a, -7, b) is None
    np.testing.assert_array_equal(b, a - 7)
    for number in (1 << 31, -(1 << 31) - 1, 1 << 70, 1.5, True, np.int32(2), None):
        assert k._direct(a, number, b) is NotImplemented
    k(a, np.int32(2), b)
    np.testing.assert_array_equal(b, a + 2)
    with pytest.raises(ArgumentError, match="does not fit int32"):
        k(a, 1 << 70, b)


def test_sizes_that_divide_by_zero_are_zero() -> None:
    """x // 0 and x % 0 are 0: in the shapes that a call checks, the outputs it makes, and the work it estimates."""
    n, m = te.var("n"), te.var("m")
    A, B = te.placeholder((n,), name="A"), te.placeholder((m,), name="B")
    C = te.compute((n // m + n % m,), lambda i: te.if_then_else(i < n, A[i], 1.0), name="C")
    kernel = tewb.build(te.create_schedule(C.op), [A, B, C])
    for _ in range(3):
        assert kernel(np.ones(7, "float32"), np.ones(3, "float32")).shape == (3,)
        assert kernel(np.ones(7, "float32"), np.ones(0, "float32")).shape == (0,)
        with pytest.raises(ArgumentError, match="dimension 0 is 1"):
            kernel(np.ones(7, "float32"), np.ones(0, "float32"), np.ones(1, "float32"))

    S = te.compute((n, 24), lambda i, j: te.const(2.0, "float32"), name="S")
    near = lambda x: te.max(te.min(x, n - 1), 0)  # noqa: E731
    D = te.compute((), lambda: te.if_then_else(S[0 % n, 0] > 1.0, S[near(2), 9], S[near(0), 2]), name="D")
    kernel = tewb.build(te.create_schedule(D.op), [A, D])
    for _ in range(3):
        assert kernel(np.ones(4, "float32")) == 2
        with pytest.raises(BoundError):
            kernel(np.ones(0, "float32"))


def test_outputs_are_made_when_they_are_left_out() -> None:
    k = adder(te.var("n"))
    for n in (4, 4, 9):
        a, b, _ = three(n)
        np.testing.assert_array_equal(k(a, b), a + b)
    np.testing.assert_array_equal(k(B=b, A=a), a + b)
    A = te.placeholder((4,), name="A")
    P, Q = te.compute((4,), lambda i: (A[i] + 1.0, A[i] + 2.0), name="PQ")
    both = tewb.build(te.create_schedule(P.op), [A, P, Q])
    a = np.ones(4, "float32")
    for _ in range(3):
        p, q = both(a)
        assert (p == 2).all() and (q == 3).all()
    with pytest.raises(ArgumentError, match="missing: PQ"):
        both(a, p)
    with pytest.raises(ArgumentError, match="A has dtype float64"):
        both(np.ones(4))
    n = te.var("n")
    one = te.placeholder((1,), name="one")
    D = te.compute((n,), lambda i: one[0], name="D")
    fill = tewb.build(te.create_schedule(D.op), [one, D])
    with pytest.raises(ArgumentError, match="D is left out, and its size n does not follow"):
        fill(np.ones(1, "float32"))
    sized = tewb.build(te.create_schedule(D.op), [one, n, D])
    for size in (3, 3, 5):
        np.testing.assert_array_equal(sized(np.ones(1, "float32"), size), np.ones(size))
    with pytest.raises(ArgumentError, match=r"D is left out, and its shape would be \(-2,\)"):
        sized(np.ones(1, "float32"), -2)


def test_other_arrays_and_keywords_go_through_the_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, c = three()
    k = connected(adder(), a, b, c)
    seen = counting(k, monkeypatch)
    for args, keywords in (
        ((Shares(a), memoryview(b), Shares(c)), {}),
        ((a.view(Sub), b, c.view(Sub)), {}),
        ((a,), {"C": c, "B": b}),
    ):
        c[...] = 0
        k(*args, **keywords)
        np.testing.assert_array_equal(c, a + b)
    assert seen == []


def test_the_first_wrong_argument_is_explained() -> None:
    a, b, c = three()
    k = adder()
    for _ in range(4):
        with pytest.raises(ArgumentError, match="A has dtype float64"):
            k(a.astype("float64"), b, None)
        k(a, b, c)


def test_a_tensor_of_torch_uses_its_own_conversion() -> None:
    tensor = type("Tensor", (Shares,), {"__module__": "torch", "numpy": lambda self: self.a})
    negated = type("Tensor", (Shares,), {"__module__": "torch", "numpy": lambda self: _refuse()})

    def _refuse() -> None:
        raise RuntimeError("Can't call numpy() on Tensor that has negative bit set.")

    a, b, c = three()
    k = adder()
    for _ in range(3):
        c[...] = 0
        k(tensor(a), b, tensor(c))
        np.testing.assert_array_equal(c, a + b)
        with pytest.raises(ArgumentError, match="A: this Tensor cannot be shared with numpy: .*negative bit"):
            k(negated(a), b, c)


def test_references_do_not_drift() -> None:
    a, b, c = three()
    k = connected(adder(), a, b, c)
    big = adder(1 << 16)  # runs without the lock
    x, y, z = three(1 << 16)
    connected(big, x, y, z)
    objects = [a, b, c, x, y, z, k, big, a.dtype, np.ndarray, Kernel.__call__, type(k)]
    if sys.version_info < (3, 12):
        objects.append(None)
    gc.collect()  # what other tests left holds many a None
    before = [sys.getrefcount(o) for o in objects]
    for _ in range(1000):
        k(a, b, c)
        big(x, y, z)
        k(a, b, c.view(Sub))
        with pytest.raises(ArgumentError):
            k(a, b, 3)
    gc.collect()
    after = [sys.getrefcount(o) for o in objects]
    drift = {str(o): n - m for o, n, m in zip(objects, after, before, strict=True) if abs(n - m) >= 500}
    assert drift == {}


def test_kernels_and_entries_go_away() -> None:
    k = connected(adder(23), *three(23))
    kernel_gone, code_gone = weakref.ref(k), weakref.ref(k._entry_code[0][0])
    other = connected(adder(23), *three(23))
    assert other._entry_code[0][0] is k._entry_code[0][0]  # equal parameters share an entry
    del k
    assert kernel_gone() is None and code_gone() is not None
    other(*three(23))
    del other
    gc.collect()
    assert code_gone() is None


def test_a_failure_in_a_kernel_is_explained() -> None:
    at = te.placeholder((4,), name="at", dtype="int32")
    B = te.compute((4,), lambda i: at[at[i]], name="B")
    k = tewb.build(te.create_schedule(B.op), [at, B], debug=True)
    good, b = np.zeros(4, "int32"), np.zeros(4, "int32")
    connected(k, good, b)
    for _ in range(100):
        with pytest.raises(BoundError, match="B reads outside of at in dimension 0"):
            k._direct(np.full(4, 9, "int32"), b)
    k(good, b)


def test_memory_limits_hold() -> None:
    n = 1 << 16
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((n,), lambda i: B[n - 1 - i], name="C")
    k = tewb.build(te.create_schedule(C.op), [A, C])
    a, c = np.zeros(n, "float32"), np.zeros(n, "float32")
    connected(k, a, c)
    with (
        tewb.PassContext(config={"tewb.memory_limit": 1000}),
        pytest.raises(ArgumentError, match="intermediate B needs"),
    ):
        k._direct(a, c)
    for _ in range(50):
        assert k._direct(a, c) is None
    assert (c == 1).all()


def test_threads() -> None:
    small, big = adder(), adder(1 << 16)

    def work() -> None:
        for k, n in ((small, 16), (big, 1 << 16)):
            a, b, c = three(n)
            for _ in range(50):
                c[...] = 0
                k(a, b, c)
                np.testing.assert_array_equal(c, a + b)

    in_threads(*[work] * 4)


def test_a_kernel_stays_what_it_is() -> None:
    a, b, c = three()
    k = connected(adder(), a, b, c)
    assert isinstance(k, Kernel) and type(k).__name__ == "Kernel" and callable(k)
    assert repr(k) == "Kernel(main: A: float32[16], B: float32[16], C: float32[16])"
    assert (
        "outputs" in (type(k).__doc__ or "")
        and k.name == "main"
        and k.time(a, b, c, number=1, repeat=1).min > 0
    )
    k.note = "mine"
    assert k.note == "mine"
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(k))(a, b), a + b)
    assert copy.copy(k) is k
    c[...] = 0
    k.__call__(a, b, C=c)
    np.testing.assert_array_equal(c, a + b)


def test_long_work_is_left_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    r = te.reduce_axis((0, n), name="r")
    B = te.compute((n,), lambda i: te.sum(A[r] * A[i], axis=r), name="B")
    k = tewb.build(te.create_schedule(B.op), [A, B])
    connected(k, np.ones(8, "float32"), np.zeros(8, "float32"))
    assert k._direct(np.ones(500, "float32"), np.zeros(500, "float32")) is None
    assert k._direct(np.ones(20_000, "float32"), np.zeros(20_000, "float32")) is NotImplemented


def test_without_entries_kernels_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_entry, "_is_ready", lambda: False)
    k = adder()
    assert type(k) is Kernel
    for _ in range(4):
        a, b, c = three()
        k(a, b, C=c)
        np.testing.assert_array_equal(c, a + b)
        np.testing.assert_array_equal(k(a, b), a + b)
    assert k._direct is None
