"""A hybrid function while it is translated: what comes before the statement at hand, and where that stands."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

import numpy as np
import pytest

import tewb.tensor.hybrid
from tests.tensor.hybrid.translate import function, translation
from tewb.base import BOOL, FLOAT32, INT32, HybridError
from tewb.ir import Buffer, BufferLoad, Var, const, ops
from tewb.tensor import Operation
from tewb.tensor.hybrid.emitted import joined
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Inlinable

A = Buffer("a", FLOAT32, (const(8),))


def test_no_translator_inherits_from_another() -> None:
    for info in pkgutil.iter_modules(tewb.tensor.hybrid.__path__, "tewb.tensor.hybrid."):
        module: Any = importlib.import_module(info.name)
        for c in vars(module).values():
            if inspect.isclass(c) and c.__module__ == info.name and not issubclass(c, Operation):
                bases = [b for b in c.__mro__[1:] if b.__module__.startswith("tewb.tensor.hybrid")]
                assert set(bases) <= {Inlinable}, c


def test_a_check_holds_only_where_its_expression_is_evaluated() -> None:
    t = translation()
    c, ok = Var("c", BOOL), Var("ok", BOOL)
    with t.assuming(c):
        t.check(ok, "not ok")
    assert "not c or ok" in str(joined(t.take_pending()))


def test_a_value_is_kept_when_the_statement_may_change_it() -> None:
    t = translation()
    i = Var("i", INT32)
    assert t.value_before(ops.add(i, 1), "v") is not None and t.pending == []
    kept = t.value_before(BufferLoad(A, (const(0),), A.dtype), "v")
    assert isinstance(kept, Var) and len(t.pending) == 1


def test_a_function_that_is_called_shares_buffers_and_facts_of_its_caller() -> None:
    outer = translation()
    f = function("return a")
    with outer.inside_branch():
        inner = Translation(f, f.text, {}, outer)
        assert inner.branches == 1 and inner.depth == 0
    assert (
        inner.buffers is outer.buffers and inner.analyzer is outer.analyzer and inner.names is not outer.names
    )
    assert f in inner.active and f not in outer.active


def test_what_is_pending_for_a_loop_waits_until_its_body_is_translated() -> None:
    t = translation()
    t.check(Var("ok", BOOL), "of the loop")
    with t.inside_loop():
        assert t.pending == [] and t.depth == 1
        t.check(Var("inner", BOOL), "of the body")
        t.take_pending()
    assert "of the loop" in str(joined(t.take_pending())) and t.depth == 0


def test_refusals_have_a_hint_and_the_line() -> None:
    t = translation("x = y")
    error = t.refuse(t.source.tree.body[0], "no")
    assert error.hint == "te.hybrid.script says what is allowed" and str(error.span) == "f.py, line 2"
    assert t.not_in_language(t.source.tree, None).message.startswith(
        "hybrid function f: functiondef is not part of the hybrid language"
    )


def test_large_tables_are_refused_where_they_are_used() -> None:
    t = translation("x = y")
    with pytest.raises(HybridError, match="hybrid function f: an array of 5000 constants is too large") as e:
        t.table_buffer(ConstantTable(np.zeros(5000, "int8")), t.source.tree)
    assert e.value.span is not None
