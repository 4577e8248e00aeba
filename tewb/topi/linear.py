"""Products of matrices and of tensors: matmul, tensordot and Einstein's sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb import te
from tewb.base import ShapeError, TewbError, here
from tewb.tensor import Tensor
from tewb.topi.checks import axis_of, check_same_size, known, may_differ, tensor_of


def matmul(a: Tensor, b: Tensor, transp_a: bool = False, transp_b: bool = False) -> Any:
    """The product of two matrices, each transposed first when so asked."""
    x, y = tensor_of("matmul", a, 2), tensor_of("matmul", b, 2)
    n, depth = reversed(x.shape) if transp_a else x.shape
    other, m = reversed(y.shape) if transp_b else y.shape
    check_same_size("matmul", depth, other, f"the sizes of {x.name} and {y.name} that are summed over")
    k = te.reduce_axis((0, depth), name="k")

    def element(i: Any, j: Any) -> Any:
        return te.sum((x[k, i] if transp_a else x[i, k]) * (y[j, k] if transp_b else y[k, j]), axis=k)

    return te.compute((n, m), element, name="T_matmul", tag="matmul")


def tensordot(a: Tensor, b: Tensor, axes: Any) -> Any:
    """Products summed over the last `axes` dimensions of a and the first of b, or over the axes that are listed for each,
    as numpy.tensordot has it."""
    x, y = tensor_of("tensordot", a), tensor_of("tensordot", b)
    of_a, of_b = _summed_axes(x, y, axes)
    for p, q in zip(of_a, of_b, strict=True):
        check_same_size("tensordot", x.shape[p], y.shape[q], f"the sizes of axis {p} and axis {q}")
    over = [te.reduce_axis((0, x.shape[p]), name=f"k{n}") for n, p in enumerate(of_a)]
    rest = x.ndim - len(of_a)

    def element(*i: Any) -> Any:
        product = x(*_placed(i[:rest], of_a, over, x.ndim)) * y(*_placed(i[rest:], of_b, over, y.ndim))
        return te.sum(product, axis=over) if over else product

    shape = [n for d, n in enumerate(x.shape) if d not in of_a]
    shape += [n for d, n in enumerate(y.shape) if d not in of_b]
    return te.compute(shape, element, name="T_tensordot", tag="matmul")


def _summed_axes(x: Tensor, y: Tensor, axes: Any) -> tuple[list[int], list[int]]:
    if isinstance(axes, int):
        if not 0 <= axes <= min(x.ndim, y.ndim):
            raise ShapeError(
                f"tensordot: {axes} axes of tensors of {x.ndim} and {y.ndim} dimensions",
                hint="not more than either has",
                span=here(),
            )
        return list(range(x.ndim - axes, x.ndim)), list(range(axes))
    first, second = ([a] if isinstance(a, int) else list(a) for a in axes)
    of_a = [axis_of("tensordot", d, x.ndim) for d in first]
    of_b = [axis_of("tensordot", d, y.ndim) for d in second]
    if len(of_a) != len(of_b):
        raise ShapeError(
            f"tensordot: {len(of_a)} axes of one and {len(of_b)} of the other",
            hint="they are summed over in pairs",
            span=here(),
        )
    return of_a, of_b


def _placed(kept: Sequence[Any], axes: Sequence[int], over: Sequence[Any], rank: int) -> list[Any]:
    """Indices of a tensor: reduce axes in the places `axes`, the kept ones elsewhere."""
    rest, reduced = iter(kept), dict(zip(axes, over, strict=True))
    return [reduced[d] if d in reduced else next(rest) for d in range(rank)]


def einsum(subscripts: str, *operand: Any) -> Any:
    """Einstein's summation as numpy.einsum has it: einsum("ij,jk->ik", A, B). A letter that stands twice in one term takes
    the diagonal; "..." are dimensions that are broadcast."""
    tensors = list(operand[0]) if len(operand) == 1 and isinstance(operand[0], Sequence) else list(operand)
    operands = [tensor_of("einsum", t) for t in tensors]
    terms, output = _terms(subscripts, operands)
    sizes = _letter_sizes(subscripts, terms, operands)
    summed = [c for c in sizes if c not in output]
    over = {c: te.reduce_axis((0, sizes[c]), name=f"k{n}") for n, c in enumerate(summed)}

    def element(*i: Any) -> Any:
        place: dict[str, Any] = {**over, **dict(zip(output, i, strict=True))}
        product: Any = None
        for term, t in zip(terms, operands, strict=True):
            index = [
                te.const(0) if known(n) == 1 and known(sizes[c]) != 1 else place[c]
                for c, n in zip(term, t.shape, strict=True)
            ]
            product = t(*index) if product is None else product * t(*index)
        return te.sum(product, axis=list(over.values())) if over else product

    return te.compute([sizes[c] for c in output], element, name="T_einsum", tag="matmul")


def _terms(subscripts: str, operands: Sequence[Tensor]) -> tuple[list[str], str]:
    """The letters of each operand and of the output. Dimensions of "..." get digits, counted from the last."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    words = left.split(",")
    if len(words) != len(operands):
        raise ShapeError(
            f"einsum: {subscripts!r} has {len(words)} terms and there are {len(operands)} tensors",
            hint="a term for each tensor, with commas between them",
            span=here(),
        )
    terms, widest = [], 0
    for word, t in zip(words, operands, strict=True):
        letters = word.replace("...", "")
        extra = t.ndim - len(letters)
        if (extra != 0 and "..." not in word) or extra < 0 or not (letters.isalpha() or not letters):
            raise ShapeError(
                f"einsum: the term {word!r} does not fit {t.name}, which has {t.ndim} dimensions",
                hint="a letter for each dimension, or ... for some",
                span=here(),
            )
        widest = max(widest, extra)
        terms.append(word.replace("...", _dots(extra)))
    if arrow:
        output = right.replace("...", _dots(widest))
    else:
        once = [c for c in "".join(sorted(left.replace(",", "").replace(".", ""))) if left.count(c) == 1]
        output = _dots(widest) + "".join(once)
    unknown = [c for c in output if not any(c in term for term in terms)]
    if unknown or len(set(output)) < len(output):
        raise TewbError(
            f"einsum: the output of {subscripts!r} has letters twice, or that no term has",
            hint="each letter of the output stands in a term, and once in the output",
            span=here(),
        )
    return terms, output


def _dots(count: int) -> str:
    return "".join(str(n) for n in reversed(range(count)))


def _letter_sizes(subscripts: str, terms: Sequence[str], operands: Sequence[Tensor]) -> dict[str, Any]:
    sizes: dict[str, Any] = {}
    for term, t in zip(terms, operands, strict=True):
        for c, n in zip(term, t.shape, strict=True):
            if c not in sizes or known(sizes[c]) == 1:
                sizes[c] = n
            elif known(n) != 1 and may_differ(sizes[c], n):
                raise ShapeError(
                    f"einsum: in {subscripts!r}, {c} is {sizes[c]!r} and {n!r}",
                    hint="a letter has one size",
                    span=here(),
                )
    return sizes
