"""Hybrid script: Python functions that run on numpy and compile to loops."""

from tewb.tensor.hybrid.op import HybridOp
from tewb.tensor.hybrid.script import HybridFunction, script

__all__ = ["HybridFunction", "HybridOp", "script"]
