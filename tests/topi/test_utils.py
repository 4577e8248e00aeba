"""Small tools for programs that use topi."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tewb import te, topi
from tewb.base import ShapeError
from tewb.topi import utils

n = te.var("n")


def test_constants_of_shapes() -> None:
    A = te.placeholder((3, n, 5), name="A")
    assert utils.get_const_tuple(A.shape)[::2] == (3, 5) and utils.get_const_tuple(A.shape)[1] is n
    assert utils.get_const_int(te.const(2) + 3) == 5 and utils.equal_const_int(A.shape[0], 3)
    assert utils.get_float_tuple([te.const(0.5), 2]) == (0.5, 2.0)
    assert (
        utils.get_const_int(utils.prod([3, te.const(4)])) == 12 and utils.get_const_int(utils.prod([])) == 1
    )
    assert utils.simplify(7) == 7 and utils.get_const_int(utils.simplify(n - n)) == 0
    assert utils.is_empty_shape((3, 0)) and not utils.is_empty_shape((3, n))


def test_flat_indices() -> None:
    assert utils.ravel_index((1, 2, 3), (4, 5, 6)) == 45
    assert [utils.get_const_int(i) for i in utils.unravel_index(45, (4, 5, 6))] == [1, 2, 3]


def test_layout_words() -> None:
    assert utils.nchw_pack_layout("NCHW1n16c") and not utils.nchw_pack_layout("NCHW16c")
    assert utils.nchw_xc_layout("NCHW16c") and not utils.nchw_xc_layout("NCHW")
    assert utils.get_shape((1, 2, 3, 4), "NCHW", "NHWC") == (1, 3, 4, 2)
    assert utils.get_max_power2_factor(48) == 16 and utils.get_max_power2_factor(48, 8) == 8


def test_constant_tensors() -> None:
    v, m = utils.const_vector([3, 1, 2]), utils.const_matrix(np.array([[1.0, 0.5], [2, 4]], "float32"))
    got = tewb.build(te.create_schedule([v.op, m.op]), [v, m])()
    np.testing.assert_array_equal(got[0], [3, 1, 2])
    np.testing.assert_array_equal(got[1], [[1, 0.5], [2, 4]])


def test_injective_operations_are_inlined() -> None:
    A = te.placeholder((3, 4), name="A")
    B = topi.sum(topi.exp(topi.add(A, A)), axis=1)
    C = topi.sqrt(B)
    s, met = te.create_schedule(C.op), []
    utils.traverse_inline(s, C.op, lambda op: met.append(op.name))
    assert met == ["T_exp_red", "T_sqrt"]
    utils.traverse_inline(s, B.op.input_tensors[0].op, lambda op: met.append(op.name))
    assert met[2:] == ["T_add", "T_exp"] and "T_add = " not in str(tewb.lower(s, [A, C]))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: utils.get_const_int(n), "n is not a constant integer"),
        (lambda: utils.get_const_float(te.var("x", "float32")), "x is not a constant float"),
        (lambda: utils.const_vector([[1]]), "2 dimensions of 1 numbers, not 1"),
        (lambda: utils.get_shape((1, 2), "NC", "NH"), "do not have the same dimensions"),
    ],
)
def test_misuse(ask, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ShapeError, match=message) as raised:
        ask()
    assert raised.value.hint


def test_division_upwards_and_exchanged_items() -> None:
    n = te.var("n")
    assert utils.get_const_int(utils.ceil_div(7, 3)) == 3 and "n" in str(utils.ceil_div(n, 4))
    assert utils.swap([1, 2, 3], 0) == [3, 2, 1]
