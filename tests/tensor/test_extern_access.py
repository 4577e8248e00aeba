"""What an extern reads: ready-made accesses, and functions of the user that are checked."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tewb import te
from tewb.base import ExternError, TewbWarning
from tewb.ir import Range, Var, const, script
from tewb.tensor.extern_access import as_access

n = te.var("n")


def regions(access: Any, out: list[tuple[Any, Any]], *shapes: tuple[Any, ...]) -> list[list[tuple[str, str]]]:
    """The regions of inputs of `shapes` that `out` needs, as text."""
    box = tuple(Range(*(x if isinstance(x, Var) else const(x) for x in pair)) for pair in out)
    sizes = [tuple(x if isinstance(x, Var) else const(x) for x in s) for s in shapes]
    return [
        [(script(r.min), script(r.extent)) for r in region]
        for region in as_access(access).regions(box, sizes)
    ]


def test_an_access_that_is_not_monotone_is_refused_with_a_counterexample() -> None:
    A = te.placeholder((8, 8), name="A")
    for access in (
        lambda i, j: [[(100 - i[0], i[1]), j]],
        lambda i, j: [[i, (j[0], 4 - j[1])]],
        lambda i, j: [[(i[0] * 2, i[1]), j]],
    ):
        with pytest.raises(ExternError, match=r"is not monotone: of A, dimension [01], output .* needs \["):
            te.extern((8, 8), [A], lambda i, o: te.call_packed("test.double", i[0], o[0]), access=access)


def test_an_access_that_nobody_can_follow_reads_all_of_the_dimension() -> None:
    A = te.placeholder((8, 8), name="A")

    def scattered(i: Any, j: Any) -> Any:
        return [[(0, (i[0] + i[1]) * (i[0] + i[1])), j]]

    with pytest.warns(TewbWarning, match="access scattered of A, dimension 0, is not known to be monotone"):
        E = te.extern(
            (8, 8), [A], lambda i, o: te.call_packed("test.double", i[0], o[0]), name="E", access=scattered
        )
    region = E.op.in_regions([iv.dom for iv in E.op.axis])[0]
    assert [r.extent.value for r in region] == [8, 8]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        te.extern((8, 8), [A], lambda i, o: te.call_packed("test.double", i[0], o[0]),
                  access=lambda i, j: [[(i[0], i[1] + 2), j]])  # fmt: skip


def test_ready_made_accesses() -> None:
    out = [(2, 3), (4, 5)]
    assert regions(te.access.whole, out, (8, n)) == [[("0", "8"), ("0", "n")]]
    assert regions(te.access.elementwise, out, (8, 9), (8, 9)) == [[("2", "3"), ("4", "5")]] * 2
    assert regions(te.access.rows, out, (8, 9), (8,)) == [[("2", "3"), ("0", "9")], [("2", "3")]]
    assert regions(te.access.stencil(1), out, (8, 9)) == [[("1", "5"), ("3", "7")]]
    assert regions(te.access.stencil((0, (2, 1))), out, (8, 9)) == [[("2", "3"), ("2", "8")]]
    assert regions(te.access.stencil(0), out, (8, 9)) == [[("2", "3"), ("4", "5")]]


def test_nothing_given_is_the_whole_and_names_are_shown() -> None:
    assert as_access(None) is te.access.whole and not te.access.whole.tiled
    assert repr(te.access.stencil((1, 2))) == "te.access.stencil((1, 2))"
    assert as_access(te.access.rows) is te.access.rows and te.access.rows.axes == 1


@pytest.mark.parametrize("halo", [-1, 1.5, "1", None, (1, -1), ((1, 2, 3),), ((1,), 2)])
def test_what_is_no_halo_is_refused(halo: Any) -> None:
    with pytest.raises(ExternError, match="halo") as e:
        te.access.stencil(halo)
    assert e.value.hint == "stencil(1), stencil((0, (2, 1)))"


@pytest.mark.parametrize(
    ("access", "shape", "said"),
    [
        (
            te.access.elementwise,
            (8,),
            "te.access.elementwise needs inputs of 2 dimensions, as the output has, not 1",
        ),
        (te.access.stencil(1), (8, 8, 8), "needs inputs of 2 dimensions, as the output has, not 3"),
        (te.access.stencil((1, 1, 1)), (8, 8), "is for 3 dimensions, and the output has 2"),
        (te.access.rows, (), "te.access.rows needs inputs and outputs of at least one dimension"),
        (lambda i, j: [], (8, 8), "gave 0 regions for 1 inputs"),
        (lambda i, j: [[i]], (8, 8), "gave 1 ranges for an input of 2 dimensions"),
    ],
)
def test_regions_that_do_not_fit_are_refused(access: Any, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(ExternError, match=said) as e:
        regions(access, [(0, 8), (0, 8)], shape)
    assert e.value.hint


def test_what_is_no_access_is_refused() -> None:
    with pytest.raises(ExternError, match="access= takes te.access.elementwise.* not 'rows'") as e:
        as_access("rows")
    assert e.value.hint == "access=te.access.elementwise"


def test_a_function_has_pairs_of_begin_and_extent() -> None:
    def halves(i: Any, j: Any) -> Any:
        return [[(i[0] * 2, i[1] * 2), j]]

    assert as_access(halves).name == "halves" and as_access(halves).tiled
    assert regions(halves, [(1, 2), (0, 4)], (8, 4)) == [[("2", "4"), ("0", "4")]]
