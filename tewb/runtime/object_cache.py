"""Object code on disk: a text that was compiled once is not compiled again, in this process or the next.

A file is named for all that its code depends on (see `Compiled`), and begins with a checksum: an incomplete file
counts as absent. Files are put in place by a rename, so that readers and other writers see all of a file or nothing.
Addresses are never part of the code; symbols are bound when it is loaded.

The directory is `tewb-objects` in TEWB_CACHE_DIR, or in `tewb` where the user's caches are. The cache creates it, and
stores nothing where it cannot. Its contents are executed, so it must be the user's own and open to nobody else. Only
regular files with names of the cache's own form are read, replaced or removed; links are not followed. The option
tewb.object_cache turns the cache off.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tewb.base import option, waited_for_by_fork

_loading = waited_for_by_fork(threading.RLock())
_MAGIC = b"tewbobj2"
_DIGEST = 32
_FOLDER = "tewb-objects"
_OBJECT = re.compile(r"[0-9a-f]{64}\.obj")
_WRITTEN = re.compile(r"tmp[a-z0-9_]+")  # what mkstemp makes: a file that is being written
_DEAD = 3600  # seconds after which its writer counts as dead
# Links are refused, and nothing is waited for (a pipe, say).
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


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
        """What was stored under a key; None when there is nothing, or nothing complete."""
        path = self._path(key)
        try:
            data = _contents(path)
            object_code = None if data is None else _unpacked(key, data)
            if object_code is not None:
                os.utime(path)
        except OSError:
            return None
        return object_code

    def store(self, key: str, code: ObjectCode) -> None:
        """Keep code under a key. Where that fails (a full disk, say) nothing is kept."""
        try:
            self.directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.directory.mkdir(mode=0o700, exist_ok=True)
            path = self._path(key)
            if not _is_ours(self.directory) or not _is_free(path):
                return
            handle, name = tempfile.mkstemp(dir=self.directory)
            try:
                with os.fdopen(handle, "wb") as f:
                    f.write(_packed(key, code))
                os.replace(name, path)
            except OSError:
                _remove(name)
                raise
            if int(key[:2], 16) < 8:  # keys are random: one store in 32 looks after the size
                self.prune()
        except OSError:
            pass

    def prune(self) -> None:
        """Remove the files used longest ago, down to three quarters of the bounds, where they are exceeded, and what
        writers that died have left. Another process may do the same now."""
        files = []
        for entry in os.scandir(self.directory):
            is_object = _OBJECT.fullmatch(entry.name)
            if not is_object and not _WRITTEN.fullmatch(entry.name):
                continue
            try:
                about = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if not stat.S_ISREG(about.st_mode):
                continue
            if is_object:
                files.append((about.st_mtime, about.st_size, entry.path))
            elif time.time() - about.st_mtime > _DEAD and _begins_as_ours(entry.path):
                _remove(entry.path)
        total, left = sum(size for _, size, _ in files), len(files)
        if total <= self.size and left <= self.count:
            return
        for _, size, path in sorted(files):
            if total <= self.size * 3 // 4 and left <= self.count * 3 // 4:
                return
            _remove(path)
            total, left = total - size, left - 1

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}.obj"


def object_cache() -> ObjectCache | None:
    """The cache by the current options and environment; None when it is turned off."""
    if not option("tewb.object_cache"):
        return None
    directory = _directory()
    return ObjectCache(directory) if directory is not None and _is_ours(directory) else None


def _directory() -> Path | None:
    chosen = os.environ.get("TEWB_CACHE_DIR")
    if chosen:
        return Path(chosen) / _FOLDER
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "tewb" / "Cache" / _FOLDER
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "tewb" / _FOLDER
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "tewb" / _FOLDER


def _is_ours(directory: Path) -> bool:
    """Whether nobody else can put code into a directory (one that does not exist yet will be ours)."""
    try:
        about = directory.lstat()
    except FileNotFoundError:
        return _is_safe(directory.parent)
    except OSError:
        return False
    # Windows calls some links directories, and marks them.
    is_link = bool(getattr(about, "st_reparse_tag", False))
    if is_link or not stat.S_ISDIR(about.st_mode):
        return False
    if sys.platform == "win32":
        return True
    return about.st_uid == os.getuid() and not about.st_mode & 0o077 and _is_safe(directory.parent)


def _is_safe(directory: Path) -> bool:
    """Whether nobody but the user and the system can move what is in a directory (one that does not exist yet
    will be the user's)."""
    if sys.platform == "win32":
        return True
    try:
        about = directory.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    is_shared = about.st_mode & 0o022 and not about.st_mode & stat.S_ISVTX
    return about.st_uid in (0, os.getuid()) and not is_shared


def _contents(path: Path | str) -> bytes | None:
    """What is in a regular file of the user's own that nobody else can write; None for anything else."""
    handle = os.open(path, _READ)
    try:
        about = os.fstat(handle)
        is_ours = sys.platform == "win32" or (about.st_uid == os.getuid() and not about.st_mode & 0o022)
        if not is_ours or not stat.S_ISREG(about.st_mode):
            return None
        with os.fdopen(handle, "rb", closefd=False) as f:
            return f.read()
    finally:
        os.close(handle)


def _begins_as_ours(path: str) -> bool:
    """Whether a file holds the beginning of an object of the cache, or nothing yet."""
    try:
        data = _contents(path)
    except OSError:
        return False
    return data is not None and _MAGIC.startswith(data[: len(_MAGIC)])


def _is_free(path: Path) -> bool:
    """Whether an object may be put at a path: nothing is there, or another object."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return True


def _remove(path: str) -> None:
    """Remove a file, unless it is gone already or cannot be."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def sha256(data: bytes) -> bytes:
    """The SHA-256 of some bytes."""
    digest: bytes = _hashlib().sha256(data).digest()
    return digest


@cache
def _hashlib() -> Any:
    """It loads OpenSSL, 2 ms that an import of tewb does without. The child of a fork would wait for ever for a thread that was
    loading it."""
    with _loading:
        import hashlib
    return hashlib


def _packed(key: str, code: ObjectCode) -> bytes:
    sections = ("\n".join(code.symbols).encode(), code.about, code.code)
    content = b"".join(len(p).to_bytes(4, "little") + p for p in sections)
    return _MAGIC + sha256(key.encode() + content) + content


def _unpacked(key: str, data: bytes) -> ObjectCode | None:
    start = len(_MAGIC) + _DIGEST
    magic, digest, content = data[: len(_MAGIC)], data[len(_MAGIC) : start], data[start:]
    if magic != _MAGIC or sha256(key.encode() + content) != digest:
        return None
    sections, at = [], 0
    for _ in range(3):
        end = at + 4 + int.from_bytes(content[at : at + 4], "little")
        sections.append(content[at + 4 : end])
        at = end
    return ObjectCode(sections[2], tuple(sections[0].decode().split()), sections[1])
