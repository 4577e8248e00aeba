"""Lowering: from a schedule to loops, then one pass per file; `pipeline.py` is the list."""

from tewb.lowering.argument_buffers import bound_arguments
from tewb.lowering.hoist_allocations import SMALL, kept_by_threads
from tewb.lowering.instruments import (
    DumpIR,
    PassInfo,
    PassInstrument,
    PassPrintingInstrument,
    PassTimingInstrument,
    PrintAfterAll,
    PrintBeforeAll,
    pass_instrument,
)
from tewb.lowering.loop_parts import LoopPart, Share, loop_parts
from tewb.lowering.lower import (
    INCOMPLETE,
    lower_schedule,
    postprocessed,
    schedule_to_module,
    scheduled_loops,
    whole_arguments,
)
from tewb.lowering.lower_intrinsics import lower_intrinsics, register_intrin_lowering, register_intrin_rule
from tewb.lowering.pipeline import (
    BUILD,
    LOWER,
    SCHEDULE_OPS,
    SIMPLIFY,
    AnyPass,
    NestPass,
    Pass,
    Trace,
    run,
    with_thread_loops,
)
from tewb.lowering.pragmas import heed_pragmas
from tewb.lowering.rewrite_storage import peak_bytes
from tewb.lowering.solved_sizes import solved_size, told_by
from tewb.lowering.specialise_bodies import body_in_view
from tewb.lowering.time_loops import time_loops
from tewb.lowering.unroll_loops import MAX_NODES, check_unrolled
from tewb.lowering.user_passes import (
    ModulePass,
    Sequential,
    module_pass,
    of_lowering,
    prim_func_pass,
    print_ir,
    with_user_passes,
)

__all__ = [
    "BUILD",
    "INCOMPLETE",
    "LOWER",
    "MAX_NODES",
    "SCHEDULE_OPS",
    "SIMPLIFY",
    "SMALL",
    "AnyPass",
    "DumpIR",
    "ModulePass",
    "LoopPart",
    "NestPass",
    "Pass",
    "PassInfo",
    "PassInstrument",
    "PassPrintingInstrument",
    "PassTimingInstrument",
    "PrintAfterAll",
    "PrintBeforeAll",
    "Sequential",
    "Share",
    "Trace",
    "body_in_view",
    "bound_arguments",
    "check_unrolled",
    "heed_pragmas",
    "kept_by_threads",
    "loop_parts",
    "lower_intrinsics",
    "lower_schedule",
    "module_pass",
    "of_lowering",
    "pass_instrument",
    "peak_bytes",
    "prim_func_pass",
    "print_ir",
    "postprocessed",
    "register_intrin_lowering",
    "register_intrin_rule",
    "run",
    "schedule_to_module",
    "scheduled_loops",
    "solved_size",
    "told_by",
    "time_loops",
    "with_user_passes",
    "with_thread_loops",
    "whole_arguments",
]
