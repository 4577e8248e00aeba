"""Native callbacks, in machine code: views are made by numpy's C functions, calls by CPython's.

The same functions as in `callbacks.py`, without the detour through ctypes. What they know about a call of a kernel is
in a table of the Invocation:

    functions, owners, number of owners, the Invocation itself, an exception that could not be reported to it

An owner is memory that views may look at: low, high, the array that keeps it alive, flags of its views,
and whether it is in use (an intermediate that was given back is taken again when nobody holds a view).

They are tried once before they are used; where anything is not as expected, callbacks go through ctypes.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np

from tewb.base import memory_dtype, once
from tewb.runtime import abi
from tewb.runtime.cpython import (
    REFERENCES,
    TYPE,
    are_references_known,
    is_like_array,
    numpy_table,
    register_python,
)
from tewb.runtime.heap_types import is_known_python
from tewb.runtime.jit import Compiled, register_symbol
from tewb.runtime.ndarray import NDArray

# Slots of the table of an Invocation, and of an owner in it.
FUNCTIONS, OWNERS, OWNER_COUNT, SELF, UNREPORTED = range(5)
TABLE_SLOTS = 5
LOW, HIGH, BASE, FLAGS, IN_USE = range(5)
OWNER_SLOTS = 5

_NEW_FROM_DESCR, _SET_BASE_OBJECT = 94, 282  # places in numpy's table of C functions
_MOST_DIMENSIONS = 64

_CPYTHON = (
    "PyGILState_Ensure", "PyGILState_Release", "PyObject_Vectorcall", "Py_IncRef", "Py_DecRef", "PyLong_FromLongLong",
    "PyFloat_FromDouble", "PyBool_FromLong", "PyUnicode_FromString", "PyLong_AsLongLong", "PyFloat_AsDouble", "PyErr_CheckSignals", "PyErr_Clear",
)  # fmt: skip

# Before 3.12 an exception is a triple, which must be normalised first.
_RAISED_312 = """
declare ptr @tewb_py_PyErr_GetRaisedException()
define internal ptr @raised() {
  %e = call ptr @tewb_py_PyErr_GetRaisedException()
  ret ptr %e
}
"""
_RAISED_311 = """
declare void @tewb_py_PyErr_Fetch(ptr, ptr, ptr)
declare void @tewb_py_PyErr_NormalizeException(ptr, ptr, ptr)
declare i32 @tewb_py_PyException_SetTraceback(ptr, ptr)
define internal ptr @raised() {
  %t = alloca ptr
  %v = alloca ptr
  %b = alloca ptr
  call void @tewb_py_PyErr_Fetch(ptr %t, ptr %v, ptr %b)
  call void @tewb_py_PyErr_NormalizeException(ptr %t, ptr %v, ptr %b)
  %trace = load ptr, ptr %b
  %has = icmp ne ptr %trace, null
  %value = load ptr, ptr %v
  br i1 %has, label %set, label %done
set:
  %r = call i32 @tewb_py_PyException_SetTraceback(ptr %value, ptr %trace)
  call void @tewb_py_Py_DecRef(ptr %trace)
  br label %done
done:
  %type = load ptr, ptr %t
  call void @tewb_py_Py_DecRef(ptr %type)
  ret ptr %value
}
"""

_TEXT = f"""
declare i32 @tewb_py_PyGILState_Ensure()
declare void @tewb_py_PyGILState_Release(i32)
declare ptr @tewb_py_PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare void @tewb_py_Py_IncRef(ptr)
declare void @tewb_py_Py_DecRef(ptr)
declare ptr @tewb_py_PyLong_FromLongLong(i64)
declare ptr @tewb_py_PyFloat_FromDouble(double)
declare ptr @tewb_py_PyBool_FromLong(i64)
declare ptr @tewb_py_PyUnicode_FromString(ptr)
declare i64 @tewb_py_PyLong_AsLongLong(ptr)
declare double @tewb_py_PyFloat_AsDouble(ptr)
declare i32 @tewb_py_PyErr_CheckSignals()
declare void @tewb_py_PyErr_Clear()
declare ptr @tewb_np_new_from_descr(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr)
declare i32 @tewb_np_set_base(ptr, ptr)
declare void @tewb_py_alloc_shared(i64, i64, ptr)

