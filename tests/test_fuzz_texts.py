"""Texts that were written by nobody: what tewb reads is understood, or refused as a mistake of its author.

`python -m tests.test_fuzz_texts COUNT SEED` tries more of them.
"""

from __future__ import annotations

import random
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

import tewb
from tests.examples import examples
from tests.programs import PROGRAMS, random_schedule
from tests.tensor.test_hybrid_random import Program as HybridProgram
from tewb import te
from tewb.base import DType, TewbError
from tewb.ir import parse
from tewb.runtime import Target
from tewb.tensor.hybrid.module import load_text
from tewb.workbench import Session

BUDGET = 60  # mutated texts for each reader
TOKEN = re.compile(r"\w+|\s+|\"[^\"\n]*\"|'[^'\n]*'|.", re.DOTALL)
# What broke readers, here and elsewhere, and what can stand in the place of anything.
NASTY = [
    "\0", "\r", "\x0c", "\u2028", "\ud800", "\ufeff", "é", "\uff19", "\\", "'", '"', '"""', "#", "\t", "\n", "\n    ",
    "-" * 300, "not " * 300, "(" * 300, "[" * 90, ".x" * 1200, "()" * 1200, "[0]" * 1200, "+1" * 1200, "**9" * 40,
    "lambda: " * 90, "1 if 1 else " * 300, "9" * 400, "9" * 5000, "0x" + "f" * 5000, "1e999", "-1e999", "1j", "...",
    "b'x'", "None", "True", "inf", "nan", "-0", "0", "-1", "1", "2147483648", "-9223372036854775809", "1_0", "0b1",
    "f'{a}'", "(", ")", "[", "]", "{", "}", ",", ":", "=", "==", "*", "**", "//", "%", "<<", ">>", "@", "->", ":=",
    "a[", "a[:]", "a[::0]", "a[::-1]", "a[()]", "a[0, 0]", "*a", "**a", "()", "[]", "{}", "{1: 2}", "[*a]", "x for x in a",
    "yield", "await x", "import os", "global a", "del a", "return", "pass", "class A: pass", "async ", "with a as b: ",
    "while True: ", "if a: ", "T.float99(1)", "T.int8(300)", "T.Cast('handle', 1)", "T.Ramp(0, 1, 99999999)", "T.x.y",
    'T.Buffer((-1,), "float32")', '"float32x99999999999999"', '"int032"', '"handle"', '"void"', "T.Broadcast(1, 0)",
    "null", "[[[[", '{"steps": 3}', '{"tewb": []}', ";", "C:split(i,0)", "C:split(i,99999999999999999999)", '"\\ud800"',
    "-mcpu=", "-mattr=,,", "-mtriple=x", "-mattr=+", "--", "-", "=", "x99999999999",
]  # fmt: skip


def mutated(text: str, other: str, rng: random.Random) -> str:
    """`text` with one to four changes."""
    tokens = TOKEN.findall(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(tokens) + 1)
        end = min(len(tokens), at + rng.choice((1, 1, 1, 2, 5, 20)))
        span = tokens[at:end]
        match rng.randrange(7):
            case 0:
                tokens[at:end] = []
            case 1:
                tokens[at:at] = [rng.choice(NASTY)]
            case 2:
                tokens[at:end] = [rng.choice(NASTY)]
            case 3:
                tokens[at:end] = span * rng.choice((2, 3, 50))
            case 4 if tokens:
                tokens[at:end] = [rng.choice(tokens)]
            case 5:
                donor = TOKEN.findall(other)
                start = rng.randrange(len(donor))
                tokens[at:end] = donor[start : start + rng.choice((1, 5, 30))]
            case 6:
                characters = list("".join(span))
                rng.shuffle(characters)
                tokens[at:end] = ["".join(characters)]
    return "".join(tokens)


# ---------------------------------------------------------------- readers, with texts that they understand


