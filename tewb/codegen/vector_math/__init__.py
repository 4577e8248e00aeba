"""Vector math as polynomials in LLVM IR: the same code for scalars and for vectors of any width.

Each function takes the instructions to add to, a dtype (float32 or float64, any number of lanes) and its
arguments. `exact` functions of the C library are for the few arguments that polynomials do not reach.
"""

from tewb.codegen.vector_math.erf import erf
from tewb.codegen.vector_math.exp import exp, sigmoid, tanh
from tewb.codegen.vector_math.log import log
from tewb.codegen.vector_math.power import power
from tewb.codegen.vector_math.sine import cosine, sine

__all__ = ["cosine", "erf", "exp", "log", "power", "sigmoid", "sine", "tanh"]
