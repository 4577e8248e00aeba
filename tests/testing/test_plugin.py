"""The plugin: a suite as it was written for classic TE, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

SUITE = """
import numpy as np
import pytest
import tewb as tvm
import tewb.testing
from tewb import te

n, dtype = tvm.testing.parameters((4, "float32"), (5, "int32"))
scale = tvm.testing.parameter(1, 3)

@tvm.testing.fixture
def data(n, dtype):
    return np.arange(n).astype(dtype)

def test_scaled(target, dev, data, n, dtype, scale):
    A = te.placeholder((n,), name="A", dtype=dtype)
    B = te.compute((n,), lambda i: A[i] * te.const(scale, dtype), name="B")
    f = tvm.build(te.create_schedule(B.op), [A, B], target)
    b = tvm.nd.array(np.zeros(n, dtype), dev)
    f(tvm.nd.array(data, dev), b)
    tvm.testing.assert_allclose(b.numpy(), data * scale, rtol=1e-5)

def test_old_name(target, ctx):
    assert ctx == dev_of(target)

def dev_of(target):
    return tvm.nd.device(target, 0)

@tvm.testing.parametrize_targets("llvm", "cuda")
def test_named(target, dev):
    assert target == "llvm"

@tvm.testing.requires_gpu
def test_gpu():
    assert False

@pytest.mark.gpu
@tvm.testing.requires_llvm
def test_llvm():
    pass

if __name__ == "__main__":
    tvm.testing.main()
"""


@pytest.mark.slow
def test_a_suite_runs_on_llvm(tmp_path: Path) -> None:
    path = tmp_path / "test_suite.py"
    path.write_text(SUITE)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, str(path), "-vv", "--strict-markers", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(tmp_path)],
        capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed, 2 skipped" in done.stdout
    for name in (
        "test_scaled[4-float32-1-llvm]",
        "test_scaled[5-int32-3-llvm]",
        "test_old_name[llvm]",
        "test_named[llvm]",
        "test_named[cuda] SKIPPED",
        "test_gpu SKIPPED",
    ):
        assert name in done.stdout
