"""The IR: nodes, smart constructors, intrinsics, walking and rewriting, structural equality, text."""

# First: the constructors need it, and it needs them.
from tewb.base import Array, Map, register_constants

from tewb.ir.operators import Operators  # isort: skip
from tewb.ir import intrinsics, ops
from tewb.ir.axes import AxisKind, CommReducer, IterVar, Range, Reduce
from tewb.ir.axis_values import AxisValues, at_axes
from tewb.ir.bodies import bodies
from tewb.ir.buffers import Buffer, BufferLoad, Producer, ProducerLoad
from tewb.ir.builder import BufferVar, IRBuilder
from tewb.ir.expressions import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    And,
    Binary,
    Broadcast,
    Call,
    Cast,
    Compare,
    Div,
    Expr,
    FloatImm,
    FloorDiv,
    FloorMod,
    IntImm,
    Let,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Ramp,
    Select,
    Shuffle,
    StringImm,
    Sub,
    Var,
)
from tewb.ir.fixed_point import q_multiply_shift, q_multiply_shift_per_axis
from tewb.ir.functions import ExternRegion, IRModule, PrimFunc
from tewb.ir.intrinsics import call_intrin
from tewb.ir.lane_masks import is_contiguous, is_maskable, is_maskable_store, keeps_lanes
from tewb.ir.long_text import is_long, subexpressions_to_name
from tewb.ir.node import Node, node, replace
from tewb.ir.ops import const, const_int, convert, is_const, load
from tewb.ir.origin import Origin
from tewb.ir.parse_expr import ExpressionParser
from tewb.ir.parser import parse
from tewb.ir.provenance import remembering, without_loop
from tewb.ir.script import Line, script, script_lines
from tewb.ir.statements import (
    ALLOCATED,
    GRAIN,
    TIMER,
    Allocate,
    AssertStmt,
    AttrStmt,
    BufferStore,
    DeclBuffer,
    Evaluate,
    For,
    ForKind,
    IfThenElse,
    LetStmt,
    ProducerStore,
    Seq,
    Stmt,
    While,
)
from tewb.ir.structural_equality import (
    assert_structural_equal,
    first_difference,
    is_same_expression,
    structural_equal,
    structural_hash,
)
from tewb.ir.symbolic import compare_identity, element_function
from tewb.ir.threads import (
    REAL,
    barrier,
    is_barrier,
    is_block,
    is_real,
    is_virtual,
    launch,
    launched,
    memory_kind,
    thread_axis,
)
from tewb.ir.walk import (
    LEAVES,
    NOOP,
    Substitution,
    conjuncts,
    disjuncts,
    everywhere,
    free_vars,
    has_nontemporal,
    is_noop,
    rewriter,
    seq,
    shared_subexpressions,
    substitute,
    substitute_each,
    substituter,
    uses,
    visit,
    walk,
    walk_statements,
)

from tewb.ir import verify  # isort: skip

__all__ = [
    "Add", "Allocate", "ALLOCATED", "And", "Array", "assert_structural_equal", "AssertStmt", "at_axes", "AttrStmt",
    "AxisKind", "AxisValues", "barrier", "Binary", "bodies", "Broadcast", "Buffer", "BufferLoad", "BufferStore", "BufferVar",
    "Call", "call_intrin", "Cast", "CommReducer", "Compare", "compare_identity", "conjuncts", "const", "const_int", "convert",
    "DeclBuffer", "disjuncts", "Div", "element_function", "EQ", "Evaluate", "everywhere", "Expr", "ExpressionParser", "ExternRegion",
    "first_difference", "FloatImm", "FloorDiv", "FloorMod", "For", "ForKind", "free_vars", "GE", "GRAIN", "GT",
    "has_nontemporal", "IfThenElse", "IntImm", "intrinsics", "IRBuilder", "IRModule", "is_barrier", "is_block",
    "is_const", "is_contiguous", "is_long", "is_maskable", "is_maskable_store", "is_noop", "is_real", "is_same_expression", "is_virtual",
    "IterVar", "keeps_lanes", "launch", "launched", "LE", "LEAVES", "Let", "LetStmt", "Line", "load", "LT", "Map",
    "Max", "memory_kind", "Min", "Mod", "Mul", "NE", "Node", "node", "NOOP", "Not", "Operators", "ops", "Or", "Origin", "parse",
    "PrimFunc", "Producer", "ProducerLoad", "ProducerStore", "Ramp", "q_multiply_shift", "q_multiply_shift_per_axis", "Range", "REAL", "Reduce", "remembering",
    "replace", "rewriter", "script", "script_lines", "Select", "Seq", "seq", "shared_subexpressions", "Shuffle",
    "Stmt", "StringImm", "structural_equal", "structural_hash", "Sub", "subexpressions_to_name", "substitute",
    "substitute_each", "substituter", "Substitution", "thread_axis", "TIMER", "uses", "Var", "verify", "visit", "walk", "walk_statements", "While", "without_loop",
]  # fmt: skip

register_constants(convert)
