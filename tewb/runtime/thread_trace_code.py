"""Tracing of parallel loops, in LLVM IR: what a kernel that is built to be traced calls beside the thread pool.

Such a kernel gives its parallel loops to `tewb_rt_parallel_traced`, which hands the pool a function of its own: that
looks at the clock before and after each task. The pool and all other kernels know nothing of it.

What a thread finds out stands in its own row, so that threads do not wait for each other; a row is found by the identity
of the thread. Tasks and loops are events, of which the first MOST_EVENTS are kept, and all are counted.
"""

from __future__ import annotations

import ctypes
import sys

# Words of 8 bytes. An event is a task, a range of iterations that a thread took, or a loop from its begin to its end.
EVENT = 12
IS_LOOP, LINE, RUN, THREAD, DEPTH, FIRST, PAST, BEGIN, END, BYTES, ALLOCATIONS = range(11)
MOST_EVENTS = 1 << 15

# Of a thread: who it is, the tasks that it is in, what it has allocated; the time and number of its outermost tasks, and
# the time of the outermost loops that it began.
THREAD_ROW = 16
IDENTITY, INSIDE, ALLOCATED, TIMES, BUSY, TASKS, IN_LOOPS = range(7)
MOST_THREADS = 2048  # a power of two; the pool has half as many

# Of the whole: the events and loops so far, the thread that called the kernel, and when the call began and ended.
EVENTS, RUNS, CALLER, CALL_BEGIN, CALL_END = range(5)

SYMBOLS = (
    "tewb_rt_trace_begin",
    "tewb_rt_trace_end",
    "tewb_rt_trace_allocation",
    "tewb_rt_parallel_traced",
)


def clock() -> str:
    """CPython's function that tells what time.perf_counter does, and needs no lock."""
    return "PyTime_PerfCounterRaw" if sys.version_info >= (3, 13) else "_PyTime_GetPerfCounter"


def trace_text() -> str:
    """The functions of a trace.

    void tewb_rt_trace_begin()                               a call of a kernel begins, on this thread
    void tewb_rt_trace_end()                                 and ends
    void tewb_rt_trace_allocation(bytes)                     this thread takes memory
    i32 tewb_rt_parallel_traced(ctx, fn, data, n, most, least, line)  as tewb_rt_parallel, of the loop in a line of the IR
    ptr tewb_trace(), tewb_trace_threads(), tewb_trace_events()  where all this stands
    """
    now = _NOW_RAW if sys.version_info >= (3, 13) else _NOW
    return _TEXT + now.replace("@CLOCK", f"@tewb_py_{clock()}")


_NOW_RAW = """
declare i32 @CLOCK(ptr)
define internal i64 @now() {
  %at = alloca i64
  %r = call i32 @CLOCK(ptr %at)
  %t = load i64, ptr %at
  ret i64 %t
}
"""

_NOW = """
declare i64 @CLOCK()
define internal i64 @now() {
  %t = call i64 @CLOCK()
  ret i64 %t
}
"""

_LONG = 8 * ctypes.sizeof(ctypes.c_ulong)  # bits of a thread's identity
_WIDEN = "%id = add i64 %said, 0" if _LONG == 64 else f"%id = zext i{_LONG} %said to i64"


def _word(name: str, row: str, word: int) -> str:
    """The instruction that makes %name the address of a word of a row."""
    return f"%{name} = getelementptr i64, ptr %{row}, i64 {word}"


def _whole(word: int) -> str:
    return f"getelementptr (i64, ptr @whole, i64 {word})"


