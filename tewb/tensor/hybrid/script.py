"""`@te.hybrid.script`: one Python function, run on numpy arrays or compiled from its source."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from tewb.base import HybridError, Span, TewbError, here, is_in_numpy, lazy, masked_elements
from tewb.ir import Expr
from tewb.tensor.hybrid.eager_code import eager_code, function_of
from tewb.tensor.hybrid.op import HybridOp
from tewb.tensor.hybrid.source_text import SourceText, source_of
from tewb.tensor.hybrid.statements import StatementTranslator
from tewb.tensor.hybrid.translation import Translation
from tewb.tensor.hybrid.values import Inlinable
from tewb.tensor.hybrid.words import eager_names
from tewb.tensor.tensor import Tensor


class HybridFunction(Inlinable):
    """A hybrid function. On numpy arrays and numbers it runs as plain Python; on tensors it gives tensors;
    `check` runs it on arrays and explains the first access that is wrong."""

    def __init__(self, function: Callable[..., Any] | None, text: SourceText) -> None:
        self.function, self.text, self.name = function, text, text.name
        self._eager_code: types.CodeType | None = None
        if function is not None:
            functools.update_wrapper(self, function)

    def __repr__(self) -> str:
        return f"HybridFunction({self.name})"

    @property
    def source(self) -> str:
        return self.text.source

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        values = self.arguments(args, keywords)
        captured = self.captured()
        arrays = any(_holds(a, np.ndarray) for a in values.values())
        symbolic = any(_holds(a, Tensor | Expr) for a in values.values())
        if symbolic or (captured and not arrays):
            return self.tensors(values)
        if captured:
            raise HybridError(
                f"hybrid function {self.name} reads {next(iter(captured))}, a tensor of the code around it, and has no "
                "array for it",
                hint="make it a parameter to run on arrays",
                span=Span(self.text.file, self.text.first_line),
            )
        return self.eager(values)

    def check(self, *args: Any, **keywords: Any) -> Any:
        """Run on numpy arrays, one operation at a time, and return the outputs.

        Raises BoundError for a read or write outside of a tensor, and HybridError for a read of an element
        that was never written and for an output that is returned with such elements. The message has the
        line and the values of the loops' variables. Much slower than the other ways to run.
        """
        values = self.arguments(args, keywords)
        if any(_holds(v, Tensor | Expr) for v in values.values()) or self.captured():
            raise HybridError(
                f"{self.name}.check runs on numpy arrays", hint=f"{self.name}.check(np.zeros(8))", span=here()
            )
        return self._run_checked(values)

    def _run_checked(self, values: dict[str, Any], partly: bool = False) -> Any:
        from tewb.tensor.hybrid.checked_statements import run_checked  # it calls hybrid functions in its turn

        try:
            return run_checked(self, values, partly)
        except RecursionError:
            raise self.nested_too_deeply() from None

    def nested_too_deeply(self) -> TewbError:
        return self.text.error(
            self.text.tree,
            "its expressions are nested too deeply",
            "name parts of them in lines of their own",
        )

    # ---- arguments and names

    def arguments(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
        """The value of every parameter; one that is an output, as `c` in `c = output_tensor(...)`, may be left out.
        Raises HybridError for a call that does not fit."""
        declared = self.text.tree.args
        if declared.vararg or declared.kwarg or declared.kwonlyargs or declared.posonlyargs:
            raise self.text.error(
                self.text.tree, "the parameters of a hybrid function are plain names", "def f(a, b, n=4):"
            )
        names = [a.arg for a in declared.args]
        defaults: tuple[Any, ...] = (
            (getattr(self.function, "__defaults__", None) or ()) if self.function else ()
        )
        values = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        values.update(zip(names, args, strict=False))
        form = f"{self.name}({', '.join(names)})"
        if len(args) > len(names):
            raise self.text.error(
                self.text.tree, f"it takes {len(names)} arguments and was given {len(args)}", form
            )
        for k, value in keywords.items():
            if k not in names:
                raise self.text.error(self.text.tree, f"it has no parameter {k}", form)
            if k in names[: len(args)]:
                raise self.text.error(self.text.tree, f"{k} is given twice", form)
            values[k] = value
        missing = [n for n in names if n not in values and n not in self.outputs]
        if missing:
            raise self.text.error(
                self.text.tree,
                f"it takes {len(names)} arguments and was given {len(args) + len(keywords)}: {', '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} missing",
                form,
            )
        for name, value in values.items():
            if isinstance(value, Tensor) and not is_in_numpy(value.dtype):
                wide = "float32" if value.dtype.is_float else "int8"
                raise self.text.error(
                    self.text.tree,
                    f"{name} is a tensor of {value.dtype}, which hybrid functions cannot compute with: numpy has none",
                    f'te.compute({name}.shape, lambda *i: {name}[i].astype("{wide}")) before it',
                )
            hidden = masked_elements(value)
            if hidden:
                raise self.text.error(
                    self.text.tree,
                    f"{name} is a masked array that hides {hidden} of its elements",
                    f"{name}.filled(value) gives an array",
                )
        return {n: values[n] for n in names if n in values}

    @lazy
    def outputs(self) -> frozenset[str]:
        """The names that the function makes by `output_tensor` before it does anything else with them."""
        made: set[str] = set()
        used: set[str] = set()
        for s in self.text.tree.body:
            match s:
                case ast.Assign([ast.Name(name)], ast.Call(ast.Name("output_tensor"))) if name not in used:
                    made.add(name)
            used |= {n.id for n in ast.walk(s) if isinstance(n, ast.Name)}
        return frozenset(made)

    def outside(self) -> dict[str, Any]:
        """The names that the function takes from the code around it, with what they mean now."""
        f = self.function
        if f is None:
            return {}
        cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
        values: dict[str, Any] = {}
        for name in self.text.outer_names:
            if name in cells:
                with suppress(ValueError):  # not set yet
                    values[name] = cells[name].cell_contents
            elif name in f.__globals__:
                values[name] = f.__globals__[name]
        return values

    def captured(self) -> dict[str, Tensor]:
        """The tensors among `outside`."""
        return {name: v for name, v in self.outside().items() if isinstance(v, Tensor)}

    @property
    def __globals__(self) -> dict[str, Any]:
        """The globals of the function, which no run adds to."""
        return {} if self.function is None else self.function.__globals__

    # ---- the ways to run

    def eager(self, values: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> Any:
        """Run on numpy arrays, as Python, with the dtypes that values have when compiled. The words of the language are added to a copy of the globals,
        so nothing is left behind, and the function may call itself or others, in several threads.
        `arrays` gives the tensors of the code around it."""
        f = self.function
        if f is None:  # loaded from text, which is never executed
            return self._run_checked(dict(values), partly=True)
        arrays = arrays or {}
        words = eager_names()
        hybrid = {n: v for n, v in f.__globals__.items() if n in words and isinstance(v, HybridFunction)}
        scope = {**f.__globals__, **words, **hybrid, **arrays}
        if self._eager_code is None:
            self._eager_code = eager_code(self.text, f)
        run = function_of(self._eager_code, f, scope, arrays)
        with np.errstate(all="ignore"):  # integers wrap, as they do when compiled
            return run(**{a.arg: values.get(a.arg) for a in self.text.tree.args.args})

    def tensors(self, values: Mapping[str, Any]) -> Any:
        """The operation that runs this function on tensors; returns its outputs."""
        translation = self.translate(values)
        buffers, result = translation.buffers, translation.result
        outputs = result.returned or ()
        op = HybridOp(
            self.name,
            tuple(buffers.inputs),
            tuple(buffers.inputs.values()),
            tuple(outputs),
            buffers.with_tables(result.body),
            tuple(result.axis),
            result.dependence,
            self.source,
            tuple(values.values()),
            self._eager_run(tuple(values), tuple(self.captured().items())),
        )
        return list(op.outputs) if len(outputs) > 1 else op.output(0)

    def _eager_run(self, names: Sequence[str], captured: Sequence[tuple[str, Tensor]]) -> Callable[..., Any]:
        def run(values: Sequence[Any], array_of: Mapping[Tensor, Any]) -> Any:
            arrays = {name: array_of[t] for name, t in captured if t in array_of}
            return self.eager(dict(zip(names, values, strict=True)), arrays)

        return run

    def translate(self, values: Mapping[str, Any], caller: Translation | None = None) -> Translation:
        """The function as loops, with `values` for its parameters; in the place of a call when `caller` calls it."""
        translation = Translation(self, self.text, self.outside(), caller)
        try:
            StatementTranslator(translation).function(values)
        except RecursionError:
            raise self.nested_too_deeply() from None
        if translation.result.returned is None:
            raise self.text.error(
                self.text.tree, "the function returns nothing", "return what output_tensor made: return b"
            )
        return translation


def _holds(a: Any, kind: Any) -> bool:
    return isinstance(a, kind) or (isinstance(a, tuple | list) and any(_holds(x, kind) for x in a))


def script(f: Callable[..., Any] | None = None, *, source: str | None = None) -> Any:
    """Make `f` a hybrid function: `@te.hybrid.script`.

    Inside of it: output_tensor(shape, dtype), allocate(shape, dtype, scope), loops over range, serial,
    parallel, vectorize, unroll, const_range and bind("threadIdx.x", n), over tensors and tuples, if and while, elements and slices
    (a[i], b[i, 1:n] = a[i, :-1] * 2), arithmetic, comparisons, and, or, not, x if c else y, min, max, math
    functions, casts such as float32(x), assert, and calls of other hybrid functions. Names from outside are
    numbers, numpy arrays (constants, as they are when it is compiled), tensors and hybrid functions. Arithmetic is that
    of expressions, on numpy arrays too: 5 is an int32, 0.5 a float32, and what is stored gets the dtype of its place. A
    scalar variable keeps the dtype of its first value.

    The text of `f` is read from its file or notebook cell; `source` gives it for a function made by exec.
    Raises HybridError, with the line and a caret, for anything else.
    """
    if f is None:
        return functools.partial(script, source=source)
    return HybridFunction(f, source_of(f, source))
