"""A module of low-level IR to machine code: entry functions, signatures, debug information."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tewb.base import CodegenError, DType, Native
from tewb.codegen.debug import DebugInfo
from tewb.codegen.function import Function, Module
from tewb.codegen.links import Linked, assembly_lines, llvm_lines
from tewb.codegen.statements import Statements, operations
from tewb.codegen.types import value_type
from tewb.ir import (
    Buffer,
    Call,
    Expr,
    For,
    IfThenElse,
    IRModule,
    PrimFunc,
    Stmt,
    Var,
    const_int,
    free_vars,
    script,
    script_lines,
    substitute,
    walk,
)
from tewb.runtime import ForeignKernel, Kernel, Target, pool
from tewb.runtime.abi import ERROR, HANDLE, MEMORY_LEFT, NO_MEMORY, KernelSignature, ParamSpec, Size
from tewb.runtime.callbacks import register_native
from tewb.runtime.jit import Compiled, Translated, register_symbol

# Memory for intermediates comes from CPython's raw allocator, which needs no lock. A block remembers how it
# was made in the words before it. The context counts down what a call may still take.
_SERVICES = f"""
declare ptr @tewb_rt_malloc(i64)
declare void @tewb_rt_raw_free(ptr)
declare i64 @tewb_rt_alloc_shared(i64, i64)
declare void @tewb_rt_free_shared(i64, i64)

define internal void @tewb.fail(ptr %ctx, i64 %kind, i64 %message, i64 %a, i64 %b) noinline cold {{
  %pm = getelementptr i64, ptr %ctx, i64 2
  store i64 %message, ptr %pm
  %pa = getelementptr i64, ptr %ctx, i64 3
  store i64 %a, ptr %pa
  %pb = getelementptr i64, ptr %ctx, i64 4
  store i64 %b, ptr %pb
  %pk = getelementptr i64, ptr %ctx, i64 {ERROR}
  store i64 %kind, ptr %pk
  store atomic i32 1, ptr %ctx monotonic, align 8
  ret void
}}

define internal ptr @tewb.alloc(ptr %ctx, i64 %size, i64 %message, i64 %shared) noinline {{
  %left = getelementptr i64, ptr %ctx, i64 {MEMORY_LEFT}
  %had = atomicrmw sub ptr %left, i64 %size seq_cst
  %negative = icmp slt i64 %size, 0
  %less = icmp slt i64 %had, %size
  %no = or i1 %negative, %less
  br i1 %no, label %refuse, label %take
refuse:
  call void @tewb.fail(ptr %ctx, i64 {NO_MEMORY}, i64 %message, i64 %size, i64 %had)
  ret ptr null
take:
  %isshared = icmp ne i64 %shared, 0
  %whole = add i64 %size, 192
  br i1 %isshared, label %python, label %raw
python:
  %ph = getelementptr i64, ptr %ctx, i64 {HANDLE}
  %handle = load i64, ptr %ph
  %address = call i64 @tewb_rt_alloc_shared(i64 %handle, i64 %whole)
  %p1 = inttoptr i64 %address to ptr
  br label %made
raw:
  %p2 = call ptr @tewb_rt_malloc(i64 %whole)
  br label %made
made:
  %p = phi ptr [ %p1, %python ], [ %p2, %raw ]
  %none = icmp eq ptr %p, null
  br i1 %none, label %refuse, label %align
align:
  %at = ptrtoint ptr %p to i64
  %up = add i64 %at, 127
  %even = and i64 %up, -64
  %block = inttoptr i64 %even to ptr
  %w1 = getelementptr i64, ptr %block, i64 -1
  store i64 %at, ptr %w1
  %w2 = getelementptr i64, ptr %block, i64 -2
  store i64 %size, ptr %w2
  %w3 = getelementptr i64, ptr %block, i64 -3
  store i64 %shared, ptr %w3
  ret ptr %block
}}

