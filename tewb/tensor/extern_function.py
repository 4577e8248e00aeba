"""Functions as externs: IR that is there already computes tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb.arith import Analyzer
from tewb.base import ExternError, here
from tewb.ir import Buffer, BufferLoad, PrimFunc, ops, walk
from tewb.tensor.extern import extern
from tewb.tensor.tensor import Tensor


def extern_primfunc(input_tensors: Sequence[Tensor], primfunc: PrimFunc, **kwargs: Any) -> Any:
    """The tensors that `primfunc` computes from `input_tensors`, which are its other parameters in order, as an extern.

    `kwargs` are those of te.extern, such as `name`. A buffer that it reads and writes is an output, unless there is one
    that it only writes and a tensor for each other. Raises ExternError.
    """
    if not isinstance(primfunc, PrimFunc):
        raise ExternError(
            f"extern_primfunc takes a function of IR, not {primfunc!r}",
            hint='te.extern_primfunc([A], tewb.lower(s, [A, B])["main"])',
            span=here(),
        )
    tensors = [input_tensors] if isinstance(input_tensors, Tensor) else list(input_tensors)
    outputs = _outputs(primfunc, len(tensors))
    inputs = [p for p in primfunc.params if isinstance(p, Buffer) and p not in outputs]
    for t, b in zip(tensors, inputs, strict=True):
        _check_input(primfunc, t, b)
    return extern(
        [list(b.shape) for b in outputs] if len(outputs) > 1 else list(outputs[0].shape),
        tensors,
        lambda ins, outs: primfunc.body,
        dtype=[b.dtype for b in outputs] if len(outputs) > 1 else outputs[0].dtype,
        in_buffers=inputs,
        out_buffers=outputs,
        **kwargs,
    )


def _outputs(f: PrimFunc, inputs: int) -> list[Buffer]:
    """The buffers that are outputs when `inputs` of them are given. Raises ExternError."""
    buffers = [p for p in f.params if isinstance(p, Buffer)]
    written = [p for p in (f.params[n] for n in f.outputs) if isinstance(p, Buffer)]
    read = {n.buffer.data for n in walk(f.body) if isinstance(n, BufferLoad)}
    only_written = [b for b in written if b.data not in read]
    # What a packed function or C code writes is not to be seen: then the outputs come last.
    for outputs in (only_written, written, [] if written else buffers[inputs:]):
        if outputs and len(buffers) - len(outputs) == inputs:
            return outputs
    raise ExternError(
        f"extern_primfunc: {f.name} has {len(buffers)} arrays and computes {len(written)} of them, "
        f"{', '.join(b.name for b in written) or 'none'}; {inputs} inputs are given",
        hint=f"a tensor for each of {', '.join(b.name for b in buffers if b not in written) or 'the others'}",
        span=here(),
    )


def _check_input(f: PrimFunc, t: Any, b: Buffer) -> None:
    if not isinstance(t, Tensor):
        raise ExternError(f"extern_primfunc: an input is a tensor, not {t!r}", span=here())
    known = Analyzer()
    same = len(t.shape) == len(b.shape) and t.dtype == b.dtype
    if not same or not all(known.can_prove(ops.equal(m, n)) for m, n in zip(t.shape, b.shape, strict=True)):
        raise ExternError(
            f"extern_primfunc: {b.name} of {f.name} has shape {tuple(b.shape)} and dtype {b.dtype}, and {t.name} "
            f"has {tuple(t.shape)} and {t.dtype}",
            hint="the tensors are in the order of the parameters of the function",
            span=here(),
        )
