"""The list of lowering passes, in order, with what holds between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tewb.arith import Analyzer, simplify_stmt
from tewb.base import LowerError, PassContext, any_depth, check_stopped, here, option
from tewb.ir import Buffer, For, ForKind, IRModule, PrimFunc, Stmt, Var, free_vars, replace, rewriter, verify
from tewb.lowering.align_stores import align_stores
from tewb.lowering.describe_externs import describe_externs
from tewb.lowering.flatten_storage import flatten_storage
from tewb.lowering.form_dot_products import form_dot_products
from tewb.lowering.hoist_allocations import hoist_allocations
from tewb.lowering.instruments import PassInfo, should_run, tell_after, tell_before
from tewb.lowering.known_nests import ASSUMED, Rewrite, on_nests
from tewb.lowering.loop_over_threads import loop_over_threads
from tewb.lowering.order_loops import order_loops
from tewb.lowering.partition_loops import partition_loops
from tewb.lowering.place_arguments import place_arguments
from tewb.lowering.rewrite_storage import rewrite_storage
from tewb.lowering.share_guarded_values import share_guarded_values
from tewb.lowering.specialise_strides import specialise_strides
from tewb.lowering.unroll_loops import check_unrolled, unroll_loops
from tewb.lowering.vectorize_loops import vectorize_loops
from tewb.schedule import ResultCache


@dataclass(frozen=True, slots=True)
class Pass:
    """A named step from one form of a function to the next, and what holds of every function after it. `classic` is its
    name for instruments; `left_out` is what is done instead where one leaves it out, None if that cannot be."""

    run: Callable[[PrimFunc], PrimFunc]
    doc: str
    promises: tuple[verify.Promise, ...] = ()
    named: str = ""
    keeps_provenance: bool = True  # a pass of the user's need not
    classic: str = ""
    left_out: Callable[[PrimFunc], PrimFunc] | None = None
    is_watched: bool = True  # a pass of the user's tells instruments by itself

    @property
    def name(self) -> str:
        return self.named or self.run.__name__


@dataclass(frozen=True, slots=True)
class NestPass:
    """A pass that rewrites the loop nests of a function one by one, so that a nest that an earlier lowering rewrote
    need not be rewritten again. `rewriting` takes the function and returns what rewrites each nest."""

    rewriting: Callable[[PrimFunc], Rewrite]
    doc: str
    promises: tuple[verify.Promise, ...] = ()
    named: str = ""
    classic: str = ""
    left_out: Callable[[PrimFunc], PrimFunc] | None = None
    is_watched = True

    @property
    def name(self) -> str:
        return self.named or self.rewriting.__name__

    def run(self, f: PrimFunc) -> PrimFunc:
        """`f` rewritten whole."""
        return f.with_body(self.rewriting(f)(f.body))

    def run_on_nests(self, f: PrimFunc, memory: ResultCache) -> PrimFunc:
        """`f` rewritten, except for the nests whose results `memory` holds."""
        return f.with_body(on_nests(f, self.name, self.rewriting(f), memory))


AnyPass = Pass | NestPass
Trace = list[tuple[str, PrimFunc]]  # the function after each pass, by the name of the pass


def _body_pass(rewrite: Rewrite, doc: str, *promises: verify.Promise, is_needed: bool = True) -> Pass:
    """The pass that rewrites a whole body."""
    left_out = None if is_needed else _as_it_is
    return Pass(lambda f: f.with_body(rewrite(f.body)), doc, promises, rewrite.__name__, left_out=left_out)


def _as_it_is(f: PrimFunc) -> PrimFunc:
    return f


def _serial(kind: ForKind) -> Callable[[PrimFunc], PrimFunc]:
    """A function with its loops of a kind as serial ones."""

    def run_serially(f: PrimFunc) -> PrimFunc:
        def loop(n: For) -> Stmt:
            rewritten = replace(n, body=rewrite(n.body))
            return replace(rewritten, kind=ForKind.SERIAL) if n.kind is kind else rewritten

        rewrite: Rewrite = rewriter({For: loop})
        return f.with_body(rewrite(f.body))

    return run_serially


def simplified(f: PrimFunc) -> Rewrite:
    """Simpler expressions; sizes are not negative."""
    facts = _facts(f)
    return lambda s: simplify_stmt(s, facts)


def _described(f: PrimFunc) -> Rewrite:
    """`simplified`, and the regions of externs are told from what they are now."""
    rewrite = simplified(f)
    return lambda s: describe_externs(rewrite(s))


def _facts(f: PrimFunc) -> Analyzer:
    """An analyzer that knows the sizes of a function's arguments, and the condition that its body is for."""
    analyzer = Analyzer()
    for v in _shape_variables(f):
        analyzer.bind(v, 0, None)
    if ASSUMED in f.attrs:
        analyzer.know(f.attrs[ASSUMED])
    return analyzer


