"""Schedules of other targets can be looked up, and say at use what tewb does instead."""

from __future__ import annotations

import importlib

import pytest

from tewb import te, topi
from tewb.base import TewbError


def test_tables_of_programs_can_be_made() -> None:
    table = {
        "cuda": topi.cuda.schedule_pool,
        "hls": topi.hls.schedule_pool,
        "gpu": topi.gpu.dense_small_batch,
    }
    with pytest.raises(
        TewbError, match="topi.cuda.schedule_pool: tewb makes code for processors only"
    ) as raised:
        table["cuda"](te.placeholder((3,)))
    assert "topi.x86.schedule_pool" in str(raised.value)
    assert (
        importlib.import_module("tewb.topi.mali").conv2d_nchw_spatial_pack.__name__
        == "conv2d_nchw_spatial_pack"
    )


def test_other_processors_have_the_schedules_of_this_one() -> None:
    assert topi.arm_cpu.schedule_concatenate is topi.x86.schedule_concatenate
    assert topi.arm_cpu.conv2d_nchw_spatial_pack is topi.nn.conv2d_nchw
    with pytest.raises(AttributeError, match="has no attribute 'schedule_everything'"):
        _ = topi.arm_cpu.schedule_everything
