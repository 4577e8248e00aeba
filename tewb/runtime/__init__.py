"""The runtime: packed functions, kernels and their arguments, callbacks, the thread pool, timing."""

from tewb.runtime.aligned_memory import aligned_empty
from tewb.runtime.build_runtime import Runtime
from tewb.runtime.callbacks import register_native
from tewb.runtime.classic_module import Module
from tewb.runtime.container import ADT, Array, Map, ShapeTuple, String
from tewb.runtime.conversion import PackedFunc, convert
from tewb.runtime.devices import (
    Device,
    cl,
    context,
    cpu,
    cpu_pinned,
    cuda,
    device,
    ext_dev,
    gpu,
    hexagon,
    metal,
    micro_dev,
    mtl,
    opencl,
    opengl,
    present,
    rocm,
    vpi,
    vulkan,
    webgpu,
)
from tewb.runtime.exported import Exported, create_shared
from tewb.runtime.foreign_kernel import ForeignKernel
from tewb.runtime.jit import Compiled, Translated, address_of, bitcode, register_symbol, try_code
from tewb.runtime.kernel import Kernel, memory_limit
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
from tewb.runtime.timing import Timing, calls_for, sample, shown, time_call

__all__ = [
    "address_of", "ADT", "aligned_empty", "Array", "bitcode", "calls_for", "cl", "Compiled", "context", "convert",
    "cpu", "cpu_pinned", "create_shared", "cuda", "device", "Device", "enabled", "Exported", "ext_dev",
    "ForeignKernel", "get_global_func", "get_num_threads", "gpu", "hexagon", "Kernel", "list_global_func_names",
    "load_module", "Map", "memory_limit", "metal", "micro_dev", "Module", "mtl", "NDArray", "new_array", "opencl",
    "opengl", "PackedFunc", "pool", "present", "register_func", "register_native", "register_symbol",
    "registered_function", "remove_global_func", "rocm", "sample", "set_num_threads", "ShapeTuple", "shown",
    "Runtime", "source_values", "String", "system_lib", "Target", "time_call", "Timing", "Translated", "vpi", "vulkan", "webgpu", "try_code",
]  # fmt: skip
