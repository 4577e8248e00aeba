"""Calls of other hybrid functions: the body takes the place of the call, its outputs become local memory."""

from __future__ import annotations

import ast

from tewb.base import TewbError
from tewb.ir import Buffer, Stmt
from tewb.tensor.hybrid.emitted import Emitted, Wrap
from tewb.tensor.hybrid.names import bind
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Evaluate, Inlinable, LoopVariable, ScalarVariable, Slice, Value


def inline_call(
    translation: Translation, evaluate: Evaluate, target: ast.expr, call: ast.Call, function: Inlinable
) -> Emitted:
    """What `target = function(...)` becomes."""
    values = _arguments(translation, evaluate, call, function)
    if function in translation.active:
        raise translation.refuse(call, f"{function.name} calls itself", "a loop or a while repeats")
    pending = translation.take_pending()
    result = function.translate(values, translation).result
    outputs: list[Buffer] = result.returned
    targets = list(target.elts) if isinstance(target, ast.Tuple) else [target]
    if len(targets) != len(outputs):
        raise translation.refuse(
            target, f"{function.name} returns {len(outputs)} tensors", f"write {len(outputs)} names"
        )
    statements: list[Stmt | Wrap] = [*pending]
    for t, b in zip(targets, outputs, strict=True):
        _name_output(translation, t, b, function)
        translation.writable.add(b)
        statements.append(translation.allocation(b, t))
    translation.result.axis += result.axis
    translation.result.dependence.update(result.dependence)
    return [*statements, result.body]


def _arguments(
    translation: Translation, evaluate: Evaluate, call: ast.Call, function: Inlinable
) -> dict[str, Value]:
    """The value of every parameter of `function`."""
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        raise translation.refuse(
            call, "* and ** are not part of the hybrid language", "write the arguments out"
        )
    args = [_argument(translation, evaluate, a) for a in call.args]
    keywords = {str(k.arg): _argument(translation, evaluate, k.value) for k in call.keywords}
    try:
        return function.arguments(args, keywords)
    except TewbError as e:
        raise translation.refuse(call, e.message, e.hint) from None


def _argument(translation: Translation, evaluate: Evaluate, node: ast.expr) -> Value:
    value = evaluate(node)
    if isinstance(value, Slice):
        raise translation.refuse(
            node, "a slice cannot be an argument", "pass the tensor, or copy the slice into one"
        )
    return value


def _name_output(translation: Translation, target: ast.expr, output: Buffer, function: Inlinable) -> None:
    if not isinstance(target, ast.Name):
        raise translation.refuse(
            target, "the result of a hybrid function gets a name", f"t = {function.name}(...)"
        )
    if isinstance(translation.names.find(target.id), ScalarVariable | LoopVariable):
        raise translation.refuse(target, f"{target.id} is a number already", "choose another name")
    bind(translation, target, output)
