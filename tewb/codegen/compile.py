"""A module of low-level IR to machine code: entry functions, signatures, debug information."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import (
    CodegenError,
    PassContext,
    any_depth,
    fresh_identifier,
    kernel_symbol,
    lazy,
    llvm_name,
    native,
)
from tewb.codegen.debug_locations import DebugInfo
from tewb.codegen.exported_text import entry_name, exported_text, header
from tewb.codegen.function import Function, Module
from tewb.codegen.imported_llvm import imported_texts, linked
from tewb.codegen.intrinsics import provide_library
from tewb.codegen.kernel_support import DECLARATIONS, provide_kernel_support
from tewb.codegen.line_provenance import Linked, assembly_lines, llvm_lines
from tewb.codegen.loop_work import operations
from tewb.codegen.narrow_floats import from_float32, is_narrow
from tewb.codegen.size_limits import size_limits
from tewb.codegen.size_text import size_text
from tewb.codegen.statements import Statements
from tewb.codegen.types import value_type
from tewb.ir import (
    Allocate,
    Buffer,
    BufferStore,
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
    has_nontemporal,
    parse,
    script,
    script_lines,
    walk,
    walk_statements,
)
from tewb.lowering import solved_size
from tewb.runtime import (
    Compiled,
    Exported,
    ForeignKernel,
    Kernel,
    Target,
    Translated,
    bitcode,
    pool,
    register_native,
    tracer,
)
from tewb.runtime.abi import Description, KernelSignature, ParamSpec, SymbolicSize


@dataclass(frozen=True)
class LLVMModule:
    """LLVM text of flat IR, and what the runtime must know about its kernels; `natives` are the symbols of the
    native functions that it calls."""

    module: IRModule
    text: str
    signatures: dict[str, KernelSignature]
    natives: tuple[str, ...]


class CompiledModule:
    """Machine code for a module of IR, and every text on the way to it.

    Code that is in the cache is loaded by the name of its module, without making any text. Texts are made when they
    are first read, and code when a kernel is.
    """

    def __init__(
        self,
        named: str,
        translate: Callable[[Target], LLVMModule],
        level: int,
        target: Target,
        debug: bool = False,
    ) -> None:
        self._named, self._translate, self._level, self.target = named, translate, level, target
        self._debug, self._config = debug, PassContext.current().config

        def text() -> str:
            return self._translation.text

        if target.runs_here:
            self._code: Translated = Compiled(
                text,
                level,
                named=named,
                about=self._about,
                provide=_provide_symbols,
                target=target,
                cause=self._cause,
            )
        else:
            self._code = Translated(text, level, target=target)

    def for_target(self, target: Target | str) -> CompiledModule:
        """The same module, compiled for another target."""
        return CompiledModule(self._named, self._translate, self._level, Target.of(target), self._debug)

    @lazy
    def _translation(self) -> LLVMModule:
        return self._translate(self.target)

    def _cause(self) -> str:
        """The longest of the loops that have no loop inside, as the end of a sentence."""
        loops = [
            n for f in self.module.functions.values() for n in walk_statements(f.body) if isinstance(n, For)
        ]
        sizes = {
            n: sum(1 for x in walk_statements(n.body) if isinstance(x, BufferStore))
            for n in loops
            if _is_innermost(n)
        }
        if not sizes:
            return ""
        longest = max(sizes, key=lambda n: sizes[n])
        return f", and an iteration of loop {longest.var.name} makes {sizes[longest]} stores"

    def _about(self) -> bytes:
        return pickle.dumps((self._translation.signatures, self._translation.natives))

    def __repr__(self) -> str:
        return f"CompiledModule(for {self.target})"

    @property
    def module(self) -> IRModule:
        """The IR that the machine code was compiled from."""
        return self._translation.module

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

    def kernel(self, name: str, signature: KernelSignature | None = None) -> Kernel:
        """The kernel of function `name`; one that cannot be called when the target is another machine. Its signature
        is `signature`, with other names in it, if that is given."""
        if not isinstance(self._code, Compiled):
            return ForeignKernel(signature or self._translation.signatures[name], self, self.target)
        address = self._code.address(kernel_symbol(name))
        signatures, symbols = pickle.loads(self._code.about)
        self._natives = [n for n in map(native, symbols) if n is not None]  # alive as long as this code
        setters = dict.fromkeys(n.set_threads for n in self._natives if n.set_threads is not None)
        return Kernel(address, signature or signatures[name], self, tuple(setters))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the kernels in it."""
        return tuple(self._translation.signatures)

    def exported(self) -> Exported:
        """The object code of these kernels as a library for C programs, other processes and other machines."""
        made = self._translation
        own = {entry_name(name): signature for name, signature in made.signatures.items()}
        target = self.target
        about = Description((target.triple, target.cpu, target.attributes), own, made.natives)
        text = exported_text(made.text, made.signatures, about.to_json(), target.is_system_lib)
        object_code = Translated(text, self._level, target=target).object_code()
        return Exported(object_code, header(made.signatures, target), target)

    @property
    def identity(self) -> tuple[str, str, int]:
        """Equal for modules of the same code."""
        return self._named, str(self.target), self._level

    def pickled(self, name: str) -> tuple[Callable[..., Kernel], tuple[Any, ...]]:
        """How `pickle` makes the kernel `name` again: from its IR, for the machine where it arrives, unless its target
        is another one."""
        target = None if self.target == Target.host() else self.target
        config = {key: value for key, value in self._config.items() if isinstance(value, bool | int | str)}
        arguments = (script(self.module), self._debug, self._level, target, config)
        return _compiled_again, (*arguments, self._translation.signatures[name])

    def bitcode(self) -> bytes:
        """The optimised LLVM IR as bitcode."""
        return bitcode(self.optimized_ir)

    def assembly_lines(self) -> Linked:
        """The assembly, each line with the line (from 1) of the low-level IR text that it computes."""
        return assembly_lines(self.assembly)

    def llvm_lines(self, optimized: bool = False) -> Linked:
        """The LLVM IR, before or after optimisation, each line with its line of the low-level IR text."""
        return llvm_lines(self.optimized_ir if optimized else self.llvm_ir)


