"""Thread axes: the blocks, threads and virtual threads that loops can be bound to, and how statements name them.

with T.launch_thread("threadIdx.x", 64) as threadIdx.x: S      every thread runs S, with its own threadIdx.x
    T.evaluate(T.tvm_storage_sync("shared"))                   no thread goes on before all have come here

A launch is an `AttrStmt` whose node is the thread axis and whose value is the number of threads, as in classic TVM.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

from tewb.base import INT32, Span, TewbError, here
from tewb.ir import ops
from tewb.ir.axes import AxisKind, IterVar, Range
from tewb.ir.expressions import Call, Expr, StringImm, Var
from tewb.ir.statements import THREAD_EXTENT, VIRTUAL_THREAD, AttrStmt, Evaluate, Stmt

BARRIER = "tvm_storage_sync"

REAL = tuple(f"{unit}.{d}" for unit in ("blockIdx", "threadIdx") for d in "xyz")
_VIRTUAL = re.compile(r"(vthread|cthread)(\.\w+)?$")


def thread_axis(dom: Any = None, tag: str = "", name: str = "", span: Span | None = None) -> IterVar:
    """The axis of blocks ("blockIdx.x"), threads ("threadIdx.x") or virtual threads ("vthread") that loops are bound
    to. `dom` is their range, (0, n); without it, it is that of the loop. A tag alone may be given first.

    tx = te.thread_axis("threadIdx.x");  vx = te.thread_axis((0, 2), "vthread", name="vx")

    Raises TewbError for tags that do not exist.
    """
    where = span or here()
    if isinstance(dom, str):
        dom, tag = None, dom
    if not is_real(tag) and not is_virtual(tag):
        close = difflib.get_close_matches(str(tag), [*REAL, "vthread"], 1)
        raise TewbError(
            f"thread_axis: there are no threads with the tag {tag!r}",
            hint=f"did you mean {close[0]!r}?" if close else f"tags are {', '.join(REAL)} and vthread",
            span=where,
        )
    dom = _range(dom, where)
    dtype = INT32 if dom is None else dom.extent.dtype
    return IterVar(dom, Var(name or tag, dtype), AxisKind.THREAD, tag)


def _range(dom: Any, where: Span | None) -> Range | None:
    if dom is None or isinstance(dom, Range):
        return dom
    if not isinstance(dom, tuple | list) or len(dom) != 2:
        raise TewbError(
            f"thread_axis: {dom!r} is no range of threads",
            hint='te.thread_axis((0, 64), "threadIdx.x"), or te.thread_axis("threadIdx.x")',
            span=where,
        )
    low, high = ops.match(*dom)
    if not ops.is_const(low, 0):
        raise TewbError("thread_axis: threads are counted from 0", hint='(0, 64), "threadIdx.x"', span=where)
    return Range(low, ops.sub(high, low))


def memory_kind(scope: str) -> str:
    """The kind of memory of a scope: "shared" of "shared.dyn", "global" of "global:tag"."""
    return re.split("[.:_]", scope, maxsplit=1)[0]


def is_real(tag: object) -> bool:
    """Whether a tag is one of the blocks or threads of a launch, of which each tag means the same everywhere."""
    return tag in REAL


def is_virtual(tag: object) -> bool:
    """Whether a tag is one of virtual threads, of which each axis is one of its own."""
    return isinstance(tag, str) and _VIRTUAL.match(tag) is not None


def is_block(tag: str) -> bool:
    """Whether a tag is one of blocks, which share no memory and wait for nobody."""
    return tag.startswith("blockIdx")


def launched(s: Stmt) -> IterVar | None:
    """The thread axis that a statement launches; None for any other statement."""
    if isinstance(s, AttrStmt) and isinstance(s.node, IterVar) and s.key in (THREAD_EXTENT, VIRTUAL_THREAD):
        return s.node
    return None


def launch(axis: IterVar, extent: Expr, body: Stmt, origin: Any = None) -> AttrStmt:
    """`body`, run by `extent` threads of `axis`."""
    key = VIRTUAL_THREAD if is_virtual(axis.thread_tag) else THREAD_EXTENT
    return AttrStmt(axis, key, extent, body, origin)


def barrier(origin: Any = None) -> Stmt:
    """The statement at which the threads of a block wait for each other."""
    return Evaluate(Call(BARRIER, (StringImm("shared"),), INT32), origin)


def is_barrier(s: Stmt) -> bool:
    """Whether threads wait for each other at this statement."""
    return isinstance(s, Evaluate) and isinstance(s.value, Call) and s.value.op == BARRIER
