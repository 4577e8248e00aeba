"""Markdown pages taken apart: blocks of code, links, and the files that a worked example writes or changes."""

from __future__ import annotations

import io
import linecache
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)", re.S)
_FILE = re.compile(r"# ((?:tewb|tests|docs)/[\w/.-]+)\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page: its language, its text, and the line on which the text begins."""

    language: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        """The path that its first line names in a comment, if it is a file of a worked example."""
        named = _FILE.match(self.text)
        return named[1] if named and self.language == "python" else None


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [Block(m[1], m[2], text.count("\n", 0, m.start(2)) + 1) for m in _BLOCK.finditer(text)]


def links(page: Path) -> list[str]:
    """What a page links to, pictures too; code is no link."""
    return _LINK.findall(_BLOCK.sub("", page.read_text()))


# ---------------------------------------------------------------- programs


def run_page(page: Path) -> Iterator[tuple[Block, str, str | None]]:
    """Run the Python blocks of a page one after the other, as one program. Gives each with what it printed, and with
    what the page says that it prints: the text block that comes next, or None."""
    names: dict[str, Any] = {"__name__": "__main__"}
    found = blocks(page)
    for i, block in enumerate(found):
        if block.language == "python" and block.file is None:
            expected = found[i + 1] if i + 1 < len(found) else None
            said = expected.text if expected is not None and expected.language == "text" else None
            yield block, _output(block, names), said


def _output(block: Block, names: dict[str, Any]) -> str:
    """What a block prints. Its lines can be looked up, as hybrid functions and errors do."""
    linecache.cache["example.py"] = (
        len(block.text),
        None,
        block.text.splitlines(keepends=True),
        "example.py",
    )
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(block.text, "example.py", "exec"), names)
    return printed.getvalue()


# ---------------------------------------------------------------- worked examples


def commands(page: Path) -> list[str]:
    """The lines of a page's shell blocks."""
    return [line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()]


def follow(page: Path, checkout: Path) -> None:
    """Do what a how-to page says, in a checkout: write the files that its Python blocks name, apply its diffs, and run
    its commands, in the order of the page. Raises AssertionError where that does not work."""
    for block in blocks(page):
        if block.file is not None:
            path = checkout / block.file
            path.write_text(block.text.split("\n", 1)[1])
        elif block.language == "diff":
            _apply(block.text, checkout)
        elif block.language == "sh":
            for line in block.text.splitlines():
                _run(line, checkout)


def _run(line: str, checkout: Path) -> None:
    program, *arguments = shlex.split(line)
    assert program == "python", f"commands of how-to pages are `python ...`: {line}"
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def _apply(diff: str, checkout: Path) -> None:
    """Replace lines as a diff says. `--- path` begins a file and `@@` a part; there are no numbers of lines, and a part
    may end within one."""
    for name, parts in re.findall(r"^--- (\S+)\n(.*?)(?=^--- |\Z)", diff, re.S | re.M):
        path = checkout / name
        text = path.read_text()
        for part in filter(None, re.split(r"^@@.*\n", parts, flags=re.M)):
            lines = part.removesuffix("\n").split("\n")
            before, after = (
                "\n".join(x[1:] for x in lines if x[:1] in signs) for signs in ((" ", "-"), (" ", "+"))
            )
            assert text.count(before) == 1, f"{name} has these lines {text.count(before)} times:\n{before}"
            text = text.replace(before, after)
        path.write_text(text)
