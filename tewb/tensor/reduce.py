"""Reducers: commutative combinations such as sum, max, and those a user defines."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from tewb.base import BOOL, INT32, INT64, DType, DTypeError, ShapeError, TewbError, here, with_article
from tewb.ir import (
    AxisKind,
    CommReducer,
    Expr,
    IntImm,
    IterVar,
    ProducerLoad,
    Range,
    Reduce,
    Var,
    const,
    const_int,
    convert,
    ops,
    structural_equal,
    substitute,
    walk,
)


def reduce_axis(dom: Any, name: str = "rv") -> IterVar:
    """An axis to reduce over. `dom` is (begin, end), or a Range.

    The ends may use the indices of the compute, an outer reduce axis, and elements of integer tensors: then make the
    axis in the function of an element. A sparse matrix times a vector, with rows as scipy's csr_matrix has them:

        def row(i):
            k = te.reduce_axis((indptr[i], indptr[i + 1]), name="k")
            return te.sum(data[k] * x[indices[k]], axis=k)

        y = te.compute((n,), row, name="y")

    and the product with a lower triangle:

        y = te.compute((n,), lambda i: te.sum(A[i, k := te.reduce_axis((0, i + 1), name="k")] * x[k], axis=k), name="y")

    A range that ends before it begins is empty, and its result is the identity. Its loop is split, vectorized and
    unrolled as others are; it stays inside of the loops that its range depends on. A range that is read from elements is checked before it
    is used: BoundError names the read that would be outside.
    """
    if isinstance(dom, Range):
        bounds = dom
    else:
        if not isinstance(dom, tuple | list) or len(dom) != 2:
            raise ShapeError(
                f"reduce_axis {name} takes (begin, end), not {dom!r}",
                hint="te.reduce_axis((0, n))",
                span=here(),
            )
        ends = [convert(ops.whole(e)) for e in dom]
        _check_integers(name, ends)
        bounds = _range_between(name, *map(_signed_end, ends))
    _check_integers(name, (bounds.min, bounds.extent))
    low, extent = ops.match(bounds.min, bounds.extent)
    return IterVar(Range(low, extent), Var(name, extent.dtype), AxisKind.REDUCE)


def _check_integers(name: str, ends: Sequence[Expr]) -> None:
    if not all(e.dtype.is_int for e in ends):
        raise DTypeError(
            f"reduce_axis {name} runs over integers, not from {ends[0]!s} to {ends[1]!s}",
            hint="te.reduce_axis((0, n)); n // 4 divides and rounds down",
            span=here(),
        )


def _range_between(name: str, begin: Expr, end: Expr) -> Range:
    """The integers from `begin` up to `end`, in a dtype that counts them."""
    lo, hi = const_int(begin), const_int(end)
    if lo is not None and hi is not None and hi - lo > INT64.max_value():
        raise ShapeError(
            f"reduce_axis {name} runs from {lo} to {hi}: {hi - lo} are more than int64 counts", span=here()
        )
    if lo is not None and hi is not None and hi - lo > begin.dtype.max_value():
        begin = ops.cast(begin, INT64)
    return Range(begin, ops.sub(end, begin))


def _signed_end(e: Expr) -> Expr:
    """An end of a range. Elements of small or unsigned integers become signed ones, whose differences are right."""
    small = e.dtype.is_int and (e.dtype.bits < 32 or e.dtype.kind == "uint")
    if not small or not any(isinstance(n, ProducerLoad) for n in walk(e)):
        return e
    return ops.cast(e, INT32 if e.dtype.bits < 32 else INT64)


def comm_reducer(
    fcombine: Callable[..., Any], fidentity: Callable[..., Any], name: str = "reduce"
) -> Callable[..., Any]:
    """A reducer from `fcombine(x, y)` and `fidentity(dtype)`.

    For tuples, `fcombine` takes and returns tuples and `fidentity` takes one dtype each. The combination
    must be associative and commutative: schedules change its order. It may use variables, axes of the compute and
    elements of tensors. `reducer(expr, axis)` reduces, and `reducer(a, b, ...)` combines values at once.
    """

    def reducer(expr: Any, *args: Any, axis: Any = None, where: Any = None, init: Any = None) -> Any:
        _check_is_no_tensor(name, expr)
        if axis is None and args and _is_value(args[0]):
            return _combined_at_once(name, fcombine, (expr, *args), where, init)
        axis, where, init = _in_order(name, args, axis, where, init)
        return _reduce(fcombine, fidentity, name, expr, axis, where, init)

    reducer.__name__ = reducer.__qualname__ = name
    reducer.__doc__ = (
        f"{name}(expr, axis, where=None, init=None): combine `expr` over the reduce axes `axis`; {name}(a, b, ...): "
        "combine these values."
    )
    return reducer


def _is_value(x: Any) -> bool:
    """Whether `x` is a number or an expression, and so no axis to reduce over."""
    return isinstance(x, Expr | int | float | np.generic) or hasattr(x, "as_expr")


def _combined_at_once(name: str, fcombine: Any, values: Sequence[Any], where: Any, init: Any) -> Expr:
    """Two values or more, combined one after the other."""
    if where is not None or init is not None:
        raise TewbError(
            f"{name}: where= and init= are for reductions, and these are {len(values)} values",
            hint=f"{name}(A[i, k], axis=k, where=...), or {name}(a, b)",
            span=here(),
        )
    _check_takes(name, "the combination", fcombine, 2)
    return reduce(lambda a, b: convert(fcombine(a, b)), map(convert, values))


def _in_order(name: str, args: Sequence[Any], axis: Any, where: Any, init: Any) -> tuple[Any, Any, Any]:
    """The axes, the condition and the start of a reduction, of which some are given by position."""
    given = [("axis", axis), ("where", where), ("init", init)]
    twice = next((word for (word, value), _ in zip(given, args, strict=False) if value is not None), None)
    if len(args) > 3 or twice:
        more = f"{twice} twice" if twice else f"{1 + len(args)} values"
        raise TewbError(
            f"{name} was given {more}; it takes an expression, axis, where and init",
            hint=f"{name}(A[i, k], axis=k)",
            span=here(),
        )
    rest = [value for _, value in given[len(args) :]]
    return tuple([*args, *rest])


def _reduce(fcombine: Any, fidentity: Any, name: str, expr: Any, axis: Any, where: Any, init: Any) -> Any:
    several = isinstance(expr, tuple | list)
    source = tuple(convert(e) for e in (expr if several else (expr,)))
    axes = checked_axes(name, axis)
    condition = IntImm(1, BOOL) if where is None else convert(where)
    if not condition.dtype.is_bool:
        raise DTypeError(
            f"{name}: where= takes a condition, not {condition.dtype}",
            hint="compare with something: where=x != 0",
            span=here(),
        )
    combiner = _combiner(fcombine, fidentity, name, tuple(e.dtype for e in source), several)
    # The combination may widen (bool to int32), so the source follows it.
    source = tuple(ops.cast(e, r.dtype) for e, r in zip(source, combiner.result, strict=True))
    start = _init(name, init, source)
    results = tuple(
        Reduce(combiner, source, axes, condition, i, start, e.dtype) for i, e in enumerate(source)
    )
    return results if len(results) > 1 else results[0]


def _check_is_no_tensor(name: str, expr: Any) -> None:
    """Raise DTypeError for a whole tensor, which a function of topi reduces."""
    if not (hasattr(expr, "op") and getattr(expr, "shape", None)):
        return
    own = f"te.{name}" if name in _READY_MADE else name
    element = f"{expr.name}[{', '.join('ijklmn'[: len(expr.shape)])}]"
    hint = f"te.compute(shape, lambda ...: {own}({element}, axis=k)) reduces elements"
    raise DTypeError(
        f"{own} reduces an expression over axes made by te.reduce_axis, and {expr.name} is a whole tensor",
        hint=f"topi.{name}({expr.name}, axis=0), or {hint}" if name in _READY_MADE else hint,
    )


def checked_axes(name: str, axis: Any) -> tuple[IterVar, ...]:
    """One reduce axis, or a list of them, as a tuple. Raises TewbError."""
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    _check_axes(name, axes)
    return axes


def _check_axes(name: str, axes: Sequence[Any]) -> None:
    for a in axes:
        if not isinstance(a, IterVar) or a.kind is not AxisKind.REDUCE:
            raise TewbError(
                f"{name}: axis takes te.reduce_axis objects, not {a!r}",
                hint='k = te.reduce_axis((0, n), name="k")',
                span=here(),
            )
    if not axes:
        raise TewbError(
            f"{name}: no axis to reduce over", hint="axis=k with k = te.reduce_axis((0, n))", span=here()
        )
    for n, a in enumerate(axes):
        if any(a is b for b in axes[:n]):
            raise TewbError(
                f"{name}: {a.var.name} is twice among the axes, and a reduction runs over each once",
                hint="another axis of the same range: te.reduce_axis((0, n))",
                span=here(),
            )


def _combiner(
    fcombine: Any, fidentity: Any, name: str, dtypes: tuple[DType, ...], several: bool
) -> CommReducer:
    dtypes = tuple(INT32 if d.is_bool and name == "sum" else d for d in dtypes)
    lhs = tuple(Var(f"x{i}" if several else "x", d) for i, d in enumerate(dtypes))
    rhs = tuple(Var(f"y{i}" if several else "y", d) for i, d in enumerate(dtypes))
    try:
        result = fcombine(lhs, rhs) if several else (fcombine(lhs[0], rhs[0]),)
        identity = fidentity(*dtypes) if several else (fidentity(dtypes[0]),)
    except TypeError:
        _check_takes(name, "the combination", fcombine, 2)
        _check_takes(name, "the identity", fidentity, len(dtypes))
        raise
    _check_one_each(name, "the combination", result, dtypes)
    _check_one_each(name, "the identity", identity, dtypes)
    exprs = tuple(ops.cast(convert(r), d) for r, d in zip(result, dtypes, strict=True))
    start = tuple(ops.cast(convert(e), d) for e, d in zip(identity, dtypes, strict=True))
    return CommReducer(lhs, rhs, exprs, start, name)


def _check_one_each(name: str, what: str, values: Any, dtypes: tuple[DType, ...]) -> None:
    if not isinstance(values, tuple | list) or len(values) != len(dtypes):
        given = (
            f"{len(values)} values"
            if isinstance(values, tuple | list)
            else with_article(type(values).__name__)
        )
        raise TewbError(
            f"{name}: {what} of {len(dtypes)} values is a tuple of as many, not {given}",
            hint="te.comm_reducer(lambda x, y: (x[0] + y[0], x[1] * y[1]), lambda s, t: (te.const(0, s), te.const(1, t)))",
            span=here(),
        )


def _check_takes(name: str, what: str, f: Any, arguments: int) -> None:
    """Raises where `f` cannot be called with so many arguments."""
    try:
        inspect.signature(f).bind(*[None] * arguments)
    except TypeError:
        raise TewbError(
            f"{name}: {what} of a reducer takes {arguments} argument{'s' * (arguments != 1)}, and {f!r} does not",
            hint="te.comm_reducer(lambda x, y: x + y, lambda dtype: te.const(0, dtype))",
            span=here(),
        ) from None
    except ValueError:
        pass  # a function of C that does not say what it takes


def _init(name: str, init: Any, source: tuple[Expr, ...]) -> tuple[Expr, ...]:
    if init is None:
        return ()
    values = init if isinstance(init, tuple | list) else (init,)
    if len(values) != len(source):
        raise TewbError(
            f"{name}: {len(values)} init values for {len(source)} results",
            hint="one init for each result",
            span=here(),
        )
    return tuple(ops.cast(convert(v), e.dtype) for v, e in zip(values, source, strict=True))


def min_value(dtype: str) -> Expr:
    """The smallest value of `dtype`; minus infinity for floats."""
    d = DType(dtype)
    return const(float("-inf") if d.is_float else d.min_value(), d)


def max_value(dtype: str) -> Expr:
    """The largest value of `dtype`; infinity for floats."""
    d = DType(dtype)
    return const(float("inf") if d.is_float else d.max_value(), d)


_READY_MADE: dict[str, tuple[Callable[[Any, Any], Any], Callable[[str], Expr]]] = {
    "sum": (lambda x, y: x + y, lambda dtype: const(0, dtype)),
    "max": (ops.maximum, min_value),
    "min": (ops.minimum, max_value),
    "prod": (lambda x, y: x * y, lambda dtype: const(1, dtype)),
}
_sum, _max, _min, _prod = (comm_reducer(*how, name=name) for name, how in _READY_MADE.items())


def is_ready_made(c: CommReducer) -> bool:
    """Whether a reducer is te.sum, te.prod, te.max or te.min; one of the user may have the same name and combine
    otherwise."""
    if c.name not in _READY_MADE or len(c.lhs) != 1:
        return False
    own = _combiner(*_READY_MADE[c.name], c.name, (c.lhs[0].dtype,), False)
    same = dict(zip((*c.lhs, *c.rhs), (*own.lhs, *own.rhs), strict=True))
    mine = tuple(substitute(e, same) for e in (*c.result, *c.identity))
    return structural_equal(mine, (*own.result, *own.identity))


def sum(expr: Any, *args: Any, axis: Any = None, where: Any = None, init: Any = None) -> Any:
    """Sum of `expr` over `axis` (booleans count as int32); `where` chooses terms, `init` starts it. With several values,
    the sum of these."""
    return _sum(expr, *args, axis=axis, where=where, init=init)


def prod(expr: Any, *args: Any, axis: Any = None, where: Any = None, init: Any = None) -> Any:
    """Product of `expr` over `axis`; with several values, the product of these."""
    return _prod(expr, *args, axis=axis, where=where, init=init)


def max(expr: Any, *args: Any, axis: Any = None, where: Any = None, init: Any = None) -> Any:
    """Largest `expr` over `axis`; with several values, the largest of these."""
    return _max(expr, *_values(args), axis=axis, where=where, init=init)


def min(expr: Any, *args: Any, axis: Any = None, where: Any = None, init: Any = None) -> Any:
    """Smallest `expr` over `axis`; with several values, the smallest of these."""
    return _min(expr, *_values(args), axis=axis, where=where, init=init)


def _values(args: Sequence[Any]) -> list[Any]:
    """Arguments of which axes of data are the values that they have."""
    return [a.var if isinstance(a, IterVar) and a.kind is not AxisKind.REDUCE else a for a in args]


def index_names(f: Callable[..., Any], rank: int, variable: Sequence[str] | None = None) -> list[str]:
    """Names for `rank` indices from the parameters of `f`: its own, and for `*indices` those of `variable`, or i0, i1, ..."""
    parameters = list(inspect.signature(f).parameters.values())
    named = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    # A parameter with a default is how a lambda in a loop keeps a value, unless it is needed as an index.
    plain = [p.name for p in named if p.default is p.empty]
    names = plain if len(plain) == rank else [p.name for p in named]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return names + list(variable or [f"i{n}" for n in range(len(names), rank)])
    return names
