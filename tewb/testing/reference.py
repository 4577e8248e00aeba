"""The reference: TE programs computed with numpy straight from their definition, without any schedule.

Data axes are numpy grids, reduce axes are Python loops, and an access that a guard prevents is clamped and its value
ignored. Slow and simple: what kernels are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tewb.arith import NUMPY_OPERATORS, converted, truncated_quotient
from tewb.base import DType, TewbError, any_depth, from_memory, memory_dtype, rounded, to_memory
from tewb.ir import (
    Call,
    Cast,
    Div,
    Evaluate,
    Expr,
    FloatImm,
    IntImm,
    IterVar,
    Let,
    Mod,
    Node,
    Not,
    ProducerLoad,
    Reduce,
    Select,
    StringImm,
    Var,
    shared_subexpressions,
)
from tewb.lowering import told_by
from tewb.runtime import NDArray, registered_function
from tewb.tensor import (
    ComputeOp,
    ExternOp,
    Operation,
    PlaceholderOp,
    ScanOp,
    Tensor,
    producers_first,
    whole_buffers,
    whole_tile,
)

Values = dict[Var, Any]
Arrays = dict[Tensor, Any]
INSTEAD = "give a numpy program that does the same, where one can be given: reference=lambda a, b: a @ b"


def dot(group: int) -> Callable[[Any, Any, Any], Any]:
    """What dot4 and dot2 do: to each lane of the total, the products of a group of neighbours, modulo 2**32."""

    def groups(x: Any) -> Any:
        lanes = np.asarray(x, np.int64).reshape(-1)
        return (lanes if lanes.size > 1 else np.repeat(lanes, group)).reshape(-1, group)

    def compute(total: Any, a: Any, b: Any) -> Any:
        sums = np.asarray(total, np.int64) + (groups(a) * groups(b)).sum(axis=1)
        return (sums if np.ndim(total) or sums.size > 1 else sums[0]).astype(np.int32)

    return compute


def popcount(x: Any, dtype: DType) -> Any:
    """How many bits of a value of `dtype` are set; a negative number counts in two's complement."""
    return np.vectorize(lambda v: (int(v) % 2**dtype.bits).bit_count(), otypes=[np.int32])(x)


def leading_zeros(x: Any, dtype: DType) -> Any:
    """How many bits of a value of `dtype` are 0 above the highest that is set."""
    return np.vectorize(lambda v: dtype.bits - (int(v) % 2**dtype.bits).bit_length(), otypes=[np.int32])(x)


# What depends on the width of its argument, which numpy does not always have.
BITS: dict[str, Callable[[Any, DType], Any]] = {"popcount": popcount, "clz": leading_zeros}


def nextafter(x: Any, y: Any, dtype: DType) -> Any:
    """The neighbour of x toward y among the numbers of a dtype."""
    if dtype.kind != "bfloat":
        return np.nextafter(*(np.asarray(v).astype(str(dtype.element)) for v in (x, y)))
    x, y = (np.asarray(v, np.float32) for v in (x, y))
    bits = to_memory(x, dtype).view(np.int16)
    away = ((x < y) & (x > 0)) | ((x > y) & (x < 0))
    moved = from_memory((bits + np.where(away, 1, -1)).astype(np.int16), dtype)
    least = from_memory(np.where(y < 0, -0x7FFF, 1).astype(np.int16), dtype)
    found = np.where(x == y, y, np.where(x == 0, least, moved))
    return np.where(np.isnan(x) | np.isnan(y), x + y, found)


def ldexp(x: Any, n: Any) -> Any:
    """x * 2**n; float64 holds the results of narrower floats, which are rounded once then."""
    value = np.asarray(x)
    wide = value if value.dtype == np.float64 else value.astype(np.float64)
    return np.ldexp(wide, np.asarray(np.clip(np.asarray(n).astype(object), -2200, 2200)).astype(np.int32))


def reinterpreted(x: Any, source: DType, dtype: DType) -> Any:
    """The numbers of a dtype that have the bits of `x`."""
    return from_memory(to_memory(x, source).view(memory_dtype(dtype.element)), dtype)


