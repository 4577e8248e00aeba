"""Tensors and the operations that define them: the graph that a schedule is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tewb.base import DType, DTypeError, ExpressionError, MemberError, ShapeError, Span, TewbError, here
from tewb.ir import Expr, IterVar, Operators, Producer, ProducerLoad, Range, const_int, convert, ops


def check_name(name: Any) -> str:
    """`name`, when it is text. Raises TewbError for anything else."""
    if isinstance(name, str):
        return name
    raise TewbError(f"a name is text, not {name!r}", hint='name="A"', span=here())


def _check_element(name: str, dtype: DType) -> None:
    """Raise DTypeError for what memory has no elements of: vectors, addresses, text."""
    if dtype.lanes > 1 or dtype.kind in ("handle", "void"):
        raise DTypeError(
            f"{name}: a tensor has no elements of dtype {dtype}",
            hint="elements are numbers, such as float32, or bool",
            span=here(),
        )


class Operation:
    """A step of the computation: from input tensors to one or more output tensors.

    `axis` are the axes of the outputs, `reduce_axis` those that are combined away.
    """

    __slots__ = ("_outputs", "attrs", "name", "span", "tag")
    axis: tuple[IterVar, ...] = ()
    reduce_axis: tuple[IterVar, ...] = ()
    inputs: tuple[Tensor, ...] = ()

    @property
    def tiled(self) -> bool:
        """Whether a part of the outputs can be computed alone. Then `axis` are the dimensions of the outputs (of a
        hybrid function, `cut` holds the loops that compute them)."""
        return False

    @property
    def is_input(self) -> bool:
        """Whether its values are given, and not computed."""
        return False

    def __init__(
        self, name: str, shapes: Iterable[tuple[Expr, ...]], dtypes: Iterable[DType], tag: str = ""
    ) -> None:
        self.name, self.tag, self.attrs = check_name(name), tag, dict[str, object]()
        self.span: Span | None = here()
        pairs = list(zip(shapes, dtypes, strict=True))
        for _, d in pairs:
            _check_element(name, d)
        self._outputs = tuple(
            Tensor(self, i, s, d, _output_name(name, i, len(pairs))) for i, (s, d) in enumerate(pairs)
        )

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        return self._outputs

    def output(self, index: int) -> Tensor:
        """The output tensor number `index`. Raises TewbError when there is none."""
        number = const_int(convert(index))
        if number is None or not 0 <= number < len(self._outputs):
            raise TewbError(
                f"{self.name} has {len(self._outputs)} output{'s' * (len(self._outputs) != 1)}, and no output {index!r}",
                hint="they are counted from 0",
                span=here(),
            )
        return self._outputs[number]

    def domain(self, iv: IterVar) -> Range | None:
        """The range of an axis, in terms of the axes that this operation has now."""
        return iv.dom

    @property
    def input_tensors(self) -> tuple[Tensor, ...]:
        """The tensors that are read, each once, in the order in which the expressions meet them."""
        return self.inputs

    @property
    def num_outputs(self) -> int:
        return len(self._outputs)

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very operation."""
        return self is other

    def with_inputs(self, swap: Mapping[Tensor, Tensor]) -> Operation:
        """The same operation reading other tensors; itself when none of its inputs is swapped."""
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"


def _output_name(name: str, index: int, count: int) -> str:
    return name if count == 1 else f"{name}.v{index}"


# What programs call tensors by, as numpy's arrays or as the buffers of an intrinsic, and what says it for a tensor.
_OF_OTHERS = {
    "T": "topi.transpose({0}), or te.compute(shape, lambda i, j: {0}[j, i])",
    "transpose": "topi.transpose({0}, axes)",
    "reshape": "topi.reshape({0}, shape)",
    "numpy": "a tensor has values when a kernel runs: tewb.build(s, [..., {0}]) takes and makes arrays, which have numpy()",
    "asnumpy": "a tensor has values when a kernel runs: tewb.build(s, [..., {0}]) takes and makes arrays, which have asnumpy()",
    "vload": "buffers have it, those that an intrinsic or an extern gets; an element of a tensor is {0}[i, j]",
    "vstore": "buffers have it, those that an intrinsic or an extern gets; te.compute says what a tensor's elements are",
    "access_ptr": "buffers have it, those that an intrinsic or an extern gets",
    "indices": "elements and slices have it: {0}[i].indices",
}


