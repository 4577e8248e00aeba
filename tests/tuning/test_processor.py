"""Kinds of processors: one machine is one kind, and other versions are another."""

from __future__ import annotations

import pickle
from dataclasses import replace

from tewb.runtime import Target
from tewb.tuning.processor import Processor, names_of


def test_a_machine_is_of_one_kind() -> None:
    here = Processor.here()
    assert here == Processor.here() == pickle.loads(pickle.dumps(here))
    assert str(here) == here.cpu == Target.host().cpu and here.llvmlite


def test_kinds_of_one_name_are_numbered() -> None:
    here = Processor.here()
    other, newer = replace(here, cpu="other"), replace(here, llvmlite="99")
    names = names_of([here, other, newer])
    assert list(names.values()) == [here.cpu, "other", f"{here.cpu} #2"]
