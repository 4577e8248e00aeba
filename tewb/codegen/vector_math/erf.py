"""erf: x + x*p(x*x) up to 1, and 1 - exp(-q(x)) with q = -log(erfc) above.

The coefficients come from tests/codegen/fit_polynomials.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.vector_math.build import Math
from tewb.codegen.vector_math.exp import scaled_exp

SMALL = {
    32: (
        0.12837916612625122,
        -0.3761262595653534,
        0.11283578723669052,
        -0.026853347197175026,
        0.005187163595110178,
        -0.000799788860604167,
        7.807106885593385e-05,
    ),
    64: (
        0.12837916709551256,
        -0.3761263890318331,
        0.1128379167093527,
        -0.02686617064166354,
        0.0052239775941528965,
        -0.0008548325355079833,
        0.0001205527645132571,
        -1.4924385103887979e-05,
        1.6443123834564752e-06,
        -1.617588401727801e-07,
        1.358060530098324e-08,
        -7.538566042922278e-10,
    ),
}
LARGE = {
    32: (
        0.00034162861993536353,
        1.1270887851715088,
        0.6381454467773438,
        0.10310628265142441,
        -0.0218378696590662,
        0.002947617555037141,
        -0.00018637564789969474,
    ),
    64: (
        1.063486126355408e-06,
        1.1283687131170965,
        0.6366675751321202,
        0.10263765856098511,
        -0.018865398318083194,
        -0.0005840491798326835,
        0.0020987657907453583,
        -0.0009199420414675678,
        0.00023065150320166917,
        -2.8001743401513283e-05,
        -3.6090740375095895e-06,
        2.672386829950095e-06,
        -6.876203924882942e-07,
        1.0820060031792783e-07,
        -1.0901221796623714e-08,
        6.516798936727762e-10,
        -1.7700291735832978e-11,
    ),
}
# erf is 1 to the last digit from here on.
END = {32: 4.0, 64: 6.0}


def erf(f: Function, d: DType, args: Sequence[str]) -> str:
    """erf(x), at most 2 ulp; the sign is x's, that of zero too."""
    m = Math(f, d)
    (x,) = args
    size = m.call("fabs", x)
    small = m.fma(size, m.poly(m.mul(x, x), SMALL[d.bits]), size)
    far = m.at_most(size, END[d.bits])
    large = m.sub(m.number(1.0), scaled_exp(m, m.neg(m.poly(far, LARGE[d.bits]))))
    return m.call("copysign", m.select(m.compare("olt", size, 1.0), small, large), x)
