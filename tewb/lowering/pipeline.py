"""The list of lowering passes, in order, with what holds between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tewb.arith import Analyzer, simplify_stmt
from tewb.base import any_depth, check_stopped, option
from tewb.ir import Buffer, PrimFunc, Stmt, Var, free_vars
from tewb.lowering.align_stores import align_stores
from tewb.lowering.flatten_storage import flatten_storage
from tewb.lowering.form_dot_products import form_dot_products
from tewb.lowering.hoist_allocations import hoist_allocations
from tewb.lowering.partition_loops import partition_loops
from tewb.lowering.parts import Rewrite, on_parts
from tewb.lowering.place_arguments import place_arguments
from tewb.lowering.rewrite_storage import rewrite_storage
from tewb.lowering.share_guarded_values import share_guarded_values
from tewb.lowering.specialise_strides import specialise_strides
from tewb.lowering.unroll_loops import check_unrolled, unroll_loops
from tewb.lowering.vectorize_loops import vectorize_loops
from tewb.schedule import Memory


@dataclass(frozen=True, slots=True)
class Pass:
    """A named step from one form of a function to the next."""

    name: str
    run: Callable[[PrimFunc], PrimFunc]
    doc: str
    rewrite: Callable[[PrimFunc], Rewrite] | None = None  # what it does to each statement of a function


def _with_body(f: PrimFunc, body: Stmt) -> PrimFunc:
    return f if body is f.body else PrimFunc(f.name, f.params, body, f.outputs)


def _on_body(run: Rewrite) -> Callable[[PrimFunc], PrimFunc]:
    return lambda f: _with_body(f, run(f.body))


def simplify(f: PrimFunc) -> PrimFunc:
    """The same function with simpler expressions; sizes are not negative."""
    return _with_body(f, simplify_stmt(f.body, _facts(f)))


def _facts(f: PrimFunc) -> Analyzer:
    """An analyzer that knows of the sizes of a function's arguments."""
    analyzer = Analyzer()
    for v in _sizes(f):
        analyzer.bind(v, 0, None)
    return analyzer


def _sizes(f: PrimFunc) -> list[Var]:
    """The variables of the parameters' shapes."""
    shapes = (n for p in f.params if isinstance(p, Buffer) for n in p.shape)
    return list(dict.fromkeys(v for n in shapes for v in free_vars(n)))


def _partition(f: PrimFunc) -> Rewrite:
    sizes = _sizes(f)
    constant = bool(option("tir.LoopPartition.partition_const_loop"))
    return lambda s: partition_loops(s, sizes, constant) if option("tir.LoopPartition") else s


def _unroll(f: PrimFunc) -> Rewrite:
    check_unrolled(f.body)
    return unroll_loops


def _share(body: Stmt) -> Stmt:
    return body if option("tir.disable_storage_rewrite") else rewrite_storage(body)


def _specialise(f: PrimFunc) -> PrimFunc:
    return specialise_strides(f) if option("tewb.specialise_strides") else f


def _pass(name: str, run: Callable[[PrimFunc], PrimFunc], doc: str) -> Pass:
    return Pass(name, run, doc)


def _simplify(name: str, doc: str) -> Pass:
    return Pass(name, simplify, doc, lambda f: lambda s: simplify_stmt(s, _facts(f)))


def _each(name: str, rewrite: Rewrite, doc: str) -> Pass:
    """A pass that rewrites every statement by itself."""
    return Pass(name, _on_body(rewrite), doc, lambda _: rewrite)


# What a person reads: loops on arrays of several dimensions. After `vectorize_loops` no loop is vectorized,
# after `unroll_loops` none is unrolled.
LOWER: tuple[Pass, ...] = (
    _simplify("simplify", "simplify expressions, drop loops of one iteration"),
    Pass(
        "partition_loops",
        lambda f: _with_body(f, _partition(f)(f.body)),
        "take guards out of the iterations where they hold",
        _partition,
    ),
    _pass("specialise_strides", _specialise, "one body for rows of neighbours, one for any strides"),
    _each("vectorize_loops", vectorize_loops, "vectorized loops become statements on vectors"),
    Pass(
        "unroll_loops",
        lambda f: _with_body(f, _unroll(f)(f.body)),
        "unrolled loops become their iterations in sequence",
        _unroll,
    ),
    _simplify("simplify again", "simplify what the passes left"),
)

# What code generation reads: one index for each access, and no loop is marked `dot`.
BUILD: tuple[Pass, ...] = (
    _pass("place_arguments", place_arguments, "pointers of the caller are first elements"),
    _pass(
        "share_guarded_values",
        lambda f: _with_body(f, share_guarded_values(f.body, lambda: _facts(f))),
        "values that many conditions guard are computed once",
    ),
    _pass("flatten_storage", flatten_storage, "arrays become lines of elements, views disappear"),
    _pass("rewrite_storage", _on_body(_share), "intermediates that are not alive together share memory"),
    _pass("hoist_allocations", _on_body(hoist_allocations), "loops take the memory of their iterations once"),
    _pass("simplify indices", simplify, "simplify the index arithmetic"),
    _pass("form_dot_products", _on_body(form_dot_products), "dot loops become one sum of products"),
    _pass(
        "align_stores", align_stores, "non-temporal stores at multiples of 16 bytes, ordinary ones elsewhere"
    ),
)


@any_depth
def _run(p: Pass, f: PrimFunc, memory: Memory | None) -> PrimFunc:
    if memory is None or p.rewrite is None:
        return p.run(f)
    return _with_body(f, on_parts(f, p.name, p.rewrite(f), memory))


def run(
    f: PrimFunc,
    passes: tuple[Pass, ...],
    trace: list[tuple[str, PrimFunc]] | None = None,
    memory: Memory | None = None,
) -> PrimFunc:
    """`f` after `passes`; `trace` collects the function after each. What `memory` has of the statements that
    `f` is made of is not done again."""
    began = time.monotonic()
    for p in passes:
        check_stopped(began)
        f = _run(p, f, memory)
        if trace is not None:
            trace.append((p.name, f))
    return f
