"""Where an intrinsic fits: the part of a compute that it would do computes the same.

C[i, j] += A[i, k] * B[k, j]   for i in io*4 + 0:4, k in 0:8      c[x] += a[x, y] * b[y]   for x in 4, y in 8

c is C[io*4 : io*4 + 4, j],  a is A[io*4 : io*4 + 4, 0:8],  b is B[0:8, j]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.arith import Analyzer
from tewb.ir import (
    Add,
    Expr,
    IterVar,
    Max,
    Min,
    Mul,
    Node,
    ProducerLoad,
    Range,
    Reduce,
    Var,
    at_axes,
    const,
    const_int,
    ops,
    script,
    structural_equal,
    substitute,
    uses,
    walk,
)
from tewb.tensor import ComputeOp, Tensor, TensorIntrin

_COMMUTE = (Add, Mul, Max, Min)


@dataclass(frozen=True, slots=True)
class TensorPart:
    """The part of a tensor that a buffer of an intrinsic stands for: the index of its first element, the dimensions of
    the tensor along which it extends, and its shape."""

    tensor: Tensor
    origin: tuple[Expr, ...]
    dims: tuple[int, ...]
    shape: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class TensorMatch:
    """The parts for the inputs and outputs of an intrinsic."""

    inputs: tuple[TensorPart, ...]
    outputs: tuple[TensorPart, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why an intrinsic does not compute what is computed there."""

    reason: str
    hint: str | None = None


class _Differ(Exception):
    """Two expressions, of the intrinsic and of the stage, that are not the same."""

    def __init__(self, mine: object, own: object) -> None:
        self.mine, self.own = mine, own
        super().__init__(mine, own)


def tensor_match(
    op: ComputeOp,
    intrin: TensorIntrin,
    region: Mapping[IterVar, Range],
    analyzer: Analyzer,
    scalars: Mapping[Var, Expr],
) -> TensorMatch | Mismatch:
    """How `intrin` computes what `op` does for `region`, a range of each of its axes, with these values of its scalar
    parameters.

    Axes of the region with one iteration need no counterpart in the intrinsic. Factors and terms may change places.
    """
    sizes: dict[Var, Expr] = dict(scalars)
    pairs: dict[IterVar, IterVar] = {}
    for word, own, wanted in (
        ("axes", op.axis, intrin.op.axis),
        ("reduce axes", op.reduce_axis, intrin.op.reduce_axis),
    ):
        aligned = _aligned(own, wanted, region, sizes)
        if aligned is None:
            return Mismatch(
                f"{intrin.name} has the {word} ({_extents(wanted)}), and what is computed there ({_region(own, region)})",
                "split the loops so that as much remains inside",
            )
        pairs |= aligned
    return _Matcher(op, intrin, region, analyzer, sizes, pairs).match()


def _extents(axes: Sequence[IterVar]) -> str:
    return ", ".join(f"{iv.name}: {script(iv.dom.extent)}" for iv in axes if iv.dom is not None) or "none"


def _region(axes: Sequence[IterVar], region: Mapping[IterVar, Range]) -> str:
    return ", ".join(f"{iv.name}: {script(region[iv].extent)}" for iv in axes) or "none"


def _aligned(
    own: Sequence[IterVar],
    wanted: Sequence[IterVar],
    region: Mapping[IterVar, Range],
    sizes: dict[Var, Expr],
) -> dict[IterVar, IterVar] | None:
    """The axis of the intrinsic for each axis of a compute that is not skipped: from the last on, of the same extents.
    Variables that are extents of the intrinsic take what is there, and go into `sizes`."""
    pairs: dict[IterVar, IterVar] = {}
    left = list(own)
    for target in reversed(wanted):
        assert target.dom is not None
        size = substitute(target.dom.extent, sizes)
        while left and not (isinstance(size, Var) or _same_size(region[left[-1]].extent, size)):
            if const_int(region[left.pop()].extent) != 1:
                return None
        if not left:
            return None
        iv = left.pop()
        if isinstance(size, Var) and not _same_size(region[iv].extent, size):
            sizes[size] = region[iv].extent
        pairs[iv] = target
    return pairs if all(const_int(region[iv].extent) == 1 for iv in left) else None


def _same_size(a: Expr, b: Expr) -> bool:
    n = const_int(a)
    return structural_equal(a, b) if n is None else n == const_int(b)


