"""The text of a native entry: what CPython calls when a kernel is called.

An entry has the signature of a vectorcall. It looks at the arguments where they are (the fields of
`PyArrayObject`), checks all that the machine code relies on, and calls it:

    every argument an ndarray itself or an NDArray, of the very dtype, rank and shape; aligned; compact or with the
    strides that are declared; outputs writeable and apart from all other arrays; symbols bound where
    they first appear and compared afterwards; a scalar an int or float that fits

At the first check that fails it hands the call to Python, which explains or converts. The text depends on
the parameters alone: the kernel's address and its Python twin are read from the called object.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence

from tewb.base import DType, memory_dtype
from tewb.runtime import abi
from tewb.runtime.abi import KernelSignature, Limit, ParamSpec, SymbolicSize
from tewb.runtime.cpython import (
    ALIGNED,
    C_CONTIGUOUS,
    DATA,
    DESCR,
    DIMS,
    F_CONTIGUOUS,
    FLAGS,
    RANK,
    STRIDES,
    TYPE,
    WARN_ON_WRITE,
    WRITEABLE,
)

# Fields of a callable object, in bytes behind those that Python put there: the entry itself, the machine
# code of the kernel, and the Python function that takes the calls which the entry does not.
ENTRY, ADDRESS, SLOW = 0, 8, 16
FIELDS_SIZE = 24

# The C functions that entries call.
FUNCTIONS = (
    "PyObject_Vectorcall", "PyMethod_New", "PyLong_FromLongLong", "PyLong_AsLongLong", "Py_IncRef", "Py_DecRef",
    "PyLong_AsLongLongAndOverflow", "PyFloat_AsDouble", "PyEval_SaveThread", "PyEval_RestoreThread",
)  # fmt: skip

_DECLARATIONS = "\n".join(
    [
        "declare ptr @tewb_py_PyObject_Vectorcall(ptr, ptr, i64, ptr)",
        "declare ptr @tewb_py_PyMethod_New(ptr, ptr)",
        "declare ptr @tewb_py_PyLong_FromLongLong(i64)",
        "declare i64 @tewb_py_PyLong_AsLongLong(ptr)",
        "declare i64 @tewb_py_PyLong_AsLongLongAndOverflow(ptr, ptr)",
        "declare double @tewb_py_PyFloat_AsDouble(ptr)",
        "declare void @tewb_py_Py_IncRef(ptr)",
        "declare void @tewb_py_Py_DecRef(ptr)",
        "declare ptr @tewb_py_PyEval_SaveThread()",
        "declare void @tewb_py_PyEval_RestoreThread(ptr)",
        *(f"declare {{ i64, i1 }} @llvm.{op}.with.overflow.i64(i64, i64)" for op in ("sadd", "ssub", "smul")),
        *(f"declare i64 @llvm.{op}.i64(i64, i64)" for op in ("smin", "smax")),
        "@tewb_py_none = external global i8",
        "@tewb_py_int = external global i8",
        "@tewb_py_float = external global i8",
        "@tewb_rt_failed = external global i8",
        "@tewb_rt_memory_limit = external global i8",
        "@tewb_rt_packed = external global i8",
        "@tewb_np_ndarray = external global i8",
        "@tewb_np_NDArray = external global i8",
        *(f"@tewb_np_{name} = external global i8" for name in abi.DTYPES),
    ]
)

_FLAG = -(1 << 63)  # PY_VECTORCALL_ARGUMENTS_OFFSET: the word before the arguments is free to use


class _Text:
    """Lines of a function. Values are numbered. Checks are collected until `settle`, which takes the slow way
    unless all of them hold. (Few branches make a text that LLVM compiles fast.)"""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._count = 0
        self._condition = ""

    def do(self, line: str) -> None:
        self.lines.append("  " + line)

    def ins(self, instruction: str) -> str:
        self._count += 1
        self.do(f"%v{self._count} = {instruction}")
        return f"%v{self._count}"

    def check(self, condition: str) -> None:
        both = self._condition and self.ins(f"and i1 {self._condition}, {condition}")
        self._condition = both or condition

    def settle(self) -> None:
        """The lines below may rely on the checks so far."""
        self._count += 1
        self.do(f"br i1 {self._condition or 'true'}, label %l{self._count}, label %slow")
        self.lines.append(f"l{self._count}:")
        self._condition = ""

    def check_equal(self, type: str, a: str, b: str) -> None:
        self.check(self.ins(f"icmp eq {type} {a}, {b}"))

    def load(self, type: str, base: str, offset: int) -> str:
        """A field, or an element of an array."""
        return self.ins(f"load {type}, ptr {self.ins(f'getelementptr i8, ptr {base}, i64 {offset}')}")

    def checked(self, op: str, a: str, b: str) -> str:
        """sadd, ssub or smul, where a result that does not fit goes the slow way."""
        both = self.ins(f"call {{ i64, i1 }} @llvm.{op}.with.overflow.i64(i64 {a}, i64 {b})")
        over = self.ins(f"extractvalue {{ i64, i1 }} {both}, 1")
        self.check(self.ins(f"xor i1 {over}, true"))
        return self.ins(f"extractvalue {{ i64, i1 }} {both}, 0")


class _NotNativeError(Exception):
    """The parameters are of a kind that Python checks."""


def entry_text(signature: KernelSignature, offset: int, long: int, brief: int) -> str | None:
    """The entry `tewb_entry` for kernels of this signature; None when their calls must begin in Python. Where a
    kernel calls packed functions, the entry checks the arguments and Python makes the call.

    The fields of the called object stand at `offset`. Work of `long` operations goes to Python, which runs
    it where it can be interrupted; work of `brief` or more, and parallel loops, run without Python's lock.
    """
    is_long = signature.work is None or (isinstance(signature.work, int) and signature.work >= long)
    if is_long and not signature.packed:
        return None
    try:
        return _Entry(signature, offset, long, brief).text()
    except _NotNativeError:
        return None


class _Entry:
    def __init__(self, signature: KernelSignature, offset: int, long: int, brief: int) -> None:
        self.signature, self.offset, self.long, self.brief = signature, offset, long, brief
        self.t = _Text()
        self.symbols: dict[str, str] = {}  # their values, once bound
        self.objects: list[str] = []
        self.slots: list[str] = []
        self.ends: dict[int, tuple[str, str]] = {}  # the first address of an array and one past its last

    def text(self) -> str:
        t, params = self.t, self.signature.params
        t.check(t.ins("icmp eq ptr %kwnames, null"))
        t.check_equal("i64", t.ins(f"and i64 %nargsf, {~_FLAG}"), str(len(params)))
        if self.signature.has_parallel:  # Python starts the workers
            t.check_equal("i64", t.ins("load atomic i64, ptr @tewb_rt_missing monotonic, align 8"), "0")
        t.settle()
        self.objects = [t.load("ptr", "%args", 8 * n) for n in range(len(params))]
        every = list(zip(params, self.objects, strict=True))
        for p, o in every:
            self.check_type(p, o)
        t.settle()
        # A size may be a number that is given, and a stride the size of another array.
        numbers = {n: self.scalar(p, o) for n, (p, o) in enumerate(every) if p.kind == "scalar"}
        for p, o in every:
            if p.kind == "buffer":
                self.check_head(p, o)
        t.settle()
        arrays = {n: self.array(p, o) for n, (p, o) in enumerate(every) if p.kind == "buffer"}
        self.slots = [numbers[n] if n in numbers else arrays[n] for n in range(len(params))]
        self.ends = {n: self.extent(params[n], self.objects[n], data) for n, data in arrays.items()}
        self.solve_sizes()
        self.computed_sizes()
        self.separate()
        self.ranges()
        if self.signature.packed:
            self.call_in_python()
        else:
            self.call(self.work())
        room = f"  %slots = alloca [{len(params) + len(self.signature.symbols) + 1} x i64]"
        pool = ["@tewb_rt_missing = external global i64"] if self.signature.has_parallel else []
        return "\n".join([_DECLARATIONS, *pool, _HEADER, room, *t.lines, self.tail(), "}"]) + "\n"

    # ---- one argument

    def check_type(self, p: ParamSpec, o: str) -> None:
        """Arrays must be ndarrays themselves or NDArrays, numbers Python's own."""
        t = self.t
        type = t.load("ptr", o, TYPE)
        if p.kind == "buffer":
            plain, ours = (t.ins(f"icmp eq ptr {type}, @tewb_np_{name}") for name in ("ndarray", "NDArray"))
            t.check(t.ins(f"or i1 {plain}, {ours}"))
            return
        if p.dtype in ("float32", "float64"):
            expected_type = "@tewb_py_float"
        elif p.dtype == "bool" or p.is_float:
            raise _NotNativeError
        else:
            expected_type = "@tewb_py_int"
        t.check_equal("ptr", type, expected_type)

    def scalar(self, p: ParamSpec, o: str) -> str:
        """Slot of a number, which must fit."""
        t = self.t
        if p.is_float:
            return t.ins(f"bitcast double {t.ins(f'call double @tewb_py_PyFloat_AsDouble(ptr {o})')} to i64")
        value = t.ins(f"call i64 @tewb_py_PyLong_AsLongLongAndOverflow(ptr {o}, ptr %over)")
        t.check_equal("i32", t.ins("load i32, ptr %over"), "0")
        least, most = DType(p.dtype).ends
        t.check(t.ins(f"icmp sge i64 {value}, {least}"))
        t.check(t.ins(f"icmp sle i64 {value}, {min(most, (1 << 63) - 1)}"))
        self.symbols[p.symbol] = value
        return value

    def check_head(self, p: ParamSpec, o: str) -> None:
        """The dtype, rank and flags of an array."""
        t = self.t
        if p.dtype not in abi.DTYPES:
            raise _NotNativeError
        t.check_equal("ptr", t.load("ptr", o, DESCR), f"@tewb_np_{p.dtype}")
        t.check_equal("i32", t.load("i32", o, RANK), str(len(p.shape)))
        expected = ALIGNED | (C_CONTIGUOUS if p.strides is None else 0) | (WRITEABLE if p.is_output else 0)
        mask = expected | (WARN_ON_WRITE if p.is_output else 0)
        t.check_equal("i32", t.ins(f"and i32 {t.load('i32', o, FLAGS)}, {_signed32(mask)}"), str(expected))

    def array(self, p: ParamSpec, o: str) -> str:
        """Slot of an array; checks its shape and alignment."""
        t = self.t
        dims = t.load("ptr", o, DIMS) if p.shape else ""
        for d, size in enumerate(p.shape):
            n = t.load("i64", dims, 8 * d)
            self.bind(size, n)
            if p.strides is not None:
                if size.value is not None and size.value < 2:
                    raise _NotNativeError
                t.check(t.ins(f"icmp sgt i64 {n}, 1"))  # a dimension of one element has no stride to speak of
        data = t.load("i64", o, DATA)
        if p.alignment:
            t.check_equal("i64", t.ins(f"and i64 {data}, {p.alignment - 1}"), "0")
        return data

    def bind(self, size: SymbolicSize, value: str) -> None:
        """Compare with a constant or with a symbol that is known, or take the value of a new one."""
        if size.value is not None:
            self.t.check_equal("i64", value, str(size.value))
        elif size.symbol is not None and self.symbols.setdefault(size.symbol, value) != value:
            self.t.check_equal("i64", self.symbols[size.symbol], value)

    def extent(self, p: ParamSpec, o: str, data: str) -> tuple[str, str]:
        """Where an array begins and ends; checks its strides."""
        t, item = self.t, memory_dtype(p.dtype).itemsize
        dims = [self.dimension(s, o, d) for d, s in enumerate(p.shape)]
        if p.strides is None:
            size = str(item)
            for n in dims:
                size = str(int(size) * int(n)) if (size + n).isdigit() else t.ins(f"mul i64 {size}, {n}")
            return data, t.ins(f"add i64 {data}, {size}")
        steps = []
        low, high = data, t.ins(f"add i64 {data}, {item}")
        where = t.load("ptr", o, STRIDES) if p.shape else ""
        for d, stride in enumerate(p.strides):
            step = t.load("i64", where, 8 * d)
            steps.append(step)
            if stride.value is not None:
                t.check_equal("i64", step, str(stride.value * item))
            else:
                t.check_equal("i64", t.ins(f"srem i64 {step}, {item}"), "0")
                self.bind(stride, t.ins(f"sdiv i64 {step}, {item}"))
                if stride.symbol is None:
                    raise _NotNativeError
            reach = t.ins(f"mul i64 {step}, {t.ins(f'sub i64 {dims[d]}, 1')}")
            down = t.ins(f"call i64 @llvm.smin.i64(i64 {reach}, i64 0)")
            up = t.ins(f"call i64 @llvm.smax.i64(i64 {reach}, i64 0)")
            low, high = t.ins(f"add i64 {low}, {down}"), t.ins(f"add i64 {high}, {up}")
        if p.is_output:
            self.nested(o, dims, steps, item)
        return low, high

    def dimension(self, size: SymbolicSize, o: str, d: int) -> str:
        if size.value is not None:
            return str(size.value)
        return self.t.load("i64", self.t.load("ptr", o, DIMS), 8 * d)

    def nested(self, o: str, dims: Sequence[str], steps: Sequence[str], item: int) -> None:
        """No two elements of an output may meet: it is dense, or its rows lie one after the other, or its columns do. Each may
        be backwards."""
        t = self.t
        dense = t.ins(f"and i32 {t.load('i32', o, FLAGS)}, {C_CONTIGUOUS | F_CONTIGUOUS}")
        apart = t.ins(f"icmp ne i32 {dense}, 0")
        sizes = [t.ins(f"call i64 @llvm.smax.i64(i64 {x}, i64 {t.ins(f'sub i64 0, {x}')})") for x in steps]
        nested = list(zip(dims, sizes, strict=True))
        for inner_first in (nested[::-1], nested)[: len(nested)]:
            good, span = "true", str(item)
            for n, size in inner_first:
                good = t.ins(f"and i1 {good}, {t.ins(f'icmp sge i64 {size}, {span}')}")
                span = t.ins(f"mul i64 {size}, {n}")
            apart = t.ins(f"or i1 {apart}, {good}")
        t.check(apart)

    # ---- all arguments together

    def solve_sizes(self) -> None:
        """Values of symbols that only sizes such as `32*d` tell, if these then are as large."""
        t = self.t
        for o, p in zip(self.objects, self.signature.params, strict=True):
            for d, size in enumerate(p.shape):
                if size.told is not None and size.told not in self.symbols:
                    most = t.ins(f"sub i64 {self.dimension(size, o, d)}, {size.offset}")
                    t.check(t.ins(f"icmp sge i64 {most}, 0"))
                    self.symbols[size.told] = t.ins(f"sdiv i64 {most}, {size.factor}")

    def computed_sizes(self) -> None:
        """Sizes that are expressions of symbols."""
        t = self.t
        for o, p in zip(self.objects, self.signature.params, strict=True):
            for d, size in enumerate(p.shape):
                if size.value is None and size.symbol is None:
                    t.check_equal("i64", self.arithmetic(size.text), self.dimension(size, o, d))

    def separate(self) -> None:
        """No array that a kernel writes overlaps another."""
        t, params = self.t, self.signature.params
        for i, p in enumerate(params):
            for j, q in enumerate(params):
                if not p.is_output or q.kind != "buffer" or i == j or (q.is_output and j < i):
                    continue
                (low, high), (other_low, other_high) = self.ends[i], self.ends[j]
                before = t.ins(f"icmp ule i64 {high}, {other_low}")
                behind = t.ins(f"icmp ule i64 {other_high}, {low}")
                t.check(t.ins(f"or i1 {before}, {behind}"))

    def ranges(self) -> None:
        """Every symbol has a value, which fits its width, and so do the expressions of symbols with limits."""
        t, s = self.t, self.signature
        if not self.symbols.keys() >= set(s.symbols):
            raise _NotNativeError
        offsets, others = self.added()
        for name, bits in zip(s.symbols, s.symbol_bits, strict=False):
            if bits < 64:
                t.check(
                    t.ins(
                        f"icmp slt i64 {self.symbols[name]}, {(1 << bits - 1) - offsets.get((name, bits), 0)}"
                    )
                )
                t.check(t.ins(f"icmp sge i64 {self.symbols[name]}, {-(1 << bits - 1)}"))
        for limit in others:
            if limit.bits == 64:  # where its arithmetic does not overflow, it fits
                self.arithmetic(limit.text)
                continue
            above = t.checked("sadd", self.arithmetic(limit.text), str(1 << limit.bits - 1))
            t.check(t.ins(f"icmp ult i64 {above}, {1 << limit.bits}"))

    def added(self) -> tuple[dict[tuple[str, int], int], list[Limit]]:
        """The largest constant that limits add to each symbol, which narrows its range, and the other limits."""
        ranged = set(zip(self.signature.symbols, self.signature.symbol_bits, strict=False))
        offsets: dict[tuple[str, int], int] = {}
        others = []
        for limit in self.signature.limits:
            match ast.parse(limit.text, mode="eval").body:
                case ast.BinOp(ast.Name(name), ast.Add(), ast.Constant(int(c))) if (
                    name,
                    limit.bits,
                ) in ranged:
                    offsets[name, limit.bits] = max(offsets.get((name, limit.bits), 0), c)
                case _:
                    others.append(limit)
        return offsets, others

    def work(self) -> str | int:
        """The operations of this call, below `long`."""
        work = self.signature.work
        assert work is not None
        if isinstance(work, int):
            return work
        value = self.arithmetic(work)
        self.t.check(self.t.ins(f"icmp slt i64 {value}, {self.long}"))
        return value

    def arithmetic(self, text: str) -> str:
        """The value of Python arithmetic over symbols."""
        return _Arithmetic(self.t, self.symbols).value(ast.parse(text, mode="eval").body)

    # ---- the call

    def store_slots(self) -> None:
        """Store the arguments of the machine code, now that all checks hold."""
        t = self.t
        t.settle()
        values = [*self.slots, *(self.symbols[name] for name in self.signature.symbols)]
        for n, value in enumerate(values):
            t.do(f"store i64 {value}, ptr {t.ins(f'getelementptr i64, ptr %slots, i64 {n}')}")

    def call_in_python(self) -> None:
        """packed(kernel, address of the slots, *arguments)"""
        t = self.t
        self.store_slots()
        t.do("%place = ptrtoint ptr %slots to i64")
        t.do("%number = call ptr @tewb_py_PyLong_FromLongLong(i64 %place)")
        t.do(f"br i1 {t.ins('icmp eq ptr %number, null')}, label %null, label %go")
        t.lines.append("go:")
        count = len(self.objects) + 2
        t.do(f"%given = alloca [{count + 1} x ptr]")
        for n, o in enumerate(("%self", "%number", *self.objects)):
            t.do(f"store ptr {o}, ptr {t.ins(f'getelementptr ptr, ptr %given, i64 {n + 1}')}")
        t.do("%first = getelementptr ptr, ptr %given, i64 1")
        t.do(
            "%returned = call ptr @tewb_py_PyObject_Vectorcall("
            f"ptr @tewb_rt_packed, ptr %first, i64 {_FLAG + count}, ptr null)"
        )
        t.do("call void @tewb_py_Py_DecRef(ptr %number)")
        t.do("ret ptr %returned")

    def call(self, work: str | int) -> None:
        t = self.t
        self.store_slots()
        t.do(f"store [{abi.CONTEXT_SLOTS} x i64] zeroinitializer, ptr %context")
        if self.signature.intermediates:
            t.do(
                "%limit = call ptr @tewb_py_PyObject_Vectorcall(ptr @tewb_rt_memory_limit, ptr null, i64 0, ptr null)"
            )
            t.do(f"br i1 {t.ins('icmp eq ptr %limit, null')}, label %null, label %limited")
            t.lines.append("limited:")
            left = t.ins("call i64 @tewb_py_PyLong_AsLongLong(ptr %limit)")
            t.do("call void @tewb_py_Py_DecRef(ptr %limit)")
            t.do(f"store i64 {left}, ptr {t.ins(f'getelementptr i64, ptr %context, i64 {abi.MEMORY_LEFT}')}")
        t.do(f"%code = load ptr, ptr {t.ins(f'getelementptr i8, ptr %self, i64 {self.offset + ADDRESS}')}")
        if self.signature.has_parallel:
            work = self.brief
        if isinstance(work, str):
            is_long = t.ins(f"icmp sge i64 {work}, {self.brief}")
            t.do(f"br i1 {is_long}, label %released, label %held")
        else:
            t.do(f"br label %{'held' if work < self.brief else 'released'}")
        ways = {"held": "%r1", "released": "%r2"}
        if not isinstance(work, str):
            ways.pop("released" if work < self.brief else "held")
        if "held" in ways:
            t.lines.append("held:")
            t.do("%r1 = call i32 %code(ptr %context, ptr %slots)")
            t.do("br label %back")
        if "released" in ways:
            self.released()
        t.lines.append("back:")
        t.do("%failed = phi i32 " + ", ".join(f"[ {r}, %{label} ]" for label, r in ways.items()))

    def released(self) -> None:
        """Other threads run meanwhile and could release the arrays, so references to them are held."""
        t = self.t
        t.lines.append("released:")
        for o in self.objects:
            t.do(f"call void @tewb_py_Py_IncRef(ptr {o})")
        t.do("%state = call ptr @tewb_py_PyEval_SaveThread()")
        t.do("%r2 = call i32 %code(ptr %context, ptr %slots)")
        t.do("call void @tewb_py_PyEval_RestoreThread(ptr %state)")
        for o in self.objects:
            t.do(f"call void @tewb_py_Py_DecRef(ptr {o})")
        t.do("br label %back")

    def tail(self) -> str:
        # None lives for ever since 3.12.
        keep = "" if sys.version_info >= (3, 12) else "  call void @tewb_py_Py_IncRef(ptr @tewb_py_none)\n"
        end = _NULL if self.signature.packed else _END.replace("KEEP\n", keep) + _NULL
        return end + _SLOW.replace("SLOW", str(self.offset + SLOW))


