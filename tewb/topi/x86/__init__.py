"""`topi.x86`: the fast schedules, and operators as they stand in `topi.nn`.

They are made for vectors and threads, and for processors of other kinds as well: widths and numbers of registers are those of
the machine.
"""

from tewb.topi.generic import schedule_argsort, schedule_extern, schedule_scan, schedule_sort, schedule_topk
from tewb.topi.nn import (
    conv1d_ncw,
    conv1d_nwc,
    conv2d_nchw,
    conv2d_NCHWc,
    conv2d_nhwc,
    conv2d_transpose_nchw,
    conv3d_ncdhw,
    conv3d_ndhwc,
    depthwise_conv2d_nchw,
    depthwise_conv2d_NCHWc,
    group_conv1d_ncw,
    group_conv1d_nwc,
    group_conv2d_nchw,
)
from tewb.topi.x86.conv import (
    schedule_conv1d_ncw,
    schedule_conv1d_nwc,
    schedule_conv1d_transpose_ncw,
    schedule_conv2d_hwcn,
    schedule_conv2d_nchw,
    schedule_conv2d_NCHWc,
    schedule_conv2d_nhwc,
    schedule_conv2d_transpose_nchw,
    schedule_conv3d_ncdhw,
    schedule_conv3d_ndhwc,
    schedule_conv3d_transpose_ncdhw,
    schedule_depthwise_conv2d_nchw,
    schedule_depthwise_conv2d_NCHWc,
    schedule_depthwise_conv2d_nhwc,
    schedule_group_conv1d_ncw,
    schedule_group_conv1d_nwc,
    schedule_group_conv2d_nchw,
    schedule_group_conv2d_nhwc,
)
from tewb.topi.x86.injective import (
    schedule_broadcast,
    schedule_concatenate,
    schedule_elemwise,
    schedule_injective,
    schedule_injective_from_existing,
    schedule_reorg,
)
from tewb.topi.x86.matmul import (
    batch_matmul,
    dense_dynamic,
    dense_nopack,
    dense_pack,
    schedule_batch_matmul,
    schedule_dense,
    schedule_dense_dynamic,
    schedule_dense_nopack,
    schedule_dense_pack,
    schedule_einsum,
    schedule_lstm,
    schedule_matmul,
)
from tewb.topi.x86.pooling import schedule_adaptive_pool, schedule_lrn, schedule_pool, schedule_pool_grad
from tewb.topi.x86.reduction import (
    schedule_batch_norm,
    schedule_fast_softmax,
    schedule_group_norm,
    schedule_instance_norm,
    schedule_l2_normalize,
    schedule_layer_norm,
    schedule_reduce,
    schedule_rms_norm,
    schedule_softmax,
)

__all__ = [
    "batch_matmul", "conv1d_ncw", "conv1d_nwc", "conv2d_NCHWc", "conv2d_nchw", "conv2d_nhwc",
    "conv2d_transpose_nchw", "conv3d_ncdhw", "conv3d_ndhwc", "dense_dynamic", "dense_nopack", "dense_pack",
    "depthwise_conv2d_NCHWc", "depthwise_conv2d_nchw", "group_conv1d_ncw", "group_conv1d_nwc",
    "group_conv2d_nchw", "schedule_adaptive_pool", "schedule_argsort", "schedule_batch_matmul",
    "schedule_batch_norm", "schedule_broadcast", "schedule_concatenate", "schedule_conv1d_ncw",
    "schedule_conv1d_nwc", "schedule_conv1d_transpose_ncw", "schedule_conv2d_NCHWc", "schedule_conv2d_hwcn",
    "schedule_conv2d_nchw", "schedule_conv2d_nhwc", "schedule_conv2d_transpose_nchw", "schedule_conv3d_ncdhw",
    "schedule_conv3d_ndhwc", "schedule_conv3d_transpose_ncdhw", "schedule_dense", "schedule_dense_dynamic",
    "schedule_dense_nopack", "schedule_dense_pack", "schedule_depthwise_conv2d_NCHWc",
    "schedule_depthwise_conv2d_nchw", "schedule_depthwise_conv2d_nhwc", "schedule_einsum", "schedule_elemwise",
    "schedule_extern", "schedule_fast_softmax", "schedule_group_conv1d_ncw", "schedule_group_conv1d_nwc",
    "schedule_group_conv2d_nchw", "schedule_group_conv2d_nhwc", "schedule_group_norm", "schedule_injective",
    "schedule_injective_from_existing", "schedule_instance_norm", "schedule_l2_normalize", "schedule_layer_norm",
    "schedule_lrn", "schedule_lstm", "schedule_matmul", "schedule_pool", "schedule_pool_grad", "schedule_reduce", "schedule_reorg",
    "schedule_rms_norm", "schedule_scan", "schedule_softmax", "schedule_sort", "schedule_topk",
]  # fmt: skip
