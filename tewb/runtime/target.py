"""Targets: the processors that code is made for, and what codegen must know about them.

A target is written as classic TE writes it, in the options of LLVM's tools:

    llvm                                                    this machine
    llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1       another one: its code can be looked at, not called
    llvm -mcpu=x86-64-v3                                    this one, with fewer instructions
    llvm -mattr=-avx512vnni                                 the same, without some of them
"""

from __future__ import annotations

import contextvars
import difflib
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any, overload

import llvmlite.binding as llvm

from tewb.base import CodegenError, TewbWarning, brief, here, with_article
from tewb.runtime.cpu_features import CPUS, GENERIC, features_of
from tewb.runtime.llvm_process import can_start, remarks
from tewb.runtime.llvm_work import Work
from tewb.runtime.target_options import BY_LLVM, KINDS, LLVM, TAGS, Options, as_attribute, read

# Features of every processor of an architecture. Without them LLVM's backend aborts, and the process with it.
_ALWAYS = ("-sse", "-sse2", "-neon", "-fp-armv8")
# A triple, a processor, or features with commas between; an option may be empty.
_NAMES = re.compile(r"([+-]?[A-Za-z0-9][A-Za-z0-9._-]{0,63}(,[+-]?[A-Za-z0-9][A-Za-z0-9._-]{0,63})*)?")

IS_NEAR = sys.platform != "win32"


@lru_cache(maxsize=1)
def host() -> tuple[str, str, str]:
    """The triple, CPU name and feature string of this machine."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()
    return llvm.get_default_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


class TargetKind(str):
    """The kind of a target, such as "llvm": a text that has itself as its `name`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return str(self)


# The targets of the `with` blocks that are open, innermost last.
_open: contextvars.ContextVar[tuple[Target, ...]] = contextvars.ContextVar("tewb_targets", default=())


class _Host:
    """`Target.host()` is this machine, and `target.host` the processor that calls the code, or None."""

    @overload
    def __get__(self, target: None, cls: type[Target]) -> Callable[[], Target]: ...
    @overload
    def __get__(self, target: Target, cls: type[Target]) -> Target | None: ...
    def __get__(self, target: Target | None, cls: type[Target]) -> Any:
        if target is None:
            return this_machine
        given = target._options.get("host")
        return given if given is None or isinstance(given, Target) else Target(given)


def this_machine() -> Target:
    """This machine."""
    return Target.processor(*host())


