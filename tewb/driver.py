"""`lower` and `build`: from a schedule to IR, and on to a kernel that runs on numpy arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tewb.base import LowerError, PassContext, here, option
from tewb.codegen import compile_module, with_imported_text
from tewb.ir import Buffer, IRModule, PrimFunc
from tewb.lowering import (
    BUILD,
    INCOMPLETE,
    LOWER,
    AnyPass,
    Trace,
    bound_arguments,
    lower_intrinsics,
    lower_schedule,
    run,
    with_user_passes,
)
from tewb.runtime import Kernel, Runtime, Target
from tewb.schedule import Schedule, Step, create_schedule
from tewb.tensor import Operation, Tensor, check_name


def lower(
    inp: Any,
    args: Sequence[Any] | None = None,
    name: str = "main",
    binds: Mapping[Tensor, Buffer] | None = None,
    simple_mode: bool = False,
    trace: Trace | None = None,
) -> IRModule:
    """The IR that computes `inp` on `args`: a module with one function, `name`. `inp` is a schedule, or the operation
    or operations to compute (`C.op`) without one; a function or a module goes through the passes again.

    `args` are the tensors and `te.var`s in the order of the kernel's parameters. `binds` declares strided
    or aligned buffers for some of the tensors: with

        binds={A: te.decl_buffer(A.shape, name="A", strides=[te.var("s"), te.var("t")])}

    the kernel takes any numpy view for A without a copy. `trace` collects (pass, function) after every
    pass. With `simple_mode` loops are not partitioned around their guards, as with the option tir.LoopPartition off,
    so that the text is shorter to read.

    The IR may be just for looking: then outputs and variables may be missing among the arguments, and tensors that are
    computed inline may be there. Raises LowerError.
    """
    return _lowered(inp, args, name, binds, simple_mode, trace, for_looking=True)


def _lowered(
    inp: Any,
    args: Sequence[Any] | None,
    name: str,
    binds: Mapping[Tensor, Buffer] | None,
    simple_mode: bool = False,
    trace: Trace | None = None,
    for_looking: bool = False,
) -> IRModule:
    if simple_mode:
        with PassContext.current().resumed(**{"tir.LoopPartition": False}):
            return _lowered(inp, args, name, binds, False, trace, for_looking)
    if isinstance(inp, IRModule | PrimFunc):
        functions = {name: inp} if isinstance(inp, PrimFunc) else inp.functions
        return IRModule({key: run(f, with_user_passes(LOWER), trace) for key, f in functions.items()})
    schedule = _schedule(inp)
    if args is None:
        raise LowerError("lower needs the arguments of the kernel", hint="lower(s, [A, B, C])", span=here())
    if isinstance(args, Tensor | Mapping | str) or not isinstance(args, Iterable):
        raise LowerError(
            f"lower takes a list of arguments, not {args!r}", hint="lower(s, [A, B, C])", span=here()
        )
    module = lower_schedule(schedule, list(args), check_name(name), binds, trace, for_looking)
    said = {"tir.noalias": True, "from_legacy_te_schedule": True}
    return IRModule({n: f.with_attr({"global_symbol": n, **said}) for n, f in module.functions.items()})


def _schedule(inp: Any) -> Schedule:
    """The schedule `inp`, or a new one of the operations that it is. Raises LowerError."""
    if isinstance(inp, Schedule):
        return inp
    operations = list(inp) if isinstance(inp, list | tuple) else [inp]
    if not operations or not all(isinstance(op, Operation) for op in operations):
        raise LowerError(
            f"lower takes a schedule, not {inp!r}", hint="s = te.create_schedule(C.op)", span=here()
        )
    return create_schedule(operations)


@dataclass(frozen=True, slots=True)
class Source:
    """What a kernel was built from: the parameters, whose tensors are the program, the steps of the schedule, and the
    options."""

    args: tuple[Any, ...]
    journal: tuple[Step, ...]
    level: int
    config: tuple[tuple[str, bool | int | str], ...]
    debug: bool

    @staticmethod
    def now(inputs: Any, args: Sequence[Any], debug: bool) -> Source:
        """That of a schedule, or of operations, as they are now."""
        options = PassContext.current()
        plain = ((k, v) for k, v in options.config.items() if isinstance(v, bool | int | str))
        journal = inputs.journal if isinstance(inputs, Schedule) else ()
        return Source(tuple(args), journal, options.opt_level, tuple(sorted(plain)), debug)


def build(
    inputs: Any,
    args: Sequence[Any] | None = None,
    target: Target | Mapping[str, Any] | str | None = None,
    target_host: Target | Mapping[str, Any] | str | None = None,
    runtime: Any = None,
    name: str = "main",
    binds: Mapping[Tensor, Buffer] | None = None,
    debug: bool = False,
    checked: bool = False,
) -> Kernel:
    """The kernel for a schedule and its arguments, or for what `lower` gave.

    `inputs` is a schedule, an operation or a list of them (`C.op`), a function, a list of functions, or a module. The
    kernel runs on numpy arrays in place: `kernel(a, b, c)`. With `debug`, every access is checked while it
    runs. `checked` calls the packed functions of externs on guarded copies of their tiles, several times,
    and raises ExternError for one that writes outside of its tile, reads outside of the region that its
    access declares, changes its inputs or leaves a part of its output unwritten.

    `target` names the processor: that of the innermost `with Target(...)` block, or of this machine, when it is left
    out, or "llvm". Code for another one can be inspected, but not called:

        tewb.build(s, args, target="llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1").get_source("asm")

    `target_host` and `runtime` are there for classic programs: kernels are called by the processor that runs them. Of
    `llvm --system-lib`, or `Runtime("cpp", {"system-lib": True})`, several libraries in one process are found by
    `tewb.runtime.system_lib`. A text in the place of `runtime` is the name, as in v0.5. Raises TewbError.
    """
    if isinstance(runtime, str) and runtime not in ("c", "cpp"):
        if isinstance(name, Mapping):  # v0.5: build(inputs, args, target, target_host, name, binds)
            binds = name
        name = runtime
    chosen = Target.of(target, target_host)
    if isinstance(runtime, Runtime) and runtime.is_system_lib:
        chosen = Target({**chosen.export(), "system-lib": True})
    chosen.warn_of_another_machine()
    module, source = _module(inputs), None
    if module is None:
        if checked:
            with PassContext.current().resumed(**{"tewb.checked_externs": True}):
                module = _lowered(inputs, args, name, binds)
        else:
            module = _lowered(inputs, args, name, binds)
        source = Source.now(inputs, bound_arguments(args or (), binds), debug)
    elif checked:
        raise LowerError(
            "checked=True takes a schedule: a lowered module has forgotten what its externs declare",
            hint="build(s, args, checked=True)",
            span=here(),
        )
    kernel = build_ir(module, debug=debug, target=chosen)
    kernel.source = source
    return kernel


def _module(inputs: Any) -> IRModule | None:
    """The module that `inputs` is or can be made into, if it holds functions."""
    if isinstance(inputs, IRModule):
        return inputs
    if isinstance(inputs, PrimFunc):
        return IRModule.from_expr(inputs)
    if isinstance(inputs, Mapping) and len(inputs) == 1:  # {target: functions}
        return _module(next(iter(inputs.values())))
    if not isinstance(inputs, list | tuple) or not any(isinstance(f, IRModule | PrimFunc) for f in inputs):
        return None
    functions: dict[str, PrimFunc] = {}
    for f in inputs:
        more = f.functions if isinstance(f, IRModule) else {getattr(f, "name", ""): f}
        for name, function in more.items():
            if not isinstance(function, PrimFunc) or name in functions:
                raise LowerError(
                    f"two functions are named {name}" if name in functions else f"{f!r} is no function",
                    hint="build([f, g]) takes functions of different names, and modules",
                    span=here(),
                )
            functions[name] = function
    return IRModule(functions)


def build_ir(
    module: IRModule,
    debug: bool = False,
    trace: Trace | None = None,
    level: int | None = None,
    target: Target | None = None,
    more: Sequence[AnyPass] = (),
    traced: bool = False,
) -> Kernel:
    """The kernel of the first function of `module`; `trace` collects the passes of building, and `more` are passes that
    come after them. `level` is how much LLVM optimises, from 0 to 3; None takes the level of the PassContext. A `traced`
    kernel tells what its threads do, to `tewb.runtime.trace_threads`."""
    for f in module.functions.values():
        if INCOMPLETE in f.attrs:
            wrong: LowerError = f.attrs[INCOMPLETE]
            raise LowerError(wrong.message, hint=wrong.hint, span=here())
    if not module.functions:
        raise LowerError("the module has no function", hint="lower(s, [A, B, C])", span=here())
    module = _named_by_the_module(module)
    module = with_imported_text(_with_rules(module))
    options = PassContext.current()

    def flatten() -> IRModule:
        with options.resumed():
            return IRModule({key: run(f, (*BUILD, *more), trace) for key, f in module.functions.items()})

    debug = debug or bool(option("tir.instrument_bound_checkers"))
    is_told = trace is not None or options.instruments  # of all passes, though the code may be known
    if is_told or more:
        compiled = compile_module(flatten(), debug, level, target=target, traced=traced)
    else:
        compiled = compile_module(module, debug, level, flatten, target, traced)
    return compiled.kernel(next(iter(module.functions)))


def _with_rules(module: IRModule) -> IRModule:
    """`module` after the user's rules for intrinsics."""
    lowered = {name: lower_intrinsics(f) for name, f in module.functions.items()}
    if all(lowered[name] is f for name, f in module.functions.items()):
        return module
    return IRModule(lowered)


def _named_by_the_module(module: IRModule) -> IRModule:
    """`module`, in which each function has the name by which the module knows it."""
    if all(f.name == name for name, f in module.functions.items()):
        return module
    return IRModule({name: _renamed(f, str(name)) for name, f in module.functions.items()})


def _renamed(f: PrimFunc, name: str) -> PrimFunc:
    return f.with_attr("global_symbol", name) if "global_symbol" in f.attrs else replace(f, name=name)
