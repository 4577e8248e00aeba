"""The times of a session: a table with its checks, and what every step brought."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from tests.workbench.measure.test_verify import matmul
from tewb.workbench.demos import demo_session
from tewb.workbench.measure.verify import Verdict
from tewb.workbench.views import times

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 8}}


def session(n: int = 32) -> Any:
    return demo_session("matmul", n=n)


SVG = "{http://www.w3.org/2000/svg}"


def history(s: Any) -> Any:
    return ElementTree.fromstring(times.history_plot(s))


def test_the_table_has_the_check_beside_every_number() -> None:
    s = session()
    table = times.times_panel(s.measure(repeat=2, pinned=[]), "after 0 steps")
    rows = ElementTree.fromstring(table).findall(".//tr")
    assert [row[0].text for row in rows[1:]] == ["tewb", "numpy", "pinned"]
    assert all("✓" in "".join(row[1].itertext()) for row in rows[1:])
    assert all(cell.text for row in rows[1:] for cell in row[2:])
    assert "one thread each" in table and "pinned / tewb" in table


def test_the_table_of_a_wrong_result_has_no_numbers() -> None:
    s = session()
    s.reference = lambda a, b: a @ b + 1
    rows = ElementTree.fromstring(times.times_panel(s.measure(repeat=1))).findall(".//tr")
    assert len(rows) == 2 and "✗ C differs from numpy: first at (0, 0)" in "".join(rows[1][1].itertext())
    assert not any(cell.text for cell in rows[1][2:])


def test_before_a_measurement_the_panel_says_what_to_do() -> None:
    assert "press Measure" in times.times_panel(None)
    assert 'value="0.500"' in times.progress_bar(0.5, "sample 4 of 8")


def test_the_history_has_a_point_for_every_measured_step_and_numpys_line() -> None:
    s = session()
    s.measure(repeat=1, cold=False)
    s.apply(SPLIT)
    s.apply({"primitive": "unroll", "stage": "C", "args": {"axis": "i.inner"}})
    s.measure(repeat=1, cold=False)
    assert [m.steps for m in times.history(s)] == [0, 2]
    root = history(s)
    circles = list(root.iter(f"{SVG}circle"))
    assert [c.get("class") for c in circles] == ["tw-point", "tw-newest"]
    assert "after step 2, unroll(C, axis=i.inner)" in circles[1][0].text
    assert "tw-reference" in [e.get("class") for e in root.iter(f"{SVG}polyline")]
    assert root.find(f"{SVG}desc").text.startswith("After 0 steps ")
    s.undo()
    assert len(list(history(s).iter(f"{SVG}circle"))) == 1


def test_a_wrong_result_is_a_cross_in_the_history() -> None:
    s = session()
    assert "no times yet" in times.history_plot(s)
    reference, s.reference = s.reference, lambda a, b: a @ b + 1
    s.measure(repeat=1)
    root = history(s)
    assert [e.get("class") for e in root.iter(f"{SVG}text")][-1] == "tw-wrong"
    assert not list(root.iter(f"{SVG}circle")) and "a wrong result" in root.find(f"{SVG}desc").text
    s.reference = reference
    s.apply(SPLIT)
    s.measure(repeat=1, cold=False)
    root = history(s)
    assert (
        "tw-wrong" in [e.get("class") for e in root.iter(f"{SVG}text")]
        and len(list(root.iter(f"{SVG}circle"))) == 1
    )


def test_a_verdict_is_shown_with_the_step_that_it_names() -> None:
    bad = ElementTree.fromstring(times.verdict(Verdict(False, "step 3, split(C<8>), changed the result", 2)))
    assert bad.get("class") == "tw-verdict tw-bad tw-s2" and bad.get("role") == "alert"
    assert bad.text == "✗ step 3, split(C<8>), changed the result"
    assert 'class="tw-verdict tw-good"' in times.verdict(matmul(8, []).verify())
    assert "role" not in times.verdict(Verdict(None, "not checked: too large"))
