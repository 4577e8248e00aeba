"""A long short-term memory.

The products of all inputs with their weights are one matrix product. What depends on the step before is an extern: loops over
the steps, which keep the hidden and the cell state. They are written as a schedule would have them, with sums in registers, so that
they are fast in any schedule; a te.scan of the same would be only where its stages are scheduled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tewb import te, tir
from tewb.base import ShapeError, TewbError, here
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import check_same_size, known, tensor_of
from tewb.topi.utils import get_max_power2_factor


def lstm(
    Xs: Tensor,
    Wi: Tensor,
    Wh: Tensor,
    Bi: Tensor | None = None,
    Bh: Tensor | None = None,
    h_init: Tensor | None = None,
    c_init: Tensor | None = None,
    proj: Tensor | None = None,
    p_i: Tensor | None = None,
    p_f: Tensor | None = None,
    p_o: Tensor | None = None,
    f_act: Callable[[Any], Any] = te.sigmoid,
    g_act: Callable[[Any], Any] = te.tanh,
    h_act: Callable[[Any], Any] = te.tanh,
    reverse: bool = False,
    weight_layout: str = "IFGO",
) -> Any:
    """The hidden and the cell states of every step, (steps, batch, hidden) each.

    Xs is (steps, batch, inputs). Wi (4 * hidden, inputs) and Wh (4 * hidden, hidden) are the weights of the gates, one after
    the other in the order of `weight_layout`: input, forget, cell (G) and output; Bi and Bh are their biases. States begin at
    h_init and c_init (batch, hidden), or at 0. `proj` (projected, hidden) makes the hidden state smaller; p_i, p_f and p_o
    (batch, hidden) let gates see the cell. The three functions act on gates, on the new input of the cell and on the cell.
    With `reverse` the steps are taken from the last to the first.
    """
    x, wi, wh = tensor_of("lstm", Xs, 3), tensor_of("lstm", Wi, 2), tensor_of("lstm", Wh, 2)
    if sorted(weight_layout) != sorted("IFGO"):
        raise TewbError(
            f"lstm: the weight layout {weight_layout!r} is no order of the gates",
            hint="I, F, G and O in some order",
            span=here(),
        )
    steps, batch, inputs = x.shape
    gates = wi.shape[0]
    if (known(gates) or 0) % 4:
        raise ShapeError(f"lstm: {gates!r} rows of weights for four gates", hint="4 * hidden", span=here())
    hidden = te.indexdiv(gates, te.const(4))
    width = hidden if proj is None else tensor_of("lstm", proj, 2).shape[0]
    check_same_size("lstm", wi.shape[1], inputs, "the columns of Wi and the inputs")
    check_same_size("lstm", wh.shape[0], gates, "the rows of Wh and of Wi")
    check_same_size("lstm", wh.shape[1], width, "the columns of Wh and the hidden state")
    _check(
        batch, hidden, width, gates, {"Bi": Bi, "Bh": Bh, "h_init": h_init, "c_init": c_init, "proj": proj}
    )
    _check(batch, hidden, width, gates, {"p_i": p_i, "p_f": p_f, "p_o": p_o})

    k = te.reduce_axis((0, inputs), name="ki2h")

    def product(r: Any, g: Any) -> Any:  # r counts the rows of all steps
        return te.sum(x[te.indexdiv(r, batch), te.indexmod(r, batch), k] * wi[g, k], axis=k)

    sums = te.compute((steps * batch, gates), product, name="Xi2h", tag="dense")
    biases = [b for b in (Bi, Bh) if b is not None]
    packed = te.compute(
        (steps, batch, gates),
        lambda t, b, g: sum((v[g] for v in biases), sums[t * batch + b, g]),
        name="Xi2h_bias",
        tag=tag.INJECTIVE,
    )
    # Turned, so that a step goes along its rows.
    turned = te.compute((wh.shape[1], gates), lambda j, g: wh[g, j], name="Wh_turned", tag=tag.INJECTIVE)
    peep = {"I": p_i, "F": p_f} if p_i is not None and p_f is not None else {}
    optional = {
        "h_init": h_init, "c_init": c_init, "proj": proj, "I": peep.get("I"), "F": peep.get("F"), "O": p_o,
    }  # fmt: skip
    given = {name: t for name, t in optional.items() if t is not None}

    def loops(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        buffers = [ib.buffer_ptr(b) for b in ins]
        cell = _Cell(ib, x.dtype, batch, hidden, width, gates, weight_layout, (f_act, g_act, h_act))
        cell.run(steps, reverse, buffers[0], buffers[1], dict(zip(given, buffers[2:], strict=True)),
                 ib.buffer_ptr(outs[0]), ib.buffer_ptr(outs[1]))  # fmt: skip
        return ib.get()

    states, cells = te.extern(
        [(steps, batch, width), (steps, batch, hidden)],
        [packed, turned, *given.values()],
        loops,
        name="lstm",
        dtype=[str(x.dtype)] * 2,
        tag="lstm",
    )
    # Each is an operation of its own: programs may want one of them only.
    return (
        te.compute(states.shape, lambda *i: states(*i), name="hidden_states", tag=tag.INJECTIVE),
        te.compute(cells.shape, lambda *i: cells(*i), name="cell_states", tag=tag.INJECTIVE),
    )


def _check(batch: Any, hidden: Any, width: Any, gates: Any, tensors: dict[str, Any]) -> None:
    """Raise ShapeError for an optional tensor whose sizes do not fit."""
    shapes = {"Bi": (gates,), "Bh": (gates,), "h_init": (batch, width), "proj": (width, hidden)}
    for name, t in tensors.items():
        if t is None:
            continue
        shape = shapes.get(name, (batch, hidden))
        for want, have in zip(shape, tensor_of("lstm", t, len(shape)).shape, strict=True):
            check_same_size("lstm", have, want, f"a size of {name} and what it has to be")


class _Cell:
    """The loops of the steps, written by the builder of IR."""

    def __init__(
        self, ib: Any, dtype: Any, batch: Any, hidden: Any, width: Any, gates: Any, layout: str, acts: Any
    ) -> None:
        self.ib, self.batch, self.hidden, self.width, self.gates = ib, batch, hidden, width, gates
        self.f_act, self.g_act, self.h_act = acts
        self.first = {c: n for n, c in enumerate(layout)}
        self.zero = te.const(0, dtype)
        # A tile of gates stays in registers all through a sum: some rows of the batch by some vectors.
        self.rows = _largest_divisor(batch, 6)
        self.columns = _power_of_two(gates, 64)
        self.lanes = _power_of_two(hidden, 16)
        self.h = ib.allocate(str(dtype), (batch, width), name="h_state")
        self.c = ib.allocate(str(dtype), (batch, hidden), name="c_state")
        self.gate = ib.allocate(str(dtype), (batch, gates), name="gate")
        self.out = ib.allocate(str(dtype), (hidden,), name="next_h")
        self.tile = ib.allocate(str(dtype), (self.rows, self.columns), name="sums", scope="local")

    def run(
        self,
        steps: Any,
        reverse: bool,
        packed: Any,
        turned: Any,
        given: dict[str, Any],
        states: Any,
        cells: Any,
    ) -> None:
        ib = self.ib
        with ib.for_range(0, self.batch, name="b") as b:
            with ib.for_range(0, self.width, name="j") as j:
                self.h[b, j] = given["h_init"][b, j] if "h_init" in given else self.zero
            with ib.for_range(0, self.hidden, name="j") as j:
                self.c[b, j] = given["c_init"][b, j] if "c_init" in given else self.zero
        with ib.for_range(0, steps, name="t") as t:
            at = steps - 1 - t if reverse else t
            self._gates(lambda b, g: packed[at, b, g], turned)
            with ib.for_range(0, self.batch, name="b") as b:
                with self._vector(self.hidden, self.lanes) as j:
                    self._next(b, j, given)
                    cells[t, b, j] = self.c[b, j]
                self._project(b, given)
                with ib.for_range(0, self.width, name="j") as j:
                    states[t, b, j] = self.h[b, j]

    @contextmanager
    def _vector(self, size: Any, lanes: int) -> Iterator[Any]:
        """A loop in vectors of so many lanes, which divide its size."""
        with (
            self.ib.for_range(0, te.indexdiv(size, lanes), name="j.outer") as outer,
            self.ib.for_range(0, lanes, kind="vectorize", name="j.inner") as inner,
        ):
            yield outer * lanes + inner

    def _gates(self, start: Callable[[Any, Any], Any], turned: Any) -> None:
        """What the gates see: the product of all hidden states with their weights, and what the inputs give."""
        ib, rows, columns = self.ib, self.rows, self.columns
        blocks, parts = te.indexdiv(self.gates, columns), te.indexdiv(self.batch, rows)
        with ib.for_range(0, blocks, name="g") as g, ib.for_range(0, parts, name="b") as b:
            with self._tile() as (r, v):
                self.tile[r, v] = start(b * rows + r, g * columns + v)
            with ib.for_range(0, self.width, name="k") as k, self._tile() as (r, v):
                self.tile[r, v] = self.tile[r, v] + self.h[b * rows + r, k] * turned[k, g * columns + v]
            with self._tile() as (r, v):
                self.gate[b * rows + r, g * columns + v] = self.tile[r, v]

    @contextmanager
    def _tile(self) -> Iterator[tuple[Any, Any]]:
        """The loops over a tile: its rows are written out, and its columns are vectors."""
        with (
            self.ib.for_range(0, self.rows, kind="unroll", name="r") as r,
            self.ib.for_range(0, self.columns, kind="vectorize", name="v") as v,
        ):
            yield r, v

    def _next(self, b: Any, j: Any, given: dict[str, Any]) -> None:
        """The new cell, and the hidden state before it is projected."""

        def gate(letter: str) -> Any:
            value = self.gate[b, j + self.first[letter] * self.hidden]
            return value + given[letter][b, j] * self.c[b, j] if letter in given else value

        kept = self.f_act(gate("F")) * self.c[b, j]
        added = self.f_act(gate("I")) * self.g_act(gate("G"))
        self.c[b, j] = kept + added
        self.out[j] = self.f_act(gate("O")) * self.h_act(self.c[b, j])

    def _project(self, b: Any, given: dict[str, Any]) -> None:
        ib = self.ib
        with ib.for_range(0, self.width, name="j") as j:
            if "proj" not in given:
                self.h[b, j] = self.out[j]
                return
            self.h[b, j] = self.zero
            with ib.for_range(0, self.hidden, name="k") as k:
                self.h[b, j] = self.h[b, j] + self.out[k] * given["proj"][j, k]


def _largest_divisor(n: Any, most: int) -> int:
    """The largest number up to `most` that divides `n`; 1 of a size that is known later."""
    size = known(n)
    return 1 if size is None else max((d for d in range(1, most + 1) if size % d == 0), default=1)


def _power_of_two(n: Any, most: int) -> int:
    """The largest power of two up to `most` that divides `n`."""
    size = known(n)
    return 1 if size is None else get_max_power2_factor(size, most)
