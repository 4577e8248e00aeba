"""The registry of classic names: its notation, and that what it says is so."""

from __future__ import annotations

import pytest

from tewb.compat.face import is_here, locate
from tewb.compat.names import Entry, covering, modules, parse

TEXT = """
# a comment
te: tewb.te
    placeholder compute
    extern + it is better
    select both = tewb.tir.Select
    gradient - write the sum
te: tewb.tensor
    access
ndarray = tewb.nd
relay - there are no operators
class Stage: tewb.schedule.Stage
    split
"""


def test_the_notation() -> None:
    parsed = parse(TEXT)
    te = parsed["te"].entries
    assert te["compute"] == Entry("compute", "tewb.te.compute")
    assert te["extern"] == Entry("extern", "tewb.te.extern", better="it is better")
    assert te["select"].home == te["both"].home == "tewb.tir.Select"
    assert te["gradient"] == Entry("gradient", instead="write the sum")
    assert te["access"].home == "tewb.tensor.access"
    assert parsed["ndarray"].is_alias and parsed["ndarray"].home == "tewb.nd"
    assert parsed["relay"].instead == "there are no operators"
    assert parsed["Stage"].is_class and parsed["Stage"].entries["split"].home == "tewb.schedule.Stage.split"


def test_what_is_in_an_absent_module_is_absent() -> None:
    relay = covering("relay.op.nn")
    assert relay is not None and relay.name == "relay"
    assert covering("te") is None and covering("nothing") is None


@pytest.mark.parametrize("module", [m for m in modules().values() if m.is_alias], ids=lambda m: m.name)
def test_a_module_that_is_another_name_leads_to_a_module_or_to_one_that_is_to_come(module: object) -> None:
    home = module.home  # type: ignore[attr-defined]
    assert is_here(home) or home in TO_COME


TO_COME = {"tewb.runtime.container", "tewb.runtime.module"}


def test_every_home_is_there() -> None:
    for module in modules().values():
        for entry in module.entries.values():
            assert not entry.home or is_here(entry.home), (module.name, entry)


def test_a_name_that_only_the_face_makes_is_nobodys_home(monkeypatch: pytest.MonkeyPatch) -> None:
    from tewb import te

    monkeypatch.delitem(vars(te), "SpecializedCondition", raising=False)
    assert not is_here("tewb.te.SpecializedCondition")
    assert te.SpecializedCondition is not None  # which makes it one of the module's
    assert not is_here("tewb.te.SpecializedCondition")


def test_everything_absent_says_what_to_do_instead_in_one_sentence() -> None:
    sentences = {m.instead for m in modules().values()}
    sentences |= {e.instead for m in modules().values() for e in m.entries.values()}
    for sentence in sentences - {""}:
        assert len(sentence.split()) > 2 and not sentence.endswith("."), sentence


def test_names_are_found_where_the_registry_says() -> None:
    from tewb import te

    assert locate("tewb.te.compute") is te.compute
    assert is_here("tewb.schedule.Stage.split") and not is_here("tewb.te.no_such_name")
