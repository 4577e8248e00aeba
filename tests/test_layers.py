"""Imports go left only, and cross packages through their doors."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "tewb"

# Each name may import those before it. `runtime` stands on base alone, beside ir. `topi` is written on the facades as a
# program is, `blocks` cuts programs for arrays larger than memory, `contrib` may use all of tewb, and `tewb` itself is the
# door of everything, of the notebook layer when it is used. The workbench is two layers: what a session is and does stands
# left of `tuning`, which searches with sessions; what is shown and asked (`page`) right of it, for that shows searches too.
ORDER = [
    "base", "ir", "arith", "tensor", "schedule", "lowering", "codegen", "driver", "blocks", "facade", "topi", "workbench",
    "tuning", "page", "autotvm", "contrib", "tewb",
]  # fmt: skip
FACADES = {"te", "tir", "nd", "testing", "target", "transform", "compat", "error", "instrument"}

# Modules inside a package that are doors of their own: sets of many names, and packages in packages.
DOORS = {
    "tewb.arith.intset",
    "tewb.arith.steps",
    "tewb.ir.intrinsics",
    "tewb.ir.ops",
    "tewb.runtime.abi",
    "tewb.runtime.devices",
    "tewb.schedule.bounds",
    "tewb.schedule.threads",
    "tewb.tensor.hybrid",
    "tewb.tensor.json_text",
    "tewb.tensor.reduce",
    "tewb.workbench.notebook",
    "tewb.workbench.views",
}

# They use the rooms of the workbench for what these are for: measuring, judging, journals; `page` shows them.
USE_ROOMS = {"tuning", "page", "autotvm"}

# Beside the rooms of a session, what `page` shows of a search.
SHOWN_OF_TUNING = {
    "tewb.tuning.board",
    "tewb.tuning.database",
    "tewb.tuning.journal_knobs",
    "tewb.tuning.search",
}


def package_of(module: str) -> str:
    """`tewb.ir.statements` is in `ir`; the classic names are facades."""
    name = module.split(".")[1] if "." in module else "tewb"
    if name == "workbench" and room_of(module) in PAGE:
        return "page"
    return "facade" if name in FACADES else name


def imports(source: str) -> list[tuple[str, tuple[str, ...]]]:
    """The tewb modules that `source` imports, inside of functions too, each with the names taken from it. What only the
    type checker sees (`if TYPE_CHECKING`) does not count."""
    found = []
    for node in _run(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(a.name, ()) for a in node.names if a.name.split(".")[0] == "tewb"]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tewb":
            found.append((node.module, tuple(a.name for a in node.names)))
    return found


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one, without those that only the type checker sees."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from _run(child)


def may_import(own: str, other: str) -> bool:
    if own == other or other == "base":
        return True
    if own == "runtime":
        return False
    if other == "runtime":
        return ORDER.index(own) >= ORDER.index("codegen")
    return ORDER.index(other) <= ORDER.index(own)


def violations(module: str, source: str) -> list[str]:
    own = "page" if module == "tewb.workbench" else package_of(module)  # that door opens to all of it
    found = []
    for target, names in imports(source):
        modules = [f"tewb.{n}" for n in names] if target == "tewb" and names else [target]
        for other in modules:
            package = package_of(other)
            if package not in ORDER and package != "runtime":
                continue
            if (module, other) in GOES_RIGHT:
                continue
            if not may_import(own, package):
                found.append(f"{module} imports {other}: {package} is not left of {own}")
            deep = len(other.split(".")) > 2 and package != "facade"
            if (package == "workbench" and own in USE_ROOMS) or (own == "page" and other in SHOWN_OF_TUNING):
                continue
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
        ("tewb.ir.node", "def f():\n    from tewb.tensor import Tensor", "tensor is not left of ir"),
        (
            "tewb.te.hybrid",
            "class A:\n    def f(self):\n        import tewb.workbench",
            "workbench is not left of facade",
        ),
        ("tewb.codegen.types", "import tewb", "tewb is not left of codegen"),
        ("tewb.te.hybrid", "from tewb import topi", "topi is not left of facade"),
        ("tewb.workbench.judge.sweep", "from tewb.tuning import tune", "tuning is not left of workbench"),
        ("tewb.tuning.board", "from tewb.workbench.desk import Desk", "page is not left of tuning"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str, said: str) -> None:
    assert any(said in v for v in violations(module, source))


def test_the_order_names_every_package() -> None:
    packages = {p.name for p in ROOT.iterdir() if (p / "__init__.py").exists()}
    assert packages <= {*ORDER, *FACADES, "runtime"} and "page" not in packages


def test_nothing_stands_on_topi() -> None:
    """It is a library of programs: nothing of tewb needs it, and `import tewb` does not load it."""
    for module, path in modules():
        if package_of(module) not in ("topi", "tewb", "compat"):
            assert "tewb.topi" not in {m for m, _ in imports(path.read_text())}, module
    loaded = "import sys, tewb; assert not any(m.startswith('tewb.topi') for m in sys.modules)"
    subprocess.run([sys.executable, "-c", loaded], check=True, cwd=ROOT.parent)


def test_what_only_the_type_checker_sees_does_not_count() -> None:
    source = "if TYPE_CHECKING:\n    from tewb.tensor import Tensor\nelse:\n    pass"
    assert violations("tewb.ir.node", source) == []


# ---------------------------------------------------------------- the rooms of the workbench

# Each room, and each module beside the rooms, may import those before it; imports inside of functions and those that
# only the type checker sees count too.
ROOMS = [
    "background", "journal", "looks", "session_view", "measure", "trace", "speed", "judge", "session", "demos", "views",
    "states", "saved_page", "requests", "long_work", "desk", "mcp", "serve", "notebook", "player",
]  # fmt: skip

# Those that show a session and answer for it: `page` in the order of packages.
PAGE = set(ROOMS[ROOMS.index("session") + 1 :])

# A session shows itself when it is asked to: imports that go right, inside of methods.
GOES_RIGHT = {
    ("tewb.workbench.session", "tewb.workbench.notebook.snapshot"),
    ("tewb.workbench.session", "tewb.workbench.notebook.panes"),
    ("tewb.workbench.session", "tewb.workbench.notebook.data_pane"),
}


def room_of(module: str) -> str:
    """`tewb.workbench.judge.palette` is in `judge`; the package itself, which is everybody's door, has no room."""
    return module.removeprefix("tewb.workbench").lstrip(".").split(".")[0]


