"""Every mistake in a hybrid function has its own message: the line, a caret, and what to write instead."""

from __future__ import annotations

import linecache
import re
from typing import Any

import numpy as np
import pytest

from tests.tensor.test_hybrid import tensor
from tewb import te
from tewb.base import BoundError, HybridError

HEAD = "b = output_tensor((8,), 'float32')\n"
LOOP = HEAD + "for i in range(8):\n    "
END = "\nreturn b"
BIG = np.zeros(5000, "float32")
HALF = np.zeros(4, "complex64")


@te.hybrid.script
def inner(a, k=1):
    t = output_tensor(a.shape, "float32")  # noqa: F821
    t[:] = a[:] * k
    return t


def plain(x: Any) -> Any:
    return x


def define(text: str, name: str) -> Any:
    """Define `f` as a notebook cell would, under the file name `name`."""
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    scope: dict[str, Any] = {"inner": inner, "plain": plain, "BIG": BIG, "HALF": HALF, "np": np, "te": te}
    exec(compile(text, name, "exec"), scope)
    return scope["f"]


def misuse(body: str, *args: Any, head: str = "def f(a):") -> Any:
    """Define a function with this body, and call it on tensors."""
    text = head + "\n" + "\n".join(f"    {line}" for line in body.splitlines()) + "\n"
    f = define(text, f"<hybrid test {abs(hash(text))}>")
    return te.hybrid.script(f)(*(args or (tensor(8),)))


