"""Attributes in hybrid functions: a.shape, a.ndim, a.dtype, and numbers of modules, as math.pi."""

from __future__ import annotations

import ast
import types

from tewb.ir import Buffer, Expr, IntImm
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Inlinable, Value


def attribute(translation: Translation, node: ast.Attribute, value: Value) -> Value:
    """The attribute that `node` names of `value`."""
    if isinstance(value, Buffer | ConstantTable) and node.attr == "shape":
        return tuple(n.value if isinstance(n, IntImm) else n for n in value.shape)
    if isinstance(value, Buffer | ConstantTable) and node.attr == "ndim":
        return len(value.shape)
    if isinstance(value, Buffer | ConstantTable | Expr) and node.attr == "dtype":
        return str(value.dtype)
    if isinstance(value, types.ModuleType):
        member = getattr(value, node.attr, None)
        if isinstance(member, bool | int | float | Inlinable):
            return member
        raise translation.refuse(
            node,
            f"{value.__name__}.{node.attr} is not part of the hybrid language",
            "numbers of modules are, as math.pi; functions are words: exp(x), sqrt(x)",
        )
    raise translation.refuse(
        node, f".{node.attr} is not part of the hybrid language", "tensors have .shape, .ndim and .dtype"
    )