@array_type = internal global ptr null
@view_type = internal global ptr null
@failed = internal global ptr null
@descrs = internal global [{len(abi.DTYPES)} x ptr] zeroinitializer
@sizes = internal constant [{len(abi.DTYPES)} x i64] [{", ".join(f"i64 {memory_dtype(d).itemsize}" for d in abi.DTYPES)}]

define void @tewb_native_set(ptr %type, ptr %own, ptr %failed, ptr %descrs) {{
  store ptr %type, ptr @array_type
  store ptr %own, ptr @view_type
  store ptr %failed, ptr @failed
  call void @llvm.memcpy.p0.p0.i64(ptr @descrs, ptr %descrs, i64 {8 * len(abi.DTYPES)}, i1 false)
  ret void
}}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

; The owner that holds an address, or null.
define internal ptr @owner(ptr %table, i64 %address) {{
entry:
  %po = getelementptr i64, ptr %table, i64 {OWNERS}
  %owners = load ptr, ptr %po
  %pn = getelementptr i64, ptr %table, i64 {OWNER_COUNT}
  %n = load i64, ptr %pn
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %more = icmp slt i64 %i, %n
  br i1 %more, label %look, label %none
look:
  %at = mul i64 %i, {OWNER_SLOTS}
  %o = getelementptr i64, ptr %owners, i64 %at
  %low = load i64, ptr %o
  %ph = getelementptr i64, ptr %o, i64 {HIGH}
  %high = load i64, ptr %ph
  %above = icmp uge i64 %address, %low
  %below = icmp ult i64 %address, %high
  %inside = and i1 %above, %below
  br i1 %inside, label %found, label %next
next:
  %i1 = add i64 %i, 1
  br label %head
found:
  ret ptr %o
none:
  ret ptr null
}}

; An ndarray becomes an NDArray, which is the same to the byte. (numpy would ask a subclass how it is made, at
; each view, for half of the time that the view takes.)
define internal ptr @typed(ptr %array) {{
  %type = load ptr, ptr @view_type
  call void @tewb_py_Py_IncRef(ptr %type)
  %pt = getelementptr i8, ptr %array, i64 {TYPE}
  store ptr %type, ptr %pt
  ret ptr %array
}}

; A view of the memory that a record describes: a new reference, or null with an exception.
define internal ptr @view(ptr %table, i64 %code, i64 %rank, i64 %address, ptr %dims, ptr %steps) {{
entry:
  %bytes = alloca [{_MOST_DIMENSIONS} x i64]
  %ps = getelementptr i64, ptr @sizes, i64 %code
  %size = load i64, ptr %ps
  br label %head
head:
  %d = phi i64 [ 0, %entry ], [ %d1, %scale ]
  %more = icmp slt i64 %d, %rank
  br i1 %more, label %scale, label %make
scale:
  %pe = getelementptr i64, ptr %steps, i64 %d
  %elements = load i64, ptr %pe
  %b = mul i64 %elements, %size
  %pb = getelementptr i64, ptr %bytes, i64 %d
  store i64 %b, ptr %pb
  %d1 = add i64 %d, 1
  br label %head
make:
  %pd = getelementptr ptr, ptr @descrs, i64 %code
  %descr = load ptr, ptr %pd
  call void @tewb_py_Py_IncRef(ptr %descr)
  %type = load ptr, ptr @array_type
  %r32 = trunc i64 %rank to i32
  %o = call ptr @owner(ptr %table, i64 %address)
  %known = icmp ne ptr %o, null
  br i1 %known, label %borrow, label %empty
empty:                                              ; a box without elements may point anywhere
  %fresh = call ptr @tewb_np_new_from_descr(ptr %type, ptr %descr, i32 %r32, ptr %dims, ptr null, ptr null, i32 0, ptr null)
  %nothing = icmp eq ptr %fresh, null
  br i1 %nothing, label %null, label %full
full:
  %nd = call ptr @typed(ptr %fresh)
  ret ptr %nd
borrow:
  %data = inttoptr i64 %address to ptr
  %pf = getelementptr i64, ptr %o, i64 {FLAGS}
  %flags = load i64, ptr %pf
  %f32 = trunc i64 %flags to i32
  %v = call ptr @tewb_np_new_from_descr(ptr %type, ptr %descr, i32 %r32, ptr %dims, ptr %bytes, ptr %data, i32 %f32, ptr null)
  %bad = icmp eq ptr %v, null
  br i1 %bad, label %null, label %base
base:
  %pbase = getelementptr i64, ptr %o, i64 {BASE}
  %holder = load ptr, ptr %pbase
  call void @tewb_py_Py_IncRef(ptr %holder)
  %r = call i32 @tewb_np_set_base(ptr %v, ptr %holder)
  %refused = icmp slt i32 %r, 0
  br i1 %refused, label %drop, label %good
drop:
  call void @tewb_py_Py_DecRef(ptr %v)
  br label %null
null:
  ret ptr null
good:
  %vd = call ptr @typed(ptr %v)
  ret ptr %vd
}}

