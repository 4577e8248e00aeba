"""A kernel on dask arrays, block by block: `kernel.map_blocks(A, B)`.

The outputs of a program, and the reductions in it that run over several chunks, become dask arrays. Each is computed from
those before it: a block by a kernel of its own size, on the parts that the program reads, wherever chunks end.
"""

from __future__ import annotations

import itertools
import math
import operator
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tewb.base import ArgumentError, BlockError, TewbWarning, brief, here, identifier, new_dtype
from tewb.blocks.block_kernel import BlockKernel, HowBuilt, block_kernel
from tewb.blocks.block_program import BlockProgram, block_program, program_key
from tewb.blocks.combination import combination, cuts_in_order, why_not_combined
from tewb.blocks.cuts import Cuts, alike, cuts_of_axes, cuts_of_chunks, parts_of
from tewb.blocks.decisions import reads
from tewb.blocks.given import Given, given_to, with_sizes
from tewb.blocks.parts import BlockParts, Blocks, Box, is_reduction, parts_of_blocks
from tewb.blocks.tasks import Tasks
from tewb.ir import IterVar, Var, const_int, free_vars, script
from tewb.runtime import Target
from tewb.schedule import Step, operations_in_order, read_graph
from tewb.tensor import ComputeOp, ExternOp, Operation, ScanOp, Tensor


def map_blocks(kernel: Any, *arrays: Any, chunks: Any = None, split_every: int = 8) -> Any:
    """The output of `kernel` on dask arrays, as a dask array; a tuple of them, when it has several.

    `arrays` are the inputs in the order of its parameters, outputs left out: dask arrays of any chunks, numpy arrays, and
    numbers for its variables. Each block of the output is computed by a kernel of its own size, made by the steps of the
    kernel's schedule, from the parts of the inputs that the program reads: the halo of a stencil is known, and an edge is
    what the program says it is. A reduction over several chunks has a partial result for each, and `split_every` of these
    are combined at a time by its reducer.

    The output is cut where the inputs are, or has `chunks`, as dask writes them. Kernels travel as IR, and are compiled
    by each worker for its processor. Where no axis follows an index, so that a block reads a large tensor whole, a TewbWarning
    says which; large is what dask says of chunks, `array.chunk-size`. Raises ArgumentError for wrong arrays, BlockError for a program that only works as a
    whole, on an input that is not one chunk.
    """
    dask, array_module = _dask()
    source = getattr(kernel, "source", None)
    if source is None:
        raise ArgumentError(
            f"kernel {getattr(kernel, 'name', kernel)!s} does not know its program, which says what a block reads: it was "
            "built from IR, loaded or unpickled",
            hint="build it from a schedule here, tewb.build(s, [A, B]); dask.array.map_blocks calls any kernel on "
            "chunks that need no neighbours",
            span=here(),
        )

    def as_array(value: Any) -> Any:
        if isinstance(value, array_module.Array):
            return value
        value = np.asarray(value)
        return array_module.from_array(value, chunks=value.shape)

    split_every = _checked_split(split_every)
    _check_layouts(kernel.name, source.args, source.journal)
    given = given_to(kernel.name, source.args, arrays, as_array)
    target = kernel.code.target
    how = HowBuilt(
        kernel.name,
        source.journal,
        None if target == Target.host() else target,
        source.level,
        source.config,
        source.debug,
    )
    names = [a.name for a in given.arrays.values()]
    token = dask.base.tokenize(kernel, names, list(given.numbers.values()), chunks, split_every)
    program = _Program(
        source.args,
        given,
        how,
        array_module,
        f"tewb-{identifier(kernel.name)}-{token}",
        split_every,
        dask.utils.parse_bytes(dask.config.get("array.chunk-size", "128 MiB")),
        chunks is not None,
    )
    return program.outputs(chunks)


def _checked_split(split_every: Any) -> int:
    try:
        count = operator.index(split_every)
    except TypeError:
        count = 0
    if count < 2:
        raise ArgumentError(
            f"split_every={split_every!r}: partial results are combined two or more at a time",
            hint="split_every=8",
            span=here(),
        )
    return count


def _check_layouts(name: str, args: Sequence[Any], journal: Sequence[Step]) -> None:
    """Raise BlockError where the kernel takes an array in another layout than the program says."""
    stages = {t.op.name: t for t in args if isinstance(t, Tensor)}
    step = next((s for s in journal if s.primitive == "transform_layout" and s.stage in stages), None)
    if step is not None:
        raise BlockError(
            f"kernel {name} on blocks: step {step} gives {step.stage} another layout, and chunks are those of the program",
            hint="write the layout into the program, as a compute of its own",
            span=step.span,
        )


