"""Numbers become constants as ir says."""

from tewb.base import constant
from tewb.ir import FloatImm, IntImm


def test_numbers_become_constants() -> None:
    assert isinstance(constant(3), IntImm)
    assert constant(3).dtype == "int32"
    assert isinstance(constant(0.5), FloatImm)
    assert constant(0.5).dtype == "float32"
