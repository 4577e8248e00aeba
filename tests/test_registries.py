"""State that outlives a call stands in one table, the docstring of `tewb.base`: a new registry or cache needs a line there.

What counts, found in the source without running it: a container of a module or of a class that some code changes, a
name that a `global` statement rebinds, a function that remembers its results (lru_cache), a ContextVar, an iterator,
and whatever is a `threading.local` or holds its keys weakly. Locks hold no state of their own.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tewb.base

ROOT = Path(__file__).resolve().parent.parent / "tewb"

CONTAINERS = {"dict", "list", "set", "bytearray", "array", "defaultdict", "deque", "Counter", "OrderedDict"}
ALWAYS_STATE = {
    "ContextVar", "WeakKeyDictionary", "WeakSet", "WeakValueDictionary", "cycle", "count", "iter", "local",
}  # fmt: skip
CHANGES = {
    "__setitem__", "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft",
    "remove", "reverse", "setdefault", "sort", "update",
}  # fmt: skip
MEMOIZERS = {"lru_cache", "cache", "once"}
DISPLAYS = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)


class Changes:
    """The containers that the functions of a module change: by `x[k] = v`, `del x[k]`, `x += ...`, `x.append(v)`.

    `names` are those that they call by name, their own locals left out; `fields` those that they reach through an
    object or a class. What code changes outside of functions is a table that is filled once, and no state.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.names: set[str] = set()
        self.fields: set[str] = set()
        for s in tree.body:
            self._look(s)

    def _look(self, s: ast.stmt) -> None:
        if isinstance(s, ast.ClassDef):
            for inner in s.body:
                self._look(inner)
        elif isinstance(s, ast.FunctionDef):
            changed = [_container_changed(n) for n in ast.walk(s)]
            self.names |= {e.id for e in changed if isinstance(e, ast.Name)} - _locals(s)
            self.fields |= {e.attr for e in changed if isinstance(e, ast.Attribute)}


def _container_changed(n: ast.AST) -> ast.expr | None:
    match n:
        case ast.Subscript(value=container, ctx=ast.Store() | ast.Del()) | ast.AugAssign(target=container):
            return container
        case ast.Call(func=ast.Attribute(value=container, attr=method)) if method in CHANGES:
            return container
    return None


