"""Scan: tensors whose first dimension is time, and of which each step is computed from those before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tewb.arith import Analyzer
from tewb.arith.intset import eval_set, interval
from tewb.base import BoundError, DTypeError, ShapeError, TewbError, here
from tewb.ir import AxisKind, Expr, IterVar, ProducerLoad, Range, Var, const, const_int, ops, script, walk
from tewb.tensor.access_check import access_facts, check_accesses
from tewb.tensor.compute import ComputeOp, compute
from tewb.tensor.operation_order import producers_first, producers_of
from tewb.tensor.placeholder import PlaceholderOp
from tewb.tensor.tensor import Operation, Tensor


class ScanOp(Operation):
    """outputs[v][t] = init[v][t] for the first steps, and update[v][t] for the others, one after the other.

    Reads of `states` in the updates are reads of the outputs at earlier steps. `body` are the computes between: all
    that depend on a state, in the order of computation, the updates among them. `axis` are the place where the first steps are made, which is passed once, and the loop over the others.
    """

    __slots__ = (
        "axis",
        "body",
        "extra_inputs",
        "init",
        "inputs",
        "spatial_axis_",
        "states",
        "update",
    )

    def __init__(
        self,
        name: str,
        init: Sequence[Tensor],
        update: Sequence[Tensor],
        states: Sequence[Tensor],
        extra_inputs: Sequence[Tensor] = (),
        tag: str = "",
    ) -> None:
        super().__init__(name, [s.shape for s in states], [s.dtype for s in states], tag)
        self.init, self.update, self.states = tuple(init), tuple(update), tuple(states)
        self.extra_inputs = tuple(extra_inputs)
        self.inputs = tuple(dict.fromkeys((*init, *update, *states)))
        first, end = init[0].shape[0], states[0].shape[0]
        steps = Range(ops.cast(first, end.dtype), Analyzer().simplify(ops.sub(end, first)))
        once = Range(const(0, end.dtype), const(1, end.dtype))
        self.axis = (
            IterVar(once, Var(f"{name}.init", end.dtype), AxisKind.ORDERED),
            IterVar(steps, Var(f"{name}.idx", end.dtype), AxisKind.ORDERED),
        )
        self.spatial_axis_ = tuple(
            IterVar(Range(const(0, n.dtype), n), Var(f"{name}.out{v}.i{d}", n.dtype), AxisKind.OPAQUE)
            for v, s in enumerate(states)
            for d, n in enumerate(s.shape[1:], 1)
        )
        self.body = _body(name, self.update, self.states)
        _time_dimensions(name, self.body, self.update)

    @property
    def input_tensors(self) -> tuple[Tensor, ...]:
        return (*self.init, *self.update)

    @property
    def init_axis(self) -> IterVar:
        """The place where the first steps are made."""
        return self.axis[0]

    @property
    def scan_axis(self) -> IterVar:
        """The loop over the steps that the updates make."""
        return self.axis[1]

    @property
    def time(self) -> dict[ComputeOp, int]:
        """The dimension of time of each compute in the body."""
        return _time_dimensions(self.name, self.body, self.update)

    @property
    def dependence(self) -> dict[IterVar, str]:
        """Why the iterations of an axis run in order."""
        states = ", ".join(s.name for s in self.states)
        return {iv: f"a step of {self.name} reads {states} at earlier steps" for iv in self.axis}

    @property
    def tiled(self) -> bool:
        return any(iv is not None for iv in self.cut)

    @property
    def cut(self) -> tuple[IterVar | None, ...]:
        """The spatial axis of each dimension in which a part of all states can be computed by itself; else None."""
        first = self.states[0]
        if not all(len(s.shape) == first.ndim and all(map(_same, s.shape, first.shape)) for s in self.states):
            return (None,) * first.ndim
        fixed = [d for d in range(1, first.ndim) if self._is_fixed(d)]
        return tuple([self.spatial_axis_[d - 1] if d in fixed else None for d in range(first.ndim)])

    def _is_fixed(self, d: int) -> bool:
        """Whether no step mixes the elements of dimension `d`, which is the same dimension of all states."""
        for number in range(len(self.states)):
            carried = _carried(self, number, d)
            if carried is None or any(carried.get(t, d) != d for t in self.update):
                return False
        return True

    def with_inputs(self, swap: Mapping[Tensor, Tensor]) -> Operation:
        return self


def scan(
    init: Any,
    update: Any,
    state_placeholder: Any,
    inputs: Any = None,
    name: str = "scan",
    tag: str = "",
    attrs: Mapping[str, object] | None = None,
) -> Any:
    """The tensor of the shape of `state_placeholder` whose first steps are `init`, and whose step t is `update` at t.

    The first dimension is time. `init` has a constant number of steps; `update` has the state's shape, and reads the
    placeholder at earlier steps: state[t - 1, i]. With lists of equal length there are several states, and the result
    is a list. `inputs`, as in classic TE, may name what the updates read besides. Raises ShapeError or DTypeError for
    what does not fit together, BoundError for a read of the present step, of a later one, or of one before the first.

        for t in range(steps of init): scan[t] = init[t]
        for t in range(steps of init, n): scan[t] = update[t], which reads scan[t - 1]
    """
    listed = [
        _tensors(name, what, given)
        for what, given in (("init", init), ("update", update), ("state_placeholder", state_placeholder))
    ]
    first, step, states = listed
    extra = [] if inputs is None else _tensors(name, "inputs", inputs)
    if not len(first) == len(step) == len(states) or not states:
        raise TewbError(
            f"scan {name}: {len(first)} init, {len(step)} update and {len(states)} states",
            hint="each state has an init and an update: te.scan([h0, c0], [h, c], [h_state, c_state])",
            span=here(),
        )
    _check_states(name, first, step, states)
    op = ScanOp(name, _own(first, "init"), _own(step, "update", states), states, extra, tag)
    op.attrs.update(attrs or {})
    _begin_at(op, const_int(first[0].shape[0]) or 1)
    return list(op.outputs) if isinstance(state_placeholder, tuple | list) else op.output(0)


def _tensors(name: str, what: str, given: Any) -> list[Tensor]:
    tensors = list(given) if isinstance(given, tuple | list) else [given]
    for t in tensors:
        if not isinstance(t, Tensor):
            raise TewbError(
                f"scan {name}: {what} is a tensor or a list of tensors, not {t!r}",
                hint="te.scan(init, update, state)",
                span=here(),
            )
    return tensors


def _check_states(name: str, init: list[Tensor], update: list[Tensor], states: list[Tensor]) -> None:
    """Raise unless init, update and state fit together, and all states have the same time."""
    for i, s, u in zip(init, states, update, strict=True):
        if not isinstance(s.op, PlaceholderOp):
            raise TewbError(
                f"scan {name}: state {s.name} is computed, and a state stands for the earlier steps of the scan",
                hint="state = te.placeholder(shape), which the update reads at t - 1",
                span=here(),
            )
        if s.ndim == 0:
            raise ShapeError(
                f"scan {name}: state {s.name} has no dimension, and the first one is time", span=here()
            )
        _check_pair(name, "update", u, s, s.shape)
        _check_pair(name, "init", i, s, (*i.shape[:1], *s.shape[1:]))
        steps, time = const_int(i.shape[0]), const_int(s.shape[0])
        if steps is None or steps < 1:
            raise ShapeError(
                f"scan {name}: init {i.name} gives {script(i.shape[0])} steps, and at least one is needed, a constant "
                "number",
                hint="te.compute((1, n), lambda t, i: X[0, i])",
                span=here(),
            )
        if time is not None and time < steps:
            raise ShapeError(
                f"scan {name}: init {i.name} gives {steps} steps, and state {s.name} has {time}", span=here()
            )
        if not (_same(s.shape[0], states[0].shape[0]) and _same(i.shape[0], init[0].shape[0])):
            raise ShapeError(
                f"scan {name}: states {states[0].name} and {s.name} differ in their time: {script(states[0].shape[0])} steps "
                f"after {script(init[0].shape[0])}, {script(s.shape[0])} after {script(i.shape[0])}",
                span=here(),
            )
    if len(set(states)) < len(states):
        raise TewbError(f"scan {name}: a state is given twice", hint="one placeholder for each", span=here())


def _check_pair(name: str, what: str, t: Tensor, s: Tensor, wanted: Sequence[Expr]) -> None:
    if t.dtype is not s.dtype:
        raise DTypeError(
            f"scan {name}: {what} {t.name} is {t.dtype}, and state {s.name} is {s.dtype}",
            hint=f'.astype("{s.dtype}")',
            span=here(),
        )
    if t.ndim != s.ndim or not all(_same(a, b) for a, b in zip(t.shape, wanted, strict=True)):
        shapes = [", ".join(script(n) for n in x.shape) for x in (t, s)]
        raise ShapeError(
            f"scan {name}: {what} {t.name} has shape ({shapes[0]}), and state {s.name} has ({shapes[1]})",
            hint="they agree in all dimensions; of init, in all but the first",
            span=here(),
        )


def _same(a: Expr, b: Expr) -> bool:
    return a is b or Analyzer().can_prove(ops.equal(a, b))


def _own(tensors: list[Tensor], what: str, states: Sequence[Tensor] = ()) -> list[Tensor]:
    """The tensors, with a compute that copies each that is none, is given twice, or is a state: what a scan computes
    into its own memory."""
    own: list[Tensor] = []
    for t in tensors:
        if not isinstance(t.op, ComputeOp) or t in own or t in states:
            t = compute(t.shape, lambda *i, source=t: source[i], name=f"{t.name}.{what}")
        own.append(t)
    return own


# ---------------------------------------------------------------- the body


def _body(name: str, update: Sequence[Tensor], states: Sequence[Tensor]) -> tuple[ComputeOp, ...]:
    """The computes that the updates need and that depend on a state, in the order of computation; the updates too."""
    of_states: set[Operation] = {s.op for s in states}
    depends: dict[Operation, bool] = dict.fromkeys(of_states, True)
    order: list[ComputeOp] = []
    steps = {t.op for t in update}
    needed = producers_first([t.op for t in update], lambda op: [] if op in of_states else producers_of(op))
    for op in [op for op in needed if op not in of_states]:
        depends[op] = op in steps or any(depends[t.op] for t in op.inputs)
        if not depends[op]:
            continue
        if not isinstance(op, ComputeOp):
            raise TewbError(
                f"scan {name}: {op.name} depends on a state and is no compute, so that nobody knows which steps it reads",
                hint="write it as te.compute, or call it on the result of the scan",
                span=here(),
            )
        order.append(op)
    return tuple(order)


def _time_dimensions(name: str, body: Sequence[ComputeOp], update: Sequence[Tensor]) -> dict[ComputeOp, int]:
    """The dimension of time of each compute in the body: the first of the updates, and of others the one in which they
    are read at their readers' own step."""
    time: dict[ComputeOp, int] = {t.op: 0 for t in update if isinstance(t.op, ComputeOp)}
    for op in reversed(body):
        t = op.axis[time[op]].var
        for load in _loads(op):
            cell = load.producer.op
            if not any(cell is other for other in body):
                continue
            at = [d for d, i in enumerate(load.indices) if i is t]
            if not at or time.setdefault(cell, at[0]) not in at:
                indices = ", ".join(script(i) for i in load.indices)
                raise BoundError(
                    f"scan {name}: {op.name} reads {cell.name}[{indices}], and within a step {t.name} only what belongs "
                    "to that step can be read",
                    hint=f"{cell.name} has a dimension for time, in which it is read at {t.name}; read earlier steps "
                    "from a state",
                    span=here(),
                )
    return time


