"""The bodies of a function, of which a call takes one: which one, sizes and strides of its arguments say.

if t == 1: rows            body 0 runs when t == 1:                   rows
else:                ->    body 1 runs when not t == 1 and s == 1:    columns
    if s == 1: columns     body 2 runs when not t == 1 and not s == 1:    any
    else: any
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tewb.base import TewbError, here
from tewb.ir.buffers import Buffer, BufferLoad
from tewb.ir.expressions import Call, Expr, Var
from tewb.ir.functions import IRModule, PrimFunc
from tewb.ir.script import script
from tewb.ir.statements import IfThenElse, Stmt
from tewb.ir.walk import free_vars, rewriter, walk

MOST = 32  # bodies that are told apart


@dataclass(frozen=True, slots=True)
class BodyOfCall:
    """A function with one of its bodies, and when a call takes it: "t == 1 and not s == 1"; empty where there is one."""

    when: str
    function: PrimFunc


def bodies(f: PrimFunc) -> list[BodyOfCall]:
    """The bodies of a function, in the order in which they stand there, at most MOST."""
    known = {p for p in f.params if isinstance(p, Var)}
    known |= {
        v for p in f.params if isinstance(p, Buffer) for n in (*p.shape, *p.strides) for v in free_vars(n)
    }
    if not known:
        return [BodyOfCall("", f)]  # all calls are alike
    found: list[BodyOfCall] = []
    for decided in _decisions(f.body, known, {}):
        if len(found) == MOST:
            break
        when = " and ".join(text if holds else f"not {_joined(text)}" for text, holds in decided.items())
        found.append(BodyOfCall(when, f.with_body(_decided(f.body, known, decided))))
    return found


def _joined(text: str) -> str:
    return f"({text})" if " and " in text or " or " in text else text


def _decisions(body: Stmt, known: set[Var], decided: Mapping[str, bool]) -> Iterator[dict[str, bool]]:
    """All ways in which the conditions of a body may hold, beyond those that are `decided`."""
    first = next((n for n in walk(_decided(body, known, decided)) if _is_choice(n, known)), None)
    if not isinstance(first, IfThenElse):
        yield dict(decided)
        return
    for holds in (True, False):
        yield from _decisions(body, known, {**decided, script(first.cond): holds})


def _is_choice(n: object, known: set[Var]) -> bool:
    """Whether a statement chooses between two bodies by what is known of a call."""
    if not isinstance(n, IfThenElse) or n.other is None or n.cond.dtype.lanes > 1:
        return False
    parts: list[Expr] = [x for x in walk(n.cond) if isinstance(x, BufferLoad | Call)]
    reads = any(isinstance(x, BufferLoad) or (isinstance(x, Call) and x.op == "likely") for x in parts)
    return not reads and {*free_vars(n.cond)} <= known


def _decided(body: Stmt, known: set[Var], decided: Mapping[str, bool]) -> Stmt:
    """`body` with one side of each choice that is decided."""
    if not decided:
        return body

    def choice(n: IfThenElse) -> Any:
        holds = decided.get(script(n.cond)) if _is_choice(n, known) else None
        return n.map_children(rewrite) if holds is None else rewrite(n.then if holds else n.other)

    rewrite: Callable[[Any], Any] = rewriter({IfThenElse: choice})
    rewritten: Stmt = rewrite(body)
    return rewritten


def script_of_body(n: object, number: int) -> str:
    """The text of a function with one of its bodies, behind a line that says when it runs and how others are seen."""
    f = next(iter(n.functions.values())) if isinstance(n, IRModule) else n
    if not isinstance(f, PrimFunc):
        raise TewbError(
            f"functions have bodies, {type(n).__name__} has none", hint="leave out body", span=here()
        )
    every = bodies(f)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(every):
        raise TewbError(
            f"{f.name} has {len(every)} {'body' if len(every) == 1 else 'bodies'}, so there is no body {number!r}",
            hint="show(body=0) shows the first one",
            span=here(),
        )
    shown = every[number]
    text = script(shown.function)
    if len(every) == 1:
        return text
    others = ", ".join(f"body={i}" for i in range(len(every)) if i != number)
    return f"# body {number} of {len(every)}, which runs when {shown.when}; another runs otherwise: {others}\n{text}"
