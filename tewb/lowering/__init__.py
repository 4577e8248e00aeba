"""Lowering: from a schedule to loops, then one pass per file; `pipeline.py` is the list."""

from tewb.lowering.lower import lower_schedule, scheduled_loops
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
from tewb.lowering.rewrite_storage import peak_bytes
from tewb.lowering.unroll_loops import MAX_NODES

__all__ = [
    "BUILD",
    "LOWER",
    "MAX_NODES",
    "SCHEDULE_OPS",
    "SIMPLIFY",
    "AnyPass",
    "NestPass",
    "Pass",
    "Trace",
    "lower_schedule",
    "peak_bytes",
    "run",
    "scheduled_loops",
    "with_thread_loops",
]
