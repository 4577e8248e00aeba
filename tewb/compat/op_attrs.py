"""`tvm.ir.register_op_attr`: what programs say of intrinsics of their own. Here a call is what its rule makes of it
(`register_intrin_lowering`), and nothing else needs to be known."""

from __future__ import annotations

from typing import Any


class CallEffectKind:
    """The numbers of what calls do, besides giving a value."""

    ExprAnnotation, Pure, ReadState, UpdateState, SpecialCallArg, EmbedInfo, ControlJump = range(7)
    Opaque = UpdateState


_attributes: dict[tuple[str, str], Any] = {}


def register_op_attr(op_name: str, attr_key: str, value: Any = None, level: int = 10) -> Any:
    """Keep `value` as what is said of the intrinsic `op_name` under a key. Without a value, a decorator."""
    if value is None:
        return lambda f: register_op_attr(op_name, attr_key, f, level)
    _attributes[op_name, attr_key] = value
    return value