define internal void @tewb.free(ptr %ctx, ptr %block) noinline {{
  %w1 = getelementptr i64, ptr %block, i64 -1
  %at = load i64, ptr %w1
  %w2 = getelementptr i64, ptr %block, i64 -2
  %size = load i64, ptr %w2
  %w3 = getelementptr i64, ptr %block, i64 -3
  %shared = load i64, ptr %w3
  %left = getelementptr i64, ptr %ctx, i64 {MEMORY_LEFT}
  %had = atomicrmw add ptr %left, i64 %size seq_cst
  %isshared = icmp ne i64 %shared, 0
  br i1 %isshared, label %python, label %raw
python:
  %ph = getelementptr i64, ptr %ctx, i64 {HANDLE}
  %handle = load i64, ptr %ph
  call void @tewb_rt_free_shared(i64 %handle, i64 %at)
  ret void
raw:
  %p = inttoptr i64 %at to ptr
  call void @tewb_rt_raw_free(ptr %p)
  ret void
}}
"""


class CompiledModule:
    """Machine code for a module of IR, and every text on the way to it."""

    def __init__(
        self,
        module: IRModule,
        text: str,
        signatures: dict[str, KernelSignature],
        natives: tuple[Native, ...],
        target: Target,
        debug: bool = False,
        level: int = 2,
    ) -> None:
        self.module, self.signatures, self.target = module, signatures, target
        self.natives = natives  # kept alive as long as the code that calls them
        self._debug, self._level = debug, level
        make = Compiled if target.runs_here else Translated
        self._code: Translated = make(text, level, target=target)

    def for_target(self, target: Target | str) -> CompiledModule:
        """The same module, compiled for another target."""
        return compile_module(self.module, self._debug, self._level, Target.of(target))

    @property
    def llvm_ir(self) -> str:
        """LLVM IR as tewb made it."""
        return self._code.llvm_ir

    @property
    def optimized_ir(self) -> str:
        """LLVM IR after optimisation."""
        return self._code.optimized_ir

    @property
    def assembly(self) -> str:
        return self._code.assembly

    def kernel(self, name: str) -> Kernel:
        """The kernel of function `name`; one that cannot be called when the target is another machine."""
        if not isinstance(self._code, Compiled):
            return ForeignKernel(self.signatures[name], self, self.target)
        setters = dict.fromkeys(n.set_threads for n in self.natives if n.set_threads is not None)
        return Kernel(self._code.address(name), self.signatures[name], self, tuple(setters))

    def assembly_lines(self) -> Linked:
        """The assembly, each line with the line (from 1) of the low-level IR text that it computes."""
        return assembly_lines(self.assembly)

    def llvm_lines(self, optimized: bool = False) -> Linked:
        """The LLVM IR, before or after optimisation, each line with its line of the low-level IR text."""
        return llvm_lines(self.optimized_ir if optimized else self.llvm_ir)


def compile_module(
    module: IRModule, debug: bool = False, level: int = 2, target: Target | None = None
) -> CompiledModule:
    """Compile flat, scalar-or-vector IR (what the passes of BUILD give). With `debug`, check every access.
    `level` is how much LLVM optimises: 0 compiles several times faster, to code that is slower. `target` is
    the processor; None is this machine's."""
    target = target or Target.host()
    shared = Module(target)
    pool()  # parallel loops call it
    lines = script_lines(module)
    numbers = {id(line.node): i + 1 for i, line in reversed(list(enumerate(lines))) if line.node is not None}
    debug_info = DebugInfo(shared, numbers)
    texts: list[str] = []
    signatures: dict[str, KernelSignature] = {}
    for f in module.functions.values():
        shared.messages, shared.packed, shared.intermediates, shared.has_parallel = [], [], [], False
        texts.append(_function(shared, f, debug, debug_info))
        signatures[f.name] = _signature(shared, f)
    parts = [_SERVICES, *shared.declarations.values(), *shared.functions, *texts, _attributes_of(target)]
    parts += [f"!{i} = {m}" for i, m in enumerate(shared.metadata)]
    parts += debug_info.named()
    if any(s.packed for s in signatures.values()):
        register_native()
    for known in shared.natives.values():
        register_symbol(known.symbol, known.address)
    return CompiledModule(
        module, "\n".join(parts) + "\n", signatures, tuple(shared.natives.values()), target, debug, level
    )


def _attributes_of(target: Target) -> str:
    """The attributes of every function: LLVM shall use vectors as wide as the registers."""
    width = f'"prefer-vector-width"="{8 * target.vector_bytes}"'
    return f'attributes #0 = {{ nounwind {width} "no-trapping-math"="true" }}'


def _function(module: Module, f: PrimFunc, debug: bool, info: DebugInfo) -> str:
    """The body on noalias pointers, and the entry that unpacks the slots."""
    scope = info.scope(f.name)
    params: list[str] = ["ptr %ctx"]
    values: dict[Var, str] = {}
    loads: list[str] = []
    arguments: list[str] = ["ptr %ctx"]
    for n, p in enumerate([*f.params, *symbols_of(f)]):
        d = DType("handle") if isinstance(p, Buffer) else p.dtype
        v = p.data if isinstance(p, Buffer) else p
        t = value_type(d)
        values[v] = f"%p{n}"
        params.append(f"{t} {_attributes(p)} %p{n}" if isinstance(p, Buffer) else f"{t} %p{n}")
        loads += _unpack(n, d)
        arguments.append(f"{t} %a{n}")
    body = Function(module, f"define internal i32 @{f.name}.body({', '.join(params)}) #0 !dbg {scope}")
    body.location = info.start(scope)
    Statements(body, values, debug, _seen_by_python(f), info, scope).emit(f.body)
    body.do("ret i32 0")
    # The entry has a subprogram too: inlined code keeps its lines only inside of one.
    outer = info.scope(f"{f.name}.entry")
    entry = [f"define i32 @{f.name}(ptr %ctx, ptr %args) !dbg {outer} {{", *loads]
    entry.append(f"  %r = call i32 @{f.name}.body({', '.join(arguments)}), !dbg {info.start(outer)}")
    entry += ["  ret i32 %r", "}"]
    return body.text() + "\n\n" + "\n".join(entry)


