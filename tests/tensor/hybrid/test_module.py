"""Lowered loops as hybrid functions: text that runs, is saved, and is loaded without being executed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tests.tensor.test_hybrid import CASES, compiled, floats, neighbours, tensor
from tewb import te
from tewb.base import HybridError


def matmul(schedule: bool) -> tuple[Any, list[Any], list[Any]]:
    A, B = te.placeholder((9, 7), name="A"), te.placeholder((7, 10), name="B")
    k = te.reduce_axis((0, 7), name="k")
    C = te.compute((9, 10), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    D = te.compute((9, 10), lambda i, j: te.exp(C[i, j]) + 1, name="D")
    s = te.create_schedule(D.op)
    if schedule:
        i, j = s[D].op.axis
        jo, ji = s[D].split(j, factor=4)
        io, ii = s[D].split(i, factor=4)
        s[D].reorder(io, jo, ii, ji)
        s[D].vectorize(ji)
        s[D].parallel(io)
        s[C].compute_at(s[D], jo)
    return s, [A, B], [D]


def stencil() -> tuple[Any, list[Any], list[Any]]:
    n = te.var("n")
    A = te.placeholder((n,), name="A", dtype="int64")
    B = te.compute(
        (n,), lambda i: te.if_then_else(i > 0, A[te.if_then_else(i > 0, i - 1, 0)], -3) * 2 % 5, name="B"
    )
    M = te.compute((n,), lambda i: te.truncdiv(B[i], 2) + te.floordiv(A[i], -3) + (A[i] << 2), name="M")
    s = te.create_schedule(M.op)
    s[B].compute_inline()
    return s, [A], [M]


def hybrid_stages() -> tuple[Any, list[Any], list[Any]]:
    A = te.placeholder((11,), name="A")
    B = te.compute((11,), lambda i: A[i] * 0.5, name="B")
    C = neighbours(B)
    s = te.create_schedule(C.op)
    return s, [A], [C]


def extremes() -> tuple[Any, list[Any], list[Any]]:
    A = te.placeholder((5, 6), name="A", dtype="float64")
    k = te.reduce_axis((0, 6), name="k")
    M = te.compute((5,), lambda i: te.max(A[i, k], axis=k), name="M")
    return te.create_schedule(M.op), [A], [M]


PROGRAMS = {
    "matmul": (lambda: matmul(False), [floats(9, 7), floats(7, 10)]),
    "scheduled": (lambda: matmul(True), [floats(9, 7), floats(7, 10)]),
    "stencil": (stencil, [np.arange(-6, 7, dtype="int64") * 3]),
    "hybrid": (hybrid_stages, [floats(11)]),
    "extremes": (extremes, [floats(5, 6).astype("float64")]),
}


def as_module(path: str) -> Any:
    """The file as Python runs it."""
    spec = importlib.util.spec_from_file_location("own", path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_text_runs_loads_and_compiles(name: str, tmp_path: Path) -> None:
    make, arrays = PROGRAMS[name]
    s, inputs, outputs = make()
    shape = [11 if not hasattr(n, "value") else n.value for n in outputs[0].shape]
    if name == "stencil":
        shape = [13]
    want = np.zeros(shape, outputs[0].dtype)
    tewb.build(s, [*inputs, *outputs])(*arrays, want)
    module = te.hybrid.build(s, inputs, outputs, name="made")
    path = module.save(tmp_path / "made")
    assert path.endswith("made.py")
    loaded = te.hybrid.load(path)
    again = te.hybrid.HybridModule()
    again.load(path)
    results = [
        as_module(path).made(*arrays),
        loaded(*arrays),
        loaded.check(*arrays),
        again(*arrays),
        module(*arrays),
        compiled(loaded, arrays)[0],
    ]
    for got in results:
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=3e-6)


@pytest.mark.parametrize(("f", "arrays"), CASES, ids=lambda x: getattr(x, "name", ""))
def test_every_hybrid_function_survives_a_round(f: Any, arrays: list[Any]) -> None:
    inputs = [te.placeholder(a.shape, name=f"in{i}", dtype=str(a.dtype)) for i, a in enumerate(arrays)]
    made = f(*inputs)
    outputs = list(made) if isinstance(made, list) else [made]
    module = te.hybrid.build(te.create_schedule(outputs[0].op), inputs, outputs)
    got, want = module(*arrays), f(*arrays)
    for g, w in zip(got, want, strict=True) if isinstance(want, tuple) else [(got, want)]:
        np.testing.assert_allclose(g, w, rtol=3e-6)


GOOD = 'def f(a):\n    b = output_tensor((4,), "float32")\n    b[:] = a[:]\n    return b\n'


def test_a_bare_function_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(GOOD)
    f = te.hybrid.load(tmp_path / "f.py")
    np.testing.assert_array_equal(f(floats(4)), floats(4))
    np.testing.assert_array_equal(compiled(f, [floats(4)])[0], floats(4))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os\n" + GOOD, "only `from tewb import te` may stand"),
        ("from os import system as te\n" + GOOD, "only `from tewb import te` may stand"),
        ("print('hello')\n" + GOOD, "only `from tewb import te` may stand"),
        (GOOD + "f(3)\n", "only `from tewb import te` may stand"),
        (GOOD + GOOD.replace("def f", "def g"), "a second function"),
        ("x = 1\n", "not a plain function"),
        ("def f(:\n", "not Python by itself"),
        ("@te.hybrid.script(print('x'))\n" + GOOD, "this decorator is not loaded"),
        ("@print\n" + GOOD, "this decorator is not loaded"),
        (GOOD.replace("(a)", "(a, k=print('x'))"), "names without defaults"),
        (GOOD.replace("(a)", "(a: print('x'))"), "no annotations"),
        (GOOD.replace("(a)", "(*a)"), "names without defaults"),
        (GOOD.replace("a[:]", "open('/etc/passwd')"), "open is not a name of the function"),
        (GOOD.replace("a[:]", "__import__('os')"), "__import__ is not a name"),
        (GOOD.replace("a[:]", "a.__class__"), ".__class__ is not loaded"),
        (GOOD.replace("a[:]", "(lambda: 1)()"), "Lambda is not loaded"),
        (GOOD.replace("a[:]", "[x for x in a]"), "ListComp is not loaded"),
        (GOOD.replace("return b", "import os\n    return b"), "Import is not loaded"),
        (GOOD.replace("return b", "def g():\n        pass\n    return b"), "FunctionDef is not loaded"),
        (GOOD.replace("return b", "with a:\n        pass\n    return b"), "With is not loaded"),
    ],
)
def test_other_python_is_not_loaded(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(text)
    with pytest.raises(HybridError, match=said) as e:
        te.hybrid.load(tmp_path / "f.py")
    assert "f.py" in str(e.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("9 ** 9 ** 9", "exponent 387420489 is too large"),
        ("1 << 10 ** 9", "too large"),
        ("(1,) * 1000000000", "a tuple is no number|this is no number"),
    ],
)
def test_a_loaded_function_does_not_make_huge_numbers(value: str, said: str) -> None:
    f = te.hybrid.HybridModule(GOOD.replace("a[:]", value))
    for a in (tensor(4), floats(4)):
        with pytest.raises(HybridError, match=said):
            f(a)


def test_what_a_loaded_function_never_writes_is_0_as_in_a_run_of_python() -> None:
    @te.hybrid.script
    def triangle(a: Any) -> Any:
        c = output_tensor((3, 3), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in range(3):
            for j in range(i, 3):
                c[i, j] = a[i] + c[2, 0]
        return c

    A, a = te.placeholder((3,), name="A"), np.ones(3, "float32")
    C = triangle(A)
    module = te.hybrid.build(te.create_schedule(C.op), [A], [C])
    np.testing.assert_array_equal(module(a), np.triu(np.ones((3, 3))))
    np.testing.assert_array_equal(triangle(a), module(a))
