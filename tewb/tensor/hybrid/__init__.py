"""Hybrid script: Python functions that run on numpy and compile to loops."""

from tewb.tensor.hybrid.dump import dump
from tewb.tensor.hybrid.module import HybridModule, load, load_text
from tewb.tensor.hybrid.names import WORDS
from tewb.tensor.hybrid.op import HybridOp
from tewb.tensor.hybrid.script import HybridFunction, script

__all__ = ["WORDS", "HybridFunction", "HybridModule", "HybridOp", "dump", "load", "load_text", "script"]
