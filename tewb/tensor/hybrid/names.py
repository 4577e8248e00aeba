"""Names in hybrid functions: reading one, and giving one a value that is known now."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from tewb.base import DTypeError, masked_elements
from tewb.ir import BufferLoad, const
from tewb.tensor.hybrid.shared_buffers import ConstantTable
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import LoopVariable, ScalarVariable, Value, kind_of
from tewb.tensor.hybrid.words import CASTS, WORDS
from tewb.tensor.tensor import Tensor


def look_up(translation: Translation, node: ast.Name) -> Value:
    """The value of a name where `node` reads it."""
    name, names = node.id, translation.names
    if names.is_set(name):
        return read_value(names.find(name))
    if name in names.ended:
        raise translation.refuse(
            node, f"{name} was set inside of a block that has ended", "set it before the loop or the if"
        )
    if name in names.own:
        raise translation.refuse(node, f"{name} is read before it is set", f"{name} = ... in a line above")
    if name in names.outer:
        return value_from_outside(translation, names.outer[name], node)
    if name in CASTS:
        return name  # as a dtype: output_tensor(shape, float32)
    if name in WORDS:
        raise translation.refuse(node, f"{name} is a function and no value", f"call it: {name}(...)")
    raise translation.refuse(
        node, f"{name} has no value here", "a name is set above, or in the code around the function"
    )


def read_value(value: Value) -> Value:
    """What reading a name gives: the element of a scalar variable, the value of a loop variable."""
    if isinstance(value, ScalarVariable):
        return BufferLoad(value.buffer, (const(0),), value.buffer.dtype)
    return value.value if isinstance(value, LoopVariable) else value


def value_from_outside(translation: Translation, value: Any, node: ast.AST) -> Value:
    """A value of the code around the function, or an argument that is known now."""
    if isinstance(value, Tensor):
        return translation.buffers.input(value)
    if isinstance(value, np.ndarray):
        if masked_elements(value):
            raise translation.refuse(node, "this is a masked array", "array.filled(value) gives an array")
        try:
            return ConstantTable(value)
        except DTypeError as e:
            raise translation.refuse(node, e.message, "array.astype('float32') converts") from None
    if isinstance(value, tuple | list):
        return tuple(value_from_outside(translation, v, node) for v in value)
    return value


def bind(translation: Translation, target: ast.Name, value: Value) -> None:
    """Give a name to something known. It cannot get another meaning in a block that runs or not."""
    names = translation.names
    if names.is_set_around(target.id):
        raise translation.refuse(
            target,
            f"{target.id} stands for {kind_of(read_value(names.find(target.id)))} outside of this block",
            "choose another name in it",
        )
    names.set(target.id, value)
