"""The workbench for programs: one JSON object a line in, one a line out.

    python -m tewb.workbench.serve program.py          a file that makes a `session`, or a schedule `s` and its `args`
    python -m tewb.workbench.serve --demo matmul       a program to try
    python -m tewb.workbench.serve --schema            every view and request as JSON Schema
    python -m tewb.workbench.serve --mcp --demo matmul the same as tools of the Model Context Protocol

    {"id": 1, "view": "loops"}                                      ->  {"id": 1, "ok": true, "state": {...}}
    {"id": 2, "view": "actions", "options": {"stage": "C"}}         ->  the legal steps, and why others are refused
    {"id": 3, "request": "do", "arguments": {"steps": [{...}]}}     ->  {"id": 3, "ok": true, "reply": {...}}

The states are those that the page of the workbench shows (`tewb.workbench.states`), the requests those that it makes
(`tewb.workbench.requests`); `version` in the schema is raised when one of them changes. What the program or numpy print
goes to stderr. A program file is Python, and is run.
"""

from __future__ import annotations

import argparse
import io
import json
import runpy
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any, TextIO

from tewb.base import TewbError
from tewb.schedule import Schedule
from tewb.workbench.demos import demo_session
from tewb.workbench.mcp import NO_TEXT, error
from tewb.workbench.mcp import answer as mcp_answer
from tewb.workbench.requests import ask, refusal, reply_json, schema_of_requests
from tewb.workbench.session import Session
from tewb.workbench.states.schema import VERSION, as_json, json_schema, json_text, read_json
from tewb.workbench.states.views import VIEWS, all_states, look


def schema() -> dict[str, Any]:
    """Every view with its options and state, every request with its arguments, and the states, as JSON Schema."""
    definitions: dict[str, Any] = {}
    for state in all_states():
        definitions |= json_schema(state)["$defs"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "version": VERSION,
        "views": {name: v.schema() for name, v in VIEWS.items()},
        "requests": schema_of_requests(),
        "$defs": definitions,
    }


def answer(session: Session, message: object) -> dict[str, Any]:
    """The answer to one message. A mistake is an answer too: {"ok": false, "error": {...}}."""
    if not isinstance(message, Mapping):
        return _mistake(None, TewbError("a message is a JSON object", hint='{"id": 1, "view": "loops"}'))
    name = message.get("id")
    try:
        if "view" in message:
            return {"id": name, "ok": True, "state": look(session, message["view"], message.get("options"))}
        if "request" in message:
            reply = ask(session, message["request"], message.get("arguments"))
            return {"id": name, "ok": reply.ok, "reply": reply_json(reply)}
        if message.get("schema"):
            return {"id": name, "ok": True, "schema": schema()}
        raise TewbError("a message has a view or a request", hint='{"id": 1, "view": "loops"}')
    except TewbError as e:
        return _mistake(name, e)
    except (
        Exception
    ) as e:  # whatever the user's own program raises; the next message is answered all the same
        return _mistake(name, TewbError(f"{type(e).__name__}: {e}"))


def _mistake(name: object, e: TewbError) -> dict[str, Any]:
    return {"id": name, "ok": False, "error": as_json(refusal(e))}


def serve(session: Session, lines: Iterable[str], out: TextIO) -> None:
    """Answer every line of `lines` on `out`, until they end."""
    for line in lines:
        if not line.strip():
            continue
        try:
            message = read_json(line)
        except TewbError as e:
            said = _mistake(None, e)
        else:
            with redirect_stdout(sys.stderr):
                said = answer(session, message)
        out.write(json_text(said) + "\n")
        out.flush()


def serve_mcp(session: Session, lines: Iterable[str], out: TextIO) -> None:
    """As `serve`, in the words of the Model Context Protocol."""
    for line in lines:
        if not line.strip():
            continue
        try:
            message = read_json(line)
        except TewbError as e:
            said: dict[str, Any] | None = error(None, NO_TEXT, e.message)
        else:
            with redirect_stdout(sys.stderr):
                said = mcp_answer(session, message)
        if said is not None:
            out.write(json_text(said) + "\n")
            out.flush()


def session_of(path: str) -> Session:
    """The session that a program file makes: `session`, or one of its schedule `s` and `args`. Raises TewbError."""
    with redirect_stdout(sys.stderr):
        made = runpy.run_path(path, run_name="__main__")
    session = made.get("session")
    if isinstance(session, Session):
        return session
    if isinstance(made.get("s"), Schedule) and isinstance(made.get("args"), list | tuple):
        return Session(made["s"], list(made["args"]), reference=made.get("reference"))
    raise TewbError(
        f"{path} makes no session",
        hint="it makes `session = tewb.Session(s, args)`, or a schedule `s` and a list `args`",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tewb.workbench.serve", description=(__doc__ or "").splitlines()[0]
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("program", nargs="?", help="a Python file that makes a session")
    what.add_argument("--demo", help="a program to try: matmul, blur, softmax, extern")
    what.add_argument("--schema", action="store_true", help="print every view and request as JSON Schema")
    parser.add_argument("--mcp", action="store_true", help="speak the Model Context Protocol")
    given = parser.parse_args(argv)
    if given.schema:
        print(json.dumps(schema(), indent=2))
        return 0
    try:
        session = demo_session(given.demo) if given.demo else session_of(given.program)
    except (TewbError, OSError) as e:
        print(e, file=sys.stderr)
        return 2
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(
            encoding="utf-8", errors="replace"
        )  # as JSON is; a byte that is wrong spoils one line
    (serve_mcp if given.mcp else serve)(session, sys.stdin, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
