"""The programs of the two forum threads that tewb began with, as they were posted.

Changed are the forum's typographic quotes and lost indentation, and names that a post does not define are defined in
a line before it. Each runs with the names of its time (`tvm.placeholder`) and with the later ones (`te.placeholder`).
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import compat, te, tir
from tewb.runtime import packed_functions
from tewb.workbench import Session

TILED_EXTERN = """
import tvm
from tvm import te
from tvm import tir

data_shape = (3,4,8)

# Register the pyhton function
@tvm.register_func("my_py_func")
def my_py_func(data_in,data_mid):
    tvm.nd.array(data_in.asnumpy()+1).copyto(data_mid)

def tutorial_te_sched():
    bias = te.var("bias", dtype="float32")
    data_in = te.placeholder(data_shape)
    data_mid = te.extern(
        data_shape,
        [data_in],
        lambda ins, outs: tvm.tir.call_packed(
        "my_py_func", ins[0], outs[0]))
    data_out = te.compute (data_shape, lambda i,j,k:data_mid[i,j,k])
    s = te.create_schedule(data_out.op)
    s[data_mid].compute_at(s[data_out],s[data_out].op.axis[0])
    return s,[data_in,data_out]


s, place_holders = tutorial_te_sched()
lowered_mod = tvm.lower(s,place_holders)
print(lowered_mod)
"""

EXTERN_OR_HYBRID = """
import numpy
import tvm
from tvm import te

n = 16                                                     # the post has no n

@tvm.register_func("tvm.contrib.my_tvm_addone")
def my_tvm_addone(x, y):
    print("my_tvm_addone signatures: %s, %s" % (type(x), type(y)))
    tvm.nd.array(x.asnumpy() + 1).copyto(y)

A = tvm.placeholder((n,), name='A')
B = tvm.extern(A.shape, [A], lambda ins, outs: tvm.call_packed( "tvm.contrib.my_tvm_addone", ins[0], outs[0]), name="C")
s = tvm.create_schedule(B.op)

@tvm.hybrid.script
def outer_product(a, b, c):
    c = output_tensor((100, 99), 'float32')
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            c[i, j] = a[i] * b[j]
    return c

a = numpy.random.randn(100)
b = numpy.random.randn(99)
c = outer_product(a, b)

numbers = a, b, c                                          # a schedule is of tensors, not of arrays
a = tvm.placeholder((100,), name='a')
b = tvm.placeholder((99,), name='b')
c = outer_product(a, b)
op = c.op                                                  # the post has no op
i, j = c.op.axis
sch = tvm.create_schedule(op)
jo, ji = sch[c].split(j, 4)                                # loops are those of a stage: not sch.split
sch[c].vectorize(ji)
"""

FLAT = ("placeholder", "extern", "call_packed", "create_schedule", "hybrid", "decl_buffer")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Runs a program, in which tvm is tewb; gives its names."""
    monkeypatch.setattr(packed_functions, "_functions", {})
    compat.install()

    def run_text(text: str) -> dict[str, Any]:
        path = tmp_path / "program.py"
        path.write_text(text)
        return runpy.run_path(str(path))

    yield run_text
    compat.uninstall()


def spelled(text: str, names: str) -> str:
    """A program with the names of v0.5 to v0.6, or with those of later versions."""
    if names == "flat":
        return text
    for name in FLAT:
        text = text.replace(f"tvm.{name}", f"te.{name}")
    return text


SPELLINGS = ["te", "flat"]


