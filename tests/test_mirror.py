"""Tests mirror the package: a module has a test file of its name at the same place, or stands in a list that shrinks."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Modules that are only tested through others, by package. A module gets its file, and leaves the list; none is added.
WITHOUT: dict[str, str] = {
    "tewb.arith": """
        analyzer atom_bounds comparisons const_ranges detect_linear evaluate intset keys known_sums learning
        linear simplifier sum_bounds
    """,
    # Each rule is tried by tests/arith/test_rules.py.
    "tewb.arith.rules": """
        casts choices comparisons conditions declare differences equal_lanes extremes logic numbers products
        quotients ramps remainders sums symbolic_divisors truncation
    """,
    "tewb": "target",
    "tewb.ir": """
        axes axis_values buffers builder expressions functions intrinsics lane_masks long_text node origin
        parse_expr script statements structural_equality symbolic walk
    """,
    "tewb.lowering": """
        argument_buffers bind_buffers combine_values data_ranges demands double_buffer extern_buffers extern_nest
        form_dot_products iterations nest stage_loops
    """,
    "tewb.schedule": """
        code inlining journal loop_text methods questions recompute relation result_cache schedule stage
        stub
    """,
    "tewb.schedule.primitives": "fuse marks reorder set_scope",
    "tewb.te": "hybrid",
    "tewb.tensor": "compute domains extern_access extern_calls graph_source placeholder tensor",
    "tewb.tir": "ir_builder",
}


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
