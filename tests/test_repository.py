"""What stands beside the code says the same as the code: versions, Pythons, commands of the gate, the options' page."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

import tewb
from tewb.base.config import DEFAULTS, WITHOUT_EFFECT

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GATE = (ROOT / ".ci" / "run").read_text()


def read_yaml(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def test_one_version() -> None:
    version = PROJECT["project"]["version"]
    assert tewb.__version__ == version
    assert read_yaml("CITATION.cff")["version"] == version
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changes and f"## {version} - " in changes


def test_the_workflow_runs_the_gate_on_the_pythons_that_are_named() -> None:
    workflow = read_yaml(".github/workflows/gate.yml")
    job = workflow["jobs"]["gate"]
    assert "bash .ci/run" in [step.get("run") for step in job["steps"]]
    pythons = job["strategy"]["matrix"]["python"]
    named = [c.rpartition(" ")[2] for c in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert pythons == named == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["project"]["requires-python"] == f">={pythons[0]}"


def test_pre_commit_runs_the_quick_part_of_the_gate() -> None:
    hooks = [hook for repo in read_yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    commands = [" ".join(hook["entry"].split()[:2]) for hook in hooks]
    assert commands == ["ruff check", "ruff format", "mypy --strict"]
    for command in commands:
        assert f".venv/bin/{command}" in GATE


def test_issue_forms_have_what_a_form_must_have() -> None:
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        if path.stem == "config":
            continue
        assert {"name", "description", "body"} <= form.keys()
        ids = [field.get("id") for field in form["body"] if field["type"] != "markdown"]
        assert all(ids) and len(ids) == len(set(ids))


def test_type_checkers_see_the_types_of_what_is_installed() -> None:
    assert (ROOT / "tewb" / "py.typed").exists()
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["tewb"]


def test_the_page_of_options_has_every_option() -> None:
    page = (ROOT / "docs" / "options.md").read_text()
    page, _, without_effect = page.partition("## Without effect")
    assert set(re.findall(r"^\| `((?:tir|tewb)\.[\w.]+)` \|", page, re.M)) == set(DEFAULTS)
    assert dict(re.findall(r"^\| `(\w+\.[\w.]+)` \| (.+) \|", without_effect, re.M)) == WITHOUT_EFFECT
