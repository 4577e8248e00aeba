"""Divisions of 128-bit integers are at hand where LLVM makes some."""

from __future__ import annotations

import ctypes
import random

import numpy as np

import tewb
from tewb import te
from tewb.runtime import wide_division
from tewb.runtime.jit import Compiled

_HALVES = """
define void @test_{name}(ptr %x) {{
  %a = load i128, ptr %x
  %at = getelementptr i128, ptr %x, i64 1
  %b = load i128, ptr %at
  %q = call i128 @{name}(i128 %a, i128 %b)
  store i128 %q, ptr %x
  ret void
}}
"""


def test_they_divide_as_python_does() -> None:
    own = [n.replace("__", "own_") for n in wide_division.NAMES]  # the names themselves are taken
    text = wide_division.text().replace("@__", "@own_") + "".join(_HALVES.format(name=n) for n in own)
    code = Compiled(text)
    rng = random.Random(4)
    for name in own:
        f = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(code.address(f"test_{name}"))
        is_signed = "_u" not in name
        for _ in range(300):
            bits = [rng.choice([1, 7, 63, 64, 65, 127, 128]) for _ in range(2)]
            a, b = (rng.getrandbits(n) for n in bits)
            b = b or 1
            memory = (ctypes.c_uint64 * 4)(*[x >> s & 2**64 - 1 for x in (a, b) for s in (0, 64)])
            f(ctypes.addressof(memory))
            got = memory[0] | memory[1] << 64
            if is_signed:
                a, b = (x - (1 << 128) if x >> 127 else x for x in (a, b))
            q = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            assert got == (q if "div" in name else a - q * b) % (1 << 128), (name, a, b)


def test_a_kernel_whose_loops_leave_a_wide_number_is_built() -> None:
    n = te.var("n", "int64")
    A, B = te.placeholder((), "uint32", name="A"), te.placeholder((n,), "uint32", name="B")

    def clamped(x: object) -> object:
        return te.max(te.min(x, n - 1), 0)

    S = te.compute(
        (n, n),
        lambda i, j: te.select(
            i < n, B[clamped(A().astype("int64"))] | B[clamped(B[j].astype("int64"))], ~B[j]
        ),
        name="S",
    )
    s = te.create_schedule(S.op)
    s[S].split("i", nparts=5)
    _, inner = s[S].split("j", nparts=32)
    s[S].split(inner, factor=7)
    binds = {
        B: te.decl_buffer((n,), "uint32", "B", strides=[te.var("p")]),
        S: te.decl_buffer((n, n), "uint32", "S", strides=[te.var("q"), te.var("r")]),
    }
    with tewb.PassContext(config={"tewb.object_cache": False}):
        kernel = tewb.build(s, [B, A, S], binds=binds, debug=True)
    b, out = np.array([4, 0, 9, 1], "uint32"), np.zeros((4, 4), "uint32")
    kernel(b, np.array(2, "uint32"), out)
    np.testing.assert_array_equal(out, np.broadcast_to(b[2] | b[np.minimum(b, 3)], (4, 4)))
