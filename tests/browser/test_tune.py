"""Searching for a schedule in the workbench: a factor is pressed to be a knob, trials fill the table, and one becomes the journal."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.bench import apply, code, press, row, said, tab
from tests.browser.lab import Lab, Notebook, opened
from tests.browser.test_accessibility import violations


def test_a_factor_is_pressed_tuned_and_the_best_becomes_the_journal(start: Notebook) -> None:
    page = start.page
    apply(page, "tile", x="i", y="j", x_factor="8", y_factor="32")
    row(page, "C/j.inner").click()
    page.keyboard.press("v")
    expect(row(page, "C/j.inner")).to_contain_text("vectorize")
    journal = tab(page, "Journal")
    value = journal.get_by_role("button", name="Knob: y_factor of step 1")
    expect(value).to_have_text("y_factor=32")  # in the text of its step
    value.click()
    values = journal.get_by_label("Candidates of y_factor of step 1")
    expect(values).to_have_value("1, 2, 4, 8, 16, 32, 64, 128, 256, 512")
    values.fill("16, 64, 1000000000000000")
    values.press("Enter")
    expect(said(page)).to_contain_text("is not a number from 1 to")
    expect(values).to_have_value("1, 2, 4, 8, 16, 32, 64, 128, 256, 512")
    values.fill("16, 64")
    values.press("Enter")
    expect(values).to_have_value("16, 32, 64")  # what stands in the journal is among them
    tune = tab(page, "Tune")
    expect(tune.get_by_role("button", name="Knob: y_factor of step 1")).to_have_attribute(
        "aria-pressed", "true"
    )
    tune.get_by_role("button", name="Knob: done of step 2").click()
    expect(tune).to_contain_text("6 points, all are tried")
    tune.get_by_role("button", name="Tune these knobs").click()
    expect(said(page)).to_contain_text(re.compile(r"[1-6] trials?, the best"), timeout=120_000)
    trials = tune.get_by_role("table", name="Trials").get_by_role("row")
    expect(trials.nth(1)).to_contain_text("±")
    expect(tune.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("The best so far: .* by trial 0")
    )
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        start.theme(theme)
        start.workbench()
        assert violations(page) == []
        start.screenshot(f"tune-{theme.split()[-1].lower()}")
    for width, height, rows in ((1280, 800, 4), (1600, 1000, 5)):
        page.set_viewport_size({"width": width, "height": height})
        start.workbench()
        assert rows_in_view(tune) >= min(rows, trials.count() - 1), (width, height)
    page.set_viewport_size({"width": 1500, "height": 1700})
    mine = trials.filter(has_text="mine")
    mine.get_by_role("button", name="Pin trial 0").click()
    expect(trials.nth(1)).to_contain_text("mine")
    tune.get_by_role("button", name="state").click()
    expect(tune.get_by_role("columnheader", name="state")).to_have_attribute("aria-sort", "ascending")
    expect(trials.nth(1)).to_contain_text("mine")  # what is pinned stays on top
    other = trials.filter(has_not_text="mine").get_by_role("button", name="to the journal").first
    other.click()
    expect(said(page)).to_contain_text("took")
    expect(tune).to_contain_text(re.compile("[Pp]inned, trial 0"))  # "The best and pinned", where it is both
    press(page, "Undo")
    expect(code(page)).to_contain_text("for j.outer in range(16):")


ROWS_IN_VIEW = """box => {
  const { top, bottom, left, right } = box.getBoundingClientRect();
  const isInside = el => {
    const r = el.getBoundingClientRect();
    return r.top >= top - 1 && r.bottom <= bottom + 1 && r.left >= left - 1 && r.right <= right + 1;
  };
  box.scrollTop = 10000;
  if (![...box.querySelectorAll('thead')].every(h => Math.abs(h.getBoundingClientRect().top - top) < 2)) return -1;
  box.scrollTop = 0;
  const buttons = row => [...row.querySelectorAll('button')];
  return [...box.querySelectorAll('tbody tr')].filter(row => buttons(row).every(isInside)).length;
}"""


def rows_in_view(tune: Any) -> int:
    """How many trials are in view with what can be done with them; the header stays where the table is scrolled."""
    pane = tune.locator(".tw-pane-tune")
    assert pane.evaluate("p => p.parentElement.scrollHeight - p.parentElement.clientHeight") <= 1
    return int(tune.locator(".tw-trials-box").evaluate(ROWS_IN_VIEW))


def test_a_list_of_candidates_is_in_view_as_a_whole_and_enter_keeps_it(page: Any, lab: Lab) -> None:
    opened(page, lab, lab.write_start())
    apply(page, "split", axis="j", factor="32")
    journal = tab(page, "Journal")
    journal.get_by_role("button", name="Knob: factor of step 1").click()
    values = journal.get_by_label("Candidates of factor of step 1")
    values.fill(", ".join(str(n) for n in range(1, 41)))
    values.press("Enter")
    expect(said(page)).to_contain_text("knob with 40 values")
    expect(values).to_be_focused()
    assert values.evaluate("e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight + 1")


def test_trials_are_there_another_day_and_autoschedule_needs_no_knobs(page: Any, lab: Lab) -> None:
    opened(page, lab, lab.write_start())
    apply(page, "split", axis="j", factor="32")
    tune = tab(page, "Tune")
    tune.get_by_role("button", name="Knob: factor of step 1").click()
    values = tune.get_by_label("Candidates of factor of step 1")
    values.fill("64")
    values.press("Enter")
    expect(tune).to_contain_text("2 points, all are tried")
    tune.get_by_role("button", name="Tune these knobs").click()
    expect(said(page)).to_contain_text(re.compile(r"[12] trials?, the best"), timeout=120_000)
    again = opened(page, lab, lab.write_start())  # the cell makes another session of the program
    tune = tab(page, "Tune")
    expect(tune).to_contain_text("of another day")
    expect(tune).to_contain_text("split or tile a loop")
    tune.get_by_role("button", name="to the journal").first.click()
    expect(said(page)).to_contain_text("took 1 step")
    expect(tune.get_by_role("button", name="Knob: factor of step 1")).to_have_attribute(
        "aria-pressed", "true"
    )
    tune.get_by_role("button", name="Autoschedule").click()
    expect(tune.get_by_role("progressbar", name="autoschedule")).to_be_visible()
    row(page, "C/j.inner").click()
    page.keyboard.press("v")  # an edit meanwhile
    expect(row(page, "C/j.inner")).to_contain_text("vectorize")
    expect(tune.get_by_role("table", name="Trials")).to_contain_text("as it was given", timeout=120_000)
    tune.get_by_role("button", name="Stop").click()
    expect(said(page)).to_contain_text(re.compile(r"trials?, the best"), timeout=120_000)
    again.screenshot("tune-autoschedule")
