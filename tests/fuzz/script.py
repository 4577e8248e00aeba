"""A program as text: what is run, and what a person gets to see of one that fails."""

from __future__ import annotations

from typing import Any

from tests.fuzz.arrays import strides_of
from tests.fuzz.expressions import size, size_text, text
from tests.fuzz.programs import Layout, Program, ReduceAxis, Stage
from tests.fuzz.reference import REDUCERS
from tests.fuzz.templates import TEMPLATES


def definition(p: Program) -> str:
    """The lines that make the tensors, and `s`, a schedule of those that are given back."""
    lines: list[str] = []
    for x in p.scalars:
        lines.append(f'{x.ident} = te.var("{x.name}", "{x.dtype}")')
    for name in dict.fromkeys(s.reduction.reducer for s in p.stages if s.reduction):
        if name in REDUCERS:
            lines += REDUCERS[name].splitlines()
    for i in p.inputs:
        lines.append(f'{i.ident} = te.placeholder({_shape(i.shape)}, "{i.dtype}", name="{i.name}")')
    for s in p.stages:
        lines += _stage(s, p)
    lines.append(f"s = te.create_schedule([{', '.join(dict.fromkeys(_op(p, t) for t in p.results))}])")
    return "\n".join(lines) + "\n"


def _op(p: Program, tensor: str) -> str:
    return f"{p.stage_of(tensor).outputs[0]}.op"


def _shape(shape: tuple[Any, ...]) -> str:
    return f"({', '.join(size_text(n) for n in shape)}{',' if len(shape) == 1 else ''})"


def _stage(s: Stage, p: Program) -> list[str]:
    left = ", ".join(s.outputs)
    if s.template:
        template = TEMPLATES[s.template]
        more = "".join(f", {k}={v!r}" for k, v in s.options)
        more += f', name="{s.name}"' + (
            f", dtype=[{s.dtypes[0]!r}, {s.dtypes[0]!r}]" if len(s.dtypes) > 1 else f", dtype={s.dtypes[0]!r}"
        )
        call = template.call.format(t=s.reads[0], more=more, rank=len(s.shape))
        return [*template.code.splitlines(), f"{left} = {call}"]
    before, body = [], _tuple([text(b) for b in s.bodies])
    if s.reduction is not None:
        r = s.reduction
        axes = [_reduce_axis(a) for a in r.axes]
        chosen = f", axis=[{', '.join(a.ident for a in r.axes)}]"
        chosen += f", where={text(r.where)}" if r.where is not None else ""
        chosen += f", init={_tuple([text(e) for e in r.init])}" if r.init else ""
        body = f"{r.reducer}({body}{chosen})"
        if r.inside:
            made = ", ".join(f"{a.ident} := {t}" for a, t in zip(r.axes, axes, strict=True))
            body = f"[{made}, {body}][-1]"
        else:
            before = [f"{a.ident} = {t}" for a, t in zip(r.axes, axes, strict=True)]
    indices = f" {', '.join(s.axes)}" if s.axes else ""
    return [*before, f'{left} = te.compute({_shape(s.shape)}, lambda{indices}: {body}, name="{s.name}")']


def _reduce_axis(a: ReduceAxis) -> str:
    begin, end = (str(e.data) if e.op == "const" else text(e) for e in (a.begin, a.end))
    return f'te.reduce_axis(({begin}, {end}), name="{a.name}")'