CALLS: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "exp2": np.exp2, "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
    "sqrt": np.sqrt, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin,
    "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "floor": np.floor, "ceil": np.ceil,
    "round": np.rint, "nearbyint": np.rint, "trunc": np.trunc, "isnan": np.isnan, "isinf": np.isinf,
    "isfinite": np.isfinite, "pow": np.power, "fmod": np.fmod, "atan2": np.arctan2, "hypot": np.hypot,
    "copysign": np.copysign, "abs": np.abs, "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor, "bitwise_not": np.invert, "shift_left": np.left_shift,
    "shift_right": np.right_shift, "likely": lambda x: x, "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "fma": lambda a, b, c: a * b + c,
    "dot4": dot(4), "dot2": dot(2), "ldexp": ldexp,
    "exp10": lambda x: np.power(np.asarray(x).dtype.type(10), x), "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "assume": lambda c: np.ones_like(c, bool),
}  # fmt: skip


def evaluate(
    outputs: Sequence[Tensor], inputs: Mapping[Tensor, Any], scalars: Mapping[Var, Any] | None = None
) -> list[Any]:
    """The values of `outputs` as numpy arrays, from those of the input tensors.

    `scalars` gives the values of variables that are not sizes of an input. Raises TewbError for operations that have
    no meaning outside of a kernel (externs built by hand).
    """
    arrays: Arrays = {t: np.asarray(a) for t, a in inputs.items()}
    # As in a kernel, any number but 0 is true.
    values: Values = {v: bool(x) if v.dtype.is_bool else x for v, x in (scalars or {}).items()}
    for t, a in arrays.items():
        told = [told_by(n, int(size)) for n, size in zip(t.shape, a.shape, strict=True)]
        values.update({v: size for known in told for v, size in known.items() if v not in values})
        values.update({n: int(size) for n, size in zip(t.shape, a.shape, strict=True) if isinstance(n, Var)})
    order = producers_first([t.op for t in outputs])
    within = {
        p for scan in order if isinstance(scan, ScanOp) for p in (*scan.body, *(s.op for s in scan.states))
    }
    for op in order:
        if op not in within and not all(t in arrays for t in op.outputs):
            arrays.update(zip(op.outputs, _results(op, arrays, values), strict=True))
    return [arrays[t] for t in outputs]


def _results(op: Operation, arrays: Arrays, values: Values) -> list[Any]:
    if isinstance(op, ComputeOp):
        with np.errstate(all="ignore"):
            return _compute(op, arrays, values)
    if isinstance(op, ExternOp):
        return _extern(op, arrays, values)
    if isinstance(op, ScanOp):
        return _scan(op, arrays, values)
    if isinstance(op, PlaceholderOp):
        raise TewbError(
            f"the value of input {op.name} is not given", hint="inputs is a dict from tensors to arrays"
        )
    eager = getattr(op, "run_eagerly", None)
    if eager is None:
        raise TewbError(f"{op.name} cannot be evaluated", hint=INSTEAD)
    computed = eager([arrays[t] for t in op.inputs], values)
    return list(computed) if isinstance(computed, tuple) else [computed]


def _scan(op: ScanOp, arrays: Arrays, values: Values) -> list[Any]:
    """The states of a scan: their first steps, and then one step after the other of all that is in its body."""
    known, time = dict(arrays), op.time
    for t in [t for step in (*(t.op for t in op.states), *op.body) for t in step.outputs]:
        shape = [int(_value(n, values, arrays)) for n in t.shape]
        known[t] = np.zeros(shape, memory_dtype(t.dtype))
    for first, update, state in zip(op.init, op.update, op.states, strict=True):
        known[state] = known[update]
        known[state][: len(arrays[first])] = arrays[first]
    for step in range(len(arrays[op.init[0]]), len(known[op.states[0]])):
        for cell in op.body:
            d = time[cell]
            with np.errstate(all="ignore"):
                rows = _compute(cell, known, values, {d: step})
            for t, row in zip(cell.outputs, rows, strict=True):
                known[t][(*[slice(None)] * d, slice(step, step + 1))] = row
    return [known[s] for s in op.states]