@cache
def ir_texts() -> list[str]:
    rng = random.Random(5)
    made = []
    for program in PROGRAMS.values():
        inputs, outputs = program()
        for _ in range(2):
            s = random_schedule(outputs, rng, 5)
            made.append(tewb.lower(s, [*inputs, *outputs]).script())
    return made


def read_ir(text: str) -> None:
    f = parse(text)
    assert f.script()


HYBRID = '''"""A module."""
from tewb import te


@te.hybrid.script
def f(a, e, c):
    b = output_tensor((a.shape[0], 6), "float32")
    t = allocate((4,), "int64", "local")
    total = 0
    for i in range(a.shape[0]):
      for j in range(2, 6):
        if i < j and not e[0] > 3:
            b[i, j] = c[i % 4, j] * 2.0 if i > 2 else max(1.0, float32(a[i]))
        elif i == 5:
            total += a[i] << 2
        while total > 3:
            total = total // 2 - 1
    for k in unroll(4):
        t[k] = -int64(k) ** 2
    assert total < 100, "too much"
    b[:, 0] = exp(c[0, :] - 1e-3)
    return b
'''


@cache
def hybrid_texts() -> list[str]:
    head = "from tewb import te\n\n\n@te.hybrid.script\n"
    return [HYBRID, *(head + HybridProgram(random.Random(seed), "int16").text() for seed in range(4))]


def read_hybrid(text: str) -> None:
    f = load_text(text, "<fuzz>")
    kinds = {"c": ((4, 6), "float32"), "e": ((6,), "int16")}
    given = [kinds.get(a.arg, ((6,), "int32")) for a in f.text.tree.args.args]
    f(*[te.placeholder(shape, dtype) for shape, dtype in given])
    if "while" not in text and len(text) < 3000:
        f.check(*[np.zeros(shape, dtype) for shape, dtype in given])


@cache
def a_session() -> Session:
    A = te.placeholder((32, 16), name="A")
    k = te.reduce_axis((0, 16), name="k")
    B = te.compute((32,), lambda i: te.sum(A[i, k], axis=k), name="B")
    C = te.compute((32,), lambda i: B[i] * 2.0, name="C")
    s = te.create_schedule(C.op)
    xo, xi = s[C].split(C.op.axis[0], factor=8)
    s[C].vectorize(xi)
    s[B].compute_at(s[C], xo)
    s.cache_read(A, "local", [B])
    s[B].pragma(s[B].op.axis[0], "auto_unroll_max_step", 16)
    session = Session(s, [A, C])
    session.label_step(1, "first", 'a "note"\nof two lines')
    return session


def schedule_texts() -> list[str]:
    session = a_session()
    return [session.code, session.schedule_code, session.to_string(), session.to_json()]


def read_schedule(text: str) -> None:
    a_session().copy().load(text)


TARGETS = [
    "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1 -mattr=+dotprod",
    "llvm -mcpu=x86-64-v3 -mattr=-avx512vnni,+fma",
    "llvm -keys=cpu -link-params=0",
]


def read_dtype(text: str) -> None:
    te.placeholder((4,), name="A", dtype=DType(text).element)


READERS: dict[str, tuple[Callable[[str], object], Callable[[], list[str]]]] = {
    "ir": (read_ir, ir_texts),
    "hybrid": (read_hybrid, hybrid_texts),
    "schedule": (read_schedule, schedule_texts),
    "target": (Target.of, lambda: TARGETS),
    "dtype": (read_dtype, lambda: ["float32", "int8x16", "uint64", "bool"]),
}


def texts(name: str, seed: int, count: int) -> Iterator[str]:
    known = READERS[name][1]()
    rng = random.Random(f"{name}{seed}")
    for _ in range(count):
        yield mutated(rng.choice(known), rng.choice(known), rng)


@pytest.mark.parametrize("name", READERS)
def test_unchanged_texts_are_understood(name: str) -> None:
    read, known = READERS[name]
    for text in known():
        read(text)