define void @tewb_native_call(i64 %handle, i32 %number, ptr %record, i32 %count) {{
entry:
  %table = inttoptr i64 %handle to ptr
  %n = sext i32 %count to i64
  %room = add i64 %n, 1
  %all = alloca ptr, i64 %room
  %args = getelementptr ptr, ptr %all, i64 1
  %gil = call i32 @tewb_py_PyGILState_Ensure()
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %i1, %keep ]
  %at = phi i64 [ 1, %entry ], [ %after, %keep ]
  %more = icmp slt i64 %i, %n
  br i1 %more, label %make, label %call
make:
  %p = getelementptr i64, ptr %record, i64 %at
  %kind = load i64, ptr %p
  %pc = getelementptr i64, ptr %p, i64 1
  %code = load i64, ptr %pc
  %pr = getelementptr i64, ptr %p, i64 2
  %rank = load i64, ptr %pr
  %pv = getelementptr i64, ptr %p, i64 3
  %value = load i64, ptr %pv
  %dims = getelementptr i64, ptr %p, i64 4
  %steps = getelementptr i64, ptr %dims, i64 %rank
  %twice = mul i64 %rank, 2
  %length = add i64 %twice, 4
  %after = add i64 %at, %length
  switch i64 %kind, label %array [ i64 {abi.INTEGER}, label %integer i64 {abi.FLOAT}, label %float i64 {abi.TEXT}, label %text ]
array:
  %a = call ptr @view(ptr %table, i64 %code, i64 %rank, i64 %value, ptr %dims, ptr %steps)
  br label %made
text:
  %characters = inttoptr i64 %value to ptr
  %s = call ptr @tewb_py_PyUnicode_FromString(ptr %characters)
  br label %made
float:
  %x = bitcast i64 %value to double
  %f = call ptr @tewb_py_PyFloat_FromDouble(double %x)
  br label %made
integer:
  %isbool = icmp eq i64 %code, {abi.DTYPES.index("bool")}
  br i1 %isbool, label %boolean, label %long
boolean:
  %t = call ptr @tewb_py_PyBool_FromLong(i64 %value)
  br label %made
long:
  %l = call ptr @tewb_py_PyLong_FromLongLong(i64 %value)
  br label %made
made:
  %object = phi ptr [ %a, %array ], [ %f, %float ], [ %t, %boolean ], [ %l, %long ], [ %s, %text ]
  %isnull = icmp eq ptr %object, null
  br i1 %isnull, label %cleanup, label %keep
keep:
  %slot = getelementptr ptr, ptr %args, i64 %i
  store ptr %object, ptr %slot
  %i1 = add i64 %i, 1
  br label %head
call:
  %pfs = getelementptr i64, ptr %table, i64 {FUNCTIONS}
  %functions = load ptr, ptr %pfs
  %wide = sext i32 %number to i64
  %pfn = getelementptr ptr, ptr %functions, i64 %wide
  %function = load ptr, ptr %pfn
  %nargs = or i64 %n, {-(1 << 63)}
  %result = call ptr @tewb_py_PyObject_Vectorcall(ptr %function, ptr %args, i64 %nargs, ptr null)
  %fine = icmp ne ptr %result, null
  br i1 %fine, label %returned, label %cleanup
returned:
  %wanted = load i64, ptr %record
  switch i64 %wanted, label %signals [ i64 {abi.INTEGER_WANTED}, label %whole i64 {abi.FLOAT_WANTED}, label %real ]
whole:                                              ; a number that Python has checked, behind the answer
  %number64 = call i64 @tewb_py_PyLong_AsLongLong(ptr %result)
  br label %keepnumber
real:
  %double = call double @tewb_py_PyFloat_AsDouble(ptr %result)
  %bits = bitcast double %double to i64
  br label %keepnumber
keepnumber:
  %answered = phi i64 [ %number64, %whole ], [ %bits, %real ]
  %behind = getelementptr i64, ptr %record, i64 1
  store i64 %answered, ptr %behind
  br label %signals
signals:                                            ; a callback in C does not look for Ctrl-C itself
  call void @tewb_py_Py_DecRef(ptr %result)
  %signal = call i32 @tewb_py_PyErr_CheckSignals()
  %interrupted = icmp ne i32 %signal, 0
  br label %cleanup
cleanup:
  %have = phi i64 [ %i, %made ], [ %n, %call ], [ %n, %signals ]
  %wrong = phi i1 [ true, %made ], [ true, %call ], [ %interrupted, %signals ]
  br i1 %wrong, label %error, label %drop
error:
  %exception = call ptr @raised()
  %ni = sext i32 %number to i64
  %no = call ptr @tewb_py_PyLong_FromLongLong(i64 %ni)
  %ptself = getelementptr i64, ptr %table, i64 {SELF}
  %self = load ptr, ptr %ptself
  %three = alloca [4 x ptr]
  %e1 = getelementptr ptr, ptr %three, i64 1
  store ptr %self, ptr %e1
  %e2 = getelementptr ptr, ptr %three, i64 2
  store ptr %exception, ptr %e2
  %e3 = getelementptr ptr, ptr %three, i64 3
  store ptr %no, ptr %e3
  %handler = load ptr, ptr @failed
  %reported = call ptr @tewb_py_PyObject_Vectorcall(ptr %handler, ptr %e1, i64 {3 - (1 << 63)}, ptr null)
  %lost = icmp eq ptr %reported, null
  br i1 %lost, label %forget, label %noted
forget:                                             ; at the end of Python's stack, say
  call void @tewb_py_PyErr_Clear()
  %punreported = getelementptr i64, ptr %table, i64 {UNREPORTED}
  %unreported = load ptr, ptr %punreported
  %isfirst = icmp eq ptr %unreported, null
  br i1 %isfirst, label %note, label %release
note:
  call void @tewb_py_Py_IncRef(ptr %exception)
  store ptr %exception, ptr %punreported
  br label %release
noted:
  call void @tewb_py_Py_DecRef(ptr %reported)
  br label %release
release:
  call void @tewb_py_Py_DecRef(ptr %exception)
  call void @tewb_py_Py_DecRef(ptr %no)
  br label %drop
drop:
  %k = phi i64 [ 0, %cleanup ], [ 0, %release ], [ %k1, %one ]
  %left = icmp slt i64 %k, %have
  br i1 %left, label %one, label %done
one:
  %pk = getelementptr ptr, ptr %args, i64 %k
  %gone = load ptr, ptr %pk
  call void @tewb_py_Py_DecRef(ptr %gone)
  %k1 = add i64 %k, 1
  br label %drop
done:
  call void @tewb_py_PyGILState_Release(i32 %gil)
  %answer = zext i1 %wrong to i64
  store i64 %answer, ptr %record
  ret void
}}