def compile_module(
    module: IRModule,
    debug: bool = False,
    level: int | None = None,
    flatten: Callable[[], IRModule] | None = None,
    target: Target | None = None,
    traced: bool = False,
) -> CompiledModule:
    """Compile flat, scalar-or-vector IR (what the passes of BUILD give). With `debug`, check every access.
    `level` is how much LLVM optimises, or None for what the PassContext says: 0 compiles several times faster, to
    code that is slower. `target` is the processor; None is this machine's. What the threads of a `traced` kernel do
    is found by `trace_threads`.

    `flatten` makes the flat IR of a `module` that is not flat yet, when it is needed."""
    named = f"{debug} {flatten is None}{' traced' if traced else ''} {_identity(module)}"

    def make(target: Target) -> LLVMModule:
        return translate(flatten() if flatten else module, debug, target, traced)

    chosen = PassContext.current().opt_level if level is None else level
    return CompiledModule(named, make, chosen, target or Target.host(), debug)


def _compiled_again(
    text: str,
    debug: bool,
    level: int,
    target: Target | None,
    config: dict[str, Any],
    signature: KernelSignature,
) -> Kernel:
    """A kernel from the text of its flat IR. The text has names that Python can read, `signature` the user's own."""
    program = parse(text)
    module = program if isinstance(program, IRModule) else IRModule({program.name: program})
    with PassContext(config=config):
        return compile_module(module, debug, level, None, target).kernel(signature.name, signature)


def _is_innermost(loop: For) -> bool:
    return not any(isinstance(n, For) for n in walk_statements(loop.body))


def _identity(module: IRModule) -> str:
    """Everything that the code and the messages of a module depend on, with the current options. Texts have names
    that Python can read, messages the user's own."""
    lines = script_lines(module)
    names = [n.node.buffer.name for n in lines if isinstance(n.node, Allocate)]
    for f in module.functions.values():
        names += [p.name for p in f.params] + [v.name for v in symbols_of(f)]
    text = "\n".join([f"{line.depth} {line.text}" for line in lines])
    config = sorted((k, v) for k, v in PassContext.current().config.items() if k != "tir.add_lower_pass")
    return f"{list(module.functions)} {names} {config}\n{text}"


def _provide_symbols(symbols: Sequence[str]) -> None:
    """Register the functions that generated code calls."""
    if any(name.startswith("tewb_rt_call_") for name in symbols):
        register_native()
    if "tewb_rt_parallel" in symbols:
        pool()
    if "tewb_rt_trace_begin" in symbols:
        tracer()
    if any(name.startswith("tewb.") for name in symbols):
        provide_kernel_support()
    provide_library(symbols)


