"""The thread pool: a parallel loop's iterations are drained by the caller and by parked workers.

The protocol is a few atomics in LLVM IR. The caller writes the job, makes the epoch odd (open), drains
iterations itself, makes the epoch even (closed), and waits until no worker is inside. A worker that sees a
new odd epoch enters, looks again, drains, leaves. A worker that sleeps or is missing only costs speed.
Workers are Python daemon threads: they spin for a moment inside of the machine code, then park on a lock,
so that an idle pool uses no processor.
"""

from __future__ import annotations

import ctypes
import os
import threading

from tewb.runtime.jit import Compiled, register_symbol

# Slots of the pool: epoch, fn, data, ctx, n, next, active, result, busy.
_SLOTS = 16
_SPINS = 20000

_TEXT = """
@pool = internal global [16 x i64] zeroinitializer, align 64

define ptr @tewb_pool() { ret ptr @pool }

define internal i64 @drain() {
entry:
  %p1 = getelementptr i64, ptr @pool, i64 1
  %fn = load ptr, ptr %p1
  %p2 = getelementptr i64, ptr @pool, i64 2
  %data = load ptr, ptr %p2
  %p3 = getelementptr i64, ptr @pool, i64 3
  %ctx = load ptr, ptr %p3
  %p4 = getelementptr i64, ptr @pool, i64 4
  %n = load i64, ptr %p4
  %next = getelementptr i64, ptr @pool, i64 5
  %result = getelementptr i64, ptr @pool, i64 7
  br label %loop
loop:
  %i = atomicrmw add ptr %next, i64 1 seq_cst
  %more = icmp slt i64 %i, %n
  br i1 %more, label %work, label %done
work:
  %r = call i32 %fn(ptr %ctx, ptr %data, i64 %i)
  %bad = icmp ne i32 %r, 0
  br i1 %bad, label %failed, label %loop
failed:
  %wide = sext i32 %r to i64
  store atomic i64 %wide, ptr %result seq_cst, align 8
  store atomic i64 %n, ptr %next seq_cst, align 8
  br label %done
done:
  ret i64 0
}

define i32 @tewb_rt_parallel(ptr %ctx, ptr %fn, ptr %data, i64 %n) {
entry:
  %busy = getelementptr i64, ptr @pool, i64 8
  %got = cmpxchg ptr %busy, i64 0, i64 1 seq_cst seq_cst
  %mine = extractvalue { i64, i1 } %got, 1
  %several = icmp sgt i64 %n, 1
  br i1 %mine, label %check, label %serial
check:
  br i1 %several, label %open, label %release
release:
  store atomic i64 0, ptr %busy seq_cst, align 8
  br label %serial
serial:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %one, label %fine
one:
  %i = phi i64 [ 0, %serial ], [ %i1, %cont ]
  %r = call i32 %fn(ptr %ctx, ptr %data, i64 %i)
  %bad = icmp ne i32 %r, 0
  br i1 %bad, label %stop, label %cont
cont:
  %i1 = add i64 %i, 1
  %again = icmp slt i64 %i1, %n
  br i1 %again, label %one, label %fine
stop:
  ret i32 %r
fine:
  ret i32 0
open:
  %p1 = getelementptr i64, ptr @pool, i64 1
  store ptr %fn, ptr %p1
  %p2 = getelementptr i64, ptr @pool, i64 2
  store ptr %data, ptr %p2
  %p3 = getelementptr i64, ptr @pool, i64 3
  store ptr %ctx, ptr %p3
  %p4 = getelementptr i64, ptr @pool, i64 4
  store i64 %n, ptr %p4
  %p5 = getelementptr i64, ptr @pool, i64 5
  store atomic i64 0, ptr %p5 seq_cst, align 8
  %p7 = getelementptr i64, ptr @pool, i64 7
  store atomic i64 0, ptr %p7 seq_cst, align 8
  %e0 = atomicrmw add ptr @pool, i64 1 seq_cst
  %d = call i64 @drain()
  %e1 = atomicrmw add ptr @pool, i64 1 seq_cst
  %p6 = getelementptr i64, ptr @pool, i64 6
  br label %wait
wait:
  %active = load atomic i64, ptr %p6 seq_cst, align 8
  %inside = icmp ne i64 %active, 0
  br i1 %inside, label %pause, label %close
pause:
  call void @llvm.PAUSE
  br label %wait
close:
  %res = load atomic i64, ptr %p7 seq_cst, align 8
  store atomic i64 0, ptr %busy seq_cst, align 8
  %res32 = trunc i64 %res to i32
  ret i32 %res32
}

define i64 @tewb_worker(i64 %seen, i64 %spins) {
entry:
  %p6 = getelementptr i64, ptr @pool, i64 6
  br label %look
look:
  %last = phi i64 [ %seen, %entry ], [ %last, %pause ], [ %e, %leave ]
  %count = phi i64 [ 0, %entry ], [ %count1, %pause ], [ 0, %leave ]
  %e = load atomic i64, ptr @pool seq_cst, align 8
  %odd = and i64 %e, 1
  %isopen = icmp eq i64 %odd, 1
  %new = icmp ne i64 %e, %last
  %go = and i1 %isopen, %new
  br i1 %go, label %enter, label %idle
enter:
  %a = atomicrmw add ptr %p6, i64 1 seq_cst
  %e2 = load atomic i64, ptr @pool seq_cst, align 8
  %same = icmp eq i64 %e, %e2
  br i1 %same, label %work, label %leave
work:
  %d = call i64 @drain()
  br label %leave
leave:
  %b = atomicrmw sub ptr %p6, i64 1 seq_cst
  br label %look
idle:
  %count1 = add i64 %count, 1
  %tired = icmp sgt i64 %count1, %spins
  br i1 %tired, label %sleep, label %pause
pause:
  call void @llvm.PAUSE
  br label %look
sleep:
  ret i64 %last
}
"""


