"""What tests of the runtime share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tewb.runtime import get_num_threads, set_num_threads


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = get_num_threads()
    set_num_threads(2)
    yield
    set_num_threads(before)
