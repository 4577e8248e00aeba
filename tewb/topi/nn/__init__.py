"""`topi.nn`: operators of neural networks."""

from tewb.topi.nn.binary import binarize_pack, binary_dense
from tewb.topi.nn.conv1d import conv1d, conv1d_ncw, conv1d_nwc, group_conv1d_ncw, group_conv1d_nwc
from tewb.topi.nn.conv2d import (
    conv2d,
    conv2d_hwcn,
    conv2d_nchw,
    conv2d_NCHWc,
    conv2d_nhwc,
    group_conv2d_nchw,
    group_conv2d_nhwc,
)
from tewb.topi.nn.conv3d import conv3d_ncdhw, conv3d_ndhwc
from tewb.topi.nn.conv_transpose import (
    conv1d_transpose_ncw,
    conv2d_transpose_nchw,
    conv3d_transpose_ncdhw,
    group_conv1d_transpose_ncw,
    group_conv2d_transpose_nchw,
    group_conv3d_transpose_ncdhw,
)
from tewb.topi.nn.correlation import correlation_nchw
from tewb.topi.nn.deformable_conv2d import deformable_conv2d_nchw, deformable_conv2d_nhwc
from tewb.topi.nn.dense import batch_matmul, dense, dense_pack, matmul
from tewb.topi.nn.depthwise_conv2d import (
    depthwise_conv2d_backward_input_nhwc,
    depthwise_conv2d_backward_weight_nhwc,
    depthwise_conv2d_nchw,
    depthwise_conv2d_NCHWc,
    depthwise_conv2d_nhwc,
)
from tewb.topi.nn.elemwise import (
    bias_add,
    flatten,
    leaky_relu,
    prelu,
    relu,
    scale_shift_nchw,
    scale_shift_nchwc,
    scale_shift_nhwc,
    softplus,
)
from tewb.topi.nn.fifo_buffer import fifo_buffer
from tewb.topi.nn.loss import nll_loss
from tewb.topi.nn.lstm import lstm
from tewb.topi.nn.norm import (
    batch_norm,
    group_norm,
    instance_norm,
    l2_normalize,
    layer_norm,
    lrn,
    rms_norm,
)
from tewb.topi.nn.pad import circular_pad, dilate, mirror_pad, pad, reflect_pad, replicate_pad
from tewb.topi.nn.pooling import (
    adaptive_pool,
    adaptive_pool1d,
    adaptive_pool3d,
    global_pool,
    pool,
    pool1d,
    pool2d,
    pool3d,
    pool_grad,
)
from tewb.topi.nn.rearrange import (
    batch_to_space_nd,
    depth_to_space,
    pixel_shuffle,
    space_to_batch_nd,
    space_to_depth,
)
from tewb.topi.nn.softmax import fast_softmax, log_softmax, softmax
from tewb.topi.nn.sparse import (
    sparse_add,
    sparse_dense,
    sparse_dense_sp_lhs,
    sparse_dense_sp_rhs,
    sparse_transpose,
)
from tewb.topi.nn.upsampling import upsampling, upsampling3d
from tewb.topi.nn.winograd import conv2d_winograd_nchw, conv2d_winograd_nhwc

__all__ = [
    "adaptive_pool", "adaptive_pool1d", "adaptive_pool3d", "batch_matmul", "batch_norm", "batch_to_space_nd",
    "bias_add", "binarize_pack", "binary_dense", "circular_pad", "conv1d", "conv1d_ncw", "conv1d_nwc",
    "conv1d_transpose_ncw", "conv2d", "conv2d_NCHWc", "conv2d_hwcn", "conv2d_nchw", "conv2d_nhwc",
    "conv2d_transpose_nchw", "conv2d_winograd_nchw", "conv2d_winograd_nhwc", "conv3d_ncdhw", "conv3d_ndhwc",
    "conv3d_transpose_ncdhw", "correlation_nchw", "deformable_conv2d_nchw", "deformable_conv2d_nhwc", "dense",
    "dense_pack", "depth_to_space", "depthwise_conv2d_NCHWc", "depthwise_conv2d_backward_input_nhwc",
    "depthwise_conv2d_backward_weight_nhwc", "depthwise_conv2d_nchw", "depthwise_conv2d_nhwc", "dilate",
    "fast_softmax", "fifo_buffer", "flatten", "global_pool", "group_conv1d_ncw", "group_conv1d_nwc",
    "group_conv1d_transpose_ncw", "group_conv2d_nchw", "group_conv2d_nhwc", "group_conv2d_transpose_nchw",
    "group_conv3d_transpose_ncdhw", "group_norm", "instance_norm", "l2_normalize", "layer_norm", "leaky_relu",
    "log_softmax", "lrn", "lstm", "matmul", "mirror_pad", "nll_loss", "pad", "pixel_shuffle", "pool", "pool1d",
    "pool2d", "pool3d", "pool_grad", "prelu", "reflect_pad", "relu", "replicate_pad", "rms_norm",
    "scale_shift_nchw", "scale_shift_nchwc", "scale_shift_nhwc", "softmax", "softplus", "space_to_batch_nd",
    "space_to_depth", "sparse_add", "sparse_dense", "sparse_dense_sp_lhs", "sparse_dense_sp_rhs",
    "sparse_transpose", "upsampling", "upsampling3d",
]  # fmt: skip
