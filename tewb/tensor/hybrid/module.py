"""Hybrid functions as files. The text of a file is parsed, and never executed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from tewb.base import HybridError, here, with_article
from tewb.tensor.hybrid.script import HybridFunction
from tewb.tensor.hybrid.source_text import SourceText
from tewb.tensor.hybrid.syntax import set_names
from tewb.tensor.hybrid.words import WORDS

LARGEST_FILE = 4 << 20  # bytes

_ALLOWED: tuple[type[ast.AST], ...] = (
    ast.Assign, ast.AugAssign, ast.For, ast.While, ast.If, ast.Assert, ast.Return, ast.Pass, ast.Expr,
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Call, ast.keyword, ast.Constant, ast.Name,
    ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.operator, ast.unaryop, ast.cmpop,
    ast.boolop, ast.expr_context,
)  # fmt: skip

_CALLED = {*WORDS, "len", "int", "float", "enumerate", "zip"}


class HybridModule:
    """A hybrid function with its text: what te.hybrid.build gives, to be saved and loaded.

    On tensors it gives tensors. On numpy arrays it runs operation by operation, as `check` does.
    """

    def __init__(self, src: str | None = None, name: str | None = None) -> None:
        self.func_: HybridFunction | None = None
        self.name = name
        if src is not None:
            self._take(src, f"<{name or 'hybrid module'}>")

    def __repr__(self) -> str:
        return f"HybridModule({self.name})"

    def _take(self, text: str, file: str) -> None:
        self.src_ = text
        self.func_ = load_text(text, file)
        self.name = self.func_.name

    def _function(self) -> HybridFunction:
        if self.func_ is None:
            raise HybridError("this module holds no function", hint="m.load(path)", span=here())
        return self.func_

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self._function()(*args, **keywords)

    def get_source(self) -> str:
        """The text: Python, a module with one hybrid function."""
        self._function()
        return self.src_

    def save(self, path: str | Path) -> str:
        """Write the text to `path`, which ends in .py (added when missing). Returns the path."""
        where = _path(path)
        where = where if where.suffix == ".py" else where.with_name(where.name + ".py")
        where.write_text(self.get_source(), encoding="utf-8")
        return str(where)

    def load(self, path: str | Path) -> None:
        """Take the function of a file that `save` wrote. Raises HybridError for any other Python."""
        self._take(_read(_path(path)), str(path))


def load(path: str | Path) -> HybridFunction:
    """The hybrid function of a file, which is parsed and not executed.

    The file holds `from tewb import te` and one function with the decorator te.hybrid.script, which uses the
    words of the language and its own names. Raises HybridError, with the line, for anything else.
    """
    return load_text(_read(_path(path)), str(path))


def _path(path: object) -> Path:
    if not isinstance(path, str | Path):
        raise HybridError(
            f"{with_article(type(path).__name__)} is no path of a file",
            hint='te.hybrid.load("f.py")',
            span=here(),
        )
    return Path(path)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise HybridError(f"{path} is larger than {LARGEST_FILE} bytes", span=here())
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise HybridError(
            f"{path} is not text: {e.reason} at byte {e.start}", hint="save it in UTF-8", span=here()
        ) from None
    except (OSError, ValueError) as e:  # a path with a NUL character is a ValueError
        reason = getattr(e, "strerror", None) or e
        raise HybridError(
            f"{path!s} cannot be read: {reason}", hint="m.save(path) writes a file", span=here()
        ) from e


def load_text(source: str, file: str) -> HybridFunction:
    """The hybrid function of a module's text, as `load`."""
    text = SourceText(source, file)
    for node in text.module.body:
        if not isinstance(node, ast.FunctionDef):
            _check_head(text, node)
        elif node.name != text.name:
            raise text.error(node, "the file has a second function", "a file holds one hybrid function")
    try:
        _check_signature(text)
        _check_body(text)
    except RecursionError:
        raise text.error(text.tree, "it is nested too deeply", "write shorter expressions") from None
    return HybridFunction(None, text)


def _check_head(text: SourceText, node: ast.stmt) -> None:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return
        case ast.ImportFrom(module="tewb", names=[ast.alias(name="te", asname=None)], level=0):
            return
    raise text.error(
        node,
        "only `from tewb import te` may stand beside the function",
        "the file is not executed, so remove it",
    )


def _check_signature(text: SourceText) -> None:
    tree = text.tree
    for d in tree.decorator_list:
        if ast.unparse(d) != "te.hybrid.script":
            raise text.error(d, "this decorator is not loaded", "the only decorator is te.hybrid.script")
    a = tree.args
    if a.defaults or a.kw_defaults or a.kwonlyargs or a.posonlyargs or a.vararg or a.kwarg:
        raise text.error(tree, "parameters of a loaded function are names without defaults", "def f(a, b):")
    if tree.returns is not None or any(x.annotation is not None for x in a.args):
        raise text.error(tree, "a loaded function has no annotations", "def f(a, b):")


def _check_body(text: SourceText) -> None:
    own = {a.arg for a in text.tree.args.args} | set(set_names(text.tree.body))
    for statement in text.tree.body:
        for node in ast.walk(statement):
            if not isinstance(node, _ALLOWED):
                raise text.error(node, f"{type(node).__name__} is not loaded", "a file holds hybrid script")
            if isinstance(node, ast.Name) and node.id not in own and node.id not in _CALLED:
                raise text.error(
                    node,
                    f"{node.id} is not a name of the function",
                    "a loaded function uses words and own names",
                )
            if isinstance(node, ast.Attribute) and node.attr not in ("shape", "ndim", "dtype"):
                raise text.error(node, f".{node.attr} is not loaded", "tensors have .shape, .ndim and .dtype")
