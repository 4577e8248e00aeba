"""`topi.vision`: operators of vision networks."""

from tewb.topi.vision.reorg import reorg

__all__ = ["reorg"]
