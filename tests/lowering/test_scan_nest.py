"""The loop over time: where the stages of a scan are computed, and which memory they use."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.scan_programs import cumulative_sum, random
from tewb import te
from tewb.base import TewbError


def test_steps_write_rows_of_the_scan() -> None:
    X, _, init, update, res = cumulative_sum(4, 8)
    s = te.create_schedule(res.op)
    s[init].vectorize(init.op.axis[1])
    s[update].vectorize(update.op.axis[1])
    text = str(tewb.lower(s, [X, res]))
    assert text.splitlines()[-3:] == [
        "        res[0, 0:8] = X[0, 0:8]",
        "        for res.idx in range(3):",
        "            res[res.idx + 1, 0:8] = res[res.idx, 0:8] + X[res.idx + 1, 0:8]",
    ]


def test_no_room_for_the_first_steps_is_told_at_the_call() -> None:
    X, _, _, _, res = cumulative_sum(te.var("m"), 6)
    kernel = tewb.build(te.create_schedule(res.op), [X, res])
    with pytest.raises(TewbError, match="scan res begins with 1 steps"):
        kernel(np.zeros((0, 6), "float32"), np.zeros((0, 6), "float32"))


def test_part_of_a_scan_is_computed_in_a_loop_of_its_reader() -> None:
    m, n = 5, 10
    X, _, _, update, res = cumulative_sum(m, n)
    out = te.compute((n,), lambda i: res[m - 1, i] * 2.0, name="out")
    s = te.create_schedule(out.op)
    outer, _ = s[out].split(out.op.axis[0], factor=4)
    s[out].parallel(outer)
    s[res].compute_at(s[out], outer)
    s[update].vectorize(update.op.axis[1])
    text = str(tewb.lower(s, [X, out]))
    assert "(5, 4)" in text  # only four columns of it are kept
    x = random(m, n)
    result = np.zeros(n, "float32")
    tewb.build(s, [X, out])(x, result)
    np.testing.assert_allclose(result, 2 * x.sum(0), rtol=1e-5, atol=1e-5)