def test_an_extern_in_a_loop_is_printed_and_run(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    names = run(TILED_EXTERN)
    printed = capsys.readouterr().out
    for part in ("placeholder: T.Buffer((3, 4, 8)", "compute: T.Buffer((3, 4, 8)", "for i in range(3):", 'extern = T.allocate((3, 4, 8), "float32")',
                 '"extern_scope", 0)', "T.tvm_call_packed('my_py_func'", "compute[i, j, k] = extern[i, j, k]"):  # fmt: skip
        assert part in printed
    s, args = names["s"], names["place_holders"]
    assert Session(s, args).allocations()[0].elements == 96
    calls = []

    def counted(data_in: Any, data_mid: Any) -> None:
        calls.append((type(data_in), data_in.shape))
        names["my_py_func"](data_in, data_mid)

    tewb.register_func("my_py_func", counted, override=True)
    kernel = tewb.build(s, args)
    a = tewb.nd.array(np.random.rand(3, 4, 8).astype("float32"), tewb.cpu(0))
    b = tewb.nd.array(np.zeros((3, 4, 8), "float32"), tewb.cpu(0))
    kernel(a, b)
    np.testing.assert_array_equal(b.asnumpy(), a.asnumpy() + 1)
    assert calls == [(tewb.nd.NDArray, (3, 4, 8))] * 3


@pytest.mark.parametrize("names", SPELLINGS)
def test_extern_and_hybrid_run(run: Any, capsys: pytest.CaptureFixture[str], names: str) -> None:
    program = run(spelled(EXTERN_OR_HYBRID, names))
    a, b, c = program["numbers"]
    np.testing.assert_allclose(c, np.outer(a, b), rtol=1e-5)
    x, y = tewb.nd.array(np.arange(16, dtype="float32")), tewb.nd.empty((16,))
    tewb.build(program["s"], [program["A"], program["B"]])(x, y)
    np.testing.assert_array_equal(y, x.asnumpy() + 1)
    assert capsys.readouterr().out == f"my_tvm_addone signatures: {tewb.nd.NDArray}, {tewb.nd.NDArray}\n"
    p, q, r = (
        np.random.rand(100).astype("float32"),
        np.random.rand(99).astype("float32"),
        tewb.nd.empty((100, 99)),
    )
    tewb.build(program["sch"], [program["a"], program["b"], program["c"]])(p, q, r)
    np.testing.assert_array_equal(r, np.outer(p, q))


def strided(t: Any, steps: list[Any] | None = None) -> Any:
    """A buffer for a tensor, of strides that are given or of any."""
    return tir.decl_buffer(
        t.shape, t.dtype, t.op.name, strides=steps or [te.var(f"{t.op.name}.s{d}") for d in range(t.ndim)]
    )


def views(shape: tuple[int, ...]) -> list[Any]:
    """Arrays of a shape with several strides, on memory of their own."""
    twice = np.random.rand(*[2 * n for n in shape]).astype("float32")
    return [
        twice[tuple(slice(n) for n in shape)].copy(), twice[tuple(slice(None, None, 2) for _ in shape)],
        twice[tuple(slice(n, 0, -1) for n in shape)], np.random.rand(*shape[::-1]).astype("float32").T,
    ]  # fmt: skip


@pytest.mark.parametrize("names", SPELLINGS)
@pytest.mark.parametrize("given", ["schedule", "op"])
def test_strided_buffers_are_bound_in_and_out(run: Any, names: str, given: str) -> None:
    """ "It doesn't work if hybrid op's in or out tensor is binded with a strided decl_buffer outside." """
    program = run(spelled(EXTERN_OR_HYBRID, names))
    ways = {
        "s": ([program["A"], program["B"]], lambda x: x + 1),
        "sch": ([program["a"], program["b"], program["c"]], np.outer),
    }
    for schedule, (tensors, expected) in ways.items():
        what = program[schedule] if given == "schedule" else tensors[-1].op
        kernel = tewb.build(what, tensors, binds={t: strided(t) for t in tensors})
        for turn in range(4):
            shapes = [tuple(int(n) for n in t.shape) for t in tensors]
            *ins, out = [views(s)[(turn + k) % 4].view(tewb.nd.NDArray) for k, s in enumerate(shapes)]
            kernel(*ins, out)
            np.testing.assert_array_equal(out, expected(*ins))


def test_constant_strides_are_bound_and_checked(run: Any) -> None:
    program = run(spelled(EXTERN_OR_HYBRID, "te"))
    a, b, c = (program[n] for n in "abc")
    kernel = tewb.build(program["sch"], [a, b, c], binds={a: strided(a, [2]), c: strided(c, [1, 100])})
    x, y, z = (
        np.random.rand(200).astype("float32"),
        np.random.rand(99).astype("float32"),
        np.zeros((99, 100), "float32"),
    )
    kernel(x[::2], y, z.T)
    np.testing.assert_array_equal(z.T, np.outer(x[::2], y))
    with pytest.raises(tewb.TewbError, match="outer_product has strides"):
        kernel(x[::2], y, np.zeros((100, 99), "float32"))
    A, B = program["A"], program["B"]
    addone = tewb.build(program["s"], [A, B], binds={A: strided(A, [-1]), B: strided(B, [3])})
    u, v = np.arange(16, dtype="float32"), np.zeros(48, "float32")
    addone(u[::-1], v[::3])
    np.testing.assert_array_equal(v[::3], u[::-1] + 1)
    assert v.sum() == v[::3].sum()
