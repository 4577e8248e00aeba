"""What all tests share: nodes are frozen for real, passes are verified, the object cache is fresh, the checkout is
importable, interrupts arrive; and which of the tests the command `pytest` leaves out."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["TEWB_FREEZE_NODES"] = "1"
os.environ["TEWB_VERIFY"] = "1"
os.environ["TEWB_CACHE_DIR"] = tempfile.mkdtemp(prefix="tewb-tests-")
atexit.register(shutil.rmtree, os.environ["TEWB_CACHE_DIR"], True)
# A shell starts what runs in its background with interrupts ignored; tests send them.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def pytest_configure(config: pytest.Config) -> None:
    from tests import examples

    examples.runs_everything = "not slow" not in config.option.markexpr


@pytest.fixture(autouse=True)
def _recipes_are_forgotten() -> Iterator[None]:
    """The recipes that a test makes stand in no menu of another one."""
    from tewb.schedule import RECIPES

    before = dict(RECIPES)
    yield
    RECIPES.clear()
    RECIPES.update(before)


@pytest.hookimpl(tryfirst=True)  # before pytest selects by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test marked `one_in(n)`, one in n parameter sets stays in the default run; the others become slow."""
    from tests.examples import spread

    sets = defaultdict(list)
    for item in items:
        if item.get_closest_marker("one_in"):
            sets[item.nodeid.partition("[")[0]].append(item)
    for of_one_test in sets.values():
        (n,) = of_one_test[0].get_closest_marker("one_in").args
        chosen = spread(of_one_test, -(-len(of_one_test) // n))
        for item in of_one_test:
            if item not in chosen:
                item.add_marker("slow")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests in a browser run in one process, which has one server and one browser; others where there is room.

    `--dist loadgroup` would do, if pytest 9.2 kept the names that pytest-xdist 3.8 gives to tests of a group.
    """
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class OneBrowser(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith("tests/browser/") else nodeid

    return OneBrowser(config, log)


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Kernels run on two threads."""
    from tewb.runtime import get_num_threads, set_num_threads  # after the environment is set

    before = get_num_threads()
    set_num_threads(2)
    yield
    set_num_threads(before)
