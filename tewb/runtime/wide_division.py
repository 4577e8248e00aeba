"""Division of 128-bit integers, which LLVM calls by the names of the compilers' own library.

No kernel divides such numbers itself. LLVM does, to compute the value that a loop leaves behind, and a Python process
may lack the library that a C program is linked with.
"""

from __future__ import annotations

# One bit after the other, from the highest: shift it into the remainder, and subtract the divisor where it
# fits.
_TEXT = """
define internal { i128, i128 } @divide(i128 %a, i128 %b) {
entry:
  br label %bit
bit:
  %n = phi i32 [ 127, %entry ], [ %next, %bit ]
  %q = phi i128 [ 0, %entry ], [ %q.now, %bit ]
  %r = phi i128 [ 0, %entry ], [ %r.now, %bit ]
  %by = zext i32 %n to i128
  %moved = lshr i128 %a, %by
  %one = and i128 %moved, 1
  %passes = icmp slt i128 %r, 0
  %twice = shl i128 %r, 1
  %here = or i128 %twice, %one
  %reaches = icmp uge i128 %here, %b
  %fits = or i1 %passes, %reaches
  %less = sub i128 %here, %b
  %r.now = select i1 %fits, i128 %less, i128 %here
  %mark = zext i1 %fits to i128
  %q.twice = shl i128 %q, 1
  %q.now = or i128 %q.twice, %mark
  %next = sub i32 %n, 1
  %more = icmp ne i32 %n, 0
  br i1 %more, label %bit, label %done
done:
  %x = insertvalue { i128, i128 } poison, i128 %q.now, 0
  %y = insertvalue { i128, i128 } %x, i128 %r.now, 1
  ret { i128, i128 } %y
}

define i128 @__udivti3(i128 %a, i128 %b) {
  %both = call { i128, i128 } @divide(i128 %a, i128 %b)
  %q = extractvalue { i128, i128 } %both, 0
  ret i128 %q
}

define i128 @__umodti3(i128 %a, i128 %b) {
  %both = call { i128, i128 } @divide(i128 %a, i128 %b)
  %r = extractvalue { i128, i128 } %both, 1
  ret i128 %r
}

define i128 @__divti3(i128 %a, i128 %b) {
  %x = call i128 @llvm.abs.i128(i128 %a, i1 false)
  %y = call i128 @llvm.abs.i128(i128 %b, i1 false)
  %q = call i128 @__udivti3(i128 %x, i128 %y)
  %signs = xor i128 %a, %b
  %negative = icmp slt i128 %signs, 0
  %minus = sub i128 0, %q
  %signed = select i1 %negative, i128 %minus, i128 %q
  ret i128 %signed
}

define i128 @__modti3(i128 %a, i128 %b) {
  %x = call i128 @llvm.abs.i128(i128 %a, i1 false)
  %y = call i128 @llvm.abs.i128(i128 %b, i1 false)
  %r = call i128 @__umodti3(i128 %x, i128 %y)
  %negative = icmp slt i128 %a, 0
  %minus = sub i128 0, %r
  %signed = select i1 %negative, i128 %minus, i128 %r
  ret i128 %signed
}

declare i128 @llvm.abs.i128(i128, i1)
"""
NAMES = ("__udivti3", "__umodti3", "__divti3", "__modti3")


def text() -> str:
    """The four functions as LLVM text."""
    return _TEXT


def called_by(code: bytes) -> list[str]:
    """Those of the functions that object code calls."""
    return [name for name in NAMES if name.encode() in code]
