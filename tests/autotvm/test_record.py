"""Lines of logs: written, read, and the best of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.autotvm.templates import product
from tewb import autotvm
from tewb.autotvm.record import decode, encode, load_from_file, pick_best
from tewb.base import ScheduleError


def test_lines_of_logs(tmp_path: Path) -> None:
    line = (
        '{"input": ["llvm -keys=cpu -link-params=0", "tests/product", [6, "float32"], {}], "config": {"index": 5, '
        '"code_hash": null, "entity": [["tile_y", "sp", [-1, 2]], ["tile_x", "sp", [-1, 2]], ["unroll", "ot", false]]}, '
        '"result": [[0.001, 0.003], 0, 0.5, 1600000000.0], "version": 0.2, "tvm_version": "0.10.0"}'
    )
    record = decode(line)
    assert record is not None
    inp, result = record
    assert inp.task.workload == ("tests/product", 6, "float32") and result.cost == 0.002
    again = decode(encode(inp, result))
    assert again is not None and again[0].config == inp.config and again[1] == result
    slower = encode(inp, result._replace(costs=(0.5,)))
    (tmp_path / "all.log").write_text(f"{slower}\n\n# a remark\n{line}\n")
    pick_best(tmp_path / "all.log", tmp_path / "best.log")
    assert [r.cost for _, r in load_from_file(tmp_path / "best.log")] == [0.002]
    with autotvm.apply_history_best(str(tmp_path / "all.log")):
        s, _ = product(6, "float32")
    assert "i.inner(2)" in s["C"].loops()
    assert decode('{"v": 0.1, "i": 0}') is None
    with pytest.raises(autotvm.LogFileError, match="no line of a log"):
        decode("{nonsense")
    with pytest.raises(ScheduleError, match="protocol 'pickle' is not known"):
        encode(*record, protocol="pickle")