@any_depth
def translate(module: IRModule, debug: bool, target: Target, traced: bool = False) -> LLVMModule:
    """The LLVM text of flat IR."""
    shared = Module(target, traced)
    lines = script_lines(module)
    numbers = {id(line.node): i + 1 for i, line in reversed(list(enumerate(lines))) if line.node is not None}
    debug_info = DebugInfo(shared, numbers)
    texts: list[str] = []
    signatures: dict[str, KernelSignature] = {}
    for f in module.functions.values():
        shared.messages, shared.packed, shared.intermediates, shared.has_parallel = [], [], [], False
        shared.has_nontemporal = has_nontemporal(f.body)
        texts.append(_function(shared, f, debug, debug_info))
        signatures[f.name] = _signature(shared, f)
    sections = [
        DECLARATIONS,
        *shared.declarations.values(),
        *shared.functions,
        *texts,
        _attributes_of(target),
    ]
    sections += [f"!{i} = {m}" for i, m in enumerate(shared.metadata)]
    sections += debug_info.named()
    text = linked("\n".join(sections) + "\n", imported_texts(module), target)
    return LLVMModule(module, text, signatures, tuple(shared.natives))


def _attributes_of(target: Target) -> str:
    """The attributes of every function: LLVM is asked to use vectors as wide as the registers."""
    width = f'"prefer-vector-width"="{8 * target.vector_bytes}"'
    return f'attributes #0 = {{ nounwind {width} "no-trapping-math"="true" }}'


def _function(module: Module, f: PrimFunc, debug: bool, info: DebugInfo) -> str:
    """The body on noalias pointers, and the entry that unpacks the slots."""
    symbol = kernel_symbol(f.name)
    inside = llvm_name(f"{symbol}.body")
    scope = info.scope(f.name)
    params: list[str] = ["ptr %ctx"]
    values: dict[Var, str] = {}
    loads: list[str] = []
    arguments: list[str] = ["ptr %ctx"]
    for n, p in enumerate([*f.params, *symbols_of(f)]):
        v = p.data if isinstance(p, Buffer) else p
        t = "float" if is_narrow(v.dtype) else value_type(v.dtype)
        values[v] = f"%p{n}"
        if isinstance(p, Buffer):
            # The runtime has separated the argument from the others, and checked the alignment it declares. LLVM
            # accepts none beyond 2**32, and no instruction needs more than a page.
            module.alignments[v] = min(p.alignment, 4096)
        params.append(f"{module.pointer(v) if isinstance(p, Buffer) else t} %p{n}")
        loads += _unpack(module, n, v)
        arguments.append(f"{t} %a{n}")
    body = Function(module, f"define internal i32 {inside}({', '.join(params)}) #0 !dbg {scope}", symbol)
    body.location = info.start(scope)
    for v, value in values.items():
        if is_narrow(v.dtype):
            values[v] = from_float32(body, value, v.dtype)
    Statements(body, values, debug, _seen_by_python(f), info, scope).emit_all(f.body)
    # The entry has a subprogram too: inlined code keeps its lines only inside of one.
    outer = info.scope(f"{f.name}.entry")
    entry = [f"define i32 {llvm_name(symbol)}(ptr %ctx, ptr %args) !dbg {outer} {{", *loads]
    run = [f"%r = call i32 {inside}({', '.join(arguments)})", *module.fence()]
    if module.traced:
        names = ("tewb_rt_trace_begin", "tewb_rt_trace_end")
        begin, end = (f"call void {module.declare(n, f'void @{n}()')}()" for n in names)
        run = [begin, *run, end]
    entry += [f"  {line}, !dbg {info.start(outer)}" for line in run]
    entry += ["  ret i32 %r", "}"]
    return body.text() + "\n\n" + "\n".join(entry)


def _unpack(module: Module, n: int, v: Var) -> list[str]:
    """Lines that load slot `n` as %a<n>, the value of `v`."""
    d = v.dtype
    lines = [f"  %s{n} = getelementptr i64, ptr %args, i64 {n}"]
    if d.kind == "handle":
        return [*lines, f"  %a{n} = {module.pointer_from(f'%s{n}', v)}"]
    if d.is_float:
        lines.append(f"  %d{n} = load double, ptr %s{n}")
        return [
            *lines,
            f"  %a{n} = fptrunc double %d{n} to float"
            if d.bits <= 32
            else f"  %a{n} = fadd double %d{n}, 0.0",
        ]
    lines.append(f"  %i{n} = load i64, ptr %s{n}")
    if d.bits == 64:
        return [*lines, f"  %a{n} = add i64 %i{n}, 0"]
    if d.is_bool:
        return [*lines, f"  %a{n} = icmp ne i64 %i{n}, 0"]
    return [*lines, f"  %a{n} = trunc i64 %i{n} to {value_type(d)}"]


