"""The pages of the documentation: their programs run and print what they say, their links lead somewhere, and what
each how-to adds is there when its steps are followed."""

from __future__ import annotations

import re
import runpy
import shutil
from pathlib import Path

import pytest

from tests.markdown import ROOT, commands, follow, links, run_page

DOCS = ROOT / "docs"
HOW_TO = sorted((DOCS / "how-to").glob("*.md"))
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if p not in HOW_TO]
AT_THE_TOP = [
    ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG", "SECURITY", "CODE_OF_CONDUCT")
]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_programs_run_and_print_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for block, printed, said in run_page(page):
        if said is not None:
            assert printed.strip() == said.strip(), f"the block at line {block.line}"


@pytest.mark.parametrize("page", [*AT_THE_TOP, *sorted(DOCS.rglob("*.md"))], ids=named)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    for link in links(page):
        target = link.partition("#")[0]
        if target and "://" not in target:
            assert (page.parent / target).exists(), link


@pytest.mark.parametrize("page", [*AT_THE_TOP, *PAGES], ids=named)
def test_files_of_the_package_that_are_named_exist(page: Path) -> None:
    for path in re.findall(r"`((?:tewb|tests|docs)/[\w/.-]+)`", page.read_text()):
        assert (ROOT / path).exists(), path


def test_the_index_names_every_page() -> None:
    index = (DOCS / "index.md").read_text()
    for page in sorted(DOCS.rglob("*.md")):
        name = str(page.relative_to(DOCS).with_suffix(""))
        assert name == "index" or f"\n{name}\n" in index, name


def test_the_page_of_primitives_is_as_they_are_declared() -> None:
    write_primitives = runpy.run_path(str(DOCS / "write_primitives.py"))
    page = (DOCS / "primitives.md").read_text()
    assert page == write_primitives["page"](), "write it anew: python docs/write_primitives.py"


def test_the_page_of_classic_names_is_as_the_registry_has_it() -> None:
    write_classic = runpy.run_path(str(DOCS / "write_classic.py"))
    page = (DOCS / "classic.md").read_text()
    assert page == write_classic["page"](page), "write it anew: python docs/write_classic.py"


def checkout_at(folder: Path) -> Path:
    """A copy of the sources, the tests and the pages, with what Python has compiled of them."""
    ignored = shutil.ignore_patterns("bench", "screenshots", "images", "node_modules")
    for name in ("tewb", "tests", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.one_in(5)
@pytest.mark.parametrize("page", HOW_TO, ids=named)
def test_a_how_to_adds_what_it_says(page: Path, tmp_path: Path) -> None:
    """In a copy of the checkout: its files are written, its diffs applied, its commands run. The last is its tests."""
    assert "pytest" in commands(page)[-1]
    follow(page, checkout_at(tmp_path))
