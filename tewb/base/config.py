"""The pass context: options of lowering and building that hold inside a `with` block.

Keys have the classic names. An unknown key raises, so that a misspelt option never passes silently. Classic ones that
need not change anything here stand in WITHOUT_EFFECT, with the reason.
"""

from __future__ import annotations

import contextlib
import contextvars
import difflib
import operator
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Any

from tewb.base.errors import TewbError
from tewb.base.span import here

LowerPass = tuple[int, Callable[..., Any]]  # a phase of lowering, from 0 to 3, and what is called then

DEFAULTS: dict[str, Any] = {
    "tir.LoopPartition": True,  # guards are taken out of the iterations where they hold
    "tir.LoopPartition.partition_const_loop": True,  # of loops of constant extent too
    "tir.UnrollLoop.auto_max_step": 0,  # loops of so many steps or fewer are unrolled
    "tir.UnrollLoop.auto_max_depth": 8,  # of so many unrolled loops inside of each other, or fewer
    "tir.UnrollLoop.auto_max_extent": 0,  # loops of so many iterations or fewer are unrolled, however long they take
    "tir.UnrollLoop.explicit_unroll": True,  # unrolled loops are written out, not left to LLVM
    "tir.disable_vectorize": False,  # vectorized loops run serially
    "tir.disable_storage_rewrite": False,  # every intermediate keeps memory of its own
    "tir.add_lower_pass": (),  # functions of the user's that change the IR while it is lowered
    "tir.instrument_bound_checkers": False,  # every access is checked while a kernel runs
    "tewb.checked_externs": False,  # packed functions run on guarded copies that find accesses outside of their tiles
    "tewb.specialise_strides": True,  # symbolic strides get bodies for those that are 1, and loop orders that fit others
    "tewb.object_cache": True,  # machine code is kept on disk, in TEWB_CACHE_DIR or the user's cache directory
    # After every pass, what the passes promise is verified.
    "tewb.verify": os.environ.get("TEWB_VERIFY") == "1",
    "tewb.build_timeout": 60,  # seconds that LLVM may work on one kernel
    "tewb.memory_limit": 8 << 30,  # bytes that the intermediates of one kernel call may take
}

# The largest value of the options that are numbers; the others are true or false.
_MOST = {
    "tir.UnrollLoop.auto_max_step": 4096,
    "tir.UnrollLoop.auto_max_depth": 4096,
    "tir.UnrollLoop.auto_max_extent": 4096,
    "tewb.memory_limit": (1 << 63) - 1,
}

# Passes that can be left out, and the option that leaves each out.
_DISABLED: dict[str, tuple[str, bool]] = {
    "tir.LoopPartition": ("tir.LoopPartition", False),
    "tir.VectorizeLoop": ("tir.disable_vectorize", True),
    "tir.StorageRewrite": ("tir.disable_storage_rewrite", True),
}

# Options of classic programs that need not change anything here, and why. A key stands for those of its dict, too.
WITHOUT_EFFECT = {
    "tir.noalias": "arguments never overlap: each call sees to it",
    "tir.disable_assert": "calls check their arguments at once, in 30 ns; accesses are checked only where they are not proved",
    "tir.HoistIfThenElse": "conditions leave loops by tir.LoopPartition, and by LLVM",
    "tir.HoistExpression": "LLVM takes what does not change out of loops",
    "tir.InjectDoubleBuffer": "s[B].double_buffer() does not split the loop around it",
    "tir.RemoveNoOp": "what does nothing is always removed",
    "tir.Simplify": "expressions are always simplified",
    "tir.ReduceBranchingThroughOvercompute": "guards leave loops by tir.LoopPartition",
    "tir.LoopPartition.no_unroll_loop_with_extent_one": "a loop of one iteration is its body",
    "tir.LoopPartition.unroll_loop_with_partition_hint_no_interval": "a loop of one iteration is its body",
    "tir.UnrollLoop.unroll_local_access": "LLVM unrolls what is left to it",
    "tir.disable_cse_tir": "LLVM computes common subexpressions once",
    "tir.enable_equiv_terms_in_cse_tir": "LLVM computes common subexpressions once",
    "tir.debug_keep_trivial_loop": "a loop of one iteration is its body",
    "tir.is_entry_func": "every kernel is called from Python",
    "tir.detect_global_barrier": "it is for GPUs",
    "tir.merge_static_smem": "it is for GPUs",
    "tir.use_async_copy": "it is for GPUs",
    "tir.ptx_ldg32": "it is for GPUs",
    "tir.instrument_lwp": "it is for Hexagon",
    "tir.vtcm_capacity": "it is for Hexagon",
    "tir.disable_select_rewriting": "a select evaluates both of its sides, and if_then_else one",
    "te.keep_schedule_record": "a schedule always keeps its journal",
}

