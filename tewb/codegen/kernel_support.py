"""Kernel support: the functions that every kernel calls to get memory for its intermediates, and to fail.

The code is the same for every kernel, so it is compiled once and called; compiled with each of them it took a
fifth of their build.
"""

from __future__ import annotations

from tewb.base import once
from tewb.runtime import Compiled, address_of, register_symbol
from tewb.runtime.abi import CALLBACK, ERROR, HANDLE, MEMORY_LEFT, NO_MEMORY, UNANSWERED

# The declarations in the text of a kernel.
DECLARATIONS = """
declare void @tewb.fail(ptr, i64, i64, i64, i64) nounwind cold
declare ptr @tewb.alloc(ptr, i64, i64, i64) nounwind
declare void @tewb.free(ptr, ptr) nounwind
"""

# Memory for intermediates comes from CPython's raw allocator, which needs no lock. The words before a block record how
# it was allocated. The context counts down how much a call may still allocate.
SUPPORT = f"""
declare ptr @tewb_rt_malloc(i64)
declare void @tewb_rt_raw_free(ptr)
declare void @tewb_rt_alloc_shared(i64, i64, ptr)
declare void @tewb_rt_free_shared(i64, i64)

; The first to fail says why; those after it come from work that is being stopped.
define void @tewb.fail(ptr %ctx, i64 %kind, i64 %message, i64 %a, i64 %b) cold {{
  %pair = cmpxchg ptr %ctx, i32 0, i32 1 monotonic monotonic, align 8
  %first = extractvalue {{ i32, i1 }} %pair, 1
  br i1 %first, label %write, label %done
write:
  %pm = getelementptr i64, ptr %ctx, i64 2
  store i64 %message, ptr %pm
  %pa = getelementptr i64, ptr %ctx, i64 3
  store i64 %a, ptr %pa
  %pb = getelementptr i64, ptr %ctx, i64 4
  store i64 %b, ptr %pb
  %pk = getelementptr i64, ptr %ctx, i64 {ERROR}
  store i64 %kind, ptr %pk
  br label %done
done:
  ret void
}}

define ptr @tewb.alloc(ptr %ctx, i64 %size, i64 %message, i64 %shared) {{
  %answer = alloca i64
  %left = getelementptr i64, ptr %ctx, i64 {MEMORY_LEFT}
  %had = atomicrmw sub ptr %left, i64 %size seq_cst
  %negative = icmp slt i64 %size, 0
  %less = icmp slt i64 %had, %size
  %no = or i1 %negative, %less
  br i1 %no, label %refuse, label %take
refuse:
  call void @tewb.fail(ptr %ctx, i64 {NO_MEMORY}, i64 %message, i64 %size, i64 %had)
  ret ptr null
take:
  %isshared = icmp ne i64 %shared, 0
  %whole = add i64 %size, 192
  br i1 %isshared, label %python, label %raw
python:
  %ph = getelementptr i64, ptr %ctx, i64 {HANDLE}
  %handle = load i64, ptr %ph
  store i64 {UNANSWERED}, ptr %answer
  call void @tewb_rt_alloc_shared(i64 %handle, i64 %whole, ptr %answer)
  %address = load i64, ptr %answer
  %p1 = inttoptr i64 %address to ptr
  %silent = icmp eq i64 %address, {UNANSWERED}
  br i1 %silent, label %lost, label %made
lost:
  call void @tewb.fail(ptr %ctx, i64 {CALLBACK}, i64 %message, i64 0, i64 0)
  ret ptr null
raw:
  %p2 = call ptr @tewb_rt_malloc(i64 %whole)
  br label %made
made:
  %p = phi ptr [ %p1, %python ], [ %p2, %raw ]
  %none = icmp eq ptr %p, null
  br i1 %none, label %refuse, label %align
align:
  %at = ptrtoint ptr %p to i64
  %up = add i64 %at, 127
  %even = and i64 %up, -64
  %block = inttoptr i64 %even to ptr
  %w1 = getelementptr i64, ptr %block, i64 -1
  store i64 %at, ptr %w1
  %w2 = getelementptr i64, ptr %block, i64 -2
  store i64 %size, ptr %w2
  %w3 = getelementptr i64, ptr %block, i64 -3
  store i64 %shared, ptr %w3
  ret ptr %block
}}

define void @tewb.free(ptr %ctx, ptr %block) {{
  %w1 = getelementptr i64, ptr %block, i64 -1
  %at = load i64, ptr %w1
  %w2 = getelementptr i64, ptr %block, i64 -2
  %size = load i64, ptr %w2
  %w3 = getelementptr i64, ptr %block, i64 -3
  %shared = load i64, ptr %w3
  %left = getelementptr i64, ptr %ctx, i64 {MEMORY_LEFT}
  %had = atomicrmw add ptr %left, i64 %size seq_cst
  %isshared = icmp ne i64 %shared, 0
  br i1 %isshared, label %python, label %raw
python:
  %ph = getelementptr i64, ptr %ctx, i64 {HANDLE}
  %handle = load i64, ptr %ph
  call void @tewb_rt_free_shared(i64 %handle, i64 %at)
  ret void
raw:
  %p = inttoptr i64 %at to ptr
  call void @tewb_rt_raw_free(ptr %p)
  ret void
}}
"""


def provide_kernel_support() -> None:
    """Let kernels that are loaded from now on call these functions."""
    _load_support(address_of("tewb_rt_alloc_shared"), address_of("tewb_rt_free_shared"))


@once
def _load_support(alloc_shared: int | None, free_shared: int | None) -> Compiled:
    """The compiled functions, which call these addresses for memory shared with Python: they change when native
    callbacks have passed their test. The code is never freed, as kernels are not."""
    code = Compiled(SUPPORT)
    for name in ("tewb.fail", "tewb.alloc", "tewb.free"):
        register_symbol(name, code.address(name))
    return code