def _compute(op: ComputeOp, arrays: Arrays, values: Values, at: Mapping[int, int] | None = None) -> list[Any]:
    """The values of a compute, or its slice at one index of the dimensions in `at`."""
    fixed = at or {}
    sizes = enumerate(op.output(0).shape)
    shape = tuple(1 if d in fixed else int(_value(n, values, arrays)) for d, n in sizes)
    grid: Values = dict(values)
    for d, iv in enumerate(op.axis):
        steps = [1] * len(shape)
        steps[d] = shape[d]
        grid[iv.var] = (fixed.get(d, 0) + np.arange(shape[d], dtype=iv.dtype)).reshape(steps).astype(iv.dtype)
    first = op.body[0]
    if isinstance(first, Reduce):
        return _reduce(op, first, shape, arrays, grid)
    return [to_memory(np.broadcast_to(_value(e, grid, arrays), shape), e.dtype) for e in op.body]


def _reduce(op: ComputeOp, r: Reduce, shape: tuple[int, ...], arrays: Arrays, grid: Values) -> list[Any]:
    start = r.init or r.combiner.identity
    state = [rounded(np.broadcast_to(_value(e, grid, arrays), shape), e.dtype) for e in start]
    for point, inside in _points(op, op.reduce_axis, grid, np.True_, arrays):
        terms = [_value(e, point, arrays) for e in r.source]
        pairs = zip((*r.combiner.lhs, *r.combiner.rhs), (*state, *terms), strict=True)
        combined = {**point, **dict(pairs)}
        condition = np.broadcast_to(inside & _value(r.condition, point, arrays), shape)
        results = [np.broadcast_to(_value(e, combined, arrays), shape) for e in r.combiner.result]
        state = [np.where(condition, x, old).astype(old.dtype) for x, old in zip(results, state, strict=True)]
    return [to_memory(x, e.dtype) for x, e in zip(state, start, strict=True)]


def _points(
    op: ComputeOp, axes: Sequence[IterVar], grid: Values, inside: Any, arrays: Arrays
) -> Iterator[tuple[Values, Any]]:
    """The points of `axes`, one after the other, each with the elements of the grid whose ranges hold it."""
    if not axes:
        yield grid, inside
        return
    (iv, *rest), dom = axes, op.domain(axes[0])
    assert dom is not None
    low = np.asarray(_value(dom.min, grid, arrays))
    end = np.asarray(low + _value(dom.extent, grid, arrays))
    low, end, asked = np.broadcast_arrays(low, end, inside)
    if low.size == 0 or not asked.any():
        return
    for x in range(int(low[asked].min()), int(end[asked].max())):
        point = {**grid, iv.var: np.array(x, iv.dtype)}
        yield from _points(op, rest, point, inside & (low <= x) & (x < end), arrays)


@any_depth
def _value(e: Expr, values: Values, arrays: Arrays) -> Any:
    shared = _shared(e)
    part_values: dict[Expr, Any] = {}

    def part(x: Expr) -> Any:
        if x not in shared:
            return _value_of(x, values, arrays, part)
        if x not in part_values:
            part_values[x] = _value_of(x, values, arrays, part)
        return part_values[x]

    return part(e)


@lru_cache(64)
def _shared(e: Expr) -> frozenset[Node]:
    """The subexpressions of `e` whose values are kept, since they are used again."""
    return shared_subexpressions(e)


