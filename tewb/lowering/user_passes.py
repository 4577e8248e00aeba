"""Passes as classic programs have them: objects that are called with a module, and functions that lowering calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from tewb.base import LowerError, PassContext, here, option
from tewb.ir import IRModule, PrimFunc, Stmt, verify
from tewb.lowering.pipeline import AnyPass, Pass

PHASES = {0: "simplify", 1: "partition_loops", 2: "simplify again", 3: ""}  # the pass before which a phase is


class PassInfo(NamedTuple):
    """What a pass is called, and from which opt_level on a Sequential runs it."""

    opt_level: int
    name: str
    required: tuple[str, ...] = ()


class ModulePass:
    """A pass that is called with a module, and returns one: `mod = a_pass(mod)`."""

    def __init__(self, run: Callable[[IRModule, PassContext], IRModule], info: PassInfo) -> None:
        self._run, self.info, self.pass_info = run, info, info

    def __call__(self, mod: IRModule) -> IRModule:
        if not isinstance(mod, IRModule):
            raise LowerError(
                f"pass {self.info.name} takes a module, not {mod!r}",
                hint="tewb.lower(s, [A, B, C]) makes one, and IRModule.from_expr(f)",
                span=here(),
            )
        result = self._run(mod, PassContext.current())
        if not isinstance(result, IRModule):
            raise LowerError(
                f"pass {self.info.name} returned {result!r}, and no module",
                hint="return the module",
                span=here(),
            )
        return result

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.info.name})"


class Sequential(ModulePass):
    """Passes one after the other, without those that `disabled_pass` names or that need a higher opt_level."""

    def __init__(
        self,
        passes: Sequence[Callable[[IRModule], IRModule]] = (),
        opt_level: int = 0,
        name: str = "sequential",
        required: Collection[str] = (),
    ) -> None:
        self.passes = list(passes)
        super().__init__(self._run_all, PassInfo(opt_level, name, tuple(required)))

    def _run_all(self, mod: IRModule, context: PassContext) -> IRModule:
        for p in self.passes:
            info = getattr(p, "info", PassInfo(0, ""))
            if info.opt_level <= context.opt_level and info.name not in context.disabled_pass:
                mod = p(mod)
        return mod


def _of_functions(run: Callable[[PrimFunc], PrimFunc], info: PassInfo) -> ModulePass:
    """The pass that does the same to each function of a module."""
    return ModulePass(
        lambda mod, context: IRModule({n: run(f) for n, f in mod.functions.items()}, attrs=mod.attrs), info
    )


def of_lowering(p: AnyPass, name: str) -> ModulePass:
    """A pass of lowering as one that is called with a module."""
    return _of_functions(p.run, PassInfo(0, f"tir.{name}"))


def module_pass(
    pass_func: Any = None,
    opt_level: int = 0,
    name: str | None = None,
    required: Collection[str] | None = None,
) -> Any:
    """Make a pass of a function (mod, ctx) that returns a module, or of a class with `transform_module` (a decorator)."""
    return _decorator(pass_func, opt_level, name, required, "transform_module", lambda f: f)


def prim_func_pass(
    pass_func: Any = None,
    opt_level: int = 0,
    name: str | None = None,
    required: Collection[str] | None = None,
) -> Any:
    """Make a pass of a function (func, mod, ctx) that returns a function, or of a class with `transform_function` (a
    decorator)."""

    def of_each(f: Callable[..., PrimFunc]) -> Callable[[IRModule, PassContext], IRModule]:
        return lambda mod, context: IRModule(
            {n: f(function, mod, context) for n, function in mod.functions.items()}, attrs=mod.attrs
        )

    return _decorator(pass_func, opt_level, name, required, "transform_function", of_each)


def _decorator(
    pass_func: Any,
    opt_level: int,
    name: str | None,
    required: Collection[str] | None,
    method: str,
    adapted: Callable[[Callable[..., Any]], Callable[[IRModule, PassContext], IRModule]],
) -> Any:
    def decorate(f: Any) -> Any:
        info = PassInfo(opt_level, name or f.__name__, tuple(required or ()))
        if not inspect.isclass(f):
            return ModulePass(adapted(f), info)
        return lambda *args, **options: ModulePass(adapted(getattr(f(*args, **options), method)), info)

    return decorate if pass_func is None else decorate(pass_func)


def print_ir(header: str = "", show_meta_data: bool = False) -> ModulePass:
    """The pass that prints the module, and changes nothing."""

    def show(mod: IRModule, context: PassContext) -> IRModule:
        print(f"{header}\n{mod}" if header else mod)
        return mod

    return ModulePass(show, PassInfo(0, "PrintIR"))


# ---------------------------------------------------------------- passes that lowering calls


def with_user_passes(passes: Sequence[AnyPass]) -> list[AnyPass]:
    """`passes` of lowering, and between them those of the option tir.add_lower_pass."""
    added = option("tir.add_lower_pass")
    if not added:
        return list(passes)
    result: list[AnyPass] = []
    for p in (*passes, None):
        phases = [n for n, before in PHASES.items() if before == ("" if p is None else p.name)]
        result += [_of_phase(n, f) for n, f in added if n in phases]
        result += [] if p is None else [p]
    return result


def _of_phase(phase: int, f: Callable[..., Any]) -> Pass:
    name = f.info.name if isinstance(f, ModulePass) else getattr(f, "__name__", type(f).__name__)
    return Pass(
        lambda function: _sound(_changed(f, function, name), name),
        "a pass of the user's",
        named=f"phase {phase}: {name}",
        keeps_provenance=False,
    )


def _sound(function: PrimFunc, name: str) -> PrimFunc:
    """`function`, that a user's pass made. Raises LowerError if it breaks what holds of every function."""
    wrong = next((violation for promise in verify.ALWAYS for violation in promise(function)), None)
    if wrong is not None:
        raise LowerError(
            f"the lowering pass {name} made a function that cannot be: {wrong}",
            hint="print(tewb.lower(s, args)) shows what it was before",
            span=here(),
        )
    return function


def _changed(f: Callable[..., Any], function: PrimFunc, name: str) -> PrimFunc:
    """What a user's pass makes of a function. Raises LowerError if that is no statement, function or module."""
    result = f(IRModule({function.name: function})) if isinstance(f, ModulePass) else f(function.body)
    match result:
        case Stmt():
            return function.with_body(result)
        case PrimFunc():
            return result
        case IRModule() if len(result.functions) == 1:
            return next(iter(result.functions.values()))
    raise LowerError(
        f"the lowering pass {name} returned {result!r}, and no statement",
        hint="a pass returns the body of the function, changed or not",
        span=here(),
    )
