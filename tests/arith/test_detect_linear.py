"""An index as coefficients of variables, and the rest."""

from __future__ import annotations

import pytest

from tewb.arith import detect_linear
from tewb.base import INT32, DType
from tewb.ir import Buffer, Expr, Var, const, load, ops, script, structural_equal

io, f, m, v = (Var(name, INT32) for name in ("io", "f", "m", "v"))


def parts(e: Expr, *variables: Var) -> tuple[dict[str, str], str] | None:
    found = detect_linear(e, variables)
    return None if found is None else ({x.name: script(c) for x, c in found[0].items()}, script(found[1]))


def test_detect_linear_takes_an_index_apart() -> None:
    found = detect_linear(io * 4 + f * m - 3, [io, f])
    assert found is not None
    coefficients, rest = found
    assert structural_equal(coefficients[io], const(4))
    assert structural_equal(coefficients[f], m)
    assert structural_equal(rest, const(-3))
    assert detect_linear(io * f, [io, f]) is None


def test_variables_that_do_not_occur_have_no_coefficient() -> None:
    assert parts(io + 3, io, f) == ({"io": "1"}, "3")
    assert parts(const(7), io) == ({}, "7")
    assert parts(io - io + m, io) == ({}, "m")


def test_coefficients_add_up_whatever_the_brackets() -> None:
    assert parts((io * 2 + m) * 3 - io, io) == ({"io": "5"}, "3 * m")
    assert parts(io * m + io * 4, io) == ({"io": "m + 4"}, "0")


def test_a_variable_inside_of_something_else_is_not_linear() -> None:
    data = Buffer("data", INT32, (const(9),))
    for e in (io * io, io * f, io // 2, ops.minimum(io, 3), load(data, (io,)), (io % 4) * m, f + io // m):
        assert parts(e, io, f) is None, script(e)
    assert parts(f // 2 + io, io) == ({"io": "1"}, "f // 2")


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint32", "uint64"])
def test_what_is_no_index_is_not_taken_apart(dtype: str) -> None:
    x = Var("x", DType(dtype))
    assert detect_linear(ops.add(x, const(1, dtype)), [x]) is None


def test_numbers_that_do_not_fit_are_not_taken_apart() -> None:
    e = io * (2**20) * (2**10)
    assert parts(e, io) == ({"io": "1073741824"}, "0")
    assert parts(e * 4, io) is None
    wide = Var("w", DType("int64"))
    assert detect_linear(wide * (1 << 33), [wide]) is not None
