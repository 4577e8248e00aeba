"""`topi.vision`: operators of vision networks."""

from tewb.topi.vision import rcnn
from tewb.topi.vision.nms import get_valid_counts, non_max_suppression
from tewb.topi.vision.reorg import reorg

__all__ = ["get_valid_counts", "non_max_suppression", "rcnn", "reorg"]
