"""Errors, source spans, dtypes and configuration: what every other package stands on.

State that outlives a call, in all of tewb: registries, caches, and settings of a thread or task. Everything else
lives in the objects that a user holds. `tests/test_registries.py` compares this table with the source.

    arith.keys._fresh                            the next number for a shape of expressions; numbers are never given twice
    arith.rules.declare.RULES                    the simplification rules, by name, filled as they are declared
    autotvm.dispatcher._now                      the configuration of the template that runs in this thread or task
    autotvm.dispatcher._open                     the contexts of dispatch that are open in this thread or task, innermost last
    autotvm.task.TEMPLATES                       the templates of programs, by name
    base.collection._usual                       how many collections there are between two full ones, while these are put off
    base.config._open                            the pass contexts that are open in this thread or task, innermost last
    base.config._passes                          the names of passes that contexts may ask for, those of users added
    base.constants._makers                       how numbers become constants, which ir registers
    base.dtypes.DType._known                     the one object for each dtype, by every spelling of its name
    base.long_stack._running                     how many threads with a long stack are at work
    base.long_stack._usual_limit                 the recursion limit to go back to when the last of them ends
    base.native_functions._natives               the native functions that kernels may call, by symbol
    base.short_turns._users                      how many want short turns of threads now
    base.short_turns._usual                      how long turns of threads are otherwise
    base.span.called_from                        the frame that this thread works for, when it is one with a long stack
    base.stopping._stop                          the function that says whether the work of this thread or task is to stop
    base.thread_count._sources                   what tells how many threads there are, which runtime registers
    base.traceback._renderer                     how errors are shown in a notebook, if not compactly
    blocks.block_kernel._built                   the kernels of blocks that were built last in this process; at most 256
    blocks.tasks._ends                           where chunks end, by their sizes; at most 64 entries
    codegen.imported_llvm._checked               the LLVM texts of users of which code could be made, by target
    codegen.intrinsics._libm                     the C math library, once it is loaded
    codegen.llvm_intrinsics.signature            the intrinsics of LLVM that were asked about
    codegen.llvm_intrinsics._try_out             the calls of them that LLVM has made code of
    codegen.intrinsics._symbol                   the functions of the C library that generated code knows, by name
    codegen.kernel_support._load_support         the compiled helpers of kernels, by the runtime functions that they call
    codegen.vector_math.reciprocals.logarithms   tables of logarithms, by precision
    codegen.vector_math.reciprocals.reciprocals  tables of reciprocals, by precision
    compat.generic_functions._named              functions with one body for each kind of target, by name
    compat.names.modules                         the classic names, once one was asked for that a module does not define
    compat.op_attrs._attributes                  attributes of intrinsics that programs registered, by intrinsic and name
    contrib.cblas._thread_setter                 the function that sets the threads of scipy's OpenBLAS, if it has one
    contrib.cblas.gemm                           the matrix products of BLAS as native functions, by dtype
    ir.ops._divides_integers                     whether i / j of integers rounds toward zero, as until v0.6
    ir.script._buffers_of_statements             which buffers a statement uses and declares; at most 512 entries
    ir.script._printed_loops                     the text of loop nests printed before; at most 512 entries
    lowering.lower_intrinsics._rules             what the user's functions make of intrinsics, by their names
    runtime.background_call._idle                threads that wait for the next background call
    runtime.cpu_features.features_of             the sets of processor features, by feature string
    runtime.callbacks._invocations               the kernel calls in progress that may call Python back, by handle
    runtime.callbacks._is_native                 whether callbacks go through machine code or through ctypes
    runtime.callbacks.register_native            whether callbacks in machine code passed their test
    runtime.cpython.register_arrays              whether numpy arrays are laid out as machine code expects
    runtime.heap_types._specs                    specifications of types, whose strings CPython 3.11 keeps using
    runtime.kernel._map_blocks                   how kernels are mapped over blocks, which tewb registers
    runtime.jit._begun                           the code that threads are making now
    runtime.jit._circumstances                   what all machine code depends on: machine, LLVM, sources of tewb
    runtime.jit._linkers                         the linker in use, and the numbers left for libraries in it
    runtime.jit._wide_divisions                  the compiled divisions of 128-bit integers
    runtime.kernel._free                         how much memory the machine had free, and until when that counts
    runtime.kernel._pinned                       the libraries held at one thread, and their setting before
    runtime.native_calls._compiled               the machine code of callbacks, or None where it cannot be trusted
    runtime.native_entry._codes                  the compiled entries of kernels that are alive, by text
    runtime.native_entry._is_ready               whether this Python and numpy allow native entries
    runtime.native_entry._types                  the type with a vectorcall slot for each class of callable
    runtime.object_cache._hashlib                the module of digests, once one was needed
    runtime.packed_functions._functions          the packed functions, by name
    runtime.target._data_layout                  LLVM's data layout, by target
    runtime.target._known_features               the names of processors and features that LLVM knows, by triple
    runtime.target._named_processor              the processors that were named before, by the options of targets
    runtime.target._open                         the targets whose blocks are open in this thread or task, innermost last
    runtime.target.host                          the triple, processor and features of this machine
    runtime.thread_trace._tracer                 the tracer of threads, once a kernel was traced
    runtime.thread_pool._pool                    the thread pool, once a kernel has needed it
    schedule.declare.PRIMITIVES                  the schedule primitives, by name, filled as they are declared
    schedule.declare._owner_of                   the class that has a primitive as a method, by its function
    schedule.recipes.RECIPES                     the recipes of users, by name
    tensor.specialized_condition._current        the conditions of the scopes that are open in this thread or task
    tensor.tag_scope._tag                        the tag of the scope that is open in this thread or task
    tensor.tensor_intrin.INTRINSICS              the tensor intrinsics that were declared, by name
    tensor.tensor._broadcaster                   how tensors are added to each other, which tensor/compute.py registers
    tensor.llvm_calls._numbered                  the numbers that were given to intrinsics of LLVM, by name
    testing.reference._shared                    the shared subexpressions of expressions evaluated last; at most 64 entries
    tuning.owners._at_work                       the searches that go on in this process
    tuning.duels._loaded                         the arrays of the search that this process does trials of
    tuning.remote._folders                       the folders of searches on this worker of a cluster, by search
    tuning.remote._searches                      the processes of searches that this Dask worker does trials of, by search
    workbench.journal.history._histories         the histories of each schedule, which tell each other of changes
    workbench.judge.ledger.caches                the data caches of a core, as the system describes them
    workbench.judge.term_order.commutes          whether reducers were found to be the same either way round
    workbench.measure.interruptible._given_up    threads that were told to end and are still inside numpy
    workbench.measure.roofline.machine_peaks     the measured peaks of this machine, by dtype and threads
    workbench.measure.trials.last_cache_bytes    the size of the largest cache of this machine
    workbench.measure.timer_cost.timer_cost      what a timer around a loop costs on this machine
    workbench.notebook.panes.the_page            the front end, once for all widgets of this kernel
    workbench.requests.REQUESTS                  what pages may ask for, by name, filled as requests are declared
    workbench.speed.instructions.parse_instruction instructions by their lines of assembly; at most 16,384
    workbench.speed.llvm_mca._simulated          what llvm-mca said last; at most 64 answers
    workbench.speed.llvm_mca.knows               whether llvm-mca has a model of a processor, by name
    workbench.speed.memory_levels._measured      what the lines of each cache take on this machine
    workbench.states.graph._drawn                the pictures of stage graphs that were drawn last; at most 64
    workbench.states.schema._names               the fields of each kind of state, by class
    workbench.states.views._options              the types of the options of each view, by the function that makes it
    workbench.states.threads._found              the loops of a session that may be parallel, at the schedule they were found for
"""

