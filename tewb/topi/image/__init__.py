"""`topi.image`: images in other sizes and at other places."""

from tewb.topi.image.dilation2d import dilation2d_nchw, dilation2d_nhwc
from tewb.topi.image.grid_sample import affine_grid, grid_sample
from tewb.topi.image.resize import crop_and_resize, resize, resize1d, resize2d, resize3d

__all__ = [
    "affine_grid",
    "crop_and_resize",
    "dilation2d_nchw",
    "dilation2d_nhwc",
    "grid_sample",
    "resize",
    "resize1d",
    "resize2d",
    "resize3d",
]