# The body, what the message says, and what the hint offers.
CASES = [
    # accesses
    (LOOP + "b[i] = a[i + 1]" + END, "outside of A: in dimension 0 the index runs from 1 to 8", "guard it with an if"),
    (LOOP + "b[i] = a[-9]" + END, "outside of A: the index -9 of dimension 0 counts from the end", "guard"),
    (LOOP + "b[i] = a[i, 0]" + END, "A has 1 dimensions, not 2", r"A\[i0\]"),
    (LOOP + "b[i] = a[0.5]" + END, "an index is an integer, not float32", r"int32\(x\)"),
    (LOOP + "b[i] = a[a[:]]" + END, "a slice cannot be an index", "in a loop"),
    (HEAD + "b[0:9] = 1.0" + END, r"the slice b\[0:9\] leaves b", r"b\[:\]"),
    (HEAD + "b[-9:] = 1.0" + END, r"the slice b\[-9:\] leaves b", r"b\[:\]"),
    (HEAD + "b[::0] = 1.0" + END, "the step of a slice", "0:n:2"),
    (HEAD + "b[0:4] = a[0:5]" + END, "slices of 4 and 5 elements", "equal or 1"),
    (HEAD + "b[0] = a[:]" + END, "a slice does not fit into one element", r"b\[:\]"),
    (HEAD + "x = a[:]" + END, "a slice gets no name", r"allocate x"),
    (HEAD + "if a[:] > 0.0:\n    b[0] = 1.0" + END, "a slice is neither true nor false", "in a loop"),
    (HEAD + "b[:] = a[:] if a[0] > 0.0 else 0.0" + END, "a slice cannot be chosen", "write an if"),
    (HEAD + "b[:] = 0.0 < a[:] < 1.0" + END, "chain of comparisons takes no slices", "&"),
    (HEAD + "a[0] = 1.0" + END, "A is an input and cannot be written", "allocate a copy"),
    (HEAD + "HALF[0] = 1.0" + END, "complex64", "converts"),
    (HEAD + "BIG[0] = 1.0" + END, "an array from outside is constant", "allocate a tensor"),
    (HEAD + "x = 3\nb[0] = x[0]" + END, "this is a number and has no elements", "tensors have elements"),
    # names
    (LOOP + "b[i] = missing" + END, "missing has no value here", "set above"),
    (LOOP + "b[i] = later\nlater = 1.0" + END, "later is read before it is set", "later = ..."),
    (LOOP + "x = a[i]\nb[0] = x" + END, "inside of a block that has ended", "before the loop"),
    (LOOP + "i = 3" + END, "variable of a loop and cannot be set", "copy it"),
    (LOOP + "for i in range(2):\n        b[i] = 1.0" + END, "variable of a loop around this one", "another name"),
    (HEAD + "x = a[0]\nfor x in range(8):\n    b[x] = 1.0" + END, "x is set already and cannot be a loop's", "another"),
    (HEAD + "b = 3" + END, "b is a tensor", r"b\[i\] = ..."),
    (HEAD + "b = output_tensor((8,), 'float32')" + END, "b is set already", "another name"),
    (LOOP + "b[i] = exp" + END, "exp is a function and no value", r"exp\(...\)"),
    (HEAD + "t = a\nif a[0] > 0.0:\n    t = b\nb[0] = t[0]" + END, "t is a tensor", r"t\[i\]"),
    (HEAD + "t = (a, b)\nif a[0] > 0.0:\n    t = (b, a)" + END, "t stands for a tuple outside", "another name"),
    # dtypes
    (LOOP + "b[i] = a" + END, "A is no number or element", "take an element"),
    (LOOP + "b[i] = a + 1.0" + END, "A is a tensor", r"A\[:\]"),
    (HEAD + "x = 0\nx = a[0]\nb[0] = x" + END, "x holds int32, from its first value, and this is float32", "start it as"),
    (HEAD + "x = 0\nx += 0.5\nb[0] = x" + END, "x holds int32, from its first value, and this is float32", "start it"),
    ("b = output_tensor((8,), 'float31')\nreturn b", "unknown dtype 'float31'", "float32, float64"),
    ("b = output_tensor((8,), 'bfloat16')\nreturn b", "unknown dtype 'bfloat16'", "uint8 to uint64, bool"),
    ("b = output_tensor((8,), 'int4')\nreturn b", "unknown dtype 'int4'", "uint8 to uint64, bool"),
    ("b = output_tensor((8,), 'int8')\nb[0] = 300\nreturn b", "300 does not fit int8", r"int8\(300\) wraps"),
    (LOOP + "b[i] = i / 2" + END, "does not say how to round", "//"),
    (LOOP + "b[i] = 2 ** i" + END, "needs a constant exponent", "cast to float"),
    (LOOP + "b[i] = i << 32" + END, "shift of int32 by 32", "."),
    (LOOP + "b[i] = i // 0" + END, "division by zero", "."),
    (LOOP + "b[i] = exp(i)" + END, "exp takes floats, not int32", "float32"),
    (LOOP + "b[i] = a[i] and 2.0" + END, "and, or take conditions, not float32", "compare: x != 0"),
    (HEAD + "b[0] = a[0] + 'one'" + END, "a string is no number", "arithmetic"),
    # calls
    (LOOP + "b[i] = gamma(a[i])" + END, "there is no function gamma", "there are abs"),
    (LOOP + "b[i] = plain(a[i])" + END, "plain is plain Python", "@te.hybrid.script"),
    (LOOP + "b[i] = np.sin(a[i])" + END, "numpy.sin is not part", "functions are words"),
    (HEAD + "b[0] = (lambda: 1.0)()" + END, "this cannot be called", "by name"),
    (HEAD + "b[0] = max(a[0], default=1)" + END, "max takes no keyword arguments", "in order"),
    (HEAD + "b[0] = max(a[0])" + END, "max takes two or more values", "x, y"),
    (HEAD + "b[0] = float32(a[0], 1)" + END, "float32 takes one value", r"float32\(x\)"),
    (HEAD + "b[0] = exp(a)" + END, "exp: A is a tensor", r"A\[i\]"),
    (HEAD + "b[0] = len(3)" + END, "len takes a tensor or a tuple", "shape"),
    (HEAD + "t = inner(a, 2, 3)" + END, "takes 2 arguments and was given 3", r"inner\(a, k\)"),
    (HEAD + "t = inner(a, j=3)" + END, "it has no parameter j", r"inner\(a, k\)"),
    (HEAD + "t = inner(a, a=a)" + END, "a is given twice", r"inner\(a, k\)"),
    (HEAD + "t = inner(k=2)" + END, "a is missing", r"inner\(a, k\)"),
    (HEAD + "t, u = inner(a)" + END, "inner returns 1 tensors", "1 names"),
    (HEAD + "t = inner(a[0:4])" + END, "a slice cannot be an argument", "copy the slice"),
    (HEAD + "t = inner(*a)" + END, r"\* and \*\* are not part", "write the arguments out"),
    (HEAD + "b[0] = inner(a)" + END, "the result of a hybrid function gets a name", "t = inner"),
    (HEAD + "b[0] = 1.0 + inner(a)" + END, "the result of inner gets a name first", "t = inner"),
    (HEAD + "b[0] = a(0)" + END, "a is a tensor here", "another name"),
    (HEAD + "b[0] = BIG[int32(a[0])]" + END, "5000 constants is too large", "pass it as an argument"),
    # memory
    (LOOP + "c = output_tensor((8,), 'float32')" + END, "outside of loops and branches", "allocate"),
    ("b = output_tensor((int32(a[0]),), 'float32')\nreturn b", "size of an output cannot depend on elements", "shape"),
    (HEAD + "c = allocate((-3,))" + END, "a size of -3 is below 0", "0 or more"),
    (HEAD + "assert a[0] > 0, a" + END, "what an assert says is a text", "too large"),
    (HEAD + "c = allocate(dtype='float32')" + END, "allocate needs a shape", "shape, dtype, scope"),
    (HEAD + "c = allocate((8,), 'int8', 'global', 3)" + END, "at most 3 arguments", "shape, dtype, scope"),
    (HEAD + "c = allocate((8,), size=3)" + END, "allocate has no argument size", "shape, dtype, scope"),
    (HEAD + "c = allocate((8,), shape=(3,))" + END, "shape is given twice", "shape, dtype, scope"),
    (HEAD + "c = allocate((8,), 'int8', 'warp')" + END, "the scope 'warp' is not known", "global, local"),
    (HEAD + "b[0] = allocate((8,), 'int8')" + END, "allocate gives its tensor a name", "t = allocate"),
    # loops
    (HEAD + "for i in parallel(8):\n    b[0] += a[i]" + END, "may touch the same elements of b", "use range"),
    (HEAD + "for i in unroll(int32(a[0])):\n    b[0] = 1.0" + END, r"unroll\(int32\(a\[0\]\)\) needs a number", "split"),
    (HEAD + "for i in const_range(9999):\n    b[0] = 1.0" + END, "9999 iterations are too many", "use range"),
    (HEAD + "for i in 8:\n    b[i] = 1.0" + END, r"a loop runs over range\(...\)", "const_range"),
    (HEAD + "for i in range(0, 8, 0):\n    b[i] = 1.0" + END, "step of a range", "."),
    (HEAD + "for i in range():\n    b[i] = 1.0" + END, "range takes one to three numbers", "start, stop, step"),
    (HEAD + "for i in enumerate(8):\n    b[i] = 1.0" + END, "cannot run over enumerate", "tuples"),
    (HEAD + "for i in const_range(int32(a[0])):\n    b[i] = 1.0" + END, "numbers that are known here", "use range"),
    (HEAD + "for i, j in range(8):\n    b[i] = 1.0" + END, "has one variable", r"range\(n\)"),
    (HEAD + "for i in range(8):\n    b[i] = 1.0\nelse:\n    b[0] = 2.0" + END, "for ... else", "after the loop"),
    (HEAD + "while True:\n    b[0] = 1.0" + END, "would never end", "variable that changes"),
    (HEAD + "b[0] = range(8) + 1" + END, r"range\(...\) is no number", "arithmetic"),
    # statements
    (LOOP + "return b", "return stands at the end", "last line"),
    (HEAD + "return a", "only what output_tensor made", "copy it"),
    (HEAD + "return b, b", "returned twice", "once"),
    (HEAD + "c = output_tensor((8,), 'int8')\nreturn b", "the output c is not returned", "allocate c"),
    (HEAD + "b[:] = 1.0", "returns nothing", "return b"),
    (HEAD + "return", "must return its output tensors", "return b"),
    (HEAD + "return b\nb[0] = 1.0", "nothing can follow the return", "last line"),
    (LOOP + "break" + END, "break is not part", "let a while ask"),
    (LOOP + "continue" + END, "continue is not part", "into an if"),
    (HEAD + "with a:\n    pass" + END, "with is not part", "body alone"),
    (HEAD + "try:\n    pass\nfinally:\n    pass" + END, "try is not part", "assert"),
    (HEAD + "raise ValueError" + END, "raise is not part", "assert"),
    (HEAD + "import math" + END, "import is not part", "outside"),
    (HEAD + "def g():\n    pass" + END, "def inside of a function", "outside"),
    (HEAD + "class C:\n    pass" + END, "class is not part", "tensors"),
    (HEAD + "global x" + END, "global is not part", "return"),
    (HEAD + "del a" + END, "del is not part", "memory"),
    (HEAD + "x: int = 3" + END, "an annotation is not part", "float32"),
    (HEAD + "match a:\n    case 1:\n        pass" + END, "match is not part", "if, elif"),
    (HEAD + "x = y = 1.0" + END, "a = b = c", "write two assignments"),
    (HEAD + "x, y = 1.0" + END, "do not match", "as many values"),
    (HEAD + "a.name = 1.0" + END, "cannot be assigned to", "names and elements"),
    (HEAD + "a[0] + 1.0" + END, "an expression alone does nothing", "assign it"),
    (HEAD + "assert 1 > 2" + END, "this assertion does not hold", "false for every input"),
    # expressions
    (HEAD + "b[0] = a[0] is None" + END, "operator is is not part|None is no number", "=="),
    (HEAD + "b[0] = None" + END, "None is no number", "numbers are"),
    (HEAD + "b[0] = a[0] in a" + END, "operator in is not part|A is a tensor", "."),
    (HEAD + "b[0] = a.size" + END, ".size is not part", "shape"),
    (HEAD + "b[0] = a[0] @ a[1]" + END, "operator @", "loops of the product"),
    (HEAD + "b[0] = a[0] if a else 1.0" + END, "A is a tensor", r"A\[i\] > 0"),
    (HEAD + "b[0] = lambda: 1.0" + END, "lambda is not part", "where it is used"),
    (HEAD + "b[0] = [x for x in a]" + END, "a comprehension is not part", "fill it in a loop"),
    (HEAD + "b[0] = {}" + END, "a dict is not part", "tuple"),
    (HEAD + "b[0] = f'{a}'" + END, "an f-string is not part", "dtypes"),
    (HEAD + "b[0] = (x := 1.0)" + END, ":= is not part", "line before"),
    (HEAD + "b[0] = (1, 2)[a[0] > 0.0]" + END, "a number below 2 that is known here", "const_range"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "said", "hint"), CASES, ids=[c[1][:40] for c in CASES])
