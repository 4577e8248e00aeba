"""Names in LLVM text: quoted here and nowhere else, and kept distinct."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[A-Za-z$._-][A-Za-z0-9$._-]*")
_OWN = re.compile(r"llvm\..*|tewb\..*|tewb_(rt|py|np)_.*|main")


def llvm_name(symbol: str) -> str:
    """The name of a function or object of a module, as LLVM's text has it: `@f`, or `@"a b"`."""
    return f"@{symbol}" if _PLAIN.fullmatch(symbol) else f'@"{_escaped(symbol)}"'


def llvm_string(text: str) -> str:
    """A string of LLVM's text, with its quotes."""
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    bytes_ = text.encode("utf-8", "surrogatepass")
    return "".join(
        chr(b) if 32 <= b < 127 and b not in (ord('"'), ord("\\")) else f"\\{b:02X}" for b in bytes_
    )


def kernel_symbol(name: str) -> str:
    """The symbol of kernel `name`: one for each name, never that of a C function, and without the prefixes that LLVM
    reserves. The symbol of `main` is its name.

    "add"  ->  add.kernel        "llvm.f"  ->  .6c.lvm.2e.f.kernel
    """
    if name == "main":
        return name
    first = name.startswith(("llvm", "tewb"))
    encoded = [
        c if re.fullmatch(r"\w", c, re.ASCII) and not (first and at == 0) else f".{ord(c):x}."
        for at, c in enumerate(name)
    ]
    return "".join(encoded) + ".kernel"


def why_no_symbol(name: str) -> str | None:
    """Why `name` cannot be that of a C function which a kernel calls; None when it can."""
    if not name or not name.isprintable():
        return f"{name!r} cannot be the name of a C function"
    if _OWN.fullmatch(name):
        return (
            f"{name} is no C function for others to call: the machine code of kernels uses this name itself"
        )
    return None
