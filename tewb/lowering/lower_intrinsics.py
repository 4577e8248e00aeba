"""Rules of the user that say what calls of an intrinsic become when a kernel is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tewb.base import ExternError, LowerError, here
from tewb.ir import Call, Expr, PrimFunc, convert, ops, replace, rewriter, walk

Rule = Callable[[Any], Any]

_rules: dict[str, tuple[int, Rule]] = {}  # by the name of the intrinsic, with the level of the rule

_TARGETS = ("llvm", "cpu", "default")


class IntrinsicName(str):
    """The name of a call as rules see it: `call.op.name` is the classic "tir.exp"."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return f"tir.{self}"


def register_intrin_lowering(
    op_name: str, target: str, *, f: Rule | None = None, level: int = 10, override: bool = True
) -> Any:
    """Say what calls of the intrinsic `op_name` ("tir.exp") become in kernels: `f` takes the call and returns an
    expression of its dtype, or the call itself to leave it. Without `f`, a decorator.

    A rule of a higher `level` comes before others. Those of targets that are no CPU are not used. Raises ExternError.
    """
    if f is None:
        return lambda g: register_intrin_lowering(op_name, target, f=g, level=level, override=override)
    if not isinstance(op_name, str) or not callable(f):
        raise ExternError(
            f"register_intrin_lowering takes the name of an intrinsic and a function, not {op_name!r} and {f!r}",
            hint='tvm.ir.register_intrin_lowering("tir.exp", target="llvm", f=rule)',
            span=here(),
        )
    name = op_name.removeprefix("tir.")
    if target in _TARGETS:
        known = _rules.get(name)
        if known is not None and not override:
            raise ExternError(
                f"there is a rule for {name} already", hint="override=True replaces it", span=here()
            )
        if known is None or level >= known[0]:
            _rules[name] = (level, f)
    return f


def register_intrin_rule(target: str, intrin: str, f: Rule | None = None, override: bool = False) -> Any:
    """`register_intrin_lowering` in the order of v0.5: the target first. Without `override`, a second rule for one
    intrinsic is an error."""
    return register_intrin_lowering(intrin, target, f=f, override=override)


def lower_intrinsics(f: PrimFunc) -> PrimFunc:
    """`f` with the calls for which there are rules rewritten by them."""
    if not _rules:
        return f

    def call(e: Call) -> Expr:
        args = tuple(rewrite(a) for a in e.args)
        inner = e if all(a is b for a, b in zip(args, e.args, strict=True)) else replace(e, args=args)
        return _lowered(inner) if inner.op in _rules else inner

    rewrite = rewriter({Call: call})
    return f.with_body(rewrite(f.body))


def _lowered(e: Call) -> Expr:
    """What the rule for a call makes of it. A vector goes lane by lane where the rule is for elements only, or calls a
    function of C."""
    result = _by_rule(e)
    if e.dtype.lanes == 1 or (result is not e and not _calls_c(result)):
        return result
    calls = [Call(e.op, tuple(_lane(a, i) for a in e.args), e.dtype.element) for i in range(e.dtype.lanes)]
    lanes = [_by_rule(c) for c in calls]
    if all(x is c for x, c in zip(lanes, calls, strict=True)):
        return e
    return ops.shuffle(lanes, range(e.dtype.lanes))


def _calls_c(e: Expr) -> bool:
    return any(n.__class__ is Call and n.op in ("call_extern", "call_pure_extern") for n in walk(e))


def _lane(e: Expr, i: int) -> Expr:
    return ops.shuffle([e], [i]) if e.dtype.lanes > 1 else e


def _by_rule(e: Call) -> Expr:
    shown = Call(IntrinsicName(e.op), e.args, e.dtype)
    answer = _rules[e.op][1](shown)
    if answer is None or answer is shown:
        return e
    result = convert(answer)
    if result.dtype is not e.dtype:
        raise LowerError(
            f"the rule for {e.op} makes {result.dtype} of a call that is {e.dtype}: {result!r}",
            hint="a rule returns an expression of the dtype of the call, or the call itself",
        )
    return result