from tewb.base.collection import catch_up_on_collections, collection_waits, put_off_full_collections
from tewb.base.config import PassContext, name_pass, option
from tewb.base.constants import constant, register_constants
from tewb.base.containers import ADT, Array, Map, ShapeTuple, String
from tewb.base.dtypes import BFLOAT16, BOOL, FLOAT16, FLOAT32, FLOAT64, HANDLE, INT32, INT64, UINT64, DType
from tewb.base.errors import (
    ArgumentError,
    BlockError,
    BoundError,
    CallError,
    CodegenError,
    DTypeError,
    ExpressionError,
    ExternError,
    HybridError,
    InternalError,
    LowerError,
    MemberError,
    NameNotFoundError,
    ParseError,
    ScheduleError,
    ShapeError,
    TewbError,
    TewbWarning,
    TruthError,
)
from tewb.base.from_parts import FromParts
from tewb.base.given import check_given, is_count, one_of
from tewb.base.lazy import lazy
from tewb.base.llvm_names import kernel_symbol, llvm_name, llvm_string, why_no_symbol
from tewb.base.long_stack import any_depth
from tewb.base.masked_arrays import masked_elements
from tewb.base.names import (
    comment,
    fresh_identifier,
    identifier,
    literal,
    printable,
    unique_name,
    with_article,
)
from tewb.base.narrow_numbers import (
    bfloat16_bits,
    bfloat16_values,
    from_memory,
    in_kernels_memory,
    is_in_numpy,
    memory_dtype,
    nearest,
    new_dtype,
    other_memory,
    rounded,
    to_memory,
)
from tewb.base.native_functions import CType, Native, native, register_native
from tewb.base.notebook import notebook_shell
from tewb.base.once import free_after_fork, once, waited_for_by_fork
from tewb.base.python_text import UnreadableError, around, brief, python_lines, python_tree
from tewb.base.readable import digits, readable
from tewb.base.short_turns import short_turns
from tewb.base.span import Span, here
from tewb.base.stopping import PATIENCE, Stop, Stopped, check_stopped, may_be_stopped, stopped_by
from tewb.base.thread_count import tells_thread_count, thread_count, wanted_threads
from tewb.base.traceback import render_with