def _value_of(e: Expr, values: Values, arrays: Arrays, part: Callable[[Expr], Any]) -> Any:
    """`_value` of an expression, from the values of its operands."""
    f = NUMPY_OPERATORS.get(type(e))
    if f is not None:
        a, b = part(e.a), part(e.b)  # type: ignore[attr-defined]
        return rounded(f(a, b), e.dtype)
    match e:
        case Var():
            return values[e]
        case IntImm(value, dtype) | FloatImm(value, dtype):
            return rounded(value, dtype)
        case ProducerLoad(tensor, indices):
            array = arrays[tensor]
            if array.size == 0:  # a guard prevents all reads of it
                array = np.zeros([max(n, 1) for n in array.shape], array.dtype)
            index = [np.clip(part(i), 0, n - 1) for i, n in zip(indices, array.shape, strict=True)]
            return from_memory(array[tuple(index)], e.dtype)
        case Div(a, b):
            x, y = part(a), part(b)
            if e.dtype.is_float:
                return rounded(np.true_divide(x, y), e.dtype)
            return rounded(truncated_quotient(x, y), e.dtype)
        case Mod(a, b):
            return rounded(np.fmod(part(a), part(b)), e.dtype)
        case Not(a):
            return np.logical_not(part(a))
        case Select(c, a, b) | Call("if_then_else", (c, a, b)):
            cond, x, y = part(c), part(a), part(b)
            return rounded(np.where(cond, x, y), e.dtype)
        case Cast(a, dtype):
            return converted(part(a), dtype)
        case Let(var, value, body):
            return _value(body, {**values, var: part(value)}, arrays)
        case Call("reinterpret", (a,)):
            return reinterpreted(part(a), a.dtype, e.dtype)
        case Call("nextafter", (a, b)):
            return rounded(nextafter(part(a), part(b), e.dtype), e.dtype)
        case Call(op, (a,)) if op in BITS:
            return rounded(BITS[op](part(a), a.dtype), e.dtype)
        case Call(op, args) if op in CALLS:
            return rounded(CALLS[op](*[_wide(part(a)) for a in args]), e.dtype)
        case Call("tvm_call_packed", (StringImm(name), *operands)):
            given = [x.value if isinstance(x, StringImm) else part(x) for x in operands]
            return np.vectorize(registered_function(name), otypes=[e.dtype])(*given)
        case Call("erf", (a,)):
            from math import erf

            return rounded(np.vectorize(erf)(part(a)), e.dtype)
    raise TewbError(f"{_name_of(e)} cannot be evaluated", hint=INSTEAD)


def _name_of(e: Expr) -> str:
    return f"a call of {e.op}" if isinstance(e, Call) else type(e).__name__


def _wide(x: Any) -> Any:
    """Operands of an intrinsic as kernels have them: those of 16 bits in float32."""
    return x.astype(np.float32) if isinstance(x, np.ndarray | np.generic) and x.dtype == np.float16 else x


def _extern(op: ExternOp, arrays: Arrays, values: Values) -> list[Any]:
    ins, outs = whole_buffers(op)
    body = op.make_body(ins, outs, whole_tile(op))
    if not (
        isinstance(body, Evaluate) and isinstance(body.value, Call) and body.value.op == "tvm_call_packed"
    ):
        raise TewbError(f"extern {op.name} is built by hand and cannot be evaluated", hint=INSTEAD)
    results = [
        np.zeros([int(_value(n, values, arrays)) for n in t.shape], memory_dtype(t.dtype)) for t in op.outputs
    ]
    views = {b.data: arrays[t] for b, t in zip(ins, op.inputs, strict=True)}
    views |= {b.data: a for b, a in zip(outs, results, strict=True)}
    name, *args = body.value.args
    assert isinstance(name, StringImm)
    registered_function(name.value)(*[_packed(a, views, values, arrays) for a in args])
    return results


def _packed(a: Expr, views: Mapping[Var, Any], values: Values, arrays: Arrays) -> Any:
    if isinstance(a, Call) and a.op == "tvm_stack_make_array" and isinstance(a.args[0], Var):
        return views[a.args[0]].view(NDArray)
    return a.value if isinstance(a, StringImm) else _value(a, values, arrays).item()


def random_array(shape: Sequence[int], dtype: str, rng: np.random.Generator) -> Any:
    """Values that suit a dtype: floats around 0, small integers, random booleans."""
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if "float" in dtype:
        return to_memory(rng.standard_normal(shape), DType(dtype))
    least, most = DType(dtype).ends
    return rng.integers(max(least, -8), min(most, 15), shape, endpoint=True).astype(memory_dtype(dtype))


def tolerance(dtype: str, terms: int = 1) -> tuple[float, float]:
    """(relative, absolute) tolerance for sums of `terms` terms; (0, 0) for integers, which are exact."""
    if "float" not in dtype:
        return 0.0, 0.0
    eps = 2.0**-7 if dtype == "bfloat16" else float(np.finfo(dtype).eps)
    return 16 * eps, 8 * eps * max(terms, 1)
