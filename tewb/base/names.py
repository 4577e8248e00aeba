"""The user's names in text that is read back: code, comments, graphs.

A name may be any text. In code it becomes an identifier, in a string a literal, elsewhere one printable line.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Callable, Container

# What has a meaning in the Python that tewb writes, and must keep it.
RESERVED = frozenset({*dir(builtins), *keyword.kwlist, "_", "I", "T", "np", "numpy", "te", "tewb", "tvm"})


def printable(text: str) -> str:
    """`text` in one line: what does not print, line ends included, as the escapes of a Python string."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def with_article(word: str) -> str:
    """`word` behind its article: "a Tensor", "an int"."""
    return f"{'an' if word[:1].lower() in 'aeio' else 'a'} {word}"


def literal(text: str) -> str:
    """A Python string in double quotes that means `text`."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'


def comment(text: str) -> str:
    """`text` as a comment of one line."""
    return f"# {printable(text)}"


def identifier(name: str) -> str:
    """`name` with what cannot stand in an identifier replaced; it may still be a reserved word."""
    base = re.sub(r"[^\w]", "_", unicodedata.normalize("NFKC", name)) or "v"  # as Python reads identifiers
    if base.isidentifier():
        return base
    base = re.sub(r"[^A-Za-z0-9_]", "_", base)
    return base if base.isidentifier() else f"_{base}"


def fresh_identifier(name: str, *taken: Container[str]) -> str:
    """`identifier(name)`, with a number when it is reserved or in one of `taken`."""
    return unique_name(identifier(name), lambda n: n in RESERVED or any(n in group for group in taken))


def unique_name(name: str, is_taken: Callable[[str], bool], separator: str = "_") -> str:
    """`name` itself if it is not taken, else with the first number appended that makes it free.

    "x"  ->  x, x_1, x_2, ...
    """
    unique, n = name, 0
    while is_taken(unique):
        n += 1
        unique = f"{name}{separator}{n}"
    return unique
