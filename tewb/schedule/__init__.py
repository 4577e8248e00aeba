"""Schedules: how to compute. Stages, the primitives on them, and the journal that records these."""

from tewb.schedule import primitives as _primitives  # declares the primitives
from tewb.schedule.check_schedule import fault_error
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
from tewb.schedule.graph import (
    attach_paths,
    inline_broadcasts,
    inline_elementwise,
    inline_injective,
    operations_in_order,
    read_graph,
)
from tewb.schedule.hybrid_loops import within_guards
from tewb.schedule.journal import Step, steps_of
from tewb.schedule.loop_text import loop_marks, loops_text, place_text, stage_marks
from tewb.schedule.primitives.storage_align import aligned_strides, elements_spanned
from tewb.schedule.questions import Fault, inside
from tewb.schedule.recompute import recompute_factor, repeated
from tewb.schedule.relation import (
    LARGEST_FACTOR,
    Extents,
    Fuse,
    Rebase,
    Relation,
    Singleton,
    Split,
    divides,
    index_up,
    unmixed,
)
from tewb.schedule.result_cache import ResultCache
from tewb.schedule.schedule import Schedule, create_schedule
from tewb.schedule.stage import INLINE, At, IterVarAttr, Stage, StageGroup
from tewb.schedule.vector_reduction import lane_loop, lane_shape, loops_of_elements

del _primitives

__all__ = [
    "INLINE", "PRIMITIVES", "At", "Fuse", "Param", "Primitive", "ResultCache", "Schedule", "Split", "Stage", "Step",
    "create_schedule", "loop_marks", "loop_of", "loops_text", "place_text", "stage_marks", "steps_of",
"Extents", "IterVarAttr", "attach_paths", "inline_broadcasts", "inline_elementwise", "inline_injective", "operations_in_order", "read_graph", "Fault", "LARGEST_FACTOR", "Names", "PrimitiveCall", "REQUIRED", "Rebase", "Refusal", "Relation", "Repair", "Selection", "Singleton", "StageGroup", "aligned_strides", "divides", "elements_spanned", "fault_error", "index_up", "inside", "lane_loop", "lane_shape", "loops_of_elements", "recompute_factor", "repeated", "schedule_code", "tile_of", "unmixed", "within_guards",
]  # fmt: skip
