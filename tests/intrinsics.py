"""Tensor intrinsics that tests and pages share: each is a small compute, and code for it."""

from __future__ import annotations

import ctypes
from typing import Any

import llvmlite.binding as llvm

from tewb import te
from tewb.ir import IRBuilder, Stmt
from tewb.ir.intrinsics import dot
from tewb.tensor import TensorIntrin


def strided(t: Any, name: str) -> Any:
    """A buffer for a tensor: rows at any distance, elements of a row side by side."""
    rows = [te.var(f"{name}{d}") for d in range(t.ndim - 1)]
    return te.decl_buffer(t.shape, t.dtype, name, strides=[*rows, 1], offset_factor=1)


def add(n: Any, dtype: str = "float32") -> TensorIntrin:
    """z[i] = x[i] + y[i], as a vector if `n` is a number."""
    x, y = te.placeholder((n,), dtype, "x"), te.placeholder((n,), dtype, "y")
    z = te.compute((n,), lambda i: x[i] + y[i], name="z")

    def code(ins: Any, outs: Any) -> Stmt:
        ib = IRBuilder()
        a, b, c = map(ib.buffer_ptr, (*ins, *outs))
        with ib.for_range(0, outs[0].shape[0], name="lane") as i:
            c[i] = a[i] + b[i]
        return ib.get()

    return te.decl_tensor_intrin(z.op, code, name="add")


def gemv(m: int, n: int, parts: str = "body reset update", dtype: str = "float32") -> TensorIntrin:
    """c[i] = sum of b[i, k] * a[k], by loops of an ir_builder."""
    a, b = te.placeholder((n,), dtype, "a"), te.placeholder((m, n), dtype, "b")
    k = te.reduce_axis((0, n), name="k")
    c = te.compute((m,), lambda i: te.sum(a[k] * b[i, k], axis=k), name="c")

    def code(ins: Any, outs: Any) -> Any:
        def loops(begin: bool, add: bool) -> Stmt:
            ib = IRBuilder()
            x, y = map(ib.buffer_ptr, ins)
            z = ib.buffer_ptr(outs[0])
            with ib.for_range(0, m, name="row") as i:
                if begin:
                    z[i] = te.const(0, dtype)
                if add:
                    with ib.for_range(0, n, name="column") as j:
                        z[i] = z[i] + x[j] * y[i, j]
            return ib.get()

        made = {"body": loops(True, True), "reset": loops(True, False), "update": loops(False, True)}
        return made["body"] if parts == "body" else tuple(made[p] if p in parts else None for p in made)

    return te.decl_tensor_intrin(c.op, code, binds={b: strided(b, "b")}, name="gemv")


def gemm(m: int, n: int, terms: int) -> TensorIntrin:
    """c[i, j] = sum of a[i, k] * b[k, j], by loops of an ir_builder."""
    a, b = te.placeholder((m, terms), name="a"), te.placeholder((terms, n), name="b")
    k = te.reduce_axis((0, terms), name="k")
    c = te.compute((m, n), lambda i, j: te.sum(a[i, k] * b[k, j], axis=k), name="c")

    def code(ins: Any, outs: Any) -> Any:
        def loops(begin: bool, add: bool) -> Stmt:
            ib = IRBuilder()
            x, y = map(ib.buffer_ptr, ins)
            z = ib.buffer_ptr(outs[0])
            with ib.for_range(0, m, name="row") as i, ib.for_range(0, n, name="column") as j:
                if begin:
                    z[i, j] = te.const(0, "float32")
                if add:
                    with ib.for_range(0, terms, name="term") as t:
                        z[i, j] = z[i, j] + x[i, t] * y[t, j]
            return ib.get()

        return loops(True, True), loops(True, False), loops(False, True)

    return te.decl_tensor_intrin(c.op, code, name="gemm")


