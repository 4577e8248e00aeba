"""Long sequences of loops are cut into functions, and do what they did."""

import re

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import BoundError
from tewb.codegen.split_functions import MANY_LOOPS, SECTION


def chain(n, stages, step=lambda x, i: x[i] + 1):
    A = te.placeholder((n,), "int32", name="A")
    made = [A]
    for _ in range(stages):
        made.append(te.compute((n,), lambda i, x=made[-1]: step(x, i), name="X"))
    return made


def functions(kernel):
    """The loops of each LLVM function."""
    texts = re.findall(r"^define .*?^}", kernel.code.llvm_ir, re.MULTILINE | re.DOTALL)
    return [text.count(" = phi ") for text in texts]


@pytest.mark.slow
@pytest.mark.one_in(2)
@pytest.mark.parametrize("size", [40, te.var("n")])
@pytest.mark.parametrize("debug", [False, True])
def test_a_chain_of_stages_is_cut_and_right(size, debug):
    A, *_, X = chain(size, 2 * MANY_LOOPS)
    kernel = tewb.build(te.create_schedule(X.op), [A, X], debug=debug)
    a = np.arange(40, dtype="int32")
    np.testing.assert_array_equal(kernel(a), a + 2 * MANY_LOOPS)
    assert max(functions(kernel)) <= MANY_LOOPS


def test_few_loops_stay_together():
    A, *_, X = chain(40, SECTION)
    assert max(functions(tewb.build(te.create_schedule(X.op), [A, X]))) >= SECTION


@pytest.mark.slow
def test_sections_inside_of_a_parallel_loop():
    A, *middle, X = chain(1000, 2 * MANY_LOOPS)
    s = te.create_schedule(X.op)
    outer, _ = s[X].split(X.op.axis[0], 64)
    s[X].parallel(outer)
    for stage in reversed(middle):
        s[stage].compute_at(s[X], outer)
    a = np.arange(1000, dtype="int32")
    np.testing.assert_array_equal(tewb.build(s, [A, X])(a), a + 2 * MANY_LOOPS)


@pytest.mark.slow
def test_what_fails_in_a_section_ends_the_kernel():
    """The 100th stage reads where a value of the 99th points; all memory that was taken is given back."""
    n = te.var("n")
    A, *middle = chain(n, 99)
    B = te.compute((n,), lambda i: A[middle[-1][i] - 99], name="B")
    made = [B]
    for _ in range(50):
        made.append(te.compute((n,), lambda i, x=made[-1]: x[i] + 1, name="Y"))
    kernel = tewb.build(te.create_schedule(made[-1].op), [A, made[-1]])
    good = np.arange(9, dtype="int32")[::-1].copy()
    np.testing.assert_array_equal(kernel(good), good[good] + 50)
    good[3] = 9
    with pytest.raises(BoundError, match=r"B reads outside of A"):
        kernel(good)


@pytest.mark.slow
def test_text_of_a_chain_with_symbolic_sizes_grows_with_its_length():
    """Not with its square: what a failure gives back is written once."""
    sizes = []
    for stages in (100, 200):
        A, *_, X = chain(te.var("n"), stages)
        sizes.append(len(tewb.build(te.create_schedule(X.op), [A, X]).code.llvm_ir))
    assert sizes[1] < 2.5 * sizes[0]
