"""`topi.generic`: schedules by the classic names. Classic programs called these inside of `with target:`, and got the schedules of
the target; there is one here, the processor, whose fast schedules these are (`topi.x86`)."""

from __future__ import annotations

from typing import Any

from tewb.schedule import Schedule
from tewb.topi.generic.schedules import schedule_default, schedule_extern, schedule_injective_from_existing


def _of_the_processor(name: str) -> Any:
    """The schedule of topi.x86 that has this name. It is looked up at use: that package stands on this one."""

    def schedule(outs: Any, *layout: Any) -> Schedule:
        from tewb.topi import x86

        made: Schedule = getattr(x86, name)(outs)
        return made

    schedule.__name__ = schedule.__qualname__ = name
    schedule.__doc__ = f"`topi.x86.{name}`; further arguments, such as a layout, say nothing here."
    return schedule


schedule_adaptive_pool = _of_the_processor("schedule_adaptive_pool")
schedule_batch_matmul = _of_the_processor("schedule_batch_matmul")
schedule_batch_norm = _of_the_processor("schedule_batch_norm")
schedule_concatenate = _of_the_processor("schedule_concatenate")
schedule_conv1d_ncw = _of_the_processor("schedule_conv1d_ncw")
schedule_conv1d_nwc = _of_the_processor("schedule_conv1d_nwc")
schedule_conv1d_transpose_ncw = _of_the_processor("schedule_conv1d_transpose_ncw")
schedule_conv2d_hwcn = _of_the_processor("schedule_conv2d_hwcn")
schedule_conv2d_nchw = _of_the_processor("schedule_conv2d_nchw")
schedule_conv2d_nhwc = _of_the_processor("schedule_conv2d_nhwc")
schedule_conv2d_NCHWc = _of_the_processor("schedule_conv2d_NCHWc")
schedule_conv2d_transpose_nchw = _of_the_processor("schedule_conv2d_transpose_nchw")
schedule_conv3d_ncdhw = _of_the_processor("schedule_conv3d_ncdhw")
schedule_conv3d_ndhwc = _of_the_processor("schedule_conv3d_ndhwc")
schedule_conv3d_transpose_ncdhw = _of_the_processor("schedule_conv3d_transpose_ncdhw")
schedule_dense = _of_the_processor("schedule_dense")
schedule_depthwise_conv2d_nchw = _of_the_processor("schedule_depthwise_conv2d_nchw")
schedule_depthwise_conv2d_nhwc = _of_the_processor("schedule_depthwise_conv2d_nhwc")
schedule_depthwise_conv2d_NCHWc = _of_the_processor("schedule_depthwise_conv2d_NCHWc")
schedule_einsum = _of_the_processor("schedule_einsum")
schedule_fast_softmax = _of_the_processor("schedule_fast_softmax")
schedule_group_conv1d_ncw = _of_the_processor("schedule_group_conv1d_ncw")
schedule_group_conv1d_nwc = _of_the_processor("schedule_group_conv1d_nwc")
schedule_group_conv2d_nchw = _of_the_processor("schedule_group_conv2d_nchw")
schedule_group_conv2d_nhwc = _of_the_processor("schedule_group_conv2d_nhwc")
schedule_group_norm = _of_the_processor("schedule_group_norm")
schedule_injective = _of_the_processor("schedule_injective")
schedule_instance_norm = _of_the_processor("schedule_instance_norm")
schedule_l2_normalize = _of_the_processor("schedule_l2_normalize")
schedule_layer_norm = _of_the_processor("schedule_layer_norm")
schedule_lrn = _of_the_processor("schedule_lrn")
schedule_lstm = _of_the_processor("schedule_lstm")
schedule_matmul = _of_the_processor("schedule_matmul")
schedule_pool = _of_the_processor("schedule_pool")
schedule_pool_grad = _of_the_processor("schedule_pool_grad")
schedule_reduce = _of_the_processor("schedule_reduce")
schedule_reorg = _of_the_processor("schedule_reorg")
schedule_rms_norm = _of_the_processor("schedule_rms_norm")
schedule_softmax = _of_the_processor("schedule_softmax")

schedule_elemwise = schedule_broadcast = schedule_injective
schedule_deformable_conv2d_nchw = schedule_deformable_conv2d_nhwc = schedule_conv2d_nchw
schedule_conv2d_winograd_nchw = schedule_conv2d_nchw
schedule_conv2d_winograd_nhwc = schedule_conv2d_nhwc
schedule_correlation_nchw = schedule_dilation2d_nchw = schedule_dilation2d_nhwc = schedule_pool
schedule_roi_align = schedule_roi_pool = schedule_sparse_dense = schedule_adaptive_pool
schedule_binarize_pack = schedule_fifo_buffer = schedule_injective
schedule_binary_dense = schedule_csrmm = schedule_csrmv = schedule_reduce

# The work of these is done by externs, whose loops are their own.
schedule_argsort = schedule_argwhere = schedule_get_valid_counts = schedule_nms = schedule_extern
schedule_scan = schedule_scatter = schedule_scatter_add = schedule_scatter_nd = schedule_searchsorted = (
    schedule_extern
)
schedule_sort = schedule_sparse_transpose = schedule_topk = schedule_unique = schedule_extern

__all__ = [
    "schedule_adaptive_pool", "schedule_argsort", "schedule_argwhere", "schedule_batch_matmul",
    "schedule_batch_norm", "schedule_binarize_pack", "schedule_binary_dense", "schedule_broadcast",
    "schedule_concatenate", "schedule_conv1d_ncw", "schedule_conv1d_nwc", "schedule_conv1d_transpose_ncw",
    "schedule_conv2d_NCHWc", "schedule_conv2d_hwcn", "schedule_conv2d_nchw", "schedule_conv2d_nhwc",
    "schedule_conv2d_transpose_nchw", "schedule_conv2d_winograd_nchw", "schedule_conv2d_winograd_nhwc",
    "schedule_conv3d_ncdhw", "schedule_conv3d_ndhwc", "schedule_conv3d_transpose_ncdhw",
    "schedule_correlation_nchw", "schedule_csrmm", "schedule_csrmv", "schedule_default",
    "schedule_deformable_conv2d_nchw", "schedule_deformable_conv2d_nhwc", "schedule_dense",
    "schedule_depthwise_conv2d_NCHWc", "schedule_depthwise_conv2d_nchw", "schedule_depthwise_conv2d_nhwc",
    "schedule_dilation2d_nchw", "schedule_dilation2d_nhwc", "schedule_einsum", "schedule_elemwise",
    "schedule_extern", "schedule_fast_softmax", "schedule_fifo_buffer", "schedule_get_valid_counts",
    "schedule_group_conv1d_ncw", "schedule_group_conv1d_nwc", "schedule_group_conv2d_nchw",
    "schedule_group_conv2d_nhwc", "schedule_group_norm", "schedule_injective", "schedule_injective_from_existing",
    "schedule_instance_norm", "schedule_l2_normalize", "schedule_layer_norm", "schedule_lrn", "schedule_lstm",
    "schedule_matmul", "schedule_nms", "schedule_pool", "schedule_pool_grad", "schedule_reduce", "schedule_reorg",
    "schedule_rms_norm", "schedule_roi_align", "schedule_roi_pool", "schedule_scan", "schedule_scatter",
    "schedule_scatter_add", "schedule_scatter_nd", "schedule_searchsorted", "schedule_softmax", "schedule_sort",
    "schedule_sparse_dense", "schedule_sparse_transpose", "schedule_topk", "schedule_unique",
]  # fmt: skip
