"""Schedules: how to compute. Stages, the primitives on them, and the journal that records these."""

from tewb.schedule import primitives as _primitives  # declares the primitives
from tewb.schedule.declare import PRIMITIVES, Param, Primitive, loop_of
from tewb.schedule.journal import Step, steps_of
from tewb.schedule.loop_text import loop_marks, loops_text, place_text, stage_marks
from tewb.schedule.relation import Fuse, Split
from tewb.schedule.result_cache import ResultCache
from tewb.schedule.schedule import Schedule, create_schedule
from tewb.schedule.stage import INLINE, At, Stage

del _primitives

__all__ = [
    "INLINE", "PRIMITIVES", "At", "Fuse", "Param", "Primitive", "ResultCache", "Schedule", "Split", "Stage", "Step",
    "create_schedule", "loop_marks", "loop_of", "loops_text", "place_text", "stage_marks", "steps_of",
]  # fmt: skip
