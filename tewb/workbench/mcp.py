"""The workbench as a server of the Model Context Protocol: each request is a tool, and `look` shows a view.

Messages are JSON-RPC 2.0, one a line (https://modelcontextprotocol.io, transport stdio).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tewb.base import TewbError
from tewb.workbench.requests import REQUESTS, ask, refusal, reply_json
from tewb.workbench.session import Session
from tewb.workbench.states.schema import VERSION, as_json, check_arguments, json_text
from tewb.workbench.states.views import VIEWS, look

PROTOCOL = "2025-06-18"
NO_METHOD, NO_REQUEST, WRONG_PARAMS, NO_TEXT = -32601, -32600, -32602, -32700


def answer(session: Session, message: object) -> dict[str, Any] | None:
    """The answer to a message; None for one that wants none."""
    if not isinstance(message, Mapping) or not isinstance(message.get("method"), str):
        return error(None, NO_REQUEST, "a message is an object with a method")
    if "id" not in message:
        return None  # a notification
    name, given = message["id"], message.get("params") or {}
    if not isinstance(given, Mapping):
        return error(name, WRONG_PARAMS, "params is an object")
    result: dict[str, Any]
    match message["method"]:
        case "initialize":
            result = {
                "protocolVersion": PROTOCOL,
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "tewb", "version": str(VERSION)},
                "instructions": "A schedule of a tensor program. `look` shows it; `do` applies steps that are legal.",
            }
        case "ping":
            result = {}
        case "tools/list":
            result = {"tools": tools()}
        case "tools/call":
            result = called(session, given.get("name"), given.get("arguments"))
        case other:
            return error(name, NO_METHOD, f"there is no method {other}")
    return {"jsonrpc": "2.0", "id": name, "result": result}


def error(name: object, code: int, text: str) -> dict[str, Any]:
    """An answer that says what is wrong with a message."""
    return {"jsonrpc": "2.0", "id": name, "error": {"code": code, "message": text}}


def tools() -> list[dict[str, Any]]:
    """Every tool with its arguments as JSON Schema."""
    views = "; ".join(f"{v.name}({', '.join(v.options)})" for v in VIEWS.values())
    shown = {
        "name": "look",
        "description": f"A view of the program as JSON. Views with their options: {views}.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "view": {"type": "string", "enum": list(VIEWS)},
                "options": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
            },
            "required": ["view"],
        },
    }
    asked: list[dict[str, Any]] = []
    for r in REQUESTS.values():
        schema = r.schema()
        asked.append({"name": r.name, "description": schema["doc"], "inputSchema": schema["arguments"]})
    return [shown, *asked]


def called(session: Session, name: Any, given: Any) -> dict[str, Any]:
    """What a tool came to; a mistake is a result that says so."""
    try:
        if name == "look":
            check_arguments(
                "the tool look", {"view": str, "options": Any}, _look, {} if given is None else given
            )
            return _content(_look(session, **given), True)
        reply = ask(session, name, given)
    except TewbError as e:
        return _content(as_json(refusal(e)), False)
    except (
        Exception
    ) as e:  # whatever the user's own program raises; the next message is answered all the same
        return _content({"message": f"{type(e).__name__}: {e}"}, False)
    return _content(reply_json(reply), reply.ok)


def _look(session: Session, view: str, options: Any = None) -> dict[str, Any]:
    return {"state": look(session, view, options)}


def _content(found: dict[str, Any], ok: bool) -> dict[str, Any]:
    text = json_text(found)
    return {"content": [{"type": "text", "text": text}], "structuredContent": found, "isError": not ok}
