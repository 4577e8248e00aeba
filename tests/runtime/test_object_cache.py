"""The object cache: what was compiled is loaded, by this process or another; what is not whole is not used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import CodegenError
from tewb.runtime import native_entry, pool
from tewb.runtime.jit import Compiled
from tewb.runtime.object_cache import ObjectCache, ObjectCode, object_cache

ROOT = Path(__file__).resolve().parents[2]
CODE = ObjectCode(b"machine code", ("one", "two"))
KEY = "f" * 64


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the cache, which does not exist yet."""
    pool()  # has code of its own, which is now elsewhere
    monkeypatch.setenv("TEWB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tewb-objects"


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A list that grows with every text that is compiled."""
    monkeypatch.setattr(native_entry, "_codes", WeakValueDictionary())
    seen: list[Any] = []
    compile = Compiled._compile
    monkeypatch.setattr(Compiled, "_compile", lambda self: (seen.append(self), compile(self))[1])
    return seen


def adder(step: float = 1.0) -> Any:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: te.exp(A[i]) * 0.0 + A[i] + step, name="B")
    return tewb.build(te.create_schedule(B.op), [A, B])


def check(k: Any, step: float = 1.0) -> None:
    for _ in range(3):
        np.testing.assert_array_equal(k(np.zeros(8, "float32")), np.full(8, step, "float32"))


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.obj"))


def test_a_kernel_is_compiled_once(directory: Path, compilations: list[Any]) -> None:
    check(adder())
    assert len(compilations) == 2 and len(files(directory)) == 2  # the kernel and its entry
    check(adder())
    assert len(compilations) <= 2
    check(adder(2.0), 2.0)
    assert len(compilations) == 3


def test_texts_are_the_same_from_the_cache(directory: Path, compilations: list[Any]) -> None:
    first, second = adder(), adder()
    assert compilations == [first.code._code]
    for form in ("ll", "ll0", "asm"):
        assert first.get_source(form) == second.get_source(form)
    assert second.code.assembly_lines() == first.code.assembly_lines()


def test_the_option_turns_it_off(directory: Path, compilations: list[Any]) -> None:
    with tewb.PassContext(config={"tewb.object_cache": False}):
        adder()
        adder()
    assert len(compilations) == 2 and not directory.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:100],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: b"elsewhere" + data[9:],
        lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
        lambda data: bytes(len(data)),
    ],
)
def test_damaged_files_are_not_used_and_replaced(
    directory: Path, compilations: list[Any], damage: Any
) -> None:
    adder()
    (path,) = files(directory)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    check(adder())
    assert len(compilations) == 3
    assert path.read_bytes() == whole


def test_a_file_under_another_name_is_not_used(directory: Path) -> None:
    cache = ObjectCache(directory)
    cache.store(KEY, CODE)
    files(directory)[0].rename(directory / ("e" * 64 + ".obj"))
    assert cache.load("e" * 64) is None and cache.load(KEY) is None


def test_what_is_stored_comes_back(directory: Path) -> None:
    cache = ObjectCache(directory)
    for code in (CODE, ObjectCode(b"", ()), ObjectCode(os.urandom(10_000), ("a",))):
        cache.store(KEY, code)
        assert cache.load(KEY) == code
    assert [p.name for p in directory.iterdir()] == [KEY + ".obj"]


def test_the_size_is_bounded_and_what_was_used_last_stays(directory: Path) -> None:
    cache = ObjectCache(directory, size=100 * 1000, count=50)
    for i in range(60):
        cache.store(f"ff{i:062}", CODE)
        os.utime(directory / f"ff{i:062}.obj", (i, i))
    assert cache.load(f"ff{0:062}") == CODE  # it was the oldest, and is the newest now
    cache.prune()
    left = [p.name for p in files(directory)]
    assert len(left) == 37 and f"ff{0:062}.obj" in left and f"ff{59:062}.obj" in left
    for i in range(20):
        cache.store(f"fe{i:062}", ObjectCode(bytes(10_000), ()))
    cache.prune()
    assert sum(p.stat().st_size for p in files(directory)) <= 75_000


def test_stores_look_after_the_size(directory: Path) -> None:
    cache = ObjectCache(directory, count=10)
    for i in range(256):
        cache.store(f"{i:02x}" + "0" * 62, CODE)
    assert len(files(directory)) <= 256 - 7 + 10
    (directory / "tmpdead").touch()
    os.utime(directory / "tmpdead", (time.time() - 7200,) * 2)
    cache.prune()
    assert not (directory / "tmpdead").exists() and len(files(directory)) <= 10


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
def test_a_directory_that_others_can_write_to_is_not_used(directory: Path, compilations: list[Any]) -> None:
    directory.mkdir(parents=True)
    directory.chmod(0o777)
    assert object_cache() is None
    check(adder())
    assert files(directory) == []
    ObjectCache(directory).store(KEY, CODE)
    assert files(directory) == []


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
@pytest.mark.parametrize("mode", [0o777, 0o775, 0o755, 0o757, 0o710])
def test_a_directory_that_others_can_enter_is_not_the_caches(
    directory: Path, compilations: list[Any], mode: int
) -> None:
    directory.mkdir(parents=True)
    directory.chmod(mode)
    assert object_cache() is None
    check(adder())
    assert list(directory.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
@pytest.mark.parametrize(("mode", "is_used"), [(0o777, False), (0o775, False), (0o1777, True), (0o755, True)])
def test_the_directory_around_it_does_not_let_others_replace_it(
    directory: Path, compilations: list[Any], mode: int, is_used: bool
) -> None:
    directory.parent.mkdir()
    directory.parent.chmod(mode)
    check(adder())
    assert directory.exists() == is_used == (object_cache() is not None)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
def test_directories_and_files_of_somebody_else_are_not_used(
    directory: Path, compilations: list[Any]
) -> None:
    cache = ObjectCache(directory)
    cache.store(KEY, CODE)
    os.chown(directory / f"{KEY}.obj", 1, 1)
    assert cache.load(KEY) is None
    os.chown(directory, 1, 1)
    assert object_cache() is None
    check(adder())
    assert [p.name for p in directory.iterdir()] == [f"{KEY}.obj"]
    os.chown(directory, 0, 0)
    os.chown(directory.parent, 1, 1)
    assert object_cache() is None


@pytest.mark.skipif(not hasattr(os, "symlink") or sys.platform == "win32", reason="no links")
def test_a_link_is_not_the_caches_directory(directory: Path, compilations: list[Any], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    old(elsewhere / f"{KEY}.obj", b"machine code")
    directory.parent.mkdir()
    directory.symlink_to(elsewhere)
    assert object_cache() is None
    check(adder())
    ObjectCache(directory).store("0" * 64, CODE)
    assert [p.name for p in elsewhere.iterdir()] == [f"{KEY}.obj"]
    directory.unlink()
    directory.symlink_to(tmp_path / "nowhere")
    check(adder(2.0), 2.0)
    assert not (tmp_path / "nowhere").exists() and directory.is_symlink()


def old(path: Path, content: bytes = b"precious") -> Path:
    """A file that was last changed long ago."""
    path.write_bytes(content)
    os.utime(path, (1, 1))
    return path


NAMES = (
    "notes.txt",
    "data",
    "model.obj",
    "tmpnotes.txt",
    "tmp12345678",
    "x" * 64 + ".obj",
    KEY,
    f"{KEY}.obj.bak",
    ".hidden",
)


def test_a_folder_in_use_keeps_all_its_files(directory: Path, compilations: list[Any]) -> None:
    directory.parent.mkdir()
    kept = [old(directory.parent / name) for name in (*NAMES, f"{KEY}.obj")]
    (directory.parent / "folder").mkdir()
    kept.append(old(directory.parent / "folder" / "data"))
    cache = object_cache()
    assert cache is not None
    for i in range(256):
        cache.store(f"{i:02x}" + "0" * 62, CODE)
    ObjectCache(directory, size=0, count=0).prune()
    check(adder())
    assert all(path.read_bytes() == b"precious" for path in kept)
    assert len(files(directory)) == 2  # the kernel and its entry
    assert {p.name for p in directory.parent.iterdir()} == {*NAMES, f"{KEY}.obj", "folder", "tewb-objects"}


def test_in_its_own_directory_too_the_cache_touches_only_its_own_files(
    directory: Path, tmp_path: Path
) -> None:
    ObjectCache(directory).store("1" * 64, CODE)
    kept = [old(directory / name) for name in NAMES]
    (directory / f"{'2' * 64}.obj").mkdir()
    (directory / "tmpfolder").mkdir()
    ObjectCache(directory, size=0, count=0).prune()
    ObjectCache(directory).store("2" * 64, CODE)
    assert ObjectCache(directory).load("2" * 64) is None
    assert all(path.read_bytes() == b"precious" for path in kept)
    names = {*NAMES, "2" * 64 + ".obj", "tmpfolder"}
    assert {p.name for p in directory.iterdir()} == names


@pytest.mark.skipif(sys.platform == "win32", reason="no links or pipes")
def test_links_and_pipes_in_its_directory_are_left_alone(directory: Path, tmp_path: Path) -> None:
    cache = ObjectCache(directory)
    cache.store(KEY, CODE)
    outside = tmp_path / "outside"
    (directory / f"{KEY}.obj").rename(outside)
    os.utime(outside, (1, 1))
    links = [directory / f"{KEY}.obj", directory / "tmp00000000", directory / f"{'3' * 64}.obj"]
    for link, target in zip(links, (outside, outside, tmp_path / "nowhere"), strict=True):
        link.symlink_to(target)
    os.mkfifo(directory / f"{'4' * 64}.obj")
    os.mkfifo(directory / "tmp44444444")
    whole = outside.read_bytes()
    for key in (KEY, "3" * 64, "4" * 64):
        assert cache.load(key) is None
        cache.store(key, CODE)
        assert cache.load(key) is None
    ObjectCache(directory, size=0, count=0).prune()
    assert all(link.is_symlink() for link in links) and len(list(directory.iterdir())) == 5
    assert outside.read_bytes() == whole and outside.stat().st_mtime == 1


def test_files_that_a_writer_left_are_removed_after_an_hour(directory: Path) -> None:
    cache = ObjectCache(directory)
    cache.store(KEY, CODE)
    whole = (directory / f"{KEY}.obj").read_bytes()
    for n in (0, 3, 20, len(whole)):
        old(directory / f"tmphalf{n}", whole[:n])
    (directory / "tmpfresh").write_bytes(whole[:20])
    cache.prune()
    assert {p.name for p in directory.iterdir()} == {f"{KEY}.obj", "tmpfresh"}


def test_files_that_vanish_meanwhile_are_no_problem(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ObjectCache(directory, count=4)
    for i in range(8):
        cache.store(f"{i:064x}", CODE)
    for i in range(8, 16):
        cache.store(f"f{i:063x}", CODE)
    scan = os.scandir

    def another_was_first(path: Any) -> Any:
        entries = list(scan(path))
        for gone in entries[::2]:
            os.unlink(gone.path)
        return entries

    monkeypatch.setattr(os, "scandir", another_was_first)
    cache.prune()
    monkeypatch.undo()
    assert len(files(directory)) <= 4


def test_a_directory_that_cannot_be_made_is_no_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TEWB_CACHE_DIR", str(tmp_path / "file" / "cache"))
    check(adder())


def test_missing_symbols_are_found_in_cached_code(directory: Path, compilations: list[Any]) -> None:
    text = "declare i32 @tewb_rt_nowhere(i32)\ndefine i32 @f() {\n  %x = call i32 @tewb_rt_nowhere(i32 1)\n  ret i32 %x\n}\n"
    for _ in range(2):
        with pytest.raises(CodegenError, match="tewb_rt_nowhere"):
            Compiled(text).address("f")
    assert len(compilations) == 1


_PROGRAM = """
import sys, numpy as np, tewb
from tewb import te
from tewb.runtime.jit import Compiled
compile, seen = Compiled._compile, []
Compiled._compile = lambda self: (seen.append(1), compile(self))[1]
tewb.register_func("double", lambda x, y: np.multiply(x, 2, out=y), override=True)
for step in range(int(sys.argv[1])):
    A = te.placeholder((64, 32), name="A")
    B = te.compute((64, 32), lambda i, j: te.exp(A[i, j]) + float(step), name="B")
    C = te.extern((64, 32), [B], lambda ins, outs: tewb.tir.call_packed("double", ins[0], outs[0]), name="C")
    D = te.compute((64, 32), lambda i, j: A[i, j] + float(step), name="D")
    s = te.create_schedule(D.op)
    s[D].parallel(D.op.axis[0])
    e = tewb.build(te.create_schedule(C.op), [A, C])
    d = tewb.build(s, [A, D])
    a = np.zeros((64, 32), "float32")
    for _ in range(3):
        assert (e(a) == 2 * (1 + step)).all() and (d(a) == step).all()
print(len(seen))
"""


def program(directory: Path, steps: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "TEWB_CACHE_DIR": str(directory.parent), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(steps)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> int:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return int(out)


@pytest.mark.slow
def test_another_process_loads_what_one_compiled(directory: Path) -> None:
    # Kernels with callbacks and parallel loops find this process's functions, wherever they are.
    assert finished(program(directory, 2)) > 3
    assert finished(program(directory, 2)) == 0


@pytest.mark.slow
def test_two_writers_at_once(directory: Path) -> None:
    both = [program(directory, 6) for _ in range(2)]
    assert all(finished(p) > 0 for p in both)
    assert all(p.suffix == ".obj" for p in directory.iterdir())
    assert finished(program(directory, 6)) == 0


LIBRARY = """
import numpy as np, tewb
from tewb import te

x = te.placeholder((40,), name="x")
out = te.compute((40,), lambda i: te.power(x[i], x[i]) + te.sin(x[i]) + te.fmod(x[i], te.const(0.5, "float32")), name="out")
s = te.create_schedule(out.op)
s[out].vectorize(s[out].split("i", factor=16)[1])
result = np.zeros(40, "float32")
tewb.build(s, [x, out])(np.ones(40, "float32"), result)
print(result[0])
"""


@pytest.mark.slow
def test_another_process_finds_the_c_library_of_cached_code(directory: Path) -> None:
    told = {**os.environ, "TEWB_CACHE_DIR": str(directory.parent), "PYTHONPATH": str(ROOT)}
    outputs = [
        subprocess.run([sys.executable, "-c", LIBRARY], env=told, capture_output=True, text=True, check=False)
        for _ in range(2)
    ]
    assert [o.stderr for o in outputs] == ["", ""]
    assert float(outputs[1].stdout) == pytest.approx(1 + np.sin(1.0))
    assert len(files(directory)) == 1
