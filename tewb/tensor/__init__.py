"""Tensor expressions: what to compute. Placeholders, computes, reductions and externs form a graph."""

from tewb.tensor import extern_access as access
from tewb.tensor.access_check import ALWAYS, UnprovedRead, check_accesses
from tewb.tensor.compute import ComputeOp, compute
from tewb.tensor.domains import Domain, depends_on
from tewb.tensor.extern import (
    ExternOp,
    Tile,
    TilePart,
    extern,
    is_whole,
    whole_buffers,
    whole_region,
    whole_tile,
)
from tewb.tensor.extern_access import Region
from tewb.tensor.extern_calls import (
    address_of,
    call_extern,
    call_packed,
    decl_buffer,
    extern_region,
    stack_array,
)
from tewb.tensor.graph_source import GraphSource
from tewb.tensor.json_text import load_json, save_json
from tewb.tensor.placeholder import PlaceholderOp, placeholder, var
from tewb.tensor.reduce import comm_reducer, max_value, min_value, reduce_axis
from tewb.tensor.tensor import Operation, Tensor, TensorSlice, check_name
from tewb.tensor.tensor_compute import TensorComputeOp
from tewb.tensor.tensor_intrin import INTRINSICS, TensorIntrin, decl_tensor_intrin, intrinsic_of
from tewb.tensor.wide_indices import checked_index, index_text, known_ranges

__all__ = [
    "ComputeOp", "Domain", "ExternOp", "Operation", "TilePart", "PlaceholderOp", "Tensor", "TensorSlice", "Tile", "access", "address_of", "call_extern",
    "call_packed", "check_name", "checked_index", "comm_reducer", "compute", "decl_buffer", "depends_on", "extern", "extern_region", "is_whole", "known_ranges", "max_value", "min_value",
    "placeholder", "reduce_axis", "stack_array", "var", "whole_buffers", "whole_region", "whole_tile", "index_text",
"ALWAYS", "GraphSource", "INTRINSICS", "TensorComputeOp", "TensorIntrin", "decl_tensor_intrin", "intrinsic_of", "load_json", "save_json", "Region", "UnprovedRead", "check_accesses",
]  # fmt: skip
