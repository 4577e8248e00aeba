"""The translators of hybrid functions, each with what its constructor asks for and nothing else."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from typing import Any

import pytest

import tewb.tensor.hybrid
from tewb.base import BOOL, FLOAT32, INT32, BoundError, HybridError
from tewb.ir import Buffer, BufferLoad, Var, const, ops, structural_equal
from tewb.tensor import Operation
from tewb.tensor.hybrid.arithmetic import Arithmetic
from tewb.tensor.hybrid.emitted import joined
from tewb.tensor.hybrid.expressions import ExpressionTranslator
from tewb.tensor.hybrid.indices import IndexTranslator
from tewb.tensor.hybrid.name_scope import NameScope
from tewb.tensor.hybrid.scalars import ScalarTranslator
from tewb.tensor.hybrid.source_text import SourceText
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Inlinable, ScalarVariable

A = Buffer("a", FLOAT32, (const(8),))


def translation(line: str = "pass") -> Translation:
    return Translation(object(), SourceText(f"def f():\n    {line}\n", "f.py"), {})


def subscript(text: str) -> ast.Subscript:
    node = ast.parse(text, mode="eval").body
    assert isinstance(node, ast.Subscript)
    return node


def test_no_translator_inherits_from_another() -> None:
    for info in pkgutil.iter_modules(tewb.tensor.hybrid.__path__, "tewb.tensor.hybrid."):
        module: Any = importlib.import_module(info.name)
        for c in vars(module).values():
            if inspect.isclass(c) and c.__module__ == info.name and not issubclass(c, Operation):
                bases = [b for b in c.__mro__[1:] if b.__module__.startswith("tewb.tensor.hybrid")]
                assert set(bases) <= {Inlinable}, c


def test_names_end_with_their_block() -> None:
    names = NameScope({}, {})
    names.set("x", 1)
    with names.block():
        names.set("y", 2)
        assert (names.find("x"), names.find("y")) == (1, 2)
        assert names.is_set_around("x") and not names.is_set_around("y")
    assert names.find("y") is None and names.ended == {"y"}


def test_an_index_is_proved_checked_or_refused() -> None:
    t = translation()
    i, n = Var("i", INT32), Var("n", INT32)
    t.analyzer.bind_extent(i, const(0), const(8))
    values = {"i": i, "n": n, "9": 9}
    translator = IndexTranslator(t, Arithmetic(t), lambda node: values[ast.unparse(node)])
    assert translator.indices(subscript("a[i]"), A) == (i,)
    assert t.pending == []
    translator.indices(subscript("a[n]"), A)
    assert "f leaves a in dimension 0" in str(joined(t.take_pending()))
    with pytest.raises(BoundError, match="outside of a"):
        translator.indices(subscript("a[9]"), A)


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


def test_a_scalar_variable_keeps_the_dtype_of_its_first_value() -> None:
    t = translation()
    scalars = ScalarTranslator(t, Arithmetic(t))
    scalars.declare("x", 0, t.source.tree)
    x = t.names.find("x")
    assert isinstance(x, ScalarVariable) and x.buffer.dtype == "int32"
    with pytest.raises(HybridError, match="x holds int32, from its first value, and this is float32"):
        scalars.store(x, 0.5, t.source.tree)


def test_expressions_need_no_statements() -> None:
    t = translation()
    i = Var("i", INT32)
    t.names.set("i", i)
    expressions = ExpressionTranslator(t)

    def evaluate(text: str) -> Any:
        return expressions.evaluate(ast.parse(text, mode="eval").body)

    assert evaluate("2 * 3 + 1") == 7
    assert structural_equal(evaluate("i * 2"), ops.mul(i, 2))
    assert evaluate("max(1, 2) < 3") is True
