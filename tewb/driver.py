"""`lower` and `build`: from a schedule to IR, and on to a kernel that runs on numpy arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tewb.base import LowerError, PassContext, here, option
from tewb.codegen import compile_module
from tewb.ir import Buffer, IRModule
from tewb.lowering import BUILD, Trace, lower_schedule, run
from tewb.runtime import Kernel, Target
from tewb.schedule import Schedule
from tewb.tensor import Tensor, check_name


def lower(
    sch: Schedule,
    args: Sequence[Any] | None = None,
    name: str = "main",
    binds: Mapping[Tensor, Buffer] | None = None,
    simple_mode: bool = False,
    trace: Trace | None = None,
) -> IRModule:
    """The IR that computes schedule `sch` on `args`: a module with one function, `name`.

    `args` are the tensors and `te.var`s in the order of the kernel's parameters. `binds` declares strided
    or aligned buffers for some of the tensors: with

        binds={A: te.decl_buffer(A.shape, name="A", strides=[te.var("s"), te.var("t")])}

    the kernel takes any numpy view for A without a copy. `trace` collects (pass, function) after every
    pass. With `simple_mode` loops are not partitioned around their guards, as with the option tir.LoopPartition off,
    so that the text is shorter to read. Raises LowerError.
    """
    if not isinstance(sch, Schedule):
        raise LowerError(
            f"lower takes a schedule, not {sch!r}", hint="s = te.create_schedule(C.op)", span=here()
        )
    if args is None:
        raise LowerError("lower needs the arguments of the kernel", hint="lower(s, [A, B, C])", span=here())
    if isinstance(args, Tensor | Mapping | str) or not isinstance(args, Iterable):
        raise LowerError(
            f"lower takes a list of arguments, not {args!r}", hint="lower(s, [A, B, C])", span=here()
        )
    args = list(args)
    check_name(name)
    if simple_mode:
        now = PassContext.current()
        with PassContext(now.opt_level, {**now.config, "tir.LoopPartition": False}):
            return lower_schedule(sch, args, name, binds, trace)
    return lower_schedule(sch, args, name, binds, trace)


def build(
    inputs: Schedule | IRModule,
    args: Sequence[Any] | None = None,
    target: Target | str | None = None,
    name: str = "main",
    binds: Mapping[Tensor, Buffer] | None = None,
    debug: bool = False,
    checked: bool = False,
) -> Kernel:
    """The kernel for a schedule and its arguments, or for a module that `lower` gave.

    It runs on numpy arrays in place: `kernel(a, b, c)`. With `debug`, every access is checked while it
    runs. `checked` calls the packed functions of externs on guarded copies of their tiles, several times,
    and raises ExternError for one that writes outside of its tile, reads outside of the region that its
    access declares, changes its inputs or leaves a part of its output unwritten.

    `target` names the processor: that of this machine when it is left out, or "llvm". Code for another one can be
    inspected, but not called:

        tewb.build(s, args, target="llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1").get_source("asm")

    Raises TewbError.
    """
    chosen = Target.of(target)
    if checked:
        if isinstance(inputs, IRModule):
            raise LowerError(
                "checked=True takes a schedule: a lowered module has forgotten what its externs declare",
                hint="build(s, args, checked=True)",
                span=here(),
            )
        now = PassContext.current()
        with PassContext(now.opt_level, {**now.config, "tewb.checked_externs": True}):
            module = lower(inputs, args, name, binds)
    else:
        module = inputs if isinstance(inputs, IRModule) else lower(inputs, args, name, binds)
    return build_ir(module, debug=debug, target=chosen)


def build_ir(
    module: IRModule,
    debug: bool = False,
    trace: Trace | None = None,
    level: int | None = None,
    target: Target | None = None,
) -> Kernel:
    """The kernel of the first function of `module`; `trace` collects the passes of building. `level` is how
    much LLVM optimises, from 0 to 3; None takes the level of the PassContext."""
    options = PassContext.current()

    def flatten() -> IRModule:
        with options:
            return IRModule({key: run(f, BUILD, trace) for key, f in module.functions.items()})

    debug = debug or bool(option("tir.instrument_bound_checkers"))
    if trace is not None:
        compiled = compile_module(flatten(), debug, level, target=target)
    else:
        compiled = compile_module(module, debug, level, flatten, target)
    return compiled.kernel(next(iter(module.functions)))
