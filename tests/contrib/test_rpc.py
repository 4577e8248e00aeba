"""Sessions of `tvm.rpc` with this process, as programs use them to try what they will send elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import TewbError
from tewb.contrib.rpc import LocalSession


def add_one(n: int) -> tuple[Any, Any]:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    return te.create_schedule(B.op), [A, B]


def test_a_kernel_that_is_uploaded_runs_here(tmp_path: Path) -> None:
    from tewb import rpc  # type: ignore[attr-defined]

    path = tmp_path / "lib.tar"
    tewb.build(*add_one(5), name="add_one").export_library(str(path))
    remote = rpc.LocalSession()
    remote.upload(str(path))
    path.unlink()
    f = remote.load_module("lib.tar")
    dev = remote.cpu()
    a, b = tewb.nd.array(np.arange(5.0, dtype="float32"), dev), tewb.nd.empty((5,), "float32", dev)
    f(a, b)
    assert b.numpy().tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert f.time_evaluator(f.entry_name, dev, number=2)(a, b).mean > 0
    assert not remote.cl(0).exist and remote.device("cpu") == dev


def test_files_of_a_session() -> None:
    remote = LocalSession()
    remote.upload(bytearray(b"abc"), target="some/data.bin")
    assert remote.listdir() == ["data.bin"] and remote.download("data.bin") == b"abc"
    remote.remove("data.bin")
    assert remote.listdir() == []
    with pytest.raises(TewbError, match="bytes have no name"):
        remote.upload(b"abc")
    with pytest.raises(AttributeError, match="no attribute 'warp'"):
        remote.warp()


def test_functions_of_a_session_are_those_of_this_process() -> None:
    tewb.register_func("tests.rpc.twice", lambda x: 2 * x, override=True)
    assert LocalSession().get_function("tests.rpc.twice")(4) == 8
