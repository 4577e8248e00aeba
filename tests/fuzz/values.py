"""Random expressions of one stage: values that mean the same in any order, and indices that are inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.fuzz.expressions import (
    DTYPES,
    INTS,
    E,
    binary,
    cast,
    common,
    const,
    is_float,
    least,
    load,
    most,
    name,
)
from tests.fuzz.programs import ReduceAxis, Spread

if TYPE_CHECKING:
    from tests.fuzz.graphs import Graph, Readable

EXACT = {
    "float16": 10,
    "float32": 22,
    "float64": 50,
}  # bits within which sums and products of floats are exact


class Scope:
    """Expressions of the indices of one stage: `axes` with their extents."""

    def __init__(self, graph: Graph, axes: list[tuple[E, E]]) -> None:
        self.graph, self.rng, self.axes = graph, graph.rng, axes
        self.begins: dict[str, ReduceAxis] = {}
        self.reads_inside = 0  # reads around this one, whose indices we are in

    # ---- values

    def value(self, dtype: str, deep: int) -> E:
        """An expression of `dtype`."""
        rng = self.rng
        if dtype == "bool":
            return self.condition(deep)
        if deep == 0 or rng.random() < 0.15:
            return self.leaf(dtype)
        if is_float(dtype):
            return self.fitting(self.real(dtype, deep))
        return self.integer(dtype, deep)

    def integer(self, dtype: str, deep: int) -> E:
        rng = self.rng
        op = rng.choice(["+", "-", "*", "+", "-", "*", "//", "%", "te.truncdiv", "te.truncmod", "te.min", "te.max", "&", "|",
                         "^", "<<", ">>", "neg", "~", "te.abs", "te.popcount", "te.select", "te.if_then_else", "cast",
                         "mixed", "bare", "of axes", "te.select"])  # fmt: skip
        x = self.value(dtype, deep - 1)
        if op == "neg" and x.op == "const":
            op = "~"  # a constant without a sign has no negative
        match op:
            case "neg" | "~" | "te.abs" | "te.popcount":
                return E(op, dtype, (x,))
            case "te.select" | "te.if_then_else":
                return E(op, dtype, (self.condition(deep - 1), x, self.value(dtype, deep - 1)))
            case "cast":
                return cast(self.value(rng.choice(DTYPES), deep - 1), dtype)
            case "mixed":
                other = self.value(rng.choice(INTS), deep - 1)
                return cast(binary(rng.choice(["+", "*", "te.max", "//", "-"]), x, other), dtype)
            case "bare":
                return cast(self.beside_a_number(x), dtype)
            case "of axes" if self.axes:
                return cast(self.of_axes(), dtype)
            case "of axes":
                return x
            case "//" | "%" | "te.truncdiv" | "te.truncmod":
                y = (
                    self.value(dtype, deep - 1)
                    if rng.random() < 0.5
                    else self.number(dtype, (1, 2, 3, 5, 8, 7, -1, -4))
                )
                return binary(op, x, y) if not (y.op == "const" and y.data == 0) else x
            case "<<" | ">>":
                bits = 8 * np.dtype(dtype).itemsize
                y = self.value(dtype, 0)
                if y.op == "const" or rng.random() < 0.7:  # constants that are too large are refused
                    y = self.number(dtype, (0, 1, 2, 5, 7, bits - 1))
                return binary(op, x, y)
        return binary(op, x, self.value(dtype, deep - 1))

    def beside_a_number(self, x: E) -> E:
        """`x` and a plain number, which is an int32: narrower integers are computed in int32."""
        rng = self.rng
        number = const(rng.choice([1, 2, 5, 200, 255, 70000]), "int32")
        if x.dtype not in ("uint32", "uint64") and rng.random() < 0.3:
            number = const(-number.data, "int32")
        op = rng.choice(["+", "-", "*", "//", "%", "te.truncdiv", "te.min", "te.max", "&", "^", "te.select"])
        if op == "te.select":
            return E(op, common(x.dtype, "int32"), (self.condition(0), x, number))
        turned = op in ("-", "te.max", "&") and rng.random() < 0.5
        return binary(op, *((number, x) if turned else (x, number)))

    def of_axes(self) -> E:
        """Arithmetic on indices that is used as a value: it may overflow, and wraps."""
        rng = self.rng
        i, j = (rng.choice(self.axes)[0] for _ in range(2))
        c = const(rng.choice([2, 3, 8, 65536, 46341, 1 << 20]), i.dtype)
        return rng.choice([
            binary("*", i, c),
            binary("*", binary("*", i, i), c),
            binary("//", binary("*", i, c), const(8, i.dtype)),
            binary("//", binary("+", i, const(5, i.dtype)), j),
            binary("//", i, j),
            binary("%", binary("*", i, c), binary("+", j, const(1, j.dtype))),
            binary("%", binary("-", i, const(3, i.dtype)), const(4, i.dtype)),
            binary("-", j, binary("*", binary("//", j, const(4, j.dtype)), const(4, j.dtype))),
        ])  # fmt: skip

    def number(self, dtype: str, values: tuple[int, ...]) -> E:
        fitting = [v for v in values if least(dtype) <= v <= most(dtype)]
        return const(self.rng.choice(fitting), dtype)

    def real(self, dtype: str, deep: int) -> E:
        rng = self.rng
        op = rng.choice(["+", "-", "*", "+", "-", "*", "te.min", "te.max", "neg", "te.abs", "te.floor", "te.ceil", "te.trunc",
                         "te.round", "te.select", "te.if_then_else", "cast"])  # fmt: skip
        x = self.value(dtype, deep - 1)
        match op:
            case "neg" | "te.abs" | "te.floor" | "te.ceil" | "te.trunc" | "te.round":
                return E(op, dtype, (x,))
            case "te.select" | "te.if_then_else":
                return E(op, dtype, (self.condition(deep - 1), x, self.value(dtype, deep - 1)))
            case "cast":
                other = rng.choice(["int8", "uint8", "int32", "int64", "bool", "uint16"])
                e = self.value(other, deep - 1)
                if other in ("int32", "int64", "uint16"):
                    e = binary("%", e, const(50, other))
                return cast(e, dtype)
        return binary(op, x, self.value(dtype, deep - 1))

    def condition(self, deep: int) -> E:
        rng = self.rng
        op = rng.choice(["<", "<=", ">", ">=", "==", "!="])
        choice = rng.random()
        if deep > 0 and choice < 0.25:
            return E(
                rng.choice(["te.all", "te.any"]), "bool", (self.condition(deep - 1), self.condition(deep - 1))
            )
        if self.axes and choice < 0.5:
            i, n = rng.choice(self.axes)
            other = rng.choice([const(rng.choice([0, 1, 2, 5]), i.dtype), n, rng.choice(self.axes)[0]])
            return binary(op, i, other)
        if choice < 0.6 and self.axes:
            return binary(op, self.of_axes(), const(rng.choice([0, 1, 3]), "int32"))
        of_bool = [r for r in self.graph.readable if r.dtype == "bool"]
        if of_bool and choice < 0.8:
            return self.read(rng.choice(of_bool))
        dtype = rng.choice([d for d in self.graph.habits.dtypes if d != "bool"] or ["int32"])
        if not is_float(dtype) and rng.random() < 0.3:
            return binary(
                op, self.beside_a_number(self.value(dtype, 0)), const(rng.choice([0, 3, 250]), "int32")
            )
        return binary(op, self.value(dtype, max(deep - 1, 0)), self.value(dtype, 0))

    def leaf(self, dtype: str) -> E:
        rng = self.rng
        same = [r for r in self.graph.readable if r.dtype == dtype]
        if same and rng.random() < 0.75:
            return self.read(rng.choice(same[-1 if self.graph.habits.neighbours else -3 :]))
        scalars = [s for s in self.graph.scalars if s.dtype == dtype and not is_float(dtype)]
        if scalars and rng.random() < 0.3:
            return name(rng.choice(scalars).ident, dtype)
        if is_float(dtype):
            others = [r for r in self.graph.readable if r.dtype in ("int8", "uint8", "bool")]
            if others and rng.random() < 0.6:
                return cast(self.read(rng.choice(others)), dtype)
            return const(rng.choice([0.0, 0.5, 1.0, -2.0, 3.0, -0.25]), dtype)
        others = [r for r in self.graph.readable if not is_float(r.dtype)]
        if others and rng.random() < 0.6:
            return cast(self.read(rng.choice(others)), dtype)
        if self.axes and rng.random() < 0.5:
            return cast(rng.choice(self.axes)[0], dtype)
        return self.number(dtype, (0, 1, 2, 3, 7, -1, -5, 100, least(dtype) + 1, most(dtype)))

    # ---- floats that stay exact

    def spread(self, e: E) -> Spread:
        """How large a float can be, and how many bits it has after the point, so that its arithmetic is exact."""
        if e.dtype == "bool" or not is_float(e.dtype):
            return (2.0 ** {"int8": 7, "uint8": 8, "bool": 1}.get(e.dtype, 6), 0)
        of = [self.spread(a) for a in e.args] if e.op != "load" else []
        match e.op:
            case "load":
                return next(r.spread for r in self.graph.readable if r.ident == e.data)
            case "const":
                return (abs(e.data), 2)
            case "+" | "-":
                return (of[0][0] + of[1][0], max(of[0][1], of[1][1]))
            case "*":
                return (of[0][0] * of[1][0], of[0][1] + of[1][1])
            case "te.floor" | "te.ceil" | "te.trunc" | "te.round":
                return (of[0][0] + 1, 0)
            case "te.select" | "te.if_then_else":
                of = of[1:]
        return (max(s[0] for s in of), max(s[1] for s in of)) if of else (8.0, 2)

    def fitting(self, e: E, room: int = 0) -> E:
        """`e`, or something smaller when its bits, with `room` for more, are not exact."""
        limit, bits = self.spread(e)
        if limit * 2.0**bits <= 2.0 ** (EXACT[e.dtype] - room):
            return e
        x = (
            E("te.round", e.dtype, (e.args[-1],))
            if e.args and e.args[-1].dtype == e.dtype and e.op != "load"
            else e
        )
        limit, bits = self.spread(x)
        if limit * 2.0**bits <= 2.0 ** (EXACT[e.dtype] - room):
            return x
        return cast(self.graph.rng.choice([const(3, "int8"), const(-2, "int8")]), e.dtype)

    # ---- reads

    def read(self, r: Readable) -> E:
        """An element of a tensor, at indices that are inside of it, or guarded."""
        rng = self.rng
        if r.shape and not r.is_large and rng.random() < 0.12:
            return self.guarded(r)
        made = load(r.ident, r.dtype, *[self.index(n) for n in r.shape])
        if is_float(r.dtype) and r.spread[0] * 2.0 ** r.spread[1] > 2.0 ** EXACT[r.dtype]:
            low, high = const(-8.0, r.dtype), const(8.0, r.dtype)
            return E("te.round", r.dtype, (E("te.max", r.dtype, (E("te.min", r.dtype, (made, high)), low)),))
        return made

    def guarded(self, r: Readable) -> E:
        """A read that a condition keeps inside, as at the edge of a picture."""
        rng = self.rng
        indices, guard = [], None
        for n in r.shape:
            if self.axes and rng.random() < 0.7:
                i, _ = rng.choice(self.axes)
                i = binary("+", i, const(rng.choice([-2, -1, 1, 2]), i.dtype))
                inside = E("te.all", "bool", (binary(">=", i, const(0, i.dtype)), binary("<", i, n)))
                guard = inside if guard is None else E("te.all", "bool", (guard, inside))
            else:
                i = self.index(n)
            indices.append(i)
        x = load(r.ident, r.dtype, *indices)
        if guard is None or (is_float(r.dtype) and r.spread[0] > 1e6):
            return self.read(r)
        zero = const(False if r.dtype == "bool" else 0.0 if is_float(r.dtype) else 0, r.dtype)
        return E("te.if_then_else", r.dtype, (guard, x, zero))

    def index(self, n: E) -> E:
        """An index that is at least 0 and less than `n`, when there is any."""
        self.reads_inside += 1
        made = self._index(n)
        self.reads_inside -= 1
        return made

    def _index(self, n: E) -> E:
        rng = self.rng
        zero, one = const(0, n.dtype), const(1, n.dtype)
        exact = [i for i, extent in self.axes if extent == n and self.starts_at_zero(i)]
        choice = rng.random()
        if exact and self.graph.habits.straight:
            return rng.choice(exact)
        if self.graph.habits.neighbours and choice < 0.85:
            near = self.beside(n)
            if near is not None:
                return near
        if exact and choice < 0.75:
            i = rng.choice(exact)
            if choice < 0.12:
                return binary("-", binary("-", n, one), i)
            return cast(i, "int64") if choice < 0.16 else i
        from_data = [r for r in self.graph.readable if r.index_of == n and self.reads_inside < 3]
        if from_data and choice < 0.9:
            at = rng.choice(from_data)
            return load(at.ident, at.dtype, *[self.index(m) for m in at.shape])
        if n.op == "const" and n.data > 40000:
            return self.large_index(n)
        inside = [
            i
            for i, extent in self.axes
            if n.op == extent.op == "const" and extent.data <= n.data and self.starts_at_zero(i)
        ]
        if inside and choice < 0.8:
            i = rng.choice(inside)
            extent = next(e for a, e in self.axes if a is i)
            spare = n.data - extent.data
            return binary("+", i, const(rng.randint(0, spare), i.dtype)) if spare else i
        if n.op == "const" and n.data > 0 and choice < 0.85:
            return const(rng.randrange(n.data), n.dtype)
        x = self.any_index(n.dtype)
        if rng.random() < 0.3:
            return binary("%", x, n) if not (n.op == "const" and n.data == 0) else zero
        return E("te.max", n.dtype, (E("te.min", n.dtype, (x, binary("-", n, one))), zero))

    def beside(self, n: E) -> E | None:
        """An index of a neighbour, in a dimension that is as large as an axis or larger by a number."""
        rng, found = self.rng, []
        for i, extent in self.axes:
            if not self.starts_at_zero(i):
                continue
            spare = n.data - extent.data if n.op == extent.op == "const" else None
            if n.op == "+" and n.args[0] == extent and n.args[1].op == "const":
                spare = n.args[1].data
            if spare is not None and 0 < spare < 4:
                found.append(binary("+", i, const(rng.randint(0, spare), i.dtype)))
            elif extent == n:
                one, zero = const(1, n.dtype), const(0, n.dtype)
                j = binary("+", i, const(rng.choice([-2, -1, 1, 2]), i.dtype))
                j = E(
                    "te.max", n.dtype, (E("te.min", n.dtype, (cast(j, n.dtype), binary("-", n, one))), zero)
                )
                found.append(rng.choice([i, j]))
        return rng.choice(found) if found else None

    def starts_at_zero(self, axis: E) -> bool:
        r = self.begins.get(axis.data)
        return r is None or (r.begin.op == "const" and r.begin.data == 0)

    def any_index(self, dtype: str) -> E:
        """Some integer of a dtype that cannot overflow."""
        rng = self.rng
        if not self.axes:
            return const(rng.choice([0, 1, 2]), dtype)
        i = cast(rng.choice(self.axes)[0], dtype)
        j = cast(rng.choice(self.axes)[0], dtype)
        ints = [r for r in self.graph.readable if r.dtype in INTS and not r.is_large and len(r.shape) <= 1]
        options = [i, binary("+", i, j), binary("-", i, j), binary("*", i, const(rng.choice([2, 3]), dtype)),
                   binary("//", i, const(rng.choice([2, 3, 4]), dtype)), binary("-", i, const(rng.choice([1, 2]), dtype))]  # fmt: skip
        if ints and rng.random() < 0.2 and self.reads_inside < 3:
            return cast(self.read(rng.choice(ints)), dtype)
        return rng.choice(options)

    def large_index(self, n: E) -> E:
        """An index into something large: anywhere, near its end, or a product of axes."""
        rng = self.rng
        dtype = n.dtype if rng.random() < 0.7 else "int64"
        if self.axes:
            i, extent = rng.choice(self.axes)
            if extent.op == "const" and extent.data < 1000 and self.starts_at_zero(i):
                i = cast(i, dtype)
                last = n.data - 1 - max(extent.data - 1, 0)
                return rng.choice([
                    binary("+", i, const(last, dtype)),
                    binary("-", const(n.data - 1, dtype), i),
                    binary("*", i, const((n.data - 1) // max(extent.data, 1), dtype)),
                ])  # fmt: skip
        return const(rng.choice([0, n.data - 1, n.data // 2]), dtype)
