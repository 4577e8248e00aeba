"""Arguments of a kernel call: each is checked and brought into the kernel's form, and every refusal is explained."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tewb.base import (
    ArgumentError,
    DType,
    in_kernels_memory,
    is_in_numpy,
    masked_elements,
    memory_dtype,
    nearest,
    new_dtype,
    other_memory,
    to_memory,
)
from tewb.runtime.abi import KernelSignature, ParamSpec, SymbolicSize
from tewb.runtime.aligned_memory import LINE, address_of_first, aligned_bytes, aligned_empty
from tewb.runtime.ndarray import NDArray

ARRAYS = (np.ndarray, NDArray)  # the classes whose objects machine code reads


class BoundSymbol(NamedTuple):
    """The value of a symbol, and where it comes from: the `source` (a dimension, a stride) of a `parameter`."""

    value: int
    source: str
    parameter: ParamSpec


class Prepared:
    """Arguments that are ready: `slots` for the machine code, `arrays` in the order of the parameters, and
    copies to write back when the kernel is done."""

    __slots__ = ("arrays", "passed", "slots", "symbols", "write_back")

    def __init__(self) -> None:
        self.slots: list[int] = []
        self.arrays: list[Any] = []
        self.passed: list[Any] = []  # what the caller passed, where `arrays` may have a copy
        self.symbols: dict[str, BoundSymbol] = {}
        self.write_back: list[tuple[Any, Any]] = []


def prepare(signature: KernelSignature, args: Sequence[Any], keywords: Mapping[str, Any]) -> Prepared:
    """Check the arguments of a call and bring them into the kernel's form. Raises ArgumentError."""
    values = _in_order(signature.name, signature.params, args, keywords)
    prepared = Prepared()
    numbers = [(p, v) for p, v in zip(signature.params, values, strict=True) if p.kind == "scalar"]
    for p, v in numbers:
        prepared.symbols[p.symbol] = BoundSymbol(_scalar(p, v), "the argument", p)
    # Sizes come first, so that a stride which is also the size of some array is compared with it.
    buffers = [(p, v) for p, v in zip(signature.params, values, strict=True) if p.kind == "buffer"]
    prepared.passed = [_array(signature.name, p, v, prepared) for p, v in buffers]
    prepared.arrays = [_in_form(p, a, prepared) for (p, _), a in zip(buffers, prepared.passed, strict=True)]
    _free_strides(signature, prepared)
    _check_computed(signature, prepared)
    _check_range(signature, prepared)
    _check_limits(signature, prepared)
    _separate(signature, prepared)
    arrays = iter(prepared.arrays)
    for p, v in zip(signature.params, values, strict=True):
        prepared.slots.append(address_of_first(next(arrays)) if p.kind == "buffer" else _bits(p, v))
    for name in signature.symbols:
        prepared.slots.append(prepared.symbols[name].value)
    return prepared


def last_outputs(signature: KernelSignature) -> int:
    """How many parameters at the end may be left out: all outputs, when no other parameter follows one."""
    kinds = [p.is_output for p in signature.params]
    count = sum(kinds)
    return count if kinds == sorted(kinds) else 0


