"""`topi.generic`: schedules of any target, by the classic names."""

from tewb.topi.generic.schedules import (
    schedule_default,
    schedule_extern,
    schedule_injective,
    schedule_injective_from_existing,
)

schedule_elemwise = schedule_broadcast = schedule_concatenate = schedule_injective

# The work of these is done by reductions or in stages of their own.
schedule_adaptive_pool = schedule_batch_matmul = schedule_batch_norm = schedule_conv1d_ncw = schedule_default
schedule_conv1d_nwc = schedule_conv1d_transpose_ncw = schedule_conv2d_hwcn = schedule_conv2d_nchw = (
    schedule_default
)
schedule_conv2d_nhwc = schedule_conv2d_NCHWc = schedule_conv2d_transpose_nchw = schedule_default
schedule_conv3d_ncdhw = schedule_conv3d_ndhwc = schedule_conv3d_transpose_ncdhw = schedule_dense = (
    schedule_default
)
schedule_depthwise_conv2d_nchw = schedule_depthwise_conv2d_nhwc = schedule_depthwise_conv2d_NCHWc = (
    schedule_default
)
schedule_einsum = schedule_fast_softmax = schedule_group_conv1d_ncw = schedule_group_conv1d_nwc = (
    schedule_default
)
schedule_group_conv2d_nchw = schedule_group_conv2d_nhwc = schedule_group_norm = schedule_instance_norm = (
    schedule_default
)
schedule_l2_normalize = schedule_layer_norm = schedule_lrn = schedule_lstm = schedule_matmul = (
    schedule_default
)
schedule_pool = schedule_pool_grad = schedule_reduce = schedule_reorg = schedule_rms_norm = schedule_default
schedule_softmax = schedule_default

schedule_argsort = schedule_scan = schedule_sort = schedule_topk = schedule_extern

__all__ = [
    "schedule_adaptive_pool", "schedule_argsort", "schedule_batch_matmul", "schedule_batch_norm", "schedule_broadcast",
    "schedule_concatenate", "schedule_conv1d_ncw", "schedule_conv1d_nwc", "schedule_conv1d_transpose_ncw",
    "schedule_conv2d_NCHWc", "schedule_conv2d_hwcn", "schedule_conv2d_nchw", "schedule_conv2d_nhwc",
    "schedule_conv2d_transpose_nchw", "schedule_conv3d_ncdhw", "schedule_conv3d_ndhwc",
    "schedule_conv3d_transpose_ncdhw", "schedule_default", "schedule_dense", "schedule_depthwise_conv2d_NCHWc",
    "schedule_depthwise_conv2d_nchw", "schedule_depthwise_conv2d_nhwc", "schedule_einsum", "schedule_elemwise",
    "schedule_extern", "schedule_fast_softmax", "schedule_group_conv1d_ncw", "schedule_group_conv1d_nwc",
    "schedule_group_conv2d_nchw", "schedule_group_conv2d_nhwc", "schedule_group_norm", "schedule_injective",
    "schedule_injective_from_existing", "schedule_instance_norm", "schedule_l2_normalize", "schedule_layer_norm",
    "schedule_lrn", "schedule_lstm", "schedule_matmul", "schedule_pool", "schedule_pool_grad", "schedule_reduce",
    "schedule_reorg", "schedule_rms_norm", "schedule_scan", "schedule_softmax", "schedule_sort", "schedule_topk",
]  # fmt: skip
