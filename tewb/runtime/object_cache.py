"""Object code on disk: a text that was compiled once is not compiled again, in this process or the next.

A file is named for all that its code depends on (see `Compiled`), and begins with a checksum: what is not
whole counts as absent. Files come into place by a rename, so that readers and other writers see all of one
or nothing. Addresses are never part of the code; symbols are bound when it is loaded.

The directory is TEWB_CACHE_DIR, or `tewb` where the user's caches are. It must be the user's own and
writable by nobody else, for what is in it is run. The option tewb.object_cache turns the cache off.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tewb.base import option

_MAGIC = b"tewbobj2"
_DIGEST = 32
_SUFFIX = ".obj"


class ObjectCode(NamedTuple):
    """An object file, the symbols that it expects to find, and what its maker keeps with it."""

    code: bytes
    symbols: tuple[str, ...]
    about: bytes = b""


class ObjectCache:
    """Object code in one directory, of at most `size` bytes in `count` files; those used last stay."""

    def __init__(self, directory: Path, size: int = 128 << 20, count: int = 4096) -> None:
        self.directory, self.size, self.count = directory, size, count

    def load(self, key: str) -> ObjectCode | None:
        """What was stored under a key; None when there is nothing, or nothing that is whole."""
        path = self._path(key)
        try:
            data = path.read_bytes()
            found = _unpacked(key, data)
            if found is not None:
                os.utime(path)
        except OSError:
            return None
        return found

    def store(self, key: str, code: ObjectCode) -> None:
        """Keep code under a key. Where that fails (a full disk, say) nothing is kept."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(self.directory):
                return
            handle, name = tempfile.mkstemp(dir=self.directory)
            try:
                with os.fdopen(handle, "wb") as f:
                    f.write(_packed(key, code))
                os.replace(name, self._path(key))
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
            if int(key[:2], 16) < 8:  # keys are random: one store in 32 looks after the size
                self.prune()
        except OSError:
            pass

    def prune(self) -> None:
        """Remove what was used longest ago, down to three quarters of the bounds, where they are exceeded."""
        files = []
        for entry in os.scandir(self.directory):
            stat = entry.stat()
            if entry.name.endswith(_SUFFIX):
                files.append((stat.st_mtime, stat.st_size, entry.path))
            elif time.time() - stat.st_mtime > 3600:  # of a writer that died
                Path(entry.path).unlink(missing_ok=True)
        total, left = sum(size for _, size, _ in files), len(files)
        if total <= self.size and left <= self.count:
            return
        for _, size, path in sorted(files):
            if total <= self.size * 3 // 4 and left <= self.count * 3 // 4:
                return
            Path(path).unlink(missing_ok=True)
            total, left = total - size, left - 1

    def _path(self, key: str) -> Path:
        return self.directory / (key + _SUFFIX)


def object_cache() -> ObjectCache | None:
    """The cache of this moment's options and environment; None when there is to be none."""
    if not option("tewb.object_cache"):
        return None
    directory = _directory()
    return ObjectCache(directory) if directory is not None and _is_ours(directory) else None


def _directory() -> Path | None:
    chosen = os.environ.get("TEWB_CACHE_DIR")
    if chosen:
        return Path(chosen)
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "tewb" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "tewb"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "tewb"


def _is_ours(directory: Path) -> bool:
    """Whether nobody else can put code into a directory (one that does not exist yet will be ours)."""
    if sys.platform == "win32":
        return True
    try:
        stat = directory.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return stat.st_uid == os.getuid() and not stat.st_mode & 0o022


def sha256(data: bytes) -> bytes:
    """The SHA-256 of some bytes."""
    import hashlib  # loads OpenSSL, 2 ms that an import of tewb does without

    return hashlib.sha256(data).digest()


def _packed(key: str, code: ObjectCode) -> bytes:
    parts = ("\n".join(code.symbols).encode(), code.about, code.code)
    content = b"".join(len(p).to_bytes(4, "little") + p for p in parts)
    return _MAGIC + sha256(key.encode() + content) + content


def _unpacked(key: str, data: bytes) -> ObjectCode | None:
    start = len(_MAGIC) + _DIGEST
    magic, digest, content = data[: len(_MAGIC)], data[len(_MAGIC) : start], data[start:]
    if magic != _MAGIC or sha256(key.encode() + content) != digest:
        return None
    parts, at = [], 0
    for _ in range(3):
        end = at + 4 + int.from_bytes(content[at : at + 4], "little")
        parts.append(content[at + 4 : end])
        at = end
    return ObjectCode(parts[2], tuple(parts[0].decode().split()), parts[1])
