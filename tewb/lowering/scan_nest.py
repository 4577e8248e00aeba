"""The loop over the time of a scan, with its first steps before it and its stages inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.ir import AssertStmt, Stmt, ops, script, seq
from tewb.lowering.stage_loops import StageLoops
from tewb.schedule import Stage
from tewb.tensor import ScanOp

if TYPE_CHECKING:
    from tewb.lowering.nest import Nests


class ScanNest(StageLoops):
    """The loop of one scan. It stores nothing by itself: its inits and updates do."""

    def __init__(self, nests: Nests, stage: Stage, op: ScanOp) -> None:
        super().__init__(nests, stage, [op.scan_axis])
        self.op = op

    def nest(self) -> Stmt:
        place = self.stage, self.op.init_axis
        steps = self.nests.realize(self.nests.at.get(place, []), lambda: self.loops(0, 1, [], seq()))
        return self.with_room(self.nests.with_memory(place, steps))

    def with_room(self, body: Stmt) -> Stmt:
        """`body` behind a check that there is room for the first steps."""
        size, given = self.op.output(0).shape[0], self.own.ranges[self.op.scan_axis].min
        room = ops.greater_equal(size, given)
        if self.analyzer.can_prove(room):
            return body
        says = (
            f"scan {self.stage.name} begins with {script(given)} steps and has room for fewer: {script(size)}"
        )
        return AssertStmt(room, says, body, self.origin)