# The passes that have classic names, and those that programs make. Options name them.
_passes = {
    "tir.Simplify", "tir.LoopPartition", "tir.VectorizeLoop", "tir.UnrollLoop", "tir.FlattenBuffer", "tir.StorageRewrite",
    "tir.RemoveNoOp",
}  # fmt: skip

# The methods that are called of instruments, of which each has some.
INSTRUMENT_METHODS = ("enter_pass_ctx", "exit_pass_ctx", "should_run", "run_before_pass", "run_after_pass")

MOST_LEVEL = 3
LOWER_PHASES = (0, 1, 2, 3)

# The contexts that are open, innermost last.
_open: contextvars.ContextVar[tuple[PassContext, ...]] = contextvars.ContextVar(
    "tewb_pass_contexts", default=()
)


class PassContext:
    """Options for the lowering and building that happens inside its `with` block, in this thread.

    `opt_level`, from 0 to 3, is how much LLVM optimises: 0 compiles fastest, to the slowest code. `config` are
    options by name, of which an inner block takes none from an outer one. The keys of an option that is a dict may
    be written either way:

        with tewb.PassContext(opt_level=3, config={"tir.UnrollLoop": {"auto_max_step": 16}}):
        with tewb.PassContext(opt_level=3, config={"tir.UnrollLoop.auto_max_step": 16}):

    `tir.add_lower_pass` is a list of pairs of a phase and a pass: of `tewb.tir.transform.prim_func_pass`, or a function of
    the body of a function that returns another. The phases are 0, before all passes, 1, after the first
    simplification, 2, after loops are unrolled, and 3, at the end of lowering.

    `disabled_pass` names passes to leave out: tir.LoopPartition, tir.VectorizeLoop, tir.StorageRewrite, and passes of the
    program's own, which a Sequential leaves out. `required_pass` names passes that a Sequential does at any opt_level.
    `instruments` are told of every pass (`tvm.instrument`), and `trace` is called before and after each:
    `trace(mod, info, is_before)`. Raises TewbError for anything that tewb does not have.
    """

    opt_level: int
    config: Mapping[str, Any]
    required_pass: tuple[str, ...]
    disabled_pass: tuple[str, ...]
    instruments: tuple[object, ...]

    def __init__(
        self,
        opt_level: int = 2,
        config: Mapping[str, object] | None = None,
        *,
        required_pass: Collection[str] | None = None,
        disabled_pass: Collection[str] | None = None,
        instruments: Collection[object] | None = None,
        trace: Callable[..., object] | None = None,
    ) -> None:
        level = None if isinstance(opt_level, bool) else _whole(opt_level)
        if level is None or not 0 <= level <= MOST_LEVEL:
            raise TewbError(
                f"opt_level={opt_level!r} is no number from 0 to {MOST_LEVEL}",
                hint=f"{MOST_LEVEL} is all that LLVM can do",
                span=here(),
            )
        if config is not None and not isinstance(config, Mapping):
            raise TewbError(
                f"config is a dict of options, not {config!r}",
                hint='config={"tir.LoopPartition": False}',
                span=here(),
            )
        for option_name, passes in (("required_pass", required_pass), ("disabled_pass", disabled_pass)):
            if passes is not None and not isinstance(passes, Collection):
                raise TewbError(
                    f"{option_name} is a list of names of passes, not {passes!r}",
                    hint='disabled_pass=["tir.VectorizeLoop"]',
                    span=here(),
                )
        self.opt_level = level
        self.required_pass, self.disabled_pass = _names(required_pass), _names(disabled_pass)
        unknown = next((n for n in self.required_pass if n not in _passes), None)
        if unknown is not None:
            near = difflib.get_close_matches(str(unknown), _passes, 1, 0.0)[0]
            raise TewbError(
                f"required_pass: there is no pass {unknown}", hint=f"the nearest is {near}", span=here()
            )
        self.instruments = (*_instruments(instruments), *([] if trace is None else [_Trace(trace)]))
        without = [_disabled(name) for name in self.disabled_pass if name in _DISABLED or name not in _passes]
        cannot = next((n for n in self.disabled_pass if n in _NEEDED), None)
        if cannot is not None:
            raise _no_disabling(cannot)
        chosen = {**dict(_flat(config or {})), **dict(without)}
        self.config = MappingProxyType({**DEFAULTS, **chosen})

    def __enter__(self) -> PassContext:
        _open.set((*_open.get(), self))
        try:
            self._enter_instruments()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._close()
        _tell(self.instruments, "exit_pass_ctx")

    def _enter_instruments(self) -> None:
        """Tell the instruments that the block begins; those that were told are told that it ends if one fails."""
        for n, instrument in enumerate(self.instruments):
            try:
                _tell([instrument], "enter_pass_ctx")
            except BaseException:
                _tell(self.instruments[:n], "exit_pass_ctx")
                raise

    def _close(self) -> None:
        contexts = _open.get()
        at = max((i for i, c in enumerate(contexts) if c is self), default=None)
        if at is not None:
            _open.set(contexts[:at] + contexts[at + 1 :])

    def override_instruments(self, instruments: Collection[object] | None) -> None:
        """Let `instruments` take the place of those that are there, which are told that the block ends."""
        later = _instruments(instruments)
        _tell(self.instruments, "exit_pass_ctx")
        self.instruments = later
        self._enter_instruments()

    @contextlib.contextmanager
    def resumed(self, **config: Any) -> Iterator[None]:
        """A block in which this context holds again, with other options: its instruments are told of passes, and not
        that a block begins."""
        again = object.__new__(PassContext)
        again.__dict__.update(self.__dict__)
        again.config = MappingProxyType({**self.config, **config})
        _open.set((*_open.get(), again))
        try:
            yield
        finally:
            again._close()

    @staticmethod
    def list_configs() -> dict[str, dict[str, str]]:
        """The options that a config may have, and what they take."""
        kinds = {key: "int" if key in _MOST else "bool" for key in DEFAULTS}
        kinds |= {"tir.add_lower_pass": "list", "tewb.build_timeout": "float"}
        return {key: {"type": kind} for key, kind in kinds.items()}

    def __repr__(self) -> str:
        changed = {key: value for key, value in self.config.items() if value != DEFAULTS[key]}
        return f"PassContext(opt_level={self.opt_level}, config={changed!r})"

    @staticmethod
    def current() -> PassContext:
        """The innermost context, or one with the defaults."""
        contexts = _open.get()
        return contexts[-1] if contexts else _DEFAULT


