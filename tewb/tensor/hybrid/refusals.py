"""What Python has and the hybrid language has not, with what to write instead."""

from __future__ import annotations

import ast

STATEMENTS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Break: ("break", "let a while ask: while i < n and not found"),
    ast.Continue: ("continue", "put the rest of the body into an if"),
    ast.With: ("with", "write its body alone"),
    ast.Try: ("try", "ask with an if before; assert stops the kernel"),
    ast.Raise: ("raise", "assert condition, 'text' stops the kernel"),
    ast.Import: ("import", "import outside of the function; its words need none"),
    ast.ImportFrom: ("import", "import outside of the function; its words need none"),
    ast.FunctionDef: ("def inside of a function", "define it outside with @te.hybrid.script"),
    ast.AsyncFunctionDef: ("async", "loops run with parallel(n)"),
    ast.ClassDef: ("class", "use tensors and numbers"),
    ast.Global: ("global", "return what the caller needs"),
    ast.Nonlocal: ("nonlocal", "return what the caller needs"),
    ast.Delete: ("del", "memory ends with its block"),
    ast.Match: ("match", "write if, elif and else"),
    ast.AnnAssign: ("an annotation", "write x = float32(0.0): the first value gives the dtype"),
    ast.AsyncFor: ("async", "loops run with parallel(n)"),
    ast.AsyncWith: ("async", "write its body alone"),
}

EXPRESSIONS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lambda: ("lambda", "write the expression where it is used"),
    ast.ListComp: ("a comprehension", "allocate a tensor and fill it in a loop"),
    ast.SetComp: ("a comprehension", "allocate a tensor and fill it in a loop"),
    ast.DictComp: ("a comprehension", "allocate a tensor and fill it in a loop"),
    ast.GeneratorExp: ("a comprehension", "allocate a tensor and fill it in a loop"),
    ast.Dict: ("a dict", "use tensors, or a tuple with known indices"),
    ast.Set: ("a set", "use tensors, or a tuple with known indices"),
    ast.JoinedStr: ("an f-string", "strings name dtypes and the texts of assert"),
    ast.Yield: ("yield", "write the values into an output tensor"),
    ast.YieldFrom: ("yield", "write the values into an output tensor"),
    ast.Await: ("await", "call the function alone"),
    ast.NamedExpr: (":=", "assign in a line before"),
    ast.Starred: ("* in front of a value", "write the values out"),
    ast.Slice: ("a slice here", "slices stand in the brackets of a tensor: a[1:n, :]"),
}

OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.MatMult: ("@", "write the loops of the product"),
    ast.Is: ("is", "compare with =="),
    ast.IsNot: ("is not", "compare with !="),
    ast.In: ("in", "compare in a loop"),
    ast.NotIn: ("not in", "compare in a loop"),
}