class Tensor(Producer):
    """An array-valued result: output `value_index` of `op`. Indexing it gives an element expression."""

    __slots__ = ("dtype", "name", "op", "shape", "value_index")

    def __init__(
        self, op: Operation, value_index: int, shape: tuple[Expr, ...], dtype: DType, name: str
    ) -> None:
        self.op, self.value_index, self.shape, self.dtype, self.name = op, value_index, shape, dtype, name

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def axis(self) -> tuple[IterVar, ...]:
        """The axes of its operation, one for each dimension."""
        return self.op.axis

    def __getattr__(self, name: str) -> Any:
        hint = _OF_OTHERS.get(name)
        if hint is None:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self
            )
        raise MemberError(f"{self.name} is a tensor, and has no {name}", hint=hint.format(self.name))

    @property
    def is_input(self) -> bool:
        """Whether its values are given, and not computed."""
        return self.op.is_input

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very tensor."""
        return self is other

    def __call__(self, *indices: Any) -> Expr:
        return element(self, indices)

    def __getitem__(self, indices: Any) -> Any:
        index = indices if isinstance(indices, tuple) else (indices,)
        whole = len(index) == self.ndim and not any(isinstance(i, slice) for i in index)
        return element(self, index) if whole else TensorSlice(self, index)

    def __repr__(self) -> str:
        shape = ", ".join(repr(s) for s in self.shape) + ("," if self.ndim == 1 else "")
        return f"Tensor({self.name}: {self.dtype}[{shape}])"

    def __add__(self, other: Any) -> Tensor:
        return broadcast("add", lambda a, b: a + b, self, other)

    def __radd__(self, other: Any) -> Tensor:
        return broadcast("add", lambda a, b: a + b, other, self)

    def __sub__(self, other: Any) -> Tensor:
        return broadcast("subtract", lambda a, b: a - b, self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return broadcast("subtract", lambda a, b: a - b, other, self)

    def __mul__(self, other: Any) -> Tensor:
        return broadcast("multiply", lambda a, b: a * b, self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return broadcast("multiply", lambda a, b: a * b, other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return broadcast("divide", lambda a, b: a / b, self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return broadcast("divide", lambda a, b: a / b, other, self)

    def __neg__(self) -> Tensor:
        return broadcast("negative", lambda a, _: -a, self, 0)

    def astype(self, dtype: str, span: object = None) -> Tensor:
        """The tensor whose elements are these, converted to `dtype`."""
        return broadcast("cast", lambda a, _: ops.cast(a, dtype), self, 0)

    def _elementwise_only(self, *_: Any) -> Any:
        raise ExpressionError(
            f"{self.name} is a tensor, and has +, -, * and / only",
            hint=f"other operators are for elements: te.compute({self.name}.shape, lambda *i: abs({self.name}[i]))",
            span=here(),
        )

    __pow__ = __rpow__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = (
        _elementwise_only
    )
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __and__ = __rand__ = __or__ = __ror__ = (
        _elementwise_only
    )
    __xor__ = __rxor__ = __lt__ = __le__ = __gt__ = __ge__ = __invert__ = __abs__ = __round__ = (
        _elementwise_only
    )
    __floor__ = __ceil__ = __trunc__ = _elementwise_only

    def __pos__(self) -> Tensor:
        return self

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """np.float32(2) * A is np.float32(2) times each element; other functions of numpy take no tensors."""
        names = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv"}
        name = names.get(ufunc.__name__)
        if name is None or method != "__call__" or options:
            raise ExpressionError(
                f"np.{ufunc.__name__} does not take the tensor {self.name}",
                hint=f"for its elements: te.compute({self.name}.shape, lambda *i: te.exp({self.name}[i]))",
                span=here(),
            )
        a, b = inputs
        return getattr(a, f"__{name}__")(b) if isinstance(a, Tensor) else getattr(b, f"__r{name}__")(a)


class TensorSlice(Operators):
    """A tensor with its first indices given, `A[i]` of a matrix, waiting for `[j]`; or a part of it for an intrinsic,
    `A[i, 0:8]`."""

    __slots__ = ("indices", "tensor")

    def __init__(self, tensor: Tensor, indices: tuple[Any, ...]) -> None:
        if len(indices) > tensor.ndim:
            raise ShapeError(f"{tensor.name} has {tensor.ndim} dimensions, not {len(indices)}", span=here())
        self.tensor, self.indices = tensor, indices

    def __getitem__(self, more: Any) -> Any:
        return self.tensor[(*self.indices, *(more if isinstance(more, tuple) else (more,)))]

    def as_expr(self) -> Expr:
        """The element, once all indices are there."""
        if any(isinstance(i, slice) for i in self.indices):
            raise ExpressionError(
                f"{self!r} is a part of {self.tensor.name}, and an expression is made of elements",
                hint="tensor intrinsics take parts; an element has a number for each index",
                span=here(),
            )
        return element(self.tensor, self.indices)

    @property
    def dtype(self) -> DType:
        return self.tensor.dtype

    def __repr__(self) -> str:
        return f"{self.tensor.name}[{', '.join(map(_index_text, self.indices))}]"


def _index_text(i: Any) -> str:
    if not isinstance(i, slice):
        return repr(i)
    ends = ["" if e is None else repr(e) for e in (i.start, i.stop)]
    return ":".join(ends if i.step is None else [*ends, repr(i.step)])


def element(tensor: Tensor, indices: Iterable[Any]) -> Expr:
    """The element of `tensor` at `indices`. Raises ShapeError or DTypeError for wrong indices."""
    index = tuple(convert(i) for i in indices)
    if len(index) != tensor.ndim:
        raise ShapeError(
            f"{tensor.name} has {tensor.ndim} dimensions and was given {len(index)} indices",
            hint=f"its shape is ({', '.join(repr(s) for s in tensor.shape)})",
            span=here(),
        )
    for i in index:
        if not i.dtype.is_int:
            raise DTypeError(
                f"{tensor.name} is indexed with {i!r} of dtype {i.dtype}",
                hint="cast the index with .astype('int32')",
                span=here(),
            )
    return ProducerLoad(tensor, tuple([ops.as_index(i) for i in index]), tensor.dtype)


Broadcaster = Callable[[str, Callable[[Any, Any], Expr], Any, Any], Tensor]
_broadcaster: list[Broadcaster] = []


def register_broadcast(f: Broadcaster) -> Broadcaster:
    """Register how `A + B` is computed: compute.py does, which imports this file."""
    _broadcaster.append(f)
    return f


def broadcast(name: str, f: Callable[[Any, Any], Expr], a: Any, b: Any) -> Tensor:
    """The compute that applies `f` to two tensors, or a tensor and a number, with numpy's broadcasting."""
    return _broadcaster[0](name, f, a, b)
