"""`tir.ir_builder`: the classic name of the statement builder."""

from tewb.ir import BufferVar, IRBuilder

create = IRBuilder

__all__ = ["BufferVar", "IRBuilder", "create"]
