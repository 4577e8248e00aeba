"""Schedules: how to compute. Stages, the primitives on them, and the journal that records these."""

from tewb.schedule import primitives as _primitives  # declares the primitives
from tewb.schedule.code import Names, schedule_code
from tewb.schedule.declare import (
    PRIMITIVES,
    REQUIRED,
    Param,
    Primitive,
    PrimitiveCall,
    Refusal,
    Repair,
    Selection,
    loop_of,
)
from tewb.schedule.extern_tiles import tile_of
from tewb.schedule.hybrid_loops import within_guards
from tewb.schedule.journal import Step, steps_of
from tewb.schedule.loop_text import loop_marks, loops_text, place_text, stage_marks
from tewb.schedule.primitives.storage_align import aligned_strides, elements_spanned
from tewb.schedule.primitives.tensorize import not_plain, tensorized
from tewb.schedule.questions import inside
from tewb.schedule.recompute import recompute_factor
from tewb.schedule.relation import (
    LARGEST_FACTOR,
    Extents,
    Fuse,
    Split,
    divides,
    full,
    index_up,
    intervals_up,
    shifted,
)
from tewb.schedule.result_cache import ResultCache
from tewb.schedule.schedule import Schedule, create_schedule
from tewb.schedule.stage import INLINE, At, Stage
from tewb.schedule.tensor_match import Mismatch, TensorMatch, TensorPart, tensor_match
from tewb.schedule.vector_reduction import lane_loop, lane_shape, loops_of_elements

del _primitives

__all__ = [
    "INLINE", "PRIMITIVES", "At", "Fuse", "Param", "Primitive", "ResultCache", "Schedule", "Split", "Stage", "Step",
    "create_schedule", "loop_marks", "loop_of", "loops_text", "place_text", "stage_marks", "steps_of",
"Mismatch", "TensorMatch", "TensorPart", "full", "intervals_up", "not_plain", "shifted", "tensor_match", "tensorized",
"Extents", "LARGEST_FACTOR", "Names", "PrimitiveCall", "REQUIRED", "Refusal", "Repair", "Selection", "aligned_strides", "divides", "elements_spanned", "index_up", "inside", "lane_loop", "lane_shape", "loops_of_elements", "recompute_factor", "schedule_code", "tile_of", "within_guards",
]  # fmt: skip
