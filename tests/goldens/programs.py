"""The programs of the golden files: few loops, sizes that show what happens where they do not divide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests import intrinsics
from tests.programs import PROGRAMS, blur, bytes_product, chain, matmul, schedule_for
from tests.schedule.test_dependent_loops import csr, lower_triangle
from tewb import te
from tewb.contrib import cblas
from tewb.workbench.demos import DEMOS

Scheduled = tuple[Any, list[Any]]  # the schedule, the arguments
Bound = tuple[Any, list[Any], dict[Any, Any]]  # and the buffers that arguments are bound to

GOLDENS: dict[str, Callable[[], Scheduled | Bound]] = {}
BUILT: set[str] = set()  # those whose files also hold what the passes of BUILD make of them


def golden(f: Callable[[], Any]) -> Callable[[], Any]:
    GOLDENS[f.__name__] = f
    return f


def golden_and_built(f: Callable[[], Any]) -> Callable[[], Any]:
    BUILT.add(f.__name__)
    return golden(f)


def scheduled(program: tuple[list[Any], list[Any]]) -> Scheduled:
    inputs, outputs = program
    return schedule_for(outputs), [*inputs, *outputs]


def vector(n: Any = 10) -> Scheduled:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    return te.create_schedule(B.op), [A, B]


def unscheduled(name: str, program: Callable[[], Scheduled]) -> None:
    GOLDENS[name] = program


# ---------------------------------------------------------------- demos, and the programs that tests share

for demo, sizes in {"matmul": (8,), "blur": (8,), "softmax": (4, 6), "extern": (3,)}.items():
    unscheduled(f"demo_{demo}", lambda demo=demo, sizes=sizes: DEMOS[demo](*sizes)[:2])
for name, program in PROGRAMS.items():
    unscheduled(f"plain_{name}", lambda program=program: scheduled(program()))


# ---------------------------------------------------------------- notebooks


@golden_and_built
def notebook_00_start() -> Scheduled:
    s, args = scheduled(matmul(16, 16, 16))
    B, C = args[1], args[2]
    sums = s.cache_write(C, "local")
    io, jo, ii, ji = s[C].tile("i", "j", 2, 8)
    s[C].reorder(jo, io, ii, ji)
    s[C].unroll(ii)
    s[C].vectorize(ji)
    s[sums].compute_at(s[C], io)
    s[sums].reorder("k", "i.c", "j.c")
    s[sums].unroll("i.c")
    s[sums].vectorize("j.c")
    packed = s.cache_read(B, "global", [sums])
    s[packed].compute_at(s[C], jo)
    s[packed].vectorize("ax1")
    return s, args


@golden
def notebook_01_photo() -> Scheduled:
    n, m = 6, 8
    A = te.placeholder((n, m), name="A")
    P = te.compute(
        (n + 2, m + 2),
        lambda i, j: A[te.max(te.min(i - 1, n - 1), 0), te.max(te.min(j - 1, m - 1), 0)],
        name="P",
    )
    X = te.compute((n + 2, m), lambda i, j: P[i, j] + P[i, j + 1] + P[i, j + 2], name="X")
    Y = te.compute((n, m), lambda i, j: X[i, j] + X[i + 1, j] + X[i + 2, j], name="Y")
    U = te.compute((n, m), lambda i, j: te.max(te.min(A[i, j] * 2.0 - Y[i, j], 255.0), 0.0), name="U")
    s = te.create_schedule(U.op)
    s[P].compute_inline()
    s[Y].compute_at(s[U], "i")
    s[X].compute_at(s[Y], "i")
    s[U].parallel("i")
    return s, [A, U]


@te.hybrid.script
def neighbours(a, n, m):
    b = output_tensor((n, m), "float32")  # noqa: F821
    for i in range(n):
        for j in range(m):
            b[i, j] = a[i, j]
            if j > 0:
                b[i, j] = b[i, j] + a[i, j - 1]
    return b


@golden
def notebook_02_hybrid() -> Scheduled:
    A = te.placeholder((4, 10), name="A")
    B = neighbours(A, 4, 10)
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("j", factor=4)[1])
    return s, [A, B]


@golden
def notebook_02_extern() -> Scheduled:
    A = te.placeholder((10, 6), name="A")

    def body(ins: Any, outs: Any, tile: Any) -> Any:
        return te.call_packed("golden.rows", ins[0], outs[0], tile.inputs[0].origin[1], tile.origin[1])

    B = te.extern((10, 6), [A], body, name="B", access=te.access.stencil((0, 1)))
    s = te.create_schedule(B.op)
    s[B].split("d0", factor=4)
    return s, [A, B]


@golden_and_built
def notebook_03_tiled_extern() -> Scheduled:
    s, args = DEMOS["extern"](3)[:2]
    s["E"].compute_at(s["C"], "i")
    return s, args


@golden
def notebook_03_blas() -> Scheduled:
    A, B, bias = (
        te.placeholder(shape, name=n) for shape, n in (((8, 8), "A"), ((8, 8), "B"), ((8,), "bias"))
    )
    M = cblas.matmul(A, B, name="M")
    C = te.compute((8, 8), lambda i, j: te.max(M[i, j] + bias[j], 0.0), name="C")
    s = te.create_schedule(C.op)
    _, jo, _, ji = s[C].tile("i", "j", 4, 8)
    s[C].vectorize(ji)
    s[M].compute_at(s[C], jo)
    return s, [A, B, bias, C]


@golden
def notebook_05_masked_rows() -> Scheduled:
    A = te.placeholder((6, 20), name="A")
    E = te.compute((6, 20), lambda i, j: te.exp(A[i, j]) * te.if_then_else(j <= i, 1.0, 0.0), name="E")
    s = te.create_schedule(E.op)
    s[E].parallel("i")
    s[E].vectorize(s[E].split("j", factor=8)[1])
    return s, [A, E]


# ---------------------------------------------------------------- primitives: the programs of their docstrings


@golden
def primitive_split() -> Scheduled:
    s, args = vector()
    s["B"].split("i", factor=4)
    return s, args


@golden
def primitive_split_shift() -> Scheduled:
    s, args = vector()
    s["B"].split("i", factor=4, tail="shift")
    return s, args


@golden
def primitive_split_round_up() -> Scheduled:
    s, args = vector()
    local = s.cache_write(args[-1], "global")
    s[local].split("i.c", factor=4, tail="round_up")
    return s, args


@golden
def primitive_tile() -> Scheduled:
    s, args = scheduled(matmul(6, 8, 3))
    s["C"].tile("i", "j", 4, 4)
    return s, args


@golden
def primitive_fuse() -> Scheduled:
    s, args = scheduled(chain(3, 5))
    s["D"].fuse("i", "j")
    return s, args


@golden
def primitive_reorder() -> Scheduled:
    s, args = scheduled(matmul(4, 5, 6))
    s["C"].reorder("k", "i")
    return s, args


@golden_and_built
def primitive_vectorize() -> Scheduled:
    s, args = vector(22)
    s["B"].vectorize(s["B"].split("i", factor=8)[1])
    return s, args


@golden
def primitive_unroll() -> Scheduled:
    s, args = vector(4)
    s["B"].unroll(s["B"].split("i", factor=2)[1])
    return s, args


@golden
def primitive_parallel() -> Scheduled:
    s, args = vector()
    s["B"].parallel("i")
    return s, args


@golden_and_built
def primitive_dot() -> Scheduled:
    s, args = scheduled(bytes_product(2, 8, 8))
    ki = s["C"].split("k", factor=4)[1]
    s["C"].dot(ki)
    s["C"].reorder("k.outer", "j")
    s["C"].vectorize("j")
    return s, args


@golden
def primitive_transpose() -> Scheduled:
    A = te.placeholder((8, 8), name="A")
    B = te.compute((8, 8), lambda r, i: A[i, r], name="B")
    s = te.create_schedule(B.op)
    _, _, rows, lanes = s[B].tile("r", "i", 4, 4)
    s[B].transpose(rows, lanes)
    return s, [A, B]


@golden
def primitive_compute_at() -> Scheduled:
    s, args = scheduled(blur(6, 8))
    s["X"].compute_at(s["Y"], "i")
    return s, args


@golden
def primitive_compute_inline() -> Scheduled:
    s, args = scheduled(chain(4, 5))
    s["B"].compute_inline()
    s["C"].compute_inline()
    return s, args


@golden
def primitive_compute_root() -> Scheduled:
    s, args = primitive_compute_at()
    s["X"].compute_root()
    return s, args


@golden
def primitive_set_scope() -> Scheduled:
    s, args = primitive_compute_at()
    s["X"].set_scope("local")
    return s, args


@golden
def primitive_cache_read() -> Scheduled:
    s, args = scheduled(chain(4, 5))
    s.cache_read(args[0], "local", [s["B"].op.output(0)])
    return s, args


@golden
def primitive_cache_write() -> Scheduled:
    s, args = scheduled(matmul(4, 5, 6))
    s.cache_write(args[2], "local")
    s["C.local"].compute_at(s["C"], "i")
    return s, args


@golden
def primitive_cache_write_in_the_layout_of_loops() -> Scheduled:
    s, args = scheduled(matmul(6, 5, 3))
    s["C"].tile("i", "j", 4, 4)
    sums = s.cache_write(args[2], "local")
    s[sums].reorder(sums.op.reduce_axis[0], sums.op.axis[2])
    return s, args


@golden
def primitive_transform_layout() -> Scheduled:
    s, args = scheduled(chain(6, 5))
    s["B"].transform_layout(lambda i, j: [j, i // 4, i % 4])
    return s, args


@golden_and_built
def primitive_nontemporal() -> Scheduled:
    s, args = vector(40)
    s["B"].vectorize(s["B"].split("i", factor=16)[1])
    s["B"].nontemporal()
    return s, args


@golden
def primitive_rfactor() -> Scheduled:
    s, args = scheduled(matmul(4, 5, 10))
    ki = s["C"].split("k", factor=4)[1]
    s.rfactor(args[2], ki)
    return s, args


@golden
def primitive_storage_align() -> Scheduled:
    s, args = scheduled(blur(6, 16))
    s["X"].storage_align("i", 16, 4)
    return s, args


@golden
def primitive_prefetch() -> Scheduled:
    s, args = scheduled(chain(4, 40))
    s["B"].prefetch(args[0], "i", 1)
    return s, args


@golden
def primitive_tensorize() -> Scheduled:
    s, args = scheduled(matmul(4, 8, 6))
    io, jo, ii, ji = s["C"].tile("i", "j", 4, 8)
    ko, ki = s["C"].split("k", factor=3)
    s["C"].reorder(io, jo, ko, ii, ji, ki)
    s["C"].tensorize(ii, intrinsics.gemm(4, 8, 3))
    return s, args


@golden
def primitive_pragma() -> Scheduled:
    s, args = scheduled(chain(4, 3))
    s["D"].pragma("i", "auto_unroll_max_step", 16)
    return s, args


@golden
def primitive_double_buffer() -> Scheduled:
    s, args = scheduled(matmul(4, 4, 40))
    ko = s["C"].split("k", factor=4)[0]
    s["C"].reorder(ko, "i", "j")
    copy = s.cache_read(args[1], "local", [args[2]])
    s[copy].compute_at(s["C"], ko)
    s[copy].double_buffer()
    return s, args


@golden_and_built
def primitive_bind() -> Scheduled:
    """A tile that the threads of a block load together and read in another order."""
    A = te.placeholder((6, 6), name="A")
    C = te.compute((6, 6), lambda i, j: A[j, i] * 2.0, name="C")
    s = te.create_schedule(C.op)
    copy = s.cache_read(A, "shared", [C])
    block, row = s[C].split("i", factor=4)
    s[C].bind(block, te.thread_axis("blockIdx.x"))
    s[C].bind(row, te.thread_axis("threadIdx.x"))
    s[copy].compute_at(s[C], row)
    column = s[copy].split("ax1", nparts=4)[0]
    s[copy].bind(column, te.thread_axis("threadIdx.x"))
    return s, [A, C]


@golden
def primitive_env_threads() -> Scheduled:
    inputs, outputs = chain(4, 8)
    s = schedule_for(outputs)
    s["C"].compute_at(s["D"], "i")
    s["C"].set_scope("shared")
    s["C"].bind("j", te.thread_axis("threadIdx.x"))
    s["D"].env_threads([te.thread_axis((0, 8), "threadIdx.x")])
    return s, [*inputs, *outputs]


@golden_and_built
def primitive_set_store_predicate() -> Scheduled:
    """A sum over threads, stored by the first of them."""
    A = te.placeholder((4, 10), name="A")
    k = te.reduce_axis((0, 10), name="k")
    B = te.compute((4,), lambda i: te.sum(A[i, k], axis=k), name="B")
    s = te.create_schedule(B.op)
    tx = te.thread_axis("threadIdx.x")
    term = s.rfactor(B, s[B].split("k", factor=4)[1])
    s[B].bind(s[B].op.reduce_axis[0], tx)
    s[term].compute_at(s[B], s[B].op.reduce_axis[0])
    s[B].set_store_predicate(tx.var.equal(0))
    return s, [A, B]


@golden
def primitive_specialize() -> Scheduled:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s["B"].split("i", 8)
    with s.specialize(n % 8 == 0):
        s["B"].vectorize("i.inner")
    return s, [A, B]


@golden
def primitive_otherwise() -> Scheduled:
    A = te.placeholder((4, 5), name="A")
    B = te.compute((4, 5), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s.specialize(te.stride(A, 0) == 1)
    s[B].reorder("j", "i")
    s.otherwise()
    s[B].parallel("i")
    return s, [A, B]


@golden
def primitive_rolling_buffer() -> Scheduled:
    A = te.placeholder((10, 4), name="A")
    B = te.compute((10, 4), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((8, 4), lambda i, j: B[i, j] + B[i + 1, j] + B[i + 2, j], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], C.op.axis[0])
    s[B].rolling_buffer()
    return s, [A, C]


def rows_of_strips() -> Scheduled:
    A = te.placeholder((10, 4), name="A")
    B = te.compute((10, 4), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((8, 4), lambda i, j: B[i, j] + B[i + 1, j] + B[i + 2, j], name="C")
    s = te.create_schedule(C.op)
    s[C].split("i", 4)
    s[B].compute_at(s[C], "i.inner")
    return s, [A, C]


@golden
def primitive_compute_with() -> Scheduled:
    A = te.placeholder((10, 4), name="A")
    k, r = te.reduce_axis((0, 4), "k"), te.reduce_axis((0, 3), "r")
    S = te.compute((10,), lambda i: te.sum(A[i, k], axis=k), name="S")
    Q = te.compute((7,), lambda i: te.sum(A[i, r] * A[i, r], axis=r), name="Q")
    s = te.create_schedule([S.op, Q.op])
    s[Q].compute_with(s[S], "k")
    return s, [A, S, Q]


@golden
def primitive_reverse_compute_at() -> Scheduled:
    A = te.placeholder((10,), name="A")
    B = te.compute((10,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((9,), lambda i: B[i] + B[i + 1], name="C")
    D = te.compute((9,), lambda i: C[i] - 1.0, name="D")
    s = te.create_schedule(D.op)
    s[B].split("i", 4)
    s[C].reverse_compute_at(s[B], "i.outer")
    s[D].reverse_compute_at(s[B], "i.outer")
    return s, [A, D]


@golden
def primitive_store_at() -> Scheduled:
    s, args = rows_of_strips()
    s["B"].store_at(s["C"], "i.outer")
    return s, args


@golden
def primitive_store_root() -> Scheduled:
    s, args = rows_of_strips()
    s["B"].store_root()
    return s, args


def grouped() -> Scheduled:
    s, args = scheduled(chain(6, 4))
    s.create_group(s["C"].op.output(0), args[0])
    return s, args


@golden
def primitive_create_group() -> Scheduled:
    s, args = grouped()
    s["B"].compute_at(s["D"], "i")
    s["C"].compute_at(s["D"], "i")
    return s, args


@golden
def primitive_group_at() -> Scheduled:
    s, args = grouped()
    s.groups[0].compute_at(s["D"], "i")
    return s, args


@golden
def primitive_group_root() -> Scheduled:
    s, args = grouped()
    s.groups[0].compute_at(s["D"], "i")
    s.groups[0].compute_root()
    return s, args


# ---------------------------------------------------------------- reductions


def rows_by(kind: Any, dtype: str = "float32") -> Scheduled:
    A = te.placeholder((4, 7), dtype, name="A")
    k = te.reduce_axis((0, 7), name="k")
    B = te.compute((4,), lambda i: kind(A[i, k], axis=k), name="B")
    return te.create_schedule(B.op), [A, B]


for kind, dtype in {"sum": "float32", "max": "int8", "min": "uint8", "prod": "int64"}.items():
    unscheduled(f"reduce_{kind}", lambda kind=kind, dtype=dtype: rows_by(getattr(te, kind), dtype))


@golden_and_built
def reduce_in_lanes() -> Scheduled:
    s, args = rows_by(te.sum)
    s["B"].vectorize(s["B"].split("k", factor=4)[1])
    return s, args


@golden
def reduce_with_a_start_and_a_condition() -> Scheduled:
    A = te.placeholder((4, 7), name="A")
    k = te.reduce_axis((0, 7), name="k")
    B = te.compute((4,), lambda i: te.sum(A[i, k], axis=k, where=k > i, init=1.0), name="B")
    return te.create_schedule(B.op), [A, B]


# ---------------------------------------------------------------- sizes, layouts, sparse matrices


@golden
def symbolic_vector() -> Scheduled:
    s, args = vector(te.var("n"))
    s["B"].vectorize(s["B"].split("i", factor=8)[1])
    return s, args


@golden
def symbolic_matmul() -> Scheduled:
    s, args = scheduled(matmul(te.var("n"), te.var("m"), te.var("k")))
    s["C"].tile("i", "j", 4, 4)
    return s, args


@golden_and_built
def strided_rows() -> Bound:
    """Rows and columns of any strides: one body for neighbours, one for the others."""
    A = te.placeholder((4, 12), name="A")
    B = te.compute((4, 12), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("j", factor=4)[1])
    strides = {t: [te.var(f"{t.name}.rows"), te.var(f"{t.name}.columns")] for t in (A, B)}
    return s, [A, B], {t: te.decl_buffer((4, 12), name=t.name, strides=strides[t]) for t in (A, B)}


@golden
def sparse_rows() -> Scheduled:
    return scheduled(csr((5, 6, 9)))


@golden
def sparse_rows_of_symbolic_sizes() -> Scheduled:
    s, args = scheduled(csr((te.var("n"), te.var("m"), te.var("nnz"))))
    s["y"].parallel("i")
    return s, args


@golden
def triangle() -> Scheduled:
    return scheduled(lower_triangle((5, 5, 0)))