class _Matcher:
    """Compares the body of an intrinsic with that of a compute, in which the axes are counted as in the intrinsic."""

    def __init__(
        self,
        op: ComputeOp,
        intrin: TensorIntrin,
        region: Mapping[IterVar, Range],
        analyzer: Analyzer,
        sizes: Mapping[Var, Expr],
        pairs: Mapping[IterVar, IterVar],
    ) -> None:
        self.op, self.intrin, self.analyzer, self.sizes = op, intrin, analyzer, sizes
        # Variables of this match: the analyzer knows how far they run. An axis of one iteration stands at 0.
        runs = {target: iv for iv, target in pairs.items() if const_int(region[iv].extent) != 1}
        variables = {target: Var(target.name, iv.dtype) for target, iv in runs.items()}
        for target, iv in runs.items():
            analyzer.bind_extent(variables[target], const(0, iv.dtype), region[iv].extent)
        axes: dict[IterVar, Expr] = {
            target: variables[target] if target in variables else const(0, iv.dtype)
            for iv, target in pairs.items()
        }
        self.targets = tuple(variables.values())
        self.named_mine: dict[Var, Expr] = {v: target.var for target, v in variables.items()}
        self.named_own: dict[Var, Expr] = {variables[target]: iv.var for target, iv in runs.items()}
        mine: dict[Var, Expr] = {target.var: e for target, e in axes.items()}
        self.of_intrin = at_axes({**mine, **sizes})
        self.origins = {iv: region[iv].min for iv in (*op.axis, *op.reduce_axis)}
        own = {
            iv.var: ops.add(low, axes[pairs[iv]]) if iv in pairs else low for iv, low in self.origins.items()
        }
        self.of_stage = at_axes(own)
        self.pairs = pairs
        self.parts: dict[Tensor, TensorPart] = {}

    def match(self) -> TensorMatch | Mismatch:
        bodies = self.intrin.op.body, self.op.body
        try:
            if len(bodies[0]) != len(bodies[1]):
                raise _Differ(f"{len(bodies[0])} outputs", f"{len(bodies[1])}")
            if isinstance(bodies[0][0], Reduce) and isinstance(bodies[1][0], Reduce):
                self.reductions(bodies[0][0], bodies[1][0])
            else:
                self.all_same(bodies[0], bodies[1])
            shapes = [t.shape for t in self.intrin.op.outputs]
            dims = tuple(d for d, iv in enumerate(self.op.axis) if iv in self.pairs)
            origin = tuple(self.origins[iv] for iv in self.op.axis)
            for mine, own in zip(self.intrin.op.outputs, self.op.outputs, strict=True):
                if mine.dtype is not own.dtype:
                    raise _Differ(f"{mine.name} of {mine.dtype}", f"{own.name} of {own.dtype}")
        except _Differ as e:
            return self.mismatch(e)
        outputs = [
            TensorPart(t, origin, dims, self.sized(shape))
            for t, shape in zip(self.op.outputs, shapes, strict=True)
        ]
        return TensorMatch(tuple([self.parts[t] for t in self.intrin.inputs]), tuple(outputs))

    def sized(self, shape: Sequence[Expr]) -> tuple[Expr, ...]:
        return tuple(substitute(n, self.sizes) for n in shape)

    def mismatch(self, e: _Differ) -> Mismatch:
        """Both bodies, and the first difference."""
        mine, own = (", ".join(_text(x) for x in op.body) for op in (self.intrin.op, self.op))
        counts = [len(op.inputs) for op in (self.intrin.op, self.op)]
        hint = "both must be the same expression, of the same dtypes"
        if counts[0] != counts[1]:
            hint = f"{self.intrin.name} reads {counts[0]} tensors, and {self.op.name} reads {counts[1]}"
        return Mismatch(
            f"{self.intrin.name} computes {mine}, and {self.op.name} computes {own}: they differ at "
            f"{_text(e.mine, self.named_mine)} and {_text(e.own, self.named_own)}",
            hint,
        )

    def reductions(self, mine: Reduce, own: Reduce) -> None:
        """Reductions combine alike, begin with the same, and combine the same values."""
        a, b = mine.combiner, own.combiner
        if len(a.lhs) != len(b.lhs) or [v.dtype for v in a.lhs] != [v.dtype for v in b.lhs]:
            raise _Differ(
                f"a reduction of {', '.join(str(v.dtype) for v in a.lhs)}",
                f"one of {', '.join(str(v.dtype) for v in b.lhs)}",
            )
        names: dict[Var, Expr] = dict(zip((*b.lhs, *b.rhs), (*a.lhs, *a.rhs), strict=True))
        renamed = tuple(substitute(x, names) for x in (*b.result, *b.identity))
        try:
            self.all_same((*a.result, *a.identity), renamed)
        except _Differ:
            raise _Differ(mine, own) from None
        if len(mine.init) != len(own.init):
            raise _Differ(mine, own)
        self.all_same((*mine.source, mine.condition, *mine.init), (*own.source, own.condition, *own.init))

    def all_same(self, mine: Sequence[Expr], own: Sequence[Expr]) -> None:
        for x, y in zip(mine, own, strict=True):
            self.same(self.of_intrin(x), self.of_stage(y))

    def same(self, mine: Any, own: Any) -> None:
        """Raise _Differ where an expression of the intrinsic and one of the stage are not the same."""
        if isinstance(mine, ProducerLoad) and isinstance(own, ProducerLoad):
            return self.element(mine, own)
        if isinstance(mine, Expr) and isinstance(own, Expr) and not (_reads(mine) or _reads(own)):
            simplify = self.analyzer.simplify
            if mine.dtype is own.dtype and (
                structural_equal(mine, own) or structural_equal(simplify(mine), simplify(own))
            ):
                return None
            raise _Differ(mine, own)
        if type(mine) is not type(own):
            raise _Differ(mine, own)
        if isinstance(mine, Node):
            return self.fields(mine, own)
        if isinstance(mine, tuple):
            if len(mine) != len(own):
                raise _Differ(mine, own)
            for x, y in zip(mine, own, strict=True):
                self.same(x, y)
        elif mine is not own and mine != own:
            raise _Differ(mine, own)
        return None

    def fields(self, mine: Any, own: Any) -> None:
        if isinstance(mine, _COMMUTE):
            before = dict(self.parts)
            try:
                self.same((mine.a, mine.b), (own.a, own.b))
            except _Differ as first:
                self.parts = before
                try:
                    self.same((mine.a, mine.b), (own.b, own.a))
                except _Differ:
                    raise first from None
        else:
            for f in mine.field_names:
                if f != "origin" and f != "dtype":
                    self.same(getattr(mine, f), getattr(own, f))
        if mine.dtype is not own.dtype:
            raise _Differ(mine, own)

    def element(self, mine: ProducerLoad, own: ProducerLoad) -> None:
        """An element of a tensor of the intrinsic is one of the part that it stands for."""
        if mine.dtype is not own.dtype:
            raise _Differ(f"{_text(mine)} of {mine.dtype}", f"{_text(own)} of {own.dtype}")
        known = self.parts.get(mine.producer)
        part = self.part(mine, own)
        if known is None:
            self.parts[mine.producer] = part
        elif (
            known.tensor is not part.tensor
            or known.dims != part.dims
            or not all(structural_equal(a, b) for a, b in zip(known.origin, part.origin, strict=True))
        ):
            raise _Differ(mine, own)

    def part(self, mine: ProducerLoad, own: ProducerLoad) -> TensorPart:
        """The part of which `own` is the element that `mine` is of the intrinsic's tensor. Dimensions are found from
        the last on; those that stand still in the region may be skipped."""
        origin: list[Expr] = list(own.indices)
        dims: list[int] = []
        wanted = list(mine.indices)
        for d in reversed(range(len(origin))):
            index = self.analyzer.simplify(own.indices[d])
            if wanted:
                start = self.analyzer.simplify(ops.sub(*ops.match(index, wanted[-1])))
                if not uses(start, self.targets):
                    origin[d] = start
                    dims.insert(0, d)
                    wanted.pop()
                    continue
            if uses(index, self.targets):
                raise _Differ(mine, own)
            origin[d] = index
        if wanted:
            raise _Differ(mine, own)
        return TensorPart(own.producer, tuple(origin), tuple(dims), self.sized(mine.producer.shape))


def _reads(e: Expr) -> bool:
    return any(isinstance(n, ProducerLoad) for n in walk(e))


def _text(x: object, names: Mapping[Var, Expr] | None = None) -> str:
    """An expression with the names of axes that its program gave them."""
    return script(substitute(x, names or {})) if isinstance(x, Expr) else str(x)