_HEADER = f"""
define ptr @tewb_entry(ptr %self, ptr %args, i64 %nargsf, ptr %kwnames) {{
  %context = alloca [{abi.CONTEXT_SLOTS} x i64]
  %over = alloca i32"""

_END = f"""  %good = icmp eq i32 %failed, 0
  br i1 %good, label %done, label %error
done:
KEEP
  ret ptr @tewb_py_none
error:
  %at = ptrtoint ptr %context to i64
  %number = call ptr @tewb_py_PyLong_FromLongLong(i64 %at)
  %exists = icmp ne ptr %number, null
  br i1 %exists, label %tell, label %null
tell:
  %three = alloca [3 x ptr]
  %e1 = getelementptr ptr, ptr %three, i64 1
  store ptr %self, ptr %e1
  %e2 = getelementptr ptr, ptr %three, i64 2
  store ptr %number, ptr %e2
  %reported = call ptr @tewb_py_PyObject_Vectorcall(ptr @tewb_rt_failed, ptr %e1, i64 {_FLAG + 2}, ptr null)
  call void @tewb_py_Py_DecRef(ptr %number)
  ret ptr %reported
"""

_NULL = """
null:
  ret ptr null
"""

_SLOW = """
slow:
  %pslow = getelementptr i8, ptr %self, i64 SLOW
  %function = load ptr, ptr %pslow
  %method = call ptr @tewb_py_PyMethod_New(ptr %function, ptr %self)
  %bound = icmp ne ptr %method, null
  br i1 %bound, label %python, label %null
python:
  %result = call ptr @tewb_py_PyObject_Vectorcall(ptr %method, ptr %args, i64 %nargsf, ptr %kwnames)
  call void @tewb_py_Py_DecRef(ptr %method)
  ret ptr %result"""


