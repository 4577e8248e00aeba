"""What users give to public functions, checked before it is used: names that are known, and values of a kind."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tewb.base.errors import ScheduleError, TewbError
from tewb.base.python_text import brief
from tewb.base.span import here


def one_of(what: str, given: object, known: Iterable[str], error: type[TewbError] = ScheduleError) -> str:
    """`given`, when it is one of the `known` names of a `what`. Raises `error`, which offers the names."""
    names = list(known)
    if isinstance(given, str) and given in names:
        return given
    shown = given if isinstance(given, str) and given else repr(given)
    close = difflib.get_close_matches(shown, names, 1)
    there_are = f"there are {', '.join(names)}" if names else f"there is no {what} here"
    hint = f"did you mean {close[0]}? {there_are}" if close else there_are
    raise error(f"there is no {what} {brief(shown)}", hint=brief(hint, 1000), span=here())


def check_given(
    is_right: bool, what: str, given: object, wanted: str, hint: str, error: type[TewbError] = ScheduleError
) -> None:
    """Raise `error` when `given` is not `wanted`: "limit is a number of accesses, not None"."""
    if not is_right:
        raise error(f"{what} is {wanted}, not {brief(repr(given))}", hint=hint, span=here())


def is_count(given: object, least: int = 1) -> bool:
    """Whether `given` is a whole number from `least` on."""
    return isinstance(given, int) and not isinstance(given, bool) and given >= least
