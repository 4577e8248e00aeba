"""How many threads run parallel loops."""

from __future__ import annotations

import pytest

from tewb.base import TewbError, thread_count, wanted_threads
from tewb.runtime import get_num_threads, set_num_threads


def test_the_pool_tells_how_many_threads_there_are() -> None:
    before = get_num_threads()
    assert thread_count() == before
    set_num_threads(before + 1)
    try:
        assert thread_count() == before + 1
    finally:
        set_num_threads(before)


@pytest.mark.parametrize(
    ("text", "said"), [("0", "'0', which is no number"), ("two", "'two'"), ("-1", "'-1'")]
)
def test_a_number_of_threads_is_one_or_more(text: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEWB_NUM_THREADS", "3")
    assert wanted_threads() == 3
    monkeypatch.setenv("TEWB_NUM_THREADS", text)
    with pytest.raises(TewbError, match=said):
        wanted_threads()
