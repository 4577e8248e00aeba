"""One argument of a call, a number or an array: whether it is what its parameter takes, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tewb.base import (
    ArgumentError,
    DType,
    in_kernels_memory,
    is_in_numpy,
    masked_elements,
    memory_dtype,
    nearest,
    other_memory,
    to_memory,
    with_article,
)
from tewb.runtime.abi import ParamSpec, SymbolicSize
from tewb.runtime.aligned_memory import address_of_first
from tewb.runtime.argument_order import refusal
from tewb.runtime.array_memory import elements_meet, is_nested
from tewb.runtime.prepared import BoundSymbol, Prepared


def whole_number(p: ParamSpec, value: Any) -> int:
    """A scalar argument as the integer that sizes are computed from (0 for floats, which are no sizes; 0 or 1 for
    truth values, of which any number but 0 is true)."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        _check_mask(p, value)
        value = value.item()
    if not isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating):
        raise refusal(f"{p.name} is a {p.dtype} scalar, not {_kind(value)}", p)
    if p.is_float:
        if isinstance(value, int) and abs(value) >= 1 << 1024:
            raise refusal(
                f"{p.name} is an integer of {value.bit_length()} bits and does not fit {p.dtype}", p
            )
        return 0
    if isinstance(value, float | np.floating) and not float(value).is_integer():
        raise refusal(f"{p.name} is a {p.dtype} scalar, and {value} is not a whole number", p)
    if p.dtype == "bool":
        return int(bool(value))
    least, most = DType(p.dtype).ends
    if not least <= int(value) <= most:
        said = (
            f"{p.name}={value}"
            if int(value).bit_length() < 200
            else f"{p.name}, an integer of {int(value).bit_length()} bits,"
        )
        raise refusal(f"{said} does not fit {p.dtype}", p)
    return int(value)


def number_bits(p: ParamSpec, value: Any) -> int:
    if p.is_float:
        number = nearest(float(value), DType(p.dtype)) if p.dtype.endswith("16") else value
        return int(np.float64(number).view(np.int64))
    return int(bool(value)) if p.dtype == "bool" else int(value)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return with_article(type(value).__name__)


def as_ndarray(p: ParamSpec, value: Any) -> Any:
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
            raise refusal(f"{p.name}: this {type(value).__name__} cannot be shared with numpy: {e}", p) from e
    try:
        return np.asarray(memoryview(value))
    except (TypeError, ValueError, BufferError, NotImplementedError):
        pass
    if isinstance(value, bool | int | float) and not p.shape and not p.is_output:
        return _zero_dimensional(p, value)
    raise refusal(
        f"{p.name} is an array of {p.dtype}, not {_kind(value)}",
        p,
        hint=f"numpy.asarray(x, dtype='{p.dtype}')",
    )


def _zero_dimensional(p: ParamSpec, value: bool | int | float) -> Any:
    """A Python number as an array of no dimensions, for a tensor that is one."""
    integer = whole_number(p, value)
    return to_memory(value if p.is_float else integer, DType(p.dtype))


def _check_mask(p: ParamSpec, a: Any) -> None:
    """Raise ArgumentError for an array that hides elements, which a kernel would read and write all the same."""
    hidden = masked_elements(a)
    if hidden:
        raise ArgumentError(
            f"{p.name} is a masked array that hides {hidden} of its {a.size} elements, and a kernel knows no masks",
            hint=f"{p.name}.filled(value) for an array, or {p.name}.data for the elements as they are",
        )


def checked_array(kernel: str, p: ParamSpec, value: Any, prepared: Prepared) -> Any:
    a = as_ndarray(p, value)
    if a.dtype.hasobject:
        raise refusal(
            f"{p.name} holds Python objects, and kernel {kernel} takes {p.dtype}",
            p,
            hint=None if p.is_output else f"{p.name}.astype('{p.dtype}') if they are numbers",
        )
    expected = memory_dtype(p.dtype)
    if a.dtype != expected:
        swapped = a.dtype.newbyteorder("=") == expected
        reason = f"{p.name} has dtype {a.dtype}, and kernel {kernel} takes {p.dtype}"
        raise refusal(
            reason + (" in this machine's byte order" if swapped else ""), p, hint=_other_dtype(p, a, value)
        )
    if a.ndim != len(p.shape):
        raise refusal(
            f"{p.name} has {a.ndim} dimensions {a.shape}, and kernel {kernel} takes {len(p.shape)}: {shape_text(p.shape)}",
            p,
        )
    if p.is_output and not a.flags.writeable:
        raise refusal(
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
        raise refusal(
            f"{p.name} must begin at a multiple of {p.alignment} bytes (its buffer declares "
            f"data_alignment={p.alignment}), and its address leaves {remainder}",
            p,
            hint=f"copy {p.name} to memory that begins there, or declare data_alignment={remainder & -remainder}",
        )


def _check_apart(p: ParamSpec, a: Any) -> None:
    """Raise ArgumentError for an output of which two elements share memory."""
    if any(s == 0 and n > 1 for s, n in zip(a.strides, a.shape, strict=True)):
        raise refusal(f"{p.name} is an output and has stride 0: several elements share one place", p)
    if not is_nested(a) and elements_meet(a):
        raise refusal(
            f"{p.name} is an output whose own elements overlap: shape {a.shape}, strides {a.strides} (bytes)",
            p,
            hint=f"pass a copy of {p.name}",
        )


def shape_text(shape: Sequence[SymbolicSize]) -> str:
    return "(" + ", ".join(s.text for s in shape) + ("," if len(shape) == 1 else "") + ")"


def _match_size(p: ParamSpec, d: int, size: SymbolicSize, a: Any, prepared: Prepared) -> None:
    n = a.shape[d]
    if size.value is not None:
        if n != size.value:
            raise refusal(
                f"{p.name} has shape {a.shape}, and the kernel takes {shape_text(p.shape)}: dimension {d} is {n}, "
                f"not {size.value}",
                p,
            )
    elif size.symbol is not None:
        bound = prepared.symbols.setdefault(size.symbol, BoundSymbol(n, f"{p.name}'s dimension {d}", p))
        if bound.value != n:
            raise refusal(
                f"{size.symbol} is {bound.value} from {bound.source}, but {p.name}'s dimension {d} is {n}",
                bound.parameter,
                p,
            )
