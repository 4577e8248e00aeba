"""Code generation: low-level IR to LLVM text to machine code."""

from tewb.codegen.compile import CompiledModule, compile_module, translate
from tewb.codegen.line_provenance import Linked

__all__ = ["CompiledModule", "Linked", "compile_module", "translate"]
