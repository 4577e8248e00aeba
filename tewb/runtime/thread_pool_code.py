"""The protocol of the thread pool, in LLVM IR: how parallel loops are opened, drained and closed.

A loop that is shared is a job in one of JOBS places. Its caller claims a place, writes the job, sets its bit in the word of
open jobs, calls idle workers, and takes iterations itself until none is left; it clears the bit, and waits until no worker
is inside of the job. A worker that sees a bit enters, looks again, takes iterations, clears the bit where none is left, and
leaves. A worker that comes late or never only costs speed.

Several jobs are open when calls come from several threads, or when loops stand inside of each other. Workers share
themselves out among them, and look after each chunk whether another one is theirs now. A caller that waits helps nobody: it
waits for iterations that are running, and these wait for loops inside of them alone, so that the waiting ends, and no
stack grows by other people's work.

Why this holds on processors that reorder memory:

    the job        plain stores, then its bit is set by a read-modify-write (release); a worker reads the bit (acquire)
                   while it is counted in, before it reads the job
    its end        a worker leaves by a read-modify-write of `inside` (release); the caller reads 0 (acquire)
                   before it returns or gives the place away. So the results are there, too
    late comers    the worker counts itself in, then looks at the bit again; the caller sees or makes the bit 0, then
                   looks at who is inside. All four are seq_cst: one of them sees the other (Dekker). The place may
                   be another job's by then: whose bit is set is whole, and waits for who is inside
    sleep          a worker says that it is idle, or sleeps, then looks at the bits; the caller sets the bit, then looks at
                   what workers say: seq_cst again. Who changes the word of a sleeper to 0 has the right to wake it
    iterations     are handed out by an atomic counter; nothing is published through it, so it is monotonic

Sleepers wait on CPython's own locks (PyThread_acquire_lock), which are C: neither waking nor waiting takes
Python's lock, and a worker never goes back into Python.

Iterations are taken in chunks of remaining / (2 * threads), which shrink toward the end, as OpenMP's guided
schedule does, of at most `most`, which the loop gives: iterations that are long are taken one by one; and of at least
`least`, where there are as many. A loop of no more than `least` iterations is its caller's alone; and so is one of no more
than `most` that begins while no worker is idle, as loops inside of others are that keep all threads busy.
"""

from __future__ import annotations

import platform

from tewb.runtime.abi import UNKNOWN_WORK

# Rows of the pool. Each is 128 bytes, for processors fetch lines of 64 in pairs: what one thread writes often
# shares no line with what others read.
OPEN, CLAIMED, SETTING, PLACES = range(4)
ROW = 16  # words of 8 bytes
JOBS = 64  # as many as a word has bits
JOB, NEXT, INSIDE, PLACE_ROWS = range(4)  # the rows of a place
WORKERS = PLACES + PLACE_ROWS * JOBS
MOST_WORKERS = 1023
ROWS = WORKERS + MOST_WORKERS

# Words of the setting: how many workers there are to use, and whether some have yet to be started.
HELPERS, MISSING = 0, 1
# Words of a worker's row, and of the row INSIDE of a place: what the thread does, and the lock that it sleeps on.
STATE, LOCK = 0, 1
WORKS, SLEEPS, LOOKS = 0, 1, 2
# More words of the row INSIDE: how many workers are, and what one of them failed with.
COUNT, TOLD = 2, 3

# Looks before a thread sleeps; each takes some 25 ns. A worker stays for the next loop of a program that has
# many. The caller waits for about as long as it takes to be woken: the worker that it waits for may need its processor.
WORKER_LOOKS, CALLER_LOOKS = 20_000, 1_000


