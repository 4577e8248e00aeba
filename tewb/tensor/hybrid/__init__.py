"""Hybrid script: Python functions that run on numpy and compile to loops."""

from tewb.tensor.hybrid.module import HybridModule, load, load_text
from tewb.tensor.hybrid.op import HybridOp
from tewb.tensor.hybrid.script import HybridFunction, script
from tewb.tensor.hybrid.words import WORDS, eager_names
from tewb.tensor.hybrid.write_text import dump

__all__ = [
    "WORDS",
    "HybridFunction",
    "HybridModule",
    "HybridOp",
    "dump",
    "eager_names",
    "load",
    "load_text",
    "script",
]
