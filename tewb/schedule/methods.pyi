"""Written by `python -m tewb.schedule.stub` from the declarations in `primitives/`. Do not edit."""

from collections.abc import Callable as Callable
from collections.abc import Iterable as Iterable
from collections.abc import Sequence as Sequence
from tewb.ir.axes import IterVar as IterVar
from tewb.ir.expressions import Expr as Expr
from tewb.schedule.primitives.prefetch import Prefetch as Prefetch
from tewb.schedule.primitives.specialize import Body as Body
from tewb.schedule.stage import At as At
from tewb.schedule.stage import Stage as Stage
from tewb.schedule.stage import StageGroup as StageGroup
from tewb.schedule.thread import Thread as Thread
from tewb.tensor.tensor import Tensor as Tensor
from tewb.tensor.tensor_intrin import TensorIntrin as TensorIntrin
from typing import Any as Any

class StagePrimitives:
    """What can be done to a stage: `s[C].split(i, 8)`."""

    __slots__ = ()

    def split(self, parent: IterVar | str, factor: int | Expr | None = None, nparts: int | Expr | None = None, disable_predication: bool = False, tail: str | None = None) -> tuple[IterVar, IterVar]:
        """Split a loop into an outer and an inner one, with `factor` inner or `nparts` outer iterations.

            for i in n:              for i.outer in (n + factor - 1) // factor:
                body(i)         ->       for i.inner in factor:
                                             if i.outer*factor + i.inner < n:     (where it does not divide)
                                                 body(i.outer*factor + i.inner)

        Stages that are computed at the loop are computed at the inner one then. Returns (outer, inner). They are int64 where
        n, rounded up, passes int32; of a symbolic n that is checked when the kernel is called.

        A size may be a variable (`factor=te.var("f")`), or an expression of variables such as `n // 4`: its value is told by the
        arguments of each call, which is refused where it is less than 1. Such a loop has no constant extent.

        `disable_predication` says that it divides, so that no iteration is guarded: refused where it does not, and checked
        once in each call where that is not known before.

        `tail` says what the last part does where it would pass the end of the loop:

        * "guard": a guard keeps those iterations from running, and loops are cut so that most parts have none;
        * "shift": it is moved inwards, and makes some elements again. No part has a guard, and all are full. Calls in which a
          symbolic loop has fewer iterations than `factor` run loops with masks, which stand beside; where other stages are computed
          in the loop, or its tiles become instructions, they are refused;
        * "predicate": all parts have the guard, as a mask where lanes are vectors, and no loop is cut: less code;
        * "round_up": it is whole, and memory is padded for what it makes past the end, which nothing reads. No store has a guard,
          nor at the edges of the tensor where the stage is computed in pieces. It reads what lies in memory, padded memory of other
          stages too; a read that might leave it has a guard. Not of outputs and arguments, whose memory is the caller's, nor of a
          loop of a reduction, unless what is past its end is proved to be the identity.
        """

    def tile(self, x_parent: IterVar | str, y_parent: IterVar | str, x_factor: int | Expr, y_factor: int | Expr) -> tuple[IterVar, IterVar, IterVar, IterVar]:
        """Split two loops and order them as a loop over tiles around the loops inside one tile.

            for x in n:                  for x.outer, y.outer:
                for y in m:         ->       for x.inner in x_factor:
                    body(x, y)                   for y.inner in y_factor: body

        Returns (x.outer, y.outer, x.inner, y.inner).
        """

    def fuse(self, *axes: IterVar | str | Sequence[IterVar | str]) -> IterVar:
        """Fuse adjacent loops into one, from left to right. Neighbours are taken in the order of the loops.

            for i in n:                       for i.j.fused in n*m:
                for j in m:  body(i, j)   ->      body(i.j.fused // m, i.j.fused % m)

        Returns the fused loop. It is int64 where it may have more iterations than int32 counts, as with symbolic sizes.
        One of a data and a reduce axis is a reduce loop. Stages that are computed at one of them are computed at it. No axis at all makes a loop of one iteration around all others.
        """

    def reorder(self, *axes: IterVar | str | Sequence[IterVar | str]) -> None:
        """Put loops in the given order, in the places that they take now. They may be given in lists.

        for i: for j: for k: body    -- reorder(k, i) -->    for k: for j: for i: body
        """

    def vectorize(self, var: IterVar | str) -> None:
        """Run all iterations of a loop at once, as the lanes of vectors. Its extent must be constant.

        for i in 8: A[i] = B[i]    ->    A[0:8] = B[0:8]

        The terms of a reduction are combined in another order, so that float sums change within rounding:
        every lane combines its own terms, and in the end the lanes are joined by halves.

            for k.outer:                            C.lanes[0:8] = 0
                for k.inner in 8:                   for k.outer: C.lanes[0:8] += B[k.outer*8 : k.outer*8 + 8]
                    C += B[k.outer*8 + k.inner]  -> C.lanes[0:4] += C.lanes[4:8]
                                                    C.lanes[0:2] += C.lanes[2:4];  C = C.lanes[0] + C.lanes[1]

        More lanes than a vector has make several accumulators: 64 floats are 4 vectors of 512 bits. A reducer that
        takes the first of equals is not commutative, and may take another one then.

        More than 64 lanes are cut into vectors of 64, or of 16 where elements do not lie side by side; more than
        four such vectors are a loop, as the lowered program shows:

        for i in 528: A[i] = B[i]    ->    for i.vector in 8: A[i.vector*64 : i.vector*64 + 64] = B[...]
                                           A[512:528] = B[512:528]
        """

    def unroll(self, var: IterVar | str) -> None:
        """Write the iterations of a loop one after the other. Its extent must be constant. The unrolled loops of a
        program may become 60,000 nodes of IR in all: more are refused when it is lowered.

        for i in 2: body(i)    ->    body(0); body(1)
        """

    def parallel(self, var: IterVar | str, grain: int | None = None) -> None:
        """Run the iterations of a loop on the threads of the pool.

        for i in n: body(i)    ->    for i in parallel(n): body(i)

        Threads take iterations when they are free: many at first and fewer toward the end, of about 0.1 ms at most, so that
        uneven iterations are shared evenly too. A loop that does little, of a few microseconds, runs on the thread that comes
        to it. `grain` says instead how many iterations a thread takes at least: a loop of no more runs on one thread. Inside of
        another parallel loop, threads that are idle help.
        """

    def bind(self, ivar: IterVar | str, thread_ivar: IterVar | str) -> None:
        """Run the iterations of a loop on the threads of `thread_ivar`, made by `te.thread_axis`, as GPU schedules do.

            for i in 4:                            blockIdx.x = T.launch_thread("blockIdx.x", 4)
                for j in 64: C[i*64 + j] = ... ->  threadIdx.x = T.launch_thread("threadIdx.x", 64)
                                                   C[blockIdx.x*64 + threadIdx.x] = ...

        Here blocks and threads are loops on the processor. What is computed inside of loops that are bound to threads is
        kept for each thread ("local"), or for all of them ("shared"): then the loops over the threads are split where the
        threads wait for each other. Threads of one tag have one number in a launch. A loop of a reduction may be bound to
        threads when all of its reduce loops are: its threads combine their terms one after the other.
        """

    def dot(self, var: IterVar | str) -> None:
        """Add up the iterations of a reduce loop as one widening dot product: 4 products of 8-bit integers, or 2 of
        16-bit ones, in int32.

            for ki in 4:                                            C[j] = T.dot4(C[j], A[4*ko : 4*ko + 4],
                C[j] += int32(A[4*ko + ki]) * int32(P[j, ki])   ->                      P[j, 0:4])

        The loop is the innermost one, and both factors are read at neighbours in memory as it runs. Vectorized over
        j, it is one instruction for all lanes where the processor has it: here P holds the 4 neighbours of each
        lane side by side. A matrix is brought into that form by a stage of the program:

            P = te.compute((k // 4, n, 4), lambda ko, j, ki: B[ko * 4 + ki, j], name="P")
            C = te.compute((m, n), lambda i, j: te.sum(
                A[i, k].astype("int32") * P[k // 4, j, k % 4].astype("int32"), axis=k), name="C")

        The sum wraps as int32 does. Where a guard remains inside, or lanes are not side by side, the loop runs
        serially: the result is the same.
        """

    def tensorize(self, var: IterVar | str, tensor_intrin: TensorIntrin | str, tail: str | None = None) -> None:
        """Do a loop, and all loops inside of it, by a tensor intrinsic (see `te.decl_tensor_intrin`).

            for i.outer:                                    for i.outer:
                for i.inner in 4:                               gemv(A[i.outer*4 : i.outer*4 + 4, 0:8], B[0:8],
                    for k in 8:                       ->             C[i.outer*4 : i.outer*4 + 4])
                        C[i] += A[i, k] * B[k]

        What the loops compute must be what the intrinsic computes. That is found out when the program is lowered: then it
        is known where the stage stands and what is inlined in it. Reduce loops outside need an intrinsic with
        a reset and an update.

        Where a factor does not divide, the last iterations would pass the end, and are refused. With `tail="loops"` they stay
        loops:

            for i.outer in 3:                               for i.outer in 2: gemv(...)
                for i.inner in 4:                     ->    for i.inner in 2:
                    if i.outer*4 + i.inner < 10: ...            for k in 8: C[i.inner + 8] += ...
        """

    def transpose(self, rows: IterVar | str, lanes: IterVar | str) -> None:
        """Vectorize two loops at once, as a tile of registers: `lanes`, the innermost loop, becomes lanes, and
        `rows`, right around it, the vectors of the tile. What is contiguous along `rows` instead is loaded or stored
        that way, and transposed by shuffles in registers. Extents are small powers of two.

        for r in 8:                           a0, ..., a7 = A[0, 0:8], ..., A[7, 0:8]
            for l in 8: B[r, l] = A[l, r]  ->     (3 stages of shuffles)
                                              B[0, 0:8], ..., B[7, 0:8] = a0, ..., a7

        Where the elements of a tile all lie side by side, `rows` may be any few: the channels of an image.
        """

    def compute_at(self, parent: Stage | Tensor, scope: IterVar | str) -> None:
        """Compute this stage inside loop `scope` of stage `parent`, just the part that is needed there.

        Of what is read in steps, as `B[i*5]`, that is only the elements that are read.

        for j: B[j] = ...                 for i: B[i] = ...
        for i: C[i] = f(B[i])      ->            C[i] = f(B[i])
        """

    def compute_inline(self) -> None:
        """Put the expression of this stage where its elements are read; it gets no loops and no memory.

        B[j] = g(j);  C[i] = f(B[i])    ->    C[i] = f(g(i))
        """

    def compute_root(self) -> None:
        """Compute this stage before everything that reads it, in loops of its own."""

    def compute_with(self, parent: Stage | Tensor, scope: IterVar | str) -> None:
        """Compute this stage together with stage `parent`, in one loop nest: the loops of `parent` from the outermost to `scope` are
        the loops of both, first with first. Each keeps its own inner loops.

            for i in n:                            for i in max(n, m):
                for k: A[i] += f(i, k)                 if i < n:
            for i in m:                    ->              for k: A[i] += f(i, k)
                for k: B[i] += g(i, k)                 if i < m:
                                                           for k: B[i] += g(i, k)

        Neither may depend on the other. Where `parent` is computed in a loop of a third stage, this one is too. Shared loops begin
        together, run as often as the longer one does, and as `parent` says: marks are given there, splits to both stages. Reduce
        loops may be shared too: sums of the same data are made in one pass. What both read may be computed in a shared loop of
        `parent`.
        """

    def reverse_compute_at(self, parent: Stage | Tensor, scope: IterVar | str) -> None:
        """Compute this stage inside loop `scope` of stage `parent`, which it reads: after the part of `parent` that an iteration
        makes, the elements that need no more than is made by then.

            for t: for k: for i in 8: P[t*8 + i] += ...        for t:
            for i: C[i] = f(P[i])                       ->         for k: for i in 8: P[t*8 + i] += ...
                                                                   for i in 8: C[t*8 + i] = f(P[t*8 + i])

        It may be an output. An element may need several of `parent`, as C[i] = P[i] + P[i + 2] does, along loops that run in order:
        it is computed when the last of them is made. Its own loops stay, and run over that part. Memory of `parent` is for one
        part where nothing else reads it and no part is read later. Stages that read this one may come after it, at the same loop.
        """

    def store_at(self, parent: Stage | Tensor, scope: IterVar | str) -> None:
        """Keep this stage in memory inside of loop `scope` of stage `parent`, around the loop that it is computed at. What an
        iteration of the loops between has computed is not computed again, and memory goes round where an iteration needs a part
        of it: no more than the rows that are in use, rounded up to a power of two where that is cheap.

            for y:                                     B = allocate((4, m))
                B = allocate((3, m))                   for y:
                for r in 3: B[r] = f(y + r)     ->         for r in 3: if y == 0 or r == 2: B[(y + r) % 4] = f(y + r)
                C[y] = B[0] + B[1] + B[2]                  C[y] = B[y % 4] + B[(y + 1) % 4] + B[(y + 2) % 4]

        The loops between run in order. Along a loop where a part does not slide forwards, or that leaves iterations out, the
        whole part is computed each time: `s[B].sliding` says so, and why. Memory does not go round for externs, hybrid
        functions and intrinsics, which see views of it.
        """

    def store_root(self) -> None:
        """Keep this stage in memory outside of all loops, and compute it where it is computed: as `store_at`, around all loops.

        for y: for x: B = f(y, x); use B    ->    B = allocate(...); for y: for x: what is new of B; use B
        """

    def group_at(self, group: str, parent: Stage | Tensor, axis: IterVar | str) -> None:
        """Compute the stages of a group inside loop `axis` of stage `parent`: what `group.compute_at` does.

        for i: B;  for i: C;  for i: D    ->    for i: B, C, D
        """

    def group_root(self, group: str) -> None:
        """Compute the stages of a group at the root, or where the group around it is: what `group.compute_root` does.

        for i: B, C, D    ->    for i: B;  for i: C;  for i: D
        """

    def set_scope(self, scope: str) -> None:
        """Keep this stage's values in `scope`: a kind of memory, and words that say more ("shared.dyn", "global:tag").

        On a processor all memory is the same, and the word says which threads have it in common, where loops around the
        stage are bound to threads: each thread has "local" memory of its own, "shared" memory is one for all threads of a
        block, which wait for each other before they read it, and "warp" memory one for those of threadIdx.x. "global" is
        what nothing was said of: local inside of bound threads, or shared if its own loops are bound to these.
        """

    def transform_layout(self, mapping_function: Callable[..., Sequence[Expr | int]] | str) -> list[IterVar] | None:
        """Keep element X[indices] at X'[mapping_function(*indices)] in memory.

            for i in n: for j in m:                       for axis0 in m: for axis1 in n // 4: for axis2 in 4:
                X[i, j] = f(i, j)                    ->       X'[axis0, axis1, axis2] = f(axis1*4 + axis2, axis0)
            Y[...] = X[i, j]         (lambda i, j:        Y[...] = X'[j, i // 4, i % 4]
                                      [j, i // 4, i % 4])

        The function is made of `+ - * // %` and can be turned round. Loops run over the new indices, in their order, and
        are returned; an input has none, and gives None. Where factors do not divide, some places hold no element. Arrays
        for inputs and outputs have the new shape. `te.AXIS_SEPARATOR` between indices is kept, and memory has one dimension.
        """

    def nontemporal(self) -> None:
        """Store the results of this stage to memory past the caches, in whole vectors.

            for i.outer:                                       for i.outer:
                B[i.outer*16 : i.outer*16 + 16] = x    ->          B[...] = T.nontemporal(x)

        An ordinary store first reads the line of memory that it changes, and keeps it in the caches in place of
        something else. A non-temporal one (the term of processors' manuals, LLVM and OpenMP, also called a streaming
        store) does neither: worth it for results larger than the last cache that nothing reads soon. The stage
        stands at the root and holds no reduction; one that other stages of the kernel read is allowed, and pays when
        it is as large as that.

        Vectorize the loop along the rows as well: these are stores of vectors of neighbours. Single elements and
        lanes that lie apart are stored as usual, since non-temporal stores of less than 16 bytes took half again as long
        as ordinary ones (relu(a*b + c) on 16M floats). So are vectors that begin between multiples of 16 bytes: the
        kernel asks for that when it runs, outside of the loops where it can.
        """

    def storage_align(self, axis: IterVar | str, factor: int, offset: int = 0) -> None:
        """Keep this stage with gaps, so that the stride of dimension `axis` is `offset` more than a multiple of
        `factor` elements. Rows a power of two apart compete for the same lines of a cache.

        B = allocate((32, 1024))    -- storage_align(i, 32, 16) -->    B = allocate((32, 1024), strides=(1040, 1))
        """

    def prefetch(self, tensor: Stage | Tensor, axis: IterVar | str, offset: int = 1) -> None:
        """At each iteration of loop `axis`, ask the memory for what the iteration `offset` later reads of `tensor`:
        one request for each line of the cache that the box holds.

        for i in n: B[i] = f(A[i, 0:16])    ->    for i in n: prefetch(A[i + offset, 0]); B[i] = f(A[i, 0:16])

        Results never change: a request past the end of an array reads nothing and cannot fail. What this stage
        does not read any more (a copy took its place), or computes in the same iteration, is not asked for.
        """

    def pragma(self, var: IterVar | str, pragma_type: str, pragma_value: int | str | None = None) -> None:
        """Say something of the loops inside of loop `var`, as classic schedules do:

        * `auto_unroll_max_step`: unroll those that come to so many steps or fewer;
        * `unroll_explicit`: 0 leaves unrolled ones to the machine-code compiler, 1 writes them out, which is the
          default;
        * `unroll` and `vectorize` are the primitives of these names;
        * `import_llvm`: its value is LLVM text, or the name of a file of it (`.ll`, `.bc`), that is linked to the kernel:
          `te.call_extern("int32", "f", ...)` calls the `f` that it defines;
        * `debug_skip_region`: nothing is done inside, which shows what the rest takes; results are not computed.

            for i: for j in 4: body    -- pragma(i, "auto_unroll_max_step", 16) -->    for i: for j in unroll(4): body

        Every other word is kept as an attribute of the code inside, `pragma_` and the word, and changes nothing.
        """

    def double_buffer(self) -> None:
        """Compute the part that the next iteration of the loop around needs in this one, in memory for two parts.

            for k in n:                      B[0] = f(0)
                B = f(k)              ->     for k in n:
                use B                            if k + 1 < n: B[(k + 1) % 2] = f(k + 1)
                                                 use B[k % 2]

        The stage is computed at that loop: call compute_at first.
        """

    def rolling_buffer(self) -> None:
        """Keep what the iteration before of the loop around has computed of this stage, and compute the rest: no element
        twice as a window slides along. The memory is as large as one window, and goes round.

            for i in n:                              B = allocate((3,))
                B = allocate((3,))                   for i in n:
                for r in 3: B[r] = f(i + r)   ->         for r in 3: if i == 0 or r == 2: B[(i + r) % 3] = f(i + r)
                C[i] = B[0] + B[1] + B[2]                C[i] = B[i % 3] + B[(i + 1) % 3] + B[(i + 2) % 3]

        The stage is computed at that loop, whose iterations run in order. Refused when it is lowered where its window does
        not slide forwards.
        """

    def env_threads(self, threads: Sequence[IterVar | str]) -> None:
        """Launch threads around all loops of this stage, so that the stages computed in these may be bound to them. Each
        needs its number: `te.thread_axis((0, 64), "threadIdx.x")`.

            for t in n: S(t)    ->    threadIdx.x = T.launch_thread("threadIdx.x", 64)
                                      for t in n: S(t)

        What does not depend on the thread runs once.
        """

    def set_store_predicate(self, preds: Expr | str) -> None:
        """Store the elements of this stage only in the threads for which a condition holds: of threads that have the same
        result one needs to store it.

        C[i] = value    -- set_store_predicate(tx.var.equal(0)) -->    if threadIdx.x == 0: C[i] = value
        """

    @property
    def grains(self) -> dict[IterVar, int]:
        """Of its parallel loops: how many iterations a thread takes at least, where a step said so."""

    @property
    def threads(self) -> dict[IterVar, Thread]:
        """The threads that its loops are bound to."""

    @property
    def shared_loops(self) -> list[str]:
        """The loops that it shares with the stage it is computed with, as that one names them."""

    @property
    def stored(self) -> At | str | None:
        """Where its memory is: at a loop around the one that it is computed at, or at the root; None where it is computed."""

    @property
    def sliding(self) -> str:
        """Along which loops it slides, in how many places its memory goes round, and where it does not, why."""

    @property
    def is_nontemporal(self) -> bool:
        """Whether its results go to memory past the caches."""

    @property
    def alignments(self) -> dict[IterVar, tuple[int, int]]:
        """The (factor, offset) that strides of dimensions were asked to have."""

    @property
    def prefetches(self) -> list[Prefetch]:
        """What its loops ask the memory for."""

    @property
    def pragmas(self) -> dict[tuple[IterVar, str], int | str]:
        """The pragmas of its loops: (loop, key) and the number or word."""

    @property
    def is_double(self) -> bool:
        """Whether it is computed one iteration ahead, in memory for two parts."""

    @property
    def is_rolling(self) -> bool:
        """Whether it keeps what the iteration before has computed."""

    @property
    def env(self) -> list[Thread]:
        """The threads that are launched around its loops."""

    @property
    def store_predicate(self) -> str | None:
        """When its elements are stored, as text; None for always."""

