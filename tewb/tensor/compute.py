"""Compute: every element of the output by one expression of its indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    const_int,
    convert,
    element_function,
    ops,
    rewriter,
    uses,
    visit,
    walk,
)
from tewb.tensor.access_check import check_accesses
from tewb.tensor.domains import Domains, dependent_domains, inner_last
from tewb.tensor.guarded_selects import with_guarded_selects
from tewb.tensor.placeholder import check_shape
from tewb.tensor.reduce import index_names
from tewb.tensor.tag_scope import scope_tag
from tewb.tensor.tensor import Operation, Tensor, register_broadcast
from tewb.tensor.wide_indices import with_wide_indices


class ComputeOp(Operation):
    """outputs[v][axis...] = body[v]. A reduction's bodies are Reduce nodes of one combiner.

    `unproved` are the reads that are not proved to be in bounds: they are checked when the
    kernel runs. `domains` are those of the reduce axes that depend on other axes or on elements of tensors. In the
    body of a scan, `first_step` are the dimension of time and the step at which it begins.
    """

    __slots__ = ("axis", "body", "domains", "first_step", "inputs", "reduce_axis", "unproved")

    def __init__(
        self,
        name: str,
        axis: tuple[IterVar, ...],
        body: tuple[Expr, ...],
        tag: str = "",
        check: bool = True,
        domains: Domains | None = None,
        first_step: tuple[int, int] | None = None,
    ) -> None:
        shape = tuple(iv.dom.extent for iv in axis if iv.dom is not None)
        super().__init__(name, [shape] * len(body), [e.dtype for e in body], tag)
        first = body[0]
        self.first_step = first_step
        self.reduce_axis = first.axes if isinstance(first, Reduce) else ()
        self.domains = dependent_domains(axis, self.reduce_axis) if domains is None else dict(domains)
        if self.domains:
            self.reduce_axis = inner_last(self.reduce_axis, self.domains)
        self.axis, self.body = axis, with_wide_indices(body, (*axis, *self.reduce_axis))
        self.inputs = self._tensors_read()
        if check:
            self.body = with_guarded_selects(self)
        self.unproved = check_accesses(self) if check else ()

    @property
    def tiled(self) -> bool:
        return True

    def domain(self, iv: IterVar) -> Range | None:
        if self.first_step is not None and iv is self.axis[self.first_step[0]]:
            n, first = iv.dom.extent, self.first_step[1]  # type: ignore[union-attr]
            return Range(const(first, n.dtype), Analyzer().simplify(ops.sub(n, first)))
        return self.domains[iv].range if iv in self.domains else iv.dom

    def exprs(self) -> tuple[Expr, ...]:
        """All that is evaluated: the bodies, and the ranges of reduce axes that depend on something."""
        return (*self.body, *(e for d in self.domains.values() for e in d.exprs))

    def _tensors_read(self) -> tuple[Tensor, ...]:
        """The tensors that are read, in classic order: indices come before the read that they are for; of a reduction
        the ranges come first, then what is combined, the start, the condition and the combination."""
        producers: dict[Tensor, None] = {}

        def note(n: Expr) -> None:
            if isinstance(n, ProducerLoad):
                producers.setdefault(n.producer)

        for e in self.body:
            if isinstance(e, Reduce):
                ends = [x for iv in e.axes if iv in self.domains for x in self.domains[iv].exprs]
                roots = [*ends, *e.source, *e.init, e.condition, *e.combiner.children()]
            else:
                roots = [e]
            for root in roots:
                visit(root, note)
        return tuple(producers)

    def mapped_domains(self, f: Callable[[Expr], Expr]) -> Domains:
        """The domains with `f` on their expressions."""
        return {iv: d.map(f) for iv, d in self.domains.items()}

    def with_inputs(self, swap: Mapping[Tensor, Tensor]) -> Operation:
        if not any(t in swap for t in self.inputs):
            return self
        read = self.with_reads(lambda n: ProducerLoad(swap.get(n.producer, n.producer), n.indices, n.dtype))
        body, domains = tuple(read(e) for e in self.body), self.mapped_domains(read)
        op = ComputeOp(self.name, self.axis, body, self.tag, bool(self.unproved), domains, self.first_step)
        op.attrs, op.span = self.attrs, self.span
        return op

    @staticmethod
    def with_reads(read: Callable[[ProducerLoad], Expr]) -> Callable[[Expr], Expr]:
        """Rewrites expressions: `read` gives what stands for a read of an element."""

        def load(n: ProducerLoad) -> Expr:
            return read(ProducerLoad(n.producer, tuple(rewrite(i) for i in n.indices), n.dtype))

        rewrite: Callable[[Expr], Expr] = rewriter({ProducerLoad: load})
        return rewrite


class DeferredCompute:
    """What the function of a compute may return in place of an element: it makes the operation for the dimensions that
    have no index in the function."""

    __slots__ = ()

    def operation(self, name: str, outer: tuple[IterVar, ...], inner: Sequence[Expr], tag: str) -> ComputeOp:
        """The compute with the axes `outer`, and inside of them axes of the extents `inner`."""
        raise NotImplementedError


def compute(
    shape: Any,
    fcompute: Callable[..., Any],
    name: str = "compute",
    tag: str = "",
    attrs: Mapping[str, object] | None = None,
    varargs_names: Sequence[str] | None = None,
) -> Any:
    """The tensor of `shape` whose element at `indices` is `fcompute(*indices)`.

    A tuple of expressions gives a tuple of tensors of one shape. Axes are named for the parameters of the function;
    `varargs_names` are names for those of `*indices`. A tensor intrinsic on parts of tensors computes the last dimensions
    at once, and the function has no indices for them. `tag` and `attrs` are for those who read the graph. Raises
    ShapeError when the indices do not match the shape, BoundError when the expression reads outside of a tensor.
    """
    extents = check_shape(name, shape)
    if not callable(fcompute):
        raise TewbError(
            f"compute {name}: {fcompute!r} is no function of the indices",
            hint="te.compute(shape, lambda i, j: A[i, j] + 1)",
            span=here(),
        )
    names = index_names(fcompute, len(extents), varargs_names)
    if len(names) < len(extents):
        whole = _deferred(fcompute, names, name, extents, tag)
        if whole is not None:
            return _made(whole, attrs, len(whole.outputs) > 1)
    if len(names) != len(extents):
        raise ShapeError(
            f"compute {name}: the shape has {len(extents)} dimensions and the function takes {len(names)} indices",
            hint=f"lambda {', '.join([*'ijklmn'][: len(extents)])}: ...",
            span=here(),
        )
    axis = _data_axes(names, extents)
    with element_function():
        result = fcompute(*[iv.var for iv in axis])
    if isinstance(result, DeferredCompute):
        whole = result.operation(name, axis, (), scope_tag(tag))
        return _made(whole, attrs, len(whole.outputs) > 1)
    several = isinstance(result, tuple | list)
    if several and not result:
        raise TewbError(
            f"compute {name}: the function returned no expression", hint="return an expression", span=here()
        )
    body = tuple(_body(name, e) for e in (result if several else (result,)))
    _check_reductions(name, body)
    return _made(ComputeOp(name, axis, body, scope_tag(tag)), attrs, several)


def _made(op: ComputeOp, attrs: Mapping[str, object] | None, several: bool) -> Any:
    """The output of an operation, or all of them."""
    op.attrs.update(attrs or {})
    return op.outputs if len(op.outputs) > 1 else op.output(0)


def _data_axes(names: Sequence[str], extents: Sequence[Expr]) -> tuple[IterVar, ...]:
    return tuple(
        IterVar(Range(const(0, e.dtype), e), Var(n, e.dtype), AxisKind.DATA)
        for n, e in zip(names, extents, strict=True)
    )


def _deferred(
    f: Callable[..., Any], names: Sequence[str], name: str, extents: Sequence[Expr], tag: str
) -> ComputeOp | None:
    """The operation of a function with fewer indices than dimensions, if it returns what makes one."""
    axis = _data_axes(names, extents[: len(names)])
    try:
        result = f(*[iv.var for iv in axis])
    except Exception:  # it has too few indices, which the caller tells
        return None
    if not isinstance(result, DeferredCompute):
        return None
    return result.operation(name, axis, extents[len(names) :], scope_tag(tag))


def _body(name: str, value: Any) -> Expr:
    if value is None:
        raise TewbError(
            f"compute {name}: the function returned None", hint="return an expression", span=here()
        )
    if isinstance(value, Tensor):
        raise TewbError(
            f"compute {name}: the function returned the tensor {value.name}, not an element",
            hint=f"index it: {value.name}[i, j]",
            span=here(),
        )
    return convert(value)


def _check_reductions(name: str, body: tuple[Expr, ...]) -> None:
    """A reduction is the whole body: it becomes loops around a store, so nothing can stand outside of it."""
    for e in body:
        inside = next((n for n in walk(e) if isinstance(n, Reduce) and n is not e), None)
        if inside is not None:
            raise _not_whole(name, e, inside)
    reductions = [e for e in body if isinstance(e, Reduce)]
    for e in reductions:
        _check_combination(name, e)
    if reductions and (len(reductions) < len(body) or len({(e.combiner, e.source) for e in reductions}) > 1):
        raise TewbError(
            f"compute {name}: several outputs of a reduction must come from one reducer",
            hint="use te.comm_reducer on a tuple, or one compute for each",
            span=here(),
        )
    if reductions and [e.index for e in reductions] != list(range(len(reductions[0].source))):
        c, axes = reductions[0].combiner, ", ".join(iv.name for iv in reductions[0].axes)
        results = f"its result{'s' * (len(body) > 1)} {', '.join(str(e.index) for e in reductions)}"
        raise TewbError(
            f"compute {name}: {c.name} has {len(c.lhs)} results, which are computed together and in order, and the "
            f"function returned {results}",
            hint=f"T = te.compute(shape, lambda ...: {c.name}((...), axis=[{axes}])) gives a tuple of {len(c.lhs)} tensors",
            span=here(),
        )


def _not_whole(name: str, e: Expr, inside: Reduce) -> TewbError:
    """The error for a reduction inside of the expression `e`."""
    within, of_inside = f"{e!r}", _reduction_text(inside)
    hint = f"compute {of_inside} as a tensor of its own, then use its elements"
    if isinstance(e, Reduce):
        within = _reduction_text(e)
        if e.combiner.name == inside.combiner.name:
            axes = ", ".join(iv.name for iv in (*inside.axes, *e.axes))
            hint = f"one reduction runs over several axes, axis=[{axes}]; or {hint}"
    return TewbError(
        f"compute {name}: a reduction must be the whole expression, and {of_inside} is inside of {brief(within)}",
        hint=hint,
        span=here(),
    )


def _reduction_text(e: Reduce) -> str:
    return f"{e.combiner.name} over {', '.join(iv.name for iv in e.axes)}"


def _check_combination(name: str, e: Reduce) -> None:
    """A combination is the same for all terms, so that they may be combined in any order."""
    c = e.combiner
    used = next((iv for iv in e.axes if uses(c, [iv.var])), None)
    if used is not None:
        raise TewbError(
            f"compute {name}: the combination of {c.name} uses {used.name}, which it runs over, and terms are combined "
            "in any order",
            hint=f"what depends on {used.name} belongs into the terms: {c.name}(A[i, {used.name}] * {used.name}, axis={used.name})",
            span=here(),
        )
    own = (*c.lhs, *c.rhs)
    at = next((n for n in walk(c) if isinstance(n, ProducerLoad) and uses(n, own)), None)
    if at is not None:
        raise TewbError(
            f"compute {name}: the combination of {c.name} reads {at!r}, at an index that depends on what is combined",
            hint="read the elements in the terms, or compute with them after the reduction",
            span=here(),
        )


@register_broadcast
def broadcast_compute(name: str, f: Callable[[Any, Any], Expr], a: Any, b: Any) -> Tensor:
    """`f` on two tensors, or on a tensor and a number, with numpy's rules of broadcasting."""
    shape = _broadcast_shape(name, getattr(a, "shape", ()), getattr(b, "shape", ()))

    def value(*indices: Var) -> Expr:
        return f(_operand(a, indices), _operand(b, indices))

    result: Tensor = compute(shape, value, name=f"T_{name}")
    tensors = [x for x in (a, b) if isinstance(x, Tensor)]
    result.op.tag = "broadcast" if len(tensors) > 1 else "elemwise"  # also in a tag scope
    return result


def _operand(x: Any, indices: tuple[Var, ...]) -> Any:
    if not isinstance(x, Tensor):
        return x
    trailing = indices[len(indices) - x.ndim :]
    return x(*[0 if const_int(s) == 1 else i for s, i in zip(x.shape, trailing, strict=True)])


def _broadcast_shape(name: str, a: tuple[Expr, ...], b: tuple[Expr, ...]) -> tuple[Expr, ...]:
    rank = max(len(a), len(b))
    one = const(1)
    pairs = zip((one,) * (rank - len(a)) + tuple(a), (one,) * (rank - len(b)) + tuple(b), strict=True)
    shape = []
    for x, y in pairs:
        if const_int(x) == 1:
            shape.append(y)
        elif const_int(y) == 1 or x is y or Analyzer().can_prove(ops.equal(x, y)):
            shape.append(x)
        else:
            raise ShapeError(
                f"{name}: sizes {x!r} and {y!r} do not go together",
                hint="numpy's broadcasting joins equal sizes, or one of 1",
                span=here(),
            )
    return tuple(shape)
