"""`Runtime("cpp", {"system-lib": True})`: how classic programs say for which run time a kernel is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tewb.base import CodegenError, here

_OPTIONS = {"cpp": ("system-lib",), "crt": ("system-lib",)}


class Runtime:
    """A run time by its classic name, "cpp" or "crt", with its options. The kernels are the same for both; with
    `system-lib`, libraries of them are found by `tewb.runtime.system_lib`. Raises CodegenError for other words."""

    def __init__(self, name: str, options: Mapping[str, Any] | None = None) -> None:
        name = "crt" if name == "c" else name
        if name not in _OPTIONS:
            raise CodegenError(f"there is no runtime {name!r}", hint='Runtime("cpp")', span=here())
        for option in options or {}:
            if option not in _OPTIONS[name]:
                raise CodegenError(
                    f"the runtime {name} has no option {option!r}", hint='{"system-lib": True}', span=here()
                )
        self.name, self.attrs = name, dict(options or {})

    @property
    def is_system_lib(self) -> bool:
        return bool(self.attrs.get("system-lib"))

    def __repr__(self) -> str:
        return f"Runtime({self.name!r}, {self.attrs!r})"