def pool_text() -> str:
    """The functions of the pool.

    i32 tewb_rt_parallel(ctx, fn, data, n, most, least)   run fn(ctx, data, lo, hi) over all of 0..n
    void tewb_worker(number)                              help for ever
    ptr tewb_pool()                                       its rows
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
    """The address of a word of the pool, as a constant."""
    return f"getelementptr (i64, ptr @pool, i64 {row * ROW + word})"


def _of(place: str, row: int, word: int = 0) -> str:
    """The address of a word of a place."""
    return f"getelementptr i64, ptr {place}, i64 {row * ROW + word}"


_TEXT = f"""
@pool = internal global [{ROWS} x [{ROW} x i64]] zeroinitializer, align 128

declare i32 @tewb_py_PyThread_acquire_lock(ptr, i32)
declare void @tewb_py_PyThread_release_lock(ptr)
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
declare i64 @llvm.cttz.i64(i64, i1)
declare i64 @llvm.ctpop.i64(i64)

define ptr @tewb_pool() {{ ret ptr @pool }}

define internal ptr @place(i64 %number) {{
  %words = mul i64 %number, {ROW * PLACE_ROWS}
  %place = getelementptr i64, ptr {_at(PLACES)}, i64 %words
  ret ptr %place
}}

define internal ptr @worker(i64 %number) {{
  %words = mul i64 %number, {ROW}
  %row = getelementptr i64, ptr {_at(WORKERS)}, i64 %words
  ret ptr %row
}}

; Which of the open jobs a worker helps with: the workers are dealt out to them.
define internal i64 @job_of(i64 %open, i64 %number) {{
entry:
  %count = call i64 @llvm.ctpop.i64(i64 %open)
  %turn = urem i64 %number, %count
  br label %look
look:
  %left = phi i64 [ %open, %entry ], [ %without, %next ]
  %skip = phi i64 [ %turn, %entry ], [ %skip1, %next ]
  %found = icmp eq i64 %skip, 0
  br i1 %found, label %done, label %next
next:
  %less = sub i64 %left, 1
  %without = and i64 %left, %less
  %skip1 = sub i64 %skip, 1
  br label %look
done:
  %job = call i64 @llvm.cttz.i64(i64 %left, i1 true)
  ret i64 %job
}}

; Take chunks of iterations until none is left, one fails, or the kernel is being stopped. A worker (not -1) stops, too, when
; it is another job's.
define internal i32 @drain(ptr %ctx, ptr %fn, ptr %data, ptr %next, i64 %n, i64 %most, i64 %least, i64 %share, i64 %job, i64 %number) {{
entry:
  %helps = icmp sge i64 %number, 0
  br label %look
look:
  %seen = load atomic i64, ptr %next monotonic, align 8
  %left = sub i64 %n, %seen
  %some = icmp sgt i64 %left, 0
  br i1 %some, label %take, label %done
take:
  %part = udiv i64 %left, %share
  %short = call i64 @llvm.smin.i64(i64 %part, i64 %most)
  %long = call i64 @llvm.smax.i64(i64 %short, i64 %least)
  %chunk = call i64 @llvm.smin.i64(i64 %long, i64 %left)
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
  br i1 %fine, label %turn, label %stop
turn:
  br i1 %helps, label %others, label %look
others:
  %open = load atomic i64, ptr {_at(OPEN)} monotonic, align 8
  %any = icmp ne i64 %open, 0
  br i1 %any, label %choose, label %look
choose:
  %mine = call i64 @job_of(i64 %open, i64 %number)
  %same = icmp eq i64 %mine, %job
  br i1 %same, label %look, label %done
stop:
  %code = phi i32 [ 1, %check ], [ %r, %work ]
  store atomic i64 %n, ptr %next monotonic, align 8
  ret i32 %code
done:
  ret i32 0
}}

