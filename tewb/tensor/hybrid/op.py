"""HybridOp: outputs that the loops of a Python function compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb.base import DType
from tewb.ir import Buffer, Expr, IterVar, Stmt
from tewb.tensor.hybrid.partial_axes import cut_axes
from tewb.tensor.tensor import Operation, Tensor


class HybridOp(Operation):
    """The statement `body` on `in_buffers` and `out_buffers`, which stand for the inputs and outputs.

    `axis` are its loops in order of appearance; `dependence` says of those whose iterations must run in
    order why that is so. `cut` are the loops that may run in part, one for each dimension of the outputs, or None.
    `source`, `function_name` and `arguments` are what the user wrote.
    """

    __slots__ = ("argument_tensors", "arguments", "axis", "body", "cut", "dependence", "eager", "function_name",
                 "in_buffers", "inputs", "out_buffers", "source")  # fmt: skip

    def __init__(
        self,
        name: str,
        inputs: tuple[Tensor, ...],
        in_buffers: tuple[Buffer, ...],
        out_buffers: tuple[Buffer, ...],
        body: Stmt,
        axis: tuple[IterVar, ...],
        dependence: dict[IterVar, str],
        source: str,
        arguments: tuple[Any, ...],
        eager: Callable[..., Any],
    ) -> None:
        shapes: list[tuple[Expr, ...]] = [b.shape for b in out_buffers]
        dtypes: list[DType] = [b.dtype for b in out_buffers]
        super().__init__(name, shapes, dtypes)
        self.inputs, self.in_buffers, self.out_buffers = inputs, in_buffers, out_buffers
        self.argument_tensors = inputs  # those of `arguments`, also when the inputs are swapped
        self.body, self.axis, self.dependence = body, axis, dependence
        self.cut = cut_axes(body, out_buffers, axis)
        self.source, self.function_name, self.arguments, self.eager = source, name, arguments, eager

    @property
    def tiled(self) -> bool:
        return any(iv is not None for iv in self.cut)

    def with_inputs(self, swap: Mapping[Tensor, Tensor]) -> Operation:
        if not any(t in swap for t in self.inputs):
            return self
        inputs = tuple(swap.get(t, t) for t in self.inputs)
        op = HybridOp(
            self.name, inputs, self.in_buffers, self.out_buffers, self.body, self.axis, self.dependence, self.source,
            self.arguments, self.eager,
        )  # fmt: skip
        op.argument_tensors = self.argument_tensors
        op.attrs, op.span = self.attrs, self.span
        return op

    def run_eagerly(self, arrays: Sequence[Any], values: Mapping[Any, Any]) -> Any:
        """The function on numpy arrays, as plain Python."""
        array_of = dict(zip(self.argument_tensors, arrays, strict=True))

        def argument(a: Any) -> Any:
            if isinstance(a, Tensor):
                return array_of[a]
            if isinstance(a, tuple | list):
                return [argument(x) for x in a]
            return values.get(a, a) if isinstance(a, Expr) else a

        return self.eager([argument(a) for a in self.arguments], array_of)
