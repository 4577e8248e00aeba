"""The classic names of passes and options."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb.base import TewbError
from tewb.base.config import DEFAULTS
from tewb.transform import PassContext, build_config

tvm: Any = tewb


@pytest.mark.parametrize(
    ("flat", "config"),
    [
        ({"auto_unroll_max_step": 16}, {"tir.UnrollLoop.auto_max_step": 16}),
        ({"unroll_explicit": False, "partition_const_loop": True}, {"tir.UnrollLoop.explicit_unroll": False}),
        (
            {
                "data_alignment": 64,
                "offset_factor": 8,
                "double_buffer_split_loop": 2,
                "restricted_func": True,
            },
            {},
        ),
        ({"dump_pass_ir": False, "detect_global_barrier": True, "add_lower_pass": None}, {}),
        ({"add_lower_pass": [(1, print)]}, {"tir.add_lower_pass": ((1, print),)}),
    ],
)
def test_the_flat_options_of_v06(flat: dict[str, Any], config: dict[str, Any]) -> None:
    assert build_config(**flat).config == {**DEFAULTS, **config}


def test_build_config_is_a_block() -> None:
    with tvm.build_config(auto_unroll_max_step=16) as context:
        assert PassContext.current() is context
    assert PassContext.current() is not context
    assert tvm.transform.PassContext is tvm.PassContext is tvm.ir.transform.PassContext


def test_what_build_config_has_not_is_refused() -> None:
    with pytest.raises(
        TewbError, match="no option auto_unroll_max_steps\n  hint: the nearest is auto_unroll_max_step"
    ):
        build_config(auto_unroll_max_steps=1)
    with pytest.raises(TewbError, match="dump_pass_ir writes no files here\n  hint: trace"):
        build_config(dump_pass_ir=True)
