"""No test begins or ends with tewb installed as tvm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tewb.compat import uninstall


@pytest.fixture(autouse=True)
def _without_tvm() -> Iterator[None]:
    uninstall()
    yield
    uninstall()
