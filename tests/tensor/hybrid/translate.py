"""Hybrid text on its way to loops: expressions and whole functions, translated or checked, without files and kernels."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

from tewb import te
from tewb.tensor.hybrid.expressions import ExpressionTranslator
from tewb.tensor.hybrid.script import HybridFunction
from tewb.tensor.hybrid.source_text import SourceText
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Value


def parsed(text: str) -> ast.expr:
    """The syntax tree of an expression."""
    return ast.parse(text, mode="eval").body


def translation(line: str = "pass", **outer: Any) -> Translation:
    """The translation of a function `f` of one line; `outer` are names of the code around it."""
    return Translation(object(), SourceText(f"def f():\n    {line}\n", "f.py"), outer)


def expressions(outer: dict[str, Any] | None = None, **names: Any) -> ExpressionTranslator:
    """The expressions of a function that has set `names`."""
    t = translation(**(outer or {}))
    for name, value in names.items():
        t.names.set(name, value)
    return ExpressionTranslator(t)


def evaluate(text: str, **names: Any) -> Value:
    """What an expression means where these names are set."""
    return expressions(**names).evaluate(parsed(text))


def function(body: str, head: str = "def f(a):") -> HybridFunction:
    """The hybrid function with these lines."""
    text = f"{head}\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
    return HybridFunction(None, SourceText(text, "f.py"))


def translated(body: str, *args: Any, head: str = "def f(a):") -> Any:
    """The operation of a function, of a float32 tensor A of 8 elements unless `args` are given."""
    made = function(body, head)(*(args or (te.placeholder((8,), name="A"),)))
    return (made[0] if isinstance(made, tuple | list) else made).op


def loops(body: str, *args: Any, head: str = "def f(a):") -> str:
    """The loops of a function with an output b of 8 elements, which the lines set, as IR."""
    text = f"b = output_tensor((8,), 'float32')\n{textwrap.dedent(body).strip()}\nreturn b"
    return str(translated(text, *args, head=head).body)