; Memory of an intermediate that callbacks see: one that was given back and that nobody looks at, or new.
define void @tewb_native_alloc(i64 %handle, i64 %size, ptr %answer) {{
entry:
  %table = inttoptr i64 %handle to ptr
  %gil = call i32 @tewb_py_PyGILState_Ensure()
  %po = getelementptr i64, ptr %table, i64 {OWNERS}
  %owners = load ptr, ptr %po
  %pn = getelementptr i64, ptr %table, i64 {OWNER_COUNT}
  %n = load i64, ptr %pn
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %more = icmp slt i64 %i, %n
  br i1 %more, label %look, label %new
look:
  %at = mul i64 %i, {OWNER_SLOTS}
  %o = getelementptr i64, ptr %owners, i64 %at
  %low = load i64, ptr %o
  %ph = getelementptr i64, ptr %o, i64 {HIGH}
  %high = load i64, ptr %ph
  %has = sub i64 %high, %low
  %fits = icmp eq i64 %has, %size
  %pu = getelementptr i64, ptr %o, i64 {IN_USE}
  %used = load i64, ptr %pu
  %free = icmp eq i64 %used, 0
  %candidate = and i1 %fits, %free
  br i1 %candidate, label %count, label %next
count:
  %pbase = getelementptr i64, ptr %o, i64 {BASE}
  %base = load ptr, ptr %pbase
  %pcount = getelementptr i8, ptr %base, i64 {REFERENCES}
  %references = load i32, ptr %pcount
  %alone = icmp eq i32 %references, 1
  br i1 %alone, label %again, label %next
next:
  %i1 = add i64 %i, 1
  br label %head
again:
  store i64 1, ptr %pu
  call void @tewb_py_PyGILState_Release(i32 %gil)
  store i64 %low, ptr %answer
  ret void
new:
  call void @tewb_py_PyGILState_Release(i32 %gil)
  call void @tewb_py_alloc_shared(i64 %handle, i64 %size, ptr %answer)
  ret void
}}

