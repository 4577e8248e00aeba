"""What generated code and the runtime agree on."""

from __future__ import annotations

from tewb.base import DType, memory_dtype
from tewb.runtime import abi
from tewb.runtime.abi import ParamSpec, SymbolicSize, ordinal


def test_places_are_ordinal_numbers() -> None:
    numbers = {
        1: "1st",
        2: "2nd",
        3: "3rd",
        4: "4th",
        11: "11th",
        12: "12th",
        13: "13th",
        21: "21st",
        111: "111th",
    }
    assert {n: ordinal(n) for n in numbers} == numbers
    assert ParamSpec("A", "buffer", "int8", position=22).place == "the 22nd argument, A"


def test_fields_of_the_context_have_slots_of_their_own() -> None:
    fields = [abi.CANCEL, abi.ERROR, abi.MESSAGE, abi.DETAIL_A, abi.DETAIL_B, abi.HANDLE, abi.MEMORY_LEFT]
    assert len(set(fields)) == len(fields) and set(fields) <= set(range(abi.CONTEXT_SLOTS))


def test_memory_of_zeros_is_a_context_without_an_error() -> None:
    assert abi.OK == 0
    assert len({abi.OK, abi.CANCELLED, abi.ASSERTION, abi.BOUNDS, abi.NO_MEMORY, abi.CALLBACK}) == 6


def test_no_answer_and_no_address_means_unanswered() -> None:
    assert abi.UNANSWERED not in (0, 1) and abi.UNANSWERED % 8 != 0


def test_dtypes_of_packed_arguments_are_those_of_tewb_and_numpy() -> None:
    assert len(set(abi.DTYPES)) == 18
    for name in abi.DTYPES:
        assert memory_dtype(name).itemsize == DType(name).nbytes


def test_parameters_are_compact_inputs_unless_they_say_otherwise() -> None:
    p = ParamSpec("A", "buffer", "int8", (SymbolicSize(4, "4"),))
    assert (p.strides, p.is_output, p.alignment, p.place) == (None, False, 0, "the 1st argument, A")
    assert SymbolicSize(None, "n + 1").symbol is None
