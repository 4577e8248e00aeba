"""From what a caller gives to what a kernel takes: every array is checked, and every refusal explained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tewb.base import ArgumentError
from tewb.runtime.abi import KernelSignature, ParamSpec, Size


class Prepared:
    """Arguments that are ready: `slots` for the machine code, `arrays` in the order of the parameters, and
    copies to write back when the kernel is done."""

    __slots__ = ("arrays", "slots", "symbols", "write_back")

    def __init__(self) -> None:
        self.slots: list[int] = []
        self.arrays: list[Any] = []
        self.symbols: dict[str, tuple[int, str]] = {}
        self.write_back: list[tuple[Any, Any]] = []


def prepare(signature: KernelSignature, args: Sequence[Any], keywords: Mapping[str, Any]) -> Prepared:
    """Check the arguments of a call and bring them into the kernel's form. Raises ArgumentError."""
    values = _in_order(signature, args, keywords)
    made = Prepared()
    numbers = [(p, v) for p, v in zip(signature.params, values, strict=True) if p.kind == "scalar"]
    for p, v in numbers:
        made.symbols[p.name] = (_scalar(p, v), "the argument")
    for p, v in zip(signature.params, values, strict=True):
        if p.kind == "buffer":
            made.arrays.append(_array(signature.name, p, v, made))
    _check_computed(signature, made)
    _separate(signature, made)
    arrays = iter(made.arrays)
    for p, v in zip(signature.params, values, strict=True):
        made.slots.append(_address(next(arrays)) if p.kind == "buffer" else _bits(p, v))
    for name in signature.symbols:
        made.slots.append(made.symbols[name][0])
    return made


Plan = tuple[tuple[Any, tuple[int, ...], bool, int], ...]


def simple_plan(signature: KernelSignature) -> Plan | None:
    """(dtype, shape, is output, bytes) of every parameter, when all are compact arrays of constant shape."""
    found = []
    for p in signature.params:
        shape = tuple(s.value for s in p.shape if s.value is not None)
        if p.kind != "buffer" or p.strides is not None or len(shape) != len(p.shape):
            return None
        dtype = np.dtype(p.dtype)
        found.append((dtype, shape, p.is_output, dtype.itemsize * math.prod(shape)))
    return tuple(found)


def simple_slots(plan: Plan, args: Sequence[Any]) -> list[int] | None:
    """The slots of a call whose arrays are just what the plan says and lie apart; None for any other, which
    `prepare` looks at closely."""
    if len(args) != len(plan):
        return None
    slots = []
    for a, (dtype, shape, is_output, _) in zip(args, plan, strict=True):
        if a.__class__ is not np.ndarray or a.dtype is not dtype or a.shape != shape:
            return None
        flags = a.flags
        if not (flags.carray if is_output else flags.c_contiguous and flags.aligned):
            return None
        slots.append(_address(a))
    for i, (_, _, is_output, size) in enumerate(plan):
        if is_output:
            p = slots[i]
            for j, (_, _, _, other) in enumerate(plan):
                if i != j and p < slots[j] + other and slots[j] < p + size:
                    return None
    return slots


def _in_order(signature: KernelSignature, args: Sequence[Any], keywords: Mapping[str, Any]) -> list[Any]:
    names = [p.name for p in signature.params]
    if len(args) > len(names):
        raise ArgumentError(
            f"kernel {signature.name} takes {len(names)} arguments ({', '.join(names)}) and was given {len(args)}"
        )
    given = dict(zip(names, args, strict=False))
    for key, value in keywords.items():
        if key not in names:
            raise ArgumentError(
                f"kernel {signature.name} has no parameter {key}", hint=f"it has {', '.join(names)}"
            )
        if key in given:
            raise ArgumentError(f"kernel {signature.name}: {key} is given twice")
        given[key] = value
    missing = [n for n in names if n not in given]
    if missing:
        raise ArgumentError(
            f"kernel {signature.name} takes {len(names)} arguments ({', '.join(names)}); missing: {', '.join(missing)}"
        )
    return [given[n] for n in names]


