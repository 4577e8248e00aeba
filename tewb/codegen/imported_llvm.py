"""LLVM text of the user's own, linked into the code of the kernels that call its functions.

    s[C].pragma(x, "import_llvm", text)

`te.call_extern("int32", "f", ...)` then calls the `f` that the text defines. Each text is first made code of in a process
of its own, since LLVM ends the process for some mistakes, and each call is compared with the definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding as llvm

from tewb.base import CodegenError, Span
from tewb.ir import AttrStmt, IRModule, Node, Stmt, StringImm, replace, rewriter
from tewb.runtime import Target, try_code

KEY = "pragma_import_llvm"


class ImportedText(NamedTuple):
    """LLVM text, and the line of the program that imports it."""

    text: str
    span: Span | None = None


# ---------------------------------------------------------------- which texts a module imports


def with_imported_text(module: IRModule) -> IRModule:
    """`module` with the texts of the files that it imports instead of their names: `code.ll`, or bitcode as `code.bc`."""
    functions = {
        name: f.with_body(_with_text(f.body)) for name, f in module.functions.items() if _has(f.body)
    }
    return IRModule({**module.functions, **functions}, attrs=module.attrs) if functions else module


def _has(body: Stmt) -> bool:
    return next(_imports(body), None) is not None


def _imports(body: Stmt) -> Iterator[AttrStmt]:
    """The attributes of a statement that import a text. Expressions have none, and are not walked."""
    left: list[Node] = [body]
    while left:
        n = left.pop()
        if isinstance(n, AttrStmt) and n.key == KEY:
            yield n
        left += [c for c in reversed(n.children()) if isinstance(c, Stmt)]


def _with_text(body: Stmt) -> Stmt:
    def attribute(n: AttrStmt) -> Stmt:
        inner = rewrite(n.body)
        if n.key == KEY:
            span = n.origin.span if n.origin else None
            return replace(n, value=StringImm(_text_of(n.value, span)), body=inner)
        return replace(n, body=inner)

    rewrite = rewriter({AttrStmt: attribute})
    return rewrite(body)


def _text_of(value: object, span: Span | None) -> str:
    """The LLVM text that a pragma has as its value, or in the file that it names."""
    if not isinstance(value, StringImm):
        raise CodegenError(f"import_llvm takes LLVM text, not {value!r}", hint=_HINT, span=span)
    text = value.value
    if "\n" in text or not text.endswith((".ll", ".bc")):
        return text
    try:
        data = Path(text).read_bytes()
        return str(llvm.parse_bitcode(data)) if text.endswith(".bc") else data.decode()
    except OSError as e:
        raise CodegenError(f"import_llvm cannot read {text}: {e.strerror}", span=span) from None
    except (RuntimeError, UnicodeDecodeError) as e:
        raise CodegenError(f"import_llvm: {text} holds no LLVM code: {e}", span=span) from None


def imported_texts(module: IRModule) -> list[ImportedText]:
    """The texts that a module imports, each once."""
    found: dict[str, ImportedText] = {}
    for f in module.functions.values():
        for n in _imports(f.body):
            span = n.origin.span if n.origin else None
            text = _text_of(n.value, span)
            found.setdefault(text, ImportedText(text, span))
    return list(found.values())


# ---------------------------------------------------------------- linking


def linked(text: str, imports: Sequence[ImportedText], target: Target) -> str:
    """The text of a kernel with what it imports. Raises CodegenError for a text that LLVM does not take, for a
    name that is defined twice, and for a call that does not agree with the definition."""
    if not imports:
        return text
    whole = _parsed(_head(target) + text, None)
    parts = [(_parsed(_checked(imported, target), imported), imported) for imported in imports]
    called = {f.name: str(f.global_value_type) for f in whole.functions if f.is_declaration}
    shared = {f.name for m in (whole, *[p for p, _ in parts]) for f in m.functions if f.is_declaration}
    taken: set[str] = set()
    for part, imported in parts:
        for value, kind in _defined(part):
            if value.name not in shared:
                value.linkage = (
                    "internal"  # nobody outside of the text calls it, so that it may have any name
                )
            elif value.name in taken:
                raise CodegenError(
                    f"import_llvm: {value.name} is defined by two texts",
                    hint="import one of them, or give the function another name",
                    span=imported.span,
                )
            elif kind is not None and re.match(_CONVENTION, str(value)):
                raise CodegenError(
                    f"import_llvm: {value.name} is not called as functions of C are:"
                    f" {str(value).partition('{')[0].strip()}",
                    hint="let it have C's calling convention, and take numbers and pointers",
                    span=imported.span,
                )
            elif kind is not None and kind != called.get(value.name, kind):
                raise _other_signature(value.name, kind, called[value.name], imported)
            else:
                taken.add(value.name)
        whole.link_in(part)
    for value, _ in _defined(whole):
        if value.name in taken:
            value.linkage = "internal"
    aliases = set(called).difference(f.name for f in whole.functions)
    if aliases:
        raise CodegenError(
            f"import_llvm: {min(aliases)} is another name of a function or of a variable in the text",
            hint="call the function by its own name",
            span=imports[0].span,
        )
    return re.sub(r"^(?:target |source_filename |; ModuleID ).*\n", "", str(whole), flags=re.MULTILINE)


def _head(target: Target) -> str:
    """The processor that a text is for, in one line: errors keep their line numbers."""
    return f'target triple = "{target.triple}" target datalayout = "{target.data_layout}" '


# What describes the source or the processor of a text, which are ours then. Lines stay lines, so that LLVM's messages
# count them as the user does.
_LEFT_OUT = r"""^[ \t]*(?:(?:tail[ ])?call[ ]void[ ]@llvm\.dbg\.|\#dbg_).*$   # debug information
    |^(?:target|source_filename)[ ].*$
    |,?[ ]!dbg[ ]!\d+
    |^!llvm\.(?:dbg\.cu|module\.flags|ident)[ ]=.*$
    |"(?:target-cpu|target-features|tune-cpu)"="[^"]*"
    """


@lru_cache(maxsize=64)
def _checked(imported: ImportedText, target: Target) -> str:
    """An imported text for `target`, of which LLVM certainly makes code. Raises CodegenError."""
    triple = re.search(r'^target triple = "([^"]*)"', imported.text, re.MULTILINE)
    arch = Target.processor(triple[1], "").arch if triple else ""
    if arch not in ("", "unknown", target.arch):
        raise CodegenError(
            f"import_llvm: the text is for {arch}, and the kernel for {target.arch}",
            hint=f"compile it for {target.triple}: clang --target={target.triple} -O2 -S -emit-llvm",
            span=imported.span,
        )
    text = _head(target) + re.sub(_LEFT_OUT, "", imported.text, flags=re.MULTILINE | re.VERBOSE)
    if "@llvm.global_ctors" in text or "@llvm.global_dtors" in text:
        raise CodegenError(
            "import_llvm: the text has constructors, which nobody calls in a kernel",
            hint="initialise what it needs with constants",
            span=imported.span,
        )
    try:
        try_code(text, target)
    except (CodegenError, RuntimeError) as e:
        raise _refused(_without_head(str(getattr(e, "message", e)), _head(target)), imported) from None
    return text


def _without_head(message: str, head: str) -> str:
    """LLVM's message on a text, without what stands before the text in its first line."""
    if head not in message:
        return message
    before, after = message.split(head, 1)
    before = re.sub(r":1:(\d+):", lambda found: f":1:{int(found[1]) - len(head)}:", before)
    return before + after.replace(" " * len(head), "", 1)


