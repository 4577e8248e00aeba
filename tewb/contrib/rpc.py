"""`tvm.rpc` of programs that try it on the machine they run on: a session that is this process."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from tewb.base import TewbError, here
from tewb.compat import face
from tewb.contrib.utils import TempDirectory
from tewb.runtime import devices, get_global_func, load_module
from tewb.runtime.devices import Device

face.wear(__name__)

__all__ = ["LocalSession"]


class LocalSession:
    """A session with this process: files that are uploaded lie in a temporary folder, and devices are those that are here.

    The folder is gone when the session is.
    """

    def __init__(self) -> None:
        self._folder = TempDirectory()

    def upload(self, data: str | os.PathLike[str] | bytes | bytearray, target: str | None = None) -> None:
        """Copy a file, or bytes that `target` names, into the session. Raises TewbError for bytes without a name."""
        if isinstance(data, str | os.PathLike):
            shutil.copyfile(data, self._path(target or os.fspath(data)))
        elif target is None:
            raise TewbError("bytes have no name of a file", hint='upload(data, target="lib.o")', span=here())
        else:
            self._path(target).write_bytes(data)

    def download(self, path: str) -> bytearray:
        """The bytes of a file of the session."""
        return bytearray(self._path(path).read_bytes())

    def remove(self, path: str) -> None:
        """Delete a file of the session."""
        self._path(path).unlink()

    def listdir(self, path: str = ".") -> list[str]:
        """The names of the files of the session."""
        return sorted(os.listdir(self._folder.temp_dir))

    def load_module(self, path: str) -> Any:
        """The kernels of a file that was uploaded. Loading compiled code runs it: load what you made yourself."""
        return load_module(str(self._path(path)))

    def get_function(self, name: str) -> Any:
        """The packed function that is registered as `name`."""
        return get_global_func(name)

    def device(self, dev_type: str | int, dev_id: int = 0) -> Device:
        """A device of this machine."""
        return devices.device(dev_type, dev_id)

    context = device

    def cpu(self, dev_id: int = 0) -> Device:
        """The processor."""
        return devices.cpu(dev_id)

    def __getattr__(self, name: str) -> Any:
        if (
            name in devices.__all__
        ):  # gpu, cl, ...: classic sessions have them all, and exist says which are there
            return getattr(devices, name)
        raise AttributeError(f"'LocalSession' object has no attribute {name!r}")

    def _path(self, name: str) -> Path:
        return self._folder.path / os.path.basename(name)