def complete(
    signature: KernelSignature, may_miss: int, args: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[list[Any], list[Any]]:
    """The arguments of a call in the order of the parameters, and those of them that were made: the last
    `may_miss`, when all of them are missing. Raises ArgumentError."""
    params = signature.params
    first = len(params) - may_miss
    outputs = params[first:]
    if len(args) + len(keywords) != first or any(
        _named(signature.name, params, k) >= first for k in keywords
    ):
        return _in_order(signature.name, params, args, keywords), []
    inputs = params[:first]
    values = as_ndarrays(inputs, _in_order(signature.name, inputs, args, keywords) if keywords else args)
    symbolic = [s for p in outputs for s in p.shape if s.value is None]
    symbols = _symbols_of(inputs, values) if symbolic else {}
    new_outputs = [_output(p, symbols) for p in outputs]
    return values + new_outputs, new_outputs


def as_ndarrays(params: Sequence[ParamSpec], values: Sequence[Any]) -> list[Any]:
    """Arguments of which every array is an ndarray itself or an NDArray, on the same memory. Raises ArgumentError."""
    return [
        v if v.__class__ in ARRAYS or p.kind == "scalar" else np.asarray(_as_ndarray(p, v))
        for p, v in zip(params, values, strict=True)
    ]


def _symbols_of(params: Sequence[ParamSpec], values: Sequence[Any]) -> dict[str, int]:
    """The symbols whose values sizes and numbers give, each where it is first seen."""
    symbols: dict[str, int] = {}
    for p, v in zip(params, values, strict=True):
        if p.kind == "scalar":
            symbols[p.symbol] = _scalar(p, v)
        else:
            for size, n in zip(p.shape, v.shape, strict=False):
                if size.symbol is not None:
                    symbols.setdefault(size.symbol, n)
    return symbols


# Bytes: smaller outputs are allocated by numpy, since aligning them takes longer than filling them.
SMALL = 4 << 10


def _output(p: ParamSpec, symbols: dict[str, int]) -> Any:
    """A new array for an output that was left out."""
    try:
        shape = [_evaluate(s.text, symbols) if s.value is None else s.value for s in p.shape]
    except NameError as e:
        raise _refusal(
            f"{p.name} is left out, and its size {e.name} does not follow from the other arguments",
            p,
            hint=f"pass an array for {p.name}",
        ) from None
    if min(shape, default=0) < 0:
        raise _refusal(f"{p.name} is left out, and its shape would be {tuple(shape)}", p)
    dtype = new_dtype(p.dtype)
    if p.strides is not None and any(s.value is not None for s in p.strides):
        return _laid_out(shape, dtype, _own_strides(p.strides, shape, symbols), max(p.alignment, LINE))
    if not p.alignment and dtype.itemsize * math.prod(shape) < SMALL:
        return np.empty(shape, dtype)
    return aligned_empty(shape, dtype, max(p.alignment, LINE))


def _own_strides(strides: Sequence[SymbolicSize], shape: Sequence[int], symbols: dict[str, int]) -> list[int]:
    """Strides, in elements, for a new array: those that are given, and for the others strides beyond what these
    reach."""
    chosen = [symbols.get(s.text) if s.value is None else s.value for s in strides]
    reach = 1 + sum(abs(t) * max(n - 1, 0) for t, n in zip(chosen, shape, strict=True) if t is not None)
    for d in reversed(range(len(shape))):
        if chosen[d] is None:
            chosen[d] = reach
            reach *= max(shape[d], 1)
    return [t or 0 for t in chosen]


def _laid_out(shape: Sequence[int], dtype: Any, strides: Sequence[int], alignment: int) -> Any:
    """A new array of strides in elements."""
    if 0 in shape:
        return np.empty(shape, dtype)
    ends = [t * (n - 1) * dtype.itemsize for t, n in zip(strides, shape, strict=True)]
    first = -sum(min(e, 0) for e in ends)
    memory = aligned_bytes(sum(map(abs, ends)) + dtype.itemsize, alignment, first)
    return np.ndarray(shape, dtype, memory, first, [t * dtype.itemsize for t in strides])


def _evaluate(text: str, symbols: dict[str, int]) -> int:
    """The value of an expression of symbols, often a symbol alone."""
    if text in symbols:
        return symbols[text]
    try:
        return int(eval(text, {"__builtins__": {}, "min": min, "max": max}, dict(symbols)))
    except ZeroDivisionError:
        return _total(ast.parse(text, mode="eval").body, symbols)


# By our own definition a quotient by 0 is 0, and so is the remainder.
_TOTAL: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: lambda a, b: a // b if b else 0,
    ast.Mod: lambda a, b: a % b if b else 0,
}


def _total(e: ast.expr, symbols: Mapping[str, int]) -> int:
    """The value of arithmetic that divides by 0 somewhere."""
    match e:
        case ast.Name(name):
            return symbols[name]
        case ast.UnaryOp(ast.USub(), x):
            return -_total(x, symbols)
        case ast.BinOp(x, op, y):
            return _TOTAL[type(op)](_total(x, symbols), _total(y, symbols))
        case ast.Call(ast.Name(name), args):
            return (min if name == "min" else max)(_total(a, symbols) for a in args)
    return int(ast.literal_eval(e))


# For each parameter dtype, shape, whether it is an output, bytes, and strides: None when compact, else for
# each dimension the number of its symbol (-1: none) and what a constant one is in bytes.
Plan = tuple[tuple[Any, tuple[int, ...], bool, int, tuple[tuple[int, int], ...] | None], ...]


