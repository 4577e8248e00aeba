"""The list of lowering passes, in order, with what holds between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tewb.arith import Analyzer, simplify_stmt
from tewb.base import option
from tewb.ir import Buffer, PrimFunc, Stmt, Var, free_vars
from tewb.lowering.flatten_storage import flatten_storage
from tewb.lowering.hoist_allocations import hoist_allocations
from tewb.lowering.partition_loops import partition_loops
from tewb.lowering.place_arguments import place_arguments
from tewb.lowering.rewrite_storage import rewrite_storage
from tewb.lowering.specialise_strides import specialise_strides
from tewb.lowering.unroll_loops import unroll_loops
from tewb.lowering.vectorize_loops import vectorize_loops


@dataclass(frozen=True, slots=True)
class Pass:
    """A named step from one form of a function to the next."""

    name: str
    run: Callable[[PrimFunc], PrimFunc]
    doc: str


def _with_body(f: PrimFunc, body: Stmt) -> PrimFunc:
    return f if body is f.body else PrimFunc(f.name, f.params, body, f.outputs)


def _on_body(run: Callable[[Stmt], Stmt]) -> Callable[[PrimFunc], PrimFunc]:
    def on_function(f: PrimFunc) -> PrimFunc:
        return _with_body(f, run(f.body))

    return on_function


def simplify(f: PrimFunc) -> PrimFunc:
    """The same function with simpler expressions; sizes are not negative."""
    analyzer = Analyzer()
    for v in _sizes(f):
        analyzer.bind(v, 0, None)
    return _with_body(f, simplify_stmt(f.body, analyzer))


def _sizes(f: PrimFunc) -> list[Var]:
    """The variables of the parameters' shapes."""
    shapes = (n for p in f.params if isinstance(p, Buffer) for n in p.shape)
    return list(dict.fromkeys(v for n in shapes for v in free_vars(n)))


def _partition(f: PrimFunc) -> PrimFunc:
    return _with_body(f, partition_loops(f.body, _sizes(f))) if option("tir.LoopPartition") else f


def _share(body: Stmt) -> Stmt:
    return body if option("tir.disable_storage_rewrite") else rewrite_storage(body)


def _specialise(f: PrimFunc) -> PrimFunc:
    return specialise_strides(f) if option("tewb.specialise_strides") else f


def _pass(name: str, run: Callable[[PrimFunc], PrimFunc], doc: str) -> Pass:
    return Pass(name, run, doc)


# What a person reads: loops on arrays of several dimensions. After `vectorize_loops` no loop is vectorized,
# after `unroll_loops` none is unrolled.
LOWER: tuple[Pass, ...] = (
    _pass("simplify", simplify, "simplify expressions, drop loops of one iteration"),
    _pass("partition_loops", _partition, "take guards out of the iterations where they hold"),
    _pass("specialise_strides", _specialise, "one body for rows of neighbours, one for any strides"),
    _pass("vectorize_loops", _on_body(vectorize_loops), "vectorized loops become statements on vectors"),
    _pass("unroll_loops", _on_body(unroll_loops), "unrolled loops become their iterations in sequence"),
    _pass("simplify again", simplify, "simplify what the passes left"),
)

# What code generation reads: one index for each access.
BUILD: tuple[Pass, ...] = (
    _pass("place_arguments", place_arguments, "pointers of the caller are first elements"),
    _pass("flatten_storage", flatten_storage, "arrays become lines of elements, views disappear"),
    _pass("rewrite_storage", _on_body(_share), "intermediates that are not alive together share memory"),
    _pass("hoist_allocations", _on_body(hoist_allocations), "loops take the memory of their iterations once"),
    _pass("simplify indices", simplify, "simplify the index arithmetic"),
)


def run(f: PrimFunc, passes: tuple[Pass, ...], trace: list[tuple[str, PrimFunc]] | None = None) -> PrimFunc:
    """`f` after `passes`; `trace` collects the function after each."""
    for p in passes:
        f = p.run(f)
        if trace is not None:
            trace.append((p.name, f))
    return f
