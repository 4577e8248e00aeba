"""The kernel of a block: its IR travels, and machine code is made, or found in the cache, where it arrives."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tewb.base import LowerError, PassContext, ScheduleError, TewbError, free_after_fork
from tewb.blocks.block_program import BlockProgram
from tewb.driver import build_ir, lower
from tewb.ir import Buffer, IRModule, parse, script, structural_equal
from tewb.lowering import INCOMPLETE
from tewb.runtime import Kernel, Target
from tewb.schedule import Schedule, Step, create_schedule
from tewb.tensor import Tensor


@dataclass(frozen=True)
class HowBuilt:
    """How kernels of blocks are made: as the kernel that they stand for was. `target` is None for the processor of each
    worker, `level` how much LLVM optimises, `config` the options that were set; with `debug` every access is checked."""

    name: str
    journal: tuple[Step, ...] = ()
    target: Target | None = None
    level: int | None = None
    config: tuple[tuple[str, bool | int | str], ...] = ()
    debug: bool = False


@dataclass(frozen=True)
class BlockKernel:
    """A kernel as text. Calling it gives its outputs: one array, or a tuple of them."""

    text: str
    how: HowBuilt

    def __call__(self, *values: Any) -> Any:
        with _building:  # threads that begin together compile it once
            kernel = _built(self)
        return kernel(*values)


_building = free_after_fork(threading.Lock())


@lru_cache(maxsize=256)
def _built(kernel: BlockKernel) -> Kernel:
    program = parse(kernel.text)
    module = program if isinstance(program, IRModule) else IRModule({program.name: program})
    how = kernel.how
    with PassContext(config=dict(how.config)):
        return build_ir(module, how.debug, level=how.level, target=how.target or Target.host())


def block_kernel(program: BlockProgram, how: HowBuilt, left_out: dict[str, str]) -> BlockKernel:
    """The kernel of a block, with the steps of the schedule that make sense in it: they change no value. Why others do not
    is added to `left_out`, by step."""
    outputs = list(dict.fromkeys(t.op for t in program.outputs))
    schedule = create_schedule(outputs)
    names = {s.name for s in schedule.stages if not s.is_placeholder}
    for step in how.journal:
        try:
            schedule.apply(step, at_once=False)
        except ScheduleError as e:
            if step.stage in names:
                left_out.setdefault(str(step), e.message)
    with PassContext(config=dict(how.config)):
        try:
            module = _lowered(schedule, program, how.name)
        except TewbError as e:
            if not schedule.journal:
                raise
            left_out.setdefault("the schedule", e.message)
            module = _lowered(create_schedule(outputs), program, how.name)
    return BlockKernel(script(module), replace(how, journal=()))


def _lowered(schedule: Schedule, program: BlockProgram, name: str) -> IRModule:
    module = lower(schedule, program.parameters, name)
    for f in module.functions.values():
        if INCOMPLETE in f.attrs:
            raise f.attrs[INCOMPLETE]
        for given, p in zip(program.parameters, f.params, strict=True):
            if (
                isinstance(given, Tensor)
                and isinstance(p, Buffer)
                and not structural_equal(given.shape, p.shape)
            ):
                raise LowerError(
                    f"the steps give {given.name} the shape ({', '.join(map(str, p.shape))}), and a block of it has "
                    f"({', '.join(map(str, given.shape))})"
                )
    return module
