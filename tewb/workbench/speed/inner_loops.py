"""The innermost loops of a kernel's assembly, each with the lines of low-level IR that its instructions compute.

A loop is what stands between a label and a jump back to it; it is innermost when no other one lies inside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tewb.workbench.speed.instructions import FLAGS, Instruction, parse_instruction

_LOC = re.compile(r"\s*\.loc\s+\d+\s+(\d+)")
_LABEL = re.compile(r'("?[^\s#"]+"?):')
_JUMP = re.compile(r"\s*(j\w+|b|b\.\w+|cbn?z|tbn?z)\s+(?:.*,\s*)?(\.L\w+)\s*(?:[#/].*)?$")
_COMMENT = re.compile(r"\s(?:#|//).*$")
_SERVICE = "tewb."
"""How the names of functions begin that are the runtime's."""


@dataclass(frozen=True, slots=True)
class AssemblyRow:
    """An instruction of assembly as text, and the line of low-level IR that it computes (from 1)."""

    text: str
    line: int | None


@dataclass(frozen=True, slots=True)
class InnerLoop:
    """An innermost loop: its function and label, its rows, and those of the function before it, in the order of the text."""

    function: str
    label: str
    rows: tuple[AssemblyRow, ...]
    before: tuple[AssemblyRow, ...]


def inner_loops(assembly: str) -> list[InnerLoop]:
    """All innermost loops of the kernels in the text of an assembly, in its order."""
    found: list[InnerLoop] = []
    for name, rows, labels in _functions(assembly):
        order, bodies = _bodies(rows, labels)
        names = {at: label for label, at in labels.items()}
        for start in sorted(bodies):
            body = bodies[start]
            if not any(other < body for other in bodies.values()):
                inside = tuple(rows[i] for i in order if i in body)
                found.append(InnerLoop(name, names.get(start, name), inside, tuple(rows[:start])))
    return found


def straight_code(assembly: str) -> InnerLoop | None:
    """All of the kernel as if it were a loop that runs once, where it is one function without a loop; None elsewhere."""
    functions = _functions(assembly)
    if len(functions) != 1:
        return None
    name, rows, labels = functions[0]
    return None if _bodies(rows, labels)[1] else InnerLoop(name, name, tuple(rows), ())


def _bodies(rows: list[AssemblyRow], labels: dict[str, int]) -> tuple[list[int], dict[int, frozenset[int]]]:
    """The rows in an order in which they may be done, and the rows of every loop by the one that it begins with.

    A loop is closed by a step back to a row that is on the way already; all ways into it lead through its beginning.
    """
    after = [_after(i, r, labels, len(rows)) for i, r in enumerate(rows)]
    before: list[list[int]] = [[] for _ in rows]
    for i, following in enumerate(after):
        for j in following:
            before[j].append(i)
    order, back = _walked(after)
    loops: dict[int, frozenset[int]] = {}
    around: dict[int, frozenset[int]] = {}
    for i, start in back:
        if start not in around:
            around[start] = _reached(0, after, start) if start else frozenset()
        if i not in around[start]:
            loops[start] = loops.get(start, frozenset()) | {start} | _reached(i, before, start)
    return order, loops


def _walked(after: list[list[int]]) -> tuple[list[int], list[tuple[int, int]]]:
    """The rows that are reached from the first one, each before those that follow it, and the steps that lead back."""
    order: list[int] = []
    back: list[tuple[int, int]] = []
    open_, closed = set[int](), set[int]()
    stack = [(0, iter(after[0]))] if after else []
    open_.update({0} if after else ())
    while stack:
        i, following = stack[-1]
        j = next(following, None)
        if j is None:
            stack.pop()
            open_.discard(i)
            closed.add(i)
            order.append(i)
        elif j in open_:
            back.append((i, j))
        elif j not in closed:
            open_.add(j)
            stack.append((j, iter(after[j])))
    return order[::-1], back


def _after(i: int, r: AssemblyRow, labels: dict[str, int], count: int) -> list[int]:
    """The rows that may come after one."""
    target = _target(r.text)
    goes_on = not re.match(r"(jmp|ret|ud2|b\s)", r.text)
    jumps = [labels[target]] if target in labels else []
    return [
        j for j in (*jumps, *([i + 1] if goes_on else ())) if j < count
    ]  # what stands next comes first in the end


