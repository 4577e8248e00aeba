"""`tewb.compat.install()`: tewb by the name of tvm."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import TewbError, TewbWarning
from tewb.compat import install, uninstall


@pytest.fixture
def tvm() -> Iterator[Any]:
    install()
    yield importlib.import_module("tvm")


def test_the_modules_of_tvm_are_those_of_tewb(tvm: Any) -> None:
    import tvm.tir.ir_builder  # type: ignore[import-not-found]
    from tvm import te as te_of_tvm  # type: ignore[import-not-found]
    from tvm.te.tensor import Tensor  # type: ignore[import-not-found]

    assert te_of_tvm is te and Tensor is te.Tensor and tvm.tir.ir_builder.create is tewb.tir.ir_builder.create
    assert te.__name__ == "tewb.te" and te.__spec__ is not None and te.__spec__.name == "tewb.te"
    assert {"build", "te"} <= set(dir(tvm))


def test_a_program_runs(tvm: Any) -> None:
    A = tvm.placeholder((4,), name="A")
    B = tvm.compute(A.shape, lambda i: A[i] + 1.0, name="B")
    b = np.zeros(4, "float32")
    tvm.build(tvm.create_schedule(B.op), [A, B])(np.arange(4, dtype="float32"), b)
    np.testing.assert_array_equal(b, [1, 2, 3, 4])


def test_integers_divide_as_in_v05_with_a_warning_and_not_without_tvm(tvm: Any) -> None:
    A = tvm.placeholder((4, 2), name="A", dtype="int32")
    with pytest.warns(TewbWarning, match="rounds toward zero"):
        B = tvm.compute((8,), lambda i: A[i / 2, i % 2] / 2, name="B")
    a, b = np.arange(-4, 4, dtype="int32").reshape(4, 2), np.zeros(8, "int32")
    tvm.build(tvm.create_schedule(B.op), [A, B])(a, b)
    np.testing.assert_array_equal(b, [-2, -1, -1, 0, 0, 0, 1, 1])
    uninstall()
    with pytest.raises(TewbError, match="does not say how to round"):
        te.var("n") / 2


def test_equality_of_expressions_is_identity_in_an_if_but_not_in_the_function_of_an_element(tvm: Any) -> None:
    m, n = tvm.var("m"), tvm.var("n")
    assert bool(m == n) is False and m != n and n in [m, n] and [m, n].index(n) == 1 and m + n == m + n
    assert m != 3 and tvm.placeholder((m,)).shape[0] == m
    with pytest.raises(TewbError, match="no truth value"):
        tvm.compute((3, 3), lambda i, j: 1.0 if i == j else 0.0)
    with pytest.raises(ValueError, match="no truth value"):
        assert m < n
    uninstall()
    with pytest.raises(TewbError, match="no truth value"):
        assert m != n


def test_topi_had_a_name_of_its_own(tvm: Any) -> None:
    import topi.testing  # type: ignore[import-not-found]
    from topi.util import get_const_tuple  # type: ignore[import-not-found]

    import tewb.topi

    A = tvm.placeholder((2, 3), name="A")
    assert topi is tewb.topi and get_const_tuple(A.shape) == (2, 3) == topi.util.get_const_tuple(A.shape)
    uninstall()
    assert not [name for name in sys.modules if name.partition(".")[0] == "topi"]
    with pytest.raises(ModuleNotFoundError):
        import topi.nn


def test_the_version_is_one_that_programs_can_read(tvm: Any) -> None:
    version = str(tvm.__version__)
    assert [int(word) for word in version.split(".")] >= [0, 8, 0]


def test_twice_is_once_and_uninstall_takes_it_back(tvm: Any) -> None:
    count = len(sys.meta_path)
    install()
    assert len(sys.meta_path) == count and sys.modules["tvm"] is tvm
    uninstall()
    assert not [n for n in sys.modules if n.split(".")[0] == "tvm"]
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("tvm.te")
    uninstall()
    assert tvm.te is te  # what was imported stays usable


def test_another_tvm_that_is_imported_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tvm", ModuleType("tvm"))
    with pytest.raises(TewbError, match="another tvm is imported already"):
        install()
    uninstall()
    assert "tvm" in sys.modules


def test_another_tvm_that_is_installed_is_hidden_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tvm.py").write_text("te = 'another'\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.warns(
        TewbWarning, match="import tvm gives tewb: the tvm that is installed .*tvm.py.* is hidden"
    ):
        install()
    try:
        assert importlib.import_module("tvm").te is te
    finally:
        uninstall()
    assert importlib.import_module("tvm").te == "another"
    del sys.modules["tvm"]