def _parsed(text: str, imported: ImportedText | None) -> Any:
    try:
        module = llvm.parse_assembly(text)
        module.verify()
    except RuntimeError as e:
        raise _refused(str(e), imported) from None
    return module


_HINT = "clang -O2 -S -emit-llvm makes it of C, as tvm.contrib.clang.create_llvm(source) does"
# A load or a pointer as LLVM wrote it before version 3.7.
_VERY_OLD = r"= load \S+\*|getelementptr (?:inbounds )?\S+\*"


def _refused(message: str, imported: ImportedText | None) -> CodegenError:
    if imported is None:
        return CodegenError(f"LLVM does not take the code that tewb made: {message}")
    message = message.replace("LLVM gave up on the code that tewb made", "it gave up")
    version = llvm.llvm_version_info[0]
    hint = _HINT
    if re.search(_VERY_OLD, imported.text):
        hint = f"a LLVM of before 2015 wrote it: compile the source with another one (LLVM {version} reads it here)"
    elif "asm parser" in message:
        hint = "inline assembly is for this machine: intrinsics of LLVM say the same for others"
    elif "LLVM IR parsing error" in message:
        hint = f"LLVM {version} reads it here; {_HINT}"
    return CodegenError(
        f"import_llvm: LLVM does not take the text: {message.strip()}", hint=hint, span=imported.span
    )


# A definition with a calling convention, or with parameters that are passed in a way of their own.
_CONVENTION = (
    r"(?:;.*\n)*define [^@{]*\b(?!ccc\b|x86_64_sysvcc\b)(?:\w*cc|cc ?\d+)\s[^@{]*@"
    r"|(?:;.*\n)*define [^{]*\((?:[^{]*[ ,(])?(?:byval|byref|inalloca|preallocated|inreg|nest|swift\w+)\b"
)


def _defined(module: Any) -> list[tuple[Any, str | None]]:
    """The functions and variables that a module defines for others, and the types of the functions."""
    values: list[tuple[Any, str | None]] = [(f, str(f.global_value_type)) for f in module.functions]
    values += [(g, None) for g in module.global_variables if not g.name.startswith("llvm.")]
    return [
        (v, t) for v, t in values if not v.is_declaration and v.linkage.name not in ("internal", "private")
    ]


def _other_signature(name: str, defined: str, called: str, imported: ImportedText) -> CodegenError:
    return CodegenError(
        f"call_extern: {name} is called as {called}, and the imported LLVM text defines it as {defined}",
        hint="the first argument of call_extern is the dtype of the result, and numbers are passed in their own dtypes:"
        ' te.const(n, "int64")',
        span=imported.span,
    )
