"""Writes topi.md, the table of all operators, from the functions of `tewb.topi`.

python docs/write_topi.py
"""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType

from tewb import topi

PATH = Path(__file__).with_name("topi.md")

HEAD = """<!-- Written by `python docs/write_topi.py` from the functions of tewb/topi. Do not edit. -->
# topi: operators ready-made

`tewb.topi` has the operators that classic programs take ready-made, on top of `te`: functions of tensors that return tensors.
Signatures, names (`T_add`, `pad_temp`) and tags are classic; what an operator means is what numpy means by it, and each is
tested beside numpy.

```python
import numpy as np

import tewb
from tewb import te, topi

A = te.placeholder((4, 10), name="A")
W = te.placeholder((3, 10), name="W")
B = topi.nn.softmax(topi.nn.relu(topi.nn.dense(A, W)))
kernel = tewb.build(topi.generic.schedule_softmax(B), [A, W, B])
b = kernel(np.ones((4, 10), "float32"), np.zeros((3, 10), "float32"))
print(B.op.name, B.op.tag, b[0])
```

```text
T_softmax_norm softmax_output [0.33333334 0.33333334 0.33333334]
```

The schedules of `topi.x86` are the fast ones (of every processor: widths are those of the machine). They compute what is
elementwise in the same tiles, and reach the hand-written schedules of the [benchmarks](benchmarks.md). `topi.generic` has the same
by the names that programs call in a target; `topi.generic.schedule_default` leaves loops as they are. `topi.testing` has the
operators on numpy arrays.

What is different here:

- A tensor of slice ends (`strided_slice` with tensors) would make shapes depend on data: `dynamic_strided_slice` is told the
  shape.
- Indices that a mode does not bring inside are checked when the kernel runs, and an error names the read.
- `fast_exp`, `fast_tanh`, `fast_erf` and `fast_softmax` are the ordinary ones, which are polynomials in the kernel anyway.
- `sort`, `argsort`, `topk`, `searchsorted`, `unique`, `argwhere` and `non_max_suppression` call numpy from the kernel.
- `conv2d_winograd_nchw` and `_nhwc` are the direct convolutions: the same numbers, and less rounding.
- `lstm` and the running sums are externs of loops, so any number of steps is the same amount of code.
"""

MODULES: list[tuple[str, ModuleType]] = [
    ("topi", topi),
    ("topi.nn", topi.nn),
    ("topi.image", topi.image),
    ("topi.vision", topi.vision),
    ("topi.vision.rcnn", topi.vision.rcnn),
    ("topi.sparse", topi.sparse),
    ("topi.utils", topi.utils),
    ("topi.x86", topi.x86),
    ("topi.generic", topi.generic),
    ("topi.testing", topi.testing),
]


def page() -> str:
    """The text of the page, as the functions are now."""
    return "\n".join([HEAD, *(_section(name, module) for name, module in MODULES)])


def _section(name: str, module: ModuleType) -> str:
    functions = {n: f for n, f in _public(module).items() if inspect.isfunction(f)}
    if name in ("topi.x86", "topi.generic", "topi.testing"):
        return f"## {name}\n\n{', '.join(f'`{n}`' for n in functions)}\n"
    rows = [f"| `{n}{_signature(f)}` | {_sentence(f)} |" for n, f in functions.items()]
    return "\n".join([f"## {name}", "", "| function | what it gives |", "|---|---|", *rows, ""])


def _public(module: ModuleType) -> dict[str, object]:
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            n
            for n, f in vars(module).items()
            if getattr(f, "__module__", "") == module.__name__ and n[0] != "_"
        ]
    return {n: getattr(module, n) for n in sorted(names)}


def _signature(f: object) -> str:
    """The arguments with their defaults, without types."""
    plain = [
        p.replace(annotation=inspect.Parameter.empty, default=_shown(p.default))
        for p in inspect.signature(f).parameters.values()  # type: ignore[arg-type]
    ]
    return str(inspect.Signature(plain)).replace("|", "\\|")


def _shown(default: object) -> object:
    return _Named(default) if inspect.isfunction(default) else default


class _Named:
    """A function that stands as a default, shown by its name."""

    def __init__(self, function: object) -> None:
        self.name = f"te.{getattr(function, '__name__', '')}"

    def __repr__(self) -> str:
        return self.name


def _sentence(f: object) -> str:
    paragraph = inspect.cleandoc(f.__doc__ or "").split("\n\n")[0]
    return " ".join(paragraph.split()).replace("|", "\\|")


if __name__ == "__main__":
    PATH.write_text(page())
