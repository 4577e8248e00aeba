"""Exported libraries, as a C program and another process use them."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.runtime import create_shared
from tewb.runtime.exported import linker


def program() -> Any:
    """Rows of any number, an intermediate in memory, a scalar, a parallel loop, a function of the C library."""
    n, k = te.var("n"), te.var("k", "float32")
    A = te.placeholder((n, 4), name="A")
    T = te.compute((n, 4), lambda i, j: te.exp(A[i, j]) * k, name="T")
    B = te.compute((n, 4), lambda i, j: T[i, j] + te.hypot(T[n - 1 - i, j], k), name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(B.op.axis[0])
    return tewb.build(s, [A, k, B], name="both ends")


@pytest.fixture(scope="module")
def kernel() -> Any:
    return program()


def compiler() -> str:
    try:
        return linker()[0]
    except tewb.TewbError:
        pytest.skip("no C compiler on this machine")


C_PROGRAM = """
#include <stdio.h>
#include "both.h"

static int calls = 0;
static int32_t backwards(void *context, int32_t (*body)(void *, void *, int64_t, int64_t), void *data, int64_t n,
                         int64_t most) {
  calls++;
  for (int64_t i = n - 1; i >= 0; i--) {
    int32_t code = body(context, data, i, i + 1);
    if (code) return code;
  }
  return 0;
}

