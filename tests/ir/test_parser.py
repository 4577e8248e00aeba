"""Text comes back as the program that it shows, and text that is not IR is explained."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, random_program, random_schedule
from tests.tensor.test_hybrid import halving, neighbours, outer_product, running_sum, strided, twice_and_sum
from tewb import te
from tewb.base import BOOL, FLOAT32, FLOAT64, HANDLE, INT32, INT64, DType, ParseError
from tewb.ir import (
    EQ,
    NE,
    Add,
    Allocate,
    And,
    AssertStmt,
    AttrStmt,
    Broadcast,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Cast,
    DeclBuffer,
    Div,
    Evaluate,
    Expr,
    ExternRegion,
    FloatImm,
    FloorDiv,
    FloorMod,
    For,
    ForKind,
    IfThenElse,
    IntImm,
    IRModule,
    Let,
    LetStmt,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    PrimFunc,
    Ramp,
    Select,
    Seq,
    Shuffle,
    Stmt,
    StringImm,
    Sub,
    Var,
    While,
    const,
    first_difference,
    intrinsics,
    parse,
    replace,
    structural_equal,
)
from tewb.lowering import BUILD, run

i, j, n = Var("i", INT32), Var("j", INT32), Var("n", INT64)
x, y = Var("x", FLOAT32), Var("y", FLOAT64)
u, b = Var("u", DType("uint8")), Var("b", BOOL)
A = Buffer("A", FLOAT32, (const(8), const(8)))
S = Buffer("S", FLOAT32, ())
PARAMS = (i, j, n, x, y, u, b, A, S)


def check(f: PrimFunc | IRModule) -> str:
    """`f` comes back from its text, and the text from that; returns it."""
    text = f.script()
    again = parse(text)
    assert first_difference(again, f) is None, text
    assert again.script() == text
    return text


def function(body: Stmt, *params: Buffer | Var) -> PrimFunc:
    return PrimFunc("main", params or PARAMS, body)


def every_pass(s: Any, args: list[Any], **lower: Any) -> list[str]:
    """Check the function before and after every pass, and the module; returns the texts."""
    trace: list[tuple[str, PrimFunc]] = []
    module = tewb.lower(s, args, trace=trace, **lower)
    run(module["main"], BUILD, trace)
    return [check(f) for f in (*dict(trace).values(), module)]


# ---------------------------------------------------------------- whole programs


@pytest.mark.one_in(8)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(20))
def test_random_schedules_come_back_after_every_pass(name: str, seed: int) -> None:
    rng = random.Random(f"{name}{seed}")
    inputs, outputs = random_program(name, rng, 24)
    every_pass(random_schedule(outputs, rng, steps=rng.randint(1, 9)), inputs + outputs)


@pytest.mark.parametrize("access", [None, te.access.elementwise], ids=["whole", "tile"])
@pytest.mark.parametrize("factor", [2, 3])
def test_packed_calls_come_back(access: Any, factor: int) -> None:
    T = te.placeholder((3, 4, 8), name="T")
    E = te.extern(
        (3, 4, 8), [T], lambda ins, outs: te.call_packed("f", ins[0], outs[0], 2, 0.5), access=access
    )
    C = te.compute((3, 4, 8), lambda i, j, k: E[i, j, k] + 1.0, name="C")
    s = te.create_schedule(C.op)
    outer, _ = s[C].split(C.op.axis[0], factor=factor)
    s[E].compute_at(s[C], outer)
    texts = every_pass(s, [T, C])
    assert all("T.extern_region('extern', reads=['T" in text for text in texts)


def test_views_that_nothing_declares_are_defined_where_their_variables_are() -> None:
    def body(ins: list[Buffer], outs: list[Buffer]) -> Stmt:
        p = Var("p", INT32)
        store = BufferStore(outs[0], ins[0][0, p] * 2.0, (const(0), p))
        return For(p, const(0), const(6), ForKind.SERIAL, store)

    T = te.placeholder((10, 6), name="T")
    E = te.extern((10, 6), [T], body, name="E", access=te.access.elementwise)
    C = te.compute((10, 6), lambda i, j: E[i, j] - 1.0, name="C")
    s = te.create_schedule(C.op)
    s[E].compute_at(s[C], "i")
    first, *_ = every_pass(s, [T, C])
    assert (
        "    for i in range(10):\n"
        '        T.tile = T.Buffer((1, 6), "float32", data=T.data, strides=(6, 1), elem_offset=i * 6)\n'
        '        E = T.allocate((1, 6), "float32")\n'
    ) in first
    assert "E[0, p] = T.tile[0, p] * T.float32(2.0)" in first


@pytest.mark.parametrize(
    ("hybrid", "shapes", "dtype"),
    [
        (outer_product, [(5,), (6,)], "float32"),
        (running_sum, [(7,)], "float32"),
        (neighbours, [(9,)], "float32"),
        (strided, [(10,)], "int32"),
        (halving, [(6,)], "int32"),
        (twice_and_sum, [(8,)], "float32"),
    ],
    ids=lambda v: getattr(v, "name", None),
)
def test_hybrid_functions_come_back(hybrid: Any, shapes: list[tuple[int]], dtype: str) -> None:
    inputs = [te.placeholder(shape, name=f"in{k}", dtype=dtype) for k, shape in enumerate(shapes)]
    made = hybrid(*inputs)
    outputs = list(made) if isinstance(made, list) else [made]
    every_pass(te.create_schedule(outputs[0].op), [*inputs, *outputs])


def test_strided_buffers_and_sizes_come_back() -> None:
    rows, step, start = te.var("rows"), te.var("step"), te.var("start", "int64")
    T = te.placeholder((rows, 4), name="T")
    C = te.compute((rows, 4), lambda i, j: T[i, j] + 1.0, name="C")
    given = te.decl_buffer(
        (rows, 4), name="T", strides=[step, 1], elem_offset=start, data_alignment=64, offset_factor=2
    )
    first, *_ = every_pass(te.create_schedule(C.op), [T, C], binds={T: given})
    assert first.splitlines()[1:6] == [
        'def main(T: T.Buffer((rows, 4), "float32", strides=(step, 1), elem_offset=start, align=64, offset_factor=2), '
        'C: T.Buffer((rows, 4), "float32")):',
        "    T.func_attr({\"outputs\": ['C']})",
        "    rows = T.int32()",
        "    step = T.int32()",
        "    start = T.int64()",
    ]


def test_a_flat_parameter_keeps_its_name() -> None:
    D = te.placeholder((4, 5), name="D")
    C = te.compute((4, 5), lambda i, j: D[i, j] + 1.0, name="C")
    flat = run(tewb.lower(te.create_schedule(C.op), [D, C])["main"], BUILD)
    assert check(flat).splitlines()[3:5] == [
        '    C = T.Buffer((20,), "float32", data=C.data)',
        '    D = T.Buffer((20,), "float32", data=D.data)',
    ]
    both = replace(
        flat.body, body=Seq((flat.body.body, BufferStore(flat.params[1], const(0.0), (const(0), const(0)))))
    )
    text = check(PrimFunc("main", flat.params, both, flat.outputs))
    assert "C_1[i * 5 + j] = " in text and "C[0, 0] = T.float32(0.0)" in text


def test_a_module_comes_back_with_all_its_functions() -> None:
    f = function(Evaluate(x))
    text = check(
        IRModule(
            {"main": f, "other": PrimFunc("other", (A,), BufferStore(A, const(1.0), (const(0),) * 2), (0,))}
        )
    )
    assert text.startswith("@I.ir_module\nclass Module:\n    @T.prim_func\n    def main(")
    check(IRModule({}))
    assert isinstance(parse(IRModule({"main": f}).script()), IRModule)
    assert isinstance(parse(f.script()), PrimFunc)


# ---------------------------------------------------------------- expressions


def load(*indices: Expr) -> Expr:
    lanes = max(e.dtype.lanes for e in indices)
    return BufferLoad(A, indices, FLOAT32.with_lanes(lanes))


V4, B4, V4F = INT32.with_lanes(4), BOOL.with_lanes(4), FLOAT32.with_lanes(4)
ramp = Ramp(i, const(1), 4, V4)
shape = Call("tvm_stack_make_shape", (const(8, "int64"), const(8, "int64")), HANDLE)


@pytest.mark.parametrize(
    ("e", "text"),
    [
        *[(cls(i, j, INT32), None) for cls in (Add, Sub, Mul, Div, Mod, FloorDiv, FloorMod, Min, Max)],
        *[(cls(x, x, FLOAT32), None) for cls in (Add, Sub, Mul, Div, Mod, Min, Max)],
        (Add(const(1), const(2), INT32), "1 + 2"),  # nothing is folded
        (Mul(x, const(1.0), FLOAT32), "x * T.float32(1.0)"),
        (Cast(const(3), FLOAT32), 'T.Cast("float32", 3)'),
        (Sub(i, Sub(j, const(1), INT32), INT32), "i - (j - 1)"),
        (FloorMod(const(-5), Mul(i, const(-2), INT32), INT32), "(-5) % (i * (-2))"),
        (Div(x, Div(x, x, FLOAT32), FLOAT32), "x / (x / x)"),
        (EQ(NE(i, j), b), "(i != j) == b"),
        (And(And(b, b), Or(b, And(b, Not(b)))), "b and b and (b or b and not b)"),
        (And(b, And(b, b)), "b and (b and b)"),
        (Not(Not(EQ(i, j))), "not not i == j"),
        (Select(b, x, x, FLOAT32), None),
        (Let(Var("t.0", INT32), i, Add(j, i, INT32), INT32), "T.Let(j + i, where={t._0: i})"),
        (Cast(Broadcast(i, 4, V4), FLOAT32.with_lanes(4)), 'T.Cast("float32x4", T.Broadcast(i, 4))'),
        (EQ(ramp, Broadcast(j, 4, V4), B4), "T.Ramp(i, 1, 4) == T.Broadcast(j, 4)"),
        (Not(And(Broadcast(b, 4, B4), Broadcast(b, 4, B4), B4), B4), None),
        (load(i, ramp), "A[i, i:i + 4]"),
        (load(Ramp(const(-2), const(1), 4, V4), const(0)), "A[-2:2, 0]"),
        (load(i, Ramp(Sub(i, j, INT32), const(1), 4, V4)), "A[i, i - j:i - j + 4]"),
        (load(i, Ramp(const(4, "int64"), const(1, "int64"), 4, INT64.with_lanes(4))), "A[i, T.int64(4):8]"),
        (load(i, Ramp(i, const(2), 4, V4)), "A[i, T.Ramp(i, 2, 4)]"),
        (BufferLoad(S, (), FLOAT32), "S[()]"),
        (Shuffle((load(i, ramp), load(j, ramp)), (0, 4, 1, 5), V4F), "T.Shuffle([A[i, i:i + 4], A[j, i:i + 4]], [0, 4, 1, 5])"),
        (Shuffle((x, x), (1, 0), FLOAT32.with_lanes(2)), "T.Shuffle([x, x], [1, 0])"),
        (Shuffle((load(i, ramp),), (3,), FLOAT32), "T.Shuffle([A[i, i:i + 4]], [3])"),
        (Call("isnan", (x,), BOOL), 'T.isnan(x, dtype="bool")'),
        (Call("reinterpret", (x,), INT32), None),
        (Call("tvm_call_packed", (StringImm("it's\n"),), INT32), "T.tvm_call_packed(\"it's\\n\", dtype=\"int32\")"),
        (Call("tvm_stack_make_array", (A.data, shape, const(0), const(2), const(0.0), n), HANDLE), None),
        (Call("call_extern", (StringImm("f"), i), HANDLE), "T.call_extern('f', i, dtype=\"handle\")"),
        *[(FloatImm(v, d), None) for v in (0.1, -0.0, 1e300, 5e-324) for d in (FLOAT32, FLOAT64)],
        *[(FloatImm(float(v), FLOAT32), f'T.float32("{v}")') for v in ("inf", "-inf", "nan")],
        *[(IntImm(v, BOOL), None) for v in (0, 1)],
        *[
            (IntImm(v, d), None)
            for d in map(DType, ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"))
            for v in (d.min_value(), 1, d.max_value())
        ],
    ],
    ids=repr,
)  # fmt: skip
def test_expressions_come_back_as_they_are(e: Expr, text: str | None) -> None:
    shown = check(function(Evaluate(e))).splitlines()[-1].strip()
    assert text is None or shown == f"T.evaluate({text})"


# Dot products have operands of their own: test_dot_products.py.
@pytest.mark.parametrize("op", sorted(intrinsics.CALLS.difference(intrinsics.DOTS)))
def test_every_intrinsic_comes_back(op: str) -> None:
    check(function(Seq((Evaluate(Call(op, (x, i), INT32)), Evaluate(Call(op, (x,), HANDLE))))))


def test_codegen_has_no_call_that_the_parser_does_not_know() -> None:
    from tewb.codegen.intrinsics import INTRINSICS

    assert INTRINSICS.keys() <= intrinsics.CALLS


# ---------------------------------------------------------------- statements


def store(value: Expr = x) -> Stmt:
    return BufferStore(A, value, (i, i))


local = Buffer("L", FLOAT32, (const(4),), (const(2),), scope="local", alignment=64)
view = Buffer("V", FLOAT32, (n, const(2)), (n, const(1)), n, data=A.data)
held = Var("held", FLOAT32)
region = ExternRegion("E", ("A[8, 8]",), ("C.tile[4] at i * 4",), "stateful")


@pytest.mark.parametrize(
    "s",
    [
        *[For(Var("k", INT32), const(0), const(4), kind, store()) for kind in ForKind],
        For(Var("k", INT64), const(2, "int64"), const(4, "int64"), ForKind.SERIAL, store()),
        For(Var("k", INT32), const(-2), i, ForKind.SERIAL, store()),
        For(Var("k", INT32), Sub(i, j, INT32), Add(i, j, INT32), ForKind.SERIAL, store()),
        For(Var("k.inner", INT32), i, const(4), ForKind.SERIAL, store()),
        While(EQ(i, j), store()),
        IfThenElse(b, store(), None),
        IfThenElse(b, store(), IfThenElse(b, store(), store())),
        Seq((Allocate(local, BufferStore(local, x, (i,))), store())),
        Allocate(local, Seq((BufferStore(local, x, (i,)), store()))),
        DeclBuffer(view, BufferStore(view, x, (n, n))),
        Seq((DeclBuffer(view, BufferStore(view, x, (n, n))), store())),
        LetStmt(held, x, Seq((store(held), store()))),
        Seq((LetStmt(held, x, store(held)), LetStmt(held, x, store(held)))),
        AssertStmt(b, 'say "no"', Seq((store(), store()))),
        Seq((AssertStmt(b, "first only", store()), store())),
        Seq((Seq((store(), AssertStmt(b, "nested", store()))), store())),
        Seq((store(), Seq(()))),
        AttrStmt(region, "extern_scope", const(3), store()),
        AttrStmt(A, "storage_alignment", const(64), store()),
        AttrStmt(i, "pragma", StringImm("x"), Seq((store(), store()))),
        AttrStmt("text", "about", b, store()),
        AttrStmt(None, "about", Add(i, j, INT32), store()),
    ],
    ids=lambda s: repr(s).splitlines()[0],
)  # fmt: skip
def test_statements_come_back(s: Stmt) -> None:
    check(function(s))


def test_names_are_made_readable() -> None:
    odd = [
        Var(name, INT32) for name in ("lambda", "a b", "in", "0", "T", "range", "A.data", "", "\ufb01", "fi")
    ]
    body = Seq(tuple([Evaluate(v) for v in odd]))
    for k, v in enumerate(odd):
        body = For(v, const(0), const(k + 2), ForKind.SERIAL, body)
    check(function(body))
    C = Buffer("C.v0", FLOAT32, (const(4),))
    text = check(PrimFunc("my-kernel", (C,), BufferStore(C, const(1.0), (const(0),)), (0,)))
    assert text.splitlines()[1:3] == [
        'def _my_kernel(C_v0: T.Buffer((4,), "float32")):',
        "    T.func_attr({\"global_symbol\": 'my-kernel', \"outputs\": ['C_v0']})",
    ]
    assert parse(text).name == "my-kernel"  # type: ignore[union-attr]


def test_sister_loops_are_equal_with_one_variable_or_two() -> None:
    k, m = Var("k", INT32), Var("k", INT32)

    def twice(p: Var, q: Var) -> Stmt:
        loops = [For(v, const(0), const(4), ForKind.SERIAL, store(Cast(v, FLOAT32))) for v in (p, q)]
        return Seq(tuple(loops))

    assert structural_equal(twice(k, k), twice(k, m)) and structural_equal(twice(k, m), twice(k, k))
    inner = For(m, const(0), const(4), ForKind.SERIAL, Evaluate(k))
    outer = For(k, const(0), const(4), ForKind.SERIAL, inner)
    shadow = For(
        k, const(0), const(4), ForKind.SERIAL, For(k, const(0), const(4), ForKind.SERIAL, Evaluate(k))
    )
    assert not structural_equal(outer, shadow) and not structural_equal(shadow, outer)


# ---------------------------------------------------------------- mistakes

FRAME = """@T.prim_func
def main(A: T.Buffer((8,), "float32"), x: T.float32, i: T.int32, b: T.bool):
    T.func_attr({"outputs": ["A"]})
    {}
