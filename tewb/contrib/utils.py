"""`contrib.utils`: temporary folders, by the classic names."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

from tewb.base import TewbError, here
from tewb.compat import face

face.wear(__name__)

__all__ = ["TempDirectory", "tempdir", "which"]


class TempDirectory:
    """A folder that is gone when this object is, or when `remove()` is called. It may be a `with` block."""

    temp_dir: str

    def __init__(
        self, custom_path: str | os.PathLike[str] | None = None, keep_for_debug: bool | None = None
    ) -> None:
        if custom_path is not None:
            os.makedirs(custom_path, exist_ok=True)
        self.temp_dir = tempfile.mkdtemp(prefix="tewb-") if custom_path is None else os.fspath(custom_path)
        keep = custom_path is not None or keep_for_debug
        self._remove = weakref.finalize(
            self, (lambda path, _: None) if keep else shutil.rmtree, self.temp_dir, True
        )

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.temp_dir)

    def __truediv__(self, other: str) -> Path:
        return self.path / other

    def relpath(self, name: str) -> str:
        """The path of a file in this folder."""
        return os.path.join(self.temp_dir, name)

    def listdir(self) -> list[str]:
        """The names of the files in this folder."""
        return os.listdir(self.temp_dir)

    def remove(self) -> None:
        """Delete the folder and all that is in it."""
        self._remove()

    def __enter__(self) -> TempDirectory:
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()


def tempdir(
    custom_path: str | os.PathLike[str] | None = None, keep_for_debug: bool | None = None
) -> TempDirectory:
    """A new temporary folder; one at `custom_path` stays."""
    return TempDirectory(custom_path, keep_for_debug)


def which(exec_name: str) -> str:
    """The path of a program. Raises TewbError when there is none."""
    path = shutil.which(exec_name)
    if path is None:
        raise TewbError(
            f"there is no program {exec_name}", hint="install it, or add its folder to PATH", span=here()
        )
    return path
