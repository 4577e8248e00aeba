"""Computes that are made of an intrinsic: the function of the outer indices says on which parts it works.

C = te.compute((n, 16), lambda i: add16(A[i, 0:16], B[i, 0:16]))

is    C = te.compute((n, 16), lambda i, ax0: A[i, ax0] + B[i, ax0])    whose loop ax0 is tensorized by add16
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.arith import Analyzer
from tewb.base import ShapeError, TewbError, brief, here
from tewb.ir import (
    AxisKind,
    Expr,
    IterVar,
    ProducerLoad,
    Range,
    Reduce,
    Var,
    const,
    convert,
    is_const,
    ops,
    replace,
    rewriter,
    script,
    substitute,
)
from tewb.tensor.compute import ComputeOp, DeferredCompute
from tewb.tensor.reduce import checked_axes
from tewb.tensor.tensor import Operation, Tensor, TensorSlice
from tewb.tensor.tensor_intrin import TensorIntrin


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a tensor: where it begins in each dimension, and the dimensions along which it extends, with how far."""

    tensor: Tensor
    start: tuple[Expr, ...]
    extents: tuple[tuple[int, Expr], ...]


class TensorComputeOp(ComputeOp):
    """A compute whose last `inner` axes are done by an intrinsic, on `parts` of tensors and with the values `scalars`, with
    its reductions; `outer_reductions` of its reduce axes stay outside."""

    __slots__ = ("inner", "intrin", "outer_reductions", "parts", "scalars")

    def __init__(
        self,
        name: str,
        axis: tuple[IterVar, ...],
        body: tuple[Expr, ...],
        tag: str,
        intrin: TensorIntrin,
        parts: tuple[Part, ...],
        scalars: Mapping[Var, Expr],
        inner: int,
        outer_reductions: int,
    ) -> None:
        super().__init__(name, axis, body, tag)
        self.intrin, self.parts, self.scalars = intrin, parts, dict(scalars)
        self.inner, self.outer_reductions = inner, outer_reductions

    def with_inputs(self, swap: Mapping[Tensor, Tensor]) -> Operation:
        if not any(t in swap for t in self.inputs):
            return self
        read = self.with_reads(lambda n: ProducerLoad(swap.get(n.producer, n.producer), n.indices, n.dtype))
        made = self.moved(self.name, self.axis, tuple(map(read, self.body)), read, swap)
        made.attrs, made.span = self.attrs, self.span
        return made

    def moved(
        self,
        name: str,
        axis: tuple[IterVar, ...],
        body: tuple[Expr, ...],
        rewrite: Callable[[Expr], Expr],
        swap: Mapping[Tensor, Tensor] | None = None,
    ) -> TensorComputeOp:
        """The operation on other axes: `rewrite` gives what an index is on them, `swap` other tensors for those it reads."""
        swap = swap or {}
        parts = [
            Part(swap.get(p.tensor, p.tensor), tuple(map(rewrite, p.start)), p.extents) for p in self.parts
        ]
        scalars = {v: rewrite(e) for v, e in self.scalars.items()}
        return TensorComputeOp(
            name, axis, body, self.tag, self.intrin, tuple(parts), scalars, self.inner, self.outer_reductions
        )

    @property
    def outer_axis(self) -> tuple[IterVar, ...]:
        """The axes whose loops are around the intrinsic."""
        return self.axis[: len(self.axis) - self.inner]

    @property
    def own_axes(self) -> tuple[IterVar, ...]:
        """The axes that the intrinsic does."""
        return self.axis[len(self.axis) - self.inner :]

    @property
    def tensorized_axis(self) -> IterVar | None:
        """The first axis that the intrinsic does; None where it does one element."""
        within = self.loops[len(self.outer_axis) + self.outer_reductions :]
        return within[0] if within else None

    @property
    def loops(self) -> list[IterVar]:
        """The axes in the order of their loops: those that the intrinsic does are inside."""
        outer, n = len(self.outer_axis), self.outer_reductions
        return [*self.axis[:outer], *self.reduce_axis[:n], *self.axis[outer:], *self.reduce_axis[n:]]


