"""How much LLVM is asked to do for a text."""

from __future__ import annotations

import pytest

from tewb.runtime import Target, llvm_work

LOOP = """
define void @f{k}(ptr %a, i64 %n) {{
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
  %p = getelementptr i32, ptr %a, i64 %i
  %x = load volatile i32, ptr %p
  store volatile i32 %x, ptr %p
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %body, label %end
end:
  ret void
}}
"""


@pytest.mark.parametrize("loops, is_unrolled", [(4, True), (llvm_work.MANY_LOOPS + 1, False)])
def test_loops_are_unrolled_where_they_are_not_too_many(loops: int, is_unrolled: bool) -> None:
    text = "".join([LOOP.format(k=k) for k in range(loops)])
    module = llvm_work.parse(text)
    llvm_work.optimize(module, Target.host().machine(), 2, text)
    assert (str(module).count("store volatile") > loops) == is_unrolled