# ---------------------------------------------------------------- one argument


def _scalar(p: ParamSpec, value: Any) -> int:
    """A scalar argument as the integer that sizes are computed from (0 for floats, which are no sizes)."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, bool | int | float | np.generic):
        raise ArgumentError(f"{p.name} is a {p.dtype} scalar, not {_kind(value)}")
    if p.dtype.startswith("float"):
        return 0
    if isinstance(value, float | np.floating) and not float(value).is_integer():
        raise ArgumentError(f"{p.name} is a {p.dtype} scalar, and {value} is not a whole number")
    info = np.iinfo(p.dtype if p.dtype != "bool" else "int8")
    if not info.min <= int(value) <= info.max:
        raise ArgumentError(f"{p.name}={value} does not fit {p.dtype}")
    return int(value)


def _bits(p: ParamSpec, value: Any) -> int:
    if p.dtype.startswith("float"):
        return int(np.float64(value).view(np.int64))
    return int(value)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return f"a {type(value).__name__}"


def _as_ndarray(p: ParamSpec, value: Any) -> Any:
    """`value` as a numpy array that shares its memory."""
    if isinstance(value, np.ndarray):
        return value
    inner = getattr(value, "_tewb_array", None)
    if isinstance(inner, np.ndarray):
        return inner
    if hasattr(value, "__dlpack__"):
        try:
            return np.from_dlpack(value)
        except (BufferError, RuntimeError, TypeError) as e:
            raise ArgumentError(
                f"{p.name}: this {type(value).__name__} cannot be shared with numpy: {e}"
            ) from e
    try:
        return np.asarray(memoryview(value))
    except TypeError:
        pass
    if isinstance(value, bool | int | float | np.generic) and not p.shape:
        return np.asarray(value, p.dtype)
    raise ArgumentError(
        f"{p.name} is an array of {p.dtype}, not {_kind(value)}", hint=f"numpy.asarray(x, dtype='{p.dtype}')"
    )


def _array(kernel: str, p: ParamSpec, value: Any, made: Prepared) -> Any:
    a = _as_ndarray(p, value)
    if a.dtype.hasobject:
        raise ArgumentError(f"{p.name} holds Python objects, and kernel {kernel} takes {p.dtype}")
    wanted = np.dtype(p.dtype)
    if a.dtype != wanted:
        swapped = a.dtype.newbyteorder("=") == wanted
        reason = f"{p.name} has dtype {a.dtype}, and kernel {kernel} takes {p.dtype}"
        raise ArgumentError(
            reason + (" in this machine's byte order" if swapped else ""),
            hint=f"{p.name}.astype('{p.dtype}')",
        )
    if a.ndim != len(p.shape):
        raise ArgumentError(
            f"{p.name} has {a.ndim} dimensions {a.shape}, and kernel {kernel} takes {len(p.shape)}: {_shown(p.shape)}"
        )
    if p.is_output and not a.flags.writeable:
        raise ArgumentError(
            f"{p.name} is an output of kernel {kernel} and is read-only", hint="pass a copy of it"
        )
    for d, size in enumerate(p.shape):
        _match_size(p, d, size, a, made)
    return _in_form(p, a, made)


def _shown(shape: Sequence[Size]) -> str:
    return "(" + ", ".join(s.text for s in shape) + ("," if len(shape) == 1 else "") + ")"


def _match_size(p: ParamSpec, d: int, size: Size, a: Any, made: Prepared) -> None:
    n = a.shape[d]
    if size.value is not None:
        if n != size.value:
            raise ArgumentError(
                f"{p.name} has shape {a.shape}, and the kernel takes {_shown(p.shape)}: dimension {d} is {n}, "
                f"not {size.value}"
            )
    elif size.symbol is not None:
        known = made.symbols.setdefault(size.symbol, (n, f"{p.name}'s dimension {d}"))
        if known[0] != n:
            raise ArgumentError(
                f"{size.symbol} is {known[0]} from {known[1]}, but {p.name}'s dimension {d} is {n}"
            )


def _in_form(p: ParamSpec, a: Any, made: Prepared) -> Any:
    """`a`, or a copy of it, with the strides that the parameter declares."""
    if p.is_output and a.size and any(s == 0 and n > 1 for s, n in zip(a.strides, a.shape, strict=True)):
        raise ArgumentError(f"{p.name} is an output and has stride 0: several elements share one place")
    fits = a.flags.aligned and (_strides_fit(p, a, made) if p.strides is not None else a.flags.c_contiguous)
    if fits:
        return a
    copy = np.ascontiguousarray(a).reshape(a.shape)
    if copy is a or np.shares_memory(copy, a):
        copy = a.copy(order="C")
    if p.strides is not None and not _strides_fit(p, copy, made):
        raise ArgumentError(
            f"{p.name} has strides {tuple(s // a.itemsize for s in a.strides)} (in elements), and the kernel takes "
            f"{_shown(p.strides)}"
        )
    if p.is_output:
        made.write_back.append((a, copy))
    return copy


def _strides_fit(p: ParamSpec, a: Any, made: Prepared) -> bool:
    """Whether the strides of `a` are what the parameter declares; symbols take their values from it."""
    assert p.strides is not None
    for d, (size, step) in enumerate(zip(p.strides, a.strides, strict=True)):
        if step % a.itemsize:
            return False
        stride = step // a.itemsize
        if size.symbol is not None:
            if made.symbols.setdefault(size.symbol, (stride, f"{p.name}'s stride {d}"))[0] != stride:
                return False
        elif size.value is not None and size.value != stride and a.shape[d] > 1:
            return False
    return True


# ---------------------------------------------------------------- all arguments together


def _check_computed(signature: KernelSignature, made: Prepared) -> None:
    """Sizes that are expressions of symbols: `n*2 + 1`."""
    values = {name: v for name, (v, _) in made.symbols.items()}
    missing = [s for s in signature.symbols if s not in values]
    if missing:
        raise ArgumentError(f"the value of {missing[0]} does not follow from the arguments")
    buffers = [p for p in signature.params if p.kind == "buffer"]
    for p, a in zip(buffers, made.arrays, strict=True):
        for d, size in enumerate(p.shape):
            if size.value is None and size.symbol is None:
                expected = eval(size.text, {"__builtins__": {}, "min": min, "max": max}, dict(values))
                if a.shape[d] != expected:
                    raise ArgumentError(
                        f"{p.name}'s dimension {d} is {a.shape[d]}, and {size.text} is {expected}"
                    )


def _separate(signature: KernelSignature, made: Prepared) -> None:
    """Kernels take it that what they write is nowhere else: an input that overlaps is copied first."""
    buffers = [p for p in signature.params if p.kind == "buffer"]
    outputs = [i for i, p in enumerate(buffers) if p.is_output]
    for i in outputs:
        for j in range(len(buffers)):
            a, b = made.arrays[i], made.arrays[j]
            if i == j or _apart(a, b) or not np.shares_memory(a, b):
                continue
            if buffers[j].is_output:
                raise ArgumentError(f"the outputs {buffers[i].name} and {buffers[j].name} share memory")
            made.arrays[j] = _same_layout_copy(b)


def _apart(a: Any, b: Any) -> bool:
    """Whether two arrays certainly have no byte in common."""
    if a.flags.c_contiguous and b.flags.c_contiguous:
        p, q = _address(a), _address(b)
        return bool(p + a.nbytes <= q or q + b.nbytes <= p)
    return not np.may_share_memory(a, b)


def _address(a: Any) -> int:
    """Where the first element of an array is."""
    address: int = a.__array_interface__["data"][0]
    return address


def _same_layout_copy(a: Any) -> Any:
    """A copy whose strides are those of `a`, as the kernel was told."""
    if a.flags.c_contiguous:
        return a.copy()
    low, high = np.lib.array_utils.byte_bounds(a)
    raw = np.empty(int(high - low), np.uint8)
    made = np.ndarray(a.shape, a.dtype, raw, int(a.ctypes.data - low), a.strides)
    np.copyto(made, a)
    return made
