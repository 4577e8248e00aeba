"""`target`: the processors that code is made for, by the classic names."""

from tewb.runtime import Target as _Target

Target = create = _Target.of  # Target("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1")

__all__ = ["Target", "create"]
