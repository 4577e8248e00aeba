"""What classic programs ask of a module."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tests.runtime.test_exported import program
from tewb import te


def two() -> Any:
    """A module of two functions."""
    A = te.placeholder((4,), name="A")
    functions = {}
    for name, factor in (("twice", 2.0), ("thrice", 3.0)):
        B = te.compute((4,), lambda i, factor=factor: A[i] * factor, name="B")
        functions |= tewb.lower(te.create_schedule(B.op), [A, B], name=name).functions
    return tewb.build(tewb.IRModule(functions))


def test_functions_of_a_module_are_found_by_name() -> None:
    module, a = two(), np.ones(4, "float32")
    assert (module(a)[0], module["thrice"](a)[0], module.get_function("twice")(a)[0]) == (2, 3, 2)
    assert module.entry_func is module
    assert module.entry_name == "twice"
    assert (module.implements_function("thrice"), module.implements_function("four")) == (True, False)
    with pytest.raises(tewb.TewbError, match=r"no kernel 'four'[\s\S]*twice, thrice"):
        module["four"]


def test_a_function_that_is_not_there_is_an_attribute_error_too() -> None:
    module = two()
    with pytest.raises(AttributeError, match=r"'twce'[\s\S]*did you mean twice\? it has twice, thrice"):
        module["twce"]
    for name in ("main", "default_function", "nope"):
        assert not module.implements_function(name)
        with pytest.raises(tewb.TewbError, match=f"no kernel '{name}'"):
            module.get_function(name)


def test_a_kernel_without_a_name_has_both_default_names(tmp_path: Path) -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    default = tewb.build(s, [A, B])
    for kernel in (default, tewb.build(tewb.lower(s, [A, B]))):
        assert kernel["main"] is kernel["default_function"] is kernel[kernel.entry_name] is kernel
        assert kernel.implements_function("default_function")
    classic = tewb.build(s, [A, B], name="default_function")
    assert classic.name == "default_function" and classic["main"] is classic
    default.export_library(tmp_path / "default.o")
    loaded = tewb.runtime.load_module(tmp_path / "default.o")
    assert loaded["default_function"](np.ones(4, "float32"))[0] == 2
    both = tewb.build(
        tewb.IRModule({**tewb.lower(s, [A, B]).functions, **tewb.lower(s, [A, B], name="other").functions})
    )
    assert both["other"]["default_function"].name == "main"


def test_the_classic_words_about_a_module() -> None:
    module = two()
    assert (module.type_key, module.imported_modules, module.is_dso_exportable) == ("llvm", [], True)
    with pytest.raises(tewb.TewbError, match="imports no other"):
        module.import_module(module)


def test_all_functions_of_a_module_are_exported(tmp_path: Path) -> None:
    two().export_library(tmp_path / "two.o")
    loaded, a = tewb.runtime.load_module(tmp_path / "two.o"), np.ones(4, "float32")
    assert (loaded(a)[0], loaded["thrice"](a)[0]) == (2, 3)


def test_code_is_saved_in_every_form(tmp_path: Path) -> None:
    kernel = program()
    for ending in ("ll", "bc", "s", "o"):
        kernel.save(tmp_path / f"both.{ending}")
    kernel.save(str(tmp_path / "both"), "asm")
    assert (tmp_path / "both.ll").read_text() == kernel.get_source("ll")
    assert (tmp_path / "both.s").read_text() == (tmp_path / "both").read_text() == kernel.get_source("asm")
    assert (tmp_path / "both.bc").read_bytes()[:2] == b"BC"
    assert tewb.runtime.load_module(tmp_path / "both.o").name == kernel.name
    with pytest.raises(tewb.TewbError, match=r"'zip' is no form of code"):
        kernel.save(tmp_path / "both.zip")


@pytest.mark.parametrize("target", [None, "llvm -mcpu=x86-64"])
def test_kernels_pickle(target: str | None) -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="a name")
    B = te.compute((n,), lambda i: te.exp(A[n - 1 - i]), name="a name")
    kernel = tewb.build(te.create_schedule(B.op), [A, B], target=target, name="turn")
    again = pickle.loads(pickle.dumps(kernel))
    a = np.random.default_rng(0).random(13, "float32")
    if again.code.target.runs_here:
        np.testing.assert_array_equal(again(a), kernel(a))
    assert again.signature == kernel.signature
    assert again.code.target == kernel.code.target
    with pytest.raises(tewb.TewbError, match="the 1st argument, a name"):
        again(a.astype("float64"), a)


def test_a_kernel_of_debug_build_stays_one() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    kernel = tewb.build(te.create_schedule(B.op), [A, B], debug=True)
    assert pickle.loads(pickle.dumps(kernel)).get_source("ll0") == kernel.get_source("ll0")


def test_a_kernel_is_its_own_copy() -> None:
    kernel = program()
    assert copy.copy(kernel) is kernel
    assert copy.deepcopy([kernel])[0] is kernel


def test_a_kernel_from_a_library_does_not_pickle(tmp_path: Path) -> None:
    program().export_library(tmp_path / "both.o")
    with pytest.raises(tewb.TewbError, match="machine code alone"):
        pickle.dumps(tewb.runtime.load_module(tmp_path / "both.o"))


def test_time_evaluator_counts_as_it_is_told() -> None:
    kernel, calls = two(), []

    @tewb.register_func("tests.module.count", override=True)
    def count(a: Any, b: Any) -> None:
        calls.append(1)

    A = te.placeholder((4,), name="A")
    E = te.extern((4,), [A], lambda i, o: te.call_packed("tests.module.count", i[0], o[0]), name="E")
    counted = tewb.build(te.create_schedule(E.op), [A, E])
    a, b = np.ones(4, "float32"), np.ones(4, "float32")
    assert counted.time_evaluator(counted.entry_name, ctx=tewb.context("llvm", 0), number=1)(a, b).mean > 0
    del calls[:]
    timing = counted.time_evaluator(counted.entry_name, tewb.cpu(0), number=3, repeat=5)(a, b)
    assert (len(calls), len(timing.results)) == (15, 5)
    assert timing.min <= timing.mean <= timing.max
    evaluate = kernel.time_evaluator("thrice", number=1, cooldown_interval_ms=1, cache_flush_bytes=64)
    assert evaluate(a, b).mean > 0
    assert b[0] == 3
    with pytest.raises(tewb.TewbError, match="number=0 is no number of calls"):
        kernel.time_evaluator("thrice", number=0)
    with pytest.raises(tewb.TewbError, match="no kernel 'none'"):
        kernel.time_evaluator("none")
