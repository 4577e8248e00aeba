"""What times depend on: the processor, and the versions of what makes code for it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

import llvmlite

from tewb.runtime import Target


@dataclass(frozen=True, slots=True)
class Processor:
    """A kind of processor, as LLVM calls it, with the versions of tewb and llvmlite there. Times of one kind can be compared."""

    cpu: str
    triple: str
    features: str
    tewb: str
    llvmlite: str

    @staticmethod
    def here() -> Processor:
        """That of this machine."""
        host = Target.host()
        return Processor(host.cpu, host.triple, host.attributes, _version(), llvmlite.__version__)

    def __str__(self) -> str:
        return self.cpu


def _version() -> str:
    try:
        return metadata.version("tewb")
    except metadata.PackageNotFoundError:  # sources that were not installed
        return ""


def names_of(processors: list[Processor]) -> dict[Processor, str]:
    """What they are called: by their CPUs, numbered where several have one name."""
    names: dict[Processor, str] = {}
    for p in processors:
        alike = sum(other.cpu == p.cpu for other in names)
        names[p] = p.cpu if not alike else f"{p.cpu} #{alike + 1}"
    return names
