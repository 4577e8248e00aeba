"""The source of a hybrid function: where it stands, and its lines for messages."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from tewb.base import (
    HybridError,
    Span,
    TewbError,
    UnreadableError,
    around,
    brief,
    here,
    python_lines,
    python_tree,
)
from tewb.tensor.hybrid.syntax import set_names


class SourceText:
    """The text of one function: `lines` as its author wrote them (indented at the left margin), `tree` its
    definition, `file` and `first_line` where it stands."""

    def __init__(self, source: str, file: str, first_line: int = 1, name: str | None = None) -> None:
        self.name, self.file, self.first_line = name or "?", file, first_line
        self.source = textwrap.dedent(source) if isinstance(source, str) else source
        self.lines = python_lines(self.source) if isinstance(source, str) else []
        self.tree = self._definition(name)
        self.name = self.tree.name
        self.outer_names = _outer_names(self.tree)

    def _definition(self, name: str | None) -> ast.FunctionDef:
        try:
            self.module = python_tree(self.source)
        except UnreadableError as e:
            shown, _ = around(self.lines[e.line - 1].strip() if e.line <= len(self.lines) else "", e.column)
            why = e.why.removeprefix("this is not Python: ")
            raise HybridError(
                f"the source of {self.name} is not Python by itself: {why}\n    {shown}",
                hint="write a hybrid function as a def with its own lines",
                span=Span(self.file, self.first_line + e.line - 1),
            ) from None
        for node in self.module.body:
            if isinstance(node, ast.FunctionDef) and name in (None, node.name):
                return node
        raise HybridError(
            f"{self.name} is not a plain function",
            hint="te.hybrid.script takes a def: no lambda, class or async def",
            span=Span(self.file, self.first_line),
        )

    def span(self, node: ast.AST) -> Span:
        return Span(self.file, self.first_line + getattr(node, "lineno", 1) - 1)

    def shown(self, node: ast.AST) -> str:
        """The line of `node` with a caret below it."""
        line = getattr(node, "lineno", 1)
        text = self.lines[line - 1].rstrip() if line <= len(self.lines) else ""
        # Columns of a syntax tree count bytes.
        column = len(text.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        text, column = around(text, column)
        return f"    {text}\n    {' ' * column}^"

    def error(
        self, node: ast.AST, why: str, hint: str | None = None, kind: type[TewbError] = HybridError
    ) -> TewbError:
        message = f"hybrid function {brief(self.name)}: {brief(why, 1000)}\n{self.shown(node)}"
        return kind(message, hint=hint, span=self.span(node))


def source_of(f: Callable[..., Any], source: str | None = None) -> SourceText:
    """The text of a Python function: given, or found in its file or notebook cell. Raises HybridError when
    there is none, as for a function that was made by exec, or when it is not the text of `f` any more."""
    name = getattr(f, "__name__", type(f).__name__)
    if source is not None:
        return SourceText(source, f"<source of {name}>", 1, name)
    try:
        lines, first = inspect.getsourcelines(f)
    except (OSError, TypeError):
        raise HybridError(
            f"the source of {name} cannot be found",
            hint="define it in a file or a notebook cell, or give its text: te.hybrid.script(f, source=text)",
            span=here(),
        ) from None
    source_text = SourceText("".join(lines), inspect.getsourcefile(f) or f.__code__.co_filename, first, name)
    compiled = f.__code__.co_varnames[: f.__code__.co_argcount]
    parameters = tuple(a.arg for a in source_text.tree.args.args)
    if parameters != compiled:
        raise source_text.error(
            source_text.tree,
            f"this is not the text of {name} any more: it takes ({', '.join(compiled)})",
            "the file has changed since it was imported: import it again",
        )
    return source_text


def _outer_names(tree: ast.FunctionDef) -> list[str]:
    """The names that a function reads and neither sets nor takes as parameters."""
    own = {a.arg for a in ast.walk(tree.args) if isinstance(a, ast.arg)} | set(set_names(tree.body))
    names = (n.id for s in tree.body for n in ast.walk(s) if isinstance(n, ast.Name))
    return list(dict.fromkeys(n for n in names if n not in own))
