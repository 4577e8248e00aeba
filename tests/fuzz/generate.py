"""Random programs. What a program is made of is chosen first (its habits), then its tensors, stages and calls."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tests.fuzz import capabilities
from tests.fuzz.expressions import (
    DTYPES,
    INTS,
    E,
    binary,
    cast,
    const,
    is_float,
    least,
    load,
    most,
    name,
    size,
    walk,
)
from tests.fuzz.programs import (
    Call,
    Input,
    Layout,
    Program,
    ReduceAxis,
    Reduction,
    Scalar,
    Spread,
    Stage,
)

EXTENTS = (0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 24, 33)
LARGE = (46341, 65536, 70000, 2**31 - 1, 2**31, 2**31 + 9)
MOST_POINTS = 2000
AXES = ("i", "j", "l", "m")
EXACT = {"float32": 22, "float64": 50}  # bits within which sums and products of floats are exact


@dataclass
class Habits:
    """What a program likes: every choice that holds for all of it."""

    equal_names: bool
    symbolic: bool
    wide_sizes: str  # the dtype of symbolic sizes: int32, int64, or "mixed"
    dtypes: tuple[str, ...]
    large: bool
    from_data: bool
    views: bool


@dataclass
class Readable:
    """A tensor that later stages may read."""

    ident: str
    dtype: str
    shape: tuple[E, ...]
    spread: Spread = (8.0, 2)
    index_of: E | None = None
    is_large: bool = False


def program(seed: str) -> Program:
    """The program of a seed."""
    return Maker(random.Random(seed), seed).program()


def _habits(rng: random.Random) -> Habits:
    return Habits(
        equal_names=rng.random() < 0.4,
        symbolic=rng.random() < 0.4,
        wide_sizes=rng.choice(["int32", "int64", "mixed"]),
        dtypes=tuple(rng.sample(DTYPES, rng.choice([1, 1, 2, 3]))),
        large=rng.random() < 0.08,
        from_data=rng.random() < 0.3,
        views=rng.random() < 0.5,
    )


@dataclass
class Maker:
    rng: random.Random
    seed: str
    scalars: list[Scalar] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    readable: list[Readable] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    large_sizes: dict[str, int] = field(
        default_factory=dict
    )  # scalars that count iterations, and no elements

    def __post_init__(self) -> None:
        self.habits = _habits(self.rng)

    # ---- the whole

    def program(self) -> Program:
        rng = self.rng
        if self.habits.symbolic:
            for _ in range(rng.choice([1, 1, 2])):
                self.scalar(self.size_dtype(), is_size=True)
        if rng.random() < 0.15:
            self.scalar(rng.choice([*self.habits.dtypes, "bool"]), is_size=False)
        for _ in range(rng.choice([1, 2, 2, 3])):
            self.input()
        for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
            self.stage()
        arguments = self.arguments()
        strides = {t: self.stride_kind(t) for t in arguments if not self.is_scalar(t)}
        calls = tuple(self.call(arguments) for _ in range(rng.choice([1, 2, 3]) if self.scalars else 1))
        first = calls[0].layouts
        numbered = {t: first[t] for t, kind in strides.items() if kind == "numbers"}
        calls = tuple(replace(c, layouts={**c.layouts, **numbered}) for c in calls)
        return Program(
            self.seed, tuple(self.scalars), tuple(self.inputs), tuple(self.stages), arguments, strides, None,
            rng.choice([0, 1, 2, 3, 5, 8]), self.options(), self.build(), calls,
        )  # fmt: skip

    def size_dtype(self) -> str:
        return (
            self.rng.choice(["int32", "int64"])
            if self.habits.wide_sizes == "mixed"
            else self.habits.wide_sizes
        )

    def called(self, letter: str, number: int) -> str:
        """The name of a thing: the same for all of its kind, when the program has such a habit."""
        return letter if self.habits.equal_names else f"{letter}{number}"

    # ---- parts

    def scalar(self, dtype: str, is_size: bool) -> None:
        ident = f"{'n' if is_size else 'x'}{len(self.scalars)}"
        self.scalars.append(Scalar(ident, self.called("n", len(self.scalars)), dtype, is_size))
        if is_size:
            self.sizes[ident] = self.rng.choice((5, 8, 13, 17))  # about what it will be

    def input(self) -> None:
        rng = self.rng
        dtype = rng.choice(self.habits.dtypes)
        shape = self.shape(rng.choice([0, 1, 1, 2, 2, 2, 3]))
        large = self.habits.large and bool(shape)
        if large:
            at = rng.randrange(len(shape))
            shape = tuple(self.dim(rng.choice(LARGE)) if d == at else n for d, n in enumerate(shape))
        index_of = None
        if self.habits.from_data and self.readable and rng.random() < 0.6:
            read = rng.choice(self.readable)
            if read.shape:
                index_of, dtype = rng.choice(read.shape), rng.choice(["int32", "int64", "int32", "int16"])
                if any(n.op == "const" and n.data > 30000 for n in (index_of,)) and dtype == "int16":
                    dtype = "int64"
        special = is_float(dtype) and rng.random() < 0.1
        ident = f"A{len(self.inputs)}"
        self.inputs.append(Input(ident, self.called("A", len(self.inputs)), dtype, shape, index_of, special))
        self.readable.append(Readable(ident, dtype, shape, (8.0, 2), index_of, large))

    def dim(self, n: int) -> E:
        return const(n, "int32" if n < 2**31 else "int64")

    def extent(self) -> E:
        rng = self.rng
        sizes = [s for s in self.scalars if s.is_size and s.ident not in self.large_sizes]
        if sizes and rng.random() < 0.7:
            s = rng.choice(sizes)
            n = name(s.ident, s.dtype)
            if rng.random() < 0.8:
                return n
            return binary(rng.choice(["+", "*"]), n, const(rng.choice([1, 2, 3]), s.dtype))
        if self.readable and rng.random() < 0.4:
            near = [n for r in self.readable for n in r.shape if not r.is_large]
            if near:
                return rng.choice(near)
        n = rng.choice(EXTENTS)
        return self.dim(n if n or rng.random() < 0.5 else 1)

    def shape(self, rank: int, limit: int = MOST_POINTS) -> tuple[E, ...]:
        while True:
            shape = tuple(self.extent() for _ in range(rank))
            if rank == 2 and self.rng.random() < 0.1:
                shape = (binary("*", *shape),)
            total = 1
            for n in shape:
                total *= size(n, {k: 3 * v for k, v in self.sizes.items()})
            if total <= limit:
                return shape

    # ---- stages

    def stage(self) -> None:
        rng = self.rng
        makers = [self.compute] * 5 + [self.reduction] * 4 + [self.template]
        if self.habits.large and any(r.is_large for r in self.readable) and rng.random() < 0.4:
            makers = [self.virtual]
        elif self.habits.large and rng.random() < 0.4:
            makers = [self.count]
        rng.choice(makers)()

    def add(self, stage: Stage, spreads: list[Spread]) -> None:
        self.stages.append(stage)
        if stage.is_rounded:
            return
        for t, d, spread in zip(stage.outputs, stage.dtypes, spreads, strict=True):
            self.readable.append(Readable(t, d, stage.shape, spread, None, stage.is_virtual))

    def scope(self, shape: tuple[E, ...]) -> Scope:
        axes = [(name(a, n.dtype), n) for a, n in zip(AXES, shape, strict=False)]
        return Scope(self, axes)

    def compute(self) -> None:
        rng = self.rng
        shape = self.output_shape()
        scope = self.scope(shape)
        count = 2 if rng.random() < 0.12 else 1
        bodies = tuple(
            scope.value(rng.choice(self.habits.dtypes), rng.choice([1, 2, 3])) for _ in range(count)
        )
        rounded = False
        if count == 1 and is_float(bodies[0].dtype) and rng.random() < 0.2:
            bodies, rounded = (self.rounded(scope, bodies[0]),), True
        number = len(self.stages)
        made = Stage(
            f"S{number}", self.called("S", number), tuple(b.dtype for b in bodies), shape, AXES[: len(shape)],
            bodies, is_rounded=rounded,
        )  # fmt: skip
        self.add(made, [scope.spread(b) for b in bodies])

    def output_shape(self, limit: int = MOST_POINTS) -> tuple[E, ...]:
        small = [r.shape for r in self.readable if not r.is_large and r.shape]
        if small and self.rng.random() < 0.5:
            shape = self.rng.choice(small)
            if self.points(shape) <= limit:
                return shape
        if self.habits.large and self.rng.random() < 0.15:  # loops whose product passes int32, and no element
            shape = (self.dim(self.rng.choice(LARGE)), self.dim(self.rng.choice(LARGE[:3])), self.dim(0))
            return tuple(self.rng.sample(shape, 3))
        return self.shape(self.rng.choice([0, 1, 1, 2, 2, 2, 3, 4]), limit)

    def points(self, shape: tuple[E, ...]) -> int:
        total = 1
        for n in shape:
            total *= size(n, {k: 3 * v for k, v in self.sizes.items()})
        return total

    def rounded(self, scope: Scope, e: E) -> E:
        """A function that is near, not exact."""
        x = E("te.abs", e.dtype, (e,))
        return self.rng.choice([
            E("te.sqrt", e.dtype, (x,)),
            E("te.tanh", e.dtype, (e,)),
            E("te.exp", e.dtype, (E("te.min", e.dtype, (e, const(4.0, e.dtype))),)),
            binary("/", e, const(3.0, e.dtype)),
        ])  # fmt: skip

    def virtual(self) -> None:
        """A stage that is as large as a large tensor, and inlined."""
        r = self.rng.choice([r for r in self.readable if r.is_large])
        scope = self.scope(r.shape)
        body = scope.value(self.rng.choice([d for d in self.habits.dtypes]), 1)
        number = len(self.stages)
        made = Stage(
            f"S{number}", self.called("S", number), (body.dtype,), r.shape, AXES[: len(r.shape)], (body,),
            is_virtual=True,
        )  # fmt: skip
        self.add(made, [scope.spread(body)])

    def reduction(self) -> None:
        rng = self.rng
        shape = self.output_shape(300)
        scope = self.scope(shape)
        axes = []
        inside = capabilities.can_depend() and bool(shape) and rng.random() < 0.35
        for n in range(rng.choice([1, 1, 2])):
            axes.append(self.reduce_axis(scope, n, inside))
            scope.axes.append(
                (name(axes[-1].ident, axes[-1].dtype), binary("-", axes[-1].end, axes[-1].begin))
            )
            scope.begins[axes[-1].ident] = axes[-1]
        dtype = rng.choice(self.habits.dtypes)
        if is_float(dtype):
            reducer = rng.choice(["te.sum", "te.sum", "te.min", "te.max", "first", "widest"])
            if reducer in ("first", "widest") and any(i.special for i in self.inputs):
                reducer = "te.max"  # comparisons with NaN have an order
        elif dtype == "bool":
            reducer = rng.choice(["te.min", "te.max", "first"])
            dtype = "int32" if reducer != "first" else rng.choice(INTS)
        else:
            reducer = rng.choice(
                ["te.sum", "te.sum", "te.prod", "te.min", "te.max", "exclusive", "both", "first", "widest"]
            )
        sources: tuple[E, ...] = (scope.value(dtype, rng.choice([0, 1, 2])),)
        if reducer == "te.sum" and is_float(dtype):
            sources = (scope.fitting(sources[0], 9),)  # so that the sum is exact too
        if reducer == "first":
            k = name(axes[0].ident, axes[0].dtype)
            sources = (k, sources[0])
        if reducer == "widest":
            sources = (sources[0], scope.value(dtype, 1))
        where = scope.condition(1) if rng.random() < 0.12 else None
        init = None
        if reducer.startswith("te.") and rng.random() < 0.1:
            init = (const(3.0 if is_float(dtype) else 3, dtype),)
        number = len(self.stages)
        made = Stage(
            f"S{number}", self.called("S", number), tuple(s.dtype for s in sources), shape, AXES[: len(shape)], sources,
            Reduction(reducer, tuple(axes), where, init, inside),
        )  # fmt: skip
        self.add(made, [(1e30, 60) if is_float(s.dtype) else (8.0, 2) for s in sources])

    def count(self) -> None:
        """How many iterations there are of loops with large extents: constant, or told by scalars."""
        rng = self.rng
        axes = []
        for n in range(rng.choice([1, 2, 2])):
            end = self.dim(rng.choice([46341, 50000, 70000, 65536] if n else [*LARGE, 46341, 70000]))
            if end.data == 70000 and rng.random() < 0.3:
                ident = f"n{len(self.scalars)}"
                self.scalars.append(Scalar(ident, self.called("n", len(self.scalars)), end.dtype, True))
                self.sizes[ident], self.large_sizes[ident] = 5, end.data
                end = name(ident, end.dtype)
            axes.append(ReduceAxis(f"k{n}", self.called("k", n), end.dtype, const(0, end.dtype), end))
        number, dtype = len(self.stages), rng.choice(["int32", "int64", "uint64"])
        made = Stage(f"S{number}", self.called("S", number), (dtype,), (), (), (const(1, dtype),),
                     Reduction("te.sum", tuple(axes)), is_count=True)  # fmt: skip
        self.add(made, [(8.0, 2)])

    def reduce_axis(self, scope: Scope, n: int, inside: bool) -> ReduceAxis:
        rng = self.rng
        ident = f"k{n}"
        called = self.called(rng.choice(["k", "i"]) if self.habits.equal_names else "k", n)
        if inside:
            axis, extent = rng.choice(scope.axes)
            begin, end = rng.choice([
                (const(0, axis.dtype), binary("+", axis, const(1, axis.dtype))),
                (const(0, axis.dtype), axis),
                (axis, extent if extent.dtype == axis.dtype else cast(extent, axis.dtype)),
                (axis, binary("+", axis, const(3, axis.dtype))),
            ])  # fmt: skip
            return ReduceAxis(ident, called, binary("-", end, begin).dtype, begin, end)
        if self.habits.large and rng.random() < 0.3:
            begin = rng.choice(LARGE)
            dtype = "int32" if begin + 7 < 2**31 else "int64"
            return ReduceAxis(ident, called, dtype, const(begin, "int32" if begin < 2**31 else "int64"),
                              const(begin + rng.choice([0, 1, 7]), dtype))  # fmt: skip
        extents = [n for r in self.readable for n in r.shape if not r.is_large]
        end = rng.choice(extents) if extents and rng.random() < 0.6 else self.extent()
        if self.points((end,)) > 40 * (1 if n == 0 else 0.3):
            end = self.dim(rng.choice([0, 1, 3, 7]))
        begin = const(rng.choice([0, 0, 0, 0, 1, -2, 3]), end.dtype)
        if end.op != "const" or end.data < begin.data:
            begin = const(0, end.dtype)
        return ReduceAxis(ident, called, end.dtype, begin, end)

    def template(self) -> None:
        """An extern or a hybrid function."""
        rng = self.rng
        of = [r for r in self.readable if 1 <= len(r.shape) <= 2 and not r.is_large and r.dtype != "bool"]
        if not of:
            return self.compute()
        r = rng.choice(of)
        kinds = ["scale", "whole", "window", "hybrid_shift", "hybrid_triangle"] + ["rows"] * (
            len(r.shape) == 2
        )
        kind = rng.choice(kinds)
        if is_float(r.dtype) and r.spread[0] * 2.0 ** r.spread[1] * 64 > 2.0 ** EXACT[r.dtype]:
            kind = rng.choice(["window", "hybrid_shift"])
        number = len(self.stages)
        options = []
        if kind in ("scale", "window", "rows"):
            options = [("tail", rng.choice(["clip", "clip", "shift", "pad"])), ("compact", rng.random() < 0.3),
                       ("effect", rng.choice(["pure", "idempotent"]))]  # fmt: skip
        made = Stage(f"S{number}", self.called("S", number), (r.dtype,), r.shape, (), (), None, kind, (r.ident,),
                     tuple(options))  # fmt: skip
        if kind == "rows":
            made = Stage(
                f"S{number}",
                made.name,
                (r.dtype, r.dtype),
                r.shape,
                (),
                (),
                None,
                kind,
                (r.ident,),
                made.options,
            )
        self.add(made, [(1e30, 60)] * len(made.dtypes))

    # ---- how it is built and called

    def is_scalar(self, ident: str) -> bool:
        return any(s.ident == ident for s in self.scalars)

    def arguments(self) -> tuple[str, ...]:
        rng = self.rng
        read = {e for s in self.stages for e in _loaded(s)}
        results = [
            t
            for s in self.stages
            if not any(t in read for t in s.outputs) and not s.is_virtual
            for t in s.outputs
        ]
        more = [s for s in self.stages if not s.is_virtual and rng.random() < 0.1]
        results += [t for s in more for t in s.outputs if t not in results]
        if not results:  # the last stage is a large one
            results = []
            self.compute()
            return self.arguments()
        inputs = [i.ident for i in self.inputs if i.ident in read or rng.random() < 0.3]
        told = {n.data for t in (*inputs, *results) for n in self.shape_of(t) if n.op == "name"}
        scalars = [s.ident for s in self.scalars if s.ident not in told or rng.random() < 0.3]
        rest = [*inputs, *scalars]
        rng.shuffle(rest)
        rng.shuffle(results)
        chosen = [*rest, *results]
        if rng.random() < 0.3:
            rng.shuffle(chosen)
        return tuple(chosen)

    def shape_of(self, tensor: str) -> tuple[E, ...]:
        for i in self.inputs:
            if i.ident == tensor:
                return i.shape
        return next(s.shape for s in self.stages if tensor in s.outputs)

    def stride_kind(self, tensor: str) -> str:
        if any(n.op == "const" and n.data > 40000 for n in self.shape_of(tensor)):
            return self.rng.choice(["int32", "int64"])
        if not self.habits.views or not self.shape_of(tensor):
            return "-"
        fixed = all(n.op == "const" for n in self.shape_of(tensor))
        return self.rng.choice(["-", "int32", "int32", "int64", *["numbers"] * fixed])

    def layout(self, shape: tuple[E, ...], is_output: bool) -> Layout:
        rng = self.rng
        rank = len(shape)
        order = list(range(rank))
        steps, backwards = [1] * rank, [False] * rank
        if rng.random() < 0.6:
            if rng.random() < 0.4:
                rng.shuffle(order)
            if rng.random() < 0.4:
                steps = [rng.choice([1, 1, 2, 3]) for _ in order]
            if rng.random() < 0.4:
                backwards = [rng.random() < 0.5 for _ in order]
            if not is_output and rng.random() < 0.3:
                steps = [0 if rng.random() < 0.5 else s for s in steps]
        steps = [0 if n.op == "const" and n.data > 40000 else s for n, s in zip(shape, steps, strict=True)]
        return Layout(
            tuple(order), tuple(steps), tuple(backwards), int(rng.random() < 0.05), rng.random() < 0.6
        )

    def call(self, arguments: tuple[str, ...]) -> Call:
        rng = self.rng
        sizes = {s.ident: rng.choice([0, 1, 2, 3, 5, 8, 13, 16, 17, 31]) for s in self.scalars if s.is_size}
        while self.habits.symbolic and max(self.points_now(sizes)) > 6 * MOST_POINTS:
            sizes = {k: max(v // 2, 1) for k, v in sizes.items()}
        sizes |= self.large_sizes
        made = {t for s in self.stages for t in s.outputs}
        tensors = [a for a in arguments if not self.is_scalar(a)]
        layouts = {t: self.layout(self.shape_of(t), t in made) for t in tensors}
        omit = rng.random() < 0.15 and self.may_omit(arguments, made)
        aliases: dict[str, tuple[str, bool]] = {}
        if not omit and rng.random() < 0.12:
            inputs = [i for i in self.inputs if i.ident in arguments and i.index_of is None]
            pairs = [(i.ident, r) for i in inputs for r in tensors if r in made and self.shape_of(r) == i.shape and
                     self.dtype_of(r) == i.dtype]  # fmt: skip
            if pairs:
                i, r = rng.choice(pairs)
                aliases[i] = (r, rng.random() < 0.3)
        wild = self.habits.from_data and rng.random() < 0.3
        return Call(sizes, layouts, rng.randrange(1 << 30), wild, omit, aliases)

    def may_omit(self, arguments: tuple[str, ...], made: set[str]) -> bool:
        """Whether the results come last, and the other arguments tell their sizes."""
        first = next(n for n, a in enumerate(arguments) if a in made)
        given, results = arguments[:first], arguments[first:]
        told = {a for a in given if self.is_scalar(a)}
        told |= {n.data for a in given if not self.is_scalar(a) for n in self.shape_of(a) if n.op == "name"}
        needed = {
            e.data for r in results if r in made for n in self.shape_of(r) for e in walk(n) if e.op == "name"
        }
        return all(r in made for r in results) and needed <= told

    def points_now(self, sizes: dict[str, int]) -> list[int]:
        found = [1]
        for s in self.stages:
            if not s.is_virtual:
                total = 1
                for n in s.shape:
                    total *= size(n, sizes)
                for a in (
                    s.reduction.axes if s.reduction and not s.reduction.inside and not s.is_count else ()
                ):
                    total *= max(size(a.end, sizes) - size(a.begin, sizes), 1)
                found.append(total)
        return found

    def dtype_of(self, tensor: str) -> str:
        for s in self.stages:
            if tensor in s.outputs:
                return s.dtypes[s.outputs.index(tensor)]
        raise KeyError(tensor)

    def options(self) -> dict[str, Any]:
        rng = self.rng
        made: dict[str, Any] = {"tewb.object_cache": rng.random() < 0.03}
        if rng.random() < 0.03:
            made["opt_level"] = rng.choice([0, 1, 2, 3])
        for key, default in capabilities.pass_options().items():
            if isinstance(default, bool) and key != "tewb.object_cache" and rng.random() < 0.12:
                made[key] = not default
        return made

    def build(self) -> dict[str, Any]:
        rng = self.rng
        made: dict[str, Any] = {}
        if rng.random() < 0.12:
            made["debug"] = True
        if rng.random() < 0.25 and any(
            s.template in ("scale", "window", "rows", "whole") for s in self.stages
        ):
            made["checked"] = True
        if rng.random() < 0.12:
            made["target"] = rng.choice(capabilities.targets())
        return made


def _loaded(s: Stage) -> set[str]:
    found = set(s.reads)
    parts: list[E] = list(s.bodies)
    if s.reduction is not None:
        parts += [e for a in s.reduction.axes for e in (a.begin, a.end)]
        parts += [s.reduction.where] if s.reduction.where is not None else []
    found |= {n.data for e in parts for n in walk(e) if n.op == "load"}
    return found


class Scope:
    """Expressions of the indices of one stage: `axes` with their extents."""

    def __init__(self, maker: Maker, axes: list[tuple[E, E]]) -> None:
        self.maker, self.rng, self.axes = maker, maker.rng, axes
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
                         "mixed", "of axes", "te.select"])  # fmt: skip
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
        of_bool = [r for r in self.maker.readable if r.dtype == "bool"]
        if of_bool and choice < 0.8:
            return self.read(rng.choice(of_bool))
        dtype = rng.choice([d for d in self.maker.habits.dtypes if d != "bool"] or ["int32"])
        return binary(op, self.value(dtype, max(deep - 1, 0)), self.value(dtype, 0))

    def leaf(self, dtype: str) -> E:
        rng = self.rng
        same = [r for r in self.maker.readable if r.dtype == dtype]
        if same and rng.random() < 0.75:
            return self.read(rng.choice(same[-3:]))
        scalars = [s for s in self.maker.scalars if s.dtype == dtype and not is_float(dtype)]
        if scalars and rng.random() < 0.3:
            return name(rng.choice(scalars).ident, dtype)
        if is_float(dtype):
            others = [r for r in self.maker.readable if r.dtype in ("int8", "uint8", "bool")]
            if others and rng.random() < 0.6:
                return cast(self.read(rng.choice(others)), dtype)
            return const(rng.choice([0.0, 0.5, 1.0, -2.0, 3.0, -0.25]), dtype)
        others = [r for r in self.maker.readable if not is_float(r.dtype)]
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
                return next(r.spread for r in self.maker.readable if r.ident == e.data)
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
        return cast(self.maker.rng.choice([const(3, "int8"), const(-2, "int8")]), e.dtype)

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
        if exact and choice < 0.75:
            i = rng.choice(exact)
            if choice < 0.12:
                return binary("-", binary("-", n, one), i)
            return cast(i, "int64") if choice < 0.16 else i
        from_data = [r for r in self.maker.readable if r.index_of == n and self.reads_inside < 3]
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
        ints = [r for r in self.maker.readable if r.dtype in INTS and not r.is_large and len(r.shape) <= 1]
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