"""


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("A[i] = y", "y is not declared", "names here: x, i, b, A"),
        ("A[i] = ii", "ii is not declared", "did you mean i?"),
        ("A[i, i] = x", "A has 1 dimensions, not 2", "one index for each dimension"),
        ("A[x] = x", "an index of dtype float32", "indices are integers"),
        ("x[i] = x", "x is a variable, and only buffers have elements", "buffers here: A"),
        ("A[i] = A", "A is a buffer", "write its element"),
        ("A[i] = i", "A takes float32 here, and this is int32", 'T.Cast("float32"'),
        ("A[0:4] = x", "A takes float32x4 here", "T.Broadcast"),
        ("A[i:9] = x", "a slice says its start twice", "A[i:i + 4]"),
        ("A[i] = x + i", "the sides of + are float32 and int32", "bring them to one dtype"),
        ("A[i] = 1.5", "1.5 does not say its dtype", "T.float32(1.5)"),
        ("T.evaluate(True)", "True does not say its dtype", "T.bool(True)"),
        ("T.evaluate(None)", "None is no number", "T.float32"),
        ("T.evaluate(3000000000)", "3000000000 does not fit int32", "T.int64(3000000000)"),
        ("T.evaluate(T.int8(300))", "300 is not a constant of int8", "from -128 to 127"),
        ("T.evaluate(i / i)", "does not say how to round", "T.truncdiv"),
        ("T.evaluate(i ** 2)", "Python's Pow is not an operator", "T.bitwise_and"),
        ("T.evaluate(-i)", "Python's USub is for constants", "0 - x"),
        ("T.evaluate(0 < i < 3)", "not one comparison", "`and` between"),
        ("T.evaluate(b and i)", "a condition is bool, not int32", "x != 0"),
        ("T.evaluate([i])", "Python's List is not part of the IR", "expressions are"),
        ("T.evaluate(print(i))", "print is not a function of the IR", "calls are T.name"),
        ("T.evaluate(T.Selekt(b, i, i))", "no function T.Selekt", "did you mean T.Select?"),
        ("T.evaluate(T.Select(b, i))", "not the arguments of this call", "T.Select(condition, then, other)"),
        ("T.evaluate(T.exp())", "T.exp() does not say its dtype", "dtype="),
        ("T.evaluate(T.Cast('float31', i))", "unknown dtype 'float31'", "float16/32/64"),
        ("T.evaluate(T.Cast(i, i))", "a dtype is text", ""),
        ("T.evaluate(T.Ramp(i, 1, i))", "an integer was expected", "such as 8"),
        ("T.evaluate(T.Broadcast(i, 0))", "a vector of 0 lanes", "positive"),
        ("T.evaluate(T.Shuffle([i], [1]))", "no lane 1 among the 1 lanes", "T.Shuffle([a, b], [lane, ...])"),
        ("T.evaluate(T.Shuffle([i, x], [1]))", "lanes of int32 and of float32", "T.Shuffle([a, b]"),
        ("T.evaluate(T.Shuffle([i], []))", "does not list vectors", "T.Shuffle([a, b]"),
        ("T.evaluate(T.Shuffle(i, [0]))", "does not list vectors", "T.Shuffle([a, b]"),
        ("T.evaluate(T.Shuffle([i], [i]))", "an integer was expected", ""),
        ("T.evaluate(T.Let(i, where={}))", "does not name one variable", "T.Let(body"),
        ("T.evaluate(T.sum(x, axis=[i]))", "a reduction over axes", "lower it first"),
        ("for k in foo(3): pass", "a loop cannot run over this", "T.parallel(n)"),
        ("for k in range(i, 9): pass", "not the bounds of a loop", "(a, a + n)"),
        ("for k, m in range(9): pass", "a loop has one variable", "range(n)"),
        ("for k in range(9, annotations=3): pass", "a loop takes its range and nothing else", "range(n)"),
        ("while i: pass", "a condition is bool, not int32", "x != 0"),
        ("if x: pass", "a condition is bool, not float32", "x != 0"),
        ("assert b", "does not say what is wrong", '"message"'),
        ("assert b, 'nothing follows'", "nothing follows for which this holds", "pass"),
        ("L = T.allocate((4,), 'float32')", "nothing follows for which this holds", "pass"),
        ("L = T.allocate(4, 'float32')", "a tuple was expected", "(4,)"),
        ("L = T.allocate((4,), 'float32', strides=(1, 1))", "2 strides for 1 dimensions", "one for each"),
        ("L = T.decl_buffer((4,), 'float32')", "not the arguments", "data=A.data"),
        ("L = T.decl_buffer((4,), 'float32', data=i)", "i is not memory", "A.data"),
        ("y = x + x", "y is not declared by this", "T.let(value)"),
        ("y = z = T.let(x)", "this assigns twice", "one target"),
        ("(y, z) = T.let(x)", "this cannot be assigned", "A[i] = x stores"),
        ("with open('f'): pass", "this does not open a block", "T.attr"),
        ("with T.attr(i, 3, i): pass", "text in quotes was expected", ""),
        ("with T.attr(T.extern_region('E', reads=3, writes=[], effect='pure'), 'k', 0): pass", "a list of text", "A[4]"),
        ("i + 1", "an expression alone is no statement", "T.evaluate"),
        ("return i", "Python's Return is not part of the IR", "statements are"),
        ("A[i] = = x", "this is not Python: invalid syntax", ""),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_and_explained(line: str, said: str, hint: str) -> None:
    with pytest.raises(ParseError) as e:
        parse(FRAME.replace("{}", line))
    told, shown, marks, *rest = str(e.value).splitlines()
    assert told.startswith("line 4, column ") and said in told
    assert shown == f"    {line}" and set(marks.strip()) == {"^"}
    assert hint in "\n".join(rest)


def test_the_caret_stands_below_the_mistake() -> None:
    with pytest.raises(ParseError) as e:
        parse(FRAME.replace("{}", "for é in range(4):\n        A[é] = T.max(x, nothing)"))
    assert str(e.value).splitlines()[:3] == [
        "line 5, column 25: nothing is not declared",
        "    A[é] = T.max(x, nothing)",
        "                    ^^^^^^^",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "text is one function or one module"),
        ("x = 3", "text is one function or one module"),
        (FRAME.replace("{}", "pass") * 2, "text is one function or one module"),
        ("def f():\n    pass", "function f is not marked as IR"),
        ("class C:\n    pass", "class C is not marked as a module"),
        ("@I.ir_module\nclass C:\n    x = 3", "a module holds functions"),
        ("@T.prim_func\ndef f(x):\n    pass", "parameter x does not say what it is"),
        ("@T.prim_func\ndef f(x: T.int3):\n    pass", "unknown dtype 'int3'"),
        ("@T.prim_func\ndef f(x: T.int32 = 3):\n    pass", "parameters are plain names"),
        ("@T.prim_func\ndef f(x: T.int32, x: T.int32):\n    pass", "two parameters have one name"),
        (
            '@T.prim_func\ndef f():\n    T.func_attr({"outputs": ["A"]})\n    pass',
            "output 'A' is not a parameter",
        ),
        (
            '@T.prim_func\ndef f():\n    T.func_attr({"inputs": []})\n    pass',
            "not the attributes of a function",
        ),
        ("@T.prim_func\ndef f():\n    T.func_attr(f)\n    pass", "a constant was expected"),
        ("@T.prim_func\ndef f():\n    n = T.int32()", "nothing follows"),
        ("@T.prim_func\ndef f():\n  pass\n pass", "this is not Python: unindent"),
        ("\0", "this is not Python"),
    ],
)
def test_what_is_no_function_is_explained(text: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        parse(text)


def test_two_functions_of_a_module_have_two_names() -> None:
    one = "    @T.prim_func\n    def f():\n        pass\n"
    with pytest.raises(ParseError, match="there are two functions f"):
        parse(f"@I.ir_module\nclass C:\n{one}{one}")


def test_nothing_in_the_text_is_run() -> None:
    with pytest.raises(ParseError, match="__import__ is not a function of the IR"):
        parse(FRAME.replace("{}", "T.evaluate(__import__('os'))"))


@pytest.mark.parametrize("known", ["", ", align=16", ", align=64"])
def test_nontemporal_stores_are_read_back(known: str) -> None:
    text = f"""
