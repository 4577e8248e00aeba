"""Structural equality: the same shape, with bound variables and buffers matched up in order."""

from __future__ import annotations

import math
from typing import Any

from tewb.ir.node import Node
from tewb.ir.nodes import (
    Allocate,
    Buffer,
    DeclBuffer,
    FloatImm,
    For,
    IRModule,
    Let,
    LetStmt,
    Origin,
    PrimFunc,
    Producer,
    Var,
)


def structural_equal(a: Any, b: Any, *, map_free_vars: bool = False) -> bool:
    """Whether two nodes, functions or modules are the same up to the names of what they bind.

    Free variables must be the same objects unless `map_free_vars`. Provenance is not compared.
    """
    return first_difference(a, b, map_free_vars=map_free_vars) is None


def first_difference(a: Any, b: Any, *, map_free_vars: bool = False) -> str | None:
    """Where `a` and `b` first differ, as a path such as `body.stmts[1].value`; None when they are equal."""
    return _Matcher(map_free_vars).differ(a, b, "")


class _Matcher:
    def __init__(self, map_free: bool) -> None:
        self.map_free = map_free
        self.vars: dict[Var, Var] = {}
        self.back: dict[Var, Var] = {}
        self.buffers: dict[Buffer, Buffer] = {}

    def bind(self, a: Var, b: Var) -> bool:
        if a in self.vars or b in self.back:
            return self.vars.get(a) is b
        self.vars[a], self.back[b] = b, a
        return a.dtype is b.dtype

    def differ(self, a: Any, b: Any, path: str) -> str | None:
        here = path or "."
        if isinstance(a, Var) and isinstance(b, Var):
            if a in self.vars or b in self.back or self.map_free:
                return None if self.bind(a, b) else here
            return None if a is b else here
        if type(a) is not type(b):
            return here
        if isinstance(a, Buffer):
            return self.buffer(a, b, path)
        if isinstance(a, IRModule):
            return self.fields(list(a.functions.items()), list(b.functions.items()), path)
        if isinstance(a, PrimFunc):
            return self.function(a, b, path)
        if isinstance(a, FloatImm):
            same = a.dtype is b.dtype and (
                a.value == b.value or (math.isnan(a.value) and math.isnan(b.value))
            )
            return None if same else here
        if isinstance(a, Producer):
            return None if a is b else here
        if isinstance(a, Node):
            return self.node(a, b, path)
        if isinstance(a, tuple | list):
            return self.fields(a, b, path)
        return None if a == b else here

    def node(self, a: Node, b: Node, path: str) -> str | None:
        if isinstance(a, For | Let | LetStmt) and not self.bind(a.var, b.var):  # type: ignore[attr-defined]
            return f"{path}.var"
        if isinstance(a, Allocate | DeclBuffer):
            found = self.buffer(a.buffer, b.buffer, f"{path}.buffer")  # type: ignore[attr-defined]
            if found:
                return found
        for f in a._fields:
            if f != "origin":
                found = self.differ(getattr(a, f), getattr(b, f), f"{path}.{f}" if path else f)
                if found:
                    return found
        return None

    def fields(self, a: Any, b: Any, path: str) -> str | None:
        if len(a) != len(b):
            return path or "."
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            if isinstance(x, Origin):
                continue
            found = self.differ(x, y, f"{path}[{i}]")
            if found:
                return found
        return None

    def function(self, a: PrimFunc, b: PrimFunc, path: str) -> str | None:
        if len(a.params) != len(b.params) or a.outputs != b.outputs:
            return f"{path}.params"
        for i, (p, q) in enumerate(zip(a.params, b.params, strict=True)):
            if isinstance(p, Var) and isinstance(q, Var):
                if not self.bind(p, q):
                    return f"{path}.params[{i}]"
            elif type(p) is not type(q):
                return f"{path}.params[{i}]"
        for i, (p, q) in enumerate(zip(a.params, b.params, strict=True)):
            if isinstance(p, Buffer) and isinstance(q, Buffer):
                found = self.parameter(p, q, f"{path}.params[{i}]")
                if found:
                    return found
        return self.differ(a.body, b.body, f"{path}.body" if path else "body")

    def parameter(self, a: Buffer, b: Buffer, path: str) -> str | None:
        """Parameters bind the variables of their shapes, strides and offset at first use."""
        for x, y in zip(
            (*a.shape, *a.strides, a.elem_offset), (*b.shape, *b.strides, b.elem_offset), strict=False
        ):
            if isinstance(x, Var) and isinstance(y, Var) and x not in self.vars and y not in self.back:
                self.bind(x, y)
        return self.buffer(a, b, path)

    def buffer(self, a: Buffer, b: Buffer, path: str) -> str | None:
        if a in self.buffers:
            return None if self.buffers[a] is b else path
        self.buffers[a] = b
        if a.dtype is not b.dtype or a.scope != b.scope or not self.bind(a.data, b.data):
            return path
        return self.differ((a.shape, a.strides, a.elem_offset), (b.shape, b.strides, b.elem_offset), path)
