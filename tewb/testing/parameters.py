"""Parameters of tests as fixtures of pytest: a test that names one as an argument runs once for each of its values."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any, NoReturn

from tewb.base import ArgumentError, here


def parameter(*values: Any, ids: Sequence[Any] | Any = None, by_dict: Mapping[str, Any] | None = None) -> Any:
    """A fixture with `values`, for tests of its module or class:

        size = tewb.testing.parameter(1, 10, 100)

        def test_something(size): ...                     # runs three times

    `by_dict` gives values with their ids. Raises ArgumentError.
    """
    import pytest

    if by_dict is not None:
        if values or ids is not None:
            raise ArgumentError(
                "parameter takes values, or by_dict, which has values and ids",
                hint="leave one out",
                span=here(),
            )
        ids, values = [*by_dict], tuple(by_dict.values())

    def value(*of_class: Any, request: Any) -> Any:
        return request.param

    return pytest.fixture(params=values, ids=ids)(value)


def parameters(*value_sets: Sequence[Any], ids: Sequence[Any] | Any = None) -> tuple[Any, ...]:
    """Fixtures whose values change together, one for each place of a set:

        size, dtype = tewb.testing.parameters((1, "float32"), (10, "int8"))

        def test_something(size, dtype): ...              # runs twice

    Raises ArgumentError for sets of several lengths.
    """
    import pytest

    lengths = {len(s) for s in value_sets}
    if len(lengths) != 1:
        raise ArgumentError(
            f"parameters takes sets of one length, and these have {sorted(lengths) or 'none'}",
            hint='a, b = parameters((1, "float32"), (2, "int8"))',
            span=here(),
        )
    frame = sys._getframe(1)
    # A fixture with the sets, which those below read; its name is another for each call in a file.
    before = sum(name.startswith("_parameters_") for name in frame.f_locals)
    whole = f"_parameters_{frame.f_code.co_name.strip('<>')}_{frame.f_lineno}_{before}"
    frame.f_locals[whole] = pytest.fixture(params=[*value_sets], ids=ids or [*map(_id, value_sets)])(
        _reader(lambda request: request.param, "request", frame)
    )
    return tuple(pytest.fixture(_reader(_part(n), whole, frame)) for n in range(lengths.pop()))


def _id(values: Sequence[Any]) -> str | None:
    """How pytest calls a set of plain values; None leaves it to pytest."""
    is_plain = all(v is None or isinstance(v, str | int | float | bool) for v in values)
    return "-".join(map(str, values)) if is_plain else None


def _part(n: int) -> Callable[[Any], Any]:
    return lambda values: values[n]


def _reader(f: Callable[[Any], Any], argument: str, frame: FrameType) -> Any:
    """A function for pytest.fixture of a class or module, in whose `frame` it is defined: `f` of another fixture."""

    def read(*of_class: Any, **given: Any) -> Any:
        return f(given[argument])

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = ["self", argument] if "__qualname__" in frame.f_locals else [argument]
    read.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])  # type: ignore[attr-defined]
    return read


def fixture(func: Any = None, *, cache_return_value: bool = False) -> Any:
    """pytest.fixture, with or without brackets. Values are made anew for each test, whatever `cache_return_value` says:
    that is what a cached value has to look like."""
    import pytest

    return pytest.fixture if func is None else pytest.fixture(func)


def main() -> NoReturn:
    """Run the tests of the file that calls this, with the options of the command line, and leave Python."""
    import pytest

    path = inspect.getsourcefile(sys._getframe(1))
    sys.exit(pytest.main([str(path), "-p", "tewb.testing.plugin", *sys.argv[1:]]))