def _attributes(p: Buffer) -> str:
    """What holds of an argument's pointer: the runtime has separated it from the others and checked it."""
    return f"noalias align {p.alignment}" if p.alignment else "noalias"


def _unpack(n: int, d: DType) -> list[str]:
    """Lines that load slot `n` as %a<n> of dtype `d`."""
    lines = [f"  %s{n} = getelementptr i64, ptr %args, i64 {n}"]
    if d.kind == "handle":
        return [*lines, f"  %a{n} = load ptr, ptr %s{n}"]
    if d.is_float:
        lines.append(f"  %d{n} = load double, ptr %s{n}")
        return [
            *lines,
            f"  %a{n} = fptrunc double %d{n} to float"
            if d.bits == 32
            else f"  %a{n} = fadd double %d{n}, 0.0",
        ]
    lines.append(f"  %i{n} = load i64, ptr %s{n}")
    if d.bits == 64:
        return [*lines, f"  %a{n} = add i64 %i{n}, 0"]
    return [*lines, f"  %a{n} = trunc i64 %i{n} to {value_type(d)}"]


def symbols_of(f: PrimFunc) -> list[Var]:
    """The variables of shapes and strides that are no parameters, in order of first use."""
    found: dict[Var, None] = {}
    for p in f.params:
        if isinstance(p, Buffer):
            for e in (*p.shape, *p.strides):
                found.update({v: None for v in free_vars(e)})
    return [v for v in found if not any(v is p for p in f.params)]


def _seen_by_python(f: PrimFunc) -> set[Var]:
    """The buffers that packed functions get views of."""
    return {
        n.args[0]
        for n in walk(f.body)
        if isinstance(n, Call) and n.op == "tvm_stack_make_array" and isinstance(n.args[0], Var)
    }


def _signature(module: Module, f: PrimFunc) -> KernelSignature:
    names = symbol_names(f)
    params = tuple(_param(p, i in f.outputs, names) for i, p in enumerate(f.params))
    symbols = symbols_of(f)
    return KernelSignature(
        f.name,
        params,
        tuple(names[v] for v in symbols),
        tuple(module.packed),
        tuple(module.messages),
        module.has_parallel,
        operations(f.body) or _work_text(f.body, {v: names[v] for v in symbols}),
        tuple(module.intermediates),
        tuple(v.dtype.bits for v in symbols),
    )


def symbol_names(f: PrimFunc) -> dict[Var, str]:
    """A name for every parameter and symbol that is a variable; different strides may both be called `s`."""
    names: dict[Var, str] = {p: p.name for p in f.params if isinstance(p, Var)}
    taken = set(names.values())
    for v in symbols_of(f):
        name, k = v.name, 0
        while name in taken:
            k += 1
            name = f"{v.name}_{k}"
        names[v] = name
        taken.add(name)
    return names


def _work_text(s: Stmt, known: Mapping[Var, str]) -> str | None:
    """The operations of a statement as Python text over the symbols `known`; None when they do not tell."""
    constant = operations(s)
    if constant is not None:
        return str(constant)
    if isinstance(s, For):
        inside = _work_text(s.body, known)
        size = _size(s.extent, known) if known.keys() >= set(free_vars(s.extent)) else None
        return None if inside is None or size is None else f"({size.text}) * ({inside})"
    parts = [_work_text(c, known) for c in s.children() if isinstance(c, Stmt)]
    if isinstance(s, IfThenElse) and len(parts) == 2 and None not in parts:
        return f"max({parts[0]}, {parts[1]})"
    return None if not parts or None in parts else " + ".join(f"({p})" for p in parts)


def _param(p: Buffer | Var, is_output: bool, names: Mapping[Var, str]) -> ParamSpec:
    if isinstance(p, Var):
        return ParamSpec(p.name, "scalar", str(p.dtype))
    shape = tuple(_size(n, names) for n in p.shape)
    strides = tuple(_size(n, names) for n in p.strides) if p.strides else None
    return ParamSpec(p.name, "buffer", str(p.dtype), shape, strides, is_output, p.alignment)


def _size(e: Expr, names: Mapping[Var, str]) -> Size:
    value = const_int(e)
    if value is not None:
        return Size(value, str(value))
    if isinstance(e, Var):
        return Size(None, names[e], names[e])
    e = substitute(e, {v: Var(names[v], v.dtype) for v in free_vars(e) if names[v] != v.name})
    text = script(e).replace("T.min", "min").replace("T.max", "max")
    text = re.sub(r"T\.int(?:32|64)\((-?\d+)\)", r"\1", text)
    if "T." in text:
        raise CodegenError(f"the size {text} is not arithmetic that an argument check can do")
    return Size(None, text)