def _shape_variables(f: PrimFunc) -> list[Var]:
    """The variables of the parameters' shapes."""
    shapes = (n for p in f.params if isinstance(p, Buffer) for n in p.shape)
    return list(dict.fromkeys(v for n in shapes for v in free_vars(n)))


def _partitioned(f: PrimFunc) -> Rewrite:
    sizes = _shape_variables(f)
    constant = bool(option("tir.LoopPartition.partition_const_loop"))
    return lambda s: partition_loops(s, sizes, constant) if option("tir.LoopPartition") else s


def _ordered(f: PrimFunc) -> Rewrite:
    return order_loops(f) if option("tewb.specialise_strides") else _unchanged


def _unchanged(s: Stmt) -> Stmt:
    return s


def _vectorized(f: PrimFunc) -> Rewrite:
    return vectorize_loops


def _unrolled(f: PrimFunc) -> Rewrite:
    check_unrolled(f.body)
    return unroll_loops


def _specialised(f: PrimFunc) -> PrimFunc:
    return specialise_strides(f) if option("tewb.specialise_strides") else f


def _sharing(body: Stmt) -> Stmt:
    return body if option("tir.disable_storage_rewrite") else rewrite_storage(body)


def with_thread_loops(f: PrimFunc) -> PrimFunc:
    """`f` with loops for the threads that it launches: what runs one statement after the other."""
    return f.with_body(loop_over_threads(f.body))


SCHEDULE_OPS = "schedule_ops"  # the form of a function before any pass: the loops as they are scheduled

SIMPLIFY = NestPass(
    simplified,
    "simplify expressions, drop loops of one iteration",
    named="simplify",
    classic="tir.Simplify",
    left_out=_as_it_is,
)
ORDER = NestPass(
    _ordered,
    "nests that no step ordered, in the order that suits the strides of a call",
    named="order_loops",
    left_out=_as_it_is,
)
PARTITION = NestPass(
    _partitioned,
    "take guards out of the iterations where they hold",
    named="partition_loops",
    classic="tir.LoopPartition",
    left_out=_as_it_is,
)
SPECIALISE = Pass(
    _specialised,
    "one body for rows of neighbours, one for any strides",
    named="specialise_strides",
    left_out=_as_it_is,
)
VECTORIZE = NestPass(
    _vectorized,
    "vectorized loops become statements on vectors",
    (verify.no_loops(ForKind.VECTORIZED),),
    "vectorize_loops",
    "tir.VectorizeLoop",
    _serial(ForKind.VECTORIZED),
)
UNROLL = NestPass(
    _unrolled,
    "unrolled loops become their iterations in sequence",
    (verify.no_loops(ForKind.UNROLLED),),
    "unroll_loops",
    "tir.UnrollLoop",
    _serial(ForKind.UNROLLED),
)
SIMPLIFY_AGAIN = NestPass(
    _described,
    "simplify what the passes left",
    named="simplify again",
    classic="tir.Simplify",
    left_out=_as_it_is,
)

# What a person reads: loops on arrays of several dimensions.
LOWER: tuple[AnyPass, ...] = (SIMPLIFY, ORDER, PARTITION, SPECIALISE, VECTORIZE, UNROLL, SIMPLIFY_AGAIN)

