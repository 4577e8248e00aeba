"""The runtime: packed functions, kernels and their arguments, callbacks, the thread pool, timing."""

from tewb.runtime import devices
from tewb.runtime.abi import ordinal
from tewb.runtime.aligned_memory import aligned_empty
from tewb.runtime.build_runtime import Runtime
from tewb.runtime.callbacks import register_native
from tewb.runtime.classic_module import Module
from tewb.runtime.container import ADT, Array, Map, ShapeTuple, String
from tewb.runtime.conversion import PackedFunc, convert
from tewb.runtime.devices import *  # noqa: F403  (they have one list)
from tewb.runtime.devices import present
from tewb.runtime.exported import Exported, create_shared
from tewb.runtime.foreign_kernel import ForeignKernel
from tewb.runtime.jit import Compiled, Translated, address_of, bitcode, llvm_says, register_symbol, try_code
from tewb.runtime.kernel import Kernel, memory_limit, register_map_blocks
from tewb.runtime.loaded import load_module, system_lib
from tewb.runtime.ndarray import NDArray, new_array, source_values
from tewb.runtime.packed_functions import (
    get_global_func,
    list_global_func_names,
    register_func,
    registered_function,
    remove_global_func,
)
from tewb.runtime.target import Target, enabled
from tewb.runtime.thread_pool import get_num_threads, pool, set_num_threads
from tewb.runtime.thread_trace import ThreadTrace, TracedLoop, TracedTask, TracedThread, trace_threads, tracer
from tewb.runtime.timing import Timing, calls_for, sample, shown, time_call

__all__ = [
    "address_of", "ADT", "aligned_empty", "Array", "bitcode", "calls_for", "Compiled", "convert", "create_shared",
    "devices", "enabled", "Exported", "ForeignKernel", "get_global_func", "get_num_threads", "Kernel",
    "list_global_func_names", "llvm_says", "load_module", "Map", "memory_limit", "Module", "NDArray", "new_array", "ordinal",
    "PackedFunc", "pool", "present", "register_func", "register_map_blocks", "register_native", "register_symbol",
    "registered_function",
    "remove_global_func", "sample", "set_num_threads", "ShapeTuple", "shown", "source_values", "String", "system_lib",
    "Runtime", "Target", "ThreadTrace", "time_call", "Timing", "trace_threads", "TracedLoop", "TracedTask", "TracedThread",
    "tracer", "Translated", "try_code",
]  # fmt: skip
__all__ += devices.__all__