class SchedulePrimitives:
    """What can be done to a tensor of a schedule and makes another stage: `s.cache_read(A, "local", [C])`."""

    __slots__ = ()

    def create_group(self, outputs: Tensor | Iterable[Tensor], inputs: Tensor | Iterable[Tensor], include_inputs: bool = False) -> StageGroup:
        """Make a group of the stages on the way from `inputs` to `outputs`. What has no place of its own is computed
        where its group is.

            for j: B[j] = ...                             for i:
            for j: C[j] = g(B[j])                ->           B[i] = ...
            for i: D[i] = f(C[i])                             C[i] = g(B[i])
                                                              D[i] = f(C[i])

            group = s.create_group(C, A);  group.compute_at(s[D], i)

        Groups may be nested: all stages of an inner one belong to the outer one. Returns the group.
        """

    def cache_read(self, tensor: Tensor, scope: str, readers: Any) -> Tensor:
        """Copy `tensor` into a new stage that `readers` read instead of it.

        C[i] = A[i] * 2    ->    A.local[i] = A[i];  C[i] = A.local[i] * 2

        Returns the tensor of the copy.
        """

    def cache_write(self, tensor: Tensor | Sequence[Tensor], scope: str) -> Any:
        """Compute `tensor` into a new stage, and let its own stage copy the result.

        C[i] = f(i)    ->    C.local[i.c] = f(i.c);  C[i] = C.local[i]

        The axes of the new stage are the loops over data of `tensor` as they are now, so that the copy turns the layout
        back; its own loops are those of its axes again. After `s[C].split(i, 4)` and a reorder:

            for i.outer: for j: for i.inner:        for i.outer.c: for j.c: for i.inner.c:
                C[i, j] = f(i, j)              ->       C.local[i.outer.c, j.c, i.inner.c] = f(...)
                                                    for i: for j: C[i, j] = C.local[i // 4, j, i % 4]

        Where splits do not divide, places that hold no element read nothing. Reduce loops are split in the new stage. Of an
        operation with several outputs, give them all in a list. Returns the tensor of the new stage, or a list of them.
        """

    def rfactor(self, tensor: Tensor, axis: IterVar | str, factor_axis: int = 0, parallel: int | bool | None = None) -> Any:
        """Reduce in two steps: a new stage makes a partial result for each iteration of the reduce loop `axis`,
        and `tensor` combines them. Float sums are added in another order.

            for i: for k.outer: for k.inner:              for k.inner: for i: for k.outer:
                C[i] += A[i, k.outer*4 + k.inner]   ->        C.rf[k.inner, i] += A[i, k.outer*4 + k.inner]
                                                          for i: for k.inner.v: C[i] += C.rf[k.inner.v, i]

        Other reduce axes are whole in the new stage, and come first. `factor_axis` is the place of the new axis among those of
        the new stage, counted from the end if it is negative. Returns the tensor of the new stage, or a tuple for a
        reduction of several values.

        With `parallel`, the loop is cut into so many parts that lie one behind the other, and threads reduce them at once: a
        `split` with `nparts`, an `rfactor` of the outer loop, which becomes the outermost one, and `parallel`, in one step.

            for i: for k in n:              for k.outer in parallel(2): for i: for k.inner in n // 2:
                C[i] += A[i, k]       ->        C.rf[k.outer, i] += A[i, k.outer*(n // 2) + k.inner]
                                            for i: for k.outer.v in 2: C[i] += C.rf[k.outer.v, i]

        True stands for the number of threads that run parallel loops now; the journal has the number. Float sums depend on the
        number of parts, and not on how many threads there are when the kernel runs, nor on which is first.
        """

    def specialize(self, condition: Expr | str) -> Body:
        """Give calls of which a condition holds a body of their own: the steps in the block are done in it only. It begins with
        the steps so far; those after the block are for all other calls.

            io, ii = s[B].split(i, 16)                    if n % 16 == 0:
            with s.specialize(n % 16 == 0):                   for i.outer in n // 16: vectors of 16, without a guard
                s[B].vectorize(ii)                  ->    else:
            s[B].parallel(io)                                 for i.outer in (n + 15) // 16 (parallel): ...

        Conditions compare sizes, variables, and strides of arguments in elements (`te.stride(A, 0) == 1`: columns of neighbours),
        with + - * // and %, and are joined by te.all and te.any. Loops of the body rely on its condition: guards that it proves
        are gone, and a size of which it says the number (`n == 16`) is that number: its loops can be vectorized and unrolled. An
        argument whose stride is named comes with any strides. Of several bodies a call takes the first whose condition holds.
        Without `with`, the body ends at s.otherwise(); the condition of an earlier body goes on with it.
        """

    def otherwise(self) -> None:
        """End the body of `specialize`: the next steps are for all other calls. The end of a block `with s.specialize(...)` does it.

        s.specialize(n % 16 == 0);  s[B].vectorize(ii);  s.otherwise();  s[B].parallel(io)
        """
