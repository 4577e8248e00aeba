"""The magics of `%load_ext tewb`: %tewb_show, %%tewb_time and %tewb_traceback."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tewb.base import TewbError, digits, render_with
from tewb.driver import build_ir, lower
from tewb.ir import IRModule, script
from tewb.lowering import BUILD, run
from tewb.runtime import Kernel, Timing, calls_for, get_num_threads, sample
from tewb.schedule import Schedule
from tewb.testing import random_array
from tewb.workbench.measure.measure import workers_of
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.measure.trials import numpy_threads
from tewb.workbench.notebook import reprs
from tewb.workbench.session import Session
from tewb.workbench.views import graph, plain, tedd


def load(shell: Any) -> None:
    """Register the magics with `shell`, and how our classes look."""
    reprs.install(shell)
    magics = Magics(shell)
    shell.register_magic_function(magics.show, "line", "tewb_show")
    shell.register_magic_function(magics.time, "cell", "tewb_time")
    shell.register_magic_function(magics.traceback, "line", "tewb_traceback")


class Magics:
    """The magics of one IPython shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell

    def show(self, line: str) -> None:
        """%tewb_show [--FORM] EXPRESSION

        Without a form: a tensor, schedule, stage, IR, kernel or buffer as it looks in a notebook.
        --ir     the loops; --low   the loops that code is made from, one index for each access
        --ll     the optimised LLVM IR; --asm   the assembly, with the lines of --low
        --code   the program that makes the schedule again
        --graph  the stages; --dataflow, --tree, --axes   the graphs of classic TEDD

        A schedule becomes code with its arguments: %tewb_show --asm s, [A, B, C]
        """
        from IPython import display

        form, expression = re.fullmatch(r"\s*(?:--(\w+))?\s*(.*)", line, re.S).groups()  # type: ignore[union-attr]
        if not expression:
            raise TewbError("%tewb_show shows something", hint="%tewb_show s, or %tewb_show --asm kernel")
        display.display(shown(self.shell.ev(expression), form))  # type: ignore[no-untyped-call, unused-ignore]

    def time(self, line: str, cell: str) -> Timed | Measurement:
        """%%tewb_time [-r SAMPLES] [--against EXPRESSION]

        Runs the cell, then times its last expression again and again. A kernel by itself is run on random
        arrays; a session or workbench is checked and compared with its reference. With --against, both
        expressions are timed in turn.
        """
        options = re.fullmatch(r"\s*(?:-r\s*(\d+)\s*)?(?:--against\s+(.+?)\s*)?", line)
        if options is None:
            raise TewbError(
                f"%%tewb_time does not know {line.strip()}", hint="[-r SAMPLES] [--against EXPRESSION]"
            )
        repeat = int(options[1] or 9)
        last = self._run_all_but_last(cell)
        value = last()
        value = getattr(value, "session", value)  # of a workbench
        if isinstance(value, Session):
            return value.measure(repeat)
        call, name = (_on_random_arrays(value), value.name) if isinstance(value, Kernel) else (last, "")
        if options[2] is None:
            return Timed(name, _timings([call], repeat)[0])
        other = self._function(ast.parse(options[2], mode="eval").body, "<against>")
        with numpy_threads(workers_of(value) if isinstance(value, Kernel) else get_num_threads()):
            first, second = _timings([call, other], repeat)
        return Timed(name, first, options[2], second)

    def _run_all_but_last(self, cell: str) -> Callable[[], Any]:
        """Run a cell up to its last expression, which is returned as a function."""
        # The line of the magic itself comes first, so that errors name the lines that the user sees.
        source = "\n" + self.shell.transform_cell(cell)
        number = len(self.shell.history_manager.input_hist_parsed) - 1  # of the cell that is running
        file = self.shell.compile.cache(source, number, cell)
        tree = ast.parse(source, file)
        if not tree.body or not isinstance(tree.body[-1], ast.Expr):
            raise TewbError(
                "%%tewb_time times the last expression of its cell, and the cell ends with none",
                hint="end it with a call, as in kernel(a, b, c)",
            )
        last = tree.body.pop()
        assert isinstance(last, ast.Expr)
        exec(compile(tree, file, "exec"), self.shell.user_ns)
        return self._function(last.value, file)

    def _function(self, e: ast.expr, file: str) -> Callable[[], Any]:
        """An expression of the user's as a function without arguments."""
        arguments = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        wrapped = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, e)))
        function: Callable[[], Any] = eval(compile(wrapped, file, "eval"), self.shell.user_ns)
        return function

    def traceback(self, line: str) -> None:
        """%tewb_traceback full | compact

        `full` shows all of the way to the last error, and of errors from now on; `compact` goes back to the
        message and the user's own lines.
        """
        match line.strip():
            case "full":
                render_with(self._full)
                last = getattr(sys, "last_value", None)
                if isinstance(last, TewbError):
                    print("\n".join(self._full(last)))
            case "compact" | "":
                render_with(None)
            case other:
                raise TewbError(
                    f"%tewb_traceback is full or compact, not {other}", hint="%tewb_traceback full"
                )

    def _full(self, e: BaseException) -> list[str]:
        lines: list[str] = self.shell.InteractiveTB.structured_traceback(
            type(e), e, e.__traceback__, tb_offset=1
        )
        return lines


