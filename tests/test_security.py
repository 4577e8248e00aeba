"""What SECURITY.md says of files and texts from a stranger: they are read, and what they would do is not done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb import te
from tewb.base import TewbError
from tewb.ir import parse
from tewb.runtime.object_cache import ObjectCache, ObjectCode, object_cache


@pytest.fixture
def harm(tmp_path: Path) -> str:
    """An expression that leaves a trace when it is run."""
    return f"__import__('pathlib').Path({str(tmp_path / 'trace')!r}).touch()"


def is_harmless(read: Callable[[], object], folder: Path) -> bool:
    """Whether reading something is refused, and leaves no trace."""
    with pytest.raises(TewbError):
        read()
    return not (folder / "trace").exists()


SCRIPTS = {
    "beside the function": "{harm}\n@te.hybrid.script\ndef f(a):\n    return a\n",
    "in a decorator": "@te.hybrid.script\n@{harm}\ndef f(a):\n    return a\n",
    "in a default": "@te.hybrid.script\ndef f(a, b={harm}):\n    return a\n",
    "in an annotation": "@te.hybrid.script\ndef f(a: {harm}):\n    return a\n",
    "in the body": "@te.hybrid.script\ndef f(a):\n    {harm}\n    return a\n",
    "in an import": "import antigravity\n@te.hybrid.script\ndef f(a):\n    return a\n",
}


@pytest.mark.parametrize("where", SCRIPTS)
def test_the_file_of_a_hybrid_function_is_not_executed(where: str, tmp_path: Path, harm: str) -> None:
    path = tmp_path / "f.py"
    path.write_text("from tewb import te\n" + SCRIPTS[where].format(harm=harm))
    assert is_harmless(lambda: te.hybrid.load(path), tmp_path)


@pytest.mark.parametrize("word", ["call_packed", "call_extern", "open", "eval", "getattr", "print"])
def test_a_loaded_hybrid_function_calls_nothing_outside_of_the_language(word: str, tmp_path: Path) -> None:
    path = tmp_path / "f.py"
    path.write_text(
        f"from tewb import te\n@te.hybrid.script\ndef f(a):\n    {word}('trace', a)\n    return a\n"
    )
    with pytest.raises(TewbError, match=f"{word} is not a name of the function"):
        te.hybrid.load(path)


@pytest.mark.parametrize(
    "text", ["{harm}", "s[C].split(i, {harm})", "x = {harm}", "s[{harm}].vectorize('i')", "C:split(i,{harm})"]
)
def test_a_schedule_as_text_is_not_executed(text: str, tmp_path: Path, harm: str) -> None:
    inputs, outputs = matmul()
    session = tewb.Session(schedule_for(outputs), [*inputs, *outputs])
    assert is_harmless(lambda: session.load(text.format(harm=harm)), tmp_path)
    assert session.journal == ()


def test_a_schedule_as_json_is_names_and_numbers(tmp_path: Path, harm: str) -> None:
    inputs, outputs = matmul()
    session = tewb.Session(schedule_for(outputs), [*inputs, *outputs])
    for step in (
        {"primitive": harm, "stage": "C", "args": {}},
        {"primitive": "__class__", "stage": "C", "args": {}},
        {"primitive": "split", "stage": harm, "args": {"axis": "i", "factor": 4}},
        {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": harm}},
    ):
        assert is_harmless(lambda step=step: session.load(json.dumps({"steps": [step]})), tmp_path)  # type: ignore[misc]
    assert session.journal == ()


def test_printed_ir_is_not_executed(tmp_path: Path, harm: str) -> None:
    text = f'@T.prim_func\ndef main(A: T.Buffer((8,), "float32")):\n    for i in range(8):\n        A[i] = {harm}\n'
    assert is_harmless(lambda: parse(text), tmp_path)


def test_machine_code_is_not_taken_from_where_others_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEWB_CACHE_DIR", str(tmp_path))
    cache = object_cache()
    assert isinstance(cache, ObjectCache)
    key = "ab" * 32
    cache.store(key, ObjectCode(b"code", ()))
    assert cache.load(key) is not None
    (tmp_path / "tewb-objects" / f"{key}.obj").chmod(0o666)
    assert cache.load(key) is None
    (tmp_path / "tewb-objects").chmod(0o777)
    assert object_cache() is None