; Help with a job, whose place this worker is counted in.
define internal void @help(i64 %job, ptr %place, i64 %number) {{
  %pfn = {_of("%place", JOB, 1)}
  %pdata = {_of("%place", JOB, 2)}
  %pn = {_of("%place", JOB, 3)}
  %pmost = {_of("%place", JOB, 4)}
  %pleast = {_of("%place", JOB, 5)}
  %pshare = {_of("%place", JOB, 6)}
  %next = {_of("%place", NEXT)}
  %ctx = load ptr, ptr %place
  %fn = load ptr, ptr %pfn
  %data = load ptr, ptr %pdata
  %n = load i64, ptr %pn
  %most = load i64, ptr %pmost
  %least = load i64, ptr %pleast
  %share = load i64, ptr %pshare
  %r = call i32 @drain(ptr %ctx, ptr %fn, ptr %data, ptr %next, i64 %n, i64 %most, i64 %least, i64 %share, i64 %job, i64 %number)
  %bad = icmp ne i32 %r, 0
  br i1 %bad, label %tell, label %look
tell:
  %wide = sext i32 %r to i64
  %told = {_of("%place", INSIDE, TOLD)}
  store atomic i64 %wide, ptr %told monotonic, align 8
  br label %look
look:
  %seen = load atomic i64, ptr %next monotonic, align 8
  %over = icmp sge i64 %seen, %n
  br i1 %over, label %close, label %done
close:
  call void @close(i64 %job)
  br label %done
done:
  ret void
}}

; Nobody else need come to a job.
define internal void @close(i64 %job) {{
  %bit = shl i64 1, %job
  %open = load atomic i64, ptr {_at(OPEN)} seq_cst, align 8
  %its = and i64 %open, %bit
  %still = icmp ne i64 %its, 0
  br i1 %still, label %clear, label %done
clear:
  %others = xor i64 %bit, -1
  %was = atomicrmw and ptr {_at(OPEN)}, i64 %others seq_cst
  br label %done
done:
  ret void
}}

; Call a thread that looks for work, sleeps, or is about to: whoever changes its word to 0 has called it, once (true). It gives
; back the lock of one that sleeps.
define internal i1 @wake(ptr %state) {{
  %s = load atomic i64, ptr %state seq_cst, align 8
  %idle = icmp ne i64 %s, {WORKS}
  br i1 %idle, label %claim, label %not
claim:
  %pair = cmpxchg ptr %state, i64 %s, i64 {WORKS} seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %called, label %not
called:
  %sleeps = icmp eq i64 %s, {SLEEPS}
  br i1 %sleeps, label %release, label %done
release:
  %plock = getelementptr i64, ptr %state, i64 {LOCK - STATE}
  %lock = load ptr, ptr %plock
  call void @tewb_py_PyThread_release_lock(ptr %lock)
  br label %done
done:
  ret i1 true
not:
  ret i1 false
}}

; The other side: the thread has said that it sleeps, and sees now that it need not (true) or sleeps (false).
define internal void @rest(ptr %state, i1 %awake) {{
  br i1 %awake, label %back, label %sleep
back:
  %pair = cmpxchg ptr %state, i64 {SLEEPS}, i64 {WORKS} seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %done, label %sleep
sleep:
  %plock = getelementptr i64, ptr %state, i64 {LOCK - STATE}
  %lock = load ptr, ptr %plock
  %got = call i32 @tewb_py_PyThread_acquire_lock(ptr %lock, i32 1)
  br label %done
done:
  ret void
}}

