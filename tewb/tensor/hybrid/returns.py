"""The end of a hybrid function: return names its outputs."""

from __future__ import annotations

import ast

from tewb.ir import Buffer
from tewb.tensor.hybrid.emitted import Emitted
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Evaluate


def return_(translation: Translation, evaluate: Evaluate, node: ast.Return) -> Emitted:
    """Note what is returned: every output once."""
    if translation.depth:
        raise translation.refuse(
            node,
            "return stands at the end of the function, outside of loops and branches",
            "set the outputs, and return them in the last line",
        )
    if node.value is None:
        raise translation.refuse(node, "the function must return its output tensors", "return b")
    value = evaluate(node.value)
    values = list(value) if isinstance(value, tuple | list) else [value]
    outputs = translation.result.outputs
    for v in values:
        if not isinstance(v, Buffer) or v not in outputs:
            raise translation.refuse(
                node.value,
                "only what output_tensor made can be returned",
                "copy it into an output: b[:] = ...",
            )
    if len(set(values)) != len(values):
        raise translation.refuse(node.value, "an output is returned twice", "return each output once")
    for o in outputs:
        if o not in values:
            raise translation.refuse(
                node.value, f"the output {o.name} is not returned", f"return it, or allocate {o.name}"
            )
    translation.result.returned = values
    return []
