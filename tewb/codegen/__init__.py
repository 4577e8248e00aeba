"""Code generation: low-level IR to LLVM text to machine code."""

from tewb.codegen.compile import CompiledModule, compile_module, translate
from tewb.codegen.imported_llvm import with_imported_text
from tewb.codegen.line_provenance import Linked
from tewb.codegen.llvm_history import LLVMPass, llvm_history
from tewb.codegen.llvm_intrinsics import is_known as is_known_intrinsic

__all__ = [
    "CompiledModule",
    "LLVMPass",
    "Linked",
    "compile_module",
    "is_known_intrinsic",
    "llvm_history",
    "translate",
    "with_imported_text",
]