define i32 @tewb_rt_parallel(ptr %ctx, ptr %fn, ptr %data, i64 %n, i64 %most, i64 %given) {{
entry:
  %own = alloca i64
  %least = call i64 @llvm.smax.i64(i64 %given, i64 1)
  %several = icmp sgt i64 %n, %least
  %ready = load atomic i64, ptr {_at(SETTING, HELPERS)} monotonic, align 8
  %any = icmp sgt i64 %ready, 0
  %try = and i1 %several, %any
  br i1 %try, label %seek, label %alone
seek:                                               ; the first worker that is idle
  %first = phi i64 [ 0, %entry ], [ %first1, %past ]
  %row = call ptr @worker(i64 %first)
  %state = load atomic i64, ptr %row monotonic, align 8
  %idle = icmp ne i64 %state, {WORKS}
  br i1 %idle, label %claim, label %past
past:
  %first1 = add i64 %first, 1
  %more = icmp slt i64 %first1, %ready
  br i1 %more, label %seek, label %busy
busy:
  %known = icmp ne i64 %most, {UNKNOWN_WORK}
  %small = icmp sle i64 %n, %most
  %short = and i1 %known, %small
  br i1 %short, label %alone, label %claim
claim:
  %from = phi i64 [ %first, %seek ], [ %ready, %busy ], [ %from, %take ]
  %taken = load atomic i64, ptr {_at(CLAIMED)} monotonic, align 8
  %free = xor i64 %taken, -1
  %full = icmp eq i64 %free, 0
  br i1 %full, label %alone, label %take
take:
  %job = call i64 @llvm.cttz.i64(i64 %free, i1 true)
  %bit = shl i64 1, %job
  %with = or i64 %taken, %bit
  %pair = cmpxchg ptr {_at(CLAIMED)}, i64 %taken, i64 %with seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %open, label %claim
alone:
  store i64 0, ptr %own
  %ra = call i32 @drain(ptr %ctx, ptr %fn, ptr %data, ptr %own, i64 %n, i64 %most, i64 %least, i64 1, i64 0, i64 -1)
  ret i32 %ra
open:
  %place = call ptr @place(i64 %job)
  %before = sub i64 %n, 1
  %others = udiv i64 %before, %least
  %helpers = call i64 @llvm.smin.i64(i64 %others, i64 %ready)
  %threads = add i64 %helpers, 1
  %share = mul i64 %threads, 2
  %pfn = {_of("%place", JOB, 1)}
  %pdata = {_of("%place", JOB, 2)}
  %pn = {_of("%place", JOB, 3)}
  %pmost = {_of("%place", JOB, 4)}
  %pleast = {_of("%place", JOB, 5)}
  %pshare = {_of("%place", JOB, 6)}
  %next = {_of("%place", NEXT)}
  %own_state = {_of("%place", INSIDE, STATE)}
  %inside = {_of("%place", INSIDE, COUNT)}
  %ptold = {_of("%place", INSIDE, TOLD)}
  store ptr %ctx, ptr %place
  store ptr %fn, ptr %pfn
  store ptr %data, ptr %pdata
  store i64 %n, ptr %pn
  store i64 %most, ptr %pmost
  store i64 %least, ptr %pleast
  store i64 %share, ptr %pshare
  store atomic i64 0, ptr %next monotonic, align 8
  store atomic i64 0, ptr %ptold monotonic, align 8
  %e0 = atomicrmw or ptr {_at(OPEN)}, i64 %bit seq_cst
  br label %each
each:
  %w = phi i64 [ %from, %open ], [ %w1, %ask ]
  %came = phi i64 [ 0, %open ], [ %came1, %ask ]
  %enough = icmp sge i64 %came, %helpers
  %end = icmp sge i64 %w, %ready
  %all = or i1 %enough, %end
  br i1 %all, label %join, label %ask
ask:
  %worker = call ptr @worker(i64 %w)
  %called = call i1 @wake(ptr %worker)
  %one = zext i1 %called to i64
  %came1 = add i64 %came, %one
  %w1 = add i64 %w, 1
  br label %each
join:
  %r = call i32 @drain(ptr %ctx, ptr %fn, ptr %data, ptr %next, i64 %n, i64 %most, i64 %least, i64 %share, i64 %job, i64 -1)
  call void @close(i64 %job)
  br label %wait
wait:
  %count = phi i64 [ 0, %join ], [ %count1, %pause ], [ 0, %rest ]
  %now = load atomic i64, ptr %inside seq_cst, align 8
  %empty = icmp eq i64 %now, 0
  br i1 %empty, label %over, label %stay
stay:
  %count1 = add i64 %count, 1
  %tired = icmp sgt i64 %count1, {CALLER_LOOKS}
  br i1 %tired, label %rest, label %pause
pause:
  call void @PAUSE
  br label %wait
rest:
  store atomic i64 {SLEEPS}, ptr %own_state seq_cst, align 8
  %still = load atomic i64, ptr %inside seq_cst, align 8
  %left = icmp eq i64 %still, 0
  call void @rest(ptr %own_state, i1 %left)
  br label %wait
over:
  %told = load atomic i64, ptr %ptold monotonic, align 8
  %without = xor i64 %bit, -1
  %e1 = atomicrmw and ptr {_at(CLAIMED)}, i64 %without seq_cst
  %theirs = trunc i64 %told to i32
  %bad = icmp ne i32 %r, 0
  %result = select i1 %bad, i32 %r, i32 %theirs
  ret i32 %result
}}

