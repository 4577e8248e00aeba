"""Libraries that are loaded again: the same results, the same errors, in this process and in another one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tests.runtime.test_exported import compiler, program
from tewb import te
from tewb.runtime import load_module

ENDINGS = ["so", "o", "tar"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_loaded_kernel_does_the_same(ending: str, tmp_path: Path) -> None:
    if ending == "so":
        compiler()
    kernel = program()
    kernel.export_library(tmp_path / f"both.{ending}")
    loaded = load_module(tmp_path / f"both.{ending}")
    for n in (0, 1, 37):
        a = np.random.default_rng(n).random((n, 4), "float32")
        for _ in range(3):  # the third goes through the native entry
            np.testing.assert_array_equal(loaded(a, 1.5), kernel(a, 1.5))
    assert loaded.name == "both ends"
    assert repr(loaded) == repr(kernel)
    with pytest.raises(tewb.TewbError, match=r"float64"):
        loaded(np.zeros((3, 4)), 1.0)


def test_another_process_loads_it(tmp_path: Path) -> None:
    program().export_library(tmp_path / "both.o")
    text = f"""
import numpy as np, tewb
kernel = tewb.runtime.load_module({str(tmp_path / "both.o")!r})
print(kernel(np.ones((2, 4), "float32"), 1.0)[0, 0])
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    expected = np.float32(np.exp(1)) + np.hypot(np.float32(np.exp(1)), np.float32(1))
    assert float(done.stdout) == pytest.approx(float(expected), rel=1e-6)


def test_packed_functions_are_looked_up_when_a_loaded_kernel_is_called(tmp_path: Path) -> None:
    @tewb.register_func("tests.loaded.triple", override=True)
    def triple(a: Any, b: Any) -> None:
        np.multiply(a, 3, out=b)

    A = te.placeholder((3, 4), name="A")
    E = te.extern((3, 4), [A], lambda i, o: te.call_packed("tests.loaded.triple", i[0], o[0]), name="E")
    C = te.compute((3, 4), lambda i, j: E[i, j] + 1.0, name="C")
    tewb.build(te.create_schedule(C.op), [A, C]).export_library(tmp_path / "packed.o")
    loaded = load_module(tmp_path / "packed.o")
    a = np.arange(12, dtype="float32").reshape(3, 4)
    np.testing.assert_array_equal(loaded(a), a * 3 + 1)

    @tewb.register_func("tests.loaded.triple", override=True)
    def wrong(a: Any, b: Any) -> None:
        raise KeyError("no")

    with pytest.raises(KeyError, match="no"):
        loaded(a)


def test_errors_of_a_loaded_kernel_have_their_words(tmp_path: Path) -> None:
    index, A = te.placeholder((1,), "int32", name="I"), te.placeholder((4,), name="A")
    B = te.compute((1,), lambda i: A[index[i]], name="B")
    tewb.build(te.create_schedule(B.op), [index, A, B]).export_library(tmp_path / "take.o")
    with pytest.raises(tewb.TewbError, match="B reads outside of A in dimension 0"):
        load_module(tmp_path / "take.o")(np.array([4], "int32"), np.zeros(4, "float32"))


def test_a_new_export_does_not_change_what_is_loaded(tmp_path: Path) -> None:
    compiler()
    A = te.placeholder((4,), name="A")

    def plus(x: float) -> Any:
        B = te.compute((4,), lambda i: A[i] + x, name="B")
        return tewb.build(te.create_schedule(B.op), [A, B])

    path, a = tmp_path / "plus.so", np.zeros(4, "float32")
    plus(1.0).export_library(path)
    first = load_module(path)
    plus(2.0).export_library(path)
    second = load_module(path)
    assert (first(a)[0], second(a)[0]) == (1.0, 2.0)


def test_a_library_keeps_no_text(tmp_path: Path) -> None:
    program().export_library(tmp_path / "both.o")
    loaded = load_module(tmp_path / "both.o")
    with pytest.raises(tewb.TewbError, match=r"both\.o is machine code alone"):
        loaded.get_source("asm")
    with pytest.raises(tewb.TewbError, match="machine code alone"):
        loaded.export_library(tmp_path / "again.o")


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(tewb.TewbError, match="there is no file"):
        load_module(tmp_path / "none.so")
    for name in ("text.o", "text.tar"):
        (tmp_path / name).write_text("no library")
        with pytest.raises(tewb.TewbError, match="has no kernels of tewb"):
            load_module(tmp_path / name)
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(tewb.TewbError, match="the system does not load"):
        load_module(tmp_path / "text.so")
    (tmp_path / "text.py").write_text("")
    with pytest.raises(tewb.TewbError, match=r"text\.py is no library"):
        load_module(tmp_path / "text.py")


