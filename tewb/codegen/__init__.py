"""Code generation: low-level IR to LLVM text to machine code."""

from tewb.codegen.compile import CompiledModule, compile_module

__all__ = ["CompiledModule", "compile_module"]
