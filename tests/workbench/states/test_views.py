"""Every view: its state is what its schema says, and its options are checked."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from tewb.base import TewbError
from tewb.workbench.demos import demo_session
from tewb.workbench.serve import schema
from tewb.workbench.states.schema import fits as fits_type
from tewb.workbench.states.views import VIEWS, is_beside, is_slow, look, look_in_pieces

OPTIONS: dict[str, dict[str, Any]] = {
    "actions": {"stage": "X"},
    "primitives": {"stage": "X"},
    "why": {"what": "bound", "stage": "X", "loop": "i"},
}
SCHEMA = schema()


def fits(value: Any, wanted: dict[str, Any]) -> bool:
    """Whether a value is what a JSON Schema of ours says."""
    if "$ref" in wanted:
        return fits(value, SCHEMA["$defs"][wanted["$ref"].removeprefix("#/$defs/")])
    if "enum" in wanted:
        return value in wanted["enum"]
    if "anyOf" in wanted:
        return any(fits(value, w) for w in wanted["anyOf"])
    match wanted.get("type"):
        case "array":
            return isinstance(value, list) and all(fits(v, wanted["items"]) for v in value)
        case "object" if "properties" in wanted:
            fields = wanted["properties"]
            return (
                isinstance(value, dict)
                and set(value) == set(fields)
                and all(fits(value[k], fields[k]) for k in fields)
            )
        case "object":
            return isinstance(value, dict) and all(
                fits(v, wanted["additionalProperties"]) for v in value.values()
            )
        case "string" | "integer" | "number" | "boolean" | "null" as name:
            kinds = {
                "string": str,
                "integer": int,
                "number": (int, float),
                "boolean": bool,
                "null": type(None),
            }
            return isinstance(value, kinds[name]) and (name == "boolean" or not isinstance(value, bool))  # type: ignore[arg-type]
    return not wanted


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("demo", ["blur", "extern"])
def test_a_state_is_what_its_schema_says(view: str, demo: str) -> None:
    s = demo_session(demo, **({"n": 32} if demo == "blur" else {}))
    options = {k: ("E" if v == "X" and demo == "extern" else v) for k, v in OPTIONS.get(view, {}).items()}
    state = look(s, view, options)
    assert state == json.loads(json.dumps(state)) and fits(state, SCHEMA["views"][view]["state"])


def test_the_check_of_schemas_finds_what_does_not_fit() -> None:
    wanted = SCHEMA["views"]["loops"]["state"]
    assert not fits({"roots": []}, wanted) and not fits({"roots": 3, "problem": None}, wanted)
    assert not fits(True, {"type": "integer"}) and fits(
        None, {"anyOf": [{"type": "string"}, {"type": "null"}]}
    )


def test_options_are_checked() -> None:
    s = demo_session("blur", n=32)
    with pytest.raises(TewbError, match="there is no view lops") as e:
        look(s, "lops")
    assert "did you mean loops" in (e.value.hint or "")
    with pytest.raises(TewbError, match="there is no option of the view code fromm"):
        look(s, "code", {"fromm": "TE"})
    with pytest.raises(TewbError, match="missing a required argument: 'stage'"):
        look(s, "actions")


def test_slow_views_give_way() -> None:
    assert is_slow("advice") and not is_slow("code") and not is_slow("nope")
    assert is_beside("speed") and is_beside("advice") and not is_beside("code") and not is_beside("nope")
    *pauses, state = look_in_pieces(demo_session("blur", n=32), "actions", {"stage": "X"})
    assert pauses and state["choices"]


WRONG: tuple[Any, ...] = (
    True, -1, 10**400, 1.5, float("nan"), float("inf"), "", "nope", "\ud800", [], [[]], {}, {"a": float("nan")}, b"x",
)  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
def test_options_of_another_kind_are_refused_by_name_and_nothing_else_goes_wrong(view: str) -> None:
    s = demo_session("blur", n=4)
    for wrong in WRONG:
        if wrong != {}:
            with pytest.raises(TewbError, match=f"view {view}"):
                look(s, view, wrong)
        for option, kind in VIEWS[view].options.items():
            given = {**OPTIONS.get(view, {}), option: wrong}
            if fits_type(wrong, kind):
                with contextlib.suppress(TewbError):  # a word that is none of those that there are
                    json.dumps(look(s, view, given), allow_nan=False)
            else:
                with pytest.raises(TewbError, match=f"the view {view}: {option} is "):
                    look(s, view, given)


@pytest.mark.parametrize("name", [None, 3, ["loops"], {}, float("nan")])
def test_a_view_has_a_name(name: Any) -> None:
    with pytest.raises(TewbError, match="there is no view"):
        look(demo_session("blur", n=4), name)