def _flat(config: Mapping[str, object]) -> Iterator[tuple[str, Any]]:
    """The options of a config, with the dicts among them taken apart, and without those that have no effect."""
    for key, value in config.items():
        if key in WITHOUT_EFFECT:
            continue
        if isinstance(value, Mapping):
            if not any(option_key.startswith(f"{key}.") for option_key in DEFAULTS):
                raise _unknown(key)
            for subkey, inner in value.items():
                if f"{key}.{subkey}" not in WITHOUT_EFFECT:
                    yield f"{key}.{subkey}", _value(f"{key}.{subkey}", inner)
        else:
            yield key, _value(key, value)


def _value(key: object, value: object) -> Any:
    """The value of an option, checked and as the kind of value that the option takes."""
    if not isinstance(key, str) or key not in DEFAULTS:
        raise _unknown(key)
    if key == "tir.add_lower_pass":
        return _lower_passes(value)
    if key == "tewb.build_timeout":
        return _seconds(value)
    most = _MOST.get(key, 1)
    number = _whole(value)
    if number is None or not 0 <= number <= most or (isinstance(value, bool) and key in _MOST):
        takes = f"a number from 0 to {most}" if key in _MOST else "True or False"
        raise TewbError(f"option {key} takes {takes}, not {value!r}", span=here())
    return number if key in _MOST else bool(number)


