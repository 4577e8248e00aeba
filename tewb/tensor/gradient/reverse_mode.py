"""Reverse-mode differentiation: derivatives of a tensor, as computes.

The derivative of each tensor is the sum of what those give that read it: their own derivative, times that of their
element by the read. What is left of the sums over all their elements is found in `terms`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

from tewb.arith import Analyzer
from tewb.base import DType, ShapeError, TewbError, TewbWarning, any_depth, here
from tewb.ir import EQ, AxisKind, Expr, IterVar, Range, Var, const, free_vars, ops, substitute, uses, walk
from tewb.tensor.compute import ComputeOp
from tewb.tensor.gradient.equations import Unknown
from tewb.tensor.gradient.partials import Share
from tewb.tensor.gradient.reads import Derivative, Reads, roots
from tewb.tensor.gradient.terms import Sum, Term, cases, summed
from tewb.tensor.reduce import sum as sum_over
from tewb.tensor.tensor import Tensor


@any_depth
def gradient(output: Tensor, inputs: Tensor | Sequence[Tensor], head: Tensor | None = None) -> list[Tensor]:
    """The derivative of `output` by each of `inputs`, times `head`, as a list of tensors.

    `head` has the shape of `output`, with any dimensions in front, and a result these dimensions and the shape of its
    input:

        result[p..., x...]  =  sum over i of  head[p..., i...] * d output[i...] / d input[x...]

    Without it the results are whole Jacobians, of the shape output.shape + input.shape. Inputs may be any tensors that
    `output` is computed from; by others the derivative is zero, and so is that of integers. A maximum, a minimum or abs has the
    derivative of one side where it has two. The results are scheduled and built as any computes:

        C = te.compute((n, m), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
        dC = te.placeholder((n, m), name="dC")
        dA, dB = te.gradient(C, [A, B], dC)       # dA[i, k] is the sum of dC[i, j] * B[k, j] over j

    Raises TewbError for a way through a scan, an extern, a hybrid function, or a call without a known derivative.
    """
    wanted = _checked_inputs(output, inputs)
    if head is not None:
        _check_head(output, head)
    if not output.dtype.is_float:
        warnings.warn(
            f"gradient: {output.name} has dtype {output.dtype}, and the derivative of integers counts as zero",
            TewbWarning,
            stacklevel=2,
        )
    return _Gradient(output, wanted, head).results()


def _checked_inputs(output: object, inputs: object) -> list[Tensor]:
    wanted: list[Any] = (
        [inputs] if isinstance(inputs, Tensor) or not isinstance(inputs, Iterable) else [*inputs]
    )
    for what, t in (("output", output), *(("input", t) for t in wanted)):
        if not isinstance(t, Tensor):
            raise TewbError(
                f"gradient: an {what} is a tensor, not {t!r}", hint="te.gradient(C, [A, B])", span=here()
            )
    return wanted


def _check_head(output: Tensor, head: object) -> None:
    if not isinstance(head, Tensor) or not head.dtype.is_float:
        raise TewbError(
            f"gradient: head is a tensor of floats, not {head!r}",
            hint=f"te.placeholder({output.name}.shape), or topi.full_like({output.name}, 1.0)",
            span=here(),
        )
    own = head.shape[len(head.shape) - output.ndim :] if head.ndim >= output.ndim else None
    known = Analyzer()
    if own is None or not all(
        known.can_prove(ops.equal(a, b)) for a, b in zip(own, output.shape, strict=True)
    ):
        raise ShapeError(
            f"gradient: the last dimensions of head are those of {output.name}, {_sizes(output)}, and {head.name} has "
            f"{_sizes(head)}",
            hint=f"te.placeholder({output.name}.shape, name='head')",
            span=here(),
        )


def _sizes(t: Tensor) -> str:
    return f"({', '.join(map(str, t.shape))}{',' * (t.ndim == 1)})"


@dataclass(frozen=True, slots=True, eq=False)
class _Adjoint:
    """The derivative of the output by a tensor: as a tensor, and how its elements are read."""

    tensor: Callable[[], Tensor]
    read: Derivative
    dtype: DType


class _Gradient:
    """One derivative of `output`."""

    def __init__(self, output: Tensor, inputs: Sequence[Tensor], head: Tensor | None) -> None:
        self.output, self.inputs, self.head = output, inputs, head
        first = output.shape if head is None else head.shape[: head.ndim - output.ndim]
        self.prefix = list(zip(_names(output if head is None else head, len(first)), first, strict=True))
        self.tensors = _tensors_before(output)
        self.reached = self._reached()
        self.reads: dict[Tensor, list[Reads]] = {}
        self.adjoints: dict[Tensor, _Adjoint] = {}

    def results(self) -> list[Tensor]:
        """The derivatives by the inputs."""
        for t in reversed(self.tensors):
            if t not in self.reached or not t.dtype.is_float:
                continue
            adjoint = self._start() if t is self.output else self._adjoint(t, self.reads.get(t, []))
            if adjoint is not None:
                self.adjoints[t] = adjoint
                self._pass_on(t, adjoint)
        return [self.adjoints[t].tensor() if t in self.adjoints else self._zeros(t) for t in self.inputs]

    def _reached(self) -> set[Tensor]:
        """The inputs, and the tensors that depend on one."""
        reached: set[Tensor] = set()
        for t in self.tensors:
            if any(t is i for i in self.inputs) or any(i in reached for i in t.op.input_tensors):
                reached.add(t)
        return reached

    def _pass_on(self, t: Tensor, adjoint: _Adjoint) -> None:
        """Note what the derivative by `t` gives to the tensors that `t` is computed from."""
        wanted = [i for i in t.op.input_tensors if i in self.reached and i.dtype.is_float]
        if not wanted:
            return
        if not isinstance(t.op, ComputeOp):
            raise _no_derivative(t, self.inputs, self.output)
        of_output = roots(t.op, t.value_index)
        dtype = ops.common_dtype(adjoint.dtype, t.dtype)
        for i in wanted:
            self.reads.setdefault(i, []).append(Reads(t.op, i, of_output, adjoint.read, dtype))

    # ---- the derivative by one tensor

    def _start(self) -> _Adjoint:
        """That of the output by itself."""
        head = self.head
        if head is not None:
            return _Adjoint(lambda: head, lambda p, i: [Share((), head(*p, *i))], head.dtype)
        return _Adjoint(
            self._identity,
            lambda p, i: [Share(tuple(ops.equal(a, b) for a, b in zip(i, p, strict=True)))],
            self.output.dtype,
        )

    def _identity(self) -> Tensor:
        axes = self._axes(self.output, None)
        n = len(self.prefix)
        equal = [ops.equal(a.var, b.var) for a, b in zip(axes[:n], axes[n:], strict=True)]
        dtype = self.output.dtype
        value = ops.select(ops.all_of(*equal), const(1.0, dtype), const(0.0, dtype))
        return ComputeOp(f"{self.output.name}.identity", axes, (value,)).output(0)

    def _zeros(self, t: Tensor) -> Tensor:
        dtype = self.output.dtype if self.head is None else self.head.dtype
        name = f"{self.output.name}.{t.name}.grad"
        return ComputeOp(name, self._axes(t, None), (const(0, dtype),)).output(0)

    def _adjoint(self, t: Tensor, given: Sequence[Reads]) -> _Adjoint | None:
        """The sum of what is given to the derivative by `t`; None when that is nothing."""
        axes = self._axes(t, next((r.index_names() for r in given), None) if t.is_input else None)
        own = axes[len(self.prefix) :]
        prefix = [iv.var for iv in axes[: len(self.prefix)]]
        terms = [case for r in given for term in r.terms(prefix) for case in cases(term)]
        sums = [s for s in (summed(term, own, _facts(axes, term)) for term in terms) if s is not None]
        if not sums:
            return None
        first = given[0].op.name if len(given) == 1 else self.output.op.name
        tensor = cache(lambda: _tensor(f"{first}.{t.name}.grad", axes, sums))
        dtype = reduce(ops.common_dtype, [s.value.dtype for s in sums])
        if self.head is None and _is_sparse(sums, prefix):
            return _Adjoint(tensor, _read_apart(axes, sums), dtype)
        return _Adjoint(tensor, lambda p, i: [Share((), tensor()(*p, *i))], dtype)

    def _axes(self, t: Tensor, names: Sequence[str] | None) -> tuple[IterVar, ...]:
        """New axes of a derivative by `t`, whose names differ."""
        taken: dict[str, int] = {}
        axes = []
        for name, n in (*self.prefix, *zip(names or _names(t, t.ndim), t.shape, strict=True)):
            taken[name] = taken.get(name, 0) + 1
            unique = name if taken[name] == 1 else f"{name}_{taken[name]}"
            axes.append(IterVar(Range(const(0, n.dtype), n), Var(unique, n.dtype), AxisKind.DATA))
        return tuple(axes)


def _no_derivative(t: Tensor, inputs: Sequence[Tensor], output: Tensor) -> TewbError:
    before = _tensors_before(t)
    behind = next(i for i in inputs if any(i is b for b in before) and i is not t)
    kind = {"hybrid": "hybrid function"}.get(word := type(t.op).__name__.removesuffix("Op").lower(), word)
    return TewbError(
        f"gradient: {t.op.name} is a{'n' * (kind[0] in 'aeiou')} {kind}, whose derivative is not known, and "
        f"{output.name} depends on {behind.name} through it",
        hint=f"write {t.op.name} as a te.compute, or take the derivative by {t.name} and go on by yourself",
        span=here(),
    )


def _tensors_before(output: Tensor) -> list[Tensor]:
    """All tensors that `output` is computed from, and itself, each behind those that it reads."""
    order: dict[Tensor, None] = {}
    stack = [(output, False)]
    while stack:
        t, ready = stack.pop()
        if ready:
            order[t] = None
        elif t not in order:
            stack.append((t, True))
            stack.extend((i, False) for i in reversed(t.op.input_tensors) if i not in order)
    return list(order)


def _names(t: Tensor, count: int) -> list[str]:
    """Names for the first dimensions of `t`."""
    if len(t.op.axis) == t.ndim:
        return [iv.name for iv in t.op.axis[:count]]
    return [f"ax{n}" for n in range(count)]


def _facts(axes: Sequence[IterVar], term: Term) -> Analyzer:
    """An analyzer that knows the axes of a derivative, and that sizes are not negative."""
    facts = Analyzer()
    extents = [iv.dom.extent for iv in axes if iv.dom is not None]
    for u in term.unknowns:
        extents += [] if u.extent is None else [u.extent]
    for n in extents:
        for v in free_vars(n):
            facts.bind(v, 0, None)
    for n in extents[: len(axes)]:
        for v in _factors(n, facts):  # there is an element at all
            facts.bind(v, 1, None)
    for iv, n in zip(axes, extents, strict=False):
        facts.bind_extent(iv.var, 0, n)
    return facts


def _factors(e: Expr, facts: Analyzer) -> list[Var]:
    """The variables that a product consists of; none of a sum."""
    total = facts.linear.of(e)
    terms = list(total.terms.values())
    return [a for a in terms[0].atoms if isinstance(a, Var)] if len(terms) == 1 and not total.const else []


# ---- sums as tensors


def _tensor(name: str, axes: tuple[IterVar, ...], sums: Sequence[Sum]) -> Tensor:
    """The tensor of the sum of several sums: those with loops are reductions."""
    if len(sums) == 1:
        return _one_tensor(name, axes, sums[0])
    value: Expr | None = None
    for n, s in enumerate(sums):
        part = s.guarded
        if s.loops:
            part = _one_tensor(f"{name}.{n}", *_with_new_axes(axes, s))(*[iv.var for iv in axes])
        value = part if value is None else ops.add(value, part)
    assert value is not None
    return ComputeOp(name, axes, (value,)).output(0)


def _one_tensor(name: str, axes: tuple[IterVar, ...], s: Sum) -> Tensor:
    if not s.loops:
        return ComputeOp(name, axes, (s.guarded,)).output(0)
    ranges = [(u, Range(u.low, u.extent)) for u in s.loops if u.extent is not None]
    reduce_axes = [IterVar(own, u.var, AxisKind.REDUCE) for u, own in ranges]
    return ComputeOp(name, axes, (sum_over(s.guarded, reduce_axes),)).output(0)


def _with_new_axes(axes: Sequence[IterVar], s: Sum) -> tuple[tuple[IterVar, ...], Sum]:
    """A sum over new axes of the same names: axes belong to one operation."""
    new = tuple(IterVar(iv.dom, Var(iv.name, iv.dtype), iv.kind) for iv in axes)
    values: dict[Var, Expr] = {a.var: b.var for a, b in zip(axes, new, strict=True)}
    loops = [
        Unknown(u.var, substitute(u.low, values), substitute(u.extent, values))
        for u in s.loops
        if u.extent is not None
    ]
    conditions = [substitute(c, values) for c in s.conditions]
    return new, Sum(substitute(s.value, values), loops, conditions)


_MOST_PARTS, _MOST_NODES = 4, 200


def _is_sparse(sums: Sequence[Sum], prefix: Sequence[Var]) -> bool:
    """Whether a Jacobian is zero but on lines, and short: then its parts are used one by one, and no sum runs over the
    zeros."""
    if len(sums) > _MOST_PARTS or any(s.loops for s in sums):
        return False
    lines = [any(isinstance(c, EQ) and uses(c, prefix) for c in s.conditions) for s in sums]
    return (
        all(lines) and sum(1 for s in sums for e in (s.value, *s.conditions) for _ in walk(e)) <= _MOST_NODES
    )


def _read_apart(axes: Sequence[IterVar], sums: Sequence[Sum]) -> Derivative:
    def read(p: Sequence[Expr], i: Sequence[Expr]) -> list[Share]:
        at = dict(zip([iv.var for iv in axes], (*p, *i), strict=True))
        return [Share(tuple(substitute(c, at) for c in s.conditions), substitute(s.value, at)) for s in sums]

    return read