@T.prim_func
def main(A: T.Buffer((16,), "float32")):
    T.func_attr({{"outputs": ['A']}})
    if T.is_aligned(T.address_of(A[0]), 16):
        A[0:8] = T.nontemporal(T.Broadcast(T.float32(1.0), 8){known})
"""
    f = parse(text)
    assert f.script().strip() == text.strip()
    ordinary = parse(text.replace("T.nontemporal(", "").replace(f"8){known})", "8)"))
    assert not structural_equal(f, ordinary)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("T.nontemporal(T.float32(1.0), align=3)", "an address is no multiple of 3 bytes"),
        ("T.nontemporal(T.float32(1.0), align=0)", "an address is no multiple of 0 bytes"),
        ("T.nontemporal(T.float32(1.0), 16)", "these are not the arguments of this call"),
        ("T.nontemporal(T.float32(1.0), size=16)", "these are not the arguments of this call"),
        ("T.nontemporal(T.float64(1.0))", "takes float32 here, and this is float64"),
        ("T.nontemporal(T.float32(1.0)) + T.float32(1.0)", "there is no function T.nontemporal"),
    ],
)
def test_nontemporal_stores_that_are_none(written: str, reason: str) -> None:
    head = '@T.prim_func\ndef main(A: T.Buffer((16,), "float32")):\n'
    with pytest.raises(ParseError, match=re.escape(reason)):
        parse(f"{head}    A[0] = {written}\n")


@pytest.mark.parametrize("follows", [False, True])
def test_a_check_of_lanes_comes_back_wherever_it_stands(follows: bool) -> None:
    """`with T.Assert(...)` where something follows the statement that is checked, `assert` where nothing does."""
    A = te.placeholder((1, 2), name="A")
    index = te.placeholder((2,), "int64", name="index")
    C = te.compute((2,), lambda i: A[index[i], 0], name="C")
    D = te.compute((1,), lambda i: te.const(1.0, "float32"), name="D")
    outputs = [C, D] if follows else [C]
    s = te.create_schedule([t.op for t in outputs])
    s[C].vectorize(C.op.axis[0])
    texts = every_pass(s, [A, index, *outputs])
    assert any(("with T.Assert(" if follows else "assert ") in text for text in texts)
