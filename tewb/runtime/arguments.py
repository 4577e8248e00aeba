"""Arguments of a kernel call: each is checked and brought into the kernel's form, and every refusal is explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tewb.base import ArgumentError
from tewb.runtime.abi import KernelSignature, ParamSpec, SymbolicSize
from tewb.runtime.aligned_memory import address_of_first
from tewb.runtime.argument_order import in_order, refusal
from tewb.runtime.array_memory import compact_copy, same_layout_copy, share_memory
from tewb.runtime.one_argument import checked_array, number_bits, shape_text, whole_number
from tewb.runtime.prepared import BoundSymbol, Prepared
from tewb.runtime.symbolic_sizes import evaluated


def prepare(signature: KernelSignature, args: Sequence[Any], keywords: Mapping[str, Any]) -> Prepared:
    """Check the arguments of a call and bring them into the kernel's form. Raises ArgumentError."""
    values = in_order(signature.name, signature.params, args, keywords)
    prepared = Prepared()
    numbers = [(p, v) for p, v in zip(signature.params, values, strict=True) if p.kind == "scalar"]
    for p, v in numbers:
        prepared.symbols[p.symbol] = BoundSymbol(whole_number(p, v), "the argument", p)
    # Sizes come first, so that a stride which is also the size of some array is compared with it.
    buffers = [(p, v) for p, v in zip(signature.params, values, strict=True) if p.kind == "buffer"]
    prepared.passed = [checked_array(signature.name, p, v, prepared) for p, v in buffers]
    prepared.arrays = [_in_form(p, a, prepared) for (p, _), a in zip(buffers, prepared.passed, strict=True)]
    _solve_sizes(signature, prepared)
    _free_strides(signature, prepared)
    _check_computed(signature, prepared)
    _check_range(signature, prepared)
    _check_limits(signature, prepared)
    _separate(signature, prepared)
    arrays = iter(prepared.arrays)
    for p, v in zip(signature.params, values, strict=True):
        prepared.slots.append(address_of_first(next(arrays)) if p.kind == "buffer" else number_bits(p, v))
    for name in signature.symbols:
        prepared.slots.append(prepared.symbols[name].value)
    return prepared


def _in_form(p: ParamSpec, a: Any, prepared: Prepared) -> Any:
    """`a`, or a copy of it, in the layout that the parameter declares; symbols among the strides take their
    values from it."""
    if a.flags.aligned and _has_layout(p, a):
        ready = a
    else:
        keeps_strides = p.strides is not None and _has_layout(p, a)
        ready = same_layout_copy(a, p.alignment) if keeps_strides else compact_copy(a, p.alignment)
        if not _has_layout(p, ready):
            raise refusal(
                f"{p.name} has strides {_elements(a)} (in elements), and the kernel takes {shape_text(p.strides or ())}",
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
            raise refusal(
                f"{size.symbol} is {bound.value} from {bound.source}, but {p.name}'s stride {d} is {stride} (in elements)",
                bound.parameter,
                p,
                hint="strides that share a te.var must agree; declare one for each",
            )


def _solve_sizes(signature: KernelSignature, prepared: Prepared) -> None:
    """Values for symbols that only sizes such as `32*d` tell."""
    buffers = [p for p in signature.params if p.kind == "buffer"]
    for p, a in zip(buffers, prepared.arrays, strict=True):
        for d, (size, n) in enumerate(zip(p.shape, a.shape, strict=True)):
            if size.told is None or size.told in prepared.symbols:
                continue
            value, rest = divmod(n - size.offset, size.factor)
            if rest or value < 0:
                raise refusal(
                    f"{p.name}'s dimension {d} is {n}, and is to be {size.text}: no {size.told} makes that", p
                )
            prepared.symbols[size.told] = BoundSymbol(value, f"{p.name}'s dimension {d}", p)


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
            raise refusal(
                f"{name} is {value} from {source}, which does not fit int{bits}",
                p,
                hint=f'te.var("{name}", "int64")',
            )


def _check_limits(signature: KernelSignature, prepared: Prepared) -> None:
    """What the kernel computes from its symbols must fit too."""
    values = {name: bound.value for name, bound in prepared.symbols.items()} if signature.limits else {}
    for limit in signature.limits:
        value = evaluated(limit.text, values)
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
            expected = evaluated(size.text, values)
            if n != expected:
                raise refusal(f"{p.name}'s {property_name} {d} is {n}, and {size.text} is {expected}", p)


def _separate(signature: KernelSignature, prepared: Prepared) -> None:
    """Kernels assume that the arrays they write overlap no others: an input that overlaps is copied first, as in
    numpy, and outputs that overlap are refused."""
    buffers = [p for p in signature.params if p.kind == "buffer"]
    for i, p in enumerate(buffers):
        for j, q in enumerate(buffers):
            if not p.is_output or i == j:
                continue
            if q.is_output:
                if i < j and share_memory(prepared.passed[i], prepared.passed[j]):
                    raise refusal(
                        f"the outputs {p.name} and {q.name} share memory",
                        p,
                        q,
                        hint=f"pass a copy of {q.name}",
                    )
            elif share_memory(prepared.arrays[i], prepared.arrays[j]):
                prepared.arrays[j] = same_layout_copy(prepared.arrays[j], q.alignment)