def workbench_imports(source: str) -> list[str]:
    """The modules of the workbench that `source` imports anywhere."""
    targets = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            targets += [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            targets += [
                name if is_module(name) else node.module
                for name in (f"{node.module}.{a.name}" for a in node.names)
            ]
    return [t for t in targets if t.split(".")[:2] == ["tewb", "workbench"]]


def is_module(name: str) -> bool:
    path = ROOT.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def wrong_rooms(module: str, source: str) -> list[str]:
    own = room_of(module)
    found = []
    for other in workbench_imports(source):
        room = room_of(other)
        if room == own or (module, other) in GOES_RIGHT:
            continue
        if not room:
            found.append(f"{module} imports the package's own door, {other}")
        elif ROOMS.index(room) > ROOMS.index(own):
            found.append(f"{module} imports {other}: {room} is not left of {own}")
    return found


WORKBENCH = [(m, p) for m, p in modules() if m.startswith("tewb.workbench.")]


@pytest.mark.parametrize(("module", "path"), WORKBENCH, ids=lambda x: x if isinstance(x, str) else "")
def test_rooms_of_the_workbench_import_left_only(module: str, path: Path) -> None:
    assert wrong_rooms(module, path.read_text()) == []


@pytest.mark.parametrize(
    ("module", "source", "said"),
    [
        ("tewb.workbench.judge.palette", "from tewb.workbench.session import Session", "session is not left of judge"),
        (
            "tewb.workbench.judge.palette",
            "if TYPE_CHECKING:\n    from tewb.workbench.session import Session",
            "session is not left of judge",
        ),
        (
            "tewb.workbench.looks.diff",
            "def f():\n    from tewb.workbench.views import graph",
            "views is not left of looks",
        ),
        ("tewb.workbench.measure.verify", "from tewb.workbench import Session", "the package's own door"),
        ("tewb.workbench.journal.replay", "from tewb.workbench import looks", "looks is not left of journal"),
    ],
)  # fmt: skip
def test_a_wrong_room_is_found(module: str, source: str, said: str) -> None:
    assert any(said in v for v in wrong_rooms(module, source))


def test_the_rooms_are_all_that_the_workbench_has() -> None:
    assert {room_of(m) for m, _ in WORKBENCH} == set(ROOMS)


def test_no_two_modules_of_the_workbench_need_each_other() -> None:
    needs = {m: set(workbench_imports(p.read_text())) - {m} for m, p in WORKBENCH}
    for module, other in GOES_RIGHT:
        needs[module].remove(other)
    while ready := [m for m, others in needs.items() if not others & needs.keys()]:
        for m in ready:
            del needs[m]
    assert needs == {}
