"""Any name builds and runs, or is refused in words: none reaches LLVM's text as it is, and none ends the process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import CodegenError, ExternError

NAMES = [
    "a b", 'x"y', "", "é", "llvm", "llvm.foo", "llvm.memcpy.p0.p0.i64", "llvm.used", "main", "malloc", "memset", "exp", "0",
    "a\nb", "a\0b", "a\\b", "\\00", "%", "@", "x" * 5000, "tewb.fail", "tewb_rt_parallel", "tewb.string.0", "main.body",
    "main.par0", "ctx", "define", "!", "\x01asm", "..", "a;b", "a)", "\ud800",
]  # fmt: skip

# Every name as that of a kernel with a parallel loop, of its tensors and axes, and of a packed function. A process that
# ends on the way has another exit code.
PROGRAM = f"""
import numpy as np, tewb
from tewb import te
for name in {NAMES!a}:
    tewb.register_func(name, lambda a, b: b.__setitem__(..., a * 2), override=True)
    A = te.placeholder((8,), name=name)
    T = te.compute((8,), lambda i: te.exp(A[i]), name=name)
    k = te.reduce_axis((0, 4), name)
    B = te.compute((8,), lambda i: te.sum(T[i] * 0.25, axis=k), name=name)
    E = te.extern((8,), [B], lambda i, o: te.call_packed(name, i[0], o[0]), name=name)
    s = te.create_schedule(E.op)
    s[B].parallel(s[B].op.axis[0])
    s[B].split(s[B].op.reduce_axis[0], factor=3)
    s[T].compute_at(s[B], s[B].op.axis[0])
    kernel = tewb.build(s, [A, E], "llvm", name=name)
    for _ in range(3):
        assert (kernel(np.zeros(8, "float32")) == 2).all()
    assert kernel.get_source("asm") and kernel.get_source("ll0") and repr(kernel)
"""


@pytest.mark.slow
def test_kernels_tensors_axes_and_packed_functions_may_have_any_name() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")


EXTERNS = f"""
import tewb
from tewb import te
from tewb.base import TewbError
for name in {[n for n in NAMES if n not in ("malloc", "memset", "exp")]!a}:
    A = te.placeholder((8,), name="A")
    try:
        B = te.compute((8,), lambda i: te.call_extern("float32", name, A[i]), name="B")
        tewb.build(te.create_schedule(B.op), [A, B])
    except TewbError as e:
        print(ascii(str(e)))
"""


def test_c_functions_of_any_name_are_refused_in_words() -> None:
    done = subprocess.run([sys.executable, "-c", EXTERNS], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout.splitlines()
    assert len(said) == len(NAMES) - 3
    assert not any("does not take the code" in text for text in said)


def test_classic_build_with_a_target_and_a_host() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1, name="B")
    kernel = tewb.build(te.create_schedule(B.op), [A, B], "llvm", "llvm")
    np.testing.assert_array_equal(kernel(np.zeros(4, "float32")), np.ones(4))


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b", "\x01asm", "\ud800"])
def test_what_is_no_name_in_c_is_refused_where_it_is_written(name: str) -> None:
    with pytest.raises(ExternError, match=r"cannot be the name of a C function\n.*at .*test_names.py"):
        te.call_extern("float32", name, 1.0)


@pytest.mark.parametrize("name", ["llvm.sqrt.f32", "tewb.alloc", "tewb_rt_malloc", "main"])
def test_names_that_kernels_use_are_refused_as_those_of_c_functions(name: str) -> None:
    with pytest.raises(ExternError, match=f"{name} is no C function for others to call"):
        te.call_extern("float32", name, 1.0)


def test_c_function_named_as_a_part_of_the_kernel_is_refused() -> None:
    B = te.compute((4,), lambda i: te.call_extern("float32", "f.kernel.body", 1.0), name="B")
    with pytest.raises(CodegenError, match="f.kernel.body is the name of a part of this kernel"):
        tewb.build(te.create_schedule(B.op), [B], name="f")


def test_kernel_named_as_a_c_function_calls_that_one() -> None:
    B = te.compute((4,), lambda i: te.call_extern("float32", "sqrtf", te.cast(i, "float32")), name="B")
    kernel = tewb.build(te.create_schedule(B.op), [B], name="sqrtf")
    np.testing.assert_array_equal(kernel(), np.sqrt(np.arange(4, dtype="float32")))
    Z = te.compute((1000,), lambda i: te.const(0, "int32"), name="Z")  # LLVM makes a call of memset of it
    kernel = tewb.build(te.create_schedule(Z.op), [Z], name="memset")
    np.testing.assert_array_equal(kernel(), np.zeros(1000))
