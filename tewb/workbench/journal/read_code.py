"""Reading a schedule from Python code, without running it.

The code is what the workbench shows, or what a user would write by hand: the few forms of Python that schedules
are made of are evaluated on an untouched copy of the schedule, with the primitives themselves. Everything else
is refused, with its position.
"""

from __future__ import annotations

import ast
import inspect
import operator
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tewb.base import ParseError, ScheduleError, Span, TewbError, UnreadableError, python_lines, python_tree
from tewb.ir import Expr, IterVar, Var, const_int, thread_axis
from tewb.schedule import PRIMITIVES, RECIPES, Recipe, Schedule, Stage, StageGroup
from tewb.tensor import Operation, Tensor
from tewb.workbench.journal.text_errors import ReadSteps, TextRange, closest, text_error

_MODULES = ("te", "tewb", "tvm", "np", "numpy", "print")
_INTEGERS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod}  # fmt: skip
_DEFINES = ("placeholder", "compute", "extern")
_STATEMENTS: dict[type, str] = {
    ast.For: "loops", ast.While: "loops", ast.If: "conditions", ast.With: "with blocks", ast.ClassDef: "classes",
    ast.AugAssign: "assignments in place", ast.AnnAssign: "annotations", ast.Delete: "del", ast.Assert: "assert",
}  # fmt: skip
_FIELDS: dict[type, tuple[str, ...]] = {
    Schedule: ("outputs", "stages", "groups"),
    Tensor: ("op",),
    Stage: ("op", "leaf_iter_vars", "all_iter_vars"),
    Operation: ("axis", "reduce_axis"),
    IterVar: ("var",),
}


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A value that code may name although it plays no part in the schedule: a module, a built kernel."""

    name: str


def read_code(
    text: str, schedule: Schedule, tensors: Mapping[Tensor, str], variables: Mapping[Var, str] | None = None
) -> ReadSteps:
    """The steps that the Python code `text` does on `s`, each with the position of its call.

    `tensors` and `variables` are the identifiers that the program is shown with. Definitions of tensors are read for their
    names: they must be those of this program. A recipe that it defines is known from then on. Raises ParseError.
    """
    try:
        tree = python_tree(text)
    except UnreadableError as e:
        raise text_error(text if isinstance(text, str) else "", TextRange(e.line, e.column), e.why) from None
    text = "\n".join(python_lines(text))
    reader = _Reader(text, schedule.untouched(), tensors, variables or {})
    try:
        for statement in tree.body:
            reader.statement(statement)
    except RecursionError:
        raise ParseError(
            "this code is nested too deeply", hint="give the inner parts names, line by line"
        ) from None
    for made in reader.recipes:
        keep_written(made)
    return reader.found


def keep_written(made: Recipe) -> None:
    """Let a recipe that was written as text be known by its name, unless a function of Python has that name."""
    known = RECIPES.get(made.name)
    if known is None or (known.source is not None and known.source != made.source):
        RECIPES[made.name] = made


def written_recipe(source: str, known: Mapping[str, Recipe] | None = None) -> Recipe:
    """The recipe that a function definition means. It is read, not run, each time that it is called; `known` are recipes that
    it may call besides those of RECIPES. Raises ParseError."""
    try:
        tree = python_tree(source)
    except UnreadableError as e:
        raise text_error(
            source if isinstance(source, str) else "", TextRange(e.line, e.column), e.why
        ) from None
    match tree.body:
        case [ast.FunctionDef() as function]:
            return _recipe_of(source, function, dict(known or {}))
    raise text_error(
        source, TextRange(1, 0), "this is not the definition of a recipe", "def tiled(s, C, x=4): ..."
    )


def _recipe_of(source: str, function: ast.FunctionDef, known: Mapping[str, Recipe]) -> Recipe:
    try:
        signature = _signature(function)
    except ValueError:
        where = TextRange(function.lineno, function.col_offset)
        raise text_error(source, where, "the defaults of a recipe are numbers and words") from None

    def steps(s: Any, *args: Any, **kwargs: Any) -> Any:
        given = signature.bind(s, *args, **kwargs)
        given.apply_defaults()
        reader = _Reader(source, s, {}, {})
        reader.names |= {**known, **given.arguments}
        try:
            return reader.body(function)
        except ParseError as e:
            cause = e.__cause__
            raise ScheduleError(e.message, loops=getattr(cause, "loops", None), hint=e.hint) from None

    steps.__name__ = steps.__qualname__ = function.name
    steps.__doc__ = ast.get_docstring(function)
    return Recipe(steps, source, signature)


def _signature(function: ast.FunctionDef) -> inspect.Signature:
    """The parameters of a function definition, of which each has a name. Raises ValueError for defaults that are no
    constants."""
    a = function.args
    if a.vararg or a.kwarg:
        raise ValueError
    positional = [*a.posonlyargs, *a.args]
    defaults = [*[None] * (len(positional) - len(a.defaults)), *a.defaults, *a.kw_defaults]
    return inspect.Signature(
        [
            _parameter(p, default, p in a.kwonlyargs)
            for p, default in zip([*positional, *a.kwonlyargs], defaults, strict=True)
        ]
    )


def _parameter(p: ast.arg, default: ast.expr | None, by_name: bool) -> inspect.Parameter:
    empty = inspect.Parameter.empty
    return inspect.Parameter(
        p.arg,
        inspect.Parameter.KEYWORD_ONLY if by_name else inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=empty if default is None else ast.literal_eval(default),
        annotation=empty if p.annotation is None else ast.unparse(p.annotation),
    )


class _Reader:
    """Evaluates statements. `names` holds what each identifier means, `trial` is the schedule they change."""

    def __init__(
        self, text: str, trial: Schedule, tensors: Mapping[Tensor, str], variables: Mapping[Var, str]
    ) -> None:
        self.text, self.lines = text, text.split("\n")
        self.trial = trial
        self.variables = dict(variables)
        self.first = list(self.trial.stages)
        self.names: dict[str, Any] = {name: _Unknown(name) for name in _MODULES}
        self.names |= RECIPES
        self.names |= {name: tensor for tensor, name in tensors.items()}
        for v, name in variables.items():
            self.names.setdefault(name, v)
        self.names.setdefault("s", self.trial)
        self.unread = [t for t in tensors if trial.find(t) is None]
        self.recipes: list[Recipe] = []
        self.for_recipe = False
        self.defined: list[Stage] = []
        self.found: ReadSteps = []

    def place(self, node: ast.AST) -> TextRange:
        line, start = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        text = self.lines[line - 1].encode()
        ends_here = getattr(node, "end_lineno", line) == line
        end = getattr(node, "end_col_offset", None) if ends_here else len(text)
        column = len(text[:start].decode(errors="ignore"))
        return TextRange(line, column, max(1, len(text[start:end].decode(errors="ignore"))))

    def known(self) -> str:
        """A hint: the names that mean something."""
        return f"there are {', '.join(n for n in self.names if n not in _MODULES and n not in RECIPES)}"

    def refuse(self, node: ast.AST, why: str, hint: str | None = None) -> ParseError:
        return text_error(self.text, self.place(node), why, hint)

    # ---- statements

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Import(names) | ast.ImportFrom(names=names):
                for alias in names:
                    name = (alias.asname or alias.name).split(".")[0]
                    self.names[name] = _Unknown(name)
            case ast.FunctionDef(name):
                is_recipe = any(ast.unparse(d).split(".")[-1] == "recipe" for d in node.decorator_list)
                self.names[name] = self.recipe_defined(node) if is_recipe else _Unknown(name)
            case ast.Expr(ast.Constant(str())) | ast.Pass():
                pass
            case ast.Expr(value):
                self.value(value)
            case ast.With([ast.withitem(ast.Call(ast.Attribute(owner, "specialize")) as call)], body):
                end = ast.Call(ast.Attribute(owner, "otherwise", ast.Load()), [], [])
                for inner in (ast.Expr(call), *body, ast.copy_location(ast.Expr(end), call)):
                    self.statement(ast.fix_missing_locations(inner))
            case ast.Assign([target], ast.Call() as call) if self.is_foreign(call):
                self.define(target, call)
            case ast.Assign(targets, value):
                meaning = self.value(value)
                for target in targets:
                    self.bind(target, meaning)
            case _:
                said = _STATEMENTS.get(type(node), "other statements")
                raise self.refuse(
                    node,
                    f"a schedule is read from assignments and calls of primitives, not from {said}",
                    "write the calls one after the other",
                )

    def body(self, function: ast.FunctionDef) -> Any:
        """Do the statements of a recipe; what it returns."""
        for statement in function.body:
            if isinstance(statement, ast.Return):
                return None if statement.value is None else self.value(statement.value)
            self.statement(statement)
        return None

    def recipe_defined(self, function: ast.FunctionDef) -> Recipe:
        """The recipe that a definition means: the function of that name, where it was run and its text is the same."""
        lines = self.lines[function.lineno - 1 : function.end_lineno]
        source = "\n".join(["@tewb.recipe", *lines, ""])
        known = RECIPES.get(function.name)
        if known is not None and known.source is None and _text_of(known) == ast.unparse(function):
            return known
        made = written_recipe(source, {r.name: r for r in self.recipes})
        self.recipes.append(made)
        return made

    def bind(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(name):
                self.names[name] = value
            case ast.Tuple(parts) | ast.List(parts):
                self.unpack(target, parts, value)
            case _:
                raise self.refuse(target, "only names can be assigned to")

    def unpack(self, target: ast.expr, parts: list[ast.expr], value: Any) -> None:
        if isinstance(value, _Unknown):
            value = [value] * len(parts)
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self.refuse(target, f"{len(parts)} names for one value")
        stars = [i for i, part in enumerate(parts) if isinstance(part, ast.Starred)]
        spare = len(value) - len(parts)
        if len(stars) > 1 or (spare < -1 if stars else spare != 0):
            raise self.refuse(target, f"{len(parts)} names for {len(value)} values")
        values: list[Any] = list(value)
        if stars:
            at = stars[0]
            values[at : at + spare + 1] = [values[at : at + spare + 1]]
        for part, one in zip(parts, values, strict=True):
            self.bind(part.value if isinstance(part, ast.Starred) else part, one)

    # ---- definitions, which are read for their names

    def is_foreign(self, call: ast.Call) -> bool:
        """Whether a call has nothing to do with the schedule: of another module, or of the user's own function."""
        f: ast.expr = call.func
        while isinstance(f, ast.Attribute):
            f = f.value
        return isinstance(f, ast.Name) and isinstance(self.names.get(f.id), _Unknown)

    def define(self, target: ast.expr, call: ast.Call) -> None:
        """Bind what a call defines to what it is in this program."""
        kind = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if kind == "create_schedule":
            return self.bind(target, self.created(call))
        if kind == "thread_axis":
            return self.bind(target, self.thread_axis(call))
        if kind in ("var", "size_var"):
            return self.bind(target, self.variable(call, target))
        if kind == "reduce_axis":
            return self.bind(target, self.said_name(call, target))
        of_user = isinstance(call.func, ast.Name)  # a hybrid function defines a tensor as te.compute does
        if kind not in _DEFINES and not of_user:
            return self.bind(target, _Unknown(f"{ast.unparse(call.func)}(...)"))
        wanted = self.said_name(call, target)
        stage = next((st for st in self.first if st.op.name == wanted and st not in self.defined), None)
        if stage is not None:
            self.defined.append(stage)
            self.same_shape(call, stage)
            tensors = stage.op.outputs
            return self.bind(target, tensors[0] if isinstance(target, ast.Name) else tensors)
        unread = next((t for t in self.unread if t.name == wanted), None)
        if unread is not None:  # an argument that no stage reads
            return self.bind(target, unread)
        if kind in _DEFINES:
            known = ", ".join(st.name for st in self.first)
            raise self.refuse(call, f"the program of this session has no tensor {wanted}", f"it has {known}")
        for name in [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]:
            self.names.setdefault(name, _Unknown(name))

    def variable(self, call: ast.Call, target: ast.expr) -> Any:
        """The variable of this program that a definition means: by its name, or what it is assigned to."""
        first = call.args[0] if call.args else None
        name = first.value if isinstance(first, ast.Constant) else self.said_name(call, target)
        alike = [v for v in self.variables if v.name == name]
        own = next((v for v in alike if self.variables[v] == getattr(target, "id", None)), None)
        own = next(iter(alike), None) if own is None else own
        return _Unknown(f"{ast.unparse(call.func)}({name!r})") if own is None else own

    def said_name(self, call: ast.Call, target: ast.expr) -> str:
        """The name that a definition gives: `name="C"`, or else what it is assigned to."""
        for k in call.keywords:
            if k.arg == "name" and isinstance(k.value, ast.Constant):
                return str(k.value.value)
        return next((n.id for n in ast.walk(target) if isinstance(n, ast.Name)), "")

    def same_shape(self, call: ast.Call, stage: Stage) -> None:
        """Refuse a definition of another shape, as far as it gives the shape in numbers."""
        try:
            said = self.value(call.args[0]) if call.args else ()
        except ParseError:
            return
        own = [const_int(n) for n in stage.op.output(0).shape]
        numbers = isinstance(said, list | tuple) and all(isinstance(n, int) for n in said)
        if numbers and said and None not in own and list(said) != own:
            raise self.refuse(
                call.args[0],
                f"{stage.name} has the shape ({', '.join(map(str, own))}) in this session",
                "only the schedule can be edited; make another session for another program",
            )

    def created(self, call: ast.Call) -> Any:
        """`te.create_schedule(C.op)` is the schedule of the session, if its outputs are."""
        given = self.value(call.args[0]) if call.args else ()
        several = given if isinstance(given, list | tuple) else [given]
        outputs = [t.op if isinstance(t, Tensor) else t for t in several]
        if {id(op) for op in outputs} != {id(op) for op in self.trial.outputs}:
            own = ", ".join(op.name for op in self.trial.outputs)
            raise self.refuse(call, f"the schedule of this session computes {own}")
        return self.trial

    # ---- expressions

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(str() | int() | None as constant):
                return constant
            case ast.Constant(float() as constant) if self.for_recipe:
                return constant
            case ast.Name(name):
                if name not in self.names:
                    raise self.refuse(
                        node, f"{name} has no meaning here", closest(name, self.names) or self.known()
                    )
                return self.names[name]
            case ast.Tuple(parts) | ast.List(parts):
                return self.values(parts)
            case ast.UnaryOp(ast.USub(), ast.Constant(float() as constant)) if self.for_recipe:
                return -constant
            case ast.UnaryOp(ast.USub(), inner):
                return -self.integer(inner)
            case ast.BinOp(left, op, right) if type(op) in _INTEGERS:
                return self.arithmetic(node, left, op, right)
            case ast.Subscript(inner, index):
                return self.item(node, self.value(inner), index)
            case ast.Attribute(inner, name):
                return self.attribute(node, self.value(inner), name)
            case ast.Call():
                return self.call(node)
            case (
                ast.Lambda() | ast.Compare() | ast.BoolOp()
            ):  # a layout or a condition, which is kept as text
                return ast.unparse(node)
        raise self.refuse(
            node, "this is no part of a schedule that can be read", "numbers, names, calls and lists are"
        )

    def values(self, parts: Sequence[ast.expr]) -> list[Any]:
        elements: list[Any] = []
        for part in parts:
            if not isinstance(part, ast.Starred):
                elements.append(self.value(part))
                continue
            several = self.value(part.value)
            if not isinstance(several, list | tuple):
                raise self.refuse(part, "only lists can be spread with *")
            elements += several
        return elements

    def integer(self, node: ast.expr) -> int:
        return self.whole(node, self.value(node))

    def whole(self, node: ast.expr, number: Any) -> int:
        """A value, which is a whole number of at most 64 bits."""
        if not isinstance(number, int) or abs(number) >= 1 << 63:
            raise self.refuse(node, "this is not a whole number")
        return number

    def arithmetic(self, node: ast.expr, left: ast.expr, op: ast.operator, right: ast.expr) -> Any:
        sides = self.value(left), self.value(right)
        if any(isinstance(x, Expr) for x in sides):
            return self.expression(node, sides, op)
        a, b = self.whole(left, sides[0]), self.whole(right, sides[1])
        if b == 0 and isinstance(op, ast.FloorDiv | ast.Mod):
            raise self.refuse(node, "this divides by zero")
        return int(_INTEGERS[type(op)](a, b))

    def expression(self, node: ast.expr, sides: tuple[Any, Any], op: ast.operator) -> Expr:
        """An expression of the program's variables, as the size of a split may be."""
        for x in sides:
            if isinstance(x, bool) or not isinstance(x, Expr | int):
                raise self.refuse(node, f"{_said(x)} is no number")
        try:
            made: Expr = _INTEGERS[type(op)](*sides)
        except TewbError as e:
            raise self.refuse(node, e.message, e.hint) from None
        return made

    def item(self, node: ast.expr, owner: Any, index: ast.expr) -> Any:
        if isinstance(owner, Schedule):
            wanted = self.value(index)
            stage = owner.find(wanted)
            if stage is None:
                names = ", ".join(st.name for st in owner.stages)
                raise self.refuse(
                    index, f"{_said(wanted)} is not a stage of this schedule", f"it has {names}"
                )
            return stage
        if isinstance(owner, list | tuple):
            if isinstance(index, ast.Slice):
                ends = [
                    None if e is None else self.integer(e) for e in (index.lower, index.upper, index.step)
                ]
                return list(owner)[slice(*ends)] if ends[2] != 0 else []
            at = self.integer(index)
            if not -len(owner) <= at < len(owner):
                raise self.refuse(index, f"there are {len(owner)}, so there is no number {at}")
            return owner[at]
        raise self.refuse(node, f"{_said(owner)} has no elements that a schedule can use")

    def attribute(self, node: ast.expr, owner: Any, name: str) -> Any:
        for kind, fields in _FIELDS.items():
            if isinstance(owner, kind):
                if name in fields:
                    return getattr(owner, name)
                raise self.refuse(node, f"{_said(owner)} has no {name} here", f"it has {', '.join(fields)}")
        if isinstance(owner, _Unknown):
            return _Unknown(f"{owner.name}.{name}")
        raise self.refuse(node, f"{_said(owner)} has no {name} here")

    # ---- calls

    def call(self, node: ast.Call) -> Any:
        if self.is_foreign(node):
            name = ast.unparse(node.func)
            if name.endswith(".thread_axis"):
                return self.thread_axis(node)
            return self.created(node) if name.endswith(".create_schedule") else _Unknown(f"{name}(...)")
        if isinstance(node.func, ast.Name) and isinstance(self.names.get(node.func.id), Recipe):
            return self.recipe(node, self.names[node.func.id])
        if not isinstance(node.func, ast.Attribute):
            name = ast.unparse(node.func)
            hint = (
                f"write s[C].split(i, 8); a recipe has its definition before: @tewb.recipe def {name}(s, C)"
            )
            raise self.refuse(node, f"{name} is not a primitive", hint)
        owner, name = self.value(node.func.value), node.func.attr
        if isinstance(owner, Var) and name == "equal" and len(node.args) == 1:
            return owner.equal(self.integer(node.args[0]))
        if isinstance(owner, Operation | Tensor) and name == "output":
            return self.output(node, owner)
        if not isinstance(owner, Schedule | Stage | StageGroup):
            raise self.refuse(
                node, f"{_said(owner)} has no primitives", "they belong to stages: s[C].split(i, 8)"
            )
        return self.primitive(node, owner, name)

    def thread_axis(self, node: ast.Call) -> IterVar:
        """The threads of `te.thread_axis((0, 64), "threadIdx.x")`."""
        args, keywords = self.arguments(node)
        try:
            return thread_axis(*args, **keywords)
        except (TewbError, TypeError) as e:
            hint = e.hint if isinstance(e, TewbError) else None
            raise self.refuse(node, str(e).splitlines()[0], hint) from None

    def output(self, node: ast.Call, owner: Any) -> Tensor:
        op = owner.op if isinstance(owner, Tensor) else owner
        number = self.integer(node.args[0]) if len(node.args) == 1 else -1
        if not 0 <= number < len(op.outputs):
            raise self.refuse(node, f"{op.name} has {len(op.outputs)} outputs, counted from 0")
        return op.output(number)

    def primitive(self, node: ast.Call, owner: Schedule | Stage | StageGroup, name: str) -> Any:
        """Do a primitive on the trial schedule, and note the step."""
        own = [p.name for p in PRIMITIVES.values() if isinstance(owner, p.owner)]
        if isinstance(owner, StageGroup):
            own = ["compute_at", "compute_root"]
        if name not in own:
            what = "the schedule" if isinstance(owner, Schedule) else f"{_kind(owner)} {owner.name}"
            raise self.refuse(node.func, f"{what} has no primitive {name}", closest(name, own))
        f = getattr(owner, name)
        args, keywords = self.arguments(node)
        try:
            inspect.signature(f).bind(*args, **keywords)
        except TypeError as e:
            raise self.refuse(node, f"{name}: {e}") from None
        try:
            result = f(*args, **keywords)
        except TewbError as e:
            raise self.refuse(node, e.message, e.hint) from e
        place = self.place(node)
        step = replace(self.trial.journal[-1], span=Span("the schedule's code", place.line))
        self.found.append((step, place))
        return result

    def recipe(self, node: ast.Call, recipe: Recipe) -> Any:
        """Do a recipe on the trial schedule, and note its steps."""
        self.for_recipe = True  # which takes numbers that no primitive does
        args, keywords = self.arguments(node)
        self.for_recipe = False
        before, place = len(self.trial.journal), self.place(node)
        try:
            result = recipe(*args, **keywords)
        except TewbError as e:
            raise self.refuse(node, e.message, e.hint) from e
        except Exception as e:  # of the user's own function
            raise self.refuse(node, f"{recipe.name}: {type(e).__name__}: {e}") from e
        for step in self.trial.journal[before:]:
            step.calls[len(self.trial.calls)].span = Span("the schedule's code", place.line)
            self.found.append((step, place))
        return result

    def arguments(self, node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
        args = self.values(node.args)
        keywords: dict[str, Any] = {}
        for k in node.keywords:
            if k.arg is None:
                raise self.refuse(k, "** cannot be read here")
            keywords[k.arg] = self.value(k.value)
        for one in _flat([*args, *keywords.values()]):
            if isinstance(one, _Unknown):
                raise self.refuse(node, f"the value of {one.name} is not known here")
        return args, keywords


def _text_of(recipe: Recipe) -> str | None:
    """The definition of a recipe of Python, as `ast` writes it; None where there is no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(recipe.function)))
    except (OSError, TypeError, SyntaxError):
        return None
    return ast.unparse(tree)


def _flat(values: Sequence[Any]) -> list[Any]:
    return [x for v in values for x in (_flat(v) if isinstance(v, list | tuple) else [v])]


def _kind(owner: Stage | StageGroup) -> str:
    return "stage" if isinstance(owner, Stage) else "group"


def _said(value: Any) -> str:
    """A value described for a person."""
    match value:
        case Schedule():
            return "the schedule"
        case Stage(name=name):
            return f"stage {name}"
        case Tensor(name=name):
            return f"tensor {name}"
        case Operation(name=name):
            return f"operation {name}"
        case IterVar(name=name):
            return f"loop {name}"
        case _Unknown(name=name):
            return name
        case list() | tuple():
            return "a list"
    return repr(value)
