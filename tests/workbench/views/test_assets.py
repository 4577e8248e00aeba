"""Style sheets and scripts are files beside the views: none of either in a Python string."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import tewb
from tewb.workbench.views.assets import FOLDER, inline_styles

ROOT = Path(tewb.__file__).parent
ASSETS = sorted(p for p in FOLDER.iterdir() if p.suffix in (".css", ".js"))
MODULES = sorted(ROOT.rglob("*.py"))

PROPERTY = (
    r"(?:color|background|display|overflow|opacity|cursor|outline|stroke|fill|gap|"
    r"(?:min-|max-)?(?:width|height)|(?:margin|padding|border|font|text|line|flex|white|vertical|box|list)(?:-[a-z]+)*)"
)
STYLE = re.compile(
    rf"""\{{\s*{PROPERTY}\s*:\s*[^:{{}}]+;?\s*\}}  # a rule of one declaration
    |(?<![\w"'-]){PROPERTY}\s*:\s*[^;:{{}}"']+;  # a declaration that ends
    |\bstyle\s*=\s*["'][^"'§]*[a-z]\s*:  # a style attribute that is not read from a file
    |<style[^>]*>[^§<]
    |[.\#][a-z][\w-]*[^{{}}\n]*\{{\s*[a-z-]+\s*:\s  # a rule about a class, whatever it declares
    |\bvar\(--""",
    re.VERBOSE,
)
SCRIPT = re.compile(
    r"""=>|\bfunction\s*\w*\([^()]*\)\s*\{|\b(?:const|let|var)\s+\w+\s*=[^=]|\bdocument\.\w|\bwindow\.\w
    |\.(?:querySelector|addEventListener|setAttribute|classList|closest)\b|\bthis\.\w+\s*[=(.]|\bsetTimeout\b
    |<script\b|\bon(?:load|click|input|change|key\w+|mouse\w+)\s*=\s*["'][^"'§]""",
    re.VERBOSE,
)


def texts(source: str) -> Iterator[tuple[int, str]]:
    """The strings of a module with their lines; § stands for what an f-string puts in, and docstrings are left out."""
    tree = ast.parse(source)
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(v) for v in node.values}
            yield (
                node.lineno,
                "".join(str(v.value) if isinstance(v, ast.Constant) else "§" for v in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


@cache
def all_texts() -> set[str]:
    return {text for module in MODULES for _, text in texts(module.read_text())}


def strays(source: str) -> list[tuple[int, str]]:
    return [(line, text) for line, text in texts(source) if STYLE.search(text) or SCRIPT.search(text)]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_style_sheet_and_no_script_is_a_python_string(path: Path) -> None:
    assert strays(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        'CSS = """\n.tw-bench .tw-why { margin: 0 0 4px; padding-left: 22px }\n""".strip()',
        'x = ".tw-bench .tw-answer { font-weight: 600 }"',
        'x = f".tw-s{i}:hover .tw-s{i} {{ background: {colour}; }}"',
        "x = f'<pre style=\"line-height:1.3;margin:2px 0\">{text}</pre>'",
        "x = f'<div style=\"text-align:left\">{text}</div>'",
        "x = \"<style>.a { color: red }</style>\"",
        'x = f".tw-s{i} {{ zoom: {z} }}"',
        "x = f'<td style=\"color:{c}\">'",
        "KEYS = \"const b=this.closest('.tw-bench');\"",
        "x = \"b.addEventListener('focusin', e => e.stopPropagation());\"",
        "x = '<button onclick=\"run()\">Run</button>'",
        'x = "function render({ model, el }) { el.append(1) }"',
        'x = "<script>alert(1)</script>"',
    ],
)  # fmt: skip
def test_a_style_sheet_or_a_script_in_a_string_is_found(source: str) -> None:
    assert strays(source)


@pytest.mark.parametrize(
    "source",
    [
        "x = f'<pre style=\"{_STYLES[0]}\">{text}</pre>'",
        "x = f'<style onload=\"{script}\">{sheet}</style>'",
        'x = "split: factor=4, nparts=None; the inner width: 3"',
        'x = f"  {node} -> {{{readers}}} [style=dashed, label=inline];"',
        'x = {"description_width": "initial"}',
    ],
)
def test_what_is_neither_is_let_alone(source: str) -> None:
    assert strays(source) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", ASSETS, ids=lambda p: p.name)
def test_every_style_sheet_and_script_is_used_beside_where_it_is(path: Path) -> None:
    assert path.parent == FOLDER
    loaded = all_texts()
    assert path.name in loaded


def test_assets_have_balanced_braces() -> None:
    assert ASSETS
    for path in ASSETS:
        text = path.read_text()
        assert text.count("{") == text.count("}") and text.count("(") == text.count(")"), path.name


def test_declarations_become_a_style_attribute() -> None:
    assert (
        inline_styles("plain.css")["pre"]
        == "font-family:monospace;line-height:1.3;margin:2px 0;overflow:auto"
    )
    assert inline_styles("access.css")[".beside"].startswith("display:inline-block;")
