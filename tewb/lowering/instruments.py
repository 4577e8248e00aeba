"""Instruments: objects of the user's that are told of every pass, and may leave passes out.

    @tvm.instrument.pass_instrument
    class Names:
        def run_before_pass(self, mod, info):
            print(info.name)

    with tvm.transform.PassContext(instruments=[Names()]):
        tvm.build(s, [A, B])

A pass gets its classic name where it has one, `tir.VectorizeLoop`, and `tewb.` with its own where it has none.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tewb.base import PassContext, TewbError, here
from tewb.ir import IRModule


class PassInfo(NamedTuple):
    """What a pass is called, and from which opt_level on a Sequential runs it."""

    opt_level: int
    name: str
    required: tuple[str, ...] = ()
    traceable: bool = False


class PassInstrument:
    """What is told of passes: a class of one's own has those of these methods that it needs."""

    def enter_pass_ctx(self) -> None:
        """The `with` block of the PassContext begins."""

    def exit_pass_ctx(self) -> None:
        """The `with` block of the PassContext ends."""

    def should_run(self, mod: IRModule, info: PassInfo) -> bool:
        """Whether a pass is done, which it is if all instruments say so, or `required_pass` names it."""
        return True

    def run_before_pass(self, mod: IRModule, info: PassInfo) -> None:
        """A pass is about to be done on a module."""

    def run_after_pass(self, mod: IRModule, info: PassInfo) -> None:
        """A pass was done, and this is its module."""


def pass_instrument(pi_cls: Any = None) -> Any:
    """Make instruments of a class that has some of the methods of PassInstrument (a decorator)."""

    def decorate(cls: Any) -> Any:
        if not isinstance(cls, type):
            raise TewbError(
                f"pass_instrument decorates a class, not {cls!r}",
                hint="class Names: def run_before_pass(self, mod, info): ...",
                span=here(),
            )
        return type(
            cls.__name__, (cls, PassInstrument), {"__doc__": cls.__doc__, "__module__": cls.__module__}
        )

    return decorate if pi_cls is None else decorate(pi_cls)


# ---------------------------------------------------------------- telling them


def should_run(context: PassContext, mod: IRModule, info: PassInfo) -> bool:
    """Whether the instruments of a context let a pass be done."""
    if info.name in context.required_pass:
        return True
    return all([f(mod, info) for f in _methods(context, "should_run")])


def tell_before(context: PassContext, mod: IRModule, info: PassInfo) -> None:
    """Tell the instruments of a context that a pass begins."""
    for f in _methods(context, "run_before_pass"):
        f(mod, info)


def tell_after(context: PassContext, mod: IRModule, info: PassInfo) -> None:
    """Tell the instruments of a context that a pass has ended."""
    for f in _methods(context, "run_after_pass"):
        f(mod, info)


def _methods(context: PassContext, name: str) -> list[Callable[..., Any]]:
    found = [getattr(i, name, None) for i in context.instruments]
    return [f for f in found if f is not None]


# ---------------------------------------------------------------- those that are there


class _Timed:
    """A pass that is measured, with those inside of it; times are nanoseconds."""

    def __init__(self, name: str) -> None:
        self.name, self.began, self.took = name, time.perf_counter_ns(), 0
        self.inside: list[_Timed] = []


class PassTimingInstrument(PassInstrument):
    """Measures passes: `render()` tells what each took, those inside of others below them."""

    def __init__(self) -> None:
        self._open: list[_Timed] = []
        self._done: list[_Timed] = []

    def enter_pass_ctx(self) -> None:
        """Forget what was measured before."""
        self._open, self._done = [], []

    def run_before_pass(self, mod: IRModule, info: PassInfo) -> None:
        """Take the time."""
        self._open.append(_Timed(info.name))

    def run_after_pass(self, mod: IRModule, info: PassInfo) -> None:
        """Note the time that it took."""
        timed = self._open.pop()
        timed.took = time.perf_counter_ns() - timed.began
        (self._open[-1].inside if self._open else self._done).append(timed)

    def render(self) -> str:
        """A line for each pass: its name, its microseconds, and its part of those around it."""
        return "".join(_rendered(self._done, sum(t.took for t in self._done), 0))


def _rendered(passes: Sequence[_Timed], total: int, depth: int) -> list[str]:
    lines: list[str] = []
    for t in passes:
        part = 100 * t.took / total if total else 0.0
        lines.append(f"{'  ' * depth}{t.name}: {t.took / 1000:.0f}us ({part:.2f}%)\n")
        lines += _rendered(t.inside, t.took, depth + 1)
    return lines


class PassPrintingInstrument(PassInstrument):
    """Prints the module before, and after, the passes of these names."""

    def __init__(
        self, print_before_pass_names: Sequence[str] = (), print_after_pass_names: Sequence[str] = ()
    ) -> None:
        self.print_before_pass_names = tuple(print_before_pass_names)
        self.print_after_pass_names = tuple(print_after_pass_names)

    def run_before_pass(self, mod: IRModule, info: PassInfo) -> None:
        """Print the module, if the pass is one of them."""
        if info.name in self.print_before_pass_names:
            print(f"Before {info.name}:\n{mod}")

    def run_after_pass(self, mod: IRModule, info: PassInfo) -> None:
        """Print the module, if the pass is one of them."""
        if info.name in self.print_after_pass_names:
            print(f"After {info.name}:\n{mod}")


class PrintBeforeAll(PassInstrument):
    """Prints the name of each pass, and the module before it."""

    def run_before_pass(self, mod: IRModule, info: PassInfo) -> None:
        """Print it."""
        print(f"Before Running Pass: {info.name}\n{mod}")


class PrintAfterAll(PassInstrument):
    """Prints the name of each pass, and the module after it."""

    def run_after_pass(self, mod: IRModule, info: PassInfo) -> None:
        """Print it."""
        print(f"After Running Pass: {info.name}\n{mod}")


class DumpIR(PassInstrument):
    """Writes the module after each pass to a file of the folder `dump_dir`: `000_tir.Simplify.py`, and so on.

    With `refresh`, files of this form that are there are removed first.
    """

    def __init__(self, dump_dir: str | Path, refresh: bool = False) -> None:
        self.dump_dir, self.refresh, self.counter = Path(dump_dir), refresh, 0

    def enter_pass_ctx(self) -> None:
        """Make the folder."""
        self.counter = 0
        self.dump_dir.mkdir(parents=True, exist_ok=True)
        for file in self.dump_dir.iterdir() if self.refresh else ():
            if re.fullmatch(r"\d{3,}_.*\.py", file.name) and file.is_file():
                file.unlink()

    def run_after_pass(self, mod: IRModule, info: PassInfo) -> None:
        """Write the file."""
        name = re.sub(r"[^\w. -]", "_", info.name)
        path = self.dump_dir / f"{self.counter:03d}_{name}.py"
        path.write_text(str(mod) + "\n", encoding="utf-8")
        self.counter += 1
