"""Tensor expressions: what to compute. Placeholders, computes, reductions and externs form a graph."""

from tewb.tensor import extern_access as access
from tewb.tensor.access_check import ALWAYS, UnprovedRead, check_accesses, reads_earlier
from tewb.tensor.compute import ComputeOp, compute
from tewb.tensor.domains import Domain, depends_on
from tewb.tensor.extern import (
    ExternOp,
    Tile,
    TilePart,
    extern,
    is_whole,
    stores_into_inputs,
    whole_buffers,
    whole_region,
    whole_tile,
)
from tewb.tensor.extern_access import Region
from tewb.tensor.extern_calls import (
    address_of,
    box_text,
    call_extern,
    call_packed,
    call_pure_extern,
    decl_buffer,
    extern_region,
    stack_array,
)
from tewb.tensor.graph_source import GraphSource
from tewb.tensor.llvm_calls import (
    call_llvm_intrin,
    call_llvm_pure_intrin,
    intrinsic_name,
    intrinsic_number,
)
from tewb.tensor.operation_order import producers_first
from tewb.tensor.placeholder import PlaceholderOp, placeholder, size_var, var
from tewb.tensor.reduce import comm_reducer, max_value, min_value, reduce_axis
from tewb.tensor.scan import ScanOp, scan, scan_body, scan_fix_points
from tewb.tensor.strides import StrideVar, only_in_conditions, stride
from tewb.tensor.tag_scope import tag_scope
from tewb.tensor.tensor import Operation, Tensor, TensorSlice, check_name
from tewb.tensor.tensor_compute import TensorComputeOp
from tewb.tensor.tensor_intrin import INTRINSICS, TensorIntrin, decl_tensor_intrin, intrinsic_of
from tewb.tensor.wide_indices import checked_index, element_in_index, index_text, known_ranges

__all__ = [
    "access", "address_of", "ALWAYS", "box_text", "call_extern", "call_llvm_intrin", "call_llvm_pure_intrin", "intrinsic_name", "intrinsic_number", "call_packed",
    "call_pure_extern", "check_accesses", "check_name", "checked_index", "comm_reducer", "compute", "ComputeOp",
    "decl_buffer", "decl_tensor_intrin", "depends_on", "Domain", "extern", "extern_region", "element_in_index", "ExternOp", "GraphSource",
    "index_text", "intrinsic_of", "INTRINSICS", "is_whole", "known_ranges", "max_value", "min_value", "only_in_conditions", "Operation",
    "placeholder", "PlaceholderOp", "producers_first", "reads_earlier", "reduce_axis", "Region", "scan", "scan_body", "scan_fix_points",
    "ScanOp", "size_var", "stack_array", "stores_into_inputs", "stride", "StrideVar", "tag_scope", "Tensor", "TensorComputeOp", "TensorIntrin", "TensorSlice",
    "Tile", "TilePart", "UnprovedRead", "var", "whole_buffers", "whole_region", "whole_tile",
]  # fmt: skip
