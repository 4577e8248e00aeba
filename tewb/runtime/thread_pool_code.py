"""The protocol of the thread pool, in LLVM IR: how a parallel loop is opened, drained and closed.

The caller writes the job, makes the epoch odd (open), wakes who sleeps, drains iterations itself, makes the
epoch even (closed), and waits until no worker is inside. A worker that sees a new odd epoch enters, looks
again, drains, leaves. A worker that comes late or never only costs speed.

Why this holds on processors that reorder memory:

    the job        plain stores, then the epoch is made odd by a read-modify-write (release); a worker reads
                   the epoch (acquire) before it reads the job
    its end        a worker leaves by a read-modify-write of `inside` (release); the caller reads 0 (acquire)
                   before it returns or writes another job. So the results are there, too
    late comers    the worker counts itself in, then looks at the epoch again; the caller closes the epoch, then
                   looks at who is inside. All four are seq_cst: one of them sees the other (Dekker)
    sleep          a worker says that it sleeps, then looks at the epoch; the caller opens the epoch, then looks at
                   who sleeps: seq_cst again. Who changes 1 to 0 in the worker's word has the right to wake it
    iterations     are handed out by an atomic counter; nothing is published through it, so it is monotonic

Sleepers wait on CPython's own locks (PyThread_acquire_lock), which are C: neither waking nor waiting takes
Python's lock, and a worker never goes back into Python.

Iterations are taken in chunks of remaining / (2 * threads), which shrink toward the end, as OpenMP's guided
schedule does, and of at most `most`, which the loop gives: iterations that are long are taken one by one.
"""

from __future__ import annotations

import platform

# Rows of the pool. Each is 128 bytes, for processors fetch lines of 64 in pairs: what one thread writes often
# shares no line with what others read.
EPOCH, JOB, NEXT, INSIDE, BUSY, CALLER, SETTING, WORKERS = range(8)
ROW = 16  # words of 8 bytes
MOST_WORKERS = 1023

# Words of the setting: how many workers there are to use, and whether some have yet to be started.
HELPERS, MISSING = 0, 1
# Words of a worker's row, and of the caller's: whether it sleeps, and the lock that it sleeps on.
ASLEEP, LOCK = 0, 1

# Looks before a thread sleeps; each takes some 25 ns. A worker stays for the next loop of a program that has
# many. The caller waits for about as long as it takes to be woken: the worker that it waits for may need its processor.
WORKER_LOOKS, CALLER_LOOKS = 20_000, 1_000


def pool_text() -> str:
    """The functions of the pool.

    i32 tewb_rt_parallel(ctx, fn, data, n, most)   run fn(ctx, data, lo, hi) over all of 0..n
    void tewb_worker(number)                       help for ever
    ptr tewb_pool()                                its rows
    """
    call, declaration = _pause()
    return _TEXT.replace("call void @PAUSE", f"call void @{call}") + declaration


def _pause() -> tuple[str, str]:
    """The call and declaration of this processor's hint that a loop is waiting."""
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64", "i686"):
        return "llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()\n"
    if machine in ("arm64", "aarch64"):
        return "llvm.aarch64.hint(i32 1)", "declare void @llvm.aarch64.hint(i32)\n"
    return "llvm.donothing()", "declare void @llvm.donothing()\n"


def _at(row: int, word: int = 0) -> str:
    """The place of a word of the pool, as a constant."""
    return f"getelementptr (i64, ptr @pool, i64 {row * ROW + word})"


