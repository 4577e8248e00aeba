"""From a schedule and its arguments to a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tewb.base import BOOL, LowerError, any_depth, here
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    DeclBuffer,
    IRModule,
    PrimFunc,
    Stmt,
    Var,
    const,
    free_vars,
    structural_equal,
    substitute,
    walk,
    walk_statements,
)
from tewb.lowering.argument_buffers import (
    bound_arguments,
    check_binds,
)
from tewb.lowering.bind_buffers import bind_buffers
from tewb.lowering.kernel_parameters import (
    check_inputs,
    kernel_parameters,
    missing_outputs,
    unseen_outputs,
)
from tewb.lowering.known_nests import memory_around, nests_of
from tewb.lowering.nest import loop_nests
from tewb.lowering.pipeline import LOWER, SCHEDULE_OPS, Trace, run
from tewb.lowering.pragmas import heed_options
from tewb.lowering.refusals import explained
from tewb.lowering.solved_sizes import solved_size
from tewb.lowering.specialise_bodies import (
    Assumed,
    CallCondition,
    assumed,
    call_condition,
    holds,
    joined,
    warn_of_idle,
)
from tewb.lowering.user_passes import with_user_passes
from tewb.schedule import (
    Fault,
    ResultCache,
    Schedule,
    Stage,
    computes_all,
    fault_error,
    repeated,
    scan_of,
    with_part_sizes,
)
from tewb.schedule.bounds import Bounds, infer_bounds, keep_bounds
from tewb.tensor import StrideVar, Tensor, only_in_conditions


def lower_schedule(
    schedule: Schedule,
    args: Sequence[Any],
    name: str = "main",
    binds: Mapping[Tensor, Buffer] | None = None,
    trace: Trace | None = None,
    for_looking: bool = False,
) -> IRModule:
    """The module with one function that computes `schedule` on `args`.

    `args` are tensors (inputs, outputs and intermediates the caller wants) and scalar variables, in the
    order of the kernel's parameters. `binds` declares buffers for some of them: their strides, constant or
    symbolic, and their alignment. `trace` collects the function after every pass, beginning with the loops.

    With `for_looking`, outputs and variables may be missing among the arguments, and intermediates that are computed
    inline may be there: the function says what is wrong with it in its attribute INCOMPLETE, and is not built.
    """
    args = bound_arguments(args, binds)
    check_binds(args, binds or {})
    schedule.result_cache.begin()
    if schedule.bodies:
        return IRModule({name: _with_bodies(schedule, args, name, binds or {}, trace, for_looking)})
    f = scheduled_loops(schedule, args, name, binds or {}, for_looking)
    if trace is not None:
        trace.append((SCHEDULE_OPS, f))
    with explained(schedule):
        lowered = run(f, with_user_passes(LOWER), trace, schedule.result_cache)
    return IRModule({name: _without_additions(lowered, len(args))})


def _with_bodies(
    schedule: Schedule,
    args: Sequence[Any],
    name: str,
    binds: Mapping[Tensor, Buffer],
    trace: Trace | None,
    for_looking: bool,
) -> PrimFunc:
    """The function that has a body for each condition of `schedule`, and one for all other calls. Each is lowered by
    itself, on the same parameters."""
    others = scheduled_loops(schedule.body(None), args, name, binds, for_looking)
    parts: list[tuple[CallCondition | None, Trace]] = []
    for text in schedule.bodies:
        condition = call_condition(schedule, text, others, args)
        known = holds(condition, others)
        if known is not None:
            warn_of_idle(text, not known)
        if known is not False:
            body = schedule.body(text)
            f = scheduled_loops(body, args, name, binds, for_looking, others.params[: len(args)])
            parts.append((condition, _lowered_body(body, f, None if known else condition, trace is not None)))
        if known:
            break
    else:
        parts.append((None, _lowered_body(schedule.body(None), others, None, trace is not None)))
    states: Trace = []
    for same in zip(*[own for _, own in parts], strict=True):
        functions = [_without_additions(f, len(args)) for _, f in same]
        first = [(c, f.body) for (c, _), f in zip(parts, functions, strict=True) if c is not None]
        attrs = {key: value for f in functions for key, value in f.attrs.items()}
        whole = joined(first[: len(parts) - 1], functions[-1].body)
        states.append((same[0][0], replace(functions[-1], body=whole, attrs=attrs)))
    if trace is not None:
        trace += states
    return states[-1][1]


def _lowered_body(schedule: Schedule, f: PrimFunc, condition: CallCondition | None, is_traced: bool) -> Trace:
    """The function of one body before and after every pass, on the parameters of `f`; only the last one if that is
    enough."""
    own: Trace = []
    special = Assumed(f, lambda g: g.body) if condition is None else assumed(f, condition)
    with explained(schedule):
        run(special.function, with_user_passes(LOWER), own, schedule.result_cache)
    wanted = [(SCHEDULE_OPS, special.function), *own] if is_traced else own[-1:]
    return [(p, f.with_body(special.body_of(g))) for p, g in wanted]


def attributes_of(name: str) -> dict[str, Any]:
    """What is said of a function that a schedule becomes: its name, that no two of its arrays overlap (kernels copy those
    that do), and, as classic TE said it, that it comes from a schedule."""
    yes = const(True, BOOL)
    return {"global_symbol": name, "tir.noalias": yes, FROM_SCHEDULE: yes}


FROM_SCHEDULE = "from_legacy_te_schedule"

# The attribute of a function that is only to be looked at: a LowerError that says why.
INCOMPLETE = "tewb.incomplete"


def schedule_to_module(
    sch: Schedule,
    args: Sequence[Any] | None = None,
    name: str = "main",
    binds: Mapping[Tensor, Buffer] | None = None,
) -> IRModule:
    """The module with the loops of a schedule, before any pass.

    Without `args` they are all inputs and outputs.
    """
    given = whole_arguments(sch) if args is None else bound_arguments(args, binds)
    check_binds(given, binds or {})
    return IRModule({name: scheduled_loops(sch, given, name, binds)})


def whole_arguments(schedule: Schedule) -> list[Tensor]:
    """All inputs of a schedule, then its outputs."""
    inputs = [s for s in schedule.stages if s.is_placeholder and scan_of(s) is None]
    return [t for s in (*inputs, *schedule.output_stages) for t in s.op.outputs]


def postprocessed(
    args: Sequence[Any], stmt: Stmt, binds: Mapping[Tensor, Buffer] | None = None, name: str = "main"
) -> PrimFunc:
    """The function with the body `stmt` whose parameters are `args`: tensors and scalar variables. The buffers of the
    tensors are found by their names and shapes, or are those of `binds`."""
    free = _free_buffers(stmt)
    params: list[Buffer | Var] = []
    pairs: dict[Buffer, Buffer] = {}
    for a in args:
        if not isinstance(a, Tensor):
            params.append(a)
            continue
        own = next((b for b in free if b not in pairs and _holds(b, a)), None)
        declared = (binds or {}).get(a) or own or Buffer(a.name, a.dtype, a.shape)
        if own is not None:
            pairs[own] = declared
        params.append(declared)
    body = bind_buffers(stmt, pairs) if any(a is not b for a, b in pairs.items()) else stmt
    written = {n.buffer for n in walk_statements(body) if isinstance(n, BufferStore)}
    outputs = tuple(i for i, p in enumerate(params) if isinstance(p, Buffer) and p in written)
    return PrimFunc(name, tuple(params), body, outputs, {FROM_SCHEDULE: const(True, BOOL)})


def _free_buffers(stmt: Stmt) -> list[Buffer]:
    """The buffers that a statement uses and does not allocate."""
    nodes = list(walk(stmt))
    own = {n.buffer for n in nodes if isinstance(n, Allocate | DeclBuffer)}
    used = dict.fromkeys(n.buffer for n in nodes if isinstance(n, BufferLoad | BufferStore))
    return [b for b in used if b not in own]


def _holds(b: Buffer, t: Tensor) -> bool:
    same = b.name == t.name and b.dtype == t.dtype and len(b.shape) == len(t.shape)
    return same and all(structural_equal(m, n) for m, n in zip(b.shape, t.shape, strict=True))


@any_depth
def scheduled_loops(
    schedule: Schedule,
    args: Sequence[Any],
    name: str = "main",
    binds: Mapping[Tensor, Buffer] | None = None,
    for_looking: bool = False,
    given: Sequence[Buffer | Var] = (),
) -> PrimFunc:
    """The function with the loops as scheduled, before any pass. What is missing, `for_looking`, are parameters behind
    those of `args`. Another body of the schedule has the parameters `given` for these."""
    wrong: list[LowerError] = []
    params, keys, values = kernel_parameters(schedule, args, binds or {}, wrong, given)
    unseen = unseen_outputs(schedule, keys)
    params += missing_outputs(schedule, keys, wrong)
    check_inputs(schedule, keys)
    kept = [stage for stage, _ in keys if not stage.is_placeholder]
    if wrong and not for_looking:
        raise wrong[0]
    bounds = keep_bounds(schedule, kept, infer_bounds(schedule, kept))
    _check_repeats(schedule, bounds)
    _check_whole(kept, bounds, wrong)
    if wrong and not for_looking:
        raise wrong[0]
    with explained(schedule):
        body = heed_options(substitute(loop_nests(schedule, bounds, keys), values))
        body = with_part_sizes(schedule, body)
    for b in unseen:
        body = Allocate(b, body)
    outputs = [keys[key] for key in keys if not key[0].is_placeholder]
    f = PrimFunc(
        name,
        tuple(params),
        body,
        tuple(i for i, p in enumerate(params) if any(p is b for b in outputs)),
        attributes_of(name),
    )
    unknown = _check_variables(f, schedule.result_cache, wrong)
    if wrong and not for_looking:
        raise wrong[0]
    if not wrong:
        return f
    return replace(f, params=(*f.params, *unknown), attrs={**f.attrs, INCOMPLETE: wrong[0]})


def _without_additions(f: PrimFunc, count: int) -> PrimFunc:
    """`f` with its first `count` parameters: buffers among the others are allocated, and variables have no value."""
    body = f.body
    for p in f.params[count:]:
        body = Allocate(p, body) if isinstance(p, Buffer) else body
    return replace(f, params=f.params[:count], body=body, outputs=tuple(n for n in f.outputs if n < count))


def _check_repeats(schedule: Schedule, bounds: Bounds) -> None:
    """Raise the error of a call after which a stateful extern computes elements twice."""
    for stage in schedule.stages:
        refused = None if stage.attach is None else repeated(stage, bounds)
        if refused:
            raise fault_error(schedule, Fault(stage, "compute_at", refused))


def _check_whole(arguments: list[Stage], bounds: Bounds, wrong: list[LowerError]) -> None:
    """Add to `wrong` the intermediates among the arguments that are computed in a loop of which some reader needs only a
    part: the rest of the caller's array would not be written."""
    for stage in arguments:
        at = stage.loop_around
        if at is not None and not (stage.is_output or at.after) and not computes_all(stage, bounds):
            loop = at.stage.axis_name(at.axis)
            wrong.append(
                LowerError(
                    f"{stage.name} is an argument, and it is computed at loop {loop} of {at.stage.name}, which does not need "
                    "all of it: the rest would not be written",
                    loops=at.stage.loops(),
                    hint=f"s[{stage.name}].compute_root(), or leave {stage.name} out of the arguments",
                    span=here(),
                )
            )