@pytest.mark.parametrize("name", READERS)
def test_changed_texts_are_understood_or_refused(name: str) -> None:
    read = READERS[name][0]
    for text in texts(name, 0, examples(BUDGET)):
        try:
            read(text)
        except TewbError as e:
            assert len(str(e)) < 4000, text


DEEP: dict[str, Callable[[int], str]] = {
    "signs": lambda n: "x = " + "-" * n + "1",
    "nots": lambda n: "x = " + "not " * n + "a",
    "attributes": lambda n: "x = a" + ".b" * n,
    "calls": lambda n: "x = a" + "()" * n,
    "elements": lambda n: "x = a" + "[0]" * n,
    "sums": lambda n: "x = 1" + " + 1" * n,
    "powers": lambda n: "x = 1" + " ** 1" * n,
    "parentheses": lambda n: "x = " + "(" * n + "1" + ")" * n,
    "brackets": lambda n: "x = " + "[" * n + "1" + "]" * n,
    "lambdas": lambda n: "x = " + "lambda: " * n + "1",
    "choices": lambda n: "x = " + "1 if 1 else " * n + "1",
    "ifs": lambda n: "".join(" " * i + "if 1:\n" for i in range(min(n, 2000))) + " " * min(n, 2000) + "pass",
    "elifs": lambda n: "if 1:\n    pass\n" + "elif 1:\n    pass\n" * n,
    "digits": lambda n: "x = " + "9" * n,
    "hexadecimal digits": lambda n: "x = 0x" + "f" * n,
    "a NUL": lambda n: "x = 1\0",
    "half a character": lambda n: "x = '\ud800'",
    "JSON": lambda n: '{"steps": ' + "[" * n,
    "more JSON": lambda n: '{"steps": ' + "9" * n + "}",
    "a compact step": lambda n: "C:split(i," + "9" * n + ")",
    "compact lists": lambda n: "C:reorder(" + "[" * n,
}


@pytest.mark.slow
@pytest.mark.one_in(4)
@pytest.mark.parametrize("count", [300, 2500, 20_000, 1_000_000])
@pytest.mark.parametrize("kind", DEEP)
def test_endless_texts_are_understood_or_refused(kind: str, count: int) -> None:
    statement = DEEP[kind](count)
    indented = statement.replace("\n", "\n    ")
    for read, text in (
        (read_ir, f'@T.prim_func\ndef f(a: T.Buffer((4,), "int32")):\n    {indented}\n'),
        (read_hybrid, f"from tewb import te\n\n@te.hybrid.script\ndef f(a):\n    {indented}\n    return a\n"),
        (read_schedule, statement),
        (Target.of, f"llvm {statement}"),
        (read_dtype, statement),
    ):
        try:
            read(text)
        except TewbError as e:
            assert len(str(e)) < 4000
        else:
            assert count < 20_000


@pytest.mark.parametrize("what", [None, 3, b"x = 1", ["x"], object()], ids=lambda x: type(x).__name__)
def test_what_is_no_text_is_refused(what: Any) -> None:
    readers: tuple[Callable[[Any], object], ...] = (
        parse,
        a_session().copy().load,
        Target.of,
        DType,
        te.hybrid.load,
    )
    for read in readers if what is not None else (parse, a_session().copy().load, te.hybrid.load):
        with pytest.raises(TewbError):
            read(what)


if __name__ == "__main__":
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    for name, (read, _) in READERS.items():
        found: dict[str, int] = {}
        for text in texts(name, seed, count):
            try:
                read(text)
            except TewbError as e:
                assert len(str(e)) < 4000, text
            except Exception as e:
                where = traceback.extract_tb(e.__traceback__)[-1]
                told = f"{type(e).__name__} at {where.filename}:{where.lineno}: {str(e)[:200]}"
                found[told] = found.get(told, 0) + 1
                if found[told] == 1:
                    print(
                        "-" * 80, told, ascii(text) if len(text) < 6000 else len(text), sep="\n", flush=True
                    )
        print(f"{name}: {count} texts, {sum(found.values())} faults", flush=True)
