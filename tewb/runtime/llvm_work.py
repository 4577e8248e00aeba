"""LLVM at work: optimisation and machine code. Long work is done in a process of its own, which runs this file as a
script; so it imports nothing of tewb.

A request comes in through stdin and its answer goes out through stdout, both pickled. A worker lives for one
request; it ends when its stdin does, which is also when the process that asked dies.
"""

from __future__ import annotations

import os
import pickle
import re
import sys
import threading
from typing import Any, NamedTuple

_ONE_LANE = re.compile(r"insertelement .*, i64 [1-9]")
MANY_LANES = 100
MANY_LOOPS = 400  # LLVM takes 25 ms for each of so many
HUGE = 1 << 20  # bytes of text


class Work(NamedTuple):
    """What LLVM is to do with a text: optimise it at `level`, for a processor, and write its machine code, as
    assembly text if `assembly`. `options` are those of LLVM's target machine, `switches` those of its command line,
    for another process: what they make LLVM say goes to stderr."""

    text: str
    level: int
    triple: str
    cpu: str
    features: str
    options: dict[str, Any]
    assembly: bool = False
    switches: tuple[str, ...] = ()


class Done(NamedTuple):
    """Optimised text, its machine code (or assembly), and the symbols that it takes from elsewhere."""

    optimized: str
    code: bytes
    symbols: tuple[str, ...]


def do(work: Work, machine: Any = None) -> Done:
    """Do some work. Raises RuntimeError when LLVM rejects the text."""
    import llvmlite.binding as llvm

    if machine is None:
        target = llvm.Target.from_triple(work.triple)
        machine = target.create_target_machine(cpu=work.cpu, features=work.features, **work.options)
    module = parse(work.text)
    optimize(module, machine, work.level, work.text)
    text = str(module)  # now: to emit code changes the module
    symbols = symbols_of(module)
    code = machine.emit_assembly(module).encode() if work.assembly else bytes(machine.emit_object(module))
    return Done(text, code, symbols)


_LOCATIONS = re.compile(r",? !dbg !\d+|^!llvm\.(?:dbg\.cu|module\.flags) = .*$", re.MULTILINE)


def parse(text: str) -> Any:
    """The module of an LLVM text, verified. Raises RuntimeError when LLVM rejects it."""
    import llvmlite.binding as llvm

    # Reading broken code with debug information ends the process, so the code is verified without it first;
    # that takes a millisecond for a matmul.
    for version in [_LOCATIONS.sub("", text), text] if "!llvm.dbg.cu" in text else [text]:
        module = llvm.parse_assembly(version)
        module.verify()
    return module


def optimize(module: Any, machine: Any, level: int, text: str = "") -> None:
    """Optimise the module of a text. Enormous ones, which come from unrolled loops, get only what pays most: at level
    1 LLVM takes a third of the time for guards written out 300 times. Their loops are not unrolled either, which
    halves its time for a thousand stages of symbolic size."""
    import llvmlite.binding as llvm

    if level == 0:
        return
    is_huge = len(text) > HUGE or text.count(" = phi ") > MANY_LOOPS
    options = llvm.create_pipeline_tuning_options(speed_level=min(level, 1) if is_huge else level)
    options.loop_vectorization = options.loop_unrolling = not is_huge
    options.slp_vectorization = not is_huge and not has_many_lanes(text) and not _has_corrections(text)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)


def has_many_lanes(text: str) -> bool:
    """Whether vectors are built lane by lane in so many places that LLVM's search for something better takes long:
    0.1 s for 64 lanes, a minute for 1,000, and it finds nothing."""
    return len(_ONE_LANE.findall(text)) > MANY_LANES


def _has_corrections(text: str) -> bool:
    """Whether quotients or remainders of signed integers are corrected, by a choice. LLVM 22 puts such choices of
    neighbouring statements into the lanes of a vector, and may then read a mask that nothing has written."""
    return " srem " in text or " sdiv " in text


def symbols_of(module: Any) -> tuple[str, ...]:
    """The functions and objects that a module takes from elsewhere."""
    everything = (*module.functions, *module.global_variables)
    return tuple(f.name for f in everything if f.is_declaration and not f.name.startswith("llvm."))


def main() -> None:
    """Answer one request: (where Python finds its modules, whether the code is for this machine, the work). The
    answer is what was done, or LLVM's error message."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that no message of LLVM gets into the answer
    path, native, work = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    sys.path[:] = path
    import llvmlite.binding as llvm

    for switch in Work(*work).switches:
        llvm.set_option("tewb", switch)
    if native:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        llvm.initialize_native_asmparser()
    else:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    try:
        answer: Any = tuple(do(Work(*work)))
    except RuntimeError as e:
        answer = str(e)
    pickle.dump(answer, answers)
    answers.flush()
    os._exit(0)  # LLVM's objects go with the process


def _end_with_stdin() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