def _check_variables(f: PrimFunc, cache: ResultCache, wrong: list[LowerError]) -> list[Var]:
    """The variables of the body that are neither bound in it, nor parameters, nor sizes of one; each is added to
    `wrong`."""
    bound = {p for p in f.params if isinstance(p, Var)}
    for p in f.params:
        if isinstance(p, Buffer):
            bound |= {v for e in (*p.shape, *p.strides, p.elem_offset) if isinstance(e, Var) for v in (e,)}
            bound |= {told.variable for e in p.shape if (told := solved_size(e)) is not None}
            bound.add(p.data)
    _check_strides(f)
    used = [cache.once(("variables", id(s)), (s,), partial(_variables, s)) for s in nests_of(f.body)]
    bound = bound.union(*(memories for _, memories in used))
    bound |= {b.data for b in memory_around(f.body)}
    unknown = [v for v in dict.fromkeys(v for free, _ in used for v in free) if v not in bound]
    wrong += [
        only_in_conditions(v)
        if isinstance(v, StrideVar)
        else LowerError(
            f"the value of {v.name} is not known: it is not an argument, nor a size of one",
            hint=f"pass {v.name} as an argument",
            span=here(),
        )
        for v in unknown
    ]
    return unknown


def _variables(s: Stmt) -> tuple[list[Var], set[Var]]:
    """The free variables of a statement, and those of the memory that it uses."""
    return free_vars(s), {n.buffer.data for n in walk(s) if hasattr(n, "buffer")}


def _check_strides(f: PrimFunc) -> None:
    """Strides may be expressions of variables that are arguments, sizes of arrays, or strides by themselves."""
    buffers = [p for p in f.params if isinstance(p, Buffer)]
    given = {p for p in f.params if isinstance(p, Var)}
    given |= {e for b in buffers for e in (*b.shape, *b.strides) if isinstance(e, Var)}
    for b in buffers:
        for v in (v for e in b.strides for v in free_vars(e) if v not in given):
            raise LowerError(
                f"the strides of {b.name} use {v.name}, and no array tells its value",
                hint=f"pass {v.name} as an argument, or let {v.name} be a stride by itself",
                span=here(),
            )