def _locals(f: ast.FunctionDef) -> set[str]:
    """The names that a function binds for itself, or that one inside of it does."""
    bound = {n.arg for n in ast.walk(f) if isinstance(n, ast.arg)}
    bound |= {n.id for n in ast.walk(f) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return bound - _globals(f)


def _globals(tree: ast.AST) -> set[str]:
    """The names of the module that `global` statements let functions bind again."""
    return {name for n in ast.walk(tree) if isinstance(n, ast.Global) for name in n.names}


def state_of(source: str, changed_elsewhere: frozenset[str] = frozenset()) -> set[str]:
    """The names in the source of a module that hold state: `name`, or `Class.name` for what a class holds. Other
    modules may change containers too, which they import by name."""
    tree = ast.parse(source)
    changes = Changes(tree)
    own_kinds = {c.name for c in tree.body if isinstance(c, ast.ClassDef) and _is_container(c)}
    state: set[str] = set()

    def look(s: ast.stmt, prefix: str, changed: set[str]) -> None:
        if isinstance(s, ast.ClassDef):
            for inner in s.body:
                look(inner, f"{prefix}{s.name}.", changes.fields)
        elif isinstance(s, ast.FunctionDef) and any(_called(d) in MEMOIZERS for d in s.decorator_list):
            state.add(prefix + s.name)
        elif isinstance(s, ast.Assign | ast.AnnAssign):
            for target in s.targets if isinstance(s, ast.Assign) else [s.target]:
                if isinstance(target, ast.Name) and _holds_state(s.value, target.id in changed, own_kinds):
                    state.add(prefix + target.id)

    for s in tree.body:
        look(s, "", changes.names | changed_elsewhere)
    return state | _globals(tree)


def _holds_state(value: ast.expr | None, is_changed: bool, own_kinds: set[str]) -> bool:
    kind = _called(value) if isinstance(value, ast.Call) else ""
    if kind in ALWAYS_STATE or kind in own_kinds or kind in MEMOIZERS:
        return True
    return is_changed and (isinstance(value, DISPLAYS) or kind in CONTAINERS)


def _called(e: ast.expr | None) -> str:
    """The last word of what is called: `lru_cache` of `@functools.lru_cache(maxsize=1)`, and of `@lru_cache`."""
    while isinstance(e, ast.Call | ast.Subscript):  # WeakKeyDictionary[int, str]() is one too
        e = e.func if isinstance(e, ast.Call) else e.value
    return e.attr if isinstance(e, ast.Attribute) else e.id if isinstance(e, ast.Name) else ""


def _is_container(c: ast.ClassDef) -> bool:
    """Whether the objects of a class hold state of a thread, or things by their names."""
    return any(
        _called(base) in ("local", "MutableMapping", "MutableSequence", "MutableSet") for base in c.bases
    )


def _imported(tree: ast.Module) -> set[str]:
    """The names that a module takes from others of tewb."""
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    return {a.name for n in imports if (n.module or "").startswith("tewb") for a in n.names}


def all_state() -> set[str]:
    """Everything in tewb that holds state, as `package.module.name`."""
    sources = {path: path.read_text() for path in sorted(ROOT.rglob("*.py"))}
    trees = [ast.parse(source) for source in sources.values()]
    elsewhere = frozenset(name for tree in trees for name in Changes(tree).names & _imported(tree))
    state: set[str] = set()
    for path, source in sources.items():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        state |= {f"{module}.{name}" for name in state_of(source, elsewhere)}
    return state


def documented() -> dict[str, str]:
    """The table of the docstring: what each name holds. A line that is indented deeper goes on with the one before."""
    text = tewb.base.__doc__ or ""
    table: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("    ") and line.split():
            name, _, holds = line.strip().partition(" ")
            table[name] = holds.strip()
    return table


@pytest.mark.slow
def test_the_table_names_all_state_and_nothing_else() -> None:
    state, table = all_state(), documented()
    assert sorted(state - table.keys()) == [], "hold state, and have no line in the docstring of tewb.base"
    assert sorted(table.keys() - state) == [], "have a line in the docstring of tewb.base, and hold no state"


def test_every_line_says_what_is_held() -> None:
    assert [name for name, holds in documented().items() if len(holds.split()) < 3] == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = {}\ndef f(k): x[k] = 1", {"x"}),
        ("class C(MutableMapping[str, int]): pass\nx = C()", {"x"}),
        ("x: dict[int, int] = {}\ndef f(k): return x.setdefault(k, 1)", {"x"}),
        ("x = []\ndef f(): x[:] = [1]", {"x"}),
        ("x = set()\ndef f(k): x.discard(k)", {"x"}),
        ("x = None\ndef f():\n    global x\n    x = 1", {"x"}),
        ("class C:\n    x = {}\n    def f(self, k): C.x[k] = 1", {"C.x"}),
        ("@lru_cache(maxsize=1)\ndef f(): return 1", {"f"}),
        ("class C:\n    @functools.cache\n    def f(self): return 1", {"C.f"}),
        ("x = contextvars.ContextVar('x')", {"x"}),
        ("x: WeakValueDictionary[int, str] = WeakValueDictionary()", {"x"}),
        ("class L(threading.local): pass\nx = L()", {"x"}),
        ("x = itertools.count()", {"x"}),
        ("X = {1: 2}\ndef f(k): return X[k]", set()),
        ("X = [1]\ndef f():\n    y = [*X]\n    y.append(2)\n    return y", set()),
        ("def f():\n    x = {}\n    x[1] = 2\n    return x", set()),
        ("x = {}\ndef f(x): x[1] = 2", set()),
        ("x = {}\nfor k in range(3): x[k] = k", set()),
        ("lock = threading.Lock()", set()),
    ],
)
def test_state_is_found(source: str, names: set[str]) -> None:
    assert state_of(source) == names


def test_a_container_that_another_module_changes_is_state() -> None:
    assert state_of("TABLE = {}", frozenset({"TABLE"})) == {"TABLE"}