__all__ = [
    "ADT",
    "BOOL",
    "catch_up_on_collections",
    "FLOAT32",
    "BFLOAT16",
    "FLOAT16",
    "FLOAT64",
    "bfloat16_bits",
    "bfloat16_values",
    "in_kernels_memory",
    "is_in_numpy",
    "memory_dtype",
    "from_memory",
    "nearest",
    "put_off_full_collections",
    "rounded",
    "to_memory",
    "new_dtype",
    "notebook_shell",
    "other_memory",
    "HANDLE",
    "INT32",
    "INT64",
    "PATIENCE",
    "UINT64",
    "ArgumentError",
    "Array",
    "BlockError",
    "BoundError",
    "CallError",
    "CType",
    "CodegenError",
    "DType",
    "DTypeError",
    "ExpressionError",
    "ExternError",
    "HybridError",
    "InternalError",
    "LowerError",
    "Map",
    "NameNotFoundError",
    "Native",
    "MemberError",
    "ParseError",
    "PassContext",
    "ScheduleError",
    "ShapeError",
    "ShapeTuple",
    "Span",
    "Stop",
    "Stopped",
    "String",
    "TewbError",
    "TewbWarning",
    "TruthError",
    "UnreadableError",
    "FromParts",
    "any_depth",
    "around",
    "brief",
    "check_stopped",
    "check_given",
    "collection_waits",
    "comment",
    "constant",
    "digits",
    "free_after_fork",
    "fresh_identifier",
    "here",
    "identifier",
    "is_count",
    "kernel_symbol",
    "lazy",
    "literal",
    "llvm_name",
    "llvm_string",
    "may_be_stopped",
    "masked_elements",
    "native",
    "once",
    "one_of",
    "name_pass",
    "option",
    "printable",
    "python_lines",
    "python_tree",
    "readable",
    "register_constants",
    "register_native",
    "render_with",
    "short_turns",
    "stopped_by",
    "tells_thread_count",
    "thread_count",
    "unique_name",
    "wanted_threads",
    "why_no_symbol",
    "with_article",
    "waited_for_by_fork",
]