; Whether a worker has something to do.
define internal i1 @wanted(i64 %number, i64 %open) {{
  %helpers = load atomic i64, ptr {_at(SETTING, HELPERS)} monotonic, align 8
  %used = icmp slt i64 %number, %helpers
  %some = icmp ne i64 %open, 0
  %wanted = and i1 %used, %some
  ret i1 %wanted
}}

define void @tewb_worker(i64 %number) {{
entry:
  %state = call ptr @worker(i64 %number)
  br label %look
look:
  %count = phi i64 [ 0, %entry ], [ %count1, %pause ], [ 0, %leave ], [ 0, %last_out ], [ %count, %say ], [ 0, %rest ], [ 0, %tired_out ]
  %open = load atomic i64, ptr {_at(OPEN)} seq_cst, align 8
  %go = call i1 @wanted(i64 %number, i64 %open)
  br i1 %go, label %enter, label %idle
enter:
  %job = call i64 @job_of(i64 %open, i64 %number)
  %place = call ptr @place(i64 %job)
  %inside = {_of("%place", INSIDE, COUNT)}
  store atomic i64 {WORKS}, ptr %state monotonic, align 8
  %a = atomicrmw add ptr %inside, i64 1 seq_cst
  %again = load atomic i64, ptr {_at(OPEN)} seq_cst, align 8
  %bit = shl i64 1, %job
  %its = and i64 %again, %bit
  %same = icmp ne i64 %its, 0
  br i1 %same, label %work, label %leave
work:                                               ; of this job, or of a later one in its place
  call void @help(i64 %job, ptr %place, i64 %number)
  br label %leave
leave:                                              ; idle already, for a caller that goes on with its next loop
  store atomic i64 {LOOKS}, ptr %state seq_cst, align 8
  %b = atomicrmw sub ptr %inside, i64 1 seq_cst
  %was = icmp eq i64 %b, 1
  br i1 %was, label %last_out, label %look
last_out:
  %caller = {_of("%place", INSIDE, STATE)}
  %w = call i1 @wake(ptr %caller)
  br label %look
idle:
  %said = load atomic i64, ptr %state monotonic, align 8
  %is_said = icmp eq i64 %said, {LOOKS}
  br i1 %is_said, label %stay, label %say
say:
  store atomic i64 {LOOKS}, ptr %state seq_cst, align 8
  br label %look
stay:
  %count1 = add i64 %count, 1
  %tired = icmp sgt i64 %count1, {WORKER_LOOKS}
  br i1 %tired, label %tired_out, label %pause
pause:
  call void @PAUSE
  br label %look
tired_out:
  %pair = cmpxchg ptr %state, i64 {LOOKS}, i64 {SLEEPS} seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %rest, label %look
rest:
  %open3 = load atomic i64, ptr {_at(OPEN)} seq_cst, align 8
  %awake = call i1 @wanted(i64 %number, i64 %open3)
  call void @rest(ptr %state, i1 %awake)
  br label %look
}}
"""
