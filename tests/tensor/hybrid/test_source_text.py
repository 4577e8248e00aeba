"""The text of a function: found in its file or cell, shown with a caret, and known to be the one that runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tensor.hybrid.ways import define, three_ways
from tests.tensor.test_hybrid import floats, tensor
from tewb import te
from tewb.base import BoundError, HybridError, Span
from tewb.tensor.hybrid.source_text import SourceText, source_of

script = te.hybrid.script


CELL = """@te.hybrid.script
def from_cell(a):
    b = output_tensor((4,), "float32")
    for i in range(4):
        b[i] = a[i] + {what}
    return b
"""


def test_a_function_of_a_notebook_cell() -> None:
    f = define(CELL.format(what="1.0"), "<ipython-input-7-abc>", known=True)["from_cell"]
    three_ways(f, floats(4))
    bad = define(CELL.format(what="nothing"), "<ipython-input-8-abc>", known=True)["from_cell"]
    with pytest.raises(HybridError, match="nothing has no value here") as e:
        bad(tensor(4))
    assert "line 5" in str(e.value)


def test_a_function_of_a_file(tmp_path: Any, monkeypatch: Any) -> None:
    (tmp_path / "own_module.py").write_text("from tewb import te\n\n" + CELL.format(what="2.0"))
    monkeypatch.syspath_prepend(tmp_path)
    import own_module  # type: ignore[import-not-found]

    three_ways(own_module.from_cell, floats(4))


def test_a_function_made_by_exec_needs_its_source() -> None:
    with pytest.raises(HybridError, match="the source of from_cell cannot be found") as e:
        define(CELL.format(what="1.0"), "<made by exec>", known=False)
    assert "source=text" in str(e.value)
    text = CELL.format(what="1.0").split("\n", 1)[1]
    scope: dict[str, Any] = {}
    exec(text, scope)
    three_ways(te.hybrid.script(scope["from_cell"], source=text), floats(4))
    three_ways(te.hybrid.script(source=text)(scope["from_cell"]), floats(4))


def test_text_is_set_at_the_left_margin_and_knows_its_names() -> None:
    text = SourceText(
        "    @script\n    def g(a, k=1):\n        x = a[0] + table[k]\n        return out(x)\n", "f.py", 10
    )
    assert text.name == "g" and text.lines[1] == "def g(a, k=1):"
    assert text.outer_names == ["table", "out"]
    assert text.span(text.tree.body[0]) == Span("f.py", 12)


def test_errors_show_the_line_and_a_caret() -> None:
    text = SourceText("def f(a):\n    b = 'é' + a[0]\n", "f.py")
    node = text.tree.body[0].value.right  # type: ignore[attr-defined]
    error = text.error(node, "no", "write it otherwise", BoundError)
    assert type(error) is BoundError and error.hint == "write it otherwise"
    assert error.message == "hybrid function f: no\n        b = 'é' + a[0]\n" + " " * 18 + "^"


@pytest.mark.parametrize(
    ("source", "said", "line"),
    [
        ("def f(:\n", "the source of f is not Python by itself", 5),
        ("x = 1\ndef f(a):\n  return (\n", "is not Python by itself", 7),
        ("f = lambda a: a\n", "f is not a plain function", 5),
        ("async def f(a):\n    pass\n", "f is not a plain function", 5),
        ("def g(a):\n    pass\n", "f is not a plain function", 5),
        (b"def f(a): pass", "the source of f is not Python by itself: it is a bytes", 5),
    ],
)
def test_what_is_no_function(source: Any, said: str, line: int) -> None:
    with pytest.raises(HybridError, match=said) as e:
        SourceText(source, "f.py", 5, "f")
    assert e.value.span == Span("f.py", line) and e.value.hint


def test_a_text_of_other_parameters_is_that_of_another_function() -> None:
    f = define("def f(a, k):\n    return a\n", "<changed>", known=True)["f"]
    define("def f(a):\n    return a\n", "<changed>", known=True)
    with pytest.raises(HybridError, match=r"this is not the text of f any more: it takes \(a, k\)") as e:
        source_of(f)
    assert "import it again" in (e.value.hint or "")
