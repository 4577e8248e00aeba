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
    "tewb.base": """
        dtypes given llvm_names long_stack masked_arrays names native_functions python_text span
        stopping traceback
    """,
    "tewb.codegen": """
        accesses conversion debug_locations division function intrinsics line_provenance single_lane size_limits
        size_text statements types vector_slices
    """,
    "tewb.codegen.vector_math": "arc build erf exp log power rare sine wide",
    "tewb.contrib": "cblas tedd",
    "tewb": "driver nd target testing transform",
    "tewb.ir": """
        axes axis_values buffers builder expressions functions intrinsics lane_masks long_text node origin
        parse_expr script statements structural_equality symbolic walk
    """,
    "tewb.lowering": """
        argument_buffers bind_buffers combine_values data_ranges demands double_buffer extern_buffers extern_nest
        form_dot_products iterations nest stage_loops
    """,
    "tewb.runtime": """
        abi aligned_memory cpython foreign_kernel jit native_calls native_entry_code packed_functions
        thread_pool_code timing
    """,
    "tewb.schedule": """
        code inlining journal loop_text methods questions recompute relation result_cache schedule stage
        stub
    """,
    "tewb.schedule.primitives": "marks reorder set_scope",
    "tewb.te": "hybrid",
    "tewb.tensor": "compute domains extern_access extern_calls graph_source placeholder tensor",
    "tewb.tensor.hybrid": """
        arithmetic assignments attributes axes branches broadcast calls checked_arrays checked_call
        checked_elements checked_expressions checked_statements declarations elements emitted expressions
        indices inlining loop_order loops name_scope names op operators partial_axes range_overflow returns
        scalars script shared_buffers slice_stores slices source_text statements stores syntax translation
        values words write_text
    """,
    "tewb.tir": "ir_builder",
    "tewb.workbench.journal": "replay text_errors timeline",
    "tewb.workbench.looks": "code_line diff loop_tree lowered_ir sizes",
    "tewb.workbench.measure": "counts interruptible measurement trials",
    "tewb.workbench.notebook": "snapshot sync_after_cells",
    "tewb.workbench": "player session_view",
    "tewb.workbench.trace": "interpreter",
    "tewb.workbench.views": """
        access access_player code_forms history html journal_controls ledger loops pages palette
        parameter_form plain roofline times why
    """,
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
