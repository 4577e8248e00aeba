"""The page of operators is as they are declared, and every public name says what it gives."""

from __future__ import annotations

import inspect
import runpy
from types import ModuleType

import pytest

from tests.markdown import ROOT
from tewb import topi

DOCS = ROOT / "docs"


def test_the_page_has_every_function_as_it_is() -> None:
    write_topi = runpy.run_path(str(DOCS / "write_topi.py"))
    assert (DOCS / "topi.md").read_text() == write_topi["page"](), "write it anew: python docs/write_topi.py"


@pytest.mark.parametrize(
    "module", [topi, topi.nn, topi.image, topi.vision, topi.x86, topi.generic, topi.testing]
)
def test_public_names_exist_and_say_what_they_give(module: ModuleType) -> None:
    for name in module.__all__:
        value = getattr(module, name)
        assert inspect.ismodule(value) or (value.__doc__ or "").strip(), name
    assert list(module.__all__) == sorted(set(module.__all__))


# Those that programs of the time used, from a survey of public programs.
CLASSIC = {
    topi: """
        add cast exp multiply sqrt sum cos cumprod cumsum divide elemwise_sum erf full greater_equal log rsqrt sigmoid sin
        strided_slice subtract tan tanh utils where abs adv_index all any arange argmax argmin atan bitwise_and bitwise_not
        bitwise_or bitwise_xor broadcast_to ceil clip concatenate einsum equal expand_dims expand_like fast_erf fast_exp
        fast_tanh flip floor floor_divide floor_mod full_like gather gather_nd greater isfinite isinf isnan layout_transform
        left_shift less less_equal logical_and logical_not logical_or logical_xor matmul max maximum min minimum mod
        ndarray_size not_equal power reinterpret repeat reshape reverse_sequence right_shift round sequence_mask shape sign
        sparse_to_dense split squeeze stack strided_set take tensordot tile transpose trunc unravel_index prod
    """,
    topi.nn: """
        relu pool2d lstm pool1d pool3d softmax dense adaptive_pool adaptive_pool3d batch_matmul batch_norm batch_to_space_nd
        conv1d_ncw conv1d_nwc conv2d conv2d_hwcn conv2d_nhwc conv3d_ndhwc depth_to_space dilate global_pool group_conv1d_ncw
        group_conv1d_nwc layer_norm leaky_relu log_softmax lrn matmul nll_loss pool_grad prelu space_to_batch_nd
        space_to_depth upsampling upsampling3d
    """,
    topi.image: "affine_grid crop_and_resize grid_sample resize2d resize3d",
    topi.utils: "get_const_tuple get_const_int get_shape nchw_pack_layout",
    topi.tag: "BROADCAST ELEMWISE",
    topi.vision: "reorg",
    topi.generic: """
        schedule_lstm schedule_pool schedule_adaptive_pool schedule_dense schedule_extern schedule_batch_matmul
        schedule_batch_norm schedule_conv1d_ncw schedule_conv1d_nwc schedule_conv2d_hwcn schedule_conv2d_nhwc
        schedule_conv3d_ndhwc schedule_group_conv1d_ncw schedule_group_conv1d_nwc schedule_injective schedule_lrn
        schedule_pool_grad schedule_reorg schedule_softmax
    """,
    topi.x86: """
        schedule_pool dense_dynamic dense_nopack dense_pack schedule_adaptive_pool schedule_dense_dynamic
        schedule_dense_nopack schedule_dense_pack batch_matmul conv3d_ndhwc schedule_batch_matmul schedule_batch_norm
        schedule_concatenate schedule_conv1d_ncw schedule_conv1d_nwc schedule_conv2d_nhwc schedule_conv3d_ndhwc
        schedule_group_conv1d_ncw schedule_group_conv1d_nwc schedule_softmax
    """,
    topi.testing: """
        get_injective_schedule get_broadcast_schedule dispatch lstm_python dilate_python get_elemwise_schedule
        get_reduce_schedule poolnd_python compare_numpy_tvm conv2d_nhwc_python get_conv2d_nchw_implement resize2d_python
        resize3d_python strided_slice_python adaptive_pool affine_grid_python batch_matmul batch_norm
        batch_to_space_nd_python conv1d_ncw_python conv2d_nchw_python conv3d_ndhwc_python crop_and_resize_python
        depth_to_space_python gather_nd_python gather_python grid_sample_python group_conv1d_ncw_python layer_norm_python
        log_softmax_python lrn_python matrix_set_diag nll_loss one_hot pool_grad_nchw reorg_python sequence_mask
        softmax_python space_to_batch_nd_python space_to_depth_python strided_set_python
    """,
}  # fmt: skip


@pytest.mark.parametrize("module", CLASSIC)
def test_the_names_that_programs_used_are_there(module: ModuleType) -> None:
    assert not [name for name in CLASSIC[module].split() if not hasattr(module, name)]


def test_old_module_paths() -> None:
    from tewb.topi.nn.pooling import pool2d
    from tewb.topi.tag import ELEMWISE
    from tewb.topi.transform import matrix_set_diag, one_hot, trilu

    assert pool2d is topi.nn.pool2d and ELEMWISE == "elemwise"
    assert (matrix_set_diag, one_hot, trilu) == (topi.matrix_set_diag, topi.one_hot, topi.trilu)