def simple_plan(signature: KernelSignature) -> Plan | None:
    """What the arguments of a call that takes the short way look like; None unless all are arrays of constant
    shape."""
    plan = []
    if any(p.kind != "buffer" for p in signature.params) or any(b < 32 for b in signature.symbol_bits):
        return None
    if signature.limits:
        return None
    for p in signature.params:
        shape = tuple(s.value for s in p.shape if s.value is not None)
        if p.alignment or len(shape) != len(p.shape):
            return None
        dtype = memory_dtype(p.dtype)
        strides = None
        if p.strides is not None:
            if min(shape, default=0) < 2 or any(s.value is None and s.symbol is None for s in p.strides):
                return None  # a dimension of one element has no stride to speak of
            strides = tuple(
                (-1, s.value * dtype.itemsize)
                if s.value is not None
                else (signature.symbols.index(s.text), 0)
                for s in p.strides
            )
        plan.append((dtype, shape, p.is_output, dtype.itemsize * math.prod(shape), strides))
    return tuple(plan)


def simple_slots(plan: Plan, args: Sequence[Any]) -> list[int] | None:
    """The slots of a call whose arrays match the plan and do not overlap; None for any other, which goes through
    `prepare`."""
    if len(args) != len(plan):
        return None
    slots = []
    ends = []
    symbols: dict[int, int] = {}
    for a, (dtype, shape, is_output, size, strides) in zip(args, plan, strict=True):
        if a.__class__ not in ARRAYS or a.dtype is not dtype or a.shape != shape:
            return None
        flags = a.flags
        p = address_of_first(a)
        slots.append(p)
        if strides is None:
            if not (flags.carray if is_output else flags.c_contiguous and flags.aligned):
                return None
            ends.append((p, p + size))
        else:
            dense = flags.forc  # side by side in some order, and so apart
            if not flags.aligned or (is_output and not (flags.writeable and (dense or _nested(a)))):
                return None
            if not _simple_strides(strides, a.strides, dtype.itemsize, symbols):
                return None
            ends.append((p, p + size) if dense else _ends(a, p))
    for i, (_, _, is_output, _, _) in enumerate(plan):
        if is_output:
            low, high = ends[i]
            for j, (other_low, other_high) in enumerate(ends):
                if i != j and low < other_high and other_low < high:
                    return None
    return slots + [symbols[k] for k in range(len(symbols))] if symbols else slots