def test_a_shared_library_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.c").write_text("int f(void) { return 1; }")
    subprocess.run([compiler(), "-shared", "-fPIC", "other.c", "-o", "other.so"], cwd=tmp_path, check=True)
    with pytest.raises(tewb.TewbError, match="has no kernels of tewb"):
        load_module(tmp_path / "other.so")


def test_a_library_of_another_version_is_refused(tmp_path: Path) -> None:
    program().export_library(tmp_path / "both.o")
    data = (tmp_path / "both.o").read_bytes()
    assert data.count(b'{"version": 1,') == 1
    (tmp_path / "both.o").write_bytes(data.replace(b'{"version": 1,', b'{"version": 7,'))
    with pytest.raises(tewb.TewbError, match="made by another tewb: version 7"):
        load_module(tmp_path / "both.o")


def test_the_fmt_says_what_a_file_without_ending_is(tmp_path: Path) -> None:
    program().export_library(tmp_path / "both.o")
    (tmp_path / "both.o").rename(tmp_path / "both")
    assert load_module(tmp_path / "both", "o").name == "both ends"


SYSTEM_LIBRARIES = """
import ctypes, sys
import numpy as np
import tewb
from tewb import te
from tewb.contrib import cc

folder = sys.argv[1]
libraries = []
for n, name in enumerate(["one", "two"]):
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + float(n + 1), name="B")
    kernel = tewb.build(te.create_schedule(B.op), [A, B], "llvm --system-lib", name=name)
    kernel.save(f"{folder}/{name}.o")
    cc.create_shared(f"{folder}/{name}.so", [f"{folder}/{name}.o"])
    libraries.append(ctypes.CDLL(f"{folder}/{name}.so", ctypes.RTLD_GLOBAL))
found = tewb.runtime.system_lib()
results = []
for name in ("one", "two"):
    b = np.zeros(4, "float32")
    found[name](np.ones(4, "float32"), b)
    results.append(b[0])
import _ctypes
_ctypes.dlclose(libraries[1]._handle)
print(found.code.names, *results, tewb.runtime.system_lib().code.names)
"""


def test_several_system_libraries_are_found_in_one_process(tmp_path: Path) -> None:
    compiler()
    done = subprocess.run(
        [sys.executable, "-c", SYSTEM_LIBRARIES, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "('one', 'two') 2.0 3.0 ('one',)"


ONE_LIBRARY = """
import ctypes, sys
import numpy as np
import tewb
from tewb import te
from tewb.contrib import cc

folder, target, how = sys.argv[1:]
objects = []
for n, name in enumerate(["one", "two", "three"]):
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + float(n + 1), name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(B.op.axis[0])
    tewb.build(s, [A, B], target, name=name).save(f"{folder}/{name}.o")
    objects.append(f"{folder}/{name}.o")
if how == "linked":
    cc.create_shared(f"{folder}/all.so", objects)
    found = tewb.runtime.load_module(f"{folder}/all.so")
else:
    held = []
    for o in objects:
        cc.create_shared(o.replace(".o", ".so"), [o])
        held.append(ctypes.CDLL(o.replace(".o", ".so")))
    found = tewb.runtime.system_lib()
results = []
for name in ("one", "two", "three"):
    b = np.zeros(4, "float32")
    found[name](np.ones(4, "float32"), b)
    results.append(float(b[0]))
print(sorted(found.code.names), *results)
"""


@pytest.mark.parametrize(
    ("target", "how"), [("llvm", "linked"), ("llvm --system-lib", "linked"), ("llvm --system-lib", "loaded")]
)
def test_kernels_of_several_object_files(target: str, how: str, tmp_path: Path) -> None:
    compiler()
    command = [sys.executable, "-c", ONE_LIBRARY, str(tmp_path), target, how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.strip() == "['one', 'three', 'two'] 2.0 3.0 4.0"


@pytest.mark.parametrize("ending", ["ll", "bc", "s"])
def test_code_that_does_not_say_what_it_takes_is_refused(ending: str, tmp_path: Path) -> None:
    program().save(tmp_path / f"both.{ending}")
    with pytest.raises(tewb.TewbError, match=rf"both\.{ending} is code as LLVM reads it") as e:
        load_module(tmp_path / f"both.{ending}")
    assert 'save the kernel as ".o"' in str(e.value)
