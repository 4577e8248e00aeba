"""The IR: nodes, smart constructors, intrinsics, walking and rewriting, structural equality, text."""

# First: the constructors need it, and it needs them.
from tewb.ir.operators import Operators  # isort: skip
from tewb.ir import intrinsics, ops
from tewb.ir.axes import AxisKind, CommReducer, IterVar, Range, Reduce
from tewb.ir.axis_values import AxisValues, at_axes
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
from tewb.ir.structural_equality import first_difference, structural_equal
from tewb.ir.threads import (
    REAL,
    barrier,
    is_barrier,
    is_block,
    is_real,
    is_virtual,
    launch,
    launched,
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
    substituter,
    uses,
    visit,
    walk,
)

from tewb.ir import verify  # isort: skip

__all__ = [
    "ALLOCATED", "EQ", "GE", "GT", "LE", "LT", "NE", "NOOP", "Add", "Allocate", "And", "AssertStmt", "AttrStmt", "AxisKind", "AxisValues",
    "Binary", "Broadcast", "Buffer", "BufferLoad", "BufferStore", "BufferVar", "Call", "Cast", "CommReducer", "Compare",
    "DeclBuffer", "Div", "Evaluate", "Expr", "ExpressionParser", "ExternRegion", "FloatImm", "FloorDiv", "FloorMod", "For", "ForKind",
    "IRBuilder", "IRModule", "IfThenElse", "IntImm", "IterVar", "LEAVES", "Let", "LetStmt", "Line", "Max", "Min", "Mod", "Mul", "Node",
    "Not", "Operators", "Or", "Origin", "PrimFunc", "Producer", "ProducerLoad", "ProducerStore", "REAL", "Ramp", "Range",
    "Reduce", "Select", "Seq", "Stmt", "StringImm", "Sub", "Substitution", "Var", "While", "at_axes", "barrier", "call_intrin", "conjuncts", "const", "const_int", "convert", "disjuncts", "everywhere", "first_difference", "free_vars", "has_nontemporal", "intrinsics", "is_barrier", "is_block", "is_const", "is_contiguous", "is_long", "is_maskable", "is_maskable_store", "is_noop", "is_real", "is_virtual", "keeps_lanes", "launch", "launched", "load", "node", "ops", "parse", "subexpressions_to_name", "replace", "Shuffle",
    "rewriter", "script", "script_lines", "seq", "shared_subexpressions", "structural_equal", "substitute", "substituter", "thread_axis", "uses", "verify", "visit", "walk",
    "remembering", "without_loop",
]  # fmt: skip
