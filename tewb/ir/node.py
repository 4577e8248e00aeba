"""The `@node` decorator: a class whose annotated fields are its constructor, its slots and its children."""

from __future__ import annotations

import inspect
import operator
import os
from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform

# The test suite sets this before the first import, and every node is frozen for real. Users get the
# faster constructors; the type checker keeps the fields frozen for both.
_FREEZE = os.environ.get("TEWB_FREEZE_NODES") == "1"

_ONE = {"Expr", "Stmt", "CommReducer"}
_MAYBE = {"Expr | None", "Stmt | None"}
_MANY = {"tuple[Expr, ...]", "tuple[Stmt, ...]"}

C = TypeVar("C", bound=type)
N = TypeVar("N", bound="Node")


def alias(field: str) -> Any:
    """Another name of a field, or of a field of a field: classic TE called `For.var` `loop_var`."""
    return property(operator.attrgetter(field))


class Shown:
    """What has a form as text. `script`, `astext` and `show` take the options of classic TE, which change nothing. `body` is
    the number of the only body to be shown of a function that has one for each layout of its arguments."""

    __slots__ = ()

    def script(self, *, body: int | None = None, **_: Any) -> str:
        """This as TVMScript text."""
        from tewb.ir.script import script  # the printer sits above the nodes

        if body is not None:
            from tewb.ir.bodies import script_of_body

            return script_of_body(self, body)
        return script(self)  # type: ignore[arg-type]

    def astext(self, show_meta_data: bool = True, annotate: Any = None) -> str:
        """This as TVMScript text."""
        return self.script()

    def show(self, *_: Any, body: int | None = None, **__: Any) -> None:
        """Print this as TVMScript text."""
        print(self.script(body=body))


class Node(Shown):
    """What all nodes of the IR share. Identity is the hash; `structural_equal` compares shapes."""

    __slots__ = ()
    field_names: tuple[str, ...] = ()

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very node."""
        return self is other

    def children(self) -> tuple[Any, ...]:
        """The sub-expressions and sub-statements, left to right."""
        return ()

    def map_children(self: N, f: Callable[[Any], Any]) -> N:
        """This node with `f` applied to every child; the same object when no child changed."""
        return self

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        """Fill a node that comes from a pickle."""
        for name, value in state[1].items():
            object.__setattr__(self, name, value)


@dataclass_transform(frozen_default=True, eq_default=False)
def node(cls: C) -> C:
    """Make `cls` a node from its annotated fields.

    Fields annotated `Expr`, `Stmt`, tuples of them, or either with `| None`, and `CommReducer`, are children. A class
    attribute of the same name gives the default, for fields at the end.
    """
    own = inspect.get_annotations(cls)
    namespace = dict(cls.__dict__)
    defaults = {name: namespace.pop(name) for name in own if name in namespace}
    for name in ("__dict__", "__weakref__"):
        namespace.pop(name, None)
    base = cls.__mro__[1]
    fields = (*getattr(base, "field_names", ()), *own)
    kinds = {**getattr(base, "_kinds", {}), **own}
    namespace.update(_methods(fields, kinds, defaults))
    namespace.update(__slots__=tuple(own), field_names=fields, _kinds=kinds, __match_args__=fields)
    node_class = type(cls)(cls.__name__, cls.__bases__, namespace)
    node_class.__qualname__ = cls.__qualname__
    return node_class


def replace(n: N, **changes: object) -> N:
    """A copy of `n` with some fields changed."""
    return type(n)(*[changes[f] if f in changes else getattr(n, f) for f in n.field_names])


def _methods(fields: tuple[str, ...], kinds: dict[str, str], defaults: dict[str, object]) -> dict[str, Any]:
    """Generated `__init__`, `children` and `map_children`: straight-line code, because passes spend their time in
    them."""
    arguments = [f"{f}=_default_{f}" if f in defaults else f for f in fields]
    store = "_set(self, {0!r}, {0})" if _FREEZE else "self.{0} = {0}"
    init = [store.format(f) for f in fields] or ["pass"]
    lines = [f"def __init__(self, {', '.join(arguments)}):" if fields else "def __init__(self):"]
    lines += [f"    {line}" for line in init]

    child_fields = [f for f in fields if kinds[f] in _ONE | _MAYBE | _MANY]
    child_terms = []
    for f in child_fields:
        if kinds[f] in _MANY:
            child_terms.append(f"*self.{f}")
        elif kinds[f] in _ONE:
            child_terms.append(f"self.{f}")
        else:
            child_terms.append(f"*((self.{f},) if self.{f} is not None else ())")
    if child_fields:
        lines += ["def children(self):", f"    return ({', '.join(child_terms)},)"]
        lines += ["def map_children(self, f):"]
        for f in child_fields:
            if kinds[f] in _MANY:
                lines += [f"    {f} = self.{f}", f"    new_{f} = tuple([f(c) for c in {f}])"]
                lines += [f"    if all([a is b for a, b in zip({f}, new_{f})]): new_{f} = {f}"]
            elif kinds[f] in _ONE:
                lines += [f"    new_{f} = f(self.{f})"]
            else:
                lines += [f"    new_{f} = None if self.{f} is None else f(self.{f})"]
        same = " and ".join(f"new_{f} is self.{f}" for f in child_fields)
        arguments = [f"new_{f}" if f in child_fields else f"self.{f}" for f in fields]
        lines += [f"    if {same}: return self", f"    return self.__class__({', '.join(arguments)})"]

    scope: dict[str, Any] = {"_set": object.__setattr__}
    scope.update({f"_default_{f}": value for f, value in defaults.items()})
    exec("\n".join(lines), scope)
    method_names = ("__init__", "children", "map_children")
    methods: dict[str, Any] = {name: scope[name] for name in method_names if name in scope}
    if _FREEZE:
        methods["__setattr__"] = _frozen
    return methods


def _frozen(self: Node, name: str, value: object) -> None:
    raise AttributeError(f"{type(self).__name__}.{name} is frozen: build a new node with replace()")
