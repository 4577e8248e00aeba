"""The runtime: packed functions, kernels and their arguments, callbacks, the thread pool, timing."""

from tewb.runtime.aligned_memory import aligned_empty
from tewb.runtime.callbacks import register_native
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
from tewb.runtime.foreign_kernel import ForeignKernel
from tewb.runtime.jit import Compiled, Translated, address_of, register_symbol
from tewb.runtime.kernel import Kernel, memory_limit
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
    "ADT", "Array", "Device", "Map", "NDArray", "PackedFunc", "ShapeTuple", "String", "convert", "registered_function", "cl", "context", "cpu", "cpu_pinned", "cuda", "device", "ext_dev", "gpu", "hexagon", "metal", "micro_dev", "mtl", "new_array", "opencl", "opengl", "present", "rocm", "source_values", "vpi", "vulkan", "webgpu",
    "ForeignKernel", "Kernel", "Target", "Timing", "aligned_empty", "calls_for", "get_global_func", "get_num_threads", "list_global_func_names", "memory_limit",
    "pool", "register_func", "remove_global_func", "sample", "set_num_threads", "shown", "time_call",
"Compiled", "Translated", "address_of", "enabled", "register_native", "register_symbol",
]  # fmt: skip