def _loads(op: ComputeOp) -> Iterator[ProducerLoad]:
    return (n for e in op.exprs() for n in walk(e) if isinstance(n, ProducerLoad))


def _begin_at(scan_op: ScanOp, first: int) -> None:
    """Let the computes of the body begin at step `first`, and look at what they read. Raises BoundError, and changes
    nothing, for a read of a step that is not made yet, or is none."""
    before = [(op, op.first_step, op.unproved) for op in scan_op.body]
    time = scan_op.time
    try:
        for op in scan_op.body:
            op.first_step = (time[op], first)
            _check_reads(scan_op, op, op.axis[time[op]].var)
            op.unproved = check_accesses(op, of_a_step=True)
    except TewbError:
        for op, first_step, unproved in before:
            op.first_step, op.unproved = first_step, unproved
        raise


def _check_reads(scan_op: ScanOp, op: ComputeOp, t: Var) -> None:
    """Raise BoundError for a read of a state that is not proved to be of a step before `t`."""
    analyzer = access_facts(op)
    for load in _loads(op):
        if load.producer not in scan_op.states:
            continue
        step = load.indices[0]
        if analyzer.can_prove(ops.less(_latest(op, step), t)):
            continue
        name, behind = load.producer.name, const_int(analyzer.simplify(ops.sub(step, t)))
        what = "at a step that is not known to be an earlier one"
        if behind is not None:
            what = (
                "at the step that is being made" if behind == 0 else "at a later step, which is not made yet"
            )
        raise BoundError(
            f"scan {scan_op.name}: {op.name} reads {name}[{script(step)}, ...] {what}",
            hint=f"read {name} at {t.name} - 1",
            span=op.span or here(),
        )


