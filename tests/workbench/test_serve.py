"""The workbench for programs: lines of JSON in and out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tewb.base import TewbError
from tewb.workbench.demos import demo_session
from tewb.workbench.serve import answer, main, schema, serve, session_of
from tewb.workbench.states.schema import VERSION

PROGRAM = """
from tewb import te
print("made by the program")
A = te.placeholder((8,), name="A")
B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
s, args = te.create_schedule(B.op), [A, B]
"""


def talk(*messages: Any) -> list[Any]:
    out = io.StringIO()
    serve(demo_session("matmul", n=16), [m if isinstance(m, str) else json.dumps(m) for m in messages], out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_views_and_requests() -> None:
    step = {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}}
    before, done, after = talk(
        {"id": 1, "view": "loops"},
        {"id": "two", "request": "do", "arguments": {"steps": [step]}},
        {"id": 3, "view": "code", "options": {"form": "schedule_ops"}},
    )
    assert before["id"] == 1 and before["state"]["roots"][2]["stage"] == "C"
    assert (
        done == {"id": "two", "ok": True, "reply": done["reply"]}
        and done["reply"]["said"] == "split(C, axis=i, factor=4)"
    )
    assert "for i.outer in range(4)" in after["state"]["text"]


def test_mistakes_are_answers_and_the_next_line_is_read() -> None:
    answers = talk(
        "{",
        [1],
        {"id": 1},
        {"id": 2, "view": "lops"},
        {"id": 3, "view": "actions"},
        "",
        {"id": 4, "view": "journal"},
    )
    assert [a["ok"] for a in answers] == [False] * 5 + [True]
    assert "no JSON" in answers[0]["error"]["message"] and "did you mean loops" in answers[3]["error"]["hint"]
    assert "missing a required argument: 'stage'" in answers[4]["error"]["message"]


def test_the_schema_has_every_view_and_request_and_all_that_it_refers_to() -> None:
    s = schema()
    assert (
        s["version"] == VERSION and {"loops", "code", "actions"} <= set(s["views"]) and "do" in s["requests"]
    )
    assert refers_to(s) <= set(s["$defs"])
    assert talk({"schema": True})[0]["schema"]["version"] == VERSION


def refers_to(x: Any) -> set[str]:
    if isinstance(x, dict):
        own = {x["$ref"].removeprefix("#/$defs/")} if isinstance(x.get("$ref"), str) else set()
        return own.union(*map(refers_to, x.values()))
    return set().union(*map(refers_to, x)) if isinstance(x, list) else set()


def test_a_program_file_makes_the_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    assert [s.name for s in session_of(str(path)).schedule.stages] == ["A", "B"]
    said = capsys.readouterr()
    assert said.out == "" and "made by the program" in said.err
    path.write_text("x = 1")
    with pytest.raises(TewbError, match="makes no session"):
        session_of(str(path))


def test_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--schema"]) == 0 and json.loads(capsys.readouterr().out)["version"] == VERSION
    monkeypatch.setattr("sys.stdin", io.StringIO('{"id": 1, "view": "program"}\n'))
    assert main(["--demo", "blur"]) == 0 and json.loads(capsys.readouterr().out)["state"]["name"] == "main"
    assert main(["--demo", "nope"]) == 2 and "there is no demo nope" in capsys.readouterr().err
    assert main([str(tmp_path / "none.py")]) == 2 and "none.py" in capsys.readouterr().err


def test_lines_that_spoil_readers_spoil_one_line() -> None:
    lines = [
        "[" * 100_000,
        '{"id": NaN, "view": "loops"}',
        '{"id": 1, "view": "\\ud800"}',
        '{"id": 2, "view": "loops"}',
    ]
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    serve(demo_session("matmul", n=16), lines, out)
    answers = [json.loads(line) for line in out.buffer.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert [a["ok"] for a in answers] == [False, False, False, True]
    assert "NaN is no value" in answers[1]["error"]["message"]


@pytest.mark.parametrize("options", [{"sizes": 3}, {"limit": "many"}, {"limit": 1e400}, [1], "small"])
def test_options_of_another_kind_are_named(options: Any) -> None:
    said = answer(demo_session("matmul", n=4), {"view": "data", "options": options})["error"]
    assert "the view data" in said["message"] and "it takes sizes, limit" in said["hint"]
