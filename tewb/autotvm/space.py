"""Configurations of a template: the space that its knobs span, one point of it, and what is used without a search."""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tewb.autotvm.entities import (
    KINDS,
    AnnotateEntity,
    Entity,
    OtherOptionEntity,
    ReorderEntity,
    SplitEntity,
    VirtualAxis,
    factors,
    merged,
    powers,
    ways_to_mark,
)
from tewb.base import ScheduleError, TewbError, here

Filter = Callable[[Any], bool]
MARKS = (
    "none", "vec", "unroll", "parallel", "vthread", "blockIdx.x", "blockIdx.y", "blockIdx.z", "threadIdx.x", "threadIdx.y", "threadIdx.z",
)  # fmt: skip


class InstantiationError(TewbError):
    """A configuration that its template cannot use, as `cfg.raise_error` says."""


class TransformSpace:
    """The entities of one knob, with words about them."""

    def __init__(self, about: str, entities: Iterable[Entity], num_output: int) -> None:
        self.entities, self.num_output, self._about = list(entities), num_output, about

    def __len__(self) -> int:
        return len(self.entities)

    def __getitem__(self, i: int) -> Entity:
        return self.entities[i]

    def __repr__(self) -> str:
        return f"{self._about} len={len(self)}"


class _Part:
    """A loop that a split will make."""

    def __init__(self, length: int | None) -> None:
        self.length = length


