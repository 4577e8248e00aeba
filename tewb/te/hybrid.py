"""`te.hybrid`: the classic names of hybrid script."""

from tewb.tensor.hybrid import script

__all__ = ["script"]
