"""Tests mirror the package: a module has a test file of its name at the same place, or stands in a list that shrinks."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Modules that are only tested through others, by package. A module gets its file, and leaves the list; none is added.
WITHOUT: dict[str, str] = {}


def untested() -> dict[str, list[str]]:
    """Modules without a test file of their name, by package."""
    found: dict[str, list[str]] = {}
    for module in sorted((ROOT / "tewb").rglob("*.py")):
        inside = module.relative_to(ROOT / "tewb")
        if (
            module.name != "__init__.py"
            and not (ROOT / "tests" / inside.parent / f"test_{module.name}").exists()
        ):
            package = ".".join(module.relative_to(ROOT).parent.parts)
            found.setdefault(package, []).append(module.stem)
    return found


def test_modules_have_test_files_of_their_names() -> None:
    new = {p: sorted(set(ms) - set(WITHOUT.get(p, "").split())) for p, ms in untested().items()}
    assert not {p: ms for p, ms in new.items() if ms}, "a new module needs a test file of its name"


def test_the_list_shrinks() -> None:
    done = {p: sorted(set(ms.split()) - set(untested().get(p, []))) for p, ms in WITHOUT.items()}
    assert not {p: ms for p, ms in done.items() if ms}, (
        "these have a test file, or are gone: take them off the list"
    )
