"""Classic names of what tewb does not have: they can be imported and asked for, and say at use what to do instead."""

from __future__ import annotations

from typing import Any, NoReturn

from tewb.base import TewbError, here


class Absent:
    """Stands for a classic function, class or module that tewb does not have. Its attributes are absent too, and no
    object is an instance of it, so that programs that only ask go on. Raises TewbError when it is called, indexed
    or derived from."""

    def __init__(self, name: str, instead: str) -> None:
        self._name, self._instead = name, instead

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TewbError(f"tewb has no {self._name}", hint=self._instead, span=here())

    __call__ = __getitem__ = __iter__ = __len__ = __enter__ = __exit__ = __mro_entries__ = _refuse

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("_"):
            raise AttributeError(f"{self._name} has no attribute {name!r}: tewb has no {self._name}")
        return Absent(f"{self._name}.{name}", self._instead)

    def __instancecheck__(self, instance: object) -> bool:
        return False

    def __subclasscheck__(self, subclass: type) -> bool:
        return False

    def __or__(self, other: object) -> object:  # in annotations
        return other

    __ror__ = __or__

    def __repr__(self) -> str:
        return f"<{self._name}, which tewb does not have: {self._instead}>"
