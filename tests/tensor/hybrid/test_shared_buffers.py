"""The buffers of a function and of all that it calls: one for each tensor and each constant array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tewb import te
from tewb.base import HybridError
from tewb.ir import Allocate, BufferStore, Evaluate, const, const_int, walk
from tewb.tensor.hybrid.shared_buffers import LARGEST_TABLE, ConstantTable, SharedBuffers


def test_a_tensor_has_one_buffer() -> None:
    A, B = te.placeholder((4,), name="A"), te.placeholder((4,), name="A")
    buffers = SharedBuffers()
    a = buffers.input(A)
    assert buffers.input(A) is a and buffers.input(B) is not a
    assert (a.name, a.dtype, const_int(a.shape[0])) == ("A", "float32", 4) and list(buffers.inputs) == [A, B]


def test_a_constant_array_is_stored_once_around_the_body() -> None:
    array = np.array([[1, -2], [3, 4]], "int8")
    buffers, body = SharedBuffers(), Evaluate(const(0))
    table = buffers.table_buffer(ConstantTable(array))
    assert buffers.table_buffer(ConstantTable(array)) is table
    kept = buffers.with_tables(body)
    assert isinstance(kept, Allocate) and kept.buffer is table
    stores = [
        (const_int(s.value), tuple(map(const_int, s.indices)))
        for s in walk(kept)
        if isinstance(s, BufferStore)
    ]
    assert stores == [(1, (0, 0)), (-2, (0, 1)), (3, (1, 0)), (4, (1, 1))]
    assert SharedBuffers().with_tables(body) is body


@pytest.mark.parametrize("array", [np.array(7.5), np.zeros((0, 3), "bool")])
def test_arrays_of_one_and_of_no_elements(array: Any) -> None:
    buffers = SharedBuffers()
    table = ConstantTable(array)
    assert [const_int(n) for n in table.shape] == list(array.shape) and table.dtype == array.dtype.name
    buffers.table_buffer(table)
    assert (
        sum(isinstance(n, BufferStore) for n in walk(buffers.with_tables(Evaluate(const(0))))) == array.size
    )


def test_large_arrays_are_no_part_of_a_function() -> None:
    SharedBuffers().table_buffer(ConstantTable(np.zeros(LARGEST_TABLE, "int8")))
    with pytest.raises(
        HybridError, match="an array of 4097 constants is too large to be part of a function"
    ) as e:
        SharedBuffers().table_buffer(ConstantTable(np.zeros(LARGEST_TABLE + 1, "int8")))
    assert e.value.hint == "pass it as an argument, as a tensor"
