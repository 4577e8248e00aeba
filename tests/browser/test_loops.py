"""The loop tree by mouse and keyboard."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.bench import code, row, said, split, tab
from tests.browser.lab import Notebook


def test_loops_are_scheduled_by_keys(start: Notebook) -> None:
    page = start.page
    split(page, "C/i", 8)
    expect(code(page)).to_contain_text("for i.outer in range(64):")
    split(page, "C/j", 16)
    expect(page.get_by_label("Loop", exact=True).first).to_have_value("j.outer")  # the chooser follows
    row(page, "C/j.inner").click()
    page.keyboard.press("v")
    expect(row(page, "C/j.inner")).to_contain_text("vectorize")
    expect(row(page, "C/j.inner")).to_be_focused()  # the focus stays
    row(page, "C/k").click()
    page.keyboard.press("Alt+ArrowUp")
    expect(said(page)).to_contain_text("reorder")
    page.keyboard.press("p")
    expect(said(page)).to_contain_text("k is a reduce axis")
    page.keyboard.press("t")
    expect(said(page)).to_contain_text("transpose on stage C: k is a reduce axis")
    page.keyboard.press("Home")
    expect(row(page, "A")).to_be_focused()
    start.screenshot("loops-keys-light")


def test_a_mark_goes_by_the_key_that_made_it(start: Notebook) -> None:
    page = start.page
    row(page, "C/i").click()
    page.keyboard.press("u")
    expect(row(page, "C/i")).to_contain_text("unroll")
    page.keyboard.press("u")
    expect(row(page, "C/i")).not_to_contain_text("unroll")
    page.keyboard.press("Control+z")
    expect(row(page, "C/i")).to_contain_text("unroll")
    page.keyboard.press("Control+Shift+z")
    expect(row(page, "C/i")).not_to_contain_text("unroll")


def test_loops_are_dragged(start: Notebook) -> None:
    page = start.page
    row(page, "C/k").drag_to(row(page, "C/i"))
    expect(said(page)).to_contain_text("reorder")
    text = page.locator(".tw-workbench .tw-tree").inner_text()
    assert text.index("k in") < text.index("i in") < text.index("j in")


def test_the_tree_folds(start: Notebook) -> None:
    page = start.page
    row(page, "C/i").click()
    page.keyboard.press("ArrowLeft")
    expect(row(page, "C/j")).to_have_count(0)
    expect(row(page, "C/i")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    expect(row(page, "C/j")).to_be_visible()


def test_quick_typing_is_never_lost(start: Notebook) -> None:
    """Each factor that is typed is the one that is used, however fast the next key comes."""
    page = start.page
    for n in range(50):
        factor = 2 + n % 7
        split(page, "C/i", factor)
        expect(said(page)).to_contain_text(f"split(C, axis=i, factor={factor})")
        page.keyboard.press("Control+z")
        expect(row(page, "C/i")).to_be_visible()


def test_the_form_sends_what_is_typed_with_the_press(start: Notebook) -> None:
    """A press of Apply right after typing carries the typed number, 50 times."""
    page = start.page
    row(page, "C/i").click()
    form = tab(page, "Do").get_by_role("form", name="Parameters of split")
    for n in range(50):
        factor = 2 + n % 9
        form.get_by_label("factor", exact=True).fill(str(factor))
        form.get_by_role("button", name="Apply").click(delay=0)
        expect(said(page)).to_contain_text(f"factor={factor})")
        page.keyboard.press("Control+z")
        expect(said(page)).to_contain_text("undone")
        row(page, "C/i").click()


ACTIVE = "() => document.activeElement === document.body ? 'nothing' : document.activeElement.closest('.tw-workbench') ? 'in' : 'out'"
BARE = """() => [...document.querySelectorAll(
  '.tw-workbench :is(button, select, input, summary, [role=separator], [role=tab])')]
  .filter(e => !e.title && !e.closest('label[title], .cm-editor')).map(e => e.outerHTML.slice(0, 120))"""


def test_the_focus_is_never_lost_and_every_control_says_what_it_does(start: Notebook) -> None:
    """All that can be done by keys, one after the other: after each something of the workbench has the focus."""
    page = start.page
    keys = page.keyboard.press
    row(page, "C/i").click()
    for action in (
        ["s", "8", "Enter"], ["s", "Escape"], ["u"], ["u"], ["v"], ["Alt+ArrowDown"], ["Control+z"], ["Control+z"], ["Control+z"],
        ["Control+Shift+z"], ["Control+k", "Escape"], ["?", "Escape"], ["Control+k", "c", "a", "c", "h", "e", "Enter"], ["Control+z"],
        ["e"], ["Control+g", "Escape"], ["l"], ["c"], ["Shift+p"], ["w"], *[[str(n)] for n in range(1, 10)], ["l"],
    ):  # fmt: skip
        for key in action:
            keys(key)
        page.wait_for_timeout(250)
        assert page.evaluate(ACTIVE) == "in", action
        assert page.evaluate(BARE) == [], action
    keys("2")
    journal = tab(page, "Journal")
    steps = journal.locator(".tw-step > .tw-link")
    split(page, "C/j", 4)
    expect(steps).to_have_count(2)
    steps.first.focus()
    for action in (["ArrowDown"], ["Alt+ArrowUp"], ["n", "x", "Enter"], ["Delete"], ["Delete"]):
        for key in action:
            keys(key)
        page.wait_for_timeout(400)
        assert page.evaluate(ACTIVE) == "in", action
    expect(journal).to_contain_text("No steps yet")
    undo = start.workbench().get_by_role("button", name="Undo", exact=True)
    undo.focus()
    while undo.is_enabled():  # until it is switched off with the focus on it
        keys("Enter")
        page.wait_for_timeout(250)
        assert page.evaluate(ACTIVE) == "in"


def test_focus_and_light_follow_the_loop_whose_row_another_one_takes(start: Notebook) -> None:
    """The pointer rests on the row of a loop that steps rename, move and bring back."""
    page = start.page
    focused = page.locator(".tw-tree :focus")
    row(page, "C/i").click()
    for keys, under, now in (
        (["s", "8", "Enter"], "C/i.outer", "C/i.outer"),
        (["Alt+ArrowDown"], "C/i.inner", "C/i.outer"),
        (["Control+z"], "C/i.outer", "C/i.outer"),
        (["Control+z"], "C/i", "C/i"),
    ):
        for key in keys:
            page.keyboard.press(key)
        expect(row(page, under)).to_have_class(re.compile("tw-lit"))
        expect(focused).to_have_attribute("data-key", now)
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_attribute("data-key", "C/j")


def test_panes_fold_away_and_the_height_is_set_by_keys(start: Notebook) -> None:
    page = start.page
    bench = start.workbench()
    bar = bench.get_by_role("separator", name="Height of the code")
    tall = bench.locator(".tw-pane-code").bounding_box()["height"]
    bar.focus()
    page.keyboard.press("Enter")
    expect(bar).to_have_attribute("aria-valuenow", "100")
    assert bench.locator(".tw-pane-code").bounding_box()["height"] > tall + 50
    page.keyboard.press("Enter")
    expect(bar).to_have_attribute("aria-valuenow", "50")
    edge = bench.get_by_role("separator", name="Height of the workbench")
    before = bench.bounding_box()["height"]
    edge.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert bench.bounding_box()["height"] < before - 50


def test_the_palette_finds_steps_on_loops_that_are_not_chosen(start: Notebook) -> None:
    page = start.page
    row(page, "C/k").click()
    page.keyboard.press("Control+k")
    page.keyboard.type("parallel i")
    option = page.get_by_role("option", name="parallel(C, axis=i)")
    expect(option).to_be_visible()
    page.keyboard.press("Enter")
    expect(row(page, "C/i")).to_contain_text("parallel")
    page.keyboard.press("Control+z")
    expect(row(page, "C/i")).not_to_contain_text("parallel")


def test_enter_waits_for_the_steps_that_are_typed(start: Notebook) -> None:
    page = start.page
    row(page, "C/i").click()
    for letters, shown in (("vec", "vectorize"), ("unr", "unroll"), ("par", "parallel")):
        page.keyboard.press("Control+k")
        page.keyboard.type(letters, delay=0)
        page.keyboard.press("Enter")
        expect(row(page, "C/i")).to_contain_text(shown)
        page.keyboard.press("Control+z")
        expect(row(page, "C/i")).not_to_contain_text(shown)


def test_steps_are_typed_with_their_arguments(start: Notebook) -> None:
    page = start.page
    row(page, "C/i").click()
    for typed, done in (
        ("tile 8 32", "tile(C, x=i, y=j, x_factor=8, y_factor=32)"),
        ("split C.k 4", "split(C, axis=k, factor=4)"),
        ("vec j.inner", "vectorize(C, axis=j.inner)"),
        ("undo 3", "undone: 3 changes"),
        ("split q 8", "it has no axis q"),
    ):
        page.keyboard.press("Control+k")
        page.keyboard.type(typed, delay=0)
        if typed == "tile 8 32":
            first = page.get_by_role("listbox", name="Found").get_by_role("option").first
            expect(first).to_contain_text("j.inner(32)")  # what it leads to
            assert "tile" in first.inner_text()
        page.keyboard.press("Enter")
        expect(said(page)).to_contain_text(done)
    expect(row(page, "C/i")).to_be_visible()


def test_a_name_alone_lists_its_steps_with_what_they_lead_to_or_why_not(start: Notebook) -> None:
    page = start.page
    row(page, "C/k").click()
    found = page.get_by_role("listbox", name="Found").get_by_role("option")
    for typed, said_of_it in (
        ("rfactor", "C.rf: k(512), i(512), j(512)"),
        ("parallel", "✗ k is a reduce axis"),
        ("store_at", "✗ C is an output"),
    ):
        page.keyboard.press("Control+k")
        page.keyboard.type(typed, delay=0)
        expect(found.filter(has_text=said_of_it).first).to_contain_text(typed)
        if typed == "parallel":
            start.screenshot("palette-name")
        page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("store_at", delay=0)
    expect(found).to_have_count(1)
    page.keyboard.press("Enter")  # is told as what is refused is
    expect(said(page)).to_contain_text("C is an output")


def test_what_costs_are_shown_is_chosen_beside_the_tree_and_not_over_it(start: Notebook) -> None:
    page = start.page
    for name in ("A", "B"):
        box, chooser = row(page, name).bounding_box(), page.locator(".tw-metric").first.bounding_box()
        assert chooser["y"] + chooser["height"] <= box["y"] + 1


def test_enter_once_more_does_nothing_else(start: Notebook) -> None:
    """A button whose row is replaced, or that is switched off, by what it began: the focus stays at what came of it."""
    page = start.page
    row(page, "C/i").click()
    tab(page, "Do").get_by_role("button", name="split(C, axis=i, factor=16)").focus()
    page.keyboard.press("Enter")
    expect(row(page, "C/i.outer")).to_be_visible()
    expect(page.locator(".tw-tabpanel:focus, .tw-status:focus")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.press("Control+z")
    expect(row(page, "C/i")).to_be_visible()
    expect(code(page)).to_contain_text("for i in range(512)")
    measure = page.locator(".tw-toolbar").first.get_by_role("button", name="Measure", exact=True)
    measure.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".tw-result").first).to_contain_text("✓", timeout=90_000)  # it was not stopped
