"""Exported text: the LLVM module of kernels that live outside of this process, with all that they need around them.

Inside of a process, kernels call functions of the runtime by address. In a library of its own a kernel reaches them
through `tewb_hooks`, a table of pointers that begins with plain C: memory from malloc, parallel loops one iteration
after the other, no packed functions. `tewb.load_module` fills the table with the runtime's functions; a C program may
put its own there.

The library also has, for each kernel, a C function with an argument for each parameter, and `tewb_about`: what a kernel
takes, as JSON text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tewb.base import CodegenError, DType, fresh_identifier, kernel_symbol, llvm_name, llvm_string
from tewb.codegen.kernel_support import SUPPORT
from tewb.codegen.types import memory_type
from tewb.runtime import Target
from tewb.runtime.abi import CONTEXT_SLOTS, ERROR, HOOKS, MEMORY_LEFT, KernelSignature, ParamSpec

# How kernels in memory call the C library, which a linker finds by its own names; and the entry of a kernel that would
# be a program's own main.
_RENAMED = (("@tewb_libm_", "@"), ("@main(", "@main.kernel("))


def exported_text(
    text: str, signatures: Mapping[str, KernelSignature], about: str, is_system_lib: bool = False
) -> str:
    """The text of kernels as a library: `text` is theirs alone, `about` describes them. One of the `--system-lib`s of a
    process is found by `tewb.runtime.system_lib` among the others."""
    for name, own in _RENAMED:
        text = text.replace(name, own)
    parts = [
        _without_declarations(text),
        _shared(SUPPORT),
        _HOOKED,
        _about_bytes(about),
        _listed(is_system_lib),
    ]
    return "\n".join([*parts, *(_c_function(s) for s in signatures.values())])


def entry_name(name: str) -> str:
    """The symbol of a kernel's entry in an exported library."""
    return "main.kernel" if name == "main" else kernel_symbol(name)


def c_name(name: str) -> str:
    """The name of a kernel's C function: `add` is called as tewb_add."""
    return "tewb_" + re.sub(r"\W", "_", name, flags=re.ASCII)


def header(signatures: Mapping[str, KernelSignature], target: Target) -> str:
    """The C header of an exported library."""
    names = [c_name(name) for name in signatures]
    if len(set(names)) < len(names):
        raise CodegenError(
            f"the kernels {', '.join(signatures)} have the same name in C",
            hint="name them by letters, digits and _",
        )
    functions = "\n".join(_prototype(s) for s in signatures.values())
    return _HEADER.format(target=target, functions=functions)


# ---------------------------------------------------------------- text

_DECLARED = re.compile(r'^declare [^\n]*@(?:"?tewb\.|tewb_rt_)[^\n]*\n', re.MULTILINE)


def _without_declarations(text: str) -> str:
    """The text without its declarations of the functions that are defined beside it."""
    return _DECLARED.sub("", text)


def _shared(text: str) -> str:
    """Definitions that several libraries in one program may have, and share."""
    return _without_declarations(text).replace("\ndefine ", "\ndefine linkonce_odr hidden ")


def _about_bytes(about: str) -> str:
    """The bytes of a text, with a zero behind: of several object files in a library, `tewb_about` is that of the first."""
    kind = f"[{len(about.encode()) + 1} x i8]"
    own = f"@tewb_own_about = internal constant {kind} c{llvm_string(about + chr(0))}\n"
    return f"{own}@tewb_about = weak alias {kind}, ptr @tewb_own_about\n"


def _hook(number: int, result: str, parameters: Sequence[str]) -> str:
    """A function that calls another one by the address in the table."""
    listed = ", ".join(f"{t} %a{n}" for n, t in enumerate(parameters))
    at = f"getelementptr (ptr, ptr @tewb_hooks, i64 {number})"
    call = f"call {result} %f({listed})"
    end = f"  {call}\n  ret void" if result == "void" else f"  %r = {call}\n  ret {result} %r"
    return f"define linkonce_odr hidden {result} @{HOOKS[number]}({listed}) {{\n  %f = load ptr, ptr {at}\n{end}\n}}\n"


_PARALLEL = ("i32", ("ptr", "ptr", "ptr", "i64", "i64", "i64"))
_PACKED = ("void", ("i64", "i32", "ptr", "i32"))
_TYPES = {
    "tewb_rt_parallel": _PARALLEL,
    "tewb_rt_malloc": ("ptr", ("i64",)),
    "tewb_rt_raw_free": ("void", ("ptr",)),
    "tewb_rt_alloc_shared": ("void", ("i64", "i64", "ptr")),
    "tewb_rt_free_shared": ("void", ("i64", "i64")),
    "tewb_rt_call_packed": _PACKED,
    "tewb_rt_call_checked": _PACKED,
}