class _Arithmetic:
    """Python's integer arithmetic as instructions. Overflow takes the slow way."""

    def __init__(self, text: _Text, names: dict[str, str]) -> None:
        self.t, self.names = text, names

    def value(self, e: ast.expr) -> str:
        match e:
            case ast.Constant(int(n)) if abs(n) < 1 << 63:
                return str(int(n))
            case ast.Name(name) if name in self.names:
                return self.names[name]
            case ast.UnaryOp(ast.USub(), x):
                return self.t.checked("ssub", "0", self.value(x))
            case ast.BinOp(x, op, y) if type(op) in _OVERFLOWING:
                return self.t.checked(_OVERFLOWING[type(op)], self.value(x), self.value(y))
            case ast.BinOp(x, ast.FloorDiv(), y):
                return self.divide(self.value(x), self.value(y))[0]
            case ast.BinOp(x, ast.Mod(), y):
                return self.divide(self.value(x), self.value(y))[1]
            case ast.Call(ast.Name("min" | "max" as name), args) if args:
                return self.most(name, [self.value(a) for a in args])
        raise _NotNativeError

    def divide(self, x: str, y: str) -> tuple[str, str]:
        """Quotient and remainder, rounding toward minus infinity, for a divisor above 0."""
        t = self.t
        t.check(t.ins(f"icmp sgt i64 {y}, 0"))
        t.settle()
        q, r = t.ins(f"sdiv i64 {x}, {y}"), t.ins(f"srem i64 {x}, {y}")
        below = t.ins(f"icmp slt i64 {r}, 0")
        floor = t.ins(f"sub i64 {q}, {t.ins(f'zext i1 {below} to i64')}")
        return floor, t.ins(f"add i64 {r}, {t.ins(f'select i1 {below}, i64 {y}, i64 0')}")

    def most(self, name: str, values: list[str]) -> str:
        first, *others = values
        for v in others:
            first = self.t.ins(f"call i64 @llvm.s{name}.i64(i64 {first}, i64 {v})")
        return first


_OVERFLOWING: dict[type[ast.operator], str] = {ast.Add: "sadd", ast.Sub: "ssub", ast.Mult: "smul"}


def _signed32(bits: int) -> int:
    return bits - (1 << 32) if bits >> 31 else bits
