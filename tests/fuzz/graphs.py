"""Random graphs: scalars, inputs, and stages that read what was made before."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.fuzz import capabilities
from tests.fuzz.expressions import DTYPES, INTS, E, binary, cast, const, is_float, load, name, size
from tests.fuzz.programs import Input, ReduceAxis, Reduction, Scalar, Spread, Stage
from tests.fuzz.values import EXACT, Scope

EXTENTS = (0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 24, 33)
LARGE = (46341, 65536, 70000, 2**31 - 1, 2**31, 2**31 + 9)
MOST_POINTS = 2000
INDICES = ("int32", "int64", "int32", "int64", "int16", "int8", "uint8", "uint32")
AXES = ("i", "j", "l", "m")


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
    straight: bool  # indices are the axes themselves, as intrinsics have them
    neighbours: bool = False  # each stage reads the one before it, around the element that it makes


@dataclass
class Readable:
    """A tensor that later stages may read."""

    ident: str
    dtype: str
    shape: tuple[E, ...]
    spread: Spread = (8.0, 2)
    index_of: E | None = None
    is_large: bool = False


def random_habits(rng: random.Random) -> Habits:
    """The likes of one program."""
    return Habits(
        equal_names=rng.random() < 0.4,
        symbolic=rng.random() < 0.4,
        wide_sizes=rng.choice(["int32", "int64", "mixed"]),
        dtypes=tuple(rng.sample(DTYPES, rng.choice([1, 1, 2, 3]))),
        large=rng.random() < 0.08,
        from_data=rng.random() < 0.3,
        views=rng.random() < 0.5,
        straight=False,
    )


@dataclass
class Graph:
    """Random tensors and stages, each made of those before it."""

    rng: random.Random
    habits: Habits
    scalars: list[Scalar] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    readable: list[Readable] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    # Of scalars that count iterations, not elements.
    large_sizes: dict[str, int] = field(default_factory=dict)

    def grow(self) -> None:
        """Make scalars, inputs and stages."""
        rng = self.rng
        if self.habits.symbolic:
            for _ in range(rng.choice([1, 1, 2])):
                self.scalar(self.size_dtype(), is_size=True)
        if rng.random() < 0.15:
            self.scalar(rng.choice([*self.habits.dtypes, "bool"]), is_size=False)
        for _ in range(rng.choice([1, 2, 2, 3])):
            self.input()
        for _ in range(rng.choice([2, 3, 3, 4] if self.habits.neighbours else [1, 1, 2, 2, 3, 4])):
            self.stage()
        if all(s.is_virtual for s in self.stages):  # something must be stored
            self.compute()

    def size_dtype(self) -> str:
        wide = self.habits.wide_sizes
        return self.rng.choice(["int32", "int64"]) if wide == "mixed" else wide

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
                index_of, dtype = rng.choice(read.shape), rng.choice(INDICES)
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
        if small and self.habits.neighbours and self.rng.random() < 0.9:
            shape = tuple([self.inner(n) for n in small[-1]])
            if self.points(shape) <= limit:
                return shape
        if small and self.rng.random() < 0.5:
            shape = self.rng.choice(small)
            if self.points(shape) <= limit:
                return shape
        if self.habits.large and self.rng.random() < 0.15:  # loops whose product passes int32, and no element
            shape = (self.dim(self.rng.choice(LARGE)), self.dim(self.rng.choice(LARGE[:3])), self.dim(0))
            return tuple(self.rng.sample(shape, 3))
        return self.shape(self.rng.choice([0, 1, 1, 2, 2, 2, 3, 4]), limit)

    def inner(self, n: E) -> E:
        """A size, or one that is less by the width of some stencil."""
        if self.rng.random() < 0.5:
            return n
        if n.op == "const" and n.data > 2:
            return self.dim(n.data - self.rng.choice([1, 2]))
        return n.args[0] if n.op == "+" else n

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
            axis, below = self.reduce_axis(scope, n, inside)
            axes.append(axis)
            # Its values are 0 and more and less than `below`, or run from its begin on.
            scope.axes.append((name(axis.ident, axis.dtype), below or binary("-", axis.end, axis.begin)))
            if below is None:
                scope.begins[axis.ident] = axis
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

    def reduce_axis(self, scope: Scope, n: int, inside: bool) -> tuple[ReduceAxis, E | None]:
        """A reduce axis, and a size that its values stay below, if it has one that its range does not show."""
        rng = self.rng
        ident = f"k{n}"
        called = self.called(rng.choice(["k", "i"]) if self.habits.equal_names else "k", n)
        if inside:
            return self.dependent_axis(scope, ident, called)
        if self.habits.large and rng.random() < 0.3:
            begin = rng.choice(LARGE)
            last = begin + rng.choice([0, 1, 7])
            dtype = "int32" if last < 2**31 else "int64"
            end = const(last, dtype)
            return ReduceAxis(
                ident, called, dtype, const(begin, "int32" if begin < 2**31 else "int64"), end
            ), None
        extents = [n for r in self.readable for n in r.shape if not r.is_large]
        end = rng.choice(extents) if extents and rng.random() < 0.6 else self.extent()
        if self.points((end,)) > 40 * (1 if n == 0 else 0.3):
            end = self.dim(rng.choice([0, 1, 3, 7]))
        begin_at = const(rng.choice([0, 0, 0, 0, 1, -2, 3]), end.dtype)
        if end.op != "const" or end.data < begin_at.data:
            begin_at = const(0, end.dtype)
        return ReduceAxis(ident, called, end.dtype, begin_at, end), None

    def dependent_axis(self, scope: Scope, ident: str, called: str) -> tuple[ReduceAxis, E | None]:
        """A range that depends on another axis, or on data: a triangle, a band, rows of some length."""
        rng = self.rng
        lengths = [r for r in self.readable if r.index_of is not None and len(r.shape) < 3 and not r.is_large]
        if lengths and rng.random() < 0.6:
            of = rng.choice(lengths)
            dtype = of.dtype if of.dtype in ("int32", "int64") else "int32"  # what loops count in
            begin, end = (
                cast(load(of.ident, of.dtype, *[scope.index(n) for n in of.shape]), dtype) for _ in range(2)
            )
            if rng.random() < 0.6:
                begin = const(0, dtype)
            return ReduceAxis(ident, called, dtype, begin, end), of.index_of
        axis, extent = rng.choice(scope.axes)
        zero, one = const(0, axis.dtype), const(1, axis.dtype)
        begin, end, below = rng.choice([
            (zero, binary("+", axis, one), extent),
            (zero, axis, extent),
            (axis, cast(extent, axis.dtype), extent),
            (axis, binary("+", axis, const(3, axis.dtype)), None),
        ])  # fmt: skip
        if not scope.starts_at_zero(axis):
            below = None
        return ReduceAxis(ident, called, binary("-", end, begin).dtype, begin, end), below

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
        if r.shape[0].op == "const" and r.shape[0].data > 0:  # there is room for a first step
            kinds += ["scan", "scan"]
        kind = rng.choice(kinds)
        if (
            kind != "scan"
            and is_float(r.dtype)
            and r.spread[0] * 2.0 ** r.spread[1] * 64 > 2.0 ** EXACT[r.dtype]
        ):
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
