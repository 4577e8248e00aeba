"""Facts about integers: bounds, canonical sums, rewrite rules, proofs, intervals."""

from tewb.arith.analyzer import Analyzer
from tewb.arith.classic import ConstIntBound, ProofStrength
from tewb.arith.detect_linear import detect_linear
from tewb.arith.evaluate import (
    NUMPY_OPERATORS,
    converted,
    evaluate_integers,
    evaluate_number,
    truncated_quotient,
)
from tewb.arith.keys import Key, Keys
from tewb.arith.modular import ModularSet
from tewb.arith.rules import RULES, Rule
from tewb.arith.simplifier import Change, explain_simplify, unlikely
from tewb.arith.statements import simplify_stmt
from tewb.arith.stride import REGISTER, Turn, is_turned, is_wider, row_major, slope, stride, strides_of, turn

__all__ = [
    "Analyzer", "Change", "ConstIntBound", "Key", "Keys", "ModularSet", "NUMPY_OPERATORS", "ProofStrength", "REGISTER", "RULES", "Rule", "Turn", "converted", "detect_linear", "evaluate_integers", "evaluate_number", "explain_simplify", "is_turned", "is_wider", "row_major", "simplify_stmt", "slope", "stride", "strides_of",
    "truncated_quotient", "turn", "unlikely",
]  # fmt: skip
