"""Passes as classic programs have them: objects that are called with a module, and functions that lowering calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any

from tewb.base import LowerError, PassContext, here, name_pass, option
from tewb.ir import IRModule, PrimFunc, Stmt, verify
from tewb.lowering.instruments import PassInfo, should_run, tell_after, tell_before
from tewb.lowering.pipeline import BUILD, LOWER, AnyPass, Pass, info_of

PHASES = {0: "simplify", 1: "partition_loops", 2: "simplify again", 3: ""}  # the pass before which a phase is


class ModulePass:
    """A pass that is called with a module, and returns one: `mod = a_pass(mod)`."""

    def __init__(self, run: Callable[[IRModule, PassContext], IRModule], info: PassInfo) -> None:
        self._run, self.info, self.pass_info = run, info, info
        name_pass(info.name)

    def __call__(self, mod: IRModule) -> IRModule:
        if not isinstance(mod, IRModule):
            raise LowerError(
                f"pass {self.info.name} takes a module, not {mod!r}",
                hint="tewb.lower(s, [A, B, C]) makes one, and IRModule.from_expr(f)",
                span=here(),
            )
        context = PassContext.current()
        if context.instruments:
            if not should_run(context, mod, self.info):
                return mod
            tell_before(context, mod, self.info)
        result = self._run(mod, context)
        if not isinstance(result, IRModule):
            raise LowerError(
                f"pass {self.info.name} returned {result!r}, and no module",
                hint="return the module",
                span=here(),
            )
        if context.instruments:
            tell_after(context, result, self.info)
        return result

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.info.name})"


class Sequential(ModulePass):
    """Passes one after the other, without those that `disabled_pass` names, or that need a higher opt_level and are not
    named by `required_pass`. Before each come those that it requires."""

    def __init__(
        self,
        passes: Sequence[Callable[[IRModule], IRModule]] | None = None,
        opt_level: int = 0,
        name: str = "sequential",
        required: Collection[str] | None = None,
        traceable: bool = False,
    ) -> None:
        self.passes = list(passes or ())
        super().__init__(self._run_all, PassInfo(opt_level, name, tuple(required or ()), traceable))

    def _run_all(self, mod: IRModule, context: PassContext) -> IRModule:
        for p in self.passes:
            info = getattr(p, "info", PassInfo(0, ""))
            if self._is_enabled(info, context):
                for name in info.required:
                    mod = self._named(name, info)(mod)
                mod = p(mod)
        return mod

    @staticmethod
    def _is_enabled(info: PassInfo, context: PassContext) -> bool:
        if info.name in context.disabled_pass:
            return False
        return info.name in context.required_pass or info.opt_level <= context.opt_level

    def _named(self, name: str, by: PassInfo) -> Callable[[IRModule], IRModule]:
        """The pass of a name: one of this sequence, or of lowering. Raises LowerError."""
        for p in self.passes:
            if isinstance(p, ModulePass) and p.info.name == name:
                return p
        for of_ours in (*LOWER, *BUILD):
            if info_of(of_ours).name == name:
                return of_lowering(of_ours, name.removeprefix("tir."))
        raise LowerError(
            f"pass {by.name} requires {name}, which is no pass of this sequence or of lowering",
            hint="put it into the list of the Sequential",
            span=here(),
        )


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
    traceable: bool = False,
) -> Any:
    """Make a pass of a function (mod, ctx) that returns a module, or of a class with `transform_module` (a decorator)."""
    return _decorator(pass_func, opt_level, name, required, "transform_module", lambda f: f)


def prim_func_pass(
    pass_func: Any = None,
    opt_level: int = 0,
    name: str | None = None,
    required: Collection[str] | None = None,
    traceable: bool = False,
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
        is_watched=not isinstance(f, ModulePass),
        classic=name,
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