int main(int argc, char **argv) {
  float a[12], b[12];
  for (int i = 0; i < 12; i++) a[i] = i * 0.25f;
  if (argc > 1) tewb_hooks[0] = (void *)backwards;
  int code = tewb_both_ends(a, 2.0f, b, 3);
  for (int i = 0; i < 12; i++) printf("%.9g ", b[i]);
  printf("%d %d", code, calls);
  return 0;
}
"""


@pytest.mark.parametrize("own_threads", [False, True])
def test_a_c_program_calls_a_kernel(kernel: Any, tmp_path: Path, own_threads: bool) -> None:
    kernel.export_library(tmp_path / "both.o")
    (tmp_path / "main.c").write_text(C_PROGRAM)
    command = [compiler(), "-Wall", "-Werror", "main.c", "both.o", "-o", "both", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    arguments = [str(tmp_path / "both"), *(["own"] if own_threads else [])]
    *values, code, calls = subprocess.run(
        arguments, capture_output=True, text=True, check=True
    ).stdout.split()
    a = np.arange(12, dtype="float32").reshape(3, 4) * np.float32(0.25)
    expected = kernel(a, 2.0)
    np.testing.assert_array_equal(np.array(values, "float32").reshape(3, 4), expected)
    assert (code, int(calls) > 0) == ("0", own_threads)


def test_two_libraries_in_one_c_program(kernel: Any, tmp_path: Path) -> None:
    A = te.placeholder((4,), name="double")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    tewb.build(te.create_schedule(B.op), [A, B], name="main").export_library(tmp_path / "one.o")
    kernel.export_library(tmp_path / "both.o")
    text = """
    #include "one.h"
    extern int32_t tewb_both_ends(const float *, float, float *, int32_t);
    int main(void) { float a[4] = {1, 2, 3, 4}, b[4]; return tewb_main(a, b) + tewb_both_ends(a, 1, b, 1); }
    """
    (tmp_path / "main.c").write_text(text)
    command = [compiler(), "main.c", "one.o", "both.o", "-o", "both", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    subprocess.run([str(tmp_path / "both")], check=True)


def test_what_goes_wrong_is_the_c_functions_result(tmp_path: Path) -> None:
    index, A = te.placeholder((1,), "int32", name="I"), te.placeholder((4,), name="A")
    B = te.compute((1,), lambda i: A[index[i]], name="B")
    tewb.build(te.create_schedule(B.op), [index, A, B], name="take").export_library(tmp_path / "take.o")
    text = """
    #include "take.h"
    int main(int argc, char **argv) { int32_t at[1] = {argc + 3}; float a[4], b[1]; return tewb_take(at, a, b); }
    """
    (tmp_path / "main.c").write_text(text)
    subprocess.run([compiler(), "main.c", "take.o", "-o", "take", "-lm"], cwd=tmp_path, check=True)
    assert subprocess.run([str(tmp_path / "take")], check=False).returncode == 2  # index 4 of 4


def test_the_header_names_shapes_strides_and_what_is_written(tmp_path: Path) -> None:
    A = te.placeholder((4, 8), "uint8", name="class")
    flag = te.var("flag", "bool")
    B = te.compute((4, 8), lambda i, j: te.select(flag, A[i, j], te.const(1, "uint8")), name="class")
    strided = te.decl_buffer(A.shape, "uint8", name="class", strides=[te.var("s"), 1])
    kernel = tewb.build(te.create_schedule(B.op), [A, flag, B], binds={A: strided}, name="pick")
    kernel.export_library(tmp_path / "pick.o")
    text = (tmp_path / "pick.h").read_text()
    assert "/* pick: class uint8[4, 8], strides (s, 1); class uint8[4, 8], written */" in text
    assert "int32_t tewb_pick(const uint8_t *class_1, bool flag, uint8_t *class_2, int32_t s);" in text


def test_a_tar_has_the_object_and_its_header(kernel: Any, tmp_path: Path) -> None:
    kernel.export_library(tmp_path / "both.tar")
    with tarfile.open(tmp_path / "both.tar") as tar:
        assert tar.getnames() == ["both.o", "both.h"]


def test_a_given_linker_gets_the_objects(kernel: Any, tmp_path: Path) -> None:
    compiler()
    seen: list[Any] = []

    def link(output: str, objects: list[str], options: list[str] | None = None) -> None:
        seen.append((Path(output).parent, [Path(o).name for o in objects], options))
        create_shared(output, objects, options)

    kernel.export_library(tmp_path / "both.so", link, options=["-lm"])
    assert seen == [(tmp_path, ["both.o"], ["-lm"])]
    assert (tmp_path / "both.so").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["both.h", "both.so"]


def test_without_a_linker_it_says_so(kernel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setitem(sys.modules, "ziglang", None)
    with pytest.raises(
        tewb.TewbError, match=r"made by a linker, and this machine has none[\s\S]*tewb\[export\]"
    ):
        kernel.export_library(tmp_path / "both.so")
    assert list(tmp_path.iterdir()) == []


def test_what_a_linker_says_is_passed_on(kernel: Any, tmp_path: Path) -> None:
    compiler()
    with pytest.raises(tewb.TewbError, match="cannot link"):
        kernel.export_library(tmp_path / "both.so", options=["-lthere_is_no_such_library"])


def test_other_endings_are_refused(kernel: Any, tmp_path: Path) -> None:
    with pytest.raises(tewb.TewbError, match=r"ends with \.zip is no library[\s\S]*\.so"):
        kernel.export_library(tmp_path / "both.zip")
    with pytest.raises(tewb.TewbError, match="addons"):
        kernel.export_library(tmp_path / "both.o", addons=["x.c"])


def test_code_for_another_processor_is_an_object_file(tmp_path: Path) -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] * 2.0, name="B")
    arm = "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1"
    kernel = tewb.build(te.create_schedule(B.op), [A, B], target=arm, name="twice")
    kernel.export_library(tmp_path / "twice.o")
    assert (tmp_path / "twice.o").read_bytes()[18] == 183  # EM_AARCH64
    assert "aarch64-linux-gnu" in (tmp_path / "twice.h").read_text()
    with pytest.raises(tewb.TewbError, match="the linker of this machine makes no shared library"):
        kernel.export_library(tmp_path / "twice.so")
    with pytest.raises(tewb.TewbError):  # it is for another machine, whichever loads it
        tewb.runtime.load_module(str(tmp_path / "twice.o"))
