"""Runs a script, or a module, in which `import tvm` means tewb."""

from __future__ import annotations

import io
import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, TracebackType

from tewb.base import InternalError, Span, TewbError
from tewb.compat.installation import install

USAGE = """usage: python -m tewb.compat script.py [arguments]
       python -m tewb.compat -m module [arguments]

Runs a program that was written for TVM (v0.5 to v0.19, tensor expressions on the CPU) on tewb."""


def main(arguments: Sequence[str]) -> int:
    """Run the script (or, after -m, the module) that is named first; the others are its own arguments. Returns the exit
    code. A traceback shows the lines of the script, and none of tewb."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, file=sys.stderr if not arguments else sys.stdout)
        return 0 if arguments else 2
    if arguments[0] != "-m" and not Path(arguments[0]).is_file():
        print(f"python -m tewb.compat: there is no file {arguments[0]}", file=sys.stderr)
        return 2
    install()
    try:
        if arguments[0] == "-m":
            sys.argv = list(arguments[1:])
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            run_script(arguments[0], arguments[1:])
    except (SystemExit, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        show(error)
        return 1
    return 0


def run_script(path: str, arguments: Sequence[str] = ()) -> dict[str, object]:
    """Run the file at `path` as `__main__`, with these arguments. Returns its names. Raises what it raises."""
    with io.open_code(str(Path(path).resolve())) as file:
        code = compile(file.read(), path, "exec")
    module = ModuleType("__main__")
    module.__file__ = path
    sys.argv = [path, *arguments]
    sys.path.insert(0, str(Path(path).resolve().parent))
    sys.modules["__main__"] = module
    exec(code, vars(module))
    return vars(module)


def show(error: BaseException) -> None:
    """Print an error as Python does, without the frames of this runner and of tewb; an error that is no lesson of
    tewb's, and comes from inside of it, keeps them."""
    frames = _frames(error.__traceback__)
    is_lesson = isinstance(error, TewbError | SyntaxError)
    is_bug = isinstance(error, InternalError) or (bool(frames) and frames[-1].is_ours and not is_lesson)
    kept = traceback.TracebackException.from_exception(error)
    if not is_bug:
        _forget_ours(kept)
    sys.stderr.writelines(kept.format())


def _frames(tb: TracebackType | None) -> list[Span]:
    spans: list[Span] = []
    while tb is not None:
        spans.append(Span(tb.tb_frame.f_code.co_filename, tb.tb_lineno))
        tb = tb.tb_next
    return spans


def _forget_ours(shown: traceback.TracebackException | None) -> None:
    if shown is None:
        return
    lines = [f for f in shown.stack if not Span(f.filename, f.lineno or 0).is_ours]
    shown.stack[:] = lines
    _forget_ours(shown.__cause__)
    _forget_ours(shown.__context__)
