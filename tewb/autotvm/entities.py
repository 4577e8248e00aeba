"""What a knob of a template can be, and what it does to a schedule: splits, orders, annotations, and plain values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from tewb.base import ScheduleError, TewbError, here
from tewb.ir import IterVar, thread_axis


class SplitEntity:
    """Sizes of the loops that a loop is split into, outermost first; the first is -1, whatever is left."""

    kind = "sp"

    def __init__(self, size: Sequence[int]) -> None:
        self.size = [int(n) for n in size]

    def apply(self, sch: Any, op: Any, axis: Any) -> list[Any]:
        """Split `axis` of stage `op`. Returns the loops, outermost first."""
        loops = []
        for i in range(1, len(self.size)):
            outer, axis = sch[op].split(axis, factor=math.prod(self.size[i:]))
            loops.append(outer)
        return [*loops, axis]

    def to_json(self) -> Any:
        return self.size

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.to_json() == self.to_json()

    def __hash__(self) -> int:
        return hash(str(self.to_json()))

    def __repr__(self) -> str:
        return str(self.to_json())


class ReorderEntity(SplitEntity):
    """An order of loops: the numbers of those that it is applied to."""

    kind = "re"

    def __init__(self, perm: Sequence[int]) -> None:
        self.perm = [int(i) for i in perm]

    def apply(self, sch: Any, op: Any, axes: Any) -> list[Any]:
        """Reorder the loops `axes` of stage `op`. Returns them in their new order."""
        new = [axes[i] for i in self.perm] if len(axes) == len(self.perm) else list(axes)
        sch[op].reorder(*new)
        return new

    def to_json(self) -> Any:
        return self.perm


class AnnotateEntity(SplitEntity):
    """A mark for each of some loops: "none", "unroll", "vec", "parallel", or the thread that one is bound to. Of the policy
    "locate_cache", the number of the loop at which each of some copies is computed."""

    kind = "an"

    def __init__(self, anns: Sequence[Any]) -> None:
        self.anns = list(anns)

    def apply(
        self,
        sch: Any,
        op: Any,
        axes: Sequence[Any],
        axis_lens: Sequence[int] | None = None,
        max_unroll: int | None = None,
        vec_size: Sequence[int] | None = None,
        cfg: Any = None,
        source: Any = None,
    ) -> list[Any]:
        """Mark the loops `axes` of stage `op`. Loops of `axis_lens` iterations that are longer than `max_unroll` are not
        unrolled, and those that have none of the lengths `vec_size` are not vectorized: the configuration is not valid. With
        `source`, a list of copies for each of the numbers, compute these at the loops."""
        if source is not None:
            for copies, number in zip(source, self.anns, strict=False):
                for copy in copies:
                    sch[copy].compute_at(sch[op], axes[number])
            return list(axes)
        for i, (axis, ann) in enumerate(zip(axes, self.anns, strict=False)):
            length = axis_lens[i] if axis_lens is not None else None
            if ann == "unroll":
                if max_unroll and length is not None and length > max_unroll and cfg is not None:
                    cfg.raise_error(f"a loop of {length} iterations is too long to unroll")
                sch[op].unroll(axis)
            elif ann == "vec":
                if vec_size and length is not None and length not in vec_size and cfg is not None:
                    cfg.raise_error(f"no vector has {length} lanes")
                sch[op].vectorize(axis)
            elif ann == "parallel":
                sch[op].parallel(axis)
            elif ann.startswith(("blockIdx", "threadIdx", "vthread")):
                sch[op].bind(axis, thread_axis(ann))
            elif ann not in ("none", ""):
                raise ScheduleError(
                    f"annotation {ann!r} is not known",
                    hint="none, unroll, vec, parallel, or a thread",
                    span=here(),
                )
        return list(axes)

    def to_json(self) -> Any:
        return self.anns


class OtherOptionEntity(SplitEntity):
    """A plain value."""

    kind = "ot"

    def __init__(self, val: Any) -> None:
        self.val = val

    def apply(self, *_: Any) -> Any:
        """The value."""
        return self.val

    def to_json(self) -> Any:
        return self.val


Entity = SplitEntity
KINDS = {c.kind: c for c in (SplitEntity, ReorderEntity, AnnotateEntity, OtherOptionEntity)}


class VirtualAxis:
    """A loop of `length` iterations that knobs are defined of."""

    def __init__(self, var: Any, name: str = "") -> None:
        self.name = name or getattr(getattr(var, "var", var), "name", str(var))
        self.length = _length(var)

    num_output = 1

    def __repr__(self) -> str:
        return f"VirtualAxis({self.name}, {self.length})"


def _length(var: Any) -> int:
    if isinstance(var, VirtualAxis):
        return var.length
    domain = var.dom if isinstance(var, IterVar) else None
    try:
        return int(domain.extent if domain is not None else var)
    except (TypeError, ValueError, AttributeError, TewbError) as e:
        raise ScheduleError(
            f"the length of {getattr(var, 'name', var)} is not known, and its splits cannot be listed",
            hint='policy="candidate" with a list of them',
            span=here(),
        ) from e


def factors(n: int) -> list[int]:
    """The divisors of n, from 1."""
    return sorted({d for i in range(1, math.isqrt(n) + 1) if n % i == 0 for d in (i, n // i)})


def powers(n: int) -> list[int]:
    """The powers of two up to n."""
    return [2**i for i in range(n.bit_length())]


def ways_to_mark(words: Sequence[str], count: int) -> Iterator[list[str]]:
    """Every way to give `count` loops one of some words, at most one of them "vec": the innermost, if all should be."""
    if set(words) == {"vec"}:
        yield [*["none"] * (count - 1), "vec"]
        return
    for given in itertools.product(words, repeat=count):
        if given.count("vec") < 2:
            yield list(given)


def merged(chains: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    """Every order of the elements of some chains in which those of each stay in their own."""
    if not any(chains):
        yield []
    for n, chain in enumerate(chains):
        if chain:
            rest = [*chains[:n], chain[1:], *chains[n + 1 :]]
            yield from ([chain[0], *order] for order in merged(rest))