def test_misuse_is_explained(body: str, said: str, hint: str) -> None:
    with pytest.raises((HybridError, BoundError), match=said) as e:
        misuse(body)
    text = str(e.value)
    assert re.search(r"\n    .*\n *\^", text), text
    assert re.search(rf"\n  hint: .*{hint}", text), text
    assert re.search(r"\n  at .*, line \d+$", text), text


def test_each_message_is_its_own() -> None:
    first: dict[str, str] = {}
    for body, said, _ in CASES:
        with pytest.raises((HybridError, BoundError)) as e:
            misuse(body)
        line = str(e.value).splitlines()[0]
        first.setdefault(line, said)
    assert len(first) > len(CASES) - 15


def test_an_error_shows_line_and_caret() -> None:
    with pytest.raises(HybridError) as e:
        misuse(LOOP + "b[i] = missing" + END)
    assert "        b[i] = missing\n                   ^" in str(e.value)
    assert "line 4" in str(e.value)


def test_the_caret_counts_letters_not_bytes() -> None:
    with pytest.raises(HybridError) as e:
        misuse(HEAD + "größe = 1.0\nb[0] = größe + missing" + END)
    lines = str(e.value).splitlines()
    at = next(k for k, line in enumerate(lines) if "größe + missing" in line)
    assert lines[at + 1].index("^") == lines[at].index("missing")