# What code generation reads: one index for each access, and no loop is marked `dot`.
BUILD: tuple[AnyPass, ...] = (
    Pass(place_arguments, "pointers of the caller are first elements"),
    _body_pass(loop_over_threads, "threads become loops, split where they wait", verify.no_threads),
    Pass(
        lambda f: f.with_body(share_guarded_values(f.body, lambda: _facts(f))),
        "values that many conditions guard are computed once",
        named="share_guarded_values",
        left_out=_as_it_is,
    ),
    Pass(
        flatten_storage,
        "arrays become lines of elements, views disappear",
        (verify.one_index,),
        classic="tir.FlattenBuffer",
    ),
    Pass(
        lambda f: f.with_body(_sharing(f.body)),
        "intermediates that are not alive together share memory",
        named="rewrite_storage",
        classic="tir.StorageRewrite",
        left_out=_as_it_is,
    ),
    _body_pass(hoist_allocations, "loops take the memory of their iterations once", is_needed=False),
    Pass(
        SIMPLIFY.run,
        "simplify the index arithmetic",
        named="simplify indices",
        classic="tir.Simplify",
        left_out=_as_it_is,
    ),
    _body_pass(form_dot_products, "dot loops become one sum of products", verify.no_loops(ForKind.DOT)),
    Pass(align_stores, "non-temporal stores at multiples of 16 bytes, ordinary ones elsewhere"),
)


def info_of(p: AnyPass) -> PassInfo:
    """What instruments know of a pass."""
    return PassInfo(0, p.classic or f"tewb.{p.name}")


def _run_watched(p: AnyPass, f: PrimFunc, memory: ResultCache | None, context: PassContext) -> PrimFunc:
    """`_run`, of which the instruments of a context are told. Raises LowerError where they leave out what is needed."""
    info, module = info_of(p), IRModule({f.name: f})
    if not should_run(context, module, info):
        if p.left_out is None:
            raise LowerError(
                f"an instrument leaves out the pass {info.name}, and code is made of what it leaves",
                hint=f"should_run returns True for {info.name}",
                span=here(),
            )
        return p.left_out(f)
    tell_before(context, module, info)
    after = _run(p, f, memory)
    tell_after(context, IRModule({after.name: after}), info)
    return after


@any_depth
def _run(p: AnyPass, f: PrimFunc, memory: ResultCache | None) -> PrimFunc:
    return p.run_on_nests(f, memory) if isinstance(p, NestPass) and memory is not None else p.run(f)


def run(
    f: PrimFunc,
    passes: Sequence[AnyPass],
    trace: Trace | None = None,
    memory: ResultCache | None = None,
) -> PrimFunc:
    """`f` after `passes`; `trace` collects the function after each. Nests whose results `memory` holds are not
    rewritten again. With the option tewb.verify, raises InternalError after a pass that broke a promise."""
    began = time.monotonic()
    is_verified = bool(option("tewb.verify"))
    sound = verify.Sound()
    promises = _promises_of(f, sound) if is_verified else []
    context = PassContext.current()
    for p in passes:
        check_stopped(began)
        is_watched = bool(context.instruments) and p.is_watched
        f = _run_watched(p, f, memory, context) if is_watched else _run(p, f, memory)
        if is_verified:
            if isinstance(p, Pass) and not p.keeps_provenance:
                promises = [promise for promise in promises if promise is not verify.provenance_is_present]
            promises += p.promises
            verify.check_promises(f, promises, p.name, sound)
        if trace is not None:
            trace.append((p.name, f))
    return f


def _promises_of(f: PrimFunc, sound: verify.Sound) -> list[verify.Promise]:
    """What holds of a function before any pass, verified. Functions that no schedule made have no provenance."""
    verify.check_promises(f, verify.ALWAYS, SCHEDULE_OPS, sound)
    has_provenance = next(verify.provenance_is_present(f), None) is None
    return [*verify.ALWAYS, verify.provenance_is_present] if has_provenance else [*verify.ALWAYS]
