"""`transform`: passes over modules, and the options of lowering and building, by the classic names."""

import difflib
from typing import Any

from tewb.base import PassContext, TewbError, here
from tewb.lowering import ModulePass, PassInfo, Sequential, module_pass
from tewb.lowering import print_ir as PrintIR

__all__ = [
    "ModulePass",
    "Pass",
    "PassContext",
    "PassInfo",
    "PrintIR",
    "Sequential",
    "build_config",
    "module_pass",
]

Pass = ModulePass

# The flat names of v0.5 and v0.6, and what they are now; None where nothing has to change (see docs/options.md).
_FLAT = {
    "auto_unroll_max_step": "tir.UnrollLoop.auto_max_step",
    "auto_unroll_max_depth": "tir.UnrollLoop.auto_max_depth",
    "auto_unroll_max_extent": "tir.UnrollLoop.auto_max_extent",
    "unroll_explicit": "tir.UnrollLoop.explicit_unroll",
    "partition_const_loop": "tir.LoopPartition.partition_const_loop",
    "instrument_bound_checkers": "tir.instrument_bound_checkers",
    "disable_vectorize": "tir.disable_vectorize",
    "add_lower_pass": "tir.add_lower_pass",
    "double_buffer_split_loop": "tir.InjectDoubleBuffer",
    "detect_global_barrier": "tir.detect_global_barrier",
    "restricted_func": "tir.noalias",
    "disable_select_rewriting": "tir.disable_select_rewriting",
    "disable_assert": "tir.disable_assert",
}


def build_config(**options: Any) -> PassContext:
    """The options of lowering and building as v0.5 and v0.6 wrote them: `with build_config(auto_unroll_max_step=16):`.

    `data_alignment` and `offset_factor` change nothing: kernels take arrays as they lie, and check what a declared buffer
    promises. Raises TewbError for options that there are none of.
    """
    config: dict[str, Any] = {}
    for name, value in options.items():
        if name in ("data_alignment", "offset_factor") or (name == "dump_pass_ir" and not value):
            continue
        if name == "dump_pass_ir":
            raise TewbError(
                "dump_pass_ir writes no files here",
                hint="trace = []; tewb.lower(s, args, trace=trace) collects the function after every pass",
                span=here(),
            )
        if name not in _FLAT:
            near = difflib.get_close_matches(name, _FLAT, 1, 0.0)[0]
            raise TewbError(f"build_config has no option {name}", hint=f"the nearest is {near}", span=here())
        config[_FLAT[name]] = value or () if name == "add_lower_pass" else value
    return PassContext(config=config)
