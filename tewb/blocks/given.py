"""The arrays and numbers that a kernel is given, and its program with their sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.arith import Analyzer
from tewb.base import ArgumentError, brief, here, memory_dtype, new_dtype
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
    replace,
    substitute,
)
from tewb.lowering import told_by
from tewb.tensor import ComputeOp, Operation, Tensor, placeholder


@dataclass(frozen=True)
class Given:
    """What a kernel was given: the array of each input, and the value of each variable."""

    arrays: dict[Tensor, Any]
    numbers: dict[Var, Any]

    @property
    def sizes(self) -> dict[Var, Expr]:
        """The whole numbers, which sizes may depend on, as constants."""
        return {v: const(n, v.dtype) for v, n in self.numbers.items() if v.dtype.is_int}


def given_to(name: str, args: Sequence[Any], values: Sequence[Any], as_array: Any) -> Given:
    """What the parameters `args` of kernel `name` are given by `values`, without its outputs. `as_array` makes a dask array
    of what is none. Raises ArgumentError."""
    inputs = [a for a in args if not isinstance(a, Tensor) or a.is_input]
    if len(values) != len(inputs):
        shown = ", ".join(a.name for a in inputs)
        raise ArgumentError(
            f"kernel {name} on blocks takes {len(inputs)} argument{'s' * (len(inputs) != 1)} ({shown}), and was given "
            f"{len(values)}",
            hint=f"kernel.map_blocks({shown}): outputs are made, and are left out",
            span=here(),
        )
    found = Given({}, {})
    for number, (parameter, value) in enumerate(zip(inputs, values, strict=True)):
        what = f"kernel {name} on blocks: argument {number + 1}, {parameter.name},"
        if isinstance(parameter, Tensor):
            found.arrays[parameter] = _checked_array(what, parameter, as_array(value))
        else:
            found.numbers[parameter] = _checked_number(what, parameter, value)
    for tensor, array in found.arrays.items():
        _find_sizes(name, tensor, array, found.numbers)
    for tensor, array in found.arrays.items():
        _check_shape(name, tensor, array, found.sizes)
    return found


def _checked_array(what: str, tensor: Tensor, array: Any) -> Any:
    wanted = new_dtype(tensor.dtype)
    if array.dtype not in (wanted, memory_dtype(tensor.dtype)):
        raise ArgumentError(
            f"{what} has dtype {array.dtype}, and the kernel takes {tensor.dtype}",
            hint=f'x.astype("{wanted}") converts block by block',
            span=here(),
        )
    if array.ndim != tensor.ndim:
        raise ArgumentError(
            f"{what} has {array.ndim} dimensions, and the kernel takes {tensor.ndim}",
            hint=f"its shape is ({', '.join(map(str, tensor.shape))})",
            span=here(),
        )
    if any(math.isnan(n) for n in array.shape):
        raise ArgumentError(
            f"{what} has chunks of unknown size",
            hint="x.compute_chunk_sizes() finds them",
            span=here(),
        )
    return array


def _checked_number(what: str, v: Var, value: Any) -> Any:
    if hasattr(value, "__dask_graph__"):
        raise ArgumentError(
            f"{what} is a number, and was given one that dask has not computed",
            hint=f"{'int' if v.dtype.is_int else 'float'}(x) computes it at once; an array without dimensions, "
            f"te.placeholder((), name={v.name!r}), takes it as it is",
            span=here(),
        )
    kind = int if v.dtype.is_int else float
    try:
        number = kind(value)
    except (TypeError, ValueError):
        raise ArgumentError(f"{what} is a number, not {brief(repr(value))}", span=here()) from None
    if number != value and number == number:
        raise ArgumentError(f"{what} is a whole number, not {value}", span=here())
    return _fitting(what, v, number)


def _fitting(what: str, v: Var, number: Any) -> Any:
    if v.dtype.is_int and not v.dtype.min_value() <= number <= v.dtype.max_value():
        raise ArgumentError(
            f"{what} {number} does not fit {v.dtype}",
            hint=f'te.var("{v.name}", "int64")',
            span=here(),
        )
    return number


def _find_sizes(name: str, tensor: Tensor, array: Any, numbers: dict[Var, Any]) -> None:
    """Variables have the values that the sizes of an array say first, which may be 2*n or n + 1 as well."""
    for n, (size, value) in enumerate(zip(tensor.shape, array.shape, strict=True)):
        for v, known in told_by(size, int(value)).items():
            if v not in numbers:
                numbers[v] = _fitting(f"kernel {name} on blocks: dimension {n} of {tensor.name}:", v, known)


def _check_shape(name: str, tensor: Tensor, array: Any, sizes: Mapping[Var, Expr]) -> None:
    for n, (size, value) in enumerate(zip(tensor.shape, array.shape, strict=True)):
        known = const_int(Analyzer().simplify(substitute(size, sizes)))
        if known is None:
            raise ArgumentError(
                f"kernel {name} on blocks: size {size} of {tensor.name} does not say what its variables are",
                hint="give these as arguments of the kernel: tewb.build(s, [n, A, B])",
                span=here(),
            )
        if known != value:
            raise ArgumentError(
                f"kernel {name} on blocks: {tensor.name} has size {value} in dimension {n}, and the kernel takes {known}"
                + (f" ({size})" if str(size) != str(known) else ""),
                hint="arrays are given whole, whatever their chunks; te.var sizes take any",
                span=here(),
            )


# ---------------------------------------------------------------- the program with its sizes


def with_sizes(operations: Sequence[Operation], sizes: Mapping[Var, Expr]) -> dict[Tensor, Tensor]:
    """The tensor that stands for each tensor of `operations`, with numbers in the place of `sizes`; operations come after those
    that they read. Inputs are placeholders, and so are results of operations that only work as a whole: scans, externs and
    hybrid functions."""
    sized: dict[Tensor, Tensor] = {}
    for op in operations:
        if isinstance(op, ComputeOp):
            sized.update(zip(op.outputs, _sized_compute(op, sized, sizes).outputs, strict=True))
        else:
            for t in op.outputs:
                shape = tuple(Analyzer().simplify(substitute(n, sizes)) for n in t.shape)
                sized[t] = placeholder(shape, str(t.dtype), t.name)
    return sized


def _sized_compute(op: ComputeOp, sized: Mapping[Tensor, Tensor], sizes: Mapping[Var, Expr]) -> ComputeOp:
    values, analyzer = dict(sizes), Analyzer()
    read = ComputeOp.with_reads(
        lambda n: ProducerLoad(sized[n.producer], tuple(map(analyzer.simplify, n.indices)), n.dtype)
    )

    def renewed(iv: IterVar) -> IterVar:
        """The axis with numbers in its range, which may depend on the axes before it."""
        r = op.domain(iv)
        assert r is not None
        low, extent = (analyzer.simplify(read(substitute(e, values))) for e in (r.min, r.extent))
        values[iv.var] = v = Var(iv.name, iv.dtype)
        return IterVar(Range(low, extent), v, iv.kind)

    axis = tuple(map(renewed, op.axis))
    reduced = {iv: renewed(iv) for iv in op.reduce_axis}
    new = ComputeOp(
        op.name, axis, rebuilt(op.body, reduced, lambda e: read(substitute(e, values))), op.tag, check=False
    )
    new.attrs, new.span = op.attrs, op.span
    return new


def rebuilt(
    body: Sequence[Expr], axes: Mapping[IterVar, IterVar], rewrite: Callable[[Expr], Expr], init: bool = True
) -> tuple[Expr, ...]:
    """The bodies of a compute with `rewrite` on what they are made of, and with other reduce axes; a reduction without its
    start, when `init` is False."""
    first = body[0]
    if not isinstance(first, Reduce):
        return tuple(map(rewrite, body))
    c = first.combiner
    combiner = replace(c, result=tuple(map(rewrite, c.result)), identity=tuple(map(rewrite, c.identity)))
    made = replace(
        first,
        combiner=combiner,
        source=tuple(map(rewrite, first.source)),
        axes=tuple(axes[iv] for iv in first.axes),
        condition=rewrite(first.condition),
        init=tuple(map(rewrite, first.init)) if init else (),
    )
    return tuple(replace(made, index=e.index, dtype=e.dtype) for e in body if isinstance(e, Reduce))


def data_axis(name: str, extent: int, like: IterVar, kind: AxisKind = AxisKind.DATA) -> IterVar:
    """An axis of `extent` iterations from 0 on, named and counted as another one."""
    d = like.dtype
    return IterVar(Range(const(0, d), const(extent, d)), Var(name, d), kind)
