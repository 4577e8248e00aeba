"""`transform`: the options of lowering and building, by the classic name."""

from tewb.base import PassContext

__all__ = ["PassContext"]