def symbols_of(f: PrimFunc) -> list[Var]:
    """The variables of shapes and strides that are not parameters, in order of first use."""
    symbols: dict[Var, None] = {}
    for p in f.params:
        if isinstance(p, Buffer):
            for e in (*p.shape, *p.strides):
                symbols.update({v: None for v in free_vars(e)})
    return [v for v in symbols if not any(v is p for p in f.params)]


def _seen_by_python(f: PrimFunc) -> set[Var]:
    """The buffers that packed functions get views of."""
    return {
        n.args[0]
        for n in walk(f.body)
        if isinstance(n, Call) and n.op == "tvm_stack_make_array" and isinstance(n.args[0], Var)
    }


def _signature(module: Module, f: PrimFunc) -> KernelSignature:
    names = symbol_names(f)
    params = tuple(_param(p, i, i in f.outputs, names) for i, p in enumerate(f.params))
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
        size_limits(f, names),
    )


def symbol_names(f: PrimFunc) -> dict[Var, str]:
    """A name for every parameter and symbol that is a variable; different ones may both be called `s`."""
    names: dict[Var, str] = {}
    taken: set[str] = set()
    for v in (*(p for p in f.params if isinstance(p, Var)), *symbols_of(f)):
        name = fresh_identifier(v.name, taken)  # it is used in sizes, which are Python text
        names[v] = name
        taken.add(name)
    return names


def _work_text(s: Stmt, names: Mapping[Var, str]) -> str | None:
    """The operations of a statement as Python text over the symbols `names`; None when it is not
    expressible in them."""
    terms = _work_terms(s, names)
    if terms is None:
        return None
    return (
        " + ".join([str(n) if t == _ONE else t if n == 1 else f"{n} * {t}" for t, n in terms.items()]) or "0"
    )


_ONE = "1"  # the term that constants are a multiple of


def _work_terms(s: Stmt, names: Mapping[Var, str]) -> Counter[str] | None:
    """The operations as a sum: how often each term occurs in it."""
    if isinstance(s, For):
        inside, size = _work_text(s.body, names), size_text(s.extent, names)
        if inside is None or size is None:
            return None
        return (
            _repeated_work(inside, int(size)) if size.isdecimal() else Counter({f"({size}) * ({inside})": 1})
        )
    if isinstance(s, IfThenElse) and s.other is not None:
        then, other = _work_text(s.then, names), _work_text(s.other, names)
        return None if then is None or other is None else Counter({f"max({then}, {other})": 1})
    inner = [c for c in s.children() if isinstance(c, Stmt)]
    if not inner:
        constant = operations(s)
        return None if constant is None else Counter({_ONE: constant})
    total: Counter[str] = Counter()
    for c in inner:
        terms = _work_terms(c, names)
        if terms is None:
            return None
        total.update(terms)
    return total


def _repeated_work(work: str, n: int) -> Counter[str]:
    return Counter({_ONE: int(work) * n} if work.isdecimal() else {f"({work})": n})


def _param(p: Buffer | Var, index: int, is_output: bool, names: Mapping[Var, str]) -> ParamSpec:
    if isinstance(p, Var):
        return ParamSpec(p.name, "scalar", str(p.dtype), symbol=names[p], position=index + 1)
    shape = tuple(_symbolic_size(n, names) for n in p.shape)
    strides = tuple(_symbolic_size(n, names) for n in p.strides) if p.strides else None
    return ParamSpec(
        p.name, "buffer", str(p.dtype), shape, strides, is_output, p.alignment, position=index + 1
    )


def _symbolic_size(e: Expr, names: Mapping[Var, str]) -> SymbolicSize:
    value = const_int(e)
    if value is not None:
        return SymbolicSize(value, str(value))
    if isinstance(e, Var):
        return SymbolicSize(None, names[e], names[e])
    text = size_text(e, names)
    if text is None:
        raise CodegenError(f"the size {script(e)} is not arithmetic that an argument check can do")
    solved = solved_size(e)
    if solved is None:
        return SymbolicSize(None, text)
    return SymbolicSize(None, text, None, names[solved.variable], solved.factor, solved.offset)
