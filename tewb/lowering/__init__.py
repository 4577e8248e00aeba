"""Lowering: from a schedule to loops, then one pass per file; `pipeline.py` is the list."""

from tewb.lowering.lower import (
    lower_schedule,
    postprocessed,
    schedule_to_module,
    scheduled_loops,
    whole_arguments,
)
from tewb.lowering.pipeline import BUILD, LOWER, SCHEDULE_OPS, SIMPLIFY, AnyPass, NestPass, Pass, Trace, run
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
    "postprocessed",
    "run",
    "schedule_to_module",
    "scheduled_loops",
    "whole_arguments",
]
