"""Facts about integers: bounds, canonical sums, rewrite rules, proofs, intervals."""

from tewb.arith.analyzer import Analyzer
from tewb.arith.detect_linear import detect_linear
from tewb.arith.evaluate import NUMPY_OPERATORS, evaluate_integers
from tewb.arith.keys import Key, Keys
from tewb.arith.statements import simplify_stmt

__all__ = [
    "NUMPY_OPERATORS",
    "Analyzer",
    "Key",
    "Keys",
    "detect_linear",
    "evaluate_integers",
    "simplify_stmt",
]