# What the hooks are at first. A packed call leaves its word of answer as it is: that is CALLBACK, an error.
_HOOKED = """
@tewb_hooks = weak global [7 x ptr] [ptr @tewb.serial, ptr @malloc, ptr @free, ptr @tewb.take, ptr @tewb.give,
  ptr @tewb.nobody, ptr @tewb.nobody]

declare noalias ptr @malloc(i64)
declare void @free(ptr)

define linkonce_odr hidden i32 @tewb.serial(ptr %ctx, ptr %f, ptr %data, i64 %n, i64 %most, i64 %least) {
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %run, label %none
run:
  %r = call i32 %f(ptr %ctx, ptr %data, i64 0, i64 %n)
  ret i32 %r
none:
  ret i32 0
}
define linkonce_odr hidden void @tewb.take(i64 %handle, i64 %size, ptr %answer) {
  %p = call ptr @malloc(i64 %size)
  store ptr %p, ptr %answer
  ret void
}
define linkonce_odr hidden void @tewb.give(i64 %handle, i64 %address) {
  %p = inttoptr i64 %address to ptr
  call void @free(ptr %p)
  ret void
}
define linkonce_odr hidden void @tewb.nobody(i64 %handle, i32 %number, ptr %record, i32 %count) {
  ret void
}
""" + "".join(_hook(n, *_TYPES[name]) for n, name in enumerate(HOOKS))


def _listed(is_system_lib: bool) -> str:
    """Lists of what describes kernels, which each object file joins when it is loaded: those that were linked to one
    library, whose list is in `tewb_own_libs`; and the system libraries of a process, from the last one, which they leave
    when they go."""
    joins = ["tewb_join_own"] + ["tewb_join"] * is_system_lib
    leaves = ["tewb_leave"] * is_system_lib
    called = [("ctors", joins), ("dtors", leaves)]
    arrays = [
        f"@llvm.global_{what} = appending global [{len(names)} x {{ i32, ptr, ptr }}] ["
        + ", ".join(f"{{ i32, ptr, ptr }} {{ i32 65535, ptr @{name}, ptr null }}" for name in names)
        + "]\n"
        for what, names in called
        if names
    ]
    return "".join([*arrays, _IN_ONE_LIBRARY, _IN_THE_PROCESS if is_system_lib else ""])


_IN_ONE_LIBRARY = """
@tewb_list = weak hidden global ptr null
@tewb_own_libs = weak constant ptr @tewb_list
@tewb_listed_here = internal global { ptr, ptr } { ptr null, ptr @tewb_own_about }

define internal void @tewb_join_own() {
  %first = load ptr, ptr @tewb_list
  store ptr %first, ptr @tewb_listed_here
  store ptr @tewb_listed_here, ptr @tewb_list
  ret void
}
"""

_IN_THE_PROCESS = """
@tewb_system_libs = weak global ptr null
@tewb_listed = internal global { ptr, ptr } { ptr null, ptr @tewb_own_about }

define internal void @tewb_join() {
  %first = load ptr, ptr @tewb_system_libs
  store ptr %first, ptr @tewb_listed
  store ptr @tewb_listed, ptr @tewb_system_libs
  ret void
}
define internal void @tewb_leave() {
begin:
  br label %look
look:
  %at = phi ptr [ @tewb_system_libs, %begin ], [ %next, %on ]
  %next = load ptr, ptr %at
  %found = icmp eq ptr %next, @tewb_listed
  br i1 %found, label %out, label %more
more:
  %end = icmp eq ptr %next, null
  br i1 %end, label %done, label %on
on:
  br label %look
out:
  %behind = load ptr, ptr @tewb_listed
  store ptr %behind, ptr %at
  br label %done
done:
  ret void
}
"""


def _c_function(signature: KernelSignature) -> str:
    """A function with an argument for each parameter and symbol, which fills the context and the slots."""
    values = [(f"%p{n}", p.dtype, p.kind == "buffer") for n, p in enumerate(signature.params)]
    values += [(f"%s{n}", f"int{bits}", False) for n, bits in enumerate(signature.symbol_bits)]
    types = ["ptr" if is_array else _c_type(d) for _, d, is_array in values]
    listed = ", ".join(f"{t} {name}" for t, (name, _, _) in zip(types, values, strict=True))
    lines = [f"define i32 @{c_name(signature.name)}({listed}) {{"]
    lines += [f"  %ctx = alloca [{CONTEXT_SLOTS} x i64]", f"  %slots = alloca [{max(len(values), 1)} x i64]"]
    lines += [f"  store [{CONTEXT_SLOTS} x i64] zeroinitializer, ptr %ctx"]
    lines += [
        f"  %left = getelementptr i64, ptr %ctx, i64 {MEMORY_LEFT}",
        f"  store i64 {2**63 - 1}, ptr %left",
    ]
    for n, ((name, dtype, is_array), t) in enumerate(zip(values, types, strict=True)):
        lines += [f"  %at{n} = getelementptr i64, ptr %slots, i64 {n}"]
        lines += [f"  store ptr {name}, ptr %at{n}"] if is_array else _slot(n, name, t, dtype)
    lines += [f"  %r = call i32 {llvm_name(entry_name(signature.name))}(ptr %ctx, ptr %slots)"]
    lines += [f"  %pe = getelementptr i64, ptr %ctx, i64 {ERROR}", "  %e = load i64, ptr %pe"]
    lines += ["  %kind = trunc i64 %e to i32", "  %good = icmp eq i32 %r, 0"]
    lines += ["  %code = select i1 %good, i32 0, i32 %kind", "  ret i32 %code", "}"]
    return "\n".join(lines) + "\n"