def _pause() -> tuple[str, str]:
    """The call and declaration of this processor's hint that a loop is waiting."""
    import platform

    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64", "i686"):
        return "llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()"
    if machine in ("arm64", "aarch64"):
        return "llvm.aarch64.hint(i32 1)", "declare void @llvm.aarch64.hint(i32)"
    return "llvm.donothing()", "declare void @llvm.donothing()"


class Pool:
    """The workers of this process. `size` counts the calling thread too."""

    def __init__(self) -> None:
        call, declaration = _pause()
        self._code = Compiled(_TEXT.replace("llvm.PAUSE", call) + declaration + "\n", level=1)
        register_symbol("tewb_rt_parallel", self._code.address("tewb_rt_parallel"))
        self._worker = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(
            self._code.address("tewb_worker")
        )
        state = ctypes.CFUNCTYPE(ctypes.c_void_p)(self._code.address("tewb_pool"))()
        self._state = (ctypes.c_int64 * _SLOTS).from_address(state or 0)
        self._lock = threading.Lock()
        self._locks: list[threading.Lock] = []
        self._asleep: list[bool] = []
        self._generation = 0
        self.size = int(os.environ.get("TEWB_NUM_THREADS") or os.cpu_count() or 1)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def wake(self) -> None:
        """Start the workers that are missing and wake those that are parked (before a parallel kernel)."""
        if len(self._locks) + 1 < self.size:
            self._start()
        for i in range(min(len(self._locks), self.size - 1)):
            if self._asleep[i]:
                with self._lock:
                    if self._asleep[i]:
                        self._asleep[i] = False
                        self._locks[i].release()

    def _start(self) -> None:
        with self._lock:
            while len(self._locks) + 1 < self.size:
                number = len(self._locks)
                self._locks.append(threading.Lock())
                self._asleep.append(False)
                self._locks[number].acquire()
                name = f"tewb-worker-{number}"
                threading.Thread(
                    target=self._run, args=(number, self._generation), name=name, daemon=True
                ).start()

    def _run(self, number: int, generation: int) -> None:
        seen = 0
        lock = self._locks[number]
        while generation == self._generation:
            seen = self._worker(seen, _SPINS)
            with self._lock:
                self._asleep[number] = True
            lock.acquire()

    def _after_fork(self) -> None:
        """Threads do not survive a fork: the child starts with none."""
        self._lock = threading.Lock()
        self._locks, self._asleep = [], []
        self._generation += 1
        for i in range(_SLOTS):
            self._state[i] = 0

    def resize(self, size: int) -> None:
        """Use `size` threads from now on. Workers beyond stay parked."""
        if size < 1:
            raise ValueError(f"{size} threads cannot run a kernel")
        with self._lock:
            self.size = size


_pool: Pool | None = None
_making = threading.Lock()


def pool() -> Pool:
    """The pool of this process, made on first use."""
    global _pool
    if _pool is None:
        with _making:
            if _pool is None:
                _pool = Pool()
    return _pool


def set_num_threads(n: int) -> None:
    """Run parallel loops on `n` threads (the calling one included)."""
    pool().resize(n)


def get_num_threads() -> int:
    """How many threads run parallel loops."""
    return pool().size
