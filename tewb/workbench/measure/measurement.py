"""What a measurement says: whether the result is right, the times of all contestants, and rates made of them."""

from __future__ import annotations

from dataclasses import dataclass

from tewb.base import digits, readable
from tewb.runtime import Timing
from tewb.workbench.journal.timeline import Journal

BUSY = 0.3  # the distance between the quartiles, in medians, above which times are in doubt


@readable
@dataclass(frozen=True, slots=True)
class Row:
    """One contestant of a measurement: its name, what the check of its result said, and its times, which are
    None when the result was wrong. GFLOP/s and GB/s are those of the median of the warm times."""

    name: str
    ok: bool
    check: str
    warm: Timing | None
    cold: Timing | None
    gflops: float | None
    gbytes: float | None

    def __str__(self) -> str:
        rate = "" if self.gflops is None else f", {digits(self.gflops)} GFLOP/s"
        return f"{self.name}: {'' if self.warm is None else f'{self.warm}{rate}; '}{self.check}"


@readable
@dataclass(frozen=True, slots=True)
class Measurement:
    """What a measurement found. Times are None when the result was wrong.

    `kernel`, `numpy` and `pinned` are warm: many calls in a row. `cold` ones are single calls with nothing in
    a cache. `operations` and `bytes` are those that the definition asks for at least, whatever the schedule;
    `operations` is None when a part of the program is opaque. `workers` is how many threads the kernel has, `sizes` says which values
    symbolic sizes and scalars had (`measure.sizes_text`).
    """

    ok: bool
    message: str
    kernel: Timing | None = None
    numpy: Timing | None = None
    reference: str = "numpy"
    threads: str = ""
    pinned: Timing | None = None
    pinned_message: str = ""
    cold: Timing | None = None
    numpy_cold: Timing | None = None
    pinned_cold: Timing | None = None
    operations: int | None = None
    bytes: int | None = None
    workers: int = 1
    journal: Journal = ()
    sizes: str = ""

    @property
    def ratio(self) -> float | None:
        """numpy's median over the kernel's: above 1 the kernel is faster."""
        return _ratio(self.numpy, self.kernel)

    @property
    def pinned_ratio(self) -> float | None:
        """The pinned schedule's median over the kernel's: above 1 the schedule is faster than the pinned one."""
        return _ratio(self.pinned, self.kernel)

    @property
    def gflops(self) -> float | None:
        """Operations per second of the kernel, in 10^9."""
        return per_second(self.operations, self.kernel)

    @property
    def gbytes(self) -> float | None:
        """Bytes of arguments per second of the kernel, in 10^9."""
        return per_second(self.bytes, self.kernel)

    @property
    def rows(self) -> list[Row]:
        """The contestants that took part, each with its check beside its numbers."""
        rows = [self._row("tewb", self.ok, self.message, self.kernel, self.cold)]
        if self.numpy is not None:
            rows.append(self._row(self.reference, True, "the reference", self.numpy, self.numpy_cold))
        if self.pinned_message:
            ok = self.pinned is not None
            rows.append(self._row("pinned", ok, self.pinned_message, self.pinned, self.pinned_cold))
        return rows

    def _row(self, name: str, ok: bool, check: str, warm: Timing | None, cold: Timing | None) -> Row:
        rates = per_second(self.operations, warm), per_second(self.bytes, warm)
        return Row(name, ok, check, warm, cold, *rates)

    def __str__(self) -> str:
        if not self.ok:
            return f"✗ {self.message}"
        speed = "" if self.gflops is None else f" ({digits(self.gflops)} GFLOP/s)"
        pinned = "" if self.pinned is None else f", pinned {self.pinned}"
        return (
            f"✓ {self.message}; tewb {self.kernel}{speed}, {self.reference} {self.numpy}{pinned}, "
            f"ratio {digits(self.ratio or 0.0, zeros=True)}{f'; with {self.sizes}' if self.sizes else ''}"
            f"{self.doubt}"
        )

    @property
    def doubt(self) -> str:
        """What is to be said of times that vary a lot."""
        times = [t for t in (self.kernel, self.numpy, self.pinned) if t is not None and t.median > 0]
        most = max([2 * t.spread / t.median for t in times], default=0.0)
        return (
            ""
            if most <= BUSY
            else f"; the machine is busy: the times differ by {100 * most:.0f} % of their median"
        )


def per_second(amount: int | None, t: Timing | None) -> float | None:
    """`amount` in one median of `t`, in 10^9 per second."""
    return None if amount is None or t is None or not t.median else amount / t.median / 1e9


def _ratio(a: Timing | None, b: Timing | None) -> float | None:
    return None if a is None or b is None or not b.median else a.median / b.median
