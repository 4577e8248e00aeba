"""Vector math as polynomials in LLVM IR: the same code for scalars and for vectors of any width.

Each function takes the instructions to add to, a dtype (float32 or float64, any number of lanes) and its
arguments. `exact` functions of the C library handle the few arguments outside of the range of polynomials.
"""

from tewb.codegen.vector_math.arc import acos, asin, atan, atan2
from tewb.codegen.vector_math.erf import erf
from tewb.codegen.vector_math.exp import cosh, exp, exp2, sigmoid, sinh, tanh
from tewb.codegen.vector_math.log import log, log1p, log2, log10
from tewb.codegen.vector_math.power import power
from tewb.codegen.vector_math.sine import cosine, sine, tangent

__all__ = [
    "acos", "asin", "atan", "atan2", "cosh", "cosine", "erf", "exp", "exp2", "log", "log10", "log1p", "log2", "power",
    "sigmoid", "sine", "sinh", "tangent", "tanh",
]  # fmt: skip
