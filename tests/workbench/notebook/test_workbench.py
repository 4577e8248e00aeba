"""The workbench as widgets, without a browser."""

from __future__ import annotations

import tewb


def test_workbench_applies_undoes_and_explains() -> None:
    bench = tewb.demo("matmul", n=32)
    bench.primitive.value, bench.loop.value = "split", "j"
    bench._form.fields["factor"].value = "8"
    bench.apply.click()
    assert "for j.outer in range(4):" in bench.session.ir
    assert "split(C, axis=j, factor=8)" in bench._message.value
    assert "j.outer" in bench._form_html.value and list(bench.loop.options) == [
        "i",
        "j.outer",
        "j.inner",
        "k",
    ]
    bench.primitive.value, bench.loop.value = "parallel", "k"
    bench.apply.click()
    assert "would race" in bench._message.value and len(bench.session.journal) == 1
    bench._form_of = None
    bench.primitive.value = "split"
    bench._form.fields["factor"].value = "many"
    bench.apply.click()
    assert "is not a whole number" in bench._message.value.replace("&#x27;", "'")
    bench.undo.click()
    assert bench.session.journal == () and bench.undo.disabled and not bench.redo.disabled


def test_workbench_follows_later_code_and_offers_new_stages() -> None:
    bench = tewb.demo("matmul", n=32)
    s = bench.session.schedule
    s.cache_write(s.outputs[0].output(0), "local")
    bench.session.refresh()
    assert "C.local" in bench.stage.options
    bench.stage.value, bench.primitive.value = "C.local", "compute_at"
    assert list(bench._form.fields["axis"].options) == ["i", "j"]


def test_workbench_leaves_html_for_a_notebook_without_kernel() -> None:
    bundle = tewb.demo("matmul", n=32)._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "for i in range(32)" in data["text/html"]
    assert "<style" not in data["text/html"] and "<svg" not in data["text/html"]
    assert data["text/plain"].startswith("tewb workbench")


def test_a_new_stage_does_not_change_what_is_chosen() -> None:
    bench = tewb.demo("matmul", n=32)
    bench.primitive.value = "cache_write"
    bench.apply.click()
    assert (bench.stage.value, bench.primitive.value) == ("C", "cache_write")
    assert list(bench.stage.options) == ["A", "B", "C.local", "C"]
    bench.undo.click()
    assert (bench.stage.value, bench.primitive.value) == ("C", "cache_write")