# ---------------------------------------------------------------- showing


def shown(thing: Any, form: str | None = None) -> Any:
    """`thing` in one of the forms of %tewb_show. Raises TewbError where it has no such form."""
    thing = getattr(thing, "session", thing)  # of a workbench
    if form is None:
        if isinstance(thing, Session):
            return thing.snapshot()
        return plain.Shown(reprs.text(thing), reprs.html(thing)) if type(thing) in reprs.LOOKS else thing
    if form not in FORMS:
        raise TewbError(f"%tewb_show has no --{form}", hint=f"there are {', '.join(f'--{f}' for f in FORMS)}")
    look = FORMS[form](thing)
    return look if isinstance(look, plain.Shown) else plain.Shown(look, plain.listing(form, look))


def _session(thing: Any) -> Session:
    """The session of a schedule with its arguments, or a session itself."""
    if isinstance(thing, Session):
        return thing
    if isinstance(thing, tuple) and thing and isinstance(thing[0], Schedule):
        return Session(thing[0], thing[1] if len(thing) == 2 else thing[1:])
    hint = "%tewb_show --asm s, [A, B, C]" if isinstance(thing, Schedule) else "lower or build it first"
    raise TewbError(f"{type(thing).__name__} is not enough to make code from", hint=hint)


def _module(thing: Any) -> IRModule:
    if isinstance(thing, IRModule):
        return thing
    session = _session(thing)
    return lower(session.schedule, session.args, session.name)


def _kernel(thing: Any) -> Kernel:
    return thing if isinstance(thing, Kernel) else build_ir(_module(thing))


def _low(thing: Any) -> str:
    if isinstance(thing, Kernel):
        return script(thing.code.module)
    return script(IRModule({name: run(f, BUILD) for name, f in _module(thing).functions.items()}))


def _assembly(thing: Any) -> str:
    """The assembly; a line that begins the code of another line of IR says which."""
    rows: list[str] = []
    before: int | None = None
    for text, line in _kernel(thing).code.assembly_lines():
        new = line is not None and line != before
        rows.append(f"{text.expandtabs(8):<60} # line {line}" if new else text.expandtabs(8))
        before = line
    return "\n".join(rows)


def _drawn(source: Callable[[Schedule], str], thing: Any) -> plain.Shown:
    """A graph of a schedule: in a notebook a drawing, where it can be drawn, and in a terminal its stages."""
    schedule = _schedule(thing)
    text = graph.tree(schedule)
    return plain.Shown(text, plain.picture(source(schedule), f"graph of {text}") or plain.pre(text))


def _schedule(thing: Any) -> Schedule:
    return thing if isinstance(thing, Schedule) else _session(thing).schedule


FORMS: dict[str, Callable[[Any], str | plain.Shown]] = {
    "ir": lambda thing: script(_module(thing)),
    "low": _low,
    "ll": lambda thing: _kernel(thing).get_source("ll"),
    "asm": _assembly,
    "code": lambda thing: _session(thing).code,
    "graph": partial(_drawn, graph.dot),
    "dataflow": partial(_drawn, tedd.dataflow_graph),
    "tree": partial(_drawn, tedd.schedule_tree),
    "axes": partial(_drawn, tedd.itervar_relationship_graph),
}


# ---------------------------------------------------------------- timing


@dataclass(frozen=True, slots=True)
class Timed:
    """What %%tewb_time found: the time of a call of the expression, and of what it was timed against.

    `ratio` is the other's median over its own: above 1 the expression is faster.
    """

    name: str
    timing: Timing
    against: str = ""
    other: Timing | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.other is None else self.other.median / self.timing.median

    def __repr__(self) -> str:
        first = f"{self.name + ': ' if self.name else ''}{self.timing}"
        if self.other is None:
            return f"{first} ({len(self.timing.results)} samples)"
        return f"{first}; {self.against}: {self.other}; ratio {digits(self.ratio or 0.0, zeros=True)}"


def _timings(calls: list[Callable[[], Any]], repeat: int) -> list[Timing]:
    """Samples of all calls in turn, so that a busy moment of the machine hits each."""
    counts = [calls_for(f, 0.02) for f in calls]
    rounds = [[sample(f, n) for f, n in zip(calls, counts, strict=True)] for _ in range(max(repeat, 1))]
    return [Timing(samples) for samples in zip(*rounds, strict=True)]


def _on_random_arrays(kernel: Kernel) -> Callable[[], Any]:
    """A call of `kernel` on arrays of its own shapes."""
    rng = np.random.default_rng(0)
    arrays = []
    for p in kernel.signature.params:
        sizes = [s.value for s in p.shape]
        if p.kind != "buffer" or None in sizes:
            raise TewbError(
                f"kernel {kernel.name} has sizes that only its arguments tell",
                hint="end the cell with its call",
            )
        arrays.append(random_array([n for n in sizes if n is not None], p.dtype, rng))
    return lambda: kernel(*arrays)