def _seconds(value: object) -> float:
    """A positive number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return value
    raise TewbError(
        f"{value!r} is no number of seconds, which tewb.build_timeout takes", hint="60", span=here()
    )


def _lower_passes(value: object) -> tuple[LowerPass, ...]:
    """Pairs of a phase and of what is called then, as a tuple."""
    pairs = tuple(value) if isinstance(value, list | tuple) else (value,)
    for pair in pairs:
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and callable(pair[1])):
            raise TewbError(
                f"tir.add_lower_pass is a list of pairs of a phase and a function, not {value!r}",
                hint='config={"tir.add_lower_pass": [(1, f)]}',
                span=here(),
            )
        if _whole(pair[0]) not in LOWER_PHASES:
            raise TewbError(
                f"tir.add_lower_pass: {pair[0]!r} is no phase of lowering",
                hint="0 is before all passes, 1 after the first simplification, 2 after loops are unrolled, 3 at the end",
                span=here(),
            )
    return tuple((int(phase), function) for phase, function in pairs)


def _whole(value: object) -> int | None:
    """A whole number as Python's own; None for anything else."""
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


_NEEDED = (
    "tir.UnrollLoop",
    "tir.FlattenBuffer",
    "tir.Simplify",
    "tir.RemoveNoOp",
)  # code is made of what they leave


def name_pass(name: str) -> None:
    """Note that there is a pass of this name."""
    _passes.add(name)


def _names(passes: Collection[str] | None) -> tuple[str, ...]:
    return (passes,) if isinstance(passes, str) else tuple(passes or ())


def _instruments(given: Collection[object] | None) -> tuple[object, ...]:
    """Instruments, each of which has a method that is called."""
    if given is not None and not isinstance(given, Collection):
        raise TewbError(f"instruments is a list of them, not {given!r}", hint="instruments=[it]", span=here())
    for instrument in given or ():
        if isinstance(instrument, type) or not any(hasattr(instrument, m) for m in INSTRUMENT_METHODS):
            raise TewbError(
                f"{instrument!r} is no instrument: it has none of the methods {', '.join(INSTRUMENT_METHODS)}",
                hint="an object of a class that @tvm.instrument.pass_instrument decorates is one",
                span=here(),
            )
    return tuple(given or ())


def _tell(instruments: Sequence[object], method: str) -> None:
    """Call a method of all instruments that have it. If one fails, the others are called first."""
    failed: BaseException | None = None
    for instrument in instruments:
        try:
            getattr(instrument, method, lambda: None)()
        except BaseException as e:
            failed = failed or e
    if failed is not None:
        raise failed


class _Trace:
    """The instrument that a function of a module, a pass and whether it is about to run, is."""

    def __init__(self, function: Callable[..., object]) -> None:
        if not callable(function):
            raise TewbError(
                f"trace is a function of a module, a pass and a bool, not {function!r}",
                hint="def trace(mod, info, is_before): print(info.name)",
                span=here(),
            )
        self.function = function

    def run_before_pass(self, mod: object, info: object) -> None:
        self.function(mod, info, True)

    def run_after_pass(self, mod: object, info: object) -> None:
        self.function(mod, info, False)


def _disabled(name: str) -> tuple[str, bool]:
    if name in _DISABLED:
        return _DISABLED[name]
    raise _no_disabling(name)


def _no_disabling(name: str) -> TewbError:
    near = difflib.get_close_matches(str(name), _DISABLED, 1, 0.0)
    return TewbError(
        f"the pass {name} cannot be left out",
        hint=f"the nearest that can is {near[0]}; there are {', '.join(_DISABLED)}",
        span=here(),
    )


def _unknown(key: object) -> TewbError:
    near = difflib.get_close_matches(str(key), [*DEFAULTS, *WITHOUT_EFFECT], 1, 0.0)[0]
    return TewbError(
        f"unknown pass option {key!r}",
        hint=f"the nearest is {near}; tewb has {', '.join(sorted(DEFAULTS))}",
        span=here(),
    )


_DEFAULT = PassContext()


def option(key: str) -> Any:
    """The value of one option in the current context."""
    contexts = _open.get()
    return contexts[-1].config[key] if contexts else DEFAULTS[key]