def _reached(start: int, following: list[list[int]], end: int | None) -> frozenset[int]:
    """The rows that are reached from one, without those that are reached through `end` alone."""
    seen, pending = {start}, [start]
    while pending:
        new = [j for j in following[pending.pop()] if j not in seen and j != end]
        seen.update(new)
        pending += new
    return frozenset(seen)


def _target(text: str) -> str | None:
    jump = _JUMP.match(text)
    return jump[2] if jump else None


def _functions(assembly: str) -> list[tuple[str, list[AssemblyRow], dict[str, int]]]:
    """The functions that are the kernel's own: name, instructions, and where each label stands."""
    found: list[tuple[str, list[AssemblyRow], dict[str, int]]] = []
    line: int | None = None
    for text in assembly.splitlines():
        location, label = _LOC.match(text), _LABEL.match(text)
        if location:
            line = int(location[1]) or None
        elif label and not label[1].startswith(".L"):
            found.append((label[1].strip('"'), [], {}))
            line = None
        elif label and found and label[1].startswith(".LBB"):
            found[-1][2][label[1]] = len(found[-1][1])
        elif found and re.match(r"\s+[a-z]", text):
            comment = _COMMENT.search(text)
            code = text[: comment.start()] if comment else text
            found[-1][1].append(AssemblyRow(code.strip(), line))
    return [f for f in found if not f[0].startswith(_SERVICE)]


# ---------------------------------------------------------------- how often


def steps_of_registers(body: list[Instruction]) -> dict[str, int]:
    """The registers to which an iteration adds a constant, and nothing else, with that constant."""
    steps: dict[str, int] = {}
    others: set[str] = set()
    for i in body:
        for register in i.writes:
            if register == FLAGS:
                continue
            step = _added(i, register)
            if step is None:
                others.add(register)
            else:
                steps[register] = steps.get(register, 0) + step
    return {r: s for r, s in steps.items() if r not in others}


def _added(i: Instruction, register: str) -> int | None:
    """What an instruction adds to a register, where that is a constant."""
    if i.reads != (register,):
        return None
    match i.mnemonic.rstrip("bwlq"):
        case "inc":
            return 1
        case "dec":
            return -1
        case "add":
            return i.constant
        case "su":  # sub, without its b
            return None if i.constant is None else -i.constant
        case "lea":
            m = re.fullmatch(r"leaq?\s+(-?\d+)\(%\w+\),.*", i.text)
            return int(m[1]) if m else None
    return None


def constant_trips(body: list[Instruction], before: Sequence[AssemblyRow]) -> int | None:
    """How often a loop runs each time it is entered, where its counter begins at a constant and ends at one."""
    steps = steps_of_registers(body)
    test = next((i for i in reversed(body[:-1]) if FLAGS in i.writes), None)
    if test is None or body[-1].mnemonic not in (
        "jne",
        "jb",
        "jl",
        "jae",
        "jge",
        "jg",
        "ja",
        "jle",
        "jbe",
        "jns",
        "js",
    ):
        return None
    counter = next((r for r in test.reads if r in steps), None)
    if counter is None or len([r for r in test.reads if r != FLAGS]) != 1:
        return None
    first = _constant_before(before, counter)
    last = (
        test.constant if test.mnemonic.startswith("cmp") else 0 if _added(test, counter) is not None else None
    )
    if first is None or last is None:
        return None
    distance, step = last - first, steps[counter]
    if body[-1].mnemonic in ("jae", "jge", "jbe", "jle", "jns"):
        distance += 1 if step > 0 else -1
    return max(-(-distance // step), 1) if distance * step > 0 else None


def _constant_before(before: Sequence[AssemblyRow], register: str) -> int | None:
    last = next((i for r in reversed(before) if register in (i := parse_instruction(r.text)).writes), None)
    if last is None:
        return None
    if last.kind == "zero":
        return 0
    return last.constant if last.mnemonic.startswith("mov") and last.load is None else None


def instructions_of(rows: tuple[AssemblyRow, ...]) -> list[Instruction]:
    """The instructions of rows of x86-64."""
    return [parse_instruction(r.text) for r in rows]
