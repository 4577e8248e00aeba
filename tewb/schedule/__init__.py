"""Schedules: how to compute. Stages, the primitives on them, and the journal that records these."""

from tewb.schedule import primitives as _primitives  # declares the primitives
from tewb.schedule.check_schedule import fault_error
from tewb.schedule.code import JournalWriter, Names, schedule_code, step_code, written_lines
from tewb.schedule.conditions import read_call_condition
from tewb.schedule.coverage import computes_all
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
    read_argument,
)
from tewb.schedule.extern_tiles import tile_of
from tewb.schedule.graph import (
    attach_paths,
    feed_graph,
    inline_broadcasts,
    inline_elementwise,
    inline_injective,
    operations_in_order,
    read_graph,
)
from tewb.schedule.hybrid_loops import within_guards
from tewb.schedule.index_map import AXIS_SEPARATOR
from tewb.schedule.journal import (
    MOST_NESTED,
    RecipeCall,
    Run,
    Step,
    ends_of,
    given_text,
    in_recipe,
    journal_json,
    runs_of,
    same_calls,
    steps_of,
)
from tewb.schedule.loop_text import calls_text, loop_marks, loops_text, place_text, stage_marks
from tewb.schedule.part_sizes import with_part_sizes
from tewb.schedule.places import enclosing
from tewb.schedule.primitives.storage_align import aligned_strides, elements_spanned
from tewb.schedule.primitives.tensorize import not_plain, tail_in_loops, tensorized
from tewb.schedule.questions import Fault, inside
from tewb.schedule.ranges_with_gaps import RangeWithGaps, element_at, elements_of, place_in, steps_in
from tewb.schedule.recipes import RECIPES, Recipe, recipe
from tewb.schedule.recompute import recompute_factor, repeated
from tewb.schedule.relation import (
    LARGEST_FACTOR,
    PREDICATE,
    ROUND_UP,
    SHIFT,
    Extents,
    Fuse,
    Rebase,
    Relation,
    Singleton,
    Split,
    clamped,
    divides,
    first_of,
    full,
    index_up,
    intervals_up,
    needed_guards,
    unmixed,
)
from tewb.schedule.result_cache import ResultCache
from tewb.schedule.rounded_tails import not_padded, rounded_axes, told_by_elements
from tewb.schedule.scans import holder_of, scan_memory, scan_of
from tewb.schedule.schedule import Schedule, create_schedule
from tewb.schedule.shared_loops import (
    in_order,
    joined_stages,
    nest_of,
    nests_in_order,
    runs_in_order,
    shared_pairs,
)
from tewb.schedule.shifted_tails import refused_again, shifted_loops
from tewb.schedule.sliding import Window, loop_name, shapes_in_memory, window_of
from tewb.schedule.stage import INLINE, At, IterVarAttr, LoopList, Stage, StageGroup, With
from tewb.schedule.stage_bounds import StageBounds, makes_whole_parts
from tewb.schedule.stage_guards import is_real, past_edges, values_and_guards
from tewb.schedule.tensor_match import Mismatch, TensorMatch, TensorPart, tensor_match
from tewb.schedule.vector_reduction import lane_loop, lane_shape, loops_of_elements
from tewb.tensor import scan_body as ScanGetBody
from tewb.tensor import scan_fix_points as ScanFixPointAnalysis

del _primitives

__all__ = [
    "aligned_strides", "At", "attach_paths", "AXIS_SEPARATOR", "calls_text", "clamped", "computes_all", "create_schedule", "divides", "element_at",
    "elements_of", "elements_spanned", "enclosing", "ends_of", "Extents", "Fault", "fault_error", "feed_graph", "first_of", "full", "Fuse", "given_text", "holder_of",
    "in_order", "in_recipe", "index_up", "INLINE", "inline_broadcasts", "inline_elementwise", "inline_injective", "inside", "intervals_up",
    "is_real", "IterVarAttr", "joined_stages", "journal_json", "JournalWriter", "lane_loop", "lane_shape", "LARGEST_FACTOR",
    "loop_marks", "loop_name", "loop_of", "LoopList", "loops_of_elements", "loops_text", "makes_whole_parts", "Mismatch", "MOST_NESTED", "Names",
    "needed_guards", "nest_of", "nests_in_order", "not_padded", "not_plain",
    "operations_in_order", "Param", "past_edges", "place_in", "place_text", "PREDICATE", "Primitive", "PrimitiveCall",
    "PRIMITIVES", "RangeWithGaps", "read_argument", "read_call_condition", "read_graph", "Rebase", "Recipe", "recipe", "RecipeCall", "RECIPES",
    "recompute_factor", "Refusal", "refused_again", "Relation", "Repair", "repeated", "REQUIRED", "ResultCache", "Run",
    "ROUND_UP", "rounded_axes", "runs_in_order", "runs_of", "same_calls", "scan_memory", "scan_of", "ScanFixPointAnalysis",
    "ScanGetBody", "Schedule", "schedule_code", "Selection", "shapes_in_memory", "shared_pairs", "SHIFT", "shifted_loops",
    "Singleton", "Split", "Stage", "stage_marks", "StageBounds", "StageGroup", "Step", "step_code", "steps_in", "steps_of", "tail_in_loops",
    "tensor_match", "tensorized", "TensorMatch", "TensorPart", "tile_of", "told_by_elements", "unmixed", "values_and_guards",
    "Window", "window_of", "With", "with_part_sizes",
    "within_guards", "written_lines",
]  # fmt: skip