_TEXT = f"""
@whole = internal global [16 x i64] zeroinitializer, align 128
@threads = internal global [{MOST_THREADS} x [{THREAD_ROW} x i64]] zeroinitializer, align 128
@events = internal global [{MOST_EVENTS} x [{EVENT} x i64]] zeroinitializer, align 128

declare i{_LONG} @tewb_py_PyThread_get_thread_ident()
declare i32 @tewb_rt_parallel(ptr, ptr, ptr, i64, i64, i64)

define ptr @tewb_trace() {{ ret ptr @whole }}
define ptr @tewb_trace_threads() {{ ret ptr @threads }}
define ptr @tewb_trace_events() {{ ret ptr @events }}

; The row of this thread: the first one, from where its identity points, that is its own or nobody's.
define internal ptr @own() {{
entry:
  %said = call i{_LONG} @tewb_py_PyThread_get_thread_ident()
  {_WIDEN}
  %mixed = mul i64 %id, -7046029254386353131
  %high = lshr i64 %mixed, {64 - MOST_THREADS.bit_length() + 1}
  br label %look
look:
  %at = phi i64 [ %high, %entry ], [ %following, %next ]
  %row = getelementptr [{THREAD_ROW} x i64], ptr @threads, i64 %at
  %pair = cmpxchg ptr %row, i64 0, i64 %id monotonic monotonic, align 8
  %had = extractvalue {{ i64, i1 }} %pair, 0
  %new = extractvalue {{ i64, i1 }} %pair, 1
  %old = icmp eq i64 %had, %id
  %mine = or i1 %new, %old
  br i1 %mine, label %done, label %next
next:
  %beyond = add i64 %at, 1
  %following = and i64 %beyond, {MOST_THREADS - 1}
  br label %look
done:
  ret ptr %row
}}

; Keep an event, if there is room.
define internal void @note(i64 %isloop, i64 %line, i64 %run, i64 %thread, i64 %depth, i64 %first, i64 %past, i64 %begin, i64 %end, i64 %bytes, i64 %allocations) {{
  %n = atomicrmw add ptr {_whole(EVENTS)}, i64 1 monotonic
  %room = icmp slt i64 %n, {MOST_EVENTS}
  br i1 %room, label %keep, label %done
keep:
  %e = getelementptr [{EVENT} x i64], ptr @events, i64 %n
  store i64 %isloop, ptr %e
  {_word("p1", "e", LINE)}
  store i64 %line, ptr %p1
  {_word("p2", "e", RUN)}
  store i64 %run, ptr %p2
  {_word("p3", "e", THREAD)}
  store i64 %thread, ptr %p3
  {_word("p4", "e", DEPTH)}
  store i64 %depth, ptr %p4
  {_word("p5", "e", FIRST)}
  store i64 %first, ptr %p5
  {_word("p6", "e", PAST)}
  store i64 %past, ptr %p6
  {_word("p7", "e", BEGIN)}
  store i64 %begin, ptr %p7
  {_word("p8", "e", END)}
  store i64 %end, ptr %p8
  {_word("p9", "e", BYTES)}
  store i64 %bytes, ptr %p9
  {_word("p10", "e", ALLOCATIONS)}
  store i64 %allocations, ptr %p10
  br label %done
done:
  ret void
}}

; Add to a word of a thread's own row, if it is in no task.
define internal void @add_outside(ptr %row, i64 %depth, i64 %word, i64 %more) {{
  %outside = icmp eq i64 %depth, 0
  br i1 %outside, label %add, label %done
add:
  %p = getelementptr i64, ptr %row, i64 %word
  %had = load i64, ptr %p
  %has = add i64 %had, %more
  store i64 %has, ptr %p
  br label %done
done:
  ret void
}}

; What the pool calls: a range of iterations of the loop that the record tells of (function, data, line, run, depth). A thread
; that came to help is in no task of its own, however deep the loop is.
define internal i32 @task(ptr %ctx, ptr %record, i64 %lo, i64 %hi) {{
  %fn = load ptr, ptr %record
  {_word("pd", "record", 1)}
  %data = load ptr, ptr %pd
  {_word("pl", "record", 2)}
  %line = load i64, ptr %pl
  {_word("pr", "record", 3)}
  %run = load i64, ptr %pr
  {_word("pe", "record", 4)}
  %depth = load i64, ptr %pe
  %row = call ptr @own()
  %thread = load i64, ptr %row
  {_word("pi", "row", INSIDE)}
  %before = load i64, ptr %pi
  %deeper = add i64 %depth, 1
  store i64 %deeper, ptr %pi
  {_word("pb", "row", ALLOCATED)}
  {_word("pt", "row", TIMES)}
  %bytes0 = load i64, ptr %pb
  %times0 = load i64, ptr %pt
  %begin = call i64 @now()
  %r = call i32 %fn(ptr %ctx, ptr %data, i64 %lo, i64 %hi)
  %end = call i64 @now()
  store i64 %before, ptr %pi
  %bytes1 = load i64, ptr %pb
  %times1 = load i64, ptr %pt
  %bytes = sub i64 %bytes1, %bytes0
  %times = sub i64 %times1, %times0
  %took = sub i64 %end, %begin
  call void @add_outside(ptr %row, i64 %before, i64 {BUSY}, i64 %took)
  call void @add_outside(ptr %row, i64 %before, i64 {TASKS}, i64 1)
  call void @note(i64 0, i64 %line, i64 %run, i64 %thread, i64 %depth, i64 %lo, i64 %hi, i64 %begin, i64 %end, i64 %bytes, i64 %times)
  ret i32 %r
}}

define i32 @tewb_rt_parallel_traced(ptr %ctx, ptr %fn, ptr %data, i64 %n, i64 %most, i64 %least, i64 %line) {{
  %record = alloca [5 x i64]
  store ptr %fn, ptr %record
  {_word("pd", "record", 1)}
  store ptr %data, ptr %pd
  {_word("pl", "record", 2)}
  store i64 %line, ptr %pl
  {_word("pr", "record", 3)}
  %run = atomicrmw add ptr {_whole(RUNS)}, i64 1 monotonic
  store i64 %run, ptr %pr
  %row = call ptr @own()
  %thread = load i64, ptr %row
  {_word("pi", "row", INSIDE)}
  %depth = load i64, ptr %pi
  {_word("pe", "record", 4)}
  store i64 %depth, ptr %pe
  %begin = call i64 @now()
  %r = call i32 @tewb_rt_parallel(ptr %ctx, ptr @task, ptr %record, i64 %n, i64 %most, i64 %least)
  %end = call i64 @now()
  %took = sub i64 %end, %begin
  call void @add_outside(ptr %row, i64 %depth, i64 {IN_LOOPS}, i64 %took)
  call void @note(i64 1, i64 %line, i64 %run, i64 %thread, i64 %depth, i64 0, i64 %n, i64 %begin, i64 %end, i64 0, i64 0)
  ret i32 %r
}}

define void @tewb_rt_trace_allocation(i64 %bytes) {{
  %row = call ptr @own()
  {_word("pb", "row", ALLOCATED)}
  {_word("pt", "row", TIMES)}
  %had = load i64, ptr %pb
  %has = add i64 %had, %bytes
  store i64 %has, ptr %pb
  %times = load i64, ptr %pt
  %more = add i64 %times, 1
  store i64 %more, ptr %pt
  ret void
}}

define void @tewb_rt_trace_begin() {{
  %row = call ptr @own()
  %thread = load i64, ptr %row
  store i64 %thread, ptr {_whole(CALLER)}
  %t = call i64 @now()
  store i64 %t, ptr {_whole(CALL_BEGIN)}
  ret void
}}

define void @tewb_rt_trace_end() {{
  %t = call i64 @now()
  store i64 %t, ptr {_whole(CALL_END)}
  ret void
}}
"""