def _simple_strides(
    expected: tuple[tuple[int, int], ...], strides: tuple[int, ...], size: int, symbols: dict[int, int]
) -> bool:
    """Whether strides in bytes are those of a plan, with elements of `size` bytes; binds the symbols."""
    for (symbol, constant), step in zip(expected, strides, strict=True):
        if symbol < 0:
            if step != constant:
                return False
        elif step % size or symbols.setdefault(symbol, step // size) != step // size or abs(step) >> 31:
            return False
    return True


def _ends(a: Any, first: int) -> tuple[int, int]:
    """The addresses from the lowest byte of an array to one past its highest, whose first element is given."""
    low, high = first, first + a.itemsize
    for s, n in zip(a.strides, a.shape, strict=True):
        if s < 0:
            low += s * (n - 1)
        else:
            high += s * (n - 1)
    return low, high


def _in_order(
    kernel: str, params: Sequence[ParamSpec], args: Sequence[Any], keywords: Mapping[str, Any]
) -> list[Any]:
    listed = ", ".join(p.name for p in params)
    if len(args) > len(params):
        raise ArgumentError(
            f"kernel {kernel} takes {len(params)} arguments ({listed}) and was given {len(args)}",
            hint="give them in this order, outputs too",
        )
    by_index = dict(enumerate(args))
    for key, value in keywords.items():
        index = _named(kernel, params, key)
        if index in by_index:
            raise _refusal(f"kernel {kernel}: {key} is given twice", params[index])
        by_index[index] = value
    missing = [p for i, p in enumerate(params) if i not in by_index]
    if missing:
        raise _refusal(
            f"kernel {kernel} takes {len(params)} arguments ({listed}); missing: {', '.join(p.name for p in missing)}",
            *missing,
        )
    return [by_index[i] for i in range(len(params))]


def _named(kernel: str, params: Sequence[ParamSpec], key: str) -> int:
    """The index of the parameter that is called `key`."""
    indices = [i for i, p in enumerate(params) if p.name == key]
    if not indices:
        raise ArgumentError(
            f"kernel {kernel} has no parameter {key}", hint=f"it has {', '.join(p.name for p in params)}"
        )
    if len(indices) > 1:
        raise _refusal(
            f"kernel {kernel} has {len(indices)} parameters {key}, and {key}=... may be any of them",
            *(params[i] for i in indices),
            hint="pass all arguments by position",
        )
    return indices[0]


def _refusal(reason: str, *about: ParamSpec, hint: str | None = None) -> ArgumentError:
    """An error about some of the arguments. It gives their positions, since names may repeat."""
    positions = ", and ".join(dict.fromkeys(p.place for p in sorted(about, key=lambda p: p.position)))
    return ArgumentError(f"{reason}\n  at {positions}", hint=hint)


# ---------------------------------------------------------------- one argument


def _scalar(p: ParamSpec, value: Any) -> int:
    """A scalar argument as the integer that sizes are computed from (0 for floats, which are no sizes; 0 or 1 for
    truth values, of which any number but 0 is true)."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        _check_mask(p, value)
        value = value.item()
    if not isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating):
        raise _refusal(f"{p.name} is a {p.dtype} scalar, not {_kind(value)}", p)
    if p.is_float:
        if isinstance(value, int) and abs(value) >= 1 << 1024:
            raise _refusal(
                f"{p.name} is an integer of {value.bit_length()} bits and does not fit {p.dtype}", p
            )
        return 0
    if isinstance(value, float | np.floating) and not float(value).is_integer():
        raise _refusal(f"{p.name} is a {p.dtype} scalar, and {value} is not a whole number", p)
    if p.dtype == "bool":
        return int(bool(value))
    least, most = DType(p.dtype).ends
    if not least <= int(value) <= most:
        said = (
            f"{p.name}={value}"
            if int(value).bit_length() < 200
            else f"{p.name}, an integer of {int(value).bit_length()} bits,"
        )
        raise _refusal(f"{said} does not fit {p.dtype}", p)
    return int(value)


def _bits(p: ParamSpec, value: Any) -> int:
    if p.is_float:
        number = nearest(float(value), DType(p.dtype)) if p.dtype.endswith("16") else value
        return int(np.float64(number).view(np.int64))
    return int(bool(value)) if p.dtype == "bool" else int(value)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return f"a {type(value).__name__}"


def _as_ndarray(p: ParamSpec, value: Any) -> Any:
    """`value` as a numpy array that shares its memory."""
    if isinstance(value, np.ndarray):
        _check_mask(p, value)
        return in_kernels_memory(value, p.dtype)
    if hasattr(value, "__dlpack__") and not isinstance(value, type):
        try:
            # DLPack does not say that a tensor of torch is a negated view; its own method refuses that.
            is_torch = value.__class__.__module__.split(".")[0] == "torch"
            return value.numpy() if is_torch else np.from_dlpack(value)
        except Exception as e:  # whatever its owner raises
            raise _refusal(
                f"{p.name}: this {type(value).__name__} cannot be shared with numpy: {e}", p
            ) from e
    try:
        return np.asarray(memoryview(value))
    except (TypeError, ValueError, BufferError, NotImplementedError):
        pass
    if isinstance(value, bool | int | float) and not p.shape and not p.is_output:
        return _zero_dimensional(p, value)
    raise _refusal(
        f"{p.name} is an array of {p.dtype}, not {_kind(value)}",
        p,
        hint=f"numpy.asarray(x, dtype='{p.dtype}')",
    )


def _zero_dimensional(p: ParamSpec, value: bool | int | float) -> Any:
    """A Python number as an array of no dimensions, for a tensor that is one."""
    integer = _scalar(p, value)
    return to_memory(value if p.is_float else integer, DType(p.dtype))


def _check_mask(p: ParamSpec, a: Any) -> None:
    """Raise ArgumentError for an array that hides elements, which a kernel would read and write all the same."""
    hidden = masked_elements(a)
    if hidden:
        raise ArgumentError(
            f"{p.name} is a masked array that hides {hidden} of its {a.size} elements, and a kernel knows no masks",
            hint=f"{p.name}.filled(value) for an array, or {p.name}.data for the elements as they are",
        )


def _array(kernel: str, p: ParamSpec, value: Any, prepared: Prepared) -> Any:
    a = _as_ndarray(p, value)
    if a.dtype.hasobject:
        raise _refusal(
            f"{p.name} holds Python objects, and kernel {kernel} takes {p.dtype}",
            p,
            hint=None if p.is_output else f"{p.name}.astype('{p.dtype}') if they are numbers",
        )
    expected = memory_dtype(p.dtype)
    if a.dtype != expected:
        swapped = a.dtype.newbyteorder("=") == expected
        reason = f"{p.name} has dtype {a.dtype}, and kernel {kernel} takes {p.dtype}"
        raise _refusal(
            reason + (" in this machine's byte order" if swapped else ""), p, hint=_other_dtype(p, a, value)
        )
    if a.ndim != len(p.shape):
        raise _refusal(
            f"{p.name} has {a.ndim} dimensions {a.shape}, and kernel {kernel} takes {len(p.shape)}: {_shown(p.shape)}",
            p,
        )
    if p.is_output and not a.flags.writeable:
        raise _refusal(
            f"{p.name} is an output of kernel {kernel} and is read-only", p, hint="pass a copy of it"
        )
    for d, size in enumerate(p.shape):
        _match_size(p, d, size, a, prepared)
    if p.alignment and a.size:
        _check_alignment(p, a)
    if p.is_output and a.size:
        _check_apart(p, a)
    return a


def _other_dtype(p: ParamSpec, a: Any, value: Any) -> str | None:
    """How to convert an array of another dtype to one that a kernel takes."""
    if not is_in_numpy(p.dtype):
        return other_memory(p.dtype, f"{p.name}.astype(ml_dtypes.{p.dtype})")
    if p.is_output:
        return f"an array that it can write: numpy.empty({a.shape}, '{p.dtype}')"
    if not isinstance(value, np.ndarray) and a.dtype == np.uint8:
        return f"numpy.frombuffer({p.name}, '{p.dtype}') reads the bytes as {p.dtype}"
    if a.dtype.names:
        return f"one of its fields: {p.name}[{a.dtype.names[0]!r}]"
    if a.dtype.kind == "c":
        return f"{p.name}.real.astype('{p.dtype}'), and .imag for the other half"
    return f"{p.name}.astype('{p.dtype}')" if a.dtype.kind in "biuf" else None


def _check_alignment(p: ParamSpec, a: Any) -> None:
    remainder = address_of_first(a) % p.alignment
    if remainder:
        raise _refusal(
            f"{p.name} must begin at a multiple of {p.alignment} bytes (its buffer declares "
            f"data_alignment={p.alignment}), and its address leaves {remainder}",
            p,
            hint=f"copy {p.name} to memory that begins there, or declare data_alignment={remainder & -remainder}",
        )


def _check_apart(p: ParamSpec, a: Any) -> None:
    """Raise ArgumentError for an output of which two elements share memory."""
    if any(s == 0 and n > 1 for s, n in zip(a.strides, a.shape, strict=True)):
        raise _refusal(f"{p.name} is an output and has stride 0: several elements share one place", p)
    if not _nested(a) and _elements_meet(a):
        raise _refusal(
            f"{p.name} is an output whose own elements overlap: shape {a.shape}, strides {a.strides} (bytes)",
            p,
            hint=f"pass a copy of {p.name}",
        )


def _nested(a: Any) -> bool:
    """Whether every stride goes beyond all that smaller ones reach, so that no two elements meet."""
    reach = a.itemsize
    for s, n in sorted([(abs(s), n) for s, n in zip(a.strides, a.shape, strict=True) if n > 1]):
        if s < reach:
            return False
        reach += s * (n - 1)
    return True


def _elements_meet(a: Any) -> bool:
    """Whether any two elements of an array share a byte, by looking at the offsets of all."""
    offsets = np.zeros((), np.int64)
    for s, n in zip(a.strides, a.shape, strict=True):
        offsets = np.add.outer(offsets, np.arange(n, dtype=np.int64) * s)
    return bool((np.diff(np.sort(offsets, axis=None)) < a.itemsize).any())


def _shown(shape: Sequence[SymbolicSize]) -> str:
    return "(" + ", ".join(s.text for s in shape) + ("," if len(shape) == 1 else "") + ")"


def _match_size(p: ParamSpec, d: int, size: SymbolicSize, a: Any, prepared: Prepared) -> None:
    n = a.shape[d]
    if size.value is not None:
        if n != size.value:
            raise _refusal(
                f"{p.name} has shape {a.shape}, and the kernel takes {_shown(p.shape)}: dimension {d} is {n}, "
                f"not {size.value}",
                p,
            )
    elif size.symbol is not None:
        bound = prepared.symbols.setdefault(size.symbol, BoundSymbol(n, f"{p.name}'s dimension {d}", p))
        if bound.value != n:
            raise _refusal(
                f"{size.symbol} is {bound.value} from {bound.source}, but {p.name}'s dimension {d} is {n}",
                bound.parameter,
                p,
            )


def _in_form(p: ParamSpec, a: Any, prepared: Prepared) -> Any:
    """`a`, or a copy of it, in the layout that the parameter declares; symbols among the strides take their
    values from it."""
    if a.flags.aligned and _has_layout(p, a):
        ready = a
    else:
        keeps_strides = p.strides is not None and _has_layout(p, a)
        ready = _same_layout_copy(a, p.alignment) if keeps_strides else _compact_copy(a, p.alignment)
        if not _has_layout(p, ready):
            raise _refusal(
                f"{p.name} has strides {_elements(a)} (in elements), and the kernel takes {_shown(p.strides or ())}",
                p,
            )
        if p.is_output:
            prepared.write_back.append((a, ready))
    if p.strides is not None:
        _take_strides(p, ready, prepared)
    return ready


def _elements(a: Any) -> str:
    """The strides of an array in elements."""
    return str(tuple(s // a.itemsize if s % a.itemsize == 0 else s / a.itemsize for s in a.strides))


def _has_layout(p: ParamSpec, a: Any) -> bool:
    """Whether `a` is compact, where the parameter is, or has its constant strides, and whole ones elsewhere."""
    if p.strides is None:
        return bool(a.flags.c_contiguous)
    return a.size == 0 or all(
        n == 1 or (step % a.itemsize == 0 and size.value in (None, step // a.itemsize))
        for size, step, n in zip(p.strides, a.strides, a.shape, strict=True)
    )


def _take_strides(p: ParamSpec, a: Any, prepared: Prepared) -> None:
    """Bind the symbols of the strides. A dimension of one element has none: numpy puts any number there."""
    assert p.strides is not None
    for d, (size, step) in enumerate(zip(p.strides, a.strides, strict=True)):
        if size.symbol is None or a.shape[d] <= 1 or not a.size:
            continue
        stride = step // a.itemsize
        bound = prepared.symbols.setdefault(size.symbol, BoundSymbol(stride, f"{p.name}'s stride {d}", p))
        if bound.value != stride:
            raise _refusal(
                f"{size.symbol} is {bound.value} from {bound.source}, but {p.name}'s stride {d} is {stride} (in elements)",
                bound.parameter,
                p,
                hint="strides that share a te.var must agree; declare one for each",
            )


# ---------------------------------------------------------------- all arguments together


def _free_strides(signature: KernelSignature, prepared: Prepared) -> None:
    """Values for stride symbols that only dimensions of one element have: 1 in the innermost dimension, so that
    neighbours are recognized, and numpy's own elsewhere."""
    buffers = [p for p in signature.params if p.kind == "buffer"]
    for p, a in zip(buffers, prepared.arrays, strict=True):
        for d, size in enumerate(p.strides or ()):
            if size.symbol is not None and size.symbol not in prepared.symbols:
                stride = 1 if d == a.ndim - 1 or a.strides[d] % a.itemsize else a.strides[d] // a.itemsize
                prepared.symbols[size.symbol] = BoundSymbol(stride, f"{p.name}'s stride {d}", p)


def _check_range(signature: KernelSignature, prepared: Prepared) -> None:
    """Symbols must fit their width, often 32 bits."""
    for name, bits in zip(signature.symbols, signature.symbol_bits, strict=False):
        value, source, p = prepared.symbols[name]
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise _refusal(
                f"{name} is {value} from {source}, which does not fit int{bits}",
                p,
                hint=f'te.var("{name}", "int64")',
            )


def _check_limits(signature: KernelSignature, prepared: Prepared) -> None:
    """What the kernel computes from its symbols must fit too."""
    values = {name: bound.value for name, bound in prepared.symbols.items()} if signature.limits else {}
    for limit in signature.limits:
        value = _evaluate(limit.text, values)
        if not -(1 << limit.bits - 1) <= value < 1 << limit.bits - 1:
            raise ArgumentError(
                f"kernel {signature.name}: {limit.what} needs {limit.text}, which is {value} and does not fit "
                f"int{limit.bits}",
                hint="give the sizes in it 64 bits: te.var(name, 'int64')" if limit.bits < 63 else None,
            )


def _check_computed(signature: KernelSignature, prepared: Prepared) -> None:
    """Sizes that are expressions of symbols: `n*2 + 1`."""
    values = {name: bound.value for name, bound in prepared.symbols.items()}
    missing = [s for s in signature.symbols if s not in values]
    if missing:
        raise ArgumentError(f"the value of {missing[0]} does not follow from the arguments")
    buffers = [p for p in signature.params if p.kind == "buffer"]
    for p, a in zip(buffers, prepared.arrays, strict=True):
        _check_expressions(p, "dimension", p.shape, a.shape, values)
        if p.strides is not None and a.size:
            # A dimension of one element has no stride that could be wrong.
            strides = [s // a.itemsize if n > 1 else None for s, n in zip(a.strides, a.shape, strict=True)]
            _check_expressions(p, "stride", p.strides, strides, values)


def _check_expressions(
    p: ParamSpec,
    property_name: str,
    sizes: Sequence[SymbolicSize],
    actual: Sequence[int | None],
    values: dict[str, int],
) -> None:
    for d, (size, n) in enumerate(zip(sizes, actual, strict=True)):
        if size.value is None and size.symbol is None and n is not None:
            expected = _evaluate(size.text, values)
            if n != expected:
                raise _refusal(f"{p.name}'s {property_name} {d} is {n}, and {size.text} is {expected}", p)


def _separate(signature: KernelSignature, prepared: Prepared) -> None:
    """Kernels assume that the arrays they write overlap no others: an input that overlaps is copied first, as in
    numpy, and outputs that overlap are refused."""
    buffers = [p for p in signature.params if p.kind == "buffer"]
    for i, p in enumerate(buffers):
        for j, q in enumerate(buffers):
            if not p.is_output or i == j:
                continue
            if q.is_output:
                if i < j and _meet(prepared.passed[i], prepared.passed[j]):
                    raise _refusal(
                        f"the outputs {p.name} and {q.name} share memory",
                        p,
                        q,
                        hint=f"pass a copy of {q.name}",
                    )
            elif _meet(prepared.arrays[i], prepared.arrays[j]):
                prepared.arrays[j] = _same_layout_copy(prepared.arrays[j], q.alignment)


def _meet(a: Any, b: Any) -> bool:
    """Whether two arrays have a byte in common; where that takes long to find out, whether they might."""
    if _apart(a, b):
        return False
    try:
        return bool(np.shares_memory(a, b, max_work=100_000))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _apart(a: Any, b: Any) -> bool:
    """Whether two arrays certainly have no byte in common."""
    if a.flags.c_contiguous and b.flags.c_contiguous:
        p, q = address_of_first(a), address_of_first(b)
        return bool(p + a.nbytes <= q or q + b.nbytes <= p)
    return not np.may_share_memory(a, b)


def _compact_copy(a: Any, alignment: int) -> Any:
    copy = aligned_empty(a.shape, a.dtype, alignment)
    np.copyto(copy, a)
    return copy


def _same_layout_copy(a: Any, alignment: int) -> Any:
    """A copy whose strides are those of `a`, which the kernel expects."""
    if a.flags.c_contiguous or not a.size:
        return _compact_copy(a, alignment)
    low, high = np.lib.array_utils.byte_bounds(a)
    first = address_of_first(a) - int(low)
    copy = np.ndarray(a.shape, a.dtype, aligned_bytes(int(high - low), alignment, first), first, a.strides)
    # Where the stride is 0 all elements are one: it is copied once, however often the view repeats it.
    once = tuple(slice(0, 1) if s == 0 else slice(None) for s in a.strides)
    np.copyto(copy[once], a[once])
    return copy
