"""A function under construction: lines of LLVM text, SSA names, blocks, and memory to free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tewb.base import DType, Native
from tewb.codegen.types import value_type
from tewb.ir import ALLOCATED, Var
from tewb.runtime import Target
from tewb.runtime.abi import PackedCall

STACK_LIMIT = (
    64 << 10
)  # bytes of a thread's stack that buffers of a kernel may take; threads have small stacks
_LIKELY = '!{!"branch_weights", i32 2000, i32 1}'


class Module:
    """What the functions of a module share: the target, declarations, metadata, messages, packed functions; whether its
    kernels tell what their threads do (`runtime/thread_trace.py`)."""

    def __init__(self, target: Target, traced: bool = False) -> None:
        self.target, self.traced = target, traced
        self.declarations: dict[str, str] = {}
        self.functions: list[str] = []
        self.metadata: list[str] = []
        self.shared: dict[str, str] = {}  # references of metadata nodes that many instructions share
        self.messages: list[str] = []
        self.packed: list[PackedCall] = []
        self.natives: dict[str, Native] = {}
        self.strings: dict[str, str] = {}
        self.intermediates: list[str] = []
        self.has_parallel = False
        self.has_nontemporal = False
        # The alignment of memory in bytes, where more is known than the alignment of an element.
        self.alignments: dict[Var, int] = {}

    def declare(self, name: str, text: str) -> str:
        """Declare an external function once; returns its name with the @."""
        self.declarations.setdefault(name, f"declare {text}")
        return f"@{name}"

    def message(self, text: str) -> int:
        """The number of a message that the kernel may fail with."""
        if text not in self.messages:
            self.messages.append(text)
        return self.messages.index(text)

    def packed_number(self, call: PackedCall) -> int:
        """The number of a packed function."""
        if call not in self.packed:
            self.packed.append(call)
        return self.packed.index(call)

    def string(self, text: str) -> str:
        """A constant C string; returns the name of its first byte."""
        if text not in self.strings:
            data = text.encode("utf-8", "surrogatepass") + b"\0"
            escaped = "".join(f"\\{b:02x}" for b in data)
            name = f"@tewb.string.{len(self.strings)}"
            self.strings[text] = name
            self.declarations[name] = f'{name} = private constant [{len(data)} x i8] c"{escaped}"'
        return self.strings[text]

    def meta(self, text: str) -> str:
        """A metadata node; returns its reference."""
        self.metadata.append(text)
        return f"!{len(self.metadata) - 1}"

    def pointer(self, data: Var) -> str:
        """The type of a pointer to memory that nothing else points to, with its alignment if that is known."""
        alignment = self.alignments.get(data, 0)
        return f"ptr noalias align {alignment}" if alignment else "ptr noalias"

    def pointer_from(self, place: str, data: Var) -> str:
        """The instruction that loads such a pointer. Inlining drops the attributes of parameters, but keeps this."""
        alignment = self.alignments.get(data, 0)
        return f"load ptr, ptr {place}, align 8" + (
            f", !align {self.shared_meta(f'!{{i64 {alignment}}}')}" if alignment else ""
        )

    def nontemporal(self) -> str:
        """The metadata that marks a store as non-temporal."""
        return self.shared_meta("!{i32 1}")

    def shared_meta(self, text: str) -> str:
        """The reference of a metadata node, made on first use."""
        if text not in self.shared:
            self.shared[text] = self.meta(text)
        return self.shared[text]

    def fence(self) -> list[str]:
        """The instructions after which other threads see all stores: none without non-temporal stores, which x86 may
        reorder behind later ones. Results are always handed on with a release, which orders all stores on other
        processors, and all but these on x86."""
        if not self.has_nontemporal:
            return []
        if self.target.arch != "x86_64":
            return ["fence release"]
        return [f"call void {self.declare('llvm.x86.sse.sfence', 'void @llvm.x86.sse.sfence()')}()"]


class Function:
    """One LLVM function. `ins` adds an instruction with a value, `do` one without. The names of the functions
    outlined from it begin with `symbol`."""

    def __init__(self, module: Module, header: str, symbol: str = "") -> None:
        self.module, self.header, self.symbol = module, header, symbol
        self.entry: list[str] = []
        self.lines: list[str] = []
        self.block = "body"
        self.stack_bytes = 0  # of buffers, in this function and in those that call it
        self.called_bytes = 0  # the most that functions take which are called here
        self.free_slots: dict[tuple[str, int], list[str]] = {}  # of the stack, by element and count
        self.owned: list[str] = []  # heap memory that must be freed before returning
        self.ends: dict[str, str] = {}  # by memory, the block that frees it and everything owned before it
        self.ending: list[str] = []  # these blocks
        self.location: str | None = None
        self._count = 0

    def name(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def location_suffix(self) -> str:
        return f", !dbg {self.location}" if self.location else ""

    def ins(self, text: str) -> str:
        """Add `%new = text` and return %new."""
        name = self.name()
        self.lines.append(f"  {name} = {text}{self.location_suffix()}")
        return name

    def do(self, text: str) -> None:
        """Add an instruction that has no value."""
        self.lines.append(f"  {text}{self.location_suffix()}")

    def fence(self) -> None:
        """Make all stores so far visible to other threads."""
        for line in self.module.fence():
            self.do(line)

    def label(self) -> str:
        """A new block label."""
        self._count += 1
        return f"b{self._count}"

    def start(self, label: str) -> None:
        """Begin block `label`; the block before must have ended."""
        self.lines.append(f"{label}:")
        self.block = label

    def jump(self, label: str) -> None:
        self.do(f"br label %{label}")

    def branch(self, cond: str, yes: str, no: str, likely: bool = False, wishes: Sequence[str] = ()) -> None:
        """Branch on `cond`; `likely` says that it nearly always holds, `wishes` are the hints to LLVM for the loop that
        this ends."""
        notes = f", !prof {self.module.shared_meta(_LIKELY)}" if likely else ""
        notes += f", !llvm.loop {self._loop_with(wishes)}" if wishes else ""
        self.lines.append(f"  br i1 {cond}, label %{yes}, label %{no}{notes}{self.location_suffix()}")

    def _loop_with(self, wishes: Sequence[str]) -> str:
        """The metadata of a loop, with its hints."""
        texts = ", ".join([self.module.shared_meta(f"!{{{wish}}}") for wish in wishes])
        return self.module.meta(f"distinct !{{!{len(self.module.metadata)}, {texts}}}")

    def each(self, count: int) -> Iterator[str]:
        """A loop of `count` iterations: instructions written in the body of a `for` over this run in each of them."""
        before, body, done = self.block, self.label(), self.label()
        self.jump(body)
        self.start(body)
        i = self.name()
        at = len(self.lines)
        self.lines.append("")  # the phi, whose other value comes at the end of the body
        yield i
        following = self.ins(f"add nsw i64 {i}, 1")
        again = self.ins(f"icmp slt i64 {following}, {count}")
        self.lines[at] = (
            f"  {i} = phi i64 [ 0, %{before} ], [ {following}, %{self.block} ]{self.location_suffix()}"
        )
        self.branch(again, body, done)
        self.start(done)

    def stack(self, dtype: str, count: int, align: int = ALLOCATED) -> str:
        """Memory of `count` x `dtype` on the stack, for the whole function."""
        name = self.name()
        self.entry.append(f"  {name} = alloca [{count} x {dtype}], align {align}")
        return name

    def calls(self, other: Function) -> None:
        """Another function, which began with the `stack_bytes` of this one, is called here: its stack stands on this one's."""
        self.called_bytes = max(self.called_bytes, other.stack_bytes + other.called_bytes - self.stack_bytes)

    def splat(self, value: str, d: DType) -> str:
        """A vector of dtype `d` whose lanes are all `value`."""
        scalar, vector = value_type(d.element), value_type(d)
        one = self.ins(f"insertelement {vector} poison, {scalar} {value}, i64 0")
        zeros = f"<{d.lanes} x i32> zeroinitializer"
        return self.ins(f"shufflevector {vector} {one}, {vector} poison, {zeros}")

    def require(self, cond: str, kind: int, message: str, a: str = "0", b: str = "0") -> None:
        """Fail with `message` unless `cond`."""
        good, bad = self.label(), self.label()
        self.branch(cond, good, bad, likely=True)
        self.start(bad)
        number = self.module.message(message)
        self.do(f"call void @tewb.fail(ptr %ctx, i64 {kind}, i64 {number}, i64 {a}, i64 {b})")
        self.fail()
        self.start(good)

    def taken(self, name: str) -> str | None:
        """Why no C function of this name can be called here: a part of the kernel has that name."""
        own = self.symbol.split(".par")[0]
        if name != own and not name.startswith(f"{own}."):
            return None
        return f"{name} is the name of a part of this kernel; build it with another name"

    def fail(self) -> None:
        """Free what is owned and return 1; the context holds the failure."""
        if not self.owned:
            self.do("ret i32 1")
            return
        count = len(self.owned)
        while count and self.owned[count - 1] not in self.ends:
            count -= 1
        for n in range(count, len(self.owned)):
            self._end_with(self.owned[n], self.owned[n - 1] if n else None)
        self.jump(self.ends[self.owned[-1]])

    def _end_with(self, p: str, around: str | None) -> None:
        """Write the end of the function where `p` was the last memory taken, inside of `around`."""
        self.ends[p] = self.label()
        after = "ret i32 1" if around is None else f"br label %{self.ends[around]}"
        self.ending += [
            f"{self.ends[p]}:",
            f"  call void @tewb.free(ptr %ctx, ptr {p}){self.location_suffix()}",
            f"  {after}{self.location_suffix()}",
        ]

    def text(self) -> str:
        """The whole function."""
        return "\n".join(
            [
                self.header + " {",
                "entry:",
                *self.entry,
                "  br label %body",
                "body:",
                *self.lines,
                *self.ending,
                "}",
            ]
        )
