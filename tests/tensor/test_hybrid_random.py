"""Random hybrid programs give the same results compiled, as plain Python, and checked.

The programs are text. They only say what has one meaning in all three: floats stay small multiples of
1/4 (so that no rounding happens), indices are in bounds.
"""

from __future__ import annotations

import linecache
from contextlib import suppress
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.tensor.test_hybrid import compiled
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import AxisKind, const_int

N, ROWS = 6, 4  # sizes: a, e, p, r have N elements; c and q are ROWS x N
SMALL = ("int8", "int16", "int64", "uint8", "uint16", "uint32", "uint64", "float64")


class Program:
    """Writes one program. `variables` are the int32 scalars in sight, `floats` the float32 ones, `loops` the
    loop variables with the values they run over, `tensors` what has N elements of int32."""

    def __init__(self, random: Random, dtype: str) -> None:
        self.random, self.dtype = random, dtype
        self.lines: list[str] = []
        self.depth, self.count = 1, 0
        self.variables: list[str] = []
        self.floats: list[str] = []
        self.loops: list[tuple[str, int, int]] = []
        self.tensors = ["p"]
        self.budget = 28

    def pick(self, *options: Any) -> Any:
        return self.random.choice(options)

    def emit(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def text(self) -> str:
        self.emit(f'p = output_tensor(({N},), "int32")')
        self.emit(f'q = output_tensor(({ROWS}, {N}), dtype="float32")')
        self.emit("r = output_tensor(a.shape, e.dtype)")
        self.emit("p[:] = a[:]")
        self.emit("q[:, :] = c[:, :] * 2.0")
        self.emit("r[:] = e[:]")
        self.block(3)
        while self.budget > 14:
            self.block(3)
        self.emit("return p, q, r")
        return "def f(a, c, e):\n" + "\n".join(self.lines) + "\n"

    # ---- values

    def index(self, size: int) -> str:
        inside = [name for name, lo, hi in self.loops if lo >= 0 and hi < size]
        shifted = [(name, lo, hi) for name, lo, hi in self.loops if hi - lo < size and lo != 0]
        options = [str(self.random.randrange(-size, size)), f"({self.integer(1)}) % {size}"]
        options += inside * 2
        options += [f"{name} - {lo}" if lo > 0 else f"{name} + {-lo}" for name, lo, _ in shifted]
        return self.pick(*options)

    def integer(self, deep: int = 2) -> str:
        if deep == 0 or self.random.random() < 0.2:
            options = [str(self.random.randrange(-3, 10)), f"a[{self.index_of_constant()}]", *self.variables]
            options += [name for name, _, _ in self.loops]
            options += [f"{t}[{self.index_of_constant()}] % 50" for t in self.tensors]
            return self.pick(*options)
        x, y = self.integer(deep - 1), self.integer(deep - 1)
        k = self.random.randrange(1, 6)
        return self.pick(
            f"({x} + {y})", f"({x} - {y})", f"({x} * {y})", f"({x} // {k})", f"({x} % {k})", f"({x} // -{k})",
            f"({x} & {k})", f"({x} | {k})", f"({x} ^ {y})", f"({x} << {k % 3})", f"({x} >> {k % 4})", f"min({x}, {y})",
            f"max({x}, {y}, {k})", f"abs({x})", f"(-{x})", f"(~{x})", f"({k}**2)",
            f"({x} if {self.condition(0)} else {y})", f"int32({self.real(1)})",
        )  # fmt: skip

    def index_of_constant(self) -> str:
        inside = [name for name, lo, hi in self.loops if lo >= 0 and hi < N]
        return self.pick(str(self.random.randrange(-N, N)), *inside)

    def real(self, deep: int = 2) -> str:
        if deep == 0 or self.random.random() < 0.2:
            return self.pick(
                f"c[{self.random.randrange(ROWS)}, {self.index_of_constant()}]", self.pick("0.5", "2.0", "-1.5"),
                f"float32(a[{self.index_of_constant()}])", *self.floats,
            )  # fmt: skip
        x, y = self.real(deep - 1), self.real(deep - 1)
        return self.pick(
            f"({x} + {y})", f"({x} - {y})", f"({x} * {y})", f"max({x}, {y})", f"min({x}, {y})", f"abs({x})",
            f"({x} * 2.0)", f"floor({x})", f"({x} if {self.condition(0)} else {y})", f"(-{x})",
        )  # fmt: skip

    def rounded(self, x: str) -> str:
        """A float that stays small and has no fraction."""
        return f"floor(min(max({x}, -8.0), 8.0))"

    def element(self) -> str:
        """A value of the dtype of e and r."""
        at = self.index_of_constant()
        x = self.pick(f"e[{at}]", f"r[{at}]", f"{self.dtype}(({self.integer(1)}) % 9)")
        y = self.pick(f"e[{at}]", f"{self.dtype}({self.random.randrange(4)})", "2", "1", "200")
        options = [
            f"({x} + {y})",
            f"({x} - {y})",
            x,
            f"max({x}, {y})",
            f"({x} if {self.condition(0)} else e[{at}])",
        ]
        if self.dtype != "float64":
            options += [
                f"({x} * {y})",
                f"({x} % {self.random.randrange(1, 7)})",
                f"({x} ^ {y})",
                f"({x} >> 1)",
            ]
        return self.pick(*options)

    def condition(self, deep: int = 1) -> str:
        sign = self.pick("<", "<=", ">", ">=", "==", "!=")
        x = self.integer(0)
        options = [f"{x} {sign} {self.random.randrange(-2, 9)}", f"0 <= {x} < {self.random.randrange(9)}"]
        options += [f"{x} {sign} {self.integer(0)}", f"{self.real(0)} {sign} 1.0"]
        options += [f"e[{self.index_of_constant()}] {sign} 3"]
        if deep > 0:
            options += [
                f"not {self.condition(0)}", f"({self.condition(0)} and {self.condition(0)})",
                f"({self.condition(0)} or {self.condition(0)})", f"not ({self.condition(0)} or {self.condition(0)})",
                f"({name} < {N - 1} and a[{name} + 1] > 2)" if (name := self.small_loop()) else "a[0] > 1",
            ]  # fmt: skip
        return self.pick(*options)

    def small_loop(self) -> str | None:
        inside = [name for name, lo, hi in self.loops if lo >= -1 and hi < N]
        return self.pick(*inside) if inside else None

    # ---- statements

    def block(self, deep: int) -> None:
        kept = (list(self.variables), list(self.floats), list(self.tensors))
        for _ in range(self.random.randrange(1, 4)):
            self.statement(deep)
        if self.depth > 1:
            self.variables, self.floats, self.tensors = kept

    def nested(self, head: str, deep: int) -> None:
        self.emit(head)
        self.depth += 1
        self.block(deep - 1)
        self.depth -= 1

    def statement(self, deep: int) -> None:
        self.budget -= 1
        simple = [
            self.store,
            self.store_float,
            self.store_element,
            self.variable,
            self.slices,
            self.slices,
            self.swap,
        ]
        nested = [
            self.loop,
            self.loop,
            self.branch,
            self.while_,
            self.independent,
            self.over_elements,
            self.over_tuple,
        ]
        self.pick(*simple, *(nested if deep > 0 and self.budget > 0 else []))()

    def store(self) -> None:
        t = self.pick(*self.tensors)
        sign = self.pick("=", "=", "+=", "-=")
        self.emit(f"{t}[{self.index(N)}] {sign} ({self.integer()}) % 1000")

    def store_float(self) -> None:
        at = f"q[{self.index(ROWS)}, {self.index(N)}]"
        self.emit(f"{at} = {self.rounded(self.real())}")

    def store_element(self) -> None:
        self.emit(f"r[{self.index(N)}] = {self.element()}")

    def variable(self) -> None:
        if self.random.random() < 0.3:
            if self.floats and self.random.random() < 0.5:
                name = self.pick(*self.floats)
            else:
                name = self.fresh("y")
            self.emit(f"{name} = {self.rounded(self.real())}")
            self.floats.append(name)
        elif self.variables and self.random.random() < 0.6:
            name = self.pick(*self.variables)
            self.emit(f"{name} = ({self.integer()}) % 101")
        elif self.random.random() < 0.3:
            name = self.fresh("t")
            self.emit(f'{name} = allocate(({N},), "int32")')
            self.emit(f"{name}[:] = {self.pick('p[:]', 'a[::-1]', '3')}")
            self.tensors.append(name)
        else:
            name = self.fresh("x")
            self.emit(f"{name} = ({self.integer()}) % 101")
            self.variables.append(name)

    def swap(self) -> None:
        i, j = self.index(N), self.index(N)
        self.emit(f"p[{i}], p[{j}] = p[{j}], p[{i}]")

    def part(self, length: int) -> str:
        """A slice of N elements with `length` of them."""
        start = self.random.randrange(0, N - length + 1)
        if length == N:
            return self.pick(":", "::-1", f"0:{N}")
        options = [f"{start}:{start + length}", f"{start - N}:{start + length}"]
        if start == 0:
            options.append(f":{length}")
        if start + length == N:
            options.append(f"-{length}:")
        if length * 2 <= N:
            options.append(f"{self.random.randrange(2)}:{2 * length}:2")
        bounded = [name for name, lo, hi in self.loops if lo >= 0 and hi + length <= N]
        options += [f"{name}:{name} + {length}" for name in bounded]
        return self.pick(*options)

    def slices(self) -> None:
        length = self.random.randrange(1, N + 1)
        here = self.part(length)
        sign = self.pick("=", "=", "+=")
        kind = self.random.randrange(4)
        if kind == 0:
            row, other = self.index(ROWS), self.index(ROWS)
            value = self.pick(
                f"q[{other}, {self.part(length)}]", f"c[{other}, {self.part(length)}] * 2.0", "1.0"
            )
            self.emit(
                f"q[{row}, {here}] = floor(min(max({value}, -8.0), {self.pick('8.0', f'q[{other}, 0]')}))"
            )
        elif kind == 1:
            # r[1:6:2] = r[1:4] is wrong in numpy 2.4: it reads r[3] after it has stored it. A sum is a copy.
            source = self.pick("e[{}]", "(r[{}] + 0)").format(self.part(length))
            self.emit(f"r[{here}] {sign} {source}")
        elif kind == 2:
            self.emit(f"q[1:3, {here}] = q[{self.pick('0:2', '2:4', '1:3', '2:3')}, {self.part(length)}]")
        else:
            t, u = self.pick(*self.tensors), self.pick("a", *self.tensors)
            x = f"{u}[{self.part(length)}]"
            y = self.pick(f"p[{self.part(length)}]", "3", f"a[{self.index_of_constant()}]", "p[2]")
            self.emit(f"{t}[{here}] {sign} ({x} {self.pick('+', '-', '&', '|')} {y}) % 1000")

    def loop(self) -> None:
        name = self.fresh("i")
        word = self.pick("range", "range", "serial", "unroll", "const_range")
        bounds, lo, hi = self.pick(
            (f"{N}", 0, N - 1), (f"1, {N}, 2", 1, N - 1), (f"{N - 1}, -1, -2", 0, N - 1), ("-2, 3", -2, 2),
            ("3", 0, 2), ("2, 2", 0, 0), (f"p[1] % 3, {N}", 0, N - 1), (f"0, a[0] % {N}", 0, N - 1),
        )  # fmt: skip
        if "[" in bounds:
            word = "range"
        if word == "const_range":
            bounds, lo, hi = self.pick(("2", 0, 1), ("1, 4, 2", 1, 3))
        self.loops.append((name, lo, hi))
        self.nested(f"for {name} in {word}({bounds}):", 2)
        self.loops.pop()

    def independent(self) -> None:
        """A loop whose iterations may run at once."""
        name = self.fresh("i")
        self.loops.append((name, 0, N - 1))
        self.emit(f"for {name} in {self.pick('parallel', 'vectorize')}({N}):")
        own = self.pick(f"{name}", f"{N - 1} - {name}")
        kept, self.tensors = self.tensors, []
        values, self.variables = self.variables, []
        self.depth += 1
        self.emit(f"p[{own}] = (a[{name}] + {self.random.randrange(9)}) * {self.integer(1)} % 1000")
        if self.random.random() < 0.5:
            self.emit(f"q[2, {own}] = c[1, {name}] if {self.condition(0)} else {self.rounded(self.real(1))}")
        self.depth -= 1
        self.tensors, self.variables = kept, values
        self.loops.pop()

    def branch(self) -> None:
        self.nested(f"if {self.condition()}:", 2)
        if self.random.random() < 0.3:
            self.nested(f"elif {self.condition()}:", 2)
        if self.random.random() < 0.5:
            self.nested("else:", 2)

    def while_(self) -> None:
        name = self.fresh("w")
        self.emit(f"{name} = 0")
        also = self.pick("", f" and {self.condition()}")
        self.emit(f"while {name} < {self.random.randrange(5)}{also}:")
        self.depth += 1
        self.block(1)
        self.emit(f"{name} += 1")
        self.depth -= 1

    def over_elements(self) -> None:
        name = self.fresh("v")
        self.emit(f"for {name} in {self.pick('a', 'p')}:")
        self.depth += 1
        self.variables.append(f"{name} % 20")
        values = self.variables
        self.variables = [v for v in values if "%" not in v or v.startswith(name)]
        self.emit(f"p[{self.index(N)}] = ({self.pick(*self.variables)} + {self.integer(0)}) % 1000")
        self.variables = values[:-1]
        self.depth -= 1

    def over_tuple(self) -> None:
        i, t = self.fresh("k"), self.fresh("u")
        self.emit(f"for {i}, {t} in enumerate((a, p)):")
        self.depth += 1
        self.loops.append((i, 0, 1))
        self.emit(f"p[{self.index(N)}] = {t}[{self.index_of_constant()}] % 100 + {i}")
        self.loops.pop()
        self.depth -= 1


def define(text: str) -> Any:
    name = f"<random {abs(hash(text))}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    scope: dict[str, Any] = {}
    exec(compile(text, name, "exec"), scope)
    return te.hybrid.script(scope["f"])


def arrays_for(dtype: str, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [
        rng.integers(-4, 9, N).astype("int32"),
        (rng.integers(-6, 7, (ROWS, N)) * 0.5).astype("float32"),
        rng.integers(0, 100, N).astype(dtype),
    ]


@pytest.mark.slow
@settings(max_examples=examples(60), deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(SMALL), st.integers(0, 99))
def test_random_programs_agree(random: Random, dtype: str, seed: int) -> None:
    text = Program(random, dtype).text()
    f, arrays = define(text), arrays_for(dtype, seed)
    plain, checked, built = f(*arrays), f.check(*arrays), compiled(f, arrays)
    for name, x, y, z in zip("pqr", plain, checked, built, strict=True):
        np.testing.assert_array_equal(x, y, err_msg=f"{name}: plain and checked differ\n{text}")
        np.testing.assert_array_equal(x, z, err_msg=f"{name}: plain and compiled differ\n{text}")


@pytest.mark.slow
@settings(max_examples=examples(30), deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(SMALL), st.integers(0, 99))
def test_scheduled_random_programs_agree(random: Random, dtype: str, seed: int) -> None:
    """Loops whose iterations are said to be independent are, in any order."""
    text = Program(random, dtype).text()
    f, arrays = define(text), arrays_for(dtype, seed)

    def schedule(s: Any, t: Any) -> None:
        for iv in s[t].op.axis:
            if iv.kind is AxisKind.DATA and const_int(iv.dom.extent) is not None:
                apply(s[t], iv, random)

    for name, x, y in zip("pqr", f(*arrays), compiled(f, arrays, schedule), strict=True):
        np.testing.assert_array_equal(x, y, err_msg=f"{name}\n{text}")


def apply(stage: Any, iv: Any, random: Random) -> None:
    what = random.choice(["parallel", "vectorize", "unroll", "split", "nothing"])
    if what == "split":
        _, iv = stage.split(iv, factor=random.choice([2, 4]))
        what = random.choice(["vectorize", "unroll"])
    if what != "nothing":
        with suppress(ScheduleError):  # a loop around it may be a vector already
            getattr(stage, what)(iv)


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_survive_their_text(seed: int) -> None:
    """Lowered, written as text, and loaded again."""
    dtype = SMALL[seed % len(SMALL)]
    f, arrays = define(Program(Random(seed), dtype).text()), arrays_for(dtype, seed)
    inputs = [te.placeholder(a.shape, name=n, dtype=str(a.dtype)) for a, n in zip(arrays, "ace", strict=True)]
    outputs = f(*inputs)
    module = te.hybrid.build(te.create_schedule(outputs[0].op), inputs, outputs)
    for got, want in zip(module(*arrays), f(*arrays), strict=True):
        np.testing.assert_array_equal(got, want, err_msg=module.get_source())