def _dask() -> tuple[Any, Any]:
    try:
        import dask.array
        import dask.base
        import dask.utils
    except ImportError as e:
        raise ArgumentError(
            f"map_blocks needs dask, which is not installed here ({e})",
            hint="pip install 'tewb[dask]'",
            span=here(),
        ) from None
    return dask, dask.array


@dataclass
class _Program:
    """A program on blocks, and the dask arrays that its tensors have become."""

    args: Sequence[Any]
    given: Given
    how: HowBuilt
    array_module: Any
    name: str
    split_every: int
    large: int  # bytes: parts that are larger should not be whole
    is_cut_by_hand: bool
    arrays: dict[Tensor, Any] = field(default_factory=dict)
    cuts: dict[Tensor, list[Cuts]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    read_whole: list[str] = field(default_factory=list)
    # Each kernel with what its variables are: the start along an axis, or a variable of the program.
    _kernels: dict[Any, tuple[BlockKernel, list[IterVar | Var]]] = field(default_factory=dict)
    _layers: int = 0

    def outputs(self, chunks: Any) -> Any:
        """The dask arrays of the outputs."""
        wanted = [a for a in self.args if isinstance(a, Tensor) and not a.is_input]
        roots = list(dict.fromkeys(t.op for t in wanted))
        if chunks is not None and len(roots) > 1:
            raise ArgumentError(
                f"kernel {self.how.name} on blocks has {len(roots)} outputs, and chunks= is for one",
                hint="give the inputs other chunks, x.rechunk(...), which the outputs follow",
                span=here(),
            )
        # What an operation that works as a whole reads belongs to its task.
        graph = {op: inputs if isinstance(op, ComputeOp) else [] for op, inputs in read_graph(roots).items()}
        order = operations_in_order(roots, graph)
        sized = with_sizes(order, self.given.sizes)
        for t, array in self.given.arrays.items():
            if t in sized:
                self._keep(sized[t], array)
        for op in order:
            if op.is_input:
                continue
            own = [sized[t] for t in op.outputs]
            if isinstance(own[0].op, ComputeOp):
                self._compute(own[0].op, op in roots, chunks if op in roots else None)
            else:
                self._whole(op, own)
        self._warn()
        found = tuple(self.arrays[sized[t]] for t in wanted)
        return found if len(found) > 1 else found[0]

    def _keep(self, tensor: Tensor, array: Any) -> None:
        self.arrays[tensor] = array
        self.cuts[tensor] = [cuts_of_chunks(c) for c in array.chunks]

    def _warn(self) -> None:
        said = [
            f"{step} is left out in some blocks, which changes no value: {reason}"
            for step, reason in itertools.islice(self.left_out.items(), 1)
        ]
        for text in (*said, *self.read_whole[:1]):
            warnings.warn(f"kernel {self.how.name} on blocks: {text}", TewbWarning, stacklevel=6)

    def _note_whole_reads(self, op: ComputeOp, found: BlockParts) -> None:
        """Note where a block reads many chunks because no axis follows an index."""
        for t, part in found.parts.items():
            if t not in self.arrays or math.prod(part.extents) * _dtype(t).itemsize <= self.large:
                continue
            for dimension, size in enumerate(t.shape):
                if self.cuts[t][dimension] and part.extents[dimension] == const_int(size):
                    self.read_whole.append(_said_of_whole_read(op, found, t, dimension))
                    return

    # ---- a compute

    def _compute(self, op: ComputeOp, is_output: bool, chunks: Any) -> None:
        """Make an array of `op`, if it is an output or a reduction over several parts; else only note where it is cut."""
        cuts = cuts_of_axes(op, self.cuts)
        if chunks is not None:
            normal = self._chunks(op, chunks)
            cuts |= {iv: cuts_of_chunks(c) for iv, c in zip(op.axis, normal, strict=True)}
        if is_reduction(op):
            cuts |= cuts_in_order(op, cuts)
        is_cut_reduction = is_reduction(op) and any(cuts[iv] for iv in op.reduce_axis)
        if is_output or is_cut_reduction:
            _check_combination(op, cuts)
            self._make(op, cuts)
        for t in op.outputs:
            self.cuts.setdefault(t, [cuts[iv] for iv in op.axis])

    def _chunks(self, op: ComputeOp, chunks: Any) -> Any:
        shape = tuple(_extent(iv) for iv in op.axis)
        try:
            normal = self.array_module.core.normalize_chunks(chunks, shape, dtype=_dtype(op.output(0)))
            if any(math.isnan(n) for sizes in normal for n in sizes):
                raise ValueError("their sizes are unknown")
            return normal
        except (ValueError, TypeError, ArithmeticError) as e:
            raise ArgumentError(
                f"kernel {self.how.name} on blocks: chunks={brief(repr(chunks))} do not cut {op.name} of shape {shape}: {e}",
                hint="chunks=(64, 64), or the sizes of all chunks: chunks=((64, 36), (50, 50))",
                span=here(),
            ) from None

    def _make(self, op: ComputeOp, cuts: Mapping[IterVar, Cuts]) -> None:
        """The arrays of the outputs of `op`, whose axes are cut."""
        tasks = self._tasks()
        reduced = [iv for iv in op.reduce_axis if iv not in op.domains]
        parts = {iv: parts_of(cuts[iv], _first(iv), _extent(iv)) for iv in (*op.axis, *reduced)}
        for groups in itertools.product(*map(alike, parts.values())):
            own = dict(zip(parts, groups, strict=True))
            starts = {iv: tuple(parts[iv][n][0] for n in own[iv]) for iv in parts}
            extents = {iv: parts[iv][own[iv][0]][1] for iv in parts}
            is_first = all(own[iv] == [0] for iv in reduced)
            for found in parts_of_blocks(op, frozenset(self.arrays), Blocks(starts, extents), init=is_first):
                self._add_blocks(tasks, op, found, parts)
        data = [parts[iv] for iv in op.axis]
        counts = [range(len(parts[iv])) for iv in reduced]
        for number in itertools.product(*(range(len(p)) for p in data)):
            partial_results = [(f"{tasks.name}-part", *number, *n) for n in itertools.product(*counts)]
            extents_here = [p[n][1] for p, n in zip(data, number, strict=True)]
            self._combine(tasks, op, extents_here, (tasks.name, *number), partial_results)
        self._arrays_of(tasks, op.outputs, tuple(tuple(n for _, n in p) for p in data))

    def _add_blocks(
        self,
        tasks: Tasks,
        op: ComputeOp,
        found: BlockParts,
        parts: Mapping[IterVar, Sequence[tuple[int, int]]],
    ) -> None:
        """The tasks of blocks that are made of the same parts."""
        if not self.read_whole and not self.is_cut_by_hand:
            self._note_whole_reads(op, found)
        arrays = [t for t in self.arrays if t in found.parts]
        identity = (op, program_key(found))
        if identity not in self._kernels:
            numbers = [v for v in self.given.numbers if not v.dtype.is_int]
            program = block_program(found, arrays, numbers)
            axis_of = {v: iv for iv, v in found.starts.items()}
            kernel = block_kernel(program, self.how, self.left_out)
            self._kernels[identity] = kernel, [axis_of.get(v, v) for v in program.variables]
        kernel, variables = self._kernels[identity]
        boxes = [Box(found.parts[t], found.starts) for t in arrays]
        number_of = {iv: {start: n for n, (start, _) in enumerate(parts[iv])} for iv in parts}
        for each in itertools.product(*found.blocks.starts.values()):
            starts = dict(zip(found.blocks.starts, each, strict=True))
            key = (f"{tasks.name}-part", *(number_of[iv][starts[iv]] for iv in parts))
            values = [starts[v] if isinstance(v, IterVar) else self.given.numbers[v] for v in variables]
            slices = [box.slices(starts) for box in boxes]
            tasks.add_block(key, kernel, [self.arrays[t] for t in arrays], slices, values)

    def _combine(
        self, tasks: Tasks, op: ComputeOp, extents: list[int], key: Any, partial_results: list[Any]
    ) -> None:
        """Tasks that combine partial results until one is left, under `key`."""
        level = 0
        while len(partial_results) > 1:
            groups = [
                partial_results[i : i + self.split_every]
                for i in range(0, len(partial_results), self.split_every)
            ]
            partial_results = [(f"{tasks.name}-tree-{level}", *key[1:], n) for n in range(len(groups))]
            for one, group in zip(partial_results, groups, strict=True):
                tasks.add_combination(one, self._combination(op, extents), group)
            level += 1
        tasks.graph[key] = tasks.graph.pop(partial_results[0])

    def _combination(self, op: ComputeOp, extents: list[int]) -> BlockKernel:
        identity = (op, "combination", *extents)
        if identity not in self._kernels:
            program = combination(op, extents)
            how = replace(self.how, name=f"{self.how.name}_combined", journal=())
            self._kernels[identity] = block_kernel(program, how, self.left_out), []
        return self._kernels[identity][0]

    # ---- what only works as a whole

    def _whole(self, op: Operation, own: Sequence[Tensor]) -> None:
        """One task for an operation that only works as a whole, with all that it needs."""
        inputs = [t for t in self.given.arrays if t.op in read_graph([op])]
        cut = next((t for t in inputs if any(len(c) > 1 for c in self.given.arrays[t].chunks)), None)
        if cut is not None:
            raise BlockError(
                f"kernel {self.how.name} on blocks: {_why_whole(op)}, and {cut.name} has chunks "
                f"{self.given.arrays[cut].chunks}",
                hint=f"give it {cut.name} as one chunk, {cut.name}.rechunk(-1), or call the kernel on the parts that do not "
                "depend on each other",
                span=op.span,
            )
        numbers = [v for v in self.given.numbers]
        program = BlockProgram(tuple(inputs), tuple(numbers), op.outputs)
        tasks = self._tasks()
        boxes = [tuple(slice(0, n) for n in self.given.arrays[t].shape) for t in inputs]
        kernel = block_kernel(program, self.how, self.left_out)
        shape = [const_int(n) or 0 for n in own[0].shape]
        key = (tasks.name, *(0 for _ in shape))
        values = [self.given.numbers[v] for v in numbers]
        tasks.add_block(key, kernel, [self.given.arrays[t] for t in inputs], boxes, values)
        self._arrays_of(tasks, own, tuple((n,) for n in shape))

    # ---- arrays

    def _tasks(self) -> Tasks:
        self._layers += 1
        return Tasks(f"{self.name}-{self._layers}")

    def _arrays_of(self, tasks: Tasks, tensors: Sequence[Tensor], chunks: Any) -> None:
        """Keep the results of tasks as arrays."""
        from dask.highlevelgraph import HighLevelGraph

        graph = HighLevelGraph.from_collections(tasks.name, tasks.graph, dependencies=tasks.arrays)
        names = [tasks.name]
        if len(tensors) > 1:  # a task of each block takes one of its results
            names = [f"{tasks.name}-{v}" for v in range(len(tensors))]
            numbers = list(itertools.product(*(range(len(c)) for c in chunks)))
            layers: dict[str, Any] = {
                name: {(name, *number): (operator.getitem, (tasks.name, *number), v) for number in numbers}
                for v, name in enumerate(names)
            }
            needs = {name: {tasks.name} for name in names}
            graph = HighLevelGraph({**graph.layers, **layers}, {**graph.dependencies, **needs})
        for name, t in zip(names, tensors, strict=True):
            self._keep(t, self.array_module.Array(graph, name, chunks, dtype=_dtype(t)))


def _said_of_whole_read(op: ComputeOp, found: BlockParts, t: Tensor, dimension: int) -> str:
    read = next(n for block in found.computes for n in reads(block.op.exprs()) if n.producer is t)
    index = read.indices[dimension]
    axes = sorted({v.name for v in free_vars(index)})
    megabytes = math.prod(found.parts[t].extents) * _dtype(t).itemsize / 1e6
    return (
        f"a block of {op.name} reads all of {t.name} in dimension {dimension}, {megabytes:.4g} MB in several chunks, for the index "
        f"{script(index)} is not followed along {' and '.join(axes) or 'any axis'}. chunks= says where {op.name} is cut, which "
        f"helps where a smaller block reads less; else {t.name} must fit into the memory of each worker"
    )


def _dtype(t: Tensor) -> Any:
    return new_dtype(t.dtype)


def _first(iv: IterVar) -> int:
    return 0 if iv.dom is None else const_int(iv.dom.min) or 0


def _extent(iv: IterVar) -> int:
    return 0 if iv.dom is None else const_int(iv.dom.extent) or 0


def _check_combination(op: ComputeOp, cuts: Mapping[IterVar, Cuts]) -> None:
    cut = next((iv for iv in op.reduce_axis if cuts[iv]), None)
    reason = why_not_combined(op) if cut is not None else None
    if cut is not None and reason is not None:
        raise BlockError(
            f"{op.name} is reduced over {cut.name}, which has several chunks, and their results cannot be combined: {reason}",
            hint=f"give the inputs one chunk along {cut.name}: x.rechunk(dict([(axis, -1)]))",
            span=op.span,
        )


def _why_whole(op: Operation) -> str:
    match op:
        case ScanOp():
            return f"scan {op.name} takes its steps along {op.scan_axis.name} one after the other"
        case ExternOp():
            return f"extern {op.name} is a function that takes whole arrays"
    return f"{type(op).__name__.removesuffix('Op').lower()} {op.name} works on whole arrays"