_TEXT = f"""
@pool = internal global [{WORKERS + MOST_WORKERS} x [{ROW} x i64]] zeroinitializer, align 128

declare i32 @tewb_py_PyThread_acquire_lock(ptr, i32)
declare void @tewb_py_PyThread_release_lock(ptr)
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)

define ptr @tewb_pool() {{ ret ptr @pool }}

; Take chunks of iterations until none is left, one fails, or the kernel is being stopped.
define internal i32 @drain(ptr %ctx, ptr %fn, ptr %data, ptr %next, i64 %n, i64 %most, i64 %share) {{
entry:
  br label %look
look:
  %seen = load atomic i64, ptr %next monotonic, align 8
  %left = sub i64 %n, %seen
  %some = icmp sgt i64 %left, 0
  br i1 %some, label %take, label %done
take:
  %part = udiv i64 %left, %share
  %short = call i64 @llvm.smin.i64(i64 %part, i64 %most)
  %chunk = call i64 @llvm.smax.i64(i64 %short, i64 1)
  %lo = atomicrmw add ptr %next, i64 %chunk monotonic
  %more = icmp slt i64 %lo, %n
  br i1 %more, label %check, label %done
check:
  %flag = load atomic i32, ptr %ctx monotonic, align 8
  %go = icmp eq i32 %flag, 0
  br i1 %go, label %work, label %stop
work:
  %past = add i64 %lo, %chunk
  %hi = call i64 @llvm.smin.i64(i64 %past, i64 %n)
  %r = call i32 %fn(ptr %ctx, ptr %data, i64 %lo, i64 %hi)
  %fine = icmp eq i32 %r, 0
  br i1 %fine, label %look, label %stop
stop:
  %code = phi i32 [ 1, %check ], [ %r, %work ]
  store atomic i64 %n, ptr %next monotonic, align 8
  ret i32 %code
done:
  ret i32 0
}}

; Help with the job that stands in the pool.
define internal void @help() {{
  %ctx = load ptr, ptr {_at(JOB, 0)}
  %fn = load ptr, ptr {_at(JOB, 1)}
  %data = load ptr, ptr {_at(JOB, 2)}
  %n = load i64, ptr {_at(JOB, 3)}
  %most = load i64, ptr {_at(JOB, 4)}
  %share = load i64, ptr {_at(JOB, 5)}
  %r = call i32 @drain(ptr %ctx, ptr %fn, ptr %data, ptr {_at(NEXT)}, i64 %n, i64 %most, i64 %share)
  %bad = icmp ne i32 %r, 0
  br i1 %bad, label %tell, label %done
tell:
  %wide = sext i32 %r to i64
  store atomic i64 %wide, ptr {_at(INSIDE, 1)} monotonic, align 8
  br label %done
done:
  ret void
}}

; Wake a thread that sleeps, or is about to: whoever changes 1 to 0 gives back its lock, once.
define internal void @wake(ptr %asleep) {{
  %a = load atomic i64, ptr %asleep seq_cst, align 8
  %sleeps = icmp ne i64 %a, 0
  br i1 %sleeps, label %claim, label %done
claim:
  %pair = cmpxchg ptr %asleep, i64 1, i64 0 seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %release, label %done
release:
  %plock = getelementptr i64, ptr %asleep, i64 {LOCK - ASLEEP}
  %lock = load ptr, ptr %plock
  call void @tewb_py_PyThread_release_lock(ptr %lock)
  br label %done
done:
  ret void
}}

; The other side: the thread has said that it sleeps, and sees now that it need not (true) or sleeps (false).
define internal void @rest(ptr %asleep, i1 %awake) {{
  br i1 %awake, label %back, label %sleep
back:
  %pair = cmpxchg ptr %asleep, i64 1, i64 0 seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %done, label %sleep
sleep:
  %plock = getelementptr i64, ptr %asleep, i64 {LOCK - ASLEEP}
  %lock = load ptr, ptr %plock
  %got = call i32 @tewb_py_PyThread_acquire_lock(ptr %lock, i32 1)
  br label %done
done:
  ret void
}}

define i32 @tewb_rt_parallel(ptr %ctx, ptr %fn, ptr %data, i64 %n, i64 %most) {{
entry:
  %own = alloca i64
  %several = icmp sgt i64 %n, 1
  %ready = load atomic i64, ptr {_at(SETTING, HELPERS)} monotonic, align 8
  %any = icmp sgt i64 %ready, 0
  %try = and i1 %several, %any
  br i1 %try, label %ask, label %alone
ask:
  %pair = cmpxchg ptr {_at(BUSY)}, i64 0, i64 1 seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %open, label %alone
alone:                                              ; nested in a parallel loop, or beside another one
  store i64 0, ptr %own
  %ra = call i32 @drain(ptr %ctx, ptr %fn, ptr %data, ptr %own, i64 %n, i64 %most, i64 1)
  ret i32 %ra
open:
  %others = sub i64 %n, 1
  %helpers = call i64 @llvm.smin.i64(i64 %others, i64 %ready)
  %threads = add i64 %helpers, 1
  %share = mul i64 %threads, 2
  store ptr %ctx, ptr {_at(JOB, 0)}
  store ptr %fn, ptr {_at(JOB, 1)}
  store ptr %data, ptr {_at(JOB, 2)}
  store i64 %n, ptr {_at(JOB, 3)}
  store i64 %most, ptr {_at(JOB, 4)}
  store i64 %share, ptr {_at(JOB, 5)}
  store atomic i64 %helpers, ptr {_at(JOB, 6)} monotonic, align 8
  store atomic i64 0, ptr {_at(NEXT)} monotonic, align 8
  store atomic i64 0, ptr {_at(INSIDE, 1)} monotonic, align 8
  %before = load atomic i64, ptr @pool monotonic, align 8
  %beyond = add i64 %before, 1
  %opened = or i64 %beyond, 1
  %closed = add i64 %opened, 1
  %e0 = atomicrmw xchg ptr @pool, i64 %opened seq_cst
  br label %each
each:
  %w = phi i64 [ 0, %open ], [ %w1, %each ]
  %row = mul i64 %w, {ROW}
  %asleep = getelementptr i64, ptr {_at(WORKERS, ASLEEP)}, i64 %row
  call void @wake(ptr %asleep)
  %w1 = add i64 %w, 1
  %again = icmp slt i64 %w1, %helpers
  br i1 %again, label %each, label %join
join:
  %r = call i32 @drain(ptr %ctx, ptr %fn, ptr %data, ptr {_at(NEXT)}, i64 %n, i64 %most, i64 %share)
  %e1 = atomicrmw xchg ptr @pool, i64 %closed seq_cst
  br label %wait
wait:
  %count = phi i64 [ 0, %join ], [ %count1, %pause ], [ 0, %rest ]
  %inside = load atomic i64, ptr {_at(INSIDE)} seq_cst, align 8
  %empty = icmp eq i64 %inside, 0
  br i1 %empty, label %close, label %stay
stay:
  %count1 = add i64 %count, 1
  %tired = icmp sgt i64 %count1, {CALLER_LOOKS}
  br i1 %tired, label %rest, label %pause
pause:
  call void @PAUSE
  br label %wait
rest:
  store atomic i64 1, ptr {_at(CALLER, ASLEEP)} seq_cst, align 8
  %still = load atomic i64, ptr {_at(INSIDE)} seq_cst, align 8
  %left = icmp eq i64 %still, 0
  call void @rest(ptr {_at(CALLER, ASLEEP)}, i1 %left)
  br label %wait
close:
  %told = load atomic i64, ptr {_at(INSIDE, 1)} monotonic, align 8
  store atomic i64 0, ptr {_at(BUSY)} seq_cst, align 8
  %theirs = trunc i64 %told to i32
  %bad = icmp ne i32 %r, 0
  %result = select i1 %bad, i32 %r, i32 %theirs
  ret i32 %result
}}

define void @tewb_worker(i64 %number) {{
entry:
  %row = mul i64 %number, {ROW}
  %asleep = getelementptr i64, ptr {_at(WORKERS, ASLEEP)}, i64 %row
  br label %look
look:
  %last = phi i64 [ 0, %entry ], [ %last, %pause ], [ %e, %leave ], [ %e, %last_out ], [ %e, %skip ], [ %last, %rest ]
  %count = phi i64 [ 0, %entry ], [ %count1, %pause ], [ 0, %leave ], [ 0, %last_out ], [ %count, %skip ], [ 0, %rest ]
  %e = load atomic i64, ptr @pool seq_cst, align 8
  %odd = and i64 %e, 1
  %isopen = icmp ne i64 %odd, 0
  %isnew = icmp ne i64 %e, %last
  %go = and i1 %isopen, %isnew
  br i1 %go, label %new, label %idle
new:                                                ; of this job, or of a later one if the epoch has moved on
  %helpers = load atomic i64, ptr {_at(JOB, 6)} monotonic, align 8
  %wanted = icmp slt i64 %number, %helpers
  br i1 %wanted, label %enter, label %skip
skip:
  br label %look
enter:
  %a = atomicrmw add ptr {_at(INSIDE)}, i64 1 seq_cst
  %e2 = load atomic i64, ptr @pool seq_cst, align 8
  %same = icmp eq i64 %e, %e2
  br i1 %same, label %work, label %leave
work:
  call void @help()
  br label %leave
leave:
  %b = atomicrmw sub ptr {_at(INSIDE)}, i64 1 seq_cst
  %was = icmp eq i64 %b, 1
  br i1 %was, label %last_out, label %look
last_out:
  call void @wake(ptr {_at(CALLER, ASLEEP)})
  br label %look
idle:
  %count1 = add i64 %count, 1
  %tired = icmp sgt i64 %count1, {WORKER_LOOKS}
  br i1 %tired, label %rest, label %pause
pause:
  call void @PAUSE
  br label %look
rest:
  store atomic i64 1, ptr %asleep seq_cst, align 8
  %e3 = load atomic i64, ptr @pool seq_cst, align 8
  %odd3 = and i64 %e3, 1
  %isopen3 = icmp ne i64 %odd3, 0
  %isnew3 = icmp ne i64 %e3, %last
  %awake = and i1 %isopen3, %isnew3
  call void @rest(ptr %asleep, i1 %awake)
  br label %look
}}
"""