def test_an_error_names_the_notebook_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shell:
        class compile:
            _filename_map = {"<cell seven>": 7}  # noqa: RUF012

    import sys
    from types import SimpleNamespace

    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: Shell))  # type: ignore[arg-type]
    f = define("def f(a):\n    return a\n", "<cell seven>")
    with pytest.raises(HybridError, match="at cell 7, line 2"):
        te.hybrid.script(f)(tensor(8))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("def f(*a):", "the parameters of a hybrid function are plain names"),
        ("def f(a, *, k=1):", "the parameters of a hybrid function are plain names"),
        ("def f(a, **k):", "the parameters of a hybrid function are plain names"),
        ("def f(a, c):", "c is missing"),
        ("def f():", "it takes 0 arguments and was given 1"),
    ],
)
def test_parameters_are_plain_names(head: str, said: str) -> None:
    with pytest.raises(HybridError, match=said):
        misuse(HEAD + END, head=head)


def test_only_a_def_is_a_hybrid_function() -> None:
    with pytest.raises(HybridError, match="not a plain function|not Python by itself"):
        te.hybrid.script(lambda a: a)
    with pytest.raises(HybridError, match="cannot be found"):
        te.hybrid.script(len)


def test_a_function_cannot_call_itself() -> None:
    text = "def f(a):\n    b = output_tensor((8,), 'float32')\n    t = f(a)\n    b[:] = t[:]\n    return b\n"
    raw = define(text, "<hybrid recursion>")
    made = te.hybrid.script(raw)
    raw.__globals__["f"] = made
    with pytest.raises(HybridError, match="f calls itself"):
        made(tensor(8))