def _c_type(dtype: str) -> str:
    """The LLVM type in which C passes a scalar."""
    return memory_type(DType(dtype))


def _slot(n: int, name: str, t: str, dtype: str) -> list[str]:
    """Lines that write a scalar to its slot: integers as int64, floats as float64."""
    if t == "double" or t == "i64":
        return [f"  store {t} {name}, ptr %at{n}"]
    if DType(dtype).is_float:
        return [f"  %v{n} = fpext {t} {name} to double", f"  store double %v{n}, ptr %at{n}"]
    extend = "sext" if DType(dtype).kind == "int" else "zext"
    return [f"  %v{n} = {extend} {t} {name} to i64", f"  store i64 %v{n}, ptr %at{n}"]


# ---------------------------------------------------------------- the header

_C_TYPES = {
    "float32": "float",
    "float64": "double",
    "bool": "bool",
    "float16": "uint16_t",
    "bfloat16": "uint16_t",
    **{f"int{bits}": "int8_t" for bits in (1, 2, 4)},
    **{f"uint{bits}": "uint8_t" for bits in (2, 4)},
}

_HEADER = """/* Kernels that tewb made for {target}.

Each returns 0, or what went wrong: 2 an assertion of the program, 3 an index outside of its array, 4 too little memory,
5 a packed function was called, which only Python has. Arrays are compact and row-major where no strides are given, do
not overlap, and are not checked. */
#ifndef TEWB_LIBRARY_H
#define TEWB_LIBRARY_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

{functions}
/* What kernels call: [0] runs a parallel loop, int32_t (void *context, int32_t (*body)(void *context, void *data,
int64_t begin, int64_t end), void *data, int64_t iterations, int64_t most_at_once, int64_t least_at_once); [1] is malloc,
[2] free. */
extern void *tewb_hooks[7];

#ifdef __cplusplus
}}
#endif
#endif
"""


# Words that no parameter in C and C++ may have.
_KEYWORDS = frozenset(
    [
        "asm",
        "auto",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "class",
        "const",
        "continue",
        "default",
        "delete",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "false",
        "float",
        "for",
        "friend",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "namespace",
        "new",
        "operator",
        "private",
        "protected",
        "public",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "template",
        "this",
        "throw",
        "true",
        "try",
        "typedef",
        "typename",
        "union",
        "unsigned",
        "using",
        "virtual",
        "void",
        "volatile",
        "while",
    ]
)


def _prototype(s: KernelSignature) -> str:
    """The declaration of a kernel's C function, and what it takes."""
    taken = {*_KEYWORDS, *s.symbols}
    listed = []
    for p in s.params:
        name = fresh_identifier(re.sub(r"\W", "_", p.name, flags=re.ASCII), taken)
        taken.add(name)
        listed.append(_declared(p, name))
    listed += [f"int{bits}_t {name}" for name, bits in zip(s.symbols, s.symbol_bits, strict=True)]
    shapes = "; ".join(_described(p) for p in s.params if p.kind == "buffer")
    comment = f"/* {s.name}: {shapes} */\n" if shapes else ""
    return f"{comment}int32_t {c_name(s.name)}({', '.join(listed) or 'void'});\n"


def _declared(p: ParamSpec, name: str) -> str:
    c_type = _C_TYPES.get(p.dtype) or f"{p.dtype}_t"
    if p.kind == "scalar":
        return f"{c_type} {name}"
    return f"{c_type} *{name}" if p.is_output else f"const {c_type} *{name}"


def _described(p: ParamSpec) -> str:
    """`A float32[n, 4], strides (s, 1), written`."""
    shape = ", ".join(size.text for size in p.shape)
    strides = f", strides ({', '.join(size.text for size in p.strides)})" if p.strides is not None else ""
    return f"{p.name} {p.dtype}[{shape}]{strides}{', written' if p.is_output else ''}"
