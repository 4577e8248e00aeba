"""Thread axes, and launches as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tewb import te
from tewb.base import ParseError, TewbError
from tewb.ir import (
    Buffer,
    IRBuilder,
    PrimFunc,
    barrier,
    first_difference,
    free_vars,
    launched,
    memory_kind,
    parse,
    script,
    structural_equal,
    thread_axis,
    verify,
    walk,
)


def reversed_by_threads(tag: str = "threadIdx.x") -> PrimFunc:
    A: Buffer = te.decl_buffer((64,), "float32", name="A")
    tx, vx = thread_axis((0, 32), tag), thread_axis((0, 2), "vthread", name="vx")
    ib = IRBuilder()
    a = ib.buffer_ptr(A)
    ib.scope_attr(tx, "thread_extent", 32)
    ib.scope_attr(vx, "virtual_thread", 2)
    tile = ib.allocate("float32", (64,), "tile", "shared")
    tile[vx * 32 + tx] = a[vx * 32 + tx]
    ib.emit(barrier())
    a[vx * 32 + tx] = tile[63 - vx * 32 - tx]
    return PrimFunc("f", (A,), ib.get(), ())


def test_a_thread_axis_is_its_tag_or_a_range_with_a_tag() -> None:
    tx = te.thread_axis("threadIdx.x")
    assert (tx.thread_tag, tx.dom, tx.var.name, str(tx.dtype)) == (
        "threadIdx.x",
        None,
        "threadIdx.x",
        "int32",
    )
    vx = te.thread_axis((0, 4), "vthread", name="vx")
    assert vx.dom is not None and (vx.thread_tag, vx.name, vx.dom.extent.value) == ("vthread", "vx", 4)  # type: ignore[attr-defined]
    assert te.thread_axis(dom=(0, 8), tag="blockIdx.y").name == "blockIdx.y"
    assert script(tx.var.equal(0)) == "threadIdx.x == 0"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: te.thread_axis("threadIdx.w"), "no threads with the tag 'threadIdx.w'\n  hint: did you mean 'threadIdx.z'"),
        (lambda: te.thread_axis(), "no threads with the tag ''"),
        (lambda: te.thread_axis((0, 4)), "no threads with the tag ''"),
        (lambda: te.thread_axis((0, 4, 2), "threadIdx.x"), "is no range of threads"),
        (lambda: te.thread_axis(4, "threadIdx.x"), "4 is no range of threads"),
        (lambda: te.thread_axis((1, 4), "threadIdx.x"), "threads are counted from 0"),
    ],
)  # fmt: skip
def test_a_thread_axis_that_is_none_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(TewbError, match="thread_axis") as e:
        make()
    assert said in str(e.value) and e.value.span is not None


def test_launches_are_text_that_comes_back() -> None:
    f = reversed_by_threads()
    text = script(f)
    assert 'threadIdx.x = T.launch_thread("threadIdx.x", 32)' in text
    assert 'vx = T.launch_thread("vthread", 2)' in text and "T.tvm_storage_sync('shared')" in text
    assert structural_equal(parse(text), f)
    verify.check_promises(f, [verify.names_are_bound, verify.memory_is_alive, verify.dtypes_agree], "test")
    assert free_vars(f.body) == []
    assert [axis.thread_tag for n in walk(f.body) if (axis := launched(n)) is not None] == [
        "threadIdx.x",
        "vthread",
    ]  # type: ignore[arg-type]


def test_launches_of_different_threads_are_different_programs() -> None:
    assert structural_equal(reversed_by_threads(), reversed_by_threads())
    assert first_difference(reversed_by_threads(), reversed_by_threads("threadIdx.y")) is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [('T.launch_thread("threadIdx.q", 4)', "there are no threads threadIdx.q"),
     ('T.launch_thread("threadIdx.x", T.float32(4.0))', "no number of threads"),
     ('T.launch_thread("threadIdx.x")', "not the arguments of this call")],
)  # fmt: skip
def test_a_launch_that_is_none_is_refused_with_its_place(text: str, said: str) -> None:
    whole = f'@T.prim_func\ndef f(A: T.Buffer((4,), "float32")):\n    tx = {text}\n    A[tx] = A[tx]\n'
    with pytest.raises(ParseError, match=said):
        parse(whole)


def test_the_kind_of_memory_of_a_scope() -> None:
    scopes = ("global", "global:tag", "shared.dyn", "local_TB2")
    assert [memory_kind(scope) for scope in scopes] == ["global", "global", "shared", "local"]