def _tuple(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


# ---------------------------------------------------------------- schedule and build


def step_line(step: Any) -> str:
    """A step as a call of the schedule. Arguments are names, or texts of handles (`@S0.op.axis[0]`)."""
    primitive, stage, args = step
    shown = ", ".join(f'"{k}": {argument(v)}' for k, v in args.items())
    return f's.do("{primitive}", s["{stage}"], {{{shown}}})'


def argument(value: Any) -> str:
    return value.lstrip("@!") if isinstance(value, str) and value.startswith("@") else repr(value)


def options_text(p: Program) -> str:
    level = f"opt_level={p.options['opt_level']}, " if "opt_level" in p.options else ""
    return f"tewb.PassContext({level}config={ {k: v for k, v in p.options.items() if k != 'opt_level'}!r})"


def build_text(p: Program) -> str:
    """The call that builds the kernel."""
    binds = ", ".join(
        f"{t}: {_buffer(p, t, kind)}" for t, kind in p.strides.items() if kind != "-" and t in p.arguments
    )
    more = f", binds={{{binds}}}" if binds else ""
    more += "".join(f", {k}={v!r}" for k, v in p.build.items())
    return f"tewb.build(s, [{', '.join(p.arguments)}]{more})"


def _buffer(p: Program, tensor: str, dtype: str) -> str:
    if dtype == "numbers":
        call = p.calls[0]
        shape = tuple(size(n, call.sizes) for n in p.shape_of(tensor))
        numbers = ", ".join(map(str, strides_of(shape, 1, call.layouts[tensor])))
        return f'te.decl_buffer({tensor}.shape, {tensor}.dtype, "{tensor}", strides=[{numbers}])'
    equal = len({i.name for i in p.inputs}) < len(p.inputs)
    names = [f"{tensor}_{d}" if not equal else "t" for d in range(len(p.shape_of(tensor)))]
    strides = ", ".join(f'te.var("{n}", "{dtype}")' for n in names)
    return f'te.decl_buffer({tensor}.shape, {tensor}.dtype, "{tensor}", strides=[{strides}])'


# ---------------------------------------------------------------- for a person

_VIEW = '''
def view(shape, dtype, order, steps, backwards, shift=0):
    """An array of random bytes: axes from the outermost, steps between neighbours, those that run backwards."""
    item, strides = np.dtype(dtype).itemsize, [0] * len(shape)
    step = item
    for d in reversed(order):
        strides[d] = step * steps[d]
        step = strides[d] * max(shape[d], 1) if steps[d] else step
    strides = [-t if b else t for t, b in zip(strides, backwards)]
    ends = [t * (n - 1) for t, n in zip(strides, shape)] if 0 not in shape else []
    memory = np.zeros(sum(map(abs, ends)) + item + shift, np.uint8)
    return np.ndarray(shape, dtype, memory, shift - sum(min(e, 0) for e in ends), strides)
'''


def script(p: Program, arrays: dict[str, Any] | None = None, call: int = 0, comment: str = "") -> str:
    """The program as a script that runs by itself, with the arrays of a call when they are known and short."""
    lines = ["import numpy as np", "", "import tewb", "from tewb import te", ""]
    if comment:
        lines = [*(f"# {line}" for line in comment.splitlines()), *lines]
    if any("@fitting(" in str(v) for step in p.steps or () for v in step[2].values()):
        lines.insert(lines.index("from tewb import te"), "from tests.fuzz.tensor_steps import fitting")
    lines += definition(p).splitlines()
    lines += [step_line(s) for s in p.steps or ()]
    context = {k: v for k, v in p.options.items() if not (k == "tewb.object_cache" and v is False)}
    build = build_text(p)
    if context:
        lines += [f"with {options_text(p)}:", f"    kernel = {build}"]
    else:
        lines.append(f"kernel = {build}")
    if p.calls:
        lines += _call_lines(p, arrays or {}, min(call, len(p.calls) - 1))
    return "\n".join(lines) + "\n"


def _call_lines(p: Program, arrays: dict[str, Any], number: int) -> list[str]:
    c = p.calls[number]
    odd = [t for t, layout in c.layouts.items() if not _is_plain(layout) and t not in c.aliases]
    lines = [*_VIEW.splitlines(), ""] if odd else []
    for t, layout in c.layouts.items():
        known = arrays.get(t)
        shape = known["shape"] if known else "..."
        data = known["data"] if known else None
        other = c.aliases.get(t)
        if other is not None:
            lines.append(
                f"{t}_ = {other[0]}_{'[' + ', '.join(['::-1'] * len(layout.order)) + ']' if other[1] and layout.order else ''}"
            )
        elif t not in odd:
            dtype = p.dtype_of(t)
            lines.append(
                f'{t}_ = np.zeros({shape}, "{dtype}")'
                if data is None or t in p.results
                else f'{t}_ = np.array({data}, "{dtype}").reshape({shape})'
            )
            continue
        else:
            shift = f", {layout.shift}" if layout.shift else ""
            lines.append(
                f'{t}_ = view({shape}, "{p.dtype_of(t)}", {layout.order}, {layout.steps}, {layout.backwards}{shift})'
            )
        if data is not None and t not in p.results:
            lines.append(f"{t}_[...] = {data}")
    given = [t for t in p.arguments if not (c.omit and t in p.results)]
    called = [
        str(arrays.get(t, {}).get("number", c.sizes.get(t, "..."))) if t not in c.layouts else f"{t}_"
        for t in given
    ]
    lines += [f"made = kernel({', '.join(called)})"]
    lines += [f"print({', '.join(f'{t}_' for t in p.results)})" if not c.omit else "print(made)"]
    for t in p.results:
        if t in arrays and arrays[t].get("wanted") is not None:
            lines.append(f"# {t} should be {arrays[t]['wanted']}")
    return lines


def _is_plain(layout: Layout) -> bool:
    """Whether an array is compact and in order."""
    return (
        layout.shift == 0
        and list(layout.order) == sorted(layout.order)
        and set(layout.steps) <= {1}
        and not any(layout.backwards)
    )
