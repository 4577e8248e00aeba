"""Names and values from users: the right ones pass, the wrong ones are answered with what there is."""

from __future__ import annotations

from typing import Any

import pytest

from tewb.base import ArgumentError, ScheduleError, check_given, is_count, one_of


def test_a_known_name_is_returned() -> None:
    assert one_of("look", "tree", ["loops", "tree"]) == "tree"


@pytest.mark.parametrize(
    ("given", "known", "said", "hint"),
    [
        ("tre", ["loops", "tree"], "there is no look tre", "did you mean tree? there are loops, tree"),
        ("xyz", ["loops", "tree"], "there is no look xyz", "there are loops, tree"),
        ("", ["loops"], "there is no look ''", "there are loops"),
        (None, ["loops"], "there is no look None", "there are loops"),
        ("tree", [], "there is no look tree", "there is no look here"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(
    given: Any, known: Any, said: str, hint: str
) -> None:
    with pytest.raises(ScheduleError) as e:
        one_of("look", given, iter(known))
    assert (e.value.message, e.value.hint) == (said, hint)
    assert e.value.span is not None and e.value.span.file == __file__


def test_long_names_are_cut_in_messages() -> None:
    with pytest.raises(ArgumentError) as e:
        one_of("look", "x" * 10_000, ["y" * 10_000], ArgumentError)
    assert len(str(e.value)) < 2000


def test_a_value_of_another_kind_is_refused() -> None:
    check_given(True, "limit", None, "a number of accesses", "4")
    with pytest.raises(ArgumentError, match="limit is a number of accesses, not None") as e:
        check_given(False, "limit", None, "a number of accesses", "write limit=4", ArgumentError)
    assert e.value.hint == "write limit=4" and e.value.span is not None and e.value.span.file == __file__


def test_counts_are_whole_numbers() -> None:
    assert [is_count(n) for n in (1, 0, -1, True, 1.0, "1", None)] == [True, *[False] * 6]
    assert is_count(0, least=0) and not is_count(4, least=5) and is_count(5, least=5)
