"""Buffers that a hybrid function shares with the functions that it calls: inputs and constant tables."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tewb.base import DType, HybridError
from tewb.ir import Allocate, Buffer, BufferStore, Expr, Stmt, const, seq
from tewb.tensor.tensor import Tensor

LARGEST_TABLE = 4096  # elements; each is a store in the function


class ConstantTable:
    """A numpy array of the code around the function: constants, as they are when it is compiled."""

    def __init__(self, array: Any) -> None:
        self.array, self.dtype, self.name = array, DType(array.dtype.name), "the array"

    @property
    def shape(self) -> tuple[Expr, ...]:
        return tuple(const(n) for n in self.array.shape)


class SharedBuffers:
    """One for a function and all that it calls."""

    def __init__(self) -> None:
        self.inputs: dict[Tensor, Buffer] = {}
        self.tables: dict[int, tuple[Any, Buffer]] = {}  # by the id of the array, which is kept alive here

    def input(self, t: Tensor) -> Buffer:
        buffer = self.inputs.get(t)
        if buffer is None:
            buffer = self.inputs[t] = Buffer(t.name, t.dtype, t.shape)
        return buffer

    def table_buffer(self, table: ConstantTable) -> Buffer:
        """Memory that holds the numbers of an array. Raises HybridError for a large one."""
        array = table.array
        if id(array) not in self.tables:
            if array.size > LARGEST_TABLE:
                raise HybridError(
                    f"an array of {array.size} constants is too large to be part of a function",
                    hint="pass it as an argument, as a tensor",
                )
            self.tables[id(array)] = array, Buffer("table", table.dtype, table.shape)
        return self.tables[id(array)][1]

    def with_tables(self, body: Stmt) -> Stmt:
        """`body` with the constant tables around it."""
        for array, buffer in self.tables.values():
            stores: list[Stmt] = []
            for at in itertools.product(*[range(n) for n in array.shape]):
                value = const(np.asarray(array)[at].item(), buffer.dtype)
                stores.append(BufferStore(buffer, value, tuple(const(i) for i in at)))
            body = Allocate(buffer, seq(*stores, body))
        return body