# void gemm4x8(float *c, const float *a, const float *b, int n, int c_row, int a_row, int b_row): c += a * b
MICRO_KERNEL = """
define i32 @gemm4x8(ptr %c, ptr %a, ptr %b, i32 %n, i32 %c_row, i32 %a_row, i32 %b_row) {
entry:
  br label %row
row:
  %i = phi i32 [0, %entry], [%next_i, %row_end]
  %c_at = mul i32 %i, %c_row
  %c_ptr = getelementptr float, ptr %c, i32 %c_at
  %first = load <8 x float>, ptr %c_ptr, align 4
  br label %term
term:
  %k = phi i32 [0, %row], [%next_k, %term]
  %sum = phi <8 x float> [%first, %row], [%new, %term]
  %a_at = mul i32 %i, %a_row
  %a_k = add i32 %a_at, %k
  %a_ptr = getelementptr float, ptr %a, i32 %a_k
  %x = load float, ptr %a_ptr, align 4
  %x0 = insertelement <8 x float> undef, float %x, i32 0
  %xs = shufflevector <8 x float> %x0, <8 x float> undef, <8 x i32> zeroinitializer
  %b_at = mul i32 %k, %b_row
  %b_ptr = getelementptr float, ptr %b, i32 %b_at
  %ys = load <8 x float>, ptr %b_ptr, align 4
  %product = fmul <8 x float> %xs, %ys
  %new = fadd <8 x float> %sum, %product
  %next_k = add i32 %k, 1
  %more_k = icmp slt i32 %next_k, %n
  br i1 %more_k, label %term, label %row_end
row_end:
  store <8 x float> %new, ptr %c_ptr, align 4
  %next_i = add i32 %i, 1
  %more_i = icmp slt i32 %next_i, 4
  br i1 %more_i, label %row, label %end
end:
  ret i32 0
}
"""
_engines: list[Any] = []  # they keep the code


def micro_kernel() -> Any:
    """The function of MICRO_KERNEL, compiled, as ctypes sees a function of a C library."""
    if not _engines:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        module = llvm.parse_assembly(MICRO_KERNEL)
        target = llvm.Target.from_default_triple().create_target_machine(opt=3)
        _engines.append(llvm.create_mcjit_compiler(module, target))
        _engines[0].finalize_object()
    floats, n = ctypes.POINTER(ctypes.c_float), ctypes.c_int32
    signature = ctypes.CFUNCTYPE(n, floats, floats, floats, n, n, n, n)
    return signature(_engines[0].get_function_address("gemm4x8"))


def c_gemm(n: int) -> TensorIntrin:
    """A product of 4 rows by 8 columns with `n` terms, by a function of C."""
    function = micro_kernel()
    a, b = te.placeholder((4, n), name="a"), te.placeholder((n, 8), name="b")
    k = te.reduce_axis((0, n), name="k")
    c = te.compute((4, 8), lambda i, j: te.sum(a[i, k] * b[k, j], axis=k), name="c")

    def code(ins: Any, outs: Any) -> Any:
        (x, y), (z,) = ins, outs

        def reset() -> Stmt:
            ib = IRBuilder()
            zero = ib.buffer_ptr(z)
            with ib.for_range(0, 4, name="i") as i, ib.for_range(0, 8, name="j") as j:
                zero[i, j] = te.const(0, "float32")
            return ib.get()

        def update() -> Any:
            return te.call_extern(
                "int32", function, z.access_ptr("rw"), x.access_ptr("r"), y.access_ptr("r"), n,
                z.strides[0], x.strides[0], y.strides[0],
            )  # fmt: skip

        ib = IRBuilder()
        ib.emit(reset())
        ib.emit(update())
        return ib.get(), reset(), update()

    binds = {t: strided(t, t.name) for t in (a, b, c)}
    return te.decl_tensor_intrin(c.op, code, binds=binds, name="gemm4x8")


def dot4(lanes: int = 16) -> TensorIntrin:
    """c[j] = sum of a[k] * b[j, k] for 4 terms of bytes, by the instruction for it where the processor has one."""
    a, b = te.placeholder((4,), "uint8", "a"), te.placeholder((lanes, 4), "int8", "b")
    k = te.reduce_axis((0, 4), name="k")
    c = te.compute(
        (lanes,), lambda j: te.sum(a[k].astype("int32") * b[j, k].astype("int32"), axis=k), name="c"
    )

    def code(ins: Any, outs: Any) -> Any:
        def instruction(total: Any) -> Stmt:
            bytes_of_b = ins[1].vload([0, 0], f"int8x{4 * lanes}")
            return outs[0].vstore(0, dot(total, ins[0].vload(0, "uint8x4"), bytes_of_b))  # type: ignore[no-any-return]

        zero = te.const(0, f"int32x{lanes}")
        return instruction(zero), outs[0].vstore(0, zero), instruction(outs[0].vload(0, f"int32x{lanes}"))

    binds = {b: te.decl_buffer(b.shape, b.dtype, "b", offset_factor=4 * lanes)}
    return te.decl_tensor_intrin(c.op, code, binds=binds, name="dot4")