class ConfigSpace:
    """The knobs of a template, collected when a task is made of it: `cfg.define_split`, `define_reorder`,
    `define_annotate` and `define_knob`. `cfg[name]` is the first entity of each, and `get(i)` the i-th configuration."""

    is_fallback = False
    _collects = True

    def __init__(self) -> None:
        self.space_map: dict[str, TransformSpace] = {}
        self._entities: dict[str, Entity] = {}
        self._filters: list[Filter] = []
        self._valid: list[int] | None = None
        self.errors: list[str] = []
        self.flop = 0.0
        self.code_hash: str | None = None

    # ---- defining

    @staticmethod
    def axis(var: Any) -> VirtualAxis:
        """A loop, of a stage or of a number of iterations."""
        return VirtualAxis(var)

    reduce_axis = axis

    def define_split(
        self,
        name: str,
        axis: Any,
        policy: str = "factors",
        num_outputs: int = 2,
        *,
        filter: Filter | None = None,
        max_factor: int | None = None,
        no_tail: bool | None = None,
        candidate: Sequence[Sequence[int]] | None = None,
        **_: Any,
    ) -> list[Any]:
        """Split a loop into `num_outputs`. Policies: "factors" (that divide it), "power2", "verbose" (both), "candidate"
        (sizes that are given). `filter(entity)` says which of them count."""
        if not self._collects:
            return [_Part(None) for _ in range(num_outputs)]
        length = axis.length if isinstance(axis, _Part | VirtualAxis) else VirtualAxis(axis).length
        if policy == "candidate":
            found = [SplitEntity(size) for size in candidate or ()]
        else:
            known = _by_policy("define_split", policy, {"factors": factors, "power2": powers, "verbose": lambda n: sorted({*factors(n), *powers(n)})}, ("candidate",))  # fmt: skip
            sizes = [n for n in known(length) if max_factor is None or n <= max_factor]
            must_divide = policy == "factors" if no_tail is None else no_tail
            found = []
            for inner in itertools.product(sizes, repeat=num_outputs - 1):
                product = math.prod(inner)
                if length % product == 0 or (not must_divide and product < length):
                    found.append(SplitEntity([-1, *reversed(inner)]))
        kept = [e for e in found if filter is None or filter(e)]
        self._define(name, TransformSpace(f"Split(policy={policy}, product={length}, num_outputs={num_outputs})", kept, num_outputs))  # fmt: skip
        return [_Part(None) for _ in range(num_outputs)]

    def define_reorder(
        self, name: str, axes: Sequence[Any], policy: str = "all", *, filter: Filter | None = None, interval: Sequence[int] = (0, 0),
        candidate: Sequence[Sequence[Any]] | None = None, spatial: Sequence[Sequence[Any]] = (), reduce: Sequence[Sequence[Any]] = (),
        **_: Any,
    ) -> list[Any]:  # fmt: skip
        """Reorder loops. Policies: "identity", "all", "interval_all" (those of an `interval`), "interleave" (chains of loops,
        `spatial` and `reduce`, whose own order stays; the last of each spatial one is among those that reduce), "candidate"."""
        n = len(axes)
        if self._collects:
            begin, end = interval
            orders = _by_policy(
                "define_reorder",
                policy,
                {
                    "identity": lambda: [range(n)],
                    "all": lambda: itertools.permutations(range(n)),
                    "interval_all": lambda: [
                        [*range(begin), *p, *range(end, n)] for p in itertools.permutations(range(begin, end))
                    ],
                    "interleave": lambda: _interleaved(_numbers(axes, spatial), _numbers(axes, reduce)),
                    "candidate": lambda: _numbers(axes, candidate or ()),
                },
            )()
            kept = [e for e in map(ReorderEntity, orders) if filter is None or filter(e)]
            self._define(name, TransformSpace(f"Reorder(policy={policy})", kept, n))
        return [_Part(None) for _ in range(n)]

    def define_annotate(
        self, name: str, axes: Sequence[Any], policy: str, *, filter: Filter | None = None,
        candidate: Sequence[Sequence[str]] | None = None, num_anchor: int = 1, **_: Any,
    ) -> list[Any]:  # fmt: skip
        """Mark loops. Policies: "parallel", "vec", "unroll", with "try_" before them ("none" too), "bind_gpu", "locate_cache"
        (where `num_anchor` copies are computed), "candidate"."""
        n = len(axes)
        if self._collects:
            given: list[Any]
            if policy == "candidate":
                given = [list(words) for words in candidate or ()]
            elif policy == "bind_gpu":
                given = [[f"{kind}Idx.{d}" for kind in ("block", "thread") for d in "zyx"[3 - n // 2 :]]]
            elif policy == "locate_cache":
                given = list(itertools.combinations(range(n), num_anchor))
            else:
                words = policy.replace("try", "none").replace("vectorize", "vec").split("_")
                for word in words:
                    known = dict.fromkeys(("none", "unroll", "vec", "parallel"))
                    _by_policy("define_annotate", word, known, ("bind_gpu", "locate_cache", "candidate"))
                given = list(ways_to_mark(words, n))
            kept = [e for e in map(AnnotateEntity, given) if filter is None or filter(e)]
            self._define(name, TransformSpace(f"Annotate(policy={policy})", kept, n))
        return [_Part(None) for _ in range(n)]

    def define_knob(self, name: str, candidate: Sequence[Any]) -> None:
        """A knob with plain values, `cfg[name].val`."""
        if self._collects:
            values = [OtherOptionEntity(v) for v in candidate]
            self._define(name, TransformSpace(f"OtherOption({[v.val for v in values]})", values, 0))

    def multi_filter(self, filter: Filter) -> None:
        """Leave out the configurations of which `filter(configuration)` does not hold: `filter(c)` may look at several knobs. No
        tuner measures them."""
        if self._collects:
            self._filters.append(filter)
            self._valid = None

    def _define(self, name: str, space: TransformSpace) -> None:
        if not len(space):
            raise ScheduleError(
                f"knob {name} has no values", hint="its filter or limit leaves none", span=here()
            )
        self.space_map.setdefault(name, space)
        self._entities.setdefault(name, space[0])

    # ---- what templates say

    def add_flop(self, flop: Any) -> None:
        """Say how many operations the program does; they add up."""
        self.flop += float(flop)

    def raise_error(self, msg: str) -> None:
        """Say that this configuration cannot be used."""
        self.errors.append(msg)

    def valid(self) -> bool:
        """Whether no error was raised."""
        return not self.errors

    # ---- reading

    def __getitem__(self, name: str) -> Any:
        if name not in self._entities:
            raise ScheduleError(
                f"the configuration has no knob {name!r}", hint=f"it has {', '.join(self._entities) or 'none'}", span=here()
            )  # fmt: skip
        return self._entities[name]

    def __contains__(self, name: str) -> bool:
        return name in self._entities

    def __len__(self) -> int:
        return self.range_length

    @property
    def dims(self) -> list[int]:
        """How many entities each knob has."""
        return [len(s) for s in self.space_map.values()]

    def get(self, index: int) -> ConfigEntity:
        """The configuration of a number; the first knob changes fastest. Raises IndexError."""
        if not 0 <= index < len(self):
            raise IndexError(f"configuration {index} of {len(self)}")
        chosen, rest = {}, index
        for name, space in self.space_map.items():
            rest, i = divmod(rest, len(space))
            chosen[name] = space[i]
        return ConfigEntity(index, self.code_hash, chosen)

    @property
    def range_length(self) -> int:
        """How many numbers configurations have, those that a filter leaves out among them."""
        return math.prod(self.dims)

    @property
    def filtered_length(self) -> int:
        """How many configurations filters leave."""
        return len(self.valid_in(0, self.range_length))

    def is_index_valid(self, index: int) -> bool:
        """Whether a number is that of a configuration which no filter leaves out."""
        if not 0 <= index < self.range_length:
            return False
        return not self._filters or all(f(self.get(index)) for f in self._filters)

    def valid_in(self, start: int, end: int) -> Sequence[int]:
        """The numbers from `start` to before `end` of configurations that no filter leaves out."""
        if not self._filters:
            return range(start, end)
        if self._valid is None:
            self._valid = [i for i in range(self.range_length) if self.is_index_valid(i)]
        return self._valid[bisect.bisect_left(self._valid, start) : bisect.bisect_left(self._valid, end)]

    def get_rand_index(
        self, start: int | None = None, end: int | None = None, to_exclude: Sequence[int] | None = None
    ) -> int:
        """The number of a configuration, by chance: from `start` to before `end`, none of `to_exclude`. Raises ScheduleError
        where there is none."""
        excluded = set(to_exclude or ())
        left = self.valid_in(start or 0, self.range_length if end is None else end)
        left = [i for i in left if i not in excluded] if excluded else left
        if not left:
            raise ScheduleError(
                f"no configuration is left from {start or 0} to {end or self.range_length}", hint="exclude fewer", span=here()
            )  # fmt: skip
        return random.choice(left)

    def get_next_index(
        self, index: int, n: int = 1, start: int | None = None, end: int | None = None
    ) -> int | None:
        """The number of the `n`-th configuration after (or, below 0, before) one; None where there is none."""
        last = self.range_length if end is None else end
        if n < 0:
            before = self.valid_in(start or 0, index)
            return before[n] if len(before) >= -n else None
        after = self.valid_in(max(index + 1, start or 0), last)
        return index if n == 0 else after[n - 1] if len(after) >= n else None

    def sample_ints(self, m: int) -> list[int]:
        """The numbers of `m` different configurations, by chance; of all that there are where these are fewer."""
        every = self.valid_in(0, self.range_length)
        return random.sample(every, min(m, len(every)))

    def random_walk(self, point: int) -> int:
        """The number of a configuration that differs from that of `point` in one knob, by chance; `point` where there is none."""
        numbers = self.numbers_of(point)
        steps = [(k, i) for k, n in enumerate(self.dims) for i in range(n) if i != numbers[k]]
        for k, i in random.sample(steps, len(steps)):
            other = self.index_of([*numbers[:k], i, *numbers[k + 1 :]])
            if self.is_index_valid(other):
                return other
        return point

    def point2knob(self, point: int) -> list[int]:
        """As `numbers_of`."""
        return self.numbers_of(point)

    def knob2point(self, knob: Sequence[int]) -> int:
        """As `index_of`."""
        return self.index_of(knob)

    def index_of(self, numbers: Sequence[int]) -> int:
        """The number of the configuration in which each knob has the entity of some number."""
        index = 0
        for n, i in zip(reversed(self.dims), reversed(numbers), strict=True):
            index = index * n + i
        return index

    def numbers_of(self, index: int) -> list[int]:
        """The numbers of the entities of configuration `index`."""
        numbers = []
        for n in self.dims:
            index, i = divmod(index, n)
            numbers.append(i)
        return numbers

    def __repr__(self) -> str:
        lines = [f"  {i:2d} {name}: {space}" for i, (name, space) in enumerate(self.space_map.items())]
        return "\n".join([f"ConfigSpace (len={len(self)}, space_map=", *lines, ")"])


class ConfigEntity(ConfigSpace):
    """One configuration: an entity for each knob. Defining knobs does nothing."""

    _collects = False

    def __init__(self, index: int | None, code_hash: str | None, entities: Mapping[str, Entity]) -> None:
        super().__init__()
        self.index, self.code_hash, self._entities = index, code_hash, dict(entities)

    def __setitem__(self, name: str, entity: Entity) -> None:
        self._entities[name] = entity

    def __len__(self) -> int:
        return 1

    def get_flatten_feature(self) -> Any:
        """The entities as numbers in one array: sizes, orders, a 1 in the place of each mark, and the values that are numbers."""
        return np.array([x for e in self._entities.values() for x in _feature(e)], dtype="float32")

    def get_other_option(self) -> dict[str, Any]:
        """The plain values, by the names of their knobs."""
        return {name: e.val for name, e in self._entities.items() if isinstance(e, OtherOptionEntity)}

    def to_json_dict(self) -> dict[str, Any]:
        """This configuration as lines of a log have it."""
        entities = [[name, e.kind, e.to_json()] for name, e in self._entities.items()]
        return {"index": self.index, "code_hash": self.code_hash, "entity": entities}

    @staticmethod
    def from_json_dict(data: Mapping[str, Any]) -> ConfigEntity:
        """The configuration of a line of a log: that of any version. Raises ScheduleError."""
        try:
            rows = data.get("entity", data.get("e"))
            entities = {str(name): KINDS[kind](value) for name, kind, value in rows}
            return ConfigEntity(
                data.get("index", data.get("i")), data.get("code_hash", data.get("c")), entities
            )
        except (AttributeError, KeyError, TypeError, ValueError) as e:
            raise ScheduleError(
                f"{str(data)[:80]} is no configuration", hint='{"index", "entity": [...]}'
            ) from e

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfigEntity) and self._entities == other._entities

    def __hash__(self) -> int:
        return hash(str(self._entities))

    def __repr__(self) -> str:
        return f"{list(self._entities.items())},{self.code_hash},{self.index}"


class FallbackConfigEntity(ConfigSpace):
    """What a template gets outside of a search: the first entity of each knob, which it may set otherwise."""

    is_fallback = True

    def __setitem__(self, name: str, entity: Entity) -> None:
        self._entities[name] = entity

    def fallback_split(self, name: str, constraints: Sequence[int]) -> None:
        """Split by the largest factors that `constraints` allow; -1 is without a limit."""
        space = self.space_map[name]
        limits = list(constraints)

        def fits(e: Entity) -> bool:
            return all(c < 0 or n <= c for n, c in zip(e.size, limits, strict=True))

        fitting = [e for e in space.entities if fits(e)]
        self._entities[name] = max(fitting or space.entities[:1], key=lambda e: tuple(reversed(e.size)))

    def fallback_with_reference_log(self, ref_log: Any) -> None:
        """Logs of other machines are not looked at: the first entities stay."""


def _feature(e: Entity) -> list[float]:
    if isinstance(e, AnnotateEntity):
        return [float(mark == known) for mark in e.anns for known in MARKS]
    if isinstance(e, OtherOptionEntity):
        return [float(e.val) if isinstance(e.val, bool | int | float) else 0.0]
    return [float(n) for n in e.to_json()]


def _numbers(axes: Sequence[Any], orders: Sequence[Sequence[Any]]) -> list[list[int]]:
    """Orders of loops as the places of these among `axes`."""
    return [[next(i for i, x in enumerate(axes) if x is a) for a in order] for order in orders]


def _interleaved(spatial: list[list[int]], reduce: list[list[int]]) -> Iterator[list[int]]:
    inner = list(merged([*[chain[-1:] for chain in spatial], *reduce]))
    yield from ([*o, *i] for o in merged([chain[:-1] for chain in spatial]) for i in inner)


def _by_policy(who: str, policy: str, known: Mapping[str, Any], others: Sequence[str] = ()) -> Any:
    if policy not in known:
        raise ScheduleError(
            f"{who}: policy {policy!r} is not known",
            hint=f"there are {', '.join([*known, *others])}",
            span=here(),
        )
    return known[policy]
