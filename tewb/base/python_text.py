"""Python text that is read and never run: its syntax tree, or the reason why there is none.

Everything that reads a program from text (IR, schedules, hybrid files) begins here, so that all of it refuses the
same: text that Python cannot parse, or that would exhaust it.
"""

from __future__ import annotations

import ast
import re
import warnings

from tewb.base.names import with_article

LONGEST = 16 << 20  # characters of one text
DEEPEST = 10_000  # operators, calls and brackets around one another
WIDEST = 160  # characters of a line that an error shows

_TOKEN = re.compile(
    r"""(?P<skip>[ \t]+|\#[^\n]*|(?:'''(?s:.)*?'''|\"\"\"(?s:.)*?\"\"\"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)|(?P<newline>[\n;])
    |(?P<nests>[-+~*/%@<>=&|^.:]|\b(?:not|lambda|if|elif|else|await|yield)\b)|\w+|.""",
    re.VERBOSE,
)


class UnreadableError(Exception):
    """Text that is not Python, and where: `line` counts from 1, `column` from 0. Each reader turns it into an error
    of its own."""

    def __init__(self, why: str, line: int = 1, column: int = 0) -> None:
        super().__init__(why)
        self.why, self.line, self.column = why, line, column


def python_tree(text: object) -> ast.Module:
    """The syntax tree of `text`. Raises UnreadableError, and nothing else, for text that has none."""
    if not isinstance(text, str):
        raise UnreadableError(f"it is {with_article(type(text).__name__)}, and text was expected")
    _check_characters(text)
    _check_depth(text)
    try:
        with warnings.catch_warnings(action="ignore"):  # of literals that Python will refuse some day
            tree = ast.parse(text)
    except SyntaxError as e:
        why = "a number is too long" if "digits" in (e.msg or "") else f"this is not Python: {e.msg}"
        raise UnreadableError(why, e.lineno or 1, max(e.offset or 1, 1) - 1) from None
    except (RecursionError, MemoryError):
        raise UnreadableError("this is nested too deeply") from None
    except ValueError as e:
        raise UnreadableError(f"this is not Python: {e}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value.bit_length() > 64:
            raise UnreadableError("a number has more than 64 bits", node.lineno, node.col_offset)
    return tree


def python_lines(text: str) -> list[str]:
    """The lines of `text` as Python counts them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def brief(text: str, most: int = WIDEST) -> str:
    """`text`, cut where it is too long for a message."""
    return text if len(text) <= most else f"{text[:most]}..."


def around(line: str, column: int) -> tuple[str, int]:
    """The part of `line` around `column` that fits a message, and the column within that part."""
    if len(line) <= WIDEST:
        return line, column
    start = max(0, min(column - WIDEST // 2, len(line) - WIDEST))
    before, after = "..." if start else "", "..." if start + WIDEST < len(line) else ""
    return f"{before}{line[start : start + WIDEST]}{after}", column - start + len(before)


def _check_characters(text: str) -> None:
    if len(text) > LONGEST:
        raise UnreadableError(f"it has {len(text)} characters, and at most {LONGEST} are read")
    nul = text.find("\0")
    if nul >= 0:
        raise _at(text, nul, "this is not Python: it has a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as e:
        raise _at(text, e.start, "this is not Python: it has half of a surrogate pair") from None


def _check_depth(text: str) -> None:
    """Refuse a statement that is nested so deeply that Python's parser could exhaust the stack.

    In each pair of brackets, the tokens since the last comma that can nest are counted: an upper bound.
    """
    counts, total = [0], 0
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case "open":
                counts.append(0)
            case "nests":
                counts[-1] += 1
                total += 1
            case "close" if len(counts) > 1:
                total -= counts.pop() - 1
                counts[-1] += 1
            case "comma":
                total -= counts[-1]
                counts[-1] = 0
            case "newline" if len(counts) == 1:
                total, counts[-1] = 0, 0
        if total + len(counts) > DEEPEST:
            raise _at(text, token.start(), "this is nested too deeply")


def _at(text: str, position: int, why: str) -> UnreadableError:
    lines = python_lines(text[:position])
    return UnreadableError(why, len(lines), len(lines[-1]))