@dataclass(frozen=True, slots=True)
class IntrinsicCall(DeferredCompute):
    """An intrinsic on parts of tensors, as the function of a compute returns it."""

    intrin: TensorIntrin
    args: tuple[Any, ...]
    scalars: tuple[Any, ...]
    reduce_axis: Any

    def operation(self, name: str, outer: tuple[IterVar, ...], inner: Sequence[Expr], tag: str) -> ComputeOp:
        """The compute with the axes `outer`, and inside of them axes of the extents `inner`."""
        intrin = self.intrin
        parts = self.parts(name)
        sizes: dict[Var, Expr] = {}
        shape = intrin.op.output(0).shape
        left = len(shape) - len(inner)  # dimensions that have an index: one element of each
        if not 0 <= left <= len(outer) or not all(isinstance(n, Var) or is_const(n, 1) for n in shape[:left]):
            raise ShapeError(
                f"compute {name}: {intrin.name} computes {len(intrin.op.axis)} dimensions, and {len(inner)} have no index",
                hint=f"let the function take {len(outer) + len(inner) - len(intrin.op.axis)} indices",
                span=here(),
            )
        for n, wanted in zip([const(1)] * left + list(inner), shape, strict=True):
            _fit(name, f"{intrin.op.name} of {intrin.name}", wanted, n, sizes)
        for t, part in zip(intrin.inputs, parts, strict=True):
            for n, (_, extent) in zip(t.shape, part.extents, strict=True):
                _fit(name, f"{t.name} of {intrin.name}", n, extent, sizes)
        own = tuple(
            IterVar(Range(const(0, n.dtype), n), Var(f"ax{d}", n.dtype), AxisKind.DATA)
            for d, n in enumerate(inner)
        )
        around = () if self.reduce_axis is None else checked_axes(name, self.reduce_axis)
        scalars = self.values_of_scalars(name)
        body = self.bodies(
            name, own, around, dict(zip(intrin.inputs, parts, strict=True)), {**sizes, **scalars}
        )
        return TensorComputeOp(
            name, (*outer, *own), body, tag, intrin, tuple(parts), scalars, len(own), len(around)
        )

    def values_of_scalars(self, name: str) -> dict[Var, Expr]:
        """The values of the intrinsic's scalar parameters, if any are given; else these stand for themselves."""
        wanted = self.intrin.scalar_params
        if not self.scalars:
            return {}
        if len(self.scalars) != len(wanted) or not all(isinstance(v, Var) for v in wanted):
            names = ", ".join(script(v) for v in wanted) or "none"
            raise ShapeError(
                f"compute {name}: {self.intrin.name} is called with {len(self.scalars)} values beside its parts of tensors, "
                f"and its scalar parameters are {names}",
                hint="te.decl_tensor_intrin(..., scalar_params=[te.var('v')]) has one for each",
                span=here(),
            )
        return {
            v: ops.cast(convert(e), v.dtype)
            for v, e in zip(wanted, self.scalars, strict=True)
            if isinstance(v, Var)
        }

    def parts(self, name: str) -> list[Part]:
        """The parts that it is called on, as many as it has inputs."""
        intrin = self.intrin
        if len(self.args) != len(intrin.inputs):
            wanted = ", ".join(t.name for t in intrin.inputs)
            raise ShapeError(
                f"compute {name}: {intrin.name} takes {len(intrin.inputs)} parts of tensors, not {len(self.args)}",
                hint=f"one for each of {wanted}",
                span=here(),
            )
        parts = []
        for t, given in zip(intrin.inputs, self.args, strict=True):
            part = _part(name, given)
            if part.tensor.dtype is not t.dtype:
                raise TewbError(
                    f"compute {name}: {t.name} of {intrin.name} is {t.dtype}, and {part.tensor.name} is {part.tensor.dtype}",
                    hint="cast in a compute of its own, or declare the intrinsic for this dtype",
                    span=here(),
                )
            if len(part.extents) > len(t.shape):
                spare = part.extents[: len(part.extents) - len(t.shape)]
                if all(ops.is_const(n, 1) for _, n in spare):
                    part = Part(part.tensor, part.start, part.extents[len(spare) :])
            if len(part.extents) < len(t.shape):
                part = _with_ones(part, len(t.shape))
            if len(part.extents) != len(t.shape):
                raise ShapeError(
                    f"compute {name}: {t.name} of {intrin.name} has {len(t.shape)} dimensions, and the part of "
                    f"{part.tensor.name} {len(part.extents)}",
                    hint=f"{part.tensor.name}[i, 0:n] is one row",
                    span=here(),
                )
            parts.append(part)
        return parts

    def bodies(
        self,
        name: str,
        own: Sequence[IterVar],
        around: tuple[IterVar, ...],
        parts: dict[Tensor, Part],
        sizes: dict[Var, Expr],
    ) -> tuple[Expr, ...]:
        """What the intrinsic computes, on these parts; its reduction goes on over the axes `around`."""
        op = self.intrin.op
        within = tuple(
            IterVar(
                Range(substitute(iv.dom.min, sizes), substitute(iv.dom.extent, sizes)),
                Var(iv.name, iv.dtype),
                iv.kind,
            )
            for iv in op.reduce_axis
            if iv.dom is not None
        )
        ones = op.axis[: len(op.axis) - len(own)]
        values: dict[Var, Expr] = {iv.var: const(0, iv.dtype) for iv in ones}
        values |= {
            mine.var: iv.var
            for mine, iv in zip((*op.axis[len(ones) :], *op.reduce_axis), (*own, *within), strict=True)
        }
        values |= sizes

        def load(n: ProducerLoad) -> Expr:
            part = parts[n.producer]
            index = list(part.start)
            for (d, _), i in zip(part.extents, n.indices, strict=True):
                index[d] = ops.add(*ops.match(index[d], rewrite(i)))
            return ProducerLoad(part.tensor, tuple(index), n.dtype)

        def reduction(n: Reduce) -> Expr:
            return replace(
                n,
                combiner=n.combiner.map_children(rewrite),
                source=tuple(map(rewrite, n.source)),
                axes=(*around, *within),
                condition=rewrite(n.condition),
                init=tuple(map(rewrite, n.init)),
            )

        if around and not op.reduce_axis:
            raise TewbError(
                f"compute {name}: {self.intrin.name} has no reduction that could go on over reduce_axis",
                hint="leave reduce_axis out, or declare it with a te.sum of its own axis",
                span=here(),
            )
        rewrite: Callable[[Any], Any] = rewriter(
            {Var: lambda v: values.get(v, v), ProducerLoad: load, Reduce: reduction}
        )
        return tuple(rewrite(e) for e in op.body)


