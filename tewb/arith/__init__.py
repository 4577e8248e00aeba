"""Facts about integers: bounds, canonical sums, rewrite rules, proofs, intervals."""

from tewb.arith.analyzer import Analyzer
from tewb.arith.detect_linear import detect_linear
from tewb.arith.evaluate import NUMPY_OPERATORS, evaluate_integers
from tewb.arith.statements import simplify_stmt

__all__ = ["NUMPY_OPERATORS", "Analyzer", "detect_linear", "evaluate_integers", "simplify_stmt"]