def test_a_changed_file_is_noticed() -> None:
    f = define("def f(a):\n    return a\n", "<changed>")
    text = "def f(a, b):\n    return a\n"
    linecache.cache["<changed>"] = (len(text), None, text.splitlines(True), "<changed>")
    with pytest.raises(HybridError, match="not the text of f any more"):
        te.hybrid.script(f)


# What nobody should write, and what somebody will.
ODD = [
    "b[0] = -a",
    "b[0] = not a",
    "b[0] = a[0][1]",
    "b[0] = a[0, ]",
    "b[...] = 1",
    "b[0] = a[...]",
    "b['x'] = 1",
    "b[0] = a['x']",
    "x = 'abc'\nb[0] = x",
    "x = (1,2)\nb[0] = x",
    "b[0] = (1,2)",
    "b[0] = a[0] if 'x' else 1",
    "b[0] = 1e400",
    "b[0] = 10**20",
    "b[0] = 1 << 70",
    "b[0] = 3 / 0",
    "b[0] = 3 % 0",
    "b[0] = 1.5 // 0.0",
    "b[0] = a[0] << 1",
    "b[0] = ~a[0]",
    "b[0] = a[0] & 1",
    "b[0] = True + a[0]",
    "b[0] = exp('x')",
    "b[0] = exp(1, 2)",
    "b[0] = exp()",
    "b[0] = exp(1)",
    "b[0] = min(a, 1)",
    "b[0] = len()",
    "b[0] = int('3')",
    "b[0] = float32('x')",
    "b[0] = select(a[0], 1, 2)",
    "b[0] = if_then_else(a[0], 1, 2)",
    "for i in range(2.5):\n    b[0] = 1",
    "for i in range(a):\n    b[0]=1",
    "for i in range('x'):\n    b[0]=1",
    "for i in zip(3):\n    b[0]=1",
    "for i in 'abc':\n    b[0]=1",
    "for i, j in (1, 2):\n    b[0]=1",
    "for i, j in ((1,2,3),):\n    b[0]=1",
    "for a[0] in range(3):\n    b[0]=1",
    "while a:\n    b[0]=1",
    "while 'x':\n    b[0]=1",
    "if a:\n    b[0]=1",
    "if (1,2):\n    b[0] = 1",
    "assert a",
    "assert a[0] > 0, a",
    "x, y = a",
    "x, y = (1, a)",
    "x, (y, z) = 1, (2, 3)",
    "b[0], x = 1, 2",
    "*x, y = 1, 2",
    "x = allocate(8)",
    "c = allocate((8,), 3)",
    "c = allocate('x')",
    "c = allocate((2.5,))",
    "c = allocate(a)",
    "c = allocate((-3,))",
    "x = output_tensor",
    "b[0] = a.shape",
    "b[0] = a.shape[3]",
    "b[0] = a.dtype",
    "b[a] = 1",
    "b[a[0]] = 1",
    "b[0:2.5] = 1",
    "b[0:a] = 1",
    "b[:] = a",
    "b[:] = (1,2)",
    "b[:] = 'x'",
    "b[:] = a[:] + b",
    "b[:] += b",
    "b += 1",
    "b[:, :] = 1",
    "b[0:2, 0] = 1",
    "b[:] = a[:][0]",
    "x = a[:] + 1",
    "t = inner",
    "t = inner(3)",
    "t = inner('x')",
    "t = inner((a, a))",
    "inner(a)",
    "t = inner(a)[0]",
    "a = inner(a)",
    "b = inner(a)",
    "x = 0\nx = inner(a)",
    "x = 3\nx.y = 4",
    "b[0] = x\nx = 3",
    "x += 1",
    "b[0] = np",
    "b[0] = np.pi",
    "b[0] = te",
    "b[0] = plain",
    "b[0] = inner",
    "b[0] = print(a)",
    "print(a)",
    "b[0] = a[0] if a[0] else a",
    "b[0] = 1 < 'x'",
    "b[0] = a[0] == 'x'",
    "b[0] = (a[0] > 1) + 1",
    "b[0] = BIG[3]",
    "b[0] = BIG[9999]",
    "b[0] = BIG['x']",
    "b[0] = BIG[0, 0]",
    "b[:] = BIG[0:8]",
    "b[0] = 2 ** a[0]",
    "b[0] = a[0] ** 2.5",
    "b[0] = a[0] ** -1",
    "b[0] = (-1) ** 0.5",
    "b[0] = 1j",
    "b[0] = b'x'",
    "x = 1 if a[0] > 0 else 'x'",
    "if a.shape[0] == 8:\n    x = 1\nb[0] = x",
    "b[0] = select(a[0] > 0, 1)",
    "b[-1] = const_range(3)",
    "const_range = 3\nb[0] = const_range",
    "b[0] = max('x', 'y')",
    "b[0] = max(1, 'y')",
    "b[0] = round(2.5, 1)",
    "b[0] = float(a)",
    "b[0] = [1, 2][0]",
    "b[0] = ((1, 2), (3, 4))[1][0]",
    "b[0] = 0x7fffffff + 1",
    "b[0] = int8(300)",
    "i = 300\nb[0] = int8(i)",
    "b[0] = uint8(-1)",
]


@pytest.mark.parametrize("body", ODD)
def test_odd_text_never_raises_an_error_of_python(body: str) -> None:
    try:
        misuse(HEAD + body + END)
    except (HybridError, BoundError) as e:
        assert "^" in str(e) and "hint: " in str(e)