def _part(name: str, given: Any) -> Part:
    """What `A`, `A[i]` or `A[i, 0:n]` stands for. Dimensions that are not named are whole."""
    if isinstance(given, Tensor):
        given = TensorSlice(given, ())
    if isinstance(given, ProducerLoad):
        given = TensorSlice(given.producer, given.indices)
    if not isinstance(given, TensorSlice):
        raise ShapeError(
            f"compute {name}: an intrinsic takes parts of tensors, not {brief(repr(given))}",
            hint="A[i, 0:n]",
            span=here(),
        )
    start: list[Expr] = []
    extents: list[tuple[int, Expr]] = []
    t = given.tensor
    for d, size in enumerate(t.shape):
        index = given.indices[d] if d < len(given.indices) else slice(None)
        if not isinstance(index, slice):
            start.append(convert(index))
            continue
        if index.step not in (None, 1):
            raise ShapeError(
                f"compute {name}: a part of {t.name} takes every element, not every {index.step!r}th",
                hint=f"{t.name}[i, 0:n]",
                span=here(),
            )
        low = const(0, size.dtype) if index.start is None else convert(index.start)
        high = size if index.stop is None else convert(index.stop)
        start.append(low)
        extents.append((d, Analyzer().simplify(ops.sub(*ops.match(high, low)))))
    return Part(t, tuple(start), tuple(extents))


def _with_ones(part: Part, count: int) -> Part:
    """The part with `count` dimensions, if it has as many: those with an index that are last are one element of it."""
    dims = dict(part.extents)
    for d in reversed(range(len(part.start))):
        if len(dims) < count:
            dims.setdefault(d, const(1))
    return Part(part.tensor, part.start, tuple(sorted(dims.items(), key=lambda pair: pair[0])))


def _fit(name: str, what: str, wanted: Expr, given: Expr, sizes: dict[Var, Expr]) -> None:
    """An extent of the intrinsic is that of the part; one that is a variable takes it."""
    if isinstance(wanted, Var) and wanted not in sizes:
        sizes[wanted] = given
    known = substitute(wanted, sizes)
    if not Analyzer().can_prove(ops.equal(*ops.match(known, given))):
        raise ShapeError(
            f"compute {name}: {what} has the extent {script(known)}, and its part {script(given)}",
            hint="parts are as large as the intrinsic was declared",
            span=here(),
        )
