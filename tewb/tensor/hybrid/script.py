"""`@te.hybrid.script`: one Python function, run on numpy arrays or compiled from its source."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
import types
from collections.abc import Callable, Sequence
from typing import Any

from tewb.base import HybridError, here
from tewb.ir import Buffer, Expr, seq
from tewb.tensor.hybrid.names import eager_names
from tewb.tensor.hybrid.op import HybridOp
from tewb.tensor.hybrid.parser import Parser
from tewb.tensor.tensor import Tensor


class HybridFunction:
    """A hybrid function. On numpy arrays and numbers it runs as plain Python; on tensors it gives tensors."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.function, self.name = f, f.__name__
        functools.update_wrapper(self, f)
        try:
            lines, self.first_line = inspect.getsourcelines(f)
        except (OSError, TypeError) as e:
            raise HybridError(
                f"the source of {self.name} cannot be read: {e}",
                hint="define it in a file or in a notebook cell",
                span=here(),
            ) from None
        self.source = textwrap.dedent("".join(lines))
        self.file = inspect.getsourcefile(f) or f.__code__.co_filename

    def __call__(self, *args: Any) -> Any:
        if any(_is_symbolic(a) for a in args):
            return self.tensors(args)
        return self.eager(*args)

    def eager(self, *args: Any) -> Any:
        """Run on numpy arrays. The words of the language are added to a copy of the globals, so nothing is
        left behind, and the function may call itself or others."""
        f = self.function
        scope = {**f.__globals__, **eager_names()}
        run = types.FunctionType(f.__code__, scope, f.__name__, f.__defaults__, f.__closure__)
        return run(*args)

    def tensors(self, args: Sequence[Any]) -> Any:
        """The operation that runs this function on tensors; returns its outputs."""
        inputs: dict[Tensor, Buffer] = {}

        def argument(a: Any) -> Any:
            if isinstance(a, Tensor):
                return inputs.setdefault(a, Buffer(a.name, a.dtype, a.shape))
            return tuple(argument(x) for x in a) if isinstance(a, tuple | list) else a

        parser = self.parse([argument(a) for a in args])
        outputs = parser.returned
        if not outputs:
            raise HybridError(
                f"hybrid function {self.name} returns nothing", hint="return what output_tensor made"
            )
        op = HybridOp(
            self.name,
            tuple(inputs),
            tuple(inputs.values()),
            tuple(outputs),
            parser.result.body,
            tuple(parser.result.axis),
            parser.result.dependence,
            self.source,
            tuple(args),
            self.eager,
        )
        return op.outputs if len(outputs) > 1 else op.output(0)

    def parse(self, values: Sequence[Any]) -> Parser:
        """Parse the function with `values` for its parameters."""
        tree = ast.parse(self.source).body[0]
        if not isinstance(tree, ast.FunctionDef):
            raise HybridError(f"{self.name} is no function")
        outside = inspect.getclosurevars(self.function)
        outer = {**outside.globals, **outside.nonlocals}
        parser = Parser(self.name, self.file, self.source.splitlines(), self.first_line, outer)
        names = [a.arg for a in tree.args.args]
        if tree.args.vararg or tree.args.kwarg or tree.args.kwonlyargs:
            raise parser.refuse(tree, "the parameters of a hybrid function are plain names")
        if len(names) != len(values):
            raise parser.refuse(tree, f"it takes {len(names)} arguments and was given {len(values)}")
        parser.scopes[0].update(zip(names, values, strict=True))
        parser.result.body = seq(parser.block(tree.body))
        return parser

    def parse_into(self, values: Sequence[Any], caller: Parser) -> Parser:
        """Parse the function as part of another; its outputs become memory of the caller."""
        return self.parse(values)


def _is_symbolic(a: Any) -> bool:
    return isinstance(a, Tensor | Expr) or (isinstance(a, tuple | list) and any(_is_symbolic(x) for x in a))


def script(f: Callable[..., Any]) -> HybridFunction:
    """Make `f` a hybrid function: `@te.hybrid.script`.

    Inside of it: output_tensor(shape, dtype), allocate(shape, dtype, scope), loops over range, serial,
    parallel, vectorize, unroll and const_range, if and while, elements by index, arithmetic, min, max, math
    functions, casts such as float32(x), assert, and calls of other hybrid functions. Raises HybridError, with
    the line and a caret, for anything else.
    """
    return HybridFunction(f)