define void @tewb_native_free(i64 %handle, i64 %address) {{
entry:
  %table = inttoptr i64 %handle to ptr
  %gil = call i32 @tewb_py_PyGILState_Ensure()
  %o = call ptr @owner(ptr %table, i64 %address)
  %known = icmp ne ptr %o, null
  br i1 %known, label %give, label %done
give:
  %pu = getelementptr i64, ptr %o, i64 {IN_USE}
  store i64 0, ptr %pu
  br label %done
done:
  call void @tewb_py_PyGILState_Release(i32 %gil)
  ret void
}}
"""


def native_calls(failed: Any, alloc_address: int) -> tuple[int, int, int] | None:
    """The addresses of call, alloc and free in machine code, or None where they cannot be trusted.

    `failed(invocation, exception, number)` keeps an exception; `alloc_address` is the service that makes
    new memory for an intermediate.
    """
    compiled = _compiled(alloc_address)
    if compiled is None:
        return None
    types = (ctypes.c_void_p * len(abi.DTYPES))(*[id(memory_dtype(d)) for d in abi.DTYPES])
    ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(compiled.address("tewb_native_set"))(
        id(np.ndarray), id(NDArray), id(failed), types
    )
    names = ("tewb_native_call", "tewb_native_alloc", "tewb_native_free")
    call, alloc, free = (compiled.address(name) for name in names)
    return call, alloc, free


@once
def _compiled(alloc_address: int) -> Compiled | None:
    table = numpy_table()
    if not is_known_python() or not are_references_known() or not is_like_array(NDArray) or table is None:
        return None
    newer = sys.version_info >= (3, 12)
    extra = ("PyErr_GetRaisedException",) if newer else (
        "PyErr_Fetch", "PyErr_NormalizeException", "PyException_SetTraceback")  # fmt: skip
    if not register_python((*_CPYTHON, *extra)):
        return None
    register_symbol("tewb_np_new_from_descr", table[_NEW_FROM_DESCR])
    register_symbol("tewb_np_set_base", table[_SET_BASE_OBJECT])
    register_symbol("tewb_py_alloc_shared", alloc_address)
    return Compiled((_RAISED_312 if newer else _RAISED_311) + _TEXT)