def _latest(op: ComputeOp, step: Expr) -> Expr:
    """The largest value of `step` over the reduce axes, or itself where that is not known."""
    domains = [(iv, op.domain(iv)) for iv in reversed(op.reduce_axis)]
    for iv, dom in domains:
        own = {iv.var: interval(dom.min, dom.extent)} if dom is not None else {}
        values = eval_set(step, own)
        step = step if values is None else values.hi
    return step


# ---------------------------------------------------------------- public questions


def scan_body(op: Operation) -> tuple[ComputeOp, ...]:
    """The computes of a scan that depend on its states, in the order of computation."""
    _check_scan(op)
    return op.body  # type: ignore[attr-defined, no-any-return]


def scan_fix_points(op: Operation) -> dict[IterVar, Expr]:
    """For each spatial axis of a scan, 1 if no step mixes its elements: what an element of it becomes depends on earlier
    steps of itself alone, so that a part of the axis can be computed by itself. Else 0."""
    _check_scan(op)
    assert isinstance(op, ScanOp)
    places = [(v, d) for v, s in enumerate(op.states) for d in range(1, s.ndim)]
    return {
        iv: const(int(_carried(op, *place) is not None))
        for iv, place in zip(op.spatial_axis_, places, strict=True)
    }


def _check_scan(op: Any) -> None:
    if not isinstance(op, ScanOp):
        raise TewbError(f"{op!r} is no scan", hint="give the operation of te.scan: res.op", span=here())


def _carried(scan_op: ScanOp, number: int, dimension: int) -> dict[Tensor, int] | None:
    """The dimension of each cell and update along which a dimension of a state goes through the body, read everywhere at
    the index that is computed. None where it is not."""
    of_tensor: dict[Tensor, int] = {scan_op.update[number]: dimension}
    pending = [scan_op.update[number]]

    def reach(t: Tensor, d: int) -> bool:
        if t not in of_tensor:
            of_tensor[t] = d
            pending.append(t)
        return of_tensor[t] == d

    while pending:
        t = pending.pop()
        op, d = t.op, of_tensor[t]
        assert isinstance(op, ComputeOp)
        v = op.axis[d].var
        for load in _loads(op):
            state = scan_op.states.index(load.producer) if load.producer in scan_op.states else None
            if state is None and not any(load.producer.op is cell for cell in scan_op.body):
                continue
            at = [q for q, i in enumerate(load.indices) if i is v]
            elsewhere = any(n is v for i in load.indices if i is not v for n in walk(i))
            source = load.producer if state is None else scan_op.update[state]
            if len(at) != 1 or elsewhere or not reach(source, at[0]):
                return None
    return of_tensor
