"""The workbench in the words of the Model Context Protocol."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tewb.workbench.demos import demo_session
from tewb.workbench.mcp import tools
from tewb.workbench.requests import REQUESTS
from tewb.workbench.serve import serve_mcp


def talk(*messages: Any) -> list[Any]:
    out = io.StringIO()
    lines = [m if isinstance(m, str) else json.dumps({"jsonrpc": "2.0", **m}) for m in messages]
    serve_mcp(demo_session("matmul", n=16), lines, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def call(number: int, name: str, **arguments: Any) -> dict[str, Any]:
    return {"id": number, "method": "tools/call", "params": {"name": name, "arguments": arguments}}


def test_a_conversation() -> None:
    step = {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}}
    hello, listed, done, seen, pong = talk(
        {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}}},
        {"method": "notifications/initialized"},
        {"id": "two", "method": "tools/list"},
        call(3, "do", steps=[step]),
        call(4, "look", view="code", options={"form": "schedule_ops"}),
        {"id": 5, "method": "ping"},
    )
    assert hello["result"]["serverInfo"]["name"] == "tewb" and "tools" in hello["result"]["capabilities"]
    assert listed["id"] == "two" and {"look", "do", "undo", "measure"} <= {
        t["name"] for t in listed["result"]["tools"]
    }
    assert (
        not done["result"]["isError"] and "split(C, axis=i, factor=4)" in done["result"]["content"][0]["text"]
    )
    assert "for i.outer in range(4)" in seen["result"]["structuredContent"]["state"]["text"]
    assert pong["result"] == {}


def test_mistakes_are_told_and_the_next_message_is_answered() -> None:
    refused, unknown, no_view, no_method, no_text, no_message, last = talk(
        call(1, "do", steps=[{"primitive": "parallel", "stage": "C", "args": {"axis": "k"}}]),
        call(2, "fly"),
        call(3, "look", view="moon"),
        {"id": 4, "method": "resources/list"},
        "{",
        "[]",
        {"id": 6, "method": "ping"},
    )
    assert (
        refused["result"]["isError"]
        and "reduce axis" in refused["result"]["structuredContent"]["refused"]["message"]
    )
    assert (
        unknown["result"]["isError"] and "there is no request fly" in unknown["result"]["content"][0]["text"]
    )
    assert no_view["result"]["isError"] and "there is no view moon" in no_view["result"]["content"][0]["text"]
    assert no_method["error"]["code"] == -32601 and no_text["error"]["code"] == -32700
    assert no_message["error"]["code"] == -32600 and last["result"] == {}


def test_every_request_is_a_tool_with_words_and_arguments() -> None:
    known = {t["name"]: t for t in tools()}
    assert set(known) == {"look", *REQUESTS}
    assert all(t["description"] and t["inputSchema"]["type"] == "object" for t in known.values())


@pytest.mark.parametrize("wrong", [[1], "x", 3, [[]], True])
def test_what_is_no_object_is_told(wrong: Any) -> None:
    (no_params, no_arguments, no_view, no_options, last) = talk(
        {"id": 1, "method": "tools/call", "params": wrong},
        {"id": 2, "method": "tools/call", "params": {"name": "undo", "arguments": wrong}},
        {"id": 3, "method": "tools/call", "params": {"name": "look", "arguments": {"view": wrong}}},
        {
            "id": 4,
            "method": "tools/call",
            "params": {"name": "look", "arguments": {"view": "loops", "options": wrong}},
        },
        {"id": 5, "method": "ping"},
    )
    assert no_params["error"]["code"] == -32602 and last["result"] == {}
    said = [a["result"]["content"][0]["text"] for a in (no_arguments, no_view, no_options)]
    assert "arguments by their names" in said[0] and "view" in said[1] and "the view loops" in said[2]
    assert not any("Error" in text for text in said)
