"""The face: classic names on modules of tewb, and modules that are only names."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import tewb
from tewb import te, tir
from tewb.base import TewbError
from tewb.compat import face
from tewb.compat.names import ClassicModule, modules

tvm: Any = tewb


@pytest.mark.parametrize(
    "name",
    [
        "placeholder",
        "compute",
        "var",
        "const",
        "create_schedule",
        "call_packed",
        "reduce_axis",
        "sum",
        "max",
        "exp",
        "select",
    ],
)
def test_flat_names_of_v05_are_those_of_te(name: str) -> None:
    assert getattr(tvm, name) is getattr(te, name)


@pytest.mark.parametrize(
    ("module", "name", "meant"),
    [
        ("te.tensor", "Tensor", te.Tensor),
        ("tir.expr", "Var", tir.Var),
        ("tir.stmt", "AttrStmt", tir.AttrStmt),
        ("tir.op", "call_packed", tir.call_packed),
        ("tir.buffer", "decl_buffer", tir.decl_buffer),
        ("expr", "IntImm", tir.IntImm),
        ("ndarray", "array", tewb.nd.array),
        ("hybrid", "script", te.hybrid.script),
        ("ir_builder", "create", tir.ir_builder.create),
        ("error", "TVMError", TewbError),
        ("_ffi.base", "TVMError", TewbError),
        ("driver.build_module", "build", tewb.build),
    ],
)
def test_old_module_paths(module: str, name: str, meant: Any) -> None:
    assert getattr(importlib.import_module(f"tewb.{module}"), name) is meant
    value = tvm
    for word in (*module.split("."), name):
        value = getattr(value, word)
    assert value is meant


def test_a_name_that_classic_te_had_not_either_raises_attribute_error() -> None:
    with pytest.raises(
        AttributeError, match="module 'tewb' has no attribute 'plaecholder'; did you mean placeholder"
    ):
        tvm.plaecholder  # noqa: B018
    with pytest.raises(AttributeError, match="module 'tewb.te' has no attribute 'no_such_name'"):
        te.no_such_name  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(te, "__wrapped__")
    with pytest.raises(ImportError):
        importlib.import_module("tewb.no_such_module")


def test_a_name_whose_home_is_not_there_yet_says_so_at_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(te, "floormod")
    absent = te.floormod
    with pytest.raises(TewbError, match="tewb has no te.floormod\n  hint: tewb knows the name"):
        absent(1, 2)
    monkeypatch.undo()
    assert te.floormod is not absent


def test_a_module_whose_home_is_not_there_yet_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {**modules(), "elsewhere": ClassicModule("elsewhere", "tewb.no_such_module", is_alias=True)}
    monkeypatch.setattr(face, "modules", lambda: table)
    elsewhere = importlib.import_module("tewb.elsewhere")
    with pytest.raises(TewbError, match="tewb has no elsewhere.load"):
        elsewhere.load("x")
    del sys.modules["tewb.elsewhere"], tvm.elsewhere


def test_a_module_keeps_names_that_it_loads_by_itself() -> None:
    assert tvm.Session is importlib.import_module("tewb.workbench").Session
    assert callable(face.locate("tewb.Session"))


def test_a_face_module_lists_its_names() -> None:
    cc = importlib.import_module("tewb.driver.build_module")
    assert {"build", "lower"} <= set(cc.__all__) <= set(dir(cc))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        cc.nothing  # noqa: B018


def test_importing_tewb_reads_no_table_of_names() -> None:
    code = "import sys, tewb; print('tewb.compat.names' in sys.modules, 'json' in sys.modules)"
    code += "; tewb.placeholder; print('tewb.compat.names' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["False", "False", "True"]


@pytest.mark.parametrize(
    "module", [m for m in modules().values() if "." in m.name and not m.is_class], ids=lambda m: m.name
)
def test_no_classic_module_takes_the_place_of_something_else(module: Any) -> None:
    """`import a.b` puts the module b into a, whatever has been there."""
    parent, _, child = module.name.rpartition(".")
    there = vars(importlib.import_module(f"tewb.{parent}")).get(child)
    assert there is None or isinstance(there, ModuleType)


def test_what_programs_import_and_may_never_use() -> None:
    for name in (
        "autotvm.tuner",
        "autotvm.task",
        "autotvm.task.task",
        "autotvm.tuner.callback",
        "autotvm.tuner.xgboost_tuner",
        "autotvm.tuner.index_based_tuner",
        "autotvm.tuner.model_based_tuner",
        "autotvm.tuner.sa_model_optimizer",
        "autotvm.measure.measure_methods",
        "contrib.ndk",
        "script.tir",
        "relay.op.nn",
        "runtime.profiling",
        "support",
    ):
        assert importlib.import_module(f"tewb.{name}") is not None


def test_expressions_of_tvmscript_are_those_of_tir() -> None:
    from tewb.script import tir as T  # type: ignore[import-not-found]

    assert T.max is tewb.tir.max and T.reinterpret is tewb.tir.reinterpret
    with pytest.raises(tewb.TewbError, match="tewb has no script.tir.prim_func"):
        T.prim_func(None)


def test_a_module_wears_its_names_once() -> None:
    """A module may be asked for its classic names while it is still being imported, and wear them at its end again."""
    answer = vars(te)["__getattr__"]
    face.wear("tewb.te")
    assert vars(te)["__getattr__"] is answer


def test_a_name_is_looked_up_once_and_builtins_stay_builtins() -> None:
    assert tvm.placeholder is te.placeholder and vars(tewb)["placeholder"] is te.placeholder
    assert tvm.sum is te.sum and "sum" not in vars(tewb)


@pytest.mark.parametrize(
    "module", ["te.schedule", "tir.transform", "tir.analysis", "tir.stmt_functor", "te.hybrid"]
)
def test_modules_in_modules_have_a_face_however_they_are_reached(module: str) -> None:
    code = f"import tewb\nprint(hasattr(tewb.{module}.__getattr__, 'own'))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "True"


@pytest.mark.parametrize(
    ("module", "name"),
    [("contrib.cblas", "batch_matmul"), ("contrib.utils", "FileLock"), ("testing", "utils")],
)
def test_a_module_that_is_imported_by_itself_answers_for_its_names(module: str, name: str) -> None:
    code = f"import tewb.{module} as m; print(m.{name})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith(("<contrib.", "<module 'tewb.testing"))


def test_modules_that_are_only_imported_answer_for_their_classic_names() -> None:
    """Without being asked for as an attribute of the one around, which dresses a module too: in a process of its own."""
    code = """
import importlib, sys
import tewb
from tewb.compat import face
missing = []
for classic, table in face.modules().items():
    if classic == "tvm" or table.is_class:
        continue
    try:
        module = importlib.import_module(f"tewb.{classic}")
    except ModuleNotFoundError:
        continue
    missing += [f"{classic}.{name}" for name in table.entries if not hasattr(module, name)]
print(missing)
import tewb.topi
print(tewb.topi.signal)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "[]" and "signal" in done.stdout.splitlines()[1]
