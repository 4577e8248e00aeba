"""How tensors, schedules, IR and kernels look in a notebook.

The classes of the core know no HTML. IPython asks a table by type what to show, and `install` fills it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from tewb.base import TewbError, digits
from tewb.ir import Buffer, Expr, IRModule, IterVar, PrimFunc, const_int, script
from tewb.runtime import Kernel
from tewb.schedule import Schedule, Stage
from tewb.tensor import ComputeOp, Operation, Tensor
from tewb.workbench.looks.loop_tree import GIVEN, loop_tree
from tewb.workbench.looks.sizes import memory_shown
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.trace.access_trace import AccessTrace
from tewb.workbench.views import access, plain


def html(thing: Any) -> str:
    """What a notebook shows of `thing`: inline styles only, everything escaped. Raises TewbError for what
    has no look of its own."""
    look = next((LOOKS[c] for c in type(thing).__mro__ if c in LOOKS), None)
    if look is None:
        raise TewbError(
            f"{type(thing).__name__} has no look of its own",
            hint=f"there are looks for {', '.join(c.__name__ for c in LOOKS)}",
        )
    return f"<div>{look(thing)}</div>"


def text(thing: Any) -> str:
    """What a terminal shows of `thing`: the loops of a schedule, IR as it is printed, else its repr."""
    if isinstance(thing, PrimFunc | IRModule):
        return plain.cut(script(thing))
    return _loops(thing) if isinstance(thing, Schedule) else repr(thing)


def install(shell: Any) -> None:
    """Let an IPython shell show our classes: as HTML in a notebook, IR as its text in a terminal."""
    formatters = shell.display_formatter.formatters
    for cls in LOOKS:
        formatters["text/html"].for_type(cls, _shown)
    for cls in (PrimFunc, IRModule):
        formatters["text/plain"].for_type(cls, _text)


def _shown(thing: Any) -> str:
    """As `html`; what keeps it from being made is shown in its place."""
    try:
        return html(thing)
    except TewbError as e:
        return plain.pre(f"{thing!r}\n{e}")


def _text(thing: PrimFunc | IRModule, printer: Any, cycle: bool) -> None:
    printer.text(text(thing))


# ---------------------------------------------------------------- what to compute


def _shape(sizes: Iterable[Expr]) -> str:
    shown = [script(n) for n in sizes]
    return f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"


def _named(name: str, about: str) -> str:
    return f"<div><b>{escape(name)}</b> {escape(about)}</div>"


def _axes(op: Operation, axes: Iterable[IterVar]) -> str:
    domains = ((a, op.domain(a)) for a in axes)
    return ", ".join(f"{a.name}({script(r.extent) if r else '?'})" for a, r in domains)


def _tensor(t: Tensor) -> str:
    kind = type(t.op).__name__.removesuffix("Op").lower()
    html = [_named(t.name, f"{kind}: {t.dtype}{_shape(t.shape)}, {memory_shown(t)}")]
    facts = []
    if t.op.inputs:
        facts.append(f"reads {', '.join(i.name for i in t.op.inputs)}")
    if t.op.axis:
        facts.append(f"axes {_axes(t.op, t.op.axis)}")
    if t.op.reduce_axis:
        facts.append(f"reduces over {_axes(t.op, t.op.reduce_axis)}")
    if isinstance(t.op, ComputeOp):
        index = ", ".join(a.name for a in t.op.axis)
        html.append(plain.listing(t.name, f"{t.name}[{index}] = {script(t.op.body[t.value_index])}"))
    if t.op.span is not None:
        facts.append(str(t.op.span))
    html.append(f"<div>{escape('; '.join(facts))}</div>" if facts else "")
    return "".join(html)


def _buffer(b: Buffer) -> str:
    facts = [f"{b.dtype}{_shape(b.shape)}, {memory_shown(b)}, {b.scope}"]
    facts.append(f"strides {_shape(b.strides)}" if b.strides else "compact")
    if const_int(b.elem_offset) != 0:
        facts.append(f"begins {script(b.elem_offset)} elements into its memory")
    if b.alignment:
        facts.append(f"aligned to {b.alignment} bytes")
    return _named(b.name, f"buffer: {'; '.join(facts)}")


# ---------------------------------------------------------------- how to compute it


def _schedule(s: Schedule) -> str:
    stages = loop_tree(s)
    inputs = ", ".join(i.name for i in stages if i.kind == "input")
    outputs = ", ".join(o.name for o in s.output_stages)
    html = [
        _named("schedule", f"of {outputs}; inputs {inputs or 'none'}"),
        plain.listing("loops", _loops(s)),
    ]
    if s.journal:
        html.append(plain.fold(f"{len(s.journal)} steps", plain.steps(s.journal)))
    return "".join(html)


def _loops(s: Schedule) -> str:
    return "\n".join(plain.loops(i) for i in loop_tree(s) if i.kind not in GIVEN)


def _stage(s: Stage) -> str:
    info = next(i for i in loop_tree(s.schedule) if i.name == s.name)
    t = s.op.output(0)
    about = f"stage: {info.kind}, {t.dtype}{_shape(t.shape)}, {info.place}, in {s.scope} memory"
    return _named(s.name, about) + (plain.pre(plain.loops(info)) if info.kind not in GIVEN else "")


# ---------------------------------------------------------------- IR and machine code


def _function(f: PrimFunc) -> str:
    return plain.listing(f"function {f.name}", script(f))


def _module(m: IRModule) -> str:
    return "".join(_function(f) for f in m.functions.values()) or _named("module", "without functions")


def _kernel(k: Kernel) -> str:
    signature = k.signature
    rows = [
        (
            p.name,
            p.dtype,
            f"({', '.join(s.text for s in p.shape)})" if p.kind == "buffer" else "scalar",
            "any" if p.strides else "compact",
            "written" if p.is_output else "read",
        )
        for p in signature.params
    ]
    facts = ["parallel" if signature.has_parallel else "serial"]
    if signature.intermediates:
        facts.append(f"intermediates {', '.join(signature.intermediates)}")
    if signature.packed:
        facts.append(f"calls {', '.join(p.name for p in signature.packed)}")
    html = [_named(k.name, f"kernel: {'; '.join(facts)}")]
    html.append(plain.table(("parameter", "dtype", "shape", "strides", "use"), rows))
    if k.code is not None:
        text = script(k.code.module)
        html.append(plain.fold(f"low-level IR, {len(text.splitlines())} lines", plain.pre(plain.cut(text))))
    html.append(f"<div>its code: {escape('%tewb_show --asm')} or --ll</div>")
    return "".join(html)


def _measurement(m: Measurement) -> str:
    rows = [
        (
            r.name,
            f"{'✓' if r.ok else '✗'} {r.check}",
            "" if r.warm is None else str(r.warm),
            "" if r.cold is None else str(r.cold),
            "" if r.gflops is None else digits(r.gflops),
            "" if r.gbytes is None else digits(r.gbytes),
        )
        for r in m.rows
    ]
    table = plain.table(("", "result", "median ± spread", "cold", "GFLOP/s", "GB/s"), rows)
    if m.ratio is None:
        return table
    about = "; ".join(filter(None, (m.threads, m.sizes)))
    return f"{table}<div>{escape(m.reference)} / tewb: <b>{digits(m.ratio)}</b> {escape(about)}</div>"


LOOKS: dict[type, Callable[[Any], str]] = {
    Tensor: _tensor,
    Buffer: _buffer,
    Schedule: _schedule,
    Stage: _stage,
    PrimFunc: _function,
    IRModule: _module,
    Kernel: _kernel,
    AccessTrace: access.summary,
    Measurement: _measurement,
}
