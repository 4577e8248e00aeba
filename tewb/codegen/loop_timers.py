"""Timers: how long parts of a kernel take, by the processor's own clock, and how often they are entered.

A function of a kernel adds up what it measures by itself, in registers, and gives it to the counters of the kernel when it
returns. So the tasks of a parallel loop share nothing while they run.
"""

from __future__ import annotations

from collections.abc import Callable

from tewb.base import CodegenError
from tewb.codegen.function import Function
from tewb.ir import BufferLoad, Stmt, Var, const_int


class Timers:
    """The timers of one function."""

    def __init__(self, f: Function) -> None:
        self.f = f
        self._own: dict[tuple[Var, int], str] = {}  # ticks and entries so far, by the counter that gets them

    def around(self, body: Stmt, counter: BufferLoad, emit: Callable[[Stmt], None]) -> None:
        """Write `body` with `emit`, and the code that adds to `counter` how long it takes."""
        key = counter.buffer.data, const_int(counter.indices[0]) or 0
        if key not in self._own:
            self._own[key] = self.f.stack("i64", 2)
            self.f.entry.append(f"  store [2 x i64] zeroinitializer, ptr {self._own[key]}, align 8")
        begin = self._now()
        emit(body)
        end = self._now()
        ticks, entries = self._both(self._own[key])
        self._add(ticks, self.f.ins(f"sub i64 {end}, {begin}"))
        self._add(entries, "1")

    def hand_over(self, values: dict[Var, str]) -> None:
        """Add what was measured to the counters of the kernel: the function ends here."""
        for (data, index), own in self._own.items():
            first = self.f.ins(f"getelementptr i64, ptr {values[data]}, i64 {index}")
            for mine, counter in zip(self._both(own), self._both(first), strict=True):
                amount = self.f.ins(f"load i64, ptr {mine}, align 8")
                self.f.ins(f"atomicrmw add ptr {counter}, i64 {amount} monotonic, align 8")

    def _both(self, first: str) -> tuple[str, str]:
        return first, self.f.ins(f"getelementptr i64, ptr {first}, i64 1")

    def _add(self, place: str, amount: str) -> None:
        before = self.f.ins(f"load i64, ptr {place}, align 8")
        self.f.do(f"store i64 {self.f.ins(f'add i64 {before}, {amount}')}, ptr {place}, align 8")

    def _now(self) -> str:
        """Ticks of a clock that programs may read, and that goes on evenly whatever the processor does."""
        module = self.f.module
        match module.target.arch:
            case "x86_64":
                name = module.declare("llvm.readcyclecounter", "i64 @llvm.readcyclecounter()")
                return self.f.ins(f"call i64 {name}()")
            case "aarch64":  # its counter of cycles is for the system alone
                name = "llvm.read_volatile_register.i64"
                register = module.shared_meta('!{!"cntvct_el0"}')
                module.declare(name, f"i64 @{name}(metadata)")
                return self.f.ins(f"call i64 @{name}(metadata {register})")
            case arch:
                raise CodegenError(
                    f"tewb knows no clock of {arch} that programs may read",
                    hint="loops are timed on x86_64 and aarch64",
                )