class Target:
    """What code is made for. Of a CPU: LLVM's `triple`, its name `cpu`, and its features in LLVM's words ("+avx2,-avx512f").

    It is made from a text, a dict (`{"kind": "llvm", "mcpu": "core-avx2"}`), JSON, a tag, or another target. `host` is
    the processor that calls the code; here it is the one that runs it. Inside of a `with` block `build` takes this
    target if it is given none. GPUs and others can be named, and are refused by `build`. Raises CodegenError for
    what describes no target.
    """

    __slots__ = ("_options", "attributes", "cpu", "kind", "triple")
    kind: TargetKind
    triple: str
    cpu: str
    attributes: str
    _options: Options

    def __init__(
        self,
        target: Target | Mapping[str, Any] | str | None = None,
        host: Target | Mapping[str, Any] | str | None = None,
    ) -> None:
        if target is not None and not isinstance(target, Target | str | Mapping):
            raise CodegenError(
                f"{with_article(type(target).__name__)} is not a target", hint='target="llvm"', span=here()
            )
        if not isinstance(target, Target):
            target = _read(LLVM if target is None or target == "" else target)
        for name in Target.__slots__:
            setattr(self, name, getattr(target, name))
        if host is None and isinstance(self._options.get("host"), str | Mapping | Target):
            host = self._options["host"]
        if host is not None:
            self._check_host(Target(host))

    def _check_host(self, host: Target) -> None:
        """Keep `host` as the processor that calls the code. Raises CodegenError if it cannot run it."""
        if self.is_cpu and host._system() != self._system():
            raise CodegenError(
                f"the host, {host}, is not the target, {self}: code runs on the processor that calls it",
                hint="leave host out",
                span=here(),
            )
        self._options = {**self._options, "host": host}

    @staticmethod
    def processor(triple: str, cpu: str, attributes: str = "", options: Options | None = None) -> Target:
        """The processor of these names, in LLVM's words."""
        self = object.__new__(Target)
        self.kind, self.triple, self.cpu, self.attributes = TargetKind(LLVM), triple, cpu, attributes
        self._options = options or {}
        return self

    host = _Host()

    @staticmethod
    def of(
        target: Target | Mapping[str, Any] | str | None,
        target_host: Target | Mapping[str, Any] | str | None = None,
    ) -> Target:
        """The processor to make code for: `target`, that of the innermost `with` block, or this machine.

        Raises CodegenError for what is no CPU.
        """
        if target is None:
            target = Target.current()
        chosen = Target(target, target_host)
        if chosen.kind in BY_LLVM:
            warnings.warn(f"target {chosen.kind}: {BY_LLVM[chosen.kind]}", TewbWarning, stacklevel=3)
        elif not chosen.is_cpu:
            raise CodegenError(
                f"target {brief(repr(str(chosen)))}: tewb builds for the CPU",
                hint='target="llvm"',
                span=here(),
            )
        return chosen

    def warn_of_another_machine(self) -> None:
        """Warn where it names a processor that is not this one, and its code runs here all the same."""
        if self.cpu not in (Target.host().cpu, *GENERIC) and self.runs_here:
            warnings.warn(
                f"the code is made for {self.cpu}, and this machine is {Target.host().cpu}, which runs it:"
                ' target="llvm" makes the code for this machine',
                TewbWarning,
                stacklevel=3,
            )

    # ---- the innermost block

    @staticmethod
    def current(allow_none: bool = True) -> Target | None:
        """The target of the innermost `with` block. Without one it is None; raises CodegenError if that is not allowed."""
        targets = _open.get()
        if not targets and not allow_none:
            raise CodegenError("there is no current target", hint='with Target("llvm"): ...', span=here())
        return targets[-1] if targets else None

    def __enter__(self) -> Target:
        _open.set((*_open.get(), self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        targets = _open.get()
        at = max((i for i, t in enumerate(targets) if t is self), default=None)
        if at is not None:
            _open.set(targets[:at] + targets[at + 1 :])

    # ---- what it says, by the classic names

    @property
    def is_cpu(self) -> bool:
        """Whether LLVM makes code for it here."""
        return self.kind == LLVM or self.kind in BY_LLVM

    @property
    def attrs(self) -> dict[str, Any]:
        """The options that were given, by name."""
        named = ("keys", "host", "tag", "kind")
        return {name: as_attribute(name, v) for name, v in self._options.items() if name not in named}

    @property
    def keys(self) -> list[str]:
        """Words for what it is, most special first: those that were given, the device, and "cpu" or "gpu"."""
        given = as_attribute("keys", self._options.get("keys", ""))
        device = [self.device_name] if self.device_name else []
        own = ["cpu"] if self.is_cpu else [str(self.kind), "gpu"]
        return list(dict.fromkeys([*given, *device, *own]))

    @property
    def device_name(self) -> str:
        return str(self._options.get("device", ""))

    @property
    def model(self) -> str:
        return str(self._options.get("model", "unknown"))

    @property
    def mcpu(self) -> str:
        return str(self._options.get("mcpu", ""))

    @property
    def mtriple(self) -> str:
        return str(self._options.get("mtriple", ""))

    @property
    def mattr(self) -> list[str]:
        return list(as_attribute("mattr", self._options.get("mattr", "")))

    @property
    def is_system_lib(self) -> bool:
        """Whether exported kernels are to be found by `runtime.system_lib`: the option `--system-lib`."""
        return self._options.get("system-lib", "0") not in ("0", "false", "False")

    @property
    def libs(self) -> list[str]:
        return list(as_attribute("libs", self._options.get("libs", "")))

    @property
    def tag(self) -> str:
        return str(self._options.get("tag", ""))

    @property
    def target_name(self) -> str:
        return str(self.kind)

    @property
    def options(self) -> list[str]:
        """The options as the text of the target has them."""
        return [f"-{n}={v}" if v != "" else f"-{n}" for n, v in self._options.items() if n != "host"]

    @property
    def max_num_threads(self) -> int:
        return int(self._options.get("max-num-threads", 1))

    @property
    def thread_warp_size(self) -> int:
        return int(self._options.get("thread_warp_size", 1))

    def export(self) -> dict[str, Any]:
        """This target as a dict, of which `Target(...)` makes it again."""
        given = {name: as_attribute(name, value) for name, value in self._options.items() if name != "host"}
        host = {} if self.host is None else {"host": self.host.export()}
        return {"kind": str(self.kind), **given, **host}

    def with_host(self, host: Target | Mapping[str, Any] | str) -> Target:
        """This target, called by another processor."""
        return Target(self, host)

    @staticmethod
    def list_kinds() -> list[str]:
        """The kinds of target that can be named; code is made for "llvm"."""
        return list(KINDS)

    @staticmethod
    def list_tags() -> dict[str, Target]:
        """Targets that have a name."""
        return {tag: Target(tag) for tag in TAGS}

    # ---- the processor

    @property
    def arch(self) -> str:
        """x86_64, aarch64, or what the triple begins with."""
        first = self.triple.split("-")[0]
        return {"arm64": "aarch64", "amd64": "x86_64"}.get(first, first)

    @property
    def features(self) -> frozenset[str]:
        """The features that are on."""
        return features_of(self.attributes)

    @property
    def llvm_features(self) -> str:
        """`attributes`, and how LLVM is to tune code: AMD's processors gather and scatter elements more slowly than they load
        and store them one by one (a sum of every second column: 9.6 ms, 2.9 without)."""
        tuning = "+prefer-no-gather,+prefer-no-scatter" if self.cpu.startswith("znver") else ""
        return ",".join(filter(None, (self.attributes, tuning)))

    def has(self, *features: str) -> bool:
        """Whether all of `features` are on."""
        return self.features.issuperset(features)

    @property
    def vector_bytes(self) -> int:
        """The width of its vector registers that code is made for, in bytes."""
        if self.arch == "x86_64":
            return 64 if self.has("avx512f") else 32 if self.has("avx") else 16
        return 16

    @property
    def cache_line(self) -> int:
        """Bytes that move between caches together."""
        return 128 if self.arch == "aarch64" and "apple" in self.triple else 64

    @property
    def runs_here(self) -> bool:
        """Whether this machine is known to have every instruction that the code may use."""
        return self.why_not_here is None

    @property
    def why_not_here(self) -> str | None:
        """Why this machine cannot run the code; None when it can."""
        own = Target.host()
        if (self.triple, self.cpu, self.attributes) == (own.triple, own.cpu, own.attributes):
            return None
        if not self.has_our_system:
            return "it is another system"
        if self.cpu != own.cpu and self.cpu not in CPUS:
            return f"what instructions {self.cpu} has is not known"
        lacking = sorted(self.features - own.features)
        return f"it lacks {', '.join(lacking)}" if lacking else None

    @property
    def has_our_system(self) -> bool:
        """Whether its architecture and operating system are those of this machine."""
        return self._system() == Target.host()._system()

    def _system(self) -> tuple[str, str]:
        """Architecture and operating system."""
        systems = ("linux", "darwin", "macos", "windows")
        system = next((s for s in systems if s in self.triple), self.triple)
        return self.arch, "darwin" if system == "macos" else system

    def machine(self, level: int = 2, linked: bool = False) -> Any:
        """A new target machine of LLVM (an engine takes its own). Code that is `linked` goes to a file."""
        try:
            llvm_target = llvm.Target.from_triple(self.triple)
        except RuntimeError as e:
            raise CodegenError(
                f"LLVM has no target {brief(self.triple)}", hint="such as aarch64-linux-gnu", span=here()
            ) from e
        return llvm_target.create_target_machine(
            cpu=self.cpu, features=self.llvm_features, **self.machine_options(level, linked)
        )

    def machine_options(self, level: int, linked: bool = False) -> dict[str, Any]:
        """The other arguments of an LLVM target machine."""
        jit = self.runs_here and not linked
        # Constants and calls are within 2 GB of the code: LLVM's linker ensures that. By default, code in
        # memory loads an address of 64 bits for each constant. (This linker does not support Windows.)
        if jit and not IS_NEAR:
            return {"opt": level, "jit": jit}
        return {"opt": level, "jit": jit, "reloc": "pic", "codemodel": "small"}

    @property
    def data_layout(self) -> str:
        """Its data layout, in LLVM's notation."""
        return _data_layout(self)

    # ---- comparing and showing

    def _key(self) -> tuple[Any, ...]:
        if self.is_cpu:
            return self.kind, self.triple, self.cpu, self.attributes
        return self.kind, *sorted((n, str(v)) for n, v in self._options.items() if n != "host")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Target) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        """The text of which `Target(...)` makes this target again."""
        if not self.is_cpu:
            return " ".join([str(self.kind), *self.options])
        features = f" -mattr={','.join(self.mattr)}" if self.mattr else ""
        return f"{self.kind} -mtriple={self.triple} -mcpu={self.cpu}{features}"

    def __repr__(self) -> str:
        return f"Target({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Target, (self.export(),)


def enabled(target: Target | Mapping[str, Any] | str) -> bool:
    """Whether this machine runs kernels that are made for `target`: "llvm" and "cpu" are, GPUs are not."""
    try:
        chosen = Target(LLVM if target == "cpu" else target)
    except CodegenError:
        return False
    return chosen.is_cpu and chosen.runs_here


@lru_cache(maxsize=32)
def _data_layout(target: Target) -> str:
    return str(target.machine().target_data)


def _read(given: Mapping[str, Any] | str) -> Target:
    """The target that a text or a dict describes."""
    kind, options = read(given)
    if not (kind == LLVM or kind in BY_LLVM):
        target = Target.processor("", "", options=options)
    else:
        words = tuple((name, str(options[name])) for name in ("mtriple", "mcpu", "mattr") if name in options)
        named = _named_processor(words, brief(repr(given)))
        target = Target.processor(named.triple, named.cpu, named.attributes, options)
    target.kind = TargetKind(kind)
    return target


@lru_cache(maxsize=64)
def _named_processor(words: tuple[tuple[str, str], ...], given: str) -> Target:
    """The processor that the options mtriple, mcpu and mattr name. `given` is the target they come from, for errors."""
    options = dict(words)
    for value in options.values():
        if not _NAMES.fullmatch(value):
            raise CodegenError(
                f"target {given}: {brief(repr(value))} is not a name that LLVM knows",
                hint="names are letters, digits, dots and dashes, and features stand behind + or -",
                span=here(),
            )
    features = options.get("mattr", "")
    unsigned = [a for a in features.split(",") if features and a[:1] not in ("+", "-")]
    if unsigned:
        raise CodegenError(
            f"target {given}: the feature {brief(repr(unsigned[0]))} is neither on nor off",
            hint="-mattr=+name turns one on, and -mattr=-name turns it off",
            span=here(),
        )
    always = next((a for a in features.split(",") if a in _ALWAYS), None)
    if always is not None:
        raise CodegenError(
            f"target {given}: code is made for processors with {always[1:]}",
            hint=f"leave {always} out",
            span=here(),
        )
    own = Target.host()
    triple = options.get("mtriple", own.triple)
    cpu = options.get("mcpu", "native" if triple == own.triple else "")
    base = own if cpu in ("native", own.cpu) and triple == own.triple else _by_name(triple, cpu)
    target = Target.processor(base.triple, base.cpu, ",".join(a for a in (base.attributes, features) if a))
    if not target.runs_here:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        _check_names(target, features, given)
        target.machine()  # LLVM knows this triple
    return target


def _check_names(target: Target, features: str, given: str) -> None:
    """Raise CodegenError for a processor or a feature that LLVM does not know: it would write that to stderr, and make
    code for another one."""
    known = {*_known_features(), *(f for own in CPUS.values() for f in own)}
    strange = [a for a in features.split(",") if a and a[1:] not in known]
    if target.cpu in (*CPUS, *GENERIC, Target.host().cpu) and not strange:
        return
    work = Work("", 0, target.triple, target.cpu, target.attributes, target.machine_options(0))
    said = remarks(work, 60) if can_start() else ""
    for name, kind in re.findall(r"'(\S+)' is not a recognized (processor|feature)", said):
        of_arch = [n for n, own in CPUS.items() if ("neon" in own) == (target.arch == "aarch64")]
        near = difflib.get_close_matches(name.lstrip("+-"), of_arch if kind == "processor" else known, 1, 0.0)
        raise CodegenError(
            f"target {given}: LLVM knows no {kind} {name.lstrip('+-')} of {target.arch}",
            hint=f"the nearest name is {near[0]}",
            span=here(),
        )


@lru_cache(maxsize=1)
def _known_features() -> frozenset[str]:
    """The features of this architecture, on or off."""
    return frozenset(a[1:] for a in Target.host().attributes.split(","))


def _by_name(triple: str, cpu: str) -> Target:
    """The processor `cpu`, or the simplest of its architecture, with the features that it is known to have."""
    arch = Target.processor(triple, "").arch
    name = cpu.replace("native", "") or ("x86-64" if arch == "x86_64" else "generic")
    return Target.processor(triple, name, ",".join(f"+{f}" for f in CPUS.get(name, ())))
