"""Imports go left only, and cross packages through their doors."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "tewb"

# Each name may import those before it. `runtime` stands on base alone, beside ir.
ORDER = ["base", "ir", "arith", "tensor", "schedule", "lowering", "codegen", "driver", "facade", "workbench"]
FACADES = {"", "te", "tir", "nd", "testing", "target", "contrib", "topi"}

# Modules inside a package that are doors of their own.
DOORS = {
    "tewb.ir.ops",
    "tewb.ir.intrinsics",
    "tewb.arith.intset",
    "tewb.tensor.reduce",
    "tewb.tensor.access",
    "tewb.tensor.access_check",
    "tewb.tensor.hybrid",
    "tewb.schedule.bounds",
    "tewb.schedule.primitives.storage_align",
    "tewb.schedule.code",
    "tewb.schedule.lanes",
    "tewb.schedule.questions",
    "tewb.schedule.recompute",
    "tewb.schedule.relation",
    "tewb.schedule.tiles",
    "tewb.schedule.hybrid_loops",
    "tewb.schedule.declare",
    "tewb.tensor.source",
    "tewb.runtime.abi",
    "tewb.runtime.callbacks",
    "tewb.runtime.jit",
    "tewb.runtime.target",
    "tewb.te.hybrid",
}


def package_of(module: str) -> str:
    """`tewb.ir.statements` is in `ir`; `tewb` itself and the classic names are facades."""
    parts = module.split(".")
    name = parts[1] if len(parts) > 1 else ""
    return "facade" if name in FACADES else name


def imports(source: str) -> list[tuple[str, tuple[str, ...]]]:
    """The tewb modules that `source` imports, each with the names taken from it. What only the type checker
    sees (`if TYPE_CHECKING`) does not count, nor do imports inside of functions."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            found += [(a.name, ()) for a in node.names if a.name.split(".")[0] == "tewb"]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tewb":
            found.append((node.module, tuple(a.name for a in node.names)))
    return found


def may_import(own: str, other: str) -> bool:
    if own == other or other == "base":
        return True
    if own == "runtime":
        return False
    if other == "runtime":
        return ORDER.index(own) >= ORDER.index("codegen")
    return ORDER.index(other) <= ORDER.index(own)


def violations(module: str, source: str) -> list[str]:
    own = package_of(module)
    found = []
    for target, names in imports(source):
        modules = [f"tewb.{n}" for n in names] if target == "tewb" and own != "workbench" else [target]
        for other in modules:
            package = package_of(other)
            if package not in ORDER and package != "runtime":
                continue
            if not may_import(own, package):
                found.append(f"{module} imports {other}: {package} is not left of {own}")
            deep = len(other.split(".")) > 2 and package != "facade"
            if deep and package != own and other not in DOORS:
                found.append(f"{module} imports {other}: go through the door, tewb.{package}")
    return found


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        found.append((".".join(p for p in parts if p != "__init__"), path))
    return found


@pytest.mark.parametrize(("module", "path"), modules(), ids=lambda x: x if isinstance(x, str) else "")
def test_imports_go_left_and_through_doors(module: str, path: Path) -> None:
    assert violations(module, path.read_text()) == []


@pytest.mark.parametrize(
    ("module", "source", "said"),
    [
        ("tewb.ir.statements", "from tewb.arith import Analyzer", "arith is not left of ir"),
        ("tewb.runtime.thread_pool", "import tewb.ir", "ir is not left of runtime"),
        ("tewb.lowering.nest", "from tewb.ir.statements import For", "go through the door, tewb.ir"),
        ("tewb.base.span", "from tewb import te", "facade is not left of base"),
        ("tewb.schedule.stage", "from tewb.runtime import Kernel", "runtime is not left of schedule"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str, said: str) -> None:
    assert any(said in v for v in violations(module, source))


def test_the_order_names_every_package() -> None:
    packages = {p.name for p in ROOT.iterdir() if (p / "__init__.py").exists()}
    assert packages <= {*ORDER, *FACADES, "runtime"}
