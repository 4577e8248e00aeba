"""The agreement between generated code and the runtime: signatures, slots and the context.

A kernel is `i32 f(ptr ctx, ptr args)`. `args` is an array of 8-byte slots: one for each parameter (the
address of the first element of an array; the value of a scalar), then one int64 for each symbol of the
shapes and strides. It returns 0, or 1 after writing what failed to the context.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tewb.base import readable

# Fields of the context, in 8-byte slots.
CANCEL, ERROR, MESSAGE, DETAIL_A, DETAIL_B, HANDLE, MEMORY_LEFT = range(7)
CONTEXT_SLOTS = 8

# What ERROR says. The two details are an index and a size, or bytes wanted and bytes allowed.
OK, CANCELLED, ASSERTION, BOUNDS, NO_MEMORY, CALLBACK = range(6)
ABOUT_ARGUMENTS = "argument"  # what the message of an assertion begins with when a call is wrong

# Python's answer to a kernel goes to a word of memory that holds UNANSWERED before: a ctypes callback that
# raises at its very entry (at the end of Python's stack, say) returns whatever was in a register. The answer
# to a call is 0, or 1 after an exception; to a request for memory it is an address, or 0 if there is none.
UNANSWERED = -1

# The runtime's functions that a kernel calls. In an exported library they are reached through a table, in this order.
HOOKS = (
    "tewb_rt_parallel", "tewb_rt_malloc", "tewb_rt_raw_free", "tewb_rt_alloc_shared", "tewb_rt_free_shared",
    "tewb_rt_call_packed", "tewb_rt_call_checked",
)  # fmt: skip

# The most iterations that a thread takes at a time of a parallel loop of which nobody knows how long its iterations are.
UNKNOWN_WORK = 1 << 62

# The record of a packed call begins with the word for its answer, the arguments follow. Where the kernel uses the
# value that the function returns, the word says of which kind it must be, and the value takes the place of the
# word behind it.
INTEGER_WANTED, FLOAT_WANTED = -2, -3
# A packed argument is a record of int64: kind, dtype number, rank, address, then shape and strides (in
# elements); a scalar's value takes the place of the address, and of a text there is the address. A checked array, which is read or written by an
# extern, is followed by its origin in the tensor and its true extents.
ARRAY, INTEGER, FLOAT, READ, WRITTEN, TEXT = range(6)
DTYPES = (
    "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool",
    "float16", "bfloat16", "int1", "int2", "int4", "uint2", "uint4",
)  # fmt: skip


@readable
@dataclass(frozen=True, slots=True)
class SymbolicSize:
    """A size or stride: a constant, or an expression of symbols as Python text."""

    value: int | None
    text: str
    symbol: str | None = None  # set when the expression is one symbol, whose value an array gives
    told: str | None = (
        None  # the symbol of which it is `factor` times the value, and `offset`, which an array gives then
    )
    factor: int = 1
    offset: int = 0

    def __str__(self) -> str:
        return self.text


@readable
@dataclass(frozen=True, slots=True)
class ParamSpec:
    """A parameter of a kernel, identified by its position: names are for people, and may repeat. `strides` is None
    for compact row-major. The address of its first element is a multiple of `alignment` bytes (0: of the size of an
    element). `symbol` is the name of a scalar in sizes and strides."""

    name: str
    kind: str  # "buffer" or "scalar"
    dtype: str
    shape: tuple[SymbolicSize, ...] = ()
    strides: tuple[SymbolicSize, ...] | None = None
    is_output: bool = False
    alignment: int = 0
    symbol: str = ""
    position: int = 1

    def __str__(self) -> str:
        shape = f"[{', '.join(map(str, self.shape))}]" if self.kind == "buffer" else ""
        return f"{self.name}: {self.dtype}{shape}"

    @property
    def is_float(self) -> bool:
        """Whether its numbers are floats."""
        return "float" in self.dtype

    @property
    def place(self) -> str:
        """Which argument it is: "the 2nd argument, A"."""
        return f"the {ordinal(self.position)} argument, {self.name}"


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if n // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


@readable
@dataclass(frozen=True, slots=True)
class PackedCall:
    """A packed function that a kernel calls, the extern that it is called for, and the effect of that extern. `returns`
    is the dtype of the number that it must return (none when the kernel does not use it)."""

    name: str
    extern: str = ""
    effect: str = "idempotent"
    returns: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """Arithmetic of symbols, as Python text, that must fit an integer of `bits`; `what` is the loop or buffer that
    has this size."""

    text: str
    bits: int
    what: str


@readable
@dataclass(frozen=True, slots=True)
class KernelSignature:
    """What the runtime must know about a kernel. Each of `symbols` has a unique name and a width in `symbol_bits`,
    and `limits` are expressions of them that must fit too. `work` estimates the operations: a number, or Python text
    over the symbols (None: not known). `intermediates` are the tensors that take memory from the heap."""

    name: str
    params: tuple[ParamSpec, ...]
    symbols: tuple[str, ...] = ()
    packed: tuple[PackedCall, ...] = ()
    messages: tuple[str, ...] = ()
    has_parallel: bool = False
    work: int | str | None = None
    intermediates: tuple[str, ...] = field(default=())
    symbol_bits: tuple[int, ...] = ()
    limits: tuple[Limit, ...] = ()


# ---------------------------------------------------------------- exported libraries

VERSION = 1  # of everything in this file, for libraries that another tewb made


@dataclass(frozen=True, slots=True)
class Description:
    """What an exported library says of itself: the target as (triple, processor, features), the signature of each
    kernel by the symbol of its entry, and the functions that it needs from native libraries."""

    target: tuple[str, str, str]
    kernels: Mapping[str, KernelSignature]
    natives: tuple[str, ...] = ()

    def to_json(self) -> str:
        """As JSON text."""
        import json  # here and below: only exported libraries need it

        kernels = {symbol: asdict(s) for symbol, s in self.kernels.items()}
        return json.dumps(
            {"version": VERSION, "target": self.target, "kernels": kernels, "natives": self.natives}
        )

    @staticmethod
    def from_json(text: str) -> Description:
        """What `to_json` wrote. Raises ValueError for the text of another version."""
        import json

        data = json.loads(text)
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}, where this tewb reads {VERSION}")
        kernels = {symbol: _signature(s) for symbol, s in data["kernels"].items()}
        triple, processor, features = data["target"]
        return Description((triple, processor, features), kernels, tuple(data["natives"]))


def _signature(data: dict[str, Any]) -> KernelSignature:
    own: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in data.items()}
    own["params"] = tuple(map(_param, data["params"]))
    own["packed"] = tuple(PackedCall(**call) for call in data["packed"])
    own["limits"] = tuple(Limit(**limit) for limit in data["limits"])
    return KernelSignature(**own)


def _param(data: dict[str, Any]) -> ParamSpec:
    def sizes(listed: list[dict[str, Any]] | None) -> tuple[SymbolicSize, ...] | None:
        return None if listed is None else tuple(SymbolicSize(**size) for size in listed)

    return ParamSpec(**data | {"shape": sizes(data["shape"]), "strides": sizes(data["strides"])})
