"""Expressions: values, from constants to vectors.

Raw classes store. The constructors in `ops.py`, and the operators, check dtypes and fold constants.
"""

from __future__ import annotations

from tewb.base import BOOL, HANDLE, INT32, DType
from tewb.ir.node import Node, alias, node
from tewb.ir.operators import Operators
from tewb.ir.symbolic import Equality


class Expr(Node, Operators):
    """A value of type `dtype`."""

    __slots__ = ()
    dtype: DType

    def __repr__(self) -> str:
        from tewb.ir.script import script  # the printer sits above the nodes

        return script(self)


# ---------------------------------------------------------------- leaves


@node
class Var(Expr):
    """A named scalar whose value comes from elsewhere: a loop, a parameter, a let."""

    name: str
    dtype: DType
    name_hint = alias("name")


@node
class IntImm(Expr):
    """An integer or boolean constant; `value` fits `dtype`. It counts as a number in Python, too: one of int32, the
    dtype of Python's integers, is the same key of a dict as its value."""

    value: int
    dtype: DType

    def __hash__(self) -> int:
        return hash(self.value) if self.dtype is INT32 else object.__hash__(self)

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        if other.__class__ is IntImm and other.dtype is self.dtype:
            return IntImm(int(self.value == other.value), BOOL)
        return Expr.__eq__(self, other)

    def __bool__(self) -> bool:
        return self.value != 0

    def __index__(self) -> int:
        return self.value

    def __int__(self) -> int:
        return self.value

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)


@node
class FloatImm(Expr):
    """A floating-point constant. It counts as a number in Python, too."""

    value: float
    dtype: DType

    def __bool__(self) -> bool:
        return self.value != 0

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return self.value

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)


@node
class StringImm(Expr):
    """A string, as an argument of a call."""

    value: str
    dtype: DType = HANDLE


# ---------------------------------------------------------------- arithmetic


@node
class Cast(Expr):
    """`value` converted to `dtype`: floats truncate toward zero, integers wrap, bool is value != 0."""

    value: Expr
    dtype: DType


class Binary(Expr):
    """An operation on two values of one dtype."""

    __slots__ = ()
    a: Expr
    b: Expr


@node
class Add(Binary):
    """a + b; integers wrap."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Sub(Binary):
    """a - b; integers wrap."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Mul(Binary):
    """a * b; integers wrap."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Div(Binary):
    """a / b for floats; for integers rounding toward zero, 0 where b is 0, and the smallest / -1 wraps to itself."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Mod(Binary):
    """Remainder of integer `Div`: the sign of a, and 0 where b is 0 or -1. For floats that of C's fmod."""

    a: Expr
    b: Expr
    dtype: DType


@node
class FloorDiv(Binary):
    """a // b, rounding toward minus infinity. As in numpy it is 0 where b is 0, and the smallest // -1 wraps to itself."""

    a: Expr
    b: Expr
    dtype: DType


@node
class FloorMod(Binary):
    """a - b * (a // b): the sign of b. As in numpy it is 0 where b is 0."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Min(Binary):
    """The smaller of a and b; NaN if either is NaN, as numpy.minimum."""

    a: Expr
    b: Expr
    dtype: DType


@node
class Max(Binary):
    """The larger of a and b; NaN if either is NaN, as numpy.maximum."""

    a: Expr
    b: Expr
    dtype: DType


# ---------------------------------------------------------------- comparison


class Compare(Expr):
    """A comparison of two values of one dtype; the result is bool with their lanes."""

    __slots__ = ("of_axes",)  # set where two axes were compared, which Python does to find one in a list
    a: Expr
    b: Expr
    of_equal_sides = False  # what it gives when both sides are equal

    def __bool__(self) -> bool:
        """Whether it holds, when that is known since both sides are the same integer expression, or axes. Else raises
        TruthError, where `Equality` does not say what == asks."""
        from tewb.ir.structural_equality import structural_equal  # it looks at nodes

        if self.a.dtype.is_int and structural_equal(self.a, self.b):
            return self.of_equal_sides
        is_identity = Equality.is_identity and not Equality.elements and isinstance(self, EQ | NE)
        if is_identity or hasattr(self, "of_axes"):
            return self.of_equal_sides is (self.a is self.b)
        return Expr.__bool__(self)


@node
class EQ(Compare):
    """a == b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL
    of_equal_sides = True


@node
class NE(Compare):
    """a != b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class LT(Compare):
    """a < b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class LE(Compare):
    """a <= b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL
    of_equal_sides = True


@node
class GT(Compare):
    """a > b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class GE(Compare):
    """a >= b"""

    a: Expr
    b: Expr
    dtype: DType = BOOL
    of_equal_sides = True


# ---------------------------------------------------------------- logic, choice, names and calls


@node
class And(Expr):
    """Both; the second counts only where the first is true, in each lane of vectors."""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class Or(Expr):
    """Either; the second counts only where the first is false, in each lane of vectors."""

    a: Expr
    b: Expr
    dtype: DType = BOOL


@node
class Not(Expr):
    """The opposite."""

    a: Expr
    dtype: DType = BOOL


@node
class Select(Expr):
    """`then` where cond holds, else `other`; both are evaluated, so both must be safe."""

    cond: Expr
    then: Expr
    other: Expr
    dtype: DType
    condition, true_value, false_value = alias("cond"), alias("then"), alias("other")


@node
class Let(Expr):
    """`body` with `var` standing for `value`."""

    var: Var
    value: Expr
    body: Expr
    dtype: DType


@node
class Call(Expr):
    """A call of an intrinsic, of a packed function or of a C function, by name."""

    op: str
    args: tuple[Expr, ...]
    dtype: DType
    name = alias("op")


# ---------------------------------------------------------------- vectors


@node
class Ramp(Expr):
    """The vector base, base+stride, ..., base+(lanes-1)*stride."""

    base: Expr
    stride: Expr
    lanes: int
    dtype: DType


@node
class Broadcast(Expr):
    """The vector that repeats a scalar."""

    value: Expr
    lanes: int
    dtype: DType


@node
class Shuffle(Expr):
    """Lanes of `vectors`, counted through all of them one after the other: first those of the first vector.
    The result has a lane for each of `indices`; a scalar counts as a vector of one lane."""

    vectors: tuple[Expr, ...]
    indices: tuple[int, ...]
    dtype: DType
